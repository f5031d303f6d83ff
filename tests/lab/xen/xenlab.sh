# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# xenlab.sh - sourced: builds a real Xen host from Debian packages, boots it
# in QEMU with a TPM, runs scenarios in its dom0, brings the results back.
#
# Nothing is installed: hypervisor, tools and kernel are unpacked under
# $XL (default $B/lab/xen).  dom0 is Debian's kernel with an initramfs of
# busybox, xenstored, xl, our programs and the scenarios.
: "${B:=build}"
XL=${XL:-$B/lab/xen}
xl_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
xl_top=$(cd "$xl_here/../../.." && pwd)
. "$xl_top/tests/swtpm.sh"
. "$xl_top/tests/lab/debian.sh"

# A 32-bit kernel and its busybox, without telling this machine's dpkg of a
# foreign architecture.
xl_apt32() { # TOOL ARG...
	local tool=$1
	shift
	"$tool" -qq -o APT::Architectures::=amd64 -o APT::Architectures::=i386 \
	    -o "Dir::State::Lists=$xl_lists" -o "Dir::Cache=$xl_lists" "$@"
}
xl_fetch_pae() {
	local into=$XL/cache/pae name deb
	[ -e "$into.done" ] && return 0
	xl_lists=$(realpath "$XL")/cache/pae.lists
	mkdir -p "$into" "$xl_lists/partial" "$xl_lists/archives/partial"
	echo "  fetching a 32-bit kernel"
	xl_apt32 apt-get update >"$into.log" 2>&1 # one list may be missing
	name=$(xl_apt32 apt-cache depends linux-image-686-pae:i386 |
	    sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
	(cd "$into" && xl_apt32 apt-get download "$name" \
	    busybox-static:i386) >>"$into.log" 2>&1 || {
		echo "  none to be had: no 32-bit guest ($into.log)"
		return 0
	}
	for deb in "$into"/*.deb; do
		dpkg-deb -x "$deb" "$into" || return 1
	done
	rm -rf "$into"/*.deb "$xl_lists"
	touch "$into.done"
}

# Sets xl_kernel, xl_mods (the folder of modules), xl_root (Xen's files) and
# xl_xen, the folder below it of Xen's version.
xl_fetch_all() {
	local name utils
	xl_root=$XL/cache/xen
	[ -e "$xl_root/.complete" ] || {
		name=$(deb_depends xen-system-amd64 'xen-hypervisor-[0-9]') &&
		    utils=${name/hypervisor/utils} &&
		    deb_unpack "$xl_root" "$name" "${utils%-amd64}" \
			xenstore-utils || return 1
	}
	xl_xen=$(cd "$xl_root" && ls -d usr/lib/xen-[0-9]* | tail -1)
	[ -e "$XL/cache/kernel/.complete" ] || {
		name=$(deb_kernel_package) &&
		    deb_unpack "$XL/cache/kernel" "$name" || return 1
	}
	xl_kernel=$(deb_kernel "$XL/cache/kernel")
	xl_mods=$(modules_folder "$XL/cache/kernel")
	xl_unpack_kernel "$xl_kernel" "$XL/vmlinux"
	deb_unpack "$XL/cache/hvm" qemu-system-xen || return 1
	xl_fetch_pae || return 1
	[ -e "$XL/xen.elf" ] || xl_unpack_xen
}

# QEMU's processor sets the accessed bit also in the four top entries of a
# 32-bit guest's PAE tables, where a real one has it reserved.  Xen then takes
# that guest's tables for broken, and waits for ever at the first instruction
# that it has to look at.  So the one mask by which Xen tests such entries
# loses that bit here; without it 32-bit guests cannot be shown, the rest can.
xl_unpack_xen() {
	local at mask='\x48\xb9\xe6\x01\x00\x00\x00\x00\xf0\xff'
	gunzip -c "$xl_root"/boot/xen-[0-9]*-amd64.gz >"$XL/xen.new" || return 1
	at=$(LC_ALL=C grep -obUaP "$mask" "$XL/xen.new" | cut -d: -f1)
	case $at in
	*[!0-9]* | "")
		echo "  this Xen's PAE test was not found: no 32-bit guest"
		touch "$XL/no-pae"
		;;
	*)
		printf '\xc6' | dd of="$XL/xen.new" bs=1 seek=$((at + 2)) \
		    conv=notrunc status=none || return 1
		;;
	esac
	mv "$XL/xen.new" "$XL/xen.elf"
}

# The kernel proper out of a bzImage: Xen's loader takes it as it is, and an
# emulated processor need not unpack it for every guest.  Boot protocol 2.08:
# payload_offset, payload_length.  Without it guests start from the bzImage.
xl_unpack_kernel() { # bzImage, out
	local at len tool
	[ ! -e "$2" ] || return 0
	at=$(($(od -An -tu1 -j497 -N1 "$1")))
	at=$(((at + 1) * 512 + $(od -An -tu4 -j584 -N4 "$1")))
	len=$(($(od -An -tu4 -j588 -N4 "$1")))
	for tool in xz zstd lz4 gzip; do # a size follows: trailing garbage
		tail -c +$((at + 1)) "$1" | head -c "$len" |
		    "$tool" -dcq >"$2" 2>/dev/null
		[ "$(head -c 4 "$2" | tail -c 3)" != ELF ] || return 0
	done
	rm -f "$2"
}

xl_add_libs() { # root, file
	local lib
	ldd "$2" 2>/dev/null |
	    sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | while read -r lib; do
		[ -e "$1/lib/${lib##*/}" ] || cp -L "$lib" "$1/lib/"
	done
}
xl_add() { # root, file...
	local root=$1 f
	shift
	for f; do
		cp -L "$f" "$root/bin/" || return 1
		xl_add_libs "$root" "$f"
	done
}
xl_skeleton() { # root
	mkdir -p "$1"/{bin,lib,lib64,proc,sys,dev,tmp,run,root,etc,mods}
	cp -L /lib64/ld-linux-x86-64.so.2 "$1/lib64/"
	cp "$(command -v busybox)" "$1/bin/busybox"
}
xl_modules() { # root, module names
	local root=$1
	shift
	modules_put "$xl_mods" "$root/mods" "$@" >>"$root/mods/list"
}
# Not compressed: unpacking is slow on an emulated processor.
xl_pack() { # root, out
	(cd "$1" && find . | LC_ALL=C sort |
	    cpio --quiet -R 0:0 -o -H newc) >"$2"
}

