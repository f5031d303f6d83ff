/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gather.c - reads PCRs, logs, journal, launch record and certificates, and
 * has them quoted: everything that belongs together was read between two looks
 * at the PCRs.
 */
#include "tools/attest/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/util.h"
#include "measure/cert/x509.h"
#include "measure/cert/x509_cert.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/quote.h"
#include "measure/tpm/tpm_public.h"
#include "tools/esys/esys_ctx.h"
#include "tools/esys/esys_vendor.h"
#include "vtpm/engine/vendor.h"
#include "vtpm/proto/worker_msg.h"

#define DEEP_WAIT_MS 60000
#define KEY_FILE_MAX 65536
#define KERNEL_LOG "/sys/kernel/security/tpm0/binary_bios_measurements"
#define CERT_MAX X509_CERT_MAX
#define PCR_IMA 10

_Static_assert((int)BUNDLE_F_CAPPED == (int)VIF_CAPPED &&
		   (int)BUNDLE_F_RESTORED == (int)VIF_RESTORED &&
		   (int)BUNDLE_F_LAUNCHED == (int)VIF_LAUNCHED &&
		   (int)BUNDLE_F_SOFT_ROOT == (int)VIF_SOFT_ROOT &&
		   (int)BUNDLE_F_UNSEEN == (int)VIF_UNSEEN,
    "the verifier's flags are the worker's");

static int
take_log(struct attest *a)
{
	const char *path = a->log != NULL ? a->log : KERNEL_LOG;
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	rc = read_file(path, EL_MAX_LOG, &buf, &len);
	if (rc != VT_OK && a->log != NULL) {
		log_err(
		    "cannot read the event log %s: %s", path, vt_strerror(rc));
		return rc;
	}
	if (rc == VT_OK && len > 0)
		rc = bundle_set(a->ev, BUNDLE_LOG, buf, len);
	else {
		log_warn("no event log at %s (did the boot loader hand one "
			 "over?): going on with the journal and the host's "
			 "log",
		    path);
		rc = VT_OK;
	}
	free(buf);
	return rc;
}

/* --- what the vTPM says of itself
 * -------------------------------------------------- */

static int
fetch_part(
    struct attest *a, uint16_t sub, enum bundle_part part, const char *what)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	rc = esys_vendor_fetch(&a->e, sub, &buf, &len);
	if (rc == VT_OK && len > 0)
		rc = bundle_set(a->ev, part, buf, len);
	if (rc != VT_OK && rc != VT_E_AGAIN) /* that is tried again */
		log_err("cannot read the vTPM's %s: %s", what,
		    rc == VT_E_TPM ? esys_why(&a->e) : vt_strerror(rc));
	free(buf);
	return rc;
}

static int
take_info(struct attest *a, bool *ret_ours)
{
	struct bundle_info info;
	uint8_t buf[1024];
	size_t len = 0;
	int rc;

	rc = esys_vendor_info(&a->e, buf, sizeof(buf), &len);
	if (rc == VT_E_UNSUPPORTED && a->no_journal) {
		log_warn("this TPM has no extend journal, launch record and "
			 "host-made log (it does not know the command "
			 "TPM_CC_VTPM): going on without");
		*ret_ours = false;
		return VT_OK;
	}
	if (rc == VT_E_UNSUPPORTED)
		log_err("this TPM does not know the command TPM_CC_VTPM: it "
			"is not a vTPM of vtpm-managerd, so journal, launch "
			"record and host-made log are missing; --no-journal "
			"continues without them");
	else if (rc != VT_OK)
		log_err("cannot read the vTPM's information: %s",
		    rc == VT_E_TPM ? esys_why(&a->e) : vt_strerror(rc));
	if (rc != VT_OK)
		return rc;
	if ((rc = bundle_info_get(buf, len, &info)) != VT_OK) {
		log_err("the vTPM's information is malformed");
		return rc;
	}
	if (a->default_pcrs && (info.flags & BUNDLE_F_LAUNCHED) != 0)
		a->sel.banks[0].mask |= 1u << PCR_DRTM;
	*ret_ours = true;
	return bundle_set(a->ev, BUNDLE_INFO, buf, len);
}

/* --- AK and certificates ---------------------------------------------------
 */

