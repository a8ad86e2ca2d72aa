"""A network of one's own: this process becomes the gateway's host, another network namespace is a client on the LAN.

Needs root. Everything vanishes with the processes that hold the namespaces. No address outside of the two namespaces is reached.
"""
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import time

import harness
from harness import Failure

CLONE_NEWNET = 0x40000000
HOST, CLIENT, BITS = "10.77.0.1", "10.77.0.2", 24


def ip(*words, inside=None) -> None:
    enter = ["nsenter", "-t", str(inside), "-n"] if inside else []
    done = subprocess.run([*enter, "ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"ip {' '.join(words)}: {done.stderr.strip()}")


class Lan:
    """`enter`: words in front of a command that is to run on the client's side."""

    def __init__(self):
        harness.need_root("network namespaces are root's to make")
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise Failure("no network namespace can be made here")
        with socket.socket() as sock:  # SIOCSIFFLAGS: lo up and running
            fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
        self.child = harness._spawn(["unshare", "-n", "sleep", "3600"])
        self._wait_for_namespace()
        ip("link", "add", "lan0", "type", "veth", "peer", "name", "lan1", "netns", str(self.child.pid))
        ip("address", "add", f"{HOST}/{BITS}", "dev", "lan0")
        ip("link", "set", "lan0", "up")
        ip("address", "add", f"{CLIENT}/{BITS}", "dev", "lan1", inside=self.child.pid)
        ip("link", "set", "lan1", "up", inside=self.child.pid)
        ip("link", "set", "lo", "up", inside=self.child.pid)
        self.enter = ["nsenter", "-t", str(self.child.pid), "-n"]

    def _wait_for_namespace(self) -> None:
        own = os.readlink("/proc/self/ns/net")
        for _ in range(100):
            try:
                if os.readlink(f"/proc/{self.child.pid}/ns/net") != own:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise Failure("the client's network namespace did not come up")
