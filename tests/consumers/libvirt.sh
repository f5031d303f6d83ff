#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# libvirt.sh - stock libvirt, <backend type='external'>, and the hook: a vTPM
# through the life of its domain.  libvirtd runs in a mount namespace, with
# folders of its own; QEMU runs emulated and under its own uid.  The guest is its
# firmware: SeaBIOS starts the TPM and measures, and a mark that the host
# extends into PCR 16 tells whether the TPM went on or was power cycled.
if [ -z "${PRIVATE_MOUNTS:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "libvirt.sh needs root" >&2; exit 1; }
	exec unshare -m env PRIVATE_MOUNTS=1 "$0" "$@"
fi
. "$(dirname "$0")/../integration/lib.sh"
need jq virsh libvirtd qemu-img
uuid=6f2a3b8e-1d43-4a77-9a2e-0c5b7d91e301

# --- a host with libvirt ------------------------------------------------------
mount --make-rprivate /
for d in /etc/libvirt /run/libvirt /var/lib/libvirt /var/log/libvirt \
    /var/cache/libvirt; do
	mkdir -p "$d"
	mount -t tmpfs -o mode=755 none "$d"
done
# One that hangs here would be probed for long.
[ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
# User and group that the package libvirt-daemon-system makes.
for f in passwd:64055:::/usr/sbin/nologin group:; do
	! getent "${f%%:*}" libvirt-qemu >/dev/null || continue
	cp "/etc/${f%%:*}" "$T"
	echo "libvirt-qemu:x:64055:${f#*:}" >>"$T/${f%%:*}"
	mount --bind "$T/${f%%:*}" "/etc/${f%%:*}"
done
mkdir -p /etc/libvirt/hooks /var/lib/libvirt/images
cat >/etc/libvirt/hooks/qemu <<END
#!/bin/sh
export VTPM_RUN=$RUN VTPMCTL=$B/vtpmctl LD_LIBRARY_PATH=$B
exec $top/tools/hooks/qemu "\$@"
END
chmod 755 /etc/libvirt/hooks/qemu
printf 'auth_unix_%s = "none"\n' ro rw >/etc/libvirt/libvirtd.conf
cat >/etc/libvirt/qemu.conf <<END
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
END
cat >"$T/conf" <<END
pool = 1
socket_group = libvirt-qemu
END
chmod 755 "$RUN"
# QEMU outlives libvirtd, but not this test.
cleanup_more() { slay "$(cat /run/libvirt/qemu/web1.pid 2>/dev/null)"; }
check "a manager" start_manager --config "$T/conf" || exit 1
background libvirtd >"$T/libvirtd.log" 2>&1
vi() { virsh -q -c qemu:///system "$@"; }
check "libvirtd runs" wait_for 60 vi list || { cat "$T/libvirtd.log"; exit 1; }

cat >"$T/web1.xml" <<END
<domain type='qemu'>
  <name>web1</name>
  <uuid>$uuid</uuid>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/libvirt/images/web1.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
$(readme_block '<tpm model=' | sed "s|/run/vtpm/|$RUN/|")
  </devices>
</domain>
END
qemu-img create -q -f qcow2 /var/lib/libvirt/images/web1.qcow2 16M

# --- what is seen ---------------------------------------------------------------
tpm_state() { jctl show web1 | jq -r .state; }
# QEMU has the TPM, and no other program beside it: its PCRs and its power
# cycles are what the manager says.
pcr() { jctl log web1 --pcrs | jq -r ".sha256[\"$1\"]"; }
measured() { pcr 0 | grep -v '^0*$'; } # and it was started at all
cycles() { jctl audit | jq 'map(select(.action == "power-cycle")) | length'; }
set_mark() { wait_for 60 measured && marked=$(pcr 0) && cycled=$(cycles); }
marked='' cycled=''
ek() { jctl show web1 | jq -r .ek_rsa.name; }
check_cycled() { # TEXT
	check "$1: the firmware measures anew" wait_for 60 measured
	check "$1: that was a power cycle" [ "$(cycles)" -gt "$cycled" ]
	same "$1: it is the same TPM" "$first" "$(ek)"
}
# The firmware does not run again: PCRs that had started anew would be zero.
check_went_on() { # TEXT
	same "$1: its PCRs went on" "$marked" "$(pcr 0)"
	same "$1: it is the same TPM" "$first" "$(ek)"
	same "$1: the domain runs" running "$(vi domstate web1 | head -1)"
}
off() { [ "$(vi domstate web1 | head -1)" = "shut off" ]; }

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
check "restore" vi restore "$T/web1.save"
check_went_on "restore"
check "managedsave" vi managedsave web1
check "start from it" vi start web1
check_went_on "managedsave"

check "snapshot" vi snapshot-create-as web1 one
check "revert" vi snapshot-revert web1 one
check_went_on "revert"
check "snapshot-delete" vi snapshot-delete web1 one

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
