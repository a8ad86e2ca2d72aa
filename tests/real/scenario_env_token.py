#!/usr/bin/env python3
"""A stale OPENCLAW_GATEWAY_TOKEN in the state directory's .env.

2026.2 clients read the environment first, its gateway the configuration first: they disagree. From 2026.8 both read the
configuration first, and the stale line does no harm.
"""
import harness
from harness import GATEWAY_TOKEN, Gateway, Home, differences, doctor_json, expect, snapshot
from prove import has, refuse, succeed, whole_way

DOT_ENV = """# keys of this machine
OPENAI_API_KEY=sk-not-a-real-key
export OPENCLAW_GATEWAY_TOKEN="an-older-token-0123456789abcdef0123"   # from the first onboarding

TZ=Europe/Vienna
"""


def harmful(home, gateway) -> None:
    def works():
        succeed(home.openclaw("devices", "list"), "Paired (1)")
        text = (home.state / ".env").read_text()
        for line in DOT_ENV.splitlines():
            if "GATEWAY_TOKEN" not in line:
                expect(line in text.splitlines(), f"the other line is kept: {line!r}", text)

    whole_way(home, "token-mismatch/dotenv-shadows-config", gateway=gateway, works=works,
              broken=lambda: refuse(home.openclaw("devices", "list"),
                                    "unauthorized: device token mismatch (rotate/reissue device token)"))


def harmless(home, gateway) -> None:
    succeed(home.openclaw("devices", "list"))
    with gateway.frozen():
        before = snapshot(home.home)
        report = doctor_json(home, "--fix", "--yes", "--unsafe", "--offline")  # frozen: it answers nobody
        changed = differences(before, snapshot(home.home))
    expect(not has(report, "token-mismatch"), "what does no harm is no warning", report)
    expect(report.code == 0, "exit 0", report)
    expect(not changed, "and nothing is changed", *changed)
    succeed(home.openclaw("devices", "list"))


def scenario(release) -> None:
    home = Home(release)
    home.from_seed()
    home.write(home.state / ".env", DOT_ENV, 0o600)
    expect(GATEWAY_TOKEN not in DOT_ENV, "the line in .env is another token")
    with Gateway(home) as gateway:
        (harmless if release.sqlite else harmful)(home, gateway)


if __name__ == "__main__":
    harness.main(scenario)
