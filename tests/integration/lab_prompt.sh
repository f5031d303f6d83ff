#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# lab_prompt.sh - the lab tells a guest that waits for a person at GRUB's prompt
# from one that boots slowly or hangs; drivers that are not there are an error.
. "$(dirname "$0")/lib.sh"
LAB=$T/lab
. "$top/tests/lab/lab.sh"
need qemu-system-x86_64 grub-mkimage mkfs.vfat mcopy xz
PATH=$PATH:/usr/sbin:/sbin
cleanup_more() { lab_cleanup; }
mkdir -p "$LAB" "$T/mods" "$T/out"

echo "not a kernel" >"$T/kernel"
lab_kernel=$T/kernel
echo nonsense >"$T/grub.cfg"
check "a disk whose grub.cfg starts nothing" lab_make_disk "$T/disk" \
    "$T/grub.cfg" "$T/kernel" || exit 1
lab_qemu_common "$T"
lab_qemu_uefi "$T" "$T/disk"
check "before it runs it waits for nobody" eval '! lab_stuck "$T/console.log"'
lab_start "$T/qemu.log" qemu-system-x86_64 "${lab_qemu_args[@]}"
check "a guest that waits at GRUB's prompt is told apart, with GRUB's words" \
    wait_for 90 eval 'lab_stuck "$T/console.log" |
	grep -q "GRUB.*error: can.t find command .nonsense"'
lab_cleanup
printf 'BdsDxe: starting Boot0001\r\n[    0.0] Linux version 6\r\n' >"$T/slow"
check "one that boots is not" eval '! lab_stuck "$T/slow"'

# Modules as distributions ship them.
echo one >"$T/mods/one-two.ko"
printf 'x\0depends=one_two\0' | xz >"$T/mods/three.ko.xz"
printf 'x\0depends=three,inside\0' | gzip >"$T/mods/four.ko.gz"
echo kernel/drivers/inside.ko >"$T/mods/modules.builtin"
same "a driver comes uncompressed, behind what it needs" \
    "one_two.ko three.ko four.ko" \
    "$(modules_put "$T/mods" "$T/out" four | xargs)"
same "as it was packed" "x depends=one_two" \
    "$(tr '\0' ' ' <"$T/out/three.ko" | xargs)"
refuse "one that is missing is named" "no driver five in $T/mods" \
    modules_put "$T/mods" "$T/out" four five four
printf 'x\0depends=six\0' >"$T/mods/seven.ko"
refuse "one that another one needs, too" "no driver six" \
    modules_put "$T/mods" "$T/out" seven
echo broken >"$T/mods/eight.ko.xz"
refuse "a broken file is none" "cannot be unpacked" \
    modules_put "$T/mods" "$T/out" eight
if [ -e "$B/vtpm-xen.so" ]; then
	refuse "a domain without its drivers is not built" \
	    "no driver xen-evtchn.*|cannot do its work" env B="$B" \
	    KERNEL="$T/kernel" MODULES="$T/mods" \
	    "$top/tools/domain/build.sh" "$T/domain"
	check "and leaves nothing to boot" [ ! -e "$T/domain/initrd.gz" ]
else
	echo "skip - the manager's own domain: libxen-dev is not installed"
fi

# Two tests that want the same files.
fetch() { deb_unpack "$T/cache/x" hello; }
apt-get() { # stands for the mirror: slow, and counts
	echo one >>"$T/fetched"
	sleep 1
	cp "$T/x.deb" .
}
mkdir -p "$T/x/DEBIAN" "$T/x/file"
printf 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n' \
    >"$T/x/DEBIAN/control"
dpkg-deb -b "$T/x" "$T/x.deb" >/dev/null
fetch >/dev/null &
fetch >/dev/null &
check "two that fetch the same" eval 'wait -n && wait -n'
same "download it once" "1 $T/cache/x/file" \
    "$(wc -l <"$T/fetched") $(ls -d "$T/cache/x/file")"
