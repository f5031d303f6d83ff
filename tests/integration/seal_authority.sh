#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# seal_authority.sh - a secret sealed to what a key approves: an update that
# was approved before its boot opens it, nothing else does; revoking,
# recovery, and what root in the guest can try against it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need tpm2_pcrextend tpm2_nvdefine openssl jq xxd
S=$B/vtpm-seal
cd "$T" || exit 1
UUID=6ba7b810-9dad-41d1-80b4-00c04fd430c8
REF=$UUID:root
IDX=0x0180ec01

key() { # NAME ALGORITHM OPTION...
	local n=$1
	shift
	openssl genpkey -out "$n.pem" -algorithm "$@" 2>/dev/null &&
	    openssl pkey -in "$n.pem" -pubout -out "$n.pub"
}
vs() { # COMMAND ARGS...: vtpm-seal on alice's vTPM
	local c=$1
	shift
	"$S" "$c" --tcti "$(tcti alice)" "$@"
}
unseal() { vs unseal -i "$1" -o "$2" "${@:3}"; }
opens() { # BLOB ARGS...
	rm -f out
	unseal "$1" out "${@:2}" && cmp secret out
}
exits() { # CODE COMMAND...
	local want=$1 got
	shift
	"$@" && got=0 || got=$?
	[ "$got" = "$want" ]
}
# The epoch in alice, in decimal.
epoch() { echo $((0x$(t2 alice tpm2_nvread $IDX -C $IDX -s 8 | xxd -p))); }
again() { # [LOG]: a power cycle, and a boot
	ctl reset alice && boot alice "$@"
}

check "manager starts" start_manager --pool 0 || exit 1
check "a vTPM starts" eval "ctl create alice && ctl start alice" || exit 1
head -c 64 /dev/urandom >secret
printf 'correct horse battery staple\n' >words
check "keys are made" eval "
    key boot RSA -pkeyopt rsa_keygen_bits:2048 && key other RSA &&
    key ec EC -pkeyopt ec_paramgen_curve:P-256 &&
    key rescue EC -pkeyopt ec_paramgen_curve:P-384" || exit 1
tampered_log bad.log
next_log=$T/bad.log # what the next kernel will measure

# --- sealing ------------------------------------------------------------------
check "alice boots" boot alice
refuse "a ref that is no UUID:ROLE" "not UUID:ROLE" \
    vs seal --authority boot.pub --ref root -i secret -o no.blob
refuse "a ref with a UUID in capitals" "not UUID:ROLE" vs seal \
    --authority boot.pub --ref "${UUID^^}:root" -i secret -o no.blob
refuse "an authority without a ref" "go together" \
    vs seal --authority boot.pub -i secret -o no.blob
refuse "an authority and PCRs" "each approval names its own" vs seal \
    --authority boot.pub --ref $REF --pcrs sha256:8 -i secret -o no.blob
openssl genpkey -algorithm ED25519 -out ed.pem 2>/dev/null
refuse "a key of a kind that no TPM verifies" "RSA of 2048|P-256" \
    vs seal --authority ed.pem --ref $REF -i secret -o no.blob
check "sealed to a key, with both ways of recovery" vs seal \
    --authority boot.pub --ref $REF --recovery-passphrase words \
    --recovery-key rescue.pub -i secret -o root.blob
check "an epoch counter is there now" eval '[ "$(epoch)" -ge 1 ]'
E=$(epoch)
check "nothing is left in the TPM" [ -z "$(t2 alice tpm2_getcap \
    handles-transient)$(t2 alice tpm2_getcap handles-loaded-session)" ]
