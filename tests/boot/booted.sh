#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# booted.sh - a sample of the tamperings, really booted: OVMF, GRUB and Debian's
# kernel in QEMU, launched by vtpmctl, attested from inside.  Arguments: names of
# rows (all); --doc writes doc/TAMPERING.md's second table.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/bootlib.sh"
LAB=${LAB:-$B/lab}
. "$top/tests/lab/lab.sh"
need qemu-system-x86_64 busybox cpio mcopy mkfs.vfat grub-mkimage
failed=0
not_ok() { echo "not ok - $*"; failed=1; }
cleanup_more() { lab_cleanup; }
CMDLINE="console=ttyS0 panic=5"
D=$T/guest doc=
mkdir -p "$D" "$LAB/cache"
[ "${1:-}" != --doc ] || { doc=1; shift; }

# --- guests -------------------------------------------------------------------

# As they should be; a row changes one of these before boot().
untouched() {
	cfg=$(lab_grub_cfg "$CMDLINE") initrd=$LAB/initrd.gz kernel=$debian
	memory=512 extra=() modules=
}
# boot EVIDENCE: the guest as the variables say, up to its evidence.
boot_it() {
	printf '%s\n' "$cfg" >"$T/grub.cfg"
	lab_kernel=$kernel lab_extra_modules=$modules LAB_MEM=$memory
	rm -f "$LAB/grubx64.efi" "$D"/*.sock "$D/evidence.json"
	lab_make_disk "$T/boot.img" "$T/grub.cfg" "$initrd" || return 1
	lab_qemu_common "$D"
	lab_qemu_uefi "$D" "$T/boot.img"
	N=$("$B/vtpm-verify" nonce)
	lab_start "$D/qemu.log" "$B/vtpmctl" --run "$RUN" launch qemu web \
	    --tpm-device crb -- qemu-system-x86_64 "${lab_qemu_args[@]}" \
	    "${extra[@]}"
	"$B/tests/guestctl" wait "$D/cmd.sock" 150 &&
	    "$B/tests/guestctl" do "$D/cmd.sock" 120 "$D" attest "$N" || {
		tail -5 "$D/qemu.log" "$D/console.log"
		return 1
	}
	mv "$D/evidence.json" "$1"
	"$B/tests/guestctl" do "$D/cmd.sock" 60 "$D" poweroff >/dev/null 2>&1
	lab_wait_exit "$lab_last_pid" 30
}
judge() { "$B/vtpm-verify" -e "$1" --nonce "$N" --policy "$T/policy" \
    --ca "$T/ca.pem"; }

# --- rows: what is changed, what the refusal must name ---------------------------

declare -A what named
row() { # NAME WHAT NAMED...
	local name=$1
	what[$name]=$2
	shift 2
	named[$name]=$(printf '%s\n' "$@")
	names+=("$name")
}
names=()
row word "grub.cfg: \`evil=1\` on the kernel's command line" \
    'grub.cfg"' 'added "evil=1"'
t_word() { cfg=$(lab_grub_cfg "$CMDLINE evil=1"); }
row title "grub.cfg: the menu entry renamed" 'grub.cfg"' '"Other" instead of "Debian GNU/Linux"'
t_title() { cfg=${cfg/Debian GNU\/Linux/Other}; }
row kernel "bytes appended to the kernel" 'file "/vmlinuz"' "kernel update"
t_kernel() {
	kernel=$T/vmlinuz
	{ cat "$debian"; head -c 512 /dev/zero; } >"$kernel"
}
row initrd "bytes appended to the initrd" 'file "/initrd.gz"' "initrd was made"
t_initrd() {
	initrd=$T/initrd.gz
	{ cat "$LAB/initrd.gz"; head -c 512 /dev/zero; } >"$initrd"
}
row grub "GRUB with a further module" 'BOOTX64.EFI"' "boot loader"
t_grub() { modules=sleep; }
row memory "machine: 768 MiB of memory" "m is 768, not 512" "other memory"
t_memory() { memory=768; }
row vcpus "machine: two processors" "smp" "other processors"
t_vcpus() { extra=(-smp 2); }
row card "machine: a further card" "e1000"
t_card() { extra=(-netdev user,id=n9 -device e1000,netdev=n9); }

# --- run --------------------------------------------------------------------------

lab_fetch_kernel || { not_ok "no kernel for the guest"; exit 1; }
debian=$lab_kernel
lab_make_initrd "$LAB/initrd.gz" "$B/vtpm-attest" || exit 1
check "manager starts" start_manager --pool 1 || exit 1
ctl create web >/dev/null || not_ok "a vTPM is made"
ca_to "$T/ca.pem"
untouched
check "the guest boots as it should be" boot_it "$T/good" || exit 1
check "a policy is made of that" "$B/vtpm-verify" policy --from "$T/good" \
    --allow-software-root -o "$T/policy"
check "which accepts it" judge "$T/good"
i=0
: >"$T/table"
for name in "${@:-${names[@]}}"; do
	untouched
	"t_$name"
	check "$name boots" boot_it "$T/bad" || continue
	judge "$T/bad" >"$T/verdict"
	same "$name is refused" 1 $?
	line=$(sed -n 's/^REFUSED: //p' "$T/verdict")
	while read -r words; do
		check "  in a line with $words: $line" grep -qF -- "$words" \
		    <<<"$line"
	done <<<"${named[$name]}"
	i=$((i + 1))
	echo "| B$i | ${what[$name]} | \`${line//|/\\|}\` |" >>"$T/table"
done
if [ -n "$doc" ]; then
	{
		echo '| | what is changed | the refusal |'
		echo '|---|---|---|'
		cat "$T/table"
	} >"$T/table.md"
	sed -i -e '/^<!-- booted: begin/,/^<!-- booted: end/{//!d}' \
	    -e "/^<!-- booted: begin/r $T/table.md" "$top/doc/TAMPERING.md"
fi
echo "# $i tamperings booted"
exit $failed
