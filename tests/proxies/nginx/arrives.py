#!/usr/bin/env python3
"""What really arrives: the real nginx in front of an upstream that records the request, with and without headers of the client's.
Compared with the fates, the HTTP version, the path and the verdict about WebSocket of each route; then everything is mended and
asked again."""

import pathlib
import re
import sys

from generate import make
from nginx import Recorder, Running, apply, ask, fail, is_handshake, model, need, nginx, scratch

CLIENT = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "client-proto",
    "X-Forwarded-Host": "client-host.example",
    "X-Real-IP": "198.51.100.8",
    "Forwarded": "for=client-forwarded",
}
SHAKE = [("Upgrade", "websocket"), ("Connection", "x-probe, Upgrade"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
         ("Sec-WebSocket-Version", "13")]
PLAIN = [("Connection", "x-probe, close")]
HOST = "client.example"


class Sample:
    def __init__(self, seed, folder, recorders, places):
        self.seed, self.folder, self.recorders, self.places = seed, folder, recorders, places
        self.counts = {"requests": 0, "fates": 0, "unknown": 0, "verdicts": 0, "mended": 0}

    def fail(self, text):
        fail(f"seed {self.seed} in {self.folder}: {text}")

    def send(self, place, handshake, forwarded):
        """(status, head that arrived)"""
        for recorder in self.recorders:
            recorder.heads.clear()
        headers = [("Host", HOST)] + (SHAKE if handshake else PLAIN) + (list(CLIENT.items()) if forwarded else [])
        status = ask(place.port, place.path, headers)
        heads = [head for recorder in self.recorders for head in recorder.heads]
        self.counts["requests"] += 1
        if len(heads) != 1:
            self.fail(f"{place.path} on {place.port}: status {status}, {len(heads)} requests arrived")
        return status, heads[0]

    def route(self, routes, place, handshake):
        token = place.path
        found = [route for route in routes if f"127.0.0.1:{place.port}" in route["listens"] and
                 token in [route["path"]] + re.split(r"[ ,^]+", route["pattern"] or "")]
        inside = [route for route in found if "if (" in (route["pattern"] or "")]
        if handshake and inside:
            return inside[0]
        if not found:
            self.fail(f"no route for {token} on {place.port}: {[(r['listens'], r['path'], r['pattern']) for r in routes]}")
        return found[0]

    def expect(self, truth, place, route, text):
        if not truth:
            self.fail(f"{place.path}: {text}\nroute {route}")

    def check_fate(self, place, route, name, own, without, given):
        """`own`: what the client sent; `without`, `given`: what arrived when it sent nothing, and when it sent that."""
        header = route["headers"][name]
        fate = header["fate"]
        self.counts["unknown" if fate == "unknown" else "fates"] += 1
        shown = f"{name} is {fate} ({header['value']}): arrived {without!r} without, {given!r} with the client's {own!r}"
        right = {
            "absent": without is None and given is None,
            "clients": (without is None or name == "Host" and without.split(":")[0] == HOST) and given is not None
            and given.split(":")[0] == own,
            "set": without is not None and given is not None and own not in given and without == given,
            # X-Real-IP may get $proxy_add_x_forwarded_for: then it is the other header that the client extends.
            "appended": given is not None and given != without and
            any(text in given and text != given for text in (own, CLIENT["X-Forwarded-For"])),
            "unknown": True,
        }
        self.expect(right[fate], place, route, shown)

    def check_hop(self, place, route, name, own, given):
        """Connection, without which no request goes, and Upgrade: only with the client's."""
        fate = route["headers"][name]["fate"]
        self.counts["unknown" if fate == "unknown" else "fates"] += 1
        right = {"absent": given is None, "clients": given == own, "set": given is not None and "x-probe" not in given,
                 "appended": given is not None and own in given and own != given, "unknown": True}
        self.expect(right[fate], place, route, f"{name} is {fate}: {given!r} arrived for {own!r}")

    def compare(self, routes):
        for place in self.places:
            if "plain" in place.requests:
                self.compare_plain(place, self.route(routes, place, False))
            if "handshake" in place.requests:
                self.compare_handshake(place, self.route(routes, place, True))

    def compare_plain(self, place, route):
        _, without = self.send(place, False, False)
        _, given = self.send(place, False, True)
        for name, own in CLIENT.items():
            self.check_fate(place, route, name, own, without.get(name), given.get(name))
        self.check_fate(place, route, "Host", HOST, without.get("Host"), given.get("Host"))
        self.check_hop(place, route, "Connection", PLAIN[0][1], given.get("Connection"))
        self.expect(without.version == f"HTTP/{route['http_version'] // 10}.{route['http_version'] % 10}", place, route,
                    f"arrived with {without.version}")
        self.expect(without.target == place.proxied_path and (route["upstream_path"] or place.path) == place.proxied_path, place,
                    route, f"path {without.target} arrived, the route says {route['upstream_path']}")

    def compare_handshake(self, place, route):
        status, head = self.send(place, True, True)
        passed = is_handshake(head)
        self.check_hop(place, route, "Upgrade", "websocket", head.get("Upgrade"))
        self.counts["verdicts"] += 1
        if (status == 101) != passed:
            self.fail(f"{place.path}: the upstream judged {passed}, the client saw {status}")
        self.expect(route["upgrade"] == ("passed" if passed else "dropped"), place, route, f"the handshake {'passed' if passed else 'did not pass'}")
        if not passed and not route["upgrade_why"]:
            self.fail(f"{place.path}: no reason")

    # --- mended -----------------------------------------------------------------------------------------------------------

    def arrivals(self):
        kept = {}
        for place in self.places:
            for kind in place.requests:
                _, head = self.send(place, kind == "handshake", True)
                kept[place.path, place.port, kind] = head
        return kept

    def mend(self):
        index, path = 0, self.folder / "nginx.conf"
        while index < len(routes := model(path, mends=True)["routes"]):
            apply(routes[index]["mends"]["all"].get("edits", []))
            index += 1
        status, _, errors = nginx(self.folder, "-t")
        if status != 0:
            self.fail(f"after mending nginx says {errors}")

    def compare_mended(self, before):
        changed = {"host", "upgrade", "connection", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"}
        after = self.arrivals()
        for (path, port, kind), head in after.items():
            old = before[path, port, kind]
            self.counts["mended"] += 1
            wanted = {"Host": HOST, "X-Forwarded-For": "127.0.0.1"}
            got = {name: head.get(name) for name in wanted}
            got["Host"] = (got["Host"] or "").split(":")[0]
            if got != wanted or head.get("X-Forwarded-Proto") not in ("http", "https"):
                self.fail(f"{path} mended: {got}, {head.get('X-Forwarded-Proto')}, wanted {wanted}")
            # None: proxy_pass_request_headers was off, which no WebSocket survives.
            if old.get("X-Real-IP") not in (None, head.get("X-Real-IP")) and head.get("X-Real-IP") != "127.0.0.1":
                self.fail(f"{path} mended: X-Real-IP was {old.get('X-Real-IP')}, is {head.get('X-Real-IP')}")
            if kind == "handshake" and not is_handshake(head):
                self.fail(f"{path} mended: the handshake does not pass: {head.version} {head.headers}")
            for name, value in old.headers:
                if name.lower() not in changed and (head.get(name) or "") != value and old.get(name) == value:
                    self.fail(f"{path} mended: {name} was {value!r}, is {head.get(name)!r}")


def sample(root, seed):
    folder = root / str(seed)
    folder.mkdir()
    socket_path = str(folder / "up.sock")
    recorders = [Recorder(), Recorder(socket_path)]
    places = make(folder, seed, recorders[0].port, socket_path, extras=False)
    work = Sample(seed, folder, recorders, [place for place in places if place.requests])
    with Running(folder, places[0].port):
        work.compare(model(folder / "nginx.conf")["routes"])
        before = work.arrivals()
    work.mend()
    with Running(folder, places[0].port):
        work.compare(model(folder / "nginx.conf")["routes"])
        work.compare_mended(before)
    for recorder in recorders:
        recorder.close()
    return work.counts


def main():
    need()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 50000
    totals = {}
    with scratch() as root:
        for seed in range(first, first + count):
            for name, value in sample(pathlib.Path(root), seed).items():
                totals[name] = totals.get(name, 0) + value
    if totals["unknown"] * 10 > totals["fates"]:
        fail(f"too many fates are unknown: {totals}")
    print(f"good: {count} configurations before and after mending, {totals['requests']} requests: {totals['fates']} fates of headers, "
          f"{totals['verdicts']} handshakes as the route says; {totals['unknown']} fates not worked out; "
          f"{totals['mended']} requests right after mending")


if __name__ == "__main__":
    main()
