#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# manager.sh - the manager's life: start, one vTPM through its whole life,
# restarts of manager, zygote, hwtpm and worker under running guests.
. "$(dirname "$0")/lib.sh"
need jq sqlite3 tpm2_getrandom tpm2_pcrread tpm2_nvdefine

start_manager --pool 2 || { not_ok "the manager starts"; exit 1; }
ok "the manager starts and says that it is ready"
check "status is valid JSON and the root is software" \
    sh -c "'$B/vtpmctl' --run '$RUN' --json status |
	jq -e '.root == \"software\" and .tpm.up'"
refuse "a second manager in the same run folder is refused" \
    'another manager' "$B/vtpm-managerd" --state "$T/s2" --run "$RUN"
refuse "a second manager on the same store is refused" \
    'pid|another' "$B/vtpm-managerd" --state "$STATE" --run "$T/r2"

# --- one vTPM's life ---------------------------------------------------------
check "create" ctl create alice
refuse "the same name again is refused" 'already' ctl create alice
refuse "a bad name is refused" 'cannot be a guest' ctl create ../alice
refuse "a name with a dot in front is refused" 'cannot be' ctl create .root
refuse "start of a guest that is not there" 'no such vTPM' ctl start nobody
check "start" ctl start alice
refuse "starting it twice is refused" 'running already' ctl start alice
check "a stock program gets random bytes" t2 alice tpm2_getrandom --hex 16
check "both sockets are there" \
    test -S "$RUN/alice.tpmif" -a -S "$RUN/alice.swtpm"
