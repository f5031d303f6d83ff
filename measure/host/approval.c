/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * approval.c - approvals as bytes, their two signatures, and the policy
 * digests that a TPM would come to.
 */
#include "measure/host/approval.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/pem_key.h"
#include "measure/tpm/tpm_public.h"

#define MAGIC "VTAP"
#define MAGIC_LEN 4
#define APPROVAL_VERSION 1
#define REF_MAX (sizeof(APPROVAL_REF) + 12)
#define COORD_LEN 32
#define CURVE_P256 0x0003 /* TPM_ECC_NIST_P256 */

/* Part 2, 6.5.2 and 6.4 (TPM_EO). */
#define CC_POLICY_NV 0x00000149u
#define CC_POLICY_AUTHORIZE 0x0000016au
#define CC_POLICY_PCR 0x0000017fu
#define EO_UNSIGNED_LE 0x0009

/* --- bytes -----------------------------------------------------------------
 */

static void
put_statement(struct wr *w, const struct approval *a)
{
	uint8_t pcrs[PCR_SET_MAX_LEN];
	struct wr p;

	wr_init(&p, pcrs, sizeof(pcrs));
	pcr_set_encode(&p, &a->pcrs);
	if (wr_err(&p) != VT_OK || a->pcrs.nbanks != 1)
		wr_fail(w, VT_E_RANGE);
	wr_bytes(w, MAGIC, MAGIC_LEN);
	wr_be16(w, APPROVAL_VERSION);
	wr_be32(w, a->group);
	wr_str(w, a->label);
	wr_be64(w, a->sequence);
	wr_be64(w, a->epoch);
	wr_bytes(w, a->epoch_name, sizeof(a->epoch_name));
	wr_be64(w, a->made_s);
	wr_blob16(w, pcrs, p.len);
}

void
approval_put(struct wr *w, const struct approval *a)
{
	put_statement(w, a);
	if (a->sig_len > sizeof(a->sig) ||
	    a->policy_sig_len > sizeof(a->policy_sig)) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_blob16(w, a->sig, a->sig_len);
	wr_blob16(w, a->policy_sig, a->policy_sig_len);
}

static void
get_sig(struct rd *r, uint8_t *dst, uint16_t *ret_len)
{
	size_t n = 0;
	const uint8_t *p = rd_blob16(r, APPROVAL_SIG_MAX, &n);

	if (rd_err(r) != VT_OK)
		return;
	if (n > 0)
		memcpy(dst, p, n);
	*ret_len = (uint16_t)n;
}

int
approval_get(const uint8_t *data, size_t len, struct approval *ret)
{
	struct approval a;
	const uint8_t *magic, *pcrs;
	size_t pcrs_len = 0;
	struct rd r;
	int rc;

	if (len > APPROVAL_MAX_LEN)
		return VT_E_RANGE;
	memset(&a, 0, sizeof(a));
	rd_init(&r, data, len);
	if ((magic = rd_span(&r, MAGIC_LEN)) != NULL &&
	    memcmp(magic, MAGIC, MAGIC_LEN) != 0)
		rd_fail(&r, VT_E_FORMAT);
	if (rd_be16(&r) != APPROVAL_VERSION)
		rd_fail(&r, VT_E_UNSUPPORTED);
	a.group = rd_be32(&r);
	rd_str(&r, a.label, sizeof(a.label));
	a.sequence = rd_be64(&r);
	a.epoch = rd_be64(&r);
	rd_bytes(&r, a.epoch_name, sizeof(a.epoch_name));
	a.made_s = rd_be64(&r);
	pcrs = rd_blob16(&r, PCR_SET_MAX_LEN, &pcrs_len);
	get_sig(&r, a.sig, &a.sig_len);
	get_sig(&r, a.policy_sig, &a.policy_sig_len);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	if ((rc = pcr_set_decode(pcrs, pcrs_len, &a.pcrs)) != VT_OK)
		return rc == VT_E_TRUNC ? VT_E_FORMAT : rc;
	if (a.pcrs.nbanks != 1)
		return VT_E_FORMAT;
	*ret = a;
	return VT_OK;
}

/* --- judging ---------------------------------------------------------------
 */

static void
selection(const struct approval *a, struct pcr_sel *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->n = 1;
	ret->banks[0].alg = a->pcrs.banks[0].alg;
	ret->banks[0].mask = a->pcrs.banks[0].valid;
}

