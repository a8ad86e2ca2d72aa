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
    find src checks fixers tests -name '*.[ch]' -print0 2>/dev/null |
        xargs -0 -n 40 -P 2 clang-format --dry-run --ferror-limit=1 2>&1 |
        sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: warning: code should be clang-formatted.*/\1: run .\/bootstrap format/p' | LC_ALL=C sort -u
)
[ -z "$complaints" ] || {
    printf '%s\n' "$complaints"
    exit 1
}
