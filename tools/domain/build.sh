#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# build.sh OUT - the manager's own Xen domain: OUT/vmlinuz, OUT/initrd.gz and
# OUT/vtpmmgr.cfg.  The domain owns the host's TPM and keeps its store on
# xvda; dom0 keeps no key.  doc/XEN.md tells how it is used.
#
# From the environment: B (where the programs are, default build), KERNEL and
# MODULES (default: this machine's).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/modules.sh"
out=${1:?usage: build.sh OUT}
: "${B:=build}"
: "${KERNEL:=/boot/vmlinuz-$(uname -r)}"
: "${MODULES:=/lib/modules/$(uname -r)}"
programs="vtpm-managerd vtpm-zygote vtpm-hwtpm vtpm-xenback vtpmctl"
# Drivers, and what ext4 asks for by name; what these need is found.
modules="xen-evtchn xen-gntdev xen-privcmd xenfs xen-blkfront
	crc32c_generic ext4"

for f in "$KERNEL" "$MODULES"; do
	[ -r "$f" ] || {
		echo "build.sh: $f: cannot be read; set KERNEL and MODULES to" \
		    "a kernel for the domain and its modules" >&2
		exit 1
	}
done
for f in $programs vtpm-xen.so; do
	[ -e "$B/$f" ] || {
		echo "build.sh: $B/$f is not there: run make first (with" \
		    "libxen-dev installed)" >&2
		exit 1
	}
done
command -v busybox >/dev/null || {
	echo "build.sh: busybox is missing: install busybox-static" >&2
	exit 1
}
mkdir -p "$out"
root=$(mktemp -d "$out/root.XXXXXX")
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,lib,lib64,proc,sys,dev,tmp,run,state,mods}
libs_of() {
	local lib
	ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | while read -r lib; do
		[ -e "$root/lib/${lib##*/}" ] || cp -L "$lib" "$root/lib/"
	done
}
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
cp "$(command -v busybox)" "$root/bin/busybox"
for f in $programs vtpm-xen.so; do
	cp "$B/$f" "$root/bin/"
	libs_of "$B/$f"
done
# What is loaded by name while it runs.
cp -L /usr/lib/*/libtss2-tcti-device.so.0 /lib/*/libgcc_s.so.1 "$root/lib/"
# shellcheck disable=SC2086
modules_put "$MODULES" "$root/mods" $modules >"$root/mods/list" || {
	echo "build.sh: a domain without that driver cannot do its work" >&2
	exit 1
}
cp "$here/init" "$here/console" "$root/"
chmod 755 "$root/init"
# What the kernel runs when dom0 asks for a shutdown.
mkdir -p "$root/sbin"
printf '#!/bin/busybox sh\nexec /bin/busybox kill -TERM 1\n' \
    >"$root/sbin/poweroff"
chmod 755 "$root/sbin/poweroff"
# The same bytes from the same input, so that a digest can be approved.
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet --reproducible -R 0:0 \
    -o -H newc) | gzip -n -9 >"$out/initrd.gz"
cp "$KERNEL" "$out/vmlinuz"
sed "s|@OUT@|$(cd "$out" && pwd)|" "$here/vtpmmgr.cfg.in" >"$out/vtpmmgr.cfg"
(cd "$out" && sha256sum vmlinuz initrd.gz)
