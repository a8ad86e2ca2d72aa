#!/usr/bin/env python3
"""Time servers: good ones, one that lies, and answers that nobody should believe.

chrony and small servers of our own answer in a network namespace; the doctor looks from another one whose only network leads there. What it asks is
what this host's time service is configured to ask.
"""
import json
import os
import pathlib
import re
import sys
import time

import harness
import scenario_clock
import time_servers
from harness import Failure, Home, doctor, doctor_json, expect, say
from scenario_clock import AGAINST_GATEWAY, AGAINST_SERVERS, faketime_library, measure
from time_servers import KINDS, NETWORK, Network, start_chrony

GOOD = [f"{NETWORK}.2", f"{NETWORK}.3"]
CHRONY_LIAR = f"{NETWORK}.4"
NAMES = f"{NETWORK}.53"
NOBODY = f"{NETWORK}.250"
ELSEWHERE = "192.0.2.1"
BAD_KINDS = ["kiss", "kiss-of-bytes", "stratum-16", "alarm", "wrong-origin", "no-origin", "echo", "short", "empty", "huge", "no-time", "unsure",
             "version-7", "silent", "flood"]
TIMEOUT = ["--timeout", "700"]


def configure(etc, *servers) -> None:
    (etc / "chrony.conf").write_text("# what the network's admin wrote\n" + "".join(f"server {server} iburst\n" for server in servers))


def kind_address(kind) -> str:
    return f"{NETWORK}.{100 + sorted([*KINDS, 'slow']).index(kind)}"


