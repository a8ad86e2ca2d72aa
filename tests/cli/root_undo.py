#!/usr/bin/env python3
"""root_undo.py DOCTOR CAPTURE: root repairs a proxy of its own for another user's home, and takes it back later, byte for byte.

The journal lies in the user's home; root believes it only as far as its own record of it reaches (src/repair/custody.h). So a journal that the
user changed afterwards is refused. Needs root; root's folder of records is one of the test's own meanwhile, in a mount namespace.
"""
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

UID = 61001
RECORDS = pathlib.Path("/var/lib/openclaw-doctor")
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
NGINX = """pid %(folder)s/nginx.pid;
error_log /dev/null;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:18080;
        location / {
            # ours
            proxy_pass http://127.0.0.1:28802;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }
    }
}
"""


def run(doctor, home, *words) -> dict:
    done = subprocess.run([doctor, *words, "--json", "--openclaw-version", "2026.9.6", "--state-dir", f"{home}/.openclaw"],
                          env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, capture_output=True, text=True, timeout=120,
                          check=False)
    try:
        return dict(json.loads(done.stdout), status=done.returncode)
    except ValueError:
        sys.exit(f"no document from {words}: {done.returncode}\n{done.stdout}\n{done.stderr}")


def expect(truth, text, evidence) -> None:
    if not truth:
        sys.exit(f"FAILED: {text}\n{json.dumps(evidence, indent=1) if isinstance(evidence, dict) else evidence}")
    print(f"ok: {text}")


def scene(folder, capture, number):
    home, etc = folder / f"home{number}", folder / f"etc{number}"
    home.mkdir()
    etc.mkdir(mode=0o755)
    with tarfile.open(capture) as archive:
        archive.extractall(home)
    for path in [home, *home.rglob("*")]:
        os.chown(path, UID, UID, follow_symlinks=False)
    (etc / "nginx.conf").write_text(NGINX % {"folder": etc})
    return home, etc / "nginx.conf"


def records_of_our_own() -> None:
    """Other tests of root's run at the same time, and this machine may have records that count."""
    libc = ctypes.CDLL(None, use_errno=True)
    RECORDS.mkdir(mode=0o700, exist_ok=True)
    if (libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0 or
            libc.mount(b"none", bytes(RECORDS), b"tmpfs", 0, b"mode=700") != 0):
        print(f"skipped: no mount namespace here: {os.strerror(ctypes.get_errno())}")
        sys.exit(77)


def main(doctor, capture) -> None:
    if os.geteuid() != 0:
        print("skipped: this is about root")
        sys.exit(77)
    records_of_our_own()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="openclaw-doctor-root-undo.", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        home, conf = scene(folder, capture, 1)
        text = conf.read_bytes()
        fixed = run(doctor, home, "--fix", "--yes", "--unsafe", "--offline", "--only", "proxy-websocket", "--proxy-config", str(conf))
        expect(fixed["status"] == 0 and conf.read_bytes() != text, "the proxy's configuration is repaired", fixed)
        expect(b"# ours" in conf.read_bytes() and conf.stat().st_uid == 0, "comments and owner are kept", conf.read_text())
        undone = run(doctor, home, "undo")
        expect(undone["status"] == 0 and conf.read_bytes() == text, "a plain undo, without naming the proxy, brings back every byte", undone)

        home, conf = scene(folder, capture, 2)
        text = conf.read_bytes()
        fixed = run(doctor, home, "--fix", "--yes", "--unsafe", "--offline", "--only", "proxy-websocket", "--proxy-config", str(conf))
        mended = conf.read_bytes()
        expect(fixed["status"] == 0 and mended != text, "another home, repaired as well", fixed)
        journal = next((home / ".openclaw/openclaw-doctor/runs").glob("*/journal.jsonl"))
        journal.write_text(journal.read_text().replace("nginx.conf", "nginx.c0nf", 1))
        undone = run(doctor, home, "undo")
        expect(undone["status"] != 0 and conf.read_bytes() == mended, "a journal that its owner changed is not believed", undone)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
