"""Functions and constants that our C does not use; the message names the replacement (banned.txt), exceptions.txt
has the places where one is right."""

import pathlib
import re
import sys

from common import Exceptions, c_files, code_only, rows, verdict


def read_banned():
    table = pathlib.Path(__file__).with_name("banned.txt")
    return dict(row.split(None, 1) for row in rows(table))


def main(root):
    banned = read_banned()
    constants = [name for name in banned if name.isupper()]
    functions = [name for name in banned if not name.isupper()]
    # A call or an address taken counts; a member (.access, ->access) does not.
    word = re.compile(r"(?<![\w.>])(?:(" + "|".join(functions) + r")(?=\s*\()|(" + "|".join(constants) + r")\b)")
    exceptions = Exceptions(root, lambda _path, name: name in banned)
    complaints = []
    for path in c_files(root):
        code = code_only((pathlib.Path(root) / path).read_text())
        for match in word.finditer(code):
            name = match.group(0)
            if exceptions.allow(path, name):
                continue
            line = code.count("\n", 0, match.start()) + 1
            complaints.append(f"{path}:{line}: {name}: use {banned[name]}")
    complaints.extend(exceptions.stale())
    verdict(complaints, "no banned function")


if __name__ == "__main__":
    main(sys.argv[1])
