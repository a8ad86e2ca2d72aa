#!/usr/bin/env python3
"""Healthy, but unusual: no warning and no error may come of it. Whoever is told of a fault that is none does not believe the next one.

Most setups are judged at rest, beside proxies, bridges, homes and logs that are none of ours; some with a running gateway.
"""
import datetime
import json
import os
import pathlib
import shutil
import ssl
import time
import urllib.error
import urllib.request

import harness
from harness import GATEWAY_TOKEN, OTHER_UID, Failure, Gateway, Home, doctor, doctor_json, expect, say, scratch, seed_dir
from lan import HOST, Lan, ip

PASSWORD = {"mode": "password", "password": "a-long-password-of-mine-123"}
BY_PROXY = {"mode": "trusted-proxy", "trustedProxy": {"userHeader": "x-forwarded-user"}}
OTHERS = """events {}
http {
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server { listen 443 ssl; server_name grafana.example.com; location / { proxy_pass http://127.0.0.1:3; } }
  server { listen 80; server_name chat.example.com; location /ws { proxy_pass http://127.0.0.1:4; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; } }
  server { listen 80 default_server; root /var/www/html; location ~ \\.php$ { fastcgi_pass unix:/run/php/php-fpm.sock; } }
%s
}
"""
OURS = """  server { listen 443 ssl; server_name gw.example.com; location / { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1;
      proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_read_timeout 1h; } }"""
OTHER_SERVICES = """services:
  web: { image: nginx, ports: ['8080:80', '18789:80'] }
  db:
    image: postgres
    environment: [TOKEN=abc]
"""
OUR_SERVICE = """services:
  openclaw-gateway:
    image: openclaw:local
    environment: { OPENCLAW_GATEWAY_TOKEN: '${OPENCLAW_GATEWAY_TOKEN}' }
    ports: ['127.0.0.1:18789:18789']
    command: ['node', 'dist/index.js', 'gateway', '--bind', 'lan', '--port', '18789']
"""


class Judge:
    def __init__(self, home: Home):
        self.home = home
        self.count = 0
        self.wrong = []

    def healthy(self, name: str, *args, home=None, env=None, uid=None, may_leave_open=False) -> None:
        self.count += 1
        report = doctor_json(home or self.home, *args, env=env, uid=uid)
        found = report.ids()
        open_ = [c["id"] for c in report.json["checks"] if c["status"] in ("unknown", "error", "timeout")]
        if found or (open_ and not may_leave_open) or report.code != (3 if open_ else 0):
            told = [f"{f['severity']} {f['checkId']}: {f['message']}" for f in report.findings]
            self.wrong.append("\n".join([f"{name}: exit {report.code}", *told, *open_]))
            say(f"WRONG: {self.wrong[-1]}")
        else:
            say(f"ok: {name}")

    def gateway(self, name: str, gateway: dict, files=(), env=None, args=(), more=None) -> None:
        config = self.home.default_config()
        config["gateway"].update(gateway)
        config.update(more or {})
        self.text(name, json.dumps(config, indent=2), files, env, args)

    def text(self, name: str, config: str, files=(), env=None, args=()) -> None:
        self.home.write(self.home.state / "openclaw.json", config, 0o600)
        for path, text in files:
            path = self.home.home / path
            path.parent.mkdir(parents=True, exist_ok=True)
            self.home.write(path, text, 0o600)
        self.healthy(name, *args, env=env)
        for path, _ in files:
            (self.home.home / path).unlink()
        self.home.write_config(self.home.default_config())


def state_only(release, **more) -> Home:
    """A home of the seed without the caches of its TMPDIR, which are thousands of files."""
    home = Home(release, **more)
    shutil.copytree(seed_dir(release) / "state", home.state, symlinks=True)
    home.write_config(home.default_config())
    home.give_to_user(home.state)
    return home


