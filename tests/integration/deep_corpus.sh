#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# deep_corpus.sh - vtpm-verify and tests/deep/verify_deep.py, which was
# written from doc/FORMATS.md alone, are of one mind about every bundle.
set -u
B=${B:-build}
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
case $B in /*) ;; *) B=$top/$B ;; esac
dir=$(mktemp -d /tmp/vtpm-corpus.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"$B/tests/deepgen" "$dir/cases" >"$dir/log" 2>&1 || {
	echo "not ok - the corpus could not be made"
	exit 1
}
for c in "$dir"/cases/*/; do
	c=${c%/}
	[ -f "$c/case" ] || continue
	read -r check shown nonce _ <"$c/case"
	name=$(basename "$c")
	# Whose evidence it is the user says, not the evidence.
	[ "$check" = uuid ] && continue
	set -- -e "$c/evidence.json" --nonce "$nonce" --host "$c/host.json" \
	    --host-states "$c/states.json" --roots "$c/roots.pem"
	"$B/vtpm-verify" "$@" --policy "$c/policy.json" >"$dir/c" 2>&1
	a=$?
	python3 tests/deep/verify_deep.py "$@" >"$dir/py" 2>&1
	b=$?
	one=$(grep -a '^FAIL' "$dir/c" | head -1 | awk '{print $2}')
	two=$(grep -a '^FAIL' "$dir/py" | head -1 | awk '{print $2}' | tr -d :)
	want=1
	[ "$check" = - ] && want=0 && shown=
	if [ $a -eq $want ] && [ $b -eq $want ] && [ "$one" = "$shown" ] &&
	    [ "$two" = "$shown" ]; then
		echo "ok - $name: both ${one:+refuse at }${one:-accept}"
	else
		echo "not ok - $name: C exit $a at '$one', Python exit $b at '$two'"
		tail -3 "$dir/py" | sed 's/^/  /'
	fi
done
