#!/usr/bin/env python3
"""A gateway in its first seconds, one that calls itself not ready, two of one home, and ports that only hand connections on: each with its healthy
counterpart."""
import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time

import faults
import harness
from harness import Failure, Gateway, Home, expect, free_port, say
from scenario_reachable import finds, look

PATIENT = ("--probe-timeout", "8")  # a gateway that takes a change in may be busy for seconds
EVERYTHING = ("info", "warning", "error")
START = "gateway-reachable/starting-up"
BOT_TOKEN = "123456:abcdefghijklmnopqrstuvwxyzABCDEFGHI"
NOT_AUTHORISED = faults.says("401 Unauthorized", "Content-Type: application/json",
                             body=b'{"ok":false,"error_code":401,"description":"Unauthorized"}')


def finds_all(home: Home, what: str, ids, *args, **options):
    """Hints too."""
    return finds(home, what, ids, "--severity-min", "info", *args, severities=EVERYTHING, **options)


def findings_of(report) -> list:
    return [(f["checkId"], f["severity"], f["confidence"]) for f in report.findings]


# ---------------------------------------------------------------------------------------------- the first seconds

def wait_for_title(gateway: Gateway) -> None:
    """Node has read its program and OpenClaw has given itself its name."""
    until = time.monotonic() + harness.START_TIMEOUT_S
    while time.monotonic() < until and gateway.child.poll() is None:
        with open(f"/proc/{gateway.child.pid}/comm", encoding="ascii") as comm:
            if comm.read().startswith("openclaw"):
                return
        time.sleep(0.05)


def starting(home: Home, gateway: Gateway, end=()) -> None:
    """From the first moment on nothing but starting-up is said, until the gateway answers (and `end` is all that is left)."""
    finds_all(home, "before the start", ["gateway-reachable/stopped"])
    gateway.start()
    wait_for_title(gateway)
    seen, until = [], time.monotonic() + harness.START_TIMEOUT_S
    while True:
        began = time.monotonic()
        report = look(home, "--severity-min", "info", *PATIENT)
        said = findings_of(report)
        if said != seen[-1:]:
            seen.append(said)
        if gateway.child.poll() is not None or began > until:
            raise Failure(f"it does not start:\n{gateway.log()[-3000:]}\n{report}")
        if any(code != START for code, _, _ in said) or not said:
            break
        finding = report.findings[0]
        if f"pid {gateway.child.pid}" not in finding["message"] or "openclaw logs" not in finding["fixHint"] or finding["severity"] != "info":
            raise Failure(f"starting-up names neither process nor command:\n{report}")
        time.sleep(0.3)
    confidences = [one[2] for said in seen[:-1] for one in said]
    expect("possible" in confidences, "before it has its lock, its start is called possible", seen)
    expect("likely" in confidences, "... and likely from then on", seen)
    expect([code for code, _, _ in said] == list(end), f"when it answers: {', '.join(end) or 'nothing'}", report)


# ---------------------------------------------------------------------------------------------- not ready

def with_channel(home: Home, port: int, enabled: bool) -> dict:
    config = home.default_config()
    config["channels"] = {"telegram": {"enabled": enabled, "botToken": BOT_TOKEN, "apiRoot": f"http://127.0.0.1:{port}"}}
    return config


def not_ready(home: Home) -> None:
    """A channel whose token is refused makes /readyz of 2026.9 say no for good. Clients connect all the same."""
    port = free_port()
    home.write_config(with_channel(home, port, True))
    gateway = Gateway(home)
    with faults.accepting(port, NOT_AUTHORISED):
        try:
            starting(home, gateway, ["gateway-reachable/not-ready"])
            report = finds(home, "a channel that is refused", ["gateway-reachable/not-ready"], *PATIENT,
                           holds=["telegram", "openclaw channels status --probe"])
            expect(report.findings[0]["severity"] == "warning", "... is a warning", report)
            told = home.openclaw("channels", "status", "--probe")
            expect(told.code == 0 and "telegram" in told.text.lower(), "the command that it names tells of the channel", told)
            home.write_config(with_channel(home, port, False))
            gone(home, "gateway-reachable/not-ready")
            finds_all(home, "without that channel", [], *PATIENT)
            forwarded(home)
        finally:
            gateway.stop()


