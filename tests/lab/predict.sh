#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# predict.sh - predict boots from their files, boot them on our vTPM, compare
# PCR by PCR.  Arguments: names of boots (all); --doc writes the table of this
# release of Debian in doc/BOOT.md.  A boot takes 20-40 s.
set -u
B=${B:-build}
cd "$(dirname "$0")/../.." || exit 1
case $B in /*) ;; *) B=$PWD/$B ;; esac
export B LD_LIBRARY_PATH=$B${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
. tests/lab/lab.sh

OUT=$B/predict
STUB=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
CMDLINE="console=ttyS0 panic=5"
T="" RUN=""
doc= failed=0 n=0

die() {
	printf 'FAILED: %s\n' "$1" >&2
	[ -z "${2:-}" ] || lab_text "$2" | tail -15 >&2
	exit 1
}
finish() {
	lab_cleanup
	[ -z "$T" ] || "$B/vtpm-managerd" --run "$RUN" --stop-all >/dev/null 2>&1
	rm -rf "$T"
}
trap finish EXIT
trap 'exit 130' INT TERM

ctl() { "$B/vtpmctl" --run "$RUN" "$@"; }
guest() { "$B/tests/guestctl" do "$T/cmd.sock" 60 "$OUT" "$@"; }

start() {
	local i
	T=$(mktemp -d "${TMPDIR:-/tmp}/vtpm-predict.XXXXXX")
	chmod 755 "$T"
	RUN=$T/run
	mkdir -p "$OUT" "$LAB/cache" "$RUN" "$T/state"
	lab_fetch_kernel || die "no kernel"
	lab_make_initrd "$LAB/initrd.gz" "$B/vtpm-attest" "$B/vtpm-seal" ||
	    die "no initrd"
	lab_start "$T/manager.log" "$B/vtpm-managerd" --state "$T/state" \
	    --run "$RUN"
	for ((i = 0; i < 150; i++)); do
		grep -aq 'managerd: ready' "$T/manager.log" && return
		sleep 0.2
	done
	die "the manager did not start" "$T/manager.log"
}

# --- guests ----------------------------------------------------------------------

# boot NAME [QEMU'S OPTIONS]: with lab_disk, if there is one, until user space
# answers; its PCRs go to $OUT/NAME.pcrs, its event log to $OUT/NAME.log.
boot() {
	local name=$1 i
	shift
	rm -f "$T"/*.sock
	lab_qemu_common "$T"
	lab_qemu_firmware "$T"
	[ -z "$lab_disk" ] || lab_qemu_args+=(
	    -drive "if=none,id=boot,format=raw,snapshot=on,file=$lab_disk"
	    -device "ide-hd,drive=boot,bootindex=1")
	ctl create "$name" >"$T/ctl.log" 2>&1 && ctl start "$name" \
	    >>"$T/ctl.log" 2>&1 || die "no vTPM" "$T/ctl.log"
	lab_start "$T/qemu.log" "$B/vtpmctl" --run "$RUN" launch qemu "$name" \
	    --tpm-device crb -- qemu-system-x86_64 "${lab_qemu_args[@]}" "$@"
	for ((i = 0; i < 150; i++)); do
		"$B/tests/guestctl" wait "$T/cmd.sock" 1 >/dev/null 2>&1 && break
		kill -0 "$lab_last_pid" 2>/dev/null ||
		    die "$name: QEMU ended" "$T/qemu.log"
		lab_stuck "$T/console.log" >"$T/stuck" &&
		    die "$name: $(cat "$T/stuck")"
	done
	[ $i -lt 150 ] || die "$name does not come up" "$T/console.log"
	guest log >/dev/null 2>&1 && mv "$OUT/log" "$OUT/$name.log"
	no_secure_boot=
	! "$B/vtpm-verify" show "$OUT/$name.log" 2>/dev/null |
	    grep -q 'PCR 7.*SecureBoot.*absent' || no_secure_boot=yes
	ctl log "$name" --pcrs >"$OUT/$name.pcrs" || die "no PCRs"
	guest poweroff >/dev/null 2>&1
	lab_wait_exit "$lab_last_pid" 20 || die "$name does not power off"
	ctl stop "$name" >/dev/null 2>&1
	ctl delete "$name" --yes >/dev/null 2>&1 || true
}

# compare NAME [OPTION...]: what vtpm-measure predicts, beside the boot.
compare() {
	local name=$1 i want got row='' state
	shift
	"$B/vtpm-measure" predict --json ${no_secure_boot:+--no-secure-boot} \
	    "$@" >"$OUT/$name.json" \
	    2>"$OUT/$name.err"
	[ $? -le 1 ] || die "$name: no prediction" "$OUT/$name.err"
	n=$((n + 1))
	for i in 0 1 2 3 4 5 6 7 8 9 11 12 13 14; do
		want=$(jq -r ".pcrs.sha256[\"$i\"] // \"\"" "$OUT/$name.json")
		got=$(awk -v i=$i '$1 == "sha256" && $2 == i { print $3 }' \
		    "$OUT/$name.pcrs")
		# what nothing extends is not listed
		got=${got:-$(printf '0%.0s' {1..64})}
		if [ -z "$want" ]; then
			state='-'
		elif [ "$want" != "$got" ]; then
			state='**no**'
			failed=$((failed + 1))
			echo "not ok - $name: PCR $i is $got, predicted $want"
		elif jq -e ".learnt | index($i)" "$OUT/$name.json" >/dev/null; then
			state=learnt
		else
			state=yes
		fi
		row+=" $state |"
	done
	grep -q 'no\*' <<<"$row" || echo "ok - $name is as predicted"
	echo "| $name |$row" >>"$OUT/table"
}

# predicted NAME OPTION...: predict, boot, compare; what a boot teaches is taken
# from the boot called in $learn.
predicted() {
	local name=$1
	shift
	compare "$name" "$@" ${learn:+--learn "$OUT/$learn.log"}
}

# --- disks ------------------------------------------------------------------------

# A GPT disk: an EFI system partition with GRUB, and an ext4 /boot.
gpt_disk() { # grub.cfg
	local img=$T/gpt.img esp=$T/esp.img ext=$T/ext.img root=$T/boot
	rm -rf "$img" "$esp" "$ext" "$root"
	truncate -s 40M "$esp"
	mkfs.vfat -i 11223344 "$esp" >/dev/null || die "mkfs.vfat"
	printf 'search --fs-uuid --set=root %s\nset prefix=($root)/grub\n' \
	    01234567-89ab-cdef-0123-456789abcdef >"$T/early.cfg"
	grub_image "$T/core.efi" -c "$T/early.cfg" -p /grub normal configfile \
	    search search_fs_uuid tpm part_gpt fat ext2 gzio echo test ||
	    die "grub-mkimage"
	MTOOLS_SKIP_CHECK=1 mmd -i "$esp" ::/EFI ::/EFI/BOOT &&
	    mcopy -i "$esp" "$T/core.efi" ::/EFI/BOOT/BOOTX64.EFI ||
	    die "mtools"
	mkdir -p "$root/grub"
	cp "$1" "$root/grub/grub.cfg"
	cp "$lab_kernel" "$root/vmlinuz-1"
	ln -s vmlinuz-1 "$root/vmlinuz"
	cp "$LAB/initrd.gz" "$root/initrd.gz"
	truncate -s 60M "$ext"
	mkfs.ext4 -q -U 01234567-89ab-cdef-0123-456789abcdef -d "$root" "$ext" ||
	    die "mkfs.ext4"
	truncate -s 104M "$img"
	printf 'label: gpt\nstart=2048, size=81920, type=U\nstart=83968, size=122880, type=L\n' |
	    sfdisk -q "$img" || die "sfdisk"
	dd if="$esp" of="$img" bs=1M seek=1 conv=notrunc status=none
	dd if="$ext" of="$img" bs=1M seek=41 conv=notrunc status=none
	lab_disk=$img
}

fat_disk() { # grub.cfg [kernel's file] [initrd]
	lab_make_disk "$T/boot.img" "$1" "${2:-$LAB/initrd.gz}" ||
	    die "could not make the boot disk"
	lab_disk=$T/boot.img
}

# A unified kernel image as the program that firmware starts.
uki_disk() { # UKI
	rm -f "$T/boot.img"
	truncate -s $(($(stat -c %s "$1") / 1024 + 4096))K "$T/boot.img"
	mkfs.vfat -i 55667788 "$T/boot.img" >/dev/null || die "mkfs.vfat"
	MTOOLS_SKIP_CHECK=1 mmd -i "$T/boot.img" ::/EFI ::/EFI/BOOT &&
	    mcopy -i "$T/boot.img" "$1" ::/EFI/BOOT/BOOTX64.EFI ||
	    die "mtools"
	lab_disk=$T/boot.img
}

make_uki() { # out
	printf 'ID=lab\nNAME="Lab"\n' >"$T/os-release"
	printf '%s' "$CMDLINE" >"$T/cmdline"
	uki_make "$1" "$STUB" .osrel="$T/os-release" .cmdline="$T/cmdline" \
	    .linux="$lab_kernel" .initrd="$LAB/initrd.gz"
}

# GRUB's language, as far as a boot can show it.
language_cfg() {
	sed "s/^ *\(linux\|initrd\)efi /\1$grub_efi /" <<'CFG'
# comment at the start of a line
set timeout=0
	# comment behind a blank
set default="sub menu>b>>c"
a=1; b='two words' # comment
set c="$a-${b}"
function pick {
  if [ "$1" = "$2" -o -z "$3" ]; then
    set picked="$*"
    return 0
  elif test -f /vmlinuz; then
    set picked=$#
  fi
  return 1
}
for i in 1 2 three; do
  if ! pick $i 2 'x  y'; then continue; fi
  echo "found $i: $picked" \$a \
    and 'more  words' ""
  break
done
while [ "$n" != xx ]; do set n=x$n; done
echo $b $? $none "$none" end
menuentry 'first' --class x --id=one {
	linuxefi /vmlinuz
}
submenu 'sub menu' --id s {
  menuentry "It's" { linuxefi /vmlinuz 1; }
  menuentry 'b>c' --class "$c" $c {
    # inside
    set args="quo'ted"
    linuxefi /vmlinuz console=ttyS0 panic=5 x="a b" "$1" $2 $args c\ d
    initrdefi /initrd.gz
  }
}
CFG
}

# --- the boots ---------------------------------------------------------------------

# Does QEMU offer the kernel as the file is, beside the one with a header of
# its own?
as_is=
! grep -aqs 'etc/boot/kernel' \
    "$(command -v qemu-system-x86_64)" || as_is=--kernel-as-is
learn=
b_grub() { # the lab's own, and what the others learn from
	lab_grub_cfg "$CMDLINE" >"$T/grub.cfg"
	fat_disk "$T/grub.cfg"
	boot grub
	compare grub --disk "$lab_disk"
	learn=grub
}
b_grub_learnt() { # another command line
	lab_grub_cfg "$CMDLINE quiet" >"$T/grub.cfg"
	fat_disk "$T/grub.cfg"
	boot grub_learnt
	predicted grub_learnt --disk "$lab_disk"
}
b_grub_qcow2() {
	b_grub_disk
	qemu-img convert -O qcow2 "$lab_disk" "$T/boot.qcow2"
	boot grub_qcow2
	predicted grub_qcow2 --disk "$T/boot.qcow2"
}
b_grub_disk() {
	sed 's/timeout=0/timeout=0\nset other=1/' <<<"$(lab_grub_cfg "$CMDLINE")" \
	    >"$T/grub.cfg"
	fat_disk "$T/grub.cfg"
}
b_grub_initrd() { # another initrd
	{ cat "$LAB/initrd.gz"; head -c 512 /dev/zero; } >"$T/initrd.gz"
	lab_grub_cfg "$CMDLINE" >"$T/grub.cfg"
	fat_disk "$T/grub.cfg" "$T/initrd.gz"
	boot grub_initrd
	predicted grub_initrd --disk "$lab_disk"
}
b_grub_linux() { # GRUB's own loader: no log in the guest
	[ -n "$grub_efi" ] || {
		echo "skip - grub_linux: this GRUB has one command for both"
		return
	}
	lab_grub_cfg "$CMDLINE" | sed 's/efi / /' >"$T/grub.cfg"
	fat_disk "$T/grub.cfg"
	boot grub_linux
	predicted grub_linux --disk "$lab_disk"
}
b_grub_language() {
	language_cfg >"$T/grub.cfg"
	lab_extra_modules="test configfile"
	rm -f "$LAB/grubx64.efi"
	fat_disk "$T/grub.cfg"
	boot grub_language
	predicted grub_language --disk "$lab_disk"
	cp "$T/grub.cfg" "$OUT/grub_language.cfg"
	lab_extra_modules=
	rm -f "$LAB/grubx64.efi"
}
b_grub_gpt_ext4() {
	lab_grub_cfg "$CMDLINE" >"$T/grub.cfg"
	gpt_disk "$T/grub.cfg"
	boot grub_gpt_ext4
	compare grub_gpt_ext4 --disk "$lab_disk"
}
direct() { # NAME MIB
	lab_disk=
	LAB_MEM=$2 boot "$1" -kernel "$lab_kernel" \
	    -initrd "$LAB/initrd.gz" -append "$CMDLINE"
	compare "$1" --kernel "$lab_kernel" --initrd "$LAB/initrd.gz" \
	    --cmdline "$CMDLINE" --memory "$2" $as_is
}
b_direct_512() { direct direct_512 512; }
b_direct_1024() { direct direct_1024 1024; }
b_direct_2048() { direct direct_2048 2048; }
b_uki() {
	[ -e "$STUB" ] || {
		echo "skip - uki: systemd-boot-efi is not installed"
		return
	}
	make_uki "$T/uki.efi" || die "objcopy"
	uki_disk "$T/uki.efi"
	boot uki
	predicted uki --disk "$lab_disk"
}

ALL="grub uki grub_language direct_512 grub_gpt_ext4 grub_linux grub_initrd
	direct_1024 direct_2048 grub_learnt grub_qcow2"
[ "${1:-}" != --doc ] || { doc=1; shift; }
start
rm -f "$OUT/table"
lab_disk= lab_extra_modules=
for b in ${*:-$ALL}; do
	"b_$b"
done
if [ -n "$doc" ]; then
	{
		echo '| boot | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 11 | 12 | 13 | 14 |'
		echo '|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|'
		cat "$OUT/table"
	} >"$OUT/table.md"
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	sed -i -e "/^<!-- $suite: begin/,/^<!-- $suite: end/{//!d}" \
	    -e "/^<!-- $suite: begin/r $OUT/table.md" doc/BOOT.md
fi
cat "$OUT/table"
echo "$n boots, $failed PCRs not as predicted"
[ "$failed" = 0 ]
