#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# suspend.sh - law 4 on a real guest that sleeps (S3) and wakes itself by the
# clock: under the launcher, whose monitor tells a reset from a wake-up.
#
# The attack (CVE-2018-6622): the guest takes its kernel's TPM driver away, so
# that nothing saves the TPM's state, sleeps, wakes up, and starts the TPM
# anew.  It must get no fresh PCRs and no second measurement of its launch.
. "$(dirname "$0")/lib.sh"
LAB=${LAB:-$B/lab}
. "$top/tests/lab/lab.sh"
need qemu-system-x86_64 busybox cpio jq

cleanup_more() { lab_cleanup; }
LAB_MEM=256
D=$T/guest
CRB=/sys/bus/acpi/drivers/tpm_crb
guest() { "$B/tests/guestctl" do "$D/cmd.sock" 90 "$D" run "$*"; }
hmp() { "$B/tests/guestctl" qmp "$D/qmp.sock" 60 "$(jq -nc --arg c "$*" \
    '{execute: "human-monitor-command", arguments: {"command-line": $c}}')"; }
up() { "$B/tests/guestctl" wait "$D/cmd.sock" 120; }
value() { # PCR: what the guest reads
	guest "cat /sys/class/tpm/tpm*/pcr-sha256/$1" | tr -dc 0-9A-F
}
launches() { grep -ac 'launch-applied sleeper' "$LOG"; }
capped() { grep -ac 'worker: capped sleeper' "$LOG"; }
# The guest sets its clock's alarm and sleeps; true once it is awake again.
sleeps() {
	guest "echo +4 >/sys/class/rtc/rtc0/wakealarm &&
	    echo mem >/sys/power/state && echo awake" | grep -q awake
}

mkdir -p "$LAB" "$D"
check "a kernel is here" lab_fetch_kernel || exit 1
check "an initramfs is made" lab_make_initrd "$T/initrd.gz" || exit 1
start_manager --pool 0 || exit 1
check "a vTPM is made" ctl create sleeper && check "and started" ctl start sleeper
same "the pipes of a monitor are there" 2 \
    "$(find "$RUN" -type p -name 'sleeper.qmp.*' | wc -l)"

lab_qemu_common "$D"
lab_start "$D/qemu.log" "$B/vtpmctl" --run "$RUN" launch qemu sleeper -- \
    qemu-system-x86_64 "${lab_qemu_args[@]}" -kernel "$lab_kernel" \
    -initrd "$T/initrd.gz" -append "console=ttyS0 panic=5"
qemu_pid=$lab_last_pid
check "the guest boots, launched measured" up || { cat "$D/qemu.log"; exit 1; }
was4=$(value 4) was17=$(value 17)
applied=$(launches)
check "the launch was measured" [ "$applied" -gt 0 ]

check "Linux sleeps and wakes up by its clock" sleeps
same "a lawful suspend keeps PCR 4" "$was4" "$(value 4)"
same "and measures no launch" "$applied" "$(launches)"
same "nothing is capped" 0 "$(capped)"
check "it does so again" sleeps
same "PCR 4 is kept again" "$was4" "$(value 4)"

check "the host resets the machine" hmp system_reset
sleep 2
check "it boots again" up
same "PCR 4 is that of the launch, anew" "$was4" "$(value 4)"
same "PCR 17, too" "$was17" "$(value 17)"
check "the launch was measured again" [ "$(launches)" -gt "$applied" ]
applied=$(launches)

check "the attack: the guest takes its TPM driver away" guest \
    "echo MSFT0101:00 >$CRB/unbind"
check "sleeps without TPM2_Shutdown(STATE)" sleeps
check "and starts the TPM anew" guest \
    "echo MSFT0101:00 >$CRB/bind; sleep 1; ls /sys/class/tpm/tpm*/pcr-sha256/0"
same "every PCR is capped" 1 "$(capped)"
check "with the reason" grep -aq \
    'capped sleeper: .*woke from suspend without the state' "$LOG"
now=$(value 4)
check "PCR 4 is neither the launch's nor zero" eval \
    '[[ $now =~ ^[0-9A-F]{64}$ && $now != "$was4" && ! $now =~ ^0*$ ]]'
same "no launch was measured" "$applied" "$(launches)"

check "the guest resets itself" guest \
    "(sleep 2; echo b >/proc/sysrq-trigger) &"
sleep 5
check "it boots again, too" up
same "and has the PCRs of its launch" "$was4" "$(value 4)"
kill "$qemu_pid"
lab_wait_exit "$qemu_pid" 20
check "the vTPM stops" ctl stop sleeper
same "and takes its pipes away" 0 \
    "$(find "$RUN" -type p -name 'sleeper.qmp.*' | wc -l)"
stop_manager
