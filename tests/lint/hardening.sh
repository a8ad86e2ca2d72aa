#!/bin/sh
# The release is what cmake/hardening.cmake promises: position independent, full RELRO, no executable stack, fortified.
#   hardening.sh <program>
set -eu
status=0

# wants <what> <pattern> <readelf option...>
wants() {
    what=$1
    pattern=$2
    shift 2
    readelf -W "$@" | grep -qE "$pattern" || {
        echo "$program: $what is missing"
        status=1
    }
}

program=$1
wants "position independence (PIE)" 'Flags:.*PIE' -d "$program"
wants "read-only relocations (RELRO)" 'GNU_RELRO' -l "$program"
wants "binding at start (NOW)" 'Flags:.*NOW' -d "$program"
wants "the stack that cannot run code" 'GNU_STACK .* RW ' -l "$program"
wants "fortified functions" '__(memcpy|snprintf|vsnprintf|read|memset)_chk' --dyn-syms "$program"
wants "the stack protector" '__stack_chk_fail' --dyn-syms "$program"
exit $status
