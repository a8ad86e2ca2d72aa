#!/usr/bin/env python3
"""Two or three faults at once, in one home: every cause is named, --fix does not make it worse and comes to an end, undo gives all back.

The combinations are the same every time. Most are of a home at rest; some have a running gateway.
"""
import itertools
import random
import shutil

import faults
import harness
from harness import GATEWAY_TOKEN, SAME_CONTENT, Failure, Gateway, Home, differences, doctor_json, expect, say, seed_dir, snapshot
from prove import DOCTORS_OWN, GATEWAYS_OWN

AT_REST, LIVE = 60, 2
MOST_UNDOS = 12
NGINX = """events {}
http {
  server { listen 127.0.0.1:9; server_name other.example.com; location / { proxy_pass http://127.0.0.1:3; } }
  server {
    listen 443; server_name gw.example.com;
    # the gateway
    location / {
      proxy_pass http://127.0.0.1:%d;
%s
    }
  }
}
"""
ROUTE = {"upgrade": ["proxy_http_version 1.1;", "proxy_set_header Upgrade $http_upgrade;", 'proxy_set_header Connection "upgrade";'],
         "forward": ["proxy_set_header Host $host;", "proxy_set_header X-Forwarded-For $remote_addr;"]}


class Scene:
    """What the faults are written into, before it becomes a home."""

    def __init__(self, home: Home):
        self.home = home
        self.config = home.default_config()
        self.gateway = self.config["gateway"]
        self.route = None  # parts of ROUTE that the proxy has; None: no proxy
        self.dotenv = ""
        self.after = []

    def write(self) -> tuple:
        home = self.home
        home.write_config(self.config)
        if self.dotenv:
            home.write(home.state / ".env", self.dotenv, 0o600)
        for step in self.after:
            step()
        if self.route is None:
            return ()
        lines = [f"      {line}" for part in self.route for line in ROUTE[part]]
        path = home.home / "nginx.conf"
        home.write(path, NGINX % (home.port, "\n".join(lines)), 0o644)
        return ("--proxy-config", str(path))


def set_at(*path_and_value):
    *path, value = path_and_value

    def change(scene):
        at = scene.gateway
        for name in path[:-1]:
            at = at.setdefault(name, {})
        at[path[-1]] = value

    return change


def trust(*entries):
    return lambda scene: scene.gateway.setdefault("trustedProxies", ["127.0.0.1"]).extend(entries)


def proxy_without(part):
    def change(scene):
        scene.route = [name for name in (scene.route or ROUTE) if name != part]
        # The doctor's own idea of a proxy that is right: listed, and its page allowed.
        listed = scene.gateway.setdefault("trustedProxies", ["127.0.0.1"])
        if "127.0.0.1" not in listed:
            listed.append("127.0.0.1")
        scene.gateway.setdefault("controlUi", {}).setdefault("allowedOrigins", []).append("http://gw.example.com:443")

    return change


def origin(text):
    return lambda scene: scene.gateway.setdefault("controlUi", {}).setdefault("allowedOrigins", []).append(text)


def later(step):
    return lambda scene: scene.after.append(lambda: step(scene.home))


def blank_token(scene):
    scene.gateway["auth"]["token"] = GATEWAY_TOKEN + " "


def other_token(scene):
    scene.dotenv += "OPENCLAW_GATEWAY_TOKEN=another-token-0123456789abcdef\n"


# name -> (what it touches, change, what must be named, may a gateway run with it)
FAULTS = {
    "trusts-everyone": ("list", trust("0.0.0.0/0"), "docker-trusted-proxies/trusts-everyone", True),
    "matches-nothing": ("entry", trust("nginx", "10.0.0.0/33"), "docker-trusted-proxies/entry-matches-nothing", True),
    "too-wide": ("wide", trust("10.0.0.0/8"), "docker-trusted-proxies/range-too-wide", True),
    "bind-unknown": ("bind", set_at("bind", "0.0.0.0"), "docker-bind/bind-unknown", False),
    "bind-without-auth": ("bind auth", lambda scene: (set_at("bind", "lan")(scene), set_at("auth", {"mode": "none"})(scene)),
                          "docker-bind/bind-without-auth", False),
    "auth-unknown": ("auth", set_at("auth", "mode", "off"), "gateway-exposure/auth-mode-unknown", False),
    "port-in-quotes": ("port", lambda scene: set_at("port", str(scene.home.port))(scene), "gateway-port/not-a-port", False),
    "origin-slash": ("origin", origin("https://ui.example.com/"), "docker-origins/entry-never-matches", True),
    "device-auth-off": ("ui", set_at("controlUi", "dangerouslyDisableDeviceAuth", True), "gateway-exposure/device-auth-off", True),
    "dir-open": ("mode", later(lambda home: home.state.chmod(0o755)), "files-modes/dir-open", True),
    "no-upgrade": ("proxy", proxy_without("upgrade"), "proxy-websocket/upgrade-dropped", True),
    "not-forwarded": ("proxy", proxy_without("forward"), "proxy-websocket/not-forwarded", True),
    "held": ("listener", None, "gateway-port/held-by-another", False),
}
OLD_ONLY = {
    "dotenv": ("auth token", other_token, "token-mismatch/dotenv-shadows-config", True),
    "token-blank": ("auth token", blank_token, "token-hygiene/white-space", False),
    "paired-array": ("store", later(lambda home: home.write(home.state / "devices" / "paired.json", "[]", 0o600)),
                             "pairing-store/paired-array", False)}


