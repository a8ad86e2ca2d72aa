#!/usr/bin/env python3
"""identity/ and devices/ of an older release lie beside the SQLite store, which has an identity of its own (2026.9).

The import of an older home cannot run where the native helper or the file system has no no-replace move: the gateway then
does not start, and OpenClaw's own `doctor --fix` fails in the same way. (The releases here are installed without that helper.)
"""
import shutil

import harness
from harness import Gateway, Home, Release, expect, seed_dir
from prove import refuse, succeed, whole_way

REASON = "native no-replace move is unavailable"


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    identity = home.rows("SELECT * FROM device_identities")
    for folder in ("identity", "devices"):
        shutil.copytree(seed_dir(Release("2026.2.19")) / "state" / folder, home.state / folder)
    refuse(home.openclaw("doctor", "--fix", "--non-interactive", timeout=120), REASON)

    def broken():
        gateway = Gateway(home)
        gateway.start()
        code = gateway.wait_exit()
        expect(code == 78 and REASON in gateway.log(), f"the gateway gives up: exit 78, {REASON!r}", code, gateway.log()[-1500:])

    def works():
        with Gateway(home):
            succeed(home.openclaw("devices", "list"))
        expect(home.rows("SELECT * FROM device_identities") == identity, "with the identity that it had")

    whole_way(home, "pairing-store/legacy-left", broken=broken, works=works)


if __name__ == "__main__":
    harness.main(scenario)
