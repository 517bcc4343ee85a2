#!/usr/bin/env bash
# check-hardening.sh PROGRAM: whether the flags of SECURITY-MODEL G1 reached the program. Control-flow
# protection is compiled in, but Debian's start files are not marked for it, so no program is.
set -euo pipefail
program=${1:?usage: $0 PROGRAM}
failed=0

headers=$(readelf --wide --file-header --program-headers "$program")
dynamic=$(readelf --wide --dynamic "$program")
symbols=$(readelf --wide --dyn-syms "$program")

# want NAME TEXT PATTERN: the pattern must be in the text.
want() {
    if ! grep -qE "$3" <<<"$2"; then
        echo "$program: $1 is missing" >&2
        failed=1
    fi
}

want "PIE" "$headers" 'Type: +DYN'
want "PIE" "$dynamic" 'FLAGS_1.*PIE'
want "RELRO" "$headers" 'GNU_RELRO'
want "full RELRO (BIND_NOW)" "$dynamic" 'BIND_NOW|FLAGS.*NOW'
want "a stack without execution" "$headers" 'GNU_STACK.* RW +0x'
want "the stack protector" "$symbols" '__stack_chk_fail'
want "FORTIFY" "$symbols" '__[a-z]+_chk(@|$)'
exit $failed
