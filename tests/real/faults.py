"""Servers that are no gateway, on loopback ports of their own: each a thread of this process, ended with it."""
import contextlib
import http.server
import os
import socket
import subprocess
import threading


@contextlib.contextmanager
def accepting(port: int, answer, *, host="127.0.0.1", backlog=16):
    """A TCP server that hands each connection to `answer(connection)`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_safely, args=(answer, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _safely(answer, connection) -> None:
    with connection, contextlib.suppress(OSError):
        answer(connection)


def garbage(connection) -> None:
    connection.recv(65536)
    connection.sendall(b"\x00\xff220 hello, I am no web server\r\n" * 3)


def resets(connection) -> None:
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def closes(connection) -> None:
    connection.recv(65536)


def silent(connection) -> None:
    while connection.recv(65536):
        pass


def says(status: str, *headers: str, body: bytes = b""):
    """Answers each request with that."""
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]).encode()

    def answer(connection):
        while connection.recv(65536):
            connection.sendall(head + body)

    return answer


@contextlib.contextmanager
def web_server(port: int):
    """Python's own file server: HTTP 200 and a listing of an empty folder."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "14")
            self.end_headers()
            self.wfile.write(b"<h1>Hello</h1>")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


class Certificates:
    """A certificate authority of our own and what it issued, made with openssl in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
                     "-out", "ca.pem", "-subj", "/CN=Doctor's Test CA", "-days", "30")

    def openssl(self, *words) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=30)

    def self_signed(self, name: str) -> str:
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                     f"{name}.key", "-out", f"{name}.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        return name

    def issued(self, name: str, host: str, *, start="20200101000000Z", end="20400101000000Z") -> str:
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr", "-subj", f"/CN={host}")
        (self.folder / "ca.txt").write_text("", encoding="ascii")
        (self.folder / "serial").write_text("01\n", encoding="ascii")
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=ca.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n"
            f"x509_extensions=x\nunique_subject=no\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:{host}\n",
            encoding="ascii")
        self.openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", f"{name}.csr",
                     "-out", f"{name}.pem", "-startdate", start, "-enddate", end, "-notext")
        return name

    @contextlib.contextmanager
    def server(self, name: str, port: int):
        """openssl s_server with that certificate; it answers a GET with a page of its own (-www)."""
        child = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", f"{name}.pem", "-key",
                                  f"{name}.key", "-www", "-quiet"], cwd=self.folder, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield
        finally:
            child.kill()
            child.wait(timeout=10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as client, contextlib.suppress(OSError):
            client.settimeout(0.2)
            client.connect(("127.0.0.1", port))
            return
        threading.Event().wait(0.05)
    raise RuntimeError(f"nobody listens on {port} after 5 s (pid {os.getpid()})")
