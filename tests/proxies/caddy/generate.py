"""Caddyfiles made up from a seed. Every one is text that a person could have written: snippets, imports, variables, matchers, nested handles,
quotes, several sites. A part of them is broken on purpose."""
import random

ENVIRONMENT = {"DR_UPSTREAM": "127.0.0.1:18789", "DR_SITE": "env.example.com", "DR_EMPTY": "", "DR_SPACED": "a b"}

UPSTREAMS = ["localhost:18789", "127.0.0.1:18789", "[::1]:18789", "http://localhost:18789", "http://127.0.0.1:18789", "openclaw:18789",
             "https://openclaw:18789", "h2c://127.0.0.1:18789", "unix//run/openclaw.sock", "{$DR_UPSTREAM}", "{$DR_NONE:localhost:18789}",
             "openclaw", "::1", ":18789", "https://openclaw", "{env.UP}:18789", "tcp/127.0.0.1:18789", "10.0.0.7:80", "*.js"]
HEADER_UP = ["X-Forwarded-For {remote_host}", "X-Forwarded-For {http.request.remote.host}", "-X-Forwarded-For", "-X-Forwarded-*",
             "X-Forwarded-For {header.X-Forwarded-For}", "X-Forwarded-For \"{header.X-Forwarded-For}, {remote_host}\"", "+X-Forwarded-For extra",
             "X-Forwarded-Proto {scheme}", "X-Forwarded-Proto https", "-X-Forwarded-Proto", "Host {upstream_hostport}", "Host {host}", "Host {hostport}",
             "Host gateway.local", "-Host", "X-Real-IP {remote_host}", "-X-Real-IP", "x-real-ip fixed", "-Upgrade", "-Connection", "Connection close",
             "Connection {header.Connection}", "Upgrade {header.Upgrade}", "Connection {>Connection}", "Connection Upgrade", "Upgrade websocket",
             "X-Custom \"a value\"", "Forwarded `for=1`", "-Forwarded", "Host ^(.*)$ $1.local", "X-Forwarded-For ^(.*)$ x$1", "+Connection keep-alive",
             "-Sec-WebSocket-Key", "-*-Key", "X-Forwarded-Host {host}", "Origin https://x"]
REQUEST_HEADER = ["-Upgrade", "-Connection", "Connection close", "X-Real-IP {remote_host}", "-X-Forwarded-For", "X-Forwarded-For fixed", "-X-Real-IP",
                  "Host other.local", "+X-Extra y", "-Forwarded", "X-Forwarded-Proto http", "Upgrade websocket", "X-Real-IP: 1.2.3.4"]
PLAIN = ["encode gzip zstd", "header X-Frame-Options DENY", "header -Server", "log", "header /static/* Cache-Control max-age=60", "root * /srv",
         "encode {\n\tgzip\n}", "header {\n\tX-A \"b c\"\n\t-Server\n\tdefer\n}", "log {\n\toutput discard\n}", "vars x y", "# only a comment"]
TERMINAL = ["respond /ping 200", "respond \"gone\" 410", "redir /old /new", "redir /old /new permanent", "redir /x https://other.example{uri} 301", "respond /health \"ok\" 200 {\n\tclose\n}",
            "file_server", "abort /secret"]
MATCHERS = [("@ws", "{\n\theader Connection *Upgrade*\n\theader Upgrade websocket\n}"), ("@api", "path /api/*"), ("@two", "path /a/* /b/*"), ("@host", "host x.example.com y.example.com"),
            ("@both", "{\n\thost x.example.com\n\tpath /only/*\n}"), ("@not", "not path /no/*"), ("@expr", "`{method} == 'GET'`"), ("@re", "path_regexp ^/r"), ("@exact", "path /exact"),
            ("@get", "method GET"), ("@prefix", "path /prefix*"), ("@remote", "remote_ip 10.0.0.0/8")]
