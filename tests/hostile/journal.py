#!/usr/bin/env python3
"""journal.py DRIVER [SCENE]: what a user does to the journal of root's repairs in his home, and what `sudo openclaw-doctor undo` may then do.

DRIVER is faults-driver, the executor alone. Root repaired files of its own (etc/) and of the user's home; the journal lies in the home. What must
hold: nothing of root's is deleted, moved, overwritten, shown or given away on the user's word. Without SCENE: the names of all scenes.
"""

import ctypes
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from play import main, need

OWNER = 61001


def identity(path):
    st = os.lstat(path)
    return {"device": str(st.st_dev), "inode": str(st.st_ino), "size": str(st.st_size), "mtimeNs": str(st.st_mtime_ns),
            "ctimeNs": str(st.st_ctime_ns), "mode": st.st_mode, "uid": st.st_uid, "gid": st.st_gid, "links": st.st_nlink}


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def operation(kind, path, **more):
    made = {"type": "operation", "id": 1, "finding": "f", "kind": kind, "path": str(path), "summary": kind, "whileRunning": "go-ahead",
            "group": 0, "mode": 0, "uid": 0, "gid": 0}
    if os.path.lexists(path):
        made["judged"] = identity(path)
    made.update(more)
    return made


def tree(folder):
    """Every path, with type, mode, owner and content."""
    seen = {}
    for top, folders, files in os.walk(folder):
        for name in ["", *folders, *files]:
            path = os.path.join(top, name) if name else top
            st = os.lstat(path)
            content = os.readlink(path) if os.path.islink(path) else sha256(path) if os.path.isfile(path) else ""
            seen[os.path.relpath(path, folder)] = (st.st_mode, st.st_uid, st.st_gid, st.st_nlink if os.path.isfile(path) else 0, content)
    return seen


class Scene:
    def __init__(self, driver):
        self.driver = driver

    def __enter__(self):
        # Only root writes in the folders above: in /tmp everything would count as the user's.
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="dr-journal-", dir="/srv" if os.path.isdir("/srv") else "/var/lib"))
        os.chmod(self.top, 0o755)
        self.home, self.etc, self.records = self.top / "home", self.top / "etc", self.top / "records"
        self.state = self.home / ".openclaw"
        self.state.mkdir(parents=True)
        os.chmod(self.state, 0o700)
        self.etc.mkdir(mode=0o755)
        for name, text, mode in (("proxy.conf", "listen 1;\nsecret sesame\n", 0o600), ("old.service", "[Unit]\n", 0o644), ("open.conf", "x\n", 0o666)):
            (self.etc / name).write_text(text)
            os.chmod(self.etc / name, mode)
        (self.state / "openclaw.json").write_text("{}\n")
        (self.state / "given.json").write_text("[]\n")
        for path in (self.home, self.state, self.state / "openclaw.json"):
            os.chown(path, OWNER, OWNER)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top, ignore_errors=True)

    def drive(self, *words):
        done = subprocess.run([self.driver, self.state, *map(str, words)], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "HOME": str(self.home), "DR_FAULTS_UID": str(OWNER), "DR_FAULTS_CUSTODY": str(self.records),
                                   "DR_FAULTS_ALLOWED": str(self.etc)})
        need("Sanitizer" not in done.stderr, done.stderr)
        return done.returncode, done.stderr

    def repair(self):
        """What root does in its own folder, and the one thing in the home that only root can do. Returns the trees before."""
        before = tree(self.etc), tree(self.state)
        text = (self.etc / "proxy.conf").read_text()
        plan = [operation("edit-file", self.etc / "proxy.conf", sha256=sha256(self.etc / "proxy.conf"),
                          edits=[{"offset": str(text.index("1")), "length": "1", "text": "Mg=="}]),
                operation("make-directory", self.etc / "unit.d", mode=0o755, judged=identity(self.etc)),
                operation("write-file", self.etc / "unit.d" / "50.conf", mode=0o644, content="e30K", judged=identity(self.etc)),
                operation("move-aside", self.etc / "old.service", sha256=sha256(self.etc / "old.service")),
                operation("set-mode", self.etc / "open.conf", mode=0o600),
                operation("set-owner", self.state / "given.json", uid=OWNER, gid=OWNER)]
        for number, step in enumerate(plan):
            step.update(id=number + 1, group=number if number > 2 else min(number, 1))
        self.apply(plan)
        return before

    def apply(self, plan):
        (self.top / "plan").write_text(json.dumps(plan))
        code, said = self.drive("apply", self.top / "plan")
        need(code == 0, f"apply: {code} {said}")

    @property
    def run(self):
        return next((self.state / "openclaw-doctor" / "runs").iterdir())

    @property
    def record(self):
        return next(path for path in self.records.iterdir() if path.suffix != ".kept")

    @property
    def vault(self):
        return next(path for path in self.records.iterdir() if path.suffix == ".kept")

    def lines(self):
        return [json.loads(line) for line in (self.run / "journal.jsonl").read_text().splitlines()]

    def write_lines(self, lines, run=None):
        path = (run or self.run) / "journal.jsonl"
        path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
        os.chown(path, OWNER, OWNER)

    def forge(self, *steps, name="20990101T000000000Z-00000000", ended=True):
        """A run that nobody made: all of it is the user's own writing."""
        run = self.state / "openclaw-doctor" / "runs" / name
        for folder in (self.state / "openclaw-doctor", run.parent, run, run / "backup", run / "quarantine", run / "quarantine" / "0001"):
            folder.mkdir(mode=0o700, exist_ok=True)
            os.chown(folder, OWNER, OWNER)
        lines = [{"type": "begin", "run": name, "startedAt": "2099-01-01T00:00:00Z", "stateDir": str(self.state), "tool": "x"}]
        for number, step in enumerate(steps, 1):
            lines += [{"type": "intent", "step": number, "operation": number, "group": 0, "temp": f".openclaw-doctor-{name}-000{number}", **step},
                      {"type": "done", "step": number}]
        self.write_lines(lines + ([{"type": "applied"}, {"type": "end", "state": "kept"}] if ended else []), run)
        return run

    def refuses(self, before, *words, word=None, force=True):
        """Undo, undo by force, and the next start: what is root's stays."""
        for how in (("undo",), ("settle",), ("undo", "force"))[:3 if force else 2]:
            _, said = self.drive(*how)
            now = tree(self.etc)
            need(now == before, f"{how}: {sorted(set(now.items()) ^ set(before.items()))}\n{said}")
            if how == ("undo",):
                need(word is None or word in said, f"no word of \"{word}\": {said}")


