/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/ca.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rdwr.h"
#include "base/utf8.h"
#include "measure/cert/cert_extension.h"
#include "vtpm_manager/hwtpm/ca_fields.h"
#include "vtpm_manager/hwtpm/ca_key.h"

#include "vtpm_manager/hwtpm/embed/spec12_hex.h"
#include "vtpm_manager/hwtpm/embed/spec20_hex.h"

#define CA_YEARS_SECONDS (20L * 365 * 86400 + 5L * 86400)
#define DAY_SECONDS 86400L
#define CLOCK_SKEW_SECONDS 3600L /* guests' clocks lag behind the host's */
#define CN_MAX 64                /* RFC 5280, ub-common-name */
#define SERIAL_LEN 16
#define TPM_MANUFACTURER "id:56544D31"
#define TPM_VERSION "id:00010000"
#define CERT_OVERHEAD 128 /* around the part to be signed */

struct ca {
	struct ca_signer signer;
	X509 *cert;
	EVP_PKEY *key;     /* public; an issuing key's is whole */
	struct ca_der der; /* of an issuing key: cert, encoded */
	time_t since;      /* of an issuing key: it was made; else 0 */
	uint8_t keyid[CA_KEYID_LEN];
	uint8_t root;
};

/* OID 1.2.840.10045.4.3.2, ecdsa-with-SHA256, as AlgorithmIdentifier. */
static const uint8_t ecdsa_sha256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };

static void
model_text(uint8_t root, char *out, size_t cap)
{
	(void)snprintf(out, cap, "virtual TPM, %s", cert_ext_root_name(root));
}

/* --- extensions of our own ---------------------------------------------------
 */

/* TCG EK Credential Profile 2.5, 3.1.2: manufacturer, model, version. */
static int
add_tpm_name(GENERAL_NAMES *names, uint8_t root)
{
	X509_NAME *dn = X509_NAME_new();
	GENERAL_NAME *gn = GENERAL_NAME_new();
	char model[CN_MAX];
	int rc = VT_E_NOMEM;

	if (dn == NULL || gn == NULL)
		goto out;
	model_text(root, model, sizeof(model));
	if ((rc = ca_add_tcg(dn, CERT_EXT_OID_TPM_MANUFACTURER,
		 TPM_MANUFACTURER)) != VT_OK ||
	    (rc = ca_add_tcg(dn, CERT_EXT_OID_TPM_MODEL, model)) != VT_OK ||
	    (rc = ca_add_tcg(dn, CERT_EXT_OID_TPM_VERSION, TPM_VERSION)) !=
		VT_OK)
		goto out;
	GENERAL_NAME_set0_value(gn, GEN_DIRNAME, dn);
	dn = NULL; /* given to gn */
	rc = VT_E_NOMEM;
	if (sk_GENERAL_NAME_push(names, gn) <= 0)
		goto out;
	gn = NULL; /* given to names */
	rc = VT_OK;
out:
	GENERAL_NAME_free(gn);
	X509_NAME_free(dn);
	return rc;
}

static int
add_uuid_uri(GENERAL_NAMES *names, const uint8_t uuid[UUID_LEN])
{
	char text[sizeof("urn:uuid:") + UUID_STRLEN] = "urn:uuid:";
	ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
	GENERAL_NAME *gn = GENERAL_NAME_new();
	int rc = VT_E_NOMEM;

	uuid_format(uuid, text + strlen(text));
	if (uri != NULL && gn != NULL && ASN1_STRING_set(uri, text, -1) == 1) {
		GENERAL_NAME_set0_value(gn, GEN_URI, uri);
		uri = NULL; /* given to gn */
		if (sk_GENERAL_NAME_push(names, gn) > 0) {
			gn = NULL; /* given to names */
			rc = VT_OK;
		}
	}
	GENERAL_NAME_free(gn);
	ASN1_IA5STRING_free(uri);
	return rc;
}

static int
add_alt_names(X509 *x, uint8_t root, const uint8_t *uuid)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	int rc = names != NULL ? VT_OK : VT_E_NOMEM;

	if (rc == VT_OK)
		rc = add_tpm_name(names, root);
	if (rc == VT_OK && uuid != NULL)
		rc = add_uuid_uri(names, uuid);
	if (rc == VT_OK)
		rc = ca_add_i2d(x, NID_subject_alt_name, names, 0);
	GENERAL_NAMES_free(names);
	return rc;
}

