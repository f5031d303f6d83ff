#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# deep_host.sh - what the host's operator does shows in deep evidence, to both
# verifiers: which of the host's PCRs are quoted (deep_pcrs), and that a store
# was taken by `vtpmctl recover` (which a policy may allow, with a reason).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
. "$(dirname "$0")/deeplib.sh"
cd "$T" || exit 1
up() { start_manager --pool 0 --root swtpm:path="$T/host" "$@"; }
vouched() { # OUT: for keep
	N=$("$V" nonce)
	attest keep "$N" "$1"
}
begin() { ctl start keep && boot keep; }
same_states() { cp "$1" host-states.json; }

check "a host's TPM is made and certified" host_tpm host || exit 1
check "a manager makes its keys on it" up || exit 1
check "the host is enrolled with a verifier" enrol_host host || exit 1
cp host-states.json first-states.json
# Another TPM's challenge; everything works after it.
python3 - host.enrol/challenge.json >other-challenge.json <<'PY'
import base64, json, sys
c = json.load(open(sys.argv[1]))
b = bytearray(base64.b64decode(c["credential"]))
b[-1] ^= 1
c["credential"] = base64.b64encode(b).decode()
json.dump(c, sys.stdout)
PY
refuse "a challenge for another TPM is not answered" "another TPM" \
    ctl host enrol --challenge other-challenge.json -o x
check "a guest is made, and boots" eval 'ctl create keep && begin'
check "it is vouched for" vouched a.json || exit 1
check "a policy is made of its boot" "$V" policy --from a.json --name ref \
    --cmdline "$GOOD_LINE" -o policy.json
check "it is accepted" judge host a.json "$N"
check "by the second verifier, too" judge_py host a.json "$N"

# --- which PCRs ----------------------------------------------------------------
same "the status says which of the host's PCRs are quoted" \
    sha256:0,1,2,3,4,5,6,7 "$(jctl host status | jq -r .deep_pcrs)"
stop_manager
echo "deep_pcrs = sha1:0-7" >conf
refuse "SHA-1 is not quoted" "conf:1: deep_pcrs: SHA-1" \
    "$B/vtpm-managerd" --state "$STATE" --run "$RUN" --config conf
echo "deep_pcrs = sha256:0-2,4,7" >conf
check "a manager that quotes other PCRs" up --config conf
check "the guest's worker is found again" wait_for 20 \
    eval 'jctl show keep | jq -e ".state == \"running\""'
check "it is vouched for" vouched b.json
refuse "to a verifier that wants the others it is none of its states" \
    "FAIL +deep-selection +.*sha256:0,1,2,4,7" judge host b.json "$N"
check "the second verifier refuses it, too" eval '! judge_py host b.json "$N"'
check "the host's PCRs say which are quoted" eval \
    'ctl host pcrs -o pcrs.json && [ "$(jq -r .deep_pcrs pcrs.json)" = \
    sha256:0,1,2,4,7 ]'
check "a list of states is made of them" "$V" host-states --pcrs pcrs.json \
    -o host-states.json
same "with these PCRs and no others" "0 1 2 4 7" \
    "$(jq -r '.states[0].pcrs | keys | join(" ")' host-states.json)"
check "by that both accept" eval \
    'judge host b.json "$N" && judge_py host b.json "$N"'
check "a list for other PCRs can be made, too" "$V" host-states \
    --pcrs pcrs.json --select sha256:0,1,2,4 --label four -o host-states.json
refuse "and wants a quote of those" "FAIL +deep-selection" \
    judge host b.json "$N"
refuse "PCRs that nothing was measured into are no state" "all 00" \
    "$V" host-states --pcrs pcrs.json --select sha256:0,9
refuse "a bank that the host has not" "no value of PCR 0 \(sha512\)" \
    "$V" host-states --pcrs pcrs.json --select sha512:0
refuse "approvals need their key" "one of --key and --pcrs" "$V" host-states pcrs.json
ctl host keygen -o key.pem >/dev/null
check "an approval over other PCRs is noted" eval \
    'ctl host approve --pcrs pcrs.json --key key.pem --sign-only -o ap \
    2>&1 | grep "^vtpmctl: note: .*--select sha256:0,1,2,4,7"'
check "one over the same is not" eval '! ctl host approve --pcrs pcrs.json \
    --select sha256:0,1,2,4,7 --key key.pem --sign-only -o ap 2>&1 |
    grep "^vtpmctl: note"'
stop_manager
echo "deep_pcrs = sha384:0-7" >conf
check "a manager that is to quote what the TPM has not" up --config conf
refuse "the guest learns why there is no answer" \
    "no PCR bank sha384" vouched c.json
stop_manager
same_states first-states.json
check "with the first ones again" up
check "all is as before" eval 'wait_for 20 vouched a.json &&
    judge host a.json "$N" && judge_py host a.json "$N"'

# --- recovered -----------------------------------------------------------------
generation=$(jctl show keep | jq .generation)
ctl stop keep >/dev/null
stop_manager
cp -a "$STATE" old
check "the store continues" eval 'up && ctl create later'
stop_manager
rm -rf "$STATE"
mv old "$STATE"
check "an older copy of the store is put back" up
refuse "the guest does not start" "older copy" ctl start keep
check "the operator takes it" ctl recover --all --reason "the disk broke"
check "the guest starts, and boots" begin
check "it is vouched for" vouched r.json
refuse "a verifier sees that it was recovered, and refuses" \
    "FAIL +deep-flags .*an operator accepted" judge host r.json "$N"
check "only for that" eval '[ "$(judge host r.json "$N" |
    grep -c "^FAIL")" = 1 ]'
refuse "the second verifier likewise" "deep-flags" judge_py host r.json "$N"
check "it is shown" eval '"$V" show r.json | grep "^deep quote: .*recovered"'
jq '.allow.restored = "the disk broke, #17"' policy.json >lenient.json
judge host r.json "$N" --policy lenient.json >lenient.out 2>&1
same "a policy may allow it" 0 $?
check "and then it is said" grep -Ei '^(note|ok).*recovered' lenient.out
check "the second verifier may, too" judge_py host r.json "$N" \
    --allow-restored
check "the leaf has a generation that there never was" [ "$("$V" show r.json |
    sed -n 's/^deep quote: .*generation \([0-9]*\).*/\1/p')" -gt "$generation" ]
# The mark is in what the host's TPM signed.
python3 - r.json >forged.json <<'PY'
import base64, json, sys
e = json.load(open(sys.argv[1]))
d = bytearray(base64.b64decode(e["deep"]))
n = int.from_bytes(d[6:8], "big")
at = 8 + n - 20 # flags, generation and version end the leaf
assert d[at + 3] & 16
d[at + 3] &= ~16
e["deep"] = base64.b64encode(d).decode()
json.dump(e, sys.stdout)
PY
refuse "taken out, it is another leaf" "FAIL +deep-path" \
    judge host forged.json "$N"
check "for both" eval '! judge_py host forged.json "$N"'
ctl reset keep >/dev/null
check "it stays after a reset" eval 'boot keep && vouched r2.json &&
    "$V" show r2.json | grep -q "^deep quote: .*recovered"'
ctl create fresh >/dev/null
check "a guest made later has none" eval \
    '[ "$(jctl show fresh | jq .recovered)" = false ]'
