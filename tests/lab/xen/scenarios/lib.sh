# SPDX-License-Identifier: BSD-3-Clause
# lib.sh - sourced by dom0-init: helpers of the scenarios; busybox sh.
STATE=/tmp/state RUN=/run/vtpm
# Seconds since this host started; what took long says so.
uptime_s() { sed 's/\..*//' /proc/uptime; }
LAST=$(uptime_s)
took() {
	local now
	now=$(uptime_s)
	[ $((now - LAST)) -lt 3 ] || echo " ($((now - LAST)) s)"
	LAST=$now
}
ok() { echo "ok - $*$(took)"; LAST=$(uptime_s); }
failed() { echo "not ok - $*$(took)"; LAST=$(uptime_s); }
not_ok() {
	failed "$@"
	abandon
}
# What a scenario stands on is lost (/tmp/lost tells what): each further step
# would wait for it, too.
abandon() {
	[ -e /tmp/lost ] && [ -z "$CHECKING" ] || return 0
	sed 's/^/# /' /tmp/lost
	echo "# the rest of this scenario is left out"
	exit 1
}
check() { # TEXT COMMAND...
	local text=$1
	shift
	echo "$text" >/tmp/step
	CHECKING=1
	if "$@" >/tmp/check.out 2>&1; then
		CHECKING=
		ok "$text"
	else
		CHECKING=
		failed "$text ($*)"
		sed 's/^/#   /' /tmp/check.out | tail -20
		abandon
		return 1
	fi
}
# A scenario that lost its guest ends: what follows would compare nothing.
must() { # TEXT COMMAND...
	check "$@" && return
	echo "# the rest of this scenario is left out"
	exit 1
}
same() { # TEXT WANT GOT
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1: want '$2', got '$3'"; fi
}
# SECONDS of a quiet host; a busy one is given four times as long.  Ends at
# once, and the scenario with it, when the guest that COMMAND asked about is
# gone.
wait_for() { # SECONDS COMMAND...
	local end=$(($(uptime_s) + $1 * 4)) look
	look=$(($(uptime_s) + 5))
	shift
	GUEST=
	until "$@" >/dev/null 2>&1; do
		if [ "$(uptime_s)" -ge $end ]; then
			[ -z "$GUEST" ] || console_tail "$GUEST"
			return 1
		fi
		if [ "$(uptime_s)" -ge $look ]; then
			look=$(($(uptime_s) + 5))
			[ -z "$GUEST" ] || lost "$GUEST" || continue
			[ -n "$GUEST" ] && return 1
		fi
		usleep 100000
	done
}
# NAME: its domain is no more, or its kernel gave up; /tmp/lost tells which.
lost() {
	local state
	state=$(xl list "$1" 2>/dev/null | awk 'NR == 2 { print $5 }')
	case $state in
	"") echo "guest $1: its domain does not exist" ;;
	*c* | *s* | *d*) echo "guest $1: its domain crashed or ended ($state)" ;;
	*) console "$1" | grep -q 'Kernel panic' || return 1
		echo "guest $1: its kernel panicked" ;;
	esac >/tmp/lost.new
	console_tail "$1" >>/tmp/lost.new
	mv /tmp/lost.new /tmp/lost
}
# The host's TPM: its number changes when dom0's driver let it go meanwhile.
host_tpm() { ls /dev/tpmrm[0-9]* | head -1; }
# start_manager OPTION...: on the host's TPM; says why when it does not come up.
# A worker may be slow here: the first start of a TPM 1.2 was seen to take an
# emulated processor longer than the 30 s that the manager gives a worker.
start_manager() {
	mkdir -p $STATE $RUN
	echo "request_timeout_ms = 300000" >/tmp/managerd.conf
	touch /tmp/manager.log
	READIES=$(readies)
	vtpm-managerd --config /tmp/managerd.conf --state $STATE --run $RUN \
	    --root "device:$(host_tpm)" --pool 0 "$@" >>/tmp/manager.log 2>&1 &
	MPID=$!
	wait_for 120 eval '[ "$(readies)" -gt $READIES ]' && return 0
	tail -5 /tmp/manager.log >/tmp/lost
	not_ok "the manager did not become ready; TPM $(host_tpm)"
	return 1
}
# A manager whose master key opens in this state of the host only, and the
# host enrolled: /tmp/op has what operator and verifier keep.
start_enrolled_manager() {
	local op=/tmp/op
	rm -rf $op
	mkdir -p $op
	check "the operator makes an approval key" \
	    vtpmctl host keygen -o $op/approval.pem
	start_manager --approval-key $op/approval.pem.pub
	check "this state of the host is approved" ctl host approve --current \
	    --key $op/approval.pem --label lab
	check "a verifier enrols the host, by its TPM's certificate" enrol $op
	check "and knows the states it may be in" vtpm-verify host-states \
	    --key $op/approval.pem.pub -o $op/states.json $STATE/approvals/*
}
enrol() { # FOLDER
	ctl host enrol -o "$1/identity.json" &&
	    vtpm-verify enrol challenge --identity "$1/identity.json" \
		--roots /guest/maker.pem -o "$1/challenge.json" \
		--state "$1/secret.json" &&
	    ctl host enrol --challenge "$1/challenge.json" \
		-o "$1/response.json" &&
	    vtpm-verify enrol finish --response "$1/response.json" \
		--state "$1/secret.json" -o "$1/host.json"
}
# Evidence with a deep quote, judged whole: by a policy for this boot, by the
# states of the host, up to the maker of its TPM.
deep_accepted() { # FILE NONCE
	vtpm-verify policy --from "$1" --name lab -o /tmp/p.json &&
	    vtpm-verify -e "$1" --nonce "$2" --policy /tmp/p.json \
		--host /tmp/op/host.json --host-states /tmp/op/states.json \
		--roots /guest/maker.pem >/tmp/verdict 2>&1 &&
	    grep -q '^ok *deep-host-state ' /tmp/verdict && return
	cat /tmp/verdict
	return 1
}
readies() { grep -c 'vtpm-managerd: ready' /tmp/manager.log; }
ctl() { vtpmctl --run $RUN "$@"; }
uuid_of() { show "$1" | key uuid; }
# guest NAME UUID [extra kernel arguments]: a guest with that vTPM; its sort
# is in TYPE (pv), VCPUS (1), MAXVCPUS, MEM (200), KERNEL, INITRD and MORE.
# START is what starts it (xl create).
# The kernel is Debian's, unpacked beforehand where the loader takes that.
guest() {
	local name=$1 uuid=$2 kernel=/guest/vmlinux
	shift 2
	[ "${TYPE:-pv}" != hvm ] && [ -e $kernel ] || kernel=/guest/vmlinuz
	cat >/tmp/$name.cfg <<-CFG
	name="$name"
	type="${TYPE:-pv}"
	kernel="${KERNEL:-$kernel}"
	ramdisk="${INITRD:-/guest/initrd.gz}"
	extra="console=hvc0 quiet $*"
	memory=${MEM:-200}
	vcpus=${VCPUS:-1}
	maxvcpus=${MAXVCPUS:-${VCPUS:-1}}
	vtpm=["backend=${backend:-0},uuid=$uuid"]
	on_poweroff="destroy"
	$MORE
	CFG
	rm -f /var/log/xen/console/guest-$name.log
	${START:-xl create} /tmp/$name.cfg
}
# value of one key of a JSON answer, wherever it is
key() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -1; }
show() { ctl --json show "$1"; }
ek_of() { ctl show "$1" | sed -n 's/^EK[^0-9]*//p'; }
power_cycles() { show "$1" | key power_cycles; }
detached() { [ -z "$(xenstore-ls /local/domain/0/backend/vtpm/"$(xl domid \
    "$1")" 2>/dev/null)" ]; }
refused_guest() { # NAME UUID: it must not start
	if guest "$1" "$2"; then xl destroy "$1"; return 1; fi
	gone "$1"
}
# Every check of the evidence up to the boot itself, which was not measured
# here: no policy can accept it, and the verdict must be a refusal.
evidence_quote() { # FILE NONCE
	local c
	cat >/tmp/p.json <<-P
	{ "format": "vtpm-policy 1", "name": "none",
	  "allow": { "unmeasured-initrd": "the quote alone is looked at" },
	  "banks": { "sha256": { "4": { "values": [ "$(printf '%064d' 1)" ] } } } }
	P
	ctl --json status | sed -n 's/.*"ca_certificate": *"\(.*\)".*/\1/p' |
	    sed 's/\\n/\n/g' >/tmp/ca.pem
	vtpm-verify -e "$1" --nonce "$2" --policy /tmp/p.json --ca /tmp/ca.pem \
	    >/tmp/verdict 2>&1
	[ $? = 1 ] || { cat /tmp/verdict; return 1; }
	for c in signature attest freshness signer selection pcr-digest \
	    ek-chain ak-chain instance journal-replay; do
		grep -q "^ok *$c " /tmp/verdict || {
			echo "missing: $c"
			cat /tmp/verdict
			return 1
		}
	done
	grep -q 'hardware root' /tmp/verdict
}
# --- PCRs ---------------------------------------------------------------------
pcrs_of() { # NAME BANK: as the manager has them, "PCR VALUE" a line
	ctl --json log "$1" --pcrs | sed -n \
	    "/\"$2\"/,/}/s/.*\"\([0-9]*\)\": *\"\([0-9a-f]*\)\".*/\1 \2/p"
}
pcr_of() { pcrs_of "$1" "$2" | sed -n "s/^$3 //p"; } # NAME BANK PCR
# All of a host-made log's events, extended one after the other.
replayed() { # NAME BANK START: "PCR VALUE" a line
	local n=0 v d
	ctl --json log "$1" | tr -d ' \n' | sed 's/},{/}\n{/g' | sed -n \
	    "s/.*\"pcr\":\([0-9]*\),.*\"$2\":\"\([0-9a-f]*\)\".*/\1 \2/p" \
	    >/tmp/events
	while [ $n -lt 24 ]; do
		v=$3
		for d in $(sed -n "s/^$n //p" /tmp/events); do
			v=$(printf '%b' "$(echo "$v$d" |
			    sed 's/../\\x&/g')" | "${2}sum" | cut -d' ' -f1)
		done
		echo "$n $v"
		n=$((n + 1))
	done
}
# What tpm2_pcrread said in a guest of the PCRs of the launch.
pcrread() { # NAME
	console "$1" | tr A-F a-f | sed -n \
	    's/^@pcrread *\([0-9]\) *: *0x/\1 /Ip' | sort -u
}
unlike() { # FILE FILE: lines of the first that the second has not
	grep -Fxvf "$2" "$1" | sed 's/^/# the guest has PCR /'
	return 0
}

# --- consoles -------------------------------------------------------------------
console() { cat /var/log/xen/console/guest-$1.log 2>/dev/null | tr -d '\r'; }
console_tail() { # NAME
	echo "guest $1, the end of its console:"
	console "$1" | tail -6 | cut -c 1-150
}
last_boot() { # NAME: its console since it came up last
	console "$1" | awk '/^@UP/ { b = "" } { b = b $0 "\n" } END { printf "%s", b }'
}
# NAME FILE: what the guest gathered there.
evidence() { last_boot "$1" | sed -n 's/^@E //p' | base64 -d >"$2"; }
up() { GUEST=$1; console "$1" | grep -q '^@READY'; }
says() { GUEST=$1; console "$1" | grep -q "$2"; } # NAME PATTERN
# A command in a guest that was started with vtpm.shell=1: its output, its
# exit status.  99 is no answer; the scenario then ends with its next FAIL.
INSIDE_S=180
inside() { # NAME COMMAND
	local before end
	[ ! -e /tmp/lost ] || return 99
	end=$(($(uptime_s) + INSIDE_S))
	before=$(console "$1" | wc -l)
	echo "$2" | tr '\n' ' ' | sed 's/$/\n/' >"$(xenstore-read \
	    "/local/domain/$(xl domid "$1")/console/tty")"
	until console "$1" | tail -n +$((before + 1)) | grep -q '^@= '; do
		usleep 100000
		[ "$(uptime_s)" -ge $end ] || continue
		lost "$1" || echo "guest $1: no answer within $INSIDE_S s to:" \
		    "$2" >/tmp/lost
		return 99
	done
	console "$1" | tail -n +$((before + 1)) | sed -n 's/^@R //p'
	return "$(console "$1" | tail -n +$((before + 1)) |
	    sed -n 's/^@= //p' | head -1)"
}
# The last number N of the rounds that xenwork has told.
rounds() { console "$1" | sed -n 's/^@N \([0-9]*\) .*/\1/p' | tail -1; }
goes_on() { # NAME: more rounds than now, in 60 s
	local was
	was=$(rounds "$1")
	wait_for 60 eval "GUEST=$1; [ \"\$(rounds $1)\" -gt \"${was:-0}\" ]"
}
capped() { console "$1" | grep -c '^@CAPPED'; }
worker_of() { show "$1" | key pid; }
rss() { # PID: KiB
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}
# What an HVM guest has in its configuration beside; vnc and usb off: nothing
# that a device model needs files for.
hvm_more='vga="none"
vnc=0
usb=0
device_model_override="/usr/libexec/xen-qemu-system-i386"'
hvm_why() { # it did not come up
	tail -25 /var/log/xen/qemu-dm-hvm.log | sed 's/^/# /'
	console hvm | tail -5 | sed 's/^/# /'
	xl list | sed 's/^/# /'
	return 1
}
gone() { ! xl domid "$1" >/dev/null 2>&1; }
# pcrs12 GUEST: what its kernel read of a TPM 1.2, "NN HEX" a line; the guest's
# sed may have left no space.
pcrs12() {
	console "$1" | sed -n \
	    's/^@PCR12 *\([0-9][0-9]\) *\([0-9A-F]\{40\}\)$/\1 \2/p' | tr A-F a-f
}
# pcrs12_same GUEST VTPM: of how many the manager has the same value.
pcrs12_same() {
	local n v
	ctl log "$2" --pcrs >/tmp/host.txt
	pcrs12 "$1" | while read -r n v; do
		grep -Eq "(^|[^0-9])0*${n#0}[^0-9a-f].*$v" /tmp/host.txt &&
		    echo same
	done | grep -c same
}
# --- what is told to a reader -----------------------------------------------------
say() { printf '\n-- %s\n' "$*"; }
run() { # shows the command, runs it, shows what it says
	echo "host# $*" | sed 's/# ctl /# vtpmctl /'
	"$@" 2>&1 | sed 's/^/   /'
}
# --- one scenario ---------------------------------------------------------------
# Each file says how long it may take on a busy host: LIMIT=SECONDS.
limit_of() { sed -n 's/^LIMIT=\([0-9]*\).*/\1/p' "/scenarios/$1.sh"; }
# NAME: in a session of its own, ended when its time is over.
run_scenario() {
	local pid end limit
	limit=$(limit_of "$1")
	end=$(($(uptime_s) + limit))
	rm -f /tmp/step /tmp/lost
	# A subshell: a session's leader would get a guest's console, which it
	# writes to, for its terminal, and a SIGHUP with the guest's end.
	setsid sh -c "(. /scenarios/lib.sh; . /scenarios/$1.sh); exit" &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		if [ "$(uptime_s)" -ge $end ]; then
			xl list | awk 'NR > 2 { print $1 }' | while read -r d; do
				console_tail "$d" | sed 's/^/#   /'
			done
			kill -9 -$pid
			echo "not ok - $1 took longer than $limit s and was" \
			    "ended; its last step: $(cat /tmp/step)"
			break
		fi
		usleep 300000
	done
	wait $pid 2>/dev/null
	rm -f /tmp/step /tmp/lost
}
end_scenario() {
	local d
	for d in $(xl list | awk 'NR > 2 { print $1 }'); do
		timeout 60 xl destroy "$d" 2>/dev/null
	done
	timeout 60 vtpm-managerd --run $RUN --stop-all >/dev/null 2>&1
	killall vtpm-managerd 2>/dev/null
	wait_for 20 eval '! pidof vtpm-managerd' ||
	    killall -9 vtpm-managerd
	killall -9 vtpm-zygote vtpm-hwtpm vtpm-xenback 2>/dev/null
	wait_for 20 eval '! pidof vtpm-zygote vtpm-hwtpm vtpm-xenback'
	[ -s /tmp/manager.log ] && uniq -c /tmp/manager.log |
	    sed 's/^ *1 /# /; s/^ *\([0-9][0-9]*\) /# \1 times: /' | tail -40
	rm -rf $STATE $RUN /tmp/manager.log
}
