/* SPDX-License-Identifier: BSD-3-Clause */
/* escrow.c - split, seal, open and join shares of the master key. */
#include "measure/host/escrow.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <openssl/cms.h> /* last: pem.h lets it have PEM functions */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/tpm/pem_key.h"

#define MAGIC "VTES"
#define MAGIC_LEN 4
#define VERSION 1
#define RSA_MIN_BITS 2048
#define CMS_FLAGS (CMS_BINARY | CMS_USE_KEYID)

static const char check_label[] = "vTPM escrow check";
static const char share_label[] = "vTPM escrow share";

/* --- bytes ---------------------------------------------------------------- */

static bool
counts_ok(unsigned int m, unsigned int n)
{
	return m >= 2 && m <= n && n <= SHAMIR_MAX_SHARES;
}

void
escrow_put(struct wr *w, const struct escrow_share *s)
{
	uint8_t digest[SHA256_LEN] = { 0 };
	size_t at = w->len;

	if (!counts_ok(s->m, s->n))
		wr_fail(w, VT_E_RANGE);
	wr_bytes(w, MAGIC, MAGIC_LEN);
	wr_be16(w, VERSION);
	wr_bytes(w, s->set, sizeof(s->set));
	wr_str(w, s->host);
	wr_be64(w, s->made_s);
	wr_u8(w, s->m);
	wr_u8(w, s->n);
	wr_u8(w, s->x);
	wr_bytes(w, s->share, sizeof(s->share));
	wr_bytes(w, s->check, sizeof(s->check));
	if (wr_err(w) == VT_OK)
		wr_bytes(w, s->commit, s->n * (size_t)SHA256_LEN);
	if (wr_err(w) == VT_OK &&
	    digest_buf(ALG_SHA256, w->buf + at, w->len - at, digest) != VT_OK)
		wr_fail(w, VT_E_CRYPTO);
	wr_bytes(w, digest, sizeof(digest));
}

static void
get_fields(struct rd *r, struct escrow_share *s)
{
	const uint8_t *magic = rd_span(r, MAGIC_LEN);
	uint32_t i;

	if (magic != NULL && memcmp(magic, MAGIC, MAGIC_LEN) != 0)
		rd_fail(r, VT_E_FORMAT);
	if (rd_be16(r) != VERSION)
		rd_fail(r, VT_E_UNSUPPORTED);
	rd_bytes(r, s->set, sizeof(s->set));
	rd_str(r, s->host, sizeof(s->host));
	s->made_s = rd_be64(r);
	s->m = rd_u8(r);
	s->n = rd_u8(r);
	s->x = rd_u8(r);
	if (rd_err(r) == VT_OK &&
	    (!counts_ok(s->m, s->n) || s->x == 0 || s->x > s->n))
		rd_fail(r, VT_E_RANGE);
	rd_bytes(r, s->share, sizeof(s->share));
	rd_bytes(r, s->check, sizeof(s->check));
	for (i = 0; rd_err(r) == VT_OK && i < s->n; i++)
		rd_bytes(r, s->commit[i], SHA256_LEN);
}

int
escrow_get(const uint8_t *data, size_t len, struct escrow_share *ret)
{
	uint8_t digest[SHA256_LEN], want[SHA256_LEN] = { 0 };
	struct escrow_share s;
	struct rd r;
	int rc;

	memset(&s, 0, sizeof(s));
	rd_init(&r, data, len);
	get_fields(&r, &s);
	rd_bytes(&r, digest, sizeof(digest));
	if ((rc = rd_end(&r)) == VT_OK)
		rc = digest_buf(ALG_SHA256, data, len - sizeof(digest), want);
	if (rc == VT_OK && !mem_equal(digest, want, sizeof(want)))
		rc = VT_E_AUTH;
	if (rc == VT_OK)
		*ret = s;
	explicit_bzero(&s, sizeof(s));
	return rc;
}

/* --- splitting ------------------------------------------------------------ */

