"""The steps that every scenario takes once its home is broken: look, plan, fix, undo, fix again, and nothing more to do."""
import contextlib

from harness import SAME_CONTENT, Failure, Home, Report, differences, doctor_json, expect, snapshot

# What a gateway writes by itself while it lives: not the doctor's doing, and not part of what it repairs.
GATEWAYS_OWN = ("/openclaw.sqlite-wal", "/openclaw.sqlite-shm", "/openclaw.sqlite", "/.openclaw/logs/", "/.openclaw/tmp/",
                "/.openclaw/cache/", "/update-check.json", "/openclaw.json.last-good", "/.openclaw/agents/", "/.openclaw/cron/")
# Where the doctor keeps journal and backups below the state directory.
DOCTORS_OWN = ("/.openclaw/openclaw-doctor",)


def quiet(gateway, args) -> tuple:
    """A gateway that is frozen answers nobody, and a look that asked it would say so."""
    return (*args, "--offline") if gateway and "--offline" not in args else tuple(args)


def has(report: Report, check: str) -> bool:
    """True when a finding that counts came from this check; `check` may also be a whole <check>/<problem>."""
    return any(found == check or found.startswith(check + "/") for found in report.ids())


def look(home: Home, check: str, *, gateway=None, args=(), env=None) -> Report:
    """A look finds the check's problem, exits 1, and changes nothing."""
    with gateway.frozen() if gateway else contextlib.nullcontext():
        before = snapshot(home.home)
        report = doctor_json(home, *quiet(gateway, args), env=env)
        changed = differences(before, snapshot(home.home))
    expect(has(report, check), f"the doctor finds {check}", report)
    expect(report.code == 1, "a look that finds something exits 1", report)
    expect(not changed, "a look changes nothing", *changed)
    return report


def plan_only(home: Home, consent, *, gateway=None, args=(), env=None) -> None:
    with gateway.frozen() if gateway else contextlib.nullcontext():
        before = snapshot(home.home)
        report = doctor_json(home, "--fix", "--dry-run", "--yes", *consent, *quiet(gateway, args), env=env)
        changed = differences(before, snapshot(home.home))
    expect(not changed, "a dry run changes nothing", *changed, report)
    expect(report.code == 1, "a dry run exits as a look", report)


def fix(home: Home, check: str, consent, *, args=(), env=None) -> Report:
    report = doctor_json(home, "--fix", "--yes", *consent, *args, env=env)
    expect(report.code == 0 and not has(report, check), f"--fix {' '.join(consent)} repairs {check} and exits 0", report)
    expect(report.repairs() != [], "the report lists the repair", report)
    return report


def needs_consent(home: Home, check: str, *, args=(), env=None) -> None:
    """Without --unsafe, a repair of the unsafe class is offered and not made."""
    before = snapshot(home.home)
    report = doctor_json(home, "--fix", "--yes", *args, env=env)
    changed = differences(before, snapshot(home.home), fields=SAME_CONTENT, ignore=GATEWAYS_OWN + DOCTORS_OWN)
    expect(not changed and has(report, check) and report.code == 1, f"without --unsafe {check} stays as it is", *changed,
           report)


def undo(home: Home, before: dict, *, args=(), env=None) -> None:
    report = doctor_json(home, "undo", "--yes", *args, env=env)
    expect(report.code == 0, "undo exits 0", report)
    expect(not report.json.get("refused"), "undo refuses nothing", report)
    changed = differences(before, snapshot(home.home), fields=SAME_CONTENT, ignore=GATEWAYS_OWN + DOCTORS_OWN)
    expect(not changed, "undo brings back the exact bytes, modes and owners", *changed)


def nothing_left(home: Home, consent, *, gateway=None, args=(), env=None) -> None:
    """A second repair has nothing to do and writes nothing at all."""
    with gateway.frozen() if gateway else contextlib.nullcontext():
        before = snapshot(home.home)
        report = doctor_json(home, "--fix", "--yes", *consent, *quiet(gateway, args), env=env)
        changed = differences(before, snapshot(home.home))
    expect(report.code == 0, "a second --fix exits 0", report)
    expect(not changed, "a second --fix writes nothing", *changed)


def whole_way(home: Home, check: str, *, broken, works, consent=(), gateway=None, args=(), env=None, rows=None) -> None:
    """The whole way of a repair on a real home.

    `broken()` and `works()` run OpenClaw and expect its error, and its success. `gateway`: the one that runs meanwhile.
    `rows()`: rows of the SQLite store that undo has to bring back (its file is the gateway's to write).
    """
    options = {"args": args, "env": env}
    broken()
    look(home, check, gateway=gateway, **options)
    plan_only(home, consent, gateway=gateway, **options)
    if consent:
        needs_consent(home, check, **options)
    before = snapshot(home.home)
    rows_before = rows() if rows else None
    fix(home, check, consent, **options)
    undo(home, before, **options)
    if rows:
        expect(rows() == rows_before, "undo brings back the exact row", rows_before, rows())
    broken()
    look(home, check, gateway=gateway, **options)
    fix(home, check, consent, **options)
    works()
    nothing_left(home, consent, gateway=gateway, **options)


def refuse(result, *texts) -> None:
    """OpenClaw itself failed, and with these words."""
    for text in texts:
        if result.code == 0 or text not in result.text:
            raise Failure(f"{result.command} was to fail with {text!r}:\n{result}")
    expect(True, f"{result.command} fails: {texts[0]}")


def succeed(result, *texts) -> None:
    for text in ("", *texts):
        if result.code != 0 or text not in result.text:
            raise Failure(f"{result.command} was to succeed{' with ' + repr(text) if text else ''}:\n{result}")
    expect(True, f"{result.command} works")
