"""A fresh device on the other side of the network that comes through a proxy: how the gateway takes it, honest or not."""
import json
import shutil
import subprocess

from harness import GATEWAY_TOKEN, HERE, Failure, scratch
from lan import CLIENT, HOST
from scenario_locality import recorded

CLAIMS = [("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1")]


class Newcomer:
    def __init__(self, lan, home):
        self.lan, self.home, self.release = lan, home, home.release
        self.tool = scratch() / "locality_client.mjs"
        shutil.copy(HERE / "locality_client.mjs", self.tool)

    def ask(self, port: int, tls: bool, headers, **more) -> dict:
        ask = {"n": 0, "to": HOST, "port": port, "tls": tls, "headers": headers, "client_id": "cli", "client_mode": "cli",
               "release": self.release.version, "protocol": 4 if self.release.sqlite else 3, "token": GATEWAY_TOKEN, **more}
        done = subprocess.run([*self.lan.enter, self.release.node, self.tool], input=json.dumps(ask) + "\n", capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode != 0 or not done.stdout.strip():
            raise Failure(f"the client: exit {done.returncode} {done.stderr}")
        return json.loads(done.stdout)

    def met(self, name: str, ask, lies) -> str:
        """`ask()` comes as it is, `ask(lie)` with each of the host names `lies` and with what CLAIMS to be local."""
        answer = ask()
        if answer.get("type") == "proxy_attribution_required":
            return "403"
        if answer.get("status") != 101:
            return "no upgrade"
        if answer.get("ok"):
            return "paired unasked"
        if "pairing required" not in str(answer.get("error")):
            raise Failure(f"{name}: what is that? {answer}")
        if any(ask(lie).get("ok") for lie in lies):
            return "can lie"
        state, address = recorded(self.release, self.home).get(answer["device"], ("", ""))
        return "healthy" if (state, address) == ("pending", CLIENT) else "not told apart"