static int
key_check(const uint8_t key[ESCROW_KEY_LEN], const uint8_t set[ESCROW_SET_LEN],
    uint8_t out[SHA256_LEN])
{
	uint8_t info[sizeof(check_label) + ESCROW_SET_LEN];

	memcpy(info, check_label, sizeof(check_label));
	memcpy(info + sizeof(check_label), set, ESCROW_SET_LEN);
	return hkdf_sha256(
	    key, ESCROW_KEY_LEN, info, sizeof(info), out, SHA256_LEN);
}

/* A share is as random as a key: its digest reveals nothing. */
static int
share_digest(const struct escrow_share *s, uint8_t out[SHA256_LEN])
{
	const struct iov_part parts[] = {
		{ share_label, sizeof(share_label) },
		{ s->set, sizeof(s->set) },
		{ &s->x, 1 },
		{ s->share, sizeof(s->share) },
	};

	return digest_parts(ALG_SHA256, parts, VT_NELEM(parts), out);
}

static int
fill_all(struct escrow_share *ret, unsigned int n, const struct escrow_share *t,
    const uint8_t *rows)
{
	unsigned int i, k;
	int rc;

	for (i = 0; i < n; i++) {
		ret[i] = *t;
		ret[i].x = (uint8_t)(i + 1);
		memcpy(ret[i].share, rows + i * (size_t)ESCROW_KEY_LEN,
		    ESCROW_KEY_LEN);
	}
	for (i = 0; i < n; i++) {
		uint8_t d[SHA256_LEN];

		if ((rc = share_digest(&ret[i], d)) != VT_OK)
			return rc;
		for (k = 0; k < n; k++)
			memcpy(ret[k].commit[i], d, sizeof(d));
	}
	return VT_OK;
}

int
escrow_split(const uint8_t key[ESCROW_KEY_LEN], const char *host,
    uint64_t made_s, unsigned int m, unsigned int n, struct escrow_share *ret)
{
	uint8_t coef[SHAMIR_MAX_SHARES * ESCROW_KEY_LEN];
	uint8_t rows[SHAMIR_MAX_SHARES * ESCROW_KEY_LEN];
	struct escrow_share t = { .made_s = made_s };
	int rc;

	if (!counts_ok(m, n) || strlen(host) > ESCROW_HOST_MAX)
		return VT_E_RANGE;
	t.m = (uint8_t)m;
	t.n = (uint8_t)n;
	(void)snprintf(t.host, sizeof(t.host), "%s", host);
	memcpy(coef, key, ESCROW_KEY_LEN);
	if ((rc = random_bytes(t.set, sizeof(t.set))) == VT_OK &&
	    (rc = random_bytes(coef + ESCROW_KEY_LEN,
		 (m - 1) * (size_t)ESCROW_KEY_LEN)) == VT_OK &&
	    (rc = key_check(key, t.set, t.check)) == VT_OK &&
	    (rc = shamir_split(coef, m, n, ESCROW_KEY_LEN, rows)) == VT_OK)
		rc = fill_all(ret, n, &t, rows);
	explicit_bzero(coef, sizeof(coef));
	explicit_bzero(rows, sizeof(rows));
	return rc;
}

/* --- joining -------------------------------------------------------------- */

static bool
same_set(const struct escrow_share *a, const struct escrow_share *b)
{
	return memcmp(a->set, b->set, sizeof(a->set)) == 0 && a->m == b->m &&
	       a->n == b->n && a->made_s == b->made_s &&
	       strcmp(a->host, b->host) == 0 &&
	       memcmp(a->check, b->check, sizeof(a->check)) == 0;
}

/* Count the other shares whose digest of share i does not match it. */
static unsigned int
denied_by(const struct escrow_share *s, unsigned int n, unsigned int i)
{
	uint8_t d[SHA256_LEN];
	unsigned int k, bad = 0;

	if (share_digest(&s[i], d) != VT_OK)
		return n;
	for (k = 0; k < n; k++)
		if (!mem_equal(s[k].commit[s[i].x - 1], d, sizeof(d)))
			bad++;
	return bad;
}

