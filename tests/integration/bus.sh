#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# bus.sh - who listens on the way to the host's TPM learns no secret: not the
# master key, no authorisation, not what an enrolment challenge hides.
. "$(dirname "$0")/tpmlib.sh"
export LD_LIBRARY_PATH=$B/tests${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export TCTI_SLOW="sign=0 nv=0 other=0 dump=$dir/dump"
try "a TPM's maker certifies its EK" swtpm_made "$dir" "$dir/s.d"
tpm s --tpm2 --flags not-need-init,startup-clear
swtpm_extend "$dir/s" 4 4 7 7
hwtpm="$B/vtpm-hwtpm --tcti slow:swtpm:path=$dir/s"
openssl ecparam -name prime256v1 -genkey -noout -out key.pem 2>err
hw() { timeout 100 "$B/tests/hwcmd" "$hwtpm" "$@" >out 2>err; }
# secrets PREFIX: what is derived from its master key, by name.
secrets() {
	python3 - "$1" <<'PY'
import hmac, sys
def hkdf(key, info):
    prk = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(prk, info + b"\1", "sha256")
key = open(sys.argv[1] + ".master", "rb").read()
assert len(key) == 32
print("master", key.hex())
for name in ("CA key", "host AK", "counter"):
    print(name.replace(" ", "-"), hkdf(key, b"vTPM manager " +
        name.encode() + b" authorisation\0").hex())
PY
}
same() { if [ "$2" = "$3" ]; then ok "$1"; else
	not_ok "$1: want $2, got $3"; fi; }
seen() { grep -q "$1" dump; }
# A TPM needs each of these commands to have been told of a secret.
sent() { grep -qE "^> 80020000....0000$1" dump; }

# The software root's way is memory of this host, and passwords go over it:
# that shows that what is looked for would be found.
check "keys on a software root" hw init 1 node-1 soft
check "are used" hw load 1 soft counter 2 1 0
secrets soft >soft.txt
while read -r name hex; do
	case $name in
	CA-key) check "its $name's authorisation can be read on its way" \
	    seen "$hex" ;;
	esac
done <soft.txt

rm -f dump
check "keys on a hardware root" hw init 2 node-1 hard
check "are loaded and used" hw load 2 hard counter 2 1 0
check "keys that are bound to host states" eval \
    'openssl pkey -in key.pem -pubout -out key.pub 2>/dev/null &&
    hw initk 2 node-2 bound key.pub'
{ secrets hard; secrets bound; } >hard.txt
same "four secrets of each are looked for" 8 "$(wc -l <hard.txt)"
check "TPM2_Create, Unseal, NV_DefineSpace, NV_Increment had some of them" eval \
    'sent 0153 && sent 015e && sent 012a && sent 0134'
while read -r name hex; do
	check "an eavesdropper does not hear: $name" eval '! seen "$hex"'
done <hard.txt

rm -f dump
check "a host is enrolled" env -C "$top" timeout 100 "$B/tests/hostcmd" \
    "$hwtpm" "$dir" "$B/vtpm-verify enrol challenge --identity \
    $dir/identity.json --roots $dir/roots -o $dir/challenge.json \
    --state $dir/secret.json" >out 2>err
check "the TPM opened the challenge" sent 0147
hex=$(jq -r .secret response.json | base64 -d | xxd -p -c 100)
same "the answer is 32 bytes" 64 "${#hex}"
check "an eavesdropper does not hear: the challenge's secret" eval '! seen "$hex"'
