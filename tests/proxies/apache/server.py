"""The real apache2, unprivileged and from a scratch folder, an upstream that writes down what arrives, and the reader."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from ports import free_port  # noqa: E402, F401 (also for those who import this)

APACHE = shutil.which("apache2") or "/usr/sbin/apache2"
MODULES = pathlib.Path("/usr/lib/apache2/modules")
DRIVER = os.environ.get("PROXY_DRIVER", "proxy_driver")
DUMP = os.environ.get("APACHE_DUMP", "apache_dump")
# PATH only: ${NAME} in a configuration must mean the same to both.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/bin", "LANG": "C", "FROM_ENVIRONMENT": "from the environment"}

LOADED = ["mpm_event", "authz_core", "proxy", "proxy_http", "proxy_wstunnel", "rewrite", "headers", "setenvif", "env", "macro", "alias",
          "slotmem_shm", "proxy_balancer", "lbmethod_byrequests", "remoteip", "info"]


def needed():
    if not os.access(APACHE, os.X_OK) or not (MODULES / "mod_proxy.so").exists():
        raise SystemExit("apache2 is missing: ./bootstrap real installs it")


def load_module(name):
    return f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"


def preamble(root, loaded=None):
    """What every configuration of these tests begins with."""
    text = f"ServerRoot {root}\nPidFile {root}/pid\nDefaultRuntimeDir {root}\nErrorLog {root}/error.log\nMutex posixsem\n"
    text += "ServerName main.test\nUser www-data\nGroup www-data\n"
    text += "".join(load_module(name) for name in (loaded or LOADED))
    return text


def test_config(main, *defines):
    """(accepted, standard output, standard error) of apache2 -t."""
    words = [APACHE, "-f", str(main), "-t"]
    for define in defines:
        words += ["-D", define]
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, errors="surrogateescape", timeout=60)
    return done.returncode == 0, done.stdout, done.stderr


def model(main, mends=False):
    words = [DRIVER] + (["--mends"] if mends else []) + ["apache", str(main)]
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"the reader failed on {main}: {done.returncode} {done.stdout[:200]}")
    return json.loads(done.stdout)


def dump(main):
    done = subprocess.run([DUMP, str(main)], env=ENVIRONMENT, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"apache_dump {main}: {done.returncode} {done.stderr[-2000:]}")
    rows = [line.split("\t") for line in done.stdout.decode(errors="surrogateescape").split("\n") if line]
    return [row[:5] + ["\t".join(row[5:])] if row[0] == "D" else row for row in rows]


def apply_edits(edits):
    for path in {edit["path"] for edit in edits}:
        old = pathlib.Path(path).read_bytes()
        new, at = b"", 0
        for edit in (edit for edit in edits if edit["path"] == path):
            assert edit["offset"] >= at, f"edits overlap or are not sorted: {edits}"
            new += old[at : edit["offset"]] + edit["text"].encode()
            at = edit["offset"] + edit["length"]
        pathlib.Path(path).write_bytes(new + old[at:])


class Upstream:
    """Keeps the head of every request. Answers a handshake with 101 and then reads on; everything else with "ok"."""

    def __init__(self):
        self.heads = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, connection):
        data = b""
        with connection, contextlib.suppress(OSError):
            while True:
                while b"\r\n\r\n" not in data:
                    more = connection.recv(65536)
                    if not more:
                        return
                    data += more
                head, data = data.split(b"\r\n\r\n", 1)
                self.heads.append(head.decode("latin-1"))
                if b"/events" in head.split(b"\r\n")[0]:
                    self.events(connection)
                    return
                if re.search(rb"\r\nupgrade:", head, re.I):
                    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                    while connection.recv(4096):
                        pass
                    return
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def events(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"9\r\ndata: 1\n\n\r\n")
        time.sleep(1.5)
        connection.sendall(b"0\r\n\r\n")

    def close(self):
        self.listener.close()


@contextlib.contextmanager
def running(main, port):
    process = subprocess.Popen([APACHE, "-f", str(main), "-DFOREGROUND"], env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise AssertionError(f"apache2 ended: {test_config(main)}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


HANDSHAKE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"


def ask(port, host, path, headers="", keep=False):
    """The status of an answer, and the socket when it is to be kept."""
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(30)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = client.recv(65536)
        if not more:
            break
        answer += more
    status = int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/") else 0
    if keep:
        return status, client
    client.close()
    return status


def parse_head(head):
    first, *rest = head.split("\r\n")
    headers = {}
    for line in rest:
        name, value = line.split(":", 1)
        headers.setdefault(name.lower(), []).append(value.strip())
    return first.rsplit(" ", 1)[1], first.split(" ")[1], headers
