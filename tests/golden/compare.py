#!/usr/bin/env python3
"""Renders every recorded run in every format and compares with tests/golden/expect.

compare.py RENDER SOURCE [--update]

A text expectation is the report and a last line "exit N". A JSON report must validate against docs/report-schema.json, and no report may
hold the home of the recorded run, an escape sequence (but for colour) or a line end that is not its own.
"""

import difflib
import json
import pathlib
import subprocess
import sys

import jsonschema

FORMATS = ["json", "human", "narrow", "ascii", "colour", "verbose", "quiet", "plan"]


def render(program, case, form):
    run = subprocess.run([program, case, form], capture_output=True, check=False, timeout=30)
    if run.returncode == 99 or run.returncode < 0:
        sys.exit(f"{case.name} as {form}: {run.stderr.decode(errors='replace')} (status {run.returncode})")
    return run.stdout, run.returncode


def complaints(form, text, schema):
    """What is wrong with a report whatever the expectation says."""
    if form == "json":
        document = json.loads(text)
        yield from (f"schema: {error.json_path}: {error.message}" for error in schema.iter_errors(document))
    if "/home/oc/" in text or '"/home/oc"' in text:
        yield "names the home"
    if form != "colour" and "\x1b" in text:
        yield "holds an escape sequence"
    if form == "ascii" and not "文" in text and not text.isascii():
        yield "is not ASCII"
    if form != "json" and any(line != line.rstrip() for line in text.split("\n")):
        yield "has blanks at a line's end"


def strict(schema):
    """The same schema with no room for keys that it does not name: what we print is all documented."""
    if isinstance(schema, dict):
        closed = {name: strict(part) for name, part in schema.items()}
        if schema.get("type") == "object" and "properties" in schema:
            closed["additionalProperties"] = False
        return closed
    return [strict(part) for part in schema] if isinstance(schema, list) else schema


def main():
    program, source = sys.argv[1], pathlib.Path(sys.argv[2])
    update = "--update" in sys.argv[3:]
    golden = source / "tests" / "golden"
    with open(source / "docs" / "report-schema.json", encoding="utf-8") as file:
        schema_text = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema_text)
    schema = jsonschema.Draft202012Validator(strict(schema_text))
    failures = 0
    count = 0
    wanted = set()
    for case in sorted((golden / "cases").glob("*.json")):
        recorded = b'"look"' in case.read_bytes()
        for form in FORMATS if recorded else ["human", "narrow", "verbose"]:
            out, status = render(program, case, form)
            text = out.decode("utf-8")
            count += 1
            for complaint in complaints(form, text, schema):
                print(f"{case.stem} as {form}: {complaint}")
                failures += 1
            text += "" if form == "json" or not recorded else f"exit {status}\n"
            expect = golden / "expect" / f"{case.stem}.{form}"
            wanted.add(expect)
            if update:
                expect.parent.mkdir(exist_ok=True)
                expect.write_text(text, encoding="utf-8")
                continue
            before = expect.read_text(encoding="utf-8") if expect.exists() else ""
            if before != text:
                failures += 1
                sys.stdout.writelines(
                    difflib.unified_diff(before.splitlines(True), text.splitlines(True), str(expect.name), "now")
                )
    stale = [path for path in (golden / "expect").glob("*") if path not in wanted]
    for path in stale:
        if update:
            path.unlink()
        else:
            print(f"{path.name}: belongs to no case")
            failures += 1
    print(f"{count} reports, {failures} differences")
    sys.exit(1 if failures or count == 0 else 0)


if __name__ == "__main__":
    main()
