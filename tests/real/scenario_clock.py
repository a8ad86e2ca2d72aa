#!/usr/bin/env python3
"""The gateway's clock is wrong by anything from a day less to a day more: what the doctor says of it.

One real gateway under faketime, whose offset is changed while it runs. The challenge and the Date header both have to tell the offset within a
second; findings have to be those of the release's window; the kernel, the time servers and the network are left alone.
"""
import json
import os
import time

import harness
from harness import Failure, Gateway, Home, doctor_json, expect, say

OFFSETS_S = [-86400, -7200, -3600, -1800, -601, -599, -301, -299, -130, -119, -61, -59, -1, 0, 1, 59, 61, 119, 130, 299, 301, 599, 601, 1800,
             3600, 5400, 12345, 86400]
FAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1")


def faketime_library() -> str:
    for path in FAKETIME:
        if os.path.exists(path):
            return path
    raise Failure("libfaketime is not installed (package faketime)")


class FakeTime:
    """An environment in which the clock is off by what `set` says, also after the program has started."""

    def __init__(self, home):
        self.file = home.root / "faketime"
        self.set(0)
        self.env = {"LD_PRELOAD": faketime_library(), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, seconds) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self.file)


def measure(home, *args, env=None) -> dict:
    """What the facts hold, by the driver."""
    clean = {"HOME": str(home.home), "LANG": "C.UTF-8", "TMPDIR": str(home.tmp), "PATH": "/usr/bin:/bin", **(env or {})}
    result = harness.run([os.environ["CLOCK_DRIVER"], *args], env=clean, timeout=60)
    if result.code != 0:
        raise Failure(f"the driver fails: {result}")
    return json.loads(result.out)


def expected(release, offset) -> list:
    """checkIds with severity; whole half hours and days are named as such."""
    window = 120 if release.sqlite else 600
    size = abs(offset)
    if size <= window / 2:
        return []
    whole = size % 1800 == 0 and (size <= 14 * 3600 or size % 86400 == 0)
    if size > window:
        return [("clock-skew/whole-hour" if whole else "clock-skew/skew-breaks-signature", "warning" if release.sqlite else "error")]
    return [("clock-skew/skew-near-window", "info" if release.sqlite else "warning")]


AGAINST_GATEWAY = ("whole-hour", "skew-breaks-signature", "skew-near-window")
AGAINST_SERVERS = ("gateway-clock-wrong", "local-clock-wrong")


def skew_findings(report, codes=AGAINST_GATEWAY) -> list:
    """Those that compare clocks: who keeps this machine's clock, and what its time servers say, is not this test's."""
    return [(f["checkId"], f["severity"]) for f in report.findings if f["checkId"].split("/")[1] in codes]


def evidence(finding) -> str:
    return json.dumps(finding.get("evidence"))


def one_offset(release, home, fake, offset) -> int:
    fake.set(offset)
    fine = measure(home)["gateway"]
    if abs(fine.get("offset_ms", 10**9) - offset * 1000) >= 1000 or fine["coarse"]:
        raise Failure(f"the challenge of a gateway that is off by {offset} s: {fine}")
    time.sleep(1.1)  # Node keeps the text of its Date header for up to a second
    rough = measure(home, "--date")["gateway"]
    if abs(rough.get("offset_ms", 10**9) - offset * 1000) > rough.get("error_ms", 0) or rough["error_ms"] > 1000 or not rough["coarse"]:
        raise Failure(f"the Date header of a gateway that is off by {offset} s: {rough}")
    report = doctor_json(home, "--only", "clock-skew", "--severity-min", "info")
    if skew_findings(report) != expected(release, offset):
        raise Failure(f"off by {offset} s: {skew_findings(report)}, not {expected(release, offset)}\n{report}")
    for finding in report.findings:
        if "skew" in finding["checkId"].split("/")[1] or "whole" in finding["checkId"]:
            told = [row for row in finding["evidence"] if row["name"] == "skew_ms"]
            if not told or abs(float(told[0]["value"]) - offset * 1000) >= 1000:
                raise Failure(f"off by {offset} s, and the report says {evidence(finding)}")
    return abs(fine["offset_ms"] - offset * 1000)


def real_clients(release, home, fake) -> None:
    """What OpenClaw's own client on this machine meets is what the severities say."""
    for offset in (500, 700, -700):
        fake.set(offset)
        result = home.openclaw("devices", "list", "--json")
        broken = abs(offset) > 600 and not release.sqlite
        if broken:
            expect(result.code != 0 and "device signature expired" in result.text, f"{offset:+d} s: a real client is refused", result)
        else:
            expect(result.code == 0, f"{offset:+d} s: a real client gets in", result)


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    fake = FakeTime(home)
    with Gateway(home, env=fake.env):
        worst = max(one_offset(release, home, fake, offset) for offset in OFFSETS_S)
        say(f"{len(OFFSETS_S)} offsets, the worst measured within {worst} ms")
        expect(worst < 1000, "each offset is told within a second")
        real_clients(release, home, fake)
        fake.set(3600)
        text = harness.doctor(home, "--only", "clock-skew").text
        expect("1 h ahead" in " ".join(text.split()), "a whole hour is named as such", text)
        expect(harness.doctor(home, "--only", "clock-skew").code == 1, "it is a finding")
        quiet = doctor_json(home, "--only", "clock-skew", "--offline")
        expect(not skew_findings(quiet), "offline nothing is compared", quiet)
        status = next(check for check in quiet.json["checks"] if check["id"] == "clock-skew")
        expect(status["status"] != "pass", "and the check does not say that the clock is right", status)
        explained = harness.doctor(home, "explain", "device signature expired")
        expect("clock-skew" in explained.text, "explain leads from OpenClaw's message to this check", explained)
    gone = doctor_json(home, "--only", "clock-skew")
    expect(not skew_findings(gone), "without a gateway nothing is compared", gone)


if __name__ == "__main__":
    harness.main(scenario)
