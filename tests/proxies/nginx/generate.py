"""Configurations from a seed, as people and worse write them: includes, maps, upstreams, nesting, quotes, comments, odd spacing.

`make(folder, seed, upstream_port)` writes nginx.conf and what it includes. Returned: the places that a request can be sent to, each with
its port, its path and the requests ("plain", "handshake") that end in a proxy_pass there.
"""

import pathlib
import random

from nginx import MODULES, free_ports

HEADERS = [
    ("Host", ["$host", "$http_host", "$host:$server_port", "$proxy_host", "gateway.example", "${host}"]),
    ("Upgrade", ["$http_upgrade", "websocket", "${http_upgrade}", "", "$upgrade_map"]),
    ("Connection", ["upgrade", "Upgrade", "$connection_upgrade", "close", "", "keep-alive", "$http_connection", "$conn_set",
                    "keep-alive, Upgrade", "$conn_regex"]),
    ("X-Forwarded-For", ["$remote_addr", "$proxy_add_x_forwarded_for", "$http_x_forwarded_for", "203.0.113.9", "",
                         "$client_set", "$remote_addr, $http_x_forwarded_for", "$realip_remote_addr"]),
    ("X-Forwarded-Proto", ["$scheme", "https", "$http_x_forwarded_proto", "", "$proto_map"]),
    ("X-Forwarded-Host", ["$host", "$http_x_forwarded_host", "", "$http_host"]),
    ("X-Real-IP", ["$remote_addr", "$proxy_add_x_forwarded_for", "$http_x_real_ip", "10.0.0.1", ""]),
    ("Forwarded", ["for=$remote_addr", "$http_forwarded", "", "for=$remote_addr;proto=$scheme"]),
]
CUSTOM = [("X-Custom-A", "alpha"), ("X-Custom-B", "two words"), ("X-Custom-C", "a;b{c}"), ("x-lower", "$request_method")]


class Block:
    def __init__(self, words, children):
        self.words, self.children = words, children


class Include:
    """A file of its own, or several that a pattern finds. Shared ones may be named twice."""

    def __init__(self, name, children, pattern=None):
        self.name, self.children, self.pattern = name, children, pattern


