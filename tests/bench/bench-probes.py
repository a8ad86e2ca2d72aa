#!/usr/bin/env python3
"""bench-probes.py --doctor PROGRAM --measure PROGRAM [--runs N]

What the probes cost: a look against a live gateway of each release, beside a bare client that asks the same requests at the same addresses at
the same time (the gateway's own answer time), in turns, in one run; of each the least, because other work on the machine only adds. Bar: the whole look takes less than that time and 60 ms.
And with one address that swallows packets: bar: that one's timeout and 60 ms more than a look offline. Exit 1 when a bar is missed.
"""
import argparse
import base64
import contextlib
import os
import pathlib
import selectors
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
REAL = HERE.parent / "real"
sys.dont_write_bytecode = True
sys.path.insert(0, str(REAL))
import json  # noqa: E402

from harness import Failure, Gateway, Home, Release  # noqa: E402

RELEASES = ("2026.2.19", "2026.9.6")
BAR_MS = 60.0
TIMEOUT_S = 1
ADDRESSES = ("127.0.0.1", "::1")


class Client:
    """One connection that asks its requests one after the other, without waiting for others."""

    def __init__(self, address, port, requests):
        self.requests = list(requests)
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.socket.connect_ex((address, port))
        self.input = b""

    def ask(self) -> None:
        self.socket.sendall(self.requests.pop(0))
        self.input = b""

    def take(self) -> bool:
        """True when the last answer is here."""
        self.input += self.socket.recv(1 << 16)
        head, end, body = self.input.partition(b"\r\n\r\n")
        if not end:
            return False
        if head.startswith(b"HTTP/1.1 101"):
            return b"connect.challenge" in body
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        whole = len(body) >= int(lengths[0]) if lengths else body.endswith(b"0\r\n\r\n")
        if whole and self.requests:
            self.ask()
            return False
        return whole


def request(port, path, *headers) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, "", ""]).encode()


def bare_client(port) -> float:
    """Milliseconds for page, /healthz, /readyz and the handshake at both loopback addresses, all at once."""
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = request(port, "/", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
                      "Sec-WebSocket-Version: 13")
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for address in ADDRESSES:
            for requests in ([request(port, path) for path in ("/", "/healthz", "/readyz")], [upgrade]):
                client = Client(address, port, requests)
                stack.callback(client.socket.close)
                selector.register(client.socket, selectors.EVENT_WRITE, client)
        left = 2 * len(ADDRESSES)
        while left:
            for key, events in selector.select(5):
                if events & selectors.EVENT_WRITE:
                    key.data.ask()
                    selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
                elif key.data.take():
                    selector.unregister(key.fileobj)
                    left -= 1
        return (time.perf_counter() - began) * 1000


def look(options, env, *words) -> float:
    said = subprocess.run([options.measure, "1", options.doctor, "--json", *words], env=env, cwd="/", stdout=subprocess.PIPE,
                          text=True, timeout=60, check=True)
    run = json.loads(said.stdout)
    if run["exit"] not in (0, 1, 3):
        raise Failure(f"the doctor ended with {run['exit']}")
    return run["wallNs"] / 1e6


def environment(home) -> dict:
    return {"HOME": str(home.home), "TMPDIR": str(home.tmp), "LANG": "C.UTF-8",
            "PATH": f"{home.release.folder / 'node_modules/.bin'}:{home.release.node.parent}:/usr/bin:/bin"}


def live(release, options) -> bool:
    home = Home(release)
    home.from_seed()
    env = environment(home)
    with Gateway(home):
        time.sleep(5)
        bare, ours, offline = [], [], []
        for _ in range(options.runs + 2):
            bare.append(bare_client(home.port))
            ours.append(look(options, env))
            offline.append(look(options, env, "--offline"))
    bare, ours, offline = (min(times[2:]) for times in (bare, ours, offline))
    good = ours - bare < BAR_MS
    print(f"gateway {release.version:<24} {offline:>8.1f} ms {ours:>8.1f} ms {bare:>8.1f} ms {ours - bare:>8.1f} ms "
          f"{ours / bare:>6.2f}x  {'PASS' if good else 'FAIL'}", flush=True)
    return good


@contextlib.contextmanager
def swallowing():
    """A port of loopback whose listener takes nobody: its queue is full, and the kernel drops who else knocks."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while True:
            client = stack.enter_context(socket.socket())
            client.settimeout(0.3)
            try:
                client.connect(listener.getsockname())
            except TimeoutError:
                break
        yield listener.getsockname()[1]


def swallowed(release, options) -> bool:
    home = Home(release)
    home.from_seed()
    env = environment(home)
    with swallowing() as port:
        words = ("--gateway-url", f"ws://127.0.0.1:{port}", "--probe-timeout", str(TIMEOUT_S))
        ours = min(look(options, env, *words) for _ in range(5))
    offline = min(look(options, env, "--offline") for _ in range(5))
    good = ours < offline + TIMEOUT_S * 1000 + BAR_MS
    print(f"an address that swallows packets {offline:>8.1f} ms {ours:>8.1f} ms {TIMEOUT_S * 1000:>8.1f} ms "
          f"{ours - TIMEOUT_S * 1000:>8.1f} ms {ours / (TIMEOUT_S * 1000):>6.2f}x  {'PASS' if good else 'FAIL'}", flush=True)
    return good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--doctor", required=True, type=os.path.abspath)
    parser.add_argument("--measure", required=True, type=os.path.abspath)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--build-type", default="?")
    options = parser.parse_args()
    if options.build_type != "Release":
        print(f"note: this is a {options.build_type} build; the bars are for a release build")
    subprocess.run([REAL / "fetch"], check=True, stdout=subprocess.DEVNULL)
    for release in RELEASES:
        subprocess.run([sys.executable, REAL / "seed.py", release], check=True, stdout=subprocess.DEVNULL)
    print(f"a look with all loopback probes (least of {options.runs}); bar: the gateway's own answer time and {BAR_MS:.0f} ms\n")
    print(f"{'':<32} {'offline':>11} {'look':>11} {'own time':>11} {'more':>11} {'ratio':>7}  bar")
    try:
        good = [live(Release(release), options) for release in RELEASES] + [swallowed(Release(RELEASES[0]), options)]
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
