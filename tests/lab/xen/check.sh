#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check.sh [SCENARIO... [+ SCENARIO...]] - scenarios on real Xen hosts.  Without
# a name: those of the lists below, on two hosts that run side by side (one host
# keeps one processor busy); with names those, on one host, one after the other,
# those after a "+" on a second one; with "all" every one that there is.  Each host's report goes to
# $B/lab/xen/report.N, Xen's and dom0's console beside it.
# Each scenario has a time of its own (LIMIT=SECONDS in its file, three times
# what a quiet machine takes), which its dom0 enforces; a dom0 that hangs is
# ended here.
set -u
cd "$(dirname "$0")/../../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
. tests/lab/xen/xenlab.sh
one="pv20 front launch kill save speed hvm"
two="module types domain hostile takeover"
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
limit_of() { sed -n 's/^LIMIT=\([0-9]*\).*/\1/p' "$xl_here/scenarios/$1.sh"; }
BOOT_S=300 CLEAN_S=240 # until the first scenario; after one
# host_watch N PID: ends a host whose report stands still for longer than its
# scenario may take; report.N.hung then says where.
host_watch() {
	local out=$XL/report.$1 pid=$2 at was='' since=$SECONDS limit=$BOOT_S
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		at=$(sed -n 's/^== \([^ ]*\).*/\1/p' "$out" | tail -1)
		if [ "$at" != "$was" ]; then
			was=$at since=$SECONDS limit=$CLEAN_S
			[ "$at" = end ] ||
			    limit=$((CLEAN_S + $(limit_of "$at")))
		fi
		[ $((SECONDS - since)) -gt "$limit" ] || continue
		echo "stood still for $limit s in ${at:-its boot}" >"$out.hung"
		kill "$(cat "$out.pid")" 2>/dev/null
		return
	done
}
# host N SCENARIO...: boots it, tells its report as it comes; the number of
# those that passed and failed goes to report.N.sum
host() {
	local n=$1 out=$XL/report.$1 pid rc t0=$SECONDS passed failed s
	shift
	for s; do
		[ -z "$(limit_of "$s" 2>/dev/null)" ] || continue
		echo "${tag}not ok - scenario $s has no file, or no LIMIT in it"
		echo "0 1" >"$out.sum"
		return
	done
	rm -f "$out" "$out".*
	touch "$out"
	xl_boot "$out" "$@" &
	pid=$!
	host_watch "$n" $pid &
	tail -n +1 -s 0.3 -f --pid=$pid "$out" 2>/dev/null |
	    sed -u "s/\r\$//; s/^/$tag/"
	wait $pid
	rc=$?
	tr -d '\r' <"$out" >"$out.txt"
	passed=$(grep -c '^ok - ' "$out.txt")
	failed=$(grep -c '^not ok - ' "$out.txt")
	if [ $rc -ne 0 ] || ! grep -q '^== end' "$out.txt"; then
		echo "${tag}not ok - the host did not come to its end (exit" \
		    "$rc) after $((SECONDS - t0)) s;" \
		    "$(cat "$out.hung" 2>/dev/null ||
			grep '^== ' "$out.txt" | tail -1); its console:"
		tail -15 "$out.console" | sed "s/^/$tag/"
		failed=$((failed + 1))
	fi
	for s; do
		grep -q "^== $s " "$out.txt" && continue
		echo "${tag}not ok - $s did not run"
		failed=$((failed + 1))
	done
	awk '/^== / {
		if (s != "")
			printf "%s: %d s\n", s, $4 - t
		s = $2
		t = $4
	    }' "$out.txt" | sed "s/^/${tag}/"
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
echo "building the Xen host (Debian's Xen, stock kernel) ..."
xl_build || exit 1
t0=$SECONDS
hosts=1
tag=
named() { # N: of the scenarios in the arguments, those of host N
	echo "$names" | cut -d+ -f$(($1 + 1)) | tr -s ' ' '\n' | grep .
}
names="$*"
if [ $# -eq 0 ] || [[ $names == *+* ]]; then
	hosts=2
	for n in 0 1; do
		if [ $# -eq 0 ]; then
			mapfile -t list < <(plan $n)
		else
			mapfile -t list < <(named $n)
		fi
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
