#!/usr/bin/env python3
"""Generated configurations with a few bytes wrong, or cut off: where nginx complains about syntax the reader has exactly one fault for
that file, at the same line; where nginx accepts it the reader has none."""

import concurrent.futures
import pathlib
import random
import re
import shutil
import sys

from generate import make
from nginx import fail, model, need, nginx, scratch

SYNTAX = re.compile(r'(unexpected "."|unexpected end of file|too long parameter|is not terminated by|has no opening|'
                    r'invalid number of arguments in "(?:proxy_set_header|proxy_pass|proxy_http_version|set|include)")'
                    r'(?!.* in condition).* in (\S+):(\d+)')


def spoil(rng, text):
    kind = rng.choice(["cut", "delete", "insert", "insert", "swap", "long", "quote"])
    at = rng.randrange(len(text))
    if kind == "cut":
        return text[:at]
    if kind == "delete":
        return text[:at] + text[at + 1:]
    if kind == "insert":
        return text[:at] + rng.choice([b"{", b"}", b";", b'"', b"'", b"\\", b"#", b"$", b"${", b" ", b"\n", b")"]) + text[at:]
    if kind == "swap":
        marks = [i for i, byte in enumerate(text) if byte in b"{};"]
        at = rng.choice(marks)
        return text[:at] + rng.choice([b"{", b"}", b";"]) + text[at + 1:]
    if kind == "quote":
        quotes = [i for i, byte in enumerate(text) if byte in b"\"'"] or [at]
        at = rng.choice(quotes)
        return text[:at] + text[at + 1:]
    ends = [i for i, byte in enumerate(text) if byte in b"\n"]
    at = rng.choice(ends)
    length = rng.choice([3000, 4070, 4090, 4094, 4095, 4096, 4097, 4098, 4200, 9000])
    start, stop = rng.choice([(b"#", b""), (b"set $x ", b";"), (b'set $x "', b'";'), (b'set $x "', b'" ;'), (b"set $x ", b" ;"),
                              (b" " * 4200, b"")])
    return text[:at] + b"\n" + start + b"x" * (length - 10 + rng.randrange(20)) * (start.strip() != b"") + stop + text[at:]


def one(root, seed):
    folder = root / str(seed)
    folder.mkdir()
    rng = random.Random(seed)
    make(folder, seed, 9, f"{folder}/up.sock", extras=False)
    path = rng.choice([folder / "nginx.conf"] * 3 + sorted(one for one in folder.rglob("*.conf")))
    path.write_bytes(spoil(rng, path.read_bytes()))
    status, _, errors = nginx(folder, "-t")
    faults = model(folder / "nginx.conf")["faults"]
    met = SYNTAX.search(errors)
    result = "other"
    if status == 0:
        if faults:
            fail(f"seed {seed}: nginx accepts {path}, the reader says {faults}")
        result = "accepted"
    elif met:
        same = [fault for fault in faults if fault["source"]["path"] == met.group(2)]
        # nginx stops at the first error; a file that is included twice has its fault twice here.
        if not same or {fault["source"]["line"] for fault in same} != {int(met.group(3))}:
            fail(f"seed {seed}: nginx says {errors.strip()}, the reader {faults} about {path}")
        result = "syntax"
    shutil.rmtree(folder)
    return result


def main():
    need()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    with scratch() as root, concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda seed: one(pathlib.Path(root), seed), range(first, first + count)))
    if results.count("syntax") < count / 4:
        fail(f"only {results.count('syntax')} of {count} were syntax errors")
    print(f"good: {count} spoilt configurations: {results.count('syntax')} syntax errors found at nginx's own line, "
          f"{results.count('accepted')} accepted by both, {results.count('other')} refused for other reasons")


if __name__ == "__main__":
    main()
