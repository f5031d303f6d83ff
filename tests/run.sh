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
# JOBS: how many scripts run side by side (one per processor).
set -u
B=${B:-build}
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
case $B in /*) ;; *) B=$top/$B ;; esac
export B
logs=$B/test-logs
mkdir -p "$logs"
rm -f "$logs"/*.log
passed=0
failed=0
skipped=0
only=${ONLY:-}
full=

wanted() { [ -z "$only" ] || [[ $1 == *$only* ]]; }

unit() { # binary
	local name log rc n bad skip
	name=$(basename "$1")
	log=$logs/$name.log
	timeout 300 "$1" >"$log" 2>&1
	rc=$?
	n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
	bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log" |
	    tail -1)
	skip=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$log" |
	    tail -1)
	passed=$((passed + ${n:-0}))
	skipped=$((skipped + ${skip:-0}))
	if [ $rc -ne 0 ]; then
		failed=$((failed + ${bad:-1}))
		echo "FAIL $name (exit $rc), $log:"
		grep -aE 'FAILED|ERROR|error|!=' "$log" | head -15
		tail -5 "$log"
	elif [ "${n:-0}" -eq 0 ] && [ "${skip:-0}" -gt 0 ]; then
		echo "skip $name: $(grep -ac '^\[  SKIPPED \] [a-z]' "$log")"
	elif [ "${n:-0}" -eq 0 ]; then
		failed=$((failed + 1))
		echo "FAIL $name: it ran no test"
	else
		echo "ok   $name: $n${skip:+, $skip skipped}"
	fi
}

replay() { # binary
	local name
	name=$(basename "$1")
	if timeout 300 "$1" "tests/fuzz/corpus/${name#fuzz_}" \
	    >"$logs/$name.log" 2>&1; then
		passed=$((passed + 1))
		echo "ok   $name: $(tail -1 "$logs/$name.log")"
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		tail -5 "$logs/$name.log"
	fi
}

# Runs beside others: what it says comes at once, at its end, and its counts
# go to a file.
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
	echo "$n $bad $skip" >"$logs/$name.count"
}
scripts() { # those that take longest begin first, so that none is left alone
	local t n bad skip first
	first=$(printf 'tests/integration/%s.sh ' akcert anchor frontd groups \
	    hostfaults qemu hwpolicy)
	rm -f "$logs"/*.count
	for t in $(printf '%s\n' $first tests/integration/*.sh |
	    awk '!seen[$0]++'); do
		[ -x "$t" ] && wanted "$(basename "$t")" || continue
		[ -z "$full" ] || grep -q '^# FULL=1' "$t" || continue
		while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-$(nproc)}" ]; do
			wait -n
		done
		script "$t" &
	done
	wait
	for t in "$logs"/*.count; do
		[ -e "$t" ] || continue
		read -r n bad skip <"$t"
		passed=$((passed + n))
		failed=$((failed + bad))
		skipped=$((skipped + skip))
	done
}
total() {
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
	[ -x "$t" ] && wanted "$(basename "$t")" && unit "$t"
done
for t in tests/fuzz/fuzz_*.c; do
	t=$B/tests/$(basename "$t" .c)
	[ -x "$t" ] && wanted "$(basename "$t")" && replay "$t"
done
[ "${1:-}" = --unit ] || scripts
total
