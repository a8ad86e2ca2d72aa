"""What `caddy adapt` says, as routes. Written from caddy's JSON, with values that are really worked out for a request, and not from the reader: so
that the two can disagree."""
import re

HEADERS = ["Host", "Upgrade", "Connection", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded"]
MARK = {"Host": "client.mark", "X-Forwarded-For": "198.51.100.9", "X-Forwarded-Proto": "markproto", "X-Forwarded-Host": "mark.host", "X-Real-IP": "198.51.100.8", "Forwarded": "for=mark"}
SHORT = {"host": "http.request.host", "hostport": "http.request.hostport", "remote_host": "http.request.remote.host", "scheme": "http.request.scheme",
         "upstream_hostport": "http.reverse_proxy.upstream.hostport", "uri": "http.request.uri"}


def listens(address):
    network, slash, rest = address.partition("/")
    if slash and network == "unix":
        return ["unix:" + rest]
    if not slash:
        network, rest = "", address
    host, port = rest.rsplit(":", 1)
    if host:
        return ["%s:%s" % (host, port)]
    return [one % port for one, kind in (("0.0.0.0:%s", "tcp6"), ("[::]:%s", "tcp4")) if network != kind]


def canonical(name):
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


class Request:
    """Headers as Go keeps them: canonical name -> list."""

    def __init__(self, host, path, given, remote="127.0.0.1", scheme="http", upstream=""):
        self.host, self.path, self.remote, self.scheme, self.upstream = host, path, remote, scheme, upstream
        self.headers = {canonical(k): [v] for k, v in given.items()}
        self.original = self
        self.unsure = set()

    def copy(self):
        new = Request(self.host, self.path, {}, self.remote, self.scheme, self.upstream)
        new.headers = {k: list(v) for k, v in self.headers.items()}
        new.original = self
        new.unsure = set(self.unsure)
        return new

    def fill(self, text):
        source = self.original

        def one(match):
            name = match.group(1)
            if name.startswith("http.request.header."):
                name = canonical(name[len("http.request.header."):])
                return source.host if name == "Host" else ",".join(source.headers.get(name, []))
            values = {"http.request.host": source.host.rsplit(":", 1)[0] if re.search(r":\d+$", source.host) else source.host, "http.request.hostport": source.host,
                      "http.request.remote.host": self.remote, "http.request.scheme": self.scheme, "http.reverse_proxy.upstream.hostport": self.upstream}
            return values.get(name, match.group(0))
        return re.sub(r"\{([^{}]*)\}", one, text)

    def apply(self, ops):
        had = self.headers.get("Host")
        self.headers["Host"] = (had or []) + [self.host]
        for name, values in (ops.get("add") or {}).items():
            self.headers.setdefault(canonical(name), []).extend(self.fill(v) for v in values)
        for name, values in (ops.get("set") or {}).items():
            self.headers[canonical(name)] = [",".join(self.fill(v) for v in values)]
        for name in ops.get("delete") or []:
            pattern = re.escape(self.fill(name).lower()).replace(r"\*", ".*")
            for key in [k for k in self.headers if re.fullmatch(pattern, k.lower())]:
                del self.headers[key]
        for name, replacements in (ops.get("replace") or {}).items():
            for key in [k for k in self.headers if name == "*" or k == canonical(name)]:
                for one in replacements:
                    expression = re.compile(one.get("search_regexp", "")) if one.get("search_regexp") else None
                    replace = re.sub(r"\$(\d)", r"\\\1", self.fill(one.get("replace", "")))
                    self.headers[key] = [expression.sub(replace, v, count=1) if expression else v.replace(one.get("search", ""), one.get("replace", "")) for v in self.headers[key]]
        self.host = self.headers["Host"][-1] if self.headers.get("Host") else ""
        if had is None:
            self.headers.pop("Host", None)
        else:
            self.headers["Host"] = had

    def proxy(self, handler, private=True):
        """What reverse_proxy sends; None when it cannot send this request."""
        new = self.copy()
        lists = "upgrade" in [part.strip().lower() for value in new.headers.get("Connection", []) for part in value.split(",")]
        upgrade = (new.headers.get("Upgrade") or [""])[0] if lists else ""
        for value in new.headers.get("Connection", []):
            for part in value.split(","):
                new.headers.pop(canonical(part.strip()), None)
        for name in ("Connection", "Upgrade", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Proxy-Connection"):
            new.headers.pop(name, None)
        if upgrade:
            new.headers["Connection"], new.headers["Upgrade"] = ["Upgrade"], [upgrade]
        trusted = bool(handler.get("trusted_proxies")) and private
        prior = ", ".join(new.headers.get("X-Forwarded-For", []))
        new.headers["X-Forwarded-For"] = [prior + ", " + self.remote if trusted and prior else self.remote]
        for name, own in (("X-Forwarded-Proto", self.scheme), ("X-Forwarded-Host", self.host)):
            prior = (new.headers.get(name) or [""])[-1]
            new.headers[name] = [prior if trusted and prior else own]
        new.apply((handler.get("headers") or {}).get("request") or {})
        return new


def handshake(marked):
    given = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-Websocket-Version": "13"}
    if marked:
        given.update({k: v for k, v in MARK.items() if k != "Host"})
    return given


def arrived(headers, host):
    """Values of the eight by name, None where nothing arrived. `headers`: canonical name -> list."""
    values = {name: ", ".join(headers.get(canonical(name), [])) or None for name in HEADERS}
    values["Host"] = host
    return values


def fates(without, marked, host):
    """From what arrived of a request without and one with headers of the client's."""
    result = {}
    for name in HEADERS:
        if name in ("Upgrade", "Connection"):
            # without "upgrade" it is the transport's own ("close" with keepalive off)
            result[name] = "absent" if not marked[name] or name == "Connection" and marked[name].lower() == "close" else "clients" if marked[name].lower() in ("upgrade", "websocket") else "set"
            continue
        mark = host if name == "Host" else MARK[name]
        bare, value = without[name], marked[name]
        if value is None:
            result[name] = "absent"
        elif value == mark and (bare is None or name == "Host"):
            result[name] = "clients"
        elif mark in value and name != "Host":
            result[name] = "appended"
        else:
            result[name] = "set"
    return result


def agrees(name, said, seen):
    if said == "unknown" or said == seen:
        return True
    # a value that the configuration writes down cannot be told from the client's
    if name in ("Upgrade", "Connection"):
        return "absent" not in (said, seen) or said == "set" and name == "Connection"
    # the word of a trusted peer: taken over, not added to
    return said == "appended" and seen in ("clients", "appended") and name in ("X-Forwarded-Proto", "X-Forwarded-Host")


class Leaf:
    """One reverse_proxy, as adapted, with what stands in front of it."""


def matcher_of(match):
    """(prefix, exact, hosts, more) of one set."""
    prefix = exact = None
    more = False
    for name, value in match.items():
        if name == "path" and len(value) == 1:
            path = value[0]
            if "*" not in path:
                exact = path
            elif path.index("*") == len(path) - 1:
                prefix = path[:-1]
            else:
                more = True
        elif name != "host":
            more = True
    return prefix, exact, match.get("host"), more


UNSURE = {"unsure": True}


class State:
    def __init__(self):
        self.names, self.path, self.seen, self.pattern, self.rewritten, self.ops, self.sets, self.level, self.partly = (), "/", "/", False, False, [], [], 0, None

    def copy(self):
        new = State()
        new.__dict__.update(self.__dict__)
        new.ops, new.sets = list(self.ops), list(self.sets)
        return new

    def narrow(self, match):
        if not match:
            return
        prefix, exact, hosts, more = matcher_of(match)
        self.sets.append((match, self.level))
        if hosts:
            self.names = tuple(hosts)
        for path in (prefix, exact):
            if path is None or path in ("/", "") and exact is None:
                continue
            if self.rewritten or not (path.startswith(self.seen) or self.seen.startswith(path)):
                self.pattern = True
            elif self.partly and self.path == self.seen == "/" and path.startswith(self.partly[0]):
                # below that prefix everything has lost it: only the prefix twice gets here
                self.path, self.seen = self.partly[1] + path, path
            elif path.startswith(self.seen):
                self.path += path[len(self.seen):]
                self.seen = path
        self.pattern = self.pattern or more or exact is not None


def walk(routes, state, found, errors=False):
    for route in routes or []:
        sets = route.get("match") or [None]
        for match in sets:
            inner = state.copy()
            inner.narrow(match)
            inner.pattern = inner.pattern or errors
            for handler in route.get("handle", []):
                kind = handler["handler"]
                if kind == "subroute":
                    before, deeper = len(inner.ops), inner.copy()
                    walk(handler.get("routes"), deeper, found, errors)
                    # Whether a request comes out of it again is not worked out here.
                    inner.ops += [(passed + [(UNSURE, 0)], ops) for passed, ops in deeper.ops[before:]]
                elif kind == "rewrite":
                    inner.level += 1
                    prefix = handler.get("strip_path_prefix")
                    if prefix and inner.seen.startswith(prefix):
                        inner.seen = inner.seen[len(prefix):]
                    uri = handler.get("uri")
                    if uri and uri.endswith("{http.request.uri}") and uri.count("{") == 1:
                        inner.seen = uri[:-len("{http.request.uri}")] + inner.seen
                    elif uri or "uri_substring" in handler or "strip_path_suffix" in handler:
                        inner.rewritten = True
                elif kind == "headers" and handler.get("request"):
                    inner.ops.append(([], handler["request"]))
                elif kind == "reverse_proxy" and (handler.get("transport") or {}).get("protocol") != "fastcgi":
                    leaf = Leaf()
                    leaf.state, leaf.handler = inner.copy(), handler
                    found.append(leaf)
                    for answer in handler.get("handle_response", []):
                        later = inner.copy()
                        later.pattern = True
                        walk(answer.get("routes"), later, found, errors)
            # what a route did to the request holds behind it, for the requests that it meets
            for passed, ops in inner.ops[len(state.ops):]:
                state.ops.append((([(match, state.level)] if match else []) + passed, ops))
            prefix = matcher_of(match)[0] if match and set(match) == {"path"} else None
            stripped = [h["strip_path_prefix"] for h in route.get("handle", []) if h["handler"] == "rewrite" and "strip_path_prefix" in h]
            if stripped and prefix and prefix.startswith(stripped[0]) and not state.seen.startswith(prefix):
                state.partly = (prefix, stripped[0])
            if not match or (prefix is not None and state.seen.startswith(prefix)):
                state.seen, state.rewritten, state.level = inner.seen, inner.rewritten, inner.level


def tls(server, http_port, https_port):
    if server.get("tls_connection_policies"):
        return True
    automatic = server.get("automatic_https") or {}
    port = int(server["listen"][0].rsplit(":", 1)[1]) if ":" in server["listen"][0] else 0
    if automatic.get("disable") or port == http_port:
        return False
    if port == https_port:
        return True
    hosts = [h for route in server.get("routes") or [] for match in route.get("match") or [] for h in match.get("host") or []]
    return any(h not in (automatic.get("skip") or []) for h in hosts)


def leaves(adapted):
    http = (adapted.get("apps") or {}).get("http") or {}
    for server in (http.get("servers") or {}).values():
        found = []
        walk(server.get("routes"), State(), found)
        walk((server.get("errors") or {}).get("routes"), State(), found, errors=True)
        for leaf in found:
            leaf.listens = frozenset(one for address in server["listen"] for one in listens(address))
            leaf.tls = tls(server, http.get("http_port", 80), http.get("https_port", 443))
            leaf.protocols = server.get("protocols")
            yield leaf


def meets(match, host, path):
    """True, False or None (cannot be told)."""
    prefix, exact, hosts, more = matcher_of(match)
    if hosts and not any(h == host or (h.startswith("*.") and host.endswith(h[1:])) for h in hosts):
        return False
    if prefix is not None and not path.startswith(prefix):
        return False
    if exact is not None and path != exact:
        return False
    return None if more else True


def sent(leaf, marked, host, path):
    """The request that arrives, by the JSON; .unsure: headers that hang on a matcher which is not worked out here."""
    dial = ((leaf.handler.get("upstreams") or [{}])[0]).get("dial", "")
    request = Request(host, path, handshake(marked), scheme="https" if leaf.tls else "http", upstream=dial)
    for passed, ops in leaf.state.ops:
        # a path matcher that stands behind a rewrite sees another path than the client's: not worked out here
        answers = [True if (match, level) in leaf.state.sets else meets(match, host, path) if level == 0 or "path" not in match else None for match, level in passed]
        if False in answers:
            continue
        if None in answers:
            touched = {canonical(n) for kind in ("add", "set", "replace") for n in (ops.get(kind) or {})} | {canonical(n) for n in ops.get("delete") or []}
            request.unsure |= touched | ({"Upgrade", "Connection"} if touched & {"Upgrade", "Connection"} else set())
            continue
        request.apply(ops)
    result = request.proxy(leaf.handler)
    result.unsure = request.unsure
    return result


def upgrade(leaf, request):
    handler = leaf.handler
    transport = handler.get("transport") or {}
    scheme_tls = "tls" in transport
    if transport.get("protocol", "http") != "http" or ("h2c" in (transport.get("versions") or []) and not scheme_tls):
        return "dropped"
    if handler.get("buffer_responses") or (handler.get("rewrite") or {}).get("method", "GET").upper() != "GET":
        return "dropped"
    if leaf.protocols and "h1" not in leaf.protocols:
        return "dropped"
    connection = [part.strip().lower() for value in request.headers.get("Connection", []) for part in value.split(",")]
    if "upgrade" not in connection or (request.headers.get("Upgrade") or [""])[0].lower() != "websocket":
        return "dropped"
    return "passed" if request.headers.get("Sec-Websocket-Key") and request.headers.get("Sec-Websocket-Version") == ["13"] else "dropped"


def duration(nanoseconds):
    return int(nanoseconds or 0) // 1000000
