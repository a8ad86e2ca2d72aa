"""An arrow goes only downwards: a room includes what cmake/arrows.txt allows it; a module includes src/api only.

The include path enforces this too (cmake/rooms.cmake); this sees the ways around it ("../facts/x.h") and headers that no
source file includes yet.
"""

import re
import sys
import pathlib

from common import c_files, rows, verdict

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)

# Libraries that a module may not see: whoever has one of these has a way to read or write.
MODULE_SYSTEM_HEADERS = {
    "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h",
    "stdlib.h", "string.h", "strings.h", "sys/stat.h", "sys/types.h", "time.h",
}


def read_arrows(root):
    arrows = {}
    for row in rows(pathlib.Path(root) / "cmake/arrows.txt"):
        room, below = row.split(":")
        arrows[room] = set(below.split()) | {room}
    return arrows


def allowed_for(path, arrows):
    """(rooms that the file may include, what it is)"""
    if path.parts[0] == "src":
        room = path.parts[1]
        return arrows.get(room), f"src/{room}"
    return {"api"}, "a module"


def main(root):
    arrows = read_arrows(root)
    complaints = []
    for path in c_files(root):
        allowed, what = allowed_for(path, arrows)
        if allowed is None:
            complaints.append(f"{path}: src/{path.parts[1]} is no room of cmake/arrows.txt")
            continue
        text = (pathlib.Path(root) / path).read_text()
        for match in INCLUDE.finditer(text):
            kind, target = match.groups()
            where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
            first = target.split("/")[0]
            if kind == "<":
                if what == "a module" and target not in MODULE_SYSTEM_HEADERS:
                    complaints.append(f"{where}: {what} may not include <{target}>: facts come through src/api")
            elif ".." in target.split("/"):
                complaints.append(f'{where}: "{target}" climbs; write "<room>/<file>.h"')
            elif "/" not in target:
                beside = (pathlib.Path(root) / path).parent / target
                if what != "a module" or not beside.exists():
                    complaints.append(f'{where}: "{target}" names no room; write "<room>/<file>.h"')
            elif first not in allowed:
                complaints.append(f'{where}: {what} may not include "{target}": allowed are {", ".join(sorted(allowed))}')
    verdict(complaints, "includes follow cmake/arrows.txt")


if __name__ == "__main__":
    main(sys.argv[1])
