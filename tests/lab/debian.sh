# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# debian.sh - sourced: finds what Debian ships for the lab's hosts and guests:
# kernels, modules, GRUB, firmware, Xen.  Releases differ in versions, names and
# places; what is there is looked for, and this is the one place that looks.
deb_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$deb_top/tools/domain/modules.sh"

# The package that a package without a version stands for:
# deb_depends linux-image-amd64 'linux-image-[0-9]' -> linux-image-6.1.0-50-amd64
deb_depends() { # PACKAGE, BEGINNING OF THE NAME
	local name
	name=$(deb_known "$@")
	[ -n "$name" ] || {
		apt-get -qq update >/dev/null 2>&1
		name=$(deb_known "$@")
	}
	[ -n "$name" ] || {
		echo "No $1 in apt's lists: is a Debian mirror configured," \
		    "and is there a network?" >&2
		return 1
	}
	echo "$name"
}
deb_known() {
	apt-cache depends "$1" 2>/dev/null |
	    sed -n "s/.*Depends: \($2.*\)/\1/p" | head -1
}

# deb_unpack INTO NAME... [-- PATTERN...]: packages, or those of their files
# that a pattern of tar names, downloaded and unpacked below INTO, never
# installed; INTO appears when it is complete.  Those who want the same at the
# same time wait for the first.
deb_unpack() {
	local into=$1 names=() rc
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		names+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	mkdir -p "$(dirname "$into")"
	(
		flock 9 || exit 1
		[ ! -e "$into/.complete" ] || exit 0
		deb_unpack_now "$into" "$@"
	) 9>"$into.lock"
	rc=$?
	[ $rc -eq 0 ] && [ -e "$into/.complete" ]
}
deb_unpack_now() { # INTO PATTERN...; names[]
	local into=$1 debs=$1.debs deb
	shift
	rm -rf "$into" "$into.new" "$debs"
	mkdir -p "$into.new" "$debs"
	echo "  fetching ${names[*]}"
	(cd "$debs" && { apt-get -qq download "${names[@]}" ||
	    { apt-get -qq update && apt-get -qq download "${names[@]}"; }; }) \
	    >"$into.log" 2>&1 || {
		tail -3 "$into.log" >&2
		echo "Could not download: ${names[*]}" >&2
		return 1
	}
	for deb in "$debs"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$into.new" \
		    ${1+--wildcards "$@"} || return 1
	done
	rm -rf "$debs"
	touch "$into.new/.complete"
	mv "$into.new" "$into"
}

deb_kernel_package() { deb_depends linux-image-amd64 'linux-image-[0-9]'; }
deb_kernel() { # ROOT: the kernel's file
	find "$1/boot" -name 'vmlinuz-*' 2>/dev/null | sort -V | tail -1
}

# --- firmware, GRUB -----------------------------------------------------------

deb_first() { # FILE...: that is there, or the first
	local f
	for f; do
		[ ! -e "$f" ] || break
	done
	[ -e "$f" ] || f=$1
	echo "$f"
}
OVMF_CODE=$(deb_first /usr/share/OVMF/OVMF_CODE_4M.fd \
    /usr/share/OVMF/OVMF_CODE.fd)
OVMF_VARS=$(deb_first /usr/share/OVMF/OVMF_VARS_4M.fd \
    /usr/share/OVMF/OVMF_VARS.fd)

# uki_make OUT STUB SECTION=FILE...: a unified kernel image.  The sections stand
# behind the stub in memory, wherever that is.
uki_make() {
	local out=$1 stub=$2 at s args=()
	shift 2
	at=$(objdump -p "$stub" | awk '/^ImageBase/ { b = $2 }
	    /^SizeOfImage/ { n = $2 } END { print "0x" b " + 0x" n }')
	for s; do
		at=$(((at + 0xffff) / 0x10000 * 0x10000))
		args+=(--add-section "${s%%=*}=${s#*=}"
		    --change-section-vma "${s%%=*}=$at")
		at=$((at + $(stat -L -c %s "${s#*=}")))
	done
	objcopy "${args[@]}" "$stub" "$out"
}

GRUB_EFI=/usr/lib/grub/x86_64-efi
# GRUB 2.06 starts a kernel by its EFI stub with linuxefi; from 2.12 on linux
# does, and there is no other.
grub_efi=
[ ! -e $GRUB_EFI/linuxefi.mod ] || grub_efi=efi
# grub_image OUT [OPTION OF grub-mkimage]... MODULE...
grub_image() {
	local out=$1 new=$1.$BASHPID
	shift
	grub-mkimage -O x86_64-efi -o "$new" "$@" linux \
	    ${grub_efi:+linuxefi} && mv "$new" "$out"
}
