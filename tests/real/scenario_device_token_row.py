#!/usr/bin/env python3
"""2026.9: the client's stored device token is not the one in its pairing record, and no shared token covers it up.

The gateway gets its shared token from its own environment; the client has none and identifies itself as a device.
"""
import base64
import hashlib
import json
import time

import harness
from harness import ALL_SCOPES, GATEWAY_TOKEN, Gateway, Home, expect
from prove import refuse, succeed, whole_way

RIGHT_TOKEN = base64.urlsafe_b64encode(hashlib.sha256(b"right").digest()).decode().rstrip("=")
WRONG_TOKEN = base64.urlsafe_b64encode(hashlib.sha256(b"wrong").digest()).decode().rstrip("=")


def pair_own_identity(home) -> str:
    """The record that approving the CLI's own identity leaves, and the client's copy of its token."""
    identity = home.rows("SELECT device_id, public_key_pem FROM device_identities WHERE identity_key = 'primary'")[0]
    der = base64.b64decode("".join(identity["public_key_pem"].strip().splitlines()[1:-1]))
    public_key = base64.urlsafe_b64encode(der[-32:]).decode().rstrip("=")
    now = int(time.time() * 1000)
    token = {"token": RIGHT_TOKEN, "role": "operator", "scopes": ALL_SCOPES, "createdAtMs": now}
    home.change_row("INSERT INTO device_pairing_paired (device_id, public_key, platform, device_family, client_id, client_mode,"
                    " role, roles_json, scopes_json, approved_scopes_json, tokens_json, approved_via, created_at_ms,"
                    " approved_at_ms) VALUES (?, ?, 'linux', 'Linux', 'cli', 'cli', 'operator', '[\"operator\"]', ?, ?, ?,"
                    " 'owner', ?, ?)", identity["device_id"], public_key, json.dumps(ALL_SCOPES), json.dumps(ALL_SCOPES),
                    json.dumps({"operator": token}), now, now)
    home.change_row("INSERT INTO device_auth_tokens VALUES (?, 'operator', ?, ?, ?)", identity["device_id"], RIGHT_TOKEN,
                    json.dumps(ALL_SCOPES), now)
    return identity["device_id"]


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    config = home.default_config()
    del config["gateway"]["auth"]["token"]
    home.write_config(config)
    own = pair_own_identity(home)

    def stored() -> list:
        return home.rows("SELECT * FROM device_auth_tokens WHERE device_id = ?", own)

    with Gateway(home, env={"OPENCLAW_GATEWAY_TOKEN": GATEWAY_TOKEN}) as gateway:
        succeed(home.openclaw("devices", "list"), "Paired (1)")
        expect(stored()[0]["token"] == RIGHT_TOKEN, "with the right token in the row the client gets in")

        def break_row():
            home.change_row("INSERT OR REPLACE INTO device_auth_tokens VALUES (?, 'operator', ?, ?, 1795226252127)", own,
                            WRONG_TOKEN, json.dumps(ALL_SCOPES))

        def broken():
            break_row()
            refuse(home.openclaw("health"), "device token mismatch")
            break_row()  # a refused client drops the row; without it there is nothing to compare

        def works():
            succeed(home.openclaw("devices", "list"), "Paired (1)")
            succeed(home.openclaw("health"))

        whole_way(home, "identity-pairing/cached-token-differs", broken=broken, works=works, gateway=gateway, rows=stored)


if __name__ == "__main__":
    harness.main(scenario)
