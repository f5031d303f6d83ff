/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sample.h - evidence of the boot in tests/vectors, of a vTPM in memory that
 * has everything: certificates, journal, launch record, PCR 17.  Needs
 * cmocka.h before it.
 */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "measure/appraise/policy.h"
#include "measure/appraise/policy_gen.h"
#include "measure/cert/cert_extension.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/report.h"
#include "measure/evidence/verify.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "tests/unit/fakequote.h"
#include "tests/unit/testca.h"
#include "tests/unit/vector.h"

struct sample {
	struct fq f;
	EVP_PKEY *ca_key;
	struct tc_cert ca, ek, ak;
	struct cert_ext_instance inst;
	uint8_t root; /* of the CA */
	struct bundle_info info;
	struct launch_record *rec;
	struct journal *journal;
	struct bundle *ev;
	struct policy *policy;
	char *policy_json;
};

static const uint8_t sample_nonce[16] = { 0xc0, 0xff, 0xee, 3 };
static const uint16_t sample_alg = ALG_SHA256;

static inline void
sample_certs(struct sample *b)
{
	struct tc_spec ca = { .key = b->ca_key, .name = "CA", .ca = true };
	struct tc_spec ek = { .key = b->f.ek, .name = "EK" };
	struct tc_spec ak = { .key = b->f.ak, .name = "AK" };

	ca.root = b->root;
	ek.eku = CERT_EXT_EKU_EK;
	ak.eku = CERT_EXT_EKU_AK;
	ek.inst = ak.inst = &b->inst;
	tc_make(&ca, NULL, NULL, &b->ca);
	tc_make(&ek, &b->ca, b->ca_key, &b->ek);
	tc_make(&ak, &b->ca, b->ca_key, &b->ak);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_EK_CERT, b->ek.der, b->ek.len), VT_OK);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_AK_CERT, b->ak.der, b->ak.len), VT_OK);
}

static inline void
sample_put_info(struct sample *b)
{
	uint8_t buf[512];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	wr_be16(&w, 1);
	wr_bytes(&w, b->info.uuid, UUID_LEN);
	wr_be32(&w, b->info.group);
	wr_be64(&w, b->info.generation);
	wr_be64(&w, b->info.version);
	wr_be32(&w, b->info.power_cycles);
	wr_be32(&w, b->info.flags);
	wr_str(&w, b->info.build);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(bundle_set(b->ev, BUNDLE_INFO, buf, w.len), VT_OK);
}

static inline void
sample_put_journal(struct sample *b)
{
	struct wr w;

	wr_grow(&w, JOURNAL_MAX_LEN);
	journal_encode(b->journal, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_JOURNAL, w.buf, w.len), VT_OK);
	wr_free(&w);
}

/* The host's log and the D-RTM sequence of the launch record. */
static inline void
sample_put_launch(struct sample *b)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = SHA256_LEN };
	uint8_t *log = NULL;
	size_t len = 0;
	struct wr w;

	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(b->rec, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(bundle_set(b->ev, BUNDLE_LAUNCH, w.buf, w.len), VT_OK);
	assert_int_equal(
	    launch_make_log(w.buf, w.len, &sample_alg, 1, &log, &len), VT_OK);
	assert_int_equal(bundle_set(b->ev, BUNDLE_HOST_LOG, log, len), VT_OK);
	assert_int_equal(digest_buf(ALG_SHA256, w.buf, w.len, d.val), VT_OK);
	assert_int_equal(journal_add_drtm_start(b->journal), VT_OK);
	assert_int_equal(journal_add_drtm_end(b->journal, &d, 1), VT_OK);
	free(log);
	wr_free(&w);
}

/* PCRs as the journal has them, for this selection. */
static inline void
sample_pcrs(struct sample *b, const char *sel)
{
	struct pcr_set all;
	uint32_t i;

	assert_int_equal(pcr_sel_parse(sel, &b->f.sel), VT_OK);
	assert_int_equal(journal_replay(b->journal, &all), VT_OK);
	assert_int_equal(pcr_set_init(&b->ev->pcrs, &sample_alg, 1), VT_OK);
	for (i = 0; i < PCR_COUNT; i++)
		if ((b->f.sel.banks[0].mask >> i & 1) != 0)
			assert_int_equal(pcr_put(&b->ev->pcrs, ALG_SHA256, i,
					     pcr_get(&all, ALG_SHA256, i)),
			    VT_OK);
}

