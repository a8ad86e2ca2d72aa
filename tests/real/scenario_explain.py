#!/usr/bin/env python3
"""Whatever the release's own program closes a connection with is explained, and leads to a check: the codes, reasons and detail codes are read from what is
installed, so that a list in our tests cannot grow stale unseen."""
import pathlib
import re
import sys

import harness
from harness import Failure, Home, doctor, expect

# Where the gateway and its client speak the protocol (other parts close sockets of their own: browsers, relays).
WHERE = ("ws-connection-", "message-handler-", "gateway-cli-", "client-")
SPEAKS = ("connect.challenge", "preauth payload too large", "device signature expired")
CLOSES = re.compile(r"\bclose\((1\d{3}|4\d{3}), ?(?:\"([^\"]+)\"|([A-Z_]{8,}))")
CONSTANT = re.compile(r"const ([A-Z_]{8,}) = \"([^\"]+)\"")
DETAILS = re.compile(r"const (?:ConnectErrorDetailCodes|ConnectPairingRequiredReasons) = \{(.*?)\}", re.S)
ERRORS = re.compile(r"ErrorCodes = \{(.*?)\}", re.S)


def what_it_says(release) -> tuple:
    """Codes, reasons, detail codes."""
    folder = release.folder / "node_modules/openclaw/dist"
    codes, reasons, names, details, constants = set(), set(), set(), set(), {}
    for path in sorted([*folder.glob("*.js"), *folder.glob("*.mjs")]):
        text = path.read_text(encoding="utf-8", errors="replace")
        constants.update(CONSTANT.findall(text))
        for block in (*DETAILS.findall(text), *ERRORS.findall(text)):
            found = re.findall(r": \"([A-Z_]{6,}|[a-z-]{8,})\"", block)
            details.update(word for word in found if not word.startswith(("QUESTION_", "APPROVAL_")))  # of calls, not of connections
        if pathlib.Path(path).name.startswith(WHERE) and any(word in text for word in SPEAKS):
            for code, reason, name in CLOSES.findall(text):
                codes.add(code)
                reasons.add(reason)
                names.add(name)
    reasons.update(constants[name] for name in names if name in constants)
    return codes, reasons - {""}, details


def explained(home: Home, query: str) -> str:
    told = doctor(home, "explain", query)
    if told.code != 0:
        raise Failure(f"explain {query!r} knows nothing\n{told}")
    return told.out


def scenario(release) -> None:
    home = Home(release)
    codes, reasons, details = what_it_says(release)
    expect({"1002", "1008"} <= codes and "invalid role" in reasons, f"{len(codes)} codes, {len(reasons)} reasons, {len(details)} detail codes were found",
           codes, reasons)
    expect({"NOT_PAIRED", "INVALID_REQUEST"} <= details and (not release.sqlite or "DEVICE_AUTH_SIGNATURE_EXPIRED" in details), "... by their names too", details)
    harness.say(f"{sorted(codes)} {sorted(reasons)} {sorted(details)}")
    for query in sorted(codes | reasons | details):
        if "\nCheck:" not in explained(home, query):
            raise Failure(f"explain {query!r} leads to no check\n{explained(home, query)}")
    expect(True, "each is explained and leads to a check")
    for query, words in (("1008", "pairing required"), ("device signature expired", "clock-skew"), ("1013", "starting")):
        expect(words in explained(home, query), f"explain {query}: {words}")


if __name__ == "__main__":
    sys.path.insert(0, str(harness.HERE))
    harness.main(scenario)
