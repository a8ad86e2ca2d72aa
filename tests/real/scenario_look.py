#!/usr/bin/env python3
"""A look at a healthy home, at rest, running and after a crash: no warning, and not one byte, mode, owner, time or inode
differs afterwards, SQLite's -wal and -shm included."""
import harness
from harness import Gateway, Home, differences, doctor_json, expect, snapshot
from prove import has, succeed

AREAS = ("files-ownership", "files-modes", "identity-key", "identity-pairing", "pairing-store", "token-mismatch",
         "token-hygiene")


def look(home: Home, when: str, *args, healthy=True) -> None:
    before = snapshot(home.home, home.tmp, home.locks())
    report = doctor_json(home, *args)
    changed = differences(before, snapshot(home.home, home.tmp, home.locks()))
    expect(not changed, f"a look {when} changes nothing", *changed)
    if healthy:
        wrong = [area for area in AREAS if has(report, area)]
        expect(report.code == 0 and not wrong, f"a healthy home {when}: nothing found, exit 0", wrong, report)


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    look(home, "before the first start")
    with Gateway(home) as gateway:
        succeed(home.openclaw("devices", "list"))
        with gateway.frozen():
            look(home, "of a gateway that is stopped by a signal", "--offline")  # asked, it would be found hung
        for _ in range(20):
            report = doctor_json(home)
            if report.code != 0:
                raise harness.Failure(f"a look at a running gateway: {report}")
        succeed(home.openclaw("devices", "list"))
        for bad in ("SQLITE_BUSY", "database is locked", "identity changed", "EACCES"):
            expect(bad not in gateway.log(), f"20 looks, and no {bad!r} in the gateway's log", gateway.log()[-2000:])
    look(home, "after a clean stop")
    with Gateway(home) as gateway:
        gateway.kill()
    look(home, "after the gateway was killed")
    with Gateway(home):
        succeed(home.openclaw("devices", "list"))


if __name__ == "__main__":
    harness.main(scenario)
