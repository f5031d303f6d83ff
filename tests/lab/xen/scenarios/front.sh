# SPDX-License-Identifier: BSD-3-Clause
# front - a PV guest's TPM through tpmfrontd: /dev/tpmrm0, evidence, a disk
# that the TPM unlocks in the initramfs, the TCTI, and what survives.
LIMIT=1800
front_guest() { # NAME UUID ARG...: with the disk
	local name=$1 uuid=$2
	shift 2
	MORE='disk=["phy:/dev/loop1,xvda,w"]' \
	    START="vtpmctl --run $RUN launch xen" guest "$name" "$uuid" \
	    vtpm.front=tpmfrontd vtpm.shell=1 vtpm.luks=sha256:8,9 \
	    ima_policy=tcb "$@"
}
lines() { console front | grep -c '^@N '; }
works() { # more rounds than now, of whichever xenwork, in 60 s
	local was
	was=$(lines)
	wait_for 60 eval "[ \"\$(lines)\" -gt $was ]"
}
told() { # what the guest's kernel log has of tpmfrontd
	inside front "dmesg | grep 'tpmfrontd: '" | tail -8 | sed 's/^/# /'
}
bridge_pid() { inside front "pidof tpmfrontd" | tr ' ' '\n' | sort -n | tail -1; }
attests() { # TCTI NONCE
	inside front "vtpm-attest --deep --tcti $1 --nonce $2 -o /tmp/e.json &&
	    base64 -w 100 /tmp/e.json | sed 's/^/B64 /'" >/tmp/e.b64 || {
		cat /tmp/e.b64
		return 1
	}
	sed -n 's/^B64 //p' /tmp/e.b64 | base64 -d >/tmp/e.json
	deep_accepted /tmp/e.json "$2"
}

MEM=400
start_enrolled_manager
dd if=/dev/zero of=/tmp/front.img bs=1M count=16 2>/dev/null
check "a disk for the guest" losetup /dev/loop1 /tmp/front.img
check "a TPM 2.0 is provisioned" ctl create front
u=$(uuid_of front)
n=00112233445566778899aabbccddeeff
must "a PV guest with it is launched measured" front_guest front "$u"
check "it comes up" wait_for 90 up front || {
	console front | tail -40 | sed 's/^/# /'
	xenstore-ls /local/domain/0/backend/vtpm | sed 's/^/# /'
	exit
}
console front | grep -E '^@(FRONT|IMA|LUKS)' | sed 's/^/# /'
must "tpmfrontd returns once the kernel has the TPM" says front \
    '^@FRONT exit 0'
same "a TPM 2.0 in full" "@DEV /dev/tpm0 @DEV /dev/tpmrm0" \
    "$(console front | grep '^@DEV' | tr '\n' ' ' | sed 's/ $//')"
pcrs_of front sha256 >/tmp/pcrs
inside front "tpm2_pcrread -T device:/dev/tpmrm0 sha256" | tr A-F a-f |
    sed -n 's/^ *\([0-9]*\) *: *0x/\1 /p' >/tmp/seen
same "tpm2_pcrread tells 24 PCRs" 24 "$(wc -l </tmp/seen)"
same "each equals what the manager has" "" "$(unlike /tmp/seen /tmp/pcrs)"
replayed front sha256 "$(printf '%064d' 0)" >/tmp/pcrs
grep '^[0-9] ' /tmp/seen >/tmp/launched
same "those of the launch equal its log" "" "$(unlike /tmp/launched /tmp/pcrs)"
check "the kernel's IMA found no TPM at its time" says front \
    '^@IMA.*TPM-bypass'
check "evidence through /dev/tpmrm0 verifies, deep quote and all" attests device:/dev/tpmrm0 $n
check "a disk is encrypted under a key that the TPM sealed" says front \
    '^@LUKS made 0'
check "and unlocked by it, in the initramfs" says front \
    '^@LUKS reads what only this guest may read'

# one front half per device
check "a second front half learns which process has the device" eval \
    'inside front "TSS2_LOG= tpm2_pcrread -T tpmfront:xen sha256:0" |
	grep "vtpm device 0 is busy: process"'
check "a second tpmfrontd, too" eval \
    'inside front "tpmfrontd" | grep "is served already"'
check "it says so when asked" inside front "tpmfrontd --status"

# the process that carries the commands dies, with commands running
inside front "xenwork loop 0 >/dev/hvc0 2>&1 &" >/dev/null
check "the guest works with it" wait_for 60 says front '^@N '
pid=$(bridge_pid)
check "the ring's process is killed" inside front "kill -9 $pid"
check "the device stays, the guest continues" works
same "another process took over" yes \
    "$([ "$(bridge_pid)" != "$pid" ] && echo yes)"
same "no acknowledged write was lost, no PCR changed" "" \
    "$(console front | grep -E '^@(LOST|CAPPED)')"
told

