"""Every link from one of our Markdown pages to a file of ours leads somewhere."""

import pathlib
import re
import sys

from common import verdict

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def main(root):
    root = pathlib.Path(root)
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("checks/*/*.md"), *root.glob("fixers/*/*.md"),
             *root.glob("fixtures/*.md"), *root.glob("tests/**/*.md")]
    complaints = []
    for page in sorted(pages):
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S)
        for target in LINK.findall(text):
            if "://" not in target and not (page.parent / target).exists():
                complaints.append(f"{page.relative_to(root)}: {target} is not there")
    verdict(complaints, f"the links of {len(pages)} pages lead somewhere")


if __name__ == "__main__":
    main(sys.argv[1])
