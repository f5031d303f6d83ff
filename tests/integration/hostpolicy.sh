#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hostpolicy.sh - a manager whose master key is bound to approved states of the
# host (a TPM by swtpm): it starts in those, waits sealed in others and says
# what differs; approvals before and after, revoked, restored, elsewhere.
. "$(dirname "$0")/lib.sh"
need jq swtpm swtpm_ioctl openssl tpm2_pcrextend tpm2_nvread
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
host_tpm() { # NAME
	tpm "$1" || { not_ok "swtpm starts"; exit 1; }
}
host_tpm host
host() { TPM2TOOLS_TCTI=swtpm:path=$T/${H:-host} "$@"; }
extend() { # PCR VALUE
	host tpm2_pcrextend "$1:sha256=$(printf '%064d' "$2")" >/dev/null 2>&1
}
# Power cycle, then a boot loader and a kernel: PCR 4 is the kernel's.
boot_host() { # KERNEL
	host swtpm_ioctl --unix "$T/${H:-host}.ctrl" -i >/dev/null 2>&1
	host tpm2_startup -c >/dev/null 2>&1
	extend 0 10
	extend 4 "$1"
	extend 7 7
}
up() { # manager options; on the host's TPM
	start_manager --pool 0 --root "swtpm:path=$T/${H:-host}" "$@"
}
# up_sealed: comes up, but not ready.
is_sealed() { grep -aq '^vtpm-managerd: SEALED' "$LOG"; }
up_sealed() {
	: >"$LOG"
	"$B/vtpm-managerd" --state "$STATE" --run "$RUN" --pool 0 \
	    --root "swtpm:path=$T/${H:-host}" "$@" >"$LOG" 2>&1 </dev/null &
	MPID=$!
	wait_for 60 is_sealed
}
is_ready() { grep -aq '^vtpm-managerd: ready' "$LOG"; }
hst() { jctl host status | jq -r "$1"; }
ek_of() { t2 "$1" tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum; }
alive_guest() { ctl start g && [ "$(ek_of g)" = "$ek" ] && ctl stop g; }

boot_host 1
check "an approval key is made" ctl host keygen -o key.pem
refuse "and not replaced" "not overwritten" ctl host keygen -o key.pem
ctl host keygen -o other.pem >/dev/null
check "no other user can read the private part" \
    [ "$(stat -c %a key.pem)" = 600 ]

# --- bound from the first start ------------------------------------------------
check "a new store is bound to the key" up --approval-key key.pem.pub
check "the log says that an approval is missing" \
    grep -q "none is approved yet" "$LOG"
check "a guest is made" ctl create g
check "it starts" ctl start g
ek=$(ek_of g)
ctl stop g >/dev/null
same "the status: policy, epoch, no approvals" "approved 1 0 false" \
    "$(hst '"\(.policy) \(if .epoch > 0 then 1 else 0 end) \(.approvals|length) \(.sealed)"')"
stop_manager
check "without an approval it is sealed at the next start" up_sealed
check "and says what to do" grep -q "vtpmctl host approve" "$LOG"
refuse "other methods are refused, with the reason" \
    "sealed: no state of this host was approved" ctl list
check "but for the status, which says so" eval \
    'ctl status | grep "^SEALED *no state of this host was approved"'
check "and of the TPM that it answers" eval 'jctl status |
    jq -e ".sealed and (.ready | not) and .why != null and .tpm.up"'
check "the status is served" eval 'hst .why | grep -q "no state of this host"'
refuse "another key's approval is refused" "not signed by this host" \
    ctl host approve --current --key other.pem
check "the present state is approved: it starts" \
    ctl host approve --current --key key.pem --label "kernel 1"
check "it is ready" wait_for 30 is_ready
same "deep quotes are over the PCRs of the approval, as verifiers expect" \
    "$(hst '.approvals[0].pcrs | "sha256:" + (keys_unsorted | join(","))')" \
    "$(hst .deep_pcrs)"
check "the guest is who it was" alive_guest
same "the status says which approval fits" "kernel 1 true true" \
    "$(hst '.approvals[0] | "\(.label) \(.alive) \(.fits)"')"
check "the audit log has it" eval \
    'ctl audit | grep -q host-approve'

# --- another state ------------------------------------------------------------
check "the host's PCRs go to a file" ctl host pcrs -o next.json
stop_manager
boot_host 2
check "another kernel: sealed" up_sealed
check "it names the PCR and the approved state" grep -aqE \
    "SEALED: .*nearest is 'kernel 1' \(sequence 1\): PCR 4 \(sha256\) is [0-9a-f]{16}\.\., approved [0-9a-f]{16}\.\.$" "$LOG"
