#!/usr/bin/env python3
"""What a client meets at the gateway's addresses, and whose the port is: a gateway that runs, that hangs, that is gone; other programs on its
port, each with another fault; URLs that lead to nothing, to refusals, to bad certificates."""
import os
import signal
import time

import faults
import harness
from harness import Gateway, Home, doctor_json, expect, free_port, scratch

FAST = ("--probe-timeout", "1")
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
CHECKS = ("--only", "gateway-reachable", "--only", "gateway-port")


def look(home: Home, *args, env=None):
    return doctor_json(home, *CHECKS, *FAST, *args, env=env)


def finds(home: Home, what: str, ids, *args, holds=(), severities=("warning", "error"), env=None):
    began = time.monotonic()
    report = look(home, *args, env=env)
    took = time.monotonic() - began
    expect(sorted(report.ids(severities)) == sorted(ids), f"{what}: {', '.join(ids) or 'nothing'}", report, report.ids(severities))
    for text in holds:
        expect(text in report.result.text, f"... and says {text!r}", report)
    expect(took < 1 + 3, f"... in {took:.1f} s", report)
    return report


def probe(report, request="page", kind="loopback") -> dict:
    return next(p for p in report.json["probes"] if p["request"] == request and p["kind"] == kind)


def with_remote(home: Home, url: str, mode="remote") -> None:
    config = home.default_config()
    config["gateway"]["remote"] = {"url": url, "token": harness.GATEWAY_TOKEN}
    config["gateway"]["mode"] = mode
    home.write_config(config)


def running(home: Home) -> None:
    with Gateway(home) as gateway:
        report = finds(home, "a gateway that runs", [])
        page, upgrade = probe(report), probe(report, "websocket")
        expect(page["status"] == 200 and page["controlUi"] and upgrade["status"] == 101 and upgrade["challenged"],
               "page, upgrade and challenge came", page, upgrade)
        if home.release.sqlite:
            expect(probe(report, "healthz")["ok"] and probe(report, "readyz")["ready"], "/healthz and /readyz are its own")
        finds(home, "a URL of this host where it listens on loopback only", ["gateway-reachable/url-bind"], "--gateway-url",
              f"ws://{own_address(report)}:{home.port}")
        finds(home, "its own URL by name", [], "--gateway-url", f"ws://localhost:{home.port}")
        finds(home, "TLS to a gateway without", ["gateway-reachable/url-no-tls"], "--gateway-url",
              f"wss://localhost:{home.port}", holds=[f"--gateway-url ws://localhost:{home.port}"])
        finds(home, "clients that ask another port", ["gateway-port/runs-elsewhere"], env={"OPENCLAW_GATEWAY_PORT": "19"},
              holds=[str(home.port)])
        with gateway.frozen():
            report = finds(home, "a gateway that was stopped by a signal", ["gateway-reachable/frozen"], holds=["kill -CONT"])
            expect(probe(report)["reach"] == "timed-out", "the page timed out", probe(report))
        time.sleep(1)
        finds(home, "a gateway that goes on", [])
        another_home(home)
    finds(home, "a gateway that was stopped", ["gateway-reachable/stopped"], "--severity-min", "info",
          severities=("info", "warning", "error"))


def own_address(report) -> str:
    return next(p["url"] for p in report.json["probes"] if p["kind"] == "own-address").split("//")[1].split(":")[0]


def another_home(home: Home) -> None:
    other = Home(home.release)
    other.port = home.port
    other.make_state(other.default_config())
    finds(other, "a gateway of another home on the port", ["gateway-port/other-gateway"])


def other_programs(home: Home) -> None:
    held = "gateway-port/held-by-another"
    port = home.port
    me = f"pid {os.getpid()}"
    with faults.web_server(port):
        finds(home, "a web server on the port", [held, "gateway-reachable/another-program"], holds=[me, "HTTP 200"])
    for name, answer, reach in (("garbage", faults.garbage, "not-http"), ("resets", faults.resets, "reset"),
                                ("closes", faults.closes, "closed"), ("silence", faults.silent, "timed-out")):
        with faults.accepting(port, answer):
            report = finds(home, f"a program on the port: {name}", [held, "gateway-reachable/another-program"], holds=[me])
            expect(probe(report)["reach"] == reach, f"... told as {reach}", probe(report), probe(report, "websocket"))
            expect(probe(report, "websocket")["reach"] == reach, "... for the upgrade as well", probe(report, "websocket"))
    with faults.accepting(port, faults.says("503 Starting")):
        report = look(home)
        expect(held in report.ids(), "a program that says 503", report)