check "show says what it is sealed to" eval '
    "$S" show root.blob | grep -q "approved for $REF" &&
    [ "$("$S" show --json root.blob | jq -r .ref,.epoch_index)" = \
      "$REF
$IDX" ]'
refuse "no approvals were given" "opens by an approval for $REF" \
    unseal root.blob no.out
echo '{"format":"vtpm-seal-approvals","version":1,"approvals":[]}' >a.json
refuse "a state that nobody approved" "no state is approved for $REF" \
    unseal root.blob no.out -a a.json
check "that is a refusal, exit 1" exits 1 unseal root.blob no.out -a a.json

# --- an update ------------------------------------------------------------------
check "this boot is approved, from the TPM as it is" vs approve \
    --key boot.pem --ref $REF -a a.json --label "kernel 1" --keep 2
check "and opens the secret" opens root.blob -a a.json
check "the next one is approved before its boot, from an event log" \
    "$S" approve --key boot.pem --ref $REF -a a.json --epoch "$E" \
    --log "$next_log" --label "kernel 2" --keep 2
check "after the reboot into it the secret opens" eval \
    'again "$next_log" && opens root.blob -a a.json'
check "and after the way back, too" eval \
    'again && opens root.blob -a a.json'
check "the two states are in the file, signed by the authority" eval '
    "$S" show --authority boot.pub a.json >show.out &&
    [ "$(grep -c "^approval" show.out)" = 2 ] &&
    [ "$(grep -c "signed by the authority" show.out)" = 2 ]'
t2 alice tpm2_pcrextend "4:sha256=$(sha x)"
refuse "a state that was not approved: the nearest, and its PCR, is named" \
    "nearest is 'kernel 1': sha256 PCR 4 \(boot loader.*is not as approved" \
    unseal root.blob no.out -a a.json
check "nothing is written then" [ ! -e no.out ]
again >/dev/null

# Values by file: tpm2_pcrread's, and JSON of a prediction.
t2 alice tpm2_pcrread -o pcrs.bin sha256:0,2,4,7,8,9 >/dev/null
echo '{"format":"vtpm-seal-approvals","version":1,"approvals":[]}' >f.json
check "approved by a file of values" "$S" approve --key boot.pem --ref $REF \
    -a f.json --epoch "$E" --pcrs pcrs.bin
check "it opens" opens root.blob -a f.json
jq '{format: "vtpm-predict", version: 1,
    pcrs: .approvals[0].pcrs}' f.json >predicted.json
rm f.json
check "approved by JSON with pcrs, to a new file" "$S" approve \
    --key boot.pem --ref $REF -a f.json --epoch "$E" --pcrs predicted.json
check "it opens, too" opens root.blob -a f.json
refuse "a prediction that lacks a selected PCR" \
    "no value of sha256 PCR 12.*--select" "$S" approve --key boot.pem \
    --ref $REF -a f.json --epoch "$E" --pcrs predicted.json \
    --select sha256:4,12
refuse "approving PCRs that nothing was measured into" "PCR 12 is all 00" \
    vs approve --key boot.pem --ref $REF -a f.json --select sha256:4,12

# --- approvals that must not work --------------------------------------------
only() { # FILE JQ...: one approval, changed
	jq "$2" a.json >"$1"
}
check "by another key" vs approve --key other.pem --ref $REF -a other.json
refuse "another key's approval opens nothing" "by other keys" \
    unseal root.blob no.out -a other.json
check "for another ref" vs approve --key boot.pem --ref $UUID:swap -a swap.json
refuse "an approval for another ref opens nothing, both are named" \
    "no state is approved for $REF: .* is for $UUID:swap" \
    unseal root.blob no.out -a swap.json
jq --slurpfile s swap.json '.approvals = [$s[0].approvals[0] |
    .ref = "'$REF'"]' a.json >moved.json
refuse "the same under the secret's ref is forged" "not the authority's" \
    unseal root.blob no.out -a moved.json
jq --slurpfile o other.json --slurpfile b a.json '.approvals =
    [$o[0].approvals[0] | .pkfp = $b[0].approvals[0].pkfp]' a.json >moved.json
refuse "another key's signature under the authority's name is forged" \
    "not the authority's: forged" unseal root.blob no.out -a moved.json
only moved.json '.approvals |= map(.epoch += 9)'
refuse "a later epoch than was signed" "\"pol\" is not the policy" \
    unseal root.blob no.out -a moved.json
only moved.json '.approvals |= map(del(.sig))'
refuse "a request is no approval" "request that nobody has signed" \
    unseal root.blob no.out -a moved.json
refuse "show finds the forged one" "FORGED" eval '
    jq --slurpfile o other.json --slurpfile b a.json ".approvals =
        [\$o[0].approvals[0] | .pkfp = \$b[0].approvals[0].pkfp]" a.json \
        >forged.json; "$S" show --authority boot.pub forged.json'
# Past vtpm-seal's own check: does the TPM itself refuse the signature?
check "the TPM itself refuses a forged signature" eval '
    jq -r ".approvals[0].pol" a.json | xxd -r -p >msg && printf %s "$REF" >>msg
    openssl dgst -sha256 -sign other.pem -out bad.sig msg
    t2 alice tpm2_loadexternal -C o -G rsa -u boot.pub -c k.ctx -Q
    ! t2 alice tpm2_verifysignature -c k.ctx -g sha256 -m msg -s bad.sig \
        -f rsassa -t t.ctx'
t2 alice tpm2_flushcontext -t

# --- requests -------------------------------------------------------------------
check "a request for a signer elsewhere" vs approve --authority boot.pub \
    --ref $REF -a req.json --label asked
check "which opens nothing" eval '! unseal root.blob no.out -a req.json'
refuse "signing without a limit of epochs" "needs --epoch" "$S" approve \
    --sign --key boot.pem -a req.json
check "another request, for a later epoch" "$S" approve \
    --authority boot.pub --ref $REF -a late.json --epoch $((E + 1)) \
    --log "$next_log" --label late
