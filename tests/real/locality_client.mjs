// Fresh devices that ask a gateway to connect, each as it is told: source address, headers, client. One JSON object per line in, one
// per line out ({n, status, type} or {n, status, device, ok, error}). Plain sockets, so that every byte of the request is ours.
import crypto from 'node:crypto';
import net from 'node:net';
import readline from 'node:readline';
import tls from 'node:tls';

const TIME_LIMIT_MS = 30000;
const base64url = (bytes) => bytes.toString('base64url');

function frameOf(text) {
  const data = Buffer.from(text);
  const mask = crypto.randomBytes(4);
  const head = data.length < 126 ? Buffer.from([0x81, 0x80 | data.length])
    : Buffer.from([0x81, 0x80 | 126, data.length >> 8, data.length & 255]);
  return Buffer.concat([head, mask, data.map((byte, i) => byte ^ mask[i % 4])]);
}

// The first whole frame of `bytes`: {opcode, data, length}, or null. Servers do not mask.
function firstFrame(bytes) {
  if (bytes.length < 2) return null;
  let size = bytes[1] & 127;
  let at = 2;
  if (size === 126) { if (bytes.length < 4) return null; size = bytes.readUInt16BE(2); at = 4; }
  else if (size === 127) { if (bytes.length < 10) return null; size = Number(bytes.readBigUInt64BE(2)); at = 10; }
  if (bytes.length < at + size) return null;
  return { opcode: bytes[0] & 15, data: bytes.subarray(at, at + size), length: at + size };
}

function connectFrame(ask, challenge, key, device) {
  const scopes = ['operator.admin', 'operator.approvals', 'operator.pairing'];
  const client = { id: ask.client_id, version: ask.release, platform: 'linux', mode: ask.client_mode };
  const payload = ['v2', device.id, client.id, client.mode, 'operator', scopes.join(','), String(challenge.ts), ask.token, challenge.nonce];
  return JSON.stringify({ type: 'req', id: 'c', method: 'connect', params: {
    minProtocol: ask.protocol, maxProtocol: ask.protocol, client, role: 'operator', scopes, caps: [], auth: { token: ask.token },
    locale: 'en', userAgent: 'test', device: { id: device.id, publicKey: base64url(device.raw), signedAt: challenge.ts,
      nonce: challenge.nonce, signature: base64url(crypto.sign(null, Buffer.from(payload.join('|')), key.privateKey)) } } });
}

function connect(ask) {
  return new Promise((done) => {
    const key = crypto.generateKeyPairSync('ed25519');
    const raw = key.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
    const device = { raw, id: crypto.createHash('sha256').update(raw).digest('hex') };
    const place = { host: ask.to, port: ask.port, localAddress: ask.peer };
    const socket = ask.tls ? tls.connect({ ...place, rejectUnauthorized: false, servername: ask.servername }) : net.connect(place);
    const answer = { n: ask.n, device: device.id };
    let bytes = Buffer.alloc(0);
    const finish = (more) => { clearTimeout(timer); socket.destroy(); done({ ...answer, ...more }); };
    const timer = setTimeout(() => finish({ error: 'time limit' }), TIME_LIMIT_MS);
    socket.on('error', (error) => finish({ error: error.message }));
    socket.on('close', () => finish(answer.status === 101 ? { error: 'closed' } : { type: bytes.toString().match(/"type":"([^"]*)"/)?.[1] }));
    socket.on(ask.tls ? 'secureConnect' : 'connect', () => socket.write(['GET / HTTP/1.1', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}`, ...ask.headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n')));
    socket.on('data', (part) => {
      bytes = Buffer.concat([bytes, part]);
      if (answer.status === undefined) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        answer.status = Number(bytes.toString('latin1', 9, 12));
        if (answer.status !== 101) { setTimeout(() => socket.end(), 100); return; }
        bytes = bytes.subarray(end + 4);
      }
      if (answer.status !== 101) return;
      for (let frame; (frame = firstFrame(bytes)); bytes = bytes.subarray(frame.length)) {
        if (frame.opcode === 8) return finish({ error: `closed ${frame.data.readUInt16BE(0)} ${frame.data.subarray(2)}` });
        if (frame.opcode !== 1) continue;
        const message = JSON.parse(frame.data.toString());
        if (message.event === 'connect.challenge') socket.write(frameOf(connectFrame(ask, message.payload, key, device)));
        if (message.type === 'res') return finish({ ok: message.ok, error: message.error && `${message.error.code}: ${message.error.message}` });
      }
    });
  });
}

const MOST_AT_ONCE = 8;
const asks = [];
for await (const line of readline.createInterface({ input: process.stdin })) asks.push(JSON.parse(line));
await Promise.all(Array.from({ length: MOST_AT_ONCE }, async () => {
  for (let ask; (ask = asks.shift());) console.log(JSON.stringify(await connect(ask)));
}));
