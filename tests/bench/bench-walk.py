#!/usr/bin/env python3
"""bench-walk.py --doctor PROGRAM --measure PROGRAM [--walk PROGRAM] [--most N]

The walk of the state directory against `find DIR -xdev ! -user U` on the same files, in one run on one machine, warm cache, rounds
interleaved: the walk alone (process against process), and the whole program (`openclaw-doctor --only files-ownership --json`,
which also starts a worker, finds the target and writes a report). Half of the files lie in one folder, the rest 100 to a folder.
Bars: the walk not slower than find; memory of the program the same for every size. Exit 1 when one is missed.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

SIZES = (1000, 100_000, 1_000_000)
NOISE = 1.05  # two programs of the same speed differ by this from run to run
FLAT_KIB = 2048


def fill(top, count):
    os.mkdir(top / "flat")
    for i in range(count // 2):
        os.mknod(f"{top}/flat/file-{i}", 0o600)
    for i in range(count // 2 // 100):
        os.mkdir(f"{top}/folder-{i}")
        for j in range(100):
            os.mknod(f"{top}/folder-{i}/file-{j}", 0o600)


def measure(options, command, home):
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C", "TMPDIR": str(home)}
    line = subprocess.run([options.measure, "1", *map(str, command)], env=env, capture_output=True, text=True, check=True).stdout
    return json.loads(line)


def race(options, count):
    with tempfile.TemporaryDirectory(prefix="dr-bench-walk-", dir=options.dir) as folder:
        home = pathlib.Path(folder)
        state = home / ".openclaw"
        state.mkdir(mode=0o700)
        (state / "openclaw.json").write_text("{}")
        fill(state, count)
        uid = os.geteuid()
        commands = {"find": ["/usr/bin/find", state, "-xdev", "!", "-user", uid],
                    "walk": [options.walk, state, uid],
                    "doctor": [options.doctor, "--only", "files-ownership", "--json"]}
        runs = {name: [] for name in commands if commands[name][0]}
        for turn in range(options.rounds + 1):
            for name in runs:
                run = measure(options, commands[name], home)
                if run["exit"] != 0:
                    raise SystemExit(f"{name} ended with {run['exit']}")
                if turn > 0:  # the first warms the cache
                    runs[name].append(run)
    return {name: (statistics.median(run["wallNs"] for run in list_) / 1e6, max(run["maxRssKiB"] for run in list_))
            for name, list_ in runs.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--doctor", required=True)
    parser.add_argument("--measure", required=True)
    parser.add_argument("--walk")
    parser.add_argument("--build-type", default="?")
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dir", default="/var/tmp")
    options = parser.parse_args()
    options.walk = options.walk or str(pathlib.Path(options.measure).with_name("bench-walk"))
    if options.build_type != "Release":
        print(f"note: this is a {options.build_type} build; the bars are for a release build")
    print(f"find -xdev ! -user against the walk, median of {options.rounds}; bars: ratio at most {NOISE}, memory flat\n")
    print(f"{'files':>9}  {'find':>10} {'memory':>10}   {'walk':>10} {'memory':>10} {'walk/find':>9}   {'program':>10} {'memory':>10} "
          f"{'prog/find':>9}  bar")
    missed, smallest = False, None
    for size in [size for size in SIZES if size <= options.most]:
        got = race(options, size)
        (find, find_kib), (walk, walk_kib), (doctor, doctor_kib) = got["find"], got["walk"], got["doctor"]
        smallest = smallest or (walk_kib, doctor_kib)
        flat = walk_kib - smallest[0] < FLAT_KIB and doctor_kib - smallest[1] < FLAT_KIB
        good = walk <= find * NOISE and flat
        missed = missed or not good
        print(f"{size:>9}  {find:>7.1f} ms {find_kib / 1024:>6.1f} MiB   {walk:>7.1f} ms {walk_kib / 1024:>6.1f} MiB {walk / find:>9.2f}   "
              f"{doctor:>7.1f} ms {doctor_kib / 1024:>6.1f} MiB {doctor / find:>9.2f}  {'PASS' if good else 'FAIL'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
