#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# bench.sh - one table: ours beside swtpm, on this machine, in this run.
#
# Both sides run the same client (cmdbench) with the same bytes, in turn.
# SECS: seconds per command and mode; N: provisionings; CREATES and BURST: those on
# a slow TPM, one by one and at once; LIVE: vTPMs whose memory is measured;
# BOOTS: guest boots a side; PARTS: some of provision, start, commands, memory,
# boot, verify, deep.  A part that fails ends the benchmark, but not without the
# table so far.
# shellcheck source=../integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"
# shellcheck source=deeppart.sh
. "$(dirname "$0")/deeppart.sh"
need swtpm swtpm_setup tpm2_getrandom jq awk
SECS=${SECS:-1}
N=${N:-20}
CREATES=${CREATES:-60}
BURST=${BURST:-200}
LIVE=${LIVE:-200}
BOOTS=${BOOTS:-3}
out=$B/bench
mkdir -p "$out"
rows=()

row() { # WHAT OURS SWTPM UNIT
	local ratio
	ratio=$(awk -v a="$2" -v b="$3" 'BEGIN {
	    if (a + 0 > 0 && b + 0 > 0) printf "%.1f", b / a; else print "-" }')
	rows+=("$1|$2|$3|$4|$ratio")
	printf '  %-34s %10s %10s %-3s %8s\n' "$1" "$2" "$3" "$4" \
	    "$([ "$ratio" = - ] && echo - || echo "x$ratio")"
}
now() { # milliseconds, three digits behind the point
	local t=$EPOCHREALTIME
	awk -v t="${t/,/.}" 'BEGIN { printf "%.3f", t * 1000 }'
}
# ms COMMAND...: how long it took; its failure ends the benchmark.
ms() {
	local a b
	a=$EPOCHREALTIME
	"$@" >"$T/ms.out" 2>&1 || {
		echo "bench: failed: $*" >&2
		tail -5 "$T/ms.out" >&2
		return 1
	}
	b=$EPOCHREALTIME
	awk -v a="${a/,/.}" -v b="${b/,/.}" \
	    'BEGIN { printf "%.2f\n", (b - a) * 1000 }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
times() { # N COMMAND with {} replaced by 1..N: the median
	local n=$1 i
	shift
	for ((i = 1; i <= n; i++)); do
		ms "${@//\{\}/$i}" || return 1
	done | median
}
die() {
	echo "bench: $*" >&2
	note
	exit 1
}

# --- swtpm, with a separate CA in our folder ---------------------------------
sw=$T/sw
swtpm_maker "$sw"
as=(--runas "$(id -un)")
[ "$(id -u)" = 0 ] || as=()
sw_setup() { # DIR
	mkdir -p "$1"
	swtpm_setup "${as[@]}" --tpm2 --tpmstate "$1" --config "$sw/setup.conf" \
	    --create-ek-cert --create-platform-cert --lock-nvram \
	    --pcr-banks sha256 --not-overwrite --logfile "$1.log"
}
# sw_run DIR SOCKET: in the background; its id in sw_pid.
sw_run() {
	swtpm socket --tpm2 --tpmstate dir="$1" --ctrl type=unixio,path="$2" \
	    --flags not-need-init --log file=/dev/null >/dev/null 2>&1 &
	sw_pid=$!
	PIDS+=("$sw_pid")
	echo "$sw_pid" >>"$sw/pids" # times() calls this in a subshell
	until [ -S "$2" ]; do sleep 0.002; done
}

# --- provisioning ------------------------------------------------------------
pool_full() { [ "$(jctl status | jq '.pool.ready >= .pool.size')" = true ]; }
no_pool() {
	[ -n "$MPID" ] || start_manager --pool 0 ||
	    die "the manager does not start"
}
provision() {
	local ours_pool ours_none theirs
	theirs=$(times 5 sw_setup "$sw/p{}") || die "stopped: no figure"
	start_manager --pool "$N" || die "the manager does not start"
	wait_for 120 pool_full || die "the pool is not filled"
	ours_pool=$(times "$N" ctl create "pool{}") || die "stopped: no figure"
	inside=$(jctl status | jq -r '.counters.create_us_min')
	end_all
	no_pool
	ours_none=$(times 5 ctl create "none{}") || die "stopped: no figure"
	row "provision, from the pool" "$ours_pool" "$theirs" ms
	row "provision, no pool" "$ours_none" "$theirs" ms
	slow_provision "$theirs"
}
# The same on a host's TPM that takes 200 ms a signature, as physical ones do:
# CREATES creates of each sort, then BURST at once, 16 at a time.
slow_provision() { # SWTPM'S
	local STATE=$T/slowstate LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
	local size=$((3 * CREATES > BURST ? 3 * CREATES : BURST)) t0 sec
	mkdir -p "$STATE"
	end_all
	tpm slowhost
	[ "$size" -le 256 ] || size=256 # what the setting takes
	printf 'pool = %s\npool_delay_ms = 40\n' "$size" >"$T/slow.conf"
	TCTI_SLOW="sign=200 nv=50 other=20" start_manager \
	    --config "$T/slow.conf" --root slow:swtpm:path="$T/slowhost" ||
	    die "no manager on a TPM"
	openssl ecparam -name prime256v1 -genkey -noout -out "$T/g.pem" 2>"$T/x"
	openssl pkey -in "$T/g.pem" -pubout -out "$T/g.pub"
	ctl group create red --key "$T/g.pub" >/dev/null || die "no group"
	wait_for 300 pool_full || die "the pool is not filled"
	slow_row "pool" "$1" ctl create "slow{}"
	slow_row "--uuid" "$1" ctl create "slowuuid{}" --uuid \
	    "11111111-2222-4333-8444-000000000{}"
	slow_row "in a group" "$1" ctl create "slowred{}" --group red
	wait_for 300 pool_full || die "the pool is not filled"
	t0=$(now)
	seq "$BURST" | xargs -P 16 -I{} "$B/vtpmctl" --run "$RUN" \
	    create burst{} >/dev/null || die "a create of the burst failed"
	sec=$(awk -v a="$t0" -v b="$(now)" 'BEGIN { print (b - a) / 1000 }')
	row "a burst of $BURST, slow TPM" "$(awk -v n="$BURST" -v s="$sec" \
	    'BEGIN { printf "%.0f", n / s }')" - /s
	end_all
}
# Each create apart, with 100 to 100 + CREATES for {}: median and 99th percentile.
slow_row() { # SORT SWTPM'S COMMAND...
	local i sort=$1 theirs=$2 all=$T/slow.times
	shift 2
	for ((i = 100; i < 100 + CREATES; i++)); do
		ms "${@//\{\}/$i}" || die "stopped: no figure"
	done >"$all.raw"
	sort -n "$all.raw" >"$all"
	row "provision, slow TPM, $sort" "$(median <"$all")" "$theirs" ms
	row "  p99" "$(awk '{ v[NR] = $1 } END {
	    i = int(NR * 0.99); print v[i < NR ? i + 1 : NR] }' "$all")" - ms
}

