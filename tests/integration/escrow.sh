#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# escrow.sh - the master key in shares for its operators, made with the store
# and later; a store taken to another TPM (swtpm) by any two of three: the
# guests keep who they are and what they had, and are marked; their certificates
# are reissued by the new CA; who has too few shares, changed ones or another
# store's gets nowhere.
# FULL=1: from a TPM that has counted further than the other one ever can.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need jq swtpm swtpm_ioctl openssl tpm2_pcrextend tpm2_nvread tpm2_nvdefine
cd "$T" || exit 1
host_tpm() { # NAME
	tpm "$1" && swtpm_extend "$T/$1" 4 4 7 7 >/dev/null 2>&1 ||
	    { not_ok "swtpm starts"; exit 1; }
}
host_tpm one
host_tpm two
up() { start_manager --pool 0 --root "swtpm:path=$T/$H" "$@"; }
is_sealed() { grep -aq '^vtpm-managerd: SEALED' "$LOG"; }
up_sealed() {
	: >"$LOG"
	"$B/vtpm-managerd" --state "$STATE" --run "$RUN" --pool 0 \
	    --root "swtpm:path=$T/$H" "$@" >"$LOG" 2>&1 </dev/null &
	MPID=$!
	wait_for 60 is_sealed
}
ek_cert() { t2 "$1" tpm2_nvread 0x01c0000a -C o 2>/dev/null |
    openssl x509 -inform der; } # as its NV has it
ek_of() { ek_cert "$1" | openssl x509 -noout -pubkey; }
A=$B/vtpm-attest V=$B/vtpm-verify
attest() { # GUEST OUT
	N=$("$V" nonce)
	"$A" --tcti "$(tcti "$1")" --nonce "$N" --log "$GOOD_LOG" -o "$2"
}
judge() { # EVIDENCE CA
	"$V" -e "$1" --nonce "$N" --policy policy.json --ca "$2"
}
certs() { jctl show "$1" |
    jq -r '.ek_rsa, .ek_ecc, .ak | .certificate, .public'; }
publics() { jctl show "$1" | jq -r '.ek_rsa, .ek_ecc, .ak | .public'; }
anew() { jctl show "$1" | jq -e .reissued_ms; }
# Operators: RSA, EC, and an EC key in a certificate.
openssl genrsa -out op1.key 2048 2>/dev/null
openssl pkey -in op1.key -pubout -out op1.pem
openssl ecparam -name prime256v1 -genkey -noout -out op2.key
openssl pkey -in op2.key -pubout -out op2.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp384r1 -nodes \
    -keyout op3.key -out op3.pem -subj "/CN=operator 3" 2>/dev/null
openssl genrsa -out weak.key 1024 2>/dev/null
openssl pkey -in weak.key -pubout -out weak.pem
# The first TPM has counted far: the numbers of a store of its are beyond what
# another one's counter could be raised to.
if [ -n "${FULL:-}" ]; then
	steps=$(for _ in $(seq 4200); do printf 'counter 2 1 0 '; done)
	# shellcheck disable=SC2086
	"$B/tests/hwcmd" "$B/vtpm-hwtpm --tcti swtpm:path=$T/one" \
	    init 2 node-1 scratch $steps >steps.out 2>&1
	check "the first TPM's counters begin far on" [ \
	    "$(sed -n 's/^counter: ok 2 = //p' steps.out | tail -1)" -gt 4200 ]
fi
H=one
check "shares cannot be made for a weak key: no store is made" \
    eval '! up --escrow 2:op1.pem,weak.pem >/dev/null'
check "the message gives the reason" grep -q "operator 2's key: RSA with 2048 bits" "$LOG"
check "a new store with shares, 2 of 3" \
    up --escrow 2:op1.pem,op2.pem,op3.pem
