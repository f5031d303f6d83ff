# SPDX-License-Identifier: BSD-3-Clause
# kexec.sh - sourced by guest-init: the kernel on the disk $kexec takes over.
insmod /mods/xen-blkfront.ko
n=0
until [ -b "/dev/$kexec" ] || [ $n -ge 100 ]; do usleep 50000; n=$((n + 1)); done
tar -xf "/dev/$kexec" -C /tmp
xenwork kexec /tmp/vmlinuz /tmp/small.gz "$(cat /proc/cmdline) vtpm.second=2"