class Writer:
    """Words into text, in a style that changes from file to file and sometimes from line to line."""

    def __init__(self, rng, folder):
        self.rng, self.folder = rng, folder

    def word(self, word):
        bare = word and not any(c in word for c in " \t;{}\"'#\\\n") or word.startswith("${") and word.count("{") == 1 and \
            not any(c in word for c in " ;\"'#")
        kinds = ["double", "single"] + (["bare"] * 6 if bare else [])
        kind = self.rng.choice(kinds)
        if kind == "bare":
            return word
        quote = '"' if kind == "double" else "'"
        return quote + word.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote

    def comment(self):
        return self.rng.choice(["# plain", "#", "# with ; and { and } and \" and '", "#proxy_pass http://127.0.0.1:1;", "# ünïcode"])

    def file(self, name, children):
        self.end = self.rng.choice(["\n", "\n", "\n", "\r\n"])
        self.unit = self.rng.choice(["    ", "  ", "\t", "", "        "])
        text = self.lines(children, 0)
        path = pathlib.Path(self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        saved = self.end, self.unit
        path.write_bytes(text.encode())
        return saved

    def lines(self, children, depth):
        text = ""
        indent = self.unit * depth
        for child in children:
            if self.rng.random() < 0.12:
                text += indent + self.comment() + self.end
            if self.rng.random() < 0.1:
                text += self.rng.choice(["", "  ", "\t"]) + self.end
            text += indent + self.statement(child, depth)
            text += " " + self.comment() if self.rng.random() < 0.08 else ""
            text += self.end
        return text

    def separator(self):
        return self.rng.choice([" "] * 12 + ["  ", "\t", "   ", self.end + "      "])

    def words(self, words):
        # The condition of an `if` and the parts of a location stay bare: their parentheses are part of the words.
        if words[0] == "if":
            return " ".join(words)
        return (words[0] if words[0].isidentifier() else self.word(words[0])) + "".join(self.separator() + self.word(word) for word in words[1:])

    def statement(self, child, depth):
        if isinstance(child, Include):
            return self.include(child)
        if not isinstance(child, Block):
            return self.words(child) + self.rng.choice([";"] * 9 + [" ;"])
        opening = self.words(child.words) + self.rng.choice([" {"] * 8 + ["{", self.end + self.unit * depth + "{"])
        simple = all(isinstance(one, (list, Include)) for one in child.children)
        if simple and self.rng.random() < 0.25:
            return opening + " " + " ".join(self.statement(one, depth) for one in child.children) + self.rng.choice([" }", "}"])
        return opening + self.end + self.lines(child.children, depth + 1) + self.unit * depth + "}"

    def include(self, child):
        style = self.end, self.unit
        for name, children in child.children.items() if child.pattern else [(child.name, child.children)]:
            if not (pathlib.Path(self.folder) / name).exists():
                self.file(name, children)
        self.end, self.unit = style
        name = child.pattern or child.name
        if self.rng.random() < 0.3:
            name = f"{self.folder}/{name}"
        return "include " + self.word(name) + ";"


class Place:
    def __init__(self, port, path, requests, proxied_path):
        self.port, self.path, self.requests, self.proxied_path = port, path, requests, proxied_path


class Maker:
    def __init__(self, folder, seed, upstream_port, socket_path, extras):
        self.rng = random.Random(seed)
        self.folder, self.upstream_port, self.socket_path, self.extras = folder, upstream_port, socket_path, extras
        self.places = []
        self.count = 0

    def chance(self, share):
        return self.rng.random() < share

    def headers(self, most):
        made = [["proxy_set_header", self.rng.choice([name, name, name.lower(), name.upper()]), self.rng.choice(values)]
                for name, values in self.rng.sample(HEADERS, self.rng.randint(1, most))]
        made += [["proxy_set_header", name, value] for name, value in self.rng.sample(CUSTOM, self.rng.randint(0, 2))]
        self.rng.shuffle(made)
        return made

    def settings(self, share):
        made = []
        if self.chance(share):
            made.append(["proxy_http_version", self.rng.choice(["1.0", "1.1", "1.1"])])
        if self.chance(share / 2):
            made.append(["proxy_read_timeout", self.rng.choice(["30", "60s", "5m", "1h", "90000ms", "1h30m", "7d"])])
        if self.chance(share / 2):
            made.append(["proxy_send_timeout", self.rng.choice(["30", "2h", "10m"])])
        if self.chance(share / 3):
            made.append(["proxy_buffering", self.rng.choice(["on", "off", "OFF"])])
        if self.chance(share / 6):
            made.append(["proxy_pass_request_headers", self.rng.choice(["on", "off"])])
        if self.chance(share / 3):
            made.append(["proxy_redirect", "off"])
        if self.chance(share):
            headers = self.headers(5)
            # A shared snippet, as distributions ship one.
            if self.chance(0.25):
                made.append(Include(self.rng.choice(["snippets/a.conf", "snippets/b.conf", "params"]), headers))
                if self.chance(0.3):
                    made += self.headers(2)
            else:
                made += headers
        self.rng.shuffle(made)
        return made

    def target(self, uri):
        forms = [f"http://127.0.0.1:{self.upstream_port}", f"http://localhost:{self.upstream_port}", "http://gw", "http://gw_socket",
                 f"HTTP://127.0.0.1:{self.upstream_port}"]
        if uri is None:
            forms += ["http://$backend_set", f"http://unix:{self.socket_path}", "http://$backend_map"]
        return self.rng.choice(forms) + (uri or "")

    def location(self, port, depth, outer):
        self.count += 1
        path = f"{outer}l{self.count}/"
        kind = self.rng.choice(["prefix", "prefix", "prefix", "strong", "exact", "regex"])
        words = {"prefix": ["location", path], "strong": ["location", "^~", path], "exact": ["location", "=", path],
                 "regex": ["location", self.rng.choice(["~", "~*"]), f"^{path}"]}[kind]
        children = self.settings(0.5)
        requests = []
        proxied = path
        if self.chance(0.25):
            children.insert(0, ["set", "$unused", self.rng.choice(["a b", "", "$host"])])
        if self.chance(0.2):
            children.insert(0, ["set", "$conn_set", self.rng.choice(["upgrade", "close", "$connection_upgrade"])])
        form = self.rng.random()
        if form < 0.1:
            children.append(Block(["if", "($http_upgrade", "=", "websocket)"], [["proxy_pass", self.target(None)]]))
            requests = ["handshake"]
        elif form < 0.15:
            children.append(Block(["limit_except", "POST"], [["proxy_pass", self.target(None)]]))
            requests = []
        elif form < 0.9:
            uri = self.rng.choice([None, None, None, "/", "/sub/"]) if kind in ("prefix", "strong", "exact") else None
            if uri is None and kind == "prefix" and self.chance(0.15):
                children.insert(0, ["rewrite", f"^{path}(.*)$", "/moved/$1", "break"])
                proxied = "/moved/"
            elif uri:
                proxied = uri
            pass_line = ["proxy_pass", self.target(uri)]
            place = self.rng.randint(0, len(children))
            if self.chance(0.08):
                children.append(Include(f"snippets/pass{self.count}.conf", [pass_line]))
            else:
                children.insert(place if not any(one[0] == "rewrite" for one in children if isinstance(one, list)) else
                                len(children), pass_line)
            requests = ["plain", "handshake"]
        else:
            children.append(["return", "204"])
        children = dedupe(children)
        if depth < 3 and kind in ("prefix",) and self.chance(0.3):
            children.append(self.location(port, depth + 1, path))
        self.places.append(Place(port, path, requests, proxied))
        return Block(words, children)

    def server(self, port):
        children = [["listen", f"127.0.0.1:{port}"] + self.rng.choice([[], ["default_server"]])]
        if self.chance(0.7):
            children.append(["server_name"] + self.rng.sample(["a.example", "*.b.example", "_", "", "~^www\\d+\\.c$"], 2))
        children.append(["set", "$backend_set", f"127.0.0.1:{self.upstream_port}"])
        children.append(["set", "$client_set", self.rng.choice(["$remote_addr", "$proxy_add_x_forwarded_for"])])
        children.append(["set", "$conn_set", self.rng.choice(["upgrade", "", "close"])])
        if self.chance(0.1):
            children.append(["set_real_ip_from", "10.0.0.0/8"])
        children += dedupe(self.settings(0.35))
        children += [self.location(port, 0, "/") for _ in range(self.rng.randint(1, 4))]
        return Block(["server"], children)

    def maps(self):
        upgrade = self.rng.choice([[["default", "upgrade"], ["", "close"]], [["default", "upgrade"], ["", ""]],
                                   [["websocket", "upgrade"], ["default", "close"]], [["", "close"], ["default", "keep-alive"]],
                                   [["WebSocket", "Upgrade"]]])
        if self.chance(0.2):
            upgrade = [Include("maps/upgrade.map", upgrade)]
        made = [
            Block(["map", "$http_upgrade", "$connection_upgrade"], upgrade),
            Block(["map", "$http_upgrade", "$conn_regex"], [["~*^websocket$", "upgrade"], ["default", "close"]]),
            Block(["map", "$http_upgrade", "$upgrade_map"], [["default", "$http_upgrade"]]),
            Block(["map", "$http_x_forwarded_proto", "$proto_map"], [["default", "$scheme"]]),
            Block(["map", "$http_no_such", "$backend_map"], [["default", f"127.0.0.1:{self.upstream_port}"]]),
        ]
        self.rng.shuffle(made)
        return made

    def make(self):
        servers = free_ports(self.rng.randint(1, 3))
        http = [["access_log", "off"], ["client_body_temp_path", "tmp/body"], ["proxy_temp_path", "tmp/proxy"],
                ["fastcgi_temp_path", "tmp/f"], ["uwsgi_temp_path", "tmp/u"], ["scgi_temp_path", "tmp/s"],
                ["variables_hash_bucket_size", "128"], ["map_hash_bucket_size", "128"]]
        http += self.maps()
        servers_line = [["server", f"127.0.0.1:{self.upstream_port}"] + self.rng.choice([[], ["weight=3"], ["max_fails=0"]])]
        if self.chance(0.3):
            servers_line.append(["server", "127.0.0.1:9", "down"])
        if self.chance(0.2):
            servers_line.append(["server", "localhost:9", "backup"])
        http.append(Block(["upstream", "gw"], servers_line + ([["keepalive", "4"]] if self.chance(0.3) else [])))
        http.append(Block(["upstream", "gw_socket"], [["server", f"unix:{self.socket_path}"]]))
        http += dedupe(self.settings(0.2))
        blocks = [self.server(port) for port in servers]
        if self.chance(0.5):
            http.append(Include(None, {f"conf.d/{i}.conf": [block] for i, block in enumerate(blocks)}, "conf.d/*.conf"))
        else:
            http += blocks
        http.append(Include(None, {}, "no-such/*.conf"))
        main = [["pid", f"{self.folder}/pid"], ["error_log", "stderr", "crit"], ["worker_processes", "1"],
                Block(["events"], [["worker_connections", "64"]])]
        if self.extras and (MODULES / "ngx_http_lua_module.so").exists() and self.chance(0.1):
            main.insert(0, ["load_module", str(MODULES / "ndk_http_module.so")])
            main.insert(1, ["load_module", str(MODULES / "ngx_http_lua_module.so")])
            http.append(["init_by_lua_block"])
        main.append(Block(["http"], http))
        writer = Writer(self.rng, self.folder)
        for name in ("tmp",):
            (pathlib.Path(self.folder) / name).mkdir(exist_ok=True)
        writer.file("nginx.conf", main)
        self.lua(pathlib.Path(self.folder) / "nginx.conf")
        return self.places

    @staticmethod
    def lua(path):
        text = path.read_bytes()
        for ending in (b"init_by_lua_block;", b"init_by_lua_block ;"):
            text = text.replace(ending, b"""init_by_lua_block {
            -- a brace } in a comment, "and" more
            local s = "}" .. '{' .. [==[ ]] } ]==] --[[ } ]]
            if #s > 0 then local t = { a = { 1 } } end
        }""")
        path.write_bytes(text)


def dedupe(children):
    """nginx refuses a second directive of one name, but for proxy_set_header, set and blocks."""
    seen, kept = set(), []
    for child in children:
        name = child[0] if isinstance(child, list) else None
        if name and name not in ("proxy_set_header", "set", "set_real_ip_from", "rewrite") and name in seen:
            continue
        if name:
            seen.add(name)
        kept.append(child)
    return kept


def make(folder, seed, upstream_port, socket_path, extras=True):
    return Maker(str(folder), seed, upstream_port, socket_path, extras).make()