check "so does the status" eval 'ctl host status | grep -q "PCR 4 (sha256)"'
hw=$(pgrep -P "$MPID" -f vtpm-hwtpm | head -1)
slay "$hw"
check "a new vtpm-hwtpm gets the state to approve" eval \
    'wait_for 20 eval "[ \"\$(hst .epoch)\" -gt 0 ]"'
check "nothing of it was given: no vTPM is there" \
    eval '! ls "$RUN"/*.tpmif 2>/dev/null | grep -q .'
stop_manager
boot_host 1
check "the old kernel: it starts" up
# Beforehand: what PCR 4 will be, computed.
p4=$( (printf '%064d' 0; printf '%064d' 3) | xxd -r -p | sha256sum | cut -c1-64)
jq --arg v "$p4" '.pcrs.sha256["4"] = $v' next.json >kernel3.json
check "the next kernel is approved beforehand" ctl host approve \
    --pcrs kernel3.json --key key.pem --label "kernel 3" --select sha256:0,4,7
same "both are there, one fits" "kernel 1 true,kernel 3 false" \
    "$(hst '[.approvals[] | "\(.label) \(.fits)"] | join(",")')"
stop_manager
boot_host 3
check "after the reboot it starts by that" up
check "the guest is who it was" alive_guest

# --- elsewhere, and in a file -------------------------------------------------
ctl host pcrs -o there.json
p4=$( (printf '%064d' 0; printf '%064d' 4) | xxd -r -p | sha256sum | cut -c1-64)
jq --arg v "$p4" '.pcrs.sha256["4"] = $v' there.json >kernel4.json
check "a setting that differs from the store's binding is reported" eval \
    'ctl stop --all --exit && wait_for 20 gone "$MPID"; MPID=
    openssl pkey -in other.pem -pubout -out o.pub && up --approval-key o.pub &&
    grep -q "approval_key is not the key that this store is bound to" "$LOG"'
check "an approval is signed without a manager" env VTPM_RUN=/nowhere \
    "$B/vtpmctl" host approve --pcrs kernel4.json --key key.pem --label \
    "kernel 4" --sign-only -o k4.approval
check "and imported" ctl host approve --import k4.approval
refuse "twice it is not: sequences grow" "sequence 3, and an earlier one had" \
    ctl host approve --import k4.approval
p4=$( (printf '%064d' 0; printf '%064d' 5) | xxd -r -p | sha256sum | cut -c1-64)
jq --arg v "$p4" '.pcrs.sha256["4"] = $v | .next_sequence = 4' there.json \
    >kernel5.json
ctl host approve --pcrs kernel5.json --key key.pem --label "kernel 5" \
    --sign-only -o k5.approval 2>/dev/null
refuse "what is no approval is refused" "not an approval" \
    ctl host approve --import key.pem
head -c 200 k5.approval >torn.approval
refuse "nor half of one" "not an approval" \
    ctl host approve --import torn.approval
stop_manager
check "it is put into the folder while no manager runs" \
    ctl host approve --import k5.approval --state "$STATE"
boot_host 5
check "and found at the next start" up
check "which is in the audit log" eval \
    'ctl audit | grep -q "found in the folder, sequence 4"'
stop_manager
boot_host 4
check "the imported one is good, too" up

# --- refused states -----------------------------------------------------------
refuse "PCRs of all 00 are not approved" "all 00" \
    ctl host approve --current --key key.pem --select sha256:4,11
refuse "nor of all FF" "all FF" \
    ctl host approve --current --key key.pem --select sha256:4,18
refuse "nor SHA-1" "sha1" \
    ctl host approve --current --key key.pem --select sha1:4
refuse "nor no PCR at all" "not a selection|no PCR" \
    ctl host approve --current --key key.pem --select sha256:
openssl ecparam -name secp384r1 -genkey -noout -out p384.pem
refuse "nor by a P-384 key" "P-256" \
    ctl host approve --current --key p384.pem

# --- epochs -------------------------------------------------------------------
e=$(hst .epoch)
refuse "revoking everything would lock the operator out: refused" \
    "could not start again" ctl host revoke
same "the epoch is as it was" "$e" "$(hst .epoch)"
cp -r "$STATE/approvals" stolen
check "with an approval of the present state it is done" \
    ctl host revoke --key key.pem --label "kernel 4, epoch 2"
same "the epoch grew; one approval is left" "$((e + 1)) kernel 4, epoch 2" \
    "$(hst '"\(.epoch) \([.approvals[].label] | join("|"))"')"
