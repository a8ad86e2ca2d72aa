"""A real OpenClaw to try the doctor on: scratch homes, gateways, clients, snapshots. Python 3.9, standard library only.

Nothing outside the scratch folder is written, and no process outlives the test: every child is in a session of its
own, dies with this process (PR_SET_PDEATHSIG), and orphans are handed to us (PR_SET_CHILD_SUBREAPER) and killed.
What OpenClaw needs and why: the project's facts on running a real OpenClaw.
"""
import atexit
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import ports  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77  # ctest: SKIP_RETURN_CODE
OTHER_UID = 61001  # the gateway's user where it is not ours; needs no entry in the user database
GATEWAY_TOKEN = "real-test-0123456789abcdef0123456789abcdef"
START_TIMEOUT_S = 90
CLIENT_TIMEOUT_S = 60
DOCTOR_TIMEOUT_S = 60
OPERATOR_SCOPES = ["operator.admin", "operator.approvals", "operator.pairing"]
ALL_SCOPES = sorted(OPERATOR_SCOPES + ["operator.read", "operator.write"])

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """The test found something wrong; the text says what."""


def say(text: str) -> None:
    print(f"[{time.monotonic() - _began:6.1f}s] {text}", flush=True)


_began = time.monotonic()


def expect(truth: bool, text: str, *evidence) -> None:
    """Fails the test with `text` and the evidence, or says that it held."""
    if not truth:
        raise Failure(text + "".join(f"\n--- {item}" for item in evidence))
    say(f"ok: {text}")


# ---------------------------------------------------------------------------------------------- processes

_children = []


def _spawn(command, *, uid=None, **options):
    """Popen in a session of its own, as `uid` if given, killed when this process dies."""

    def before_exec():
        if uid is not None:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after setuid, which clears it
        os.umask(0o022)

    child = subprocess.Popen([os.fspath(part) for part in command], preexec_fn=before_exec, start_new_session=True,
                             stdin=subprocess.DEVNULL, **options)
    _children.append(child)
    return child


def _kill_group(child) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=10)


def _own_children() -> list:
    path = f"/proc/self/task/{os.getpid()}/children"
    try:
        with open(path, encoding="ascii") as handle:
            return [int(pid) for pid in handle.read().split()]
    except OSError:
        return []


def _cleanup_processes() -> None:
    for child in _children:
        _kill_group(child)
    for _ in range(20):  # grandchildren that left their group were handed to us; killing one may hand us more
        left = _own_children()
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
atexit.register(_cleanup_processes)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Result:
    """What a finished command said: `code`, `out`, `err`, `text` (both)."""

    def __init__(self, command, code, out, err):
        self.command = " ".join(os.fspath(part) for part in command)
        self.code = code
        self.out = out
        self.err = err
        self.text = out + err

    def __str__(self):
        return f"{self.command}\nexit {self.code}\n{self.text.strip()[-4000:]}"


