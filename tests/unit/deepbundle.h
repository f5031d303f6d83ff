/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deepbundle.h - deep evidence of a vTPM in memory on a host in memory, right
 * in all but what a test wants wrong.  Needs cmocka.h before it.
 *
 * A case is a function that is called at each stage and changes what it
 * likes; everything that comes after follows from that.
 */
#ifndef TESTS_DEEPBUNDLE_H
#define TESTS_DEEPBUNDLE_H

#include <openssl/pem.h>

#include "measure/cert/cert_extension.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/host/host_identity.h"
#include "measure/log/journal.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"
#include "tests/unit/deeptree.h"
#include "tests/unit/sample.h"

#define DB_LEAVES 37
#define DB_YEARS 300000000L /* valid now, whenever that is */

enum db_stage {
	DB_KEYS,   /* keys are there, nothing is certified */
	DB_LEAF,   /* the leaf is filled in */
	DB_TREE,   /* the leaves are hashed, the root is not made */
	DB_ATTEST, /* the host's TPM is about to quote */
	DB_ANSWER, /* the answer is filled in */
	DB_END,    /* evidence and host record are there */
};

struct dbundle {
	struct sample g; /* the guest; its CA is the host's */
	struct fq host;
	EVP_PKEY *maker, *ca2, *approver;
	struct tc_cert maker_cert, hek, hak;
	struct cert_ext_instance hinst; /* of the host's AK */
	EVP_PKEY *hak_key;              /* NULL: the enrolled AK */
	EVP_PKEY *hak_issuer;           /* NULL: the host's CA */
	EVP_PKEY *day;    /* issued the EK certificate; NULL: the CA */
	EVP_PKEY *day_by; /* NULL: the CA */
	struct tc_spec day_spec;
	uint32_t ca_attrs;
	struct deep_leaf leaf;
	uint8_t leaves[DB_LEAVES][SHA256_LEN];
	size_t n, index;
	struct deep_answer ans;
	uint64_t sequence;
	struct host_identity *id;
	struct host_states st;
	uint8_t nonce[16]; /* that the verifier gave out */
	uint8_t want_uuid[UUID_LEN];
	void (*tweak)(struct dbundle *d, enum db_stage s);
};

static inline void
db_stage(struct dbundle *d, enum db_stage s)
{
	if (d->tweak != NULL)
		d->tweak(d, s);
}

static inline void
db_cert(EVP_PKEY *key, const char *name, const char *eku,
    const struct cert_ext_instance *inst, uint8_t root,
    const struct tc_cert *issuer, EVP_PKEY *issuer_key, struct tc_cert *ret)
{
	struct tc_spec s = { .key = key,
		.name = name,
		.ca = eku == NULL,
		.eku = eku,
		.inst = inst,
		.root = root,
		.from = -DB_YEARS,
		.to = DB_YEARS };

	tc_make(&s, issuer, issuer_key, ret);
}

/* TPM2B_PUBLIC of a P-256 signing key. */
static inline size_t
db_public(EVP_PKEY *key, uint32_t attrs, uint8_t out[256])
{
	struct fq f = { .ak = key,
		.name_alg = ALG_SHA256,
		.attrs = attrs,
		.scheme = TA_ECDSA,
		.hash = ALG_SHA256 };

	fq_ak_public(&f);
	be16_put(out, (uint16_t)f.ak_pub_len);
	memcpy(out + 2, f.ak_pub, f.ak_pub_len);
	return f.ak_pub_len + 2;
}

