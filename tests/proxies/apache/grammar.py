"""What apache2 accepts is understood as apache2 understands it: directive by directive with its file and line, hosts, files; an edit of what it
accepted is accepted again; bad input is one fault. Debian's own files, and generated ones: [count [seed]]."""

import pathlib
import random
import re
import shutil
import sys
import tempfile

import generate
import server

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 520
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20261128
DUMPS = ("DUMP_CONFIG", "DUMP_VHOSTS", "DUMP_INCLUDES")
counts = {"compared": 0, "directives": 0, "hosts": 0, "refused": 0, "edits": 0, "not editable": 0, "routes": 0}


def fail(main, text):
    kept = pathlib.Path(tempfile.mkdtemp(prefix="apache-grammar-"))
    if main:
        shutil.copytree(main.parent, kept / "root")
    raise SystemExit(f"seed {SEED}: {text}\nkept: {kept}")


# --- what apache2 says ---


def blanks(text):
    return re.sub(r"\s+", " ", text).strip()


def words(name, args):
    """A directive's name in small letters and its arguments; a section without its bracket, which the two print at different places."""
    args = blanks(args)
    return (name.rstrip(">").lower(), args.rstrip("> ") if name.startswith("<") else args)


def server_tree(text):
    """[(depth, file or "-", line, name, args)] of DUMP_CONFIG."""
    rows, file, line = [], None, None
    for row in text.split("\n"):
        bare = row.strip()
        if bare.startswith("# In file: "):
            file = bare[11:]
            continue
        if re.match(r"#\s*\d+:$", bare):
            line = int(bare[1:-1])
            continue
        if not bare or bare.startswith("</") or file is None:
            continue
        name, _, args = bare.partition(" ")
        depth = (len(row) - len(row.lstrip(" "))) // 2
        macro = file.startswith("macro ")
        rows.append((depth, "-" if macro else file, 0 if macro else line, *words(name, args)))
    return rows


def our_tree(rows):
    return [(int(row[1]), row[2], 0 if row[2] == "-" else int(row[3]), *words(row[4], row[5])) for row in rows if row[0] == "D"]


def server_hosts(text):
    """{(file, line): (name, aliases)} of DUMP_VHOSTS."""
    hosts, last = {}, None
    for row in text.split("\n"):
        found = re.search(r"(\S+) \((/\S+):(\d+)\)$", row.strip())
        if found and not row.strip().startswith("default server"):
            last = (found.group(2), int(found.group(3)))
            hosts.setdefault(last, (found.group(1), []))
        alias = re.match(r"\s+(?:wild )?alias (\S+)$", row)
        if alias and last:
            hosts[last][1].append(alias.group(1))
    return hosts


def server_files(text):
    return [found.group(1) for found in re.finditer(r"^\s*\((?:\*|\d+)\) (/.*)$", text, re.M)]


def compare(main):
    """False when apache2 refuses it."""
    accepted, out, err = server.test_config(main, *DUMPS)
    if not accepted:
        return False
    ours = server.dump(main)
    faults = [row for row in ours if row[0] == "E" and "is not decided here" not in row[3]]
    if faults:
        fail(main, f"apache2 accepts {main}, the reader says {faults}")
    wanted, found = server_tree(out), our_tree(ours)
    for index in range(max(len(wanted), len(found))):
        left = wanted[index] if index < len(wanted) else None
        right = found[index] if index < len(found) else None
        if left != right:
            fail(main, f"{main}: directive {index}\n  apache2: {left}\n  reader:  {right}")
    hosts = server_hosts(out)
    own = {(row[1], int(row[2])): (row[3], row[4].split()) for row in ours if row[0] == "H" and row[1] != "-"}
    for place, (name, aliases) in hosts.items():
        if place not in own:
            continue
        if own[place][0].split(":")[0] not in (name, "") or sorted(set(own[place][1])) != sorted(set(aliases)) and aliases:
            fail(main, f"{main}: host at {place}\n  apache2: {name} {aliases}\n  reader:  {own[place]}")
        counts["hosts"] += 1
    if sorted(set(server_files(out))) != sorted({row[1] for row in ours if row[0] == "F"}):
        fail(main, f"{main}: files\n  apache2: {server_files(out)}\n  reader:  {[row[1] for row in ours if row[0] == 'F']}")
    counts["compared"] += 1
    counts["directives"] += len(wanted)
    return True


# --- edits ---


