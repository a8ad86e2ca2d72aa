"""time_server ADDRESS LOG: a time server in a network namespace of its own, an hour ahead until chrony's LOG says that the clock was stepped.

So it takes the part of a clock that is an hour behind: nobody sets this machine's clock for a test.
"""
import pathlib
import socket
import subprocess
import sys

from common import HERE

HOUR = 3600.0


def main(address, log):
    sys.path.insert(0, str(HERE.parent / "real"))
    from time_servers import answer

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_IP, getattr(socket, "IP_FREEBIND", 15), 1)  # the network comes later
        sock.bind((address, 123))
        print("ready", flush=True)
        while True:
            question, peer = sock.recvfrom(65535)
            try:
                stepped = "was stepped" in pathlib.Path(log).read_text()
            except OSError:
                stepped = False
            sock.sendto(answer(question, ahead=0.0 if stepped else HOUR), peer)


if __name__ == "__main__":
    main(*sys.argv[1:])
