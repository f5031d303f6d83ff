#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# random_faults.sh - FAULTS (200) random faults of a host under GUESTS (20)
# guests that write and use secrets with passwords: after each fault every guest
# works, no acknowledged write is lost, no guest's TPM is locked, and nothing is
# called tampered.
#
#   SEED=N   the same faults again
#
# Faults: any worker, the zygote, the manager killed, hung for seconds or asked
# to end; the host's processes all killed at once; a power cut (what the file
# system had not flushed is lost); a disk that fails for seconds; one without
# room; too few file descriptors; a wall clock that jumps.
. "$(dirname "$0")/../integration/disklib.sh"
. "$(dirname "$0")/../integration/lib.sh"
need jq tpm2_unseal prlimit
FAULTS=${FAULTS:-200}
GUESTS=${GUESTS:-20}
RANDOM=${SEED:=$((RANDOM + 1))}
echo "# $FAULTS faults under $GUESTS guests, SEED=$SEED"
bad_points=0
not_ok() {
	echo "not ok - $*"
	bad_points=$((bad_points + 1))
}
guest=$B/tests/law3guest
K=0x81008000
names=$(printf 'g%02d ' $(seq "$GUESTS"))

writers=()
end_writers() {
	touch "$T/end"
	[ ${#writers[@]} = 0 ] || wait "${writers[@]}" 2>/dev/null
}
new_disk 256
printf 'crash_limit = 1000\nbackoff_ms = 1\n' >"$T/conf"
jump() { # SECONDS: what the wall clock is off by
	perl -e 'print pack("q", $ARGV[0])' -- "$1" |
	    dd of="$T/clock" conv=notrunc status=none
}
jump 0
again() {
	cat "$LOG" >>"$T/all.log" 2>/dev/null
	LD_PRELOAD=$B/tests/clock_jump.so CLOCK_JUMP=$T/clock \
	    start_manager --config "$T/conf" --pool 0
}

# --- a guest's own work --------------------------------------------------------
# Numbers go into NV; a secret with a password is used.  NAME.tried and
# NAME.acked are the last number sent and the last one acknowledged.
bad_auth() { grep -qE '0x0*(921|98e|9a2)' "$1"; }
use_secret() { # NAME: 0: it opened, 1: refused, 2: no answer
	local out=$T/$1.unseal
	[ "$(t2 "$1" timeout 30 tpm2_unseal -c $K -p "pw-$1" 2>"$out")" = \
	    "secret of $1" ] && return 0
	! bad_auth "$out" || return 1
	return 2
}
note() { echo "$1" >"$2.new" && mv "$2.new" "$2"; } # whole at any time
works() { # NAME
	local n=0
	while [ ! -e "$T/end" ]; do
		n=$((n + 1))
		note $n "$T/$1.tried"
		[ "$("$guest" put "$RUN/$1.tpmif" $n 2>/dev/null)" != 0x0 ] ||
		    note $n "$T/$1.acked"
		[ $((RANDOM % 4)) != 0 ] || use_secret "$1"
		[ $? != 1 ] || cat "$T/$1.unseal" >>"$T/$1.refused"
		sleep 0.$((RANDOM % 10))
	done
}
makes_secret() { # NAME
	local d=$T/$1.d
	mkdir "$d" && t2 "$1" tpm2_createprimary -Q -C o -G ecc -c "$d/p" &&
	    printf 'secret of %s' "$1" | t2 "$1" tpm2_create -Q -C "$d/p" \
	    -p "pw-$1" -i - -u "$d/u" -r "$d/r" &&
	    t2 "$1" tpm2_load -Q -C "$d/p" -u "$d/u" -r "$d/r" -c "$d/k" &&
	    t2 "$1" tpm2_evictcontrol -Q -C o -c "$d/k" $K
}
ek() { t2 "$1" tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum; }

off_by() { # SECONDS: the newest audit record's clock, within a minute
	local t
	t=$(($(jctl audit | jq '.[-1].time_ms') / 1000 - $(date +%s)))
	[ $t -gt $(($1 - 60)) ] && [ $t -lt $(($1 + 60)) ]
}
again || { not_ok "the manager starts"; exit 1; }
for g in $names; do
	ctl create "$g" && ctl start "$g" && "$guest" define "$RUN/$g.tpmif" &&
	    makes_secret "$g" && ek "$g" >"$T/$g.ek" || not_ok "$g is made"
done >"$T/make.out" 2>&1
! grep -a '^not ok' "$T/make.out" || { tail -20 "$T/make.out"; exit 1; }
jump 86400
ctl stop g01 >/dev/null && ctl start g01 >/dev/null
check "the manager's wall clock can be moved" off_by 86400 || exit 1
jump 0
for g in $names; do
	echo 0 >"$T/$g.acked"
	works "$g" &
	writers+=($!)
done
PIDS+=("${writers[@]}")

# --- faults -----------------------------------------------------------------------
any() { set -- $names; shift $((RANDOM % $#)); echo "$1"; }
nap() { sleep $((RANDOM % 2)).$((RANDOM % 10)); }
kill_all() {
	local p
	p=$(zygote_pid)
	stop_manager KILL
	slay "$p"
	for p in $(our_workers); do slay "$p"; done
}
hang() { # PID
	[ "${1:-0}" -gt 1 ] 2>/dev/null || return 0
	kill -STOP "$1" 2>/dev/null
	sleep 2
	kill -CONT "$1" 2>/dev/null
}
faults=(worker workers worker_term worker_hang zygote zygote_hang manager
	manager_term manager_hang force host power disk_error disk_full
	descriptors clock)
fault_worker() { slay "$(worker_pid "$(any)")"; }
fault_workers() {
	local p
	for p in $(our_workers); do [ $((RANDOM % 3)) != 0 ] || slay "$p"; done
}
fault_worker_term() { kill "$(worker_pid "$(any)")" 2>/dev/null; }
fault_worker_hang() { hang "$(worker_pid "$(any)")"; }
fault_zygote() { slay "$(zygote_pid)"; }
fault_zygote_hang() { hang "$(zygote_pid)"; }
fault_manager() { stop_manager KILL; nap; again; }
fault_manager_term() { stop_manager TERM; nap; again; }
fault_manager_hang() { hang "$MPID"; }
fault_force() { local g; g=$(any); ctl stop --force "$g"; ctl start "$g"; }
fault_host() { kill_all; nap; again; }
fault_power() { break_disk; kill_all; wait_for 10 repair_disk && again; }
fault_disk_error() { break_disk; nap; wait_for 20 repair_disk; }
fault_disk_full() {
	dd if=/dev/zero bs=64k of="$STATE/rubbish" status=none 2>/dev/null
	nap
	rm -f "$STATE/rubbish"
}
fault_descriptors() {
	local n
	n=$(ls "/proc/$MPID/fd" | wc -l)
	prlimit --pid "$MPID" --nofile=$((n + RANDOM % 3)):
	slay "$(worker_pid "$(any)")"
	sleep 2
	prlimit --pid "$MPID" --nofile=1024:
}
fault_clock() {
	set -- 0 3600 -86400 86400 34560000 -630720000
	shift $((RANDOM % $#))
	jump "$1"
	nap
}

# --- what must be true after each ----------------------------------------------------
all_run() {
	[ "$(jctl list | jq '[.[] | select(.state == "running")] | length')" = \
	    "$GUESTS" ]
}
right_number() { # NAME
	local low high got
	low=$(cat "$T/$1.acked")
	for _ in 1 2 3 4 5; do # the fault may have met this very command
		got=$(timeout 60 "$guest" get "$RUN/$1.tpmif") && break
		sleep 1
	done
	high=$(cat "$T/$1.tried")
	[ "${got:-none}" != none ] && [ "$got" -ge "$low" ] &&
	    [ "$got" -le "$high" ] || [ "$low$got" = 0 ] || {
		echo "$1: wrote $low, read ${got:-nothing}, tried $high"
		return 1
	}
}
all_work() {
	local g
	wait_for 60 all_run || {
		jctl list | jq -r '.[] | select(.state != "running") |
		    .name + ": " + .state + " " + (.why // "")'
		return 1
	}
	for g in $names; do
		right_number "$g" || return 1
	done
	! cat "$T"/*.refused 2>/dev/null
}
declare -A done_n=()
wrong=0
for i in $(seq "$FAULTS"); do
	f=${faults[RANDOM % ${#faults[@]}]}
	done_n[$f]=$((${done_n[$f]:-0} + 1))
	"fault_$f" >"$T/fault.out" 2>&1
	all_work >"$T/work.out" 2>&1 || {
		not_ok "fault $i ($f): every guest works after it"
		sed 's/^/#   /' "$T/fault.out" "$T/work.out"
		tail -20 "$LOG" | sed 's/^/#   /'
		wrong=1
		break
	}
	[ $((i % 10)) != 0 ] || echo "# $i faults, $SECONDS s"
done
for f in "${faults[@]}"; do echo "# $f: ${done_n[$f]:-0}"; done
same "after each of $FAULTS faults every guest works, with all it wrote" 0 \
    $wrong
end_writers
n=0
for g in $names; do n=$((n + $(cat "$T/$g.acked"))); done
check "there were writes: $n" [ "$n" -ge "$GUESTS" ]
bad=
for g in $names; do
	use_secret "$g" || bad="$bad $g"
	[ "$(ek "$g")" = "$(cat "$T/$g.ek")" ] || bad="$bad $g(EK)"
	jctl show "$g" | jq -e '.worker.info.lockout |
	    .locked == false and .wrong == 0' >/dev/null || bad="$bad $g(lockout)"
done
same "every secret opens by its password, every EK is the same" "" "$bad"
cat "$LOG" >>"$T/all.log"
check "nothing was called tampered, nothing was to be destroyed" \
    eval '! grep -aEi "tamper|destroy|corrupt" "$T/all.log"'
exit $((bad_points > 0))
