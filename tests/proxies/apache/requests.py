"""What the reader says of a route is what a recording upstream gets through the real apache2: who takes a request, HTTP version, headers with and
without the client's own, the handshake, silence. Then every route is mended, one after the other, and must be right: [count [seed]]."""

import concurrent.futures
import pathlib
import random
import shutil
import socket
import sys
import tempfile
import time

import server

HOSTS = int(sys.argv[1]) if len(sys.argv) > 1 else 70
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20261128
CLIENTS = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.test", "X-Real-IP": "7.7.7.7", "Forwarded": "for=8.8.8.8"}
counts = {"hosts": 0, "routes": 0, "fates": 0, "unknown": 0, "handshakes": 0, "nobody": 0, "mended": 0, "not editable": 0, "timeouts": 0}


class Hosts:
    """Virtual hosts that lead to one of two upstreams."""

    def __init__(self, chooser, ports):
        self.random = chooser
        self.ports = ports
        self.entries = 0

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def pick(self, *things):
        return self.random.choice(things)

    def url(self, port, scheme="http"):
        self.entries += 1
        return f"{scheme}://{self.pick('127.0.0.1', '127.0.0.1', 'localhost')}:{port}/{self.pick('', f'e{self.entries}/')}"

    def parameters(self):
        return self.pick("", "", "", " upgrade=websocket", " upgrade=websocket", " upgrade=ANY", " timeout=30", " upgrade=websocket timeout=4000", " retry=0")

    def header(self):
        name = self.pick(*CLIENTS, *CLIENTS, "Host", "Upgrade") if self.chance(60) else "X-Forwarded-For"
        action, value = self.pick(("set", "own"), ("set", "expr=%{REMOTE_ADDR}"), ("append", "own"), ("add", "own"), ("merge", "own"), ("unset", None),
                                  ("setifempty", "own"), ("edit", "^.*$ other"), ("set", "%{own}e"))
        if name in ("Host", "Upgrade"):
            action, value = self.pick(("set", "own.test"), ("unset", None))
        if name == "Upgrade":
            action, value = self.pick(("unset", None), ("set", "websocket"))
        condition = self.pick("", "", "", "", "", " env=HTTPS", " env=!HTTPS", " env=flag", " env=!flag", " \"expr=%{HTTPS} == 'on'\"")
        return f"RequestHeader {action} {name}{' ' + value if value else ''}{condition}"

    def other(self):
        return self.pick("ProxyPreserveHost On", "ProxyPreserveHost On", "ProxyPreserveHost Off", "ProxyAddHeaders Off", "ProxyAddHeaders On", "SetEnv flag 1",
                         "SetEnv own value", "UnsetEnv flag", "SetEnvIf Request_URI ^/a flag", "SetEnvIf Host . flag", "SetEnvIfNoCase X-No ^.*$ flag=1",
                         "SetEnv force-proxy-request-1.0 1", "BrowserMatch Firefox force-proxy-request-1.0", "SetEnv proxy-nokeepalive 1",
                         "UnsetEnv force-proxy-request-1.0")

    def few(self, most):
        return [self.pick(self.header, self.other)() for _ in range(self.random.randint(0, most))]

    def section(self, port):
        path = self.pick("/", "/a", "/a/", "/a/b/", "/ws/", "/only/")
        kind = self.random.randrange(6)
        if kind == 0:
            return [f"<LocationMatch \"{self.pick('^/', '^/a/', '.*', '^/nothing')}\">", *self.few(2), "</LocationMatch>"]
        if kind == 1:
            return [f"<Proxy \"{self.pick('*', f'http://127.0.0.1:{port}/*', f'http://127.0.0.1:{port}/', f'ws://127.0.0.1:{port}/*')}\">", *self.few(2),
                    "</Proxy>"]
        inner = self.few(2)
        if self.chance(50):
            inner.append(self.pick(f"ProxyPass {self.url(port)}{self.parameters()}", f"ProxyPass {self.url(port)}{self.parameters()}", "ProxyPass !"))
        return [f"<Location {path}>", *inner, "</Location>"]

    def body(self, port):
        lines = self.few(2)
        for _ in range(self.random.randint(0, 3)):
            path = self.pick("/", "/", "/a", "/a/", "/a/b/", "/ws/", "/c/")
            url = self.url(port, self.pick("http", "http", "http", "http", "ws"))
            kind = self.random.randrange(10)
            if kind == 0:
                lines.append(f"ProxyPass {path} !")
            elif kind == 1:
                lines.append(f"ProxyPassMatch \"^{path}(.*)$\" {url}$1{self.parameters()}")
            elif kind == 2:
                lines += [f"<Proxy {url}{self.parameters()}>", "</Proxy>", f"ProxyPass {path} {url}{self.parameters()}"]
            else:
                lines.append(f"ProxyPass {path} {url if path.endswith('/') else url[:-1]}{self.parameters()}")
        if self.chance(25):
            lines += ["RewriteEngine on", "RewriteCond %{HTTP:Upgrade} websocket [NC]", "RewriteCond %{HTTP:Connection} upgrade [NC]",
                      f"RewriteRule {self.pick('^/?(.*)', '^/(.*)', '^/ws/(.*)')} ws://127.0.0.1:{port}/$1 [P,L]"]
        if self.chance(10):
            lines += ["RewriteEngine on", f"RewriteRule {self.pick('^/(.*)', '^/rw/(.*)')} {self.url(port)}$1 [P]"]
        for _ in range(self.random.randint(0, 2)):
            lines += self.section(port)
        return lines

    def write(self, main, port):
        lines = server.preamble(main.parent).split("\n")[:-1]
        lines += [f"Listen 127.0.0.1:{port}", "StartServers 1", "ServerLimit 4", "ThreadsPerChild 64", "MaxRequestWorkers 256", "Timeout 20",
                  f"DocumentRoot {main.parent}"]
        lines += [f"ProxyPass /main/ http://127.0.0.1:{self.ports[0]}/main/ timeout=25", "RequestHeader set X-Main 1"]
        lines += ["<Location /c/>", "RequestHeader append Forwarded main", "</Location>"]
        for index in range(HOSTS):
            body = self.body(self.ports[index % 2])
            lines += [f"<VirtualHost 127.0.0.1:{port}>", f"    ServerName s{index}.test", f"    ServerAlias a{index}.test", *("    " + line for line in body), "</VirtualHost>"]
        main.write_text("\n".join(lines) + "\n")