stop_manager
boot_host 5
cp stolen/* "$STATE/approvals/" # an attacker restores the old ones
check "an old approval is dead in the TPM: sealed" up_sealed
check "and that is said" grep -aqE "SEALED: the host is in no approved state|SEALED: .*dead" "$LOG"
stop_manager
boot_host 4
check "the new one is alive" up
same "the dead ones are gone" "1" "$(hst '.approvals | length')"
check "the guest is who it was" alive_guest

# An approval that is alive, but that the store had given up: only possible by
# putting the whole folder back; the store remembers.
ctl host approve --current --key key.pem --label "kernel 4 again" >/dev/null
stop_manager
rm "$STATE"/approvals/*
ctl host approve --pcrs there.json --key key.pem --label sneaky --sequence 2 \
    --epoch $((e + 1)) --select sha256:0,7 --sign-only -o "$T/sneaky" \
    2>/dev/null
cp "$T/sneaky" "$STATE/approvals/0000000002.approval"
check "by an approval with an old number the manager does not continue" \
    eval '! up 2>/dev/null'
check "the message gives the reason" grep -q "whose revoked approval was restored" "$LOG"
check "it was taken out" [ ! -e "$STATE/approvals/0000000002.approval" ]

# --- another TPM --------------------------------------------------------------
check "sealed: nothing is approved any more" up_sealed
ctl host approve --current --key key.pem --label "kernel 4 anew" >"$T/x" 2>&1
check "approved again, with a number above all" wait_for 30 is_ready
stop_manager
host_tpm second
H=second boot_host 4
H=second
cp -r "$STATE" "$T/good-state"
check "a copy of the store on another TPM is refused" up_sealed
check "the message gives the reason" grep -aq "not the one this store belongs to" "$LOG"
stop_manager
H=host

# --- bind ---------------------------------------------------------------------
check "it is bound to another key" eval 'up && ctl host bind --key other.pem \
    --label "kernel 4, other key"'
same "one approval, by that key" "kernel 4, other key" \
    "$(hst '[.approvals[].label] | join("|")')"
check "unbound" ctl host bind --none
same "no policy" none "$(hst .policy)"
stop_manager
boot_host 9
check "then it starts in any state" up
check "the guest is who it was" alive_guest
check "bound again" ctl host bind --key key.pem --label "kernel 9"
stop_manager
check "starts" up
# vtpm-hwtpm dies: a new one receives the approvals.
slay "$(hwtpm_pid)"
check "another guest after vtpm-hwtpm was killed" ctl create h
host swtpm_ioctl --unix "$T/host.ctrl" -i >/dev/null 2>&1
refuse "the TPM was reset under the manager: certificates are refused" \
    "no approved state" ctl create i
boot_host 9
check "in the approved state again they are made" ctl create i
boot_host 10
refuse "in another they are not" "no approved state" ctl create j
check "until that is approved" ctl host approve --current --key key.pem
check "then they are" ctl create j
stop_manager
check "starts with a pool" up --pool 1
check "which fills" wait_for 120 eval 'jctl status | jq -e ".pool.ready == 1"'
boot_host 11
refuse "what was certified before is not given out either" \
    "no approved state" ctl create k
boot_host 10
check "in the approved state it is" ctl create k
at_once() { # NAME: five of them
	local pids=() p bad=0
	for i in 1 2 3 4 5; do
		ctl create "$1$i" >/dev/null 2>&1 &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || bad=$((bad + 1)); done
	echo $bad
}
same "and five that are asked for at once" 0 "$(at_once k)"
# Not a reset, which takes the keys away: the key of the day is still there.
host tpm2_pcrextend "4:sha256=$(printf '%064d' 9)"
refuse "nor does the day's issuing key certify in a state that came since" \
    "no approved state" ctl create l \
    --uuid 11111111-2222-4333-8444-111111111111
same "nor any of five at once" 5 "$(at_once l)"
boot_host 10
check "all approvals are revoked, by force" ctl host revoke --force
refuse "that no approval is left opens nothing" "no approved state" ctl create m
check "the state is approved again" ctl host approve --current --key key.pem \
    --label "kernel 10, new epoch"
check "and a guest is made in it" ctl create m
if [ "$(id -u)" -eq 0 ]; then
	refuse "roles: a reader cannot approve" "reader|denied|role" \
	    setpriv --reuid 65534 --clear-groups \
	    "$B/vtpmctl" --run "$RUN" host approve --retry
else echo "skip - roles: a reader cannot approve: needs root"
fi
stop_manager
