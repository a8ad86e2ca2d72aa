#!/usr/bin/env python3
"""Every configuration that Debian's nginx packages ship: the main one as it is, each other file in the place that it is made for.
nginx accepts it and the reader reads the same files without a fault; what nginx refuses for want of a certificate or a module is named."""

import pathlib
import re
import shutil
import subprocess

from nginx import MODULES, fail, model, need, nginx, scratch
from generated import dumped

ROOTS = ["/etc/nginx", "/usr/share/nginx", "/usr/share/doc/nginx", "/usr/share/doc/nginx-common", "/usr/share/doc/nginx-doc",
         "/usr/share/doc/nginx-light", "/usr/share/doc/nginx-core", "/usr/share/doc/nginx-full", "/usr/share/doc/nginx-extras"]
NO_CONFIGURATION = re.compile(r"\.(so|html|gz|png|css|js)$|/copyright$")

MODULES_ENABLED = "include /etc/nginx/modules-enabled/*.conf;\n"

# Where a file's directives belong; the others are whole configurations or go into http{}.
WRAPS = [
    (r"/(fastcgi|scgi|uwsgi|proxy)_params$|/fastcgi\.conf$|/snippets/fastcgi", "http { server { location / { include %s; } } }"),
    (r"/snippets/", "http { server { include %s; } }"),
    (r"/modules-(available|enabled)/|/modules/", "include %s;"),
    (r"/examples/(http|mail)$", "include %s;"),
    (r"/nginx\.conf$", None),
]


def shipped():
    """Files of nginx's packages, by their lists, and whatever else of theirs lies in the usual places."""
    names = set()
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\n"], capture_output=True, text=True, check=True).stdout.split()
    for package in listed:
        if package == "nginx" or package.startswith(("nginx-", "libnginx-mod-")):
            for name in subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=True).stdout.split("\n"):
                names.add(name)
    for root in ROOTS:
        names |= {str(path) for path in pathlib.Path(root).rglob("*")}
    return sorted(name for name in names if name.startswith(tuple(ROOTS)) and pathlib.Path(name).is_file()
                  and not NO_CONFIGURATION.search(name))


def place(folder, name):
    """The main file that makes nginx read `name`: a copy of a whole configuration, or a small one that includes it."""
    wrap = next((form for pattern, form in WRAPS if re.search(pattern, name)), "http { include %s; }")
    main = folder / "nginx.conf"
    (folder / "modules").symlink_to(MODULES)
    if wrap is None:
        # Beside its includes, with logs and pid in the scratch folder.
        shutil.copytree(pathlib.Path(name).parent, folder / "copy", symlinks=True)
        main = folder / "copy" / pathlib.Path(name).name
        text = main.read_text()
        for old, new in ((r"^\s*pid .*$", f"pid {folder}/pid;"), (r"(access|error)_log [^;]*;", ""),
                         (r"/etc/nginx/", f"{folder}/copy/")):
            text = re.sub(old, new, text, flags=re.M)
        if "load_module" not in text and "modules-enabled" not in text:
            text = MODULES_ENABLED + text
        main.write_text(text)
    else:
        for one in pathlib.Path("/etc/nginx").iterdir():
            if one.name != "nginx.conf":
                (folder / one.name).symlink_to(one)
        modules = "" if "modules" in name else MODULES_ENABLED
        if name.endswith("/virtual_hosts"):
            # It listens on a host name that only its reader can know.
            name = folder / "virtual_hosts"
            name.write_text(pathlib.Path("/usr/share/doc/nginx/examples/virtual_hosts").read_text().replace("somename:", "localhost:"))
        parts = [f"{modules}events {{}}\n", wrap % name]
        main.write_text(f"pid {folder}/pid; error_log stderr;\n" + "\n".join(parts if modules else reversed(parts)))
    return main


def look(folder, name):
    main = place(folder, name)
    status, text, errors = nginx(folder, "-T", config=str(main.relative_to(folder)))
    read = model(main)
    if status == 0:
        if read["faults"]:
            fail(f"{name}: nginx accepts it, the reader says {read['faults']}")
        wanted = [str(pathlib.Path(path).resolve()) for path in dumped(text)]
        if read["files"] != wanted:
            fail(f"{name}: read {read['files']}, nginx read {wanted}")
        return "accepted"
    # nginx stops at the first thing that it refuses. A fault in front of that is one that nginx does not see.
    met = re.search(r" in (/\S+):(\d+)$", errors, re.M)
    for fault in read["faults"]:
        if met and fault["source"]["path"] == str(pathlib.Path(met.group(1)).resolve()) and \
                fault["source"]["line"] < int(met.group(2)):
            fail(f"{name}: nginx says {errors.strip()}, the reader {fault}")
    return "refused: " + re.sub(r"^.*?: ", "", errors.splitlines()[0])


def main():
    need()
    results = []
    with scratch() as root:
        for index, name in enumerate(shipped()):
            folder = pathlib.Path(root) / str(index)
            folder.mkdir()
            results.append((name, look(folder, name)))
    for name, result in results:
        print(f"{name}: {result}")
    accepted = sum(result == "accepted" for _, result in results)
    if accepted < 15:
        fail(f"only {accepted} files were accepted by nginx: is nginx-common installed?")
    print(f"good: {len(results)} files that Debian ships, {accepted} accepted by nginx and read without a fault")


if __name__ == "__main__":
    main()
