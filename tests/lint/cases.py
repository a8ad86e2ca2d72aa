"""Each check has a healthy case; each problem that a fixer can repair has a case which expects it.

A case is a folder checks/<id>/cases/<case>/ or fixers/<id>/cases/<case>/ with case.json. It expects a problem when
"<check>/<code>" stands anywhere in the value of its keys `findings`, `infos`, `first` or `expect`. What no case can show stands in
proved-elsewhere.txt with the test that does.
"""

import json
import pathlib
import subprocess
import sys

from common import rows, verdict


def texts(value):
    """All strings in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)


def read_registry(dump):
    checks, problems, fixers = [], {}, []
    for line in subprocess.run([dump], check=True, capture_output=True, text=True).stdout.splitlines():
        kind, *fields = line.split("\t")
        if kind == "check":
            checks.append(fields[0])
        elif kind == "problem":
            problems[fields[0]] = None if fields[1] == "-" else fields[1]
        else:
            fixers.append(fields[0])
    return checks, problems, fixers


def main(root, dump):
    checks, problems, fixers = read_registry(dump)
    complaints = []
    expected = set()
    healthy = set()
    for path in sorted(pathlib.Path(root).glob("checks/*/cases/*")) + sorted(pathlib.Path(root).glob("fixers/*/cases/*")):
        short = path.relative_to(root).as_posix()
        try:
            case = json.loads((path / "case.json").read_text())
        except (OSError, ValueError) as error:
            complaints.append(f"{short}: case.json cannot be read: {error}")
            continue
        named = {text for key in ("findings", "infos", "first", "expect") for text in texts(case.get(key, []))}
        codes = {text for text in named if "/" in text}
        expected |= codes
        module = path.parts[-3]
        if path.parts[-4] == "checks" and not any(code.startswith(module + "/") for code in codes):
            healthy.add(module)
        for code in sorted(codes):
            if code.split("/")[0] in checks and code not in problems:
                complaints.append(f"{short}: expects {code}, which no check reports")
    elsewhere = pathlib.Path(root) / "tests/lint/proved-elsewhere.txt"
    for row in rows(elsewhere) if elsewhere.is_file() else []:
        problem, test, *why = row.split(None, 2)
        path = pathlib.Path(root) / test
        if problem not in problems or problem in expected or not why:
            complaints.append(f"proved-elsewhere.txt: {problem}: no such problem, a case has it, or no reason")
        elif not path.is_file() or problem.split("/")[1] not in path.read_text():
            complaints.append(f"proved-elsewhere.txt: {test} does not speak of {problem}")
        expected.add(problem)
    for check in checks:
        if check not in healthy:
            complaints.append(f"checks/{check}/cases: no healthy case (one that expects no {check}/... finding)")
    for problem, fixer in sorted(problems.items()):
        if fixer and fixer not in fixers:
            complaints.append(f"{problem}: names the fixer {fixer}, which does not exist")
        if fixer and problem not in expected:
            complaints.append(f"{problem}: {fixer} repairs it, but no case expects it")
        elif problem not in expected:
            print(f"note: no case expects {problem}")
    for fixer in fixers:
        if fixer not in problems.values():
            complaints.append(f"fixers/{fixer}: no problem names it")
    verdict(complaints, f"{len(problems)} problems, {len(fixers)} fixers have their cases")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
