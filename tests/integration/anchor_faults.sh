#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# anchor_faults.sh - the host's TPM fails at every command between a start and a
# clean stop, with a guest's write in between, under the policy strict.  Nothing
# acknowledged is lost, nothing is called old, the counter and the store's
# number end up the same.
# FULL=1: more kinds of faults.
. "$(dirname "$0")/lib.sh"
need jq sqlite3 swtpm tpm2_nvread swtpm_ioctl
guest=$B/tests/law3guest
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
FAST="sign=0 nv=0 other=0 count=$T/count"
tpm host
up() { start_manager --pool 0 --root "slow:swtpm:path=$T/host" --anchor strict; }
sent() { od -An -tu8 --endian=big "$T/count" | tr -d ' '; }
is_safe() { [ "$(jctl status | jq -r .anchor.state)" = safe ]; }
number() {
	rm -rf "$T/look"
	mkdir "$T/look"
	cp "$STATE"/store.db* "$T/look"
	printf '%d\n' "0x$(sqlite3 "$T/look/store.db" \
	    "SELECT hex(substr(data,15,8)) FROM root")"
}
counter() {
	local i max=0 v
	export TPM2TOOLS_TCTI=swtpm:path=$T/host
	tpm2_startup -c 2>/dev/null # if the last command was its reset
	for i in $(tpm2_getcap handles-nv-index | tr -d '\- '); do
		v=$((16#$(tpm2_nvread -C o "$i" 2>/dev/null | xxd -p)))
		[ "$v" -gt "$max" ] && max=$v
	done
	echo "$max"
}
put() { [ "$("$guest" put "$RUN/alice.tpmif" "$1")" = 0x0 ]; }

export TCTI_SLOW=$FAST
up || { not_ok "the manager starts"; exit 1; }
check "alice starts" eval "ctl create alice && ctl start alice"
"$guest" define "$RUN/alice.tpmif"
v=1
check "alice writes" put $v
stop_manager TERM
# How many commands one round has.
c0=$(sent)
up && v=$((v + 1)) && put $v
wait_for 30 is_safe
stop_manager TERM
k=$(($(sent) - c0))
check "a start, a write and a stop take $k commands" [ "$k" -gt 10 ]

# One round with faults; 0: went through, 1: the start was refused, with the reason,
# 2: a law was broken.
round() { # KIND COMMAND
	local c0 rc=0
	c0=$(sent)
	TCTI_SLOW="$FAST fault=$1@$((c0 + $2)) hook=swtpm_ioctl --unix \
	    $T/host.ctrl -i"
	if up >/dev/null; then
		if put $((v + 1)); then v=$((v + 1)); else rc=2; fi
		wait_for 30 is_safe || rc=2
	elif grep -aqE '(TPM|vtpm-hwtpm).{20}' "$LOG"; then
		rc=1
	else
		rc=2
	fi
	grep -aq 'older copy\|does not belong\|another process raised' "$LOG" && rc=2
	stop_manager TERM
	TCTI_SLOW=$FAST
	[ "$(number)" = "$(counter)" ] || [ $rc = 1 ] || rc=2
	return $rc
}
for kind in lost_after flip reset_after ${FULL:+retry lost short nv_rate hang}; do
	good=0 refused=0 broken=
	for ((n = 1; n <= k; n++)); do
		round $kind $n
		case $? in
		0) good=$((good + 1)) ;;
		1) refused=$((refused + 1)) ;;
		*)
			broken="$broken $n"
			cp "$LOG" "$T/broken.$kind.$n"
			;;
		esac
	done
	check "$kind at each of $k commands: $good went through, $refused refused \
with a reason, none broke a law:$broken" [ -z "$broken" ]
	[ -z "$broken" ] || tail -n 15 "$T"/broken.* | sed 's/^/# /'
done
up
same "alice has the last acknowledged value" $v "$("$guest" get "$RUN/alice.tpmif")"
same "alice is the same, and was never recovered" "1 false" \
    "$(jctl list | jq -r '.[0]|"\(.generation) \(.recovered)"')"
ctl stop --all >/dev/null
stop_manager TERM
