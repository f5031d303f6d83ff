#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# make.sh - make the vectors in this folder anew: evidence of one boot as
# stock swtpm (libtpms) signs it, with three kinds of keys.  The boot is the
# event log beside this folder, extended event by event.  Needs the programs
# in B (default build), swtpm and tpm2-tools.
#
#   ecc.json     EK P-256 (template L-2), AK P-256 ECDSA SHA-256
#   rsa.json     EK RSA-2048 (L-1), AK RSA-2048 RSASSA SHA-256
#   pss.json     EK RSA-2048 (L-1), AK RSA-2048 RSAPSS SHA-384
#   *-ca.pem     the CA of each; hardware root for rsa, software otherwise
#   policy.json  accepts that boot on a software root
#   made         seconds since 1970 at which all certificates are valid
set -eu
cd "$(dirname "$0")"
here=$PWD
B=$(cd "${B:-../../../build}" && pwd)
log=$here/../ovmf-grub-linux-6.1.eventlog
export TSS2_LOG=all+NONE
T=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$T"' EXIT

flush() { tpm2_flushcontext -t; }
nv() {
	tpm2_nvdefine "$1" -C o -s "$(stat -c %s "$2")" -Q \
	    -a 'ownerread|authread|ownerwrite|authwrite|no_da'
	tpm2_nvwrite "$1" -C o -i "$2" -Q
}
tpm2_eventlog "$log" 2>/dev/null | awk '/PCRIndex:/ { pcr = $2 }
	/EventType:/ { type = $2 } /AlgorithmId: sha256/ { want = 1 }
	/Digest: / { gsub(/["'\'']/, "", $2)
	if (want && type != "EV_NO_ACTION") print pcr, $2; want = 0 }' \
    >"$T/extends"

one() { # name, ek alg, ak alg, hash, scheme, ek certificate index, root
	mkdir -p "$T/$1/state"
	cd "$T/$1"
	swtpm socket --tpm2 --tpmstate dir=state --server \
	    type=unixio,path=s --ctrl type=unixio,path=s.ctrl \
	    --flags not-need-init,startup-clear >log 2>&1 &
	pid=$!
	sleep 0.5
	export TPM2TOOLS_TCTI=swtpm:path=$PWD/s
	tpm2_createek -G "$2" -c ek.ctx -u ek.pub -Q && flush
	tpm2_createak -C ek.ctx -c ak.ctx -G "$3" -g "$4" -s "$5" -u ak.pub -Q
	flush
	tpm2_flushcontext -s
	tpm2_evictcontrol -c ak.ctx 0x81000003 -Q && flush
	"$B/tests/mkcerts" . ek.pub ak.pub "$7" \
	    3f0f8b62-7f0e-4c53-9d0b-3f1d6f3a0c11
	nv "$6" ek.der
	nv 0x01c101d0 ak.der
	while read -r p d; do tpm2_pcrextend "$p:sha256=$d"; done <"$T/extends"
	"$B/vtpm-attest" --tcti "$TPM2TOOLS_TCTI" --log "$log" --no-journal \
	    --nonce 00112233445566778899aabbccddeeff -o "$here/$1.json"
	cp ca.pem "$here/$1-ca.pem"
	kill "$pid" && pid=
	cd "$here"
}
one ecc ecc ecc sha256 ecdsa 0x01c0000a soft
one rsa rsa rsa sha256 rsassa 0x01c00002 hard
one pss rsa rsa sha384 rsapss 0x01c00002 soft
"$B/vtpm-verify" policy --from ecc.json --allow-software-root \
    --name 'the reference boot' -o policy.json
echo $(($(date +%s) + 60)) >made
ls -l
