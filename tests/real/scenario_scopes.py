#!/usr/bin/env python3
"""The local operator's record was approved with operator.read alone: not even `devices approve` gets in (2026.2.19)."""
import harness
from harness import ALL_SCOPES, Gateway, Home, expect
from prove import refuse, succeed, whole_way


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    paired = home.read_json("devices/paired.json")
    own = home.read_json("identity/device.json")["deviceId"]
    paired[own]["scopes"] = ["operator.read"]
    paired[own]["tokens"]["operator"]["scopes"] = ["operator.read"]
    home.write_json("devices/paired.json", paired)
    with Gateway(home) as gateway:

        def broken():
            refuse(home.openclaw("devices", "list"), "gateway closed (1008): pairing required")
            refuse(home.openclaw("devices", "approve", "--latest"), "pairing required")

        def works():
            for _ in range(2):  # in turn: the release replaces the token when its scopes do not cover both
                succeed(home.openclaw("devices", "list"), "Paired (1)")
                succeed(home.openclaw("health"))
            record = home.read_json("devices/paired.json")[own]
            expect(sorted(record["scopes"]) == ALL_SCOPES and sorted(record["tokens"]["operator"]["scopes"]) == ALL_SCOPES,
                   "record and token hold every scope that the CLI asks for", record)
            expect(record["tokens"]["operator"]["token"] == paired[own]["tokens"]["operator"]["token"],
                   "the token is still the one that other places hold")

        whole_way(home, "identity-pairing/scope-deadlock", broken=broken, works=works, consent=("--unsafe",), gateway=gateway)


if __name__ == "__main__":
    harness.main(scenario)
