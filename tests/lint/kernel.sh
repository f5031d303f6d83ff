#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# kernel.sh - the kernel module: kernel coding style (kernel.awk), a build
# with W=1 and sparse without one warning, and that the kernel exports what
# tpm-core.h declares.
#
# The kernel's own checkpatch.pl is in no package but the 140 MB source: where
# CHECKPATCH names one it is run as well.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
src=tpmfront/linux
bad=0
fail() { echo "kernel: $*"; bad=1; }

mapfile -t files < <(git ls-files "$src/*.c" "$src/*.h")
[ ${#files[@]} -gt 0 ] || { echo "kernel: no sources"; exit 1; }
awk -f tests/lint/kernel.awk "${files[@]}" || bad=1
for f in "${files[@]}"; do
	case $f in
	*.c) want='// SPDX-License-Identifier: GPL-2.0-only' ;;
	*) want='/* SPDX-License-Identifier: GPL-2.0-only */' ;;
	esac
	[ "$(head -1 "$f")" = "$want" ] || fail "$f does not begin with $want"
done
if [ -n "${CHECKPATCH:-}" ]; then
	"$CHECKPATCH" --no-tree --terse --strict --ignore CAMELCASE \
	    -f "${files[@]}" || bad=1
fi

log=$B/kernel.log
rm -rf "$B/lint.module"
mkdir -p "$B"
LC_ALL=C make --no-print-directory B="$B" MODDIR="$B/lint.module" \
    MODFLAGS=C=2 module-only >"$log" 2>&1 || fail "does not build: see $log"
grep -q '^  CHECK ' "$log" || fail "sparse has not run: see $log"
grep -E 'warning|error' "$log" && fail "see $log"

kdir=$(sed -n 's/^make -C \([^ ]*\) .*/\1/p' "$log" | head -1)
for s in $(sed -n 's/.*[ *]\(tpm[0-9a-z_]*\)(.*/\1/p' $src/tpm-core.h); do
	grep -q "[[:space:]]$s[[:space:]]" "$kdir/Module.symvers" ||
	    fail "no kernel exports $s ($kdir)"
done
exit $bad
