# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# libvirtlib.sh - sourced by the tests of stock libvirt, behind lib.sh and in a
# mount namespace of their own: libvirtd with folders of its own.  QEMU runs
# emulated and under its own uid.  The guest is its firmware: SeaBIOS starts the
# TPM and measures, and PCR 0 tells whether the TPM went on or was power cycled.
#
#   libvirt_folders         before anything is put into them
#   libvirt_starts          libvirtd, in the background
#   domain_xml < TPM-XML    the domain web1 with that TPM
#   check_cycled, check_went_on TEXT
uuid=6f2a3b8e-1d43-4a77-9a2e-0c5b7d91e301
libvirt_folders() {
	local d f
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
	printf 'auth_unix_%s = "none"\n' ro rw >/etc/libvirt/libvirtd.conf
	cat >/etc/libvirt/qemu.conf <<-END
	security_driver = "none"
	cgroup_controllers = []
	namespaces = []
	stdio_handler = "file"
	END
	chmod 755 "$RUN"
}
libvirt_starts() {
	background libvirtd >"$T/libvirtd.log" 2>&1
	check "libvirtd runs" wait_for 60 vi list ||
	    { cat "$T/libvirtd.log"; exit 1; }
}
# QEMU outlives libvirtd, but not this test.
cleanup_more() { slay "$(cat /run/libvirt/qemu/web1.pid 2>/dev/null)"; }
vi() { virsh -q -c qemu:///system "$@"; }
domain_xml() {
	qemu-img create -q -f qcow2 /var/lib/libvirt/images/web1.qcow2 16M
	cat >"$T/web1.xml" <<-END
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
	$(cat)
	  </devices>
	</domain>
	END
}

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
# web1 was saved: it goes on from there, from a managed save, and a snapshot.
check_restores() {
	check "restore" vi restore "$T/web1.save"
	check_went_on "restore"
	check "managedsave" vi managedsave web1
	check "start from it" vi start web1
	check_went_on "managedsave"
	check "snapshot" vi snapshot-create-as web1 one
	check "revert" vi snapshot-revert web1 one
	check_went_on "revert"
	check "snapshot-delete" vi snapshot-delete web1 one
}
off() { [ "$(vi domstate web1 | head -1)" = "shut off" ]; }
