"""The Caddyfile reader against caddy itself.

  adapt   what caddy's package ships and SEEDS generated configurations: accepted by caddy means no fault that hides routes, and the routes are those of the
          JSON that caddy makes of it (one running caddy, its admin API, a socket in a scratch folder)
  edits   every edit that the reader offers for those is accepted by caddy, does what it says in a new look, and is not offered twice
  live    a sample is really served: what arrives at an upstream that writes down every byte, with and without headers of the client's, and whether a
          WebSocket handshake comes through

Where the reader is more lenient than caddy 2.6.2 on purpose: certificates that contradict each other (they change no route), an empty file (2.6.2 refuses it), and directives of later releases, which are not generated here. Where
it is stricter: a variable that is not set and has no default is a fault, since the environment need not be caddy's; none is generated.
"""
import http.client
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")]
import generate  # noqa: E402
import model  # noqa: E402
from ports import free_port  # noqa: E402

SEEDS, LIVE = int(os.environ.get("CADDY_SEEDS", "640")), int(os.environ.get("CADDY_LIVE", "60"))
DRIVER = os.environ["PROXY_DRIVER"]
LENIENT = ["automation policy from site block", "does not qualify for certificate"]
problems = []
counts = {}


def problem(text, *more):
    problems.append(text)
    if len(problems) <= int(os.environ.get("CADDY_SHOW", "25")):
        print("PROBLEM", text, *more, sep="\n    ", flush=True)


def count(name, by=1):
    counts[name] = counts.get(name, 0) + by


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.unix = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.unix)


