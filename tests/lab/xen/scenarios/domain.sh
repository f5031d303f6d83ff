# SPDX-License-Identifier: BSD-3-Clause
# domain - the manager in a separate domain: it owns the host's TPM and the
# store, serves two guests, and is destroyed and created again.
LIMIT=900
tis=$(ls /sys/bus/platform/drivers/tpm_tis 2>/dev/null | grep MSFT0101)
mm_tty() { xenstore-read "/local/domain/$(xl domid vtpmmgr)/console/tty"; }
mm_log() { tr -d '\r' </var/log/xen/console/guest-vtpmmgr.log; }
mm_ready() { mm_log | grep -q 'vtpm-managerd: ready'; }
# One vtpmctl command on the manager's console; its lines.
mm() {
	local before tries=600
	before=$(mm_log | wc -l)
	echo "$*" >"$(mm_tty)"
	until mm_log | tail -n +$((before + 1)) | grep -q '^= '; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
	mm_log | tail -n +$((before + 1)) | sed '/^= /d' >/tmp/mm.out
	cat /tmp/mm.out
	mm_log | tail -1 | grep -q '^= 0'
}
mm_uuid() { mm --json show "$1" | key uuid; }
mm_ek() { mm show "$1" | sed -n 's/^EK[^0-9]*//p'; }
mm_boot() { xl create /domain/vtpmmgr.cfg; }
mm_launch() { sh /bin/vtpmmgr-launch /domain/vtpmmgr.cfg >/tmp/mm.launch; }
mm_guest() { # NAME UUID
	guest "$1" "$2" >/tmp/guest.out 2>&1
}

gunzip -c /domain/xvda.gz >/tmp/xvda.img
check "a disk for the store" losetup /dev/loop0 /tmp/xvda.img
mkdir -p /domain
sed -e 's|phy:[^,]*|phy:/dev/loop0|' -e 's|"[^"]*/vmlinuz"|"/guest/vmlinuz"|' \
    -e 's|"[^"]*/initrd.gz"|"/domain/initrd.gz"|' /domain/vtpmmgr.cfg.in \
    >/domain/vtpmmgr.cfg
pcr13() { TPM2TOOLS_TCTI=device:/dev/tpmrm0 tpm2_pcrread sha256:13 |
    sed -n 's/.*13: *0x//p' | tr A-F a-f; }
check "dom0 has a TPM on TIS" [ -n "$tis" ]
same "PCR 13 is fresh" "$(printf '%064d' 0)" "$(pcr13)"
check "dom0 measures the manager's domain and starts it" mm_launch
sed 's/^/# /' /tmp/mm.launch
same "its kernel, initrd and configuration" 3 "$(grep -c ^PCR /tmp/mm.launch)"
check "and has let the TPM go" [ ! -e /dev/tpm0 ]
check "the manager in it is ready" wait_for 120 mm_ready
mm_log | sed 's/^/# /' | tail -15
same "it stands on the host's TPM" "vtpmmgr: root device:/dev/tpmrm0" \
    "$(mm_log | grep '^vtpmmgr: root')"
check "a vTPM is provisioned on its console" mm create one
check "and another" mm create two
u1=$(mm_uuid one) u2=$(mm_uuid two)
ek1=$(mm_ek one) ek2=$(mm_ek two)
backend=vtpmmgr
must "a guest starts with backend=vtpmmgr" mm_guest one "$u1"
must "and another one" mm_guest two "$u2"
must "the first comes up" wait_for 120 up one
must "the second comes up" wait_for 120 up two
same "the first has a TPM" "@DEV /dev/tpm0" "$(console one | grep '^@DEV')"
same "the second has a TPM" "@DEV /dev/tpm0" "$(console two | grep '^@DEV')"
check "dom0 has no store, no manager and no key" eval \
    '[ ! -e $STATE ] && ! pidof vtpm-managerd && [ ! -e /dev/tpm0 ]'
xl destroy one 2>/tmp/destroy.out
xl destroy two 2>>/tmp/destroy.out
same "their devices go without a word" "" "$(cat /tmp/destroy.out)"
xl destroy vtpmmgr
check "the domain is gone" wait_for 20 gone vtpmmgr
rm -f /var/log/xen/console/guest-vtpmmgr.log
check "it is created again" mm_boot
check "and ready" wait_for 120 mm_ready
same "the first guest's identity is the same" "$u1 $ek1" \
    "$(mm_uuid one) $(mm_ek one)"
same "the second's, too" "$u2 $ek2" "$(mm_uuid two) $(mm_ek two)"
START="vtpmctl launch xen"
check "its guest is launched measured, by the domain's console" \
    mm_guest one "$u1" || sed 's/^/# /' /tmp/guest.out
START=""
must "and comes up" wait_for 120 up one
mm --json log one --pcrs >/dev/null
check "what it booted is in its PCRs" eval \
    'sed -n "s/.*\"9\": *\"\([0-9a-f]*\).*/\1/p" /tmp/mm.out |
	grep -q "[1-9a-f]"'
mm_log | sed 's/^/# /' | tail -10
xl destroy one
xl shutdown vtpmmgr
check "told to shut down, it closes its store" wait_for 60 eval \
    'mm_log | grep -q "vtpmmgr: the store is closed"'
xl destroy vtpmmgr 2>/dev/null
losetup -d /dev/loop0
rm -f /tmp/xvda.img
backend=0
echo "$tis" >/sys/bus/platform/drivers/tpm_tis/bind
check "dom0 has a TPM again" wait_for 30 eval 'ls /dev/tpmrm?' || {
	ls -l /dev/tpm* | sed 's/^/# /'
	dmesg | tail -3 | sed 's/^/# /'
}
