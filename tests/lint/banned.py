"""Functions and constants that our C does not use; the message names the replacement (banned.txt), exceptions.txt
has the places where one is right."""

import pathlib
import re
import sys

from common import Exceptions, c_files, rows, uses, verdict


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
    complaints = [f"{place}: {name}: use {banned[name]}" for place, name in uses(root, word, exceptions, c_files(root))]
    complaints.extend(exceptions.stale())
    verdict(complaints, "no banned function")


if __name__ == "__main__":
    main(sys.argv[1])
