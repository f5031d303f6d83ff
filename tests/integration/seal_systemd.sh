#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# seal_systemd.sh - our signatures are systemd's: the same as systemd-measure
# makes, and stock systemd opens with them what stock systemd-cryptenroll has
# enrolled with a public key.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
need tpm2_pcrextend openssl jq python3
S=$B/vtpm-seal
here=$top/tests/integration
MEASURE=/lib/systemd/systemd-measure
[ -x $MEASURE ] || MEASURE=/usr/lib/systemd/systemd-measure
PATH=$PATH:/usr/sbin:/sbin
cd "$T" || exit 1

for p in rsa:2048 rsa:3072; do
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:${p#rsa:} \
	    -out "key${p#rsa:}.pem" 2>/dev/null
	openssl pkey -in "key${p#rsa:}.pem" -pubout -out "key${p#rsa:}.pub"
done
vs() {
	local c=$1
	shift
	"$S" "$c" --tcti "$(tcti alice)" "$@"
}

# --- beside systemd-measure ---------------------------------------------------
measured() {
	if ! [ -x "$MEASURE" ]; then
		echo "skip - systemd-measure is not installed"
		return
	fi
	head -c 100000 /dev/urandom >linux
	printf 'console=ttyS0\0' >cmdline
	"$MEASURE" calculate --linux=linux --cmdline=cmdline --phase=: \
	    --bank=sha256 --json=short >calc.json 2>calc.err
	jq '{pcrs: {sha256: {"11": .sha256[0].hash}}}' calc.json >pcrs.json
	for k in 2048 3072; do
		"$MEASURE" sign --linux=linux --cmdline=cmdline --phase=: \
		    --bank=sha256 --private-key=key$k.pem \
		    --public-key=key$k.pub --tpm2-device="$(tcti alice)" \
		    --json=short >theirs.json 2>sign.err
		check "approved from the values that systemd-measure calculates" \
		    "$S" approve --key key$k.pem --systemd ours$k.json \
		    --pcrs pcrs.json --select sha256:11
		same "our file is systemd-measure's, RSA $k" \
		    "$(jq -Sc . theirs.json)" "$(jq -Sc . ours$k.json)"
	done
	check "show says that systemd-measure's is by the key" eval '
	    "$S" show --authority key3072.pub theirs.json |
	    grep -q "signed by the authority"'
	check "two systemd signatures in one file, of both keys" eval '
	    "$S" approve --key key2048.pem --systemd theirs.json \
	        --pcrs pcrs.json --select sha256:11 &&
	    [ "$(jq ".sha256 | length" theirs.json)" = 2 ]'
}

# --- a volume -------------------------------------------------------------------
opens() { # SIGNATURES
	"$here/luks_token.py" luks.img "$(tcti alice)" "$T/$1"
}
volume() {
	local p
	for p in systemd-cryptenroll cryptsetup; do
		command -v $p >/dev/null || {
			echo "skip - $p is not installed"
			return
		}
	done
	ls /lib/*/cryptsetup/libcryptsetup-token-systemd-tpm2.so \
	    >/dev/null 2>&1 || {
		echo "skip - systemd's token handler is not installed"
		return
	}
	head -c 32M /dev/zero >luks.img
	printf secretpass >pw
	check "a LUKS2 volume" cryptsetup luksFormat -q --type luks2 \
	    --pbkdf pbkdf2 --pbkdf-force-iterations 1000 luks.img pw
	check "stock systemd-cryptenroll enrols it with our public key" \
	    env PASSWORD=secretpass systemd-cryptenroll \
	    --tpm2-device="$(tcti alice)" --tpm2-pcrs= \
	    --tpm2-public-key=key2048.pub --tpm2-public-key-pcrs=4+8+9 luks.img
	echo '{}' >none.json
	check "without a signature systemd does not open it" eval \
	    '! opens none.json'
	check "this boot is approved for systemd" vs approve \
	    --key key2048.pem --systemd sig.json --select sha256:4,8,9 --keep 2
	check "then stock systemd opens it" opens sig.json
	check "another key's signature of the same boot does not" eval '
	    openssl genpkey -algorithm RSA -out other.pem 2>/dev/null &&
	    vs approve --key other.pem --systemd other.json \
	        --select sha256:4,8,9 && ! opens other.json'
	check "nor that key's under our name" eval '
	    jq --slurpfile o sig.json ".sha256[0].pkfp =
	        \$o[0].sha256[0].pkfp" other.json >forged.json &&
	    ! opens forged.json'
	check "the next boot, approved from its log before" \
	    "$S" approve --key key2048.pem --systemd sig.json \
	    --log "$T/bad.log" --select sha256:4,8,9 --keep 2
	check "the machine boots into it, and the volume opens" eval \
	    'ctl reset alice && boot alice "$T/bad.log" && opens sig.json'
	check "the boot before opens, too" eval \
	    'ctl reset alice && boot alice && opens sig.json'
	t2 alice tpm2_pcrextend "8:sha256=$(sha x)"
	check "a boot that was not approved does not open it" eval \
	    '! opens sig.json'
}

check "manager starts" start_manager --pool 0 || exit 1
check "a vTPM starts and boots" eval \
    "ctl create alice && ctl start alice && boot alice" || exit 1
tampered_log "$T/bad.log"
measured
volume
