#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh - run every test and end with one line "N passed, N failed".
#
# Unit tests (cmocka) print "[  PASSED  ] N test(s)."; integration scripts in
# tests/integration/*.sh print "ok - TEXT", "not ok - TEXT" or "skip - TEXT"
# per point; a fuzz target's replay counts as one test.  What cannot run here
# is skipped, named before the last line, and counts as neither.
# --unit: only unit and replay; --full: only those scripts that do more with
# FULL=1, and all of that.
# JOBS: how many tests run side by side.  Three for two processors: half of
# the scripts' time is waiting, for clocks, certificates and guests.
set -u
B=${B:-build}
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
case $B in /*) ;; *) B=$top/$B ;; esac
export B
logs=$B/test-logs
mkdir -p "$logs"
rm -f "$logs"/*.log "$logs"/*.count
only=${ONLY:-}
full=

wanted() { [ -z "$only" ] || [[ $1 == *$only* ]]; }

# Each of the three kinds prints what a person reads, and leaves its numbers of
# points that passed, failed and were skipped in NAME.count.
count() { echo "${2:-0} ${3:-0} ${4:-0}" >"$logs/$1.count"; }

unit() { # binary
	local name log rc n bad=0 skip
	name=$(basename "$1")
	log=$logs/$name.log
	timeout 300 "$1" >"$log" 2>&1
	rc=$?
	n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
	skip=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$log" |
	    tail -1)
	if [ $rc -ne 0 ]; then
		bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log" |
		    tail -1)
		: "${bad:=1}"
		echo "FAIL $name (exit $rc), $log:"
		grep -aE 'FAILED|ERROR|error|!=' "$log" | head -15
		tail -5 "$log"
	elif [ "${n:-0}" -eq 0 ] && [ "${skip:-0}" -gt 0 ]; then
		echo "skip $name: $(grep -ac '^\[  SKIPPED \] [a-z]' "$log")"
	elif [ "${n:-0}" -eq 0 ]; then
		bad=1
		echo "FAIL $name: it ran no test"
	else
		echo "ok   $name: $n${skip:+, $skip skipped}"
	fi
	count "$name" "$n" "$bad" "$skip"
}

replay() { # binary
	local name
	name=$(basename "$1")
	if timeout 300 "$1" "tests/fuzz/corpus/${name#fuzz_}" \
	    >"$logs/$name.log" 2>&1; then
		count "$name" 1
		echo "ok   $name: $(tail -1 "$logs/$name.log")"
	else
		count "$name" 0 1
		echo "FAIL $name"
		tail -5 "$logs/$name.log"
	fi
}

script() { # file
	local name log rc n bad skip t0=$SECONDS
	name=$(basename "$1" .sh)
	log=$logs/$name.log
	timeout "${TEST_TIMEOUT:-1200}" "$1" >"$log" 2>&1 </dev/null
	rc=$?
	n=$(grep -ac '^ok - ' "$log")
	bad=$(grep -ac '^not ok - ' "$log")
	skip=$(grep -ac '^skip - ' "$log")
	if [ "$bad" -gt 0 ]; then
		printf '%s\n' "FAIL $name: $bad of $((n + bad)), $log:" \
		    "$(grep -a '^not ok - ' "$log")"
	elif [ $rc -ne 0 ] || [ $((n + skip)) -eq 0 ]; then
		bad=1
		printf '%s\n' "FAIL $name: exit $rc after $n point(s), $log:" \
		    "$(tail -15 "$log")"
	else
		echo "ok   $name: $n ($((SECONDS - t0)) s)"
	fi
	count "$name" "$n" "$bad" "$skip"
}

# What a test prints comes in one piece, at its end.
beside() { # KIND FILE
	local text
	while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-$(($(nproc) * 3 / 2))}" ]; do
		wait -n
	done
	{
		text=$("$@")
		printf '%s\n' "$text"
	} &
}

scripts() { # those that take longest begin first, so that none is left alone
	local t first
	first=$(printf 'tests/integration/%s.sh ' akcert anchor status frontd \
	    qemu hostfaults seal_guest groups escrow hwpolicy hwtpm_faults)
	for t in $(printf '%s\n' $first tests/integration/*.sh |
	    awk '!seen[$0]++'); do
		[ -x "$t" ] && wanted "$(basename "$t")" || continue
		[ -z "$full" ] || grep -q '^# FULL=1' "$t" || continue
		beside script "$t"
	done
}

total() {
	local passed=0 failed=0 skipped=0 n bad skip t
	wait
	for t in "$logs"/*.count; do
		[ -e "$t" ] || continue
		read -r n bad skip <"$t"
		passed=$((passed + n))
		failed=$((failed + bad))
		skipped=$((skipped + skip))
	done
	[ $skipped -eq 0 ] || {
		echo "$skipped skipped, they cannot run here:"
		grep -ahE '^(\[  SKIPPED \] [a-z]|skip - )' "$logs"/*.log |
		    sed 's/^/     /'
	}
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

if [ "${1:-}" = --full ]; then
	full=yes
	export FULL=1 TEST_TIMEOUT=${TEST_TIMEOUT:-7200}
	scripts
	total
	exit
fi
for t in tests/unit/test_*.c; do # not what an older build left behind
	t=$B/tests/$(basename "$t" .c)
	[ -x "$t" ] && wanted "$(basename "$t")" &&
	    beside unit "$t"
done
for t in tests/fuzz/fuzz_*.c; do
	t=$B/tests/$(basename "$t" .c)
	[ -x "$t" ] && wanted "$(basename "$t")" &&
	    beside replay "$t"
done
[ "${1:-}" = --unit ] || scripts
total
