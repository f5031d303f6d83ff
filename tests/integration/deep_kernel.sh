#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# deep_kernel.sh - a guest with a real kernel is vouched for by the host's TPM:
# the commands pass the kernel's /dev/tpmrm0 and /dev/tpm0.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
. "$(dirname "$0")/deeplib.sh"
LAB=${LAB:-$B/lab}
. "$top/tests/lab/lab.sh"
need qemu-system-x86_64 busybox cpio
cleanup_more() { lab_cleanup; }
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
LAB_MEM=256
D=$T/guest
mkdir -p "$D"
cd "$T" || exit 1
in_guest() { "$B/tests/guestctl" do "$D/cmd.sock" 120 "$D" "$@"; }

lab_fetch_kernel || { not_ok "no kernel for the guest"; exit 1; }
lab_make_initrd "$T/initrd.gz" "$A" || exit 1
check "a host's TPM is made and certified" host_tpm host || exit 1
export TCTI_SLOW="sign=400 nv=50 other=5"
check "a manager starts on it" start_manager --pool 0 \
    --root slow:swtpm:path="$T/host" || exit 1
check "the host is enrolled" enrol_host host
check "a vTPM is ready" eval "ctl create web && ctl start web"
lab_qemu_common "$D"
lab_qemu_tpm "$RUN/web.swtpm" tpm-crb
lab_start "$D/qemu.log" qemu-system-x86_64 "${lab_qemu_args[@]}" \
    -kernel "$lab_kernel" -initrd "$T/initrd.gz" \
    -append "console=ttyS0 panic=5"
check "its guest comes up" "$B/tests/guestctl" wait "$D/cmd.sock" 120 || exit 1

N=$("$V" nonce)
check "vouched for through /dev/tpmrm0" in_guest attest "$N" --deep || exit 1
mv "$D/evidence.json" rm.json
check "a policy is made of its boot" "$V" policy --from rm.json --name direct \
    --no-initrd "QEMU loads it, and the host sees to that" -o policy.json
check "accepted down to the maker's root" judge host rm.json "$N"
check "by the second verifier, too" judge_py host rm.json "$N"
check "and through /dev/tpm0" in_guest run "vtpm-attest --deep --tcti \
    device:/dev/tpm0 --nonce $N -o /tmp/raw.json && cat /tmp/raw.json >&2"
check "while it waits the guest's other commands continue" in_guest run \
    "cd /tmp; vtpm-attest --deep --tcti device:/dev/tpmrm0 --nonce $N \
    -o b.json & for i in 1 2 3 4 5 6; do vtpm-attest --nonce $N -o c.json \
    --tcti device:/dev/tpmrm0 || exit 1; done; wait \$!; test -s b.json"

# The registry knows the launch of a guest that it launched, and goes on
# knowing it.
D=$T/app
mkdir -p "$D"
check "another vTPM is ready" eval "ctl create app && ctl start app"
lab_qemu_common "$D"
lab_start "$D/qemu.log" "$B/vtpmctl" --run "$RUN" launch qemu app -- \
    qemu-system-x86_64 "${lab_qemu_args[@]}" -kernel "$lab_kernel" \
    -initrd "$T/initrd.gz" -append "console=ttyS0 panic=5"
check "its guest comes up, launched" "$B/tests/guestctl" wait "$D/cmd.sock" 120
launched() { # EVIDENCE
	in_guest attest "$N" --deep && mv "$D/evidence.json" "$1" &&
	    [ "$(leaf "$1")" = "4 $(jq -r .launch_record "$1" | base64 -d |
		sha256sum | cut -d' ' -f1)" ]
}
check "the host vouches for the launch" launched app.json
check "a policy is made of it" "$V" policy --from app.json --name launched \
    --no-initrd "it is in the launch record" -o policy.json
check "accepted with its launch" judge host app.json "$N"
stop_manager
check "the manager is back" start_manager --pool 0 \
    --root slow:swtpm:path="$T/host"
check "and vouches for the launch again" launched again.json
check "in its audit log no worker differs" \
    eval '! ctl audit | grep launch-differs'
