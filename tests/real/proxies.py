"""The four reverse proxies, started unprivileged from a scratch folder, each with one site that leads to the gateway.

CONFIGS[server][condition] is the text of a site; the frame around it is the same in all conditions. @UP@ is the upstream (host:port),
@HOST@ the address where clients come in, @PORT@ the proxy's port, @DIR@ its folder, @CERT@ and @KEY@ its certificate.
"""
import pathlib
import shutil
import socket
import subprocess
import time

import harness
from harness import Failure, scratch
from lan import HOST

CONDITIONS = ["no-upgrade", "http-version", "not-forwarded", "not-trusted", "too-wide", "ipv6-upstream", "correct"]
SERVERS = ["nginx", "haproxy", "caddy", "apache2"]

_NGINX = {
    "frame": """daemon off;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path @DIR@/t1; proxy_temp_path @DIR@/t2; fastcgi_temp_path @DIR@/t3; uwsgi_temp_path @DIR@/t4; scgi_temp_path @DIR@/t5;
    # one site, and it is the gateway's
    server {
        listen @HOST@:@PORT@ ssl;
        server_name @HOST@;
        ssl_certificate @CERT@;
        ssl_certificate_key @KEY@;
        location / {
            proxy_pass http://@UP@;
@SITE@
        }
    }
}
""",
    "forward": """            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;""",
    "upgrade": """            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";""",
    "version": "            proxy_http_version 1.1;",
}
_NGINX["sites"] = {
    "no-upgrade": [_NGINX["version"], _NGINX["forward"]],
    "http-version": [_NGINX["upgrade"], _NGINX["forward"]],
    "not-forwarded": [_NGINX["version"], _NGINX["upgrade"]],
    "correct": [_NGINX["version"], _NGINX["upgrade"], _NGINX["forward"]],
}

# HAProxy cannot speak HTTP/1.0 to a server: its wrong version is HTTP/2.
_HAPROXY = {
    "frame": """global
    pidfile @DIR@/haproxy.pid
    master-worker
defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
    timeout tunnel 1h
frontend clients
    bind @HOST@:@PORT@ ssl crt @DIR@/both.pem
    default_backend gateway
# the gateway of this host
backend gateway
@SITE@
""",
    "server": "    server gateway @UP@",
    "forward": """    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto https""",
}
_HAPROXY["sites"] = {
    "no-upgrade": ["    http-request del-header Upgrade", _HAPROXY["forward"], _HAPROXY["server"]],
    "http-version": [_HAPROXY["forward"], _HAPROXY["server"] + " proto h2"],
    "not-forwarded": ["    http-request set-header Host @UP@", _HAPROXY["server"]],
    "correct": [_HAPROXY["forward"], _HAPROXY["server"]],
}

# Nor can Caddy: h2c.
_CADDY = {
    "frame": """{
    admin unix/@DIR@/admin.sock
    auto_https disable_redirects
    skip_install_trust
    storage file_system @DIR@/storage
    default_sni @HOST@
}
https://@HOST@:@PORT@ {
    bind @HOST@
    tls @CERT@ @KEY@
    # the gateway of this host
    reverse_proxy @UP@ {
@SITE@
    }
}
""",
}
_CADDY["sites"] = {
    "no-upgrade": ["        header_up -Upgrade"],
    "http-version": ["        transport http {\n            versions h2c\n        }"],
    "not-forwarded": ["        header_up -X-Forwarded-For", "        header_up -X-Forwarded-Proto",
                      "        header_up -X-Forwarded-Host", "        header_up Host @UP@"],
    "correct": ["        flush_interval -1"],
}

