#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# demo.sh [--check] ISO - a bootable image that tells, on the console of any
# UEFI machine with a TPM 2.0, what `make run-xen` tells, and leaves a shell with
# a guided tour: GRUB2 measured boot, then Xen with the manager in dom0, or a
# Linux host.  --check boots both in QEMU with a TPM, reads along, and types in
# the shells.
set -u
check=
[ "${1:-}" != --check ] || { check=1; shift; }
iso=$(realpath -m "$1")
cd "$(dirname "$0")/../../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
here=$PWD/tests/lab/demo
. tests/lab/lab.sh
. tests/lab/xen/xenlab.sh
D=$B/lab/demo

# Keyboards: what Debian's kernel has as modules.
keyboards="xhci-pci ehci-pci uhci-hcd hid-generic usbhid"

# Over dom0's user space: the story, the shell, keyboards, our TCTI.
add_story() { # root
	mkdir -p "$1"/{lib,scenarios,etc,mods/input,bin}
	install -m 755 "$here/demo-init" "$1/init"
	cp "$here/profile" "$1/etc/profile"
	cp "$here/tour-qemu.sh" "$1/scenarios/"
	# shellcheck disable=SC2086
	modules_put "$xl_mods" "$1/mods/input" $keyboards \
	    >"$1/mods/input/list" || return 1
	cp "$B/libtss2-tcti-tpmfront.so.0" "$1/lib/"
	xl_add_libs "$1" "$B/libtss2-tcti-tpmfront.so.0"
}
# For the host without Xen: QEMU, its firmware, and a guest.
add_qemu() { # root
	local f
	mkdir -p "$1"/{lib,bin,guest,usr/share/seabios,usr/share/qemu}
	xl_add "$1" "$(command -v qemu-system-x86_64)"
	for f in bios-256k.bin vgabios-stdvga.bin; do
		cp -L "/usr/share/seabios/$f" "$1/usr/share/seabios/"
	done
	for f in linuxboot_dma.bin linuxboot.bin kvmvapic.bin; do
		cp -L "/usr/share/qemu/$f" "$1/usr/share/qemu/"
	done
	lab_make_initrd "$1/guest/lab.gz" "$B/vtpm-attest" "$B/vtpm-seal"
	echo "qemu-system-x86_64 -nodefaults -display none -M q35 -m 256" \
	    "-accel kvm -accel tcg -kernel /guest/vmlinuz" \
	    "-initrd /guest/lab.gz" >"$1/guest/qemu.args"
}
build() {
	local r=$D/root
	command -v grub-mkrescue xorriso >/dev/null || {
		echo "make demo needs grub-mkrescue and xorriso" >&2
		return 1
	}
	echo "building the host ..."
	xl_build || return 1
	echo "making the image ..."
	rm -rf "$r" "$D/iso"
	mkdir -p "$D/iso/boot/grub"
	add_story "$r" && xl_pack "$r" "$D/story" || return 1
	cat "$XL/dom0.gz" "$D/story" | gzip -n -1 >"$D/iso/boot/host.gz"
	rm -rf "$r" "$D/story"
	add_qemu "$r" && xl_pack "$r" "$D/qemu" || return 1
	gzip -n -1 <"$D/qemu" >"$D/iso/boot/qemu.gz"
	rm -rf "$r" "$D/qemu"
	cp "$xl_root"/boot/xen-[0-9]*-amd64.gz "$D/iso/boot/xen.gz"
	cp "$xl_kernel" "$D/iso/boot/vmlinuz"
	cp "$here/grub.cfg" "$D/iso/boot/grub/"
	grub-mkrescue -d /usr/lib/grub/x86_64-efi --modules="tpm" \
	    -o "$iso.new" "$D/iso" >"$D/iso.log" 2>&1 || {
		tail -5 "$D/iso.log" >&2
		return 1
	}
	mv "$iso.new" "$iso"
	echo "$iso: $(($(stat -c %s "$iso") / 1048576)) MiB"
}

