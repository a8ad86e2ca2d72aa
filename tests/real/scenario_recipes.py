#!/usr/bin/env python3
"""Configurations as people write them (tests/proxies/recipes) in front of a real gateway: what a fresh device and one that lies meet, what the doctor
says, and that --fix lets them meet what they should. Six and more of each server, with the proxy trusted and not.

Each recipe has its server's usual folders to itself (an overlay in this test's mount namespace), the client a network namespace of its own.
"""
import contextlib
import os
import pathlib
import subprocess
import sys
import time

import harness
from harness import HERE, Failure, Gateway, Home, expect, say, scratch
from lan import Lan
from newcomer import CLAIMS, Newcomer

sys.path.insert(0, str(HERE.parent / "proxies" / "recipes"))
import cell  # noqa: E402  (its folder is known only now)

RECIPES = HERE.parent / "proxies" / "recipes"
CHOSEN = {
    "nginx": ["minimal-no-upgrade", "guide-tls", "inner-header-forgets-the-outer", "proxy-params-with-sockets", "proxy-manager", "no-http11",
              "connection-with-a-space", "assets-cached-apart", "client-forwards-emptied"],
    "haproxy": ["distribution-file-with-a-site", "tls-and-redirect", "httpclose-everywhere", "upgrade-deleted-by-hardening", "client-header-deleted-first",
                "send-proxy-to-the-gateway", "set-header-not-option"],
    "caddy": ["one-line", "https-internal", "header-up-as-in-nginx", "connection-header-cleaned", "forwarding-taken-away", "h2c-upstream",
              "snippets-and-imports"],
    "apache": ["guide-with-upgrade", "no-upgrade", "rewrite-to-ws", "rewrite-to-ws-without-wstunnel", "add-headers-off", "client-header-unset",
               "old-http-version", "wstunnel-below-ws"],
}
TRUSTED = ["127.0.0.1", "::1"]
# What the doctor may call what a client met.
NAMES = {
    "no upgrade": {"proxy-websocket/upgrade-dropped", "proxy-websocket/http-version", "proxy-websocket/fails-live", "proxy-websocket/upstream-unreachable"},
    "403": {"docker-trusted-proxies/peer-missing", "proxy-attribution/refused", "proxy-websocket/not-forwarded"},
    "paired unasked": {"proxy-websocket/not-forwarded"},
    "can lie": {"proxy-websocket/forwarded-spoofable", "proxy-websocket/not-forwarded"},
    "not told apart": {"docker-trusted-proxies/peer-missing", "proxy-websocket/not-forwarded"},
}


class Scene:
    def __init__(self, release):
        self.release, self.lan, self.home = release, Lan(), Home(release)
        self.home.port = 18789  # as everywhere: this network is ours alone
        self.home.from_seed()
        self.newcomer = Newcomer(self.lan, self.home)
        tls = scratch() / "recipe-tls"
        tls.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=claw.example.test", "-keyout", tls / "privkey.pem", "-out", tls / "fullchain.pem"], check=True, capture_output=True)
        os.environ["RECIPE_TLS"] = str(tls)

    def configure(self, trusted) -> None:
        config = self.home.default_config()
        if trusted:
            config["gateway"]["trustedProxies"] = trusted
        self.home.write_config(config)

    # ------------------------------------------------------------------------------------------ what a client meets

    def ask(self, recipe, url, lie=None) -> dict:
        place = cell.urllib.parse.urlsplit(url)
        headers = [("Host", lie or place.netloc), *recipe.headers, *(CLAIMS if lie else [])]
        tls = place.scheme == "https"
        named = {"servername": place.hostname} if place.hostname.endswith(".test") else {}
        return self.newcomer.ask(place.port or (443 if tls else 80), tls, headers, **named)

    def met(self, recipe, url) -> str:
        lies = (cell.urllib.parse.urlsplit(url).netloc, "localhost")
        return self.newcomer.met(recipe.name, lambda lie=None: self.ask(recipe, url, lie), lies)

    # ------------------------------------------------------------------------------------------ one recipe

    def look(self, *args):
        only = [word for check in cell.CHECKS for word in ("--only", check)]
        return harness.doctor_json(self.home, *only, *args)

    def problems(self, recipe, server, fixes, row) -> list:
        url = (recipe.asks)[0]
        met = self.met(recipe, url)
        report = self.look()
        found = set(report.ids())
        row += [met, ", ".join(sorted(found)) or "-"]
        wrong = []
        if met == "healthy" and found:
            wrong.append(f"a client meets nothing wrong, and the doctor says {report}")
        if met != "healthy" and not found & NAMES[met]:
            wrong.append(f"a client meets \"{met}\", and the doctor says {report}")
        if not fixes or not found:
            return wrong
        kept = server.recipe_files()
        fixed = self.look("--fix", "--yes", "--unsafe")
        after = self.met(recipe, url)
        row.append(after)
        if fixed.code != 0 or after != "healthy":
            wrong.append(f"--fix: exit {fixed.code}, then a client meets \"{after}\": {fixed}")
        if server.test():
            wrong.append(f"--fix: {server.test()}")
        mended = server.recipe_files()
        again = self.look("--fix", "--yes", "--unsafe")
        if again.repairs() or server.recipe_files() != mended:
            wrong.append(f"a second --fix does something: {again}")
        undone = harness.doctor(self.home, "undo", "--yes")
        if server.recipe_files() != kept:
            wrong.append(f"undo does not bring the bytes back: {undone}")
        return wrong


class Server(cell.Server):
    def recipe_files(self):
        return {path: pathlib.Path(path).read_bytes() for path in self.recipe.files}


def one(scene, path, fixes) -> dict:
    """One recipe with an /etc of its own. {row, problems}"""
    out, server = {"row": [], "problems": []}, None
    recipe = cell.Recipe(path)
    folder = scratch() / f"recipe-{time.monotonic_ns()}"
    folder.mkdir()
    cell.own_etc(folder, recipe, 0)
    try:
        server = Server(recipe, folder)
        server.start([cell.urllib.parse.urlsplit(url).port or (443 if url.startswith("https") else 80) for url in recipe.asks])
        out["problems"] = scene.problems(recipe, server, fixes, out["row"])
    except (Failure, cell.Problem) as problem:
        out["problems"] = [str(problem)]
    finally:
        if server and server.child:
            server.child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.child.wait(10)
            server.child.kill()
        cell.leave_etc()
    return out


def scenario(release) -> None:
    scene = Scene(release)
    cell.own_places(("/run", "/var/lib", "/var/log"))  # /tmp is the harness's
    scene.configure(TRUSTED)
    rows, failures = [], []
    with Gateway(scene.home) as gateway:
        for trusted, fixes in ((TRUSTED, True), ([], False)):
            scene.configure(trusted)
            gateway.wait_settled()
            for name, recipes in CHOSEN.items():
                for recipe in recipes:
                    done = one(scene, RECIPES / name / f"{recipe}.conf", fixes)
                    rows.append([f"{name}/{recipe}", "trusted" if trusted else "not trusted", *done["row"]])
                    failures += [f"{name}/{recipe}, {trusted}: {text}" for text in done["problems"]]
                    say(f"{'FAILED' if done['problems'] else 'ok'}: {' | '.join(rows[-1])}")
    expect(not failures, f"{len(rows)} recipes before a real gateway: the doctor says what a client meets, --fix mends it", *failures)


if __name__ == "__main__":
    harness.main(scenario)