# --- start -------------------------------------------------------------------
ours_start() {
	ctl start "$1" && "$B/tests/ringcmd" "$RUN/$1.tpmif" \
	    80010000000c000001440000
}
sw_start() { # the control socket of swtpm_N, first answer
	sw_run "$1" "$1.ctl" && "$B/tests/cmdbench" swtpm "$1.ctl" getrandom \
	    busy 0.0001
}
start() {
	local ours theirs i
	for i in 1 2 3 4 5; do
		ctl create "start$i" >/dev/null && cp -r "$sw/warm" "$sw/s$i" ||
		    die "no vTPM to start"
	done
	ours=$(times 5 ours_start "start{}") || die "stopped: no figure"
	: >"$sw/pids"
	theirs=$(times 5 sw_start "$sw/s{}") || die "stopped: no figure"
	# shellcheck disable=SC2046
	kill $(cat "$sw/pids") 2>/dev/null
	row "start, to the first answer" "$ours" "$theirs" ms
}

# --- commands ----------------------------------------------------------------
bench_one() { "$B/tests/cmdbench" "$1" "$2" "$3" "$4" "$SECS"; }
commands() {
	local op mode a b words
	declare -A name=([getrandom]="GetRandom 16 B" [pcrread]=PCR_Read
		[pcrextend]=PCR_Extend [eccquote]="Quote, ECC P-256"
		[rsaquote]="Quote, RSA 2048" [nvwrite]="NV_Write 64 B")
	sw_run "$sw/warm" "$sw/warm.ctl"
	ctl create cmd >/dev/null && ctl start cmd >/dev/null || die "no vTPM"
	for mode in busy idle; do
		for op in getrandom pcrread pcrextend eccquote rsaquote nvwrite; do
			a=$(bench_one ring "$RUN/cmd.tpmif" $op $mode) || die "stopped: no figure"
			alive "$sw_pid" || {
				rm -f "$sw/warm.ctl"
				sw_run "$sw/warm" "$sw/warm.ctl"
			}
			b=$(bench_one swtpm "$sw/warm.ctl" $op $mode) || die "stopped: no figure"
			words="${name[$op]}, $mode"
			row "$words p50" "$(cut -d' ' -f4 <<<"$a")" \
			    "$(cut -d' ' -f4 <<<"$b")" us
			echo "ours $a" >>"$out/commands.txt"
			echo "swtpm $b" >>"$out/commands.txt"
			sleep 0.1 # swtpm ends with its client
		done
	done
	# The same protocol as swtpm's, for QEMU.
	for op in getrandom pcrextend; do
		a=$(bench_one swtpm "$RUN/cmd.swtpm" $op busy) || die "stopped: no figure"
		b=$(awk -v o=$op '$1 == "swtpm" && $2 == o && $3 == "busy" {
		    print $5 }' "$out/commands.txt" | tail -1)
		row "${name[$op]}, busy, control protocol" \
		    "$(cut -d' ' -f4 <<<"$a")" "$b" us
	done
}

