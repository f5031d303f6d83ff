#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# frontd.sh - tpmfrontd in a guest with a real kernel and its /dev/vtpmx; the
# vTPM's manager runs beside it, so the ring is a local one.  (Xen's ring:
# tests/lab/xen/scenarios/front.sh.)
. "$(dirname "$0")/lib.sh"
LAB=${LAB:-$B/lab}
. "$top/tests/lab/lab.sh"
need qemu-system-x86_64 busybox cpio tpm2

cleanup_more() { lab_cleanup; }
LAB_MEM=512
D=$T/guest
mkdir -p "$D"
guest() { "$B/tests/guestctl" do "$D/cmd.sock" 120 "$D" run "$*"; }
quiet() { guest "$*" >/dev/null; }
tpm() { guest "export TPM2TOOLS_TCTI=device:/dev/tpmrm0; $*"; }
has() { guest "ls $1"; }
ends() { ! guest "kill -0 $1"; }
bridge() { guest "pidof tpmfrontd" | tr ' ' '\n' | sort -n | tail -1; }
keeper() { guest "pidof tpmfrontd" | tr ' ' '\n' | sort -n | head -1; }
frontd="tpmfrontd --tcti tpmfront:local=/run/vtpm/one.tpmif --debug"
start() { # in the background of the guest: stays when the command is over
	guest "$frontd --background --wait-ms 60000 $*"
}
manager() {
	guest "mkdir -p /run/vtpm /state; vtpm-managerd --state /state \
	    --run /run/vtpm --pool 0 >/tmp/manager.log 2>&1 &
	    until grep -q ready /tmp/manager.log; do sleep 0.2; done"
}
ctlg() { guest "vtpmctl --run /run/vtpm $*"; }

lab_fetch_kernel || { not_ok "no kernel for the guest"; exit 1; }
lab_make_initrd "$T/initrd.gz" "$lab_proxy_ko" "$B/tpmfrontd" \
    "$B/vtpm-managerd" "$B/vtpm-zygote" "$B/vtpm-hwtpm" "$B/vtpmctl" \
    "$B/tests/libtss2-tcti-slow.so.0" "$B/libtss2-tcti-tpmfront.so.0" \
    "$(command -v tpm2)" || exit 1
lab_qemu_common "$D"
lab_start "$D/qemu.log" qemu-system-x86_64 "${lab_qemu_args[@]}" \
    -kernel "$lab_kernel" -initrd "$T/initrd.gz" \
    -append "console=ttyS0 panic=5"
check "a guest without a TPM comes up" \
    "$B/tests/guestctl" wait "$D/cmd.sock" 120 || exit 1
refuse "no /dev/tpm0 there" "" has /dev/tpm0
check "a manager in it" manager
check "a TPM 2.0 is provisioned" ctlg create one
refuse "without a back half tpmfrontd reports it" \
    "cannot reach a TPM" guest "$frontd --wait-ms 500"
check "the vTPM is powered on" ctlg start one
refuse "without /dev/vtpmx it says what is missing" \
    "cannot make a TPM device: /dev/vtpmx" start
check "the module is loaded" guest "insmod /bin/tpm_vtpm_proxy.ko"
# A busy host: the TPM answers the kernel's first command after three seconds,
# the kernel waits for less than one.
slow() { # TCTI_SLOW'S WORDS
	local lib=/bin/libtss2-tcti
	guest "TCTI_SLOW='sign=0 nv=0 other=0 $*' $(sed \
	    "s,tpmfront:,$lib-slow.so.0:$lib-tpmfront.so.0:," <<<"$frontd") \
	    --background --wait-ms 60000"
}
refuse "a TPM that is always too late is given up, and that is said" \
    "was refused 5 times" slow fault=late@2x4000
check "one that is too late once is tried again" slow count=/tmp/count \
    fault=late@2
check "the kernel has it" has "/dev/tpmrm0"
quiet "kill $(keeper)"
wait_for 20 ends "$(keeper)"
check "tpmfrontd returns when the kernel has its TPM" start
check "/dev/tpm0 and /dev/tpmrm0 are there" has "/dev/tpm0 /dev/tpmrm0"
check "tpm2-tools work on it" tpm "tpm2 getrandom --hex 16"
check "a key in the resource manager's space" tpm \
    "cd /tmp; tpm2 createprimary -Q -C o -G ecc -c k.ctx"
check "PCR 16 is extended" tpm "tpm2 pcrextend 16:sha256=$(printf '%064d' 7)"
p16=$(tpm "tpm2 pcrread sha256:16")
k=$(keeper)

# The process that carries the commands dies.
b=$(bridge)
check "it is jailed: a filter, no capabilities" guest \
    "grep -q '^Seccomp:.2' /proc/$b/status &&
	grep -q '^CapEff:.0*$' /proc/$b/status &&
	grep -q '^NoNewPrivs:.1' /proc/$b/status"
quiet "exec 5<>/dev/tpmrm0; kill -9 $b; sleep 60 &"
same "killed: the device stays" "/dev/tpm0" "$(has /dev/tpm0)"
wait_for 30 tpm "tpm2 getrandom --hex 4"
same "the TPM is the same" "$p16" "$(tpm "tpm2 pcrread sha256:16")"
check "its key, too" tpm "cd /tmp; tpm2 readpublic -Q -c k.ctx"
same "the same keeper" "$k" "$(keeper)"
check "another process" [ "$(bridge)" != "$b" ]

# The TPM goes and comes.
check "the vTPM is stopped" ctlg stop one
refuse "a command fails with a TPM's error" "tpm:|error|0x922|0x101|RETRY" \
    tpm "tpm2 getrandom --hex 4"
same "the device stays" "/dev/tpm0" "$(has /dev/tpm0)"
check "the vTPM is started again" ctlg start one
check "and works through the same device" wait_for 60 tpm \
    "tpm2 startup -c; tpm2 getrandom --hex 4"

# The end.
check "told to end, both processes end" eval \
    'quiet "kill $k" && wait_for 20 ends "$k" && wait_for 20 ends "$(bridge)"'
refuse "the device goes with them" "" has /dev/tpm0
check "once more" start
k=$(keeper)
b=$(bridge)
check "the keeper is killed: the other ends by itself" eval \
    'quiet "kill -9 $k" && wait_for 20 ends "$b"'
refuse "and so does the device" "" has /dev/tpm0

# A TPM 1.2.
check "a TPM 1.2" eval 'ctlg create old --tpm 1.2 && ctlg start old'
check "is bridged as such" guest \
    "tpmfrontd --tcti tpmfront:local=/run/vtpm/old.tpmif --background"
refuse "no resource manager for it" "" has "/dev/tpmrm*"
# Whatever number the kernel gave it.
pcrs12() { guest "cat /sys/class/tpm/tpm*/pcrs | grep -c PCR-"; }
wait_for 20 eval '[ "$(pcrs12)" = 24 ]'
same "its 24 PCRs are in sysfs" 24 "$(pcrs12)"
guest "dmesg | grep -iE 'tpm|vtpm' | tail -15" | sed 's/^/# /'
"$B/tests/guestctl" do "$D/cmd.sock" 20 "$D" poweroff >/dev/null 2>&1
