"""Ports for servers that tests start: free now, and chosen by no other test that runs beside this one."""
import contextlib
import random
import socket

# Below the kernel's ephemeral range: an outgoing connection of somebody else must not take one before its server listens.
FIRST, END = 20000, 30000

_reserved: list[socket.socket] = []


def _reserve(port: int) -> bool:
    """Another test that has chosen this port, but does not listen yet, holds its name. The kernel frees ours when we end."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0openclaw-doctor-test-port-{port}")
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    return True


def _free(ports) -> bool:
    with contextlib.ExitStack() as stack:
        try:
            for port in ports:
                sock = stack.enter_context(socket.socket())
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(*, step: int = 1, neighbours=()) -> int:
    """A port whose neighbours (offsets, less than a step) are free as well."""
    for _ in range(500):
        port = random.SystemRandom().randrange(FIRST, END, step)
        if _free([port, *(port + offset for offset in neighbours)]) and _reserve(port):
            return port
    raise RuntimeError("no free port found")


def free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]