def run(command, *, env, uid=None, timeout, cwd="/") -> Result:
    child = _spawn(command, uid=uid, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        _kill_group(child)
        out, err = child.communicate()
        raise Failure(f"no end after {timeout} s: {' '.join(map(str, command))}\n{out!r}\n{err!r}") from None
    finally:
        _kill_group(child)
    return Result(command, child.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


# ---------------------------------------------------------------------------------------------- scratch

_scratch = None


def scratch() -> pathlib.Path:
    """The folder of this test, removed at the end (kept with OPENCLAW_DOCTOR_KEEP=1).

    As root, /tmp becomes a folder in it, for this process and its children only: OpenClaw keeps logs and locks in /tmp
    itself, and what other gateways left there must not show in a test, nor the other way round.
    """
    global _scratch
    if _scratch is not None:
        return _scratch
    _scratch = pathlib.Path(tempfile.mkdtemp(prefix="openclaw-doctor-real.", dir="/var/tmp"))
    atexit.register(_remove_scratch)
    _scratch.chmod(0o755)
    if os.geteuid() == 0:
        _private_tmp(_scratch)
    return _scratch


def _remove_scratch() -> None:
    _cleanup_processes()
    if os.environ.get("OPENCLAW_DOCTOR_KEEP"):
        print(f"kept: {_scratch}")
    else:
        shutil.rmtree(_scratch, ignore_errors=True)


def _private_tmp(folder: pathlib.Path) -> None:
    program = os.environ.get("OPENCLAW_DOCTOR")
    if program and os.access(program, os.X_OK):  # a build folder below /tmp is about to go out of sight
        shutil.copy2(program, folder / "openclaw-doctor")
        os.environ["OPENCLAW_DOCTOR"] = str(folder / "openclaw-doctor")
    private = folder / "private-tmp"
    private.mkdir()
    private.chmod(0o1777)
    if _libc.unshare(CLONE_NEWNS) != 0:
        print("note: no mount namespace to be had here; this test shares /tmp with everybody")
        return
    _mount("none", "/", MS_REC | MS_PRIVATE)
    cache = pathlib.Path(os.path.realpath(cache_dir()))
    if pathlib.Path("/tmp") in cache.parents:
        seen = private / cache.relative_to("/tmp")
        seen.mkdir(mode=0o755, parents=True)
        _mount(cache, seen, MS_BIND)
    _mount(private, "/tmp", MS_BIND | MS_REC)


def _mount(source, target, flags) -> None:
    if _libc.mount(os.fsencode(source), os.fsencode(target), None, flags, None) != 0:
        raise Failure(f"mount {source} on {target}: {os.strerror(ctypes.get_errno())}")


# ---------------------------------------------------------------------------------------------- releases

class Release:
    """One installed OpenClaw: its version, its Node, and where its device store lies."""

    NODES = {"2026.2.19": "node-22", "2026.4.25": "node-22", "2026.9.6": "node-24"}

    def __init__(self, version: str):
        if version not in self.NODES:
            raise Failure(f"no release {version!r}; known: {', '.join(self.NODES)}")
        self.version = version
        self.sqlite = version == "2026.9.6"
        cache = cache_dir()
        self.folder = cache / f"openclaw-{version}"
        self.node = cache / self.NODES[version] / "node_modules/node/bin/node"
        self.entry = self.folder / "node_modules/openclaw/openclaw.mjs"
        for path in (self.node, self.entry):
            if not path.is_file():
                raise Failure(f"{path} is missing: run tests/real/fetch first (it needs npm and a package registry)")


def cache_dir() -> pathlib.Path:
    """The same rule as in tests/real/fetch."""
    chosen = os.environ.get("OPENCLAW_DOCTOR_CACHE")
    if chosen:
        return pathlib.Path(chosen)
    if os.geteuid() == 0:
        return pathlib.Path("/var/cache/openclaw-doctor-tests")
    return pathlib.Path.home() / ".cache" / "openclaw-doctor-tests"


def need_root(why: str) -> None:
    if os.geteuid() != 0:
        print(f"SKIPPED: {why}; run the tests as root to see it")
        sys.exit(SKIPPED)


def free_port() -> int:
    """A port for a gateway, which also opens a few above it."""
    return ports.free_port(step=20, neighbours=(2, 3, 4))


# ---------------------------------------------------------------------------------------------- homes

class Home:
    """A home with its own TMPDIR, in a folder of its own below scratch().

    `uid`: whose home it is and as whom gateway and clients run; None: ourselves.
    """

    def __init__(self, release: Release, *, uid=None):
        self.release = release
        self.uid = uid
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="home.", dir=scratch()))
        self.root.chmod(0o755)
        self.home = self.root / "home"
        self.tmp = self.root / "tmp"
        self.logs = self.root / "logs"
        for folder in (self.home, self.tmp, self.logs):
            folder.mkdir(mode=0o755)
        self.state = self.home / ".openclaw"
        self.port = free_port()
        self.give_to_user(self.home, self.tmp)

    def locks(self) -> pathlib.Path:
        """Where 2026.9 keeps the lock files of a store, outside every TMPDIR."""
        return pathlib.Path(f"/tmp/openclaw-state-locks-{os.geteuid() if self.uid is None else self.uid}")

    def give_to_user(self, *paths) -> None:
        """Hands the paths, with everything below, to the home's user."""
        if self.uid is None:
            return
        for path in paths:
            os.chown(path, self.uid, self.uid, follow_symlinks=False)
            if path.is_dir() and not path.is_symlink():
                self.give_to_user(*path.iterdir())

    def make_state(self, config=None) -> None:
        """An empty state directory with a configuration, as an onboarding leaves it."""
        self.state.mkdir(mode=0o700)
        self.write_config(config or self.default_config())
        self.give_to_user(self.state)

    def default_config(self) -> dict:
        return {"gateway": {"mode": "local", "port": self.port, "bind": "loopback",
                            "auth": {"mode": "token", "token": GATEWAY_TOKEN}},
                "logging": {"file": str(self.tmp / "openclaw.log")}}

    def write_config(self, config: dict) -> None:
        self.write(self.state / "openclaw.json", json.dumps(config, indent=2) + "\n", 0o600)

    def write(self, path: pathlib.Path, text: str, mode: int) -> None:
        """Writes a file as the home's user would have left it."""
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        self.give_to_user(path)

    def from_seed(self) -> None:
        """The state of a healthy home that the real release made (see seed.py), moved to this home's port."""
        seed = seed_dir(self.release)
        if not (seed / "complete").is_file():
            raise Failure(f"{seed} is missing or incomplete: run tests/real/seed.py {self.release.version} first")
        if not os.access(seed / "state", os.R_OK | os.X_OK):
            raise Failure(f"{seed} was made by another user: set OPENCLAW_DOCTOR_CACHE to a folder of your own")
        shutil.copytree(seed / "state", self.state, symlinks=True)
        if (seed / "tmp").is_dir():
            shutil.copytree(seed / "tmp", self.tmp, dirs_exist_ok=True)
        self.write_config(self.default_config())
        self.give_to_user(self.state, self.tmp)

    def env(self, extra=None) -> dict:
        """The environment of gateways and clients: nothing of ours, quiet, everything inside the scratch folder."""
        env = {"HOME": str(self.home), "TMPDIR": str(self.tmp), "LANG": "C.UTF-8", "NO_COLOR": "1",
               "PATH": f"{self.release.node.parent}:/usr/local/bin:/usr/bin:/bin",
               "OPENCLAW_SKIP_CANVAS_HOST": "1", "OPENCLAW_DISABLE_BONJOUR": "1", "OPENCLAW_NO_RESPAWN": "1"}
        env.update(extra or {})
        return env

    def openclaw(self, *args, env=None, timeout=CLIENT_TIMEOUT_S) -> Result:
        """Runs an OpenClaw command as the home's user."""
        command = [self.release.node, self.release.entry, *args]
        result = run(command, env=self.env(env), uid=self.uid, timeout=timeout, cwd=self.home)
        result.command = "openclaw " + " ".join(args)
        return result

    def read_json(self, name: str):
        return json.loads((self.state / name).read_text(encoding="utf-8"))

    def write_json(self, name: str, value) -> None:
        self.write(self.state / name, json.dumps(value, indent=2), 0o600)

    def rows(self, query: str, *values) -> list:
        """Rows of the SQLite store, as lists of dictionaries; looked at as the gateway's neighbour would."""
        with contextlib.closing(sqlite3.connect(self.database_uri("ro"), uri=True)) as base:
            base.row_factory = sqlite3.Row
            return [dict(row) for row in base.execute(query, values)]

    def change_row(self, statement: str, *values) -> int:
        """One write transaction in the SQLite store. Returns the number of rows changed."""
        with contextlib.closing(sqlite3.connect(self.database_uri("rw"), uri=True, isolation_level=None)) as base:
            base.execute("PRAGMA busy_timeout=5000")
            base.execute("BEGIN IMMEDIATE")
            changed = base.execute(statement, values).rowcount
            base.execute("COMMIT")
        self.give_to_user(self.state / "state")
        return changed

    def database_uri(self, mode: str) -> str:
        return f"file:{self.state}/state/openclaw.sqlite?mode={mode}"


