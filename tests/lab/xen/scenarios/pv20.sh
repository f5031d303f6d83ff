# SPDX-License-Identifier: BSD-3-Clause
# pv20 - a PV guest with a TPM 2.0 on stock xen-tpmfront: the raw device.
LIMIT=360
start_manager
same "vtpm-xenback is in its jail" "0000000000000000 1 2" "$(sed -n \
    's/^\(CapEff\|NoNewPrivs\|Seccomp\):\t//p' \
    "/proc/$(pidof vtpm-xenback)/status" | xargs)"
check "a TPM 2.0 is provisioned" ctl create two
check "another one" ctl create other
u=$(uuid_of two)
ek=$(ek_of two)
nonce=00112233445566778899aabbccddeeff
must "a PV guest starts with it" guest two "$u" vtpm.attest=$nonce
must "it comes up" wait_for 90 up two
console two | grep '^@ATTEST' | sed 's/^/# /'
evidence two /tmp/e.json
check "the guest made evidence through the ring" [ -s /tmp/e.json ]
check "the quote in it verifies" evidence_quote /tmp/e.json $nonce
not_served=$(guest thief "$u" 2>&1 && echo served)
same "a second domain with the same uuid is refused" "" \
    "$(echo "$not_served" | grep -x served)"
xl destroy thief 2>/dev/null
check "an unknown uuid is refused" \
    refused_guest ghost 12345678-1234-4123-8123-123456789abc
p1=$(power_cycles two)
xl vtpm-detach two 0 >/dev/null 2>&1
check "detached" wait_for 15 detached two
check "attached" xl vtpm-attach two backend=0 uuid="$u"
sleep 3
same "detach and attach is no power cycle" "$p1" "$(power_cycles two)"
xl destroy two
must "a new domain with the same vTPM starts" guest two "$u"
must "it comes up as well" wait_for 60 up two
same "a new domain is a power cycle" "$((p1 + 1))" "$(power_cycles two)"
same "the endorsement key stays" "$ek" "$(ek_of two)"
