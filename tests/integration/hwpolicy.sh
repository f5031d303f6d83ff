#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hwpolicy.sh - the master key is bound to approved states of the host, in the
# host's TPM (swtpm) under vtpm-hwtpm: who else asks gets nothing, with words;
# and with every fault at every command the answer is right or none.
# FULL=1: all kinds of faults.
. "$(dirname "$0")/tpmlib.sh"
export LD_LIBRARY_PATH=$B/tests${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
tpm a
tpm b
export TPM2TOOLS_TCTI=swtpm:path=$dir/a
run() {
	local opt="--retry-ms 400 --wait-ms 6000 --answer-ms 300"
	timeout 100 "$B/tests/hwcmd" \
	    "$B/vtpm-hwtpm --tcti ${tcti:-swtpm:path=$dir/a} $opt" \
	    "$@" >out 2>err
}
extend() { # PCR VALUE
	tpm2_pcrextend "$1:sha256=$(printf '%064d' "$2"),sha384=$(
	    printf '%096d' "$2")" >/dev/null 2>&1
}
for k in key other; do
	openssl ecparam -name prime256v1 -genkey -noout -out $k.pem
done
tpm2_startup -c >/dev/null 2>&1
# The same state can be had again: reset, and measure the same.
boot() { # VALUE of PCR 4
	swtpm_ioctl --unix a.ctrl -i >/dev/null 2>&1
	tpm2_startup -c >/dev/null 2>&1
	extend 4 "${1:-4}"
	extend 7 7
}
boot
# be32 index and 0022 Name, twice, 34 bytes before the end: see vtpm_manager/proto/host_blob.h.
epoch_of() { # PREFIX: sets idx and name
	local hex
	hex=$(xxd -p "$1.blob" | tr -d '\n')
	hex=${hex:$((${#hex} - 2 * (34 + 80))):80}
	idx=0x${hex:0:8}
	name=${hex:12:68}
}
make() { # OUT, SELECTION, EPOCH, GROUP, KEY
	tpm2_pcrread "$2" -o values >/dev/null 2>&1
	"$B/tests/approvalcmd" "${5:-key.pem}" "$2" values "$3" "$name" \
	    "$4" "$1" 2>>err
}

# --- bound from the first moment ----------------------------------------------
run initk 2 node-7 k key.pem counter 1 0 0 pcrs load 2 k
check "keys are made, bound to the approval key" says "^init: ok"
now=$(sed -n 's/^counter: ok 1 = //p' out)
run load 2 k
check "without an approval nothing is released, and that is said" \
    says "^load: error -21 no state of this host was approved; approve one"
epoch_of k
make good sha256:4,7 "$now" 0
run loada 2 k good certs g 11112222-3333-4444-5555-666677778888 0 g ak:nokey
check "the approved state gives the same keys" says "^load: ok"
make wide sha384:4,7 "$now" 0
run loada 2 k wide
check "by SHA-384, too" says "^load: ok"
make alien sha256:4,7 "$now" 0 other.pem
make group sha256:4,7 "$now" 5
run loada 2 k alien,group
check "another key's approval and a group's do not" \
    says "^load: error -21 no state of this host was approved \\(there are"
name2=$name
name=000b$(printf '%064d' 1)
make elsewhere sha256:4,7 "$now" 0
name=$name2
run loada 2 k elsewhere
check "nor one for another TPM's counter" says "^load: error -21 no state"

# --- another state ------------------------------------------------------------
boot 5
run loada 2 k alien,good
check "another kernel: refused, naming the PCR and the state" \
    says "^load: error -21 the host is in no approved state; nearest is 'test' \(sequence 1\): PCR 4 \(sha256\) is [0-9a-f]{16}\.\., approved [0-9a-f]{16}\.\.$"
make next sha256:4,7 "$now" 0
run loada 2 k good,next
check "once it is approved: the same keys" says "^load: ok"
boot 4
run loada 2 k good,next
check "both states are good" says "^load: ok"
boot 5
run loada 2 k good approvals good,next loada 2 k next
check "the later setting counts" \
    eval 'line 1 | grep -q "error -21" && [ "$(line 3)" = "load: ok" ]'
boot 4

# --- epochs -------------------------------------------------------------------
make fresh sha256:4,7 $((now + 1)) 0
run loada 2 k good counter 1 1 "$now" loada 2 k good loada 2 k good,fresh
check "after an epoch bump the old approval is dead, with the reason" \
    says "^load: error -21 all 1 approvals of host states are void: the epoch is $((now + 1)) now"
check "the new one is alive" eval '[ "$(line 4)" = "load: ok" ]'
now=$((now + 1))
# In the TPM itself: hwtpm's own look at the epoch is out of the way here.
{
	tpm2_flushcontext -t
	tpm2_startauthsession -S s.ctx --policy
	tpm2_policypcr -S s.ctx -l sha256:4,7
	printf '%016x' $((now - 1)) | xxd -r -p >operand
} >/dev/null 2>&1
check "the TPM refuses the dead epoch itself" \
    eval '! tpm2_policynv -S s.ctx -C o -i operand "$idx" ule >/dev/null 2>&1'
tpm2_flushcontext s.ctx >/dev/null 2>&1
check "and only the master key raises it" \
    eval '! tpm2_nvincrement "$idx" -C o >/dev/null 2>&1'

# --- while it runs ------------------------------------------------------------
run loada 2 k fresh sh "swtpm_ioctl --unix a.ctrl -i" random 8 \
    certs x 11112222-3333-4444-5555-666677778888 0 x ak:values
cp out w
check "a TPM reset under the manager: zeros are no approved state" \
    eval 'grep -q "error -21 the host is in no approved state; nearest is .test." w'
boot 4
export r4=$(printf '%064d' 4) r7=$(printf '%064d' 7)
run loada 2 k fresh sh "swtpm_ioctl --unix a.ctrl -i" sh "tpm2_startup -c" \
    sh "tpm2_pcrextend 4:sha256=$r4,sha384=00000000000000000000000000000000$r4" \
    sh "tpm2_pcrextend 7:sha256=$r7,sha384=00000000000000000000000000000000$r7" \
    random 8
check "the same state again: it continues" says "^random: ok 8"

# --- bind ---------------------------------------------------------------------
boot 4
run init 2 node-7 p load 2 p bind key.pem p load 2 p
check "not without an approval: nothing was changed" \
    eval 'says "^bind: error -21 no state of this host was approved" &&
	[ "$(line 4)" = "load: ok" ]'
epoch_of p
run load 2 p counter 1 0 0
now=$(sed -n 's/^counter: ok 1 = //p' out)
make pgood sha256:4,7 "$now" 0
make pother sha256:4,7 "$now" 0 other.pem
cp p.blob before.blob
run load 2 p approvals pgood bind key.pem p certs e \
    11112222-3333-4444-5555-666677778888 0 e ak:values counter 1 0 0 \
    loada 2 p pgood
check "a store is bound" eval 'says "^bind: ok" && [ "$(line 6)" = "load: ok" ]'
check "and continues at once" eval '[ "$(line 5)" = "counter: ok 1 = $now" ]'
run load 2 p
check "from then on it needs an approval" says "^load: error -21 no state"
run loada 2 p pgood approvals pgood,pother bind other.pem p loada 2 p pother \
    loada 2 p pgood
check "it is bound to another key" \
    eval '[ "$(line 3)" = "bind: ok" ] && [ "$(line 4)" = "load: ok" ] &&
	line 5 | grep -q "error -21"'
run loada 2 p pother bind - p load 2 p
check "and to none" eval '[ "$(line 3)" = "load: ok" ]'
# The policy is not one of the blob's words alone: with another blob hwtpm
# asks the TPM straight away, and that refuses.
cat >strip.py <<'END'
import sys
b = open(sys.argv[1], "rb").read()
at = 12
def part():
    global at
    n = int.from_bytes(b[at:at + 2], "big")
    p, at = b[at:at + 2 + n], at + 2 + n
    return p
body = b"".join(part() for i in range(6)) + b[at:at + 1]
at += 1
body += b"".join(part() for i in range(4))
assert len(part()) == 2 + 65 # the approval key
body = b[10:11] + b"\0" + body + b"\0\0" + b[at:]
open(sys.argv[2], "wb").write(b[:6] + len(body).to_bytes(4, "big") + body)
END
run loada 2 k fresh
check "the key is there to be had" says "^load: ok"
cp k.master n.master
cp k.ca.der n.ca.der
python3 strip.py k.blob n.blob
run loada 2 n fresh
check "a blob whose policy was taken out: the TPM itself refuses" \
    says "^load: error -15 unsealing the master key: "

# --- another TPM --------------------------------------------------------------
tcti=swtpm:path=$dir/b run loada 2 k fresh
check "a copy on another TPM gets nothing" \
    says "^load: error -21 the TPM at .* is not the one"
tcti=swtpm:path=$dir/b run initm 2 node-8 r key.pem k.master \
    sh "cmp r.master k.master"
check "the key from escrow is taken to another TPM" \
    eval 'says "^init: ok" && ! says "^sh"'

# --- faults -------------------------------------------------------------------
tcti=slow:swtpm:path=$dir/a
fast="sign=0 nv=0 other=0 count=count"
cat >again.sh <<'END'
swtpm_ioctl --unix a.ctrl -i >/dev/null 2>&1
END
hook="hook=true"
export TCTI_SLOW="$fast"
now=$(TCTI_SLOW= tcti= ; run loada 2 k fresh counter 1 0 0
    sed -n 's/^counter: ok 1 = //p' out)
rm -f count
run loada 2 k fresh
n=$(printf '%d' "0x$(xxd -p count)")
check "loading by policy takes $n commands" eval 'says "^load: ok" && [ "$n" -gt 15 ]'
faults() { # KIND MUST
	local i good=0 refused=0 bad=""
	for ((i = 1; i <= n; i++)); do
		rm -f count
		TCTI_SLOW="$fast fault=$1@$i $hook" run loada 2 k fresh
		if says "^load: ok"; then good=$((good + 1))
		elif says "other keys"; then bad="$bad $i!"
		elif says "^load: error -[0-9]+ .{10,}"; then
			refused=$((refused + 1))
			[ "$2" = any ] || bad="$bad $i"
		else bad="$bad $i?"; fi
	done
	check "$1 at every command: $good good, $refused refused with a reason" \
	    eval '[ -z "$bad" ] && [ $((good + refused)) = "$n" ]'
	[ -z "$bad" ] || echo "  at:$bad"
}
passing="lost_after retry hang"
lasting="flip lockout"
if [ -n "${FULL:-}" ]; then
	passing="$passing lost yielded testing nv_rate nv_unavailable"
	lasting="$lasting failure short"
fi
for kind in $passing; do faults $kind succeed; done
for kind in $lasting; do faults $kind any; done
# After a reset the state is another one (all zeros): refused, never given.
hook="hook=swtpm_ioctl --unix $dir/a.ctrl -i"
bad=""
for ((i = 1; i <= n; i++)); do
	boot 4
	rm -f count
	TCTI_SLOW="$fast fault=reset_after@$i $hook" run loada 2 k fresh
	# the last commands flush what was loaded: the key was out by then
	says "^load: error -21 .*nearest is 'test'" ||
	    { says "^load: ok" && [ "$i" -gt $((n - 8)) ]; } || bad="$bad $i"
done
check "reset in mid-command at every one: the key is not given any more" \
    [ -z "$bad" ]
[ -z "$bad" ] || echo "  at:$bad"
boot 4
unset TCTI_SLOW
# Binding: the blob that is kept always loads.
tcti=
run load 2 p counter 1 0 0
now=$(sed -n 's/^counter: ok 1 = //p' out)
tcti=slow:swtpm:path=$dir/a
export TCTI_SLOW="$fast"
cp p.blob unbound
rm -f count
run load 2 p approvals pgood bind key.pem p
n=$(printf '%d' "0x$(xxd -p count)")
check "binding takes $n commands" says "^bind: ok"
for kind in lost_after flip; do
	bad=""
	for ((i = 1; i <= n; i++)); do
		cp unbound p.blob
		rm -f count
		TCTI_SLOW="$fast fault=$kind@$i" run load 2 p approvals pgood \
		    bind key.pem p certs q \
		    11112222-3333-4444-5555-666677778888 0 q ak:values
		if says "^bind: ok" && cmp -s unbound p.blob; then
			bad="$bad $i!"
		fi
		run loada 2 p pgood
		says "^load: ok" || bad="$bad $i"
	done
	check "$kind at every command of a binding: old or new, both load" \
	    [ -z "$bad" ]
	[ -z "$bad" ] || echo "  at:$bad"
done
