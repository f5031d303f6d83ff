#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hwtpm_faults.sh - vtpm-hwtpm over tests/lab/tcti-slow.c: every kind of fault at
# every command.  Never a wrong certificate, never a new identity, never a
# hang, always an answer; and slow as a physical TPM, fair between groups.
# FULL=1: all kinds of faults, not those alone that differ in what is done.
. "$(dirname "$0")/tpmlib.sh"
hwtpm=${HWTPM:-$B/vtpm-hwtpm}
hwcmd=${HWCMD:-$B/tests/hwcmd}
export LD_LIBRARY_PATH=$B/tests${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
uuid=11112222-3333-4444-5555-666677778888
tpm a
tpm b
export TPM2TOOLS_TCTI=swtpm:path=$dir/b
{
	tpm2_startup -c
	tpm2_createek -c eke.ctx -G ecc -u eke.pub
	tpm2_createak -C eke.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub
	tpm2_flushcontext -t
} >tools.log 2>&1

tcti=slow:swtpm:path=$dir/a
fast="sign=0 nv=0 other=0 count=count"
hook="hook=swtpm_ioctl --unix $dir/a.ctrl -i"
keys=ek-ecc:eke.pub,ak:ak.pub
run() { # TCTI_SLOW, commands...
	local slow=$1
	shift
	rm -f count g.*.der
	TCTI_SLOW=$slow timeout 60 "$hwcmd" \
	    "$hwtpm --tcti $tcti --retry-ms 400 --wait-ms 4000 --answer-ms 300" \
	    "$@" >out 2>err
	rc=$?
}
commands() { printf '%d' "0x$(xxd -p count 2>/dev/null || echo 0)"; }
# The keys are those that were made first, whatever happened.
plain() {
	timeout 60 "$hwcmd" "$hwtpm --tcti swtpm:path=$dir/a" load $root $set \
	    >plain.out 2>&1 && grep -q '^load: ok' plain.out
}

# k: a hardware root, where the CA key is used in a salted session; j: a
# software root, where it is not.
run "$fast" init 1 node-7 j
root=2
set=k
run "$fast" init 2 node-7 k
check "keys are made over the slow TPM's module" says "^init: ok"
ninit=$(commands)
for s in j k; do openssl x509 -inform der -in $s.ca.der -out $s.pem; done
run "$fast" load 2 k certs guest $uuid 7 g $keys
nload=$(commands)
check "making them takes $ninit commands, loading and signing $nload" \
    eval '[ "$ninit" -gt 10 ] && [ "$nload" -gt 10 ]'

# What must hold after any fault: 0 for success, 1 for refused with a reason, 2 if
# a law was broken.
verdict() {
	[ $rc -ne 124 ] || return 2
	says "other keys than before" && return 2
	if says "^load: ok" && says "^certs: ok"; then
		openssl verify -CAfile $set.pem -untrusted g.issuer.der \
		    g.ek-ecc.der g.ak.der \
		    >/dev/null 2>&1 || return 2
		return 0
	fi
	says "^(load|certs): error -[0-9]+ .{10,}" || return 2
	return 1
}
# KIND MUST: MUST is "succeed" where the fault is one that passes.
every_index() {
	local kind=$1 must=$2 n good=0 refused=0 broken=0 at=""
	for ((n = 1; n <= nload; n++)); do
		run "$fast fault=$kind@$n $hook" load $root $set \
		    certs guest $uuid 7 g $keys
		verdict
		case $? in
		0) good=$((good + 1)) ;;
		1) refused=$((refused + 1)); at="$at $n"
		    [ "$must" = any ] || cat out >>refused.log ;;
		*) broken=$((broken + 1)); at="$at $n!" ;;
		esac
	done
	plain || broken=$((broken + 1))
	if [ $broken -gt 0 ] ||
	    { [ "$must" = succeed ] && [ $refused -gt 0 ]; }; then
		not_ok "$kind at every command: $good good, $refused" \
		    "refused, $broken broken:$at"
	else
		ok "$kind at every command, $set: $good good, $refused refused" \
		    "with a reason, none wrong"
	fi
}
passing="retry lost_after reset_after hang"
lasting="lockout flip"
making="lost_after flip"
if [ -n "${FULL:-}" ]; then
	passing="$passing yielded testing nv_rate nv_unavailable lost reset"
	lasting="$lasting failure short"
	making="$making reset_after lockout lost retry"
fi
for kind in $passing; do
	every_index $kind succeed
done
for kind in $lasting; do
	every_index $kind any
done

root=1
set=j
every_index flip any
root=2
set=k

run "$fast fault=flip@${nload}x3" load 2 k certs guest $uuid 7 g $keys \
    certs guest $uuid 7 g $keys
check "after answers that were spoilt the next request is served" \
    eval '[ "$(tail -1 out | cut -c1-9)" = "certs: ok" ]'

# While keys are made: no half of them is ever handed out.
for kind in $making; do
	bad=0
	for ((n = 1; n <= ninit; n++)); do
		run "$fast fault=$kind@$n $hook" init 2 node-7 new load 2 new
		says "^init: error -[0-9]+ .{10,}" && continue
		says "^init: ok" && says "^load: ok" || bad=$((bad + 1))
	done
	check "$kind at every command while keys are made: whole or not at all" \
	    [ $bad -eq 0 ]
done
check "the first keys are still good" plain

# Faults that stay: bounded, with the reason.
for kind in retry lockout lost hang; do
	t0=$SECONDS
	run "$fast fault=$kind@12x100000" load 2 k certs guest $uuid 7 g $keys
	verdict
	v=$?
	check "$kind for ever: refused with a reason after $((SECONDS - t0)) s" \
	    eval '[ $v -eq 1 ] && [ $((SECONDS - t0)) -lt 40 ]'
done
run "$fast fault=nv_rate@9x4" load 2 k status
check "a TPM that asks to be asked again is, with back-off" \
    eval 'says "^load: ok" && says "retries=4"'

# As slow as a physical one: 200 ms a signature.
run "sign=200 nv=50 other=20 count=count" load 2 k \
    flood 1 12 ak.pub flood 2 1 ak.pub collect 13
order=$(grep '^collect' out | sed 's/collect: ok //; s/ bad.*//')
check "a slow TPM: the quiet group is not behind the flood ($order)" \
    eval 'echo "$order" | cut -d" " -f1-4 | grep -qw 2 && says "bad=0"'
