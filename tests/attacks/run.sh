#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh - the attack suite: each attack is tried on vtpm-verify, which must
# stop it, and on a copy of it with that one check taken out, where it must
# succeed.  What stopped it is printed.
#
# Attacks on the store (cloned, rolled back, one instance rolled back) are
# tests/integration/anchor.sh's.
set -u
B=${B:-build}
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
case $B in /*) ;; *) B=$top/$B ;; esac
dir=$(mktemp -d /tmp/vtpm-attacks.XXXXXX)
trap 'rm -rf "$dir"' EXIT
ok() { echo "ok - $*"; }
not_ok() {
	echo "not ok - $*"
	grep -aE '^(FAIL|\?\?|REFUSED|ACCEPTED|COULD)' "$dir/out" | tail -5 |
	    sed 's/^/  /'
}
"$B/tests/deepgen" "$dir/cases" >"$dir/out" 2>&1 || {
	not_ok "the attacks could not be made"
	exit 1
}

verify() { # program, case folder
	local c=$2 nonce uuid
	read -r _ _ nonce uuid _ <"$c/case"
	"$1" -e "$c/evidence.json" --nonce "$nonce" --uuid "$uuid" \
	    --policy "$c/policy.json" --host "$c/host.json" \
	    --host-states "$c/states.json" --roots "$c/roots.pem" \
	    >"$dir/out" 2>&1
}

for c in "$dir"/cases/*/; do
	c=${c%/}
	[ -f "$c/case" ] || continue
	read -r check want _ _ words <"$c/case"
	name=$(basename "$c")
	verify "$B/vtpm-verify" "$c"
	rc=$?
	if [ "$check" = - ]; then
		if [ $rc -eq 0 ]; then ok "$name: accepted ($words)"; else
			not_ok "$name: $words: exit $rc"
		fi
		continue
	fi
	stopped=$(grep -a '^FAIL' "$dir/out" | head -1 | cut -c7-)
	id=${stopped%% *}
	if [ $rc -eq 1 ] && [ "$id" = "$want" ]; then
		ok "$name: $words: stopped by $stopped"
	else
		not_ok "$name: $words: exit $rc, want it stopped by $want"
	fi
	VTPM_SKIP='' verify "$B/tests/attack-verify" "$c"
	rc=$?
	VTPM_SKIP=$check verify "$B/tests/attack-verify" "$c"
	if [ $rc -eq 1 ] && grep -aq '^ACCEPTED' "$dir/out"; then
		ok "$name: without that check it succeeds"
	else
		not_ok "$name: with $check taken out: still stopped"
	fi
done

# An AK that is not in the TPM of the EK: the host cannot open the challenge.
e=$dir/cases/enrol
enrol() { # program
	"$1" enrol finish --response "$e/response.json" --state "$e/secret.json" \
	    -o "$e/host.json" >"$dir/out" 2>&1
}
if "$B/vtpm-verify" enrol challenge --identity "$e/identity.json" \
    --roots "$e/roots.pem" -o "$e/challenge.json" --state "$e/secret.json" \
    >"$dir/out" 2>&1; then
	ok "enrol: a challenge is made for a host whose certificates are good"
else
	not_ok "enrol: no challenge"
fi
printf '{"format": "vtpm-enrol-response", "version": 1, "secret": "%s"}\n' \
    "$(head -c 32 /dev/urandom | base64 -w0)" >"$e/response.json"
enrol "$B/vtpm-verify"
if [ $? -eq 1 ] && [ ! -e "$e/host.json" ]; then
	ok "enrol: an AK not under the EK: stopped by $(grep -a REFUSED "$dir/out")"
else
	not_ok "enrol: a host that could not open the challenge was enrolled"
fi
if VTPM_SKIP=enrol-secret enrol "$B/tests/attack-verify" &&
    [ -s "$e/host.json" ]; then
	ok "enrol: without that check it succeeds"
else
	not_ok "enrol: with enrol-secret taken out: still stopped"
fi
rm -f "$e/host.json"
printf '{"format": "vtpm-enrol-response", "version": 1, "secret": %s}\n' \
    "$(python3 -c 'import json, sys
print(json.dumps(json.load(open(sys.argv[1]))["secret"]))' "$e/secret.json")" \
    >"$e/response.json"
if enrol "$B/vtpm-verify" && [ -s "$e/host.json" ]; then
	ok "enrol: with the right answer the host is enrolled"
else
	not_ok "enrol: the right answer is not taken"
fi
if "$B/vtpm-verify" enrol challenge --identity "$e/identity.json" \
    --roots "$dir/cases/good/roots.pem" -o "$e/x" --state "$e/y" \
    >"$dir/out" 2>&1 || [ -e "$e/y" ]; then
	not_ok "enrol: another maker's roots were enough"
else
	ok "enrol: a TPM of another maker: stopped by $(grep -a REFUSED "$dir/out")"
fi