# Checkouts that make seeds in different ways share the cache without getting in each other's way.
# Taken now: as root, /tmp (and a project below it) goes out of sight.
_SEED_STAMP = hashlib.sha256((HERE / "seed.py").read_bytes()).hexdigest()[:8]


def seed_dir(release: Release) -> pathlib.Path:
    return cache_dir() / "seeds" / f"{release.version}-{_SEED_STAMP}"


# ---------------------------------------------------------------------------------------------- gateway

class Gateway:
    """A gateway on a Home. Use as a context manager: it is stopped at the end, whatever happens."""

    def __init__(self, home: Home, *, env=None, args=()):
        self.home = home
        self.env = env
        self.args = args
        self.child = None
        self.log_path = home.logs / f"gateway-{time.monotonic_ns()}.log"

    def __enter__(self):
        self.start()
        self.wait_ready()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self) -> None:
        command = [self.home.release.node, self.home.release.entry, "gateway", "run", *self.args]
        with open(self.log_path, "wb") as log:
            self.child = _spawn(command, uid=self.home.uid, env=self.home.env(self.env), cwd=self.home.home, stdout=log,
                                stderr=subprocess.STDOUT)

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self) -> None:
        began = time.monotonic()
        while not self._answers():
            if self.child.poll() is not None:
                raise Failure(f"the gateway ended with {self.child.returncode} before it listened:\n{self.log()[-3000:]}")
            if time.monotonic() - began > START_TIMEOUT_S:
                raise Failure(f"the gateway did not listen in {START_TIMEOUT_S} s:\n{self.log()[-3000:]}")
            time.sleep(0.1)
        say(f"gateway {self.home.release.version} listens after {time.monotonic() - began:.1f} s")

    def _answers(self) -> bool:
        """True when HTTP answers; 2026.9.6 must also call itself ready (it listens seconds earlier)."""
        path = "/readyz" if self.home.release.sqlite else "/"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.home.port}{path}", timeout=3) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait_settled(self) -> None:
        """Waits until a change of the configuration has been taken in: the log is quiet for 2 s, and it answers."""
        deadline = time.monotonic() + START_TIMEOUT_S
        quiet_since, size = time.monotonic(), self.log_path.stat().st_size
        while time.monotonic() < deadline:
            time.sleep(0.2)
            if self.log_path.stat().st_size != size:
                quiet_since, size = time.monotonic(), self.log_path.stat().st_size
            elif time.monotonic() - quiet_since > 2 and self._answers():
                return
        raise Failure(f"the gateway did not settle:\n{self.log()[-3000:]}")

    def wait_exit(self, timeout=START_TIMEOUT_S) -> int:
        """Waits for a gateway that is expected to give up. Returns its exit status."""
        try:
            return self.child.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Failure(f"the gateway still ran after {timeout} s:\n{self.log()[-3000:]}") from None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after 10 s."""
        if self.child is None:
            return
        if self.child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(timeout=10)
        _kill_group(self.child)

    def kill(self) -> None:
        """SIGKILL: locks and leases stay behind."""
        _kill_group(self.child)

    @contextlib.contextmanager
    def frozen(self):
        """The gateway does not run inside this block, so whatever changes was not its doing."""
        os.killpg(self.child.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.child.pid, signal.SIGCONT)


# ---------------------------------------------------------------------------------------------- snapshots

def snapshot(*roots) -> dict:
    """Everything below the roots: path -> type, mode, uid, gid, inode, mtime, size and content or link target."""
    seen = {}
    for root in map(pathlib.Path, roots):
        if not root.exists():
            continue
        for path in [root, *sorted(root.rglob("*"))]:
            with contextlib.suppress(FileNotFoundError):  # a live gateway's own, gone by now
                seen[str(path)] = _entry(path)
    return seen


def _entry(path: pathlib.Path) -> dict:
    info = path.lstat()
    entry = {"type": stat.S_IFMT(info.st_mode), "mode": stat.S_IMODE(info.st_mode), "uid": info.st_uid,
             "gid": info.st_gid, "inode": info.st_ino, "mtime": info.st_mtime_ns}
    if stat.S_ISREG(info.st_mode):
        entry["size"] = info.st_size
        entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    elif stat.S_ISLNK(info.st_mode):
        entry["target"] = os.readlink(path)
    return entry


SAME_CONTENT = ("type", "mode", "uid", "gid", "size", "sha256", "target")


def differences(before: dict, after: dict, *, fields=None, ignore=()) -> list:
    """What differs between two snapshots, one line each. `fields`: compare only these. `ignore`: path parts."""
    lines = []
    for path in sorted(set(before) | set(after)):
        if any(part in path for part in ignore):
            continue
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            lines.append(f"{path}: {'new' if old is None else 'gone'}")
            continue
        for name in sorted(set(old) | set(new)):
            if (fields is None or name in fields) and old.get(name) != new.get(name):
                lines.append(f"{path}: {name} {old.get(name)} -> {new.get(name)}")
    return lines


# ---------------------------------------------------------------------------------------------- the doctor

class Report:
    """The JSON document of a doctor's run, with its exit status."""

    def __init__(self, result: Result):
        self.result = result
        self.code = result.code
        try:
            self.json = json.loads(result.out)
        except json.JSONDecodeError as error:
            raise Failure(f"the doctor printed no JSON document ({error}):\n{result}") from None
        self.findings = self.json.get("findings", [])  # none in the document of an undo

    def ids(self, severities=("warning", "error", "critical")) -> list:
        return [f["checkId"] for f in self.findings if f["severity"] in severities]

    def repairs(self) -> list:
        return self.json.get("repairs") or []

    def __str__(self):
        said = [f"{f['severity']} {f['checkId']}: {f['message']}" for f in self.findings]
        said += [f"could not tell: {check.get('id')}: {check.get('reason')}" for check in self.json.get("checks", [])
                 if check.get("status") in ("unknown", "error", "timeout")]
        return "\n".join([*said, str(self.result)])