# --- the check ---------------------------------------------------------------
bad=0
ok() { echo "ok - $* ($((SECONDS - t0)) s)"; }
not_ok() {
	echo "not ok - $*"
	tail -30 "$T/out" | sed 's/^/#   /'
	bad=1
}
shows() { tr -d '\r\0' <"$T/out" | grep -qaE -- "$1"; }
wait_shows() { # TEXT PATTERN SECONDS
	local end=$((SECONDS + $3))
	until shows "$2"; do
		if [ $SECONDS -ge $end ] || ! kill -0 "$qemu" 2>/dev/null; then
			not_ok "$1"
			return 1
		fi
		sleep 0.3
	done
	ok "$1"
}
typed() { printf '%s\n' "$*" >&3; }
boot() { # HOTKEY
	T=$(mktemp -d "$D/boot.XXXXXX")
	mkfifo "$T/s.in" "$T/s.out"
	cp -a "$XL/maker/tpm" "$T/tpm"
	lab_start "$T/swtpm.log" swtpm socket --tpm2 --tpmstate "dir=$T/tpm" \
	    --flags startup-clear --ctrl "type=unixio,path=$T/tpm.sock"
	lab_qemu_args=()
	lab_qemu_firmware "$T"
	cat "$T/s.out" >"$T/out" &
	lab_pids+=($!)
	lab_start "$T/qemu.log" qemu-system-x86_64 -nodefaults -display none \
	    -M q35 -m 4096 -smp 2 -accel tcg,thread=multi -no-reboot \
	    -cpu qemu64,+smep,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand,+svm,+npt \
	    "${lab_qemu_args[@]}" \
	    -drive "if=none,id=cd,media=cdrom,readonly=on,format=raw,file=$iso" \
	    -device ide-cd,drive=cd,bootindex=1 -device VGA \
	    -chardev "pipe,id=s,path=$T/s" -serial chardev:s \
	    -chardev "socket,id=tpm,path=$T/tpm.sock" \
	    -tpmdev emulator,id=t,chardev=tpm -device tpm-tis,tpmdev=t
	qemu=$lab_last_pid
	exec 3>"$T/s.in"
	until shows 'The highlighted entry|executed automatically'; do
		kill -0 "$qemu" 2>/dev/null || return 1
		[ $SECONDS -lt $((t0 + 120)) ] || return 1
		sleep 0.3
	done
	printf %s "$1" >&3
}
ends() {
	local n
	n=$(tr -d '\r' <"$T/out" | grep -ac '^not ok - ')
	[ "$n" = 0 ] || not_ok "no step of the story failed: $n did"
	typed "poweroff -f"
	lab_wait_exit "$qemu" 60 || not_ok "it powers off"
	exec 3>&-
	lab_cleanup
	cp "$T/out" "$D/$1.out"
	rm -rf "$T"
}
# What is typed is echoed: the quotation marks tell the answer from it.
check_host() { # NAME HOTKEY
	t0=$SECONDS
	boot "$2" || { not_ok "$1: GRUB shows its menu"; return; }
	wait_shows "$1: the story begins" 'The manager is started on it' 300 &&
	    wait_shows "$1: and comes to its end" 'wrote down of all this' 900 &&
	    wait_shows "$1: a shell with a tour" 'tour. shows this again' 60 &&
	    typed 'vtpmctl create db && vtpmctl list | grep -q "^db" &&' \
		'echo db-"made"' &&
	    wait_shows "$1: what is typed there works" '^db-made' 60 &&
	    typed 'vtpmctl host pcrs | grep -q "\"9\": \"0*[1-9a-f]" &&' \
		'echo PCR9-"set"' &&
	    wait_shows "$1: GRUB measured what it loaded" '^PCR9-set' 60
	[ "$1" != linux ] || guest_under_qemu
	ends "$1"
}
# It is emulated twice here: five minutes.
guest_under_qemu() {
	typed 'guest' &&
	    wait_shows "linux: a guest boots under QEMU, measured" \
		'lab guest: user space is up' 900
	typed $'\003' # the shell again
	sleep 2
}

trap lab_cleanup EXIT
trap 'exit 130' INT TERM
mkdir -p "$D" "$(dirname "$iso")"
LAB=$D
build || exit 1
[ -n "$check" ] || exit 0
for h in ${HOSTS:-xen linux}; do
	check_host "$h" "${h:0:1}" # its hotkey
done
[ $bad -eq 0 ]
