"""A remote client, imitated on loopback: what passes here reaches the gateway with a client's address in X-Forwarded-For."""
import contextlib
import socket
import threading



class Detour:
    """A TCP relay in front of a gateway that adds X-Forwarded-For to the request; the gateway then judges it remote."""

    def __init__(self, port: int, address="203.0.113.9"):
        self.target = port
        self.header = f"X-Forwarded-For: {address}\r\n".encode()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(65536)
                if not part or len(head) > 65536:
                    return
                head += part
            line, rest = head.split(b"\r\n", 1)
            with socket.create_connection(("127.0.0.1", self.target), timeout=10) as server:
                server.settimeout(None)
                server.sendall(line + b"\r\n" + self.header + rest)
                threading.Thread(target=_copy, args=(server, client), daemon=True).start()
                _copy(client, server)


def _copy(source, sink) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
