"""Configurations of HAProxy from a seed: what people write, spelt in every way that HAProxy reads."""

import random

HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Host", "Upgrade", "Connection"]
VALUES = {
    "X-Forwarded-For": ["%[src]", "%ci", "%[src],%[dst]", "%[req.hdr(X-Forwarded-For)], %[src]", "192.0.2.7"],
    "X-Forwarded-Proto": ["https", "http", "%[ssl_fc,iif(https,http)]"],
    "X-Forwarded-Host": ["%[req.hdr(Host)]", "%[hdr(host)]", "public.example"],
    "X-Real-IP": ["%[src]", "%ci"],
    "Forwarded": ["for=%[src]", "proto=https"],
    "Host": ["inner.example", "127.0.0.1"],
    "Upgrade": ["websocket", "h2c"],
    "Connection": ["Upgrade", "upgrade", "close", "keep-alive"],
}
NEUTRAL_ANY = [
    "option httplog", "log-tag x", "http-request set-var(txn.a) str(b)", "http-response set-header X-Frame-Options DENY",
    "description some words in a row", "http-request set-log-level silent if { path_beg /health }", "option dontlognull",
    "no option httpclose", "option http-keep-alive", "option http-server-close", "option httpclose", "no option http-server-close",
    "http-response del-header Server", "http-request set-header X-Request-Start t=%Ts", "timeout http-request 10s",
    "compression algo gzip", "http-after-response set-header Strict-Transport-Security max-age=63072000",
    "acl unused path_reg ^/a\\.b", "option http-buffer-request",
]
NEUTRAL_FRONT = [
    "maxconn 100", "monitor-uri /monitor", "capture request header User-Agent len 32", "unique-id-format %{+X}o%ci:%cp",
    "backlog 64", "option http-ignore-probes", "tcp-request connection accept", "option socket-stats",
]
NEUTRAL_BACK = [
    "balance roundrobin", "balance leastconn", "cookie SRV insert indirect nocache", "option httpchk GET /healthz",
    "http-check expect status 200", "retries 2", "option redispatch", "stick-table type ip size 1k expire 1m", "fullconn 10",
    "http-reuse always", "http-reuse never", "timeout queue 5s", "option allbackups", "hash-type consistent", "timeout connect 900",
]


class Spelling:
    """One way of writing words, lines and their ends."""

    def __init__(self, rng, variables):
        self.rng = rng
        self.variables = variables  # name -> value, as they will be set; grows
        self.plain = rng.random() < 0.4
        self.indent = rng.choice(["  ", "    ", "\t", "\t\t", " "])
        self.end = "\r\n" if rng.random() < 0.1 else "\n"

    def word(self, text):
        rng = self.rng
        ways = ["plain", "double", "single", "escape", "half", "hex"]
        if not self.plain and rng.random() < 0.04 and text and "}" not in text and "\\" not in text and '"' not in text:
            return '"${UNSET_%d-%s}"' % (rng.randrange(1000), text)
        if not self.plain and self.variables is not None and rng.random() < 0.04 and " " not in text:
            name = "GEN_%d" % len(self.variables)
            self.variables[name] = text
            return rng.choice(['"${%s}"', '"$%s"']) % name
        way = "plain" if self.plain else rng.choices(ways, [60, 12, 8, 6, 4, 2])[0]
        if way == "single" and "'" not in text:
            return "'" + text + "'"
        if way == "double":
            return '"' + self.escaped(text, '"\\$') + '"'
        if way == "half" and len(text) > 2 and not set(text) & set("'\"\\$ #"):
            cut = rng.randrange(1, len(text))
            return text[:cut] + '"' + text[cut:] + '"'
        if way == "hex" and text and text[0].isalnum():
            return "\\x%02x" % ord(text[0]) + self.escaped(text[1:], " #'\"\\")
        return self.escaped(text, " #'\"\\")

    @staticmethod
    def escaped(text, special):
        return "".join("\\" + c if c in special else c for c in text)

    def line(self, words, indent=True):
        rng = self.rng
        if isinstance(words, str):
            words = words.split(" ")
        gap = (lambda: " ") if self.plain else (lambda: rng.choice([" ", " ", " ", "  ", "\t", " \t "]))
        text = self.indent if indent else ""
        text += words[0] if self.plain or rng.random() < 0.8 else self.word(words[0])
        for word in words[1:]:
            text += gap() + self.word(word)
        if not self.plain and rng.random() < 0.08:
            text += rng.choice([" # a comment", "\t#", " #'", "   ", ' # "'])
        return text


