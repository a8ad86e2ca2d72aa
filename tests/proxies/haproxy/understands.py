"""What haproxy accepts is read without a fault; what it refuses has one, at the same line. Edits of accepted files are accepted,
make the route right, and are needed once only."""

import concurrent.futures
import glob
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

from common import NOT_KNOWABLE, apply_edits, check, need_haproxy, read, say_first_lines
from generate import Config

GENERATED = 560
BATCH = 14
# Debian's haproxy is built without these, or they name files that only their author has.
OF_OTHER_BUILDS = ("wurfl", "unable to stat SSL certificate", "unable to load", "cannot open the file")


def certificate(folder):
    crt = folder / "crt.pem"
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], check=True, capture_output=True)
    cert = subprocess.run(["openssl", "req", "-x509", "-key", "/dev/stdin", "-subj", "/CN=localhost", "-days", "2"], check=True,
                          input=key.stdout, capture_output=True)
    crt.write_bytes(cert.stdout + key.stdout)
    return str(crt)


def faults_of(model):
    return [f for f in model["faults"] if NOT_KNOWABLE not in f["text"]]


def shipped(complaints):
    files = sorted(glob.glob("/etc/haproxy/*.cfg") + glob.glob("/usr/share/doc/haproxy*/examples/*.cfg"))
    if len(files) < 5:
        complaints.append(f"only {len(files)} shipped configurations: is haproxy installed with its documentation?")
    for path in files:
        accepted, said = check(path)
        model = read(path)
        excused = not accepted and any(words in said for words in OF_OTHER_BUILDS)
        if accepted == bool(model["faults"]) and not excused:
            complaints.append(f"{path}: haproxy says {say_first_lines(said)!r}, the reader {model['faults']}")
        if excused and model["faults"]:
            complaints.append(f"{path}: {model['faults']}")
    return len(files)


def accepted_ones(folder, crt, complaints):
    configs = []
    for i in range(GENERATED):
        path = folder / f"ok{i}.cfg"
        path.write_text(Config(i, prefix=f"c{i}_", six=True, crt=crt).text, newline="")
        configs.append(path)
    batches = [configs[i:i + BATCH] for i in range(0, len(configs), BATCH)]
    refused = []

    def judge(batch):
        accepted, said = check(*batch)
        if accepted:
            return
        for path in batch:
            one, said = check(path)
            if not one:
                refused.append((path, said))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(judge, batches))
        models = list(pool.map(read, configs))
    for path, said in refused:
        complaints.append(f"{path.name}: the generator wrote what haproxy refuses: {say_first_lines(said)}")
    routes = 0
    for path, model in zip(configs, models):
        routes += len(model["routes"])
        if faults_of(model) and path not in [p for p, _ in refused]:
            complaints.append(f"{path.name}: haproxy accepts it, the reader says {faults_of(model)[:2]}")
    return configs, routes


# --- refused ones ---------------------------------------------------------------------------------------------------------

SPOILERS = [
    ('  http-request set-header X "a', None), ("  acl a path /\\xg0", None), ('  acl a path "$-"', None), ('  acl a path "${A"', None),
    ("  nosuchword a b", None), ("nosuchsection x", None), (".endif", None), (".else", None), (".elif 1", None), (".if foo(1)", None),
    (".if streq(a)", None), (".if 1 2", None), (".if (1", None), (".nosuch", None), ('.alert "stop"', None),
    ("  use_backend none if TRUE", 0), ("  use_backend {b} if no_such_acl", None),
    ("  http-request deny if { path_beg /x", None), ("  timeout tunnel 1x", None), ("  timeout nosuch 1s", None), ("  mode nosuch", None),
    ("  timeout client 99999999999", None), ("  " + "acl many path " + "a " * 63, None), ("  no option forwardfor", None),
    ("  option nosuch", None), ("  option forwardfor nosuch", None), ("  no timeout client", None), ("  bind :70000", None),
    ("  bind 127.0.0.1:1 nosuch", None), ("  bind", None), ("frontend", None), ("frontend a/b", None), ("frontend x from nosuch", None),
    ("backend {b}", None), ("defaults\n  http-request set-header A b", None), ("defaults\n  acl x path /", None),
    ("backend zz\n  server s", None), ("backend zz\n  server s 127.0.0.1:1 nosuch", None), ("backend zz\n  server s 127.0.0.1:99999", None),
    ("frontend zz\n  server s 127.0.0.1:1", None), ("  http-request set-header X y z", None), ("  acl a/b path /", None),
    (".if 1\n.else\n.else\n.endif", None), (".if 1", 0), ("  default option forwardfor", None),
    ("backend zz\n  mode tcp\nfrontend yy\n  mode http\n  bind :1\n  default_backend zz", 0), ("  redispatch", None), ("  reqadd X", None),
]