refuse "a request for a later epoch than the signer means" \
    "refused: request 'late': it is for epoch $((E + 1))" "$S" approve \
    --sign --key boot.pem --epoch "$E" -a late.json
check "the signer signs it without a TPM" "$S" approve --sign \
    --key boot.pem --epoch "$E" -a req.json --tcti swtpm:path=none
check "then it opens" opens root.blob -a req.json
refuse "there is nothing to sign twice" "no request" "$S" approve --sign \
    --key boot.pem --epoch "$E" -a req.json

request() { # LABEL BYTE: a request of a state of its own
	jq '.pcrs.sha256["9"] |= "'"$2"'" + .[2:]' predicted.json >one.json &&
	    "$S" approve --authority boot.pub --ref $REF -a three.json \
	        --epoch "$E" --pcrs one.json --label "$1" --keep 3
}
signed() { # KEEP LABELS: what is left of three.json
	cp three.json kept.json &&
	    "$S" approve --sign --key boot.pem --epoch "$E" -a kept.json \
	        --keep "$1" &&
	    [ "$(jq -r '.approvals[] | select(.sig) | .label' kept.json |
	        xargs)" = "$2" ]
}
check "three requests" eval 'request A a1 && request B b2 && request C c3'
check "signed, the newest two are kept" signed 2 "B C"
check "or the newest" signed 1 C
check "one of a label replaced the older one" eval '
    jq ".approvals[1].label = \"C\"" three.json >t.json && mv t.json three.json &&
    signed 3 "A C" && [ "$(jq -r ".approvals[1].pcrs.sha256[\"9\"][:2]" \
        kept.json)" = c3 ]'

# --- capping ---------------------------------------------------------------------
refuse "capping a PCR that the secret is not sealed to" "would not close" \
    unseal root.blob no.out -a a.json --cap 12
check "another approval of this boot looks at PCR 4 alone" eval '
    cp a.json two.json && vs approve --key boot.pem --ref $REF -a two.json \
        --select sha256:4 --label "only 4"'
refuse "capping PCR 8 would leave it open by that one" \
    "would not close the secret: approval .only 4. does not" \
    unseal root.blob no.out -a two.json --cap 8
check "and nothing was extended" opens root.blob -a a.json
check "opened once, with PCR 8 capped" opens root.blob -a a.json --cap 8
refuse "not a second time in this boot" "PCR 8 .*is not as approved" \
    unseal root.blob no.out -a a.json
check "but after the next boot" eval 'again && opens root.blob -a a.json'

# --- recovery --------------------------------------------------------------------
again "$next_log" >/dev/null
t2 alice tpm2_pcrextend "8:sha256=$(sha y)" "0:sha256=$(sha z)"
check "in any state the passphrase opens" \
    opens root.blob --recovery-passphrase words
check "and the recovery key" opens root.blob --recovery-key rescue.pem
printf 'incorrect\n' >wrong
refuse "a wrong passphrase" "does not accept the passphrase" \
    unseal root.blob no.out --recovery-passphrase wrong
refuse "another key" "does not accept the recovery key" \
    unseal root.blob no.out --recovery-key ec.pem
refuse "the authority's key is not the recovery key" \
    "does not accept the recovery key" \
    unseal root.blob no.out --recovery-key boot.pem
refuse "the public half is not enough" "not a private key" \
    unseal root.blob no.out --recovery-key rescue.pub
check "sealed without recovery" vs seal --authority boot.pub --ref $REF \
    -i secret -o plain.blob
refuse "it has no passphrase" "without a recovery passphrase" \
    unseal plain.blob no.out --recovery-passphrase words
refuse "it has no recovery key" "without a recovery key" \
    unseal plain.blob no.out --recovery-key rescue.pem
# Guessing is limited by the TPM, and shuts no approved boot out.
again >/dev/null
t2 alice tpm2_dictionarylockout -s -n 2 -t 600 -l 600
for i in 1 2 3; do
	unseal root.blob no.out --recovery-passphrase wrong >/dev/null 2>&1
done
refuse "wrong passphrases lock the passphrase out" "too many wrong" \
    unseal root.blob no.out --recovery-passphrase words
check "an approved boot opens even then" opens root.blob -a a.json
check "and the recovery key, too" opens root.blob --recovery-key rescue.pem
t2 alice tpm2_dictionarylockout -c
check "recovery goes with exact PCRs, too" eval '
    vs seal --recovery-passphrase words -i secret -o exact.blob &&
    opens exact.blob && t2 alice tpm2_pcrextend "8:sha256=$(sha q)" &&
    ! unseal exact.blob no.out && opens exact.blob --recovery-passphrase words'
again >/dev/null

# --- an ECC authority, a large secret -----------------------------------------
head -c 100000 /dev/urandom >large
check "a large secret, sealed to an ECC key" vs seal --authority ec.pub \
    --ref $UUID:data -i large -o large.blob
check "approved and opened" eval '
    vs approve --key ec.pem --ref $UUID:data -a ec.json &&
    unseal large.blob large.out -a ec.json && cmp large large.out'

# --- revoking ---------------------------------------------------------------------
refuse "revoking what would lock the secret out" \
    "would be shut.*was revoked.*--next-epoch" \
    vs revoke -i root.blob -a a.json
same "the epoch did not move" "$E" "$(epoch)"
check "this boot is approved past the next epoch" vs approve --key boot.pem \
    --ref $REF -a a.json --next-epoch --label "kernel 3"
check "then revoking goes" vs revoke -i root.blob -a a.json
same "the epoch rose by one" $((E + 1)) "$(epoch)"
check "this boot opens" opens root.blob -a a.json
check "the old kernel boots" again "$next_log"
refuse "and is refused: its approval was revoked" \
    "'kernel 2' of this boot was revoked: it is for epoch $E, and the" \
    unseal root.blob no.out -a a.json
check "approvals of an epoch that is past are void after a restart, too" eval '
    ctl stop alice && ctl start alice && boot alice "$next_log" &&
    ! unseal root.blob no.out -a a.json'

# --- root in the guest, against the counter ------------------------------------
E=$(epoch)
refuse "the counter cannot be written" "." \
    t2 alice tpm2_nvwrite $IDX -C o -i secret
refuse "nor counted without the owner" "." \
    t2 alice tpm2_nvincrement $IDX -C $IDX
define() { # ATTRIBUTES [SIZE]
	t2 alice tpm2_nvdefine $IDX -C o -s "${2:-8}" -a "$1" -Q
}
attrs='ownerwrite|ownerread|authread|no_da|nt=counter'
check "the owner can remove it" t2 alice tpm2_nvundefine $IDX -C o
refuse "then no approval opens, and the reason is said" \
    "epoch counter $IDX is gone" unseal root.blob no.out -a a.json
check "recovery does" opens root.blob --recovery-passphrase words
check "made anew with the same attributes, and counted" eval '
    define "$attrs" && t2 alice tpm2_nvincrement $IDX -C o'
check "it begins above all it ever was" eval '[ "$(epoch)" -gt "$E" ]'
refuse "so what was revoked stays revoked" "of this boot was revoked" \
    unseal root.blob no.out -a a.json
check "put in its place: an ordinary index with a small number" eval '
    t2 alice tpm2_nvundefine $IDX -C o &&
    define "ownerwrite|ownerread|authread|no_da" &&
    printf "\0\0\0\0\0\0\0\1" | t2 alice tpm2_nvwrite $IDX -C o -i -'
refuse "is not taken for the counter" "not an epoch counter" \
    unseal root.blob no.out -a a.json
# The TPM's own view, past vtpm-seal's check of the Name.
check "nor by the TPM: the policy digest is another one" eval '
    t2 alice tpm2_startauthsession -S s.ctx -Q &&
    printf "\0\0\0\0\0\0\0\1" >one &&
    t2 alice tpm2_policynv -S s.ctx -i one -C $IDX $IDX ule -L fake.pol \
        >/dev/null && t2 alice tpm2_flushcontext s.ctx &&
    t2 alice tpm2_nvundefine $IDX -C o && define "$attrs" &&
    t2 alice tpm2_nvincrement $IDX -C o &&
    t2 alice tpm2_startauthsession -S s.ctx -Q &&
    printf "\377\377\377\377\377\377\377\377" >one &&
    t2 alice tpm2_policynv -S s.ctx -i one -C $IDX $IDX ule -L true.pol \
        >/dev/null && t2 alice tpm2_flushcontext s.ctx &&
    ! cmp fake.pol true.pol'
check "after a power cycle a removed counter still begins above" eval '
    E=$(epoch) && t2 alice tpm2_nvundefine $IDX -C o && again "$next_log" &&
    define "$attrs" && t2 alice tpm2_nvincrement $IDX -C o &&
    [ "$(epoch)" -gt "$E" ]'
check "revoke makes a removed counter anew, if forced" eval '
    t2 alice tpm2_nvundefine $IDX -C o && ! vs revoke -i root.blob -a a.json &&
    vs revoke --force --json >epoch.json &&
    [ "$(jq .epoch epoch.json)" = "$(epoch)" ]'
check "and a new approval opens the secret again" eval '
    vs approve --key boot.pem --ref $REF -a a.json --keep 2 &&
    opens root.blob -a a.json'
check "TPM2_Clear ends the secret, it does not open it" eval '
    t2 alice tpm2_clear && ! unseal root.blob no.out -a a.json'
