/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_identity.c - a guest's keys, certificates and PCR banks, as kept. */
#include "vtpm_manager/guest/guest_identity.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json_hex.h"
#include "base/rdwr.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"

static const struct {
	uint8_t bit;
	const char *name;
} bank_names[] = {
	{ BANK_SHA1, "sha1" },
	{ BANK_SHA256, "sha256" },
	{ BANK_SHA384, "sha384" },
	{ BANK_SHA512, "sha512" },
};

static bool
write_pem(BIO *b, const struct wblob *der)
{
	return der->len == 0 ||
	       PEM_write_bio(b, "CERTIFICATE", "", der->p, (long)der->len) > 0;
}

json_t *
guest_json_chain(const struct wblob *der, const struct wblob *issuer)
{
	BIO *b = BIO_new(BIO_s_mem());
	json_t *j = NULL;
	char *p;
	long n;

	if (b != NULL && write_pem(b, der) && write_pem(b, issuer) &&
	    (n = BIO_get_mem_data(b, &p)) > 0)
		j = json_stringn(p, (size_t)n);
	BIO_free(b);
	return j;
}

json_t *
guest_json_pem(const struct wblob *der)
{
	static const struct wblob none;

	return guest_json_chain(der, &none);
}

/* Name = nameAlg || H(TPMT_PUBLIC); TPM 2.0 Library, Part 1, 16. */
static json_t *
name_json(const struct wblob *pub)
{
	uint8_t name[2 + DIGEST_MAX];
	const uint8_t *area;
	uint16_t alg;
	struct rd r, s;
	size_t len;

	rd_init(&r, pub->p, pub->len);
	area = rd_blob16(&r, PUB_MAX_LEN, &len);
	if (rd_end(&r) != VT_OK || area == NULL)
		return NULL;
	rd_init(&s, area, len);
	(void)rd_be16(&s); /* type */
	alg = rd_be16(&s);
	if (rd_err(&s) != VT_OK || digest_len(alg) == 0)
		return NULL;
	be16_put(name, alg);
	if (digest_buf(alg, area, len, name + 2) != VT_OK)
		return NULL;
	return json_hex(name, 2 + digest_len(alg));
}

/* json_pack()'s "o*" leaves out a member that is NULL: one that is not there,
 * or text that is not UTF-8, as a damaged record can have. */
json_t *
guest_json_key(uint8_t version, const struct wblob *pub,
    const struct wblob *cert, const struct wblob *issuer)
{
	return json_pack("{s:o,s:o*,s:o*}", "public",
	    json_hex(pub->p, pub->len), "name",
	    version == TPM_VER_20 ? name_json(pub) : NULL, "certificate",
	    cert != NULL ? guest_json_chain(cert, issuer) : NULL);
}

int
guest_banks_parse(const char *text, uint8_t *ret)
{
	uint8_t bits = 0;
	size_t i, n;

	for (; *text != '\0'; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		for (i = 0; i < VT_NELEM(bank_names); i++)
			if (strlen(bank_names[i].name) == n &&
			    memcmp(text, bank_names[i].name, n) == 0)
				break;
		if (i == VT_NELEM(bank_names))
			return VT_E_FORMAT;
		bits |= bank_names[i].bit;
	}
	if ((bits & ~BANK_SHA1) == 0)
		return VT_E_FORMAT;
	*ret = bits;
	return VT_OK;
}

json_t *
guest_json_banks(uint8_t version, uint8_t banks)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < VT_NELEM(bank_names); i++)
		if (version == TPM_VER_20 ? banks & bank_names[i].bit
					  : bank_names[i].bit == BANK_SHA1)
			(void)json_array_append_new(
			    list, json_string(bank_names[i].name));
	return list;
}

json_t *
guest_json_identity(uint8_t version, uint8_t banks,
    const struct wprovisioned *pub, const struct wcerts *certs)
{
	const struct {
		const char *name;
		uint8_t which;
		const struct wblob *pub;
	} keys[] = {
		{ "ek_rsa", WCERT_EK_RSA, &pub->ek_rsa },
		{ "ek_ecc", WCERT_EK_ECC, &pub->ek_ecc },
		{ "ak", WCERT_AK, &pub->ak },
	};
	json_t *o = json_object();
	const struct wblob *cert;
	size_t i;
	uint32_t k;

	(void)json_object_set_new(o, "banks", guest_json_banks(version, banks));
	for (i = 0; i < VT_NELEM(keys); i++) {
		if (keys[i].pub->len == 0)
			continue;
		cert = NULL;
		for (k = 0; k < certs->n; k++)
			if (certs->certs[k].which == keys[i].which)
				cert = &certs->certs[k].der;
		(void)json_object_set_new(o, keys[i].name,
		    guest_json_key(version, keys[i].pub, cert, &certs->issuer));
	}
	return o;
}

json_t *
guest_identity(struct mgr *m, const struct guest *in)
{
	uint8_t *p = NULL;
	size_t len = 0;
	json_t *j;

	if (store_extra_get(m->st, in->uuid, SX_CERTS, &p, &len) != VT_OK)
		return NULL;
	j = json_loadb((const char *)p, len, JSON_REJECT_DUPLICATES, NULL);
	free(p);
	return j;
}

int
guest_identity_keep(
    struct mgr *m, const uint8_t uuid[UUID_LEN], const json_t *id)
{
	char *text = json_dumps(id, JSON_COMPACT);
	int rc = VT_E_NOMEM;

	if (text != NULL)
		rc = store_extra_put(
		    m->st, uuid, SX_CERTS, (const uint8_t *)text, strlen(text));
	free(text);
	return rc;
}

static int
name_of(const json_t *id, const char *key, uint8_t *out, size_t cap,
    size_t *ret_len)
{
	const char *hex = json_string_value(
	    json_object_get(json_object_get(id, key), "name"));

	if (hex == NULL)
		return VT_E_UNSUPPORTED;
	return hex_decode(hex, out, cap, ret_len);
}

int
guest_key_names(struct mgr *m, const struct guest *in, uint8_t *ek,
    size_t *ek_len, uint8_t *ak, size_t *ak_len, size_t cap)
{
	json_t *id = guest_identity(m, in);
	int rc;

	rc = name_of(id, "ek_ecc", ek, cap, ek_len);
	if (rc == VT_OK)
		rc = name_of(id, "ak", ak, cap, ak_len);
	json_decref(id);
	return rc;
}

static uint8_t
bits_of(const json_t *list)
{
	uint8_t bits = 0;
	const char *s;
	const json_t *v;
	size_t i, k;

	json_array_foreach(list, i, v)
	{
		s = json_string_value(v);
		for (k = 0; s != NULL && k < VT_NELEM(bank_names); k++)
			if (strcmp(s, bank_names[k].name) == 0)
				bits |= bank_names[k].bit;
	}
	return bits;
}

uint8_t
guest_banks_of(const json_t *id, uint8_t tpm_version)
{
	uint8_t bits = bits_of(json_object_get(id, "banks"));

	if (bits == 0)
		bits = tpm_version == TPM_VER_12 ? BANK_SHA1 : BANK_SHA256;
	return bits;
}

uint8_t
guest_banks_next(const json_t *id)
{
	return bits_of(json_object_get(id, "banks_next"));
}
