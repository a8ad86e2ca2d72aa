#!/usr/bin/env python3
"""A gateway on a network of its own (tests/real/lan.py): every address by which a client might come is asked and no other, packet filters swallow some
of them, and gateway.bind says one thing and the gateway does another."""
import contextlib
import ipaddress
import signal
import socket
import subprocess
import sys
import time

import faults
import harness
from harness import Gateway, Home, expect, free_port
from lan import CLIENT, HOST, Lan, ip
from scenario_reachable import finds, look, probe

TAILNET = "100.64.7.7"
HOST6, CLIENT6 = "fd77::1", "fd77::2"
NOBODY = ["10.77.0.97", "10.77.0.98"]
ELSEWHERE = "gateway-reachable/not-everywhere"


def config(home: Home, bind: str, **more) -> dict:
    made = home.default_config()
    made["gateway"].update({"bind": bind, "reload": {"mode": "off"}, **more})
    return made


def network() -> Lan:
    lan = Lan()
    ip("address", "add", f"{HOST6}/64", "dev", "lan0", "nodad")
    ip("address", "add", f"{TAILNET}/32", "dev", "lan0")
    ip("address", "add", f"{CLIENT6}/64", "dev", "lan1", "nodad", inside=lan.child.pid)
    for address in NOBODY:  # somebody has these addresses, and is silent (no "no route to host" after a second)
        ip("neighbour", "add", address, "lladdr", "02:00:00:00:00:99", "dev", "lan0")
    return lan


@contextlib.contextmanager
def packet_filter(*rules: str):
    """Rules of nft's input hook, in this network namespace only."""
    words = "add table inet doctor; add chain inet doctor input { type filter hook input priority 0; }; "
    words += " ".join(f"add rule inet doctor input {rule};" for rule in rules)
    subprocess.run(["nft", words], check=True, timeout=30)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", "doctor"], check=True, timeout=30)