int
approval_check(const struct approval *a, char *text, size_t cap)
{
	const struct pcr_bank *b = &a->pcrs.banks[0];
	struct pcr_sel sel;
	uint32_t pcr = 0;
	uint16_t alg = 0;

	if (a->pcrs.nbanks != 1 || b->valid == 0) {
		(void)snprintf(text, cap,
		    "no PCR is selected: such an approval would fit every "
		    "state of the host");
		return VT_E_POLICY;
	}
	if (b->alg == ALG_SHA1 || digest_len(b->alg) == 0) {
		(void)snprintf(text, cap,
		    "the bank is %s: SHA-1 is broken; use sha256 or better",
		    b->alg == ALG_SHA1 ? "sha1" : "unknown");
		return VT_E_POLICY;
	}
	selection(a, &sel);
	if (pcr_find_extreme(&a->pcrs, &sel, &alg, &pcr) != 0) {
		(void)snprintf(text, cap,
		    "PCR %u (%s) is all %s: nothing was ever measured into "
		    "it, so it tells one state from no other; leave it out",
		    (unsigned)pcr, digest_name(b->alg),
		    b->val[pcr % PCR_COUNT][0] == 0 ? "00" : "FF");
		return VT_E_POLICY;
	}
	return VT_OK;
}

/* Append to text what differs at one PCR; text stays cut at cap. */
/* As many whole entries as fit; the rest is only counted. */
static void
say_differs(const struct pcr_bank *b, uint32_t pcr, const uint8_t *now,
    char *text, size_t cap)
{
	static const char more[] = "; and others";
	char is[17], want[17], one[128];
	size_t at = strnlen(text, cap);
	int n;

	hex_encode(b->val[pcr], 8, want);
	if (now == NULL)
		(void)snprintf(is, sizeof(is), "not known");
	else
		hex_encode(now, 8, is);
	n = snprintf(one, sizeof(one), "%sPCR %u (%s) is %s%s, approved %s..",
	    at > 0 ? "; " : "", (unsigned)pcr, digest_name(b->alg), is,
	    now != NULL ? ".." : "", want);
	if (at > 0 && at + (size_t)n + sizeof(more) > cap) {
		if (at < sizeof(more) - 1 ||
		    strcmp(text + at - (sizeof(more) - 1), more) != 0)
			(void)snprintf(text + at, cap - at, "%s", more);
	} else if (at < cap) {
		(void)snprintf(text + at, cap - at, "%s", one);
	}
}

int
approval_compare(
    const struct approval *a, const struct pcr_set *now, char *text, size_t cap)
{
	const struct pcr_bank *b = &a->pcrs.banks[0];
	int rc = VT_OK;
	uint32_t i;

	if (cap > 0)
		text[0] = '\0';
	if (a->pcrs.nbanks != 1 || b->valid == 0 || digest_len(b->alg) == 0) {
		(void)snprintf(text, cap, "the approval names no PCR");
		return VT_E_POLICY;
	}
	for (i = 0; i < PCR_COUNT; i++) {
		const uint8_t *val = pcr_get(now, b->alg, i);

		if ((b->valid >> i & 1) == 0 ||
		    (val != NULL && mem_equal(val, b->val[i], b->len)))
			continue;
		say_differs(b, i, val, text, cap);
		rc = VT_E_POLICY;
	}
	return rc;
}

/* --- what a TPM makes of it ------------------------------------------------
 */

static size_t
policy_ref(uint32_t group, char out[REF_MAX])
{
	int n;

	if (group == 0)
		n = snprintf(out, REF_MAX, "%s", APPROVAL_REF);
	else
		n = snprintf(
		    out, REF_MAX, "%s %u", APPROVAL_REF, (unsigned)group);
	return (size_t)n;
}

/* Part 3, 23.7: H(old || TPM_CC_PolicyPCR || pcrs || digestTPM). */
static int
policy_pcr(const struct approval *a, uint8_t digest[SHA256_LEN])
{
	uint8_t buf[SHA256_LEN + 4 + 64 + SHA256_LEN];
	uint8_t values[DIGEST_MAX];
	struct pcr_sel sel;
	struct wr w;
	int rc;

	selection(a, &sel);
	if ((rc = pcr_digest(&a->pcrs, &sel, ALG_SHA256, values)) != VT_OK)
		return rc;
	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, digest, SHA256_LEN);
	wr_be32(&w, CC_POLICY_PCR);
	pcr_sel_put(&w, &sel);
	wr_bytes(&w, values, SHA256_LEN);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return digest_buf(ALG_SHA256, buf, w.len, digest);
}

/* Part 3, 23.9: args = H(operandB || offset || operation), then
 * H(old || TPM_CC_PolicyNV || args || nvIndex's Name). */
