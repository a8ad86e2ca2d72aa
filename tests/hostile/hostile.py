#!/usr/bin/env python3
"""hostile.py DOCTOR [SCENE]: homes that somebody laid out to mislead, hang or exhaust a doctor that runs as root.

Each scene must end in a clear finding or an `unknown`; nothing outside the tree is touched, nothing hangs, memory stays bounded, the exit
status is a documented one. Without SCENE: the names of all scenes.
"""

import ctypes
import json
import os
import resource
import sys
import threading
import time

from play import main, need
from scene import USER, Scene, codes, homes, snapshot, told

RENAME_EXCHANGE = 2
libc = ctypes.CDLL(None, use_errno=True)


def exchange(a, b):
    if libc.renameat2(-100, os.fsencode(a), -100, os.fsencode(b), RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def owners(path):
    return os.lstat(path).st_uid


# --- swapped between look and repair ---------------------------------------------------------------------------------

def planned(scene):
    """devices/ and what is in it belong to root; the plan to give it back is saved."""
    homes.step_chown_all(scene.home, "0:0", ".openclaw/devices")
    plan = scene.top / "plan.json"
    scene.run("plan", "-o", plan, "--only", "files-ownership", exits={0, 1, 2, 3}, report=False)
    need(plan.exists(), "no plan was saved")
    return plan


def swap_file_for_link(doctor):
    with Scene(doctor) as scene:
        plan = planned(scene)
        target = scene.state / "devices" / "paired.json"
        target.unlink()
        target.symlink_to(scene.outside / "secret")
        report = scene.run("apply", plan, "--yes", "--json", exits={1, 3, 4})
        need("pplied" in str(report) or "refused" in str(report) or "stale" in str(report), f"no word of refusal: {report}")
        scene.outside_is_untouched()
        need(owners(target) == 0, "the link itself was given away")


def swap_file_for_hard_link(doctor):
    with Scene(doctor) as scene:
        plan = planned(scene)
        target = scene.state / "devices" / "paired.json"
        target.unlink()
        os.link(scene.outside / "secret", target)
        scene.run("apply", plan, "--yes", "--json", exits={1, 3, 4})
        need(owners(scene.outside / "secret") == 0, "root's file was given away through a hard link")


def swap_folder_for_link(doctor):
    with Scene(doctor) as scene:
        plan = planned(scene)
        os.rename(scene.state / "devices", scene.state / "devices.old")
        (scene.state / "devices").symlink_to(scene.outside / "folder")
        report = scene.run("apply", plan, "--yes", "--json", exits={0, 1, 3, 4})  # 0: what is there now is in order
        behind = [repair for repair in report["repairs"] if "/devices/" in repair["path"] + "/"]
        need({repair["status"] for repair in behind} == {"refused"}, f"not refused: {behind}")
        scene.outside_is_untouched()


def swap_file_for_other_file(doctor):
    with Scene(doctor) as scene:
        plan = planned(scene)
        target = scene.state / "devices" / "paired.json"
        os.rename(target, scene.state / "old")
        target.write_text("[]")
        scene.run("apply", plan, "--yes", "--json", exits={1, 3, 4})
        need(owners(target) == 0, "a file that nobody judged was given away")


def plan_of_another(doctor):
    """A plan that names a path outside, as if somebody had edited it."""
    with Scene(doctor) as scene:
        plan = planned(scene)
        text = plan.read_text().replace(str(scene.state / "devices" / "paired.json"), str(scene.outside / "secret"))
        text = text.replace(str(scene.state / "devices"), str(scene.outside / "folder"))
        plan.write_text(text)
        scene.run("apply", plan, "--yes", "--json", exits={1, 2, 3, 4, 64})


def plan_of_the_user(doctor):
    """A plan that the user may write: root does on its word what is the user's own, and nothing in a folder of root's."""
    for owner, written in ((0, True), (USER, False)):
        with Scene(doctor) as scene:
            plan = planned(scene)
            evil = scene.tmp / "evil"  # TMPDIR: a folder in which operations may write
            content = json.loads(plan.read_text())
            first = content["operations"][0]
            content["operations"].append({**first, "id": 9999, "kind": "write-file", "path": str(evil), "mode": 0o644, "uid": 0, "gid": 0,
                                          "content": "e30K"})
            plan.write_text(json.dumps(content))
            os.chown(plan, owner, owner)
            report = scene.run("apply", plan, "--yes", "--json", exits={0, 1, 3, 4})
            need(evil.exists() == written, f"a plan of uid {owner}: {report['repairs']}")
            need(written or "may have written the plan file" in json.dumps(report), f"not a word: {report['repairs']}")


def journal_is_roots_secret(doctor):
    """A file of root's that lies in the home becomes the journal, or the lock: root gives it to nobody with what is in it."""
    for place in ("lock", "runs/20990101T000000000Z-00000000/journal.jsonl"):
        with Scene(doctor) as scene:
            homes.step_chown_all(scene.home, "0:0", ".openclaw/devices")
            path = scene.state / "openclaw-doctor" / place
            path.parent.mkdir(parents=True)
            for folder in (scene.state / "openclaw-doctor", scene.state / "openclaw-doctor" / "runs", path.parent):
                if folder.exists():
                    os.chmod(folder, 0o700)
                    scene.own(folder)
            path.write_text("sesame")
            os.chmod(path, 0o600)
            scene.run("--fix", "--yes", "--only", "files-ownership", "--json")
            need(owners(path) == 0 or "sesame" not in path.read_text(), f"{place}: root's file was given to the user with what is in it")


# --- swapped while the repair runs -----------------------------------------------------------------------------------

def race(doctor, prepare, swap):
    """Swaps as fast as it can while --fix runs again and again, for a few seconds."""
    with Scene(doctor) as scene:
        prepare(scene)
        stop = threading.Event()

        def loop():
            while not stop.is_set():
                try:
                    swap(scene)
                except OSError:
                    pass

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            until = time.monotonic() + 2
            while time.monotonic() < until:
                scene.run("--fix", "--yes", "--only", "files-ownership", "--only", "files-modes", "--json")
                scene.outside_is_untouched()
                for path in (scene.state / "devices", scene.state / "devices.spare"):
                    try:
                        if path.is_dir() and not path.is_symlink():
                            homes.step_chown_all(path, "0:0")
                    except OSError:
                        pass  # it was just swapped: next time
        finally:
            stop.set()
            thread.join()


def race_folder(doctor):
    def prepare(scene):
        homes.step_chown_all(scene.home, "0:0", ".openclaw/devices")
        (scene.state / "devices.spare").symlink_to(scene.outside / "folder")

    race(doctor, prepare, lambda scene: exchange(scene.state / "devices", scene.state / "devices.spare"))


def race_file(doctor):
    def prepare(scene):
        homes.step_chown_all(scene.home, "0:0", ".openclaw/devices")
        os.link(scene.outside / "secret", scene.state / "devices" / "spare")

    race(doctor, prepare, lambda scene: exchange(scene.state / "devices" / "paired.json", scene.state / "devices" / "spare"))


def race_mode(doctor):
    def prepare(scene):
        os.chmod(scene.state, 0o755)
        os.chmod(scene.state / "openclaw.json", 0o666)
        os.chmod(scene.outside / "secret", 0o666)
        scene.before = snapshot.take(scene.outside)
        (scene.state / "spare").symlink_to(scene.outside / "secret")

    race(doctor, prepare, lambda scene: exchange(scene.state / "openclaw.json", scene.state / "spare"))


# --- odd files -------------------------------------------------------------------------------------------------------

ODD_PLACES = ("openclaw.json", ".env", "devices/paired.json", "devices/pending.json", "identity/device.json",
              "identity/device-auth.json")


def odd_file(doctor, make):
    for place in ODD_PLACES:
        with Scene(doctor) as scene:
            path = scene.state / place
            path.unlink(missing_ok=True)
            make(path)
            report = scene.look(exits={0, 1, 3} if place == ".env" else {1, 3})
            need(place == ".env" or os.path.basename(place) in told(report), f"{place}: not a word about it: {told(report)[:2000]}")


def fifo(doctor):
    odd_file(doctor, lambda path: (os.mkfifo(path, 0o600), os.chown(path, USER, USER)))


def device_node(doctor):
    """/dev/zero by another name: an open would succeed and a read would never end."""
    odd_file(doctor, lambda path: (os.mknod(path, 0o20600, os.makedev(1, 5)), os.chown(path, USER, USER)))


def folder_for_file(doctor):
    odd_file(doctor, lambda path: (os.mkdir(path, 0o700), os.chown(path, USER, USER)))


def link_for_file(doctor):
    """Links to something of root's: never read, so that nothing of it shows."""
    for place in ODD_PLACES:
        with Scene(doctor) as scene:
            (scene.outside / "secret").write_text('{"gateway":{"auth":{"token":"roots-own-secret-value"}}}')
            scene.before = snapshot.take(scene.outside)
            (scene.state / place).unlink(missing_ok=True)
            (scene.state / place).symlink_to(scene.outside / "secret")
            report = scene.look(exits={0, 1, 3})
            need("roots-own-secret-value" not in told(report), "what lies behind the link was shown")


def sparse(doctor):
    for place in ODD_PLACES:
        with Scene(doctor) as scene:
            path = scene.state / place
            path.touch(mode=0o600)
            scene.own(path)
            os.truncate(path, 5 << 30)
            report = scene.look()
            need("too large" in told(report) or "large" in told(report), f"{place}: 5 GB and no word: {told(report)[:2000]}")


def sparse_database(doctor):
    with Scene(doctor, "s08") as scene:
        os.truncate(scene.state / "state" / "openclaw.sqlite", 5 << 30)
        scene.look(exits={0, 1, 3})
        os.truncate(scene.state / "state" / "openclaw.sqlite-wal", 5 << 30)
        scene.look(exits={0, 1, 3})


def nested(doctor):
    deep = "[" * 100_000 + "]" * 100_000
    for place, text in (("openclaw.json", '{"a":%s}' % deep), ("openclaw.json", '{"a":' * 100_000 + "1" + "}" * 100_000),
                        ("devices/paired.json", '{"x":%s}' % deep), ("devices/pending.json", deep),
                        ("identity/device.json", '{"x":%s}' % deep), ("identity/device-auth.json", '{"x":%s}' % deep)):
        with Scene(doctor) as scene:
            (scene.state / place).write_text(text)
            report = scene.look()
            need(os.path.basename(place) in told(report), f"{place}: not a word about it: {told(report)[:2000]}")


def many_pending(doctor):
    with Scene(doctor) as scene:
        record = ('"{0:08x}-0000-4000-8000-000000000000":{{"requestId":"{0:08x}-0000-4000-8000-000000000000","deviceId":"{0:064x}",'
                  '"publicKey":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","platform":"linux","clientId":"cli","clientMode":"cli",'
                  '"role":"operator","roles":["operator"],"scopes":["operator.read"],"silent":false,"isRepair":false,"ts":1795225248264}}')
        (scene.state / "devices" / "pending.json").write_text("{" + ",".join(record.format(i) for i in range(100_000)) + "}")
        scene.look(exits={0, 1, 3})
        need(scene.seconds < 20, f"{scene.seconds:.1f} s for 100,000 requests")


def invalid_utf8(doctor):
    for place in ("openclaw.json", ".env", "devices/paired.json", "identity/device.json"):
        with Scene(doctor) as scene:
            path = scene.state / place
            old = path.read_bytes() if path.exists() else b"OPENCLAW_GATEWAY_TOKEN=abcdefgh\n"
            path.write_bytes(old.replace(b"a", b"\xff\xfe\xc3", 3) + b"\xf0\x28\x8c\x28")
            os.chown(path, USER, USER)
            os.chmod(path, 0o600)
            scene.look(exits={0, 1, 3})


def odd_names(doctor):
    with Scene(doctor) as scene:
        names = [b"new\nline", b"\x1b]0;title\x07\x1b[31m", b"\xff\xfe.json", b"-rf", b"paired.json\xe2\x80\xae", b"a" * 255, b"{path}"]
        for name in names:
            path = os.path.join(os.fsencode(scene.state / "devices"), name)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        homes.step_chown_all(scene.home, "0:0", ".openclaw/devices")
        report = scene.look()
        need("files-ownership/wrong-owner" in codes(report), f"not found: {codes(report)}")
        human = scene.run(exits={1, 3}, report=False)
        need(b"\x1b]0;" not in human and b"\xff" not in human and b"\x1b" not in human, "control characters of a name reach the terminal")
        report = scene.run("--fix", "--yes", "--only", "files-ownership", "--json", exits={1})
        need(codes(report) == ["files-ownership/odd-name"], f"left: {codes(report)}")
        names.remove(b"\xff\xfe.json")
        need(all(owners(os.path.join(os.fsencode(scene.state / "devices"), name)) == USER for name in names),
             "a file with an odd name was not given back")
        scene.run("undo", "--json", exits={0})
        need(all(owners(os.path.join(os.fsencode(scene.state / "devices"), name)) == 0 for name in names),
             "undo left a file with an odd name")


def deep_tree(doctor):
    with Scene(doctor) as scene:
        fd = os.open(scene.state, os.O_RDONLY)
        for _ in range(10_000):
            os.mkdir("deep", 0o700, dir_fd=fd)
            os.chown("deep", USER, USER, dir_fd=fd)
            below = os.open("deep", os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = below
        os.mkdir("roots-own", 0o700, dir_fd=fd)
        os.close(fd)
        report = scene.run("--json", "--only", "files-ownership", exits={3})
        need("deeper" in told(report), f"10,000 folders deep, and not a word: {told(report)[:2000]}")
        need(scene.seconds < 10, f"{scene.seconds:.1f} s")


# --- limits, and roads that lead astray ------------------------------------------------------------------------------

def few_resources(doctor):
    with Scene(doctor) as scene:
        homes.step_chown_all(scene.home, "0:0", ".openclaw/devices")
        for what, most in ((resource.RLIMIT_NOFILE, 48), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0),
                           (resource.RLIMIT_STACK, 256 * 1024)):
            report = scene.look(limits=[(what, most)])
            need("files-ownership/wrong-owner" in codes(report), f"limit {what}={most}: {codes(report)}")
        scene.run("--json", limits=[(resource.RLIMIT_NOFILE, 6)], report=False)
        before = snapshot.take(scene.home)
        scene.run("--fix", "--yes", "--json", limits=[(resource.RLIMIT_FSIZE, 16)], report=False, exits={1, 2, 3, 4, 5})
        found = snapshot.differences(before, snapshot.take(scene.home), snapshot.SUBSTANCE, journal=False)
        need(not found, f"a journal that cannot be written, and yet: {found}")


def full_output(doctor):
    with Scene(doctor) as scene, open("/dev/full", "wb") as full:
        scene.run("--json", stdout=full, report=False, exits={2})


def state_is_link_to_root(doctor):
    """ln -s <something of root's> ~/.openclaw, then wait for root to repair it."""
    with Scene(doctor) as scene:
        os.rename(scene.state, scene.home / "kept")
        homes.unpack("a0", scene.outside / "folder")
        scene.before = snapshot.take(scene.outside)
        scene.state.symlink_to(scene.outside / "folder" / ".openclaw")
        os.chown(scene.state, USER, USER, follow_symlinks=False)
        scene.run("--fix", "--yes", "--unsafe", "--user", USER, "--json")
        scene.outside_is_untouched()


def config_is_link_to_root(doctor):
    with Scene(doctor) as scene:
        os.chmod(scene.outside / "secret", 0o644)
        scene.before = snapshot.take(scene.outside)
        (scene.state / "openclaw.json").unlink()
        (scene.state / "openclaw.json").symlink_to(scene.outside / "secret")
        os.chown(scene.state / "openclaw.json", USER, USER, follow_symlinks=False)
        scene.run("--fix", "--yes", "--unsafe", "--json")


def root_with_absolute_links(doctor):
    """--root DIR: an absolute link inside means a place inside."""
    with Scene(doctor) as scene:
        root = scene.top / "root"
        (root / "home").mkdir(parents=True)
        (root / "data").mkdir()
        (root / "home" / "oc").symlink_to("/data/oc")
        os.rename(scene.home, root / "data" / "oc")
        scene.home = root / "data" / "oc"
        scene.state = scene.home / ".openclaw"
        homes.step_chown_all(scene.home, "0:0", ".openclaw/devices")
        (scene.state / "planted").symlink_to(scene.outside / "folder")
        words = ("--root", root, "--state-dir", "/home/oc/.openclaw", "--user", USER, "--only", "files-ownership")
        report = scene.look(*words)
        need("files-ownership/wrong-owner" in codes(report), f"not found below --root: {told(report)[:2000]}")
        scene.run("--fix", "--yes", "--json", *words, exits={0})
        need(owners(scene.state / "devices" / "paired.json") == USER, "not repaired below --root")


def mounts(doctor):
    """A bind mount in the tree: told, not entered, not changed."""
    with Scene(doctor) as scene:
        place = scene.state / "mounted"
        place.mkdir(mode=0o700)
        scene.own(place)
        if libc.mount(os.fsencode(scene.outside / "folder"), os.fsencode(place), None, 4096, None) != 0:
            print("skipped: no right to mount")
            return
        try:
            homes.step_chown_all(scene.home, "0:0", ".openclaw/devices")
            scene.run("--fix", "--yes", "--unsafe", "--only", "files-ownership", "--json")
            scene.outside_is_untouched()
            need(owners(scene.state / "devices") == USER, "the rest was not repaired")
        finally:
            libc.umount2(os.fsencode(place), 2)


SCENES = (
    swap_file_for_link, swap_file_for_hard_link, swap_folder_for_link, swap_file_for_other_file, plan_of_another, plan_of_the_user,
    journal_is_roots_secret, race_folder,
    race_file, race_mode, fifo, device_node, folder_for_file, link_for_file, sparse, sparse_database, nested, many_pending,
    invalid_utf8, odd_names, deep_tree, few_resources, full_output, state_is_link_to_root, config_is_link_to_root,
    root_with_absolute_links, mounts)


def play(scene, doctor):
    scene(doctor)


if __name__ == "__main__":
    sys.exit(main(SCENES, play))