def spoil(seed, folder, crt):
    rng = random.Random(seed)
    config = Config(seed, prefix="c_", six=True, crt=crt)
    spoiler, line = SPOILERS[seed % len(SPOILERS)]
    spoiler = spoiler.replace("{b}", "c_b0")
    end = config.spelling.end
    rows = config.text.split(end)[:-1]
    proxies = [i for i, row in enumerate(rows) if row.startswith(("frontend", "listen"))]
    at = (rng.choice(proxies) + 1) if proxies else len(rows)
    if not spoiler.startswith("  ") and not spoiler.startswith("."):
        at = len(rows)
    rows[at:at] = spoiler.split("\n")
    path = folder / f"bad{seed}.cfg"
    path.write_bytes((end.join(rows) + end).encode())
    return path, line


def refused_ones(folder, crt, complaints):
    cases = [spoil(seed, folder, crt) for seed in range(2 * len(SPOILERS))]

    def judge(case):
        path, line = case
        accepted, said = check(path)
        return path, line, accepted, said, read(path)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        judged = list(pool.map(judge, cases))
    for path, line, accepted, said, model in judged:
        lines = {int(number) for number in re.findall(r"\[[^]:]*:(\d+)\]", said)}
        found = {fault["source"]["line"] for fault in model["faults"]}
        if accepted:
            complaints.append(f"{path.name}: haproxy accepts it ({SPOILERS[int(path.stem[3:]) % len(SPOILERS)][0]!r})")
        elif not model["faults"]:
            complaints.append(f"{path.name}: no fault; haproxy says {say_first_lines(said)}")
        elif line is None and lines and not lines & found:
            complaints.append(f"{path.name}: faults at {sorted(found)}, haproxy's at {sorted(lines)}: {say_first_lines(said)}")
    return len(judged)


# --- edits ----------------------------------------------------------------------------------------------------------------

def is_right(route):
    fates = {name: header["fate"] for name, header in route["headers"].items()}
    return (route["upgrade"] == "passed" and route["http_version"] in (11, 0) and fates["X-Forwarded-For"] == "set"
            and fates["X-Forwarded-Proto"] == "set" and fates["Host"] == "clients"
            and (route["idle_timeout_ms"] == 0 or route["idle_timeout_ms"] >= 3600000)
            and route["upstream_host"] not in ("localhost", "::1"))


def mend_all(path):
    """Mends each route in turn. Returns (edited, refused, complaint)."""
    edited = refused = 0
    index = 0
    while True:
        routes = read(path, True)["routes"]
        if index >= len(routes):
            return edited, refused, None
        mend = routes[index]["mends"]["all"]
        if "error" in mend:
            if mend["error"] != -95 or not mend["why_not"]:
                return edited, refused, f"mend: {mend}"
            refused += 1
            index += 1
            continue
        before = path.read_bytes()
        edited += apply_edits(path, mend["edits"])
        again = read(path, True)["routes"]
        if len(again) != len(routes):
            return edited, refused, f"{len(routes)} routes became {len(again)}"
        if not is_right(again[index]):
            return edited, refused, f"not right after {mend['edits']}: {again[index]}"
        if again[index]["mends"]["all"].get("edits") != []:
            return edited, refused, f"a second mend adds {again[index]['mends']['all']}"
        lines = before.split(b"\n")
        if not is_crlf_kept(lines, path.read_bytes().split(b"\n")):
            return edited, refused, "line ends were not kept"
        index += 1


