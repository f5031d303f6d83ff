#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hostid.sh - a host's TPM (swtpm, with its maker's EK certificate) is enrolled
# with vtpm-verify, and quotes for group 0 and for a group with a separate AK:
# both verifiers follow it to the maker's root.
. "$(dirname "$0")/tpmlib.sh"
try "a TPM's maker certifies its EK" swtpm_made "$dir" "$dir/s.d"
tpm s --tpm2 --flags not-need-init,startup-clear
swtpm_extend "$dir/s" 4 4 7 7
try "it answers the challenge and quotes for both groups" env -C "$top" \
    timeout 100 "$B/tests/hostcmd" "$B/vtpm-hwtpm --tcti swtpm:path=$dir/s" "$dir" \
    "$B/vtpm-verify enrol challenge --identity $dir/identity.json --roots \
    $dir/roots -o $dir/challenge.json --state $dir/secret.json"
try "the host is enrolled" "$B/vtpm-verify" enrol finish --response \
    "$dir/response.json" --state "$dir/secret.json" -o "$dir/host.json"
for g in 0 7; do
	set -- -e "$dir/evidence-$g.json" --nonce c0ffee03000000000000000000000000 \
	    --host "$dir/host.json" --host-states "$dir/states.json"
	try "group $g: from the guest's quote to the maker's root" \
	    "$B/vtpm-verify" "$@" --roots "$dir/roots" \
	    --policy "$dir/policy-$g.json"
	try "group $g: the second verifier says so, too" \
	    python3 "$top/tests/deep/verify_deep.py" "$@" \
	    --roots "$dir/roots.pem"
done
# Keys in turn: the EK, slow to make, is needed for the new key and once for
# each of the two; then their contexts come back.
mkdir "$dir/turn"
try "keys of groups in turn" env -C "$top" LD_LIBRARY_PATH="$B/tests" \
    TCTI_SLOW="sign=0 nv=0 other=0 log=$dir/tpm.log" \
    HOSTCMD_LOG="$dir/tpm.log" timeout 100 "$B/tests/hostcmd" \
    "$B/vtpm-hwtpm --tcti slow:swtpm:path=$dir/s" "$dir/turn" \
    "$B/vtpm-verify enrol challenge --identity $dir/turn/identity.json --roots \
    $dir/roots -o $dir/turn/challenge.json --state $dir/turn/secret.json"
made=$(sed -n 's/^keys made: //p' "$dir/out")
try "eight quotes by two keys take the EK ${made:-?} times" \
    [ "${made:-99}" -le 3 ]
sed 's/"7": "./"7": "f/' "$dir/states.json" >"$dir/other.json"
if "$B/vtpm-verify" -e "$dir/evidence-0.json" --nonce \
    c0ffee03000000000000000000000000 --host "$dir/host.json" --host-states \
    "$dir/other.json" --policy "$dir/policy-0.json" >"$dir/why" 2>&1; then
	not_ok "a host in another state is accepted"
else
	try "a host in another state: $(grep -a REFUSED "$dir/why")" \
	    grep -aq "none of the accepted states" "$dir/why"
fi
