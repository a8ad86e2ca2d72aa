#!/usr/bin/env python3
"""{nginx, haproxy, caddy, apache2} x {seven conditions}, in front of a real gateway: what a real client on the other side meets, what the
doctor says, and that after --fix the same real client connects. Printed as a table.

The client stands in a network namespace of its own, the proxies and the gateway on the host that it reaches by a veth pair, with TLS.
What is met is measured, never assumed: a fresh device's handshake (locality_client.mjs) tells how the gateway takes it, and OpenClaw's own
command line, paired once in the healthy condition, tells whether a user gets in.
"""
import concurrent.futures
import re
import shutil

import harness
from harness import GATEWAY_TOKEN, Failure, Gateway, Home, expect, say
from lan import HOST, Lan
from newcomer import CLAIMS, Newcomer
from proxies import CONDITIONS, SERVERS, Proxy, certificate

CHECKS = ("proxy-websocket", "docker-trusted-proxies", "proxy-attribution")
TRUSTED = {"not-forwarded": None, "not-trusted": None, "too-wide": ["127.0.0.1", "10.77.0.0/24"]}
# What the doctor may call what the client met. Of the first two each condition has its own word.
NAMES = {
    "no upgrade": {"no-upgrade": {"proxy-websocket/upgrade-dropped"}, "http-version": {"proxy-websocket/http-version"}},
    "403": {"docker-trusted-proxies/peer-missing", "docker-trusted-proxies/range-too-wide", "docker-trusted-proxies/trusts-everyone",
            "proxy-attribution/refused", "proxy-websocket/not-forwarded"},
    "paired unasked": {"proxy-websocket/not-forwarded"},
    "can lie": {"proxy-websocket/forwarded-spoofable", "docker-trusted-proxies/range-too-wide"},
    "not told apart": {"docker-trusted-proxies/peer-missing", "proxy-websocket/not-forwarded"},
}