class Checker:
    def __init__(self, main, port, upstreams):
        self.main = main
        self.port = port
        self.upstreams = upstreams

    def fail(self, text, route=None):
        kept = pathlib.Path(tempfile.mkdtemp(prefix="apache-requests-"))
        shutil.copy(self.main, kept / "main.conf")
        if route:
            text += f"\nroute: {route['names']} {route['path']} line {route['source']['line']} -> {route['upstream_text']}"
        raise SystemExit(f"seed {SEED}: {text}\nkept: {kept}")

    def arrived(self, host, path, headers=""):
        """(status, head that arrived at an upstream or None)"""
        before = [len(upstream.heads) for upstream in self.upstreams]
        status = server.ask(self.port, host, path, headers)
        for upstream, count in zip(self.upstreams, before):
            for head in upstream.heads[count:]:
                return status, server.parse_head(head), upstream.port
        return status, None, None

    def path_of(self, route):
        return route["path"] + ("zz" if route["path"].endswith("/") else "/zz")

    def check_fate(self, route, name, fate, alone, both):
        sent = CLIENTS.get(name)
        key = name.lower()
        bare, full = alone.get(key, []), ", ".join(both.get(key, []))
        if name == "Host":
            asked = route["names"][1]
            right = {"clients": bare == [asked], "set": bare != [asked] and len(bare) == 1, "absent": not bare}.get(fate, False)
        else:
            right = {
                "absent": not bare and not full,
                "clients": not bare and full == sent,
                "set": bool(bare) and bool(full) and sent not in full,
                "appended": bool(bare) and sent in full,
            }[fate]
        if not right:
            self.fail(f"{name} is said to be {fate}; without the client's: {bare}, with it: {full!r}", route)
        counts["fates"] += 1

    def check_route(self, route):
        host, path = route["names"][1], self.path_of(route)
        plain = {name: f"{name}: {value}\r\n" for name, value in CLIENTS.items()}
        status, alone, port = self.arrived(host, path, server.HANDSHAKE)
        exact, _, _ = self.arrived(host, route["path"], server.HANDSHAKE)
        counts["routes"] += 1
        if alone is None:
            if route["upgrade"] != "dropped" or status < 400:
                self.fail(f"nothing arrives, the status is {status}; upgrade is said to be {route['upgrade']}", route)
            return
        _, both, _ = self.arrived(host, path, server.HANDSHAKE + "".join(plain.values()))
        version, uri, headers = alone
        if port != route["upstream_port"] and "another upstream" in (route["upgrade_why"] or ""):
            counts["unknown"] += 1
            return
        if port != route["upstream_port"]:
            self.fail(f"it arrives at {port}", route)
        if route["http_version"] and version != {10: "HTTP/1.0", 11: "HTTP/1.1"}[route["http_version"]]:
            self.fail(f"it arrives with {version}, said: {route['http_version']}", route)
        if not uri.startswith(route["upstream_path"] or route["path"]):
            # A rule takes handshakes with a mapping of its own: the other requests tell.
            _, other, _ = self.arrived(host, path)
            if other is None or not other[1].startswith(route["upstream_path"] or route["path"]):
                self.fail(f"it arrives as {uri} {other}, said: {route['upstream_path'] or route['path']}", route)
        if route["upgrade"] != "unknown":
            passed = exact == 101 and (status == 101 or route["upgrade"] == "dropped") and "upgrade" in headers
            if passed != (route["upgrade"] == "passed"):
                self.fail(f"upgrade is said to be {route['upgrade']} ({route['upgrade_why']}); status {status}, {headers}", route)
            counts["handshakes"] += 1
        for name in ("Host", *CLIENTS):
            fate = route["headers"][name]["fate"]
            if fate == "unknown":
                counts["unknown"] += 1
            else:
                self.check_fate(route, name, fate, headers, both[2])

    def check_nobody(self, host, routes):
        """Where no route is, nothing arrives."""
        for path in ("/nobody/zz", "/a/zz", "/ws/zz"):
            if any(route["path"] is None or path.startswith(route["path"]) for route in routes):
                continue
            status, head, _ = self.arrived(host, path, server.HANDSHAKE)
            if head is not None:
                self.fail(f"{host}{path} arrives as {head[1]}, no route says so")
            counts["nobody"] += 1

    def check_all(self):
        routes = server.model(self.main)["routes"]
        for index in range(HOSTS):
            own = [route for route in routes if route["names"][0] == f"s{index}.test"]
            for route in own:
                if route["path"] is not None and not self.covered(route, own):
                    self.check_route(route)
            self.check_nobody(f"s{index}.test", own)
            counts["hosts"] += 1

    def covered(self, route, own):
        """A longer route takes the path that would be asked for."""
        path = self.path_of(route)
        return any(other is not route and other["path"] and len(other["path"]) > len(route["path"]) and path.startswith(other["path"]) for other in own)

    def mend_all(self):
        """Every route that can be, one after the other; the list of what was done."""
        done, refused = [], set()
        for _ in range(HOSTS * 12):
            routes = server.model(self.main, mends=True)["routes"]
            for route in routes:
                key = (tuple(route["names"]), route["path"], route["pattern"], route["source"]["path"])
                mend = route["mends"]["all"]
                if not route["names"][0].startswith("s") or key in refused or mend.get("edits") == []:
                    continue
                if "edits" not in mend:
                    counts["not editable"] += 1
                    refused.add(key)
                    continue
                server.apply_edits(mend["edits"])
                done.append(key)
                break
            else:
                return done, refused
        self.fail("mending does not come to an end")
        return None

    def check_mended(self, refused):
        for route in server.model(self.main)["routes"]:
            key = (tuple(route["names"]), route["path"], route["pattern"], route["source"]["path"])
            if not route["names"][0].startswith("s") or route["path"] is None or key in refused:
                continue
            own = [other for other in server.model(self.main)["routes"] if other["names"] == route["names"]]
            if self.covered(route, own):
                continue
            host = route["names"][1]
            sent = server.HANDSHAKE + "".join(f"{name}: {value}\r\n" for name, value in CLIENTS.items())
            # What can be taken off a header by naming it in Connection must not be this one.
            for text in (sent, sent.replace("Connection: Upgrade", "Connection: Upgrade, X-Forwarded-For")):
                status, head, _ = self.arrived(host, self.path_of(route), text)
                if status != 101 or head is None:
                    self.fail(f"mended, and a handshake gets {status}", route)
                headers = head[2]
                addresses = ", ".join(headers.get("x-forwarded-for", [])).split(", ")
                own = "REMOTE_ADDR" in (route["headers"]["X-Forwarded-For"]["value"] or "")
                # Where the configuration set it by itself, rightly, it was left: then Connection can take it away.
                if set(addresses) != {"127.0.0.1"} and not (own and text != sent):
                    self.fail(f"mended, and {addresses} arrives", route)
                if headers.get("host") != [host] or CLIENTS["X-Forwarded-Proto"] in headers.get("x-forwarded-proto", [""]):
                    self.fail(f"mended, and {headers} arrives", route)
            counts["mended"] += 1


