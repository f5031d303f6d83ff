#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# attest.sh - evidence of a guest from its vTPM to the verdict: accepted
# only for this nonce, this vTPM, this boot, on the root that it stands on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need tpm2_pcrextend swtpm jq xxd
A=$B/vtpm-attest V=$B/vtpm-verify
cd "$T" || exit 1

attest() { # GUEST NONCE OUT [ARGS...]
	local g=$1 n=$2 o=$3
	shift 3
	"$A" --tcti "$(tcti "$g")" --nonce "$n" --log "${LOGFILE:-$GOOD_LOG}" \
	    -o "$o" "$@"
}
judge() { # EVIDENCE NONCE [ARGS...]
	local e=$1 n=$2
	shift 2
	"$V" -e "$e" --nonce "$n" --policy "${POLICY:-policy.json}" \
	    --ca "${CA:-ca.pem}" "$@"
}
exits() { # CODE COMMAND...: exit code, whatever is printed
	local want=$1 got
	shift
	"$@" && got=0 || got=$?
	[ "$got" = "$want" ]
}
# The evidence e.json with one key taken from another file.
graft() { jq --slurpfile o "$2" ".$1 = \$o[0].$1" "$3"; }

check "manager starts" start_manager --pool 0 || exit 1
check "two vTPMs start" eval "ctl create alice && ctl start alice &&
    ctl create bob && ctl start bob" || exit 1
check "the manager returns the CA's certificate" ca_to ca.pem
uuid=$(jctl show alice | jq -r .uuid)

N=$("$V" nonce)
check "nonces differ" [ "$N" != "$("$V" nonce)" ]
check "alice boots" boot alice
check "evidence is gathered" attest alice "$N" e.json
check "a policy is made of the reference boot" \
    "$V" policy --from e.json --allow-software-root --name ref \
    --cmdline "$GOOD_LINE" -o policy.json
refuse "a policy needs the named command line to occur" "cmdline" \
    "$V" policy --from e.json --cmdline "$BAD_LINE" -o no.json
check "no policy is left behind then" [ ! -e no.json ]

check "good evidence is accepted" judge e.json "$N" --uuid "$uuid"
check "the verdict names the software root" \
    eval 'judge e.json "$N" | tail -1 | grep -q "ACCEPTED on a software root"'
check "journal and log both replay to the quoted PCRs" eval \
    '[ "$(judge e.json "$N" | grep -c "^ok .*-replay ")" = 2 ]'
check "--json says the same" eval \
    '[ "$(judge e.json "$N" --json | jq -r .verdict)" = accepted ]'
check "show lists the boot as text" eval \
    '"$V" show e.json | grep -q "kernel command line \"$GOOD_LINE\""'

check "show --json has the parts" eval '"$V" show --json e.json |
    jq -e ".format == \"vtpm-show\" and .verified == false and
	(.pcrs.sha256 | length) >= 16 and (.events | length) > 30" >/dev/null'
check "the default quote covers PCRs 0 to 15" eval \
    '[ "$(jq -r ".pcrs.sha256 | keys | map(tonumber) |
	map(select(. < 16)) | length" e.json)" = 16 ]'
four='.pcrs.sha256 | .["0"], .["4"], .["8"], .["9"]'
check "replay of the log gives the quoted values" eval \
    '[ "$("$V" replay --json "$GOOD_LOG" | jq "$four")" = \
	"$(jq "$four" e.json)" ]'
says_input() { # COMMAND...: undecided, and JSON says why
	"$@" >out.json
	[ $? = 2 ] && jq -e '.verdict == "undecided" and
	    .checks[0].check == "input" and (.checks[0].words | length) > 5' \
	    out.json >/dev/null
}
: >none.bin
check "evidence that is empty, with --json" says_input judge none.bin "$N" --json
check "evidence that is not there, with --json" \
    says_input judge gone.json "$N" --json
POLICY=gone.json check "a policy that is not there, with --json" \
    says_input judge e.json "$N" --json
check "show --json of a file that is none" eval '"$V" show --json none.bin |
    jq -e "(.error | length) > 5" >/dev/null'
check "a verdict for any vTPM says so" eval \
    'judge e.json "$N" | grep -q "^note  relay "'
check "one for this vTPM does not" eval \
    '! judge e.json "$N" --uuid "$uuid" | grep -q "^note  relay "'

