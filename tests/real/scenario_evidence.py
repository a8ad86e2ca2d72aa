#!/usr/bin/env python3
"""What the gateway's log says is enough to repair it: a proxy's address, a bridge that Docker renumbered, an origin that differs by a slash.

One gateway that listens on all addresses of a network of its own: a bridge docker0 with a "container" at 172.20.0.5, and nginx on loopback. Before
that, the doctor's rules of origins against the real gateway: every combination of list, Origin, Host and way; no disagreement is allowed.
"""
import ctypes
import fcntl
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import time

import harness
from harness import GATEWAY_TOKEN, HERE, Failure, Gateway, Home, expect, say, scratch
from lan import CLONE_NEWNET, ip
from prove import whole_way
from scenario_locality import lines, recorded, settle

BRIDGE, CONTAINER, FORMERLY = "172.20.0.1", "172.20.0.5", "172.29.0.5"
SOMEBODY = "203.0.113.9"
NAME = "gw.example.com"

ORIGINS = [f"https://{NAME}", f"https://{NAME.upper()}:443", f"http://{NAME}", f"https://{NAME}:8443", "http://127.0.0.1:18789",
           "http://localhost:5173", "http://192.168.1.7:18789", "null"]
HOSTS = ["127.0.0.1:PORT", NAME, "192.168.1.7:18789", "localhost:5173", f"{NAME}:8443", "box.local"]
LISTS = [[], ["*"], [f"https://{NAME}"], [f"https://{NAME}/", f"https://{NAME}/chat", NAME], [f" HTTPS://{NAME.upper()} "],
         [f"https://{NAME}:443", f"http://{NAME}:80", "https://*.example.com"], [f"http://{NAME}", f"https://{NAME}:8443"]]

NGINX = """daemon off;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path @DIR@/t1; proxy_temp_path @DIR@/t2; fastcgi_temp_path @DIR@/t3; uwsgi_temp_path @DIR@/t4; scgi_temp_path @DIR@/t5;
    server {
        listen 127.0.0.1:@PORT@;
        server_name gw.example.com;
        location / {
            proxy_pass http://127.0.0.1:@GATEWAY@;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For 203.0.113.9;  # everybody comes from far away
        }
    }
}
"""


class Scene:
    def __init__(self, release):
        harness.need_root("network namespaces are root's to make")
        tools = {name: pathlib.Path(path).read_bytes() for name, path in
                 (("origin_driver", os.environ["ORIGIN_DRIVER"]), ("locality_client.mjs", HERE / "locality_client.mjs"))}
        for name, content in tools.items():  # the scratch folder has a /tmp of its own
            (scratch() / name).write_bytes(content)
            (scratch() / name).chmod(0o755)
        self.release = release
        self.home = Home(release)
        self.home.from_seed()
        self.container = self.network()
        self.nginx_port = harness.free_port()
        self.nginx_config = None

    def network(self) -> list:
        """Our own network with docker0; words in front of what runs in the container."""
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise Failure("no network namespace can be made here")
        with socket.socket() as sock:  # SIOCSIFFLAGS: lo up and running
            fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
        child = harness._spawn(["unshare", "-n", "sleep", "3600"])
        for _ in range(100):
            if os.readlink(f"/proc/{child.pid}/ns/net") != os.readlink("/proc/self/ns/net"):
                break
            time.sleep(0.05)
        ip("link", "add", "docker0", "type", "bridge")
        ip("address", "add", f"{BRIDGE}/16", "dev", "docker0")
        ip("link", "add", "veth0", "type", "veth", "peer", "name", "eth0", "netns", str(child.pid))
        ip("link", "set", "veth0", "master", "docker0")
        for name in ("veth0", "docker0"):
            ip("link", "set", name, "up")
        ip("address", "add", f"{CONTAINER}/16", "dev", "eth0", inside=child.pid)
        ip("link", "set", "eth0", "up", inside=child.pid)
        return ["nsenter", "-t", str(child.pid), "-n"]

    def configure(self, **gateway) -> str:
        """A configuration with comments, as people have them."""
        config = self.home.default_config()
        config["gateway"].update(bind="lan", **gateway)
        text = "// mine\n" + json.dumps(config, indent=2) + "\n"
        self.home.write(self.home.state / "openclaw.json", text, 0o600)
        return text

    def ask(self, cases, enter=()) -> list:
        """What fresh devices meet; each case: to, port, headers, and who it is."""
        asks = [{"n": n, "client_id": "cli", "client_mode": "cli", "release": self.release.version,
                 "protocol": 4 if self.release.sqlite else 3, "token": GATEWAY_TOKEN, **case} for n, case in enumerate(cases)]
        return sorted(lines([*enter, self.release.node, scratch() / "locality_client.mjs"], asks), key=lambda answer: answer["n"])

    def start_nginx(self) -> None:
        folder = scratch() / "nginx"
        folder.mkdir()
        folder.chmod(0o777)
        self.nginx_config = folder / "nginx.conf"
        text = NGINX.replace("@DIR@", str(folder)).replace("@PORT@", str(self.nginx_port)).replace("@GATEWAY@", str(self.home.port))
        self.nginx_config.write_text(text)
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
        if not program:
            raise Failure("nginx is not installed: ./bootstrap real installs it")
        child = harness._spawn([program, "-p", folder, "-c", self.nginx_config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.nginx_port)) == 0:
                    return
            if child.poll() is not None:
                break
            time.sleep(0.1)
        raise Failure(f"nginx did not start: {(folder / 'error.log').read_text()}")


