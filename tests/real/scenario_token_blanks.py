#!/usr/bin/env python3
"""gateway.auth.token ends with a blank, as copied from a terminal.

2026.2 clients trim it, its gateway does not: nobody gets in. 2026.9 trims on both sides.
"""
import harness
from harness import GATEWAY_TOKEN, Gateway, Home, expect
from prove import refuse, succeed, whole_way

CONFIG = """{
  // set up by hand
  gateway: { mode: 'local', port: %d, bind: 'loopback',
    auth: { mode: 'token', token: '%s ' }, // the one from the notes
  },
  logging: { file: '%s' },
}
"""


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    home.write(home.state / "openclaw.json", CONFIG % (home.port, GATEWAY_TOKEN, home.tmp / "openclaw.log"), 0o600)
    with Gateway(home) as gateway:

        def broken():
            gateway.wait_settled()
            refuse(home.openclaw("devices", "list"), "unauthorized: device token mismatch (rotate/reissue device token)")

        def works():
            gateway.wait_settled()
            succeed(home.openclaw("devices", "list"), "Paired (1)")
            wanted = (CONFIG % (home.port, GATEWAY_TOKEN, home.tmp / "openclaw.log")).replace(GATEWAY_TOKEN + " ", GATEWAY_TOKEN)
            text = (home.state / "openclaw.json").read_text()
            expect(text == wanted, "only the blank is gone; comments and quotes are kept", text)

        whole_way(home, "token-hygiene/white-space", broken=broken, works=works, gateway=gateway,
                  consent=("--unsafe",))  # a running gateway takes the new value at once, and ends its connections


if __name__ == "__main__":
    harness.main(scenario)
