"""A throw-away OpenClaw home: a fixture's copy, changed by the steps of a case."""

import ctypes
import datetime
import os
import pathlib
import re
import shutil
import sqlite3
import tarfile

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"


class Bad(Exception):
    """The case itself is wrong."""


def unpack(name, home):
    archive = FIXTURES / "captures" / f"{name}.tar.gz"
    begins = sorted(archive.parent.glob(f"{name}[-.]*.tar.gz"))
    if not archive.is_file() and len(begins) == 1:
        archive = begins[0]
    folders = [folder for folder in (FIXTURES / "homes" / name, FIXTURES / name) if folder.is_dir()]
    if archive.is_file():
        with tarfile.open(archive) as tar:
            for member in tar:
                member.uname = member.gname = ""  # the numbers count, not the names of this machine
                tar.extract(member, home, numeric_owner=True)
    elif folders:
        copy_folder(folders[0], home)
    elif name == "empty":
        pass
    else:
        raise Bad(f"no fixture '{name}' in fixtures/captures, fixtures/homes or fixtures")


def copy_folder(source, home):
    """git keeps no modes but 644 and 755: everything is 0700/0600, but for what <fixture>.modes says ("0644 path" lines)."""
    shutil.copytree(source, home, dirs_exist_ok=True, symlinks=True, copy_function=shutil.copy)
    for folder, _, files in os.walk(home):
        os.chmod(folder, 0o700)
        for file in files:
            path = os.path.join(folder, file)
            if not os.path.islink(path):
                os.chmod(path, 0o600)
    modes = source.with_name(source.name + ".modes")
    if modes.is_file():
        for line in modes.read_text().splitlines():
            mode, path = line.split(maxsplit=1)
            os.chmod(home / path, int(mode, 8))


def step_chmod(home, mode, path):
    os.chmod(home / path, int(mode, 8))


def owner(text):
    match = re.fullmatch(r"(\d+):(\d+)", text)
    if not match:
        raise Bad(f"owner '{text}' is not uid:gid")
    return int(match[1]), int(match[2])


def step_chown(home, who, path):
    os.chown(home / path, *owner(who), follow_symlinks=False)


def step_chown_all(home, who, path="."):
    for folder, folders, files in os.walk(home / path):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(folder, name), *owner(who), follow_symlinks=False)


def step_write(home, path, text):
    (home / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = not (home / path).exists()
    (home / path).write_bytes(text.encode("utf-8", "surrogateescape"))
    if new:
        os.chmod(home / path, 0o600)
        parent = os.stat((home / path).parent)
        os.chown(home / path, parent.st_uid, parent.st_gid)


def step_append(home, path, text):
    with open(home / path, "ab") as stream:
        stream.write(text.encode("utf-8", "surrogateescape"))


def step_replace(home, path, old, new):
    data = (home / path).read_bytes()
    if old.encode() not in data:
        raise Bad(f"'{old}' does not stand in {path}")
    (home / path).write_bytes(data.replace(old.encode(), new.encode()))


def step_truncate(home, path, size):
    os.truncate(home / path, int(size))  # also makes a sparse file longer


def step_remove(home, path):
    if (home / path).is_dir() and not (home / path).is_symlink():
        shutil.rmtree(home / path)
    else:
        os.unlink(home / path)


def step_rename(home, path, to):
    os.rename(home / path, home / to)


def step_copy(home, path, to):
    shutil.copy2(home / path, home / to)
    st = os.stat(home / path)
    os.chown(home / to, st.st_uid, st.st_gid)


def step_mkdir(home, mode, path):
    os.mkdir(home / path)
    os.chmod(home / path, int(mode, 8))


def step_symlink(home, target, path):
    os.symlink(target, home / path)


def step_hardlink(home, path, to):
    os.link(home / path, home / to, follow_symlinks=False)


def step_touch(home, path, moment):
    """Dates a file: "2099-01-02T03:04:05", UTC."""
    seconds = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.timezone.utc).timestamp()
    os.utime(home / path, (seconds, seconds), follow_symlinks=False)


def step_mkfifo(home, mode, path):
    os.mkfifo(home / path)
    os.chmod(home / path, int(mode, 8))


def step_sql(home, path, *statements):
    """Runs SQL on a database of the home; WAL and SHM stay as they were made."""
    connection = sqlite3.connect(home / path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


STEPS = {name[5:].replace("_", "-"): function for name, function in list(globals().items()) if name.startswith("step_")}
NEED_ROOT = {"chown", "chown-all"}


def set_up(steps, home):
    for step in steps:
        if not isinstance(step, list) or not step or step[0] not in STEPS:
            raise Bad(f"setup step {step!r}: known are {', '.join(sorted(STEPS))}")
        try:
            STEPS[step[0]](home, *step[1:])
        except (TypeError, OSError, sqlite3.Error) as error:
            raise Bad(f"setup step {step!r}: {error}") from error


def give_home(home, who):
    """The home folder itself belongs to its user: `who` (uid), or the owner of what lies in it. Root only."""
    if who is None:
        states = [path for path in home.iterdir() if path.name.startswith((".openclaw", ".clawdbot", ".moltbot"))]
        if not states:
            return
        who = min(os.lstat(path).st_uid for path in states) if len(states) == 1 else os.lstat(states[0]).st_uid
    os.chown(home, who, who)


CLONE_NEWNS = 0x00020000


def out_of_sight():
    """Before exec, as root: a mount namespace of its own. To the doctor, the proxies that other tests run at the same time are then servers of a container:
    they see other files, and are not looked at."""
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS)


RECORDS = pathlib.Path("/var/lib/openclaw-doctor")


def forget_records(top):
    """What root's doctor noted for the homes below `top` (src/repair/custody.h): such a test leaves nothing behind."""
    try:
        records = list(RECORDS.iterdir())
    except OSError:
        return
    runs = {run.name for depth in ("", "*/", "*/*/") for run in top.glob(depth + ".openclaw/openclaw-doctor/runs/*")}
    for record in records:
        try:
            if record.is_file() and f" {top}/" in record.read_text(errors="replace").split("\n")[0]:
                runs.add(record.name)
        except OSError:
            pass
    for name in runs:
        (RECORDS / name).unlink(missing_ok=True)
        shutil.rmtree(RECORDS / f"{name}.kept", ignore_errors=True)
