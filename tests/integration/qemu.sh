#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# qemu.sh - stock QEMU, its guest's kernel and tpm2-tools on RUN/NAME.swtpm:
# CRB and TIS, reset, savevm, loadvm, migration, a worker that dies.
. "$(dirname "$0")/lib.sh"
LAB=${LAB:-$B/lab}
. "$top/tests/lab/lab.sh"
need qemu-system-x86_64 qemu-img busybox cpio tpm2 jq

cleanup_more() { lab_cleanup; }
LAB_MEM=256
INITRD=$T/initrd.gz
D=          # folder of the QEMU that is talked to
TPM0='export TPM2TOOLS_TCTI=device:/dev/tpm0;'

guest() { "$B/tests/guestctl" do "$D/cmd.sock" 60 "$D" run "$TPM0 $*"; }
qmp() { "$B/tests/guestctl" qmp "$D/qmp.sock" 60 "$1"; }
hmp() { qmp "$(jq -nc --arg c "$*" '{execute: "human-monitor-command",
    arguments: {"command-line": $c}}')"; }
up() { "$B/tests/guestctl" wait "$D/cmd.sock" "${1:-90}"; }
pcr() { # N: the guest's SHA-256 PCR N
	guest "tpm2 pcrread sha256:$1" | awk -v n="$1" '$1 == n || $1 == n ":" {
	    print tolower($NF) }'
}
name_of() { # HANDLE: what the guest reads as that key's name
	guest "tpm2 readpublic -c $1" | awk '$1 == "name:" { print $2 }'
}

# qemu DIR NAME DEVICE ARGS...: a guest on NAME's vTPM.
qemu() {
	local name=$2 dev=$3
	D=$1
	mkdir -p "$D"
	shift 3
	lab_qemu_common "$D"
	lab_qemu_tpm "$RUN/$name.swtpm" "$dev"
	lab_start "$D/qemu.log" qemu-system-x86_64 "${lab_qemu_args[@]}" \
	    -kernel "$lab_kernel" -initrd "$INITRD" \
	    -append "console=ttyS0 panic=5" \
	    -drive "if=none,id=snap,format=qcow2,file=$T/snap.qcow2" "$@"
	qemu_pid=$lab_last_pid
}
quit_qemu() {
	qmp '{"execute":"quit"}' >/dev/null
	lab_wait_exit "$qemu_pid" 20
}

zero=$(printf '0x%064d' 0)
event=$(printf '%064d' 7)
key_attr='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'

