#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# certs.sh - other people's programs accept a vTPM's certificates: read from its
# NV memory and from `show`, they lead over the issuing key to the host's CA.
. "$(dirname "$0")/lib.sh"
need jq openssl certtool tpm2_nvread tpm2_getekcertificate python3
python3 -c 'import cryptography' 2>/dev/null ||
    { echo "skip - python3-cryptography is not here"; exit; }
cd "$T" || exit 1
start_manager --pool 0 || { not_ok "the manager starts"; exit 1; }
jctl status | jq -r .ca_certificate >ca.pem
openssl ecparam -name prime256v1 -genkey -noout -out key.pem 2>/dev/null
openssl pkey -in key.pem -pubout -out key.pub 2>/dev/null
ctl group create red --key key.pub >/dev/null
nv() { # GUEST INDEX OUT: as PEM
	t2 "$1" tpm2_nvread "$2" 2>/dev/null >"$3.der" &&
	    openssl x509 -inform der -in "$3.der" -out "$3.pem"
}
strict() { openssl verify -x509_strict -CAfile ca.pem -untrusted "$1" "$2"; }
gnutls() { # CERTIFICATE ISSUER
	cat "$1" "$2" >both.pem && certtool --verify \
	    --load-ca-certificate ca.pem --infile both.pem
}
# Every signature, name and key identifier on the way, and all dates.
cat >chain.py <<'PY'
import datetime, sys
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
certs = [x509.load_pem_x509_certificate(open(p, "rb").read())
         for p in sys.argv[1:]]
now = datetime.datetime.utcnow()
for low, up in zip(certs, certs[1:]):
    assert low.issuer == up.subject
    up.public_key().verify(low.signature, low.tbs_certificate_bytes,
                           ec.ECDSA(low.signature_hash_algorithm))
    aki = low.extensions.get_extension_for_class(
        x509.AuthorityKeyIdentifier).value.key_identifier
    ski = up.extensions.get_extension_for_class(
        x509.SubjectKeyIdentifier).value.digest
    assert aki == ski
    assert low.not_valid_after <= up.not_valid_after
    assert up.not_valid_before <= low.not_valid_before <= now
    list(low.extensions)
PY
for g in own red; do
	args=()
	[ $g = own ] || args=(--group red)
	ctl create $g "${args[@]}" >/dev/null && ctl start $g >/dev/null ||
	    not_ok "$g is there"
	nv $g 0x01c00100 issuer
	check "$g: the issuing key's certificate is where the TCG has chains" \
	    strict ca.pem issuer.pem
	for k in 0x01c00002:ek_rsa 0x01c0000a:ek_ecc 0x01c101d0:ak \
	    0x01c10002:ak; do
		nv $g "${k%:*}" one
		k=${k#*:}
		check "$g: openssl accepts the $k certificate" \
		    strict issuer.pem one.pem
		check "but not without the issuing key's" \
		    eval '! strict ca.pem one.pem'
		check "$g: so does GnuTLS" gnutls one.pem issuer.pem
		check "$g: so does python-cryptography" \
		    python3 -W ignore chain.py one.pem issuer.pem ca.pem
		jctl show $g | jq -r ".$k.certificate" >shown.pem
		same "$g: show has both" "$(cat one.pem issuer.pem)" \
		    "$(cat shown.pem)"
		check "and they lead to the CA" strict shown.pem shown.pem
	done
	rm -f rsa ecc
	t2 $g tpm2_getekcertificate -o rsa -o ecc >/dev/null 2>&1
	check "$g: tpm2_getekcertificate finds the EKs'" eval \
	    'nv $g 0x01c00002 one && cmp rsa one.der &&
	    nv $g 0x01c0000a one && cmp ecc one.der'
	ctl stop $g >/dev/null
done
same "the audit log has the one issuing key" \
    "$(openssl x509 -in issuer.pem -noout -fingerprint -sha256 |
	sed 's/.*=//; s/://g' | tr A-F a-f)" \
    "$(jctl audit | jq -r '.[] | select(.action == "issuing-key") |
	.detail' | grep -o '[0-9a-f]\{64\}')"
check "a TPM 1.2 is made" ctl create old --tpm 1.2
jctl show old | jq -r .ek_rsa.certificate >shown.pem
check "and its EK's certificate leads to the CA, too" \
    strict shown.pem shown.pem
same "without another between: its NV has no place for one" 1 \
    "$(grep -c BEGIN shown.pem)"