class Scene:
    def __init__(self, release):
        self.release = release
        self.lan = Lan()
        self.cert, _ = certificate()
        self.home = Home(release)
        self.home.from_seed()
        self.client = Home(release)
        self.client.state.mkdir(mode=0o700)
        self.proxies = {name: Proxy(name, HOST, 8440 + n) for n, name in enumerate(SERVERS)}
        self.newcomer = Newcomer(self.lan, self.home)

    def configure(self, trusted) -> None:
        config = self.home.default_config()
        if trusted is not None:
            config["gateway"]["trustedProxies"] = trusted
        self.home.write_config(config)

    # ------------------------------------------------------------------------------------------ what a client meets

    def ask(self, proxy, lie=None) -> dict:
        return self.newcomer.ask(proxy.port, True, [("Host", lie or f"{HOST}:{proxy.port}"), *(CLAIMS if lie else [])])

    def met(self, proxy) -> str:
        return self.newcomer.met(proxy.server, lambda lie=None: self.ask(proxy, lie), ["localhost"])

    def openclaw(self, proxy) -> harness.Result:
        """OpenClaw's own command line, in a home of its own for each proxy."""
        home = self.homes[proxy.server]
        words = ["gateway", "call", "status"] if self.release.sqlite else ["devices", "list"]
        return self.openclaw_words(home, proxy, words)

    def openclaw_words(self, home, proxy, words) -> harness.Result:
        home.write_config({"gateway": {"mode": "remote", "remote": {"url": f"wss://{HOST}:{proxy.port}", "token": GATEWAY_TOKEN}}})
        return harness.run([*self.lan.enter, self.release.node, self.release.entry, *words],
                           env=home.env({"NODE_EXTRA_CA_CERTS": str(self.cert)}), timeout=harness.CLIENT_TIMEOUT_S, cwd=home.home)

    def pair(self) -> None:
        """One device, approved by the gateway's owner; its home is then copied for each proxy."""
        proxy = self.proxies["nginx"]
        commands = [["gateway", "probe"], ["status"], ["gateway", "call", "status"]] if self.release.sqlite else [["devices", "list"]]
        for words in commands:
            result = self.openclaw_words(self.client, proxy, words)
        expect("pairing required" in result.text, "a new client behind the healthy proxy is asked to pair", result)
        approve = self.home.openclaw("devices", "approve", "--latest")
        request = re.search(r"devices approve ([0-9a-f-]{36})", approve.text)
        if request:
            approve = self.home.openclaw("devices", "approve", request.group(1))
        expect(approve.code == 0, "its owner approves it", approve)
        result = self.openclaw_words(self.client, proxy, commands[-1])
        expect(result.code == 0, "then it connects", result)
        self.homes = {}
        for name in SERVERS:
            home = Home(self.release)
            shutil.copytree(self.client.state, home.state, symlinks=True)
            self.homes[name] = home

    def all(self, what) -> dict:
        """what(proxy) for each proxy, two at a time: OpenClaw's command line is busy for seconds."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return dict(zip(SERVERS, pool.map(lambda name: what(self.proxies[name]), SERVERS)))

    # ------------------------------------------------------------------------------------------ what the doctor says

    def doctor(self, *args) -> harness.Report:
        only = [word for check in CHECKS for word in ("--only", check)]
        named = [word for proxy in self.proxies.values() for word in ("--proxy-config", str(proxy.config))]
        return harness.doctor_json(self.home, *only, *named, *args)

    def verdicts(self, report) -> dict:
        """Per proxy: what was found in its configuration, and what holds for all of them."""
        found = {name: set() for name in SERVERS}
        for finding in report.findings:
            if finding["severity"] not in ("warning", "error"):
                continue
            owners = [name for name, proxy in self.proxies.items() if finding.get("path", "").startswith(str(proxy.folder) + "/")]
            for name in owners or SERVERS:
                found[name].add(finding["checkId"])
        return found


def condition_of(scene, gateway, condition, rows) -> None:
    for proxy in scene.proxies.values():
        proxy.write(condition, scene.home.port)
        proxy.start()
    scene.configure(TRUSTED.get(condition, ["127.0.0.1"]))
    gateway.wait_settled()
    met = scene.all(scene.met)
    connects = scene.all(scene.openclaw)
    report = scene.doctor()
    verdicts = scene.verdicts(report)
    problems = []
    for name in SERVERS:
        wanted = NAMES.get(met[name], {})
        wanted = wanted.get(condition, set()) if isinstance(wanted, dict) and met[name] == "no upgrade" else wanted
        right = verdicts[name] & set(wanted) if met[name] != "healthy" else not verdicts[name]
        if not right or (met[name] == "no upgrade" and not wanted):
            problems.append(f"{condition}, {name}: a client meets \"{met[name]}\", the doctor says {sorted(verdicts[name]) or 'nothing'}")
        if (met[name] in ("no upgrade", "403")) == (connects[name].code == 0):
            problems.append(f"{condition}, {name}: \"{met[name]}\", and OpenClaw's command line: {connects[name]}")
    fixed = scene.doctor("--fix", "--yes", "--unsafe") if any(verdicts.values()) else report
    if fixed.code != 0:
        problems.append(f"{condition}: --fix ended with {fixed}")
    gateway.wait_settled()
    after = scene.all(scene.met)
    works = scene.all(scene.openclaw)
    for name in SERVERS:
        if after[name] != "healthy":
            problems.append(f"{condition}, {name}: after --fix a client meets \"{after[name]}\"\n{scene.proxies[name].config.read_text()}")
        if works[name].code != 0:
            problems.append(f"{condition}, {name}: after --fix OpenClaw's command line fails: {works[name]}")
        rows.append((scene.release.version, condition, name, met[name], ", ".join(sorted(verdicts[name])) or "-",
                     after[name], "connects" if works[name].code == 0 else "FAILS"))
    if problems:
        raise Failure("\n".join(problems) + f"\n--- look: {report}\n--- fix: {fixed}")
    say(f"{condition}: " + ", ".join(f"{name} {met[name]}" for name in SERVERS))


def print_table(rows) -> None:
    heads = ("release", "condition", "proxy", "a client meets", "the doctor says", "after --fix", "OpenClaw's client")
    widths = [max(len(str(row[i])) for row in [heads, *rows]) for i in range(len(heads))]
    for row in [heads, tuple("-" * width for width in widths), *rows]:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip(), flush=True)


def scenario(release) -> None:
    scene = Scene(release)
    rows, failures = [], []
    for proxy in scene.proxies.values():
        proxy.write("correct", scene.home.port)
        proxy.start()
    scene.configure(["127.0.0.1"])
    with Gateway(scene.home) as gateway:
        scene.pair()
        for condition in CONDITIONS:
            try:
                condition_of(scene, gateway, condition, rows)
            except Failure as failure:
                failures.append(str(failure))
                say(f"{condition}: FAILED")
    print_table(rows)
    expect(not failures, f"{len(rows)} cells: the doctor says what a client meets, and after --fix it connects", *failures)


if __name__ == "__main__":
    harness.main(scenario)
