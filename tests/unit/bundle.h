/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bundle.h - evidence of the boot in tests/vectors, of a vTPM in memory that
 * has everything: certificates, journal, launch record, PCR 17.  Needs
 * cmocka.h before it.
 */
#ifndef TESTS_BUNDLE_H
#define TESTS_BUNDLE_H

#include "measure/evidence/bundle.h"
#include "tests/unit/fakequote.h"
#include "tests/unit/testca.h"
#include "tests/unit/vector.h"

struct bundle {
	struct fq f;
	EVP_PKEY *ca_key;
	struct tc_cert ca, ek, ak;
	struct cert_ext_instance inst;
	uint8_t root; /* of the CA */
	struct ev_info info;
	struct launch_record *rec;
	struct journal *journal;
	struct evidence *ev;
	struct policy *policy;
	char *policy_json;
};

static const uint8_t bundle_nonce[16] = { 0xc0, 0xff, 0xee, 3 };
static const uint16_t bundle_alg = ALG_SHA256;

static inline void
bundle_certs(struct bundle *b)
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
	    evidence_set(b->ev, EV_EK_CERT, b->ek.der, b->ek.len), VT_OK);
	assert_int_equal(
	    evidence_set(b->ev, EV_AK_CERT, b->ak.der, b->ak.len), VT_OK);
}

static inline void
bundle_put_info(struct bundle *b)
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
	assert_int_equal(evidence_set(b->ev, EV_INFO, buf, w.len), VT_OK);
}

static inline void
bundle_put_journal(struct bundle *b)
{
	struct wr w;

	wr_grow(&w, JOURNAL_MAX_LEN);
	journal_encode(b->journal, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(evidence_set(b->ev, EV_JOURNAL, w.buf, w.len), VT_OK);
	wr_free(&w);
}

/* The host's log and the D-RTM sequence of the launch record. */
static inline void
bundle_put_launch(struct bundle *b)
{
	struct el_digest d = { .alg = ALG_SHA256, .len = SHA256_LEN };
	uint8_t *log = NULL;
	size_t len = 0;
	struct wr w;

	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(b->rec, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(evidence_set(b->ev, EV_LAUNCH, w.buf, w.len), VT_OK);
	assert_int_equal(
	    launch_make_log(w.buf, w.len, &bundle_alg, 1, &log, &len), VT_OK);
	assert_int_equal(evidence_set(b->ev, EV_HOST_LOG, log, len), VT_OK);
	assert_int_equal(digest_buf(ALG_SHA256, w.buf, w.len, d.val), VT_OK);
	assert_int_equal(journal_add_drtm_start(b->journal), VT_OK);
	assert_int_equal(journal_add_drtm_end(b->journal, &d, 1), VT_OK);
	free(log);
	wr_free(&w);
}

/* PCRs as the journal has them, for this selection. */
static inline void
bundle_pcrs(struct bundle *b, const char *sel)
{
	struct pcr_set all;
	uint32_t i;

	assert_int_equal(pcr_sel_parse(sel, &b->f.sel), VT_OK);
	assert_int_equal(journal_replay(b->journal, &all), VT_OK);
	assert_int_equal(pcr_set_init(&b->ev->pcrs, &bundle_alg, 1), VT_OK);
	for (i = 0; i < PCR_COUNT; i++)
		if ((b->f.sel.banks[0].mask >> i & 1) != 0)
			assert_int_equal(pcr_put(&b->ev->pcrs, ALG_SHA256, i,
					     pcr_get(&all, ALG_SHA256, i)),
			    VT_OK);
}

/* Sign what is there now. */
static inline void
bundle_quote(struct bundle *b)
{
	uint8_t pub[sizeof(b->f.ak_pub) + 2];

	b->f.pcrs = b->ev->pcrs;
	assert_int_equal(evidence_qualify(b->ev, b->f.extra), VT_OK);
	fq_make(&b->f);
	be16_put(pub, (uint16_t)b->f.ak_pub_len);
	memcpy(pub + 2, b->f.ak_pub, b->f.ak_pub_len);
	assert_int_equal(
	    evidence_set(b->ev, EV_AK_PUBLIC, pub, b->f.ak_pub_len + 2), VT_OK);
	assert_int_equal(
	    evidence_set(b->ev, EV_QUOTE, b->f.attest, b->f.attest_len), VT_OK);
	assert_int_equal(
	    evidence_set(b->ev, EV_SIGNATURE, b->f.sig, b->f.sig_len), VT_OK);
}

static inline void
bundle_policy(struct bundle *b, bool soft_root)
{
	struct policy_gen g = { .name = "test" };
	const struct ev_blob *p = b->ev->part;
	char err[POLICY_ERR_MAX];

	g.logs[0].p = p[EV_HOST_LOG].p;
	g.logs[0].len = p[EV_HOST_LOG].len;
	g.logs[1].p = p[EV_LOG].p;
	g.logs[1].len = p[EV_LOG].len;
	g.record = p[EV_LAUNCH].p;
	g.record_len = p[EV_LAUNCH].len;
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
bundle_init(struct bundle *b)
{
	struct bytes log = vector_log();

	memset(b, 0, sizeof(*b));
	fq_init(&b->f);
	assert_int_equal(evidence_new(&b->ev), VT_OK);
	assert_int_equal(
	    evidence_set(b->ev, EV_NONCE, bundle_nonce, sizeof(bundle_nonce)),
	    VT_OK);
	assert_int_equal(evidence_set(b->ev, EV_LOG, log.p, log.len), VT_OK);
	b->journal = journal_of_log(&log, &bundle_alg, 1);
	free(log.p);
	assert_non_null(b->ca_key = EVP_EC_gen("P-256"));
	b->root = CERT_EXT_SOFTWARE;
	memset(b->inst.uuid, 0xab, UUID_LEN);
	b->inst.generation = 3;
	b->inst.root = CERT_EXT_SOFTWARE;
	b->inst.is_virtual = true;
	bundle_certs(b);
	memcpy(b->info.uuid, b->inst.uuid, UUID_LEN);
	b->info.generation = 3;
	b->info.flags = EVI_SOFT_ROOT | EVI_LAUNCHED;
	bundle_put_info(b);
	assert_int_equal(launch_new(&b->rec), VT_OK);
	memcpy(b->rec->uuid, b->inst.uuid, UUID_LEN);
	(void)snprintf(b->rec->name, sizeof(b->rec->name), "alice");
	b->rec->mode = LAUNCH_M_FIRMWARE;
	bundle_put_launch(b);
	bundle_put_journal(b);
	bundle_pcrs(b, "sha256:0-9,17");
	bundle_quote(b);
	bundle_policy(b, true);
}

static inline void
bundle_done(struct bundle *b)
{
	fq_done(&b->f);
	EVP_PKEY_free(b->ca_key);
	launch_free(b->rec);
	journal_free(b->journal);
	evidence_free(b->ev);
	policy_free(b->policy);
	free(b->policy_json);
}

static inline struct ev_report *
bundle_verify(const struct bundle *b)
{
	struct ev_want w = { .nonce = bundle_nonce,
		.nonce_len = sizeof(bundle_nonce),
		.policy = b->policy,
		.ca = b->ca.der,
		.ca_len = b->ca.len,
		.now = TC_NOW };
	struct ev_report *r = NULL;

	assert_int_equal(evidence_verify(b->ev, &w, &r), VT_OK);
	return r;
}

#endif
