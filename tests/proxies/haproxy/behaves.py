"""A running haproxy does with requests what the model says, and after the edits what they promise.

Generated frontends and backends run in one process in front of a server that keeps the bytes which arrive. Each route is asked four times:
an ordinary request and a WebSocket handshake, each without and with headers that a client made up.
"""

import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from common import HAPROXY, apply_edits, check, need_haproxy, read, say_first_lines
from generate import Config
from understands import certificate, is_right

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from ports import free_ports  # noqa: E402

CONFIGS = 70
EVIL = {"X-Forwarded-For": "203.0.113.66", "X-Forwarded-Proto": "evil-proto", "X-Forwarded-Host": "evil.host", "X-Real-IP": "203.0.113.67",
        "Forwarded": "for=203.0.113.68"}
HANDSHAKE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
TUNNELS = {"300": 300, "1s": 1000}


class Upstream:
    """Keeps the head of the last request. Upgrades what is a handshake, answers 200 to the rest."""

    def __init__(self):
        self.heads = []
        self.sockets = []
        first = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = first.getsockname()[1]
        self.listen(first)
        try:
            self.listen(socket.create_server(("::1", self.port), family=socket.AF_INET6, backlog=64))
            self.six = True
        except OSError:
            self.six = False

    def listen(self, server):
        self.sockets.append(server)
        threading.Thread(target=self.serve, args=(server,), daemon=True).start()

    def serve(self, server):
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        data = b""
        client.settimeout(5)
        try:
            while b"\r\n\r\n" not in data and not data.startswith(b"\r\n\r\n\0\r\nQUIT"):
                more = client.recv(65536)
                if not more:
                    break
                data += more
            if b"x-asked-by: us" in data.lower() or not data.startswith(b"GET "):
                self.heads.append(data)  # no health check
            head = parse(data)
            if not head["version"]:
                return
            fits = "websocket" in " ".join(head["fields"].get("upgrade", [])).lower() and \
                "upgrade" in " ".join(head["fields"].get("connection", [])).lower() and "sec-websocket-key" in head["fields"]
            if fits:
                client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
                while client.recv(4096):
                    pass
            else:
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        except OSError:
            pass
        finally:
            client.close()


def parse(data):
    """{version: 10|11|20|0, fields: {name: [value]}}"""
    if data.startswith(b"PRI * HTTP/2.0"):
        return {"version": 20, "fields": {}}
    lines = data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    first = re.fullmatch(r"[A-Z]+ \S+ HTTP/(1)\.([01])", lines[0])
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), []).append(value.strip())
    return {"version": int("".join(first.groups())) if first else 0, "fields": fields}


def ask(route, handshake, evil, context, keep=False):
    """(status, socket) of one request through a route's first address."""
    host, port = route["listens"][0].rsplit(":", 1)
    fields = {"Host": route["names"][0] if route["names"] else "client.example"}
    fields.update(HANDSHAKE if handshake else {})
    fields.update(EVIL if evil else {})
    fields["X-Asked-By"] = "us"
    path = route["path"] or "/"
    client = socket.create_connection((host, int(port)), timeout=4)
    if route["tls"]:
        client = context.wrap_socket(client)
    text = f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
    status = 0
    try:
        client.sendall(text.encode())
        answer = client.recv(4096)
        status = int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1") else 0
        if status == 101 and not all(word in answer.lower() for word in (b"upgrade: websocket", b"connection: upgrade", b"-accept: s3pp")):
            status = 502  # no client takes this for an upgrade
    except OSError:
        pass
    if keep:
        return status, client
    client.close()
    return status, None


