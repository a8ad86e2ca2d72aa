#!/usr/bin/env python3
"""Somebody cleared identity/ and kept devices/ (2026.2): the CLI makes a new key, and the old record stays for ever."""
import shutil

import harness
from harness import Gateway, Home, expect
from prove import succeed, whole_way


def cleared(release) -> Home:
    home = Home(release)
    home.from_seed()
    shutil.rmtree(home.state / "identity")
    return home


def left_alone(release) -> None:
    """What OpenClaw does by itself: two operators with every right, one of which nobody holds the key of."""
    home = cleared(release)
    old = list(home.read_json("devices/paired.json"))
    with Gateway(home):
        succeed(home.openclaw("devices", "list"), "Paired (2)")
    expect(old[0] in home.read_json("devices/paired.json"), "the record without a key is still an operator")


def scenario(release) -> None:
    left_alone(release)
    home = cleared(release)

    def works():
        with Gateway(home):
            succeed(home.openclaw("devices", "list"), "Paired (1)")
        own = home.read_json("identity/device.json")["deviceId"]
        expect(list(home.read_json("devices/paired.json")) == [own], "the only record is the CLI's own")

    whole_way(home, "identity-pairing/identity-missing", broken=lambda: None, works=works, consent=("--unsafe",))


if __name__ == "__main__":
    harness.main(scenario)
