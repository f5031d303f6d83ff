/* SPDX-License-Identifier: BSD-3-Clause */
/* tenant_config.c - a tenant's signed configuration, and quotes for it. */
#include "measure/host/tenant_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/tpm/pcr_selection.h"

#define MAGIC "VTGC"
#define MAGIC_LEN 4
#define CONFIG_VERSION 1
#define LENGTH_AT 6 /* offset of the length field */
#define QUOTE_MAGIC "VTGQ"
#define QUOTE_LABEL "vTPM group quote"
#define QUOTE_VERSION 1

/* --- what may be in it -----------------------------------------------------
 */

/* Nothing that a log or a terminal could take for something else. */
static bool
word_ok(const char *s, size_t max)
{
	size_t i, n = strlen(s);

	for (i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == ',')
			return false;
	return n > 0 && n <= max;
}

static bool
twice(const char *list, size_t width, uint32_t n)
{
	uint32_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (strcmp(list + i * width, list + k * width) == 0)
				return true;
	return false;
}

static const char *
words_wrong(const struct tenant_config *c)
{
	uint32_t i;

	if (c->npolicies > TENANT_POLICIES_MAX ||
	    c->nadmins > TENANT_ADMINS_MAX)
		return "it lists too many policies or administrators";
	for (i = 0; i < c->npolicies; i++)
		if (!word_ok(c->policies[i], TENANT_POLICY_LEN))
			return "a launch policy's name is empty, too long, or "
			       "has a blank, a comma or a control character";
	for (i = 0; i < c->nadmins; i++)
		if (!word_ok(c->admins[i], TENANT_USER_LEN))
			return "an administrator's name is empty, too long, or "
			       "has a blank, a comma or a control character";
	if (twice(c->policies[0], sizeof(c->policies[0]), c->npolicies) ||
	    twice(c->admins[0], sizeof(c->admins[0]), c->nadmins))
		return "it names a policy or an administrator twice";
	return NULL;
}

int
tenant_config_check(const struct tenant_config *c, char *text, size_t cap)
{
	const char *wrong = NULL;

	if (c->group == 0)
		wrong = "group 0 is the host's own: its configuration is the "
			"host operator's";
	else if (c->sequence == 0)
		wrong = "its sequence is 0: they begin with 1";
	else if (c->bank == ALG_SHA1 || digest_len(c->bank) == 0)
		wrong = "its bank is SHA-1 or unknown: use sha256 or better";
	else if (c->pcrs == 0 || c->pcrs >> PCR_COUNT != 0)
		wrong = "it selects no PCR: a quote over none tells one state "
			"of the host from no other";
	else
		wrong = words_wrong(c);
	(void)snprintf(text, cap, "%s", wrong != NULL ? wrong : "");
	return wrong != NULL ? VT_E_POLICY : VT_OK;
}

/* --- bytes -----------------------------------------------------------------
 */

static void
put_list(struct wr *w, const char *list, size_t width, uint32_t n)
{
	uint32_t i;

	wr_be16(w, (uint16_t)n);
	for (i = 0; i < n; i++)
		wr_str(w, list + i * width);
}

/* Everything that is signed; the length covers the signature, too. */
static void
put_statement(struct wr *w, const struct tenant_config *c)
{
	char text[128];

	if (tenant_config_check(c, text, sizeof(text)) != VT_OK) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_bytes(w, MAGIC, MAGIC_LEN);
	wr_be16(w, CONFIG_VERSION);
	wr_be32(w, 0);
	wr_be32(w, c->group);
	wr_be64(w, c->sequence);
	wr_be64(w, c->made_s);
	wr_be16(w, c->bank);
	wr_be32(w, c->pcrs);
	put_list(w, c->policies[0], sizeof(c->policies[0]), c->npolicies);
	put_list(w, c->admins[0], sizeof(c->admins[0]), c->nadmins);
	/* A signature's length varies, so the length that is signed ends
	 * before it. */
	if (wr_err(w) == VT_OK)
		wr_set_be32(w, LENGTH_AT, (uint32_t)(w->len - LENGTH_AT - 4));
}

void
tenant_config_put(struct wr *w, const struct tenant_config *c)
{
	if (w->len != 0 || c->sig_len > sizeof(c->sig)) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	put_statement(w, c);
	wr_blob16(w, c->sig, c->sig_len);
}

static uint32_t
get_list(struct rd *r, char *list, size_t width, uint32_t max)
{
	uint32_t i, n = rd_be16(r);

	if (rd_err(r) == VT_OK && n > max)
		rd_fail(r, VT_E_RANGE);
	for (i = 0; rd_err(r) == VT_OK && i < n; i++)
		rd_str(r, list + i * width, width);
	return rd_err(r) == VT_OK ? n : 0;
}

static void
get_magic(struct rd *r, const char *want, uint16_t version)
{
	const uint8_t *magic = rd_span(r, MAGIC_LEN);

	if (magic != NULL && memcmp(magic, want, MAGIC_LEN) != 0)
		rd_fail(r, VT_E_FORMAT);
	if (rd_be16(r) != version)
		rd_fail(r, VT_E_UNSUPPORTED);
}

