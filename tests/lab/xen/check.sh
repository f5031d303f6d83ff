#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check.sh [SCENARIO...] - scenarios on real Xen hosts.  Without a name: those
# of the lists below, on two hosts that run side by side (one host keeps one
# processor busy); with names those, on one host, one after the other; with
# "all" every one that there is.  Each host's report goes to
# $B/lab/xen/report.N, Xen's and dom0's console beside it.
# XEN_TIMEOUT=SECONDS is how long one host may take: it is there to end what
# hangs, and a busy machine takes three times as long as a quiet one.
set -u
cd "$(dirname "$0")/../../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
. tests/lab/xen/xenlab.sh
one="pv20 front launch kill save speed hvm"
two="module types domain hostile"
# Only when it is named: what `make run-xen` tells.
never="tour"

exists() { # names: those that there are
	local s
	for s; do
		[ ! -e "$xl_here/scenarios/$s.sh" ] || echo "$s"
	done
}
others() { # those that no list names, by turns: N of 2
	local s n i=0
	for s in "$xl_here"/scenarios/*.sh; do
		n=$(basename "$s" .sh)
		case " lib $one $two $never " in *" $n "*) continue ;; esac
		i=$((i + 1))
		[ $((i % 2)) -ne "$1" ] || echo "$n"
	done
}
# shellcheck disable=SC2086
plan() { # N: the scenarios of host N
	case $1 in
	0) exists $one; others 0 ;;
	1) exists $two; others 1 ;;
	esac
}
# host N SCENARIO...: boots it, tells its report as it comes; the number of
# those that passed and failed goes to report.N.sum
host() {
	local n=$1 out=$XL/report.$1 pid rc t0=$SECONDS passed failed
	shift
	rm -f "$out" "$out".*
	touch "$out"
	xl_boot "$out" "${XEN_TIMEOUT:-2400}" "$@" &
	pid=$!
	tail -n +1 -s 0.3 -f --pid=$pid "$out" 2>/dev/null |
	    sed -u "s/\r\$//; s/^/$tag/"
	wait $pid
	rc=$?
	tr -d '\r' <"$out" >"$out.txt"
	passed=$(grep -c '^ok - ' "$out.txt")
	failed=$(grep -c '^not ok - ' "$out.txt")
	if [ $rc -ne 0 ] || ! grep -q '^== end' "$out.txt"; then
		echo "${tag}not ok - the host did not come to its end (exit" \
		    "$rc) after $((SECONDS - t0)) s, in" \
		    "$(grep '^== ' "$out.txt" | tail -1); its console:"
		tail -15 "$out.console" | sed "s/^/$tag/"
		failed=$((failed + 1))
	fi
	echo "${tag}host: $((SECONDS - t0)) s; $passed passed, $failed failed"
	echo "$passed $failed" >"$out.sum"
}

# Whoever ends us ends the hosts.
hosts_end() {
	local f
	for f in "$XL"/report.*.pid; do
		[ ! -e "$f" ] || kill "$(cat "$f")" 2>/dev/null
	done
}
trap hosts_end EXIT
trap 'exit 1' INT TERM HUP

mkdir -p "$XL"
rm -f "$XL"/report.*
echo "building the Xen host (Debian's Xen 4.17, stock kernel) ..."
xl_build || exit 1
t0=$SECONDS
hosts=1
tag=
if [ $# -eq 0 ]; then
	hosts=2
	for n in 0 1; do
		mapfile -t list < <(plan $n)
		echo "booting host $n; scenarios: ${list[*]} ..."
		tag="$n: "
		host $n "${list[@]}" &
	done
	wait
else
	list=("$@")
	if [ "$1" = all ]; then
		# shellcheck disable=SC2046,SC2086,SC2207
		list=($(plan 0) $(plan 1) $(exists $never))
		XEN_TIMEOUT=${XEN_TIMEOUT:-3600}
	fi
	echo "booting it; scenarios: ${list[*]} ..."
	host 0 "${list[@]}"
fi
passed=0 failed=0
for ((n = 0; n < hosts; n++)); do
	if ! read -r p f <"$XL/report.$n.sum"; then p=0 f=1; fi
	passed=$((passed + p)) failed=$((failed + f))
done 2>/dev/null
if [ "$failed" -ne 0 ]; then
	echo "what failed:"
	grep -H '^not ok' "$XL"/report.*.txt | sed 's/.*report\.\(.\)\.txt:/  \1: /'
fi
echo "Xen: $((SECONDS - t0)) s, logs in $XL"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