static int
add_instance(X509 *x, const struct ca_subject *sub, uint8_t root)
{
	struct cert_ext_instance in = { .generation = sub->generation,
		.group = sub->group,
		.root = root,
		.is_virtual = !sub->host };
	uint8_t der[CERT_EXT_MAX_LEN];
	size_t len;
	int rc;

	memcpy(in.uuid, sub->uuid, sizeof(in.uuid));
	rc = cert_ext_instance_put(&in, der, sizeof(der), &len);
	return rc == VT_OK ? ca_add_der(x, CERT_EXT_OID_INSTANCE, der, len)
			   : rc;
}

/* --- the certificate around them ------------------------------------------ */

static int
set_serial(X509 *x)
{
	uint8_t raw[SERIAL_LEN];
	ASN1_INTEGER *serial = NULL;
	BIGNUM *bn;
	int rc;

	if ((rc = random_bytes(raw, sizeof(raw))) != VT_OK)
		return rc;
	raw[0] = (uint8_t)((raw[0] & 0x3f) | 0x40); /* positive, full length */
	bn = BN_bin2bn(raw, sizeof(raw), NULL);
	if (bn != NULL)
		serial = BN_to_ASN1_INTEGER(bn, NULL);
	rc = serial != NULL && X509_set_serialNumber(x, serial) == 1
		 ? VT_OK
		 : VT_E_CRYPTO;
	ASN1_INTEGER_free(serial);
	BN_free(bn);
	return rc;
}

static int
set_validity(X509 *x, long seconds)
{
	time_t now = time(NULL);

	/* Split into days: a long may not hold all of it in seconds. */
	return X509_time_adj_ex(X509_getm_notBefore(x), 0, -CLOCK_SKEW_SECONDS,
		   &now) != NULL &&
		       X509_time_adj_ex(X509_getm_notAfter(x),
			   (int)(seconds / 86400), seconds % 86400,
			   &now) != NULL
		   ? VT_OK
		   : VT_E_CRYPTO;
}

/*
 * Within the CA's own time, which verifiers hold a chain to.  VT_E_STATE: the
 * clock is outside of it, and what is issued now would never be accepted.
 */
static int
within_ca(X509 *x, const X509 *ca)
{
	const ASN1_TIME *from = X509_get0_notBefore(ca);
	const ASN1_TIME *until = X509_get0_notAfter(ca);

	if (X509_cmp_current_time(from) > 0 || X509_cmp_current_time(until) < 0)
		return VT_E_STATE;
	if (ASN1_TIME_compare(X509_get0_notBefore(x), from) < 0 &&
	    X509_set1_notBefore(x, from) != 1)
		return VT_E_CRYPTO;
	if (ASN1_TIME_compare(X509_get0_notAfter(x), until) > 0 &&
	    X509_set1_notAfter(x, until) != 1)
		return VT_E_CRYPTO;
	return VT_OK;
}

/* Both AlgorithmIdentifiers of a certificate must be equal. */
static int
set_algorithm(X509 *x)
{
	X509_ALGOR *tbs = (X509_ALGOR *)(uintptr_t)X509_get0_tbs_sigalg(x);

	return X509_ALGOR_set0(tbs, OBJ_nid2obj(NID_ecdsa_with_SHA256),
		   V_ASN1_UNDEF, NULL) == 1
		   ? VT_OK
		   : VT_E_CRYPTO;
}

static void
put_der_len(struct wr *w, size_t len)
{
	if (len >= 0x100) {
		wr_u8(w, 0x82);
		wr_be16(w, (uint16_t)len);
	} else if (len >= 0x80) {
		wr_u8(w, 0x81);
		wr_u8(w, (uint8_t)len);
	} else {
		wr_u8(w, (uint8_t)len);
	}
}

/* Certificate ::= SEQUENCE { tbs, algorithm, BIT STRING } */
static int
assemble(const uint8_t *tbs, size_t tbs_len, const uint8_t *sig, size_t sig_len,
    struct ca_der *ret)
{
	size_t body = tbs_len + sizeof(ecdsa_sha256) + 2 + 1 + sig_len;
	struct wr w;
	int rc;

