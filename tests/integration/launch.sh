#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# launch.sh - vtpmctl launch qemu: what was measured is what is loaded.
. "$(dirname "$0")/lib.sh"
. "$top/tests/lab/debian.sh"
need jq qemu-system-x86_64 tpm2_pcrread sha256sum xxd

# A kernel that QEMU accepts (boot protocol header) and that never runs (-S).
head -c 16384 /dev/zero >"$T/kernel"
put() { printf "$2" | dd of="$T/kernel" bs=1 seek=$(($1)) conv=notrunc \
    status=none; }
put 0x1f1 '\001'
put 0x1fe '\125\252'
put 0x202 'HdrS'
put 0x206 '\002\002'
echo "initial files" >"$T/init,rd"
cp "$OVMF_VARS" "$T/vars" 2>/dev/null
CODE=$OVMF_CODE

start_manager --pool 1 || { not_ok "the manager starts"; exit 1; }
ctl create g1 >/dev/null && ctl create g2 --banks sha256,sha384 >/dev/null

Q="qemu-system-x86_64 -M q35 -accel tcg -m 64 -display none -nodefaults -S"
cmdline="console=ttyS0 root=/dev/vda1"
# In the background; its pid is the QEMU's own, since vtpmctl execs it.
launch() { # NAME ARGS...
	local name=$1
	shift
	"$B/vtpmctl" --run "$RUN" launch qemu "$name" -- $Q -name "$name" "$@" \
	    >"$T/$name.out" 2>&1 </dev/null &
	QPID=$!
	PIDS+=($QPID)
	wait_for 20 measured "$name"
}
# QEMU opens the channel early, and powers the TPM on when the machine is made.
measured() { in_use "$1" && jctl log "$1" --pcrs; }
in_use() { jctl show "$1" | jq -e .worker.channel_open; }
ctl_pcr() { jctl log "$1" --pcrs | jq -r ".$2[\"$3\"]"; }
extend() { # HEX OF PCR, HEX OF DIGEST
	printf '%s%s' "$1" "$2" | xxd -r -p | sha256sum | cut -d' ' -f1
}
zero=$(printf '%064d' 0)
sep=$(printf '\0\0\0\0' | sha256sum | cut -d' ' -f1)
hash() { sha256sum <"$1" | cut -d' ' -f1; }

printf '#!/bin/sh\n' >"$T/qemu.sh"
chmod +x "$T/qemu.sh"

# --- refusals -------------------------------------------------------------------
dry() { ctl launch qemu g1 --dry-run -- $Q "$@"; }
refuse "no QEMU command line" 'behind --' ctl launch qemu g1
refuse "two kernels" 'given twice' dry -kernel "$T/kernel" -kernel /x
refuse "a kernel hidden in -machine" 'cannot be measured; use -kernel' \
    dry -machine "kernel=$T/kernel"
refuse "flash hidden in -machine" 'node .* of -blockdev' \
    dry -machine pflash0=node
refuse "options in a file" 'not measured' dry -readconfig "$T/x"
same "the document's table of options is the program's" \
    "$(ctl launch options)" \
    "$(sed -n '/^| option /,$ { /^| `-/p }' "$top/doc/LAUNCH.md")"
# As `virsh domxml-to-native` of libvirt 9.0 writes them, a word a line.
for f in bios uefi; do
	mapfile -t words < <(sed "s|@VARS@|$T/vars|" \
	    "$top/tests/vectors/launch/libvirt9-$f.args")
	check "what libvirt writes for $f is launched" \
	    ctl launch qemu g1 --dry-run -- "${words[@]}"
	ctl --json launch qemu g1 --dry-run -- "${words[@]}" >"$T/$f.json" \
	    2>"$T/err"
done
same "SeaBIOS, the card's ROM, the display's and QEMU's own are in the record" \
    "bios-256k.bin efi-virtio.rom kvmvapic.bin vgabios-virtio.bin" \
    "$(jq -r '[.items[]|select(.role=="firmware" or .role=="rom")|.text|
	sub(".*/";"")]|sort|join(" ")' "$T/bios.json")"
same "and of UEFI its flash" "firmware OVMF_CODE_4M.ms.fd vars vars" \
    "$(jq -r '[.items[]|select(.role=="firmware" or .role=="vars")|
	.role+" "+(.text|sub(".*/";""))]|join(" ")' "$T/uefi.json")"