same "three shares are there" 3 "$(ls "$STATE"/escrow/share-*-of-3.pem | wc -l)"
check "no other user can read them" \
    [ "$(stat -c %a "$STATE/escrow/share-1-of-3.pem")" = 600 ]
mv "$STATE/escrow" first
check "a guest is made, with a secret in its NV" eval 'ctl create g &&
    ctl start g && t2 g tpm2_nvdefine 0x1500001 -s 8 -C o >/dev/null &&
    printf "a secret" | t2 g tpm2_nvwrite 0x1500001 -C o -i -'
ek=$(ek_of g)
gen=$(jctl show g | jq .generation)
publics=$(publics g)
ctl create h >/dev/null
ctl create old --tpm 1.2 >/dev/null
old_key=$(jctl show old | jq -r .ek_rsa.public)
certs=$(certs h)
ca_to old-ca.pem
check "it boots and attests" eval 'boot g && attest g before.json'
check "a policy is made" "$V" policy --from before.json --name ref \
    --cmdline "$GOOD_LINE" -o policy.json
check "it is accepted" judge before.json old-ca.pem
ctl stop g >/dev/null
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
    openssl pkey -pubout -out tenant.pub 2>/dev/null
check "a tenant has a group" ctl group create tenant --key tenant.pub
check "the host is quoted for it" ctl group quote tenant \
    --nonce 0011223344556677 -o tenant.q
check "new shares are made later, 3 of 3" ctl host escrow --threshold 3 \
    op1.pem op2.pem op3.pem -o later
refuse "not 4 of 3" "not possible" ctl host escrow --threshold 4 \
    op1.pem op2.pem op3.pem -o x
refuse "nor 1 of 2: that is a copy" "not possible" ctl host escrow \
    --threshold 1 op1.pem op2.pem -o x
refuse "nor for what is no key" "neither a certificate nor" ctl host escrow \
    --threshold 2 op1.pem "$top/LICENSE" -o x
same "nor for a file that is none: one line says so" 1 "$(ctl host escrow \
    --threshold 2 op1.pem nothing.pem -o x 2>&1 | wc -l)"
check "it is in the audit log" eval 'ctl audit | grep -q host-escrow'
refuse "a manager that has its key takes no shares" "started with --recover" \
    ctl host recover "$STATE/epoch"
stop_manager

# --- operators open their shares, without a manager ---------------------------
own() { env VTPM_RUN=/nowhere "$B/vtpmctl" host recover "$@"; }
for i in 1 2 3; do
	check "operator $i opens share $i" own --share "first/share-$i-of-3.pem" \
	    --key "op$i.key" -o "open$i"
	own --share "later/share-$i-of-3.pem" --key "op$i.key" \
	    -o "late$i" >/dev/null 2>&1
done
refuse "not another's" "not made for this key" own --share first/share-1-of-3.pem \
    --key op2.key -o x
check "stock OpenSSL opens them, too" eval \
    'openssl cms -decrypt -inform PEM -in first/share-2-of-3.pem \
    -inkey op2.key -binary -out ossl && cmp ossl open2'
openssl cms -decrypt -inform PEM -in first/share-1-of-3.pem -inkey op1.key \
    -binary -out ossl1 2>/dev/null
check "RSA ones as well" cmp ossl1 open1
check "a share says nothing of the key by itself" \
    eval '! cmp -s <(tail -c 400 open1) <(tail -c 400 open2)'

# --- to another TPM -----------------------------------------------------------
H=two
check "without --recover the store does not open on another TPM" \
    eval '! up >/dev/null'
check "with it the manager waits for shares" up_sealed --recover
refuse "other methods wait, too" "sealed" ctl list
refuse "one share is too few" "2 of the 3 shares" ctl host recover open1
refuse "twice the same is" "twice" ctl host recover open1 open1
refuse "shares of two sets do not mix" "not of one set" \
    ctl host recover open1 late2
refuse "a share that is still sealed is refused" "not an opened share" \
    ctl host recover open1 first/share-2-of-3.pem