	if (sig_len == 0 || sig_len > CA_SIG_MAX)
		return VT_E_CRYPTO;
	wr_init(&w, ret->buf, sizeof(ret->buf));
	wr_u8(&w, 0x30);
	put_der_len(&w, body);
	wr_bytes(&w, tbs, tbs_len);
	wr_bytes(&w, ecdsa_sha256, sizeof(ecdsa_sha256));
	wr_u8(&w, 0x03);
	put_der_len(&w, 1 + sig_len); /* one byte: CA_SIG_MAX is below 127 */
	wr_u8(&w, 0);                 /* no unused bits */
	wr_bytes(&w, sig, sig_len);
	if ((rc = wr_err(&w)) == VT_OK)
		ret->len = w.len;
	return rc;
}

/* A TPM may sign wrongly, or with another key. */
static int
check_signature(EVP_PKEY *key, const uint8_t digest[SHA256_LEN],
    const uint8_t *sig, size_t sig_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	int rc = VT_E_CRYPTO;

	if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1)
		rc = EVP_PKEY_verify(ctx, sig, sig_len, digest, SHA256_LEN) == 1
			 ? VT_OK
			 : VT_E_AUTH;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
sign_with(X509 *x, const struct ca_signer *s, EVP_PKEY *key, struct ca_der *ret)
{
	uint8_t digest[SHA256_LEN], sig[CA_SIG_MAX];
	unsigned char *tbs = NULL;
	struct ca_der der = { .len = 0 };
	size_t sig_len = 0;
	int len, rc;

	if ((rc = set_algorithm(x)) != VT_OK)
		return rc;
	len = i2d_re_X509_tbs(x, &tbs);
	if (len <= 0)
		return VT_E_CRYPTO;
	rc = VT_E_RANGE;
	if ((size_t)len + CERT_OVERHEAD > sizeof(der.buf))
		goto out;
	if ((rc = digest_buf(ALG_SHA256, tbs, (size_t)len, digest)) != VT_OK ||
	    (rc = s->sign(s->arg, digest, sig, &sig_len)) != VT_OK ||
	    (rc = check_signature(key, digest, sig, sig_len)) != VT_OK ||
	    (rc = assemble(tbs, (size_t)len, sig, sig_len, &der)) != VT_OK)
		goto out;
	*ret = der;
out:
	OPENSSL_free(tbs);
	return rc;
}

/* RFC 5280 4.2.1.2 (1). */
static int
key_id(const struct ca_key *key, uint8_t out[CA_KEYID_LEN])
{
	return digest_buf(ALG_SHA1, key->bits, key->len, out);
}

static int
set_key(X509 *x, const struct ca_key *key)
{
	unsigned char *bits = OPENSSL_memdup(key->bits, key->len);
	int ok;

	if (bits == NULL)
		return VT_E_NOMEM;
	if (key->curve != 0)
		ok = X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x),
		    OBJ_nid2obj(key->alg), V_ASN1_OBJECT,
		    OBJ_nid2obj(key->curve), bits, (int)key->len);
	else
		ok = X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x),
		    OBJ_nid2obj(key->alg), V_ASN1_NULL, NULL, bits,
		    (int)key->len);
	if (ok != 1)
		OPENSSL_free(bits);
	return ok == 1 ? VT_OK : VT_E_CRYPTO;
}

static X509 *
new_cert(const struct ca_key *key)
{
	X509 *x = X509_new();

	if (x == NULL)
		return NULL;
	if (X509_set_version(x, X509_VERSION_3) != 1 ||
	    set_key(x, key) != VT_OK || set_serial(x) != VT_OK) {
		X509_free(x);
		return NULL;
	}
	return x;
}

/* --- the CA's own certificate --------------------------------------------- */

static int
set_ca_name(X509 *x, uint8_t root, const char *host)
{
	X509_NAME *name = X509_get_subject_name(x);
	char cn[CN_MAX + NAME_MAX_LEN + 1];
	size_t len;
	int rc;

	(void)snprintf(cn, sizeof(cn), "vTPM manager CA (%s)%s%.*s",
	    cert_ext_root_name(root), host[0] != '\0' ? " " : "", NAME_MAX_LEN,
	    host);
	len = utf8_cut(cn, CN_MAX);
	if ((rc = ca_add_name(name, "CN", cn, len)) != VT_OK)
		return rc;
	/* The host's whole name, where CN had to be cut. */
	if (len < strlen(cn) && (rc = ca_add_name(name, "OU", host,
				     utf8_cut(host, CN_MAX))) != VT_OK)
		return rc;
	return X509_set_issuer_name(x, name) == 1 ? VT_OK : VT_E_CRYPTO;
}

