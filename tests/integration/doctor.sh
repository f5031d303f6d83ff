#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# doctor.sh - vtpmctl doctor and health: what is wrong with a host is found,
# with what to do about it, and what is well is not complained of.
. "$(dirname "$0")/lib.sh"
need jq sqlite3

H=$T/host # files of a host
mkdir -p "$H/etc" "$H/sys/fs/cgroup" "$H/dev"
touch "$H/sys/fs/cgroup/cgroup.controllers"
doc() { jctl doctor --sysroot "$H"; }
# finds CHECK RESULT WORDS: one finding
finds() {
	doc >"$T/doc" 2>/dev/null
	jq -e --arg c "$1" --arg r "$2" --arg w "$3" '[.checks[] |
	    select(.check == $c and .result == $r and
	    ((.text + .advice) | test($w)))] | length == 1' "$T/doc" ||
	    { cat "$T/doc"; return 1; }
}
lacks() { doc 2>/dev/null | jq -e --arg c "$1" \
    '[.checks[] | select(.check == $c)] | length == 0'; }
code() { "$@" >/dev/null 2>&1; echo $?; }

check "no manager" finds manager failed 'no manager answers.*systemctl start'
same "doctor fails" 1 "$(code ctl doctor --sysroot "$H")"
same "health: manager away" 7 "$(code ctl health)"
check "no TPM" finds TPM warning 'no /dev/tpmrm0.*firmware'
touch "$H/dev/tpmrm0"
check "a TPM" finds TPM ok 'is there'

chmod 700 "$STATE"
start_manager --pool 0 || exit 1
ctl create alice >/dev/null
same "health: ok" 0 "$(code ctl health)"
same "a manager that is well: nothing failed" 0 \
    "$(code ctl doctor --sysroot "$H")"
ctl doctor --sysroot "$H" | sed 's/^/# /'
check "manager" finds manager ok version
check "a software root beside a TPM" finds TPM warning \
    'proves nothing.*device:/dev/tpmrm0'
check "disk" finds disk ok 'MB free'
check "folders" finds state ok 'mode 0700'
check "cgroups" finds cgroups ok 'version 2'
check "no libvirt, nothing to say about it" lacks libvirt
check "nor about AppArmor" lacks AppArmor

# --- what is wrong, one by one ----------------------------------------------------
rm "$H/sys/fs/cgroup/cgroup.controllers"
check "no cgroup v2" finds cgroups warning 'unified_cgroup_hierarchy'
mkdir -p "$H/etc/libvirt/hooks/qemu.d" "$H/sys/module/apparmor/parameters" \
    "$H/etc/apparmor.d/local/abstractions" "$H/sys/fs/selinux"
check "libvirt without our hook" finds libvirt warning 'install tools/hooks'
printf '#!/bin/sh\n' >"$H/etc/libvirt/hooks/qemu.d/vtpm"
check "a hook that cannot be run" finds libvirt warning 'mode 755'
chmod 755 "$H/etc/libvirt/hooks/qemu.d/vtpm"
check "the hook" finds libvirt ok 'hook'
echo Y >"$H/sys/module/apparmor/parameters/enabled"
check "AppArmor without a rule" finds AppArmor warning 'swtpm rw,'
echo '/run/vtpm/*.swtpm rw,' \
    >"$H/etc/apparmor.d/local/abstractions/libvirt-qemu"
check "with it" finds AppArmor ok 'may use'
echo 1 >"$H/sys/fs/selinux/enforce"
check "SELinux" finds SELinux warning 'ausearch'
chmod 755 "$STATE"
check "a state folder that others can read" finds state failed 'mode 0755'
same "that is a failure" 1 "$(code ctl doctor --sysroot "$H")"
chmod 700 "$STATE"
stop_manager
sqlite3 "$STATE/store.db" 'UPDATE vtpm SET version = version + 1'
start_manager --pool 0
check "a vTPM whose state was changed" finds vTPMs failed \
    'list --state tampered'
kill -STOP "$MPID"
same "a manager that hangs is a failure among others" 1 \
    "$(code ctl doctor --sysroot "$H")"
kill -CONT "$MPID"
same "health is of the manager: ok" 0 "$(code ctl health)"
