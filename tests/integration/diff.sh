#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# diff.sh - vtpm-measure diff on the logs of real boots: exit codes, text, JSON.
. "$(dirname "$0")/lib.sh"
need jq
M=$B/vtpm-measure
good=$top/tests/vectors/ovmf-grub-linux-6.1.eventlog
L=$top/tests/vectors/logs
diff() { "$M" diff "$@"; }
exits() { # CODE ARGS...
	local want=$1 rc
	shift
	diff "$@" >"$T/out" 2>"$T/err"
	rc=$?
	[ $rc = "$want" ] || { cat "$T/out" "$T/err"; echo "exit $rc"; return 1; }
}

check "a boot equals itself" exits 0 "$good" "$good"
same "and nothing is printed" "" "$(cat "$T/out")"
check "two boots differ" exits 1 "$good" "$L/bootorder.eventlog"
same "the first difference, and how many more" 2 "$(wc -l <"$T/out")"
check "it names the PCR, the event and a cause" \
    grep -qE '^PCR [0-9]+ event [0-9]+: .*\(.+\)$' "$T/out"
more=$(sed -n 's/^\([0-9]*\) more differ.*/\1/p' "$T/out")
check "--all lists them" exits 1 --all "$good" "$L/bootorder.eventlog"
same "all of them" $((more + 1)) "$(wc -l <"$T/out")"
check "--json" exits 1 --json "$good" "$L/bootorder.eventlog"
same "lists as many" $((more + 1)) "$(jq '.differences | length' "$T/out")"
check "each with line and cause, and an event of a boot" jq -e \
    '.format == "vtpm-boot-diff" and (.differences |
    all(.line != "" and .cause != "" and (.was // .now) != null))' "$T/out"
check "--json of a boot and itself" exits 0 --json "$good" "$good"
same "lists none" 0 "$(jq '.differences | length' "$T/out")"

head -c 100 "$good" >"$T/cut"
check "a log that ends too early is refused" exits 2 "$good" "$T/cut"
check "with its name" grep -q "$T/cut: " "$T/err"
check "also with --json" exits 2 --json "$good" "$T/cut"
check "which says why" sh -c "jq -e '.error | contains(\"$T/cut: \")' '$T/out'"
check "a file that is not there is refused" exits 2 "$good" "$T/none"
check "logs without a common bank are refused" \
    exits 2 "$L/keylime-mb.eventlog" "$L/linux-tpm12.eventlog"
check "with the reason" grep -q "no PCR bank in common" "$T/err"
check "one operand is refused" exits 2 "$good"