def seen(path, **more):
    """`before` or `after` as the journal has it."""
    st = os.lstat(path)
    made = {"exists": True, "mode": st.st_mode, "uid": st.st_uid, "gid": st.st_gid, "device": str(st.st_dev), "inode": str(st.st_ino),
            "mtimeNs": str(st.st_mtime_ns)}
    if os.path.isfile(path):
        made["sha256"] = sha256(path)
    made.update(more)
    return made


# --- the honest way ------------------------------------------------------------------------------------------------------

def honest_undo(scene):
    etc, state = scene.repair()
    need(tree(scene.etc) != etc, "nothing was repaired")
    kept = [path for path in scene.home.rglob("*") if path.is_file() and "sesame" in path.read_text(errors="replace")]
    need(not kept, f"what only root may read lies in the user's home: {kept}")
    code, said = scene.drive("undo")
    need(code == 0 and '"refused":[]' in said, f"{code} {said}")
    need(tree(scene.etc) == etc, f"{tree(scene.etc)} instead of {etc}")
    now = {key: value for key, value in tree(scene.state).items() if not key.startswith("openclaw-doctor")}
    need(now == state, f"{now} instead of {state}")
    need([path.suffix for path in scene.records.iterdir()] == [".kept", ".kept"] or len(list(scene.records.iterdir())) == 1,
         f"records are left: {list(scene.records.iterdir())}")
    for path in scene.records.rglob("*"):
        st = path.lstat()
        need(st.st_uid == 0 and (path.is_file() or st.st_mode & 0o77 == 0), f"{path}: {st}")


