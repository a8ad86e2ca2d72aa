#!/usr/bin/env python3
"""seed.py RELEASE: lets the real release make a healthy home once, for the scenarios to copy.

The release starts on an empty state directory, one client connects, and the gateway is stopped. Scenarios start from a
copy of what it left, which saves each of them a cold start (its transpile cache is kept as well).
"""
import fcntl
import os
import pathlib
import shutil
import sys
import tempfile

import harness
from harness import Gateway, Home, Release, expect, seed_dir


def make(release: Release, target: pathlib.Path) -> None:
    home = Home(release)
    home.make_state()
    with Gateway(home):
        listed = home.openclaw("devices", "list")
        expect(listed.code == 0, "a client of a fresh home connects", listed)
    if not release.sqlite:
        expect(len(home.read_json("devices/paired.json")) == 1, "the release paired its own client")
    shutil.copytree(home.state, target / "state", symlinks=True,
                    ignore=shutil.ignore_patterns("*.lock", "openclaw.log", "cache"))
    for cache in ("jiti", "node-compile-cache"):
        if (home.tmp / cache).is_dir():
            shutil.copytree(home.tmp / cache, target / "tmp" / cache)
    (target / "complete").touch()


def seed(release: Release) -> None:
    final = seed_dir(release)
    complete = final / "complete"
    if complete.is_file():
        return
    final.parent.mkdir(parents=True, exist_ok=True)
    with open(final.parent / f".{final.name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if complete.is_file():
            return
        shutil.rmtree(final, ignore_errors=True)
        target = pathlib.Path(tempfile.mkdtemp(prefix=f".{release.version}.", dir=final.parent))
        try:
            target.chmod(0o755)
            make(release, target)
            os.rename(target, final)
        finally:
            shutil.rmtree(target, ignore_errors=True)


if __name__ == "__main__":
    harness.main(seed)
