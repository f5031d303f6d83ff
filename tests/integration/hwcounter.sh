#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hwcounter.sh - counters in the NV memory of the host's TPM (swtpm) under
# vtpm-hwtpm: no other user raises them, exactly once whatever is lost under
# way; a replaced or removed counter is detected.
. "$(dirname "$0")/tpmlib.sh"
export LD_LIBRARY_PATH=$B/tests${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
tpm s
export TPM2TOOLS_TCTI=swtpm:path=$dir/s
run() {
	timeout 100 "$B/tests/hwcmd" \
	    "$B/vtpm-hwtpm --tcti ${tcti:-swtpm:path=$dir/s} --retry-ms 400" \
	    "$@" >out 2>err
}
value() { sed -n "s/^counter: ok $1 = //p" out | tail -1; }
indices() { tpm2_getcap handles-nv-index 2>/dev/null | grep -c 0x1; }
attr() { tpm2_nvreadpublic "$1" 2>/dev/null; }

for root in 1 2; do
	k=k$root
	run pcrs counter 2 0 0 init $root node-7 $k counter 1 0 0 counter 2 0 0 \
	    pcrs
	check "root $root: no counters before there are keys" \
	    eval '[ "$(line 1 | sed "s/.*epoch=//")" = 0 ] &&
		line 2 | grep -q "error -13 no host keys"'
	check "root $root: two counters, the epoch comes with the PCRs" \
	    eval '[ "$(line 4)" = "counter: ok 1 = $(line 6 |
		sed "s/.*epoch=//")" ] && [ -n "$(value 2)" ]'
	v=$(value 2)
	run load $root $k counter 2 0 0 counter 2 1 0 counter 2 1 $((v + 1)) \
	    counter 2 1 $((v + 1)) counter 2 1 $((v + 2)) counter 2 1 "$v" \
	    counter 2 0 "$v" counter 2 0 $((v + 3)) counter 1 0 0
	check "root $root: another process finds the same value" \
	    [ "$(line 2)" = "counter: ok 2 = $v" ]
	check "root $root: it counts; what is asked for twice counts once" \
	    eval '[ "$(line 3)" = "counter: ok 2 = $((v + 1))" ] &&
		[ "$(line 4)" = "counter: ok 2 = $((v + 2))" ] &&
		[ "$(line 5)" = "counter: ok 2 = $((v + 2))" ] &&
		[ "$(line 6)" = "counter: ok 2 = $((v + 3))" ]'
	check "root $root: from another value it does not" \
	    eval 'line 7 | grep -q "error -12 the anchor counter is $((v + 3)), not $v" &&
		line 8 | grep -q "error -12" &&
		[ "$(line 9)" = "counter: ok 2 = $((v + 3))" ]'
	check "root $root: the epoch is another counter" \
	    eval '[ "$(line 10)" != "$(line 9)" ]'
done
v=$((v + 3))
check "there are four indices" [ "$(indices)" = 4 ]

# The blob's Names: be32 index, 0022, 000b...
at() { # which counter of k2: its index
	local hex
	hex=$(xxd -p k2.blob | tr -d '\n')
	# 34 bytes of MAC at the end, before it twice 4 + 2 + 34
	echo "0x${hex:$((${#hex} - 2 * (34 + 40 * (3 - $1)))):8}"
}
epoch=$(at 1)
anchor=$(at 2)
check "the owner does not count it up" \
    eval '! tpm2_nvincrement "$anchor" -C o >/dev/null 2>&1'
check "nor a guessed authorisation" \
    eval '! tpm2_nvincrement "$anchor" -P guess >/dev/null 2>&1 &&
	! tpm2_nvincrement "$anchor" >/dev/null 2>&1'
check "wrong guesses lock nothing" \
    eval 'for i in 1 2 3 4 5 6; do
	tpm2_nvincrement "$anchor" -P guess; done >/dev/null 2>&1
	run load 2 k2 counter 2 1 $v && [ "$(value 2)" = $((v + 1)) ]'