def connects(address: str, port: int) -> str:
    """What a client meets there: "connected", "refused", "silence"."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return "connected"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "silence"


def reach(report, host: str, request="page") -> str:
    shown = f"[{host}]" if ":" in host else host
    return next(p["reach"] for p in report.json["probes"] if p["request"] == request and f"//{shown}:" in p["url"])


def calm(home: Home, address="127.0.0.1") -> None:
    """Waits until its first seconds are over and it answers at once, three times."""
    until, quick = time.monotonic() + harness.START_TIMEOUT_S, 0
    while quick < 3:
        began = time.monotonic()
        answered = b"200 OK" in page(address, home)
        quick = quick + 1 if answered and time.monotonic() - began < 0.2 else 0
        if began > until:
            raise harness.Failure("the gateway does not become quick")
        time.sleep(0.2)


# ---------------------------------------------------------------------------------------------- bind lan

def everywhere(home: Home) -> None:
    report = finds(home, "bind lan: answers at every IPv4 address", [])
    told = {address: reach(report, address) for address in ("127.0.0.1", "::1", HOST, HOST6)}
    expect(told == {"127.0.0.1": "answered", "::1": "refused", HOST: "answered", HOST6: "refused"},
           "loopback and the LAN's addresses were asked, v4 and v6; lan means IPv4, so the rest is no finding", told)
    expect({address: connects(address, home.port) for address in told} ==
           {address: "connected" if what == "answered" else "refused" for address, what in told.items()}, "a client meets the same")
    report = finds(home, "a URL to the IPv6 address", ["gateway-reachable/url-bind"], "--gateway-url", f"ws://[{HOST6}]:{home.port}",
                   holds=[f"listens at 0.0.0.0:{home.port}", f"ws://{HOST}:{home.port}"])
    finds(home, "a URL to the IPv4 address", [], "--gateway-url", f"ws://{HOST}:{home.port}")


def filtered(home: Home) -> None:
    port = home.port
    with packet_filter(f"tcp dport {port} drop"):
        report = finds(home, "every packet is dropped", ["gateway-reachable/dropped"],
                       holds=["nft list ruleset", f"let port {port} through", "openclaw"])
        expect(report.findings[0]["confidence"] == "likely" and reach(report, "127.0.0.1") == reach(report, HOST) == "timed-out",
               "... told as likely, from time-outs", report)
        expect(connects("127.0.0.1", port) == "silence", "... and a client meets silence")
    with packet_filter(f"tcp dport {port} reject with tcp reset"):
        finds(home, "every connection is refused by a filter", ["gateway-reachable/dropped"], holds=["nft list ruleset"])
    with packet_filter(f"ip daddr {HOST} tcp dport {port} drop"):
        report = finds(home, "the LAN's address is dropped", [ELSEWHERE], holds=["gateway.bind is lan", HOST, "nft list ruleset"])
        expect(report.findings[0]["severity"] == "warning", "... a warning", report)
    with packet_filter(f"ip daddr 127.0.0.1 tcp dport {port} drop"):
        report = finds(home, "loopback is dropped", [ELSEWHERE], holds=["127.0.0.1", "nft list ruleset"])
        expect(report.findings[0]["severity"] == "error", "... an error: this host's own clients ask there", report)
    with faults.accepting(port, faults.garbage, host="::1"):
        finds(home, "another program at ::1", [ELSEWHERE], holds=["localhost", "Stop python3"])
    finds(home, "without any of these", [])


# ---------------------------------------------------------------------------------------------- other hosts

@contextlib.contextmanager
def relay(lan: Lan, home: Home):
    """Another host's address that leads to the gateway, and a list of who came."""
    child = harness._spawn([*lan.enter, "socat", "-d", "-d", f"TCP-LISTEN:{home.port},bind={CLIENT},reuseaddr,fork", f"TCP:{HOST}:{home.port}"],
                           stdout=subprocess.DEVNULL, stderr=open(home.logs / "relay.log", "wb"))
    try:
        for _ in range(100):
            if connects(CLIENT, home.port) == "connected":
                break
            time.sleep(0.1)
        yield lambda: (home.logs / "relay.log").read_text().count("accepting connection from")
    finally:
        harness._kill_group(child)


def other_hosts(lan: Lan, home: Home) -> None:
    with relay(lan, home) as visits:
        home.write_config(config(home, "lan", remote={"url": f"ws://{CLIENT}:{home.port}"}))
        time.sleep(1)
        before = visits()
        report = finds(home, "gateway.remote.url of another host", [])
        expect(probe(report, kind="remote-url")["reach"] == "not-asked" and "--online" in probe(report, kind="remote-url")["why"],
               "... is not asked", probe(report, kind="remote-url"))
        time.sleep(0.3)
        expect(visits() == before, "... and was not contacted", visits())
        report = finds(home, "with --online", [], "--online")
        expect(probe(report, "websocket", "remote-url")["challenged"] and visits() > before, "... it is", probe(report, kind="remote-url"))
        report = finds(home, "--gateway-url names it", [], "--gateway-url", f"ws://{CLIENT}:{home.port}")
        expect(probe(report, "websocket", "given-url")["challenged"] and probe(report, kind="remote-url")["reach"] == "not-asked",
               "... then that one is asked, and the other not", report.json["probes"])
        for item in report.json["probes"]:
            address = ipaddress.ip_address(item["url"].split("//")[1].rsplit(":", 1)[0].strip("[]"))
            if item["reach"] != "not-asked" and item["kind"] != "given-url" and str(address) not in ("127.0.0.1", "::1", HOST, HOST6, TAILNET):
                raise harness.Failure(f"{address} was asked: {item}")


