# SPDX-License-Identifier: BSD-3-Clause
# disklib.sh - sourced before lib.sh by tests whose state folder is on a disk
# that breaks: they run as root in a mount namespace of their own, since a copy
# of the mount in another one would keep a dead file system alive.
#
#   new_disk MB     an ext4 file system on STATE
#   break_disk      from now on every call of it is EIO; what was not flushed
#                   is lost
#   repair_disk     it is unmounted, so no file of it is open, and mounted again
[ "$(id -u)" = 0 ] || { echo "skip - a broken disk: needs root, to mount one"
	exit 0; }
if [ -z "${OWN_MOUNTS:-}" ]; then
	unshare -m true 2>/dev/null && OWN_MOUNTS=1 exec unshare -m "$0"
	echo "skip - a broken disk: no mount namespace can be made here"
	exit 0
fi
mount_disk() { mount -o loop "$T/disk" "$STATE"; }
new_disk() { # MB
	need mkfs.ext4 perl
	truncate -s "${1}M" "$T/disk"
	mkfs.ext4 -q -m 0 "$T/disk"
	mount_disk 2>/dev/null || {
		echo "skip - a broken disk: no loop device can be mounted here"
		exit 0
	}
	chmod 700 "$STATE"
}
cleanup_more() { umount -l "$STATE" 2>/dev/null; }
break_disk() { # EXT4_IOC_SHUTDOWN without a flush
	perl -e 'open(my $d, "<", $ARGV[0]) or die "open: $!";
		my $f = pack("L", 2); ioctl($d, 0x8004587d, $f) or die "ioctl: $!"' "$STATE"
}
repair_disk() { umount "$STATE" && mount_disk; }
