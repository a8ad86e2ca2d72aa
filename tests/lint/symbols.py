"""Checks and fixers can neither write nor spawn: what their objects ask the linker for is src/api, other files of the
same module, and the pure functions of allowed-symbols.txt. Whatever a module's source looks like, this is what it can call.
"""

import pathlib
import re
import subprocess
import sys

from common import rows, verdict


def api_functions(root):
    """Names that the headers of src/api declare."""
    names = set()
    for header in sorted((pathlib.Path(root) / "src/api").glob("*.h")):
        names.update(re.findall(r"\bdr_[a-z0-9_]+(?=\s*[(\[])", header.read_text()))
    return names


def symbols(nm, path, *options):
    out = subprocess.run([nm, "-P", *options, path], check=True, capture_output=True, text=True).stdout
    return {line.split()[0].split("@")[0] for line in out.splitlines() if line.strip()}


def main(root, nm, objects):
    allowed = set(rows(pathlib.Path(__file__).with_name("allowed-symbols.txt"))) | api_functions(root)
    own = {}
    for path in objects:
        own.setdefault(pathlib.Path(path).parent, set()).update(symbols(nm, path, "--defined-only"))
    complaints = []
    for path in objects:
        module = pathlib.Path(path).parent
        for symbol in sorted(symbols(nm, path, "--undefined-only") - allowed - own[module]):
            complaints.append(f"{module.parent.name}/{module.name}: calls {symbol}(): neither src/api nor a pure function")
    if not objects:
        complaints.append("no objects given")
    verdict(complaints, f"{len(objects)} module object(s) call src/api and pure functions only")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