/* NV indices may be larger than the certificate in them. */
static int
take_cert(struct attest *a, uint32_t index, enum bundle_part part)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	rc = esys_nv_read(&a->e, index, 2 * (size_t)CERT_MAX, &buf, &len);
	if (rc == VT_OK)
		rc = bundle_set(a->ev, part, buf, der_len(buf, len));
	free(buf);
	return rc;
}

/* Puts the issuing key's certificate behind this one, if NV has it and nothing
 * is there yet. */
static int
take_issuer(struct attest *a, enum bundle_part part)
{
	const struct bundle_blob *b = &a->ev->part[part];
	uint8_t both[X509_CERT_MAX], *buf;
	size_t len, i;
	int rc = VT_OK;

	for (i = 0; i < ESYS_NV_CHAIN_N && rc == VT_OK; i++) {
		if (b->p == NULL || der_len(b->p, b->len) < b->len)
			return VT_OK;
		buf = NULL;
		rc = esys_nv_read(&a->e, ESYS_NV_CHAIN + (uint32_t)i,
		    2 * (size_t)CERT_MAX, &buf, &len);
		if (rc == VT_OK)
			len = der_len(buf, len);
		if (rc == VT_OK && b->len + len <= sizeof(both) &&
		    x509_issued_by(b->p, b->len, buf, len) == VT_OK) {
			memcpy(both, b->p, b->len);
			memcpy(both + b->len, buf, len);
			rc = bundle_set(a->ev, part, both, b->len + len);
		}
		free(buf);
		if (rc == VT_E_NOTFOUND)
			rc = VT_OK;
	}
	return rc;
}

/* Is the AK a child of the EK whose certificate is in the bundle? */
static bool
ek_is_parent(const struct attest *a)
{
	static const uint8_t endorsement[4] = { 0x40, 0, 0, 0x0b };
	const struct bundle_blob *b = &a->ev->part[BUNDLE_EK_CERT];
	struct tpm_name ek, ek_qn, qn;

	return x509_ek_name(b->p, b->len, &ek) == VT_OK &&
	       tpm_qualified_name(endorsement, 4, &ek, &ek_qn) == VT_OK &&
	       a->ev->part[BUNDLE_AK_PUBLIC].p != NULL &&
	       tpm_name_of(ALG_SHA256, a->ev->part[BUNDLE_AK_PUBLIC].p + 2,
		   a->ev->part[BUNDLE_AK_PUBLIC].len - 2, &ek) == VT_OK &&
	       tpm_qualified_name(ek_qn.b, ek_qn.len, &ek, &qn) == VT_OK &&
	       tpm_name_equal(&qn, &a->ak_qn);
}

/* Certificates in NV may be old: those of AKs are short-lived, and a host that
 * was recovered has another CA.  The vTPM also keeps the newest ones that the
 * manager sent. */
static int
take_newest(struct attest *a, uint16_t sub, enum bundle_part part)
{
	time_t from, until;
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	rc = esys_vendor_fetch(&a->e, sub, &buf, &len);
	if (rc == VT_E_UNSUPPORTED)
		return VT_OK; /* a vTPM of an older manager */
	if (rc == VT_OK && len > 0 &&
	    x509_cert_times(buf, len, &from, &until) == VT_OK)
		rc = bundle_set(a->ev, part, buf, len);
	free(buf);
	return rc;
}

static int
take_certs(struct attest *a, bool ours)
{
	static const uint32_t ek[] = { ESYS_NV_EK_ECC, ESYS_NV_EK_RSA };
	static const uint16_t sub[] = { VSUB_EK_ECC_CERT, VSUB_EK_RSA_CERT };
	bool any = false, parent = false;
	size_t i;
	int rc;

	rc = take_cert(a, ESYS_NV_AK_CERT, BUNDLE_AK_CERT);
	if (ours && (rc == VT_OK || rc == VT_E_NOTFOUND))
		rc = take_newest(a, VSUB_AK_CERT, BUNDLE_AK_CERT);
	if (rc == VT_OK)
		rc = take_issuer(a, BUNDLE_AK_CERT);
	if (rc == VT_OK && a->ev->part[BUNDLE_AK_CERT].p == NULL)
		rc = VT_E_NOTFOUND;
	if (rc == VT_E_NOTFOUND)
		log_warn(
		    "there is no AK certificate at NV 0x%08x", ESYS_NV_AK_CERT);
	else if (rc != VT_OK)
		goto fail;
	for (i = 0; i < VT_NELEM(ek) && !parent; i++) {
		rc = take_cert(a, ek[i], BUNDLE_EK_CERT);
		if (ours && rc == VT_OK)
			rc = take_newest(a, sub[i], BUNDLE_EK_CERT);
		if (rc == VT_OK)
			rc = take_issuer(a, BUNDLE_EK_CERT);
		if (rc == VT_OK) {
			any = true;
			parent = ek_is_parent(a);
		} else if (rc != VT_E_NOTFOUND) {
			goto fail;
		}
	}
	if (!any)
		log_warn("there is no EK certificate at NV 0x%08x or 0x%08x",
		    ek[0], ek[1]);
	else if (!parent)
		log_warn("the AK is not a child of a certified EK");
	return VT_OK;
fail:
	log_err("cannot read a certificate from the TPM: %s",
	    rc == VT_E_TPM ? esys_why(&a->e) : vt_strerror(rc));
	return rc;
}