same "code that the guest can write is named" 1 \
    "$(ctl --json launch qemu g1 --dry-run -- $Q -drive \
	"if=pflash,format=raw,unit=0,file=$CODE" 2>"$T/err" |
	jq '[.items[]|select(.text|test("guest can write"))]|length')"
refuse "a wrapper script as QEMU" 'script' ctl launch qemu g1 --dry-run -- \
    "$T/qemu.sh"
refuse "an unknown option, with what allows it" "option-value frob" \
    dry -frob x
echo "option-value frob" >"$T/site"
check "a site's list allows it" \
    ctl launch qemu g1 --site "$T/site" --dry-run -- $Q -frob x
(cd /tmp && refuse "a folder that others can write to" "current folder" \
    ctl launch qemu g1 --dry-run -- $Q)
refuse "a TPM that is there already" 'leave the TPM' \
    dry -tpmdev emulator,id=t,chardev=c
refuse "a file that is not there" 'no such file|No such' \
    dry -kernel "$T/nothing"
refuse "an unknown guest" 'no such vTPM' ctl launch qemu nobody -- $Q
check "a dry run starts nothing" dry -kernel "$T/kernel"
same "and leaves the guest stopped" stopped "$(jctl show g1 | jq -r .state)"

# --- direct boot ------------------------------------------------------------------
launch g1 -kernel "$T/kernel" -initrd "$T/init,rd" -append "$cmdline"
check "QEMU runs with the vTPM" alive "$QPID"
check "the vTPM was started for it" \
    sh -c "'$B/vtpmctl' --run '$RUN' --json show g1 |
	jq -e '.state == \"running\" and .launched'"
same "PCR 9 is the initrd" "$(extend "$zero" "$(hash "$T/init,rd")")" \
    "$(ctl_pcr g1 sha256 9)"
same "PCR 4 is the kernel and a separator" \
    "$(extend "$(extend "$zero" "$(hash "$T/kernel")")" "$sep")" \
    "$(ctl_pcr g1 sha256 4)"
same "PCR 7 is a separator" "$(extend "$zero" "$sep")" \
    "$(ctl_pcr g1 sha256 7)"
if [ "$(ctl_pcr g1 sha256 8)" != "$zero" ]; then ok "PCR 8 is extended"; else
	not_ok "PCR 8 is extended"; fi
p17=$(ctl_pcr g1 sha256 17)
rec=$(jctl log g1 | jq -r '.[]|select(.pcr==17).digests.sha256')
same "PCR 17 is the launch record" "$(extend "$zero" "$rec")" "$p17"
check "the log's PCR 17 event carries the record" sh -c \
    "'$B/vtpmctl' --run '$RUN' --json log g1 |
	jq -e '.[]|select(.pcr==17).data|length > 200'"
check "the journal has the launch" sh -c "'$B/vtpmctl' --run '$RUN' \
    --json log g1 --journal | jq -e '[.records[]|select(.pcr==9)]|length==1'"
args=$(tr '\0' '\n' <"/proc/$QPID/cmdline")
kfd=$(sed -n '/^-kernel$/{n;s|/proc/self/fd/||p}' <<<"$args")
ifd=$(sed -n '/^-initrd$/{n;s|/proc/self/fd/||p}' <<<"$args")
same "QEMU got the measured kernel, not its path" "$(hash "$T/kernel")" \
    "$(hash "/proc/$QPID/fd/$kfd")"
same "and the measured initrd" "$(hash "$T/init,rd")" \
    "$(hash "/proc/$QPID/fd/$ifd")"
if printf x 2>/dev/null >>"/proc/$QPID/fd/$kfd"; then
	not_ok "what was measured cannot be changed"
else ok "what was measured cannot be changed"; fi
refuse "a second launch while the guest runs is refused" 'in use' \
    ctl launch qemu g1 -- $Q -kernel "$T/kernel"
kill "$QPID"
wait "$QPID" 2>/dev/null
wait_for 5 sh -c "! '$B/vtpmctl' --run '$RUN' --json show g1 |
    jq -e .worker.channel_open"

# --- the same again, then one word more -------------------------------------------
launch g1 -kernel "$T/kernel" -initrd "$T/init,rd" -append "$cmdline"
p8=$(ctl_pcr g1 sha256 8)
p1=$(ctl_pcr g1 sha256 1)
kill "$QPID"; wait "$QPID" 2>/dev/null
wait_for 5 sh -c "! '$B/vtpmctl' --run '$RUN' --json show g1 |
    jq -e .worker.channel_open"
