# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# lab.sh - sourced: makes guest images and starts guests under QEMU.
#
# Images and downloads go to $LAB (default $B/lab).  Everything started is
# recorded in lab_pids and ended by lab_cleanup, by process id.
: "${B:=build}"
LAB=${LAB:-$B/lab}
lab_pids=()
lab_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

. "$lab_top/tests/lab/debian.sh"

lab_cleanup() {
	local p
	for p in "${lab_pids[@]}"; do
		kill "$p" 2>/dev/null
	done
	for p in "${lab_pids[@]}"; do
		for _ in $(seq 50); do
			kill -0 "$p" 2>/dev/null || continue 2
			sleep 0.1
		done
		kill -9 "$p" 2>/dev/null
	done
	lab_pids=()
}

# The kernel that Debian's linux-image-amd64 stands for: downloaded and
# unpacked, never installed, and its module for /dev/vtpmx.  Sets lab_kernel
# and lab_proxy_ko.
lab_fetch_kernel() {
	local root=$LAB/cache/kernel name
	[ -e "$root/.complete" ] || {
		name=$(deb_kernel_package) || return 1
		deb_unpack "$root" "$name" -- './boot/vmlinuz-*' \
		    '*/tpm_vtpm_proxy.ko*' || return 1
	}
	lab_kernel=$(deb_kernel "$root")
	lab_proxy_ko=$root/tpm_vtpm_proxy.ko
	module_put "$(modules_folder "$root")" tpm_vtpm_proxy "$root" &&
	    [ -n "$lab_kernel" ]
}

# lab_add_program ROOT FILE: FILE and the libraries that ldd names.
lab_add_program() {
	local root=$1 lib
	install -D -m 755 "$2" "$root/bin/$(basename "$2")"
	ldd "$2" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^\t\(\/[^ ]*ld-[^ ]*\).*/\1/p' |
	while read -r lib; do
		lab_add_library "$root" "$lib"
	done
}

lab_add_library() { # root, file
	local at
	at=/lib/$(basename "$2")
	case $2 in */ld-linux*) at=/lib64/$(basename "$2") ;; esac
	[ -e "$1$at" ] || install -D -m 755 "$2" "$1$at"
}