class Haproxy:
    def __init__(self, path):
        self.process = subprocess.Popen([HAPROXY, "-db", "-f", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait(self, port):
        for _ in range(100):
            if self.process.poll() is not None:
                sys.exit("haproxy did not start: " + say_first_lines(self.process.stderr.read().decode()))
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("haproxy does not listen")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


# --- what arrived against what was said -------------------------------------------------------------------------------------

def fate_is(fate, name, bare, evil, sent):
    """Do the values that arrived without and with the client's own fit the fate?"""
    joined = ", ".join(evil)
    if fate == "absent":
        return not bare and not evil
    if fate == "clients":
        return (bare == [sent] if name in ("Host", "Upgrade", "Connection") else not bare) and evil == [sent]
    if fate == "set":
        return bool(bare) and bool(evil) and (sent not in joined or name in ("Upgrade", "Connection"))
    if fate == "appended":
        return bool(bare) and sent.lower() in joined.lower()
    return True


def judge_heads(route, heads, complaints, where, counts):
    for name, header in route["headers"].items():
        handshake = name in ("Upgrade", "Connection")
        kinds = (False, True) if not route["note"] else (False,)
        for kind in (k for k in kinds if k or not handshake):
            bare, evil = heads.get((kind, False)), heads.get((kind, True))
            if bare is None or evil is None or bare["version"] not in (10, 11):
                continue
            sent = HANDSHAKE.get(name) or EVIL.get(name) or (route["names"][0] if route["names"] else "client.example")
            counts[header["fate"]] = counts.get(header["fate"], 0) + 1
            values = bare["fields"].get(name.lower(), []), evil["fields"].get(name.lower(), [])
            if not fate_is(header["fate"], name, *values, sent):
                complaints.append(f"{where}: {name} is said to be {header['fate']} ({header['value']}), {'handshake' if kind else 'request'}"
                                  f" brings {values[0]} and {values[1]}")


def judge_route(upstream, route, context, complaints, where, counts):
    heads, statuses = {}, {}
    for kind in (False, True):
        for evil in (False, True):
            del upstream.heads[:]
            statuses[kind, evil] = ask(route, kind, evil, context)[0]
            time.sleep(0.01)
            if upstream.heads:
                heads[kind, evil] = parse(upstream.heads[-1])
    upgraded = statuses[True, False] == 101
    counts[route["upgrade"]] = counts.get(route["upgrade"], 0) + 1
    if route["upgrade"] != "unknown" and upgraded != (route["upgrade"] == "passed"):
        complaints.append(f"{where}: the upgrade is said to be {route['upgrade']} ({route['upgrade_why']}), a handshake gets {statuses}")
    seen = {head["version"] for head in heads.values()} - {0}
    if route["http_version"] and seen and seen != {route["http_version"]}:
        complaints.append(f"{where}: HTTP {route['http_version']} is said, {seen} arrives")
    judge_heads(route, heads, complaints, where, counts)


def run(path, upstream, context, complaints, what, right_ones=None):
    counts = {}
    routes = read(path)["routes"]
    with Haproxy(path) as haproxy:
        haproxy.wait(int(routes[0]["listens"][0].rsplit(":", 1)[1]))
        for number, route in enumerate(routes):
            if route["pattern"]:
                continue
            where = f"{what} line {route['source']['line']} via {route['listens'][0]} {route['names']}{route['path']}"
            judge_route(upstream, route, context, complaints, where, counts)
            if right_ones is not None and number in right_ones and not is_right(route):
                complaints.append(f"{where}: mended, but not right")
    return len(routes), counts


def mend_each(path, complaints):
    """Mends all routes one after the other; the numbers of those that could be mended."""
    mended = set()
    for index in range(len(read(path)["routes"])):
        mend = read_one(path, index)
        if "error" in mend:
            continue
        apply_edits(path, mend["edits"])
        mended.add(index)
    accepted, said = check(path)
    if not accepted:
        complaints.append(f"refused after the edits: {say_first_lines(said)}")
    return mended


def read_one(path, index):
    return read(path, True)["routes"][index]["mends"]["all"]


# --- timeouts ---------------------------------------------------------------------------------------------------------------

def timeouts(folder, upstream, complaints):
    ports = free_ports(6)
    texts = ["timeout tunnel 400", "", "http-request set-timeout tunnel 500", "timeout tunnel 0", "timeout server 300",
             "timeout tunnel 600\n  http-request set-timeout tunnel 350ms"]
    text = "defaults\n  mode http\n  timeout connect 1s\n  timeout client 700\n  timeout server 800ms\n"
    for i, (port, line) in enumerate(zip(ports, texts)):
        text += f"listen t{i}\n  bind 127.0.0.1:{port}\n" + (f"  {line}\n" if line else "") + f"  server s 127.0.0.1:{upstream.port}\n"
    path = folder / "timeouts.cfg"
    path.write_text(text)
    routes = read(path)["routes"]
    took = [None] * len(routes)

    def wait(i):
        status, client = ask(routes[i], True, False, None, True)
        begin = time.monotonic()
        client.settimeout(5)
        try:
            while client.recv(4096):
                pass
        except OSError:
            pass
        took[i] = (time.monotonic() - begin) * 1000 if status == 101 else None
        client.close()

    with Haproxy(path) as haproxy:
        haproxy.wait(ports[0])
        threads = [threading.Thread(target=wait, args=(i,)) for i in range(len(routes))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for route, ms, line in zip(routes, took, texts):
        if ms is None or not route["idle_timeout_ms"] - 60 <= ms <= route["idle_timeout_ms"] + 900:
            complaints.append(f"timeout ({line}): said {route['idle_timeout_ms']} ms, was {ms}")
    return len(routes)


def main():
    need_haproxy()
    begin = time.monotonic()
    complaints = []
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    upstream = Upstream()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        crt = certificate(folder)
        ports = free_ports(CONFIGS * 5)
        first = int(os.environ.get("FIRST_SEED", "5000"))
        text = "".join(Config(first + i, f"c{i}_", ports, upstream.port, upstream.six, crt).text.replace("\r\n", "\n") for i in range(CONFIGS))
        path = folder / "all.cfg"
        path.write_text(text)
        count, counts = run(path, upstream, context, complaints, "as written")
        print(f"{count} routes: {counts}")
        mended = mend_each(path, complaints)
        if not complaints:
            count, counts = run(path, upstream, context, complaints, "mended", mended)
            print(f"{len(mended)} of {count} mended: {counts}")
        print(f"{timeouts(folder, upstream, complaints)} timeouts")
        if os.environ.get("KEEP"):
            pathlib.Path(os.environ["KEEP"]).write_text(text)
    for complaint in complaints[:30]:
        print("  " + complaint[:700])
    print(f"{len(complaints)} complaints, {time.monotonic() - begin:.0f} s")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