static int
take_ak(struct attest *a)
{
	uint8_t buf[TPM_PUB_MAX + 2];
	const uint8_t *p;
	struct tpm_pub pub;
	size_t len = 0, n = 0;
	int rc;

	rc = esys_persistent(&a->e, a->ak, &a->ak_tr);
	if (rc == VT_E_NOTFOUND) {
		log_err("the TPM has no key at 0x%08x: it was cleared or the "
			"AK evicted, and the host puts an AK back at the "
			"guest's next power cycle: reboot; or name another "
			"AK's handle with --ak",
		    a->ak);
		return rc;
	}
	if (rc == VT_OK)
		rc = esys_public(
		    &a->e, a->ak_tr, buf, sizeof(buf), &len, NULL, &a->ak_qn);
	if (rc != VT_OK) {
		log_err("cannot read the AK's public area: %s",
		    rc == VT_E_TPM ? esys_why(&a->e) : vt_strerror(rc));
		return rc;
	}
	if (tpm_pub_unwrap(buf, len, &p, &n) != VT_OK ||
	    tpm_pub_get(p, n, &pub) != VT_OK ||
	    (pub.attrs & TO_RESTRICTED) == 0 || pub.hash == 0) {
		log_err("the key at 0x%08x is not an attestation key "
			"(restricted, signing, with a scheme)",
		    a->ak);
		return VT_E_FORMAT;
	}
	a->hash = pub.hash;
	return bundle_set(a->ev, BUNDLE_AK_PUBLIC, buf, len);
}

/* --- the quote -------------------------------------------------------------
 */

/* VT_E_AGAIN: the quote is not over a->ev->pcrs. */
static int
keep_quote(struct attest *a, const TPM2B_ATTEST *att, const TPMT_SIGNATURE *sig)
{
	uint8_t sbuf[sizeof(TPMT_SIGNATURE)], d[DIGEST_MAX];
	struct quote_attest q;
	struct pcr_sel sel;
	size_t off = 0;
	int rc;

	rc = esys_marshal_sig(&a->e, sig, sbuf, sizeof(sbuf), &off);
	if (rc != VT_OK)
		return rc;
	if ((rc = quote_attest_get(att->attestationData, att->size, &q)) !=
	    VT_OK)
		return rc;
	bundle_selection(a->ev, &sel);
	if ((rc = pcr_digest(&a->ev->pcrs, &sel, a->hash, d)) != VT_OK)
		return rc;
	if (!pcr_sel_equal(&sel, &q.sel) ||
	    q.digest_len != digest_len(a->hash) ||
	    !mem_equal(d, q.digest, q.digest_len))
		return VT_E_AGAIN;
	rc = bundle_set(a->ev, BUNDLE_QUOTE, att->attestationData, att->size);
	if (rc == VT_OK)
		rc = bundle_set(a->ev, BUNDLE_SIGNATURE, sbuf, off);
	return rc;
}

static int
make_quote(struct attest *a)
{
	TPMT_SIG_SCHEME scheme;
	TPM2B_DATA extra = { .size = SHA256_LEN };
	TPMT_SIGNATURE *sig = NULL;
	TPM2B_ATTEST *att = NULL;
	TPML_PCR_SELECTION sel;
	struct pcr_sel s;
	int rc;

	if ((rc = bundle_qualify(a->ev, extra.buffer)) != VT_OK)
		return rc;
	bundle_selection(a->ev, &s);
	esys_sel(&s, &sel);
	memset(&scheme, 0, sizeof(scheme));
	scheme.scheme = TPM2_ALG_NULL; /* the key's own */
	rc = esys_rc(&a->e,
	    Esys_Quote(a->e.ctx, a->ak_tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE, &extra, &scheme, &sel, &att, &sig));
	if (rc == VT_OK)
		rc = keep_quote(a, att, sig);
	Esys_Free(att);
	Esys_Free(sig);
	return rc;
}