static int
check_all(const struct escrow_share *s, unsigned int n, char *text)
{
	unsigned int i, k;

	for (i = 1; i < n; i++) {
		if (!same_set(&s[0], &s[i])) {
			(void)snprintf(text, ESCROW_TEXT_MAX,
			    "share %u of %s and share %u of %s are not of one "
			    "set: take those that were made together",
			    s[0].x, s[0].host, s[i].x, s[i].host);
			return VT_E_POLICY;
		}
		for (k = 0; k < i; k++)
			if (s[i].x == s[k].x) {
				(void)snprintf(text, ESCROW_TEXT_MAX,
				    "share %u is there twice", s[i].x);
				return VT_E_POLICY;
			}
	}
	if (n < s[0].m) {
		(void)snprintf(text, ESCROW_TEXT_MAX,
		    "%u of the %u shares of %s are needed, %u are there",
		    s[0].m, s[0].n, s[0].host, n);
		return VT_E_RANGE;
	}
	for (i = 0; i < n; i++)
		if (denied_by(s, n, i) > 0) {
			(void)snprintf(text, ESCROW_TEXT_MAX,
			    "share %u is not the one that was made with the "
			    "others: it was changed, or they were",
			    s[i].x);
			return VT_E_AUTH;
		}
	return VT_OK;
}

int
escrow_join(const struct escrow_share *shares, unsigned int n,
    uint8_t ret[ESCROW_KEY_LEN], char *text)
{
	uint8_t xs[SHAMIR_MAX_SHARES] = { 0 },
		rows[SHAMIR_MAX_SHARES * ESCROW_KEY_LEN];
	uint8_t key[ESCROW_KEY_LEN], check[SHA256_LEN];
	unsigned int i;
	int rc;

	if (n == 0 || n > SHAMIR_MAX_SHARES) {
		(void)snprintf(text, ESCROW_TEXT_MAX, "no shares, or too many");
		return VT_E_RANGE;
	}
	if ((rc = check_all(shares, n, text)) != VT_OK)
		return rc;
	for (i = 0; i < shares[0].m; i++) {
		xs[i] = shares[i].x;
		memcpy(rows + i * (size_t)ESCROW_KEY_LEN, shares[i].share,
		    ESCROW_KEY_LEN);
	}
	rc = shamir_join(xs, rows, shares[0].m, ESCROW_KEY_LEN, key);
	if (rc == VT_OK)
		rc = key_check(key, shares[0].set, check);
	if (rc == VT_OK && !mem_equal(check, shares[0].check, sizeof(check)))
		rc = VT_E_AUTH;
	if (rc == VT_OK)
		memcpy(ret, key, sizeof(key));
	else
		(void)snprintf(text, ESCROW_TEXT_MAX,
		    "the shares do not give the key that they were made of");
	explicit_bzero(rows, sizeof(rows));
	explicit_bzero(key, sizeof(key));
	return rc;
}

/* --- to an operator ------------------------------------------------------- */

