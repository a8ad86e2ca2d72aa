"""What the lint scripts share: finding our C files and reading them without comments and strings."""

import pathlib
import re
import sys

SOURCE_FOLDERS = ("src", "checks", "fixers")

_NOISE = re.compile(
    r"""//[^\n]*            # line comment
      | /\*.*?\*/           # block comment
      | "(?:\\.|[^"\\\n])*" # string
      | '(?:\\.|[^'\\\n])*' # character""",
    re.S | re.X,
)


def c_files(root):
    """Our C files, relative to root, sorted."""
    root = pathlib.Path(root)
    found = []
    for folder in SOURCE_FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]")):
            if "cases" not in path.parts:
                found.append(path.relative_to(root))
    return found


def code_only(text):
    """The text with comments and literals blanked; line numbers stay."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return _NOISE.sub(blank, text)


def uses(root, words, exceptions, paths):
    """Where these files have a word that is no exception: "path:line", word."""
    for path in paths:
        code = code_only((pathlib.Path(root) / path).read_text())
        for match in words.finditer(code):
            if not exceptions.allow(path, match.group(0)):
                yield f"{path}:{code.count(chr(10), 0, match.start()) + 1}", match.group(0)


def rows(path):
    """The lines of a table file: fields split at white space, '#' starts a comment line."""
    for line in pathlib.Path(path).read_text().splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            yield line


class Exceptions:
    """tests/lint/exceptions.txt, as far as it concerns these words: (file, word) pairs that are right where they are."""

    def __init__(self, root, concerns):
        self.root = pathlib.Path(root)
        self.seen = {}
        for row in rows(self.root / "tests/lint/exceptions.txt"):
            path, word, _reason = row.split(None, 2)
            if concerns(path, word):
                self.seen[(path, word)] = False

    def allow(self, path, word):
        key = (path.as_posix(), word)
        if key in self.seen:
            self.seen[key] = True
        return key in self.seen

    def stale(self):
        """Complaints about rows that no longer match."""
        for (path, word), seen in self.seen.items():
            if not seen and (self.root / path).exists():
                yield f"tests/lint/exceptions.txt: {path} {word}: matches nothing any more, remove the row"


def verdict(complaints, what):
    """Prints the complaints, ends the program."""
    for complaint in complaints:
        print(complaint)
    if complaints:
        print(f"{len(complaints)} complaint(s): {what}")
        sys.exit(1)
    print(f"good: {what}")