/* Does the journal in the bundle give the quoted values?  An extend of some
 * other PCR (IMA's 10) between the two does no harm. */
static bool
journal_fits(const struct attest *a)
{
	const struct bundle_blob *b = &a->ev->part[BUNDLE_JOURNAL];
	const struct pcr_set *pcrs = &a->ev->pcrs;
	struct journal *j = NULL;
	struct pcr_set got;
	const uint8_t *val;
	bool fits = false;
	uint32_t k, i;

	if (b->p == NULL)
		return true;
	if (journal_decode(b->p, b->len, &j) == VT_OK &&
	    journal_replay(j, &got) == VT_OK)
		fits = true;
	for (k = 0; fits && k < pcrs->nbanks; k++)
		for (i = 0; i < PCR_COUNT; i++) {
			val = pcr_get(&got, pcrs->banks[k].alg, i);
			if ((pcrs->banks[k].valid >> i & 1) != 0 &&
			    val != NULL &&
			    !mem_equal(
				val, pcrs->banks[k].val[i], pcrs->banks[k].len))
				fits = false;
		}
	journal_free(j);
	return fits;
}

static int
fetch_parts(struct attest *a)
{
	int rc;

	if ((rc = fetch_part(a, VSUB_JOURNAL, BUNDLE_JOURNAL, "journal")) !=
		VT_OK ||
	    (rc = fetch_part(a, VSUB_LAUNCH, BUNDLE_LAUNCH, "launch record")) !=
		VT_OK)
		return rc;
	return fetch_part(a, VSUB_LOG, BUNDLE_HOST_LOG, "host-made log");
}

static int
take_channel_key(const struct attest *a, uint8_t out[SHA256_LEN])
{
	uint8_t *p = NULL;
	size_t len = 0;
	int rc;

	if (a->channel_key == NULL)
		return VT_OK; /* zeros */
	rc = read_file(a->channel_key, KEY_FILE_MAX, &p, &len);
	if (rc == VT_OK && len == 0)
		rc = VT_E_FORMAT;
	if (rc == VT_OK)
		rc = digest_buf(ALG_SHA256, p, len, out);
	free(p);
	if (rc == VT_OK)
		return VT_OK;
	log_err("%s: %s", a->channel_key,
	    rc == VT_E_FORMAT ? "is empty" : vt_strerror(rc));
	return VT_E_STATE;
}

static void
say_no_deep(struct attest *a, int rc, const char *why)
{
	const char *text = vt_strerror(rc);

	if (why[0] != '\0')
		text = why;
	else if (rc == VT_E_UNSUPPORTED)
		text = "this TPM does not offer them: it is not a vTPM of "
		       "vtpm-managerd, or one of an older version";
	else if (rc == VT_E_TIMEOUT)
		text = "the host's TPM did not answer in time: try again later";
	else if (rc == VT_E_TPM && esys_base_rc(a->e.rc) == TPM2_RC_MEMORY)
		text = "too many of this guest's deep quotes are under way: "
		       "try again later";
	else if (rc == VT_E_TPM)
		text = esys_why(&a->e);
	log_err("no deep quote: %s", text);
}

/* The host's TPM vouches for the quote just made.  VT_E_AGAIN: something was
 * extended between the journal in the bundle and this. */