launch g1 -kernel "$T/kernel" -initrd "$T/init,rd" -append "$cmdline quiet"
if [ "$(ctl_pcr g1 sha256 8)" != "$p8" ]; then
	ok "one more word on the command line changes PCR 8"
else not_ok "one more word on the command line changes PCR 8"; fi
same "and not PCR 1, the configuration" "$p1" "$(ctl_pcr g1 sha256 1)"
if [ "$(ctl_pcr g1 sha256 17)" != "$p17" ]; then
	ok "each launch has another PCR 17"
else not_ok "each launch has another PCR 17"; fi
kill "$QPID"; wait "$QPID" 2>/dev/null

# --- a launch speaks for one run of the guest --------------------------------------
wait_for 5 sh -c "! '$B/vtpmctl' --run '$RUN' --json show g1 |
    jq -e .worker.channel_open"
$Q -chardev "socket,id=c,path=$RUN/g1.swtpm" \
    -tpmdev emulator,id=t,chardev=c -device tpm-crb,tpmdev=t &
QPID=$!
PIDS+=($QPID)
wait_for 20 in_use g1
refuse "a TPM that is not started shows no PCRs, and why" 'not started yet' \
    ctl log g1 --pcrs
# Nobody starts this TPM: the guest's firmware would, and it never runs.
case $(ctl_pcr g1 sha256 9 2>/dev/null) in
"" | "$zero") ok "who was not launched does not get the last launch's PCRs" ;;
*) not_ok "who was not launched does not get the last launch's PCRs" ;;
esac
kill "$QPID"; wait "$QPID" 2>/dev/null
ctl stop g1 >/dev/null && ctl start g1 >/dev/null
t2 g1 tpm2_pcrread sha256:9,17 >/dev/null 2>&1
same "nor does it after stop and start" "$zero" "$(ctl_pcr g1 sha256 9)"

# --- a guest that chose other PCR banks before it ended ---------------------------
check "the guest switches to other banks" \
    t2 g1 tpm2_pcrallocate -Q sha1:all+sha256:none+sha384:all
check "it can be launched" \
    launch g1 -kernel "$T/kernel" -initrd "$T/init,rd" -append "$cmdline"
sum384=$(sha384sum <"$T/init,rd" | cut -d' ' -f1)
same "the launch is measured in a bank that is active now" \
    "$(printf '%096d%s' 0 "$sum384" | xxd -r -p | sha384sum | cut -d' ' -f1)" \
    "$(ctl_pcr g1 sha384 9)"
same "and in no other" null "$(ctl_pcr g1 sha256 9)"
same "show names the active banks" '["sha1","sha384"]' \
    "$(jctl show g1 | jq -c .banks)"
kill "$QPID"; wait "$QPID" 2>/dev/null
wait_for 5 sh -c "! '$B/vtpmctl' --run '$RUN' --json show g1 |
    jq -e .worker.channel_open"
check "the host sets the bank of before" ctl banks g1 sha256
launch g1 -kernel "$T/kernel" -initrd "$T/init,rd" -append "$cmdline"
same "and the launch is measured in it" \
    "$(extend "$zero" "$(hash "$T/init,rd")")" "$(ctl_pcr g1 sha256 9)"
kill "$QPID"; wait "$QPID" 2>/dev/null

# --- firmware, two banks ------------------------------------------------------------
if [ -f "$CODE" ] && [ -f "$T/vars" ]; then
	launch g2 -drive "if=pflash,format=raw,unit=0,readonly=on,file=$CODE" \
	    -drive "if=pflash,format=raw,unit=1,file=$T/vars"
	check "QEMU runs with firmware in flash" alive "$QPID"
	same "in firmware mode PCR 0-9 are left to the firmware" "$zero" \
	    "$(ctl_pcr g2 sha256 4)"
	if [ "$(ctl_pcr g2 sha384 17)" != "$(printf '%096d' 0)" ]; then
		ok "PCR 17 of the second bank is the launch, too"
	else not_ok "PCR 17 of the second bank"; fi
	args=$(tr '\0' '\n' <"/proc/$QPID/cmdline")
	check "firmware goes by descriptor" \
	    grep -q 'readonly=on,file=/proc/self/fd/' <<<"$args"
	check "the variable store by path, since it is written" \
	    grep -q "file=$T/vars" <<<"$args"
	kill "$QPID"; wait "$QPID" 2>/dev/null
else
	not_ok "OVMF is not installed"
fi