refuse "destroying a running vTPM is refused" 'is running' ctl destroy alice
check "show as JSON has keys, Names and certificates" \
    sh -c "'$B/vtpmctl' --run '$RUN' show alice --json | jq -e '
	.state == \"running\" and (.ek_rsa.name|length) == 68 and
	(.ak.certificate|startswith(\"-----BEGIN\")) and .worker.pid > 1'"
jctl show alice | jq -r .ak.certificate >"$T/ak.pem"
check "the AK certificate is one" openssl x509 -in "$T/ak.pem" -noout
check "list as JSON" sh -c "'$B/vtpmctl' --run '$RUN' --json list |
    jq -e 'length == 1 and .[0].name == \"alice\"'"

ek() { jctl show "$1" | jq -r .ek_rsa.name; }
pcr() { t2 "$1" tpm2_pcrread "sha256:$2" 2>/dev/null |
    sed -n 's/.*0x\([0-9A-F]*\)$/\1/p'; }
extend() { t2 "$1" tpm2_pcrextend "$2:sha256=$(printf '%064d' 7)"; }

# --- the manager goes and comes back -----------------------------------------
check "a PCR is extended" extend alice 16
before=$(pcr alice 16)
same "and can be read" 64 "${#before}"
t2 alice tpm2_nvdefine 0x1500001 -C o -s 8 >/dev/null 2>&1
printf 'abcdefgh' >"$T/nv"
check "an NV index is written" \
    t2 alice tpm2_nvwrite 0x1500001 -C o -i "$T/nv"
w=$(worker_pid alice)
e=$(ek alice)
stop_manager KILL
check "the worker outlives a killed manager" alive "$w"
check "commands that change nothing continue meanwhile" \
    t2 alice tpm2_getrandom --hex 8
start_manager --pool 2 || not_ok "the manager comes back"
same "it finds the same worker again" "$w" "$(worker_pid alice)"
same "PCRs are as before" "$before" "$(pcr alice 16)"
same "the EK is as before" "$e" "$(ek alice)"
check "commands that change state work again" \
    t2 alice tpm2_nvwrite 0x1500001 -C o -i "$T/nv"
stop_manager TERM
check "the worker outlives a manager that was ended" alive "$w"
start_manager --pool 2 || not_ok "the manager comes back"
same "and is found again" "$w" "$(worker_pid alice)"

# --- the others go and come back ---------------------------------------------
z=$(zygote_pid)
slay "$z"
check "a new zygote is there soon" \
    wait_for 5 sh -c "'$B/vtpmctl' --run '$RUN' --json status |
	jq -e '.zygote.pid != null and .zygote.pid != $z'"
check "running vTPMs did not notice" t2 alice tpm2_getrandom --hex 8
same "the worker is the same" "$w" "$(worker_pid alice)"
check "and new ones can be made and started" \
    sh -c "'$B/vtpmctl' --run '$RUN' create bob &&
	'$B/vtpmctl' --run '$RUN' start bob"
h=$(hwtpm_pid)
slay "$h"
check "create waits for a new hwtpm" ctl create carol
check "hwtpm is another process" [ "$(hwtpm_pid)" != "$h" ]

# --- worker crash: law 4 -------------------------------------------------------
slay "$w"
check "a new worker serves the guest" \
    wait_for 10 t2 alice tpm2_getrandom --hex 8
if [ "$(worker_pid alice)" != "$w" ]; then ok "it is another process"; else
	not_ok "it is another process"; fi
if [ "$(pcr alice 16)" != "$before" ] && [ "$(pcr alice 0)" != \
    "$(printf '%064d' 0)" ]; then ok "every PCR is capped"; else
	not_ok "every PCR is capped: 16 is $(pcr alice 16)"; fi
check "show says so" sh -c "'$B/vtpmctl' --run '$RUN' --json show alice |
    jq -e '.worker.capped'"
same "the EK is as before" "$e" "$(ek alice)"
t2 alice tpm2_nvread 0x1500001 -C o -s 8 >"$T/nv.back" 2>/dev/null
check "the NV index has what was acknowledged" cmp "$T/nv" "$T/nv.back"
check "reset is a power cycle" ctl reset alice
check "which clears the cap" sh -c "'$B/vtpmctl' --run '$RUN' --json show \
    alice | jq -e '.worker.capped | not'"
same "PCRs start again" "$(printf '%064d' 0)" "$(pcr alice 16)"

# --- the software root's own worker --------------------------------------------
r=$(jctl status | jq -r .soft_root.pid)
slay "$r"
check "without the software root's worker create still ends well" \
    ctl create dave
check "it is running again" wait_for 10 sh -c "'$B/vtpmctl' --run '$RUN' \
    --json status | jq -e '.soft_root.state == \"running\" and .tpm.up'"

# --- crash loop -----------------------------------------------------------------
for _ in 1 2 3 4 5 6 7 8 9 10; do
	p=$(worker_pid bob)
	[ "${p:-0}" -gt 1 ] 2>/dev/null || { sleep 0.3; p=$(worker_pid bob); }
	slay "$p"
	sleep 0.15
	[ "$(jctl list | jq -r '.[]|select(.name=="bob").state')" = failed ] &&
	    break
done
check "a worker that dies too often stays down" \
    wait_for 5 sh -c "'$B/vtpmctl' --run '$RUN' --json list |
	jq -e '.[]|select(.name==\"bob\").state == \"failed\"'"
check "the operator can start it again" ctl start bob

# --- the host is restarted: no worker is left, and the boot id is another --------
check "a PCR is extended" extend alice 16
e=$(ek alice)
stop_manager TERM
"$B/vtpm-managerd" --run "$RUN" --stop-all
sqlite3 "$STATE/store.db" "UPDATE kv SET val = CAST('another' AS BLOB)
    WHERE key IN ('boot_id', 'softroot.boot')"
start_manager --pool 0 || not_ok "the manager starts after a reboot"
check "what was running is running again" \
    wait_for 10 t2 alice tpm2_getrandom --hex 8
same "with its EK" "$e" "$(ek alice)"
same "with PCRs as after a power cycle" "$(printf '%064d' 0)" "$(pcr alice 16)"
check "and not capped" sh -c "'$B/vtpmctl' --run '$RUN' --json show alice |
    jq -e '.worker.capped | not'"
stop_manager TERM
"$B/vtpm-managerd" --run "$RUN" --stop-all
start_manager --pool 0 || not_ok "the manager starts"
check "workers that were killed without a reboot come back" \
    wait_for 10 t2 alice tpm2_getrandom --hex 8
check "capped" sh -c "'$B/vtpmctl' --run '$RUN' --json show alice |
    jq -e '.worker.capped'"

# --- the host shuts down in order: no reboot is needed to see what comes back ---
check "every vTPM and the manager stop, to start again" \
    "$B/vtpm-managerd" --run "$RUN" --stop-all --start-again
check "the manager ends" wait_for 10 gone "$MPID"
MPID=
check "and no worker is left" no_workers
start_manager --pool 0 || not_ok "the manager starts after an orderly end"
check "what was running is running again" \
    wait_for 10 t2 alice tpm2_getrandom --hex 8
same "power cycled and not capped" "$(printf '%064d' 0) false" \
    "$(pcr alice 16) $(jctl show alice | jq .worker.capped)"
ctl stop bob >/dev/null
"$B/vtpm-managerd" --run "$RUN" --stop-all --start-again
MPID=
start_manager --pool 0 || not_ok "the manager starts after an orderly end"
same "what had been stopped stays so" stopped \
    "$(jctl list | jq -r '.[]|select(.name=="bob").state')"
ctl start bob >/dev/null
background "$B/vtpm-managerd" --run "$T/new" --state "$T/newstate" --pool 0 \
    >"$T/new.log" 2>&1
wait_for 20 test -S "$T/new/control.sock"
same "a run folder that the manager makes lets others reach its sockets" 755 \
    "$(stat -c %a "$T/new")"
"$B/vtpm-managerd" --run "$T/new" --stop-all

# --- the end ---------------------------------------------------------------------
check "audit as JSON is a chain of who did what" \
    sh -c "'$B/vtpmctl' --run '$RUN' --json audit |
	jq -e 'length > 10 and (map(.action)|index(\"create\")) != null and
	([.[]|select(.action==\"start\")][0].who|startswith(\"uid\"))'"
check "stop" ctl stop alice
refuse "no socket is left" 'Could not|no such|failed' \
    t2 alice tpm2_getrandom 8
check "destroy" ctl destroy alice
refuse "it is gone" 'no such vTPM' ctl show alice
check "destroy --force ends a running one" ctl destroy --force bob
ctl start carol >/dev/null
w=$(worker_pid carol)
check "stop --all --exit ends all" ctl stop --all --exit
check "the worker is gone" wait_for 5 gone "$w"
check "and so is the manager" wait_for 5 gone "$MPID"
start_manager --pool 0 || not_ok "it starts once more"
same "what was stopped stays stopped" stopped \
    "$(jctl list | jq -r '.[]|select(.name=="carol").state')"
check "and can be started" ctl start carol