/* TPM2_Certify of the CA's key by the host's AK. */
static inline void
db_certify(struct dbundle *d, const uint8_t *pub, size_t len)
{
	struct fq f = d->host;
	struct tpm_name name, qn;
	struct wr w;

	assert_int_equal(
	    tpm_name_of(ALG_SHA256, pub + 2, len - 2, &name), VT_OK);
	assert_int_equal(
	    tpm_child_name(&d->host.ek_name, &d->host.ak_name, &qn), VT_OK);
	wr_init(&w, f.attest, sizeof(f.attest));
	wr_be32(&w, 0xff544347);
	wr_be16(&w, 0x8017);
	wr_blob16(&w, qn.b, qn.len);
	wr_be16(&w, 0);
	wr_be64(&w, 1);
	wr_be32(&w, 1);
	wr_be32(&w, 0);
	wr_u8(&w, 1);
	wr_be64(&w, 0x2026);
	wr_blob16(&w, name.b, name.len);
	wr_blob16(&w, name.b, name.len);
	assert_int_equal(wr_err(&w), VT_OK);
	f.attest_len = w.len;
	f.signer = NULL;
	fq_sign(&f);
	assert_int_equal(
	    host_identity_set(d->id, HI_CA_ATTEST, f.attest, f.attest_len),
	    VT_OK);
	assert_int_equal(
	    host_identity_set(d->id, HI_CA_SIG, f.sig, f.sig_len), VT_OK);
}

static inline void
db_record(struct dbundle *d)
{
	uint8_t pub[256];
	size_t len;

	fq_ek_public(&d->host);
	fq_ak_public(&d->host);
	assert_int_equal(host_identity_new(&d->id), VT_OK);
	(void)snprintf(d->id->host, sizeof(d->id->host), "host-a");
	d->id->enrolled_s = 1;
	db_cert(
	    d->maker, "TPM maker", NULL, NULL, 0, NULL, NULL, &d->maker_cert);
	db_cert(d->host.ek, "host EK", CERT_EXT_EKU_EK, NULL, 0, &d->maker_cert,
	    d->maker, &d->hek);
	be16_put(pub, (uint16_t)d->host.ek_pub_len);
	memcpy(pub + 2, d->host.ek_pub, d->host.ek_pub_len);
	assert_int_equal(
	    host_identity_set(d->id, HI_EK_PUBLIC, pub, d->host.ek_pub_len + 2),
	    VT_OK);
	assert_int_equal(
	    host_identity_set(d->id, HI_EK_CERT, d->hek.der, d->hek.len),
	    VT_OK);
	len = db_public(d->host.ak, d->host.attrs, pub);
	assert_int_equal(
	    host_identity_set(d->id, HI_AK_PUBLIC, pub, len), VT_OK);
	len = db_public(d->g.ca_key, d->ca_attrs, pub);
	assert_int_equal(
	    host_identity_set(d->id, HI_CA_PUBLIC, pub, len), VT_OK);
	db_certify(d, pub, len);
	db_cert(d->g.ca_key, "host CA", NULL, NULL, d->g.root, NULL, NULL,
	    &d->g.ca);
	assert_int_equal(
	    host_identity_set(d->id, HI_CA_CERT, d->g.ca.der, d->g.ca.len),
	    VT_OK);
}

/* What the host says of the guest whose evidence is there. */
static inline void
db_leaf(struct dbundle *d)
{
	const struct sample *b = &d->g;
	const struct bundle_blob *p = b->ev->part;
	const struct iov_part parts[] = {
		{ p[BUNDLE_QUOTE].p, p[BUNDLE_QUOTE].len },
		{ p[BUNDLE_SIGNATURE].p, p[BUNDLE_SIGNATURE].len },
	};
	struct deep_leaf *l = &d->leaf;

	memset(l, 0, sizeof(*l));
	memcpy(l->uuid, b->inst.uuid, UUID_LEN);
	l->group = b->inst.group;
	memcpy(l->ek_name, b->f.ek_name.b, l->ek_name_len = b->f.ek_name.len);
	memcpy(l->ak_name, b->f.ak_name.b, l->ak_name_len = b->f.ak_name.len);
	assert_int_equal(digest_parts(ALG_SHA256, parts, 2, l->quote), VT_OK);
	memcpy(l->nonce, p[BUNDLE_NONCE].p,
	    l->nonce_len = (uint16_t)p[BUNDLE_NONCE].len);
	assert_int_equal(digest_buf(ALG_SHA256, p[BUNDLE_LAUNCH].p,
			     p[BUNDLE_LAUNCH].len, l->launch),
	    VT_OK);
	assert_int_equal(digest_buf(ALG_SHA256, p[BUNDLE_JOURNAL].p,
			     p[BUNDLE_JOURNAL].len, l->journal),
	    VT_OK);
	l->flags = DEEP_F_LAUNCHED;
	l->generation = b->inst.generation;
	l->version = 12;
}