# --- quotes of stock tools
export TPM2TOOLS_TCTI
TPM2TOOLS_TCTI=$(tcti alice)
stock() { # FORMAT: tpm2_quote over our AK
	tpm2_readpublic -Q -c 0x81000003 -o ak.pub &&
	    tpm2_quote -Q -c 0x81000003 -l sha256:0,1,2,7,8,9,15 -q "$N" -m q.msg \
		-s q.sig -o q.pcrs -F "$1"
}
quoted() { "$V" quote --ak ak.pub --quote q.msg --sig q.sig --pcrs q.pcrs \
    --nonce "$@"; }
for form in serialized values; do
	check "tpm2_quote with its values $form" eval \
	    'stock $form && quoted "$N" | grep -q "^ACCEPTED"'
done
check "its EK is checked, too" eval 'jq -r .ek_certificate e.json |
    base64 -d >ek.der && quoted "$N" --ek ek.der | grep -q "^ok.*signer"'
refuse "another nonce than tpm2_quote's" "freshness" \
    quoted 00112233445566778899aabbccddeeff
stock values
printf x | dd of=q.pcrs conv=notrunc status=none
refuse "other values than tpm2_quote's" "pcr-digest" quoted "$N"
check "a quote that cannot be read, with --json" eval 'rm q.msg &&
    says_input quoted "$N" --json'
unset TPM2TOOLS_TCTI

refuse "another nonce" "another nonce" judge e.json "$("$V" nonce)"
check "it is refused, exit 1" \
    exits 1 judge e.json 00112233445566778899aabbccddeeff
refuse "another vTPM than asked for" "another vTPM" \
    judge e.json "$N" --uuid 00000000-0000-4000-8000-000000000001
fw=$("$V" show e.json | sed -n 's/^quote: .*firmware //p')
check "the firmware that show tells" judge e.json "$N" --firmware "$fw"
refuse "another firmware" "other firmware" \
    judge e.json "$N" --firmware 0000000000000001
"$V" policy --from e.json -o strict.json
POLICY=strict.json refuse "a software root without leave" "software root" \
    judge e.json "$N"
CA=$top/tests/vectors/evidence/ecc-ca.pem refuse "another CA" "certificate" \
    judge e.json "$N"
check "without a CA nothing is decided: exit 2" \
    exits 2 "$V" -e e.json --nonce "$N" --policy policy.json
check "a missing file: exit 2" exits 2 judge none.json "$N"
check "a broken file: exit 2" eval \
    'head -c 3000 e.json >cut.json; exits 2 judge cut.json "$N"'
echo '{"format": "vtpm-policy 1", "banks": {}}' >empty.json
POLICY=empty.json refuse "an empty policy" "reference" judge e.json "$N"

check "bob boots and attests for the same nonce" \
    eval 'boot bob && attest bob "$N" bob.json'
check "bob's own evidence is accepted" judge bob.json "$N"
for part in journal info quote signature ak_public ek_certificate \
    ak_certificate pcrs; do
	graft $part bob.json e.json >mixed.json
	if [ $part = pcrs ] || cmp -s mixed.json <(jq . e.json); then
		continue # equal boots have equal PCRs
	fi
	check "alice's evidence with bob's $part is refused" \
	    exits 1 judge mixed.json "$N"
done
jq 'del(.journal)' e.json >mixed.json
check "evidence with its journal taken out is refused" \
    exits 1 judge mixed.json "$N"

check "power cycle and an equal boot" eval 'ctl reset alice && boot alice'
N2=$("$V" nonce)
check "its evidence is accepted, counters went on" eval \
    'attest alice "$N2" e2.json && judge e2.json "$N2" --previous e.json'
refuse "the older evidence after the newer" "backwards" \
    judge e.json "$N" --previous e2.json

tampered_log bad.log
check "a boot with another kernel command line" eval \
    'ctl reset alice && boot alice bad.log'
N3=$("$V" nonce)
LOGFILE=bad.log attest alice "$N3" bad.json
refuse "the tampered boot is refused and named" \
    "REFUSED: PCR 8 event .*: .*\"devel\" instead of \"quiet\": .*linuxefi $BAD_LINE\" \\(.*grub.cfg" \
    judge bad.json "$N3"
check "--all lists the other events that differ" eval \
    '[ "$(judge bad.json "$N3" --all | grep -c "^differs  PCR 8")" = 2 ]'
jq '.banks.sha256["8"].events += [range(300) | tostring | (64 - length) * "0" + .
    ]' policy.json >long.json