# lab_make_initrd OUT PROGRAM...: busybox, our init and the programs.
lab_make_initrd() {
	local out=$1 root lib p
	shift
	root=$(mktemp -d "$LAB/initrd.XXXXXX")
	install -D -m 755 "$(command -v busybox)" "$root/bin/busybox"
	install -m 755 "$lab_top/tests/lab/init" "$root/init"
	mkdir -p "$root"/{proc,sys,dev,tmp,root,lib64}
	[ "$(id -u)" = 0 ] && mknod "$root/dev/console" c 5 1
	for p in "$@"; do
		lab_add_program "$root" "$p"
	done
	if [ $# -gt 0 ]; then
		# found by dlopen(3), so ldd does not name it
		lib=$(ls /usr/lib/*/libtss2-tcti-device.so.0 | head -1)
		lab_add_library "$root" "$lib"
	fi
	# same input, same bytes: the digest of the initrd is in the policy
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . | LC_ALL=C sort |
	    cpio --quiet --reproducible -R 0:0 -o -H newc) |
	    gzip -n -1 >"$out.new"
	rm -rf "$root"
	mv "$out.new" "$out"
}

# The GRUB configuration that is measured.  $1: the kernel's command line.
lab_grub_cfg() {
	cat <<-CFG
	set timeout=0
	set default=0
	menuentry 'Debian GNU/Linux (lab)' {
		linux$grub_efi /vmlinuz $1
		initrd$grub_efi /initrd.gz
	}
	CFG
}

# lab_make_disk OUT CFG INITRD: a FAT disk that OVMF boots GRUB2 from.
lab_make_disk() {
	local out=$1 cfg=$2 initrd=$3 grub=$LAB/grubx64.efi kb
	if [ ! -e "$grub" ]; then
		grub_image "$grub" -p /EFI/BOOT normal configfile tpm \
		    part_gpt fat gzio echo ${lab_extra_modules:-} || return 1
	fi
	kb=$((($(stat -L -c %s "$lab_kernel") + $(stat -c %s "$initrd") +
	    $(stat -c %s "$grub")) / 1024 + 4096))
	rm -f "$out.new"
	truncate -s ${kb}K "$out.new"
	mkfs.vfat -i 7674706d "$out.new" >/dev/null || return 1
	MTOOLS_SKIP_CHECK=1
	export MTOOLS_SKIP_CHECK
	mmd -i "$out.new" ::/EFI ::/EFI/BOOT &&
	    mcopy -i "$out.new" "$grub" ::/EFI/BOOT/BOOTX64.EFI &&
	    mcopy -i "$out.new" "$cfg" ::/EFI/BOOT/grub.cfg &&
	    mcopy -i "$out.new" "$lab_kernel" ::/vmlinuz &&
	    mcopy -i "$out.new" "$initrd" ::/initrd.gz || return 1
	mv "$out.new" "$out"
}

# Arguments that every lab guest has; $1 is a folder for its sockets.
# There may be no KVM: everything is emulated.
lab_qemu_common() {
	local dir=$1
	lab_qemu_args=(-nodefaults -display none -M q35 -m "${LAB_MEM:-512}"
	    -accel "tcg,thread=multi" -rtc base=utc
	    -cpu "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand"
	    -serial "file:$dir/console.log"
	    -chardev "socket,id=cmd,path=$dir/cmd.sock,server=on,wait=off"
	    -serial chardev:cmd
	    -qmp "unix:$dir/qmp.sock,server=on,wait=off")
}

# Firmware.  $1 as above.
lab_qemu_firmware() {
	cp "$OVMF_VARS" "$1/vars.fd"
	lab_qemu_args+=(
	    -drive "if=pflash,format=raw,readonly=on,file=$OVMF_CODE"
	    -drive "if=pflash,format=raw,file=$1/vars.fd")
}

# Firmware and boot disk.  $1 as above, $2 the disk.
lab_qemu_uefi() {
	lab_qemu_firmware "$1"
	lab_qemu_args+=(
	    -drive "if=none,id=boot,format=raw,snapshot=on,file=$2"
	    -device "ide-hd,drive=boot,bootindex=1")
}

# $1: the swtpm control socket, $2: tpm-crb or tpm-tis.
lab_qemu_tpm() {
	lab_qemu_args+=(-chardev "socket,id=tpm,path=$1"
	    -tpmdev "emulator,id=tpm0,chardev=tpm" -device "$2,tpmdev=tpm0")
}

# lab_text CONSOLE: what it says, without what moves a cursor.
lab_text() {
	tr -d '\r' <"$1" | sed 's/\x1b\[[0-9;?=]*[A-Za-z]/\n/g' |
	    grep -a '[^ ]' | tr -cd '[:print:]\n'
}

# lab_stuck CONSOLE: does the guest wait for a person?  Then it prints where,
# and what went before.  A guest that hangs elsewhere is not stuck.
lab_stuck() {
	local text
	[ -e "$1" ] || return 1
	text=$(lab_text "$1")
	if grep -qE '^ *grub( rescue)?> *$|Minimal BASH-like|Press any key' \
	    <<<"$text"; then
		echo "the guest waits at GRUB's prompt:" \
		    "$(grep -o 'error: .*' <<<"$text" | tail -3 | tr '\n' ' ')"
	elif grep -qE '^ *Shell> *$' <<<"$text"; then
		echo "the guest waits at the prompt of UEFI's shell: its" \
		    "firmware found no boot loader that it can start"
	else
		return 1
	fi
}

# lab_start LOG PROGRAM...: in the background, its id in lab_last_pid.  Not a
# shell function: that would be the id of a shell that waits for it.
lab_start() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 &
	lab_last_pid=$!
	lab_pids+=("$lab_last_pid")
}

# lab_wait_exit PID SECONDS
lab_wait_exit() {
	local i
	for ((i = 0; i < $2 * 10; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

# lab_wait_socket PATH SECONDS
lab_wait_socket() {
	local i
	for ((i = 0; i < $2 * 20; i++)); do
		[ -S "$1" ] && return 0
		sleep 0.05
	done
	return 1
}
