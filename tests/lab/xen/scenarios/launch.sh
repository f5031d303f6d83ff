# SPDX-License-Identifier: BSD-3-Clause
# launch - guests that are measured before they run: vtpmctl launch xen.
LIMIT=1500
verify() { # EVIDENCE: exit code of vtpm-verify, its words in /tmp/verdict
	vtpm-verify -e "$1" --nonce $nonce --policy /tmp/policy.json \
	    --ca /tmp/ca.pem >/tmp/verdict 2>&1
}
refuses() { # EVIDENCE WORDS: refused, and it says so
	verify "$1"
	[ $? = 1 ] && grep -Eq "$2" /tmp/verdict && return
	cat /tmp/verdict
	return 1
}
ups() { console "$1" | grep -c '^@READY'; }
ended() { xl destroy "$1"; wait_for 20 gone "$1"; }
said() { last_boot "$1" | grep -E "^@($2)" | head -3 | sed 's/^/# /'; }

nonce=00112233445566778899aabbccddeeff
zero=0000000000000000000000000000000000000000000000000000000000000000
start_manager
check "vTPMs are provisioned" eval 'ctl create m12 --tpm 1.2 &&
    ctl create m20 && ctl create mpvh'
ctl --json status | sed -n 's/.*"ca_certificate": *"\(.*\)".*/\1/p' |
    sed 's/\\n/\n/g' >/tmp/ca.pem
START="vtpmctl --run $RUN launch xen"

# --- TPM 1.2, stock driver -------------------------------------------------
must "a PV guest with a TPM 1.2 is launched measured" \
    guest m12 "$(uuid_of m12)"
must "it comes up" wait_for 60 up m12
console m12 | tr -d '\r' |
    sed -n 's/^@PCR12 *\([0-9][0-9]\) *\([0-9A-F]\{40\}\)$/\1 \2/p' |
    sed 's/^0//' | tr A-F a-f >/tmp/seen
same "24 PCRs are read in the guest" 24 "$(wc -l </tmp/seen)"
[ -s /tmp/seen ] || console m12 | tail -12 | cut -c 1-150 | sed 's/^/# /'
pcrs_of m12 sha1 >/tmp/pcrs
same "each equals what the TPM has" "" "$(unlike /tmp/seen /tmp/pcrs)"
replayed m12 sha1 "$(printf '%040d' 0)" >/tmp/pcrs
same "each equals what the manager measured and logged" "" \
    "$(unlike /tmp/seen /tmp/pcrs)"
grep -cv ' 0*$' /tmp/seen | sed 's/^/# PCRs that are not zero: /'
same "a launch was recorded" true \
    "$(show m12 | sed -n 's/.*"launched": *\([a-z]*\).*/\1/p' | head -1)"
ended m12

# --- TPM 2.0: evidence, a secret, a reboot ---------------------------------------
u=$(uuid_of m20)
ek=$(ek_of m20)
dd if=/dev/zero of=/tmp/xvdb.img bs=64k count=1 2>/dev/null
losetup /dev/loop1 /tmp/xvdb.img
cp /guest/initrd.gz /tmp/m20.initrd
INITRD=/tmp/m20.initrd
MORE='disk=["phy:/dev/loop1,xvdb,w"]'
words="vtpm.attest=$nonce vtpm.seal=sha256:0,1,4,8,9"
must "a PV guest with a TPM 2.0 is launched measured" guest m20 "$u" $words
must "it comes up" wait_for 90 up m20
evidence m20 /tmp/e1.json
check "it made evidence" [ -s /tmp/e1.json ] || said m20 ATTEST
check "a policy is made of this boot" vtpm-verify policy \
    --from /tmp/e1.json --name good -o /tmp/policy.json
check "which accepts it" verify /tmp/e1.json || sed 's/^/# /' /tmp/verdict
check "the guest sealed a secret to its state" says m20 '^@SEALED' ||
    said m20 SEAL
pcrs_of m20 sha256 | grep -E '^[014789] ' >/tmp/pcrs1
p1=$(power_cycles m20)
d1=$(xl domid m20)
check "xl reboot" xl reboot m20
check "it comes up again" wait_for 120 eval '[ "$(ups m20)" = 2 ]' || {
	xl list | sed 's/^/# /'
	sed 's/^/# /' /var/log/xen/vtpm-m20.log
}
pcrs_of m20 sha256 | grep -E '^[014789] ' >/tmp/pcrs2
check "as another domain" [ "$(xl domid m20)" != "$d1" ]
check "its PCRs started again, and are the same" eval \
    '[ "$(wc -l </tmp/pcrs1)" = 6 ] && cmp /tmp/pcrs1 /tmp/pcrs2'