static int
take_deep(struct attest *a)
{
	const struct bundle_blob *q = &a->ev->part[BUNDLE_QUOTE];
	const struct bundle_blob *s = &a->ev->part[BUNDLE_SIGNATURE];
	const struct bundle_blob *n = &a->ev->part[BUNDLE_NONCE];
	const struct bundle_blob *j = &a->ev->part[BUNDLE_JOURNAL];
	const struct iov_part parts[] = { { q->p, q->len }, { s->p, s->len } };
	struct vendor_deep d = { .nonce = n->p, .nonce_len = n->len };
	uint8_t digest[SHA256_LEN], out[DEEP_ANSWER_MAX];
	char why[TEXT_MAX_LEN + 1] = "";
	struct deep_answer ans;
	size_t len;
	int rc;

	if ((rc = take_channel_key(a, d.channel_key)) != VT_OK)
		return rc;
	rc = digest_parts(ALG_SHA256, parts, VT_NELEM(parts), d.quote);
	if (rc == VT_OK)
		rc = esys_vendor_deep(&a->e, &d, DEEP_WAIT_MS, out, &len, why);
	if (rc != VT_OK) {
		say_no_deep(a, rc, why);
		return VT_E_STATE;
	}
	if ((rc = deep_answer_get(out, len, &ans)) != VT_OK)
		return rc;
	if (j->p != NULL) {
		rc = digest_buf(ALG_SHA256, j->p, j->len, digest);
		if (rc == VT_OK &&
		    memcmp(digest, ans.leaf.journal, SHA256_LEN) != 0)
			rc = VT_E_AGAIN;
	}
	return rc == VT_OK ? bundle_set(a->ev, BUNDLE_DEEP, out, len) : rc;
}

/* Journal, logs, PCRs and quote that belong together: nothing that matters
 * was extended from the first of them to the last. */
static int
gather_once(struct attest *a, bool ours)
{
	uint32_t before = 0, after = 0;
	struct pcr_set again;
	int rc;

	rc = esys_pcr_read(&a->e, &a->sel, &a->ev->pcrs, &before);
	if (rc == VT_OK && ours)
		rc = fetch_parts(a);
	if (rc == VT_OK)
		rc = make_quote(a);
	if (rc == VT_OK)
		rc = esys_pcr_read(&a->e, &a->sel, &again, &after);
	if (rc == VT_OK && before != after && !journal_fits(a))
		rc = VT_E_AGAIN;
	if (rc == VT_OK && a->deep)
		rc = take_deep(a);
	return rc;
}

static void
sort_sel(struct pcr_sel *sel)
{
	uint32_t i, j;

	for (i = 0; i < sel->n; i++) /* at most PCR_MAX_BANKS */
		for (j = i + 1; j < sel->n; j++)
			if (sel->banks[j].alg < sel->banks[i].alg) {
				uint16_t alg = sel->banks[i].alg;
				uint32_t mask = sel->banks[i].mask;

				sel->banks[i] = sel->banks[j];
				sel->banks[j].alg = alg;
				sel->banks[j].mask = mask;
			}
}

/* The guest may have other banks than those of its creation. */
static int
choose_bank(struct attest *a)
{
	int rc;

	if (!a->default_pcrs)
		return VT_OK;
	rc = esys_active_bank(&a->e, &a->sel.banks[0].alg);
	if (rc == VT_E_NOTFOUND)
		log_err("none of the PCR banks sha256, sha384 and sha512 is "
			"active, and no verifier takes sha1: switch one on "
			"(tpm2_pcrallocate, or `vtpmctl banks` on the host) "
			"and power cycle the guest");
	else if (rc != VT_OK)
		log_err(
		    "cannot read the active PCR banks: %s", esys_why(&a->e));
	return rc;
}

static int
gather_tries(struct attest *a, bool ours)
{
	int rc = VT_E_AGAIN, i;

	for (i = 0; i < ESYS_TRIES && rc == VT_E_AGAIN; i++)
		rc = gather_once(a, ours);
	return rc;
}

int
gather(struct attest *a)
{
	bool ours = false;
	int rc;

	if ((rc = choose_bank(a)) != VT_OK)
		return rc;
	if ((rc = take_info(a, &ours)) != VT_OK ||
	    (rc = take_log(a)) != VT_OK || (rc = take_ak(a)) != VT_OK ||
	    (rc = take_certs(a, ours)) != VT_OK)
		return rc;
	sort_sel(&a->sel);
	rc = gather_tries(a, ours);
	if (rc == VT_E_AGAIN && a->default_pcrs) {
		log_warn("PCRs kept changing while they were quoted: leaving "
			 "out PCR %u, which IMA extends",
		    PCR_IMA);
		a->sel.banks[0].mask &= ~(1u << PCR_IMA);
		rc = gather_tries(a, ours);
	}
	if (rc == VT_E_AGAIN)
		log_err("PCRs kept changing while they were quoted: try "
			"again, or leave out the busy ones with --pcrs");
	else if (rc != VT_OK)
		log_err("no evidence: %s", rc == VT_E_TPM || rc == VT_E_NOTFOUND
					       ? esys_why(&a->e)
					       : vt_strerror(rc));
	return rc;
}
