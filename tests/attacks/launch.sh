#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# launch.sh - attacks on measured launches: each has QEMU load a file that is
# not in the launch record.  vtpmctl must stop it; it must succeed on a vtpmctl
# of which that one check is taken out.
. "$(dirname "$0")/../integration/lib.sh"
need jq qemu-img qemu-system-x86_64 strace
start_manager --pool 1 || exit 1
ctl create g1 >/dev/null || not_ok "a vTPM is made"
head -c 65536 /dev/urandom >"$T/good"
mkdir "$T/cwd" "$T/evil" && cd "$T/cwd" || exit 1

# A ROM, firmware, and what leads to them.
head -c 65536 /dev/urandom >"$T/evil/code"
head -c 1024 /dev/urandom >"$T/evil/rom"
printf '\125\252\002' | dd of="$T/evil/rom" conv=notrunc status=none
qemu-img create -q -f qcow2 -F raw -b "$T/evil/code" "$T/overlay"
printf '[device]\n  driver = "e1000"\n  romfile = "%s"\n' "$T/evil/rom" >"$T/config"
head -c 64 /dev/zero >"$T/evil/sdr"
: >"$T/site"

# evil VTPMCTL ARGS...: does QEMU open what is evil?  Its record never has it.
evil() {
	local vtpmctl=$1
	shift
	timeout 60 strace -f -qq -e trace=openat,open -o "$T/trace" "$vtpmctl" \
	    --run "$RUN" launch qemu g1 --site "$T/site" -- \
	    qemu-system-x86_64 -accel tcg -m 64 -display none -nodefaults -S \
	    -monitor stdio "$@" <<<quit >"$T/out" 2>&1
	sed 's/.*execve//' "$T/trace" | grep -F "$bad" |
	    grep -qE "${GOT:-= [0-9]+$}"
}
# attack WORDS CHECK ARGS...
attack() {
	local words=$1 check=$2 said
	shift 2
	bad=${BAD:-$T/evil/}
	if evil "$B/vtpmctl" "$@"; then
		not_ok "$words: $check stops it"
	else
		said=$(grep -a '^vtpmctl: ' "$T/out" | tail -1 | cut -c1-100)
		ok "$words: stopped ($said)"
	fi
	if VTPM_SKIP='' evil "$B/tests/attack-vtpmctl" "$@"; then
		not_ok "$words: stopped with all checks in place"
	fi
	if VTPM_SKIP=$check evil "$B/tests/attack-vtpmctl" "$@"; then
		ok "$words: without $check it succeeds"
	else
		not_ok "$words: without $check it succeeds"
		tail -3 "$T/out"
	fi
}

attack "the second of two equal keys" launch-twice -drive \
    "if=pflash,format=raw,readonly=on,file=$T/good,file=$T/evil/code"
cp "$T/evil/code" off
BAD='"off"' attack "KEY=off, written as noKEY" launch-twice -fw_cfg \
    "name=opt/x,file=$T/good,nofile"
rm off
attack "flash that leads to another file" launch-raw -drive \
    "if=pflash,readonly=on,file=$T/overlay"
attack "options in a file" launch-option -readconfig "$T/config"
attack "a device that reads a file" launch-device -device \
    "ipmi-bmc-sim,id=b,sdrfile=$T/evil/sdr"
attack "the same in JSON" launch-device -device \
    "{\"driver\":\"ipmi-bmc-sim\",\"id\":\"b\",\"sdrfile\":\"$T/evil/sdr\"}"
attack "a ROM for every card of a kind" launch-global -device e1000 \
    -global "e1000.romfile=$T/evil/rom"
attack "the same in the other form" launch-global -device e1000 \
    -global "driver=e1000,property=romfile,value=$T/evil/rom"
cp "$T/evil/rom" kvmvapic.bin
BAD='"kvmvapic.bin"' attack "a ROM in the current folder" launch-folder
rm kvmvapic.bin
# With or without that file on this host: QEMU looks for it.
BAD='"/etc/qemu/qemu.conf"' GOT=. attack "options in QEMU's own file" \
    launch-user-config
# A device that only the site allows: the tables do not have its ROM.
echo "device e1000-82540em" >"$T/site"
BAD='.rom"' attack "the ROM of a device that is not known" launch-rom \
    -device e1000-82540em
: >"$T/site"
# A variable of the environment, seen in QEMU itself.
variable() {
	QEMU_MODULE_DIR=$T/evil "$1" --run "$RUN" launch qemu g1 \
	    --site /dev/null -- qemu-system-x86_64 -accel tcg -m 64 \
	    -display none -nodefaults -S >"$T/out" 2>&1 </dev/null &
	local pid=$! rc
	PIDS+=("$pid")
	wait_for 20 eval 'jctl show g1 | jq -e .worker.channel_open' >"$T/x" 2>&1
	grep -aq "QEMU_MODULE_DIR=$T/evil" "/proc/$pid/environ"
	rc=$?
	kill "$pid"
	wait "$pid" 2>/dev/null
	return $rc
}
if variable "$B/vtpmctl"; then not_ok "QEMU_MODULE_DIR does not reach QEMU"; else
	ok "QEMU_MODULE_DIR does not reach QEMU"
fi
export VTPM_SKIP=launch-environment
check "modules of another folder: without launch-environment they are loaded" \
    variable "$B/tests/attack-vtpmctl"
unset VTPM_SKIP
# Another program takes QEMU's place behind the hash: the launcher waits at a
# pipe that it measures next.
mkdir -p "$T/usr/bin" && ln -s /usr/share /usr/lib "$T/usr"
mkfifo "$T/pipe"
cp "$(command -v qemu-system-x86_64)" "$T/evil/qemu" && echo x >>"$T/evil/qemu"
swapped() {
	local pid rc
	cp "$(command -v qemu-system-x86_64)" "$T/usr/bin/q"
	"$1" --run "$RUN" launch qemu g1 --site /dev/null -- "$T/usr/bin/q" \
	    -accel tcg -m 64 -display none -nodefaults -S \
	    -fw_cfg "name=opt/x,file=$T/pipe" >"$T/out" 2>&1 </dev/null &
	pid=$!
	PIDS+=("$pid")
	exec 8>"$T/pipe"
	cp "$T/evil/qemu" "$T/usr/bin/new" && mv "$T/usr/bin/new" "$T/usr/bin/q"
	echo data >&8
	exec 8>&-
	wait_for 20 eval 'jctl show g1 | jq -e .worker.channel_open' >"$T/x" 2>&1 ||
	    not_ok "QEMU starts: $(tail -1 "$T/out")"
	cmp -s "/proc/$pid/exe" "$T/evil/qemu"
	rc=$?
	kill "$pid"
	wait "$pid" 2>/dev/null
	wait_for 5 eval '! jctl show g1 | jq -e .worker.channel_open' >"$T/x" 2>&1
	return $rc
}
if swapped "$B/vtpmctl"; then not_ok "QEMU is what was hashed"; else
	ok "QEMU is what was hashed"
fi
export VTPM_SKIP=launch-exec
check "another QEMU: without launch-exec it runs" \
    swapped "$B/tests/attack-vtpmctl"
unset VTPM_SKIP