# --- memory ------------------------------------------------------------------
pss() { # PID...: kB, all of them together
	local p
	for p; do cat "/proc/$p/smaps_rollup"; done 2>/dev/null |
	    awk '/^Pss:/ { s += $2 } END { print s + 0 }'
}
memory() {
	local i ours theirs pids=() sws=() w
	for ((i = 1; i <= LIVE; i++)); do
		ctl create "live$i" >/dev/null && ctl start "live$i" >/dev/null &&
		    "$B/tests/ringcmd" "$RUN/live$i.tpmif" \
			80010000000c000001440000 80010000000c0000017b0010 \
			>/dev/null || die "live$i does not start"
	done
	for ((i = 1; i <= LIVE; i++)); do pids+=("$(worker_pid "live$i")"); done
	w=$(pss "${pids[@]}")
	ours=$(awk -v a="$w" -v n="$LIVE" 'BEGIN { printf "%.0f", a / n }')
	shared=$(pss "$(zygote_pid)" "$(hwtpm_pid)" "$MPID")
	for ((i = 1; i <= LIVE; i++)); do
		cp -r "$sw/warm" "$sw/live$i"
		rm -f "$sw/live$i/.lock"
		sw_run "$sw/live$i" "$sw/live$i.ctl"
		sws+=("$sw_pid")
	done
	sleep 1
	theirs=$(awk -v a="$(pss "${sws[@]}")" -v n="$LIVE" \
	    'BEGIN { printf "%.0f", a / n }')
	kill "${sws[@]}" 2>/dev/null
	row "PSS per vTPM, $LIVE live" "$ours" "$theirs" kB
}

