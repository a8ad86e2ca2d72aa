"""What the nginx tests share: the reader's model, edits applied, the real nginx, an upstream that records what arrives."""

import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

DRIVER = os.environ.get("PROXY_DRIVER", "")
MODULES = pathlib.Path("/usr/lib/nginx/modules")


def fail(text):
    print(f"FAILED: {text}", flush=True)
    sys.exit(1)


def need():
    """The real programs are there, or the test fails: a comparison that did not happen is no pass."""
    if not DRIVER or not os.access(DRIVER, os.X_OK):
        fail("PROXY_DRIVER does not name the built proxy_driver")
    if not shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        fail("nginx is not installed (./bootstrap test-real installs nginx-light)")


def scratch():
    return tempfile.TemporaryDirectory(prefix="openclaw-doctor-nginx.")


def model(path, mends=False):
    words = [DRIVER] + (["--mends"] if mends else []) + ["nginx", str(path)]
    done = subprocess.run(words, capture_output=True, timeout=60)
    if done.returncode != 0:
        fail(f"the reader failed on {path}: exit {done.returncode} {done.stdout[-200:]} {done.stderr[-2000:]}")
    return json.loads(done.stdout.decode("utf-8", "surrogateescape"))


def apply(edits):
    """Writes edits, back to front, into the files they name."""
    texts = {}
    last = {}
    for edit in reversed(edits):
        path = edit["path"]
        text = texts.setdefault(path, pathlib.Path(path).read_bytes())
        end = edit["offset"] + edit["length"]
        if end > last.get(path, len(text)):
            fail(f"edits of {path} overlap or are not sorted: {edits}")
        last[path] = edit["offset"]
        texts[path] = text[:edit["offset"]] + edit["text"].encode("utf-8", "surrogateescape") + text[end:]
    for path, text in texts.items():
        pathlib.Path(path).write_bytes(text)


def nginx(folder, *words, config="nginx.conf"):
    """(exit status, stdout, stderr) of nginx with that folder's configuration."""
    path = pathlib.Path(folder) / config
    environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin")
    done = subprocess.run(["nginx", "-p", str(folder), "-c", str(path), *words], capture_output=True, timeout=60, env=environment)
    return done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="surrogateescape")


def free_ports(count):
    """Ports that nobody listens on; `nginx -t` binds them for a moment. Of a range of their own: tests/ports.py hands out those below,
    the kernel those above."""
    ports = []
    while len(ports) < count:
        port = random.randrange(30000, 32700)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


class Running:
    """nginx in the foreground, with this folder's configuration."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port

    def __enter__(self):
        environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin")
        self.process = subprocess.Popen(
            ["nginx", "-p", str(self.folder), "-c", f"{self.folder}/nginx.conf", "-g", "daemon off; master_process off;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if self.process.poll() is not None:
                fail(f"nginx did not start: {self.process.stderr.read().decode()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.01)
        fail("nginx does not answer")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Recorder:
    """An upstream: keeps each request's head; answers a complete WebSocket handshake with 101, everything else with 200."""

    def __init__(self, path=None):
        self.heads = []
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
        else:
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        # Closing alone would leave the thread in accept, on a descriptor that the next recorder gets.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection:
            connection.settimeout(20)
            head = read_head(connection)
            if head is None:
                return
            self.heads.append(head)
            if is_handshake(head):
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                try:
                    connection.recv(1)
                except OSError:
                    pass
            else:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


class Head:
    def __init__(self, text):
        lines = text.split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ", 2)
        self.headers = [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in lines[1:] if line]

    def get(self, name):
        """What a receiver makes of it: several of one name are joined."""
        values = [value for there, value in self.headers if there.lower() == name.lower()]
        return ", ".join(values) if values else None


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = connection.recv(65536)
        except OSError:
            return None
        if not more:
            return None
        data += more
    return Head(data.split(b"\r\n\r\n")[0].decode("latin-1"))


def is_handshake(head):
    tokens = [token.strip().lower() for token in (head.get("Connection") or "").split(",")]
    return (head.version == "HTTP/1.1" and (head.get("Upgrade") or "").lower() == "websocket" and "upgrade" in tokens
            and head.get("Sec-WebSocket-Key") is not None)


def ask(port, target, headers, method="GET"):
    """The status of one request over a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        lines = [f"{method} {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        data = b""
        while b"\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return 0
            data += more
        return int(data.split(b" ", 2)[1])
