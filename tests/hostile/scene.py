"""A home of uid 1001 in a throw-away folder, something of root's beside it, and a doctor that runs as root on it."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from play import Broken, need

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cases"))
sys.dont_write_bytecode = True
import home as homes  # noqa: E402
import snapshot  # noqa: E402

USER = 1001
MOST_KIB = 200 * 1024
MOST_SECONDS = 30
DOCUMENTED = {0, 1, 2, 3, 4, 5, 64}


class Scene:
    """with Scene(doctor) as scene: ... Leaving it checks that what is root's outside was not touched."""

    def __init__(self, doctor, fixture="a0"):
        self.doctor = str(pathlib.Path(doctor).resolve())
        self.fixture = fixture

    def __enter__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="dr-hostile-"))
        os.chmod(self.top, 0o755)
        self.home, self.outside, self.tmp = self.top / "home", self.top / "outside", self.top / "tmp"
        for folder in (self.home, self.outside, self.tmp):
            folder.mkdir()
        homes.unpack(self.fixture, self.home)
        homes.step_chown_all(self.home, f"{USER}:{USER}")
        self.state = self.home / ".openclaw"
        (self.outside / "secret").write_text("root's own\n")
        (self.outside / "folder").mkdir(mode=0o700)
        (self.outside / "folder" / "paired.json").write_text("{}")
        os.chmod(self.outside / "folder" / "paired.json", 0o644)
        os.chmod(self.outside / "secret", 0o600)
        self.before = snapshot.take(self.outside)
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.outside_is_untouched()
        finally:
            homes.forget_records(self.top)
            shutil.rmtree(self.top, ignore_errors=True) if not self.deep() else subprocess.run(
                ["rm", "-rf", self.top], check=False, stderr=subprocess.DEVNULL)

    def deep(self):
        return (self.state / "deep").exists()

    def outside_is_untouched(self):
        """All but the link count, which a planted hard link changes by being planted."""
        fields = [field for field in next(iter(self.before.values())) if field != "links"]
        found = snapshot.differences(self.before, snapshot.take(self.outside), fields)
        need(not found, f"something outside the tree was changed: {found}")

    def start(self, *words, limits=(), home=True, stdout=subprocess.PIPE, env=None):
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TMPDIR": str(self.tmp), "LANG": "C.UTF-8", **(env or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]

        def limit():
            for what, most in limits:
                resource.setrlimit(what, (most, most))

        return subprocess.Popen([self.doctor, *map(str, words)], env=environment, cwd=self.tmp, stdin=subprocess.DEVNULL,
                                stdout=stdout, stderr=subprocess.PIPE, preexec_fn=limit)

    def run(self, *words, exits=DOCUMENTED, report=True, seconds=MOST_SECONDS, **more):
        """Runs to the end; judges exit, time, memory and the document. Returns the report (or the raw text)."""
        began = time.monotonic()
        process = self.start(*words, **more)
        timer = signal.signal(signal.SIGALRM, lambda *_: process.kill())
        signal.alarm(seconds)
        try:
            out = process.stdout.read() if process.stdout else b""
            error = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, timer)
        process.returncode = 0
        what = f"{' '.join(map(str, words))}: "
        need(os.WIFEXITED(status), f"{what}killed by signal {os.WTERMSIG(status) if os.WIFSIGNALED(status) else '?'} after "
             f"{time.monotonic() - began:.1f} s\n{error.decode(errors='replace')[-2000:]}")
        code = os.WEXITSTATUS(status)
        need(code in exits, f"{what}exit {code}, expected {sorted(exits)}\n{out.decode(errors='replace')[-3000:]}\n"
             f"{error.decode(errors='replace')[-2000:]}")
        # AddressSanitizer's shadow is not the program's memory.
        need(usage.ru_maxrss < MOST_KIB or "ASAN_OPTIONS" in os.environ, f"{what}{usage.ru_maxrss} KiB of memory")
        need(b"Sanitizer" not in error, f"{what}{error.decode(errors='replace')}")
        self.exit, self.seconds, self.kib = code, time.monotonic() - began, usage.ru_maxrss
        if not report:
            return out
        try:
            return json.loads(out)
        except ValueError as wrong:
            raise Broken(f"{what}stdout is not one JSON document ({wrong}): {out[:500]!r}") from wrong

    def look(self, *words, exits=(1, 3), **more):
        """A look as root leaves every byte as it was, and does not hang."""
        before = snapshot.take(self.home)
        report = self.run("--json", *words, exits=set(exits), **more)
        found = snapshot.differences(before, snapshot.take(self.home))
        need(not found, f"looking has changed the home: {found[:5]}")
        human = self.run(*words, exits=set(exits), report=False, **more)
        need(human.strip(), "the human report is empty")
        return report

    def own(self, path, uid=USER):
        os.chown(path, uid, uid, follow_symlinks=False)


def codes(report):
    return [finding["checkId"] for finding in report.get("findings", []) if finding["severity"] != "info"]


def told(report):
    """All that was said: findings and unknowns, as text."""
    return json.dumps([report.get("findings", []), report.get("unknowns", []), report.get("checks", [])], ensure_ascii=False)
