#!/usr/bin/env python3
"""Who is local, whose headers are believed, who is paired unasked: the doctor's rules against the real gateway.

At least 200 generated combinations (same every time) of peer address, headers, Host, Origin, client and trustedProxies. Each is a
fresh device that asks the real gateway to connect; what happens must be what dr_locality_judge says: HTTP 403 or not, approved at
once or pending, and the client's address in the store. No disagreement is allowed.
"""
import ctypes
import fcntl
import json
import os
import pathlib
import random
import socket
import sqlite3
import struct
import subprocess
import time

import harness
from harness import GATEWAY_TOKEN, HERE, Failure, Gateway, Home, expect, say, scratch

EACH = 32  # connections for each list
CLONE_NEWNET = 0x40000000
V4_PEERS = ["172.17.0.1", "172.18.0.9", "192.168.1.7", "192.168.0.5", "100.64.0.3", "203.0.113.50", "10.0.0.10"]
V6_PEERS = ["fd00::9", "2001:db8::7"]
LOOPBACK_PEERS = ["127.0.0.1", "::1", "127.0.0.5"]
ORIGINS = ["http://127.0.0.1:18789", "http://localhost:5173", "https://gw.example.com"]

# (trustedProxies, more of `gateway`); the second is for 2026.9 only.
LISTS = [
    ([], {}),
    (["127.0.0.1", "::1"], {}),
    (["127.0.0.0/8", "203.0.113.9"], {}),
    (["172.17.0.0/16", "192.168.1.7"], {}),
    ([" 172.17.0.1 ", "::FFFF:192.168.1.7", "FD00::9", "::1"], {}),
    (["0.0.0.0/0"], {}),
    (["not-an-ip", "10.0.0.0/33", "127.0.0.1:80", "localhost", "127.0.0.*", "", "::1/129"], {}),
    (["192.168.1/24", "10/8", "127.1/8", "172.17.0.1/"], {}),
    (["::ffff:203.0.113.1/32", "fd00:0::9"], {}),
    (["fd00::/8", "::1/128", "[2001:db8::7]"], {}),
    (["172.17.0.0/16abc", "127.0.0.1/32/8", "192.168.0.0/ 16"], {}),
    (["127.0.0.1", "::1", "172.16.0.0/12"], {"allowRealIpFallback": True}),
    (["::1"], {"nodes": {"pairing": {"autoApproveLocal": False}}}),
]