# ------------------------------------------------------------------------------------------ rules of origins

def origin_matrix(scene, gateway) -> None:
    release, home, wrong, count = scene.release, scene.home, [], 0
    # On all addresses, 2026.9 does not take in that the list was emptied while it runs: the one before stays.
    for allowed in LISTS[1:] if release.sqlite else LISTS:
        scene.configure(trustedProxies=["127.0.0.1"], controlUi={"allowedOrigins": allowed})
        settle(release, gateway)
        gateway.wait_settled()
        cases = [(origin, host.replace("PORT", str(home.port)), forwarded) for origin in ORIGINS for host in HOSTS for forwarded in (None, SOMEBODY)]
        seen = scene.ask([{"to": "127.0.0.1", "port": home.port, "client_id": "openclaw-control-ui", "client_mode": "webchat",
                           "headers": [["Host", host], ["Origin", origin], *([["X-Forwarded-For", forwarded]] if forwarded else [])]}
                          for origin, host, forwarded in cases])
        judged = lines([scratch() / "origin_driver"], [{"release": release.version, "origin": origin, "host": host, "allowed": allowed,
                                                        "direct_local": forwarded is None} for origin, host, forwarded in cases])
        for case, answer, verdict in zip(cases, seen, judged):
            if answer.get("status") != 101:
                raise Failure(f"{case}: {answer}")
            if ("origin not allowed" not in str(answer.get("error"))) != verdict["allowed"]:
                wrong.append(f"{allowed} {case}: doctor {verdict}, gateway {answer}")
        count += len(cases)
    expect(not wrong, f"{count} combinations of list, Origin, Host and way: no disagreement", *wrong[:10])


# ------------------------------------------------------------------------------------------ the stages

def moved_bridge(scene, gateway) -> None:
    """Docker gave its bridge another subnet; the list has the proxy's address of before."""
    release, home = scene.release, scene.home
    text = scene.configure(trustedProxies=["127.0.0.1", FORMERLY])

    def through_container() -> dict:
        return scene.ask([{"to": BRIDGE, "port": home.port, "headers": [["Host", NAME], ["X-Forwarded-For", SOMEBODY]]}], scene.container)[0]

    def state(answer) -> tuple:
        return recorded(release, home).get(answer["device"], ("", ""))

    def broken():
        gateway.wait_settled()
        answer = through_container()
        if release.sqlite:
            expect(answer.get("type") == "proxy_attribution_required", "a client behind the container is refused with HTTP 403", answer)
        else:
            expect(state(answer) == ("pending", ""), "a client behind the container is a stranger without an address", answer, state(answer))

    def works():
        gateway.wait_settled()
        kept = (home.state / "openclaw.json").read_text()
        expect(kept == text.replace(FORMERLY, CONTAINER), "one entry is another, the rest is as it was", kept)
        answer = through_container()
        expect(state(answer) == ("pending", SOMEBODY), "the same client may ask to be paired, and has its own address", answer, state(answer))

    whole_way(home, "docker-trusted-proxies/bridge-moved", broken=broken, works=works, consent=("--unsafe",), gateway=gateway,
              args=("--offline", "--only", "docker-trusted-proxies"))


