#!/usr/bin/env python3
"""devices/paired.json is `[]`: properties set on an array are not written back, so no pairing ever sticks (2026.2)."""
import harness
from harness import Gateway, Home, expect
from prove import succeed, whole_way


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    home.write_json("devices/paired.json", [])
    with Gateway(home) as gateway:

        def broken():
            for _ in range(2):
                listed = home.openclaw("devices", "list")
                succeed(listed)
                expect("No device pairing entries." in listed.text, "devices list shows no device", listed)
            expect(home.read_json("devices/paired.json") == [], "the pairing that was approved did not stick")

        def works():
            succeed(home.openclaw("devices", "list"), "Paired (1)")
            paired = home.read_json("devices/paired.json")
            own = home.read_json("identity/device.json")["deviceId"]
            expect(isinstance(paired, dict) and list(paired) == [own], "the pairing sticks", paired)

        whole_way(home, "pairing-store/paired-array", broken=broken, works=works, gateway=gateway)


if __name__ == "__main__":
    harness.main(scenario)