def honest_undo_keeps_what_is_not_ours(scene):
    """What somebody put in its place meanwhile is kept, also by force, and out of the user's sight."""
    scene.repair()
    (scene.etc / "unit.d" / "50.conf").write_text("root's later words: sesame\n")
    (scene.etc / "old.service").write_text("a new one\n")
    before = tree(scene.etc)
    code, said = scene.drive("undo")
    need(code != 0 and tree(scene.etc) == before, f"{code} {said}")
    code, said = scene.drive("undo", "force")
    need(code == 0 and (scene.etc / "old.service").read_text() == "[Unit]\n" and not (scene.etc / "unit.d").exists(), f"{code} {said}")
    texts = [path.read_text() for path in scene.records.rglob("*") if path.is_file()]
    need("root's later words: sesame\n" in texts and "a new one\n" in texts, f"not kept: {texts}")
    need(not [path for path in scene.home.rglob("*") if path.is_file() and "sesame" in path.read_text(errors="replace")], "shown to the user")


# --- the record ----------------------------------------------------------------------------------------------------------

def no_record(scene):
    scene.repair()
    scene.record.unlink()
    scene.refuses(tree(scene.etc), word="root has no record of this run")


def record_cannot_be_written(scene):
    """Nothing of root's is changed without it. What is the owner's own is, and root's undo then says why it leaves it."""
    scene.records.write_text("in the way")
    path, given = scene.etc / "proxy.conf", scene.state / "given.json"
    before = tree(scene.etc)
    (scene.top / "plan").write_text(json.dumps([
        operation("edit-file", path, sha256=sha256(path), edits=[{"offset": "0", "length": "0", "text": "Mg=="}]),
        operation("set-owner", given, id=2, group=1, uid=OWNER, gid=OWNER)]))
    code, said = scene.drive("apply", scene.top / "plan")
    need(tree(scene.etc) == before and "root's record of the journal cannot be written" in said, f"{code} {said}")
    need(given.stat().st_uid == OWNER, f"not given back to its owner: {said}")
    for how in (("undo",), ("undo", "force")):
        code, said = scene.drive(*how)
        need(given.stat().st_uid == OWNER and "root has no record of this run" in said, f"{how}: {code} {said}")


def torn_record(scene):
    scene.repair()
    os.truncate(scene.record, 9)
    scene.refuses(tree(scene.etc), word="root's record of this run is damaged")


def odd_record(scene):
    scene.repair()
    with scene.record.open("a") as file:
        file.write("12 odd\n")
    scene.refuses(tree(scene.etc), word="root's record of this run is damaged")


def other_journal(scene):
    scene.repair()
    run = scene.run
    shutil.copytree(run, str(run) + ".x")
    shutil.rmtree(run)
    os.rename(str(run) + ".x", run)
    for path in [run, *run.rglob("*")]:
        os.chown(path, OWNER, OWNER)
    scene.refuses(tree(scene.etc), word="about another journal")


def changed_journal(scene):
    scene.repair()
    lines = scene.lines()
    for line in lines:
        if line.get("kind") == "write-file":
            line["path"] = str(scene.etc / "proxy.conf")
            line["after"]["sha256"] = sha256(scene.etc / "proxy.conf")
    scene.write_lines(lines)
    scene.refuses(tree(scene.etc), word="not the one that root wrote")


def shortened_journal(scene):
    """Without its end it looks like a run that was killed: would the next start take it back?"""
    scene.repair()
    lines = scene.lines()
    for count in range(len(lines) - 1, 0, -1):
        scene.write_lines(lines[:count])
        before = tree(scene.etc)
        _, said = scene.drive("settle")
        need(tree(scene.etc) == before, f"{count} lines: {said}")


def emptied_journal(scene):
    """A run in which nothing was begun leaves no folder: root's own shelf is not cleared on that word."""
    path = scene.etc / "proxy.conf"
    scene.apply([operation("edit-file", path, sha256=sha256(path), edits=[{"offset": "0", "length": "0", "text": "Mg=="}])])
    scene.write_lines([])
    kept = tree(scene.records)
    scene.drive("settle")
    need(tree(scene.records) == kept, "root's shelf was cleared on a user's word")


