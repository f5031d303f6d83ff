#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# fuzz.sh SECS - every fuzz target for SECS seconds from its stored corpus;
# new inputs go to a scratch folder, a crash to $B/crashes.
set -u
secs=$1
B=${B:-build/fuzz}
bad=0
n=0
mkdir -p "$B/crashes"
run_one() {
	local t=$1 name
	name=$(basename "$t")
	mkdir -p "$B/scratch/$name"
	if "$t" -max_total_time="$secs" -timeout=20 -rss_limit_mb=2048 \
	    -artifact_prefix="$B/crashes/$name-" -print_final_stats=1 \
	    "$B/scratch/$name" "tests/fuzz/corpus/${name#fuzz_}" \
	    >"$B/$name.log" 2>&1; then
		echo "ok   $name: $(sed -n \
		    's/^stat::number_of_executed_units: *//p' "$B/$name.log") runs"
	else
		echo "FAIL $name:"
		tail -25 "$B/$name.log"
		return 1
	fi
}
pids=()
for t in "$B"/fuzzers/fuzz_*; do
	[ -x "$t" ] || continue
	run_one "$t" & pids+=($!)
	n=$((n + 1))
	if [ ${#pids[@]} -ge "$(nproc)" ]; then
		wait "${pids[0]}" || bad=$((bad + 1))
		pids=("${pids[@]:1}")
	fi
done
for p in "${pids[@]}"; do wait "$p" || bad=$((bad + 1)); done
echo "$((n - bad)) passed, $bad failed"
[ $bad -eq 0 ] && [ $n -gt 0 ]