python3 - <<'PY'
import hashlib
b = bytearray(open("open2", "rb").read()[:-32])
at = 4 + 2 + 16
at += 2 + int.from_bytes(b[at:at + 2], "big") + 8 + 3
b[at] ^= 1 # the share itself, and its digest made good again
open("bent2", "wb").write(bytes(b) + hashlib.sha256(b).digest())
PY
refuse "a changed one is named" "share (1|2) is not the one" \
    ctl host recover open1 bent2
stop_manager
mkdir other-state
STATE0=$STATE STATE=$T/other-state
H=one
up --escrow 2:op1.pem,op2.pem >/dev/null
stop_manager
for i in 1 2; do
	own --share "other-state/escrow/share-$i-of-2.pem" --key "op$i.key" \
	    -o "alien$i" >/dev/null 2>&1
done
STATE=$STATE0 H=two
check "sealed again" up_sealed --recover
refuse "another store's shares are refused" "belong to another store" \
    ctl host recover alien1 alien2
check "two of three bring it back" ctl host recover open3 open1
cp "$T/check.out" said
check "it says what is new" grep -q "enrol this host again" said
check "and what a TPM 1.2 keeps" grep -q "1 TPM 1.2: .* old certificate" said
check "the guest starts" ctl start g
# Its certificates are reissued meanwhile, and written one by one.
same_ek() { [ "$(ek_of g)" = "$ek" ]; }
check "with the same endorsement key" wait_for 30 same_ek
ca_to ca.pem
check "there is another CA" eval '! cmp -s ca.pem old-ca.pem'
check "its certificates are reissued" wait_for 60 anew g
check "the message gives the reason" eval 'ctl show g | grep "reissued by this host.s new CA"'
check "and in the audit log" eval \
    'ctl audit | grep reissue-certs | grep -q "by the new CA, generation"'
same "for the same keys" "$publics" "$(publics g)"
in_nv() { # GUEST CA
	t2 "$1" tpm2_nvread 0x01c00100 -C o 2>/dev/null |
	    openssl x509 -inform der >issuer.pem &&
	    ek_cert "$1" | openssl verify -partial_chain -CAfile "$2" \
		-untrusted issuer.pem
}
# A TPM 1.2: its NV is locked, but its EK is certified anew.
check "a TPM 1.2 starts" ctl start old
check "its EK's certificate is reissued" wait_for 60 anew old
jctl show old | jq -r .ek_rsa.certificate >old.pem
check "by the new CA, and not by the old one" eval \
    'openssl verify -partial_chain -CAfile ca.pem -untrusted old.pem old.pem &&
    ! openssl verify -partial_chain -CAfile old-ca.pem -untrusted old.pem \
	old.pem'
same "for the same key" "$old_key" "$(openssl x509 -in old.pem -noout \
    -modulus | sed 's/.*=//' | tr A-F a-f)"
check "and that NV keeps the old one is said" eval \
    'ctl show old | grep "new CA.*NV memory keeps the old one"'
ctl stop old >/dev/null
check "its NV has them, too" wait_for 20 in_nv g ca.pem
check "it boots and attests" eval 'boot g && attest g after.json'
check "it is accepted under the new CA" judge after.json ca.pem
refuse "and not under the old one" "ek-chain" judge after.json old-ca.pem
same "the key is the same" "$ek" "$(jq -r .ek_certificate after.json |
    base64 -d | openssl x509 -inform der -noout -pubkey)"
same "and its secret" "a secret" \
    "$(t2 g tpm2_nvread 0x1500001 -C o -s 8 2>/dev/null)"
check "marked: a generation that there never was ($gen before)" \
    [ "$(jctl show g | jq .generation)" -gt $((gen + 1000000)) ]
check "and a flag" eval 'jctl show g | grep -qi recovered'
refuse "the tenant's AK was the other TPM's" "no quote: .*attestation key" \
    ctl group quote tenant --nonce 0011223344556677 -o tenant.q
