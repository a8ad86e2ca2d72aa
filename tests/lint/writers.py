"""Only src/repair writes. Calls and flags that can change a file, anywhere else, are listed in writers.txt with a reason.

A row there that no longer matches anything fails too: an exception does not outlive its cause.
"""

import pathlib
import re
import sys

from common import c_files, code_only, rows, verdict

WORDS = re.compile(
    r"(?<![\w.>])(?:"
    r"(?:unlink|unlinkat|rename|renameat|renameat2|mkdir|mkdirat|rmdir|symlink|symlinkat|link|linkat|mknod|mknodat|mkfifo"
    r"|truncate|ftruncate|fallocate|fchmod|fchmodat|fchown|fchownat|utimensat|futimens|utimes|setxattr|fsetxattr|creat"
    r"|fopen|freopen|fdopen|copy_file_range)(?=\s*\()"
    r"|(?:O_CREAT|O_WRONLY|O_RDWR|O_TRUNC|O_APPEND|O_TMPFILE|SQLITE_OPEN_READWRITE|SQLITE_OPEN_CREATE)\b"
    r")"
)


def main(root):
    table = pathlib.Path(root) / "tests/lint/writers.txt"
    allowed = {}
    for row in rows(table):
        path, word, _reason = row.split(None, 2)
        allowed[(path, word)] = False
    complaints = []
    for path in c_files(root):
        if path.parts[:2] == ("src", "repair"):
            continue
        code = code_only((pathlib.Path(root) / path).read_text())
        for match in WORDS.finditer(code):
            key = (path.as_posix(), match.group(0))
            if key in allowed:
                allowed[key] = True
                continue
            line = code.count("\n", 0, match.start()) + 1
            complaints.append(f"{path}:{line}: {key[1]}: only src/repair writes (or say why, in tests/lint/writers.txt)")
    for (path, word), seen in allowed.items():
        if not seen:
            complaints.append(f"tests/lint/writers.txt: {path} {word}: matches nothing any more, remove the row")
    verdict(complaints, "only src/repair writes")


if __name__ == "__main__":
    main(sys.argv[1])
