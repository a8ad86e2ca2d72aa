#!/usr/bin/env python3
"""Three things that only a running nginx tells: what an oddly quoted word becomes, when a silent WebSocket is cut, what a stream{}
passes on. One nginx for all of them."""

import pathlib
import random
import socket
import sys
import time

from nginx import MODULES, Recorder, Running, ask, fail, free_ports, model, need, scratch

# No newline: it would end the header that carries the word. No '$': what it stands for is another test's.
LETTERS = list("abz09-_/.:=~^(),") + [" ", "\t", ";", "{", "}", "#", "'", '"', "\\", "\\\\", "\\'", '\\"', "\\t", "\\;", "\\ ", "\\x", "é"]


def spelling(rng):
    """Some text that nginx takes for one word."""
    kind = rng.choice(["bare", "bare", "'", '"'])
    text = "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 12)))
    if kind != "bare":
        return kind + text.replace("\\" + kind, "\\" + kind).replace(kind, "\\" + kind).rstrip("\\") + kind
    text = "".join(one if one not in " \t;{" else "\\" + one for one in text).rstrip("\\")
    return "w" + text


def quoted_right(text):
    """Whether what was made up is one word indeed: a quote that closes early, or a backslash in front of the last quote, is another."""
    at, last = (1, text[0]) if text[0] in "'\"" else (0, None)
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if last and text[at] == last:
            return at == len(text) - 1
        if not last and text[at] in " \t;{":
            return False
        at += 1
    return not last and at == len(text)


def silent(port, target, headers):
    """Seconds until a silent connection is cut."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        head = "\r\n".join([f"GET {target} HTTP/1.1", "Host: x"] + headers) + "\r\n\r\n"
        connection.sendall(head.encode())
        if b" 101 " not in connection.recv(4096):
            fail(f"no upgrade at {target}")
        begin = time.monotonic()
        while connection.recv(4096):
            pass
        return time.monotonic() - begin


def main():
    need()
    rng = random.Random(7)
    words = []
    while len(words) < 500:
        text = spelling(rng)
        if quoted_right(text):
            words.append(text)
    recorder = Recorder()
    port, raw = free_ports(2)
    with scratch() as root:
        folder = pathlib.Path(root)
        locations = "".join(f"location = /w{i} {{ proxy_set_header X-Real-IP {text}; proxy_pass http://127.0.0.1:{recorder.port}; }}\n"
                            for i, text in enumerate(words))
        shake = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
        idle = f"location = /idle {{ proxy_pass http://127.0.0.1:{recorder.port}; {shake} proxy_read_timeout 1s200ms; }}"
        (folder / "nginx.conf").write_text(
            f"load_module {MODULES}/ngx_stream_module.so; pid pid; error_log stderr crit; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d;"
            f" scgi_temp_path e;\n server {{ listen 127.0.0.1:{port}; {idle}\n{locations} }} }}\n"
            f"stream {{ upstream u {{ server 127.0.0.1:{recorder.port}; }} server {{ listen 127.0.0.1:{raw}; proxy_pass u;"
            f" proxy_timeout 900ms; }} }}\n")
        read = model(folder / "nginx.conf")
        if read["faults"]:
            fail(str(read["faults"]))
        routes = {route["pattern"] or route["path"]: route for route in read["routes"]}
        with Running(folder, port):
            for i, text in enumerate(words):
                recorder.heads.clear()
                ask(port, f"/w{i}", [("Host", "x"), ("Connection", "close")])
                arrived = recorder.heads[0].get("X-Real-IP")
                understood = routes[f"= /w{i}"]["headers"]["X-Real-IP"]["value"]
                # The transport may trim white space at the ends of a header's value.
                if (arrived or "").strip(" \t") != understood.encode().decode("latin-1").strip(" \t"):
                    fail(f"{text} is {arrived!r} for nginx and {understood!r} for the reader")
            headers = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"]
            cuts = []
            for route, target, where in ((routes["= /idle"], "/idle", port), (routes["/"], "/", raw)):
                recorder.heads.clear()
                cut = silent(where, target, headers)
                cuts.append(cut)
                if abs(cut * 1000 - route["idle_timeout_ms"]) > 400:
                    fail(f"{target}: cut after {cut:.2f} s, the route says {route['idle_timeout_ms']} ms")
            if recorder.heads[0].get("X-Forwarded-For") or recorder.heads[0].get("Host") != "x":
                fail(f"stream changed the request: {recorder.heads[0].headers}")
        recorder.close()
    print(f"good: {len(words)} oddly spelt words, the same for nginx and the reader; silent connections cut after "
          f"{cuts[0]:.2f} s (1.2) and {cuts[1]:.2f} s (0.9); a stream passes a handshake as it is")


if __name__ == "__main__":
    sys.exit(main())
