#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check.sh [SCENARIO...] - scenarios on one booted Xen host; without a name
# those of the list below, with "all" every one that there is; the report
# goes to $B/lab/xen/report, Xen's and dom0's console beside it.
set -u
cd "$(dirname "$0")/../../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
. tests/lab/xen/xenlab.sh
# Not by default, so that the whole stays below a quarter of an hour.
long="types tour"
all() {
	local s n
	for s in "$xl_here"/scenarios/*.sh; do
		n=$(basename "$s" .sh)
		[ "$n" = lib ] || echo "$n"
	done
}
list=("$@")
if [ $# -eq 0 ]; then
	mapfile -t list < <(all | grep -vxF "${long// /$'\n'}")
elif [ "$1" = all ]; then
	mapfile -t list < <(all)
	XEN_TIMEOUT=${XEN_TIMEOUT:-1800}
fi
mkdir -p "$XL"
echo "building the Xen host (Debian's Xen 4.17, stock kernel) ..."
xl_build || exit 1
out=$XL/report
rm -f "$out" "$out.console"
echo "booting it; scenarios: ${list[*]} ..."
t0=$SECONDS
xl_boot "$out" "${XEN_TIMEOUT:-780}" "${list[@]}" &
pid=$!
touch "$out"
# the report as it comes
tail -n +1 -f --pid=$pid "$out" 2>/dev/null | sed -u 's/\r$//'
wait $pid
rc=$?
tr -d '\r' <"$out" >"$out.txt"
passed=$(grep -c '^ok - ' "$out.txt")
failed=$(grep -c '^not ok - ' "$out.txt")
if [ $rc -ne 0 ] || ! grep -q '^== end' "$out.txt"; then
	echo "the host did not come to its end (exit $rc); console:"
	tail -15 "$out.console"
	failed=$((failed + 1))
fi
echo "Xen host: $((SECONDS - t0)) s, logs in $XL"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
