#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# seal_guest.sh - in a real guest (OVMF, GRUB2, Debian's kernel): an update that
# was approved before the reboot opens the secret unattended; after it was
# revoked the old kernel's command line stays shut, and recovery opens.
. "$(dirname "$0")/lib.sh"
LAB=${LAB:-$B/lab}
. "$top/tests/lab/lab.sh"
need qemu-system-x86_64 grub-mkimage mkfs.vfat mcopy busybox cpio jq
PATH=$PATH:/usr/sbin:/sbin
cleanup_more() { lab_cleanup; }
S=$B/vtpm-seal
REF=6ba7b810-9dad-41d1-80b4-00c04fd430c8:root
ONE="console=ttyS0 panic=5"
TWO="console=ttyS0 panic=5 quiet"
SEL=sha256:0,1,2,3,4,5,6,7,8,9
cd "$T" || exit 1

guest() { "$B/tests/guestctl" do "$T/cmd.sock" 120 "$T" "$@"; }
sh_() { guest run "cd /tmp; $*"; }
put() { "$B/tests/guestctl" put "$T/cmd.sock" 60 "$(basename "$1")" "$1"; }
boots=0
TPM="--tcti device:/dev/tpmrm0"

boot() { # N COMMANDLINE
	lab_grub_cfg "$2" >"grub$1.cfg"
	lab_make_disk boot.img "grub$1.cfg" initrd.gz || return 1
	rm -f ./*.sock
	lab_qemu_common "$T"
	lab_qemu_uefi "$T" boot.img
	lab_qemu_tpm "$RUN/alice.swtpm" tpm-crb
	lab_start qemu.log qemu-system-x86_64 "${lab_qemu_args[@]}"
	qemu_pid=$lab_last_pid
	"$B/tests/guestctl" wait "$T/cmd.sock" 240
}
off() {
	cp console.log "console$((++boots)).log"
	guest poweroff >/dev/null 2>&1
	lab_wait_exit "$qemu_pid" 30
}

mkdir -p "$LAB"
lab_fetch_kernel >/dev/null 2>&1 || { echo "skip - no kernel"; exit 0; }
check "manager starts" start_manager --pool 0 || exit 1
check "a vTPM starts" eval "ctl create alice && ctl start alice" || exit 1
lab_make_initrd initrd.gz "$S" || exit 1
openssl genpkey -algorithm RSA -out boot.pem 2>/dev/null
openssl pkey -in boot.pem -pubout -out boot.pub
head -c 32 /dev/urandom | xxd -p -c 64 >secret
echo "correct horse" >words
echo '{"format":"vtpm-seal-approvals","version":1,"approvals":[]}' >a.json

check "the guest boots" boot 1 "$ONE" || exit 1
check "a secret is sealed in it" eval '
    for f in boot.pub secret words; do put $f || exit 1; done
    sh_ "vtpm-seal seal $TPM --authority boot.pub --ref $REF \
        --recovery-passphrase words -i secret -o blob" &&
    guest get blob'
put a.json
refuse "nothing is approved: refused" "no state is approved for $REF" \
    sh_ "vtpm-seal unseal $TPM -i blob -a a.json"
check "the guest's log" eval 'guest log && mv log log1'
check "its boot is approved from the log, on another machine" "$S" approve \
    --key boot.pem --ref $REF -a a.json --log log1 --select $SEL --epoch 1 \
    --label one
check "it opens" eval 'put a.json &&
    sh_ "vtpm-seal unseal $TPM -i blob -a a.json -o out; cmp out secret"'
cp a.json only-one.json
lab_grub_cfg "$TWO" >grub2.cfg
check "the next boot is predicted from its files" eval '
    lab_make_disk next.img grub2.cfg initrd.gz &&
    "$B/vtpm-measure" predict --disk next.img --learn log1 --json >two.json'
check "the next boot is approved before it, up to the next epoch" "$S" \
    approve --key boot.pem --ref $REF -a a.json --pcrs two.json --select $SEL \
    --epoch 2 --label two
check "the guest powers off" off

check "it boots with the new command line" boot 2 "$TWO" || exit 1
for f in blob secret a.json only-one.json; do put $f; done
refuse "without its approval: refused, PCR 8 is named" \
    "nearest is 'one': sha256 PCR 8" \
    sh_ "vtpm-seal unseal $TPM -i blob -a only-one.json"
check "approved before the reboot: it opens" sh_ \
    "vtpm-seal unseal $TPM -i blob -a a.json -o out && cmp out secret"
check "the old state is revoked, and this boot still opens" sh_ "vtpm-seal \
    revoke $TPM -i blob -a a.json && rm out &&
    vtpm-seal unseal $TPM -i blob -a a.json -o out && cmp out secret"
check "the guest powers off" off

check "the old one boots again" boot 3 "$ONE" || exit 1
for f in blob secret words a.json; do put $f; done
refuse "and is refused: revoked" "'one' of this boot was revoked" \
    sh_ "vtpm-seal unseal $TPM -i blob -a a.json"
check "recovery opens" sh_ "vtpm-seal unseal $TPM -i blob \
    --recovery-passphrase words -o out && cmp out secret"
check "the guest powers off" off
