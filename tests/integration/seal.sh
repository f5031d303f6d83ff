#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# seal.sh - a secret sealed to a boot opens after an equal boot of the same
# vTPM and in no other case, and every refusal says why.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need tpm2_pcrextend swtpm jq xxd
S=$B/vtpm-seal
cd "$T" || exit 1

seal() { # GUEST ARGS...
	local g=$1
	shift
	"$S" seal --tcti "$(tcti "$g")" "$@"
}
unseal() { # GUEST BLOB OUT
	"$S" unseal --tcti "$(tcti "$1")" -i "$2" -o "$3"
}
exits() { # CODE COMMAND...
	local want=$1 got
	shift
	"$@" && got=0 || got=$?
	[ "$got" = "$want" ]
}

check "manager starts" start_manager --pool 0 || exit 1
check "two vTPMs start" eval "ctl create --srk ecc alice && ctl start alice &&
    ctl create bob && ctl start bob" || exit 1
head -c 100 /dev/urandom >small
head -c 100000 /dev/urandom >large

t2 alice tpm2_startup -c
refuse "sealing to PCRs that nothing was measured into" \
    "PCR 0 is all 00.*leave it out" seal alice -i small -o no.blob
check "no blob is left behind then" [ ! -e no.blob ]
check "alice boots" eval 'ctl reset alice && boot alice'
refuse "sealing to a SHA-1 bank" "SHA-1.*another bank" \
    seal alice -i small -o no.blob --pcrs sha1:0
refuse "sealing to no PCR" "no PCR is selected" \
    seal alice -i small -o no.blob --pcrs sha256:
refuse "sealing to a PCR of all ones" "PCR 18 is all FF" \
    seal alice -i small -o no.blob --pcrs sha256:8,18
check "refusals exit 1" \
    exits 1 seal alice -i small -o no.blob --pcrs sha256:18
check "failures exit 2" exits 2 seal alice -i nothing -o no.blob
: >empty
refuse "an empty secret" "empty" seal alice -i empty -o no.blob

check "a small secret is sealed" seal alice -i small -o small.blob
check "a large one too" seal alice -i large -o large.blob
check "neither shows in its blob" eval '
    ! xxd -p small.blob | tr -d "\n" | grep -q "$(xxd -p -l 16 small)" &&
    ! xxd -p large.blob | tr -d "\n" | grep -q "$(xxd -p -l 16 large)"'
check "blobs are private files" \
    [ "$(stat -c %a small.blob large.blob | sort -u)" = 600 ]
check "show tells what it is sealed to" eval \
    '"$S" show small.blob | grep -q "sealed to sha256:0,2,4,7,8,9"'
check "both open" eval 'unseal alice small.blob s1 && cmp small s1 &&
    unseal alice large.blob l1 && cmp large l1'
check "from standard input to standard output" eval '
    seal alice -o - <small >std.blob &&
    [ "$("$S" unseal --tcti "$(tcti alice)" <std.blob | sha256sum)" = \
      "$(sha256sum <small)" ]'
check "nothing is left in the TPM" [ -z "$(t2 alice tpm2_getcap \
    handles-transient)$(t2 alice tpm2_getcap handles-loaded-session)" ]

# Not the password, not another policy: PolicyPCR is the only way in.  The
# object is in the blob as stock programs want it (doc/FORMATS.md).
dd if=small.blob of=obj.pub bs=1 skip=250 \
    count=$((0x$(xxd -p -s 250 -l 2 small.blob) + 2)) 2>/dev/null
dd if=small.blob of=obj.priv bs=1 skip=$((250 + $(stat -c %s obj.pub))) \
    2>/dev/null
check "stock programs can load the sealed object" t2 alice \
    tpm2_load -C 0x81000001 -u obj.pub -r obj.priv -c obj.ctx -Q
t2 alice tpm2_flushcontext -t
refuse "but the empty password does not open it" "authorization|policy" \
    t2 alice tpm2_unseal -c obj.ctx
t2 alice tpm2_flushcontext -t
check "its policy does" eval '
    t2 alice tpm2_unseal -c obj.ctx -p pcr:sha256:0,2,4,7,8,9 >s0 &&
    cmp small s0'
t2 alice tpm2_flushcontext -t
t2 alice tpm2_flushcontext -l >/dev/null 2>&1
# What an interposer between tool and TPM sees: all bytes of both ways.
printf 'correct horse battery staple' >words
check "sealed and opened under the eyes of an interposer" eval '
    export TCTI_PCAP_FILE=$T/wire.pcap &&
    "$S" seal --tcti "pcap:$(tcti alice)" -i words -o words.blob &&
    "$S" unseal --tcti "pcap:$(tcti alice)" -i words.blob -o words.out &&
    cmp words words.out'
