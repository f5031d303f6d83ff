/* SPDX-License-Identifier: BSD-3-Clause */
/* seal_blob.c - codec of the sealed blob, and which PCRs may seal one. */
#include "tools/seal/seal_blob.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define SB_VERSION_PCRS 1
#define SB_VERSION 2
#define SCRYPT_MEM (300u * 1024 * 1024)
#define ALG_KEYEDHASH 0x0008u

static const uint8_t magic[4] = { 'V', 'T', 'S', 'B' };

/* --- what it is sealed to ---------------------------------------------------
 */

int
seal_ref_check(const char *ref)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	char text[UUID_STRLEN + 1] = "", again[UUID_STRLEN + 1];
	uint8_t uuid[UUID_LEN];
	const char *role;
	size_t n;

	if (strnlen(ref, UUID_STRLEN + 1) <= UUID_STRLEN ||
	    ref[UUID_STRLEN] != ':')
		return VT_E_FORMAT;
	memcpy(text, ref, UUID_STRLEN);
	if (uuid_parse(text, uuid) != VT_OK)
		return VT_E_FORMAT;
	uuid_format(uuid, again); /* one form, or two refs would look alike */
	role = ref + UUID_STRLEN + 1;
	n = strlen(role);
	if (strcmp(text, again) != 0 || n == 0 || n > SB_ROLE_MAX ||
	    strspn(role, set) != n)
		return VT_E_FORMAT;
	return VT_OK;
}

uint32_t
seal_blob_attrs(const struct seal_blob *b)
{
	return TO_FIXED_TPM | TO_FIXED_PARENT | TO_ADMIN_POLICY |
	       ((b->flags & SB_PASSPHRASE) != 0 ? 0 : TO_NO_DA);
}

static int
main_branch(const struct seal_blob *b, uint8_t d[SHA256_LEN])
{
	if ((b->flags & SB_AUTHORITY) != 0)
		return seal_policy_authorize(d, &b->authority.name, b->ref);
	return seal_policy_pcr(d, &b->sel, &b->pcrs);
}

int
seal_blob_policy(const struct seal_blob *b, struct seal_branches *ret)
{
	struct seal_branches br;
	int rc;

	memset(&br, 0, sizeof(br));
	if ((rc = main_branch(b, br.digest[br.n++])) != VT_OK)
		return rc;
	if ((b->flags & SB_PASSPHRASE) != 0 &&
	    (rc = seal_policy_auth_value(br.digest[br.n++])) != VT_OK)
		return rc;
	if ((b->flags & SB_RECOVERY_KEY) != 0 &&
	    (rc = seal_policy_signed(br.digest[br.n++], &b->recovery.name,
		 SB_RECOVERY_REF)) != VT_OK)
		return rc;
	if (br.n == 1)
		memcpy(br.policy, br.digest[0], SHA256_LEN);
	else if ((rc = seal_policy_or(br.policy,
		      (const uint8_t(*)[SHA256_LEN])br.digest, br.n)) != VT_OK)
		return rc;
	*ret = br;
	return VT_OK;
}

int
seal_stretch(const struct seal_blob *b, const void *pass, size_t len,
    uint8_t out[SHA256_LEN])
{
	int ok = EVP_PBE_scrypt(pass, len, b->salt, SB_SALT_LEN,
	    UINT64_C(1) << b->cost, 8, 1, SCRYPT_MEM, out, SHA256_LEN);

	ERR_clear_error();
	if (ok != 1)
		return VT_E_CRYPTO;
	out[SHA256_LEN - 1] |= 1; /* a TPM drops zeros at the end */
	return VT_OK;
}

/* --- codec ------------------------------------------------------------------
 */

static void
put_pcrs(struct wr *w, const struct seal_blob *b)
{
	const uint8_t *val;
	uint32_t k, i;

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
}

static void
put_sealed_to(struct wr *w, const struct seal_blob *b)
{
	if ((b->flags & SB_AUTHORITY) != 0) {
		wr_blob16(w, b->authority.pub, b->authority.pub_len);
		wr_str(w, b->ref);
		wr_be32(w, b->epoch_index);
	} else {
		put_pcrs(w, b);
	}
	if ((b->flags & SB_PASSPHRASE) != 0) {
		wr_bytes(w, b->salt, sizeof(b->salt));
		wr_u8(w, b->cost);
	}
	if ((b->flags & SB_RECOVERY_KEY) != 0)
		wr_blob16(w, b->recovery.pub, b->recovery.pub_len);
}