PATHS = ["/openclaw/*", "/openclaw*", "/ui/*", "/a/b/*", "/exact", "/*.js", "/openclaw", "/*", "/ws"]
ADDRESSES = ["{h}.example.com", "{h}.example.com, www.{h}.example.com", "http://{h}.example.com", "https://{h}.example.com:{p}", ":{p}", "http://:{p}", "localhost:{p}", "127.0.0.1:{p}",
             "http://{h}.example.com:{p}", "{h}.example.com:{p}", "*.{h}.example.com", "http://127.0.0.1:{p}", "[::1]:{p}", "{h}.example.com,\nhttp://{h}.example.com", "https://{h}.example.com, http://{h}.example.com",
             "\"{h}.example.com\"", "EXAMPLE{h}.com", "http://localhost:{p}", "{h}.example.com/sub/*", "https://:{p}"]
GLOBALS = ["http_port 8080", "https_port 8443", "auto_https off", "auto_https disable_redirects", "email a@example.com", "debug", "admin off", "grace_period 5s", "local_certs",
           "default_sni example.com", "default_bind 127.0.0.1", "servers {\n\ttimeouts {\n\t\tidle 2m\n\t}\n}", "servers {\n\tprotocols h1 h2\n}", "servers {\n\tprotocols h2\n}", "log {\n\toutput discard\n}"]
SUBDIRECTIVES = ["lb_policy first", "lb_try_duration 5s", "health_uri /healthz", "health_interval 10s", "flush_interval -1", "flush_interval 100ms", "buffer_requests", "max_buffer_size 1MB", "fail_duration 30s",
                 "header_down -Server", "header_down X-A \"b\"", "unhealthy_status 5xx", "lb_retries 2", "health_headers {\n\tHost x\n}"]
TRANSPORTS = ["versions h2c 2", "versions 1.1", "versions 1.1 2", "versions h2c", "read_timeout 30s", "read_timeout 2h", "dial_timeout 5s", "keepalive 30s", "tls_insecure_skip_verify", "tls", "keepalive off", "compression off",
              "response_header_timeout 1m", "tls_server_name openclaw"]
BROKEN = ["nonsense a b", "reverse_proxy localhost:18789 {\n\tno_such_thing\n}", "reverse_proxy http://localhost:18789/path", "reverse_proxy @undefined localhost:1", "redir", "handle_path @x {\n}", "uri strip_prefix",
          "reverse_proxy {\n\ttransport http {\n\t\tversion 1.1\n\t}\n}", "reverse_proxy a:1 {\n\tlb_try_duration never\n}", "reverse_proxy a:1 {\n\theader_up\n}", "}", "handle {", "redir /a /b 200", "tls one",
          "reverse_proxy https://a:1 http://b:2", "handle {\n\tbind 127.0.0.1\n}", "import no-such-file", "import */*", "@twice path /a\n@twice path /b", "respond {", "request_header ?X y", "header_up X y", "reverse_proxy a:1 {\n\tbuffer_responses 1\n}"]