all() { POLICY=long.json judge bad.json "$N3" --all; }
same "of more than 256, the rest is counted" \
    "46 more events differ and are not listed" "$(all | grep -v ^differs |
    grep "events differ")"
same "and 256 are listed" 256 "$(all | grep -c ^differs)"
same "without --all, all are counted" "302 events differ; --all lists 256 of them" \
    "$(POLICY=long.json judge bad.json "$N3" | grep "events differ")"
check "JSON has them as fields" eval 'judge bad.json "$N3" --json | jq -e "
    .boot.differences | length == 2 and all(.behind == \"devel\" and
    .was != .now and .pcr == 8 and .event > 0 and .cause != \"\")"'
check "the same boot with the good log shown: log is caught lying" eval \
    'attest alice "$N3" lie.json; exits 1 judge lie.json "$N3"'

ctl reset alice >/dev/null && boot alice
slay "$(worker_pid alice)"
sleep 0.2
check "its worker comes back" wait_for 10 t2 alice tpm2_getrandom --hex 4
N4=$("$V" nonce)
check "evidence after the crash is gathered" attest alice "$N4" crash.json
refuse "and refused: worker restarted" "worker restarted" \
    judge crash.json "$N4"
check "a power cycle clears it" eval 'ctl reset alice && boot alice &&
    attest alice "$N4" e4.json && judge e4.json "$N4"'

refuse "an ordinary signing key is no AK" "not an attestation key" eval '
    export TPM2TOOLS_TCTI=$(tcti bob)
    tpm2_createprimary -C o -G ecc -c p.ctx -Q &&
    tpm2_flushcontext -t &&
    tpm2_create -C p.ctx -G ecc:ecdsa -c k.ctx -Q &&
    tpm2_flushcontext -t &&
    tpm2_evictcontrol -c k.ctx 0x81000010 -Q && tpm2_flushcontext -t &&
    attest bob $N x.json --ak 0x81000010'
refuse "no key there" "no key at" attest bob "$N" x.json --ak 0x81000077
refuse "a bank that is not active" "no PCRs sha384" \
    attest bob "$N" x.json --pcrs sha384:0
check "bad arguments: exit 2" exits 2 "$A" --nonce 00 -o x.json

check "a TPM 1.2 starts" eval 'ctl create old --tpm 1.2 && ctl start old'
refuse "evidence of a TPM 1.2" "is a TPM 1.2" attest old "$N" x.json
refuse "sealing to a TPM 1.2" "is a TPM 1.2" eval \
    'echo x | "$B/vtpm-seal" seal --tcti "$(tcti old)" -o x.blob'

# A stock TPM: no vendor command, no certificates.
tpm sw
sw="--tcti swtpm:path=$T/sw"
refuse "a TPM of another make has no journal, and that is said" \
    "TPM_CC_VTPM.*--no-journal" "$A" $sw --nonce "$N" -o sw.json
refuse "--no-journal continues, up to the missing AK" "no key at" \
    "$A" $sw --nonce "$N" --no-journal -o sw.json

# Its AK, made as a vTPM's is; PCR 7 moves just before the quote (0x158).
export TPM2TOOLS_TCTI=swtpm:path=$T/sw
tpm2_createek -G ecc -c ek.ctx -Q && tpm2_flushcontext -t
tpm2_createak -C ek.ctx -G ecc -g sha256 -s ecdsa -c ak.ctx -Q
tpm2_flushcontext -t
tpm2_flushcontext -s
tpm2_evictcontrol -c ak.ctx 0x81000003 -Q
tpm2_flushcontext -t
mover="cmd:$B/tests/pcrmover $T/sw"
check "a PCR that moves while it is quoted is read again" \
    "$A" --tcti "$mover 7 0x158 2" --nonce "$N" --no-journal -o sw.json
same "and what is shown is what was signed" \
    "$(tpm2_pcrread sha256:7 | sed -n 's/.*0x//p' | tr A-F a-f)" \
    "$(jq -r '.pcrs.sha256["7"]' sw.json)"
refuse "PCRs that never rest: it ends with the reason" \
    "kept changing" "$A" --tcti "$mover 7 0x158 999" \
    --nonce "$N" --no-journal -o sw.json
check "one that is not quoted may move" \
    "$A" --tcti "$mover 10 0x158 999" --nonce "$N" --no-journal -o sw.json
unset TPM2TOOLS_TCTI
refuse "no TPM at all" "no TPM over" \
    "$A" --tcti swtpm:path=$T/none --nonce "$N" -o sw.json
