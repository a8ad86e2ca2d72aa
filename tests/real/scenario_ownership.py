#!/usr/bin/env python3
"""What `sudo openclaw …` leaves behind: parts of the state belong to root, the gateway runs as another user."""
import os

import harness
from harness import OTHER_UID, SAME_CONTENT, Gateway, Home, differences, expect, need_root, snapshot
from prove import DOCTORS_OWN, fix, look, nothing_left, refuse, succeed, undo, whole_way


def give_to_root(path) -> None:
    os.chown(path, 0, 0, follow_symlinks=False)
    if path.is_dir():
        for entry in path.iterdir():
            give_to_root(entry)


def devices_folder(release) -> None:
    """2026.2: devices/ is root's. The running gateway cannot write there, and every connect writes."""
    home = Home(release, uid=OTHER_UID)
    home.from_seed()
    give_to_root(home.state / "devices")
    with Gateway(home) as gateway:

        def broken():
            refuse(home.openclaw("devices", "list"), "gateway closed (1000 normal closure): no close reason")
            # It writes both records at once; the log has the one that failed first.
            said = "EACCES: permission denied, open '" + str(home.state / "devices") + "/"
            expect(any(said + f"{record}.json." in gateway.log() for record in ("pending", "paired")),
                   "the gateway's log says EACCES", gateway.log()[-1500:])

        whole_way(home, "files-ownership/wrong-owner", broken=broken, gateway=gateway,
                  works=lambda: succeed(home.openclaw("devices", "list"), "Paired (1)"))
    expect((home.state / "devices/paired.json").stat().st_uid == OTHER_UID, "the records belong to the gateway's user")


def store_at_rest(release) -> None:
    """2026.9: the store is root's. The gateway does not start (exit 78) and advises to restore a backup."""
    home = Home(release, uid=OTHER_UID)
    home.from_seed()
    parts = {"the folder state/": home.state / "state", "the file openclaw.sqlite": home.state / "state/openclaw.sqlite",
             "the configuration": home.state / "openclaw.json"}
    for name, path in parts.items():
        harness.say(f"root owns {name}")
        give_to_root(path)

        def broken():
            gateway = Gateway(home)
            gateway.start()
            code = gateway.wait_exit()
            said = "chown " if path.name == "openclaw.json" else "EACCES: permission denied"
            expect(code == 78 and said in gateway.log(), f"the gateway gives up: exit 78, {said!r}", code,
                   gateway.log()[-1500:])

        broken()
        look(home, "files-ownership/wrong-owner")
        before = snapshot(home.home)
        fix(home, "files-ownership/wrong-owner", ())
        undo(home, before)
        changed = differences(before, snapshot(home.home), fields=SAME_CONTENT, ignore=DOCTORS_OWN)
        expect(not changed, "also the store is as it was", *changed)
        fix(home, "files-ownership/wrong-owner", ())
        nothing_left(home, ())
        with Gateway(home):
            succeed(home.openclaw("devices", "list"))


def scenario(release) -> None:
    need_root("giving files to another user")
    if release.sqlite:
        store_at_rest(release)
    else:
        devices_folder(release)


if __name__ == "__main__":
    harness.main(scenario)
