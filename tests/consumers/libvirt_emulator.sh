#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# libvirt_emulator.sh - stock libvirt, <backend type='emulator'>, with programs by
# swtpm's names: a vTPM through the life of its domain.
if [ -z "${PRIVATE_MOUNTS:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "libvirt_emulator.sh needs root" >&2; exit 1; }
	exec unshare -m env PRIVATE_MOUNTS=1 "$0" "$@"
fi
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/libvirtlib.sh"
need jq virsh libvirtd qemu-img

# --- a host with libvirt ------------------------------------------------------
# As the package installs them, but that the manager's folder is another.
libvirt_folders
mkdir "$T/bin"
for p in swtpm swtpm_setup swtpm_ioctl; do
	printf '#!/bin/sh\nVTPM_RUN=%s VTPM_GROUP=vms exec %s "$@"\n' "$RUN" \
	    "$B/swtpm-dropin/$p" >"$T/bin/$p"
	chmod 755 "$T/bin/$p"
done
PATH=$T/bin:$PATH
cat >"$T/conf" <<END
pool = 1
control_group = tss
socket_group = tss
END
check "a manager" start_manager --config "$T/conf" || exit 1
# As vtpm-swtpm(8) has it: tss administers one group.
vms() {
	ctl host keygen -o "$T/vms.pem" &&
	    ctl group create vms --key "$T/vms.pem.pub" &&
	    ctl group sign --key "$T/vms.pem" --number 1 --sequence 1 \
		--pcrs sha256:0-7 --admin tss -o "$T/vms.1" &&
	    ctl group update vms --config "$T/vms.1"
}
check "a group that the user tss administers" vms
libvirt_starts
domain_xml <<END
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
END

# --- the life of a domain ---------------------------------------------------------
stopped() { [ "$(tpm_state)" = stopped ]; }
check "define" vi define "$T/web1.xml"
check "start" vi start web1 || cat /var/log/swtpm/libvirt/qemu/web1*
same "its vTPM has the domain's UUID" "$uuid" "$(jctl show web1 | jq -r .uuid)"
same "and is tss's" "$(id -u tss)" "$(jctl show web1 | jq -r .owner)"
same "in the group that it administers" vms "$(jctl show web1 | jq -r .group_name)"
first=$(ek)
check "the firmware measures" wait_for 60 measured
check "a mark" set_mark
check "reset" vi reset web1
check_cycled "reset"

check "a mark" set_mark
check "save" vi save web1 "$T/web1.save"
check "the vTPM stops" wait_for 20 stopped
check_restores

check "a restart of the manager under the domain" eval \
    'set_mark && stop_manager && start_manager --config "$T/conf"'
check_went_on "restart"
check "destroy" vi destroy web1
check "the vTPM stops" wait_for 20 stopped
check "start again" vi start web1
check_cycled "start"
check "SIGKILL ends QEMU" slay "$(cat /run/libvirt/qemu/web1.pid)"
check "libvirt sees it" wait_for 30 off
check "the vTPM stops" wait_for 20 stopped
check "start after it" vi start web1
check_cycled "crash"
check "other PCR banks" eval 'vi destroy web1 && sed -i "s|version=.2.0./>|\
    version=\"2.0\"><active_pcr_banks><sha1/><sha256/></active_pcr_banks></backend>|" \
    "$T/web1.xml" && vi define "$T/web1.xml" && vi start web1'
banks() { jctl show web1 | jq -r '.banks | join(",")'; }
check "the vTPM has them" wait_for 60 eval '[ "$(banks)" = sha1,sha256 ]'
check "undefine" eval 'vi destroy web1 && vi undefine web1 && wait_for 20 stopped'
check "define again, with its UUID" eval 'vi define "$T/web1.xml" && vi start web1'
same "it is the same TPM" "$first" "$(ek)"
check "the end" eval 'vi destroy web1 && vi undefine web1 && wait_for 20 stopped'
check "until the operator destroys it" ctl destroy web1
stop_all