def is_mended(route):
    headers = route["headers"]
    return (route["upgrade"] == "passed" and headers["Host"]["fate"] == "clients" and headers["X-Forwarded-For"]["fate"] == "set"
            and headers["X-Forwarded-Proto"]["fate"] == "set"
            and (route["idle_timeout_ms"] == 0 or route["idle_timeout_ms"] >= 3600000)
            and route["upstream_host"] not in ("localhost", "::1"))


def mend_one(main, chooser):
    """One route of an accepted configuration is mended: accepted again, right, and nothing is left to be done."""
    routes = server.model(main, mends=True)["routes"]
    counts["routes"] += len(routes)
    order = list(range(len(routes)))
    chooser.shuffle(order)
    for index in order[:3]:
        mend = routes[index]["mends"]["all"]
        if "edits" not in mend:
            counts["not editable"] += 1
            if mend["error"] != -95 or not mend["why_not"]:
                fail(main, f"mend answered {mend}")
            continue
        server.apply_edits(mend["edits"])
        accepted, _, err = server.test_config(main)
        if not accepted:
            fail(main, f"an edit is refused: {mend}\n{err}")
        after = server.model(main, mends=True)
        # The route may have moved in the list; it is known by its server, path and line of upstream.
        again = [route for route in after["routes"] if route["names"] == routes[index]["names"] and route["path"] == routes[index]["path"]
                 and route["pattern"] == routes[index]["pattern"]]
        if not again:
            # A Location that was a route only for what the edit took out of it: whatever takes its requests now.
            again = [route for route in after["routes"] if route["names"] == routes[index]["names"] and route["path"]
                     and (routes[index]["path"] or "").startswith(route["path"])]
        if not again:
            fail(main, f"the route is gone: {routes[index]['names']} {routes[index]['path']}")
        same = [route for route in again if route["upstream_port"] == routes[index]["upstream_port"]]
        if not any(is_mended(route) for route in same):
            fail(main, f"not mended: {mend}\n{[(r['upgrade'], r['upgrade_why'], r['idle_timeout_ms'], r['upstream_host'], {k: v['fate'] for k, v in r['headers'].items()}) for r in same]}")
        if not any(route["mends"]["all"].get("edits") == [] for route in same):
            fail(main, f"mending twice: {[route['mends']['all'] for route in same]}")
        counts["edits"] += 1
        return


# --- what Debian ships ---


def shipped(scratch):
    """A copy of /etc/apache2 with every configuration and site enabled, and each group of modules that can live together."""
    source = pathlib.Path("/etc/apache2")
    singles = {"cgi", "cgid", "mpm_event", "mpm_prefork", "mpm_worker"}
    variants = [("mpm_event", "cgid"), ("mpm_prefork", "cgi"), ("mpm_worker", None)]
    files = set()
    for mpm, cgi in variants:
        root = scratch / f"shipped-{mpm}"
        shutil.copytree(source, root, symlinks=True)
        for kind, names in (("conf", None), ("sites", None), ("mods", singles - {mpm, cgi})):
            enabled = root / f"{kind}-enabled"
            shutil.rmtree(enabled)
            enabled.mkdir()
            for file in sorted((root / f"{kind}-available").iterdir()):
                if names is None or file.stem not in names:
                    shutil.copy(file, enabled / file.name)
        main = root / "apache2.conf"
        text = main.read_text()
        for name, value in (("APACHE_RUN_DIR", root), ("APACHE_PID_FILE", root / "pid"), ("APACHE_LOG_DIR", root), ("APACHE_LOCK_DIR", root),
                            ("APACHE_RUN_USER", "www-data"), ("APACHE_RUN_GROUP", "www-data")):
            server.ENVIRONMENT[name] = str(value)
        main.write_text(f"ServerRoot {root}\n" + text)
        drop = []
        while not compare_shipped(main, drop):
            pass
        files |= {path.relative_to(root) for path in root.rglob("*-enabled/*")}
    return files, drop


def compare_shipped(main, drop):
    """Modules that need something which is not here (a database, a key) are taken out one by one, by what apache2 names."""
    accepted, _, err = server.test_config(main, *DUMPS)
    if not accepted:
        found = re.search(r"on line \d+ of (/\S+?):", err)
        bad = pathlib.Path(found.group(1)) if found else None
        if not bad or bad == main or len(drop) > 30:
            fail(main, f"apache2 does not take what Debian ships: {err}")
        drop.append(f"{bad.name}: {err.strip().splitlines()[-1]}")
        bad.unlink()
        return False
    if not compare(main):
        fail(main, f"apache2 does not take what Debian ships: {err}")
    return True


