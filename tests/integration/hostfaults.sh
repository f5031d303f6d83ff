#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hostfaults.sh - the host's TPM fails at its 1st, 2nd, 3rd, ... command while
# a manager on it starts, provisions, vouches for a guest and stops.  No
# wrong evidence, no lost state, no new identity, no hang.
# Here: pulled, reset and failing, at every command.  KINDS=others
# (hostfaults_kinds.sh): all other kinds, each at every STRIDE-th command (9)
# from another first one on, so that together they leave none out.
# FULL=1: every kind at every command, also a TPM that hangs (half a minute
# each, so that at every STRIDE-th only).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
. "$(dirname "$0")/deeplib.sh"
need swtpm_ioctl tpm2_nvread
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
STRIDE=${STRIDE:-9}
COUNT=$T/count
check "a host's TPM is made and certified" host_tpm host || exit 1
# The host boots again, as it did before.
reboot_host() {
	swtpm_reset "$T/host" &&
	    TPM2TOOLS_TCTI=swtpm:path=$T/host tpm2_startup -c &&
	    host_boots host
}

# The reset in mid-command.  It may outlive vtpm-hwtpm, which is killed at the
# end, and must not reach into the next story.
cat >reset <<END
#!/bin/sh
: >$T/resetting
swtpm_ioctl --unix $T/host.ctrl -i
rc=\$?
rm -f $T/resetting
exit \$rc
END
chmod +x reset
quiet() { [ ! -e resetting ]; }

# One story on a TPM that fails as $1 says; what came of it in the variables
# started, created, attested (0: it went well), broken (words: a law was).
ek_of() { t2 "$1" tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum; }
says_why() { grep -qE "[a-z]{3,}.*[a-z]{3,}" "$1"; }
attest_keep() {
	local n
	n=$("$V" nonce)
	rm -f e.json
	timeout 100 "$A" --tcti "$(tcti keep)" --nonce "$n" \
	    --log "$GOOD_LOG" -o e.json --deep >attest.out 2>&1
	case $? in
	0) ;;
	124) broken="$broken; attest hangs" ;;
	*) says_why attest.out || broken="$broken; attest says nothing" ;;
	esac
	[ -e e.json ] || return 1
	judge host e.json "$n" >verify.out 2>&1 && return 0
	# A TPM that was reset says so: the host is in another state.
	if [ "$(sed -n 's/^FAIL *\([a-z-]*\).*/\1/p' verify.out)" = \
	    deep-host-state ] && [[ $1 = reset* ]]; then
		return 1
	fi
	broken="$broken; evidence was given that is not accepted"
	return 1
}
story() { # FAULT KIND
	started=1 created=1 attested=1 broken= ends=()
	wait_for 20 quiet
	reboot_host >reboot.out 2>&1 || broken="the test: no reboot"
	rm -f "$COUNT" start.out create.out attest.out
	export TCTI_SLOW="sign=0 nv=0 other=0 count=$COUNT $1"
	if start_manager --pool 0 \
	    --root slow:swtpm:path="$T/host" >start.out 2>&1; then
		started=0
	else
		[ -s "$LOG" ] || broken="$broken; no word of why"
	fi
	phase_ends
	if [ $started = 0 ]; then
		timeout 60 "$B/vtpmctl" --run "$RUN" create new \
		    >create.out 2>&1
		created=$?
		[ $created != 124 ] || broken="$broken; create hangs"
		[ $created = 0 ] || says_why create.out ||
		    broken="$broken; create says nothing"
		phase_ends
		if timeout 60 "$B/vtpmctl" --run "$RUN" start keep \
		    >begin.out 2>&1 && boot keep >boot.out 2>&1; then
			[ "$(ek_of keep)" = "$ek" ] ||
			    broken="$broken; another identity"
			attest_keep "$2" && attested=0
		fi
		phase_ends
		timeout 60 "$B/vtpmctl" --run "$RUN" stop keep >stop.out 2>&1
		timeout 60 "$B/vtpmctl" --run "$RUN" destroy new \
		    >>stop.out 2>&1
	fi
	end_all
	phase_ends
}
# How many commands there were when start, provision, quote, stop were over.
phase_ends() { ends+=("$(commands)"); }
commands() { printf '%d' "0x$(xxd -p "$COUNT" 2>/dev/null || echo 0)"; }

export TCTI_SLOW="sign=0 nv=0 other=0 count=$COUNT"
check "a manager starts on a TPM of the host" start_manager --pool 0 \
    --root slow:swtpm:path="$T/host" || exit 1
check "a guest is made" eval 'ctl create keep && ctl start keep && boot keep' ||
    exit 1
ek=$(ek_of keep)
check "the host is enrolled" enrol_host host
n=$("$V" nonce)
check "the guest is vouched for" attest keep "$n" ref.json
check "a policy is made of it" "$V" policy --from ref.json --name ref \
    --cmdline "$GOOD_LINE" -o policy.json
check "it is accepted on this host" judge host ref.json "$n"
ctl stop keep >/dev/null
end_all

story "" none
total=$(commands)
same "without a fault: started, created, attested" "0 0 0 " \
    "$started $created $attested $broken"
check "that took the host's TPM $total commands" [ "$total" -gt 15 ]
# Certificates are signed by the issuing key, which the start had certified.
check "start to ${ends[0]}, provision to ${ends[1]}, quote to ${ends[2]}, \
stop to ${ends[3]}: each has some, but provisioning" [ "${ends[0]}" -gt 0 -a \
    "${ends[1]}" -ge "${ends[0]}" -a "${ends[2]}" -gt "${ends[1]}" -a \
    "${ends[3]}" -gt "${ends[2]}" ]

# every STEP MUST KIND...: MUST is "succeed" where the fault is one that passes.
first=0
declare -A hit # commands that failed in some way
every() {
	local step=$1 must=$2 kind i runs good bad
	shift 2
	[ -z "${FULL:-}" ] || [ "$1" = hang ] || step=1
	for kind; do
		runs=0 good=0 bad=
		for ((i = first % step + 1; i <= total; i += step)); do
			story "fault=$kind@$i hook=$T/reset" "$kind"
			runs=$((runs + 1)) hit[$i]=1
			case $started$created$attested in
			000) good=$((good + 1)) ;;
			*) [ "$must" = any ] ||
			    bad="$bad $i:$started$created$attested" ;;
			esac
			[ -z "$broken" ] || bad="$bad $i$broken"
		done
		first=$((first + 1))
		same "$kind at $runs of $total commands ($good as if nothing \
had been)" "" "$bad"
	done
}
if [ "${KINDS:-}" != others ] || [ -n "${FULL:-}" ]; then
	every 1 succeed lost
	every 1 any reset failure
fi
if [ "${KINDS:-}" = others ] || [ -n "${FULL:-}" ]; then
	every "$STRIDE" succeed retry yielded testing nv_rate nv_unavailable \
	    lost_after late
	every "$STRIDE" any reset_after lockout flip short
	[ -z "${FULL:-}" ] || every "$STRIDE" any hang
fi
same "each of the $total commands failed in some way" "$total" "${#hit[@]}"

unset TCTI_SLOW
check "with a good TPM the manager starts" start_manager --pool 0 \
    --root swtpm:path="$T/host"
check "the guest starts" ctl start keep
check "and boots" boot keep
same "and is who it was" "$ek" "$(ek_of keep)"
same "no guest was lost and none is left over" "keep" \
    "$(jctl list | jq -r ".[].name")"
