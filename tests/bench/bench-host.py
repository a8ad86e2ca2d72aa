#!/usr/bin/env python3
"""bench-host.py --doctor PROGRAM --measure PROGRAM [--processes N] [--sockets N] [--rounds N]

What a busy host costs a look: in namespaces of its own (pid, net, mount; needs root or user namespaces) first alone, then with N processes, then with
connections to the gateway's port as well, whose listener is no gateway and must be found among all of them. Beside each the tool that reads
the same from /proc: `cat /proc/[0-9]*/comm`, and `readlink` of every descriptor. Least of each, in turns, in one run: other work on the machine only adds.
Bars: what the look takes more than alone is less than that tool takes; memory within 2 MiB of alone. Exit 1 when one is missed.
"""
import argparse
import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

PORT = 28991
FLAT_KIB = 2048
# One process, as the look is one: a program for each file would be no rival.
NAMES = ["/bin/sh", "-c", "exec cat /proc/[0-9]*/comm"]
DESCRIPTORS = ["/bin/sh", "-c", "cat /proc/[0-9]*/comm; exec find /proc/[0-9]*/fd -maxdepth 1 -lname 'socket:*'"]


def inside(arguments) -> int:
    """Runs this script again as the first process of its own namespaces."""
    flags = ["--fork", "--pid", "--net", "--mount", "--mount-proc", "--kill-child"]
    if os.geteuid() != 0:
        flags.append("--map-root-user")
    return subprocess.run(["unshare", *flags, sys.executable, __file__, "--inside", *arguments], check=False).returncode


def least(options, command, home, words=()) -> tuple:
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C", "TMPDIR": str(home)}
    said = subprocess.run([options.measure, "1", *map(str, command), *words], env=env, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=True, timeout=120)
    run = json.loads(said.stdout)
    return run["wallNs"] / 1e6, run["maxRssKiB"], run["exit"]


def race(options, home, rival) -> tuple:
    look = [options.doctor, "--offline", "--json"]
    ours, theirs = [], []
    for turn in range(options.rounds + 1):
        ours.append(least(options, look, home))
        if rival:
            theirs.append(least(options, rival, home))
    if any(run[2] not in (0, 1, 3) for run in ours):
        raise SystemExit("the look failed")
    return min(run[0] for run in ours), max(run[1] for run in ours), min(run[0] for run in theirs) if rival else 0.0


def sleeper() -> int:
    pid = os.fork()
    if pid == 0:
        os.execv("/bin/sleep", ["sleep", "3600"])
    return pid


@contextlib.contextmanager
def processes(count):
    pids = [sleeper() for _ in range(count)]
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@contextlib.contextmanager
def connections(count):
    """`count` connections to PORT, both ends held by one other process."""
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2 * count + 100, 2 * count + 100))
        listener = socket.create_server(("127.0.0.1", PORT), backlog=64)
        held = [listener]
        for _ in range(count):
            held.append(socket.create_connection(("127.0.0.1", PORT)))
            held.append(listener.accept()[0])
        pathlib.Path("/proc/self/comm").write_text("stranger")
        time.sleep(3600)
    while pathlib.Path(f"/proc/{pid}/comm").read_text().strip() != "stranger":
        time.sleep(0.05)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def run(options) -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="dr-bench-host-", dir=options.dir) as folder:
        home = pathlib.Path(folder)
        (home / ".openclaw").mkdir(mode=0o700)
        (home / ".openclaw/openclaw.json").write_text(json.dumps({"gateway": {"port": PORT}}))
        (home / ".openclaw/openclaw.json").chmod(0o600)
        alone, alone_kib, _ = race(options, home, None)
        print(f"{'alone':<40} {alone:>8.1f} ms {'':>11} {alone_kib / 1024:>6.1f} MiB")
        missed = False
        with contextlib.ExitStack() as stack:
            for name, make, rival in ((f"{options.processes} processes", lambda: processes(options.processes), NAMES),
                                      (f"and {options.sockets} connections to the port", lambda: connections(options.sockets), DESCRIPTORS)):
                stack.enter_context(make())
                ours, kib, theirs = race(options, home, rival)
                good = ours - alone < theirs and kib - alone_kib < FLAT_KIB
                missed = missed or not good
                print(f"{name:<40} {ours:>8.1f} ms {ours - alone:>8.1f} ms {kib / 1024:>6.1f} MiB {theirs:>9.1f} ms {(ours - alone) / theirs:>6.2f}  "
                      f"{'PASS' if good else 'FAIL'}", flush=True)
    return 1 if missed else 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--doctor", required=True, type=os.path.abspath)
    parser.add_argument("--measure", required=True, type=os.path.abspath)
    parser.add_argument("--processes", type=int, default=2000)
    parser.add_argument("--sockets", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--build-type", default="?")
    parser.add_argument("--dir", default="/var/tmp")
    parser.add_argument("--inside", action="store_true")
    options = parser.parse_args()
    if options.inside:
        return run(options)
    if options.build_type != "Release":
        print(f"note: this is a {options.build_type} build; the bars are for a release build")
    print("a look on a busy host against the tool that reads the same, least of "
          f"{options.rounds}; bars: more than alone by less than that tool takes, memory flat\n")
    print(f"{'host':<40} {'look':>11} {'more':>11} {'memory':>10} {'tool':>12} {'ratio':>6}  bar", flush=True)
    return inside(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