# tpmfrontd, and what unlocks a disk by its TPM.
xl_add_front() { # root
	local f
	xl_modules "$1" tpm_vtpm_proxy xen-blkfront dm-mod dm-crypt xts ecb \
	    af_alg algif_skcipher || return 1
	xl_add "$1" "$B/tpmfrontd" "$(command -v cryptsetup)" || return 1
	for f in libtss2-tcti-tpmfront.so.0 vtpm-xenfront.so; do
		cp "$B/$f" "$1/lib/"
		xl_add_libs "$1" "$B/$f"
	done
	cp -L /lib/*/libgcc_s.so.1 "$1/lib/" # pthread_cancel wants it
	cp "$xl_here/guest-front" "$1/"
	mkdir -p "$1/scripts/init-top"
	sed 's|@BIN@|/bin|g' "$xl_top/tpmfront/guest/initramfs-script.in" \
	    >"$1/scripts/init-top/tpmfrontd"
}

# Our kernel module, built against the lab kernel's own headers, which are
# unpacked like the rest.  Their Makefile names the common ones by a path
# that is not there.
xl_build_module() {
	local v h
	v=$(basename "$xl_mods")
	deb_unpack "$XL/cache/headers" "linux-headers-$v" \
	    $(apt-cache depends "linux-headers-$v" | sed -n \
	    's/.*Depends: \(linux-headers-.*-common\|linux-kbuild-.*\)/\1/p') ||
	    return 1
	h=$(realpath "$XL")/cache/headers/usr/src
	rm -f "$h/linux-headers-$v/Makefile"
	echo "include $h/linux-headers-${v%-*}-common/Makefile" \
	    >"$h/linux-headers-$v/Makefile"
	make -s -C "$xl_top" B="$B" MODDIR="$(realpath "$XL")/module" \
	    KDIR="$h/linux-headers-$v" module-only >"$XL/module.log" 2>&1 || {
		tail -5 "$XL/module.log" >&2
		return 1
	}
}

# The guests' initramfs: stock kernel modules, ours, and our guest tools.
# First a small and packed one, for HVM guests: their loader gets it byte by
# byte.
xl_build_guest() {
	local g=$XL/guest.root
	rm -rf "$g"
	xl_skeleton "$g"
	xl_modules "$g" xen-tpmfront xen-blkfront || return 1
	xl_add "$g" "$B/tests/xenwork" "$B/vtpm-attest" \
	    "$(command -v tpm2_pcrread)" || return 1
	cp -L /usr/lib/*/libtss2-tcti-device.so.0 "$g/lib/"
	xl_build_module || return 1
	cp "$XL/module/vtpm-tpmfront.ko" "$g/mods/"
	cp "$xl_here/guest-module" "$xl_here/seal.sh" "$xl_here/kexec.sh" "$g/"
	cp "$xl_here/guest-init" "$g/init"
	xl_pack "$g" "$XL/small" && gzip -n -9 <"$XL/small" >"$XL/small.gz" ||
	    return 1
	rm -f "$XL/small"
	xl_modules "$g" xenfs xen-evtchn xen-gntalloc || return 1
	xl_add "$g" "$B/vtpm-seal" "$B/tests/xenhostile" || return 1
	xl_add_front "$g" || return 1
	xl_pack "$g" "$XL/guest.gz"
	rm -rf "$g"
}

