#!/usr/bin/env python3
"""devices/pending.json is `[]`: a remote device's request gets an id and is never kept, so nobody can approve it (2026.2)."""
import harness
from harness import GATEWAY_TOKEN, Gateway, Home, expect
from prove import refuse, succeed, whole_way
from remote import Detour


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    home.write_json("devices/pending.json", [])
    far = Home(release)
    with Gateway(home) as gateway, Detour(home.port) as detour:
        far.make_state({"gateway": {"mode": "remote", "remote": {"url": f"ws://127.0.0.1:{detour.port}", "token": GATEWAY_TOKEN}}})

        def broken():
            refuse(far.openclaw("devices", "list"), "gateway closed (1008): pairing required")
            refuse(home.openclaw("devices", "approve", "--latest"), "No pending device pairing requests to approve")
            expect(home.read_json("devices/pending.json") == [], "the request was not kept")

        def works():
            refuse(far.openclaw("devices", "list"), "pairing required")
            succeed(home.openclaw("devices", "approve", "--latest"), "Approved ")
            succeed(far.openclaw("devices", "list"), "Paired (2)")

        # The relay that makes a remote client is an untrusted proxy, and is found as one; here it is the stage.
        whole_way(home, "pairing-store/pending-array", broken=broken, works=works, gateway=gateway,
                  args=("--skip", "docker-trusted-proxies", "--skip", "proxy-attribution"))


if __name__ == "__main__":
    harness.main(scenario)
