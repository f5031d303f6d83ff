#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# deep.sh - guests are vouched for by the host's TPM: real guests' TPMs, a real
# manager, swtpm as the host's TPM with its maker's certificate.  Both
# verifiers follow the evidence to the maker's root; what is relayed, stale,
# swapped, of a host in another state or of no hardware at all is refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
. "$(dirname "$0")/deeplib.sh"
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
echo "deep_wait_ms = 4000" >impatient.conf
# VSUB_DEEP_SUBMIT by hand: the response code in hex.
submit() { # GUEST DIGEST
	local zeros
	zeros=$(printf '%064d' 0)
	"$B/tests/ringcmd" "$RUN/$1.tpmif" \
	    "800100000056200056540005$2${zeros}00080102030405060708" |
	    cut -c13-20
}
sent() { od -An -tu8 --endian=big "$T/count" | tr -d ' '; }
quote_digest() { # EVIDENCE
	{ jq -r .quote "$1" | base64 -d; jq -r .signature "$1" | base64 -d; } |
	    sha256sum | cut -d' ' -f1
}
failed_at() { sed -n 's/^FAIL *\([a-z-]*\).*/\1/p' | head -1; }

check "a host's TPM is made and certified" host_tpm host || exit 1
check "a manager makes its keys on it" start_manager --pool 0 \
    --root swtpm:path="$T/host" || exit 1
check "the host is enrolled with a verifier" enrol_host host || exit 1
stop_manager
SLOW="--root slow:swtpm:path=$T/host"
export TCTI_SLOW="sign=200 nv=50 other=20 count=$T/count log=$T/tpm.log"
# shellcheck disable=SC2086
check "the manager is back, its TPM is slow" start_manager --pool 0 $SLOW ||
    exit 1
for g in alice bob; do
	check "$g starts and boots" eval "ctl create $g && ctl start $g && boot $g"
done

N=$("$V" nonce)
check "alice is vouched for" attest alice "$N" alice.json || exit 1
check "a policy is made of alice's boot" "$V" policy --from alice.json \
    --name ref --cmdline "$GOOD_LINE" -o policy.json
check "alice is accepted, up to the manufacturer's root" judge host alice.json "$N"
same "and not on a software root" 0 \
    "$(judge host alice.json "$N" | tail -1 | grep -ci "software root")"
check "the second verifier accepts alice" judge_py host alice.json "$N"
check "bob is vouched for, too" attest bob "$N" bob.json
check "and accepted by both" eval \
    'judge host bob.json "$N" && judge_py host bob.json "$N"'

# What the vTPM lets pass: only quotes that it made itself, lately.
same "alice's TPM accepts its quote" 00000000 \
    "$(submit alice "$(quote_digest alice.json)")"
same "a relayed quote: alice's TPM does not take bob's" 00000084 \
    "$(submit alice "$(quote_digest bob.json)")"
for part in deep quote ak_certificate; do
	jq --slurpfile o bob.json ".$part = \$o[0].$part" alice.json >mix.json
	check "alice with bob's $part is refused by both" eval \
	    '! judge host mix.json "$N" >mix.c; ! judge_py host mix.json "$N"'
	[ $part = deep ] && same "and the failed check is named" "deep-quote" \
	    "$(failed_at <mix.c)"
done
jq --slurpfile o alice.json '.deep = $o[0].deep' bob.json >mix.json
check "bob with alice's is refused by both" eval \
    '! judge host mix.json "$N" && ! judge_py host mix.json "$N"'
N2=$("$V" nonce)
jq --arg n "$N2" '.nonce = $n' alice.json >mix.json
check "for another nonce both refuse alice" eval \
    '! judge host alice.json "$N2" && ! judge host mix.json "$N2" &&
    ! judge_py host alice.json "$N2" && ! judge_py host mix.json "$N2"'
check "alice restarts" eval "ctl reset alice && boot alice"
same "a stale quote: what was quoted before is not taken" 00000084 \
    "$(submit alice "$(quote_digest alice.json)")"

# The key at the end of a channel.
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
    openssl ec -pubout -outform der -out channel.der 2>/dev/null
head -c 91 /dev/urandom >other.der
check "alice names a key" attest alice "$N" key.json \
    --channel-key channel.der
check "who talks to that key accepts" judge host key.json "$N" \
    --channel-key "$(sha256sum channel.der | cut -d' ' -f1)"
refuse "who talks to another one does not" "deep-channel" judge host key.json \
    "$N" --channel-key "$(sha256sum other.der | cut -d' ' -f1)"
check "the second verifier says so, too" judge_py host key.json "$N" \
    --channel-key "$(sha256sum channel.der | cut -d' ' -f1)"
refuse "and refuses the other one there" "FAIL deep-channel" judge_py host \
    key.json "$N" --channel-key "$(sha256sum other.der | cut -d' ' -f1)"
refuse "--channel-key goes with --deep" "goes with --deep" "$A" --nonce "$N" -o x.json \
    --channel-key channel.der

# Many at once: one quote of the host for all that wait.
for i in 1 2 3 4 5 6; do
	ctl create "g$i" >/dev/null && ctl start "g$i" >/dev/null &&
	    boot "g$i" >/dev/null 2>&1 || not_ok "g$i starts"