def examples(scratch):
    """Each example of the documentation by itself, behind Debian's modules. Lines that need what is not here (certificates, folders) are
    taken out where apache2 points at them. How many files, how many lines."""
    base = scratch / "shipped-mpm_event"
    for site in (base / "sites-enabled").iterdir():
        site.unlink()
    files = lines = 0
    for example in sorted(pathlib.Path("/usr/share/doc/apache2/examples").rglob("*.conf")):
        copy = base / "sites-enabled" / "example.conf"
        copy.write_bytes(example.read_bytes().replace(b'ServerRoot ""', f'ServerRoot "{base}"'.encode()))
        for _ in range(40):
            accepted, _, err = server.test_config(base / "apache2.conf", *DUMPS)
            found = re.search(r"on line (\d+) of \S*example\.conf", err)
            if accepted or not found:
                break
            text = copy.read_bytes().split(b"\n")
            text[int(found.group(1)) - 1] = b"# taken out"
            copy.write_bytes(b"\n".join(text))
            lines += 1
        if not compare(base / "apache2.conf"):
            fail(base / "apache2.conf", f"apache2 does not take {example}: {err}")
        files += 1
    return files, lines


# --- bad input ---


def bad_input(scratch):
    root = scratch / "bad"
    root.mkdir()
    base = server.preamble(root) + "Listen 8080\n"
    (root / "loop.conf").write_text("Include loop2.conf\n")
    (root / "loop2.conf").write_text("\nInclude loop.conf\n")
    (root / "binary").write_bytes(b"\x7fELF\0\1\2\3" * 100)
    good = "<VirtualHost *:8080>\n    ProxyPass / http://127.0.0.1:18789/\n</VirtualHost>\n"
    start = base.count("\n") + 1
    cases = {
        "not closed": (good.replace("</VirtualHost>\n", ""), start, "main.conf"),
        "closed twice": (good + "</VirtualHost>\n", start + 3, "main.conf"),
        "crossed": (good + "<Location />\n<Proxy *>\n</Location>\n</Proxy>\n" if False else good + "<Location />\n</Proxy>\n</Location>\n", start + 4,
                    "main.conf"),
        "no bracket": (good + "<Location /x\n</Location>\n", start + 3, "main.conf"),
        "loop": (good + "Include loop.conf\n", 2, "loop2.conf"),
        "missing": (good + "Include not-there.conf\n", start + 3, "main.conf"),
        "nothing matches": (good + "Include none/*.conf\n", start + 3, "main.conf"),
        "binary": (good + "Include binary\n", start + 3, "main.conf"),
        "one line": (good + "A" * (10 << 20) + "\n", start + 3, "main.conf"),
        "one long line of junk": (good + "}{ " * (3 << 20) + "\n", start + 3, "main.conf"),
        "condition": (good + "<IfModule not.c>\n<Location />\n</IfModule>\n</Location>\n" if False else good + "<IfModule not.c>\n", start + 3, "main.conf"),
        "macro": (good + "Use Nothing\n", start + 3, "main.conf"),
        "macro not closed": (good + "<Macro X>\n", start + 3, "main.conf"),
    }
    for name, (text, line, file) in cases.items():
        main = root / "main.conf"
        main.write_text(base + text)
        if server.test_config(main)[0]:
            fail(main, f"bad input {name}: apache2 takes it")
        seen = server.model(main)
        faults = seen["faults"]
        if len(faults) != 1 or faults[0]["source"]["line"] != line or not faults[0]["source"]["path"].endswith("/" + file):
            fail(main, f"bad input {name}: {faults}, expected one at line {line} of {file}")
        if len(seen["routes"]) != 1:
            fail(main, f"bad input {name}: the rest does not go on: {len(seen['routes'])} routes")
    return len(cases)


def main():
    server.needed()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="apache-"))
    try:
        bad = bad_input(scratch)
        files, dropped = shipped(scratch)
        print(f"Debian's: {len(files)} files in 3 combinations, left out as apache2 itself refuses them here: {dropped}")
        print("examples: {} files, {} lines taken out".format(*examples(scratch)))
        chooser = random.Random(SEED)
        index = 0
        before = counts["compared"]
        while counts["compared"] < COUNT + before and index < COUNT * 2:
            root = scratch / f"g{index}"
            root.mkdir()
            made = generate.Generator(random.Random(SEED * 1000 + index), root).configuration()
            index += 1
            if not compare(made):
                counts["refused"] += 1
                continue
            mend_one(made, chooser)
            shutil.rmtree(root)
        print(f"generated: {index}, {counts}; bad input: {bad}")
        if counts["compared"] < COUNT + before:
            raise SystemExit("too many of the generated configurations are refused by apache2")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{counts['compared']} passed, 0 failed")


if __name__ == "__main__":
    main()