def combinations(release, live: bool, count: int) -> list:
    known = dict(FAULTS, **({} if release.sqlite else OLD_ONLY))
    names = [name for name in known if known[name][3] or not live]
    every = [picked for size in (2, 3) for picked in itertools.combinations(names, size)
             if len({word for name in picked for word in known[name][0].split()}) == sum(len(known[name][0].split()) for name in picked)]
    random.Random(20260906).shuffle(every)
    return [[(name, known[name]) for name in picked] for picked in every[:count]]


def content(home: Home) -> dict:
    return snapshot(home.home)


def changed(before, after) -> list:
    return differences(before, after, fields=SAME_CONTENT, ignore=GATEWAYS_OWN + DOCTORS_OWN)


def told(report) -> str:
    """The short form: whole documents of sixty homes are too much to read."""
    lines = [f"  {f['severity']} {f['checkId']}: {f['message']}" for f in report.findings]
    lines += [f"  {r['status']} {r.get('checkId')}: {r.get('summary') or r.get('title')}: {r.get('reason')}" for r in report.repairs()]
    return "\n".join(lines)


def errors(report) -> int:
    return len([f for f in report.findings if f["severity"] in ("error", "critical")])


def names_all(report, picked) -> list:
    said = {f["checkId"] for f in report.findings}
    return [fault[2] for _, fault in picked if fault[2] not in said]


def undo_all(home, before) -> None:
    for _ in range(MOST_UNDOS):
        if not changed(before, content(home)):
            return
        report = doctor_json(home, "undo", "--yes")
        if report.code != 0 or report.json.get("refused"):
            raise Failure(f"undo: {report.result}")
    raise Failure("\n".join(["undo does not give everything back:", *changed(before, content(home))]))


def go(home: Home, picked, args) -> None:
    shown = " + ".join(name for name, _ in picked)
    before = content(home)
    report = doctor_json(home, *args)
    if changed(before, content(home)):
        raise Failure(f"{shown}: a look changed something")
    left_out = names_all(report, picked)
    if left_out or report.code != 1:
        raise Failure(f"{shown}: not named: {left_out}, exit {report.code}\n{told(report)}")
    fixed = doctor_json(home, "--fix", "--yes", "--unsafe", *args)
    if fixed.code not in (0, 1) or errors(fixed) > errors(report):
        raise Failure(f"{shown}: --fix exits {fixed.code}, errors {errors(report)} -> {errors(fixed)}\n{told(fixed)}")
    new = sorted(set(fixed.ids()) - set(report.ids()))
    if new:
        raise Failure(f"{shown}: after --fix there is something new: {new}\n{told(fixed)}")
    after = content(home)
    again = doctor_json(home, "--fix", "--yes", "--unsafe", *args)
    if changed(after, content(home)) or again.code != fixed.code:
        raise Failure("\n".join([f"{shown}: a second --fix changes something, exit {fixed.code} -> {again.code}", *changed(after, content(home)), told(again)]))
    undo_all(home, before)
    say(f"ok: {shown}: {len(report.ids())} found, {len(fixed.ids())} left: {', '.join(sorted(set(fixed.ids()))) or 'none'}")


def at_rest(release) -> None:
    wrong = []
    for picked in combinations(release, False, AT_REST):
        home = Home(release)
        shutil.copytree(seed_dir(release) / "state", home.state, symlinks=True)  # without the caches of its TMPDIR: thousands of files
        scene = Scene(home)
        for _, fault in picked:
            if fault[1]:
                fault[1](scene)
        args = scene.write()
        try:
            if any(name == "held" for name, _ in picked):
                with faults.web_server(home.port):
                    go(home, picked, args)
            else:
                go(home, picked, args)
        except Failure as failure:
            wrong.append(str(failure))
            say(f"WRONG: {failure}")
    expect(not wrong, f"{AT_REST} combinations of faults: each named, mended as far as may be, and taken back", *wrong)


def live(release) -> None:
    for picked in combinations(release, True, LIVE):
        home = Home(release)
        home.from_seed()
        scene = Scene(home)
        for _, fault in picked:
            fault[1](scene)
        args = scene.write()
        with Gateway(home):
            report = doctor_json(home, *args)
            left_out = names_all(report, picked)
            expect(not left_out, f"live: {' + '.join(name for name, _ in picked)}: all named", left_out, report)
            fixed = doctor_json(home, "--fix", "--yes", "--unsafe", *args)
            expect(fixed.code in (0, 1) and errors(fixed) <= errors(report), "... and --fix makes nothing worse", fixed)


def scenario(release) -> None:
    at_rest(release)
    live(release)


if __name__ == "__main__":
    harness.START_TIMEOUT_S = 240  # it proves nothing here that a gateway starts fast
    harness.main(scenario)
