#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# layers.sh - includes are rooted at the repository and only point left:
# base <- measure <- tpmback, tpmfront <- vtpm <- vtpm_manager <- tools.
# libtpms, Xen's libraries and SQLite are each known to one file only.
set -u
declare -A level=([base]=0 [measure]=1 [tpmback]=2 [tpmfront]=2 [vtpm]=3
	[vtpm_manager]=4 [tools]=5)
bad=0
for f in $(git ls-files '*.c' '*.h'); do
	from=${f%%/*}
	[ -n "${level[$from]:-}" ] || continue
	case $f in tpmfront/linux/*) continue ;; esac # the kernel's, not ours
	while read -r inc; do
		to=${inc%%/*}
		if [ -z "${level[$to]:-}" ]; then
			echo "layers: $f includes \"$inc\": not rooted"
			bad=1
		elif [ "${level[$to]}" -gt "${level[$from]}" ]; then
			echo "layers: $f includes \"$inc\": points right"
			bad=1
		fi
	done < <(sed -n 's/^#include "\(.*\)"/\1/p' "$f")
done
one() { # what, pattern, allowed files
	local hits
	hits=$(git grep -lE "$2" -- '*.c' '*.h' ':!tests' | grep -vE "$3")
	if [ -n "$hits" ]; then
		echo "layers: $1 outside its file: $hits"
		bad=1
	fi
}
one libtpms '#include <libtpms/' '^vtpm/engine\.c$'
one SQLite '#include <sqlite3' '^vtpm_manager/store_[a-z]*\.c$'
one Xen '#include <xen(evtchn|gnttab|store)' '^tpmback/xen_|^tpmfront/xen_|^vtpm_manager/xenback_main'
# The daemon itself never speaks to a TPM: hwtpm is a process of its own.
one tpm2-tss '#include <tss2/' \
    '^(tpmfront/tcti|vtpm_manager/hw|tools/)'
exit $bad