_APACHE = {
    "frame": """ServerRoot @DIR@
PidFile @DIR@/apache2.pid
ErrorLog @DIR@/error.log
ServerName gateway.test
@MODULES@
Listen @HOST@:@PORT@
<VirtualHost @HOST@:@PORT@>
    SSLEngine on
    SSLCertificateFile @CERT@
    SSLCertificateKeyFile @KEY@
    # the gateway of this host
@SITE@
</VirtualHost>
""",
    "pass": "    ProxyPass / http://@UP@/ upgrade=websocket",
    # httpd adds the client's address to what the client sent itself, so that goes first.
    "forward": '    ProxyPreserveHost On\n    RequestHeader unset X-Forwarded-For\n    RequestHeader set X-Forwarded-Proto "https"',
}
_APACHE["sites"] = {
    "no-upgrade": ["    ProxyPass / http://@UP@/", _APACHE["forward"]],
    "http-version": [_APACHE["pass"], _APACHE["forward"], "    SetEnv force-proxy-request-1.0 1"],
    "not-forwarded": [_APACHE["pass"], "    ProxyAddHeaders Off"],
    "correct": [_APACHE["pass"], _APACHE["forward"]],
}
_APACHE_MODULES = ["mpm_event", "authz_core", "ssl", "socache_shmcb", "proxy", "proxy_http", "proxy_wstunnel", "headers", "setenvif", "env"]

_ALL = {"nginx": _NGINX, "haproxy": _HAPROXY, "caddy": _CADDY, "apache2": _APACHE}


def certificate() -> tuple:
    """A certificate of our own for HOST; the client is told to trust it (NODE_EXTRA_CA_CERTS)."""
    folder = scratch() / "tls"
    if not folder.is_dir():
        folder.mkdir(mode=0o755)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=gateway.test", "-addext", f"subjectAltName=IP:{HOST},IP:127.0.0.1", "-keyout", folder / "key.pem",
                        "-out", folder / "cert.pem"], check=True, capture_output=True)
        (folder / "key.pem").chmod(0o644)
    return folder / "cert.pem", folder / "key.pem"


def program(name) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if not found:
        raise Failure(f"{name} is not installed: ./bootstrap test-real installs it")
    return found


class Proxy:
    """One server with one site. Stopped at the end of the test like everything else."""

    def __init__(self, server, host, port):
        self.server, self.host, self.port = server, host, port
        self.folder = pathlib.Path(scratch()) / f"proxy-{server}-{port}"
        self.folder.mkdir(mode=0o755)
        self.config = self.folder / {"nginx": "nginx.conf", "haproxy": "haproxy.cfg", "caddy": "Caddyfile", "apache2": "apache2.conf"}[server]
        cert, key = certificate()
        (self.folder / "both.pem").write_bytes(cert.read_bytes() + key.read_bytes())
        self.child = None

    def write(self, condition, gateway_port) -> None:
        shape = _ALL[self.server]
        site = "\n".join(shape["sites"].get(condition, shape["sites"]["correct"]))
        upstream = f"[::1]:{gateway_port}" if condition == "ipv6-upstream" else f"127.0.0.1:{gateway_port}"
        cert, key = certificate()
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _APACHE_MODULES)
        text = shape["frame"].replace("@SITE@", site).replace("@MODULES@", modules)
        if self.server == "haproxy" and condition == "ipv6-upstream":
            upstream = f"::1:{gateway_port}"
        for name, value in (("@UP@", upstream), ("@HOST@", self.host), ("@PORT@", str(self.port)), ("@DIR@", str(self.folder)),
                            ("@CERT@", str(cert)), ("@KEY@", str(key))):
            text = text.replace(name, value)
        self.config.write_text(text)

    def command(self) -> list:
        path = program(self.server)
        return {"nginx": [path, "-c", self.config, "-p", self.folder],
                "haproxy": [path, "-W", "-f", self.config],
                "caddy": [path, "run", "--config", self.config, "--adapter", "caddyfile"],
                "apache2": [path, "-DFOREGROUND", "-d", self.folder, "-f", self.config]}[self.server]

    def start(self) -> None:
        self.stop()
        with open(self.folder / "output.log", "wb") as log:
            self.child = harness._spawn(self.command(), env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder)},
                                        stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                break
            with socket.socket() as sock:
                if sock.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.05)
        raise Failure(f"{self.server} does not listen:\n{self.output()}\n{self.config.read_text()}")

    def output(self) -> str:
        text = (self.folder / "output.log").read_text(errors="replace")
        error = self.folder / "error.log"
        return text + (error.read_text(errors="replace")[-2000:] if error.exists() else "")

    def stop(self) -> None:
        if self.child is not None:
            harness._kill_group(self.child)
            self.child = None
            time.sleep(0.05)