check "who saw the commands pass" [ "$(stat -c %s wire.pcap)" -gt 3000 ]
check "but not the secret" eval '! grep -aqF "battery" wire.pcap'

name=$("$S" show small.blob | sed -n 's/^storage key //p')
check "a pinned storage key is accepted" \
    seal alice -i small -o pin.blob --srk-name "$name"
refuse "another storage key than pinned" "another one than expected" \
    seal alice -i small -o no.blob --srk-name \
    000b0000000000000000000000000000000000000000000000000000000000000000

check "power cycle and an equal boot: both open again" eval '
    ctl reset alice && boot alice && unseal alice small.blob s2 &&
    cmp small s2 && unseal alice large.blob l2 && cmp large l2'
t2 alice tpm2_pcrextend "4:sha256=$(sha x)" "9:sha256=$(sha y)"
refuse "after a PCR moved it stays shut, and the PCR is named" \
    "refused: sha256 PCR 4 .*PCR 9 .*are not as at sealing" \
    unseal alice small.blob no.out
check "nothing is written then" [ ! -e no.out ]
check "it is refused, exit 1" exits 1 unseal alice large.blob no.out

tampered_log bad.log
check "a boot with another kernel command line" eval \
    'ctl reset alice && boot alice bad.log'
refuse "stays shut, PCR 8 is named" \
    "refused: sha256 PCR 8 \(.*command line\) is not as at sealing" \
    unseal alice small.blob no.out
check "after the good boot again it opens" eval '
    ctl reset alice && boot alice && unseal alice small.blob s3 &&
    cmp small s3'

check "bob boots the same" boot bob
refuse "another vTPM in the same state" "another TPM" \
    unseal bob small.blob no.out

# One bit wrong anywhere: never the secret, never another one.
bad=0 i=0 n=$(stat -c %s small.blob)
while [ $i -lt "$n" ]; do
	b=$(xxd -p -s $i -l 1 small.blob)
	printf '%s' "$(xxd -p small.blob | tr -d '\n' | sed \
	    "s/^\(.\{$((2 * i))\}\)../\1$(printf %02x $((0x$b ^ 1)))/")" |
	    xxd -r -p >flip.blob
	unseal alice flip.blob flip.out >/dev/null 2>&1 && bad=$((bad + 1))
	i=$((i + 31))
done
same "a blob with one bit flipped does not open" 0 "$bad"
cp large.blob flip.blob
printf '\0' | dd of=flip.blob bs=1 seek=50000 conv=notrunc 2>/dev/null
cmp -s flip.blob large.blob &&
    printf '\1' | dd of=flip.blob bs=1 seek=50000 conv=notrunc 2>/dev/null
refuse "a large blob with one byte changed" "changed since" \
    unseal alice flip.blob no.out

# A stock TPM without a persistent storage key: the standard primary.
tpm sw
sw="swtpm:path=$T/sw"
TPM2TOOLS_TCTI=$sw tpm2_pcrextend "7:sha256=$(sha x)"
check "stock swtpm: sealed under the standard primary key, and open" eval '
    "$S" seal --tcti "$sw" --pcrs sha256:7 -i small -o sw.blob &&
    "$S" unseal --tcti "$sw" -i sw.blob -o s4 && cmp small s4 &&
    "$S" show sw.blob | grep -q "standard primary"'
# PCR 14 moves between PolicyPCR and Unseal (0x15e): tried again.
move="cmd:$B/tests/pcrmover $T/sw 14 0x15e"
check "a PCR that moves once in mid-way does no harm" eval '
    "$S" unseal --tcti "$move 1" -i sw.blob -o s5 && cmp small s5'
refuse "PCRs that never rest: it ends with the reason" \
    "keep changing" "$S" unseal --tcti "$move 999" -i sw.blob \
    -o no.out
# PCR 7, to which it is sealed, moves there: shut, and named.
refuse "a sealed PCR that moves in mid-way" "sha256 PCR 7 .*not as at" \
    "$S" unseal --tcti "cmd:$B/tests/pcrmover $T/sw 7 0x15e 1" \
    -i sw.blob -o no.out
TPM2TOOLS_TCTI=$sw tpm2_clear
refuse "after TPM2_Clear its storage key is another one" "cleared" \
    "$S" unseal --tcti "$sw" -i sw.blob -o no.out
refuse "no TPM at all" "no TPM over" \
    "$S" unseal --tcti swtpm:path=$T/none -i sw.blob -o no.out
