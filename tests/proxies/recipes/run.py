#!/usr/bin/env python3
"""Configurations as people write them (own words), each with its real server: what arrives at the gateway, what the doctor says, what --fix
makes of it. What must be said is worked out from what arrived, never written down. See README.md.

    run.py [-v] [--no-fix] [--everything] [WORD...]

WORD: only recipes whose name holds one of the words. --everything: all live looks and repairs of both releases (minutes), not a part of them.
"""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
LEAST = 25  # of each server
PROGRAMS = {"nginx": "/usr/sbin/nginx", "haproxy": "/usr/sbin/haproxy", "caddy": "/usr/bin/caddy", "apache": "/usr/sbin/apache2"}


def certificate(folder):
    folder.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=claw.example.test", "-addext", "subjectAltName=DNS:claw.example.test,DNS:*.example.test,IP:10.77.0.1,IP:127.0.0.1", "-keyout",
                    folder / "privkey.pem", "-out", folder / "fullchain.pem"], check=True, capture_output=True)


def one(recipe, scratch, words):
    folder = scratch / f"{recipe.parent.name}-{recipe.stem}"
    folder.mkdir()
    command = ["unshare", "--net", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child", sys.executable, str(HERE / "cell.py"), str(recipe),
               str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=240, check=False)
    except subprocess.TimeoutExpired:
        return {"recipe": str(recipe), "problems": ["no end after 240 s"], "asks": []}
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        return {"recipe": str(recipe), "problems": [f"exit {done.returncode}: {done.stdout[-500:]} {done.stderr[-2500:]}"], "asks": []}


def show(result, verbose):
    name = "/".join(pathlib.Path(result["recipe"]).with_suffix("").parts[-2:])
    print(f"{'FAILED' if result['problems'] else 'ok':6} {name} ({result.get('seconds', '?')} s)", flush=True)
    if result["problems"] or verbose:
        for line in result["asks"]:
            print(f"    {line}")
    if verbose:
        print(f"    {result.get('spent')}")
        for look in result.get("looks", []):
            print(f"    {look['where']}: met {look['wanted']}, exit {look['code']}")
            print("        " + look["said"].replace("\n", "\n        "))
        for fix in result.get("fixes", []):
            print(f"    {fix['where']}: exit {fix['code']}")
            print("        " + "\n        ".join(fix["diff"]))
    for problem in result["problems"]:
        print("  - " + problem.replace("\n", "\n      "))


def main():
    if os.geteuid() != 0:
        print("SKIPPED: namespaces are root's to make; run the tests as root to see it")
        return SKIPPED
    for program in PROGRAMS.values():
        if not os.access(program, os.X_OK):
            print(f"FAILED: {program} is missing: ./bootstrap test-real installs it")
            return 1
    verbose, words = "-v" in sys.argv, [word for word in sys.argv[1:] if not word.startswith("-")]
    recipes = sorted(path for server in PROGRAMS for path in (HERE / server).glob("*.conf")
                     if not words or any(word in f"{server}/{path.stem}" for word in words))
    for server in PROGRAMS:
        if not words and sum(path.parent.name == server for path in recipes) < LEAST:
            print(f"FAILED: fewer than {LEAST} recipes of {server}")
            return 1
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="openclaw-doctor-recipes.", dir="/var/tmp"))
    began, failed, totals = time.monotonic(), 0, {"asks": 0, "looks": 0, "fixes": 0}
    try:
        certificate(scratch / "tls")
        os.environ["RECIPE_TLS"] = str(scratch / "tls")
        for name in ("PROXY_DRIVER", "OPENCLAW_DOCTOR", "LOCALITY_DRIVER"):  # a build folder below /tmp goes out of sight
            copy = scratch / name.lower()
            shutil.copy2(os.environ[name], copy)
            os.environ[name] = str(copy)
        with concurrent.futures.ThreadPoolExecutor(max_workers=(os.cpu_count() or 2) * 3) as pool:
            for result in pool.map(lambda recipe: one(recipe, scratch, [w for w in sys.argv[1:] if w in ("--no-fix", "--everything")]), recipes):
                show(result, verbose)
                failed += bool(result["problems"])
                for name in totals:
                    totals[name] += len(result.get(name, []))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{len(recipes)} recipes, {failed} failed: {totals['asks']} URLs asked, {totals['looks']} looks and {totals['fixes']} repairs compared with "
          f"what the servers did, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
