"""Seeded configurations: a folder with a main file and what it includes, everything that the reader claims to follow."""

import server


class Generator:
    def __init__(self, random, root):
        self.random = random
        self.root = root
        self.count = 0
        self.names = 0
        self.macros = []
        self.defined = ["FROM_ENVIRONMENT"]
        self.balancers = 0
        self.end = random.choice(["\n", "\n", "\n", "\r\n"])

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def pick(self, *things):
        return self.random.choice(things)

    def word(self):
        return self.pick("alpha", "beta", "gamma", "delta", "x1", "Y-2", "z_3")

    def number(self, most=99):
        return self.random.randint(1, most)

    def case(self, name):
        """Names of directives in any case."""
        return self.pick(name, name, name, name, name.lower(), name.upper()) if self.chance(30) else name

    def quoted(self, text):
        if " " in text or '"' in text:
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        kind = self.random.randrange(8)
        if kind == 0:
            return f"'{text}'"
        return f'"{text}"' if kind in (1, 2, 3) else text

    # --- directives; each returns lines without indentation ---

    def path(self):
        return self.pick("/", "/app", "/app/", "/ws", "/ws/", "/a/b/", "/openclaw/", f"/p{self.number(5)}/")

    def upstream(self, scheme=None, port=None):
        scheme = scheme or self.pick("http", "http", "http", "http", "ws")
        host = self.pick("127.0.0.1", "127.0.0.1", "localhost", "[::1]", "gateway.internal")
        return f"{scheme}://{host}:{port or self.pick(18789, 18789, 8080, 3000)}"

    def parameters(self):
        words = []
        for text, percent in (("upgrade=websocket", 40), (f"timeout={self.number(4000)}", 30), ("retry=0", 15), ("connectiontimeout=5", 10),
                              ("keepalive=On", 10), ("disablereuse=on", 5), ("flushpackets=on", 5)):
            if self.chance(percent):
                words.append(text)
        return "".join(" " + word for word in words)

    def proxy_pass(self):
        path = self.path()
        if self.chance(15):
            return [f"{self.case('ProxyPass')} {self.quoted(path)} !"]
        url = self.upstream() + (path if self.chance(50) else "/")
        lines = [f"{self.case('ProxyPass')} {self.quoted(path)} {self.quoted(url)}{self.parameters()}"]
        if self.chance(40):
            lines.append(f"ProxyPassReverse {self.quoted(path)} {self.quoted(url)}")
        return lines

    def proxy_pass_match(self):
        pattern, rest = self.pick(("^/ws(.*)$", "/ws$1"), ("^/(.*)$", "/$1"), ("^/files/([0-9]+)\\.txt$", "/$1"), ("^(/api|/ws)/", ""))
        return [f"ProxyPassMatch {self.quoted(pattern)} {self.quoted(self.upstream() + rest)}"]

    def header(self):
        name = self.pick("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "X-Other", "X-Other", *(["Host"] if self.chance(20) else []))
        action = self.pick("set", "set", "append", "merge", "add", "unset", "setifempty", "edit")
        values = {"unset": "", "edit": f" {self.quoted('^.*$')} {self.quoted(self.word())}"}
        value = values.get(action, " " + self.pick('"%{REMOTE_ADDR}s"', "expr=%{REMOTE_ADDR}", '"a \\"b\\" c"', "https", "%{X}e", "'one two'"))
        condition = self.pick("", "", "", "", " env=HTTPS", " env=!proxied", ' "expr=%{HTTPS} == \'on\'"')
        return [f"{self.case('RequestHeader')} {action} {name}{value}{condition}"]

    def environment(self):
        return [self.pick(f"SetEnv {self.word()} {self.quoted('some value')}", "SetEnv force-proxy-request-1.0 1", "SetEnv proxy-nokeepalive 1",
                          "SetEnvIf Request_URI \"^/app\" proxied", "SetEnvIfNoCase Host \"^x\" proxied=1 !other", "BrowserMatch MSIE old",
                          "UnsetEnv alpha")]

    def switch(self):
        return [self.pick("ProxyPreserveHost On", "ProxyPreserveHost Off", "ProxyAddHeaders Off", "ProxyAddHeaders On")]

    def server_only(self):
        return [self.pick(f"ProxyTimeout {self.number(900)}", f"Timeout {self.number(900)}", "ProxyRequests Off", "ProxyVia On", "UseCanonicalName Off",
                          f"DocumentRoot {self.root}", "ServerSignature Off", "RemoteIPHeader X-Forwarded-For", "LogLevel warn proxy:info",
                          "ServerAdmin \"a b@example.com\"")]

    def rewrite(self):
        if self.chance(60):
            return ["RewriteEngine On", "RewriteCond %{HTTP:Upgrade} websocket [NC]", "RewriteCond %{HTTP:Connection} upgrade [NC]",
                    f"RewriteRule {self.pick('^/?(.*)', '/(.*)', '^/ws/(.*)$')} {self.quoted(self.upstream('ws') + '/$1')} [P,L]"]
        return ["RewriteEngine on", self.pick(
            "RewriteRule ^/old$ /new [R=301,L]", "RewriteRule .* - [E=RA:%{REMOTE_ADDR}]",
            f"RewriteRule ^/rw/(.*) {self.upstream('http')}/$1 [P]",
            f"RewriteCond %{{HTTP_HOST}} ^x\\.test$ [NC]{self.end}RewriteRule ^(.*)$ {self.upstream('http')}$1 [P,L]",
            "RewriteRule ^/(.*)$ https://%{HTTP_HOST}/$1 [R,L]")]

    def balancer(self):
        self.balancers += 1
        name = f"balancer://b{self.balancers}"
        members = [f"{self.upstream(port=18789 + index)} {self.pick('', 'upgrade=websocket', 'timeout=60', 'route=a')}".rstrip() for index in range(self.random.randint(1, 3))]
        lines = [f"<Proxy {self.quoted(name)}>"] + ["\tBalancerMember " + member for member in members]
        if self.chance(30):
            lines.append("\tProxySet lbmethod=byrequests")
        return lines + ["</Proxy>", f"ProxyPass {self.path()} {name}/"]

    def section(self, depth):
        """Location and its kin."""
        kind = self.random.randrange(6)
        if kind == 0:
            opening, closing = f"<LocationMatch {self.quoted(self.pick('^/ws', '^/app/.*$', '^/', 'x[0-9]+y'))}>", "</LocationMatch>"
        elif kind == 1:
            opening, closing = f"<Proxy {self.quoted(self.pick('*', self.upstream() + '/*', self.upstream() + '/'))}>", "</Proxy>"
        elif kind == 2:
            opening, closing = f"<If {self.quoted(chr(37) + '{HTTP_HOST} == ' + chr(39) + 'x' + chr(39))}>", "</If>"
        else:
            path = self.path()
            opening, closing = f"<{self.case('Location')} {self.quoted(path)}>", "</Location>"
        lines = []
        for _ in range(self.random.randint(0, 3)):
            lines += self.pick(self.header, self.environment, self.switch)()
        if kind >= 3 and self.chance(40):
            lines += self.pick(["ProxyPass " + self.quoted(self.upstream() + path) + self.parameters()], ["ProxyPass !"])
        if kind >= 3 and self.chance(20) and depth < 3:
            lines += ["<Limit GET POST>", "\tRequire all granted", "</Limit>"]
        if self.chance(20):
            lines += self.wrapped(["RequestHeader set X-Inner 1"])
        return [opening] + ["\t" + line for line in lines] + [closing]

    def condition(self):
        return self.pick("IfModule mod_proxy.c", "IfModule proxy_module", "IfModule !mod_proxy.c", "IfModule mod_not_there.c", "IfModule !not_there_module",
                         "IfModule mod_mpm_event.c", "IfModule event.c", "IfDefine FROM_NOWHERE", "IfDefine !FROM_NOWHERE",
                         f"IfDefine {self.pick(*self.defined)}", "IfVersion >= 2.4", "IfVersion < 2.4.0", "IfVersion !< 2.2", "IfVersion 2.4",
                         "IfFile pid.never", "IfFile main.conf", "IfFile !main.conf")

    def wrapped(self, lines):
        condition = self.condition()
        return [f"<{condition}>"] + ["\t" + line for line in lines] + [f"</{condition.split()[0]}>"]

    def define(self):
        name = f"V{self.number(6)}"
        self.defined.append(name)
        return [f"Define {name}" + self.pick("", f" {self.word()}", ' "two words"', ' "a${FROM_ENVIRONMENT}"', " /app/")]

    def variable(self):
        return [f"SetEnv {self.word()} \"{self.pick('', 'x')}${{{self.pick(*self.defined)}}}{self.pick('', '$', '/y', '${')}\""]

    def macro(self):
        name = f"M{len(self.macros)}"
        self.macros.append(name)
        return [f"<Macro {name} $path $target>", "\tProxyPass $path $target", "\t<Location $path>", "\t\tRequestHeader set X-Macro $path",
                "\t</Location>", "</Macro>"]

    def use(self):
        if not self.macros:
            return []
        return [f"Use {self.pick(*self.macros)} {self.path()} {self.upstream()}/"]

    def include(self, inner):
        """The lines in a file of their own."""
        self.count += 1
        kind = self.random.randrange(5)
        folder = self.root / f"part{self.count}"
        folder.mkdir()
        if kind == 0:
            self.write(folder / "one.conf", inner)
            return [f"Include {self.quoted(f'part{self.count}/one.conf')}"]
        half = len(inner) // 2 if "<" not in "".join(inner) else len(inner)
        self.write(folder / "b.conf", inner[half:])
        self.write(folder / "a.conf", inner[:half])
        self.write(folder / "ignored.txt", ["# not read by a pattern"])
        if kind == 1:
            return [f"Include part{self.count}/*.conf"]
        if kind == 2:
            return [f"IncludeOptional part{self.count}/[ab].con?", f"IncludeOptional none{self.count}/*.conf"]
        if kind == 3:
            return [f"Include {folder}"]
        return [f"IncludeOptional pa*{self.count}/*.conf" if self.count > 9 else f"Include part{self.count}/*.conf"]

    # --- writing ---

    def broken_up(self, line):
        """Continuations, blanks, comments."""
        words = line.split(" ")
        if len(words) > 2 and self.chance(8):
            at = self.random.randrange(1, len(words))
            line = " ".join(words[:at]) + f" \\{self.end}" + self.pick("    ", "") + " ".join(words[at:])
        if self.chance(3):
            line += "  \t"
        return line

    def write(self, path, lines):
        step = self.pick("    ", "\t", "  ")
        out = []
        for line in lines:
            if self.chance(5):
                out.append(self.pick("", "# a comment", "  # <VirtualHost>", "# goes on \\" + self.end + "ProxyPass / http://never/"))
            depth = len(line) - len(line.lstrip("\t"))
            out.append(step * depth + self.broken_up(line.lstrip("\t")))
        text = self.end.join(out)
        path.write_bytes((text + self.pick(self.end, self.end, "")).encode())

    def body(self, depth, main=False):
        lines = []
        makers = [self.proxy_pass] * 5 + [self.header] * 3 + [self.switch, self.environment, self.server_only, self.rewrite, self.balancer,
                                                                self.proxy_pass_match, self.variable, self.use] + [lambda: self.section(depth)] * 4
        for _ in range(self.random.randint(2, 7)):
            made = self.pick(*makers)()
            if self.chance(15):
                made = self.wrapped(made)
            if self.chance(10) and self.count < 20:
                made = self.include(made)
            lines += made
        return lines

    def host(self):
        self.names += 1
        lines = [f"ServerName h{self.names}.test"]
        if self.chance(40):
            lines.append(f"ServerAlias {self.word()}{self.names}.test *.w{self.names}.test")
        lines += self.body(1)
        return [f"<{self.case('VirtualHost')} {self.pick('*:8080', '*:8080', '127.0.0.1:8081', '_default_:8081', '*:*')}>"] + \
            ["\t" + line for line in lines] + ["</VirtualHost>"]

    def configuration(self):
        lines = server.preamble(self.root).split("\n")[:-1] + ["Listen 8080", "Listen 127.0.0.1:8081"]
        for _ in range(self.random.randint(0, 3)):
            lines += self.define()
        if self.chance(40):
            lines += self.macro()
        if self.chance(40):
            lines += self.body(0, main=True)
        for _ in range(self.random.randint(1, 4)):
            host = self.host()
            if self.chance(20):
                host = self.wrapped(host)
            if self.chance(30):
                host = self.include(host)
            lines += host
        main = self.root / "main.conf"
        self.write(main, lines)
        return main
