#!/usr/bin/env python3
"""TLS where the configuration says none, and the reverse: a real gateway, whose configuration was changed under it (gateway.reload.mode off), and
openssl s_server. The release's own client is the judge."""
import signal
import sys

import faults
import harness
from harness import Gateway, Home, expect, free_port, scratch
from scenario_reachable import finds, probe


def config(home: Home, tls: bool) -> dict:
    made = home.default_config()
    made["gateway"]["tls"] = {"enabled": tls, "autoGenerate": True}
    made["gateway"]["reload"] = {"mode": "off"}
    return made


PATIENT = ("--probe-timeout", "8")  # its first seconds are busy ones


class TlsGateway(Gateway):
    """Ready when it says so by TLS."""

    def _answers(self) -> bool:
        done = harness.run(["curl", "-skm", "3", "-o", "/dev/null", "-w", "%{http_code}",
                            f"https://127.0.0.1:{self.home.port}{'/readyz' if self.home.release.sqlite else '/'}"],
                           env={"PATH": "/usr/bin:/bin"}, timeout=10)
        return done.out == "200"


def client_works(home: Home, works: bool, what: str) -> None:
    told = home.openclaw("devices", "list", timeout=harness.START_TIMEOUT_S)
    expect((told.code == 0) == works, f"openclaw devices list {'works' if works else 'fails'}: {what}", told)


def plain(home: Home) -> None:
    home.write_config(config(home, False))
    with Gateway(home):
        finds(home, "no TLS, and none wanted", [], *PATIENT)
        client_works(home, True, "no TLS, and none wanted")
        home.write_config(config(home, True))
        report = finds(home, "TLS wanted, and not spoken", ["gateway-reachable/speaks-no-tls"], holds=["openclaw gateway restart", "wss://"])
        expect(probe(report)["url"].startswith("https://") and probe(report)["reach"] == "tls-failed", "it was asked by TLS", probe(report))
        client_works(home, False, "TLS wanted, and not spoken")


def encrypted(home: Home) -> None:
    home.write_config(config(home, True))
    with TlsGateway(home):
        report = finds(home, "TLS wanted, and spoken", [], *PATIENT)
        expect(probe(report)["status"] == 200 and probe(report)["reach"] == "tls-issuer", "its own certificate is no fault", probe(report))
        expect(probe(report, "websocket").get("challenged"), "... and the handshake came to its challenge", probe(report, "websocket"))
        client_works(home, True, "TLS wanted, and spoken")
        home.write_config(config(home, False))
        finds(home, "no TLS wanted, and TLS spoken", ["gateway-reachable/speaks-tls"],
              holds=["openclaw gateway restart", "openclaw config set gateway.tls.enabled true"])
        client_works(home, False, "no TLS wanted, and TLS spoken")
        finds(home, "the same by a URL", ["gateway-reachable/speaks-tls", "gateway-reachable/url-needs-tls"], "--gateway-url",
              f"ws://localhost:{home.port}")


def strangers(home: Home) -> None:
    """openssl s_server has the port: that is another program, whatever it speaks and the configuration says."""
    made = faults.Certificates(scratch() / f"tls-{home.release.version}")
    wrong = ["gateway-port/held-by-another", "gateway-reachable/another-program"]
    home.port = free_port()
    for tls in (False, True):
        home.write_config(config(home, tls))
        with made.server(made.self_signed(f"self-{tls}"), home.port):
            finds(home, f"openssl s_server, TLS wanted: {tls}", wrong, holds=["openssl", "HTTP 200" if tls else "it speaks TLS"])
    home.write_config(config(home, True))
    with faults.web_server(home.port):
        finds(home, "a web server without TLS, TLS wanted: True", wrong, holds=["no TLS"])
    with faults.accepting(home.port, faults.silent):
        finds(home, "silence, TLS wanted: True", wrong)


def scenario(release) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    home = Home(release)
    home.from_seed()
    plain(home)
    encrypted(home)
    strangers(home)


if __name__ == "__main__":
    sys.path.insert(0, str(harness.HERE))
    harness.main(scenario)
