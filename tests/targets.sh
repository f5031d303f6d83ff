#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# targets.sh [TARGET...] - every target of README's table, in a fresh clone.
#
# Clones HEAD into an empty folder and runs there each target that the table
# names, in its shortest form.  A target given as an argument runs elsewhere
# (.ci/run gives those that it runs itself).  Prints "ok - TARGET" or "not ok
# - TARGET" for each, and fails when one failed, when the Makefile has no such
# target, or when README names none.
set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
T=$(mktemp -d "${TMPDIR:-/tmp}/vt-targets.XXXXXX")
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
bad=0
elsewhere=" $* "

git clone -q "$top" "$T/clone" || exit 1
cd "$T/clone" || exit 1
mapfile -t targets < <(sed -n 's/^| `make \{0,1\}\([a-z-]*\)[^`]*`.*/\1/p' README.md)
[ ${#targets[@]} -gt 5 ] || { echo "not ok - README.md has a table of targets"; exit 1; }

short() { # TARGET: what makes it short
	case $1 in
	bench) echo SECS=0.05 N=2 CREATES=2 BURST=4 LIVE=3 BOOTS=1 "DEEP=1 4" DEEP_SECS=2 ;;
	fuzz) echo SECS=1 ;;
	install | install-dkms) echo "DESTDIR=$T/dest" ;;
	check) echo ONLY=law2 ;;
	check-tampering | check-updates) echo N=5 ;;
	check-life) echo "FAULTS=5 GUESTS=3" ;;
	check-clients) echo "ROWS=fapi swtpm_ioctl" ;;
	esac
}
for t in "${targets[@]}"; do
	t=${t:-all}
	[[ $elsewhere != *" $t "* ]] || continue
	log=$T/$t.log
	t0=$SECONDS
	mapfile -t words < <(short "$t" | sed 's/ \([A-Z_]*=\)/\n\1/g')
	if env "${words[@]}" make --no-print-directory "$t" \
	    </dev/null >"$log" 2>&1; then
		echo "ok - make $t ${words[*]} ($((SECONDS - t0)) s)"
	else
		echo "not ok - make $t ${words[*]}"
		tail -20 "$log" | sed 's/^/#   /'
		bad=$((bad + 1))
	fi
done
[ -z "$(git status --porcelain)" ] || {
	echo "not ok - the targets leave the tree clean"
	git status --short | head -5
	bad=$((bad + 1))
}
[ $bad -eq 0 ]