/* Sign what is there now. */
static inline void
sample_quote(struct sample *b)
{
	uint8_t pub[sizeof(b->f.ak_pub) + 2];

	b->f.pcrs = b->ev->pcrs;
	assert_int_equal(bundle_qualify(b->ev, b->f.extra), VT_OK);
	fq_make(&b->f);
	be16_put(pub, (uint16_t)b->f.ak_pub_len);
	memcpy(pub + 2, b->f.ak_pub, b->f.ak_pub_len);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_AK_PUBLIC, pub, b->f.ak_pub_len + 2),
	    VT_OK);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_QUOTE, b->f.attest, b->f.attest_len),
	    VT_OK);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_SIGNATURE, b->f.sig, b->f.sig_len), VT_OK);
}

static inline void
sample_policy(struct sample *b, bool soft_root)
{
	struct policy_gen g = { .name = "test" };
	const struct bundle_blob *p = b->ev->part;
	char err[POLICY_ERR_MAX];

	g.logs[0].p = p[BUNDLE_HOST_LOG].p;
	g.logs[0].len = p[BUNDLE_HOST_LOG].len;
	g.logs[1].p = p[BUNDLE_LOG].p;
	g.logs[1].len = p[BUNDLE_LOG].len;
	g.record = p[BUNDLE_LAUNCH].p;
	g.record_len = p[BUNDLE_LAUNCH].len;
	g.journal = b->journal;
	g.pcrs = &b->ev->pcrs;
	g.allow_software_root = soft_root;
	free(b->policy_json);
	policy_free(b->policy);
	b->policy_json = NULL;
	b->policy = NULL;
	if (policy_generate(&g, &b->policy_json, err) != VT_OK)
		fail_msg("%s", err);
	assert_int_equal(policy_parse(b->policy_json, strlen(b->policy_json),
			     &b->policy, err),
	    VT_OK);
}

static inline void
sample_init(struct sample *b)
{
	struct bytes log = vector_log();

	memset(b, 0, sizeof(*b));
	fq_init(&b->f);
	assert_int_equal(bundle_new(&b->ev), VT_OK);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_NONCE, sample_nonce, sizeof(sample_nonce)),
	    VT_OK);
	assert_int_equal(bundle_set(b->ev, BUNDLE_LOG, log.p, log.len), VT_OK);
	b->journal = journal_of_log(&log, &sample_alg, 1);
	free(log.p);
	assert_non_null(b->ca_key = EVP_EC_gen("P-256"));
	b->root = CERT_EXT_SOFTWARE;
	memset(b->inst.uuid, 0xab, UUID_LEN);
	b->inst.generation = 3;
	b->inst.root = CERT_EXT_SOFTWARE;
	b->inst.is_virtual = true;
	sample_certs(b);
	memcpy(b->info.uuid, b->inst.uuid, UUID_LEN);
	b->info.generation = 3;
	b->info.flags = BUNDLE_F_SOFT_ROOT | BUNDLE_F_LAUNCHED;
	sample_put_info(b);
	assert_int_equal(launch_new(&b->rec), VT_OK);
	memcpy(b->rec->uuid, b->inst.uuid, UUID_LEN);
	(void)snprintf(b->rec->name, sizeof(b->rec->name), "alice");
	b->rec->mode = LAUNCH_M_FIRMWARE;
	sample_put_launch(b);
	sample_put_journal(b);
	sample_pcrs(b, "sha256:0-9,17");
	sample_quote(b);
	sample_policy(b, true);
}

static inline void
sample_done(struct sample *b)
{
	fq_done(&b->f);
	EVP_PKEY_free(b->ca_key);
	launch_free(b->rec);
	journal_free(b->journal);
	bundle_free(b->ev);
	policy_free(b->policy);
	free(b->policy_json);
}

static inline struct report *
sample_verify(const struct sample *b)
{
	struct verify_want w = { .nonce = sample_nonce,
		.nonce_len = sizeof(sample_nonce),
		.policy = b->policy,
		.ca = b->ca.der,
		.ca_len = b->ca.len,
		.now = TC_NOW };
	struct report *r = NULL;

	assert_int_equal(verify_bundle(b->ev, &w, &r), VT_OK);
	return r;
}

#endif