check "it gets a new one" ctl group update tenant --renew-ak
check "and the host is quoted for it again" ctl group quote tenant \
    --nonce 0011223344556677 -o tenant.q
check "it is in the audit log" eval \
    'ctl audit | grep "host-recover" | grep -q ok'
ctl stop g >/dev/null
check "a new guest is made by the new CA" ctl create n
stop_manager
check "it starts on that TPM from now on" up
check "the guest is who it was" eval \
    'ctl start g && [ "$(ek_of g)" = "$ek" ]'
at=$(anew g)
stop_manager
# A guest whose certificates are still the old CA's, and the TPM away.
echo "ak_cert_s = 120" >conf # looked at every 10 s
check "the manager starts" up --config conf
swtpm_ioctl --unix "$T/two.ctrl" -s >/dev/null 2>&1
check "another guest starts without the TPM" ctl start h
same "who it was" "$(ek_of h)" "$(echo "$certs" |
    sed -n '/BEGIN/,/END/p' | csplit -s -z -f h- - '/BEGIN/' '{*}' &&
    openssl x509 -in h-02 -noout -pubkey)"
waits() { grep -aq "h: its certificates are of another CA and are not" "$LOG"; }
check "its certificates cannot be reissued, and the reason is logged" wait_for 150 waits
same "the old ones stay" "$certs" "$(certs h)"
check "in NV, too" in_nv h old-ca.pem
check "it does not say otherwise" eval '! anew h'
check "firmware takes the platform of it" eval \
    'boot h && t2 h tpm2_changeauth -c platform fw'
host_tpm two
check "the TPM is back: they are reissued while it runs" \
    wait_for 90 anew h
told() { attest h h.json && judge h.json ca.pem; }
check "it attests with them" wait_for 30 told
check "which are not in NV yet" in_nv h old-ca.pem
check "after a reset" eval 'ctl reset h && boot h'
check "they are" in_nv h ca.pem
same "no key changed" "$(echo "$certs" | grep -E '^[0-9a-f]+$')" "$(publics h)"
same "the other guest's were reissued once" "$at" "$(anew g)"
ctl stop g >/dev/null
ctl stop h >/dev/null
stop_manager
H=one
check "and not on the old one any more" eval '! up >/dev/null'

# --- bound to states ----------------------------------------------------------
rm -rf "$STATE" && mkdir "$STATE"
ctl host keygen -o key.pem >/dev/null
check "a store that is bound to host states, with shares" up \
    --approval-key key.pem.pub --escrow 2:op1.pem,op2.pem
ctl host approve --current --key key.pem >/dev/null 2>&1
ctl create b >/dev/null
ctl start b >/dev/null
ek=$(ek_of b)
ctl stop b >/dev/null
stop_manager
for i in 1 2; do
	own --share "$STATE/escrow/share-$i-of-2.pem" --key "op$i.key" \
	    -o "b$i" >/dev/null 2>&1
done
H=two
check "on another TPM it waits" up_sealed --recover
check "it is recovered" ctl host recover b1 b2
check "it is still bound to the key, and says so" eval \
    '[ "$(jctl host status | jq -r .policy)" = approved ] &&
    ! jctl host status | jq -e ".approvals[0]" >/dev/null'
check "the guest starts" ctl start b
certs=$(certs b)
refused() { ctl audit | grep reissue-certs | grep -q refused; }
check "no certificates in an unapproved state" wait_for 60 refused
same "the old ones stay" "$certs" "$(certs b)"
ctl stop b >/dev/null
check "the new TPM's state is approved" ctl host approve --current \
    --key key.pem
stop_manager
check "it starts by that" up
check "the guest is who it was" eval 'ctl start b && [ "$(ek_of b)" = "$ek" ]'
check "now its certificates are reissued" wait_for 60 anew b
stop_manager
