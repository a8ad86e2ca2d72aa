#!/usr/bin/env python3
"""A gateway in a container, its port published.

On loopback inside, nobody reaches it from the host: the forwarder closes what it took, as docker-proxy does. The doctor says so from inside
(docker exec) and from the host (compose file beside the mounted home). The repair, by consent, binds to all addresses and touches no
authentication; then a real client on the host connects with the token, and without it it does not. Last, the default of the release in a container.
"""
import json
import re
import socket

import harness
from container import BRIDGE, INSIDE, Container, InRoom, Room, doctor_in
from harness import GATEWAY_TOKEN, Home, expect, scratch

INSIDE_FOUND, HOST_FOUND = "docker-bind/container-loopback", "docker-bind/loopback-behind-port"
ALL = ("info", "warning", "error")
ONLY = ("--only", "docker-bind", "--severity-min", "info")
COMPOSE = """services:
  openclaw-gateway:
    image: ghcr.io/openclaw/openclaw
    ports:
      - "127.0.0.1:${OPENCLAW_GATEWAY_PORT:-18789}:%d" # published
    command: [node, dist/index.js, gateway]
  openclaw-cli:
    image: ghcr.io/openclaw/openclaw
    network_mode: "service:openclaw-gateway"
    entrypoint: [node, dist/index.js]
"""


class Scene:
    def __init__(self, release):
        self.release = release
        self.container = Container()
        self.host = Room("host", False)
        self.home = Home(release)
        self.home.from_seed()
        self.published = harness.free_port()
        self.client = Home(release)
        self.client.state.mkdir(mode=0o700)
        # The user's own folder on the host; of it the container has the state directory only.
        self.hosts = scratch() / "host-home"
        self.hosts.mkdir()
        (self.hosts / "docker-compose.yml").write_text(COMPOSE % self.home.port)
        (self.hosts / ".env").write_text(f"OPENCLAW_GATEWAY_PORT={self.published}\nOPENCLAW_CONFIG_DIR={self.home.state}\n")

    def inside_doctor(self, *args) -> harness.Report:
        return doctor_in(self.container, self.home, *ONLY, *args)

    def host_doctor(self, *args) -> harness.Report:
        return doctor_in(self.host, self.home, "--state-dir", str(self.home.state), *ONLY, *args, at=self.hosts)

    def configure(self, bind) -> str:
        config = self.home.default_config()
        if bind:
            config["gateway"]["bind"] = bind
        else:
            del config["gateway"]["bind"]
        self.home.write_config(config)
        return (self.home.state / "openclaw.json").read_text()

    def reached(self, answer) -> bool:
        """2026.9.6 lets a client with the token in without a device, and its status says so; earlier ones list the devices."""
        if self.release.sqlite:  # "reachable" is said of whoever answers, with "gateway connect failed: ... unauthorized" below
            return "· reachable" in answer.text and "gateway connect failed" not in answer.text
        return answer.code == 0

    def ask(self, token=GATEWAY_TOKEN) -> harness.Result:
        """OpenClaw's own command line on the host, at the published port."""
        self.client.write_config({"gateway": {"mode": "remote", "remote": {"url": f"ws://127.0.0.1:{self.published}", "token": token}}})
        words = ["status"] if self.release.sqlite else ["devices", "list"]
        return harness.run([*self.host.enter, self.release.node, self.release.entry, *words], env=self.client.env(),
                           timeout=harness.CLIENT_TIMEOUT_S, cwd=self.client.home)

    def inside(self, *words) -> harness.Result:
        return harness.run([*self.container.enter, self.release.node, self.release.entry, *words], env=self.home.env(),
                           timeout=harness.CLIENT_TIMEOUT_S, cwd=self.home.home)


def refused(scene) -> None:
    with socket.socket() as sock:
        expect(sock.connect_ex((INSIDE, scene.home.port)) == 111, "the host is refused at the container's address")
    answer = scene.ask()
    expect(not scene.reached(answer) and "pairing required" not in answer.text, "a client at the published port gets nowhere", answer)