def missing_proxy(scene, gateway) -> None:
    """nginx on this host, and a list without it; first by its configuration."""
    release, home = scene.release, scene.home
    text = scene.configure(trustedProxies=[CONTAINER])

    def through_nginx() -> dict:
        return scene.ask([{"to": "127.0.0.1", "port": scene.nginx_port, "headers": [["Host", NAME]]}])[0]

    def broken():
        gateway.wait_settled()
        answer = through_nginx()
        if release.sqlite:
            expect(answer.get("type") == "proxy_attribution_required", "a client behind nginx is refused with HTTP 403", answer)
        else:
            expect(recorded(release, home)[answer["device"]] == ("pending", ""), "a client behind nginx has no address", answer)

    def works():
        gateway.wait_settled()
        kept = (home.state / "openclaw.json").read_text()
        expect(kept == text.replace(f'"{CONTAINER}"\n', f'"{CONTAINER}",\n      "127.0.0.1"\n'), "127.0.0.1 is in the list, and nothing else changed",
               kept)
        answer = through_nginx()
        expect(recorded(release, home)[answer["device"]] == ("pending", SOMEBODY), "the same client may ask to be paired", answer)

    whole_way(home, "docker-trusted-proxies/peer-missing", broken=broken, works=works, consent=("--unsafe",), gateway=gateway,
              args=("--offline", "--only", "docker-trusted-proxies", "--proxy-config", str(scene.nginx_config)))


def origins(scene, gateway, allowed, problem, after) -> None:
    release, home = scene.release, scene.home
    own = f"http://{NAME}:{scene.nginx_port}"
    scene.configure(trustedProxies=["127.0.0.1"], controlUi={"allowedOrigins": [entry.replace("OWN", own) for entry in allowed]})

    def page() -> str:
        return str(scene.ask([{"to": "127.0.0.1", "port": scene.nginx_port, "headers": [["Host", f"{NAME}:{scene.nginx_port}"], ["Origin", own]],
                               "client_id": "openclaw-control-ui", "client_mode": "webchat"}])[0].get("error"))

    def broken():
        gateway.wait_settled()
        answer = page()
        expect("origin not allowed" in answer, f"a page from {own} is refused", answer)

    def works():
        gateway.wait_settled()
        config = json.loads((home.state / "openclaw.json").read_text().split("\n", 1)[1])
        expect(config["gateway"]["controlUi"]["allowedOrigins"] == [entry.replace("OWN", own) for entry in after], "the list is right", config)
        answer = page()
        expect("pairing required" in answer, "the same page may ask to be paired", answer)

    whole_way(home, f"docker-origins/{problem}", broken=broken, works=works, consent=("--unsafe",), gateway=gateway,
              args=("--offline", "--only", "docker-origins", "--proxy-config", str(scene.nginx_config)))


def scenario(release) -> None:
    scene = Scene(release)
    scene.configure(trustedProxies=["127.0.0.1"])
    with Gateway(scene.home) as gateway:
        moved_bridge(scene, gateway)
        scene.start_nginx()
        missing_proxy(scene, gateway)
        origins(scene, gateway, ["OWN/"], "entry-never-matches", ["OWN"])
        origins(scene, gateway, [f"https://{NAME}"], "origin-not-allowed", [f"https://{NAME}", "OWN"])
        say("origins: the rules against the gateway")
        origin_matrix(scene, gateway)


if __name__ == "__main__":
    harness.main(scenario)
