"""The example in README.md is what the program says of fixtures/broken-home.

readme.py SOURCE DOCTOR [--update]
"""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

from common import verdict

# Which hints there are depends on the machine too: its clock, its time service.
HINTS = re.compile(r"^\d+ hints? below the threshold.*\n(?:  .*\n)*", re.M)
EXAMPLE = re.compile(r"(<!-- example:.*?-->\n```\n)(.*?)(```\n)", re.S)


def look(source, doctor):
    """The report on a copy with the modes that a careless copy leaves behind, as in `./bootstrap run`."""
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(source / "fixtures/broken-home", home, dirs_exist_ok=True, copy_function=shutil.copyfile)
        for folder, _folders, files in os.walk(home):
            os.chmod(folder, 0o755)
            for file in files:
                os.chmod(os.path.join(folder, file), 0o644)
        environment = {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        done = subprocess.run([doctor], env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 1:
        sys.exit(f"exit status {done.returncode}: {done.stderr}")
    return done.stdout.replace(f" of {pwd.getpwuid(os.geteuid()).pw_name},", " of you,").replace(
        f"user: {pwd.getpwuid(os.geteuid()).pw_name};", "user: you;")


def main():
    source, doctor = pathlib.Path(sys.argv[1]), str(pathlib.Path(sys.argv[2]).resolve())
    page = source / "README.md"
    text = page.read_text()
    match = EXAMPLE.search(text)
    now = look(source, doctor)
    if "--update" in sys.argv[3:]:
        page.write_text(text[: match.start(2)] + now + text[match.end(2) :])
        return
    if "gateway stopped" not in now:
        print("skipped: something on this machine looks like a running gateway")
        sys.exit(77)
    # Where lines break depends on the length of the user's name.
    same = match and HINTS.sub("", match.group(2)).split() == HINTS.sub("", now).split()
    verdict([] if same else [f"README.md: the example is not what the program says now:\n{now}"], "README.md shows the truth")


if __name__ == "__main__":
    main()