v=$((v + 1))
check "the owner reads it" \
    [ "$((16#$(tpm2_nvread -s 8 -C o "$anchor" | xxd -p)))" = $v ]

# Lost, reset, busy at each command: exactly one step, if anything is said.
tcti=slow:swtpm:path=$dir/s
fast="sign=0 nv=0 other=0 count=count"
hook="hook=swtpm_ioctl --unix $dir/s.ctrl -i"
export TCTI_SLOW="$fast"
run load 2 k2 counter 2 1 $v
v=$(value 2)
n=$(printf '%d' "0x$(xxd -p count)")
check "loading and counting takes $n commands" [ "$n" -gt 8 ]
for kind in lost_after reset_after nv_rate retry lost; do
	bad=0
	for ((i = 1; i <= n; i++)); do
		export TCTI_SLOW="$fast fault=$kind@$i $hook"
		rm -f count
		run load 2 k2 counter 2 1 "$v"
		[ "$(value 2)" = $((v + 1)) ] || bad=$((bad + 1))
		v=$(value 2)
	done
	check "$kind at every command: each request counts once" [ $bad = 0 ]
done
export TCTI_SLOW="$fast fault=nv_rate@$((n - 2))x100000"
rm -f count
run load 2 k2 counter 2 1 "$v"
check "a TPM that is for ever at its NV rate: refused with a reason" \
    says "^counter: error -15 .*stayed busy for the whole time allowed"
export TCTI_SLOW="$fast"
rm -f count
run init 2 node-7 n
nmake=$(printf '%d' "0x$(xxd -p count)")
bad=0
for ((i = 1; i <= nmake; i++)); do
	export TCTI_SLOW="$fast fault=lost_after@$i $hook"
	before=$(indices)
	rm -f count
	run init 2 node-7 n
	if says "^init: ok"; then want=$((before + 2)); else want=$before; fi
	[ "$(indices)" = $want ] || bad=$((bad + 1))
	for x in $(tpm2_getcap handles-nv-index | sed -n 's/^- //p'); do
		case $((x)) in
		$((epoch)) | $((anchor))) ;;
		*) tpm2_nvundefine -C o "$x" >/dev/null 2>&1 ;;
		esac
	done
done
check "keys made again after a loss, at each of $nmake commands, leave no counters behind" \
    [ $bad = 0 ]
unset TCTI_SLOW
tcti=

# Somebody with the owner's authorisation takes the index away, or puts
# another into its place.
size=$(attr "$anchor" | sed -n 's/^ *size: //p')
check "the counter has 8 bytes" [ "$size" = 8 ]
run load 2 k2 counter 2 1 "$v" sh "tpm2_nvundefine -C o $anchor" \
    counter 2 0 0 counter 1 0 0
check "a missing counter is reported, with the reason" \
    says "^counter: error -21 the anchor counter, NV index $anchor of the TPM at .* was removed"
check "the other one continues" [ -n "$(value 1)" ]
tpm2_nvdefine "$anchor" -C o -p mine \
    -a 'nt=counter|authwrite|authread|ownerread|no_da' >/dev/null 2>&1
run load 2 k2 counter 2 0 0
check "an index that was never counted is not taken for it" \
    says "^counter: error -21 .* was replaced"
tpm2_nvincrement "$anchor" -P mine >/dev/null 2>&1
run load 2 k2 counter 2 0 0 counter 2 1 0
check "one of the same Name has another value, not an old one ($(value 2))" \
    [ "$(value 2)" -gt $((v + 1)) ]
check "and does not count for us" says "^counter: error -21 .* was replaced"
run raw 7 - raw 7 00 raw 7 030000000000000000 raw 7 02020000000000000000
check "malformed requests are refused" [ "$(grep -c 'error -20' out)" = 4 ]