done
asked=$(deep_count answered) quoted=$(deep_count host_quotes)
pids=()
for i in 1 2 3 4 5 6; do
	attest "g$i" "$N" "g$i.json" >"g$i.out" 2>&1 &
	pids+=($!)
done
bad=0
for p in "${pids[@]}"; do wait "$p" || bad=$((bad + 1)); done
same "six guests at once are vouched for" 0 $bad
asked=$(($(deep_count answered) - asked))
quoted=$(($(deep_count host_quotes) - quoted))
check "$asked answers took $quoted quotes of the host's TPM" \
    [ "$asked" -ge 6 -a "$quoted" -lt "$asked" ]
check "the largest batch had more than one" [ "$(deep_count batch_max)" -gt 1 ]
check "the status says so to people" eval \
    'ctl status | grep -q "^Deep .* answered, .* at most [2-9] under one"'
for i in 1 2 3 4 5 6; do
	check "g$i: both verifiers accept" eval \
	    'judge host g$i.json "$N" && judge_py host g$i.json "$N"'
done

# Spoilt in every field: two verifiers are of one mind about each.
largest=$(for i in 1 2 3 4 5 6; do
	echo "$(jq -r .deep "g$i.json" | base64 -d | wc -c) g$i.json"
done | sort -n | tail -1 | cut -d' ' -f2)
python3 "$top/tests/deep/agree.py" "$V" "$B/tests/warmjudge" "$largest" "$N" \
    host.json host-states.json roots.pem policy.json spoilt

# The manager dies while a guest waits.
export TCTI_SLOW="sign=3000 nv=0 other=0 count=$T/count"
stop_manager
# shellcheck disable=SC2086
check "the manager comes back on a very slow TPM" start_manager --pool 0 $SLOW
before=$(sent)
attest bob "$N" again.json >again.out 2>&1 &
pid=$!
check "the host's TPM works for bob" wait_for 20 \
    eval '[ "$(sent)" -gt "$before" ]'
stop_manager KILL
export TCTI_SLOW="sign=0 nv=0 other=0 count=$T/count"
# shellcheck disable=SC2086
check "the manager is killed and comes back" start_manager --pool 0 $SLOW \
    --config impatient.conf
check "bob gets his answer from the new one" wait "$pid"
check "it is good" eval \
    'judge host again.json "$N" && judge_py host again.json "$N"'

# The host's TPM restarts: other PCRs, and that is seen.
check "the host's TPM is reset" swtpm_ioctl --unix "$T/host.ctrl" -i
check "bob is vouched for all the same" attest bob "$N" reset.json
refuse "but not accepted: the host is in another state" \
    "FAIL.*deep-host-state" judge host reset.json "$N"
check "the second verifier refuses it, too" eval \
    '! judge_py host reset.json "$N"'

# The host's TPM goes away.
swtpm_ioctl --unix "$T/host.ctrl" -s >/dev/null 2>&1
t0=$SECONDS
refuse "no TPM: bob gets the reason" \
    "no deep quote: .*(host's TPM|the TPM at)" attest bob "$N" none.json
check "after $((SECONDS - t0)) s, not for ever" [ $((SECONDS - t0)) -lt 40 ]
check "nothing was written" [ ! -e none.json ]
check "his own TPM continues" t2 bob tpm2_getrandom --hex 8
refuse "without --deep there is still evidence, and it is not enough" \
    "COULD NOT DECIDE" eval \
    '"$A" --tcti "$(tcti bob)" --nonce "$N" --log "$GOOD_LOG" -o plain.json &&
    judge host plain.json "$N"'
tpm host
check "the TPM is back, so are deep quotes" wait_for 40 \
    attest bob "$N" back.json

# The host's TPM neither answers nor fails, from the first command for bob on.
stop_manager
rm -f count none.json
# shellcheck disable=SC2086
check "the manager starts once more" start_manager --pool 0 $SLOW
first=$(($(sent) + 1))
stop_manager
rm -f count
export TCTI_SLOW="sign=0 nv=0 other=0 count=$T/count fault=hang@$first"
# shellcheck disable=SC2086
start_manager --pool 0 $SLOW --config impatient.conf
t0=$SECONDS
refuse "a TPM that hangs: bob gets the reason" \
    "no deep quote: .*did not vouch within 4 s" attest bob "$N" none.json
check "after $((SECONDS - t0)) s" [ $((SECONDS - t0)) -lt 40 ]
check "his own TPM continues" t2 bob tpm2_getrandom --hex 8
end_all

# A software root says so.
unset TCTI_SLOW
STATE=$T/soft
mkdir -p "$STATE"
check "a manager without a TPM starts" start_manager --pool 0
check "carol starts" eval "ctl create carol && ctl start carol && boot carol"
check "a software root vouches for carol" attest carol "$N" carol.json
ca_to soft.pem
jq '.allow_software_root = true' policy.json >soft-policy.json
judge host carol.json "$N" --ca soft.pem --policy soft-policy.json >soft.out
same "and it is refused as what it is, by a policy that allows it" \
    "deep-root" "$(failed_at <soft.out)"
check "the second verifier refuses it" eval \
    '! judge_py host carol.json "$N"'