def remote_urls(home: Home) -> None:
    port = free_port()
    refuse = "gateway-reachable/url-refuses"
    cases = [
        ("a redirect", faults.says("301 Moved", "Location: https://gw.example.com/"), "url-redirects"),
        ("401", faults.says("401 No", "WWW-Authenticate: Basic"), "url-refuses"),
        ("403 of the gateway", faults.says("403 Forbidden", "Content-Type: application/json", body=b'{"error":{"type":'
                                           b'"proxy_attribution_required","message":"no"}}'), "url-refuses"),
        ("502", faults.says("502 Bad Gateway", "Server: nginx"), "url-nothing-behind"),
        ("404", faults.says("404 Not Found"), "url-not-openclaw"),
        ("the page instead of an upgrade", faults.says("200 OK", "Content-Type: text/html",
                                                       body=b"<title>OpenClaw Control</title>"), "url-no-upgrade"),
        ("resets", faults.resets, "url-not-openclaw"), ("silence", faults.silent, "url-silent"),
    ]
    with_remote(home, f"ws://127.0.0.1:{port}/claw")
    finds(home, "a remote URL where nobody listens", ["gateway-reachable/url-refused"])
    for name, answer, problem in cases:
        with faults.accepting(port, answer):
            report = finds(home, f"a remote URL: {name}", [f"gateway-reachable/{problem}"],
                           holds=["proxy_attribution_required"] if "gateway" in name and problem in refuse else [])
            expect(probe(report, kind="remote-url")["url"].endswith("/claw"), "its path is kept")
    with_remote(home, "ws://203.0.113.9:18789")
    report = finds(home, "another host, without --online", [])
    expect(probe(report, kind="remote-url")["reach"] == "not-asked", "it is not asked", report)
    with_remote(home, "wss://gw.example.invalid")
    finds(home, "a name that nobody knows", ["gateway-reachable/url-name"], "--online")


def certificates(home: Home) -> None:
    made = faults.Certificates(scratch() / f"certificates-{home.release.version}")
    bad = "gateway-reachable/url-certificate"
    cases = [(made.self_signed("self"), "tls-issuer", "signed itself"),
             (made.issued("good", "localhost"), None, None),
             (made.issued("old", "localhost", start="20200101000000Z", end="20210101000000Z"), "tls-expired", "expired"),
             (made.issued("early", "localhost", start="20390101000000Z"), "tls-expired", "not valid yet"),
             (made.issued("other", "gw.example.com"), "tls-name", "another name")]
    port = free_port()
    with_remote(home, f"wss://localhost:{port}")
    with made.server("good", port):
        finds(home, "an authority that nobody knows here", [bad], holds=["who issued", "Doctor's Test CA"])
    trust(made.folder / "ca.pem")
    for name, reach, words in cases:
        with made.server(name, port):
            expected = bad if reach else "gateway-reachable/url-not-openclaw"
            report = finds(home, f"certificate {name}", [expected], holds=[words] if words else [])
            page = probe(report, kind="remote-url")
            expect(page["reach"] == (reach or "answered") and page["status"] == 200,
                   f"... told as {reach or 'good'}, and what answers behind it too", page)
    with made.server("good", port):
        with_remote(home, f"ws://localhost:{port}")
        finds(home, "ws:// to a port that speaks TLS", ["gateway-reachable/url-needs-tls"],
              holds=[f"openclaw config set gateway.remote.url wss://localhost:{port}"])


def trust(authority) -> None:
    """From here on this process and its children have that list of authorities (a mount namespace of our own)."""
    harness._mount(authority, AUTHORITIES, harness.MS_BIND)


def scenario(release) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    home = Home(release)
    home.from_seed()
    running(home)
    other_programs(home)
    remote_urls(home)
    if os.geteuid() == 0 and os.path.exists(AUTHORITIES):
        certificates(home)


if __name__ == "__main__":
    harness.main(scenario)