def start_servers(network) -> None:
    me = pathlib.Path(time_servers.__file__)
    for address in GOOD:
        start_chrony(network, address)
    start_chrony(network, CHRONY_LIAR, {"LD_PRELOAD": faketime_library(), "FAKETIME": "+3600", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    for kind in sorted([*KINDS, "slow"]):
        network.spawn(sys.executable, "-B", me, "serve", kind, kind_address(kind), harness.scratch() / f"asked-{kind}")
    network.spawn(sys.executable, "-B", me, "resolve", NAMES,
                  f"time.lan={GOOD[0]},both.lan={GOOD[0]}+{GOOD[1]},pool.ntp.org={GOOD[0]}+{GOOD[1]}+{kind_address('good')},empty.lan=")


def wait_for_chrony(home, etc) -> None:
    """chrony gives no time out in its first seconds."""
    configure(etc, *GOOD)
    for _ in range(60):
        if measure(home, *TIMEOUT)["ntp"]["answered"] == 2:
            return
        time.sleep(0.5)
    raise Failure(f"chrony does not answer: {measure(home, *TIMEOUT)}")


def server_of(measured, address) -> dict:
    return next(server for server in measured["ntp"]["servers"] if server.get("address") == address)


def skew_findings(report) -> list:
    return scenario_clock.skew_findings(report, AGAINST_GATEWAY + AGAINST_SERVERS)


def look(home, *args, env=None):
    return doctor_json(home, "--only", "clock-skew", "--severity-min", "info", "--probe-timeout", "1", *args, env=env)


def shown(home, etc) -> None:
    """Each server that was asked, or not, stands among the probes, with a command that asks the same and sets nothing."""
    configure(etc, GOOD[0], kind_address("silent"), kind_address("kiss"), ELSEWHERE)
    probes = {p["url"]: p for p in look(home).json["probes"] if p["request"] == "sntp"}
    told = {url.split("//")[1].split(":")[0]: p["reach"] for url, p in probes.items()}
    expect(told == {GOOD[0]: "answered", kind_address("silent"): "timed-out", kind_address("kiss"): "failed", ELSEWHERE: "not-asked"},
           "the report has each time server", probes)
    good = probes[f"ntp://{GOOD[0]}:123"]
    expect(abs(good["offsetMs"]) < 1000 and good["errorMs"] < 1000 and "chrony.conf" in good["from"] and good["kind"] == "time-server", "with what it said", good)
    command = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", good["command"])]
    done = harness.run([time_servers.chronyd(), *command[1:]], env={"PATH": "/usr/bin:/bin"}, timeout=30)
    expect(command[0] == "chronyd" and done.code == 0 and "System clock wrong by" in done.text, f"the command asks it too: {good['command']}", done)
    text = doctor(home, "--only", "clock-skew", "--verbose", "--probe-timeout", "1").out
    expect(good["command"] in text and "sntp:" in text, "--verbose shows it", text)
    expect(not [p for p in look(home, "--offline").json.get("probes", []) if p["request"] == "sntp"], "offline there is none")


def good_servers(home, etc) -> None:
    configure(etc, *GOOD)
    ntp = measure(home, *TIMEOUT)["ntp"]
    expect(ntp["state"] == "known" and ntp["agreeing"] == 2 and abs(ntp["offset_ms"]) < 1000 and ntp["error_ms"] < 1000,
           f"two chronys say that this clock is right: {ntp['offset_ms']:.0f} +- {ntp['error_ms']:.0f} ms", ntp)
    expect(not skew_findings(look(home)), "and there is no finding")


def wrong_here(home, etc) -> None:
    """The doctor's own clock is off: the same servers say so."""
    configure(etc, *GOOD)
    for offset in (-86400, -3600, -700, 700, 5400, 86400):
        env = {"LD_PRELOAD": faketime_library(), "FAKETIME": f"{offset:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        ntp = measure(home, *TIMEOUT, env=env)["ntp"]
        if ntp["agreeing"] != 2 or abs(ntp["offset_ms"] + offset * 1000) >= 1000:
            raise Failure(f"a clock that is off by {offset} s: {ntp}")
        report = look(home, env=env)
        if skew_findings(report) != [("clock-skew/local-clock-wrong", "error")]:
            raise Failure(f"a clock that is off by {offset} s: {skew_findings(report)}\n{report}")
        if next(f for f in report.findings if f["checkId"] == "clock-skew/local-clock-wrong")["confidence"] != "likely":
            raise Failure(f"two servers make it likely\n{report}")
    expect(True, "a wrong clock of this host is told within a second, from -1 day to +1 day")


def liars(home, etc) -> None:
    chrony = CHRONY_LIAR
    configure(etc, chrony)
    said = server_of(measure(home, *TIMEOUT), chrony)
    say(f"chrony under faketime: {said}")
    for liar, offset in ((kind_address("hour"), 3600), (kind_address("day"), -86400), (chrony, 3600)):
        configure(etc, *GOOD, liar)
        ntp = measure(home, *TIMEOUT)["ntp"]
        expect(ntp["agreeing"] == 2 and abs(ntp["offset_ms"]) < 1000 and not server_of({"ntp": ntp}, liar)["agrees"],
               f"{liar} lies by {offset} s; the two others are believed", ntp)
        expect(not skew_findings(look(home)), "and there is no finding")
    liar = kind_address("hour")
    configure(etc, liar)
    report = look(home)
    expect(skew_findings(report) == [("clock-skew/local-clock-wrong", "warning")], "a liar alone makes a warning", report)
    finding = next(f for f in report.findings if f["checkId"] == "clock-skew/local-clock-wrong")
    expect(finding["confidence"] == "possible" and "may be wrong itself" in finding["message"], "that is said to be no more than possible", finding)
    expect("1 h" in finding["message"], "and the whole hour is named", finding)
    configure(etc, GOOD[0], liar)
    report = look(home)
    expect(not skew_findings(report) and report.code == 3 and "contradict" in json.dumps(report.json["unknowns"]),
           "two that contradict each other: said, not believed", report)
    configure(etc, GOOD[0], GOOD[1], liar, kind_address("day"), kind_address("little"))
    report = look(home)
    expect(not skew_findings(report) and report.code == 3, "three different liars against two: nobody is believed", report)


def bad_answers(home, etc) -> None:
    for kind in BAD_KINDS:
        address = kind_address(kind)
        configure(etc, address)
        measured = measure(home, *TIMEOUT)
        server = server_of(measured, address)
        if measured["ntp"]["state"] != "unknown" or server["answer"] not in ("unusable", "silent") or measured["took_ms"] > 2500:
            raise Failure(f"{kind}: {measured}")
        report = look(home)
        if skew_findings(report) or report.code != 3:
            raise Failure(f"{kind}: {skew_findings(report)}, exit {report.code}\n{report}")
        if "\\u001b[2J" in report.result.out or "\x1b[2J" in report.result.out:
            raise Failure(f"{kind}: the server's bytes stand in the report")
        say(f"{kind}: {server['answer']}: {server.get('why')}")
        configure(etc, *GOOD, address)
        ntp = measure(home, *TIMEOUT)["ntp"]
        if ntp["state"] != "known" or ntp["agreeing"] != 2:
            raise Failure(f"{kind} beside two good ones: {ntp}")
    expect(True, f"{len(BAD_KINDS)} kinds of bad answers are never believed, and spoil no good one")
    configure(etc, kind_address("spoofed-then-good"))
    ntp = measure(home, *TIMEOUT)["ntp"]
    expect(ntp["agreeing"] == 1 and abs(ntp["offset_ms"]) < 1000, "a forged answer that comes first is passed over", ntp)
    configure(etc, kind_address("slow"))
    ntp = measure(home, "--timeout", "3000")["ntp"]
    expect(ntp["state"] == "known" and 700 < ntp["error_ms"] < 1000 and abs(ntp["offset_ms"]) <= ntp["error_ms"],
           "a slow answer is believed with its bound", ntp)
    configure(etc, NOBODY)
    measured = measure(home, *TIMEOUT)
    expect(measured["ntp"]["state"] == "unknown" and measured["took_ms"] < 1500, "where nobody is, no more than the time limit is lost", measured)


def asked(kind) -> int:
    path = harness.scratch() / f"asked-{kind}"
    return int(path.read_text() or 0) if path.exists() else 0


def who_is_asked(home, etc) -> None:
    good = kind_address("good")
    configure(etc, good, ELSEWHERE, "time.lan")
    before = asked("good")
    measure(home, "--offline")
    look(home, "--offline")
    time.sleep(0.2)
    expect(asked("good") == before, "offline nobody is asked")
    ntp = measure(home, *TIMEOUT)["ntp"]
    expect([server["answer"] for server in ntp["servers"]] == ["answered", "not asked", "not asked"],
           "by default only the server on this host's own network is asked", ntp)
    configure(etc, time_servers.OURS)
    expect("itself" in measure(home, *TIMEOUT)["ntp"]["servers"][0]["why"], "nor is this host asked for its own time")
    (etc / "resolv.conf").write_text(f"nameserver {NAMES}\n")
    configure(etc, "both.lan", "empty.lan", "nowhere.lan", good)
    ntp = measure(home, "--online", *TIMEOUT)["ntp"]
    expect(ntp["agreeing"] == 3 and sum(server["answer"] == "not resolved" for server in ntp["servers"]) == 2,
           "with --online names are looked up, and each of their addresses is asked", ntp)
    (etc / "chrony.conf").unlink()
    ntp = measure(home, "--online", *TIMEOUT)["ntp"]
    expect(ntp["agreeing"] == 3 and ntp["servers"][0]["name"] == "pool.ntp.org", "without a configuration the pool is asked", ntp)
    (etc / "resolv.conf").write_text(f"nameserver {NOBODY}\n")
    measured = measure(home, "--online", *TIMEOUT)
    expect(measured["ntp"]["state"] == "unknown" and measured["took_ms"] < 1500, "a name server that is silent costs one time limit", measured)
    expect(look(home, "--online").code == 3, "and the report says that it could not tell")
    ntp = measure(home, *TIMEOUT)["ntp"]
    expect(ntp["state"] == "absent" and not ntp["servers"], "without a configuration and --online nobody is asked", ntp)


def scenario(release) -> None:
    harness.need_root("network namespaces")
    home = Home(release)
    home.from_seed()
    etc = time_servers.private_etc()
    network = Network([*GOOD, CHRONY_LIAR, NAMES, *(kind_address(kind) for kind in [*KINDS, "slow"])])
    start_servers(network)
    wait_for_chrony(home, etc)
    good_servers(home, etc)
    wrong_here(home, etc)
    liars(home, etc)
    bad_answers(home, etc)
    shown(home, etc)
    who_is_asked(home, etc)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    harness.main(scenario)
