"""What both scenes of the service repairs share: the oath, and how a report is read. Python 3.9, standard library only."""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77  # ctest: SKIP_RETURN_CODE
USER, UID = "oc", 1001
NAME = "openclaw-gateway.service"
TOKEN = "tok-AAAA-0123456789abcdef"


class Failed(Exception):
    """The doctor, or what it said, is wrong; the text says what."""


class Skip(Exception):
    """The scene cannot be had on this machine; one line says why."""


def expect(truth, what, *evidence):
    if not truth:
        raise Failed("\n--- ".join([what, *map(str, evidence)]))
    print("ok:", what, flush=True)


def found(report):
    """The codes of what was found, without mere information."""
    return sorted(code(finding) for finding in report["findings"] if finding["severity"] != "info")


def code(finding):
    return finding["problem"] if "problem" in finding else finding["checkId"].split("/")[1]


def repairs(report):
    return [(r["status"], r.get("path"), r.get("reason")) for r in report.get("repairs", [])]


def harness():
    """The real releases that tests/real/fetch brings."""
    sys.path.insert(0, os.fspath(HERE.parent / "real"))
    import harness as module
    return module
