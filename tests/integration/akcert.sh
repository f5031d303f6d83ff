#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# akcert.sh - certificates of vTPMs' AKs are short-lived and renewed in time: at
# a start, by the clock, into the guest's NV where that is possible and by the
# vendor command always; evidence has the newest.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need jq openssl tpm2_nvread tpm2_changeauth
A=$B/vtpm-attest V=$B/vtpm-verify
cd "$T" || exit 1
LIFE=40
echo "ak_cert_s = $LIFE" >conf

cert() { jctl show "$1" | jq -r .ak.certificate; } # as the manager has it
nv_cert() { # GUEST: as its NV has it
	t2 "$1" tpm2_nvread 0x01c101d0 2>/dev/null | openssl x509 -inform der
}
serial() { openssl x509 -noout -serial; }
left() { # seconds until notAfter
	local to
	to=$(date -d "$(openssl x509 -noout -enddate | cut -d= -f2)" +%s)
	echo $((to - $(date +%s)))
}
other() { [ -n "$2" ] && [ "$(cert "$1" | serial)" != "$2" ]; }
nv_has() { [ "$(nv_cert "$1" | serial)" = "$2" ]; }
attest() { # GUEST OUT
	N=$("$V" nonce)
	"$A" --tcti "$(tcti "$1")" --nonce "$N" --log "$GOOD_LOG" -o "$2"
}
in_evidence() { jq -r .ak_certificate "$1" | base64 -d |
    openssl x509 -inform der | serial; }

check "a manager gives certificates of $LIFE s" start_manager --pool 0 \
    --config conf || exit 1
check "alice starts and boots" eval \
    'ctl create alice && ctl start alice && boot alice' || exit 1
first=$(cert alice | serial)
live=$(cert alice | left)
check "her AK's certificate ends within $LIFE s: $live" \
    [ "$live" -ge 0 -a "$live" -le $LIFE ]
same "it is in her NV" "$first" "$(nv_cert alice | serial)"
check "she attests" attest alice one.json
same "with it" "$first" "$(in_evidence one.json)"
check "a policy is made" "$V" policy --from one.json --name ref \
    --cmdline "$GOOD_LINE" -o strict.json
jq '.allow_software_root = true' strict.json >policy.json
ca_to ca.pem

check "it is renewed by the clock, before it ends" \
    wait_for $((2 * LIFE)) other alice "$first"
second=$(cert alice | serial)
check "the new one is in her NV, too" wait_for 20 nv_has alice "$second"
check "she attests again" attest alice two.json
same "with the new one" "$(cert alice | serial)" "$(in_evidence two.json)"
check "it is accepted" "$V" -e two.json --nonce "$N" --policy policy.json \
    --ca ca.pem
same "locked as before" "1" "$(t2 alice tpm2_nvreadpublic 0x01c101d0 |
    grep -c 'writelocked')"
refuse "no other user writes it" "." t2 alice tpm2_nvwrite 0x01c101d0 -C p \
    -i conf
check "the audit log knows" sh -c "'$B/vtpmctl' --run '$RUN' --json audit |
    jq -e '[.[] | select(.action == \"renew-ak-cert\")] | length > 0'"

# Firmware takes the platform hierarchy: NV stays, the vendor command tells.
check "firmware takes the platform" t2 alice tpm2_changeauth -c platform fw
before=$(cert alice | serial)
check "it is renewed again" wait_for $((2 * LIFE)) other alice "$before"
check "she attests" attest alice three.json
same "with the newest" "$(cert alice | serial)" "$(in_evidence three.json)"
check "which is not in NV" eval '! nv_has alice "$(cert alice | serial)"'
check "after a reset" eval 'ctl reset alice && boot alice'
check "it is" wait_for 20 eval 'nv_has alice "$(cert alice | serial)"'

# Off for longer than it lives; the manager restarts meanwhile.
check "alice stops" ctl stop alice
stop_manager
sleep $((LIFE + 5))
check "the manager restarts" start_manager --pool 0 --config conf
openssl x509 -noout -checkend 0 >/dev/null < <(cert alice) &&
    not_ok "her certificate still lives" || ok "her certificate has ended"
old=$(cert alice | serial)
check "alice starts" eval "ctl start alice && boot alice"
check "and has a new one" wait_for 30 other alice "$old"
new() { attest alice four.json && [ "$(in_evidence four.json)" = \
    "$(cert alice | serial)" ]; }
check "she attests with it" wait_for 20 new
check "it is accepted" "$V" -e four.json --nonce "$N" --policy policy.json \
    --ca ca.pem
check "a worker that died has it again" eval 'slay "$(worker_pid alice)" &&
    wait_for 30 new'
check "a TPM 1.2 has no AK and is none the worse" eval \
    'ctl create old --tpm 1.2 && ctl start old'
end_all

# On a host whose states are approved: renewed in those, not in others.
STATE=$T/host.state
mkdir "$STATE"
tpm host
host() { TPM2TOOLS_TCTI=swtpm:path=$T/host "$@"; }
for p in 0 4 7; do
	host tpm2_pcrextend "$p:sha256=$(printf '%064d' 7)"
done
ctl host keygen -o key.pem >/dev/null
check "a manager on a host's TPM, bound to its states" start_manager --pool 0 \
    --config conf --root swtpm:path="$T/host" --approval-key key.pem.pub
check "the present state is approved" ctl host approve --current --key key.pem
check "carol starts" eval 'ctl create carol && ctl start carol'
old=$(cert carol | serial)
check "hers is renewed" wait_for $((2 * LIFE)) other carol "$old"
old=$(cert carol | serial)
host tpm2_pcrextend "4:sha256=$(printf '%064d' 8)"
refused() { jctl audit | jq -e '[.[] | select(.action == "renew-ak-cert" and
    .result == "refused")] | length > 0'; }
check "the host goes into another state: it is refused" \
    wait_for $((2 * LIFE)) refused
check "and runs out" eval '! other carol "$old" &&
    wait_for $((2 * LIFE)) eval "[ \$(cert carol | left) -lt 0 ]"'
check "the new state is approved" ctl host approve --current --key key.pem
check "so it is renewed" wait_for 60 other carol "$old"
end_all
STATE=$T/state

check "without a setting" start_manager --pool 0
check "bob is made" ctl create bob
days=$(($(cert bob | left) / 86400))
check "his certificate is for 30 days: $days" [ "$days" -ge 29 -a "$days" -le 30 ]
