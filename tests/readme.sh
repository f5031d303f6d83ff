#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# readme.sh - what README.md says to type is typed: its blocks in order, as they
# stand, on a host with a real guest (OVMF, GRUB2, Debian's kernel); a block for
# the guest is typed in the guest.  Not typed here:
#
#   make run                  .ci/run does
#   the demo image in QEMU    tests/lab/demo/demo.sh boots it by other options
#   make deb, apt install     tests/packages/check.sh does the same in its way
#   libvirt's XML             tests/consumers/libvirt.sh takes it from README
#   the picture               there is nothing to type
#
# Only this is filled in:
#
#   make                      it has run
#   qemu-system-x86_64 ...    the lab guest's options
#   device:/dev/tpmrm0        swtpm, which plays the host's TPM
#   --state ... --run ...     the usual folders, emptied
#
# /run and /var/lib are private to this script, which needs root.
[ -n "${README_PRIVATE:-}" ] ||
	exec env README_PRIVATE=1 unshare --mount --propagation private "$0" "$@"
. "$(dirname "$0")/integration/lib.sh"
LAB=${LAB:-$B/lab}
. "$top/tests/lab/lab.sh"
. "$top/tests/readme_block.sh"
need qemu-system-x86_64 grub-mkimage mkfs.vfat mcopy busybox cpio jq swtpm
bad=0
not_ok() { echo "not ok - $*"; bad=1; }
PATH=$B:$PATH:/usr/sbin:/sbin
mkdir -p "$LAB"
mount -t tmpfs run /run && mount -t tmpfs lib /var/lib || exit 1
RUN=/run/vtpm
export UUID=6ba7b810-9dad-41d1-80b4-00c04fd430c8
mkdir "$T/home" "$T/block"
ln -s "$B" "$T/home/build"
cd "$T/home" || exit 1

# --- the guest --------------------------------------------------------------
guest() { "$B/tests/guestctl" do "$T/cmd.sock" 120 "$PWD" "$@"; }
put() { "$B/tests/guestctl" put "$T/cmd.sock" 60 "$1" "$1"; }
up() { "$B/tests/guestctl" wait "$T/cmd.sock" 240; }
qemu_gone() { ! pgrep -f "path=$T/cmd.sock" >/dev/null; }
off() {
	guest poweroff >/dev/null 2>&1
	wait_for 60 qemu_gone
}
options() { # what stands for "..."
	lab_qemu_common "$T"
	lab_qemu_uefi "$T" "$PWD/guest.img"
	printf '%s ' "${lab_qemu_args[@]}"
}
cleanup_more() { lab_cleanup; }

# --- how a block is typed ---------------------------------------------------
# What it exports stays, and what it starts.
here() {
	bash -ea -c '. "$1"; export -p | sed "s/^declare -x/export/" >env' - "$1" &&
	    . ./env
}
in_guest() { # its lines, as one
	guest run "cd /tmp; NONCE=$NONCE; UUID=$UUID; $(sed 's/ *# .*//' "$1" |
	    sed ':a; /\\$/ { N; s/\\\n *//; ta }' | paste -sd@ |
	    sed 's/@/ \&\& /g')"
}
# It ends with its guest.
beside() {
	rm -f "$T"/*.sock
	bash -e "$1" >"$T/qemu.log" 2>&1 </dev/null &
	lab_pids+=($!)
	up || { cat "$T/qemu.log"; false; }
}
elsewhere() { :; }

# step HOW FIRST [SED...]: README's next block begins with FIRST.
blocks=0
step() {
	local how=$1 first=$2 f
	shift 2
	f=$T/block/$((++blocks))
	if [ "$(head -c ${#first} "$f" 2>/dev/null)" != "$first" ]; then
		not_ok "README's block $blocks begins with: $first"
		exit 1
	fi
	[ $# -eq 0 ] || sed -i "$@" "$f"
	check "$(head -1 "$f" | cut -c 1-70)" "$how" "$f" || exit 1
}
readme_blocks "$T/block"

lab_fetch_kernel >/dev/null 2>&1 || { not_ok "Debian's kernel is fetched"; exit 1; }
lab_grub_cfg "console=ttyS0 panic=5" >grub.cfg
lab_make_initrd initrd.gz "$B/vtpm-attest" "$B/vtpm-seal" &&
    lab_make_disk guest.img grub.cfg initrd.gz || exit 1

step elsewhere 'make run'
step elsewhere 'mkdir -p /tmp/tpm'
step elsewhere 'vtpmctl ---'
step elsewhere 'make deb'
step elsewhere 'curl ' # below, once there is a manager
metrics=$T/block/$blocks
step elsewhere '<tpm model'

step here make 1d # it is built
check "$(head -1 "$metrics" | cut -c 1-70)" here "$metrics"
step here 'export LD_LIBRARY_PATH'
step beside 'build/vtpmctl launch qemu' "s|\.\.\.|$(options)|"
launch=$T/block/$blocks
check "the guest powers off" off
step beside 'qemu-system-x86_64 ...' "s|\.\.\.|$(options)|"
check "the guest powers off" off
check "the measured guest again" eval 'beside "$launch"'
step here 'NONCE='
step in_guest vtpm-attest
check "its evidence leaves it" guest get evidence.json
step here 'build/vtpmctl --json status'

head -c 32 /dev/urandom >secret
openssl genpkey -algorithm RSA -out boot.pem 2>/dev/null
openssl pkey -in boot.pem -pubout -out boot.pub
check "a secret and a public key are there" eval 'put secret && put boot.pub'
step in_guest 'vtpm-seal seal -i'
step in_guest 'vtpm-seal seal --authority'
check "its log leaves it" eval 'guest log && mv log boot.log'
step here 'vtpm-seal approve'
check "the approvals reach it" put approvals.json
step in_guest 'vtpm-seal unseal'
check "the guest powers off" off
ended() { end_all; wait_for 20 no_workers; }
check "the manager ends, its vTPMs with it" ended
rm -rf /var/lib/vtpm

check "a TPM's maker certifies its EK" swtpm_made "$PWD" "$T/tpm.d"
mv roots.pem MAKER.pem
check "the host has a TPM" eval 'swtpm_run "$T/tpm.d" "$T/tpm"'
PIDS+=("$SWTPM_PID")
check "and has booted" swtpm_extend "$T/tpm" \
    0 10 1 11 2 12 3 13 4 14 5 15 6 16 7 17
step here 'build/vtpmctl host keygen' -e "s|device:/dev/tpmrm0|swtpm:path=$T/tpm|" \
    -e 's|--state \.\.\. --run \.\.\.|--state /var/lib/vtpm --run /run/vtpm|'
step here 'build/vtpmctl host enrol'
check "a guest on it" eval 'ctl create web1 && beside "$launch"'
step in_guest 'vtpm-attest --deep'
check "its evidence leaves it" guest get evidence.json
step here 'build/vtpm-verify -e'
check "the guest powers off" off
step here 'vtpmctl host keygen'
check "the manager ends, its vTPMs with it" ended
same "README has no other block" "$blocks" "$(ls "$T/block" | wc -l)"
[ $bad -eq 0 ]