def configurations(judge: Judge) -> None:
    home, new = judge.home, judge.home.release.sqlite
    ui = {"controlUi": {"allowedOrigins": [f"http://{HOST}:{home.port}"]}}
    lan = dict(bind="lan", **ui)
    judge.gateway("default", {})
    judge.gateway("lan with a token", lan)
    judge.gateway("lan with a password", dict(lan, auth=PASSWORD))
    judge.gateway("bind auto", dict(bind="auto", **ui))
    judge.gateway("bind tailnet", dict(bind="tailnet", **ui))
    if new:
        judge.gateway("bind custom", dict(bind="custom", customBindHost=HOST, **ui))
    judge.gateway("tailscale serve", {"tailscale": {"mode": "serve"}})
    judge.gateway("tailscale serve, its users let in", {"tailscale": {"mode": "serve"},
                                                       "auth": {"mode": "token", "token": GATEWAY_TOKEN, "allowTailscale": True}})
    judge.gateway("tailscale funnel with a password", {"tailscale": {"mode": "funnel"}, "auth": PASSWORD})
    judge.gateway("password", {"auth": PASSWORD})
    judge.gateway("trusted-proxy from the LAN", dict(lan, auth=BY_PROXY, trustedProxies=["10.77.0.2"]))
    judge.gateway("trusted-proxy on this host", {"auth": BY_PROXY, "trustedProxies": ["127.0.0.1", "::1"]})
    if not new:
        judge.gateway("auth none on loopback, before 2026.8", {"auth": {"mode": "none"}})
    judge.gateway("a proxy on the LAN", dict(lan, trustedProxies=["10.77.0.2"]))
    judge.gateway("a small range", dict(lan, trustedProxies=["10.77.0.0/30"]))
    judge.gateway("a proxy two networks away", dict(lan, trustedProxies=["192.168.55.7"]))
    judge.gateway("a proxy with an IPv6 address", dict(lan, trustedProxies=["2001:db8::7"]))
    if new:
        judge.gateway("IPv6 ranges", dict(lan, trustedProxies=["fd00:5::/64", "::1"]))
    judge.gateway("an empty list", {"trustedProxies": []})
    judge.gateway("loopback is trusted", {"trustedProxies": ["127.0.0.1", "::1"]})
    judge.gateway("two chained proxies", dict(lan, trustedProxies=["127.0.0.1", "10.77.0.2"]))
    judge.gateway("a URL of another gateway beside a local one", {"remote": {"url": "wss://gw.example.com", "token": GATEWAY_TOKEN}})
    judge.gateway("a base path", {"controlUi": {"basePath": "/claw"}})
    judge.gateway("no Control UI", {"controlUi": {"enabled": False}})
    judge.gateway("TLS of its own", {"tls": {"enabled": True, "autoGenerate": True}})
    judge.gateway("services of others in a compose file", {}, [("docker-compose.yml", OTHER_SERVICES)])
    judge.gateway("our own compose file", {}, [("openclaw/docker-compose.yml", OUR_SERVICE),
                                               ("openclaw/.env", f"OPENCLAW_GATEWAY_TOKEN={GATEWAY_TOKEN}\n")])
    judge.gateway("an HTTP proxy of the company", {}, env={"HTTPS_PROXY": "http://proxy.corp:3128", "HTTP_PROXY": "http://proxy.corp:3128"})
    judge.text("a client only", json.dumps({"gateway": {"mode": "remote", "remote": {"url": "wss://gw.example.com", "token": GATEWAY_TOKEN}}}))
    judge.text("the default port", json.dumps({"gateway": {"mode": "local", "auth": {"mode": "token", "token": GATEWAY_TOKEN}}}))
    judge.text("JSON5, $include, ${NAME}", """// mine
{ $include: './more.json5',
  gateway: { port: %d, mode: 'local', bind: "loopback", auth: { mode: 'token', token: '${MY_GW_TOKEN}' } /* from .env */,
    trustedProxies: ['127.0.0.1',], }, }""" % home.port,
               [(".openclaw/more.json5", "{ logging: { file: '%s' }, }" % (home.tmp / "openclaw.log")),
                (".openclaw/.env", f"MY_GW_TOKEN={GATEWAY_TOKEN}\n")])
    judge.text("the token from the environment", json.dumps({"gateway": {"mode": "local", "port": home.port, "auth": {
        "mode": "token", "token": "${OPENCLAW_GATEWAY_TOKEN}"}}}), env={"OPENCLAW_GATEWAY_TOKEN": GATEWAY_TOKEN})
    for zone in ("America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"):
        judge.gateway(f"time zone {zone}", {}, env={"TZ": zone})