# What scenario domain needs: the manager's own domain, a disk for it, and
# the script by which dom0 hands a disk to a guest.
xl_add_domain() { # root
	mkdir -p "$1/domain" "$1/etc/xen/scripts"
	B=$B KERNEL=$xl_kernel MODULES=$xl_mods \
	    "$xl_top/tools/domain/build.sh" "$XL/domain" >/dev/null || return 1
	cp "$XL/domain/initrd.gz" "$xl_top/tools/domain/vtpmmgr.cfg.in" \
	    "$1/domain/"
	cp "$xl_here/block" "$1/etc/xen/scripts/"
	cp "$xl_top/tools/domain/vtpmmgr-launch" "$1/bin/"
	xl_add "$1" "$(command -v tpm2_pcrextend)" \
	    "$(command -v tpm2_pcrread)" || return 1
	rm -f "$XL/xvda.img"
	mke2fs -q -t ext4 "$XL/xvda.img" 128M || return 1
	gzip -n -1 <"$XL/xvda.img" >"$1/domain/xvda.gz"
	rm -f "$XL/xvda.img"
}

# The 32-bit guest: busybox and the stock driver.
xl_build_pae() { # dom0's root
	local p=$XL/cache/pae g=$XL/pae.root
	[ -e "$p.done" ] && [ ! -e "$XL/no-pae" ] || return 0
	rm -rf "$g"
	mkdir -p "$g"/{bin,proc,sys,dev,tmp,run,mods} "$1/guest/pae"
	cp -L "$p/bin/busybox" "$g/bin/" &&
	    module_put "$(modules_folder "$p")" xen-tpmfront "$g/mods" &&
	    cp "$xl_here/guest-init" "$g/init" &&
	    xl_pack "$g" "$1/guest/pae/initrd.gz" &&
	    cp "$p"/boot/vmlinuz-* "$1/guest/pae/vmlinuz" || return 1
	rm -rf "$g"
}

# What scenario types needs for an HVM guest: its device model and firmware,
# where libxl looks for them.
xl_add_hvm() { # dom0's root
	local q=$XL/cache/hvm
	mkdir -p "$1/$xl_xen/boot" "$1/usr/libexec" "$1/usr/share/qemu" \
	    "$1/usr/share/seabios" "$1/var/lib/xen/dump"
	# Where it stands decides where it looks for its files.
	cp "$q/usr/libexec/xen-qemu-system-i386" "$1/usr/libexec/" || return 1
	xl_add_libs "$1" "$q/usr/libexec/xen-qemu-system-i386"
	cp "$xl_root/$xl_xen/boot/hvmloader" \
	    "$1/$xl_xen/boot/" &&
	    cp -L /usr/share/seabios/bios-256k.bin "$1/usr/share/seabios/" &&
	    cp -L /usr/share/qemu/linuxboot_dma.bin \
		/usr/share/qemu/linuxboot.bin /usr/share/qemu/kvmvapic.bin \
		"$1/usr/share/qemu/" &&
	    cp -rL /usr/share/qemu/keymaps "$1/usr/share/qemu/"
}

