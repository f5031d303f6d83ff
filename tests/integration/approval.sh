#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# approval.sh - a stock TPM comes to the policy digests that measure/host/approval.c
# computes, takes its signatures, and releases a sealed secret by them; and no
# longer once the epoch counter has passed.
. "$(dirname "$0")/tpmlib.sh"
tpm s
export TPM2TOOLS_TCTI=swtpm:path=$dir/s
idx=0x01400100
{
	tpm2_startup -c
	for p in 4 7; do
		tpm2_pcrextend "$p:sha256=$(printf '%064d' "$p"),sha384=$(
		    printf '%096d' "$p")"
	done
	tpm2_nvdefine $idx -C o -a 'nt=counter|ownerread|ownerwrite|authread'
	tpm2_nvincrement $idx -C o
	tpm2_createprimary -C o -G ecc -c srk.ctx
	tpm2_flushcontext -t
	openssl ecparam -name prime256v1 -genkey -noout -out key.pem
	openssl ecparam -name prime256v1 -genkey -noout -out other.pem
	openssl ecparam -name secp384r1 -genkey -noout -out p384.pem
} >setup.log 2>&1 || { cat setup.log; exit 1; }
name() { tpm2_nvreadpublic $idx | sed -n 's/^ *name: *//p'; }
counter() { tpm2_nvread $idx -C o | xxd -p; }
make() { # out, selection, epoch, group, key
	tpm2_pcrread "$2" -o "$1.values" >/dev/null 2>&1
	"$B/tests/approvalcmd" "${5:-key.pem}" "$2" "$1.values" "$3" "$(name)" \
	    "$4" "$1"
}
now=$((16#$(counter)))
# The session's digest after PolicyPCR and PolicyNV.
state() { # trial or policy, selection, epoch
	tpm2_flushcontext -t
	tpm2_startauthsession -S s.ctx ${1:+--$1} || return 1
	tpm2_policypcr -S s.ctx -l "$2" -L now.policy || return 1
	printf '%016x' "$3" | xxd -r -p >operand
	tpm2_policynv -S s.ctx -C o -i operand $idx ule -L now.policy
}
finish() { tpm2_flushcontext s.ctx; }
for what in "sha256:4,7 0" "sha256:7 0" "sha384:4,7 12"; do
	read -r sel group <<<"$what"
	try "$sel, group $group: signed and verified again" \
	    make a "$sel" "$now" "$group"
	try "$sel: the TPM takes PolicyPCR and PolicyNV" \
	    state policy "$sel" "$now"
	try "$sel: its digest is ours" cmp now.policy a.policy
	finish >/dev/null 2>&1
	{
		tpm2_loadexternal -C o -u a.pub -c key.ctx -n key.name
		tpm2_startauthsession -S s.ctx
		tpm2_policyauthorize -S s.ctx -i a.policy -q a.ref -n key.name \
		    -L now.auth
		finish
	} >>setup.log 2>&1
	try "$sel, group $group: PolicyAuthorize's digest is ours" \
	    cmp now.auth a.auth
	tpm2_flushcontext -t >/dev/null 2>&1
done

make a sha256:4,7 "$now" 0 2>/dev/null
printf 'the master key' >secret
try "a secret is sealed to the approval key" tpm2_create -C srk.ctx -i secret \
    -L a.auth -u o.pub -r o.priv -a 'fixedtpm|fixedparent'
unseal() { # approval, epoch in it
	tpm2_flushcontext -t
	rm -f got ticket
	tpm2_loadexternal -C o -u "$1.pub" -c key.ctx -n key.name &&
	tpm2_verifysignature -c key.ctx -d "$1.hash" -s "$1.sig" -f ecdsa \
	    -t ticket || return 1
	tpm2_flushcontext -t
	state policy sha256:4,7 "$2" || { finish; return 1; }
	tpm2_policyauthorize -S s.ctx -i "$1.policy" -q "$1.ref" -n key.name \
	    -t ticket || { finish; return 1; }
	tpm2_load -C srk.ctx -u o.pub -r o.priv -c o.ctx &&
	tpm2_unseal -c o.ctx -p session:s.ctx -o got
	local rc=$?
	finish
	return $rc
}
try "the approved state releases it" unseal a "$now"
try "and it is the secret" cmp secret got
make b sha256:4,7 "$now" 0 other.pem
refuse "another key's approval does not" unseal b "$now"
make g sha256:4,7 "$now" 5
refuse "a group's approval does not release the host's" unseal g "$now"
tpm2_nvincrement $idx -C o >/dev/null 2>&1
refuse "after an epoch bump the old approval is dead" unseal a "$now"
make c sha256:4,7 $((now + 1)) 0
try "a new one works" unseal c $((now + 1))
tpm2_pcrextend "7:sha256=$(printf '%064d' 9)" >/dev/null 2>&1
refuse "in another host state it does not" unseal c $((now + 1))

refuse "PCRs that are all 00 are not approved" make z sha256:4,8 1 0
cp err why
try "and that is said" grep -q "all 00" why
refuse "nor all FF" make z sha256:18 1 0
refuse "nor SHA-1" make z sha1:4 1 0
refuse "nor by a P-384 key" make z sha256:4 1 0 p384.pem
