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


def rows(path):
    """The lines of a table file: fields split at white space, '#' starts a comment line."""
    for line in pathlib.Path(path).read_text().splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            yield line


def verdict(complaints, what):
    """Prints the complaints, ends the program."""
    for complaint in complaints:
        print(complaint)
    if complaints:
        print(f"{len(complaints)} complaint(s): {what}")
        sys.exit(1)
    print(f"good: {what}")