def record_of_another(scene):
    """A run of the same name in another home, whose owner undoes it: the record of the first is not his to remove."""
    scene.repair()
    name, kept = scene.run.name, tree(scene.records)
    shutil.rmtree(scene.run)
    scene.forge({"kind": "set-mode", "path": str(scene.state / "openclaw.json"), "before": seen(scene.state / "openclaw.json", mode=0o100600),
                 "after": seen(scene.state / "openclaw.json")}, name=name)
    code, said = scene.drive("undo")
    need(code == 0, f"{code} {said}")
    need({key: value for key, value in tree(scene.records).items() if name in key} == {key: value for key, value in kept.items() if name in key},
         "the record of another journal was removed")


# --- forged runs ---------------------------------------------------------------------------------------------------------

def forged_new_file(scene):
    path = scene.etc / "proxy.conf"
    for vault in (False, True):
        scene.forge({"kind": "write-file", "path": str(path), "before": {"exists": False}, "after": seen(path), "vault": vault})
        scene.refuses(tree(scene.etc))


def forged_folder(scene):
    (scene.etc / "empty").mkdir()
    for vault in (False, True):
        scene.forge({"kind": "make-directory", "path": str(scene.etc / "empty"), "before": {"exists": False}, "after": seen(scene.etc / "empty"),
                     "vault": vault})
        scene.refuses(tree(scene.etc))


def forged_move(scene):
    """Something of the user's own into root's folder, and something of root's onto another name."""
    for aside in ("quarantine/0001/x", str(scene.etc / "proxy.conf"), str(scene.home / "x"), "../../../x", "quarantine/../../x"):
        for vault in (False, True):
            run = scene.forge({"kind": "move-aside", "path": str(scene.etc / "planted"), "before": seen(scene.state / "openclaw.json"),
                               "after": {"exists": False}, "aside": aside, "vault": vault})
            for place in (run / "quarantine" / "0001" / "x", scene.home / "x"):
                place.write_text("evil\n")
                os.chown(place, OWNER, OWNER)
            scene.refuses(tree(scene.etc))


def forged_temporary(scene):
    """A left-over temporary file is removed by name: not in root's folder."""
    name = ".openclaw-doctor-precious"
    (scene.etc / name).write_text("root's\n")
    for kind in ("write-file", "edit-file", "make-directory"):
        scene.forge({"kind": kind, "path": str(scene.etc / "gone"), "temp": name, "before": {"exists": True, "sha256": "0" * 64},
                     "after": {"exists": False}, "backup": "backup/0001"}, ended=False)
        scene.refuses(tree(scene.etc))


def forged_owner(scene):
    """Root gives nothing away on a user's word, nor makes anything root's."""
    path = scene.state / "openclaw.json"
    for uid, gid in ((0, 0), (OWNER, 0), (OWNER + 1, OWNER)):
        scene.forge({"kind": "set-owner", "path": str(path), "before": seen(path, uid=uid, gid=gid), "after": seen(path)})
        for how in (("undo",), ("undo", "force"), ("settle",)):
            _, said = scene.drive(*how)
            need(path.stat().st_uid == OWNER and path.stat().st_gid == OWNER, f"{how}: given away: {said}")


def forged_mode_of_roots_in_the_home(scene):
    """A file of root's in the user's own folder: he could not read it, and does not get to by way of root."""
    secret = scene.state / "roots.json"
    secret.write_text("sesame\n")
    os.chmod(secret, 0o600)
    scene.forge({"kind": "set-mode", "path": str(secret), "before": seen(secret, mode=0o100644), "after": seen(secret)})
    for how in (("undo",), ("undo", "force"), ("settle",)):
        _, said = scene.drive(*how)
        need(secret.stat().st_mode & 0o777 == 0o600, f"{how}: opened: {said}")


def forged_keep_copies_nothing(scene):
    """What a forced undo finds in the place is kept in the journal: a way to have a copy of what only root may read?"""
    secret = scene.state / "roots.json"
    secret.write_text("sesame\n")
    os.chmod(secret, 0o600)
    run = scene.forge({"kind": "edit-file", "path": str(secret), "before": {"exists": True, "sha256": hashlib.sha256(b"old\n").hexdigest()},
                       "after": {"exists": True, "sha256": "0" * 64}, "backup": "backup/0001", "keep": True})
    (run / "backup" / "0001").write_text("old\n")
    os.chown(run / "backup" / "0001", OWNER, OWNER)
    for how in (("undo",), ("undo", "force"), ("settle",)):
        _, said = scene.drive(*how)
        copies = [path for path in (scene.state / "openclaw-doctor").rglob("*") if path.is_file() and "sesame" in path.read_text(errors="replace")]
        need(not copies, f"{how}: copied to {copies}: {said}")


