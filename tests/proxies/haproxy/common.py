"""haproxy, the driver, and edits: what the tests share."""

import json
import os
import pathlib
import subprocess
import sys

DRIVER = os.environ.get("PROXY_DRIVER", "")
HAPROXY = next((p for p in ("/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy") if os.access(p, os.X_OK)), None)
NOT_KNOWABLE = "cannot be known from outside"


def need_haproxy():
    if not HAPROXY:
        sys.exit("haproxy is missing: ./bootstrap test-real installs it")
    if not DRIVER:
        sys.exit("PROXY_DRIVER is not set: run this through ctest")


def check(*paths):
    """(accepted, what it said). 2 is 'no error, but no listener'."""
    words = [HAPROXY, "-c"]
    for path in paths:
        words += ["-f", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace")
    return done.returncode in (0, 2), done.stderr


def read(path, mends=False, also=()):
    words = [DRIVER] + ["--mends"] * mends + ["haproxy", str(path)] + [str(one) for one in also]
    done = subprocess.run(words, capture_output=True, text=True)
    model = json.loads(done.stdout)
    if "error" in model:
        sys.exit(f"{path}: the reader failed with {model['error']}")
    return model


def apply_edits(path, edits):
    """The edits of one mend, as the executor applies them. Returns how many there were."""
    data = pathlib.Path(path).read_bytes()
    out, at = b"", 0
    for edit in edits:
        if edit["offset"] < at:
            raise AssertionError(f"{path}: edits overlap or are not sorted: {edits}")
        out += data[at:edit["offset"]] + (edit["text"] or "").encode("utf-8", "surrogateescape")
        at = edit["offset"] + edit["length"]
    pathlib.Path(path).write_bytes(out + data[at:])
    return len(edits)


def say_first_lines(text, most=3):
    return "\n    ".join(line for line in text.splitlines() if "NOTICE" not in line and line.strip())[:600]