# Leave in the TPM what a snapshot must carry: an extended PCR, a loaded key
# (0x80000000) and a policy session.
make_state() {
	steps=1
	guest "cd /tmp; tpm2 pcrextend 16:sha256=$event &&
	    tpm2 createprimary -Q -C o -G ecc:ecdsa -a '$key_attr' -c key.ctx &&
	    tpm2 startauthsession --policy-session -S s.ctx &&
	    tpm2 policypcr -Q -S s.ctx -l sha256:16 &&
	    tpm2 policypassword -Q -S s.ctx" || return 1
	p16=$(pcr 16)
	[ -n "$p16" ] && [ "$p16" != "$zero" ]
}
loaded() { guest tpm2 getcap handles-transient | grep -c 0x8; }
key_works() {
	guest "cd /tmp; echo text > text;
	    tpm2 sign -Q -c 0x80000000 -g sha256 -o sig text &&
	    tpm2 verifysignature -Q -c 0x80000000 -m text -s sig"
}
# The session takes one more step, and comes out where a fresh trial session
# does that takes them all.
session_works() {
	local was trial
	steps=$((steps + 1))
	was=$(guest "cd /tmp; tpm2 policypassword -S s.ctx") || return 1
	trial=$(guest "cd /tmp; tpm2 startauthsession -S t.ctx &&
	    tpm2 policypcr -Q -S t.ctx -l sha256:16 &&
	    for i in \$(seq $steps); do tpm2 policypassword -S t.ctx; done |
	    tail -1; tpm2 flushcontext t.ctx") || return 1
	echo "session $was, trial $trial"
	[ -n "$was" ] && [ "$was" = "$trial" ]
}
intact() { # TEXT
	same "$1: PCR 16" "$p16" "$(pcr 16)"
	check "$1: the guest's key signs" key_works
	check "$1: its policy session continues" session_works
}

quiet_hmp() { # what fails says why
	local out
	out=$(hmp "$@") && [ -z "$out" ] && return
	echo "$out"
	return 1
}
save_and_load() {
	check "savevm" quiet_hmp savevm one
	guest "tpm2 pcrreset 16" >/dev/null
	same "the guest went on after savevm" "$zero" "$(pcr 16)"
	check "loadvm" quiet_hmp loadvm one
	intact "after loadvm"
}

# --- swtpm_ioctl --------------------------------------------------------------

ioctl() { swtpm_ioctl --unix "$RUN/tool.swtpm" "$@"; }
ioctl_says() { # TEXT WORDS ARGS...
	local text=$1 words=$2
	shift 2
	if ioctl "$@" 2>&1 | grep -qE -- "$words"; then ok "swtpm_ioctl $text"
	else not_ok "swtpm_ioctl $text: $(ioctl "$@" 2>&1 | head -3)"; fi
}
test_ioctl() {
	ctl create tool >/dev/null && ctl start tool >/dev/null
	ioctl_says "-c: capabilities" '0x7fbf' -c
	check "swtpm_ioctl --stop" ioctl --stop
	ioctl_says "-b: buffer sizes" 'size: *40[0-9][0-9]' -b 4096
	check "swtpm_ioctl -i: power on" ioctl -i
	ioctl_says "-e: TPM established" 'tpmEstablished is [01]' -e
	check "swtpm_ioctl -l 0: a granted locality" ioctl -l 0
	refuse "swtpm_ioctl -l 4: law 6, that is the host's alone" \
	    '0x3d|locality' ioctl -l 4
	ioctl_says "-g: configuration, sealed" '0x3' -g
	ioctl_says "--info: JSON from libtpms" 'TPMSpecification' --info 1
	check "swtpm_ioctl --save: permanent state" \
	    ioctl --save permanent "$T/perm.bin"
	check "what it saves is sealed" sh -c "! strings '$T/perm.bin' |
	    grep -q . || test \$(stat -c %s '$T/perm.bin') -gt 1000"
	check "swtpm_ioctl -C: cancel" ioctl -C
	check "swtpm_ioctl -s: shutdown" ioctl -s
	check "and power on again" ioctl -i
	same "the vTPM is still the one that it was" running \
	    "$(jctl show tool | jq -r .state)"
	ctl stop tool >/dev/null
}

# --- CRB: everything ------------------------------------------------------------

test_crb() {
	local src
	ctl create crb >/dev/null && ctl start crb >/dev/null
	qemu "$T/a" crb tpm-crb
	check "tpm-crb: a stock kernel boots" up
	ek=$(name_of 0x81010001)
	check "the guest sees the EK" [ -n "$ek" ]
	pcr0=$(pcr 0)
	check "the firmware measured into PCR 0" \
	    [ "${pcr0:-$zero}" != "$zero" ]
	check "PCR, key and session are made" make_state
	loaded_before=$(loaded)

	save_and_load

	destination_dies
	src=$D
	src_pid=$qemu_pid
	qemu "$T/b" crb tpm-crb -incoming "unix:$T/migrate.sock"
	check "a second QEMU waits for the guest" \
	    lab_wait_socket "$T/migrate.sock" 20
	D=$src
	same "the first one's TPM is not disturbed by it" "$p16" "$(pcr 16)"
	check "migration begins" qmp '{"execute":"migrate",
	    "arguments":{"uri":"unix:'"$T/migrate.sock"'"}}'
	check "migration ends" wait_for 60 migrated
	D=$T/b
	check "the guest answers at its new place" up 30
	intact "after migration"
	same "as many keys are loaded as before" "$loaded_before" "$(loaded)"
	same "the EK is the same" "$ek" "$(name_of 0x81010001)"
	D=$src
	qmp '{"execute":"quit"}' >/dev/null
	check "the first QEMU ends" lab_wait_exit "$src_pid" 20
	D=$T/b
	check "savevm at its new place" quiet_hmp savevm two
	test_crash
	check "QEMU quits" quit_qemu
	ctl stop crb >/dev/null
}
# A migration whose destination has the TPM, by its INIT, and dies before the
# guest runs there (-S): the source goes on with its TPM.
destination_dies() {
	local src=$D src_pid=$qemu_pid dest_pid cycles
	cycles=$(jctl show crb | jq .worker.power_cycles)
	qemu "$T/e" crb tpm-crb -S -incoming "unix:$T/dead.sock"
	dest_pid=$qemu_pid
	check "a destination that will die waits for the guest" \
	    lab_wait_socket "$T/dead.sock" 20
	D=$src qemu_pid=$src_pid
	check "migration to it begins" qmp '{"execute":"migrate",
	    "arguments":{"uri":"unix:'"$T/dead.sock"'"}}'
	check "and ends" wait_for 60 migrated
	check "the destination has the TPM" wait_for 20 eval \
	    'ctl audit | grep -q "destination of a migration took the TPM over"'
	slay "$dest_pid"
	lab_wait_exit "$dest_pid" 20
	check "it dies: the source has the TPM again" wait_for 20 eval \
	    'ctl audit | grep -q "the source has it again"'
	check "the source goes on" qmp '{"execute":"cont"}'
	check "the guest answers" up 30
	intact "after its destination died"
	same "as many keys are loaded as before" "$loaded_before" "$(loaded)"
	same "PCR 0 is what it was" "$pcr0" "$(pcr 0)"
	same "and that was no power cycle" "$cycles" \
	    "$(jctl show crb | jq .worker.power_cycles)"
}
migrated() {
	qmp '{"execute":"query-migrate"}' | jq -e '.status == "completed"'
}

