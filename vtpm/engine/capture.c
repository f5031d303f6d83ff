/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture.c - the extend journal, built from commands that succeeded.
 */
#include "vtpm/engine/capture.h"

#include <string.h>

#include "measure/log/journal_codec.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"

#define CAP_PCRS 5
#define MAX_DIGESTS 8 /* in one TPML_DIGEST_VALUES; libtpms has 4 */

static void
drop_sequence(struct capture *c)
{
	uint32_t i;

	for (i = 0; i < PCR_MAX_BANKS; i++) {
		digest_drop(c->seq[i]);
		c->seq[i] = NULL;
	}
}

int
capture_init(struct capture *c, bool tpm2)
{
	drop_sequence(c);
	journal_free(c->journal);
	memset(c, 0, sizeof(*c));
	c->nbanks = 1;
	c->algs[0] = tpm2 ? ALG_SHA256 : ALG_SHA1;
	return journal_new(c->algs, c->nbanks, &c->journal);
}

int
capture_load(struct capture *c, const uint8_t *p, size_t len)
{
	struct journal *j;
	int rc;

	if ((rc = journal_decode(p, len, &j)) != VT_OK)
		return rc;
	journal_free(c->journal);
	c->journal = j;
	c->nbanks = journal_banks(j, c->algs);
	return VT_OK;
}

/* --- banks -----------------------------------------------------------------
 */

/* TPMS_PCR_SELECTION; a bank without any PCR is not active. */
static void
get_bank(struct rd *r, uint16_t *algs, uint32_t *n)
{
	uint16_t alg = rd_be16(r);
	uint8_t any = 0, len = rd_u8(r);

	while (len-- > 0 && r->err == VT_OK)
		any |= rd_u8(r);
	if (r->err == VT_OK && any != 0 && digest_len(alg) != 0 &&
	    *n < PCR_MAX_BANKS)
		algs[(*n)++] = alg;
}

static int
query_banks(uint16_t *algs, uint32_t *ret_n)
{
	uint32_t i, count, n = 0;
	struct tcmd c;
	struct rd r;
	int rc;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_GetCapability);
	wr_be32(&c.w, CAP_PCRS);
	wr_be32(&c.w, 0);
	wr_be32(&c.w, 16);
	if ((rc = tcmd_run(&c, NULL, &r)) != VT_OK)
		return rc;
	(void)rd_u8(&r);
	(void)rd_be32(&r);
	count = rd_be32(&r);
	for (i = 0; i < count && r.err == VT_OK; i++)
		get_bank(&r, algs, &n);
	if ((rc = rd_err(&r)) == VT_OK)
		*ret_n = n;
	return rc;
}

/* A journal's banks are fixed: other banks need a new journal. */
static int
set_banks(struct capture *c, const uint16_t *algs, uint32_t n)
{
	struct journal *j;
	int rc;

	if (n == c->nbanks && memcmp(algs, c->algs, n * sizeof(*algs)) == 0)
		return VT_OK;
	if ((rc = journal_new(algs, n, &j)) != VT_OK)
		return rc;
	if ((rc = journal_power_cycle(j)) != VT_OK) {
		journal_free(j);
		return rc;
	}
	journal_free(c->journal);
	c->journal = j;
	c->nbanks = n;
	memcpy(c->algs, algs, n * sizeof(*algs));
	return VT_OK;
}

int
capture_startup(struct capture *c, uint8_t locality, bool clear)
{
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t n = 0;
	int rc;

	if (eng_is_tpm2() && clear) {
		if ((rc = query_banks(algs, &n)) != VT_OK)
			return rc;
		if (n > 0 && (rc = set_banks(c, algs, n)) != VT_OK)
			return rc;
	}
	return journal_add_startup(c->journal, locality, clear);
}

/* --- TPM 2.0 ---------------------------------------------------------------
 */

/* TPML_DIGEST_VALUES. */
static int
get_digests(struct rd *r, struct tpm_digest *d, uint32_t *ret_n)
{
	uint32_t i, n = rd_be32(r);

	if (rd_err(r) != VT_OK)
		return rd_err(r);
	if (n > MAX_DIGESTS)
		return VT_E_RANGE;
	for (i = 0; i < n; i++) {
		d[i].alg = rd_be16(r);
		d[i].len = (uint16_t)digest_len(d[i].alg);
		if (d[i].len == 0)
			rd_fail(r, VT_E_UNSUPPORTED);
		rd_bytes(r, d[i].val, d[i].len);
	}
	*ret_n = n;
	return rd_err(r);
}