/* Certificates of the guest, and what it says of itself. */
static inline void
db_certs(struct dbundle *d)
{
	struct sample *b = &d->g;
	struct tc_cert day;

	if (d->day != NULL) {
		tc_make(&d->day_spec, &b->ca,
		    d->day_by != NULL ? d->day_by : b->ca_key, &day);
		db_cert(b->f.ek, "EK", CERT_EXT_EKU_EK, &b->inst, 0, &day,
		    d->day, &b->ek);
		tc_append(&b->ek, &day);
	} else {
		db_cert(b->f.ek, "EK", CERT_EXT_EKU_EK, &b->inst, 0, &b->ca,
		    b->ca_key, &b->ek);
	}
	db_cert(b->f.ak, "AK", CERT_EXT_EKU_AK, &b->inst, 0, &b->ca, b->ca_key,
	    &b->ak);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_EK_CERT, b->ek.der, b->ek.len), VT_OK);
	assert_int_equal(
	    bundle_set(b->ev, BUNDLE_AK_CERT, b->ak.der, b->ak.len), VT_OK);
	memcpy(b->info.uuid, b->inst.uuid, UUID_LEN);
	b->info.group = b->inst.group;
	sample_put_info(b);
}

static inline void
db_guest(struct dbundle *d)
{
	db_certs(d);
	sample_quote(&d->g);
	sample_policy(&d->g, false);
	db_leaf(d);
}

static inline void
db_quote(struct dbundle *d)
{
	struct deep_answer *a = &d->ans;
	uint8_t root[SHA256_LEN];
	struct fq f;
	size_t i, n;

	db_stage(d, DB_LEAF);
	for (i = 0; i < d->n; i++)
		memset(d->leaves[i], (int)i + 1, SHA256_LEN);
	assert_int_equal(deep_leaf_hash(&d->leaf, d->leaves[d->index]), VT_OK);
	db_stage(d, DB_TREE);
	assert_int_equal(deep_root((const void *)d->leaves, d->n, root), VT_OK);
	assert_int_equal(
	    deep_path((const void *)d->leaves, d->n, d->index, a->path, &n),
	    VT_OK);
	a->leaf = d->leaf;
	a->index = d->index;
	a->count = d->n;
	a->path_len = (uint16_t)n;
	a->policy_sequence = d->sequence;
	assert_int_equal(deep_qualify(root, d->sequence, d->host.extra), VT_OK);
	f = d->host;
	if (d->hak_key != NULL)
		f.ak = d->hak_key;
	db_stage(d, DB_ATTEST);
	f.sel = d->host.sel;
	f.pcrs = d->host.pcrs;
	f.primary_ak = d->host.primary_ak;
	f.magic = d->host.magic;
	f.signer = d->host.signer;
	memcpy(f.extra, d->host.extra, sizeof(f.extra));
	fq_make(&f);
	memcpy(a->attest, f.attest, a->attest_len = (uint16_t)f.attest_len);
	memcpy(a->sig, f.sig, a->sig_len = (uint16_t)f.sig_len);
	db_cert(f.ak, "host AK", CERT_EXT_EKU_AK, &d->hinst, 0, &d->g.ca,
	    d->hak_issuer != NULL ? d->hak_issuer : d->g.ca_key, &d->hak);
	memcpy(a->ak_cert, d->hak.der, a->ak_cert_len = (uint16_t)d->hak.len);
	db_stage(d, DB_ANSWER);
}