# --- guest boot --------------------------------------------------------------
boot_once() { # TPM SOCKET, DIR: seconds from start to user space
	local a b pid
	mkdir -p "$2"
	lab_qemu_common "$2"
	lab_qemu_uefi "$2" "$T/disk.img"
	lab_qemu_tpm "$1" tpm-crb
	a=$EPOCHREALTIME
	lab_start "$2/qemu.log" qemu-system-x86_64 "${lab_qemu_args[@]}"
	pid=$lab_last_pid
	wait_for 180 grep -aq 'user space is up' "$2/console.log" || {
		tail -5 "$2/qemu.log" "$2/console.log" >&2
		kill "$pid" 2>/dev/null
		return 1
	}
	b=$EPOCHREALTIME
	kill "$pid" 2>/dev/null
	lab_wait_exit "$pid" 10
	boot_s=$(awk -v a="${a/,/.}" -v b="${b/,/.}" \
	    'BEGIN { printf "%.2f", b - a }')
}
boot() {
	local i ours=() theirs=()
	# shellcheck source=../lab/lab.sh
	. "$top/tests/lab/lab.sh"
	mkdir -p "$LAB"
	cleanup_more() { lab_cleanup; }
	lab_fetch_kernel >/dev/null || { echo "  no kernel: no boot" ; return; }
	lab_make_initrd "$T/initrd.gz" && lab_grub_cfg "console=ttyS0 quiet" \
	    >"$T/grub.cfg" && lab_make_disk "$T/disk.img" "$T/grub.cfg" \
	    "$T/initrd.gz" >/dev/null || { echo "  no disk: no boot"; return; }
	ctl create guest >/dev/null && ctl start guest >/dev/null
	for ((i = 1; i <= BOOTS; i++)); do
		boot_once "$RUN/guest.swtpm" "$T/boot.o$i" && ours+=("$boot_s")
		mkdir -p "$sw/boot$i" && cp "$sw/warm/"*.permall "$sw/boot$i"
		sw_run "$sw/boot$i" "$sw/boot$i.ctl"
		boot_once "$sw/boot$i.ctl" "$T/boot.s$i" && theirs+=("$boot_s")
	done
	row "guest boot to user space (OVMF)" \
	    "$(printf '%s\n' "${ours[@]}" | median)" \
	    "$(printf '%s\n' "${theirs[@]}" | median)" s
}

# Deep evidence of 256 vTPMs under one quote of the host's TPM; fresh nonces,
# quotes and host quote in each round.
verify() {
	local kind rate
	(cd "$top" && "$B/tests/verifybench" 256 "$SECS") >"$out/verify.txt" \
	    2>/dev/null || die "verifybench failed"
	while read -r kind rate; do
		case $kind in
		first) kind="deep verification, first seen" ;;
		again) kind="deep verification, seen before" ;;
		judge) kind="the same, bundle parsed before" ;;
		parse) kind="reading a bundle alone" ;;
		floor) kind="its P-256 signature alone" ;;
		esac
		row "$kind, 1 core" "$rate" - /s
	done <"$out/verify.txt"
}

note() {
	printf '%s\n' "${rows[@]}" >"$out/table.txt"
	cat <<NOTE

  ratio: how many times less ours is.  Medians; p99 in $out/commands.txt.
  $(nproc) CPUs, $(uname -m), Linux $(uname -r), load $(cut -d' ' -f1-3 /proc/loadavg).
  provision: \`vtpmctl create\` from a shell, EK RSA-2048 and P-256, AK, all
  certificates, durable (inside the manager: ${inside:-?} us at best);
  slow TPM: 200 ms a signature, 50 an NV command, 20 any other.
  swtpm_setup: EK RSA-2048 and P-384, EK and platform certificates, not synced.
  NV_Write, PCR_Extend: an NV_Write of ours is answered when it is on disk
  (fsync); swtpm writes the file and does not fsync.
  deep quotes: a fresh TPM2_Quote of each guest, submitted and collected, on a
  host's TPM of 200 ms a signature; latency from submit to the whole answer.
  Every guest begins again at once; one by one, of 256 and more each asks once,
  all at the same moment, and a guest that has waited for 50 s is given up.
  deep verification: the whole of vtpm-verify's work as a library call, of 256
  guests, each with a fresh nonce and quote under a fresh quote of the host;
  seen before: its certificates and this boot of it were judged earlier.
  idle: one command every 5 ms.  PSS: all daemons beside the workers take
  ${shared:-?} kB together, once.
NOTE
}

: >"$out/commands.txt"
printf '  %-34s %10s %10s %-3s %8s\n' "" ours \
    "swtpm $(dpkg-query -W -f '${Version}' swtpm | cut -d- -f1)" "" ratio
sw_setup "$sw/warm" >/dev/null 2>&1 || die "swtpm_setup: $(cat "$sw/warm.log")"
for part in ${PARTS:-provision start commands memory boot verify deep}; do
	[ "$part" = provision ] || no_pool
	$part
done
note
