#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# law4.sh - PCRs start anew only at a power cycle that the host saw.  Opening
# and closing the channel, a second Startup, another manager: nothing changes.
# A worker that died comes back with every PCR capped, and nothing that the
# guest can do takes that back.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need jq tpm2_pcrread tpm2_pcrextend tpm2_pcrreset
guest=$B/tests/law3guest
A=$B/vtpm-attest V=$B/vtpm-verify

pcrs() { t2 alice tpm2_pcrread sha256 2>/dev/null |
	sed -n 's/^ *\([0-9]*\) *: *0x\([0-9A-F]*\)$/\1 \2/p'; }
served() { wait_for 10 t2 alice tpm2_getrandom --hex 4; }
ZERO=$(printf '%064d' 0)
ONES=$(printf '%064d' 0 | tr 0 F)
# Is every one of the 24 PCRs neither a start value nor that of $1?
all_capped() { # FILE with the PCRs of before
	pcrs >"$T/now"
	[ "$(wc -l <"$T/now")" = 24 ] || return 1
	! grep -qE "$ZERO|$ONES" "$T/now" || return 1
	! grep -qxFf "$1" "$T/now"
}
judge() { # the verdict on alice's present state
	local n
	n=$("$V" nonce)
	"$A" --tcti "$(tcti alice)" --nonce "$n" --log "$GOOD_LOG" \
	    -o "$T/e.json" && "$V" -e "$T/e.json" --nonce "$n" \
	    --policy "$T/policy.json" --ca "$T/ca.pem"
}

start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
ctl create alice >/dev/null && ctl start alice >/dev/null && ca_to "$T/ca.pem" ||
    { not_ok "a guest starts"; exit 1; }
pcrs >"$T/start"
check "the guest boots" boot alice
n=$("$V" nonce)
"$A" --tcti "$(tcti alice)" --nonce "$n" --log "$GOOD_LOG" -o "$T/e.json" &&
    "$V" policy --from "$T/e.json" --allow-software-root -o "$T/policy.json"
check "its boot is accepted" judge
pcrs >"$T/booted"
check "there are 24 PCRs" [ "$(wc -l <"$T/booted")" = 24 ]

# --- what is no power cycle ----------------------------------------------------
for i in 1 2 3 4 5; do t2 alice tpm2_getrandom 1 >/dev/null 2>&1; done
pcrs >"$T/now"
check "closing and opening the channel resets nothing" \
    cmp "$T/booted" "$T/now"
"$guest" read "$RUN/alice.tpmif" >/dev/null 2>&1 &
p=$!
sleep 0.3
slay "$p"
wait $p 2>/dev/null
served
pcrs >"$T/now"
check "nor does a front half that is gone in mid-command" \
    cmp "$T/booted" "$T/now"
t2 alice tpm2_startup -c >/dev/null 2>&1
pcrs >"$T/now"
check "nor a second Startup" cmp "$T/booted" "$T/now"
t2 alice tpm2_shutdown -c >/dev/null 2>&1
t2 alice tpm2_startup -c >/dev/null 2>&1
pcrs >"$T/now"
check "nor Shutdown and Startup" cmp "$T/booted" "$T/now"
stop_manager KILL
start_manager --pool 0 || not_ok "the manager comes back"
pcrs >"$T/now"
check "nor another manager" cmp "$T/booted" "$T/now"
check "the boot is still accepted" judge

# --- a worker that died -----------------------------------------------------------
crash() { slay "$(worker_pid alice)"; sleep 0.2; served; }
crash
check "a worker that died comes back with every PCR capped" \
    all_capped "$T/booted"
refuse "the verifier says so" 'worker restarted' judge
pcrs >"$T/capped"
t2 alice tpm2_startup -c >/dev/null 2>&1
t2 alice tpm2_shutdown -c >/dev/null 2>&1
t2 alice tpm2_startup -c >/dev/null 2>&1
pcrs >"$T/now"
check "Startup and Shutdown do not lift it" cmp "$T/capped" "$T/now"
for i in 16 23; do
	refuse "nor is PCR $i reset" 'error|locality' \
	    t2 alice tpm2_pcrreset $i
done
check "the guest boots as before" eval 'boot alice || boot alice ||
    t2 alice tpm2_pcrextend $(extends "$GOOD_LOG")'
refuse "and is still not believed" 'worker restarted' judge
crash
check "after a second death it is the same" all_capped "$T/booted"
w=$(worker_pid alice)
stop_manager KILL
slay "$w"
start_manager --pool 0 || not_ok "the manager comes back"
served
check "and when manager and worker die together" all_capped "$T/booted"
refuse "the verifier says so" 'worker restarted' judge
stop_manager KILL
start_manager --pool 0 || not_ok "the manager comes back"
check "a manager that did not see it knows it, too" \
    eval 'jctl show alice | jq -e .worker.capped'

# --- what is one ---------------------------------------------------------------------
check "vtpmctl reset" ctl reset alice
pcrs >"$T/now"
check "is a power cycle: PCRs start anew" cmp "$T/start" "$T/now"
check "the cap is gone" eval 'jctl show alice | jq -e ".worker.capped|not"'
boot alice
check "the next boot is accepted" judge
check "stop and start" eval 'ctl stop alice && ctl start alice'
pcrs >"$T/now"
check "are one, too" cmp "$T/start" "$T/now"
boot alice
check "and the boot after it is accepted" judge
