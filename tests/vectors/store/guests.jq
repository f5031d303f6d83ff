# SPDX-License-Identifier: BSD-3-Clause
# guests.jq - of a list of `vtpmctl --json show`, what must never change.
map({name, uuid, tpm, group, created_ms, banks,
	ek_rsa: .ek_rsa.public, ek_ecc: .ek_ecc.public, ak: .ak.public,
	ek_rsa_name: .ek_rsa.name, ek_ecc_name: .ek_ecc.name, ak_name: .ak.name,
	ek_rsa_certificate: .ek_rsa.certificate,
	ek_ecc_certificate: .ek_ecc.certificate}) | sort_by(.name)