static int
fill_ca(X509 *x, const struct ca_key *key, uint8_t root, const char *host)
{
	static const int usage[] = { 5, 6 }; /* keyCertSign, cRLSign */
	uint8_t keyid[CA_KEYID_LEN], der[CERT_EXT_MAX_LEN];
	size_t len;
	int rc;

	if ((rc = set_ca_name(x, root, host)) != VT_OK ||
	    (rc = set_validity(x, CA_YEARS_SECONDS)) != VT_OK ||
	    (rc = ca_add_basic(x, 1)) != VT_OK ||
	    (rc = ca_add_key_usage(x, usage, VT_NELEM(usage))) != VT_OK ||
	    (rc = key_id(key, keyid)) != VT_OK ||
	    (rc = ca_add_subject_keyid(x, keyid)) != VT_OK ||
	    (rc = cert_ext_root_put(root, der, sizeof(der), &len)) != VT_OK)
		return rc;
	return ca_add_der(x, CERT_EXT_OID_ROOT, der, len);
}

int
ca_self_signed(const struct ca_signer *s, const uint8_t *pub, size_t pub_len,
    uint8_t root, const char *host, struct ca_der *ret)
{
	struct ca_key key;
	EVP_PKEY *evp;
	X509 *x;
	int rc;

	if ((rc = ca_key_get(pub, pub_len, CA_KEY_CA, &key)) != VT_OK ||
	    (rc = ca_key_evp(pub, pub_len, &evp)) != VT_OK)
		return rc;
	x = new_cert(&key);
	rc = x != NULL ? fill_ca(x, &key, root, host) : VT_E_CRYPTO;
	if (rc == VT_OK)
		rc = sign_with(x, s, evp, ret);
	X509_free(x);
	EVP_PKEY_free(evp);
	return rc;
}

/* The extension's value, NULL unless there is exactly one. */
static const ASN1_OCTET_STRING *
find_ext(const X509 *x, const char *oid)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	const ASN1_OCTET_STRING *val = NULL;
	int at = obj != NULL ? X509_get_ext_by_OBJ(x, obj, -1) : -1;

	if (at >= 0 && X509_get_ext_by_OBJ(x, obj, at) < 0)
		val = X509_EXTENSION_get_data(X509_get_ext(x, at));
	ASN1_OBJECT_free(obj);
	return val;
}

static int
check_ca(struct ca *ca, uint8_t root)
{
	const ASN1_OCTET_STRING *ext;
	EVP_PKEY *own = X509_get0_pubkey(ca->cert);
	int rc;

	if (own == NULL || X509_check_ca(ca->cert) != 1)
		return VT_E_FORMAT;
	if (EVP_PKEY_eq(own, ca->key) != 1)
		return VT_E_CORRUPT;
	if (X509_verify(ca->cert, ca->key) != 1)
		return VT_E_AUTH;
	if ((ext = find_ext(ca->cert, CERT_EXT_OID_ROOT)) == NULL)
		return VT_E_FORMAT;
	rc = cert_ext_root_get(ASN1_STRING_get0_data(ext),
	    (size_t)ASN1_STRING_length(ext), &ca->root);
	if (rc != VT_OK)
		return rc;
	return ca->root == root ? VT_OK : VT_E_POLICY;
}

int
ca_open(const struct ca_signer *s, const uint8_t *der, size_t len,
    const uint8_t *pub, size_t pub_len, uint8_t root, struct ca **ret)
{
	struct ca *ca = calloc(1, sizeof(*ca));
	const unsigned char *p = der;
	struct ca_key key;
	int rc;

	if (ca == NULL)
		return VT_E_NOMEM;
	ca->signer = *s;
	rc = VT_E_FORMAT;
	if (len == 0 || len > CERT_MAX_LEN)
		goto out;
	ca->cert = d2i_X509(NULL, &p, (long)len);
	if (ca->cert == NULL || p != der + len)
		goto out;
	if ((rc = ca_key_get(pub, pub_len, CA_KEY_CA, &key)) != VT_OK ||
	    (rc = ca_key_evp(pub, pub_len, &ca->key)) != VT_OK ||
	    (rc = check_ca(ca, root)) != VT_OK ||
	    (rc = key_id(&key, ca->keyid)) != VT_OK)
		goto out;
	*ret = ca;
	return VT_OK;
out:
	ca_free(ca);
	return rc;
}