def gone(home: Home, code: str) -> None:
    until = time.monotonic() + 40
    while code in look(home, *PATIENT).ids():
        if time.monotonic() > until:
            raise Failure(f"{code} does not go away:\n{look(home)}")
        time.sleep(0.5)


# ---------------------------------------------------------------------------------------------- handed on

@contextlib.contextmanager
def socat(port: int, to: int):
    child = subprocess.Popen(["socat", f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork", f"TCP:127.0.0.1:{to}"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        faults._wait_for(port)
        yield child
    finally:
        child.kill()
        child.wait(timeout=10)


def hands_on(to: int):
    """A forwarder that no list of programs knows: this Python."""
    def answer(connection):
        with socket.create_connection(("127.0.0.1", to)) as other:
            threading.Thread(target=copy, args=(other, connection), daemon=True).start()
            copy(connection, other)
    return answer


def copy(source, target) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


def forwarded(gateway_home: Home) -> None:
    """The home's gateway is somewhere else (a container, another host); its port here is somebody's who hands connections on."""
    home = Home(gateway_home.release)
    home.make_state()
    forwards = "gateway-port/forwarded"
    with socat(home.port, gateway_home.port) as child:
        report = finds_all(home, "socat before a gateway", [forwards], holds=["socat", f"pid {child.pid}"])
        expect(report.findings[0]["severity"] == "info", "... is no fault", report)
        finds_all(home, "... and so when nobody is asked", [forwards], "--offline")
    with socat(home.port, free_port()) as child:
        report = finds(home, "socat before nobody", ["gateway-port/nothing-behind", "gateway-reachable/another-program"],
                       holds=["socat", f"stop pid {child.pid}"])
        caused = next(f for f in report.findings if f["checkId"] == "gateway-reachable/another-program")
        expect("causedBy" in caused, "... the second follows from the first", report)
    with faults.accepting(home.port, hands_on(gateway_home.port)):
        finds_all(home, "a forwarder of unknown name", [forwards])
    with faults.web_server(home.port):
        finds(home, "a web server hands nothing on", ["gateway-port/held-by-another", "gateway-reachable/another-program"])
    finds(home, "nobody there", [])


# ---------------------------------------------------------------------------------------------- two of one home

def two_gateways(home: Home) -> None:
    """With OPENCLAW_ALLOW_MULTI_GATEWAY=1 the second does not look whether there is a first."""
    first = Gateway(home, args=("--port", str(free_port())))
    second = Gateway(home, env={"OPENCLAW_ALLOW_MULTI_GATEWAY": "1"})
    first.start()
    try:
        wait_for_port(first, int(first.args[1]))
        second.start()
        if not wait_for_port(second, home.port):
            say(f"{home.release.version} allows no second gateway of a home: {second.log().strip()[-200:]}")
            expect(second.child.poll() is not None, "it has ended", second.log()[-2000:])
            expect(home.release.sqlite, "as 2026.9 does; 2026.2 would allow it", second.log()[-2000:])
            report = look(home, "--severity-min", "info")
            expect("gateway-port/two-gateways" not in report.ids(EVERYTHING) and "gateway-port/runs-elsewhere" in report.ids(),
                   "one that was refused is not counted", report)
            return
        report = look(home)
        expect("gateway-port/two-gateways" in report.ids(), "two gateways of one home", report)
        finding = next(f for f in report.findings if f["checkId"] == "gateway-port/two-gateways")
        expect(all(f"pid {one.child.pid}" in finding["message"] for one in (first, second)), "... both named", report)
        expect("openclaw gateway stop" in finding["fixHint"], "... and the command", report)
        first.stop()
        gone(home, "gateway-port/two-gateways")
        expect(not look(home).ids(), "when the first has ended nothing is wrong", look(home))
    finally:
        first.stop()
        second.stop()


def wait_for_port(gateway: Gateway, port: int) -> bool:
    until = time.monotonic() + harness.START_TIMEOUT_S
    while time.monotonic() < until and gateway.child.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.2)
    return False


def scenario(release) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    home = Home(release)
    home.from_seed()
    if release.sqlite:
        not_ready(home)
    else:
        gateway = Gateway(home)
        try:
            starting(home, gateway)
            forwarded(home)
        finally:
            gateway.stop()
    home.write_config(home.default_config())
    two_gateways(home)


if __name__ == "__main__":
    sys.path.insert(0, str(harness.HERE))
    harness.main(scenario)