static int
command20(struct capture *c, const struct tpm_cmd *cmd, const uint8_t *resp,
    size_t rlen)
{
	struct tpm_digest d[MAX_DIGESTS];
	enum jr_kind kind = JR_EXTEND;
	uint32_t n = 0, pcr = cmd->handle[0];
	struct rd r;
	int rc;

	if (cmd->err != VT_OK)
		return cmd->err;
	if (pcr == RH_NULL)
		return VT_OK;
	switch (cmd->code) {
	case CC_PCR_Reset:
		return journal_add_reset(c->journal, cmd->locality, pcr, 0);
	case CC_PCR_Extend:
		r = tpm_cmd_params(cmd);
		break;
	case CC_PCR_Event:
	case CC_EventSequenceComplete:
		kind = cmd->code == CC_PCR_Event ? JR_EVENT : JR_SEQUENCE;
		if ((rc = tp_response(resp, rlen, false, NULL, &r)) != VT_OK)
			return rc;
		break;
	default:
		return VT_OK;
	}
	if ((rc = get_digests(&r, d, &n)) != VT_OK)
		return rc;
	return journal_add_extend(c->journal, kind, cmd->locality, pcr, d, n);
}

/* --- TPM 1.2 ---------------------------------------------------------------
 */

static int
add_sha1(struct capture *c, enum jr_kind kind, uint8_t locality, uint32_t pcr,
    struct rd *digest)
{
	struct tpm_digest d = { .alg = ALG_SHA1, .len = SHA1_LEN };

	rd_bytes(digest, d.val, SHA1_LEN);
	if (rd_err(digest) != VT_OK)
		return rd_err(digest);
	return journal_add_extend(c->journal, kind, locality, pcr, &d, 1);
}

/* The value after a reset depends on the platform's history, so read it. */
static int
reset12(struct capture *c, uint8_t locality, uint32_t pcr)
{
	struct tcmd t;
	struct rd r;
	uint8_t fill;
	int rc;

	tcmd_begin(&t, TAG_RQU, ORD_PcrRead);
	wr_be32(&t.w, pcr);
	if ((rc = tcmd_run(&t, NULL, &r)) != VT_OK)
		return rc;
	fill = rd_u8(&r);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	return journal_add_reset(c->journal, locality, pcr, fill);
}

static int
resets12(struct capture *c, uint8_t locality, struct rd *cmd)
{
	size_t len;
	const uint8_t *sel = rd_blob16(cmd, 3, &len);
	uint32_t pcr;
	int rc;

	if ((rc = rd_err(cmd)) != VT_OK)
		return rc;
	for (pcr = 0; pcr < 8 * len; pcr++) {
		if ((sel[pcr / 8] >> (pcr % 8) & 1) == 0)
			continue;
		if ((rc = reset12(c, locality, pcr)) != VT_OK)
			return rc;
	}
	return VT_OK;
}

static int
command12(struct capture *c, const struct tpm_cmd *cmd, const uint8_t *resp,
    size_t rlen)
{
	struct rd r, p = tpm_cmd_params(cmd);
	uint32_t pcr;

	if (cmd->code == ORD_PCR_Reset)
		return resets12(c, cmd->locality, &p);
	pcr = rd_be32(&p);
	if (rd_err(&p) != VT_OK)
		return rd_err(&p);
	if (cmd->code == ORD_Extend)
		return add_sha1(c, JR_EXTEND, cmd->locality, pcr, &p);
	if (cmd->code != ORD_SHA1CompleteExtend)
		return VT_OK;
	rd_init(&r, resp, rlen);
	(void)rd_span(&r, TPM_HDR_LEN); /* then hashValue, outDigest */
	return add_sha1(c, JR_SEQUENCE, cmd->locality, pcr, &r);
}

int
capture_command(struct capture *c, const struct tpm_cmd *cmd,
    const uint8_t *resp, size_t rlen)
{
	return cmd->tpm2 ? command20(c, cmd, resp, rlen)
			 : command12(c, cmd, resp, rlen);
}

/* --- the hash sequence of the control channel ------------------------------
 */

int
capture_hash_start(struct capture *c, bool started)
{
	uint32_t i;
	int rc;

	drop_sequence(c);
	for (i = 0; i < c->nbanks; i++)
		if ((rc = digest_begin(c->algs[i], &c->seq[i])) != VT_OK)
			return rc;
	return started ? journal_add_drtm_start(c->journal) : VT_OK;
}

int
capture_hash_data(struct capture *c, const uint8_t *p, size_t len)
{
	uint32_t i;
	int rc;

	for (i = 0; i < c->nbanks; i++) {
		if (c->seq[i] == NULL)
			return VT_E_STATE;
		if ((rc = digest_add(c->seq[i], p, len)) != VT_OK)
			return rc;
	}
	return VT_OK;
}

int
capture_hash_end(struct capture *c)
{
	struct tpm_digest d[PCR_MAX_BANKS];
	uint32_t i;
	int rc;

	memset(d, 0, sizeof(d));
	for (i = 0; i < c->nbanks && i < PCR_MAX_BANKS; i++) {
		if (c->seq[i] == NULL)
			return VT_E_STATE;
		d[i].alg = c->algs[i];
		d[i].len = (uint16_t)digest_len(c->algs[i]);
		rc = digest_end(c->seq[i], d[i].val);
		c->seq[i] = NULL;
		if (rc != VT_OK)
			return rc;
	}
	return journal_add_drtm_end(c->journal, d, c->nbanks);
}