static int
policy_nv(const struct approval *a, uint8_t digest[SHA256_LEN])
{
	uint8_t operand[8 + 2 + 2], args[SHA256_LEN], cc[4];
	const struct iov_part parts[] = {
		{ digest, SHA256_LEN },
		{ cc, sizeof(cc) },
		{ args, sizeof(args) },
		{ a->epoch_name, sizeof(a->epoch_name) },
	};
	int rc;

	if (be16_get(a->epoch_name) != ALG_SHA256)
		return VT_E_FORMAT;
	be64_put(operand, a->epoch);
	be16_put(operand + 8, 0);
	be16_put(operand + 10, EO_UNSIGNED_LE);
	be32_put(cc, CC_POLICY_NV);
	rc = digest_buf(ALG_SHA256, operand, sizeof(operand), args);
	if (rc != VT_OK)
		return rc;
	return digest_parts(ALG_SHA256, parts, VT_NELEM(parts), digest);
}

int
approval_policy(const struct approval *a, uint8_t out[SHA256_LEN])
{
	uint8_t d[SHA256_LEN] = { 0 };
	int rc;

	if (a->pcrs.nbanks != 1 || a->pcrs.banks[0].valid == 0)
		return VT_E_FORMAT;
	if ((rc = policy_pcr(a, d)) != VT_OK || (rc = policy_nv(a, d)) != VT_OK)
		return rc;
	memcpy(out, d, SHA256_LEN);
	return VT_OK;
}

int
approval_key_public(const uint8_t key[APPROVAL_KEY_LEN], uint8_t *out,
    size_t cap, size_t *ret_len)
{
	struct wr w;
	int rc;

	if (key[0] != 4)
		return VT_E_FORMAT;
	wr_init(&w, out, cap);
	wr_be16(&w, 0); /* TPM2B size, set below */
	wr_be16(&w, TA_ECC);
	wr_be16(&w, ALG_SHA256);
	wr_be32(&w, TO_SIGN | TO_USER_WITH_AUTH);
	wr_be16(&w, 0); /* authPolicy */
	wr_be16(&w, TA_NULL);
	wr_be16(&w, TA_ECDSA);
	wr_be16(&w, ALG_SHA256);
	wr_be16(&w, CURVE_P256);
	wr_be16(&w, TA_NULL); /* kdf */
	wr_blob16(&w, key + 1, COORD_LEN);
	wr_blob16(&w, key + 1 + COORD_LEN, COORD_LEN);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	wr_set_be16(&w, 0, (uint16_t)(w.len - 2));
	*ret_len = w.len;
	return VT_OK;
}

/* Part 3, 23.16: from zero, H(0 || TPM_CC_PolicyAuthorize || keySign's
 * Name), then H(that || policyRef). */
int
approval_auth_policy(const uint8_t key[APPROVAL_KEY_LEN], uint32_t group,
    uint8_t out[SHA256_LEN])
{
	uint8_t pub[128], d[SHA256_LEN] = { 0 }, cc[4];
	char ref[REF_MAX];
	struct tpm_name name;
	size_t len = 0, ref_len = policy_ref(group, ref);
	int rc;

	if ((rc = approval_key_public(key, pub, sizeof(pub), &len)) != VT_OK ||
	    (rc = tpm_name_of(ALG_SHA256, pub + 2, len - 2, &name)) != VT_OK)
		return rc;
	be32_put(cc, CC_POLICY_AUTHORIZE);
	{
		const struct iov_part one[] = {
			{ d, sizeof(d) },
			{ cc, sizeof(cc) },
			{ name.b, name.len },
		};
		const struct iov_part two[] = {
			{ d, sizeof(d) },
			{ ref, ref_len },
		};

		if ((rc = digest_parts(ALG_SHA256, one, 3, d)) != VT_OK ||
		    (rc = digest_parts(ALG_SHA256, two, 2, d)) != VT_OK)
			return rc;
	}
	memcpy(out, d, SHA256_LEN);
	return VT_OK;
}

/* --- keys ------------------------------------------------------------------
 */

static int
key_point(EVP_PKEY *key, uint8_t ret[APPROVAL_KEY_LEN])
{
	uint8_t point[APPROVAL_KEY_LEN];
	char group[32];
	size_t len = 0;
	int rc = VT_E_UNSUPPORTED;

	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	    OBJ_txt2nid(group) == NID_X9_62_prime256v1 &&
	    EVP_PKEY_set_utf8_string_param(key,
		OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
		"uncompressed") == 1 &&
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
		sizeof(point), &len) == 1 &&
	    len == sizeof(point) && point[0] == 4) {
		memcpy(ret, point, sizeof(point));
		rc = VT_OK;
	}
	ERR_clear_error();
	return rc;
}

int
approval_key_read(const void *pem, size_t len, uint8_t ret[APPROVAL_KEY_LEN])
{
	EVP_PKEY *key = pem_key(pem, len, false);
	int rc;

	if (key == NULL)
		return VT_E_FORMAT;
	rc = key_point(key, ret);
	EVP_PKEY_free(key);
	return rc;
}