void
ca_free(struct ca *ca)
{
	if (ca == NULL)
		return;
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
	free(ca);
}

/* --- an issuing key --------------------------------------------------------
 */

/* ca_sign_fn of a key in this process's memory. */
static int
sign_here(
    void *arg, const uint8_t digest[SHA256_LEN], uint8_t *out, size_t *ret_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(arg, NULL);
	int rc = VT_E_CRYPTO;

	*ret_len = CA_SIG_MAX;
	if (ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_sign(ctx, out, ret_len, digest, SHA256_LEN) == 1)
		rc = VT_OK;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
key_of(EVP_PKEY *evp, struct ca_key *ret)
{
	struct ca_key k = { .alg = NID_X9_62_id_ecPublicKey,
		.curve = NID_X9_62_prime256v1 };

	if (EVP_PKEY_get_octet_string_param(evp, OSSL_PKEY_PARAM_PUB_KEY,
		k.bits, sizeof(k.bits), &k.len) != 1)
		return VT_E_CRYPTO;
	*ret = k;
	return VT_OK;
}

/* The CA's, and the day. */
static int
set_issuing_name(X509 *x, const struct ca *up, time_t now)
{
	X509_NAME *name = X509_get_subject_name(x);
	char ou[CN_MAX];
	struct tm tm;

	if (X509_set_issuer_name(x, X509_get_subject_name(up->cert)) != 1 ||
	    X509_set_subject_name(x, X509_get_subject_name(up->cert)) != 1 ||
	    gmtime_r(&now, &tm) == NULL ||
	    strftime(ou, sizeof(ou), "issuing key of %Y-%m-%d", &tm) == 0)
		return VT_E_CRYPTO;
	name = X509_get_subject_name(x);
	return ca_add_name(name, "OU", ou, strlen(ou));
}

static int
fill_issuing(X509 *x, const struct ca *up, const struct ca *ca)
{
	static const int usage[] = { 5 }; /* keyCertSign */
	uint8_t der[CERT_EXT_MAX_LEN];
	size_t len;
	int rc;

	if ((rc = set_issuing_name(x, up, ca->since)) != VT_OK ||
	    (rc = set_validity(x, CA_YEARS_SECONDS)) != VT_OK ||
	    (rc = within_ca(x, up->cert)) != VT_OK ||
	    (rc = ca_add_basic(x, 0)) != VT_OK ||
	    (rc = ca_add_key_usage(x, usage, VT_NELEM(usage))) != VT_OK ||
	    (rc = ca_add_subject_keyid(x, ca->keyid)) != VT_OK ||
	    (rc = ca_add_authority_keyid(x, up->keyid)) != VT_OK ||
	    (rc = cert_ext_root_put(up->root, der, sizeof(der), &len)) !=
		VT_OK ||
	    (rc = ca_add_der(x, CERT_EXT_OID_ROOT, der, len)) != VT_OK)
		return rc;
	return ca_add_period(
	    x, ca->since - CLOCK_SKEW_SECONDS, ca->since + DAY_SECONDS);
}

int
ca_issuing_new(const struct ca *up, struct ca **ret)
{
	struct ca *ca = calloc(1, sizeof(*ca));
	struct ca_key key;
	int rc = VT_E_CRYPTO;

	if (ca == NULL)
		return VT_E_NOMEM;
	ca->root = up->root;
	ca->since = time(NULL);
	if ((ca->key = EVP_EC_gen("P-256")) == NULL ||
	    (rc = key_of(ca->key, &key)) != VT_OK ||
	    (rc = key_id(&key, ca->keyid)) != VT_OK)
		goto fail;
	ca->signer = (struct ca_signer){ sign_here, ca->key };
	rc = VT_E_CRYPTO;
	if ((ca->cert = new_cert(&key)) == NULL ||
	    (rc = fill_issuing(ca->cert, up, ca)) != VT_OK ||
	    (rc = sign_with(ca->cert, &up->signer, up->key, &ca->der)) != VT_OK)
		goto fail;
	*ret = ca;
	return VT_OK;
fail:
	ca_free(ca);
	return rc;
}

bool
ca_may_delegate(const struct ca *ca)
{
	return X509_get_pathlen(ca->cert) != 0;
}

bool
ca_is_current(const struct ca *ca, long spare_s)
{
	time_t now = time(NULL);

	return ca->since == 0 ||
	       (now >= ca->since && now + spare_s < ca->since + DAY_SECONDS);
}

const struct ca_der *
ca_issuing_cert(const struct ca *ca)
{
	return &ca->der;
}

/* --- a vTPM's certificates ------------------------------------------------ */

static int
set_vtpm_name(X509 *x, const struct ca_subject *sub, uint8_t root)
{
	X509_NAME *name = X509_get_subject_name(x);
	char cn[CN_MAX + 1], uuid[UUID_STRLEN + 1], ou[CN_MAX];
	size_t room = CN_MAX - UUID_STRLEN - 1;
	int rc;

	uuid_format(sub->uuid, uuid);
	(void)snprintf(cn, sizeof(cn), "%.*s%s%s",
	    (int)utf8_cut(sub->name, room), sub->name,
	    sub->name[0] != '\0' ? " " : "", uuid);
	if (sub->host)
		(void)snprintf(
		    ou, sizeof(ou), "host TPM, group %u", sub->group);
	else
		model_text(root, ou, sizeof(ou));
	if ((rc = ca_add_name(name, "OU", ou, strlen(ou))) != VT_OK)
		return rc;
	return ca_add_name(name, "CN", cn, strlen(cn));
}

/* What differs between the kinds; index WCERT_*. */
static const struct {
	enum ca_key_use use;
	int usage; /* RFC 5280 4.2.1.3 */
	const char *purpose;
} kinds[] = {
	[WCERT_EK_RSA] = { CA_KEY_EK_RSA, 2, CERT_EXT_EKU_EK }, /* encipher */
	[WCERT_EK_ECC] = { CA_KEY_EK_ECC, 4, CERT_EXT_EKU_EK }, /* agree */
	[WCERT_AK] = { CA_KEY_AK, 0, CERT_EXT_EKU_AK },         /* sign */
};

static int
fill_vtpm(
    X509 *x, const struct ca *ca, const struct ca_subject *sub, uint8_t which)
{
	uint32_t ak = sub->ak_seconds != 0 ? sub->ak_seconds : CA_AK_SECONDS;
	bool is_ak = which == WCERT_AK;
	bool v12 = sub->tpm_version == TPM_VER_12;
	int rc;

	if (X509_set_issuer_name(x, X509_get_subject_name(ca->cert)) != 1)
		return VT_E_CRYPTO;
	if ((rc = set_vtpm_name(x, sub, ca->root)) != VT_OK ||
	    (rc = set_validity(x, is_ak ? (long)ak : CA_YEARS_SECONDS)) !=
		VT_OK ||
	    (rc = within_ca(x, ca->cert)) != VT_OK ||
	    (rc = ca_add_basic(x, CA_NOT_A_CA)) != VT_OK ||
	    (rc = ca_add_key_usage(x, &kinds[which].usage, 1)) != VT_OK ||
	    (rc = ca_add_purpose(x, kinds[which].purpose)) != VT_OK)
		return rc;
	if (!sub->host &&
	    ((rc = add_alt_names(x, ca->root, is_ak ? sub->uuid : NULL)) !=
		    VT_OK ||
		(rc = ca_add_der(x, "2.5.29.9", v12 ? spec12_hex : spec20_hex,
		     v12 ? spec12_hex_len : spec20_hex_len)) != VT_OK))
		return rc;
	if ((rc = add_instance(x, sub, ca->root)) != VT_OK)
		return rc;
	return ca_add_authority_keyid(x, ca->keyid);
}

int
ca_issue(struct ca *ca, const struct ca_subject *sub, uint8_t which,
    const uint8_t *pub, size_t pub_len, struct ca_der *ret)
{
	struct ca_key key;
	X509 *x;
	int rc;

	if (which < WCERT_EK_RSA || which > WCERT_AK)
		return VT_E_RANGE;
	if (!ca_is_current(ca, 0))
		return VT_E_STATE;
	if (sub->tpm_version == TPM_VER_20)
		rc = ca_key_get(pub, pub_len, kinds[which].use, &key);
	else if (which == WCERT_EK_RSA)
		rc = ca_key_get_12(pub, pub_len, &key);
	else
		rc = VT_E_UNSUPPORTED;
	if (rc != VT_OK)
		return rc;
	x = new_cert(&key);
	rc = x != NULL ? fill_vtpm(x, ca, sub, which) : VT_E_CRYPTO;
	if (rc == VT_OK)
		rc = sign_with(x, &ca->signer, ca->key, ret);
	X509_free(x);
	return rc;
}