class Caddy:
    def __init__(self, folder):
        self.folder = folder
        self.socket = os.path.join(folder, "admin")
        config = {"admin": {"listen": "unix/" + self.socket, "origins": ["localhost"], "config": {"persist": False}}, "logging": {"logs": {"default": {"level": "ERROR"}}}}
        self.admin = config["admin"]
        with open(os.path.join(folder, "base.json"), "w") as out:
            json.dump(config, out)
        env = {"PATH": os.environ["PATH"], "HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder, "GOMAXPROCS": "2", **generate.ENVIRONMENT}
        self.log = open(os.path.join(folder, "log"), "w")
        self.process = subprocess.Popen([shutil.which("caddy") or "/usr/bin/caddy", "run", "--config", "base.json"], cwd=folder, env=env, stdout=self.log, stderr=self.log)
        until = time.time() + 20
        while not os.path.exists(self.socket):
            if time.time() > until or self.process.poll() is not None:
                sys.exit("caddy did not start:\n" + open(os.path.join(folder, "log")).read())
            time.sleep(0.02)
        self.connection = UnixConnection(self.socket)

    def ask(self, path, body, kind):
        try:
            self.connection.request("POST", path, body=body, headers={"Content-Type": kind})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, OSError):
            # a reload replaces the admin endpoint
            self.connection.close()
            self.connection = UnixConnection(self.socket)
            self.connection.request("POST", path, body=body, headers={"Content-Type": kind})
            answer = self.connection.getresponse()
            return answer.status, answer.read()

    def adapt(self, text):
        """(JSON, None) or (None, why not)."""
        status, body = self.ask("/adapt", text.encode(), "text/caddyfile")
        if status != 200:
            return None, body.decode(errors="replace")
        return json.loads(body)["result"], None

    def load(self, adapted):
        adapted = dict(adapted, admin=self.admin, logging={"logs": {"default": {"level": "ERROR"}}})
        status, body = self.ask("/load", json.dumps(adapted), "application/json")
        return None if status == 200 else body.decode(errors="replace")

    def stop(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def look(path, mends=True):
    env = {"PATH": os.environ["PATH"], **generate.ENVIRONMENT}
    done = subprocess.run([DRIVER] + (["--mends"] if mends else []) + ["caddy", path], capture_output=True, env=env, timeout=60)
    if done.returncode != 0:
        problem("the reader failed on %s: %s %s" % (path, done.returncode, done.stderr[-300:]))
        return {"routes": [], "faults": [{"hides_routes": True, "text": "failed", "source": {"line": 0}}]}
    return json.loads(done.stdout)


def hiding(seen):
    return ["%s:%s %s" % (os.path.basename(f["source"].get("path") or ""), f["source"]["line"], f["text"]) for f in seen["faults"] if f["hides_routes"]]


# --- comparing -----------------------------------------------------------------------------------------------------------------------

def dials(leaf):
    return [one.get("dial") or "srv" for one in leaf.handler.get("upstreams") or []]


def dial_of(route):
    """As caddy spells the address it dials."""
    host, port, text = route["upstream_host"], route["upstream_port"], route["upstream_text"]
    if host is None:
        return text
    if re.match(r":\d", text.split("://")[-1]):
        host = ""
    return ("tcp/" if text.startswith("tcp/") else "") + ("[%s]:%s" if ":" in host else "%s:%s") % (host, port)


def longer(path):
    """A request below a prefix, one that stays a path when the prefix is stripped."""
    return path + ("x" if path.endswith("/") else "/x")


def request_for(route):
    host = route["names"][0] if route["names"] else "any.example.com"
    host = host.replace("*.", "w.")
    path = route["path"] if route["path"] else None
    return host, path


def key(listen, names, dial, path, tls):
    return (listen, frozenset(n.lower() for n in names), dial if dial_known(dial) else None, path or "PATTERN", tls)


def differences(route, leaf):
    """Words; [] when they agree."""
    handler, transport = leaf.handler, leaf.handler.get("transport") or {}
    found = []
    host, path = request_for(route)

    def same(what, said, really):
        if said != really:
            found.append("%s: %r, really %r" % (what, said, really))

    same("upstream_tls", route["upstream_tls"], "tls" in transport)
    same("http_version", route["http_version"], 20 if "h2c" in (transport.get("versions") or []) and "tls" not in transport else 11)
    same("buffers", route["buffers"], bool(handler.get("buffer_responses")))
    same("idle_timeout_ms", route["idle_timeout_ms"], model.duration(transport.get("read_timeout")))
    state = leaf.state
    inner = handler.get("rewrite", {}).get("uri")
    if not state.rewritten and not state.pattern and not inner:
        same("upstream_path", route["upstream_path"], None if state.seen == state.path else state.seen or "/")
    if path is None:
        path = state.path
    bare, marked = model.sent(leaf, False, host, longer(path)), model.sent(leaf, True, host, longer(path))
    seen = model.fates(model.arrived(bare.headers, bare.host), model.arrived(marked.headers, marked.host), host)
    for name, fate in seen.items():
        said = route["headers"][name]["fate"]
        if model.canonical(name) in marked.unsure or (name == "Host" and route["upstream_tls"] and said == "unknown"):
            continue
        count("header fates compared")
        count("header fates not told", said == "unknown")
        # {host} is the client's Host where there is no port to lose
        if name == "Host" and said == "set" and seen[name] == "clients" and route["headers"][name]["value"] in ("{host}", "{http.request.host}"):
            continue
        if not model.agrees(name, said, fate):
            found.append("%s: %s, really %s (%r)" % (name, said, fate, model.arrived(marked.headers, marked.host)[name]))
    if not marked.unsure & {"Upgrade", "Connection", "Sec-Websocket-Key"}:
        count("upgrade verdicts compared")
        if route["upgrade"] != "unknown":
            same("upgrade", route["upgrade"], model.upgrade(leaf, marked))
        elif not any(key in json.dumps(handler.get("headers", "")) + json.dumps(state.ops) for key in ("replace", "{http.request.header", "websocket")) and not any(passed for passed, _ in state.ops):
            found.append("upgrade could not be told: %s" % route["upgrade_why"])
    return found


def known_differences(route, leaf):
    known = route.setdefault("known", {})
    if id(leaf) not in known:
        known[id(leaf)] = differences(route, leaf)
    return known[id(leaf)]


def compare(name, seen, adapted):
    """Every route of the reader is one of caddy's, and the other way round."""
    # for each listening address of its own: caddy puts several into one server or not, as its maps fall
    routes, expected = {}, {}
    for route in seen["routes"]:
        dial = dial_of(route)
        for listen in route["listens"]:
            routes.setdefault(key(listen, route["names"], dial, route["path"], route["tls"]), []).append(route)
    leaves = list(model.leaves(adapted))  # kept: their identity is a key
    for leaf in leaves:
        for dial in dials(leaf):
            for listen in leaf.listens:
                expected.setdefault(key(listen, leaf.state.names, dial, None if leaf.state.pattern else leaf.state.path, leaf.tls), []).append(leaf)
    for one in sorted(set(routes) | set(expected), key=str):
        mine, theirs = routes.get(one, []), expected.get(one, [])
        if len(mine) != len(theirs):
            problem("%s: %d routes, caddy has %d: %s" % (name, len(mine), len(theirs), readable(one)), "other keys: %s" % [readable(k) for k in set(routes) ^ set(expected)])
            continue
        pair(name, mine, theirs)


def pair(name, mine, theirs):
    """Which of several alike is which: all of them must find one that they agree with."""
    words = [[known_differences(route, leaf) for leaf in theirs] for route in mine]
    taken = {}

    def place(i, tried):
        for j in range(len(theirs)):
            if j not in tried and not words[i][j]:
                tried.add(j)
                if j not in taken or place(taken[j], tried):
                    taken[j] = i
                    return True
        return False

    for i, route in enumerate(mine):
        count("routes compared")
        if not place(i, set()):
            problem("%s: line %s: %s" % (name, route["source"]["line"], "; ".join(min(words[i], key=len)) or "another one is the same"))


def dial_known(dial):
    return not (dial is None or "{" in dial or dial.startswith("unix"))


def readable(key):
    return "%s %s -> %s at %s tls=%s" % (key[0], sorted(key[1]), key[2], key[3], key[4])


# --- edits -----------------------------------------------------------------------------------------------------------------------

def apply(edits, folder):
    """The files with the edits, in a folder beside it."""
    by_file = {}
    for edit in edits:
        by_file.setdefault(edit["path"], []).append(edit)
    for path, list_ in by_file.items():
        with open(path, "rb") as file:
            data = file.read()
        for edit in reversed(list_):
            data = data[:edit["offset"]] + (edit["text"] or "").encode() + data[edit["offset"] + edit["length"]:]
        with open(path, "wb") as file:
            file.write(data)


def satisfied(route, kind):
    headers = route["headers"]
    if kind == "upgrade":
        return route["upgrade"] == "passed"
    if kind == "forward":
        return headers["X-Forwarded-For"]["fate"] == "set" and headers["X-Forwarded-For"]["value"] in (None, "{remote_host}", "{http.request.remote.host}") and headers["Host"]["fate"] == "clients" and headers["X-Forwarded-Proto"]["fate"] in ("set", "appended")
    if kind == "timeout":
        return route["idle_timeout_ms"] == 0 or route["idle_timeout_ms"] >= 3600000
    if kind == "upstream":
        return route["upstream_host"] not in ("localhost", "::1")
    return not route["buffers"]


def signature(route):
    return {k: v for k, v in route.items() if k not in ("source", "mends", "known") and not k.endswith("_source") and k != "headers"}, {k: (v["fate"], v["value"]) for k, v in route["headers"].items()}


def spared(name, kind, i, before, after):
    """Nothing else changes: routes to another upstream send what they sent."""
    mine = before[i]
    for old, new in zip(before, after):
        same_line = old["source"] == mine["source"]
        same_upstream = (old["upstream_host"], old["upstream_port"]) == (mine["upstream_host"], mine["upstream_port"])
        if not same_line and not same_upstream:
            count("routes beside an edited one")
            if signature(old) != signature(new):
                problem("%s: line %s is changed by the %s edit of line %s" % (name, old["source"]["line"], kind, mine["source"]["line"]))


def save(paths):
    return {path: open(path, "rb").read() for path in paths}


def restore(saved):
    for path, data in saved.items():
        with open(path, "wb") as file:
            file.write(data)


def try_edits(caddy, name, path, seen, numbers):
    """Some of the edits that are offered, one at a time."""
    offers = [(i, kind, mend["edits"]) for i, route in enumerate(seen["routes"]) for kind, mend in route["mends"].items() if mend.get("edits")]
    for i, route in enumerate(seen["routes"]):
        for kind, mend in route["mends"].items():
            if "error" in mend:
                count("edits refused with words")
                count("  " + str(mend.get("why_not")))
                if not mend.get("why_not"):
                    problem("%s: %s refused without a word" % (name, kind))
            elif not mend["edits"] and kind != "all" and not satisfied(route, kind):
                problem("%s: line %s: nothing offered for %s" % (name, route["source"]["line"], kind))
            elif mend["edits"] and kind != "all" and satisfied(route, kind):
                problem("%s: line %s: an edit for %s, which is right already" % (name, route["source"]["line"], kind))
    random.Random(numbers).shuffle(offers)
    for i, kind, edits in offers[:2]:
        saved = save(seen["files"])
        apply(edits, None)
        count("edits tried")
        with open(path, newline="") as file:
            adapted, why = caddy.adapt(file.read())
        again = look(path)
        if why:
            problem("%s: caddy refuses the %s edit: %s" % (name, kind, why), json.dumps(edits))
        elif hiding(again):
            problem("%s: fault after the %s edit: %s" % (name, kind, hiding(again)))
        elif len(again["routes"]) != len(seen["routes"]):
            problem("%s: other routes after the %s edit" % (name, kind))
        else:
            compare(name + " after " + kind, again, adapted)
            spared(name, kind, i, seen["routes"], again["routes"])
            route = again["routes"][i]
            for one in ["upgrade", "forward", "timeout", "upstream", "buffering"] if kind == "all" else [kind]:
                if not satisfied(route, one):
                    problem("%s: line %s is not right after the %s edit (%s)" % (name, route["source"]["line"], kind, one), json.dumps(edits))
                elif route["mends"][one].get("edits"):
                    problem("%s: the %s edit is offered again" % (name, one))
        restore(saved)


# --- parts -----------------------------------------------------------------------------------------------------------------------

def write(folder, name, maker, text):
    for file, content in maker.files.items():
        with open(os.path.join(folder, file), "w", newline="") as out:
            out.write(content)
    path = os.path.join(folder, name)
    with open(path, "w", newline="") as out:
        out.write(text)
    return path


def one_config(caddy, name, path, text, edits=True):
    adapted, why = caddy.adapt(text)
    seen = look(path)
    hidden = hiding(seen)
    count("accepted by caddy" if adapted else "refused by caddy")
    if adapted and hidden:
        problem("%s: caddy accepts it, but: %s" % (name, hidden))
    elif why and not hidden and any(one in why for one in LENIENT):
        count("refused for its certificates only")
    elif why and not hidden:
        problem("%s: caddy refuses it, no fault here: %s" % (name, why.strip()))
    elif adapted:
        compare(name, seen, adapted)
        if edits:
            try_edits(caddy, name, path, seen, name)


def test_generated(caddy, folder):
    first = int(os.environ.get("CADDY_FIRST", "0"))
    for seed in range(first, first + SEEDS):
        maker = generate.Maker(seed)
        text = maker.file()
        name = "c%d.caddyfile" % seed
        path = write(folder, name, maker, text)
        before = len(problems)
        one_config(caddy, name, path, text)
        if len(problems) > before and os.environ.get("CADDY_KEEP"):
            shutil.copytree(folder, os.environ["CADDY_KEEP"], dirs_exist_ok=True, ignore=lambda d, names: [n for n in names if not n.startswith("c%d" % seed)])


def test_shipped(caddy):
    listed = subprocess.run(["dpkg", "-L", "caddy"], capture_output=True, text=True).stdout.split("\n")
    for path in listed:
        if os.path.basename(path) == "Caddyfile" or path.endswith((".caddyfile", ".caddy")):
            with open(path) as file:
                one_config(caddy, path, path, file.read(), edits=False)
            count("shipped configurations")


BAD = [("loop", "(a) {\n\timport b\n}\n(b) {\n\timport a\n}\n:20000 {\n\timport a\n}\n"), ("self", "import bad-self\n"), ("never closed", "\n:20000 {\n\treverse_proxy a:1 {\n"), ("binary", ":20000 {\n\0\n}\n"),
       ("one line", "a " * (5 << 20)), ("one word", "x" * (10 << 20)), ("depth", ":20000 {\n" + "route {\n" * 3000 + "}\n" * 3001), ("many", "(s0) {\n\trespond a\n\trespond b\n}\n" + "".join("(s%d) {\n%s}\n" % (i, ("\timport s%d\n" % (i - 1)) * 10) for i in range(1, 9)) + ":1 {\n\timport s8\n}\n")]


def test_bad(folder):
    for name, text in BAD:
        path = os.path.join(folder, "bad-" + name.split()[0])
        with open(path, "w") as out:
            out.write(text)
        began = time.time()
        seen = look(path)
        faults = seen["faults"]
        if len(faults) != 1 or not faults[0]["hides_routes"] or not faults[0]["source"]["path"]:
            problem("bad input \"%s\": %s" % (name, faults[:3]))
        if time.time() - began > 3:
            problem("bad input \"%s\" took %.1f s" % (name, time.time() - began))
        count("bad inputs, one fault each")
        os.unlink(path)


class Upstream(threading.Thread):
    """Writes down what arrives; answers a handshake as a WebSocket server does."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.last = None

    def close(self):
        self.socket.close()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(10)
        with connection:
            try:
                while True:
                    data = b""
                    while b"\r\n\r\n" not in data:
                        more = connection.recv(65536)
                        if not more:
                            return
                        data += more
                    self.last = data
                    if data.startswith(b"PRI * HTTP/2"):
                        return
                    head = parse_head(data)
                    is_upgrade = "upgrade" in ",".join(head["headers"].get("Connection", [])).lower() and (head["headers"].get("Upgrade") or [""])[0].lower() == "websocket" and "Sec-Websocket-Key" in head["headers"] \
                        and head["headers"].get("Sec-Websocket-Version") == ["13"] and head["method"] == "GET"
                    if is_upgrade:
                        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                        connection.sendall(b"\x81\x05hello")
                        connection.recv(1)
                        return
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno\n")
            except OSError:
                return


def parse_head(data):
    lines = data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers.setdefault(model.canonical(name), []).append(value.strip())
    words = lines[0].split(" ")
    return {"method": words[0], "target": words[1] if len(words) > 1 else "", "version": words[-1], "headers": headers}


def handshake_with(upstream, port, host, path, marked):
    """(what arrived or None, did a WebSocket come through)"""
    upstream.last = None
    given = model.handshake(marked)
    text = "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (path, host, "".join("%s: %s\r\n" % one for one in given.items()))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(text.encode())
        client.settimeout(0.7)
        data = b""
        try:
            while b"hello" not in data:
                more = client.recv(65536)
                if not more:
                    break
                data += more
                if b"\r\n\r\n" in data and not data.startswith(b"HTTP/1.1 101"):
                    break
        except OSError:
            pass
    return upstream.last, data.startswith(b"HTTP/1.1 101") and b"hello" in data


def live_route(name, route, upstream, port, moment):
    host, path = request_for(route)
    host = "%s:%d" % (host if route["names"] else "client.mark", port)
    bare, _ = handshake_with(upstream, port, host, longer(path), False)
    marked, came = handshake_with(upstream, port, host, longer(path), True)
    if bare is None or marked is None:
        count("live: another directive answers first")
        return
    count("live: routes %s" % moment)
    if marked.startswith(b"PRI * HTTP/2"):
        if route["http_version"] != 20:
            problem("%s: HTTP/2 arrived" % name)
        return
    if route["http_version"] == 20:
        # caddy never sends a handshake over HTTP/2
        problem("%s: HTTP/1 arrived, HTTP/2 was said" % name)
    bare, marked = parse_head(bare), parse_head(marked)
    seen = model.fates(model.arrived(bare["headers"], (bare["headers"].get("Host") or [None])[0]), model.arrived(marked["headers"], (marked["headers"].get("Host") or [None])[0]), host)
    for header, fate in seen.items():
        said = route["headers"][header]["fate"]
        count("live: header fates")
        if not model.agrees(header, said, fate):
            problem("%s: line %s: live: %s: %s, really %s (%s)" % (name, route["source"]["line"], header, said, fate, marked["headers"].get(model.canonical(header))))
    if route["upgrade"] != "unknown" and (route["upgrade"] == "passed") != came:
        problem("%s: line %s: live: upgrade %s, a WebSocket %s" % (name, route["source"]["line"], route["upgrade"], "came through" if came else "did not come through"))
    count("live: upgrade verdicts")
    if not route["pattern"] and route["upstream_path"] and "{" not in route["upstream_path"] and route["upstream_path"].startswith("/") and not marked["target"].startswith(route["upstream_path"]):
        problem("%s: line %s: live: path %s, really %s" % (name, route["source"]["line"], route["upstream_path"], marked["target"]))


def refused_by_h2(name, route, upstream, port):
    host, path = request_for(route)
    _, came = handshake_with(upstream, port, "%s:%d" % (host if route["names"] else "client.mark", port), longer(path), True)
    count("live: h2c upstreams")
    if (came and upstream.last) or route["upgrade"] != "dropped":
        problem("%s: line %s: h2c: upgrade %s, a WebSocket %s" % (name, route["source"]["line"], route["upgrade"], "came through" if came else "did not come through"))


def test_idle(caddy):
    """A silent WebSocket is cut by read_timeout of the transport, and by nothing else."""
    upstream = Upstream()
    upstream.start()
    for option, cut in (("read_timeout 1s", True), ("write_timeout 1s", False)):
        port = free_port()
        adapted, why = caddy.adapt(":%d {\n\treverse_proxy %s {\n\t\ttransport http {\n\t\t\t%s\n\t\t}\n\t}\n}\n" % (port, upstream.address, option))
        if why or caddy.load(adapted):
            problem("idle: refused: %s" % why)
            continue
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(("GET / HTTP/1.1\r\nHost: x\r\n%s\r\n" % "".join("%s: %s\r\n" % one for one in model.handshake(False).items())).encode())
            data = b""
            while b"hello" not in data:
                data += client.recv(65536) or sys.exit("idle: no WebSocket: %r" % data)
            began = time.time()
            client.settimeout(2.5)
            try:
                closed = client.recv(1) == b""
            except TimeoutError:
                closed = False
        count("live: silent WebSockets")
        if closed != cut or (cut and not 0.5 < time.time() - began < 2.4):
            problem("idle: %s: %s after %.1f s" % (option, "closed" if closed else "open", time.time() - began))
    upstream.close()


def test_live(caddy, folder):
    upstreams = [Upstream() for _ in range(150)]
    by_port = {int(one.address.split(":")[1]): one for one in upstreams}
    for one in upstreams:
        one.start()
    for seed in range(10000 + int(os.environ.get("CADDY_FIRST", "0")), 10000 + int(os.environ.get("CADDY_FIRST", "0")) + LIVE):
        port = free_port()
        maker = generate.Maker(seed, live=("127.0.0.1:%d" % port if seed % 2 else ":%d" % port, [one.address for one in upstreams]))
        text = maker.file()
        name = "c%d.caddyfile" % seed
        path = write(folder, name, maker, text)
        adapted, why = caddy.adapt(text)
        seen = look(path)
        if why:
            problem("%s: caddy refuses it: %s" % (name, why))
            continue
        if caddy.load(adapted):
            count("live: not started (provisioning)")
            continue
        count("live: configurations")
        for route in seen["routes"]:
            if route["path"] and (not route["names"] or "127.0.0.1" in route["names"]):
                upstream = by_port[route["upstream_port"]]
                if route["http_version"] == 20:
                    refused_by_h2(name, route, upstream, port)
                else:
                    live_route(name, route, upstream, port, "as found")
        # and mended: everything that can be
        for i, route in enumerate(seen["routes"]):
            if not route["path"] or not route["mends"]["all"].get("edits"):
                continue
            saved = save(seen["files"])
            apply(route["mends"]["all"]["edits"], None)
            with open(path, newline="") as file:
                adapted, why = caddy.adapt(file.read())
            again = look(path)
            if why or caddy.load(adapted):
                problem("%s: refused when mended: %s" % (name, why))
            elif again["routes"][i]["path"] and (not route["names"] or "127.0.0.1" in route["names"]):
                live_route(name + " mended", again["routes"][i], by_port[route["upstream_port"]], port, "mended")
            restore(saved)
            break
    for one in upstreams:
        one.close()


def main():
    began = time.time()
    if not shutil.which("caddy"):
        sys.exit("caddy is missing")
    folder = os.path.realpath(tempfile.mkdtemp(prefix="caddy-"))
    caddy = Caddy(folder)
    try:
        test_shipped(caddy)
        test_bad(folder)
        test_generated(caddy, folder)
        count("seconds until live", round(time.time() - began, 1))
        test_live(caddy, folder)
        test_idle(caddy)
    finally:
        caddy.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for name, number in counts.items():
        print("%8s  %s" % (number, name))
    print("%8.1f  seconds" % (time.time() - began))
    if counts.get("accepted by caddy", 0) < SEEDS * 0.6 or counts.get("header fates not told", 0) > counts.get("header fates compared", 1) * 0.1:
        problem("the generator makes too little of what is to be compared")
    print("%d problems" % len(problems))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