def private_network() -> bool:
    """Every peer address is an address of a loopback interface that only this test has. False when we may not."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket() as sock:  # SIOCSIFFLAGS: lo up and running
        fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
    for peer in V4_PEERS + V6_PEERS:
        width = "128" if ":" in peer else "32"
        done = subprocess.run(["ip", "address", "add", f"{peer}/{width}", "dev", "lo", *(["nodad"] if ":" in peer else [])],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"ip address add {peer}: {done.stderr}")
    return True


def generate(dice, peers, port) -> dict:
    """One connection, as the driver and the client read it."""
    peer = dice.choice(LOOPBACK_PEERS[:2] if dice.random() < 0.5 else LOOPBACK_PEERS + peers)
    forwarded = dice.choice([None] * 18 + [
        "203.0.113.9", "203.0.113.9, 127.0.0.1", "127.0.0.1", "198.51.100.1, 172.17.0.1", "172.17.0.9", "203.0.113.9:4711",
        "[2001:db8::5]:99", "2001:DB8::5", "::ffff:203.0.113.9", "unknown", "", " , 203.0.113.9", "192.168.1.7, 192.168.1.8",
        "fd00::77", "::1, 127.0.0.9", "198.51.100.2, bad, 172.18.0.4", ["198.51.100.7", "127.0.0.1"], "127.nonsense"])
    client_id, client_mode, origin = dice.choice(
        [("cli", "cli", None)] * 5 + [("test", "test", None), ("openclaw-macos", "ui", None)] +
        [("cli", "cli", o) for o in ORIGINS[:1]] + [("openclaw-control-ui", "webchat", o) for o in ORIGINS])
    return {
        "peer": peer,
        "forwarded_for": forwarded,
        "real_ip": dice.choice([None] * 20 + ["203.0.113.8", "127.0.0.1", "", "bad", "[2001:db8::6]:1"]),
        "forwarded_host": dice.choice([None] * 10 + ["gw.example.com"]),
        "other": dice.choice([None] * 16 + [("Forwarded", "for=203.0.113.9"), ("X-Forwarded-Proto", "https")]),
        "tailscale": dice.random() < 0.04,
        "host": dice.choice([f"127.0.0.1:{port}", f"localhost:{port}", f"127.0.0.1:{port}", "gw.example.com", "box.tail1.ts.net",
                             f"host.docker.internal:{port}", f"[::1]:{port}", f"127.0.0.2:{port}", "LOCALHOST"]),
        "origin": origin, "client_id": client_id, "client_mode": client_mode, "shared_secret": True,
    }


def headers_of(case) -> list:
    forwarded = case["forwarded_for"]
    headers = [("Host", case["host"])]
    headers += [("X-Forwarded-For", value) for value in (forwarded if isinstance(forwarded, list) else [forwarded])]
    headers += [("X-Real-IP", case["real_ip"]), ("X-Forwarded-Host", case["forwarded_host"]), ("Origin", case["origin"])]
    headers += [case["other"]] if case["other"] else []
    headers += [("Tailscale-User-Login", "someone@example.com")] if case["tailscale"] else []
    return [header for header in headers if header[1] is not None]


def lines(program, objects) -> list:
    """Sends JSON lines through a program, and reads its JSON lines."""
    done = subprocess.run(program, input="".join(json.dumps(item) + "\n" for item in objects), capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode != 0:
        raise Failure(f"{program[0]}: exit {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def predictions(release, trusted, more, cases) -> list:
    asked = []
    for case in cases:
        forwarded = case["forwarded_for"]
        asked.append(dict(case, release=release.version, trusted=trusted, forwarded_other=bool(case["other"]),
                          forwarded_for=", ".join(forwarded) if isinstance(forwarded, list) else forwarded,
                          allow_real_ip=bool(more.get("allowRealIpFallback")), local_not_approved="nodes" in more))
    return lines([scratch() / "locality_driver"], asked)


def observations(release, home, cases) -> list:
    protocol = 4 if release.sqlite else 3
    asks = [{"n": n, "to": "::1" if ":" in case["peer"] else "127.0.0.1", "port": home.port, "peer": case["peer"],
             "headers": headers_of(case), "client_id": case["client_id"], "client_mode": case["client_mode"],
             "release": release.version, "protocol": protocol, "token": GATEWAY_TOKEN} for n, case in enumerate(cases)]
    answers = lines([release.node, scratch() / "locality_client.mjs"], asks)
    return sorted(answers, key=lambda answer: answer["n"])


def recorded(release, home) -> dict:
    """device id -> (paired or pending, address)."""
    if release.sqlite:
        with sqlite3.connect(f"file:{home.state}/state/openclaw.sqlite?mode=ro", uri=True, timeout=10) as store:
            rows = {device: ("pending", address or "")
                    for device, address in store.execute("select device_id, remote_ip from device_pairing_pending")}
            rows.update({device: ("paired", address or "")
                         for device, address in store.execute("select device_id, remote_ip from device_pairing_paired")})
        return rows
    rows = {}
    for name in ("pending", "paired"):
        if (home.state / f"devices/{name}.json").exists():
            rows.update({entry["deviceId"]: (name, entry.get("remoteIp", ""))
                         for entry in home.read_json(f"devices/{name}.json").values()})
    return rows


def disagreement(predicted, seen, rows) -> str:
    """What the gateway did otherwise, or ""."""
    if predicted["ingress"] == "refused":
        return "" if (seen.get("status"), seen.get("type")) == (403, "proxy_attribution_required") else "expected HTTP 403"
    if seen.get("status") != 101:
        return "expected an upgrade"
    if not seen.get("ok") and not str(seen.get("error")).startswith("NOT_PAIRED: pairing required"):
        return "the question of pairing was not reached"
    if bool(seen.get("ok")) != predicted["paired_unasked"]:
        return "paired unasked, or not"
    row = rows.get(seen["device"])
    wanted = ("paired" if predicted["paired_unasked"] else "pending", predicted["recorded"])
    return "" if row == wanted else f"the store says {row}, expected {wanted}"


def config_of(home, release, trusted, more) -> dict:
    config = home.default_config()
    config["gateway"].update(more, trustedProxies=trusted, controlUi={"allowedOrigins": ORIGINS})
    if not release.sqlite:  # its own proxies are what is tested, not its reloading
        config["gateway"]["reload"] = {"mode": "off"}
    return config


def bring_tools() -> None:
    """The scratch folder has a /tmp of its own: what lies below the real one is out of sight afterwards."""
    tools = [pathlib.Path(os.environ["LOCALITY_DRIVER"]), HERE / "locality_client.mjs"]
    contents = [tool.read_bytes() for tool in tools]
    for tool, content in zip(tools, contents):
        (scratch() / tool.name).write_bytes(content)
        (scratch() / tool.name).chmod(0o755)


def scenario(release) -> None:
    bring_tools()
    peers = V4_PEERS + V6_PEERS if private_network() else []
    if not peers:
        print("note: not root, so every peer is a loopback address")
    home = Home(release)
    dice = random.Random(20260906)
    wrong, count, verdicts = [], 0, {}
    home.make_state(config_of(home, release, [], {}))
    lists = [(trusted, more) for trusted, more in LISTS if release.sqlite or not more]
    with Gateway(home) as gateway:
        for trusted, more in lists:
            home.write_config(config_of(home, release, trusted, more))
            settle(release, gateway)
            cases = [generate(dice, peers, home.port) for _ in range(EACH)]
            predicted = predictions(release, trusted, more, cases)
            seen = observations(release, home, cases)
            rows = recorded(release, home)
            for case, verdict, answer in zip(cases, predicted, seen):
                what = disagreement(verdict, answer, rows)
                key = verdict["ingress"] + (", paired" if verdict["paired_unasked"] else "")
                verdicts[key] = verdicts.get(key, 0) + 1
                if what:
                    wrong.append(f"{what}: {trusted} {json.dumps(case)}\n    doctor: {verdict}\n    gateway: {answer} {rows.get(answer['device'])}")
            count += len(cases)
            say(f"{len(cases)} connections with trustedProxies {trusted} {more or ''}: {len(wrong)} disagreements so far")
    say(f"{count} combinations: " + ", ".join(f"{number} {name}" for name, number in sorted(verdicts.items())))
    expect(count >= 200, f"{count} combinations were tried")
    expect(not wrong, f"no disagreement in {count} combinations", *wrong[:10])


def settle(release, gateway) -> None:
    """2026.2 reads the list for each connection, but keeps what it read for 200 ms; 2026.9 takes it in by itself."""
    time.sleep(0.5)
    if release.sqlite:
        gateway.wait_settled()


if __name__ == "__main__":
    harness.main(scenario)