# the kernel's driver comes and takes the device (frontd has --take)
inside front "(echo vtpm-0 >/sys/bus/xen/drivers/vtpm/bind) >/dev/null 2>&1 &" \
    >/dev/null
check "the kernel's driver takes the device: it is taken back" eval \
    'wait_for 60 inside front "dmesg | grep -q has.released.vtpm-0"'
check "and the guest continues" works
same "nothing lost, no PCR changed" "" \
    "$(console front | grep -E '^@(LOST|CAPPED)')"
told

# detach and attach: the kernel's driver binds to the new device at once
p1=$(power_cycles front)
xl vtpm-detach front 0 >/tmp/detach.out 2>&1
check "detached while it runs" wait_for 20 detached front
sleep 2
xl vtpm-attach front backend=0 uuid="$u" >>/tmp/detach.out 2>&1
check "attached again, the guest continues" works
check "the kernel's driver had it first, and let it go" eval \
    '[ "$(inside front "dmesg | grep -c has.released.vtpm-0")" -ge 2 ]'
same "that was no power cycle" "$p1" "$(power_cycles front)"
same "nothing lost, no PCR changed" "" \
    "$(console front | grep -E '^@(LOST|CAPPED)')"
console front | grep '^@ERR' | sort | uniq -c | sed 's/^/# /'
told

# the TCTI, without a kernel's device
check "tpmfrontd ends when told to" inside front \
    "killall xenwork; kill \$(pidof tpmfrontd | tr ' ' '\n' |
	sort -n | head -1); sleep 3; [ ! -e /dev/tpm0 ] && ! pidof tpmfrontd"
check "evidence through tpmfront:xen verifies" attests tpmfront:xen $n
same "tpm2-tools read a PCR through tpmfront:xen=0" "$(pcrs_of front sha256 | sed -n 's/^8 //p')" \
    "$(inside front "tpm2_pcrread -T tpmfront:xen=0 sha256:8" |
	sed -n 's/.*0x//p' | tr A-F a-f)"
check "a device that is not there is named as such" eval \
    'inside front "TSS2_LOG= tpmfrontd --device 7 --wait-ms 300" |
	grep "has no such vtpm device"'
check "tpmfrontd starts again" inside front "tpmfrontd --background"

# the back half dies
inside front "xenwork loop 0 >/dev/hvc0 2>&1 &" >/dev/null
check "the guest works with it" works
kill -9 "$(worker_of front)"
check "the worker is killed: another takes over, the guest continues" \
    eval 'sleep 3; works'
same "no acknowledged write was lost" "" "$(console front | grep '^@LOST')"

check "the disk's mapping goes" inside front \
    "cryptsetup close plain"
xl destroy front

# the next boot unlocks its disk; another one does not
must "the guest starts again, the same boot" front_guest front "$u"
must "it comes up" wait_for 120 up front
check "its disk is unlocked in the initramfs" says front \
    '^@LUKS reads what only this guest may read'
xl destroy front
must "the guest starts with a word more" front_guest front "$u" evil
must "it comes up" wait_for 120 up front
console front | grep -E '^@LUKS' | sed 's/^/# /'
check "its disk stays locked, and PCR 8 is named" says front \
    '^@LUKS .*PCR 8'
same "nothing was read" "" "$(console front | grep '^@LUKS reads')"
xl destroy front

# saved and restored
check "the guest works once more" eval 'MEM=256 front_guest front "$u" &&
    wait_for 120 up front'
# Seldom: a guest cannot suspend while a command is with tpmfrontd.
inside front "xenwork hold 0 /dev/tpmrm0 1000 >/dev/hvc0 2>&1 &" >/dev/null
check "it uses its TPM" wait_for 60 says front '^@N '
check "it is saved, TPM and all" ctl xen save front /tmp/front.save
check "and restored" ctl xen restore front /tmp/front.save
check "its tpmfrontd makes a new ring, the guest continues" works
same "in the same process, which its jail did not end" 0 \
    "$(inside front "dmesg | grep -c died.of.signal")"
same "nothing lost, no PCR changed" "" \
    "$(console front | grep -E '^@(LOST|CAPPED)')"
pid=$(bridge_pid)
check "the ring's process dies after that" inside front "kill -9 $pid"
check "another takes over" works
told
inside front "dmesg | grep -iE 'bug|evtchn' | head -5" | sed 's/^/# /'
xl destroy front
rm -f /tmp/front.save

# a TPM 1.2
check "a TPM 1.2 is provisioned" ctl create old --tpm 1.2
must "a guest starts with it" guest old "$(uuid_of old)" vtpm.front=tpmfrontd
must "it comes up" wait_for 120 up old
same "a TPM 1.2: no /dev/tpmrm0" "@DEV /dev/tpm0" \
    "$(console old | grep '^@DEV')"
same "24 PCRs are read" 24 "$(console old | grep -c '^@PCR12')"
console old | grep '^@FRONT' | sed 's/^/# /'
xl destroy old
losetup -d /dev/loop1