def doctor_path() -> str:
    path = os.environ.get("OPENCLAW_DOCTOR", "")
    if not path or not os.access(path, os.X_OK):
        raise Failure(f"OPENCLAW_DOCTOR={path!r} is not a program; build openclaw-doctor first")
    return path


def doctor(home: Home, *args, env=None, uid=None) -> Result:
    """Runs the doctor on a home with nothing of our own environment; OpenClaw is found on PATH, as users have it."""
    clean = {"HOME": str(home.home), "LANG": "C.UTF-8", "TMPDIR": str(home.tmp),
             "PATH": f"{home.release.folder / 'node_modules/.bin'}:{home.release.node.parent}:/usr/bin:/bin"}
    clean.update(env or {})
    # Two cores that run several gateways: what takes 5 ms elsewhere may take seconds here. A later word of the caller's wins.
    result = run([doctor_path(), "--probe-timeout", "8", *args], env=clean, uid=uid, timeout=DOCTOR_TIMEOUT_S, cwd="/")
    result.command = "openclaw-doctor " + " ".join(args)
    return result


def doctor_json(home: Home, *args, env=None, uid=None) -> Report:
    return Report(doctor(home, "--json", *args, env=env, uid=uid))


def main(scenario) -> None:
    """Runs scenario(release) for the release named on the command line; a Failure becomes exit 1 with its text."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} RELEASE")
    try:
        scenario(Release(sys.argv[1]))
    except Failure as failure:
        print(f"FAILED: {failure}", flush=True)
        sys.exit(1)
    say("done")
