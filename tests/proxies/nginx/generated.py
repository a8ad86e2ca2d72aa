#!/usr/bin/env python3
"""At least 600 generated configurations: nginx accepts them, the reader finds no fault and reads the same files in the same order;
every kind of mend of what nginx accepted is accepted again, and mending twice adds nothing."""

import concurrent.futures
import pathlib
import random
import shutil
import sys

from generate import make
from nginx import apply, fail, model, need, nginx, scratch

KINDS = ["upgrade", "forward", "timeout", "upstream", "buffering"]


def dumped(text):
    mark = "# configuration file "
    return [line[len(mark):-1] for line in text.splitlines() if line.startswith(mark)]


def mend(folder, seed, kind):
    """Mends some of the routes, one after the other, and looks again after each. How many were edited."""
    count = 0
    routes = model(folder / "nginx.conf", mends=True)["routes"]
    for index in random.Random(seed).sample(range(len(routes)), min(len(routes), 2)):
        made = routes[index]["mends"][kind]
        if "edits" not in made:
            fail(f"seed {seed}: mend {kind} of route {index}: {made}")
        if made["edits"]:
            apply(made["edits"])
            after = model(folder / "nginx.conf", mends=True)
            if after["faults"] or len(after["routes"]) != len(routes):
                fail(f"seed {seed}: mend {kind} of route {index} in {folder}: {after['faults']}, {len(after['routes'])} routes")
            again = after["routes"][index]["mends"][kind]
            if again.get("edits") != []:
                fail(f"seed {seed}: mend {kind} of route {index} adds again: {again}")
            judge(seed, kind, after["routes"][index])
            routes = after["routes"]
            count += 1
    return count


def judge(seed, kind, route):
    right = {
        "upgrade": lambda: route["upgrade"] == "passed" and route["http_version"] == 11,
        "forward": lambda: [route["headers"][name]["fate"] for name in ("Host", "X-Forwarded-For", "X-Forwarded-Proto")] ==
        ["clients", "set", "set"],
        "timeout": lambda: route["idle_timeout_ms"] >= 3600000,
        "upstream": lambda: route["upstream_host"] not in ("localhost", "::1"),
        "buffering": lambda: not route["buffers"],
    }
    for one in KINDS if kind == "all" else [kind]:
        if not right[one]():
            fail(f"seed {seed}: after mend {kind} the route is not right ({one}): {route}")


def one(root, seed):
    folder = root / str(seed)
    folder.mkdir()
    make(folder, seed, 9, f"{folder}/up.sock")
    status, text, errors = nginx(folder, "-T")
    if status != 0:
        fail(f"seed {seed}: the generator made what nginx refuses: {errors}")
    read = model(folder / "nginx.conf")
    if read["faults"]:
        fail(f"seed {seed}: nginx accepts it, the reader says {read['faults']}")
    if read["files"] != dumped(text):
        fail(f"seed {seed}: files read {read['files']}, nginx read {dumped(text)}")
    # One kind after the other, from seed to seed.
    kind = (KINDS + ["all"])[seed % (len(KINDS) + 1)]
    mends = mend(folder, seed, kind)
    status, _, errors = nginx(folder, "-t")
    if status != 0:
        fail(f"seed {seed}: after mend {kind} nginx says {errors}")
    shutil.rmtree(folder)
    return len(read["files"]), len(read["routes"]), mends


def main():
    need()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with scratch() as root, concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda seed: one(pathlib.Path(root), seed), range(first, first + count)))
    files, routes, mends = (sum(column) for column in zip(*results))
    print(f"good: {count} configurations, {files} files, {routes} routes read as nginx reads them; {mends} mends accepted")


if __name__ == "__main__":
    main()
