/* SPDX-License-Identifier: BSD-3-Clause */
/* seal_blob.c - codec of the sealed blob, and which PCRs may seal one. */
#include "tools/seal/seal_blob.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define SB_VERSION 1
#define CC_POLICY_PCR 0x0000017fu /* TPM_CC_PolicyPCR, Part 2, 6.5.2 */
#define ALG_KEYEDHASH 0x0008u

static const uint8_t magic[4] = { 'V', 'T', 'S', 'B' };

int
seal_policy_digest(const struct pcr_sel *sel, const struct pcr_set *pcrs,
    uint8_t out[SHA256_LEN])
{
	uint8_t buf[SHA256_LEN + 4 + 4 + PCR_MAX_BANKS * 6 + SHA256_LEN];
	uint8_t d[DIGEST_MAX];
	struct wr w;
	int rc;

	/* policyDigest starts as zeros (Part 3, 23.7: PolicyPCR). */
	memset(buf, 0, sizeof(buf));
	if ((rc = pcr_digest(pcrs, sel, ALG_SHA256, d)) != VT_OK)
		return rc;
	wr_init(&w, buf + SHA256_LEN, sizeof(buf) - SHA256_LEN);
	wr_be32(&w, CC_POLICY_PCR);
	pcr_sel_put(&w, sel);
	wr_bytes(&w, d, SHA256_LEN);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return digest_buf(ALG_SHA256, buf, SHA256_LEN + w.len, out);
}

void
seal_blob_head(struct wr *w, const struct seal_blob *b)
{
	const uint8_t *val;
	uint32_t k, i;

	wr_bytes(w, magic, sizeof(magic));
	wr_be16(w, SB_VERSION);
	wr_be16(w, b->flags);
	wr_be32(w, b->srk_handle);
	wr_blob16(w, b->srk_name.b, b->srk_name.len);
	pcr_sel_put(w, &b->sel);
	for (k = 0; k < b->sel.n; k++)
		for (i = 0; i < PCR_COUNT; i++) {
			if ((b->sel.banks[k].mask >> i & 1) == 0)
				continue;
			val = pcr_get(&b->pcrs, b->sel.banks[k].alg, i);
			if (val == NULL)
				wr_fail(w, VT_E_NOTFOUND);
			else
				wr_bytes(
				    w, val, digest_len(b->sel.banks[k].alg));
		}
	wr_blob16(w, b->pub, b->pub_len);
	wr_blob16(w, b->priv, b->priv_len);
}

static void
get_pcrs(struct rd *r, struct seal_blob *b)
{
	uint16_t algs[PCR_MAX_BANKS];
	const uint8_t *val;
	uint32_t k, i;
	int rc;

	pcr_sel_get(r, &b->sel);
	if (rd_err(r) != VT_OK)
		return;
	for (k = 0; k < b->sel.n; k++)
		algs[k] = b->sel.banks[k].alg;
	if ((rc = pcr_set_init(&b->pcrs, algs, b->sel.n)) != VT_OK) {
		rd_fail(r, rc);
		return;
	}
	for (k = 0; k < b->sel.n; k++)
		for (i = 0; i < PCR_COUNT; i++) {
			if ((b->sel.banks[k].mask >> i & 1) == 0)
				continue;
			val = rd_span(r, digest_len(algs[k]));
			if (val == NULL)
				return;
			if ((rc = pcr_put(&b->pcrs, algs[k], i, val)) != VT_OK)
				rd_fail(r, rc);
		}
}

/*
 * The sealed object's TPMT_PUBLIC: its authPolicy must be the policy of
 * the PCR values beside it, and the only way to open it.
 */
static int
check_public(const struct seal_blob *b)
{
	const uint32_t may =
	    TO_FIXED_TPM | TO_FIXED_PARENT | TO_ADMIN_POLICY | TO_NO_DA;
	uint8_t want[SHA256_LEN];
	const uint8_t *policy;
	uint16_t type, alg;
	uint32_t attrs;
	size_t n = 0;
	struct rd r;
	int rc;

	rd_init(&r, b->pub, b->pub_len);
	type = rd_be16(&r);
	alg = rd_be16(&r);
	attrs = rd_be32(&r);
	policy = rd_blob16(&r, DIGEST_MAX, &n);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	if (type != ALG_KEYEDHASH || alg != ALG_SHA256 || attrs != may ||
	    n != SHA256_LEN)
		return VT_E_CORRUPT;
	if ((rc = seal_policy_digest(&b->sel, &b->pcrs, want)) != VT_OK)
		return rc;
	return mem_equal(want, policy, n) ? VT_OK : VT_E_CORRUPT;
}