static EVP_PKEY *
public_key(const void *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *key = NULL;
	X509 *cert;

	if (bio == NULL)
		return NULL;
	key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	if (key == NULL && BIO_reset(bio) == 1 &&
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		key = X509_get_pubkey(cert);
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool
key_ok(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= RSA_MIN_BITS;
	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) >= 256;
}

/* CMS names its recipients by a certificate: one around the bare key, whose
 * key identifier is all that is used of it. */
static X509 *
wrap_key(EVP_PKEY *key)
{
	EVP_PKEY *signer = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *ext = NULL;
	X509V3_CTX ctx;
	bool ok;

	ok = signer != NULL && x != NULL && X509_set_version(x, 2) == 1 &&
	     X509_set_pubkey(x, key) == 1 &&
	     ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
	     X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
	     X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL;
	if (ok) {
		X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
		ext = X509V3_EXT_conf_nid(
		    NULL, &ctx, NID_subject_key_identifier, "hash");
		ok = ext != NULL && X509_add_ext(x, ext, -1) == 1 &&
		     X509_sign(x, signer, EVP_sha256()) > 0;
	}
	X509_EXTENSION_free(ext);
	EVP_PKEY_free(signer);
	if (!ok) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static bool
add_recipient(CMS_ContentInfo *cms, X509 *cert, const EVP_PKEY *key)
{
	CMS_RecipientInfo *ri =
	    CMS_add1_recipient_cert(cms, cert, CMS_USE_KEYID | CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx;

	if (ri == NULL || !EVP_PKEY_is_a(key, "RSA"))
		return ri != NULL;
	ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	return ctx != NULL &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0;
}

static int
encrypt(const uint8_t *p, size_t len, EVP_PKEY *key, char **ret)
{
	BIO *in = BIO_new_mem_buf(p, (int)len), *out = BIO_new(BIO_s_mem());
	X509 *cert = wrap_key(key);
	CMS_ContentInfo *cms = NULL;
	char *text = NULL, *data;
	long n;

	if (in != NULL && out != NULL && cert != NULL)
		cms = CMS_encrypt(
		    NULL, in, EVP_aes_256_gcm(), CMS_FLAGS | CMS_PARTIAL);
	if (cms != NULL && add_recipient(cms, cert, key) &&
	    CMS_final(cms, in, NULL, CMS_FLAGS) == 1 &&
	    PEM_write_bio_CMS(out, cms) == 1 &&
	    (n = BIO_get_mem_data(out, &data)) > 0 &&
	    (text = malloc((size_t)n + 1)) != NULL) {
		memcpy(text, data, (size_t)n);
		text[n] = '\0';
	}
	CMS_ContentInfo_free(cms);
	X509_free(cert);
	BIO_free(in);
	BIO_free(out);
	ERR_clear_error();
	*ret = text;
	return text != NULL ? VT_OK : VT_E_CRYPTO;
}

int
escrow_seal(
    const struct escrow_share *s, const void *pem, size_t len, char **ret)
{
	uint8_t buf[ESCROW_SHARE_MAX];
	EVP_PKEY *key;
	struct wr w;
	int rc;

	if (len > ESCROW_PEM_MAX || (key = public_key(pem, len)) == NULL)
		return VT_E_FORMAT;
	wr_init(&w, buf, sizeof(buf));
	escrow_put(&w, s);
	if (!key_ok(key))
		rc = VT_E_UNSUPPORTED;
	else if ((rc = wr_err(&w)) == VT_OK)
		rc = encrypt(buf, w.len, key, ret);
	explicit_bzero(buf, sizeof(buf));
	EVP_PKEY_free(key);
	return rc;
}

static int
decrypt(CMS_ContentInfo *cms, EVP_PKEY *key, struct escrow_share *ret)
{
	BIO *out = BIO_new(BIO_s_secmem());
	char *data;
	long n;
	int rc = VT_E_AUTH;

	if (out == NULL)
		return VT_E_NOMEM;
	if (CMS_decrypt_set1_pkey(cms, key, NULL) == 1 &&
	    CMS_decrypt(cms, NULL, NULL, NULL, out, CMS_BINARY) == 1 &&
	    (n = BIO_get_mem_data(out, &data)) > 0)
		rc = escrow_get((const uint8_t *)data, (size_t)n, ret);
	BIO_free(out);
	ERR_clear_error();
	return rc;
}

int
escrow_open(const void *cms, size_t cms_len, const void *pem, size_t len,
    struct escrow_share *ret)
{
	CMS_ContentInfo *ci = NULL;
	EVP_PKEY *key = NULL;
	int rc = VT_E_FORMAT;
	BIO *bio;

	if (cms_len > ESCROW_PEM_MAX || len > ESCROW_PEM_MAX)
		return VT_E_RANGE;
	if ((bio = BIO_new_mem_buf(cms, (int)cms_len)) == NULL)
		return VT_E_NOMEM;
	ci = PEM_read_bio_CMS(bio, NULL, NULL, NULL);
	BIO_free(bio);
	key = pem_key(pem, len, true);
	if (ci != NULL && key != NULL)
		rc = decrypt(ci, key, ret);
	CMS_ContentInfo_free(ci);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return rc;
}
