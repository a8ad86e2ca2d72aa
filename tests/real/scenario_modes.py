#!/usr/bin/env python3
"""The state directory is open to everybody, as after a careless copy: OpenClaw's own security audit calls it critical."""
import json

import harness
from harness import Home, expect
from prove import whole_way

OPEN = ("fs.state_dir.perms_world_writable", "fs.config.perms_world_readable")


def audit(home) -> list:
    result = home.openclaw("security", "audit", "--json")
    return [finding["checkId"] for finding in json.loads(result.out)["findings"]]


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    for path in (home.state, *home.state.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o644)

    def broken():
        found = audit(home)
        expect(all(check in found for check in OPEN), "openclaw security audit finds the open home", found)

    def works():
        found = audit(home)
        expect(not any(check.startswith(("fs.state_dir.", "fs.config.")) for check in found),
               "openclaw security audit has nothing to say on state and configuration", found)

    whole_way(home, "files-modes", broken=broken, works=works)


if __name__ == "__main__":
    harness.main(scenario)
