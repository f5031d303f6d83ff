#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# make.sh - make the sealed blobs in this folder anew on stock swtpm.  Needs
# vtpm-seal in B (default build), swtpm and tpm2-tools.
#   direct.blob  "hello", sealed by the TPM itself
#   bulk.blob    300 bytes of A, under a sealed AES-256-GCM key
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
printf hello | "$B/vtpm-seal" seal --tcti "$TPM2TOOLS_TCTI" \
    -o "$here/direct.blob"
head -c 300 /dev/zero | tr '\0' A | "$B/vtpm-seal" seal \
    --tcti "$TPM2TOOLS_TCTI" -o "$here/bulk.blob"
chmod 644 "$here"/*.blob
tpm2_startauthsession -S pol.ctx -Q
tpm2_policypcr -S pol.ctx -l sha256:16
tpm2_flushcontext pol.ctx
ls -l "$here"