def connects(scene) -> None:
    answer = scene.ask()
    if "pairing required" in answer.text:
        # Bound to the LAN, early releases refuse their own commands without this: "SECURITY ERROR: ... plaintext ws://" (the fixer says so).
        way = () if scene.release.sqlite else ("--url", f"ws://127.0.0.1:{scene.home.port}", "--token", GATEWAY_TOKEN)
        approve = scene.inside("devices", "approve", "--latest", *way)
        request = re.search(r"devices approve ([0-9a-f-]{36})", approve.text)
        if request:
            approve = scene.inside("devices", "approve", request.group(1), *way)
        expect(approve.code == 0, "it reaches the gateway, is asked to pair, and is approved in the container", approve)
        answer = scene.ask()
    expect(scene.reached(answer), "the real client on the host connects", answer)
    wrong = scene.ask(token="wrong-" + "0" * 40)
    expect(not scene.reached(wrong), "with another token it does not", wrong)


def broken_and_mended(scene) -> None:
    text = scene.configure("loopback")
    with InRoom(scene.container, scene.home) as gateway, scene.container.forward(scene.home.port, scene.published):
        refused(scene)
        report = scene.inside_doctor()
        expect(INSIDE_FOUND in report.ids(ALL), "the doctor in the container says that it listens inside only", report)
        expect(f"127.0.0.1:{scene.home.port}" in report.result.text, "and where", report)
        on_host(scene)
        asked = scene.inside_doctor("--fix", "--yes")
        expect((scene.home.state / "openclaw.json").read_text() == text, "without --unsafe nothing changes", asked)
        report = scene.inside_doctor("--fix", "--yes", "--unsafe")
        expect(report.repairs() and set(report.ids(ALL)) <= {"docker-bind/bind-not-taken-in"},
               f"--fix --unsafe repairs it{', the restart is left' if report.ids(ALL) else ''}", report)
        after = (scene.home.state / "openclaw.json").read_text()
        expect(after == text.replace('"bind": "loopback"', '"bind": "lan"'), "gateway.bind is lan, and nothing else changed", after)
        gateway.wait_settled()
    with InRoom(scene.container, scene.home), scene.container.forward(scene.home.port, scene.published):
        connects(scene)
        report = scene.inside_doctor()
        expect(not report.ids(ALL), "then the doctor has nothing to say, inside", report)
        report = scene.host_doctor()
        expect(not report.ids(ALL), "nor on the host", report)


def on_host(scene) -> None:
    """The gateway's process is another network's: here there are the compose file, the mounted home, and who forwards."""
    report = scene.host_doctor()
    expect(HOST_FOUND in report.ids(), "the doctor on the host says that the published port leads to a loopback listener", report)
    expect(f"Port {scene.published}" in report.result.text and "docker-compose.yml" in report.result.text, "with port and file", report)


def no_lock(scene) -> None:
    """Without a token to ask for, nothing is opened (from the host: the gateway is down)."""
    config = json.loads(scene.configure("loopback"))
    config["gateway"]["auth"] = {"mode": "none"}
    scene.home.write_config(config)
    text = (scene.home.state / "openclaw.json").read_text()
    report = scene.host_doctor("--fix", "--yes", "--unsafe")
    expect((scene.home.state / "openclaw.json").read_text() == text, "without authentication it is not opened", report)


def default(scene) -> None:
    """Nothing configured: loopback before 2026.4.23, all addresses since (container by /.dockerenv)."""
    scene.configure(None)
    with InRoom(scene.container, scene.home), scene.container.forward(scene.home.port, scene.published):
        report = scene.inside_doctor()
        found = report.ids(ALL)
        if scene.release.sqlite:
            connects(scene)
            expect(not found, "the default is all addresses: nothing to say", report)
        else:
            refused(scene)
            expect(found and "the default: loopback" in report.result.text, "the default is loopback, and is named", report)


def scenario(release) -> None:
    harness.START_TIMEOUT_S = 180  # three starts in one test, and others run beside
    scene = Scene(release)
    expect(BRIDGE != INSIDE, "a container of its own is up")
    broken_and_mended(scene)
    no_lock(scene)
    default(scene)


if __name__ == "__main__":
    harness.main(scenario)
