#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# launch_policy.sh - a policy made of a measured launch accepts the guest's next
# boot, and no other machine.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
LAB=${LAB:-$B/lab}
. "$top/tests/lab/lab.sh"
need qemu-system-x86_64 busybox cpio jq
cleanup_more() { lab_cleanup; }
LAB_MEM=256
D=$T/guest
mkdir -p "$D"
cd "$T" || exit 1
A=$B/vtpm-attest V=$B/vtpm-verify
in_guest() { "$B/tests/guestctl" do "$D/cmd.sock" 120 "$D" "$@"; }

lab_fetch_kernel || { not_ok "no kernel for the guest"; exit 1; }
lab_make_initrd "$T/initrd.gz" "$A" || exit 1
start_manager --pool 1 || { not_ok "the manager starts"; exit 1; }
ctl create web >/dev/null || not_ok "a vTPM is made"
ca_to ca.pem || not_ok "the CA's certificate"

lab_qemu_common "$D"
machine=(qemu-system-x86_64 "${lab_qemu_args[@]}" -kernel "$lab_kernel"
    -initrd "$T/initrd.gz" -append "console=ttyS0 panic=5")
# boot EVIDENCE ARGS...: launch, attest, power off.
boot() {
	local e=$1 pid
	shift
	N=$("$V" nonce)
	rm -f "$D"/*.sock
	lab_start "$D/qemu.log" "$B/vtpmctl" --run "$RUN" launch qemu web -- \
	    "${machine[@]}" "$@"
	pid=$lab_last_pid
	"$B/tests/guestctl" wait "$D/cmd.sock" 120 || return 1
	in_guest attest "$N" || return 1
	mv "$D/evidence.json" "$e"
	in_guest poweroff >/dev/null 2>&1
	lab_wait_exit "$pid" 20
}
judge() { "$V" -e "$1" --nonce "$N" --policy policy.json --ca ca.pem; }

check "a launched guest attests its boot" boot a.json || exit 1
check "a policy is made of it" "$V" policy --from a.json \
    --allow-software-root -o policy.json
check "it names the machine" jq -e \
    '.launch.configs[0].digest and .banks.sha256["17"].launch' policy.json
same "and its digest is that of a dry run" \
    "$(jctl launch qemu web --dry-run -- "${machine[@]}" 2>err |
	jq -j .config | sha256sum | cut -d' ' -f1)" \
    "$(jq -r '.launch.configs[0].digest' policy.json)"
check "the guest boots again" boot b.json
check "the policy accepts that" judge b.json
check "and once more with another card" boot c.json \
    -netdev user,id=n9 -device e1000,netdev=n9
refuse "the policy names what the machine has beside" "e1000" judge c.json
# As vtpm-policy(5) says for several guests.
jq --arg k "$(sha256sum <"$lab_kernel" | cut -d' ' -f1)" \
    'del(.launch.configs) | .launch.files.kernel.sha256 = [$k] |
    .banks.sha256["1"] = {"ignore": "machines differ"} |
    .banks.sha256["2"] = {"ignore": "so do their ROMs"}' \
    policy.json >files.json
mv files.json policy.json
check "files alone accept another machine" judge c.json
check "a policy of both machines is made" "$V" policy --from a.json \
    --from c.json --allow-software-root -o policy.json
check "and accepts the other one, too" judge c.json