static inline void
db_put_answer(struct dbundle *d)
{
	uint8_t buf[DEEP_ANSWER_MAX];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, &d->ans);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(bundle_set(d->g.ev, BUNDLE_DEEP, buf, w.len), VT_OK);
}

/* The private key in PEM; NUL-terminated. */
static inline void
db_pem(EVP_PKEY *key, char out[1024])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	assert_int_equal(
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_read(bio, out, 1023);
	assert_true(n > 0);
	out[n] = '\0';
	BIO_free(bio);
}

/* State i becomes an approval of these PCRs. */
static inline void
db_approve(struct dbundle *d, uint32_t i, uint32_t group, uint64_t epoch)
{
	struct approval *a = &d->st.state[i].a;
	char pem[1024];

	db_pem(d->approver, pem);
	assert_int_equal(approval_key_read(pem, strlen(pem), d->st.key), VT_OK);
	d->st.have_key = true;
	a->group = group;
	a->sequence = 1;
	a->epoch = epoch;
	a->epoch_name[1] = ALG_SHA256;
	assert_int_equal(approval_sign(a, pem, strlen(pem)), VT_OK);
	d->st.state[i].signed_ = true;
}

/* Launch, journal and PCRs anew: the tweak may have changed the record. */
static inline void
db_boot(struct dbundle *d)
{
	struct bytes log = vector_log();
	struct sample *b = &d->g;

	journal_free(b->journal);
	b->journal = journal_of_log(&log, &sample_alg, 1);
	free(log.p);
	sample_put_launch(b);
	sample_put_journal(b);
	sample_pcrs(b, "sha256:0-9,17");
}

static inline void
db_init(struct dbundle *d, void (*tweak)(struct dbundle *d, enum db_stage s))
{
	struct sample *b = &d->g;

	memset(d, 0, sizeof(*d));
	d->tweak = tweak;
	sample_init(b);
	fq_init(&d->host);
	assert_int_equal(pcr_sel_parse("sha256:0,7", &d->host.sel), VT_OK);
	assert_non_null(d->maker = EVP_EC_gen("P-256"));
	assert_non_null(d->ca2 = EVP_EC_gen("P-256"));
	assert_non_null(d->approver = EVP_EC_gen("P-256"));
	b->root = b->inst.root = d->hinst.root = CERT_EXT_HARDWARE;
	b->info.flags = BUNDLE_F_LAUNCHED;
	d->ca_attrs = TO_FIXED_TPM | TO_FIXED_PARENT | TO_SENSITIVE_ORIGIN |
		      TO_SIGN | TO_USER_WITH_AUTH;
	d->n = DB_LEAVES;
	d->index = 20;
	d->sequence = 4;
	memcpy(d->nonce, sample_nonce, sizeof(d->nonce));
	d->st.n = 1;
	(void)snprintf(
	    d->st.state[0].a.label, sizeof(d->st.state[0].a.label), "good");
	d->st.state[0].a.pcrs = d->host.pcrs;
	d->st.state[0].a.pcrs.banks[0].valid = d->host.sel.banks[0].mask;
	db_stage(d, DB_KEYS);
	d->hinst.group = d->hinst.group != 0 ? d->hinst.group : b->inst.group;
	memcpy(d->want_uuid, b->inst.uuid, UUID_LEN);
	db_boot(d);
	db_record(d);
	db_guest(d);
	db_quote(d);
	db_put_answer(d);
	db_stage(d, DB_END);
}

static inline void
db_done(struct dbundle *d)
{
	host_identity_free(d->id);
	EVP_PKEY_free(d->maker);
	EVP_PKEY_free(d->ca2);
	EVP_PKEY_free(d->approver);
	EVP_PKEY_free(d->hak_key);
	EVP_PKEY_free(d->day);
	fq_done(&d->host);
	sample_done(&d->g);
}

#endif
