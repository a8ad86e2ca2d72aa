#!/usr/bin/env python3
"""bench-log.py --doctor PROGRAM --measure PROGRAM [--log PROGRAM] [--most MIB]

One pass over a gateway's log against `grep -F -o -f SIGNATURES` (each match, as the pass tells them) on the same file, warm cache, rounds interleaved. Two kinds of log: quiet (one
line of a hundred has a signature) and noisy (each line has). Then the doctor's own look at a large log, of which it reads the tail only.
Bars: not slower than grep; memory flat. Exit 1 when one is missed.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

NOISE = 1.05  # two programs of the same speed differ by this from run to run
FLAT_KIB = 1024
META = ('"_meta":{"runtime":"node","runtimeVersion":"24.21.0","hostname":"vm","date":"2026-11-28T14:37:53.372Z","logLevelId":4,'
        '"logLevelName":"WARN","name":"{\\"subsystem\\":\\"gateway/ws\\"}","parentNames":["openclaw"]},"time":"2026-11-28T14:37:53.372+00:00"}')
QUIET = '{"0":"{\\"subsystem\\":\\"gateway\\"}","1":"webchat connected conn=%d remote=127.0.0.1 client=openclaw-control-ui webchat v2026.9.6",' + META
MET = ('{"0":"{\\"subsystem\\":\\"gateway/ws\\"}","1":{"cause":"pairing-required"},"2":"closed before connect conn=%d remote=127.0.0.1 '
       'fwd=203.0.113.9 origin=n/a host=127.0.0.1:18789 ua=n/a code=1008 reason=pairing required",' + META)


def write(path, mib, every):
    block = "".join((MET if i % every == 0 else QUIET) % i + "\n" for i in range(2000))
    with open(path, "w", encoding="utf-8") as log:
        for _ in range(mib * 1024 * 1024 // len(block) + 1):
            log.write(block)


def measure(options, command, home):
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C", "TMPDIR": str(home)}
    return json.loads(subprocess.run([options.measure, "1", *map(str, command)], env=env, capture_output=True, text=True, check=True).stdout)


def race(options, commands, home):
    runs = {name: [] for name in commands}
    for turn in range(options.rounds + 1):
        for name, command in commands.items():
            run = measure(options, command, home)
            if turn > 0:  # the first warms the cache
                runs[name].append(run)
    return {name: (statistics.median(run["wallNs"] for run in list_) / 1e6, max(run["maxRssKiB"] for run in list_))
            for name, list_ in runs.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--doctor", required=True)
    parser.add_argument("--measure", required=True)
    parser.add_argument("--log")
    parser.add_argument("--build-type", default="?")
    parser.add_argument("--most", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--dir", default="/var/tmp")
    options = parser.parse_args()
    options.log = options.log or str(pathlib.Path(options.measure).with_name("bench-log"))
    if options.build_type != "Release":
        print(f"note: this is a {options.build_type} build; the bars are for a release build")
    print(f"grep -F -o -f against one pass over a log, median of {options.rounds}; bars: ratio at most {NOISE}, memory flat\n")
    print(f"{'log':>14}  {'grep':>10}   {'pass':>10} {'memory':>10} {'pass/grep':>9}   {'look':>10}  bar")
    missed, smallest = False, None
    for mib in [size for size in (8, 256) if size <= options.most]:
        for name, every in (("quiet", 100), ("noisy", 1)):
            with tempfile.TemporaryDirectory(prefix="dr-bench-log-", dir=options.dir) as folder:
                home = pathlib.Path(folder)
                (home / ".openclaw").mkdir(mode=0o700)
                log = home / "gateway.log"
                write(log, mib, every)
                (home / ".openclaw/openclaw.json").write_text(json.dumps({"logging": {"file": str(log)}}))
                needles = home / "needles"
                needles.write_text(subprocess.run([options.log, "--needles"], capture_output=True, text=True, check=True).stdout)
                # Into a file: with /dev/null grep stops at the first line.
                got = race(options, {"grep": ["/bin/sh", "-c", f"exec grep -F -o -f {needles} {log} > {home}/matches"], "pass": [options.log, log],
                                     "look": [options.doctor, "--only", "proxy-attribution", "--json"]}, home)
            (grep, _), (scan, kib), (look, _) = got["grep"], got["pass"], got["look"]
            smallest = smallest or kib
            good = scan <= grep * NOISE and kib - smallest < FLAT_KIB
            missed = missed or not good
            print(f"{mib:>4} MiB {name}  {grep:>7.1f} ms   {scan:>7.1f} ms {kib / 1024:>6.1f} MiB {scan / grep:>9.2f}   {look:>7.1f} ms"
                  f"  {'PASS' if good else 'FAIL'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