def swallowed(home: Home) -> None:
    """Two hosts that swallow packets, and a filter that swallows two of this host's: one time-out for all."""
    home.write_config(config(home, "lan", remote={"url": f"ws://{NOBODY[0]}:{home.port}"}))
    words = ("--online", "--gateway-url", f"wss://{NOBODY[1]}:{home.port}")
    with packet_filter(f"ip daddr {HOST} tcp dport {home.port} drop", f"ip6 daddr {HOST6} tcp dport {home.port} drop"):
        began = time.monotonic()
        report = look(home, *words)
        took = time.monotonic() - began
    kinds = [next(p["reach"] for p in report.json["probes"] if p["kind"] == kind) for kind in ("remote-url", "given-url")]
    expect(kinds == ["timed-out", "timed-out"] and reach(report, HOST) == reach(report, HOST6) == "timed-out", "four addresses swallow", kinds)
    expect(took < 1.8, f"the whole look took {took:.2f} s, with a time-out of 1 s")
    expect(sorted(report.ids()) == sorted([ELSEWHERE, "gateway-reachable/url-silent"]), "both are told", report, report.ids())


# ---------------------------------------------------------------------------------------------- bind and what is so

def newer_than_the_gateway(home: Home) -> None:
    home.write_config(config(home, "loopback"))
    with Gateway(home):
        calm(home)
        finds(home, "bind loopback", [])
        finds(home, "a URL to the LAN's address", ["gateway-reachable/url-bind"], "--gateway-url", f"ws://{HOST}:{home.port}",
              holds=[f"listens at 127.0.0.1:{home.port}", "openclaw config set gateway.bind lan"])
        home.write_config(config(home, "lan"))
        finds(home, "bind lan, set after the start", [ELSEWHERE],
              holds=["gateway.bind is lan", f"it listens at 127.0.0.1:{home.port}", "openclaw gateway restart"])
        expect(connects(HOST, home.port) == "refused", "a client on the LAN is refused")


def one_address(home: Home) -> None:
    """gateway.bind custom (2026.9) and tailnet (2026.2, whose own schema refuses customBindHost). 2026.2 listens at that address alone, and its commands
    ask there; 2026.9 at 127.0.0.1 as well."""
    if home.release.sqlite:
        home.write_config(config(home, "custom", customBindHost=HOST))
    else:
        home.write_config(config(home, "tailnet"))
    address = HOST if home.release.sqlite else TAILNET
    with OneAddressGateway(home, address):
        calm(home, address)
        expect((connects("127.0.0.1", home.port) == "connected") == home.release.sqlite, "loopback is bound too by 2026.9 only")
        told = home.openclaw("devices", "list", timeout=harness.START_TIMEOUT_S)
        expect("ECONNREFUSED" not in told.text and "1006" not in told.text, "a command on this host reaches it", told)
        report = finds(home, f"bind {'custom' if home.release.sqlite else 'tailnet'}", [])
        expect(reach(report, address) == "answered" and reach(report, HOST6) == "refused", "it answers there", report)
        other = TAILNET if home.release.sqlite else HOST
        finds(home, "a URL to another address of this host", ["gateway-reachable/url-bind"], "--gateway-url", f"ws://{other}:{home.port}",
              holds=[f"listens at {address}:{home.port}", f"ws://{address}:{home.port}"])


class OneAddressGateway(Gateway):
    def __init__(self, home: Home, address: str):
        super().__init__(home)
        self.address = address

    def _answers(self) -> bool:
        return b"200 OK" in page(self.address, self.home)


def page(address: str, home: Home) -> bytes:
    with contextlib.suppress(OSError), socket.create_connection((address, home.port), timeout=3) as client:
        client.sendall(f"GET {'/readyz' if home.release.sqlite else '/'} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        return client.recv(100)
    return b""


def scenario(release) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    lan = network()
    home = Home(release)
    home.from_seed()
    home.port = free_port()
    home.write_config(config(home, "lan"))
    with Gateway(home):
        calm(home)
        everywhere(home)
        filtered(home)
        other_hosts(lan, home)
        swallowed(home)
    newer_than_the_gateway(home)
    one_address(home)


if __name__ == "__main__":
    sys.path.insert(0, str(harness.HERE))
    harness.main(scenario)