int
seal_blob_get(const uint8_t *buf, size_t len, struct seal_blob *ret)
{
	struct seal_blob b;
	const uint8_t *p;
	struct rd r;
	size_t n = 0;
	int rc;

	memset(&b, 0, sizeof(b));
	rd_init(&r, buf, len);
	p = rd_span(&r, sizeof(magic));
	if (p != NULL && memcmp(p, magic, sizeof(magic)) != 0)
		rd_fail(&r, VT_E_FORMAT);
	if (rd_be16(&r) != SB_VERSION)
		rd_fail(&r, VT_E_UNSUPPORTED);
	b.flags = rd_be16(&r);
	if ((b.flags & ~SB_BULK) != 0)
		rd_fail(&r, VT_E_UNSUPPORTED);
	b.srk_handle = rd_be32(&r);
	p = rd_blob16(&r, sizeof(b.srk_name.b), &n);
	if (p != NULL) {
		b.srk_name.len = (uint16_t)n;
		memcpy(b.srk_name.b, p, n);
	}
	if (rd_err(&r) == VT_OK &&
	    (n < 2 || digest_len(be16_get(b.srk_name.b)) != n - 2))
		rd_fail(&r, VT_E_FORMAT);
	get_pcrs(&r, &b);
	b.pub = rd_blob16(&r, SB_PUB_MAX, &b.pub_len);
	b.priv = rd_blob16(&r, SB_PRIV_MAX, &b.priv_len);
	b.ad = buf;
	b.ad_len = len - r.left;
	if ((b.flags & SB_BULK) != 0) {
		b.iv = rd_span(&r, GCM_IV_LEN);
		b.bulk = rd_blob32(&r, SB_SECRET_MAX, &b.bulk_len);
		b.tag = rd_span(&r, GCM_TAG_LEN);
	}
	if ((rc = rd_end(&r)) != VT_OK || (rc = check_public(&b)) != VT_OK)
		return rc;
	*ret = b;
	return VT_OK;
}

/* --- refusals and explanations
 * ------------------------------------------------ */

int
seal_check_sel(const struct pcr_sel *sel, char *why, size_t cap)
{
	uint32_t i, mask = 0;

	for (i = 0; i < sel->n; i++) {
		if (sel->banks[i].alg == ALG_SHA1) {
			(void)snprintf(why, cap,
			    "SHA-1 PCRs can be forged: seal to another bank, "
			    "like --pcrs sha256:0,2,4,7,8,9");
			return VT_E_POLICY;
		}
		mask |= sel->banks[i].mask;
		if (sel->banks[i].mask == 0)
			break;
	}
	if (mask == 0 || i < sel->n) {
		(void)snprintf(why, cap,
		    "no PCR is selected, so the secret would open in any "
		    "state: "
		    "name the PCRs that your boot is measured into");
		return VT_E_POLICY;
	}
	return VT_OK;
}

int
seal_check_pcrs(const struct pcr_sel *sel, const struct pcr_set *pcrs,
    char *why, size_t cap)
{
	uint16_t alg = 0;
	uint32_t pcr = 0;
	int rc;

	if ((rc = seal_check_sel(sel, why, cap)) != VT_OK)
		return rc;
	rc = pcr_find_extreme(pcrs, sel, &alg, &pcr);
	if (rc == 0)
		return VT_OK;
	if (rc < 0) {
		(void)snprintf(why, cap, "a selected PCR has no value");
		return VT_E_POLICY;
	}
	(void)snprintf(why, cap,
	    "%s PCR %u is all %s: nothing was measured into it, so any boot "
	    "can show that value; leave it out of --pcrs, or boot in a way "
	    "that measures it",
	    digest_name(alg), pcr,
	    pcr_get(pcrs, alg, pcr)[0] == 0 ? "00" : "FF");
	return VT_E_POLICY;
}

static const char *
pcr_words(uint32_t pcr)
{
	static const char *const words[PCR_COUNT] = {
		[0] = "firmware code",
		[1] = "firmware configuration",
		[2] = "option ROM code",
		[3] = "option ROM configuration",
		[4] = "boot loader or kernel image",
		[5] = "partition table and boot actions",
		[6] = "platform",
		[7] = "Secure Boot state",
		[8] = "boot loader commands and kernel command line",
		[9] = "files that the boot loader read: kernel, initrd",
		[10] = "IMA: files read since",
		[11] = "unified kernel image",
		[12] = "kernel command line, credentials",
		[14] = "shim's keys",
		[17] = "the host's launch record",
	};

	return words[pcr] != NULL ? words[pcr] : "no fixed use";
}

uint32_t
seal_differs(
    const struct seal_blob *b, const struct pcr_set *now, char *out, size_t cap)
{
	uint32_t k, i, n = 0;
	size_t off = 0;
	int len;

	out[0] = '\0';
	for (k = 0; k < b->sel.n; k++)
		for (i = 0; i < PCR_COUNT; i++) {
			uint16_t alg = b->sel.banks[k].alg;
			const uint8_t *was, *is;

			if ((b->sel.banks[k].mask >> i & 1) == 0)
				continue;
			was = pcr_get(&b->pcrs, alg, i);
			is = pcr_get(now, alg, i);
			if (was != NULL && is != NULL &&
			    mem_equal(was, is, digest_len(alg)))
				continue;
			n++;
			len = snprintf(out + off, cap - off, "%s%s PCR %u (%s)",
			    off > 0 ? ", " : "", digest_name(alg), i,
			    pcr_words(i));
			if (len > 0 && (size_t)len < cap - off)
				off += (size_t)len;
			else
				out[off] = '\0';
		}
	return n;
}
