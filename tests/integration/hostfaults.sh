#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hostfaults.sh - the host's TPM fails at its 1st, 2nd, 3rd, ... command while
# a manager on it starts, provisions, vouches for a guest and stops.  No
# wrong evidence, no lost state, no new identity, no hang.
# FULL=1: at every command; else at every STRIDE-th (3), from another first
# one for each kind of fault.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need jq swtpm swtpm_ioctl openssl tpm2_nvread
A=$B/vtpm-attest V=$B/vtpm-verify
export LD_LIBRARY_PATH=$B/tests:$LD_LIBRARY_PATH
cd "$T" || exit 1
STRIDE=${STRIDE:-3}
[ -z "${FULL:-}" ] || STRIDE=1
COUNT=$T/count

mkdir host.d
background swtpm socket --tpm2 --tpmstate dir=host.d \
    --flags not-need-init,startup-clear \
    --server type=unixio,path=host --ctrl type=unixio,path=host.ctrl \
    >/dev/null 2>&1
wait_for 5 [ -S host ] || { not_ok "swtpm starts"; exit 1; }

# One story on a TPM that fails as $1 says; what came of it in the variables
# started, created, attested (0: it went well), broken (words: a law was).
ek_of() { t2 "$1" tpm2_nvread 0x01c0000a -C o 2>/dev/null | sha256sum; }
says_why() { grep -qE "[a-z]{3,}.*[a-z]{3,}" "$1"; }
attest_keep() {
	local n
	n=$("$V" nonce)
	timeout 60 "$A" --tcti "$(tcti keep)" --nonce "$n" --log "$GOOD_LOG" \
	    -o e.json $DEEP >attest.out 2>&1 || return 1
	"$V" -e e.json --nonce "$n" --policy policy.json --ca ca.pem \
	    >verify.out 2>&1 && return 0
	broken="$broken; evidence was given that is not accepted"
	return 1
}
story() {
	started=1 created=1 attested=1 broken=
	rm -f "$COUNT" start.out create.out attest.out
	export TCTI_SLOW="sign=0 nv=0 other=0 count=$COUNT $1"
	if start_manager --pool 0 \
	    --root slow:swtpm:path="$T/host" >start.out 2>&1; then
		started=0
	else
		[ -s "$LOG" ] || broken="$broken; no word of why"
	fi
	if [ $started = 0 ]; then
		timeout 60 "$B/vtpmctl" --run "$RUN" create new \
		    >create.out 2>&1
		created=$?
		[ $created != 124 ] || broken="$broken; create hangs"
		[ $created = 0 ] || says_why create.out ||
		    broken="$broken; create says nothing"
		if timeout 60 "$B/vtpmctl" --run "$RUN" start keep \
		    >begin.out 2>&1 && boot keep >boot.out 2>&1; then
			[ "$(ek_of keep)" = "$ek" ] ||
			    broken="$broken; another identity"
			attest_keep && attested=0
		fi
		timeout 60 "$B/vtpmctl" --run "$RUN" stop keep >stop.out 2>&1
		timeout 60 "$B/vtpmctl" --run "$RUN" destroy new \
		    >>stop.out 2>&1
	fi
	end_all
}
commands() { printf '%d' "0x$(xxd -p "$COUNT" 2>/dev/null || echo 0)"; }

ek=''
DEEP=''
export TCTI_SLOW="sign=0 nv=0 other=0 count=$COUNT"
check "a manager starts on a TPM of the host" start_manager --pool 0 \
    --root slow:swtpm:path="$T/host" || exit 1
check "a guest is made" eval 'ctl create keep && ctl start keep && boot keep' ||
    exit 1
ek=$(ek_of keep)
check "the CA's certificate is told" ca_to ca.pem
"$A" --help 2>&1 | grep -q -e --deep && DEEP=--deep
n=$("$V" nonce)
check "evidence is made" "$A" --tcti "$(tcti keep)" --nonce "$n" \
    --log "$GOOD_LOG" -o ref.json
check "a policy is made of it" "$V" policy --from ref.json --name ref \
    --cmdline "$GOOD_LINE" -o policy.json
ctl stop keep >/dev/null
end_all

story ""
total=$(commands)
same "without a fault: started, created, attested" "0 0 0 " \
    "$started $created $attested $broken"
check "that took the host's TPM $total commands" [ "$total" -gt 15 ]

# every KIND FIRST MUST: MUST is "succeed" where the fault is one that passes.
every() {
	local kind=$1 must=$3 i runs=0 good=0 bad=
	for ((i = $2; i <= total; i += STRIDE)); do
		story "fault=$kind@$i hook=swtpm_ioctl --unix $T/host.ctrl -i"
		runs=$((runs + 1))
		case $started$created$attested in
		000) good=$((good + 1)) ;;
		*) [ "$must" = any ] || bad="$bad $i:$started$created$attested" ;;
		esac
		[ -z "$broken" ] || bad="$bad $i$broken"
		# A reset TPM has to be started up again, as firmware would.
	done
	same "$kind at $runs of $total commands ($good as if nothing had been)" \
	    "" "$bad"
}
every retry 1 succeed
every lost 2 succeed
every reset_after 3 any
every failure 1 any

unset TCTI_SLOW
check "with a good TPM the manager starts" start_manager --pool 0 \
    --root swtpm:path="$T/host"
check "the guest starts" ctl start keep
same "and is who it was" "$ek" "$(ek_of keep)"
same "no guest was lost and none is left over" "keep" \
    "$(jctl list | jq -r ".[].name")"
