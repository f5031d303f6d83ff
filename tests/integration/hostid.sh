#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hostid.sh - a host's TPM (swtpm, with its maker's EK certificate) is enrolled
# with vtpm-verify, and quotes for group 0 and for a group with an AK of its own:
# both verifiers follow it to the maker's root.
set -u
B=${B:-build}
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
case $B in /*) ;; *) B=$PWD/$B ;; esac
dir=$(mktemp -d /tmp/vtpm-hostid.XXXXXX)
pid=
cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; tail -8 "$dir/out" | sed 's/^/  /'; }
check() { local t=$1; shift; if "$@" >"$dir/out" 2>&1; then ok "$t"; else not_ok "$t"; fi; }
mkdir "$dir/ca" "$dir/tpm" "$dir/roots"
cat >"$dir/localca.conf" <<CONF
statedir = $dir/ca
signingkey = $dir/ca/signkey.pem
issuercert = $dir/ca/issuercert.pem
certserial = $dir/ca/certserial
CONF
cat >"$dir/setup.conf" <<CONF
create_certs_tool = $(command -v swtpm_localca)
create_certs_tool_config = $dir/localca.conf
create_certs_tool_options = /etc/swtpm-localca.options
active_pcr_banks = sha256
CONF
as=(--runas "$(id -un)")
[ "$(id -u)" = 0 ] || as=()
check "a TPM's maker certifies its EK" swtpm_setup "${as[@]}" --tpm2 \
    --tpmstate "$dir/tpm" --config "$dir/setup.conf" --create-ek-cert \
    --pcr-banks sha256 --not-overwrite
cp "$dir"/ca/*cert.pem "$dir/roots"
swtpm socket --tpm2 --tpmstate dir="$dir/tpm" \
    --server type=unixio,path="$dir/s" --ctrl type=unixio,path="$dir/s.ctrl" \
    --flags not-need-init,startup-clear >"$dir/swtpm.log" 2>&1 &
pid=$!
for _ in $(seq 100); do [ -S "$dir/s" ] && break; sleep 0.02; done
for p in 4 7; do
	TPM2TOOLS_TCTI=swtpm:path=$dir/s tpm2_pcrextend \
	    "$p:sha256=$(printf '%064d' "$p")" 2>/dev/null
done
check "it answers the challenge and quotes for both groups" timeout 100 \
    "$B/tests/hostcmd" "$B/vtpm-hwtpm --tcti swtpm:path=$dir/s" "$dir" \
    "$B/vtpm-verify enrol challenge --identity $dir/identity.json --roots \
    $dir/roots -o $dir/challenge.json --state $dir/secret.json"
check "the host is enrolled" "$B/vtpm-verify" enrol finish --response \
    "$dir/response.json" --state "$dir/secret.json" -o "$dir/host.json"
cat "$dir"/roots/*.pem >"$dir/roots.pem"
for g in 0 7; do
	set -- -e "$dir/evidence-$g.json" --nonce c0ffee03000000000000000000000000 \
	    --host "$dir/host.json" --host-states "$dir/states.json"
	check "group $g: from the guest's quote to the maker's root" \
	    "$B/vtpm-verify" "$@" --roots "$dir/roots" \
	    --policy "$dir/policy-$g.json"
	check "group $g: the second verifier says so, too" \
	    python3 "$top/tests/deep/verify_deep.py" "$@" \
	    --roots "$dir/roots.pem"
done
# Keys in turn: the EK, slow to make, is needed for the new key and once for
# each of the two; then their contexts come back.
mkdir "$dir/turn"
check "keys of groups in turn" env LD_LIBRARY_PATH="$B/tests" \
    TCTI_SLOW="sign=0 nv=0 other=0 log=$dir/tpm.log" \
    HOSTCMD_LOG="$dir/tpm.log" timeout 100 "$B/tests/hostcmd" \
    "$B/vtpm-hwtpm --tcti slow:swtpm:path=$dir/s" "$dir/turn" \
    "$B/vtpm-verify enrol challenge --identity $dir/turn/identity.json --roots \
    $dir/roots -o $dir/turn/challenge.json --state $dir/turn/secret.json"
made=$(sed -n 's/^keys made: //p' "$dir/out")
check "eight quotes by two keys take the EK ${made:-?} times" \
    [ "${made:-99}" -le 3 ]
sed 's/"7": "./"7": "f/' "$dir/states.json" >"$dir/other.json"
if "$B/vtpm-verify" -e "$dir/evidence-0.json" --nonce \
    c0ffee03000000000000000000000000 --host "$dir/host.json" --host-states \
    "$dir/other.json" --policy "$dir/policy-0.json" >"$dir/why" 2>&1; then
	not_ok "a host in another state is accepted"
else
	check "a host in another state: $(grep -a REFUSED "$dir/why")" \
	    grep -aq "none of the accepted states" "$dir/why"
fi
