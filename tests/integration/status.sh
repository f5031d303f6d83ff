#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# status.sh - `vtpmctl status` answers while the host's TPM is inside a slow
# command: with what was seen last, and since when; and the truth again after.
. "$(dirname "$0")/lib.sh"
need jq swtpm
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
sent() { od -An -tu8 --endian=big "$T/count" | tr -d ' '; }
tpm host || { not_ok "swtpm starts"; exit 1; }
up() { start_manager --pool 0 --root "$1swtpm:path=$T/host"; }
check "a manager makes its keys" up "" || exit 1
stop_manager
# Less than what vtpm-hwtpm waits for an answer.
export TCTI_SLOW="sign=6000 nv=0 other=0 count=$T/count"
check "it is back, its TPM is slow" up slow: || exit 1
status() { jctl status >s.json; }
check "its TPM is idle: no word of busy" eval 'status &&
    jq -e ".tpm | .up and .as_of_ms > 0 and .busy_since_ms == null" s.json'
before=$(sent)
ctl group quote host --nonce 0011223344556677 -o q >quote.out 2>&1 &
quote=$!
PIDS+=($quote)
check "it makes a quote" wait_for 20 eval '[ "$(sent)" -gt "$before" ]'
sleep 1
from=$(date +%s%3N)
check "meanwhile the status is shown" jctl status
cp check.out s.json
check "and the quote is still under way" alive $quote
check "with the last state of the TPM" \
    jq -e '.tpm | .up and .manufacturer == "IBM SWTPM"' s.json
check "that of before, since when it is busy" jq -e --argjson from "$from" \
    '.tpm | .as_of_ms < $from and .busy_since_ms < $from and
    .busy_since_ms > .as_of_ms - 30000' s.json
check "for people, too" eval \
    'ctl status | grep -q "the TPM is busy with one command since .*; state as of"'
others() { for i in 1 2 3 4; do jctl status >"m$i" & w+=($!); done
	for p in "${w[@]}"; do wait "$p" || return 1; done; }
w=()
check "several ask at once" others
check "and every caller gets an answer" eval \
    'for i in 1 2 3 4; do jq -e .tpm.busy_since_ms "m$i" || exit 1; done'
check "the quote comes in the end" wait $quote
check "and it is idle again" eval 'status && jq -e --argjson from "$from" \
    ".tpm | .busy_since_ms == null and .as_of_ms > \$from" s.json'
# The process is gone, for as long as it cannot be started.
slay "$(hwtpm_pid)"
check "no process: the status shows it" timeout 15 "$B/vtpmctl" --run "$RUN" status
check "it comes back" wait_for 30 eval 'jctl status | jq -e ".tpm.up and
    .tpm.busy_since_ms == null"'
# The TPM is gone.
kill "$SWTPM_PID"
ctl host status >host.out 2>&1 & # it waits as long as the next one
host=$!
PIDS+=($host)
refuse "no TPM: no file of PCRs is made of nothing" "gives no PCRs: .*TPM" \
    ctl host pcrs -o pcrs.json
check "there is none" [ ! -e pcrs.json ]
check "the status says that it does not answer, and why" eval \
    'ctl status | grep "its TPM does not answer: [a-z]"'
check "what is not known is not shown as 0" eval \
    'wait $host && grep "^Counters *unknown" host.out'
# And so is the process.
slay "$(hwtpm_pid)"
check "it is not said to be up by hearsay" wait_for 20 eval 'jctl status |
    jq -e ".tpm | .up == false and (.why | length > 20)"'
t0=$SECONDS
refuse "a caller gets the reason before its time-out" \
    "(keys again|gives no PCRs|closed): .*TPM" ctl host pcrs -o pcrs.json
check "after $((SECONDS - t0)) s" [ $((SECONDS - t0)) -lt 100 ]

# --- a TPM that comes after its process -----------------------------------------
# Its socket is root's, and the process chose its user before that was known.
mkdir late.s late.r
"$B/vtpm-managerd" --state "$T/late.s" --run "$T/late.r" --pool 0 \
    --root "swtpm:path=$T/late" >late.log 2>&1 </dev/null &
PIDS+=($!)
wait_for 10 grep -q "the TPM at swtpm:path=$T/late cannot be opened" late.log
tpm late || not_ok "swtpm starts"
chmod 600 late
check "the manager finds a TPM that starts later" wait_for 40 grep -q ready: \
    late.log
