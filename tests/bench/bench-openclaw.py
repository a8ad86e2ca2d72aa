#!/usr/bin/env python3
"""bench-openclaw.py --doctor PROGRAM --measure PROGRAM [--home DIR]... [--runs N]

A full look of openclaw-doctor against OpenClaw's own `doctor --lint --json` (2026.9.6) on copies of the same homes, in one
run on one machine, in turns: median wall time, the least of it, peak memory of the largest process, and the ratios, which are the bars. Other work on the
machine makes both slower; on a quiet one of two cores a look takes less than 15 ms, also with four reverse proxies installed. Exit 1 when a bar is missed.

Homes: each DIR holds a `.openclaw`. Without --home: captured homes of both kinds of state, healthy and rich. OpenClaw and
Node come from the cache of the real tests (tests/real/fetch; the first time it needs npm).
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REAL = HERE.parent / "real"
sys.dont_write_bytecode = True
sys.path.insert(0, str(REAL))
from harness import Failure, Release  # noqa: E402

OPENCLAW = "2026.9.6"
CAPTURES = HERE.parent.parent / "fixtures" / "captures"
CAPTURED = ("a0-fresh-local-paired-2026.2.19", "s08-rich-stopped")
FASTER, SMALLER, BAR_MIB = 100, 10, 16.0  # times; memory of a look does not depend on what else runs
WARM_UP = 3


def measure(program, count, command, env) -> list:
    said = subprocess.run([program, str(count), *map(str, command)], env=env, cwd="/", stdout=subprocess.PIPE, text=True,
                          timeout=120 * count, check=True)
    return [json.loads(line) for line in said.stdout.splitlines()]


def summary(runs) -> dict:
    codes = sorted({run["exit"] for run in runs})
    return {"ms": statistics.median(run["wallNs"] for run in runs) / 1e6, "mib": max(run["maxRssKiB"] for run in runs) / 1024,
            "least": min(run["wallNs"] for run in runs) / 1e6, "codes": codes, "runs": len(runs)}


def environment(home, *paths) -> dict:
    return {"HOME": str(home), "PATH": ":".join(map(str, (*paths, "/usr/bin", "/bin"))), "LANG": "C.UTF-8", "NO_COLOR": "1",
            "TMPDIR": str(home.parent / "tmp"), "OPENCLAW_DISABLE_BONJOUR": "1", "OPENCLAW_NO_RESPAWN": "1"}


def compare(source, release, options) -> tuple:
    """Both doctors on copies of one home. Returns their summaries."""
    with tempfile.TemporaryDirectory(prefix="openclaw-doctor-bench.", dir="/var/tmp") as folder:
        sides = []
        for side in ("ours", "theirs"):
            home = pathlib.Path(folder) / side / "home"
            home.parent.mkdir()
            (home.parent / "tmp").mkdir()
            shutil.copytree(source, home / ".openclaw", symlinks=True)
            sides.append(environment(home, release.folder / "node_modules/.bin", release.node.parent))
        look = [options.doctor, "--json"]
        measure(options.measure, WARM_UP, look, sides[0])
        lint = [release.node, release.entry, "doctor", "--lint", "--json"]
        ours, theirs = [], []
        for _ in range(options.openclaw_runs):
            ours += measure(options.measure, -(-options.runs // options.openclaw_runs), look, sides[0])
            theirs += measure(options.measure, 1, lint, sides[1])
    return summary(ours), summary(theirs)


def captured(folder) -> dict:
    """The captured homes, unpacked below `folder` with their modes."""
    homes = {}
    for name in CAPTURED:
        into = pathlib.Path(folder) / name
        into.mkdir()
        subprocess.run(["tar", "-xpzf", CAPTURES / f"{name}.tar.gz", "-C", into], check=True)
        homes[name] = next(into.rglob(".openclaw"))
    return homes


def race(name, home, release, options) -> bool:
    """Prints the line of one home. True when the bars hold."""
    ours, theirs = compare(home, release, options)
    good = (theirs["ms"] > FASTER * ours["ms"] and theirs["mib"] > SMALLER * ours["mib"] and ours["mib"] < BAR_MIB
            and set(ours["codes"]) <= {0, 1, 3})
    print(f"{name:<32} {ours['ms']:>6.2f} ms {ours['least']:>6.2f} ms {ours['mib']:>5.1f} MiB {theirs['ms']:>7.0f} ms "
          f"{theirs['mib']:>5.0f} MiB {theirs['ms'] / ours['ms']:>6.0f}x {theirs['mib'] / ours['mib']:>7.0f}x  "
          f"{'PASS' if good else 'FAIL'}  (exit {ours['codes']} / {theirs['codes']})", flush=True)
    return good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--doctor", required=True, type=os.path.abspath)
    parser.add_argument("--measure", required=True, type=os.path.abspath)
    parser.add_argument("--home", action="append", default=[])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--openclaw-runs", type=int, default=3)
    parser.add_argument("--build-type", default="?")
    options = parser.parse_args()
    if options.build_type != "Release":
        print(f"note: this is a {options.build_type} build; the bars are for a release build")
    subprocess.run([REAL / "fetch"], check=True, stdout=subprocess.DEVNULL)
    try:
        release = Release(OPENCLAW)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    print(f"openclaw-doctor --json (median of {options.runs}) against openclaw {OPENCLAW} doctor --lint --json "
          f"(median of {options.openclaw_runs}); bars: {FASTER} times faster, {SMALLER} times smaller, "
          f"under {BAR_MIB:.0f} MiB\n")
    print(f"{'home':<32} {'doctor':>9} {'least':>9} {'memory':>9} {'OpenClaw':>10} {'memory':>9} {'faster':>7} {'smaller':>8}  bar")
    with tempfile.TemporaryDirectory(prefix="openclaw-doctor-bench.", dir="/var/tmp") as folder:
        homes = {pathlib.Path(home).name: pathlib.Path(home) / ".openclaw" for home in options.home} or captured(folder)
        good = [race(name, home, release, options) for name, home in homes.items()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