def is_crlf_kept(before, after):
    every = all(line.endswith(b"\r") for line in before[:-1])
    none = not any(line.endswith(b"\r") for line in before)
    return (not every or all(line.endswith(b"\r") for line in after[:-1])) and (not none or not any(line.endswith(b"\r") for line in after))


def edits(configs, folder, complaints):
    sample = configs[::3]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(mend_all, sample))
    total = refusals = 0
    for path, (edited, refused, complaint) in zip(sample, results):
        total += edited
        refusals += refused
        if complaint:
            complaints.append(f"{path.name}: {complaint}")
    batches = [sample[i:i + BATCH] for i in range(0, len(sample), BATCH)]

    def judge(batch):
        accepted, said = check(*batch)
        return None if accepted else (batch, said)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for bad in filter(None, pool.map(judge, batches)):
            complaints.append(f"{[p.name for p in bad[0]]}: refused after the edits: {say_first_lines(bad[1])}")
    return total, refusals


# --- bad input ------------------------------------------------------------------------------------------------------------

def bad_input(folder, complaints):
    base = "defaults\n  mode http\nlisten l\n  bind 127.0.0.1:1\n  server s 127.0.0.1:18789\n"
    cases = {
        "long": base + "  acl x path " + "a" * (10 << 20) + "\"\n",
        "words": base + "  acl x path " + "a " * (5 << 20) + "\n",
        "comment": "#" + "x" * (10 << 20) + "\n" + base,
        "nested": base + ".if 1\n" * 2000,
        "unended": base + "  option httplog",
        "quote": base + "  acl x path '" + "y" * 1000 + "\n",
    }
    for name, text in cases.items():
        path = folder / f"input-{name}.cfg"
        path.write_text(text)
        begin = time.monotonic()
        model = read(path)
        took = time.monotonic() - begin
        wanted = 0 if name == "comment" else 1
        faults = [f for f in model["faults"] if name != "nested" or "within each other" in f["text"]]
        if name == "nested":
            faults = faults[:1]
        if len(faults) != wanted or any(not f["source"]["line"] for f in faults) or (name != "nested" and len(model["routes"]) != 1):
            complaints.append(f"{name}: {[(f['source']['line'], f['text'][:80]) for f in model['faults']]}, {len(model['routes'])} routes")
        if took > 5:
            complaints.append(f"{name}: {took:.1f} s")
    binary = folder / "binary.cfg"
    binary.write_bytes(bytes(range(256)) * 4)
    model = read(binary)
    if len(model["faults"]) != 1 or model["routes"]:
        complaints.append(f"binary: {model['faults']}")
    tree = folder / "conf.d"
    tree.mkdir()
    (tree / "20-b.cfg").write_text("backend b\n  server s 127.0.0.1:18789\n")
    (tree / "10-a.cfg").write_text("defaults\n  mode http\nfrontend f\n  bind :80\n  default_backend b\n")
    (tree / ".hidden.cfg").write_text("nonsense\n")
    (tree / "other.txt").write_text("nonsense\n")
    model = read(tree)
    if model["faults"] or len(model["routes"]) != 1 or [pathlib.Path(f).name for f in model["files"]] != ["10-a.cfg", "20-b.cfg"]:
        complaints.append(f"folder: {model}")


def main():
    need_haproxy()
    begin = time.monotonic()
    complaints = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        crt = certificate(folder)
        print(f"{shipped(complaints)} shipped configurations")
        configs, routes = accepted_ones(folder, crt, complaints)
        print(f"{len(configs)} generated ones, {routes} routes")
        print(f"{refused_ones(folder, crt, complaints)} spoilt ones")
        print("%d edits, %d refused" % edits(configs, folder, complaints))
        bad_input(folder, complaints)
    for complaint in complaints[:40]:
        print("  " + complaint[:1500])
    print(f"{len(complaints)} complaints, {time.monotonic() - begin:.0f} s")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
