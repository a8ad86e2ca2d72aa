"""A system that is booted for a test: systemd as process 1, with dbus, logind, polkit and the users' own managers.

It lives in namespaces of its own (processes, mounts, network, host name, IPC, control groups), on a Debian tree of its own (see `tree`) of
which it sees a copy in memory. What it shares with this machine it can only read: its clock, its kernel, the folders given as `shown`.
It has no right to set the clock, to load a module or to restart anything, and no network but its own loopback. It ends with the test.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

from common import HERE, SKIPPED, UID, USER, Failed, Skip

SYSTEMD = "/lib/systemd/systemd"
DOCTOR = "/usr/local/bin/openclaw-doctor"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FORBIDDEN = ("sys_time", "sys_module", "sys_boot", "sys_rawio", "syslog", "wake_alarm", "block_suspend", "mac_admin", "mac_override")
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
RIGHTS = ["setpriv", "--bounding-set", ",".join(f"-{right}" for right in FORBIDDEN)]
# systemd mounts these itself where nothing is; each is one for the whole kernel.
COVERED = ("sys/kernel/security", "sys/fs/pstore", "sys/fs/bpf", "sys/fs/fuse/connections")
BOOT_SECONDS = 60
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _mount(*words):
    subprocess.run(["mount", *map(os.fspath, words)], check=True)


# --- inside the new namespaces, as process 1 ---------------------------------------------------------------------------------


def _make_devices(root):
    os.umask(0)
    for name, numbers in DEVICES.items():
        os.mknod(root / "dev" / name, 0o666 | stat.S_IFCHR, os.makedev(*numbers))
    os.umask(0o022)
    for name in ("pts", "shm"):
        (root / "dev" / name).mkdir()
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=666,mode=620", "devpts", root / "dev/pts")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "dev/shm")
    (root / "dev/ptmx").symlink_to("pts/ptmx")
    (root / "dev/fd").symlink_to("/proc/self/fd")


def _make_root(top, tree, shown, doctor):
    """The tree with a layer in memory over it: nothing that is written reaches a disk."""
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", top)
    for name in ("upper", "work", "root"):
        (top / name).mkdir()
    root = top / "root"
    _mount("-t", "overlay", "-o", f"lowerdir={tree},upperdir={top}/upper,workdir={top}/work", "overlay", root)
    _mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", root / "proc")
    _mount("-t", "sysfs", "-o", "ro", "sysfs", root / "sys")
    for name, mode in (("dev", 755), ("run", 755), ("tmp", 1777)):
        _mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", root / name)
    # The kernel's settings and its command line are this machine's: the one only to be read, the other not to be heeded.
    _mount("--bind", root / "proc/sys", root / "proc/sys")
    _mount("-o", "remount,bind,ro", root / "proc/sys")
    (top / "cmdline").write_text("quiet\n")
    _mount("--bind", top / "cmdline", root / "proc/cmdline")
    if (root / "proc/sysrq-trigger").exists():
        _mount("--bind", "/dev/null", root / "proc/sysrq-trigger")
    for name in COVERED:
        if (root / name).is_dir():
            _mount("-t", "tmpfs", "-o", "ro", "tmpfs", root / name)
    _mount("-t", "cgroup2", "cgroup2", root / "sys/fs/cgroup")
    _make_devices(root)
    for folder in shown:
        inside = root / folder.lstrip("/")
        inside.mkdir(parents=True)
        _mount("--bind", folder, inside)
        _mount("-o", "remount,bind,ro", inside)
    shutil.copy(doctor, root / DOCTOR.lstrip("/"))
    return root


def _become_process_1(top, tree, doctor, *shown):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.chdir(_make_root(pathlib.Path(top), tree, shown, doctor))
    os.mkdir("run/outside")
    subprocess.run(["pivot_root", ".", "run/outside"], check=True)
    os.chroot(".")
    os.chdir("/")
    subprocess.run(["umount", "-l", "/run/outside"], check=True)
    os.rmdir("/run/outside")
    # An empty `container` says that this is none: the services of a real host then start here too.
    os.execve("/usr/bin/setpriv", [*RIGHTS, SYSTEMD], {"container": "", "PATH": PATH, "TERM": "dumb"})


# --- outside -----------------------------------------------------------------------------------------------------------------


def _tree():
    done = subprocess.run([HERE / "tree"], capture_output=True, text=True, check=False)
    if done.returncode == SKIPPED:
        raise Skip(done.stderr.strip().splitlines()[-1])
    if done.returncode != 0:
        raise Failed("the tree could not be made", done.stderr)
    return done.stdout.strip().splitlines()[-1]


class Machine:
    """Booted when made; use it with `with`. Needs root and namespaces, raises Skip without."""

    NAMESPACES = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--propagation", "private", "--fork", "--kill-child"]

    def __init__(self, doctor, shown=()):
        if os.geteuid() != 0:
            raise Skip("only root can boot a system")
        if subprocess.run([*self.NAMESPACES, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            raise Skip("no namespaces here")
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="dr-booted-", dir="/var/tmp"))
        self.group = self.process = self.init = None
        try:
            self._boot(_tree(), doctor, [os.path.realpath(folder) for folder in shown])
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _boot(self, tree, doctor, shown):
        self._make_group()

        def enter():
            _die_with_parent()
            pathlib.Path(self.group, "cgroup.procs").write_text("0")

        with open(self.top / "console", "wb") as console:
            self.process = subprocess.Popen([*self.NAMESPACES, sys.executable, __file__, self.top, tree, doctor, *shown], preexec_fn=enter,
                                            stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd="/")
        until = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise Skip("systemd does not boot here: " + " ".join((self.top / "console").read_text()[-300:].split()))
            state = self._state()
            if state in ("running", "degraded"):
                failed = self.sh("systemctl list-units --failed --plain --no-legend")
                if failed:
                    raise Failed(f"not all of the system came up:\n{failed}\n{self.sh('journalctl -b --no-pager | tail -n 40')}")
                return
            time.sleep(0.1)
        raise Skip(f"systemd does not come up here within {BOOT_SECONDS} s")

    def _make_group(self):
        """A control group of its own, which is the root of what the machine sees."""
        found = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines() if line.split()[2] == "cgroup2"]
        if not found:
            raise Skip("no control groups (version 2) are mounted here")
        self.group = pathlib.Path(found[0], f"dr-booted-{os.getpid()}")
        try:
            self.group.mkdir()
        except OSError as error:
            self.group = None
            raise Skip(f"no control group can be made here: {error}") from None

    def _state(self):
        if self.init is None:
            try:
                children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
                # Until systemd has taken over, what is there is not yet in the new root.
                if children and pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip() == "systemd":
                    self.init = int(children[0])
            except OSError:
                return None
        return self.try_sh("systemctl is-system-running")[1].strip() if self.init else None

    def close(self):
        if self.process:
            self.process.kill()  # and with it process 1, and with that all others
            self.process.wait()
        for _ in range(100):
            if not self.group or not self.group.exists() or not self._groups_left():
                break
            time.sleep(0.05)
        shutil.rmtree(self.top, ignore_errors=True)

    def _groups_left(self):
        subprocess.run(["find", self.group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], stderr=subprocess.DEVNULL, check=False)
        return self.group.exists()

    # --- what is done in it ------------------------------------------------------------------------------------------------------

    def _words(self, *words):
        return ["nsenter", "--target", str(self.init), "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--", *RIGHTS,
                *words]

    def run(self, *words, env=None, timeout=120, input=None):
        """As root, outside of any session. Returns the exit status, what it wrote, and what it complained of."""
        done = subprocess.run(self._words(*words), env={"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root", "USER": "root", **(env or {})},
                              input=input, stdin=None if input is not None else subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False, cwd="/")
        return done.returncode, done.stdout, done.stderr

    def login(self, *words, env=None, timeout=120):
        """As the user, in a session of logind that lasts as long as the command."""
        setting = [f"--setenv={name}={value}" for name, value in {"LANG": "C.UTF-8", **(env or {})}.items()]
        return self.run("systemd-run", "--quiet", "--pipe", "--wait", "--collect", f"--uid={USER}", "--property=PAMName=login",
                        "--property=WorkingDirectory=/", *setting, "--", *words, timeout=timeout)

    def try_sh(self, script, as_user=False):
        code, out, err = (self.login if as_user else self.run)("/bin/sh", "-c", script)
        return code, out + err

    def sh(self, script, as_user=False):
        code, text = self.try_sh(script, as_user)
        if code != 0:
            raise Failed(f"{script}: exit {code}\n{text}")
        return text.strip()

    def write(self, path, text, owner="root", mode="644"):
        """With the folders above it, which are the owner's below his home."""
        code, _, err = self.run("/bin/sh", "-c", 'runuser -u "$1" -- mkdir -p "${2%/*}" && install -o "$1" -g "$1" -m "$3" /dev/stdin "$2"', "sh", owner,
                                path, mode, input=text)
        if code != 0:
            raise Failed(f"{path}: {err}")

    def copy(self, source, path):
        done = subprocess.run(self._words("install", "-m", "644", "/dev/stdin", path), input=pathlib.Path(source).read_bytes(), check=False)
        if done.returncode != 0:
            raise Failed(f"{path}: cannot be written")

    @contextlib.contextmanager
    def neighbour(self, ours, theirs, program, log):
        """Another host on a network of its own with this one, that runs `program theirs log`; it may read that file of this machine."""
        other = subprocess.Popen(["unshare", "--net", sys.executable, "-B", program, theirs, f"/proc/{self.init}/root{log}"],
                                 preexec_fn=_die_with_parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            if other.stdout.readline().strip() != "ready":
                raise Failed("the neighbour does not start")
            for process, script in ((self.init, f"ip link add lan0 type veth peer name lan1 netns {other.pid} && ip address add {ours}/24 dev lan0 && "
                                                "ip link set lan0 up"),
                                    (other.pid, f"ip address add {theirs}/24 dev lan1 && ip link set lan1 up")):
                subprocess.run(["nsenter", "--target", str(process), "--net", "/bin/sh", "-c", script], check=True)
            yield
        finally:
            other.kill()
            other.wait()

    def log_in(self):
        """A session that stays until log_out()."""
        self.sh(f"systemd-run --quiet --unit=session-of-{USER} --uid={USER} --property=PAMName=login -- sleep infinity")
        self.until(f"test -S /run/user/{UID}/bus", "the user has a session, and a systemd of his own")

    def log_out(self):
        self.sh(f"systemctl stop session-of-{USER}")

    def until(self, script, what, seconds=20, as_user=False):
        """Waits until the script ends well."""
        until = time.monotonic() + seconds
        while self.try_sh(script, as_user)[0] != 0:
            if time.monotonic() > until:
                raise Failed(f"not within {seconds} s: {what} ({script})\n{self.try_sh('journalctl -b --no-pager | tail -n 30')[1]}")
            time.sleep(0.1)
        print("ok:", what, flush=True)

    def doctor(self, *words, only=None, as_root=False, exit=None, env=None):
        """The report, as the user in a session of his, or as root for him. `exit`: what must come of it."""
        more = [*(["--only", only] if only else []), *(["--user", USER] if as_root else [])]
        code, out, err = (self.run if as_root else self.login)(DOCTOR, *words, *more, "--json", env=env, timeout=300)
        if exit is not None and code != exit:
            raise Failed(f"{words}: exit {code}, not {exit}\n{out}\n{err}")
        if not out.strip():
            raise Failed(f"{words}: exit {code}, and no report\n{err}")
        return json.loads(out)

    def undo(self, as_root=False):
        code, out, err = (self.run if as_root else self.login)(DOCTOR, "undo", *(["--user", USER] if as_root else []))
        if code != 0:
            raise Failed(f"undo: exit {code}\n{out}\n{err}")
        return out


if __name__ == "__main__":
    _become_process_1(*sys.argv[1:])
