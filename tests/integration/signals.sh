#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# signals.sh - D-Bus signals of the manager: a guest's states and audit records
# come as they happen, to whom may see them, and nobody fills its memory.
. "$(dirname "$0")/lib.sh"
need jq busctl setpriv
cd "$T" || exit 1
printf 'pool = 0\ncontrol_group = daemon\nreader_users = bin
operator_users = sys\ncontrol_idle_s = 1\n' >conf
chmod 711 "$RUN"
check "a manager" start_manager --config conf || exit 1
at=unix:path=$RUN/control.sock
check "signals can be introspected" sh -c "busctl --address=$at introspect \
    org.vtpm.Manager1 /org/vtpm/Manager1 |
    grep -qE '^.GuestStateChanged +signal +ssss'"
follow() { # FILE UID ARGS...
	setpriv --reuid "$2" --regid daemon --clear-groups \
	    "$B/tests/signals" "$at" "${@:3}" >"$1" &
	PIDS+=($!)
	wait_for 20 grep -q subscribed "$1"
}
states() { sed -n "s/^GuestStateChanged $2 [0-9a-f-]* //p" "$1" |
    tr ' ' '>' | xargs; }
is() { [ "$(states "$1" "$2")" = "$3" ]; }
chmod 755 "$B/tests/signals"
follow root root
ctl create alice >/dev/null
ctl start alice >/dev/null
up="stopped>starting starting>loading loading>running"
check "each state of a start" wait_for 20 is root alice "$up"
same "with the guest's UUID" "$(jctl show alice | jq -r .uuid)" \
    "$(sed -n 's/^GuestStateChanged alice \([^ ]*\) .*/\1/p' root | sort -u)"
slay "$(worker_pid alice)"
again="running>restarting restarting>starting starting>loading loading>running"
lost() { states root alice | grep -qE "running>(restarting|starting)"; }
check "a worker's loss" wait_for 20 lost
wait_for 20 eval '[ "$(jctl show alice | jq -r .state)" = running ]'
ctl stop alice >/dev/null
stopped() { states root alice | grep -qE "running>stopping stopping>stopped$"; }
check "a stop" wait_for 20 stopped
refuse "a name that exists" "this name" ctl create alice
same_records() { # the signals' texts are those of the log
	diff <(sed -n 's/^AuditRecord //p' root) <(jctl audit | jq -r \
	    '.[] | select(.action != "manager-start") |
	    "\(.who) \(.action) \(.object) \(.result) \(.detail)"')
}
check "audit records are those of the log" wait_for 20 same_records
check "some ($(grep -c ^AuditRecord root))" \
    [ "$(grep -c ^AuditRecord root)" -ge 4 ]

# --- who, and how much -----------------------------------------------------------
if [ "$(id -u)" -eq 0 ]; then
	follow reader bin
	follow operator sys
	follow silent bin "$T/read"
	ctl start alice >/dev/null
	check "a reader sees states" wait_for 20 is reader alice "$up"
	check "an operator sees records, too" wait_for 20 grep -q \
	    '^AuditRecord uid 0 (admin) start alice ok' operator
	same "a reader does not" 0 "$(grep -c AuditRecord reader)"
	before=$(awk '/VmRSS/ { print $2 }' "/proc/$MPID/status")
	for _ in $(seq 150); do
		ctl stop --force alice && ctl start alice
	done >/dev/null
	grown=$(($(awk '/VmRSS/ { print $2 }' "/proc/$MPID/status") - before))
	check "a subscriber that does not read costs little ($grown KiB)" \
	    [ $grown -lt 4096 ]
	touch read
	ctl stop alice >/dev/null
	check "it is told how much it missed" wait_for 20 eval 'ctl start alice
	    ctl stop alice; grep -q "^Missed [0-9]" silent'
	sent() { grep -c ^GuestStateChanged "$1"; }
	missed() { awk '/^Missed/ { n += $2 } END { print n + 0 }' silent; }
	all() { [ $(($(sent silent) + $(missed))) -eq "$(sent reader)" ]; }
	check "read and missed are all that there were" wait_for 20 all
fi
sleep 2 # longer than control_idle_s
ctl start alice >/dev/null
check "a subscriber is not idle" wait_for 20 eval \
    'tail -3 root | grep -q "loading running"'