# Law 4 on QEMU: a worker that dies does not give the guest fresh PCRs.
capped() { [ "$(jctl show crb | jq .worker.capped)" = "$1" ]; }
test_crash() {
	local before now busy
	before=$(worker_pid crb)
	# in mid-command, more likely than not: each must be answered
	guest "for i in 1 2 3 4 5 6 7 8; do
	    tpm2 createprimary -Q -C o -G rsa -c /tmp/r.ctx;
	    tpm2 flushcontext -t; done" >"$T/busy.out" 2>&1 &
	busy=$!
	sleep 0.7
	kill -9 "$before"
	check "the killed worker has a successor" wait_for 20 sh -c \
	    "pid=\$('$B/vtpmctl' --run '$RUN' --json show crb |
	    jq -r .worker.pid) && [ \"\$pid\" -gt 0 ] &&
	    [ \"\$pid\" != $before ]"
	check "no command of the guest hangs" lab_wait_exit $busy 60
	check "QEMU lives on" alive "$qemu_pid"
	check "the guest's TPM answers again" wait_for 20 guest \
	    tpm2 getrandom --hex 8
	now=$(pcr 16)
	check "PCR 16 is neither what it was nor zero: capped" \
	    [ -n "$now" -a "$now" != "$p16" -a "$now" != "$zero" ]
	check "PCR 0 is capped too" [ "$(pcr 0)" != "$pcr0" ]
	check "the manager says so" capped true
	guest tpm2 pcrreset 16 >/dev/null 2>&1
	same "a capped PCR cannot be reset" "$now" "$(pcr 16)"

	check "system_reset" qmp '{"execute":"system_reset"}'
	sleep 1
	check "the guest boots again" up
	same "PCR 16 starts again" "$zero" "$(pcr 16)"
	same "PCR 0 is measured as at first" "$pcr0" "$(pcr 0)"
	same "the EK stays" "$ek" "$(name_of 0x81010001)"
	check "nothing is capped any more" capped false
}

# --- TIS ------------------------------------------------------------------------

# By vtpmctl launch: SeaBIOS must live with a TPM that the host started.
test_tis() {
	ctl create tis >/dev/null && ctl start tis >/dev/null
	D=$T/c
	mkdir -p "$D"
	lab_qemu_common "$D"
	lab_start "$D/qemu.log" "$B/vtpmctl" --run "$RUN" launch qemu tis \
	    --tpm-device tis -- qemu-system-x86_64 "${lab_qemu_args[@]}" \
	    -kernel "$lab_kernel" -initrd "$INITRD" \
	    -append "console=ttyS0 panic=5" \
	    -drive "if=none,id=snap,format=qcow2,file=$T/snap.qcow2"
	qemu_pid=$lab_last_pid
	check "tpm-tis: a stock kernel boots, launched by the host" up
	p17=$(pcr 17)
	check "PCR 17 is the launch" [ "${p17:-$zero}" != "$zero" ]
	ek=$(name_of 0x81010001)
	check "SeaBIOS left the hierarchies enabled: EK and AK are there" \
	    [ -n "$ek" -a -n "$(name_of 0x81000003)" ]
	check "PCR, key and session are made" make_state
	save_and_load
	same "PCR 17 is the launch still" "$p17" "$(pcr 17)"
	check "system_reset" qmp '{"execute":"system_reset"}'
	sleep 1
	check "the guest boots again" up
	same "PCR 16 starts again" "$zero" "$(pcr 16)"
	same "PCR 17 is the launch again" "$p17" "$(pcr 17)"
	same "the EK stays" "$ek" "$(name_of 0x81010001)"
	check "QEMU quits" quit_qemu
}

# --- TPM 1.2 --------------------------------------------------------------------

test_tpm12() {
	ctl create old --tpm 1.2 >/dev/null && ctl start old >/dev/null
	qemu "$T/d" old tpm-tis
	check "TPM 1.2: a stock kernel boots" up
	check "the kernel knows it for one" [ "$(guest \
	    cat /sys/class/tpm/tpm0/tpm_version_major)" = 1 ]
	p0=$(guest "grep '^PCR-00:.*[1-9A-F]' /sys/class/tpm/tpm0/pcrs")
	check "the firmware measured into PCR 0" [ -n "$p0" ]
	check "savevm" quiet_hmp savevm one
	check "loadvm" quiet_hmp loadvm one
	same "after loadvm: PCR 0" "$p0" \
	    "$(guest grep ^PCR-00 /sys/class/tpm/tpm0/pcrs)"
	check "QEMU quits" quit_qemu
}

lab_fetch_kernel || { not_ok "no kernel for the guest"; exit 1; }
lab_make_initrd "$INITRD" "$(command -v tpm2)" || exit 1
qemu-img create -q -f qcow2 "$T/snap.qcow2" 64M
check "a manager" start_manager --pool 2 || exit 1
test_ioctl
test_crb
test_tis
test_tpm12
