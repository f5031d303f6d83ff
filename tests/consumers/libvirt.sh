#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# libvirt.sh - stock libvirt, <backend type='external'>, and the hook: a vTPM
# through the life of its domain.
if [ -z "${PRIVATE_MOUNTS:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "libvirt.sh needs root" >&2; exit 1; }
	exec unshare -m env PRIVATE_MOUNTS=1 "$0" "$@"
fi
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/libvirtlib.sh"
. "$top/tests/readme_block.sh"
need jq virsh libvirtd qemu-img

# --- a host with libvirt ------------------------------------------------------
libvirt_folders
cat >/etc/libvirt/hooks/qemu <<END
#!/bin/sh
export VTPM_RUN=$RUN VTPMCTL=$B/vtpmctl LD_LIBRARY_PATH=$B
exec $top/tools/hooks/qemu "\$@"
END
chmod 755 /etc/libvirt/hooks/qemu
cat >"$T/conf" <<END
pool = 1
socket_group = libvirt-qemu
END
check "a manager" start_manager --config "$T/conf" || exit 1
libvirt_starts
readme_block '<tpm model=' | sed "s|/run/vtpm/|$RUN/|" | domain_xml

# --- the life of a domain ---------------------------------------------------------
check "define" vi define "$T/web1.xml"
check "start: the hook makes the vTPM" vi start web1
same "it has the domain's UUID" "$uuid" "$(jctl show web1 | jq -r .uuid)"
first=$(ek)
check "the firmware measures" wait_for 60 measured
same "QEMU has a uid of its own" libvirt-qemu \
    "$(ps -o user:20= -p "$(cat /run/libvirt/qemu/web1.pid)" | xargs)"
check "a mark" set_mark

check "suspend and resume" eval 'vi suspend web1 && vi resume web1'
check_went_on "resume"
check "reset" vi reset web1
check_cycled "reset"

check "a mark" set_mark
check "save" vi save web1 "$T/web1.save"
same "the hook stopped the vTPM" stopped "$(tpm_state)"
check_restores

check "destroy" vi destroy web1
check "the hook stopped the vTPM" wait_for 20 eval '[ "$(tpm_state)" = stopped ]'
check "start again" vi start web1
check_cycled "start"
check "a restart of the manager under the domain" eval \
    'set_mark && stop_manager && start_manager --config "$T/conf"'
check_went_on "restart"
check "SIGKILL ends QEMU" slay "$(cat /run/libvirt/qemu/web1.pid)"
check "libvirt sees it" wait_for 30 off
check "start after it" vi start web1
check_cycled "crash"
check "destroy" vi destroy web1

# --- what must not be -------------------------------------------------------------
sed "s/web1</web2</; s/$uuid/${uuid%1}2/" "$T/web1.xml" >"$T/web2.xml"
check "another domain with the same path" vi define "$T/web2.xml"
refuse "does not get the first one's TPM" 'web1 cannot be created' \
    vi start web2
check "undefine" eval 'vi undefine web2 && vi undefine web1'
same "the TPM outlives the definition" stopped "$(tpm_state)"
check "until the operator destroys it" ctl destroy web1
stop_all
