#!/bin/sh
# Every C file of ours is as clang-format 14 leaves it (`./bootstrap format` makes it so).
#   format.sh <source folder>
set -eu
cd "$1"
if ! command -v clang-format >/dev/null; then
    echo "skipped: clang-format is not installed (./bootstrap test installs it)"
    exit 77
fi
case $(clang-format --version) in
*" version 14."*) ;;
*)
    echo "skipped: this is $(clang-format --version), and other versions than 14 format otherwise"
    exit 77
    ;;
esac
complaints=$(
    find src checks fixers tests -name '*.[ch]' 2>/dev/null | LC_ALL=C sort | while read -r file; do
        clang-format "$file" | cmp -s - "$file" || echo "$file: run ./bootstrap format"
    done
)
[ -z "$complaints" ] || {
    printf '%s\n' "$complaints"
    exit 1
}
