#!/usr/bin/env python3
"""--deep: a full connect with the shared token, and none of it shows in the device store. Never with a token that is known to be wrong;
--deep=identity only with an identity that is paired already."""
import json

import harness
from harness import Gateway, Home, doctor_json, expect, snapshot
from prove import succeed
from scenario_device_token_row import pair_own_identity

TABLES = ("device_pairing_paired", "device_pairing_pending", "device_auth_tokens", "gateway_origin_device_tokens",
          "device_identities", "device_bootstrap_tokens")
# A connect of a paired device is noted in its record, whoever makes it.
SEEN = ("last_seen_at_ms", "last_seen_reason")


def store(home: Home, *, but=()) -> object:
    """The device store as it is told: bytes of the JSON files, rows of the tables."""
    if not home.release.sqlite:
        files = snapshot(home.state / "devices", home.state / "identity")
        return {path: {name: entry[name] for name in ("sha256", "mtime", "inode") if name in entry}
                for path, entry in files.items()}
    return {table: [{name: value for name, value in row.items() if name not in but}
                    for row in home.rows(f"SELECT * FROM {table} ORDER BY rowid")] for table in TABLES}


def meaning(home: Home) -> object:
    """The same without what a connect of a paired device always does: the gateway notes it, and writes the record anew as it was."""
    if not home.release.sqlite:
        return {path: entry.get("sha256") for path, entry in store(home).items()}
    return {table: [{name: json.loads(value) if name.endswith("_json") and value else value for name, value in row.items()}
                    for row in rows] for table, rows in store(home, but=SEEN).items()}


def connects(report) -> list:
    return [probe for probe in report.json.get("probes", []) if probe["request"] == "connect"]


def tried(report) -> dict:
    made = [probe for probe in connects(report) if probe["reach"] == "answered"]
    expect(len(made) == 1, "one connect was made, at 127.0.0.1 and nowhere else", connects(report))
    return made[0]


def not_tried(report, why: str) -> None:
    expect(not [p for p in connects(report) if p["reach"] != "not-asked"] and
           any(why in p.get("why", "") for p in connects(report)), f"no connect is tried: {why}", connects(report))


def deep_token(home: Home, gateway) -> None:
    before = store(home)
    answer = tried(doctor_json(home, "--deep"))
    expect(answer["ok"] and answer["protocol"] == (4 if home.release.sqlite else 3), "--deep gets hello-ok", answer)
    if home.release.sqlite:
        expect(answer["method"] == "token" and "operator.admin" in answer["scopes"], "... with the CLI's scopes", answer)
    expect(store(home) == before, "--deep leaves the device store as it was", before, store(home))
    report = doctor_json(home)
    expect(not connects(report), "without --deep nobody connects", report)
    expect(store(home) == before, "a look without --deep leaves it too", before, store(home))
    expect("unauthorized" not in gateway.log(), "nothing that the gateway would call unauthorized", gateway.log()[-2000:])


def wrong_token(home: Home, gateway) -> None:
    """2026.2 clients prefer the environment: what they would send is wrong, and is not sent."""
    report = doctor_json(home, "--deep", env={"OPENCLAW_GATEWAY_TOKEN": "wrong-0123456789abcdef0123456789"})
    not_tried(report, "another token than the gateway accepts")
    expect("unauthorized" not in gateway.log(), "and the gateway saw no wrong token", gateway.log()[-2000:])


def no_token(home: Home) -> None:
    """The gateway has its token from its own environment, and a client of this home has none."""
    config = home.default_config()
    del config["gateway"]["auth"]["token"]
    home.write_config(config)
    with Gateway(home, env={"OPENCLAW_GATEWAY_TOKEN": harness.GATEWAY_TOKEN}) as gateway:
        not_tried(doctor_json(home, "--deep"), "")
        expect("unauthorized" not in gateway.log(), "and the gateway saw no try", gateway.log()[-2000:])


def deep_identity(home: Home, gateway) -> None:
    if home.release.sqlite:
        before = store(home)
        not_tried(doctor_json(home, "--deep=identity"), "not paired")
        expect(store(home) == before, "an identity that is not paired makes no pairing request")
        pair_own_identity(home)
    before = meaning(home)
    answer = tried(doctor_json(home, "--deep=identity"))
    expect(answer["ok"] and answer["scopes"], "--deep=identity gets hello-ok with the approved scopes", answer,
           gateway.log()[-2000:])
    expect(meaning(home) == before, "--deep=identity changes no pairing", before, meaning(home))


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    with Gateway(home) as gateway:
        succeed(home.openclaw("devices", "list"))
        deep_token(home, gateway)
        deep_identity(home, gateway)
        if not release.sqlite:
            wrong_token(home, gateway)
    if release.sqlite:
        no_token(home)


if __name__ == "__main__":
    harness.main(scenario)