xl_build_dom0() {
	local d=$XL/dom0.root b
	rm -rf "$d"
	xl_skeleton "$d"
	mkdir -p "$d"/{guest,scenarios,etc/xen,var/log/xen/console} \
	    "$d"/var/{run/xen,lib/xen,lib/xenstored}
	for b in xl xenstored xenconsoled xen-init-dom0; do
		xl_add "$d" "$xl_root/$xl_xen/bin/$b" || return 1
	done
	# xl's own helper for save and restore, where libxl looks for it
	mkdir -p "$d/$xl_xen/bin"
	b=$xl_root/$xl_xen/bin/libxl-save-helper
	cp "$b" "$d/$xl_xen/bin/" && xl_add_libs "$d" "$b" || return 1
	for b in ls read write rm; do
		xl_add "$d" "$(find "$xl_root/usr" -name "xenstore-$b" \
		    -path '*bin*' | head -1)" || return 1
	done
	xl_modules "$d" xen-evtchn xen-gntdev xen-gntalloc xen-privcmd \
	    xenfs loop xen-blkback || return 1
	for b in managerd zygote hwtpm xenback xenwait; do
		xl_add "$d" "$B/vtpm-$b" || return 1
	done
	xl_add "$d" "$B/tests/attack-xen-zygote" "$B/tests/attack-xenback" || return 1
	xl_add "$d" "$B/vtpmctl" "$B/vtpm-verify" "$B/vtpm-attest" || return 1
	cp "$xl_top/tools/hooks/xl" "$d/bin/xl-vtpm"
	cp "$B/vtpm-xen.so" "$d/bin/"
	xl_add_libs "$d" "$B/vtpm-xen.so"
	cp -L /usr/lib/*/libtss2-tcti-device.so.0 "$d/lib/"
	cp -L /lib/*/libgcc_s.so.1 "$d/lib/" # pthread_cancel wants it
	touch "$d/etc/xen/xl.conf"
	cp "$xl_kernel" "$d/guest/vmlinuz"
	[ ! -e "$XL/vmlinux" ] || cp "$XL/vmlinux" "$d/guest/"
	cp "$XL/guest.gz" "$d/guest/initrd.gz"
	cp "$XL/small.gz" "$d/guest/"
	cp "$XL/maker/roots.pem" "$d/guest/maker.pem"
	cp "$xl_here/dom0-init" "$d/init"
	cp "$xl_here/host-start" "$d/"
	cp "$xl_here"/scenarios/*.sh "$d/scenarios/"
	xl_build_pae "$d" || return 1
	xl_add_hvm "$d" || return 1
	xl_add_domain "$d" || return 1
	xl_pack "$d" "$XL/dom0.gz"
	rm -rf "$d"
}

# The hosts' TPM as its maker delivers it: with a certificate.
xl_build_tpm() {
	[ ! -e "$XL/maker.done" ] || return 0
	rm -rf "$XL/maker"
	mkdir -p "$XL/maker"
	swtpm_made "$XL/maker" "$XL/maker/tpm" >"$XL/maker.log" || {
		cat "$XL/maker.log" >&2
		return 1
	}
	touch "$XL/maker.done"
}

xl_build() {
	mkdir -p "$XL/cache" "$XL/cache/xen"
	xl_build_tpm && xl_fetch_all && xl_build_guest && xl_build_dom0
}

# xl_boot OUT [SCENARIO...]: boots the host; its dom0's report goes to OUT,
# QEMU's process id to OUT.pid.  The TPM is swtpm behind QEMU's tpm-tis.
xl_boot() {
	local out=$1 dir tpm rc
	shift
	dir=$(mktemp -d "$XL/boot.XXXXXX")
	cp "$XL"/maker/tpm/* "$dir/"
	swtpm socket --tpm2 --tpmstate "dir=$dir" --flags startup-clear \
	    --ctrl "type=unixio,path=$dir/tpm.sock" >"$dir/swtpm.log" 2>&1 &
	tpm=$!
	until [ -S "$dir/tpm.sock" ]; do sleep 0.05; done
	qemu-system-x86_64 -nodefaults -display none \
	    -M q35 -m "${XL_MEM:-4096}" -smp ${XL_SMP:-1} -accel tcg,thread=multi \
	    -cpu qemu64,+smep,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand,+svm,+npt \
	    -kernel "$XL/xen.elf" \
	    -initrd "$xl_kernel console=hvc0 quiet vtpm.scenarios=$(IFS=:
		echo "$*") vtpm.hostile=${XEN_HOSTILE:-},$XL/dom0.gz" \
	    -append "com1=115200,8n1 console=com1 dom0_mem=1792M" \
	    -serial "file:$out.console" -serial "file:$out" \
	    -chardev "socket,id=c,path=$dir/tpm.sock" \
	    -tpmdev emulator,id=t,chardev=c -device ${XL_TPM:-tpm-tis},tpmdev=t \
	    -no-reboot &
	echo "$!" >"$out.pid"
	wait $!
	rc=$?
	rm -f "$out.pid"
	kill "$tpm" 2>/dev/null
	wait "$tpm" 2>/dev/null
	rm -rf "$dir"
	return $rc
}
