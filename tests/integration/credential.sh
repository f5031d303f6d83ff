#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# credential.sh - a stock TPM opens the credentials that measure/cert/make_credential.c
# makes, for its own EK and AK and for no other.
. "$(dirname "$0")/tpmlib.sh"
tpm s
export TPM2TOOLS_TCTI=swtpm:path=$dir/s
tpm2_startup -c
head -c 32 /dev/urandom >secret
activate() { # ek, ak
	tpm2_flushcontext -t
	tpm2_startauthsession --policy-session -S s.ctx &&
	tpm2_policysecret -S s.ctx -c e || return 1
	rm -f got
	tpm2_activatecredential -c "$2.ctx" -C "$1.ctx" -i cred -o got \
	    -P session:s.ctx
	local rc=$?
	tpm2_flushcontext s.ctx
	return $rc
}
for g in rsa ecc; do
	tpm2_createek -c $g.ctx -G $g -u $g.pub >setup.log 2>&1
	for k in ak other; do
		tpm2_flushcontext -t
		tpm2_createak -C $g.ctx -c $g$k.ctx -G ecc -g sha256 -s ecdsa \
		    -n $g$k.name -f tss -u $g$k.pub >>setup.log 2>&1
	done
	tpm2_flushcontext -t
	tpm2_readpublic -c $g.ctx -o $g.tss -f tss >>setup.log 2>&1
	try "$g: a credential is made" "$B/tests/credcmd" $g.tss \
	    "$(xxd -p -c 99 ${g}ak.name)" secret cred
	try "$g: the TPM opens it" activate $g ${g}ak
	try "$g: it is the secret" cmp secret got
	refuse "$g: not beside another AK" activate $g ${g}other
	printf '\xff' | dd of=cred bs=1 seek=60 conv=notrunc 2>/dev/null
	refuse "$g: nor when it was changed" activate $g ${g}ak
done