void
seal_blob_head(struct wr *w, const struct seal_blob *b)
{
	wr_bytes(w, magic, sizeof(magic));
	wr_be16(w, (b->flags & ~SB_BULK) != 0 ? SB_VERSION : SB_VERSION_PCRS);
	wr_be16(w, b->flags);
	wr_be32(w, b->srk_handle);
	wr_blob16(w, b->srk_name.b, b->srk_name.len);
	put_sealed_to(w, b);
	wr_blob16(w, b->pub, b->pub_len);
	wr_blob16(w, b->priv, b->priv_len);
}

static void
get_pcrs(struct rd *r, struct seal_blob *b)
{
	uint16_t algs[PCR_MAX_BANKS] = { 0 };
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

static void
get_key(struct rd *r, struct seal_key *k)
{
	size_t n = 0;
	const uint8_t *p = rd_blob16(r, SEAL_KEY_PUB_MAX, &n);
	int rc;

	if (p != NULL && (rc = seal_key_get(p, n, k)) != VT_OK)
		rd_fail(r, rc == VT_E_TRUNC ? VT_E_FORMAT : rc);
}

static void
get_sealed_to(struct rd *r, struct seal_blob *b)
{
	if ((b->flags & SB_AUTHORITY) != 0) {
		get_key(r, &b->authority);
		rd_str(r, b->ref, sizeof(b->ref));
		b->epoch_index = rd_be32(r);
		if (rd_err(r) == VT_OK && seal_ref_check(b->ref) != VT_OK)
			rd_fail(r, VT_E_FORMAT);
	} else {
		get_pcrs(r, b);
	}
	if ((b->flags & SB_PASSPHRASE) != 0) {
		rd_bytes(r, b->salt, sizeof(b->salt));
		b->cost = rd_u8(r);
		if (b->cost < SB_COST_MIN || b->cost > SB_COST_MAX)
			rd_fail(r, VT_E_RANGE);
	}
	if ((b->flags & SB_RECOVERY_KEY) != 0)
		get_key(r, &b->recovery);
}

/*
 * The sealed object's TPMT_PUBLIC: its authPolicy must be the policy that
 * the blob describes, and the only way to open it.
 */
static int
check_public(const struct seal_blob *b)
{
	struct seal_branches want;
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
	if (type != ALG_KEYEDHASH || alg != ALG_SHA256 ||
	    attrs != seal_blob_attrs(b) || n != SHA256_LEN)
		return VT_E_CORRUPT;
	if ((rc = seal_blob_policy(b, &want)) != VT_OK)
		return rc;
	return mem_equal(want.policy, policy, n) ? VT_OK : VT_E_CORRUPT;
}

/* Each thing has one version that says it. */
static void
get_version(struct rd *r, struct seal_blob *b)
{
	uint16_t version = rd_be16(r);

	b->flags = rd_be16(r);
	if (version != SB_VERSION && version != SB_VERSION_PCRS)
		rd_fail(r, VT_E_UNSUPPORTED);
	if ((b->flags & ~SB_FLAGS) != 0 ||
	    (version == SB_VERSION_PCRS) != ((b->flags & ~SB_BULK) == 0))
		rd_fail(r, VT_E_UNSUPPORTED);
}

static void
get_storage_key(struct rd *r, struct seal_blob *b)
{
	size_t n = 0;
	const uint8_t *p;

	b->srk_handle = rd_be32(r);
	p = rd_blob16(r, sizeof(b->srk_name.b), &n);
	if (p == NULL)
		return;
	b->srk_name.len = (uint16_t)n;
	memcpy(b->srk_name.b, p, n);
	if (n < 2 || digest_len(be16_get(b->srk_name.b)) != n - 2)
		rd_fail(r, VT_E_FORMAT);
}

int
seal_blob_get(const uint8_t *buf, size_t len, struct seal_blob *ret)
{
	struct seal_blob b;
	const uint8_t *p;
	struct rd r;
	int rc;

	memset(&b, 0, sizeof(b));
	rd_init(&r, buf, len);
	p = rd_span(&r, sizeof(magic));
	if (p != NULL && memcmp(p, magic, sizeof(magic)) != 0)
		rd_fail(&r, VT_E_FORMAT);
	get_version(&r, &b);
	get_storage_key(&r, &b);
	get_sealed_to(&r, &b);
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
seal_differs(const struct pcr_sel *sel, const struct pcr_set *was,
    const struct pcr_set *now, char *out, size_t cap)
{
	uint32_t k, i, n = 0;
	size_t off = 0;
	int len;

	out[0] = '\0';
	for (k = 0; k < sel->n; k++)
		for (i = 0; i < PCR_COUNT; i++) {
			uint16_t alg = sel->banks[k].alg;
			const uint8_t *a, *b;

			if ((sel->banks[k].mask >> i & 1) == 0)
				continue;
			a = pcr_get(was, alg, i);
			b = pcr_get(now, alg, i);
			if (a != NULL && b != NULL &&
			    mem_equal(a, b, digest_len(alg)))
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