static int
key_from_point(const uint8_t point[APPROVAL_KEY_LEN], EVP_PKEY **ret)
{
	struct tpm_pub pub = {
		.type = TA_ECC,
		.name_alg = ALG_SHA256,
		.curve = CURVE_P256,
		.x = point + 1,
		.y = point + 1 + COORD_LEN,
		.x_len = COORD_LEN,
		.y_len = COORD_LEN,
	};

	return point[0] == 4 ? tpm_pub_to_evp(&pub, ret) : VT_E_FORMAT;
}

/* --- signatures ------------------------------------------------------------
 */

struct tbs { /* what is signed, both messages */
	uint8_t statement[APPROVAL_MAX_LEN];
	uint8_t policy[SHA256_LEN + REF_MAX];
	size_t statement_len, policy_len;
};

static int
tbs_make(const struct approval *a, struct tbs *t)
{
	struct wr w;
	int rc;

	wr_init(&w, t->statement, sizeof(t->statement));
	put_statement(&w, a);
	if ((rc = wr_err(&w)) != VT_OK ||
	    (rc = approval_policy(a, t->policy)) != VT_OK)
		return rc;
	t->statement_len = w.len;
	t->policy_len =
	    SHA256_LEN + policy_ref(a->group, (char *)t->policy + SHA256_LEN);
	return VT_OK;
}

static int
sign_one(EVP_PKEY *key, const uint8_t *msg, size_t len,
    uint8_t out[APPROVAL_SIG_MAX], uint16_t *ret_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = APPROVAL_SIG_MAX;
	int rc = VT_E_CRYPTO;

	if (ctx != NULL &&
	    EVP_DigestSignInit_ex(ctx, NULL, "sha256", NULL, NULL, key, NULL) ==
		1 &&
	    EVP_DigestSign(ctx, out, &n, msg, len) == 1) {
		*ret_len = (uint16_t)n;
		rc = VT_OK;
	}
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return rc;
}

int
approval_sign(struct approval *a, const void *pem, size_t len)
{
	EVP_PKEY *key = pem_key(pem, len, true);
	uint8_t point[APPROVAL_KEY_LEN];
	struct approval done = *a;
	struct tbs t;
	int rc;

	if (key == NULL)
		return VT_E_FORMAT;
	if ((rc = key_point(key, point)) != VT_OK ||
	    (rc = tbs_make(a, &t)) != VT_OK ||
	    (rc = sign_one(key, t.statement, t.statement_len, done.sig,
		 &done.sig_len)) != VT_OK ||
	    (rc = sign_one(key, t.policy, t.policy_len, done.policy_sig,
		 &done.policy_sig_len)) != VT_OK)
		goto out;
	*a = done;
out:
	EVP_PKEY_free(key);
	return rc;
}

static bool
verify_one(EVP_PKEY *key, const uint8_t *msg, size_t len, const uint8_t *sig,
    size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx != NULL &&
	     EVP_DigestVerifyInit_ex(
		 ctx, NULL, "sha256", NULL, NULL, key, NULL) == 1 &&
	     EVP_DigestVerify(ctx, sig, sig_len, msg, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

int
approval_verify(const struct approval *a, const uint8_t key[APPROVAL_KEY_LEN])
{
	EVP_PKEY *pkey = NULL;
	struct tbs t;
	int rc;

	if ((rc = tbs_make(a, &t)) != VT_OK ||
	    (rc = key_from_point(key, &pkey)) != VT_OK)
		return rc;
	if (!verify_one(
		pkey, t.statement, t.statement_len, a->sig, a->sig_len) ||
	    !verify_one(
		pkey, t.policy, t.policy_len, a->policy_sig, a->policy_sig_len))
		rc = VT_E_AUTH;
	EVP_PKEY_free(pkey);
	return rc;
}

int
approval_sign_bytes(const void *pem, size_t pem_len, const uint8_t *msg,
    size_t len, uint8_t sig[APPROVAL_SIG_MAX], uint16_t *ret_len)
{
	EVP_PKEY *key = pem_key(pem, pem_len, true);
	uint8_t point[APPROVAL_KEY_LEN];
	int rc;

	if (key == NULL)
		return VT_E_FORMAT;
	if ((rc = key_point(key, point)) == VT_OK)
		rc = sign_one(key, msg, len, sig, ret_len);
	EVP_PKEY_free(key);
	return rc;
}

int
approval_verify_bytes(const uint8_t key[APPROVAL_KEY_LEN], const uint8_t *msg,
    size_t len, const uint8_t *sig, size_t sig_len)
{
	EVP_PKEY *pkey = NULL;
	int rc;

	if ((rc = key_from_point(key, &pkey)) != VT_OK)
		return rc;
	if (!verify_one(pkey, msg, len, sig, sig_len))
		rc = VT_E_AUTH;
	EVP_PKEY_free(pkey);
	return rc;
}
