"""A container without Docker: mount, process, network and host-name namespaces of its own, a root of its own with /.dockerenv, its own view of
control groups, and a veth pair as its bridge; a forwarder on the host's side does what docker-proxy does for a published port.

This process becomes the host's side: a network namespace of its own, and a root without /.dockerenv for what runs there. Needs root. Everything
vanishes with the processes that hold the namespaces.
"""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import threading
import time

import harness
from harness import Failure, Gateway, scratch
from lan import CLONE_NEWNET, ip
from remote import _copy

BRIDGE, INSIDE, BITS = "172.28.7.1", "172.28.7.2", 24
GROUPS = "0::/docker/8e1f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7\n"
# What both roots take from this machine. /tmp is the test's own by then (harness.scratch).
TAKEN = ("usr", "etc", "var", "dev", "tmp")
ENTER = r"""
set -e
root=$1; mark=$2; groups=$3
for folder in $4; do mkdir -p "$root/$folder"; mount --rbind "/$folder" "$root/$folder"; done
for link in bin sbin lib lib32 lib64; do [ -e "/$link" ] && ln -sfn "usr/$link" "$root/$link"; done
mkdir -p "$root/proc" "$root/run" "$root/root" "$root/home"
[ -z "$mark" ] || : > "$root/.dockerenv"
mount -t proc proc "$root/proc"
[ -z "$mark" ] || mount --bind "$groups" "$root/proc/1/cgroup"
[ -z "$mark" ] || hostname 8e1f1a2b3c4d
exec chroot "$root" sleep 3600
"""


class Room:
    """A process that holds namespaces and a root. `enter`: words in front of a command that is to run in it."""

    def __init__(self, name: str, is_container: bool):
        root = scratch() / f"root-{name}"
        root.mkdir()
        groups = scratch() / "cgroup"
        groups.write_text(GROUPS)
        spaces = ["-m", "-p", "-u", *(["-n"] if is_container else [])]
        holder = harness._spawn(["unshare", *spaces, "--fork", "--kill-child", "--propagation", "private", "sh", "-c", ENTER, "sh",
                                 root, "container" if is_container else "", groups, " ".join(TAKEN)])
        self.pid = self._first_process(holder, root)
        self.enter = ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", *(["-n"] if is_container else []), "--root", "--wd"]

    def processes(self) -> list:
        """All in its process namespace but the first, as numbers of this side."""
        own, found = os.readlink(f"/proc/{self.pid}/ns/pid"), []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if int(entry.name) != self.pid and os.readlink(entry / "ns/pid") == own:
                    found.append(int(entry.name))
        return found

    @staticmethod
    def _first_process(holder, root) -> int:
        for _ in range(200):
            with contextlib.suppress(OSError, ValueError, IndexError):
                child = int(pathlib.Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()[0])
                if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "sleep" and os.readlink(f"/proc/{child}/root") == str(root):
                    return child
            time.sleep(0.05)
        raise Failure("the namespaces did not come up")


class Container(Room):
    """`forward(port)`: published on this side's loopback."""

    def __init__(self):
        harness.need_root("a container's namespaces are root's to make")
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise Failure("no network namespace can be made here")
        with socket.socket() as sock:  # SIOCSIFFLAGS: lo up and running
            fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
        super().__init__("container", True)
        ip("link", "add", "docker0", "type", "bridge")
        ip("link", "add", "veth8e1f", "type", "veth", "peer", "name", "eth0", "netns", str(self.pid))
        ip("link", "set", "veth8e1f", "master", "docker0")
        ip("address", "add", f"{BRIDGE}/{BITS}", "dev", "docker0")
        for name in ("docker0", "veth8e1f"):
            ip("link", "set", name, "up")
        ip("address", "add", f"{INSIDE}/{BITS}", "dev", "eth0", inside=self.pid)
        for name in ("lo", "eth0"):
            ip("link", "set", name, "up", inside=self.pid)
        ip("route", "add", "default", "via", BRIDGE, inside=self.pid)

    def forward(self, port: int, published: int) -> "Forwarder":
        return Forwarder(INSIDE, port, published)


class Forwarder:
    """docker-proxy: takes connections on the host, and makes one to the container for each; without one, it closes."""

    def __init__(self, to: str, port: int, published: int):
        self.to, self.target = to, port
        self.listener = socket.create_server(("127.0.0.1", published))

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client) -> None:
        with client, contextlib.suppress(OSError):
            with socket.create_connection((self.to, self.target), timeout=10) as server:
                server.settimeout(None)
                threading.Thread(target=_copy, args=(server, client), daemon=True).start()
                _copy(client, server)


class InRoom(Gateway):
    """A gateway that runs in a room."""

    def __init__(self, room: Room, home, *, env=None, args=()):
        super().__init__(home, env=env, args=args)
        self.room = room

    def start(self) -> None:
        release = self.home.release
        words = [*self.room.enter, release.node, release.entry, "gateway", "run", *self.args]
        with open(self.log_path, "wb") as log:
            self.child = harness._spawn(words, env=self.home.env(self.env), cwd=self.home.home, stdout=log, stderr=harness.subprocess.STDOUT)

    def stop(self) -> None:
        """As `docker stop`: SIGTERM to what runs in the room, SIGKILL after 10 s."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for _ in range(100):
                left = self.room.processes()
                if not left:
                    break
                for pid in left if number else ():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
                number = 0
                time.sleep(0.1)
        super().stop()

    def _answers(self) -> bool:
        path = "readyz" if self.home.release.sqlite else ""
        done = harness.run([*self.room.enter, "curl", "-fsS", "-o", "/dev/null", "-m", "3", f"http://127.0.0.1:{self.home.port}/{path}"],
                           env={"PATH": "/usr/bin:/bin"}, timeout=10)
        return done.code == 0


def doctor_in(room: Room, home, *args, at=None) -> harness.Report:
    """The doctor as it is run in the room: `docker exec CONTAINER openclaw-doctor`, or on the host. `at`: another home than the container's."""
    program = scratch() / "openclaw-doctor"
    if not program.exists():
        shutil.copy2(harness.doctor_path(), program)
    env = {"HOME": str(at or home.home), "LANG": "C.UTF-8", "TMPDIR": str(home.tmp),
           "PATH": f"{home.release.folder / 'node_modules/.bin'}:{home.release.node.parent}:/usr/bin:/bin"}
    return harness.Report(harness.run([*room.enter, program, "--json", "--probe-timeout", "8", *args], env=env, timeout=harness.DOCTOR_TIMEOUT_S))