class Maker:
    def __init__(self, seed, live=None):
        self.random = random.Random(seed)
        self.seed = seed
        self.files = {}
        self.snippets = []
        self.live = live  # address that the site listens on, and upstreams, for one that is really served
        self.taken = 0
        self.ports = 20000 + (seed * 7) % 20000

    def chance(self, share):
        return self.random.random() < share

    def pick(self, list_):
        return self.random.choice(list_)

    def port(self):
        self.ports += 1
        return self.ports

    def upstream(self):
        if self.live:  # every reverse_proxy has an upstream of its own
            self.taken += 1
            return self.pick(["", "http://"]) + self.live[1][self.taken % len(self.live[1])]
        return self.pick(UPSTREAMS)

    def upstreams(self):
        first = self.upstream()
        if self.live or self.chance(0.8) or "://" in first:
            return first
        return first + " " + self.pick([u for u in UPSTREAMS if "://" not in u and not u.startswith("{$")])

    def proxy_lines(self):
        lines = []
        for _ in range(self.random.randrange(0, 4)):
            lines.append("header_up " + self.pick(HEADER_UP))
        if self.chance(0.3):
            inner = list(dict.fromkeys(self.pick([t for t in TRANSPORTS if not (self.live and "tls" in t)]) for _ in range(self.random.randrange(1, 3))))
            lines.append("transport http {\n" + "".join("\t%s\n" % one for one in inner) + "}")
        for _ in range(self.random.randrange(0, 3)):
            line = self.pick([s for s in SUBDIRECTIVES if not (self.live and s.startswith(("health", "fail", "unhealthy", "lb_")))])
            if line.split()[0] not in [one.split()[0] for one in lines] or line.startswith("header"):
                lines.append(line)
        if self.chance(0.15):
            lines.append("trusted_proxies " + self.pick(["private_ranges", "10.0.0.0/8 192.168.0.0/16"] if not self.live else ["private_ranges"]))
        if self.chance(0.1):
            lines.append("buffer_responses")
        if self.chance(0.05):
            lines.append("method " + self.pick(["GET", "POST"]))
        if self.chance(0.05) and not self.live:
            lines.append("rewrite /inner{uri}")
        self.random.shuffle(lines)
        return lines

    def proxy(self, matcher=""):
        lines = self.proxy_lines()
        ups = self.upstreams()
        if self.snippets and self.chance(0.3):
            lines.append(self.pick(self.snippets))
        if not lines:
            return "reverse_proxy %s%s%s" % (matcher, ups, self.pick(["", "", " # here", " \\\n\t\t"]) if "\n" not in ups else "")
        if self.chance(0.3) and " " not in ups:
            lines.insert(0, "to " + ups)
            ups = ""
        return "reverse_proxy %s%s {\n%s\n}" % (matcher, ups, "\n".join("\t" + line.replace("\n", "\n\t") for line in lines))

    def block(self, depth, defined):
        """The lines of a site or of a handle."""
        lines = []
        here = dict(defined)
        for name, text in self.random.sample(MATCHERS, self.random.randrange(0, 3)):
            if name not in here:
                here[name] = text
                lines.append("%s %s" % (name, text))
        for _ in range(self.random.randrange(0, 2)):
            lines.append(self.pick(PLAIN) if depth == 0 else self.pick([p for p in PLAIN if not p.startswith("log")]))
        if self.chance(0.35):
            matcher = self.pick(["", "", "* ", self.pick(PATHS) + " ", self.pick(sorted(here)) + " " if here else ""])
            lines.append("request_header %s%s" % (matcher, self.pick(REQUEST_HEADER)))
        if self.chance(0.15):
            lines.append(self.pick(["uri strip_prefix /openclaw", "uri /openclaw/* strip_prefix /openclaw", "rewrite * /new{uri}", "rewrite /exact /else", "uri replace a b"]))
        if self.chance(0.25):
            lines.append(self.pick(TERMINAL))
        count = self.random.randrange(1, 4)
        for _ in range(count):
            kind = self.random.random()
            matcher = self.pick(["", "", "* ", self.pick(PATHS) + " ", self.pick(sorted(here)) + " " if here else ""])
            if depth < 3 and kind < 0.45:
                word = self.pick(["handle", "handle", "handle_path", "route"])
                if word == "handle_path":
                    matcher = self.pick([p for p in PATHS if p.startswith("/")]) + " "
                inner = self.block(depth + 1, here)
                lines.append("%s %s{\n%s\n}" % (word, matcher, "\n".join("\t" + line.replace("\n", "\n\t") for line in inner)))
            else:
                lines.append(self.proxy(matcher))
        if self.chance(0.5):
            self.random.shuffle(lines)
        return lines

    def snippet(self):
        name = "s%d" % len(self.snippets)
        kind = self.random.randrange(4)
        if kind == 0:
            self.snippets.append("import %s {remote_host}" % name)
            return "(%s) {\n\theader_up X-Forwarded-For {args.0}\n\theader_up X-Real-IP \"{args.0}\"\n}" % name
        if kind == 1:
            self.snippets.append("import %s" % name)
            return "(%s) {\n\theader_up -Upgrade\n}" % name
        if kind == 2:
            file = "c%d-%s.caddy" % (self.seed, name)
            self.files[file] = self.pick(["header_up X-Real-IP {remote_host}\n", "# file\nheader_up Host {args.0}\nflush_interval -1\n", "header_up Connection \"close\""])
            self.snippets.append("import %s %s" % (file, self.pick(["{host}", "gateway"])))
            return "# %s" % file
        self.snippets.append("import %s X-Extra" % name)
        return "(%s) {\n\theader_up {args.0} 1\n\theader_up -{args.1}\n}" % name if self.chance(0.5) else "(%s) {\n\theader_up {args.0}-A 1\n}" % name

    def site(self, number):
        lines = self.block(0, {})
        if self.live:
            address = "http://%s" % self.live[0]
        else:
            address = self.pick(ADDRESSES).replace("{h}", "h%d" % number).replace("{p}", str(self.port()))
        if not self.live and self.chance(0.1):
            lines.insert(0, self.pick(["bind 127.0.0.1", "bind 127.0.0.1 [::1]", "bind tcp4/0.0.0.0"]))
        if not self.live and self.chance(0.1) and not address.startswith("http:") and ", http:" not in address and "\nhttp:" not in address:
            lines.insert(0, self.pick(["tls internal", "tls a@example.com", "tls {\n\tprotocols tls1.2\n}"]))
        if self.chance(0.1) and not self.live:
            lines.append("handle_errors {\n\trespond \"{err.status_code}\"\n}")
        if self.chance(0.2):
            lines.append("# the end")
        return address, lines

    def file(self):
        """Text of the main file; self.files holds those that it imports."""
        self.unit = self.pick(["\t", "\t", "    ", "  "])
        broken = not self.live and self.chance(0.12)
        parts = []
        if not self.live and self.chance(0.4):
            options = list({one.split()[0]: one for one in self.random.sample(GLOBALS, self.random.randrange(1, 4))}.values())
            parts.append("{\n%s\n}" % "\n".join("\t" + one.replace("\n", "\n\t") for one in options))
        for _ in range(self.random.randrange(0, 3)):
            parts.append(self.snippet())
        count = 1 if self.live else self.pick([1, 1, 2, 3])
        for number in range(count):
            address, lines = self.site(number)
            if broken and number == 0:
                lines.insert(self.random.randrange(len(lines) + 1), self.pick(BROKEN))
            if count == 1 and not self.live and not parts and self.chance(0.2):
                parts.append("%s\n\n%s" % (address, "\n".join(lines)))
            elif not self.live and self.chance(0.15):
                file = "c%d-site%d.site" % (self.seed, number)
                self.files[file] = "%s {\n%s\n}\n" % (address, "\n".join("\t" + line.replace("\n", "\n\t") for line in lines))
                parts.append("import %s" % self.pick([file, "c%d-*.site" % self.seed]) if not any(f.endswith(".site") and f != file for f in self.files) else "import %s" % file)
            else:
                parts.append("%s {\n%s\n}" % (address, "\n".join("\t" + line.replace("\n", "\n\t") for line in lines)))
        text = "\n\n".join(parts) + "\n"
        if self.unit != "\t":
            text = "\n".join(self.unit * (len(line) - len(line.lstrip("\t"))) + line.lstrip("\t") for line in text.split("\n"))
        if self.chance(0.05):
            text = text.replace("\n", "\r\n")
        if self.chance(0.05):
            text = "\ufeff" + text
        return text
