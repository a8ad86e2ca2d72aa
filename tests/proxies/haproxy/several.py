"""Several -f, files and folders, are one configuration: what haproxy accepts together is read together, into the routes of the same text in one
file; the other order is judged as haproxy judges it; an edit goes into the file that has the route, and the same list is accepted again."""

import pathlib
import random
import re
import sys
import tempfile
import time

from common import NOT_KNOWABLE, apply_edits, check, need_haproxy, read, say_first_lines
from generate import Config
from understands import certificate, is_right

GENERATED = 120
SECTIONS = ("global", "defaults", "frontend", "backend", "listen", "userlist", "resolvers", "peers", "cache", "http-errors", "program", "mailers")


def pieces_of(text, rng):
    """The text cut at heads of sections, where no condition is open, into two to five pieces."""
    end = "\r\n" if "\r\n" in text else "\n"
    rows = text.split(end)[:-1]
    depth, heads = 0, []
    for i, row in enumerate(rows):
        word = row.split()[0] if row.split() else ""
        # haproxy 2.6 does not take "${NAME-default}" in the first line of a file: it cuts it twice, and the first time writes into it
        if word in SECTIONS and depth == 0 and i > 0 and "${" not in row:
            heads.append(i)
        depth += (word == ".if") - (word == ".endif")
    cuts = sorted(rng.sample(heads, min(len(heads), rng.randint(1, 4))))
    return [end.join(rows[a:b]) + end for a, b in zip([0] + cuts, cuts + [len(rows)])]


def lay_out(folder, pieces, rng):
    """Writes the pieces; some that follow each other become a folder. What haproxy is given, in order."""
    folder.mkdir()
    given, i = [], 0
    while i < len(pieces):
        together = rng.randint(1, len(pieces) - i) if rng.random() < 0.4 else 1
        if together == 1:
            path = folder / f"{rng.choice('zam')}{i}.conf"
            path.write_text(pieces[i], newline="")
        else:
            path = folder / f"conf{i}.d"
            path.mkdir()
            for j in range(together):
                (path / f"{j:02d}-{rng.choice('zam')}.cfg").write_text(pieces[i + j], newline="")
            (path / "README").write_text("nonsense\n")
            (path / ".hidden.cfg").write_text("nonsense\n")
        given.append(path)
        i += together
    return given


def bare(route):
    """A route without the places it stands at."""
    if isinstance(route, dict):
        return {key: re.sub(r"line \d+( of \S+)?", "line", value) if key in ("note", "upgrade_why") and value else bare(value)
                for key, value in route.items() if not key.endswith("source") and key != "mends"}
    return [bare(one) for one in route] if isinstance(route, list) else route


def known(model):
    return [fault for fault in model["faults"] if NOT_KNOWABLE not in fault["text"]]


def together(seed, folder, crt, complaints):
    rng = random.Random(seed)
    text = Config(seed, prefix=f"s{seed}_", six=True, crt=crt).text
    one = folder / f"one{seed}.cfg"
    one.write_text(text, newline="")
    given = lay_out(folder / f"many{seed}", pieces_of(text, rng), rng)
    accepted, said = check(*given)
    model, whole = read(given[0], True, given[1:]), read(one)
    if accepted and known(model):
        complaints.append(f"{given}: haproxy accepts it, the reader says {known(model)[:2]}")
    if not accepted and not model["faults"]:
        complaints.append(f"{given}: no fault; haproxy says {say_first_lines(said)}")
    if accepted and bare(model["routes"]) != bare(whole["routes"]):
        complaints.append(f"{given}: other routes than in one file")
    return given, model, accepted


def turned(seed, given, complaints):
    """The other way round, where haproxy takes it: what had 'defaults' in front may have none now, or others. Every route's timeout and mode follow."""
    order = list(reversed(given))
    accepted, said = check(*order)
    if not accepted:
        return 0
    model = read(order[0], False, order[1:])
    if known(model):
        complaints.append(f"{order}: haproxy accepts it, the reader says {known(model)[:2]}")
    whole = order[0].parent / "whole.one"
    files = [pathlib.Path(name) for name in model["files"]]
    whole.write_bytes(b"".join(path.read_bytes() for path in files))
    one = read(whole)
    if bare(one["routes"]) != bare(model["routes"]):
        complaints.append(f"{order}: other routes than in one file")
    return 1


def edited(given, model, complaints):
    """One route that can be mended: its own file alone changes."""
    for index, route in enumerate(model["routes"]):
        mend = route["mends"]["all"]
        if mend.get("edits"):
            break
    else:
        return 0
    before = {path: pathlib.Path(path).read_bytes() for path in model["files"]}
    for path in sorted({edit["path"] for edit in mend["edits"]}):
        apply_edits(path, [edit for edit in mend["edits"] if edit["path"] == path])
    changed = {path for path in before if pathlib.Path(path).read_bytes() != before[path]}
    accepted, said = check(*given)
    again = read(given[0], True, given[1:])
    if not accepted:
        complaints.append(f"{given}: refused after the edit: {say_first_lines(said)}")
    if not changed or changed - set(model["files"]):
        complaints.append(f"{given}: {changed} changed")
    if len(again["routes"]) != len(model["routes"]) or not is_right(again["routes"][index]):
        complaints.append(f"{given}: not right after the edit")
    return 1


def inherited(folder, complaints):
    """What is written by hand: the defaults of the first file hold in the second, until the next."""
    folder.mkdir()
    a, b, c = folder / "a.cfg", folder / "b.cfg", folder / "conf.d"
    c.mkdir()
    a.write_text("defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n  timeout tunnel 2h\n  option forwardfor\n")
    b.write_text("frontend f\n  bind 127.0.0.1:1\n  default_backend gw\n")
    (c / "20-other.cfg").write_text("defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1s\n  timeout server 1s\nlisten t\n"
                                    "  bind 127.0.0.1:2\n  server s 127.0.0.1:18789\n")
    (c / "10-gw.cfg").write_text("backend gw\n  server s 127.0.0.1:18789\n")
    accepted, said = check(a, b, c)
    routes = {tuple(route["listens"]): route for route in read(a, False, [b, c])["routes"]}
    http, tcp = routes.get(("127.0.0.1:1",)), routes.get(("127.0.0.1:2",))
    if not accepted or not http or not tcp or http["idle_timeout_ms"] != 7200000 or tcp["idle_timeout_ms"] != 1000:
        complaints.append(f"by hand: {accepted} {say_first_lines(said)} {routes}")
    if http and not pathlib.Path(http["source"]["path"]).name == "10-gw.cfg":
        complaints.append(f"by hand: the route is at {http['source']}")
    alone = read(b)
    if not alone["faults"] or check(b)[0]:
        complaints.append("by hand: the second file alone has no fault")


def main():
    need_haproxy()
    begin = time.monotonic()
    complaints, edits, taken, back = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        crt = certificate(folder)
        inherited(folder / "hand", complaints)
        for seed in range(GENERATED):
            given, model, accepted = together(seed, folder, crt, complaints)
            taken += accepted
            back += turned(seed, given, complaints)
            if accepted:
                edits += edited(given, model, complaints)
    if taken < GENERATED * 9 // 10 or edits < 40:
        complaints.append(f"only {taken} accepted, {back} in the other order, {edits} edited")
    print(f"{GENERATED} configurations in several files, {taken} accepted, {back} in the other order, {edits} edited")
    for complaint in complaints[:40]:
        print("  " + complaint[:1500])
    print(f"{len(complaints)} complaints, {time.monotonic() - begin:.0f} s")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
