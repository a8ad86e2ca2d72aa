"""Only src/repair writes. Calls and flags that can change a file, anywhere else, are listed in exceptions.txt with a reason.
"""

import re
import sys

from common import Exceptions, c_files, uses, verdict

CALLS = (
    "unlink|unlinkat|rename|renameat|renameat2|mkdir|mkdirat|rmdir|symlink|symlinkat|link|linkat|mknod|mknodat|mkfifo"
    "|truncate|ftruncate|fallocate|fchmod|fchmodat|fchown|fchownat|utimensat|futimens|utimes|setxattr|fsetxattr|creat"
    "|fopen|freopen|fdopen|mkstemp|mkostemp|copy_file_range"
)
FLAGS = "O_CREAT|O_WRONLY|O_RDWR|O_TRUNC|O_APPEND|O_TMPFILE|SQLITE_OPEN_READWRITE|SQLITE_OPEN_CREATE"
WORD = re.compile(f"{CALLS}|{FLAGS}")
WORDS = re.compile(rf"(?<![\w.>])(?:(?:{CALLS})(?=\s*\()|(?:{FLAGS})\b)")


def main(root):
    exceptions = Exceptions(root, lambda path, word: WORD.fullmatch(word) and not path.startswith("src/repair/"))
    others = [path for path in c_files(root) if path.parts[:2] != ("src", "repair")]
    complaints = [f"{place}: {word}: only src/repair writes (or say why, in tests/lint/exceptions.txt)"
                  for place, word in uses(root, WORDS, exceptions, others)]
    complaints.extend(exceptions.stale())
    verdict(complaints, "only src/repair writes")


if __name__ == "__main__":
    main(sys.argv[1])