class Config:
    """A configuration under way: lines of text, and what the tests need to know of it."""

    def __init__(self, seed, prefix="", ports=None, upstream=18789, six=False, crt=None):
        self.rng = random.Random(seed)
        self.prefix = prefix
        self.ports = ports
        self.upstream = upstream
        self.six = six
        self.crt = crt
        self.variables = {}
        self.spelling = Spelling(self.rng, self.variables)
        self.body = []
        self.frontends = []
        self.real = ports is not None
        self.build()

    def chance(self, share):
        return self.rng.random() < share

    def put(self, words, indent=True):
        self.body.append(self.spelling.line(words, indent))
        if not self.spelling.plain and self.chance(0.04):
            self.body.append(self.rng.choice(["", "   ", "# a comment", "    # 'quote", "\t"]))

    def name(self, text):
        return self.prefix + text

    # --- conditions

    def condition(self, acls):
        rng = self.rng
        known = ["{ ssl_fc }", "!{ ssl_fc }", "TRUE", "{ always_true }", "!FALSE", "FALSE", "{ ssl_fc } or TRUE", "{ always_false }",
                 "{ hdr(upgrade) -i websocket }", "!{ hdr(Upgrade) -m found }", "{ req.hdr_cnt(upgrade) gt 0 }", "HTTP"]
        unknown = ["{ path_beg /never }", "{ src 10.0.0.0/8 }", "{ req.hdr(x-y) -m found }", "METH_POST", "{ path /a } || { path /b }",
                   "{ src 198.51.100.4 }", "{ hdr_beg(host) -i www. }"]
        terms = [rng.choice(known + unknown[:3])]
        if self.chance(0.2):
            terms.append(rng.choice(known + unknown))
        if acls and self.chance(0.5):
            terms[0] = rng.choice(["", "!"]) + rng.choice(acls)
        return rng.choice(["if ", "if ", "unless "]) + rng.choice([" ", " or ", " || "]).join(terms)

    def acls(self):
        rng = self.rng
        names = []
        for i in range(rng.choice([0, 0, 1, 2])):
            name = rng.choice(["is_ws", "secure", "acl.%d" % i, "a-%d" % i])
            self.put("acl " + name + " " + rng.choice([
                "hdr(Upgrade) -i websocket", "ssl_fc", "path_beg /x /y", "hdr(Connection) -i upgrade", "src 203.0.113.9",
                "always_true", "req.hdr(upgrade) -m str -i -- websocket", "hdr_sub(connection) -i upg", "method GET"]))
            if self.chance(0.2):
                self.put("acl " + name + " always_false")
            names.append(name)
        return names

    # --- rules

    def header_rule(self, acls, backend):
        rng = self.rng
        header = rng.choices(HEADERS, [8, 6, 3, 3, 2, 1, 1.2, 1.2])[0]
        spelt = rng.choice([header, header, header.lower()])
        action = rng.choices(["set", "add", "del", "replace", "value", "many"], [8, 3, 4, 1, 1, 1])[0]
        if header == "Host" and action in ("add", "del", "many"):
            action = "set"
        value = rng.choice(VALUES[header])
        if action in ("set", "add"):
            words = ["http-request", action + "-header", spelt, value]
        elif action == "del":
            words = ["http-request", "del-header", spelt]
        elif action == "many":
            words = ("http-request del-header " + rng.choice(
                ["x-forwarded -m beg", "-ip -m end", "forward -m sub", "^x-forwarded- -m reg", "nosuch -m beg"])).split(" ")
        else:
            words = ["http-request", "replace-header" if action == "replace" else "replace-value", spelt,
                     rng.choice([".*", "^a(.*)$", "evil"]), rng.choice(["x", "%[src]", "\\1"])]
        if self.chance(0.3):
            words += self.condition(acls).split(" ")
        self.put(words)

    def rules(self, acls, backend):
        rng = self.rng
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3, 5])):
            self.header_rule(acls, backend)
        if self.chance(0.15):
            self.put("http-request set-header X-Forwarded-Proto https if { ssl_fc }")
            self.put("http-request set-header X-Forwarded-Proto http " + rng.choice(["unless { ssl_fc }", "if !{ ssl_fc }"]))
        if self.chance(0.06):
            self.put("http-request set-header X-Real-IP 192.0.2.1 if { path_beg /z }")
            self.put("http-request set-header X-Real-IP 192.0.2.2 " + rng.choice(["unless { path_beg /z }", "if !{ path_beg /z }"]))
        if self.chance(0.06):
            self.put("http-request allow " + self.condition(acls))
        if self.chance(0.06):
            self.put("http-request deny " + rng.choice(["", "deny_status 429 ", ""]) + rng.choice(
                ["if { path_beg /secret }", "if { src 203.0.113.0/24 }", "if FALSE", "if { hdr(upgrade) -i websocket }"]))
        if backend and self.chance(0.06):
            self.put("http-request set-timeout tunnel " + rng.choice(["90s", "2h", "7000"]))
        if self.chance(0.04):
            self.put("http-response del-header " + rng.choice(["Upgrade", "X-Powered-By"]))

    def forwardfor(self, share):
        if self.chance(share):
            self.put("option forwardfor" + self.rng.choice(
                ["", "", "", " if-none", " header X-Client-IP", " except 10.0.0.0/8", " header X-Real-IP", " except 10.0.0.0/8 if-none"]))

    def neutral(self, lines, most):
        for line in self.rng.sample(lines, self.rng.randrange(most + 1)):
            if not any(line.split(" ")[0] == "acl" and line == other.strip() for other in self.body):
                self.put(line)

    # --- sections

    def rule_defaults(self):
        """Rules in "defaults": HAProxy wants those for frontends and for backends apart, named, and never as the last ones."""
        names = {}
        for kind in ("front", "back"):
            if not self.chance(0.15):
                continue
            names[kind] = self.name("rules-" + kind)
            self.put(["defaults", names[kind]], False)
            self.put("mode http")
            for which in ("client", "server", "connect"):
                self.put("timeout %s 3s" % which)
            self.put("retries 0")
            self.forwardfor(0.4)
            self.rules(self.acls(), False)
        return names

    def defaults(self):
        rng = self.rng
        chain = []
        for i in range(rng.choice([1, 1, 2, 3])):
            named = i > 0 or self.chance(0.5)
            words = ["defaults"] + ([self.name("d%d" % i)] if named else [])
            if i > 0 and chain and self.chance(0.7):
                words += ["from", rng.choice(chain)]
            self.put(words, False)
            self.put("mode http")
            for which in ("client", "server"):
                self.put("timeout %s %s" % (which, rng.choice(["5s", "5000", "50000ms", "1m", "2h", "1d"])))
            self.put("timeout connect 2s")
            self.put("retries 0" if self.real else "retries 3")
            self.forwardfor(0.35)
            if self.chance(0.2):
                self.put("timeout tunnel " + rng.choice(["10s", "1h", "3600s", "90m"]))
            if self.chance(0.1):
                self.put("default-server " + rng.choice(["inter 5s", "maxconn 10", "weight 5", "proto h1", "no-ssl"]))
            if named:
                chain.append(self.name("d%d" % i))
        return chain

    def server(self, number):
        rng = self.rng
        up = self.upstream
        forms = ["127.0.0.1:%d" % up, "localhost:%d" % up, "ipv4@127.0.0.1:%d" % up]
        if self.six:
            forms += ["::1:%d" % up, "[::1]:%d" % up, "ipv6@::1:%d" % up]
        if not self.real:
            forms += ["unix@/run/x.sock", "/run/y.sock", "abns@z", "192.0.2.1", "192.0.2.1:+1000", "[2001:db8::1]:80", ":%d" % up]
        words = ["server", "s%d" % number, rng.choice(forms)]
        extras = [["weight", "10"], ["maxconn", "50"], ["id", str(100 + number)], ["cookie", "c%d" % number], ["proto", "h1"]]
        if not self.real:
            extras += [["backup"], ["check"], ["ssl", "verify", "none"], ["ssl", "verify", "none", "alpn", "h2,http/1.1"], ["inter", "2s"],
                       ["source", "0.0.0.0:0"], ["disabled"], ["ssl", "verify", "none", "sni", "str(a.example)"]]
        if self.chance(0.06):
            extras = [["proto", "h2"], ["send-proxy"], ["send-proxy-v2"]]
            words += rng.choice(extras)
        else:
            for extra in rng.sample(extras, rng.choice([0, 0, 1, 2])):
                if extra[0] not in words and (extra[0] != "check" or words[2].endswith(":%d" % up)):
                    words += extra
        self.put(words)

    def starts_from(self, kind, chain):
        if kind in self.with_rules and self.chance(0.6):
            return ["from", self.with_rules[kind]]
        return ["from", self.rng.choice(chain)] if chain and self.chance(0.5) else []

    def backend(self, name, chain):
        words = ["backend", name] + self.starts_from("back", chain)
        self.put(words, False)
        self.neutral(NEUTRAL_BACK, 3)
        self.neutral(NEUTRAL_ANY, 2)
        if self.chance(0.25):
            self.put("timeout tunnel " + self.rng.choice(["10s", "1h", "30m", "0"]))
        if self.chance(0.2):
            self.put("timeout server " + self.rng.choice(["20s", "3h"]))
        self.forwardfor(0.25)
        self.rules(self.acls(), True)
        if self.chance(0.08):
            self.put("default-server " + self.rng.choice(["proto h1", "maxconn 5", "send-proxy", "proto h2"]))
        for i in range(1 if self.real else self.rng.choice([1, 1, 2, 3])):
            self.server(i)
        if self.chance(0.1) and not self.real:
            self.put("server-template t 1-3 127.0.0.1:%d check" % self.upstream)

    def bind(self):
        rng = self.rng
        if self.real:
            port = self.ports.pop()
            tls = self.crt and self.chance(0.3)
            self.put("bind 127.0.0.1:%d" % port + (" ssl crt " + self.crt if tls else rng.choice(["", " name x%d" % port])))
            return
        forms = [":%d", "*:%d", "0.0.0.0:%d", "127.0.0.1:%d", "[::1]:%d", "::1:%d", ":::%d v4v6", "ipv4@*:%d", "ipv6@[::]:%d v6only",
                 "127.0.0.1:%d,127.0.0.2:%d", "127.0.0.1:%d-%d"]
        form = rng.choice(forms)
        port = rng.randrange(20000, 60000)
        text = form % ((port, port + 3) if form.count("%d") == 2 else port)
        if self.crt and self.chance(0.3):
            text += " ssl crt " + self.crt + rng.choice(["", " alpn h2,http/1.1"])
        self.put("bind " + text)

    def switch(self, target, acls):
        rng = self.rng
        kind = rng.randrange(4)
        if kind == 0:
            self.put(["use_backend", target, "if", "{", rng.choice(["hdr(host)", "req.hdr(Host)"]), "-i", "a.example", "b.example", "}"])
        elif kind == 1:
            self.put(["use_backend", target, "if", "{", "path_beg", rng.choice(["/openclaw", "/a/", "/ws"]), "}"])
        elif kind == 2:
            # Nothing that only a request's own address or headers could answer: the tests must know where they are led.
            self.put(["use_backend", target] + rng.choice(
                ["if { hdr(upgrade) -i websocket }", "if { path_beg /never } TRUE", "unless TRUE", "if { ssl_fc }", "if !{ ssl_fc } FALSE",
                 "if { path_beg /never } or FALSE", "if { req.hdr(Upgrade) -m found }"]).split(" "))
        else:
            self.put(["acl", "host_x", "hdr(host)", "-i", "x.example"])
            self.put(["acl", "host_x", "hdr(host)", "-i", "y.example"])
            self.put(["use_backend", target, "if", "host_x"])

    def frontend(self, name, chain, targets, listen):
        words = ["listen" if listen else "frontend", name] + self.starts_from("" if listen else "front", chain)
        self.put(words, False)
        for _ in range(self.rng.choice([1, 1, 2])):
            self.bind()
        self.neutral(NEUTRAL_FRONT, 2)
        self.neutral(NEUTRAL_ANY, 2)
        self.forwardfor(0.35)
        acls = self.acls()
        self.rules(acls, listen)
        if listen:
            if self.chance(0.3):
                self.put("timeout tunnel 2h")
            self.server(0)
            return
        if self.chance(0.05):
            self.put("http-request redirect scheme https " + self.rng.choice(["unless { ssl_fc }", "if !{ ssl_fc }"]))
        for target in targets[1:]:
            self.switch(target, acls)
        self.put(["default_backend", targets[0]])

    def condition_block(self):
        """Lines in .if, which count or do not."""
        rng = self.rng
        true = rng.choice(["1", "streq(a,a)", "defined(PATH)", "!defined(NO_SUCH_X)", "strneq(a,b) && 1", "0 || (streq(\"b\",b))",
                           "version_atleast(2.4)"])
        false = rng.choice(["0", "streq(a,b)", "defined(NO_SUCH_X)", "version_before(2.4)", "!1", "1 && 0"])
        take = self.chance(0.5)
        self.body.append(".if " + (true if take else false))
        self.put("option forwardfor" if take else "nosuchword at all", True)
        if self.chance(0.4):
            self.body.append(".elif " + (true if not take and self.chance(0.5) else false))
            self.put("option httplog" if not take else "nosuchword")
            if take:
                self.body[-1] = "  nosuchword"
            elif self.body[-2].endswith(false):
                pass
        self.body.append(".endif")

    def build(self):
        rng = self.rng
        self.with_rules = self.rule_defaults()
        chain = self.defaults()
        if self.chance(0.3):
            self.condition_block()
        backends = [self.name("b%d" % i) for i in range(rng.choice([1, 1, 2, 3]))]
        order = [("back", name) for name in backends]
        for i in range(rng.choice([1, 1, 2])):
            listen = self.chance(0.25)
            targets = backends[:] if self.chance(0.5) else [rng.choice(backends)]
            order.append(("listen" if listen else "front", self.name("f%d" % i), targets))
        rng.shuffle(order)
        for item in order:
            if item[0] == "back":
                self.backend(item[1], chain)
            else:
                self.frontend(item[1], chain, item[2], item[0] == "listen")
        head = ["global", "  maxconn 200"]
        if self.chance(0.3) and not self.real:
            head += ["  tune.bufsize 16384", "  node x", "  log 127.0.0.1:5140 local0"]
        values = {}
        for i, (name, value) in enumerate(self.variables.items()):
            values[name] = self.name("V%d" % i).upper().replace("-", "_")
            head.append("  setenv %s '%s'" % (values[name], value) if "'" not in value else
                        '  setenv %s "%s"' % (values[name], Spelling.escaped(value, '"\\$')))
        text = self.spelling.end.join(head + self.body) + self.spelling.end
        for name in sorted(values, key=len, reverse=True):
            text = text.replace("${%s}" % name, "${%s}" % values[name]).replace('"$%s"' % name, '"$%s"' % values[name])
        self.text = text
