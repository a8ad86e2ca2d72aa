#!/bin/sh
# tools/new-check makes a check that builds, is listed and passes its tests, with nothing else changed: shown in a copy
# of the tree. The same copy shows that a folder with a bad name, and one without its text, stop the build.
#   new_check.sh <source folder> <cmake>
set -eu

source=$1
cmake=$2
id=example-skeleton
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
log=$copy/log

fail() {
    tail -n 30 "$log" || true
    printf '%s\n' "$1"
    exit 1
}

mkdir "$copy/tree"
for part in CMakeLists.txt CMakePresets.json cmake src checks fixers fixtures tests tools docs; do
    [ ! -e "$source/$part" ] || cp -R "$source/$part" "$copy/tree/"
done
cd "$copy/tree"

tools/new-check $id >"$log" || fail "tools/new-check failed"
if tools/new-check $id >"$log" 2>&1; then fail "tools/new-check overwrote checks/$id"; fi
if tools/new-check Example >"$log" 2>&1; then fail "tools/new-check accepted a bad id"; fi

# Unoptimised, unlinted: this asks whether it works, not how fast.
configure() {
    "$cmake" -S . -B "$copy/build" -G Ninja -DCMAKE_BUILD_TYPE=None -DOPENCLAW_DOCTOR_WERROR=ON >"$log" 2>&1
}
configure || fail "configuring with checks/$id failed"
"$cmake" --build "$copy/build" -j 2 --target openclaw-doctor test_registry registry-dump >"$log" 2>&1 ||
    fail "building with checks/$id failed"

"$copy/build/bin/openclaw-doctor" list >"$log" 2>&1 || fail "openclaw-doctor list failed"
grep -qw $id "$log" || fail "openclaw-doctor list does not show $id"
"$copy/build/bin/openclaw-doctor" explain $id >"$log" 2>&1 || fail "openclaw-doctor explain $id failed"
ctest --test-dir "$copy/build" --no-tests=error --output-on-failure \
    -R "^(unit/registry|lint/cases|lint/symbols-checks|lint/arrows|case/$id/healthy)$" >"$log" 2>&1 ||
    fail "the tests fail with checks/$id"
grep -q "case/$id/healthy .*Passed" "$log" || fail "case/$id/healthy did not run"

rm "checks/$id/README.md"
if configure; then fail "a check without README.md was accepted"; fi
grep -q "checks/$id: README.md is missing" "$log" || fail "the missing README.md is not named"
rm -r "checks/$id"

mkdir checks/Example
touch checks/Example/check.c checks/Example/README.md
if configure; then fail "the folder checks/Example was accepted"; fi
grep -q "checks/Example: a module's folder is named in lower case" "$log" || fail "the bad name is not explained"
rm -r checks/Example

configure || fail "configuring without checks/$id failed"
if grep -q dr_check_example "$copy/build/gen/registry.c"; then fail "the registry still knows $id"; fi
echo "good: a new check is one new folder"
