#!/usr/bin/env python3
"""gateway.trustedProxies trusts everyone.

2026.2.19: whoever claims X-Forwarded-For: 127.0.0.1 counts as local and is paired unasked. 2026.9.6: every proxied request is refused
with HTTP 403, although the proxy is in the list. The repair takes the entry out; then the proxied client may ask to be paired.
Last, a bridge that Docker renumbered, in a network namespace of its own.
"""
import subprocess
import time

import harness
from harness import Failure, Gateway, Home, doctor_json, expect
from prove import has, whole_way
from scenario_locality import bring_tools, observations, private_network

CONFIG = """{
  gateway: { mode: 'local', port: %d, bind: 'loopback', auth: { mode: 'token', token: '%s' },
    // the proxy of this host
    trustedProxies: ['127.0.0.1', '::1' /* v6 */, '0.0.0.0/0'],
  },
  logging: { file: '%s' },
}
"""
CLIENT = {"peer": "127.0.0.1", "real_ip": None, "forwarded_host": None, "other": None, "tailscale": False, "origin": None,
          "client_id": "cli", "client_mode": "cli"}


def ask(release, home, forwarded) -> dict:
    """What a new device meets that comes through a proxy on this host."""
    return observations(release, home, [dict(CLIENT, forwarded_for=forwarded, host=f"127.0.0.1:{home.port}")])[0]


def scenario(release) -> None:
    bring_tools()
    alone = private_network()
    home = Home(release)
    home.from_seed()
    text = CONFIG % (home.port, harness.GATEWAY_TOKEN, home.tmp / "openclaw.log")
    home.write(home.state / "openclaw.json", text, 0o600)
    with Gateway(home) as gateway:

        def broken():
            gateway.wait_settled()
            if release.sqlite:
                answer = ask(release, home, "203.0.113.9")
                expect(answer.get("type") == "proxy_attribution_required", "a proxied client is refused with HTTP 403", answer)
            else:
                answer = ask(release, home, "127.0.0.1")
                expect(answer.get("ok") is True, "a client that claims to be 127.0.0.1 is paired unasked", answer)

        def works():
            gateway.wait_settled()
            kept = (home.state / "openclaw.json").read_text()
            expect(kept == text.replace(", '0.0.0.0/0'", ""), "only the entry is gone; comments are kept", kept)
            answer = ask(release, home, "203.0.113.9")
            expect("pairing required" in str(answer.get("error")), "a proxied client may ask to be paired", answer)

        whole_way(home, "docker-trusted-proxies/trusts-everyone", broken=broken, works=works, consent=("--unsafe",), gateway=gateway)
    if alone:
        moved_bridge(home, text)


def moved_bridge(home, text) -> None:
    def network(*words):
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"ip {' '.join(words)}: {done.stderr}")

    network("link", "add", "docker0", "type", "bridge")
    network("address", "add", "172.20.0.1/16", "dev", "docker0")
    network("link", "set", "docker0", "up")
    time.sleep(0.2)
    for entry, found in (("172.29.0.1", True), ("172.20.0.9", False)):
        home.write(home.state / "openclaw.json", text.replace("0.0.0.0/0", entry), 0o600)
        report = doctor_json(home, "--only", "docker-trusted-proxies")
        expect(has(report, "docker-trusted-proxies/bridge-moved") == found,
               f"{entry}, with docker0 at 172.20.0.1/16: {'found' if found else 'nothing'}", report)
    expect("172.20.0.0/16 on docker0" in doctor_text(home, text), "the report names the bridge's network")


def doctor_text(home, text) -> str:
    home.write(home.state / "openclaw.json", text.replace("0.0.0.0/0", "172.29.0.1"), 0o600)
    return harness.doctor(home, "--only", "docker-trusted-proxies").text


if __name__ == "__main__":
    harness.main(scenario)
