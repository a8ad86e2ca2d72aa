"""Time servers for the doctor's tests: a network namespace of their own, chrony from Debian's package, and liars in Python.

Everything needs root and dies with the test. This process moves into a namespace that holds its own loopback and one end of a veth pair; the servers
live on addresses of the other end.
"""
import ctypes
import fcntl
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import time

import harness
from harness import Failure

CLONE_NEWNET = 0x40000000
OURS, NETWORK = "10.77.0.1", "10.77.0"
NTP_1900 = 2208988800
_libc = ctypes.CDLL(None, use_errno=True)


def _command(*words) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(words)}: {done.stderr}")


def _loopback_up() -> None:
    with socket.socket() as sock:  # SIOCSIFFLAGS: lo up and running
        fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 0x41))


def private_etc() -> pathlib.Path:
    """A copy of /etc that only this test sees, without any time service's configuration."""
    copy = harness.scratch() / "etc"
    shutil.copytree("/etc", copy, symlinks=True, ignore_dangling_symlinks=True)
    for name in ("chrony", "chrony.conf", "ntpsec", "ntp.conf", "openntpd", "ntpd.conf", "systemd/timesyncd.conf", "systemd/timesyncd.conf.d"):
        path = copy / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    for name in ("resolv.conf", "hosts"):
        (copy / name).unlink(missing_ok=True)
    (copy / "resolv.conf").write_text("")
    (copy / "hosts").write_text("127.0.0.1 localhost\n")
    harness._mount(copy, "/etc", harness.MS_BIND | harness.MS_REC)
    for name in ("resolv.conf", "hosts"):  # container engines mount these one by one
        subprocess.run(["umount", f"/etc/{name}"], capture_output=True, check=False)
    return copy


class Network:
    """Two namespaces and what joins them."""

    def __init__(self, addresses):
        if _libc.unshare(CLONE_NEWNET) != 0:
            raise Failure(f"no network namespace: {os.strerror(ctypes.get_errno())}")
        _loopback_up()
        self.holder = harness._spawn(["unshare", "--net", "sleep", "infinity"])
        time.sleep(0.3)
        _command("ip", "link", "add", "ours", "type", "veth", "peer", "name", "theirs", "netns", str(self.holder.pid))
        _command("ip", "address", "add", f"{OURS}/24", "dev", "ours")
        _command("ip", "link", "set", "ours", "up")
        self.there("ip", "link", "set", "lo", "up")
        for address in addresses:
            self.there("ip", "address", "add", f"{address}/24", "dev", "theirs")
        self.there("ip", "link", "set", "theirs", "up")
        time.sleep(0.3)

    def words(self, *words) -> list:
        return ["nsenter", "--target", str(self.holder.pid), "--net", *map(str, words)]

    def there(self, *words) -> None:
        _command(*self.words(*words))

    def spawn(self, *words, env=None):
        with open(harness.scratch() / f"server-{time.monotonic_ns()}.log", "wb") as log:
            return harness._spawn(self.words(*words), env=env or {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, stdout=log, stderr=subprocess.STDOUT)


# ---------------------------------------------------------------------------------------------- chrony

def chronyd() -> pathlib.Path:
    """Debian's chronyd, not installed: installing it would put this machine's own time service out."""
    installed = pathlib.Path("/usr/sbin/chronyd")
    folder = harness.cache_dir() / "chrony"
    unpacked = folder / "usr/sbin/chronyd"
    if installed.is_file():
        return installed
    if not unpacked.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "chrony"], cwd=folder, check=True, timeout=300, stdout=subprocess.DEVNULL)
        package = next(folder.glob("chrony_*.deb"))
        subprocess.run(["dpkg", "-x", package, folder], check=True, timeout=60)
        package.unlink()
    return unpacked