def forged_undo(scene):
    """An undo that "was killed" is gone on with by the next start; root has not asked for this one."""
    scene.repair()
    before, name = tree(scene.etc), scene.run.name
    run = scene.forge(name="20990101T000000000Z-00000001", ended=False)
    scene.write_lines([{"type": "begin", "run": run.name, "startedAt": "x", "stateDir": str(scene.state), "tool": "x", "undoes": name, "force": True}],
                      run)
    _, said = scene.drive("settle")
    need(tree(scene.etc) == before, f"undone on a user's word: {said}")
    need("undo again" in said, said)
    code, said = scene.drive("undo")
    need(code == 0 and (scene.etc / "old.service").exists(), f"and root's own undo does not work any more: {code} {said}")


# --- swapped after the repair --------------------------------------------------------------------------------------------

def swapped_in_the_home(scene):
    """Root's word is about given.json. The user puts a secret of root's, that lies in his home, under that name."""
    path, secret = scene.state / "given.json", scene.state / "roots.json"
    os.chmod(path, 0o666)
    scene.apply([operation("set-mode", path, mode=0o600)])
    secret.write_text("sesame\n")
    os.chmod(secret, 0o600)
    path.unlink()
    os.rename(secret, path)
    for how in (("undo",), ("undo", "force"), ("settle",)):
        _, said = scene.drive(*how)
        need(path.stat().st_mode & 0o777 == 0o600, f"{how}: opened: {said}")


def swapped_home_for_link(scene):
    """A folder of the home becomes a link into root's."""
    (scene.state / "devices").mkdir()
    os.chown(scene.state / "devices", OWNER, OWNER)
    (scene.state / "devices" / "proxy.conf").write_text("[]\n")
    scene.apply([operation("set-owner", scene.state / "devices" / "proxy.conf", uid=OWNER, gid=OWNER)])
    before = tree(scene.etc)
    shutil.rmtree(scene.state / "devices")
    (scene.state / "devices").symlink_to(scene.etc)
    os.chown(scene.state / "devices", OWNER, OWNER, follow_symlinks=False)
    scene.refuses(before)


def race_in_the_journal(scene):
    """The user swaps his run's folders while root undoes: root's things go onto root's shelf, not through his."""
    libc = ctypes.CDLL(None, use_errno=True)
    scene.repair()
    before = tree(scene.etc)
    runs = scene.state / "openclaw-doctor" / "runs"
    loop = os.fork()
    if loop == 0:
        os.setgid(OWNER)
        os.setuid(OWNER)
        while True:
            for run in os.listdir(runs):
                for name in ("taken-back", "backup", "in-the-way", "quarantine"):
                    try:
                        os.symlink(scene.etc, runs / run / name)
                        libc.renameat2(-100, os.fsencode(runs / run / name), -100, os.fsencode(runs / run / "x"), 2)
                        os.unlink(runs / run / name)
                    except OSError:
                        pass
    try:
        code, said = scene.drive("undo")
    finally:
        os.kill(loop, 9)
        os.waitpid(loop, 0)
    now = tree(scene.etc)
    need(code == 0 or now == before, f"half undone: {code} {said}")
    extra = set(now) - set(before) - {"old.service"}
    need(not extra and (scene.etc / "proxy.conf").exists(), f"in root's folder: {extra}")


SCENES = (
    honest_undo, honest_undo_keeps_what_is_not_ours, no_record, record_cannot_be_written, torn_record, odd_record, other_journal,
    changed_journal, shortened_journal, emptied_journal, record_of_another, forged_new_file, forged_folder, forged_move, forged_temporary, forged_owner,
    forged_mode_of_roots_in_the_home, forged_keep_copies_nothing, forged_undo, swapped_in_the_home, swapped_home_for_link, race_in_the_journal)


def play(function, driver):
    with Scene(driver) as scene:
        function(scene)


if __name__ == "__main__":
    sys.exit(main(SCENES, play))