int
tenant_config_get(const uint8_t *data, size_t len, struct tenant_config *ret)
{
	struct tenant_config c;
	char text[128];
	uint32_t body;
	struct rd r;
	size_t from;
	int rc;

	if (len > TENANT_CONFIG_MAX)
		return VT_E_RANGE;
	memset(&c, 0, sizeof(c));
	rd_init(&r, data, len);
	get_magic(&r, MAGIC, CONFIG_VERSION);
	body = rd_be32(&r);
	from = r.left;
	c.group = rd_be32(&r);
	c.sequence = rd_be64(&r);
	c.made_s = rd_be64(&r);
	c.bank = rd_be16(&r);
	c.pcrs = rd_be32(&r);
	c.npolicies = get_list(
	    &r, c.policies[0], sizeof(c.policies[0]), TENANT_POLICIES_MAX);
	c.nadmins =
	    get_list(&r, c.admins[0], sizeof(c.admins[0]), TENANT_ADMINS_MAX);
	if (rd_err(&r) == VT_OK && from - r.left != body)
		rd_fail(&r, VT_E_FORMAT);
	rd_copy16(&r, c.sig, sizeof(c.sig), &c.sig_len);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	if (tenant_config_check(&c, text, sizeof(text)) != VT_OK)
		return VT_E_FORMAT;
	*ret = c;
	return VT_OK;
}

/* --- signature -------------------------------------------------------------
 */

int
tenant_config_sign(struct tenant_config *c, const void *pem, size_t len)
{
	uint8_t buf[TENANT_CONFIG_MAX], sig[APPROVAL_SIG_MAX];
	uint16_t sig_len = 0;
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf) - APPROVAL_SIG_MAX - 2);
	put_statement(&w, c);
	if ((rc = wr_err(&w)) != VT_OK ||
	    (rc = approval_sign_bytes(pem, len, buf, w.len, sig, &sig_len)) !=
		VT_OK)
		return rc;
	memcpy(c->sig, sig, sig_len);
	c->sig_len = sig_len;
	return VT_OK;
}

int
tenant_config_verify(
    const struct tenant_config *c, const uint8_t key[APPROVAL_KEY_LEN])
{
	uint8_t buf[TENANT_CONFIG_MAX];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	put_statement(&w, c);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return approval_verify_bytes(key, buf, w.len, c->sig, c->sig_len);
}

/* --- who and what ----------------------------------------------------------
 */

bool
tenant_config_admin(
    const struct tenant_config *c, uint32_t uid, const char *name)
{
	char number[16];
	uint32_t i;

	(void)snprintf(number, sizeof(number), "%u", uid);
	for (i = 0; i < c->nadmins; i++)
		if (strcmp(c->admins[i], number) == 0 ||
		    (name != NULL && strcmp(c->admins[i], name) == 0))
			return true;
	return false;
}

bool
tenant_config_policy(const struct tenant_config *c, const char *policy)
{
	uint32_t i;

	for (i = 0; i < c->npolicies; i++)
		if (strcmp(c->policies[i], policy) == 0)
			return true;
	return c->npolicies == 0;
}

int
tenant_qualify(uint32_t group, uint64_t sequence, const uint8_t *nonce,
    size_t nonce_len, uint8_t out[SHA256_LEN])
{
	uint8_t buf[sizeof(QUOTE_LABEL) + 2 + 4 + 8 + 2 + TENANT_NONCE_MAX];
	struct wr w;
	int rc;

	if (nonce_len < TENANT_NONCE_MIN || nonce_len > TENANT_NONCE_MAX)
		return VT_E_RANGE;
	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, QUOTE_LABEL, sizeof(QUOTE_LABEL) - 1);
	wr_be16(&w, QUOTE_VERSION);
	wr_be32(&w, group);
	wr_be64(&w, sequence);
	wr_blob16(&w, nonce, nonce_len);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return digest_buf(ALG_SHA256, buf, w.len, out);
}

/* --- a host quote ----------------------------------------------------------
 */

void
tenant_quote_put(struct wr *w, const struct tenant_quote *q)
{
	if (q->nonce_len > sizeof(q->nonce) ||
	    q->attest_len > sizeof(q->attest) || q->sig_len > sizeof(q->sig) ||
	    q->ak_cert_len > sizeof(q->ak_cert)) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_bytes(w, QUOTE_MAGIC, MAGIC_LEN);
	wr_be16(w, QUOTE_VERSION);
	wr_be32(w, q->group);
	wr_be64(w, q->sequence);
	wr_blob16(w, q->nonce, q->nonce_len);
	wr_blob16(w, q->attest, q->attest_len);
	wr_blob16(w, q->sig, q->sig_len);
	wr_blob16(w, q->ak_cert, q->ak_cert_len);
}

int
tenant_quote_get(const uint8_t *data, size_t len, struct tenant_quote *ret)
{
	struct tenant_quote q;
	struct rd r;
	int rc;

	if (len > TENANT_QUOTE_MAX)
		return VT_E_RANGE;
	memset(&q, 0, sizeof(q));
	rd_init(&r, data, len);
	get_magic(&r, QUOTE_MAGIC, QUOTE_VERSION);
	q.group = rd_be32(&r);
	q.sequence = rd_be64(&r);
	rd_copy16(&r, q.nonce, sizeof(q.nonce), &q.nonce_len);
	if (rd_err(&r) == VT_OK && q.nonce_len < TENANT_NONCE_MIN)
		rd_fail(&r, VT_E_RANGE);
	rd_copy16(&r, q.attest, sizeof(q.attest), &q.attest_len);
	rd_copy16(&r, q.sig, sizeof(q.sig), &q.sig_len);
	rd_copy16(&r, q.ak_cert, sizeof(q.ak_cert), &q.ak_cert_len);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	*ret = q;
	return VT_OK;
}
