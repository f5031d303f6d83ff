#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# make.sh - make the sealed blobs in this folder anew on stock swtpm.  Needs
# vtpm-seal in B (default build), swtpm and tpm2-tools.
#   direct.blob  "hello", sealed by the TPM itself
#   bulk.blob    300 bytes of A, under a sealed AES-256-GCM key
#   Those two are version 1, made before there was a version 2; with "v1" as
#   argument they are made anew, too.
#   authority.blob, approvals.json  "hello", sealed to authority.pub (RSA) with
#                passphrase "words" and recovery.pub (ECC), keys of these vectors
#                alone; two approvals of it
#   request.json a request that nobody signed
#   signature.json  systemd's form, by the same key
#   recovery.name  Name of recovery.pub, as tpm2_loadexternal has it
#   and on standard output what the TPM says of policies: test_seal_policy
set -eu
cd "$(dirname "$0")"
here=$PWD
B=$(cd "${B:-../../../build}" && pwd)
T=$(mktemp -d)
cd "$T"
mkdir state
swtpm socket --tpm2 --tpmstate dir=state --server type=unixio,path=s \
    --ctrl type=unixio,path=s.ctrl --flags not-need-init,startup-clear \
    >log 2>&1 &
pid=$!
trap 'kill $pid; rm -rf "$T"' EXIT
sleep 0.5
export TPM2TOOLS_TCTI=swtpm:path=$PWD/s
for p in 0 2 4 7 8 9; do
	tpm2_pcrextend "$p:sha256=$(printf %064d 7)"
done
seal() { "$B/vtpm-seal" "$1" --tcti "$TPM2TOOLS_TCTI" "${@:2}"; }
if [ "${1:-}" = v1 ]; then
	printf hello | seal seal -o "$here/direct.blob"
	head -c 300 /dev/zero | tr '\0' A | seal seal -o "$here/bulk.blob"
fi
ref=6ba7b810-9dad-41d1-80b4-00c04fd430c8:root
openssl genpkey -algorithm RSA -out "$here/authority.pem" 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -out "$here/recovery.pem"
openssl pkey -in "$here/authority.pem" -pubout -out "$here/authority.pub"
openssl pkey -in "$here/recovery.pem" -pubout -out "$here/recovery.pub"
echo words >words
rm -f "$here"/approvals.json "$here"/request.json "$here"/signature.json
printf hello | seal seal --authority "$here/authority.pub" --ref $ref \
    --recovery-passphrase words --recovery-key "$here/recovery.pub" \
    -o "$here/authority.blob"
seal approve --key "$here/authority.pem" --ref $ref -a "$here/approvals.json" --label one
seal approve --key "$here/authority.pem" --ref $ref -a "$here/approvals.json" \
    --label two --next-epoch --select sha256:4
seal approve --authority "$here/authority.pub" --ref $ref \
    -a "$here/request.json" --label asked
seal approve --key "$here/authority.pem" --systemd "$here/signature.json" \
    --select sha256:4,7
# One policy after the other in one session each; keys by their PEM.
pol() { tpm2_startauthsession -S p.ctx -Q; }
say() { # NAME: the digest of the session
	echo "$1 $(xxd -p -c 64 p.digest)"
	tpm2_flushcontext p.ctx
}
load() { # FILE ALG
	tpm2_loadexternal -C o -G "$2" -u "$1" \
	    -a "userwithauth|sign|decrypt" -c key.ctx -n key.name -Q
	tpm2_flushcontext -t
}
{
	head -c 7 /dev/zero >two; printf '\2' >>two
	pol; tpm2_policypcr -S p.ctx -l sha256:16 -Q >/dev/null
	tpm2_policynv -S p.ctx -i two -C 0x0180ec01 0x0180ec01 ule \
	    -L p.digest >/dev/null; say state
	load "$here/recovery.pub" ecc
	xxd -p -c 64 key.name >"$here/recovery.name"
	pol; tpm2_policyauthvalue -S p.ctx -L p.digest -Q; say authvalue
}
chmod 644 "$here"/*.blob
tpm2_startauthsession -S pol.ctx -Q
tpm2_policypcr -S pol.ctx -l sha256:16
tpm2_flushcontext pol.ctx
ls -l "$here"
