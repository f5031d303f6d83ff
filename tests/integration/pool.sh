#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pool.sh - provisioning: from the pool, without it, other kinds of TPM.
. "$(dirname "$0")/lib.sh"
need jq openssl

ready_is() { jctl status | jq -e ".pool.ready == $1" >/dev/null; }
workers() { find "$RUN/w" -type s | wc -l; }

start_manager --pool 3 || { not_ok "the manager starts"; exit 1; }
check "the pool fills by itself" wait_for 60 ready_is 3
jctl create p1 >"$T/p1"
check "a vTPM from the pool" jq -e '.from_pool' "$T/p1"
us=$(jq .microseconds "$T/p1")
if [ "$us" -gt 0 ] && [ "$us" -lt 60000 ]; then
	ok "is made in milliseconds ($us us)"
else not_ok "is made in milliseconds ($us us)"; fi
check "the pool is refilled in idle time" wait_for 60 ready_is 3
same "its certificates are for its own UUID" \
    "urn:uuid:$(jctl show p1 | jq -r .uuid)" "$(jctl show p1 |
	jq -r .ak.certificate | openssl x509 -noout -ext subjectAltName |
	grep -o 'urn:uuid:[-0-9a-f]*')"
ctl create p0 --uuid 11111111-2222-4333-8444-000000000000 --json >"$T/p0"
check "with a UUID of one's own it is from the pool, too" \
    jq -e '.from_pool' "$T/p0"
same "for that UUID" "urn:uuid:11111111-2222-4333-8444-000000000000" \
    "$(jctl show p0 | jq -r .ak.certificate |
	openssl x509 -noout -ext subjectAltName |
	grep -o 'urn:uuid:[-0-9a-f]*')"

check "a UUID of one's own" ctl create p2 \
    --uuid 11111111-2222-4333-8444-555555555555
same "is the one that was asked for" 11111111-2222-4333-8444-555555555555 \
    "$(jctl show p2 | jq -r .uuid)"
refuse "the same UUID again is refused" 'belongs to guest p2' \
    ctl create p3 --uuid 11111111-2222-4333-8444-555555555555
refuse "a UUID that is none is refused" 'not a UUID' \
    ctl create p3 --uuid 1234
refuse "a version that is none is refused" '2.0 or 1.2' \
    ctl create p3 --tpm 3.0
refuse "SHA-1 alone is refused" 'sha1|SHA-1' ctl create p3 --banks sha1
check "beside another bank it is not" ctl create p3 --banks sha1,sha256

jctl create two --banks sha256,sha384 >"$T/two"
check "other banks are manufactured on demand" \
    jq -e '.from_pool == false' "$T/two"
same_kind() { jctl create "two$1" --banks sha256,sha384 | jq -e .from_pool; }
ctl start two >/dev/null
same "and are active" "sha256 sha384" \
    "$(t2 two tpm2_getcap pcrs | sed -n 's/.*- \(sha[0-9]*\): \[ [0-9].*/\1/p' |
    xargs)"
check "a TPM 1.2" ctl create old --tpm 1.2
wants_more() { jctl status | jq -e \
    '.pool.wanted > .pool.size + 1 and .pool.ready == .pool.wanted'; }
check "what was asked for is made in advance from now on" \
    wait_for 60 wants_more
check "so the next one with these banks is from the pool" same_kind 2
check "and the next TPM 1.2" eval \
    'jctl create old2 --tpm 1.2 | jq -e .from_pool'
check "its certificate leads to the CA" eval \
    'jctl status | jq -r .ca_certificate >"$T/ca.pem" &&
    jctl show old2 | jq -r .ek_rsa.certificate >"$T/old2.pem" &&
    openssl verify -x509_strict -CAfile "$T/ca.pem" \
    -untrusted "$T/old2.pem" "$T/old2.pem"'
check "starts" ctl start old
same "and is listed as one" 1.2 \
    "$(jctl list | jq -r '.[]|select(.name=="old").tpm')"

# Law 9: nothing that two of them have is the same.
for i in 1 2 3 4; do ctl create same$i >/dev/null; done
n=$(for i in 1 2 3 4; do jctl show same$i | jq -r \
    '.ek_rsa.name, .ek_ecc.name, .ak.name'; done | sort -u | wc -l)
same "four vTPMs have twelve different keys" 12 "$n"
jctl show same1 | jq -r .ek_rsa.certificate | openssl x509 -noout -subject \
    -issuer -ext subjectAltName >"$T/cert" 2>&1
check "the EK certificate is signed by the host's CA" \
    grep -qi 'issuer' "$T/cert"
check "nothing unclaimed is left behind by destroy" ctl destroy p1

stop_manager KILL
start_manager --pool 0 || not_ok "the manager comes back without a pool"
check "unclaimed workers of a killed manager are ended" \
    wait_for 10 sh -c "[ \$(find '$RUN/w' -type s | wc -l) -eq 3 ]"
jctl create none >"$T/none"
check "without a pool a vTPM is manufactured" \
    jq -e '.from_pool == false' "$T/none"
ready_is 0 && ok "and the pool stays empty" || not_ok "the pool stays empty"
