#!/usr/bin/env python3
"""The program itself on every captured home: what holds of its reports whatever they say.

whole.py DOCTOR SOURCE

  - two runs with --deterministic print the same bytes; every document is valid (docs/report-schema.json)
  - no format changes the exit status, and each exit style follows from the default one
  - no report names the home or holds a secret of it, or an escape sequence
  - no line is wider than the terminal, but for a path or a command that is wider alone
  - stdout carries one JSON document also when the run ends before there is a report
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

DOCTOR, SOURCE = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(SOURCE / "tests" / "cases"))
import home as homes  # noqa: E402
from compare import strict  # noqa: E402

SECRET = re.compile(r"\"(?:token|privateKeyPem)\"\s*:\s*\"([^\"]{16,})\"")
FAILED = []
RUNS = 0


def fail(where, what):
    FAILED.append(f"{where}: {what}")


def run(home, *words, columns=80):
    global RUNS
    RUNS += 1
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "COLUMNS": str(columns), "TMPDIR": str(home)}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return subprocess.run([DOCTOR, *words], env=environment, cwd="/", capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
                          preexec_fn=homes.out_of_sight, check=False)


def document(where, done, validator):
    try:
        text = done.stdout.decode("utf-8")
        report = json.loads(text)
    except ValueError as error:
        fail(where, f"stdout is not one JSON document: {error}: {done.stdout[:200]!r} {done.stderr[:200]!r}")
        return None
    for error in validator.iter_errors(report):
        fail(where, f"schema: {error.json_path}: {error.message}")
    if report["exit"]["code"] != done.returncode:
        fail(where, f"says exit {report['exit']['code']} and ends with {done.returncode}")
    return report


def secrets_of(home):
    found = set()
    for path in home.rglob("*.json"):
        if path.is_file() and path.stat().st_size < 1 << 20:
            found.update(SECRET.findall(path.read_text(errors="replace")))
    return {secret for secret in found if "$" not in secret}


def too_wide(line, width):
    if len(line) <= width:
        return False
    if re.match(r" {4,}[-+]\S", line):
        return False  # a line of a diff is the file's own
    pieces = re.findall(r"`[^`]*`|\S+", line)
    return not (re.match(r" +(sudo|openclaw|openclaw-doctor|systemctl|docker|chmod|chown|mv|curl) ", line) or max(map(len, pieces)) > width - 16)


def check_text(where, done, home, secrets, width):
    text = done.stdout.decode("utf-8", errors="replace")
    if str(home) in text:
        fail(where, "names the home")
    if "\x1b" in text:
        fail(where, "holds an escape sequence")
    for secret in secrets:
        if secret in text or secret in done.stderr.decode("utf-8", errors="replace"):
            fail(where, "holds a secret")
    if width:
        for line in text.split("\n"):
            if too_wide(line, width):
                fail(where, f"line of {len(line)} columns: {line}")
    return text


def expected_exit(report, style):
    """docs/exit-codes.md, from what the document says."""
    code, counts = report["exit"]["lintCode"], report["summary"]["bySeverity"]
    broken = report["unknowns"] or any(report["summary"]["byStatus"][status] for status in ("unknown", "error", "timeout"))
    if style == "nagios":
        return {0: 0, 1: 2 if counts["error"] else 1, 2: 3, 3: 3}[code]
    if style == "health":
        return 0 if code == 0 else 1
    left = 4 if report["summary"]["problems"] else 0
    return left | (8 if broken or code == 2 else 0)


def look_at(name, home, validator):
    secrets = secrets_of(home)
    first = run(home, "--json", "--deterministic")
    again = run(home, "--json", "--deterministic")
    if first.stdout != again.stdout:
        fail(name, "two runs with --deterministic differ")
    report = document(name, first, validator)
    if not report:
        return
    check_text(name, first, home, secrets, 0)
    document(name, run(home, "--json"), validator)
    for words, width in (((), 80), ((), 40), (("--verbose",), 80), (("--quiet",), 80), (("--fix", "--dry-run"), 80)):
        where = " ".join([name, *words, f"({width} columns)"])
        done = run(home, *words, columns=width)
        text = check_text(where, done, home, secrets, width)
        if done.returncode != first.returncode:
            fail(where, f"exit {done.returncode}, not {first.returncode}")
        if report["ok"] != text.startswith("No problem found") and words != ("--quiet",):
            fail(where, f"first line does not fit: {text[:80]!r}")
        if words == ("--quiet",) and report["ok"] and text:
            fail(where, "has something to say though all is well")
    plan = document(f"{name} --dry-run", run(home, "--fix", "--dry-run", "--json"), validator)
    if plan and plan["exit"] != report["exit"]:
        fail(name, "--dry-run ends in another way than the look")
    for style in ("nagios", "health", "fsck"):
        done = run(home, "--exit-style", style, "--quiet")
        if done.returncode != expected_exit(report, style):
            fail(f"{name} as {style}", f"exit {done.returncode}, not {expected_exit(report, style)}")


def repair(name, home, validator):
    """On the same copy, last: what a repair, its history and its undo print."""
    secrets = secrets_of(home)
    done = run(home, "--fix", "--non-interactive", "--json")
    document(f"{name} --fix", done, validator)
    check_text(f"{name} --fix", done, home, secrets, 0)
    for words, width in ((("history",), 80), (("history", "--json"), 0), (("undo",), 80), (("--fix", "--yes"), 80),
                         (("history",), 40), (("undo", "--json"), 0)):
        done = run(home, *words, columns=width or 80)
        check_text(" ".join([name, *words]), done, home, secrets, width)
        if done.returncode not in (0, 1, 2, 3) or (words[-1] == "--json" and json.loads(done.stdout) is None):
            fail(" ".join([name, *words]), f"exit {done.returncode}: {done.stdout[:300]!r}")


def failures(home, validator):
    for words, code in (
        (("--no-such-option",), 64),
        (("--only", "no-such-check"), 64),
        (("--severity-min", "loud"), 64),
        (("--exit-style", "loud"), 64),
        (("--state-dir", "/no/such/folder"), 2),
        (("--root", "/no/such/folder"), 2),
        (("apply", "/no/such/plan"), 2),
        (("undo", "no-such-run"), 2),
    ):
        where = " ".join(words)
        done = run(home, *words, "--json")
        report = document(where, done, validator)
        if report and (report["ok"] or done.returncode != code):
            fail(where, f"ok is {report['ok']}, exit {done.returncode}, not {code}")
        for style, wanted in (("nagios", 3), ("health", 1), ("fsck", 16 if code == 64 else 8)):
            if "--exit-style" not in words and run(home, "--exit-style", style, *words).returncode != wanted:
                fail(f"{where} as {style}", f"does not end in {wanted}")


def tables(home):
    if run(home, "--print-schema").stdout != (SOURCE / "docs" / "report-schema.json").read_bytes():
        fail("--print-schema", "is not docs/report-schema.json")
    listed = json.loads(run(home, "list", "--json").stdout)
    if not listed["checks"] or any(not check["problems"] for check in listed["checks"]):
        fail("list --json", "has no checks, or a check without problems")
    for check in listed["checks"]:
        for words in [check["id"]] + [problem["checkId"] for problem in check["problems"]]:
            done = run(home, "explain", words)
            if done.returncode != 0 or check["title"].split()[0] not in done.stdout.decode() and "/" not in words:
                fail(f"explain {words}", f"exit {done.returncode}")


def main():
    schema = json.loads((SOURCE / "docs" / "report-schema.json").read_text())
    validator = jsonschema.Draft202012Validator(strict(schema))
    names = sorted(path.name.removesuffix(".tar.gz") for path in (SOURCE / "fixtures" / "captures").glob("*.tar.gz"))
    for name in names:
        with tempfile.TemporaryDirectory(prefix="dr-whole-") as top:
            home = pathlib.Path(top)
            os.chmod(home, 0o755)
            homes.unpack(name, home)
            look_at(name, home, validator)
            repair(name, home, validator)
    with tempfile.TemporaryDirectory(prefix="dr-whole-") as top:
        failures(pathlib.Path(top), validator)
        tables(pathlib.Path(top))
    for line in FAILED:
        print(line)
    print(f"{len(names)} homes, {RUNS} runs, {len(FAILED)} failures")
    sys.exit(1 if FAILED or not names else 0)


main()