def networks(judge: Judge) -> None:
    for i in range(12):
        bridge(f"br-{i:02x}", f"172.{20 + i}.0.1/16")
    bridge("docker0", "172.17.0.1/16")
    bridge("wg0", "10.8.0.2/24")
    lan = {"bind": "lan", "controlUi": {"allowedOrigins": [f"http://{HOST}:{judge.home.port}"]}}
    judge.gateway("many bridges", {})
    judge.gateway("many bridges, lan", lan)
    judge.gateway("two containers are the proxies", dict(lan, trustedProxies=["172.20.0.5", "172.21.0.9"]))
    judge.gateway("Docker's own network is trusted", dict(lan, trustedProxies=["172.17.0.0/16"]))


def bridge(name: str, address: str) -> None:
    ip("link", "add", name, "type", "bridge")
    ip("address", "add", address, "dev", name)
    ip("link", "set", name, "up")


def proxies_of_others(judge: Judge) -> None:
    """In this process's mount namespace the usual folders are ours."""
    if not own_folders():
        return
    nginx = pathlib.Path("/etc/nginx/nginx.conf")
    judge.healthy("empty folders of proxies")
    nginx.write_text(OTHERS % "")
    judge.healthy("nginx with three sites of others")
    nginx.write_text(OTHERS % "  server { listen 81; location / { proxy_pass http://127.0.0.1:5 } }")
    judge.healthy("... and a syntax error in a fourth")
    nginx.write_text("events {}\nhttp {\n include sites-enabled/*;\n}\n")
    (nginx.parent / "sites-enabled").mkdir()
    (nginx.parent / "sites-enabled/a").write_text("server { listen 80; location / { proxy_pass http://app:8000 } }\n")
    judge.healthy("... in a file of its own")
    (nginx.parent / "sites-enabled/a").unlink()
    for path, text in (("haproxy/haproxy.cfg", "defaults\n mode http\n timeout server 5s\nfrontend f\n bind :8081\n default_backend b\nbackend b\n"
                                               " server s 127.0.0.1:6\n"),
                       ("caddy/Caddyfile", "ws.example.com {\n reverse_proxy localhost:7\n}\n"),
                       ("apache2/apache2.conf", "Listen 8082\n<VirtualHost *:8082>\nProxyPass / http://127.0.0.1:8/\n</VirtualHost>\n")):
        if os.path.isdir(os.path.dirname(f"/etc/{path}")):
            pathlib.Path(f"/etc/{path}").write_text(text)
    judge.healthy("four proxies for others")
    nginx.write_text(OTHERS % (OURS % judge.home.port))
    judge.gateway("a right site for a gateway that is off", {"trustedProxies": ["127.0.0.1"],
                                                             "controlUi": {"allowedOrigins": ["https://gw.example.com"]}})
    nginx.unlink()


def own_folders() -> bool:
    if os.geteuid() != 0:
        return False
    for name in ("nginx", "haproxy", "caddy", "apache2"):
        if os.path.isdir(f"/etc/{name}"):
            folder = scratch() / f"etc-{name}"
            folder.mkdir()
            harness._mount(folder, f"/etc/{name}", harness.MS_BIND)
    return os.path.isdir("/etc/nginx")


def homes(judge: Judge) -> None:
    home = judge.home
    profile = home.home / ".openclaw-work"
    other = state_only(home.release)
    shutil.copytree(other.state, profile)
    config = other.default_config()
    config["gateway"]["port"] = home.port + 40
    home.write(profile / "openclaw.json", json.dumps(config), 0o600)
    judge.healthy("a profile beside it")
    judge.healthy("the profile itself", "--profile", "work")
    shutil.rmtree(profile)
    empty = doctor(Home(home.release))
    expect(empty.code == 2 and "no OpenClaw state" in empty.text, "a home without OpenClaw: no report, and why", empty)
    if os.geteuid() == 0:
        theirs = state_only(home.release, uid=OTHER_UID)
        judge.healthy("root looks at another user's home", home=theirs)
        judge.healthy("... by number", "--user", str(OTHER_UID), home=theirs)
        judge.healthy("that user looks, and sees no other's processes", home=theirs, uid=OTHER_UID)