check "that was a power cycle" [ "$(power_cycles m20)" -gt "$p1" ]
same "the endorsement key stays" "$ek" "$(ek_of m20)"
evidence m20 /tmp/e2.json
check "the policy accepts it" verify /tmp/e2.json || sed 's/^/# /' /tmp/verdict
check "the secret is unsealed" eval \
    'last_boot m20 | grep -q "^@UNSEALED the cat is in the bag"' ||
    said m20 'UNSEAL|REFUSED'
ended m20

# --- tampering ------------------------------------------------------------------
mkdir -p /tmp/more && echo evil >/tmp/more/evil
(cd /tmp/more && echo evil | cpio -o -H newc) >>/tmp/m20.initrd 2>/dev/null
must "another initrd under the same name starts" guest m20 "$u" $words
must "and comes up" wait_for 90 up m20
evidence m20 /tmp/e3.json
check "vtpm-verify names the initrd" refuses /tmp/e3.json \
    'PCR 9.*m20.initrd|initrd' && grep -i 'fail.*initrd' /tmp/verdict |
    head -2 | sed 's/^/# /'
check "the secret stays closed" eval 'last_boot m20 | grep -q "^@REFUSED"' ||
    said m20 'UNSEAL|REFUSED'
said m20 REFUSED
ended m20
cp /guest/initrd.gz /tmp/m20.initrd
must "an extra word on the command line starts" \
    guest m20 "$u" $words init=/bin/sh2
must "and comes up" wait_for 90 up m20
evidence m20 /tmp/e4.json
check "vtpm-verify names the command line" refuses /tmp/e4.json \
    'PCR 8.*init=/bin/sh2' && grep 'init=/bin/sh2' /tmp/verdict | head -2 |
    cut -c 1-300 | sed 's/^/# /'
check "the secret stays closed" eval 'last_boot m20 | grep -q "^@REFUSED"'
ended m20
MEM=$((${MEM:-200} + 4))
must "another memory size starts" guest m20 "$u" $words
must "and comes up" wait_for 90 up m20
evidence m20 /tmp/e5.json
check "vtpm-verify names the configuration" refuses /tmp/e5.json \
    'PCR 1|configuration' && grep -iE 'PCR 1 |PCR 1:|config' /tmp/verdict |
    head -3 | cut -c 1-300 | sed 's/^/# /'
check "the secret stays closed" eval 'last_boot m20 | grep -q "^@REFUSED"'
ended m20
MEM=$((MEM - 4))
must "the good state starts once more" guest m20 "$u" $words
must "and comes up" wait_for 90 up m20
check "the secret is there" eval \
    'last_boot m20 | grep -q "^@UNSEALED the cat is in the bag"'
ended m20
START="xl create"
must "plain xl create, the same configuration" guest m20 "$u" $words
must "comes up" wait_for 90 up m20
same "it does not inherit the launch" $zero "$(pcr_of m20 sha256 9)"
check "and has not the secret" eval 'last_boot m20 | grep -q "^@REFUSED"'
ended m20
losetup -d /dev/loop1
rm -f /tmp/m20.initrd /tmp/xvdb.img
INITRD="" MORE="" MEM=""

# --- PVH, by the hook for those who call xl --------------------------------------
TYPE=pvh START="env VTPM_XL=/bin/xl VTPM_RUN=$RUN sh /bin/xl-vtpm create"
must "a PVH guest is launched measured by the xl hook" \
    guest mpvh "$(uuid_of mpvh)" vtpm.attest=$nonce
must "it comes up" wait_for 90 up mpvh
evidence mpvh /tmp/e6.json
check "a policy is made of its boot" vtpm-verify policy \
    --from /tmp/e6.json --name pvh -o /tmp/policy.json
check "which accepts it" verify /tmp/e6.json || sed 's/^/# /' /tmp/verdict
ended mpvh
check "no vtpm-xenwait is left" wait_for 30 eval '! pidof vtpm-xenwait'
sed 's/^/# /' /var/log/xen/vtpm-*.log
TYPE=""
START=""
