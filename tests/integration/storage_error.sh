#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# storage_error.sh - the file system of the state folder dies under running
# guests, and is mounted again: guests wait, nothing is taken for tampering,
# every word is true, and all go on by themselves.
. "$(dirname "$0")/disklib.sh"
. "$(dirname "$0")/lib.sh"
need jq
guest=$B/tests/law3guest

new_disk 96
put() { "$guest" put "$RUN/$1.tpmif" "$2"; }
get() { "$guest" get "$RUN/$1.tpmif"; }
state() { jctl list | jq -r ".[] | select(.name == \"$1\").state"; }
is() { [ "$(state "$1")" = "$2" ]; }
takes_data() { [ "$(jctl status | jq .space.storage_ok)" = true ]; }

start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
for g in alice bob carol dave; do
	ctl create $g >/dev/null && ctl start $g >/dev/null &&
	    "$guest" define "$RUN/$g.tpmif" && put $g 7 >/dev/null ||
	    not_ok "$g starts and writes"
done
ctl stop dave >/dev/null
ek=$(t2 bob tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum)

check "the file system dies" break_disk || exit 1
put alice 8 >"$T/put.out" &
put_pid=$!
check "the manager says so" wait_for 10 grep -aq 'storage error' "$LOG"
same "the next write is refused as NV_UNAVAILABLE" 0x923 "$(put bob 8)"
check "random numbers go on" t2 bob tpm2_getrandom --hex 8
for g in alice dave; do
	same "list: $g: storage error" "storage error" "$(state $g)"
done
check "list says why" sh -c "'$B/vtpmctl' --run '$RUN' list |
    grep -q 'Input/output error'"
check "show says so" sh -c "'$B/vtpmctl' --run '$RUN' show alice |
    grep -q 'storage error'"
check "status says so" sh -c "'$B/vtpmctl' --run '$RUN' status |
    grep -q 'storage error: .*Input/output error'"
refuse "create is refused for the true reason" 'storage error.*Input/output' \
    ctl create erin
refuse "start is refused for the true reason" 'storage error.*Input/output' \
    ctl start dave
slay "$(worker_pid bob)"
check "a guest is stopped" ctl stop carol
sleep 2
check "a guest whose worker died waits" is bob "storage error"

check "the disk can be unmounted, and is mounted again" repair_disk
check "the store takes data again" wait_for 10 takes_data
for g in alice bob; do
	check "$g is running" wait_for 10 is $g running
done
wait "$put_pid"
# It is held, unless its attach's audit record has met the error before it.
true_answer() {
	case "$(cat "$T/put.out") $(get alice)" in
	"0x0 8" | "0x923 7") ;;
	*) return 1 ;;
	esac
}
check "alice's write, which the disk failed under, was answered truly" \
    true_answer
same "what bob had acknowledged is there" 7 "$(get bob)"
wrote() { [ "$(put "$1" 9)" = 0x0 ]; }
check "alice writes" wait_for 10 wrote alice
check "bob writes" wait_for 10 wrote bob
same "bob is who it was" "$ek" \
    "$(t2 bob tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum)"
check "carol stays stopped" is carol stopped
check "dave starts" ctl start dave
same "what dave had acknowledged is there" 7 "$(get dave)"
check "a new vTPM is made" ctl create erin
check "the audit log has it" sh -c "'$B/vtpmctl' --run '$RUN' audit |
    grep -q storage-error"
check "nothing was called tampered, nothing was to be destroyed" \
    eval '! grep -aEi "tamper|destroy|corrupt|has no room|reserve" "$LOG"'

stop_manager KILL
check "another manager starts" start_manager --pool 0
for g in alice bob; do
	check "$g is there" wait_for 10 is $g running
	same "with what it wrote" 9 "$(get $g)"
done
check "carol is stopped" is carol stopped
check "and nothing was called tampered" \
    eval '! grep -aEi "tamper|destroy|corrupt" "$LOG"'