LINES = ("Proxy headers detected from untrusted address. Connection will not be treated as local.",
         "Loopback connection with non-local Host header. Treating it as remote.", "device signature expired", "pairing required",
         "closed before connect conn=1 remote=172.18.0.4 fwd=203.0.113.9 origin=http://127.0.0.1:1 host=gw.example.com ua=x code=1008 "
         "reason=origin not allowed", "security warning: gateway: observed unattributable proxy-shaped traffic from 172.18.0.4; x",
         "gateway token mismatch")


def write_log(home: Home, days: float) -> None:
    when = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    lines = [json.dumps({"0": "gateway/ws", "1": line, "_meta": {"date": when}, "time": when}, separators=(",", ":")) for line in LINES]
    home.write(home.tmp / "openclaw.log", "\n".join(lines) + "\n", 0o600)


def old_logs(judge: Judge) -> None:
    write_log(judge.home, 8)
    judge.healthy("a log of 8 days ago")
    (judge.home.tmp / "openclaw.log").unlink()


def running(judge: Judge) -> None:
    home, new = judge.home, judge.home.release.sqlite
    with Gateway(home):
        judge.healthy("it runs")
        judge.healthy("its clients' clock is 3 s off", env=clock("+3"))
        write_log(home, 2)
        judge.healthy("a log of 2 days ago; it was started anew since")
        write_log(home, 0.5)
        report = doctor_json(home)
        expect("docker-trusted-proxies/peer-missing" in report.ids(), "... but one of this night counts", report)
    (home.tmp / "openclaw.log").unlink(missing_ok=True)
    setups = [("lan", {"bind": "lan", "trustedProxies": ["10.77.0.2"], "controlUi": {"allowedOrigins": [f"http://{HOST}:{home.port}"]}}),
              ("TLS of its own", {"tls": {"enabled": True, "autoGenerate": True}}), ("a base path", {"controlUi": {"basePath": "/claw"}})]
    for name, gateway in setups[:1 if new else 3]:
        config = home.default_config()
        config["gateway"].update(gateway)
        home.write_config(config)
        started = Gateway(home)
        started.start()
        try:
            wait_for(started)
            judge.healthy(f"it runs: {name}")
        finally:
            started.stop()


def clock(offset: str) -> dict:
    for library in pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"):
        return {"LD_PRELOAD": str(library), "FAKETIME": offset}
    return {}


def wait_for(gateway: Gateway) -> None:
    """It answers, with whatever status, by http or https."""
    trusting = ssl._create_unverified_context()
    deadline = time.monotonic() + harness.START_TIMEOUT_S
    while time.monotonic() < deadline and gateway.child.poll() is None:
        for scheme in ("http", "https"):
            try:
                path = "/readyz" if gateway.home.release.sqlite else "/"
                urllib.request.urlopen(f"{scheme}://127.0.0.1:{gateway.home.port}{path}", timeout=3, context=trusting)
                return
            except urllib.error.HTTPError as answer:
                if answer.code != 503:
                    return
            except OSError:
                pass
        time.sleep(0.2)
    raise Failure(f"the gateway does not answer:\n{gateway.log()[-3000:]}")


def scenario(release) -> None:
    Lan()
    judge = Judge(state_only(release))
    configurations(judge)
    networks(judge)
    proxies_of_others(judge)
    homes(judge)
    old_logs(judge)
    running(judge)
    expect(not judge.wrong, f"{judge.count} healthy setups, and nothing found in any", *judge.wrong)


if __name__ == "__main__":
    harness.START_TIMEOUT_S = 240  # it proves nothing here that a gateway starts fast
    harness.main(scenario)