def timeouts(root, upstream):
    """How long a silent connection lives, and that a stream of events is not held back."""
    port = server.free_port()
    url = f"127.0.0.1:{upstream.port}"
    rule = f"RewriteEngine on\nRewriteCond %{{HTTP:Upgrade}} websocket [NC]\nRewriteRule ^/(.*) ws://{url}/$1 [P]\n"
    bodies = [
        f"Timeout 2\nProxyPass / http://{url}/ upgrade=websocket timeout=4", f"Timeout 4\nProxyPass / http://{url}/ upgrade=websocket timeout=2",
        f"Timeout 2\nProxyTimeout 4\nProxyPass / ws://{url}/", f"Timeout 2\nProxyTimeout 9\nProxyPass / ws://{url}/ timeout=3",
        f"Timeout 2\nProxyPass / http://{url}/ upgrade=websocket", f"ProxyTimeout 2\nTimeout 3\n{rule}",
        f"Timeout 2\n<Proxy ws://{url}/>\nProxySet timeout=4\n</Proxy>\n{rule}", f"Timeout 2\nProxyPass / http://{url}/\nProxyTimeout 3\n{rule}",
    ]
    main = root / "timeouts.conf"
    hosts = "".join(f"<VirtualHost 127.0.0.1:{port}>\nServerName s{i}.test\n{body}\n</VirtualHost>\n" for i, body in enumerate(bodies))
    reqtimeout = server.load_module("reqtimeout") + "RequestReadTimeout header=20-40,minrate=500 body=1,minrate=500\n"
    main.write_text(server.preamble(root) + reqtimeout + f"Listen 127.0.0.1:{port}\nTimeout 60\n" + hosts)
    said = {route["names"][0]: route["idle_timeout_ms"] / 1000 for route in server.model(main)["routes"]}

    def measure(name):
        status, client = server.ask(port, name, "/", server.HANDSHAKE, keep=True)
        begin = time.monotonic()
        assert status == 101, f"{name}: {status}"
        while client.recv(4096):
            pass
        return name, time.monotonic() - begin

    def events():
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /events HTTP/1.1\r\nHost: s0.test\r\n\r\n")
            answer = b""
            while b"data: 1" not in answer:
                answer += client.recv(4096)
        return time.monotonic() - begin

    with server.running(main, port), concurrent.futures.ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(measure, name) for name in said]
        first = pool.submit(events).result()
        for name, lived in (future.result() for future in waiting):
            if not said[name] - 0.3 < lived < said[name] + 0.9:
                raise SystemExit(f"{name} lived {lived:.1f} s, the reader says {said[name]} s:\n{bodies[int(name[1:].split('.')[0])]}")
            counts["timeouts"] += 1
    if first > 1.2:
        raise SystemExit(f"events are held back for {first:.1f} s")


def main():
    server.needed()
    root = pathlib.Path(tempfile.mkdtemp(prefix="apache-"))
    root.chmod(0o755)
    upstreams = [server.Upstream(), server.Upstream()]
    port = server.free_port()
    conf = root / "main.conf"
    checker = Checker(conf, port, upstreams)
    try:
        timeouts(root, upstreams[0])
        Hosts(random.Random(SEED), [upstream.port for upstream in upstreams]).write(conf, port)
        with server.running(conf, port):
            checker.check_all()
        _, refused = checker.mend_all()
        accepted, _, err = server.test_config(conf)
        if not accepted:
            checker.fail(f"what was mended is refused: {err}")
        with server.running(conf, port):
            checker.check_mended(refused)
        print(counts)
        if counts["routes"] < HOSTS or counts["mended"] < HOSTS / 3:
            raise SystemExit("too little was looked at")
    finally:
        for upstream in upstreams:
            upstream.close()
        shutil.rmtree(root, ignore_errors=True)
    print(f"{counts['routes'] + counts['mended']} passed, 0 failed")


if __name__ == "__main__":
    main()
