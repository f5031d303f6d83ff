#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# predict.sh - vtpm-measure predict on disks and images; systemd-measure, mtools,
# debugfs and tpm2_eventlog are the oracles.
set -u
B=${B:-build}
cd "$(dirname "$0")/../.." || exit 1
case $B in /*) ;; *) B=$PWD/$B ;; esac
. tests/lab/debian.sh
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
STUB=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
MEASURE=/usr/lib/systemd/systemd-measure
failed=0

ok() { # text, command...
	local text=$1
	shift
	if "$@" >"$T/said" 2>&1; then
		echo "ok - $text"
	else
		failed=1
		echo "not ok - $text"
		tail -5 "$T/said"
	fi
}
same() { # text, wanted, got
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		failed=1
		printf 'not ok - %s: wanted %s, got %s\n' "$1" "$2" "$3"
	fi
}
predict() { "$B/vtpm-measure" predict "$@" 2>"$T/err"; }
pcr() { jq -r ".pcrs.sha256[\"$2\"]" "$T/$1"; }
extend() { # digests: PCR from zero
	python3 -c 'import hashlib, sys
v = bytes(32)
for d in sys.argv[1:]: v = hashlib.sha256(v + bytes.fromhex(d)).digest()
print(v.hex())' "$@"
}
digest() { sha256sum <"$1" | cut -d' ' -f1; }

# PCR 9 of a boot by GRUB: the configuration, the kernel, the initrd if there is
# one.  GRUB 2.12 also looks at the configuration before it reads it, and the
# kernel's stub measures its command line and the initrd.
read_cfg() { # CONFIGURATION
	[ -n "$grub_efi" ] || digest "$1"
	digest "$1"
}
loaded() { # COMMAND LINE, KERNEL, [INITRD]
	digest "$2"
	[ -z "${3:-}" ] || digest "$3"
	[ -z "$grub_efi" ] || return
	printf 'BOOT_IMAGE=%s' "$1" | iconv -t UTF-16LE | sha256sum |
	    cut -d' ' -f1
	[ -z "${3:-}" ] || digest "$3"
}

# --- GRUB from a folder, a FAT image and a GPT disk with ext4 ----------------------

F=$T/esp
mkdir -p "$F/EFI/BOOT"
grub-mkimage -O x86_64-efi -p /EFI/BOOT -o "$F/EFI/BOOT/BOOTX64.EFI" \
    normal linux tpm fat || exit 1
python3 tests/integration/stub_kernel.py "$F/vmlinuz"
echo "an initrd" >"$F/initrd"
cat >"$F/EFI/BOOT/grub.cfg" <<'CFG'
set timeout=0
menuentry 'a' { linux /vmlinuz root=/dev/vda1
initrd /initrd
}
menuentry 'b' --id bb { linux /vmlinuz single; }
CFG
predict -d "$F" --json >"$T/folder.json"
same "without a reference log some PCRs have no value" 1 $?
same "PCR 9 is of grub.cfg, kernel and initrd" \
    "$(extend $(read_cfg "$F/EFI/BOOT/grub.cfg") $(loaded \
	"/vmlinuz root=/dev/vda1" "$F/vmlinuz" "$F/initrd"))" \
    "$(pcr folder.json 9)"
same "a folder has no partition table" \
    "a folder has no partition table: give the disk's image" \
    "$(jq -r '.unpredictable["5"]' "$T/folder.json")"
predict -d "$F" --entry bb --json >"$T/entry.json"
same "another entry starts another kernel: PCR 9" \
    "$(extend $(read_cfg "$F/EFI/BOOT/grub.cfg") $(loaded \
	"/vmlinuz single" "$F/vmlinuz"))" "$(pcr entry.json 9)"
predict -d "$F" --until "linux /vmlinuz" --json >"$T/until.json"
same "up to the command linux only grub.cfg was read" \
    "$(extend $(read_cfg "$F/EFI/BOOT/grub.cfg"))" "$(pcr until.json 9)"

truncate -s 4M "$T/fat.img"
mkfs.vfat -i 12345678 "$T/fat.img" >/dev/null
MTOOLS_SKIP_CHECK=1 mcopy -s -i "$T/fat.img" "$F"/* ::/
predict -d "$T/fat.img" --json --pcrs "$T/pcrs" --log "$T/log" \
    --cel "$T/cel" --banks sha256,sha384 >"$T/fat.json"
for i in 4 8 9; do
	same "the same files in a FAT image: PCR $i" "$(pcr folder.json $i)" \
	    "$(pcr fat.json $i)"
done
qemu-img convert -O qcow2 "$T/fat.img" "$T/fat.qcow2"
TMPDIR=$T predict -d "$T/fat.qcow2" --json >"$T/qcow2.json"
same "and in a qcow2 image" "$(jq -c .pcrs.sha256 "$T/fat.json")" \
    "$(jq -c .pcrs.sha256 "$T/qcow2.json")"
same "whose unpacked copy is gone" "" "$(find "$T" -name 'vtpm-measure.*')"

qemu-img create -q -f qcow2 -F raw -b "$T/fat.img" "$T/backing.qcow2"
qemu-img create -q -f qcow2 -o "data_file=$T/data" "$T/data.qcow2" 4M
for f in backing data; do
	TMPDIR=$T predict -d "$T/$f.qcow2" --json >/dev/null
	same "a qcow2 image with a $f file is refused" 2 $?
	ok "because the name may be the guest's" grep -q "names another file" \
	    "$T/err"
done
mkdir "$T/bin"
cat >"$T/bin/qemu-img" <<SH
#!/bin/sh
sleep 0.5
{ ulimit -v; ulimit -t; } >"$T/limits"
exit 1
SH
chmod 755 "$T/bin/qemu-img"
PATH=$T/bin:$PATH TMPDIR=$T predict -d "$T/fat.qcow2" --json >/dev/null
same "what parses a disk has bounded memory (KiB) and time (s)" \
    "4194304 1200" "$(tr '\n' ' ' <"$T/limits" | sed 's/ $//')"
head -c 40 "$T/fat.qcow2" >"$T/short.qcow2"
predict -d "$T/short.qcow2" --json >/dev/null
same "a qcow2 header that ends too early is refused" 2 $?

cp -r "$F" "$T/linked"
echo 'linux /vmlinuz
boot' >"$T/outside.cfg"
ln -s "$T/outside.cfg" "$T/linked/out"
ln -s ../../../../../../../..$T/outside.cfg "$T/linked/out2"
mkfifo "$T/linked/fifo"
ln -s vmlinuz "$T/linked/link"
for f in out out2 fifo; do
	echo "source /$f
linux /link
boot" >"$T/linked/EFI/BOOT/grub.cfg"
	timeout 20 "$B/vtpm-measure" predict -d "$T/linked" --json \
	    >"$T/linked.json"
	same "/$f in a folder leads to no file outside, and holds nothing up" 1 $?
	same "/$f: nothing of it runs" 0 "$(jq '[.events[].event |
	    select(test("linux /vmlinuz"))] | length' "$T/linked.json")"
done
ok "a fifo in a folder makes PCR 9 unpredictable" jq -e \
    '.unpredictable["9"] | test("/fifo cannot be read")' "$T/linked.json"

for f in log cel; do
	"$B/vtpm-verify" replay "$T/$f" --json >"$T/replay.json"
	same "the predicted $f gives the predicted PCR 8" "$(pcr fat.json 8)" \
	    "$(jq -r '.banks.sha256["8"] // .pcrs.sha256["8"]' "$T/replay.json")"
done
ok "tpm2_eventlog reads the predicted log" tpm2_eventlog "$T/log"
same "the file of values is as long as tpm2_quote's" 0 \
    $((($(stat -c %s "$T/pcrs") - 136) % 532))

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -out "$T/key.pem" 2>/dev/null
for f in fat.json pcrs; do
	ok "vtpm-seal approves the state in $f" "$B/vtpm-seal" approve \
	    --key "$T/key.pem" --ref 01234567-89ab-cdef-0123-456789abcdef:root \
	    --pcrs "$T/$f" --select sha256:4,7,8,9 --epoch 1 -a "$T/$f.approved"
	same "as it was predicted" "$(pcr fat.json 9)" \
	    "$(jq -r '.approvals[0].pcrs.sha256["9"]' "$T/$f.approved")"
done

mkdir -p "$T/boot/grub" "$T/boot/EFI"
cp "$F/vmlinuz" "$T/boot/vmlinuz-1"
ln -s vmlinuz-1 "$T/boot/vmlinuz"
cp "$F/initrd" "$T/boot/initrd"
cp "$F/EFI/BOOT/grub.cfg" "$T/boot/grub/grub.cfg"
printf 'search --fs-uuid --set=root 01234567-89ab-cdef-0123-456789abcdef\nset prefix=($root)/grub\n' >"$T/early.cfg"
grub-mkimage -O x86_64-efi -c "$T/early.cfg" -p /grub \
    -o "$F/EFI/BOOT/BOOTX64.EFI" normal linux tpm fat ext2 part_gpt \
    search search_fs_uuid
truncate -s 4M "$T/esp.img" "$T/ext.img"
mkfs.vfat "$T/esp.img" >/dev/null
MTOOLS_SKIP_CHECK=1 mcopy -s -i "$T/esp.img" "$F/EFI" ::/
mkfs.ext4 -q -U 01234567-89ab-cdef-0123-456789abcdef -d "$T/boot" "$T/ext.img"
truncate -s 12M "$T/gpt.img"
printf 'label: gpt\nstart=2048, size=8192, type=U\nstart=10240, size=8192, type=L\n' |
    sfdisk -q "$T/gpt.img"
dd if="$T/esp.img" of="$T/gpt.img" bs=1M seek=1 conv=notrunc status=none
dd if="$T/ext.img" of="$T/gpt.img" bs=1M seek=5 conv=notrunc status=none
predict -d "$T/gpt.img" --json >"$T/gpt.json"
same "GRUB's built-in configuration finds /boot on ext4, and a link there" \
    "$(pcr folder.json 9)" "$(pcr gpt.json 9)"
same "a GPT is measured into PCR 5" 3 \
    "$(jq '[.events[] | select(.pcr == 5)] | length - 1' "$T/gpt.json")"

printf 'if [ -e (hd0,gpt2)/none ]; then true; fi\nlinux (hd0,gpt2)/vmlinuz\nboot\n' \
    >"$T/cond.cfg"
mcopy -o -i "$T/gpt.img@@1M" "$T/cond.cfg" ::/cond.cfg
printf 'set prefix=(hd0,gpt1)/\nsource /cond.cfg\n' >"$T/early.cfg"
grub-mkimage -O x86_64-efi -c "$T/early.cfg" -p / -o "$T/cond.efi" \
    normal linux tpm fat ext2 part_gpt
mcopy -o -i "$T/gpt.img@@1M" "$T/cond.efi" ::/EFI/BOOT/BOOTX64.EFI
predict -d "$T/gpt.img" --json >"$T/cond.json"
same "a file that ext4 does not hold is absent" \
    "$(extend "$(digest "$T/cond.cfg")" $(loaded "(hd0,gpt2)/vmlinuz" \
	"$F/vmlinuz"))" "$(pcr cond.json 9)"
dd if=/dev/zero of="$T/gpt.img" bs=4096 seek=1281 count=300 conv=notrunc status=none
predict -d "$T/gpt.img" --json >"$T/broken.json"
same "in a broken file system nobody knows" \
    "whether (hd0,gpt2)/none is there cannot be known" \
    "$(jq -r '.unpredictable["9"]' "$T/broken.json")"

cp "$T/gpt.img" "$T/sum.img"
printf '\1' | dd of="$T/sum.img" bs=1 seek=$((1024 + 60)) conv=notrunc status=none
predict -d "$T/sum.img" --json >/dev/null
same "a partition table with a wrong checksum is refused" 2 $?
ok "because firmware would replace it" grep -q "wrong checksum" "$T/err"

# --- unified kernel images -----------------------------------------------------------

if [ -e "$STUB" ] && [ -x "$MEASURE" ]; then
	printf 'ID=lab\n' >"$T/os"
	printf 'console=ttyS0' >"$T/cmdline"
	uki_make "$T/uki.efi" "$STUB" .osrel="$T/os" .cmdline="$T/cmdline" \
	    .linux="$STUB" .initrd="$F/initrd"
	# Stubs since 254 measure their own .sbat, too.
	sbat=
	if "$MEASURE" --help | grep -q -e --sbat; then
		objcopy -O binary -j .sbat "$STUB" "$T/sbat"
		sbat=--sbat=$T/sbat
	fi
	for phase in "" enter-initrd enter-initrd:leave-initrd \
	    enter-initrd:leave-initrd:sysinit:ready; do
		predict -u "$T/uki.efi" --json ${phase:+--phases $phase} \
		    --banks sha1,sha256,sha384 >"$T/uki.json"
		"$MEASURE" calculate --linux="$STUB" --osrel="$T/os" $sbat \
		    --cmdline="$T/cmdline" --initrd="$F/initrd" \
		    --phase="$phase" --bank=sha256 --bank=sha384 \
		    >"$T/measure" 2>&1
		for bank in sha256 sha384; do
			same "systemd-measure: PCR 11 of $bank in phase \"$phase\"" \
			    "$(sed -n "s/^11:$bank=//p" "$T/measure")" \
			    "$(jq -r ".pcrs.$bank[\"11\"]" "$T/uki.json")"
		done
	done
	rm -rf "$T/esp2"
	mkdir -p "$T/esp2/EFI/BOOT"
	cp "$T/uki.efi" "$T/esp2/EFI/BOOT/BOOTX64.EFI"
	predict -d "$T/esp2" --json >"$T/alone.json"
	same "nothing beside the image: PCRs 12 and 13 stay zero" 64 \
	    "$(jq -r '[.pcrs.sha256["12", "13"]] | unique | .[0] | length' \
		"$T/alone.json")"
	for f in EFI/BOOT/BOOTX64.EFI.extra.d loader/credentials; do
		mkdir -p "$T/esp2/$f"
		predict -d "$T/esp2" --json >"$T/beside.json"
		same "/$f beside it: they, and the initrd, are not known" \
		    "12 13 9" "$(jq -r '[.unpredictable | to_entries[] |
			select(.value | contains("/'"$f"'") or
			contains("adds files to the initrd")) | .key] | sort |
			join(" ")' "$T/beside.json")"
		rm -r "${T:?}/esp2/$f"
	done
else
	echo "skip - unified kernel images: systemd-boot-efi is not installed"
fi

# --- what is wrong is said -------------------------------------------------------------

refused() { # text, what is said, option...
	local text=$1 said=$2
	shift 2
	predict "$@" >/dev/null
	same "$text: exit status" 2 $?
	ok "$text: is said" grep -qF -- "$said" "$T/err"
}
refused "no boot is named" "one of --disk, --kernel and --uki" --json
refused "no such disk" "No such file" -d "$T/none"
refused "no loader" "no /EFI/BOOT/NONE.EFI" -d "$F" --loader /EFI/BOOT/NONE.EFI
refused "no file system" "no FAT file system" -d "$T/ext.img"
refused "no kernel" "neither a bzImage" -k "$F/initrd"
refused "no log" "is empty" -d "$F" --learn /dev/null
refused "no bank" 'no bank "md5"' -d "$F" --banks md5
exit $failed
