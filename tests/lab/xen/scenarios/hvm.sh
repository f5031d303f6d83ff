# SPDX-License-Identifier: BSD-3-Clause
# hvm - an HVM guest with PV drivers (our kernel module), launched measured:
# its firmware and device model, too.  The same as for PV guests: PCRs, quote.
LIMIT=420
nonce=00112233445566778899aabbccddeeff
start_enrolled_manager
check "a TPM 2.0 is provisioned" ctl create hvm
TYPE=hvm INITRD=/guest/small.gz MEM=400 MORE=$hvm_more
START="vtpmctl --run $RUN launch xen"
must "an HVM guest is launched measured" guest hvm "$(uuid_of hvm)" \
    vtpm.front=module vtpm.module=pcrs vtpm.attest=$nonce vtpm.deep=1
check "it comes up" wait_for 240 up hvm || hvm_why
console hvm | grep '^@SAYS' | sed 's/^/# /'
check "/dev/tpmrm0 is there" says hvm '^@DEV /dev/tpmrm0'
pcrread hvm >/tmp/seen
same "tpm2_pcrread tells those of the launch" 10 "$(wc -l </tmp/seen)"
replayed hvm sha256 "$(printf '%064d' 0)" >/tmp/pcrs
same "each equals what the manager measured and logged" "" \
    "$(unlike /tmp/seen /tmp/pcrs)"
check "firmware and device model are in the log" eval \
    'ctl log hvm >/tmp/log && grep -q bios-256k /tmp/log &&
    grep -q hvmloader /tmp/log && grep -q xen-qemu-system-i386 /tmp/log' ||
    sed 's/^/# /' /tmp/log
evidence hvm /tmp/e.json
check "a quote through /dev/tpmrm0 verifies, a deep one" \
    deep_accepted /tmp/e.json $nonce
xl destroy hvm
