#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# deps.sh - install what is missing of a set of Debian packages; silent when
# nothing is.  Sets: build, check, run, lint, xen, module, package, consumer,
# client, release, demo.  A name also stands for a package that provides it: libraries whose
# ABI changed with time_t are called NAMEt64 where their package is newer.
set -eu

build="gcc make pkg-config libc6-dev libtpms-dev libtss2-dev libssl-dev \
	libsystemd-dev libsqlite3-dev libseccomp-dev libjansson-dev xxd"
check="libcmocka-dev swtpm swtpm-tools tpm2-tools openssl e2fsprogs \
	procps jq sqlite3 libtss2-tcti-swtpm0 libtss2-tcti-device0 \
	libtss2-tcti-cmd0 systemd cryptsetup-bin qemu-system-x86 ovmf python3 \
	python3-cryptography libxen-dev grub-efi-amd64-bin grub-common \
	mtools dosfstools qemu-utils fdisk binutils systemd-boot-efi strace \
	python3-prometheus-client curl"
run="qemu-system-x86 qemu-utils ovmf grub-efi-amd64-bin grub-common mtools \
	dosfstools fdisk e2fsprogs busybox-static cpio jq openssl libtss2-tcti-device0 \
	xz-utils libcmocka-dev swtpm swtpm-tools tpm2-tools libtss2-tcti-swtpm0"
lint="libcmocka-dev clang clang-format cppcheck libclang-rt-dev libasan8 \
	libubsan1 man-db"

xen="cryptsetup-bin zstd"
# A kernel's headers, for the front half that is a kernel module.
module="linux-headers-$(dpkg --print-architecture) sparse"

package="build-essential debhelper dh-dkms lintian fakeroot debootstrap \
	systemd-container libxen-dev jq procps"
consumer="libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients \
	qemu-system-x86 qemu-utils tpm2-tools jq"

client="tpm2-tools tpm2-abrmd libtss2-tcti-tabrmd0 dbus tpm2-openssl \
	libtpm2-pkcs11-1 libtpm2-pkcs11-tools opensc openssh-client \
	libtss2-fapi1 clevis-luks clevis-tpm2 cryptsetup-bin systemd \
	python3-tpm2-pytss swtpm-tools trousers tpm-tools openssl jq"

demo="xorriso grub-efi-amd64-bin grub-common mtools seabios"

release="debootstrap debian-archive-keyring git"

case "${1:-build}" in
build) want=$build ;;
check) want=$check ;;
run) want=$run ;;
lint) want=$lint ;;
xen) want=$xen ;;
module) want=$module ;;
package) want=$package ;;
consumer) want=$consumer ;;
client) want=$client ;;
release) want=$release ;;
demo) want=$demo ;;
*) echo "deps.sh: unknown set '$1'" >&2; exit 2 ;;
esac

# What is installed, and what that provides, one name a line.
here=$(dpkg-query -W -f '${db:Status-Status}, ${Package}, ${Provides}\n' |
	sed -n 's/^installed, //p' | tr -d ' ' | tr ',' '\n' | sed 's/(.*//')
missing=
for p in $want; do
	printf '%s\n' "$here" | grep -qxF "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "These Debian packages are missing:$missing" >&2
	echo "Install them as root, or run this target as root." >&2
	exit 1
fi
echo "Installing missing packages:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
apt="apt-get -qq -o DPkg::Lock::Timeout=600" # another one may be at work
$apt update >"$log" 2>&1 || true
# shellcheck disable=SC2086
if ! $apt -y --no-install-recommends install $missing >>"$log" 2>&1; then
	cat "$log" >&2
	echo "apt-get could not install:$missing" >&2
	exit 1
fi
rm -f "$log"