def start_chrony(network, address, env=None):
    """A chronyd that gives its own clock out as the time and never sets it (-x)."""
    folder = harness.scratch() / f"chrony-{address}"
    folder.mkdir()
    (folder / "chrony.conf").write_text(f"local stratum 8\nallow\nbindaddress {address}\ncmdport 0\nbindcmdaddress /\npidfile {folder}/pid\n"
                                        f"driftfile {folder}/drift\nuser root\n")
    return network.spawn(chronyd(), "-x", "-d", "-f", folder / "chrony.conf", env={"PATH": "/usr/bin:/bin", **(env or {})})


# ---------------------------------------------------------------------------------------------- liars

def _stamp(moment) -> bytes:
    return struct.pack("!II", int(moment) + NTP_1900 & 0xffffffff, int(moment % 1 * 2**32))


def answer(question, ahead=0.0, first=0x24, stratum=2, reference=b"LOCL", origin=None, transmit=True, root=b"\0\0\4\0\0\0\4\0") -> bytes:
    now = time.time() + ahead
    return (bytes([first, stratum, 6, 0xec]) + root + reference + _stamp(now - 10) + (origin if origin is not None else question[40:48]) +
            _stamp(now) + (_stamp(now) if transmit else bytes(8)))


# What each kind of server makes of a question: a list of packets.
KINDS = {
    "good": lambda q: [answer(q)],
    "hour": lambda q: [answer(q, ahead=3600.0)],
    "day": lambda q: [answer(q, ahead=-86400.0)],
    "little": lambda q: [answer(q, ahead=700.0)],
    "kiss": lambda q: [answer(q, stratum=0, reference=b"RATE")],
    "kiss-of-bytes": lambda q: [answer(q, stratum=0, reference=b"\x1b[2J")],
    "stratum-16": lambda q: [answer(q, stratum=16)],
    "alarm": lambda q: [answer(q, first=0xe4)],
    "wrong-origin": lambda q: [answer(q, origin=b"12345678")],
    "no-origin": lambda q: [answer(q, origin=bytes(8))],
    "echo": lambda q: [q],
    "short": lambda q: [answer(q)[:47]],
    "empty": lambda q: [b""],
    "huge": lambda q: [answer(q) + bytes(60000)],
    "no-time": lambda q: [answer(q, transmit=False)],
    "unsure": lambda q: [answer(q, root=b"\x7f\xff\xff\xff\x7f\xff\xff\xff")],
    "version-7": lambda q: [answer(q, first=0x3c)],
    "silent": lambda q: [],
    "flood": lambda q: [answer(q, origin=b"12345678")] * 200,
    "spoofed-then-good": lambda q: [answer(q, ahead=3600.0, origin=b"12345678"), answer(q)],
}


def serve(kind, address, count_file) -> None:
    """Runs in the other namespace. Writes how often it was asked into `count_file`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 123))
        asked = 0
        while True:
            question, peer = sock.recvfrom(65535)
            asked += 1
            pathlib.Path(count_file).write_text(str(asked))
            if kind == "slow":
                time.sleep(1.5)
            for packet in KINDS["good" if kind == "slow" else kind](question):
                sock.sendto(packet, peer)


def resolve(address, names) -> None:
    """A name server. `names`: name=address,... ; anything else does not exist."""
    table = dict(part.split("=") for part in names.split(","))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 53))
        while True:
            question, peer = sock.recvfrom(1500)
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            end, kind = at + 5, struct.unpack("!H", question[at + 1:at + 3])[0]
            found = table.get(".".join(labels), "").split("+") if kind == 1 else []
            records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(one) for one in found if one)
            code = 0 if ".".join(labels) in table else 3
            head = question[:2] + bytes([0x81, 0x80 | code]) + b"\0\1" + struct.pack("!H", len([one for one in found if one])) + bytes(4)
            sock.sendto(head + question[12:end] + records, peer)


if __name__ == "__main__":
    {"serve": serve, "resolve": resolve}[sys.argv[1]](*sys.argv[2:])
