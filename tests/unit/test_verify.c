/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_verify.c - evidence is accepted only when all of it holds, and the
 * report says which check failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "measure/appraise/appraise_report.h"
#include "tests/unit/sample.h"

static const struct report_check *
find(const struct report *r, const char *id)
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->checks[i].id, id) == 0)
			return &r->checks[i];
	return NULL;
}

static void
print_if_bad(const struct report *r, bool bad)
{
	uint32_t i;

	for (i = 0; bad && i < r->n; i++)
		print_message("    %-14s %-16s %s\n",
		    report_outcome_name(r->checks[i].outcome), r->checks[i].id,
		    r->checks[i].words);
}

/* The verdict is v, and the check named id has outcome o. */
static void
expect_report(
    struct report *r, enum ap_verdict v, const char *id, enum report_outcome o)
{
	const struct report_check *c = find(r, id);

	print_if_bad(r, r->verdict != v || c == NULL || c->outcome != o);
	assert_int_equal(r->verdict, v);
	assert_non_null(c);
	assert_int_equal(c->outcome, o);
	assert_true(strlen(c->words) > 0);
	report_free(r);
}

static void
expect(
    struct sample *b, enum ap_verdict v, const char *id, enum report_outcome o)
{
	expect_report(sample_verify(b), v, id, o);
}

static void
good_evidence_is_accepted(void **state)
{
	struct report *r;
	struct sample b;
	uint32_t i;

	(void)state;
	sample_init(&b);
	r = sample_verify(&b);
	print_if_bad(r, r->verdict != AP_ACCEPTED);
	assert_int_equal(r->verdict, AP_ACCEPTED);
	for (i = 0; i < r->n; i++)
		assert_true(r->checks[i].outcome <= REPORT_NOTE);
	assert_true(r->have_instance);
	assert_int_equal(r->instance.generation, 3);
	assert_int_equal(r->root, CERT_EXT_SOFTWARE);
	assert_false(r->worker_restarted);
	assert_false(r->restored);
	assert_int_equal(find(r, "journal-replay")->outcome, REPORT_PASS);
	assert_int_equal(find(r, "log-replay")->outcome, REPORT_PASS);
	assert_int_equal(find(r, "launch")->outcome, REPORT_PASS);
	assert_int_equal(find(r, "info-instance")->outcome, REPORT_PASS);
	report_free(r);
	sample_done(&b);
}

static void
evidence_for_another_nonce_is_refused(void **state)
{
	uint8_t nonce[sizeof(sample_nonce)];
	struct sample b;

	(void)state;
	sample_init(&b);
	memcpy(nonce, sample_nonce, sizeof(nonce));
	nonce[15] ^= 1;
	/* An old bundle as it is ... */
	assert_int_equal(
	    bundle_set(b.ev, BUNDLE_NONCE, nonce, sizeof(nonce)), VT_OK);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "nonce", REPORT_FAIL);
	/* ... and with today's nonce written over it. */
	assert_int_equal(
	    bundle_set(b.ev, BUNDLE_NONCE, sample_nonce, sizeof(sample_nonce)),
	    VT_OK);
	expect(&b, AP_REFUSED, "freshness", REPORT_FAIL);
	sample_done(&b);
}

static void
parts_from_another_bundle_are_refused(void **state)
{
	static const enum bundle_part bound[] = { BUNDLE_LOG, BUNDLE_JOURNAL,
		BUNDLE_LAUNCH, BUNDLE_HOST_LOG, BUNDLE_INFO };
	struct sample b;
	size_t i;

	(void)state;
	sample_init(&b);
	for (i = 0; i < VT_NELEM(bound); i++) {
		struct bundle_blob *p = &b.ev->part[bound[i]], keep = *p;

		p->p[p->len - 1] ^= 1;
		expect(&b, AP_REFUSED, "freshness", REPORT_FAIL);
		p->p[p->len - 1] ^= 1;
		p->p = NULL;
		p->len = 0;
		expect(&b, AP_REFUSED, "freshness", REPORT_FAIL);
		*p = keep;
	}
	sample_done(&b);
}

static void
values_not_quoted_are_refused(void **state)
{
	struct sample b;

	(void)state;
	sample_init(&b);
	b.ev->pcrs.banks[0].val[8][0] ^= 1;
	expect(&b, AP_REFUSED, "pcr-digest", REPORT_FAIL);
	b.ev->pcrs.banks[0].val[8][0] ^= 1;
	b.ev->pcrs.banks[0].valid |= 1u << 14; /* shown, but not signed */
	expect(&b, AP_REFUSED, "selection", REPORT_FAIL);
	b.ev->pcrs.banks[0].valid &= ~(1u << 14);
	/* Signed, but a PCR of the policy is left out. */
	sample_pcrs(&b, "sha256:0-7,9,17");
	sample_quote(&b);
	expect(&b, AP_UNDECIDED, "pcr-missing", REPORT_CANNOT);
	sample_done(&b);
}

/* Law 8. */
static void
software_root_needs_leave(void **state)
{
	struct sample b;

	(void)state;
	sample_init(&b);
	sample_policy(&b, false);
	expect(&b, AP_REFUSED, "root-kind", REPORT_FAIL);
	/* A real hardware root needs none. */
	b.root = b.inst.root = CERT_EXT_HARDWARE;
	b.info.flags &= ~(uint32_t)BUNDLE_F_SOFT_ROOT;
	sample_certs(&b);
	sample_put_info(&b);
	sample_quote(&b);
	expect(&b, AP_ACCEPTED, "root-kind", REPORT_PASS);
	/* The vTPM says that its manager has none. */
	b.info.flags |= BUNDLE_F_SOFT_ROOT;
	sample_put_info(&b);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "info-instance", REPORT_FAIL);
	/* Certificates that say hardware under a software CA. */
	b.root = CERT_EXT_SOFTWARE;
	sample_certs(&b);
	expect(&b, AP_REFUSED, "root", REPORT_FAIL);
	sample_done(&b);
}

static void
without_certificates_or_ca_nothing_is_decided(void **state)
{
	struct verify_want w = { .nonce = sample_nonce,
		.nonce_len = sizeof(sample_nonce),
		.now = TC_NOW };
	struct report *r;
	struct bundle_blob keep;
	struct sample b;

	(void)state;
	sample_init(&b);
	w.policy = b.policy;
	assert_int_equal(verify_bundle(b.ev, &w, &r), VT_OK);
	expect_report(r, AP_UNDECIDED, "certificates", REPORT_CANNOT);
	keep = b.ev->part[BUNDLE_AK_CERT];
	b.ev->part[BUNDLE_AK_CERT].p = NULL;
	expect(&b, AP_UNDECIDED, "certificates", REPORT_CANNOT);
	b.ev->part[BUNDLE_AK_CERT] = keep;
	keep = b.ev->part[BUNDLE_EK_CERT];
	b.ev->part[BUNDLE_EK_CERT].p = NULL;
	expect(&b, AP_UNDECIDED, "signer", REPORT_CANNOT);
	b.ev->part[BUNDLE_EK_CERT] = keep;
	sample_done(&b);
}

static void
another_vtpm_than_asked_for_is_refused(void **state)
{
	uint8_t uuid[UUID_LEN];
	struct verify_want w = { .nonce = sample_nonce,
		.nonce_len = sizeof(sample_nonce),
		.now = TC_NOW,
		.uuid = uuid };
	struct report *r;
	struct sample b;

	(void)state;
	sample_init(&b);
	w.policy = b.policy;
	w.ca = b.ca.der;
	w.ca_len = b.ca.len;
	memcpy(uuid, b.inst.uuid, UUID_LEN);
	assert_int_equal(verify_bundle(b.ev, &w, &r), VT_OK);
	expect_report(r, AP_ACCEPTED, "uuid", REPORT_PASS);
	uuid[3] ^= 1;
	assert_int_equal(verify_bundle(b.ev, &w, &r), VT_OK);
	expect_report(r, AP_REFUSED, "uuid", REPORT_FAIL);
	sample_done(&b);
}

static void
info_must_fit_the_certificate(void **state)
{
	struct sample b;

	(void)state;
	sample_init(&b);
	b.info.uuid[0] ^= 1;
	sample_put_info(&b);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "info-instance", REPORT_FAIL);
	b.info.uuid[0] ^= 1;
	b.info.group = 1;
	sample_put_info(&b);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "info-instance", REPORT_FAIL);
	b.info.group = 0;
	b.info.generation = 2; /* an older copy than was certified */
	sample_put_info(&b);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "info-instance", REPORT_FAIL);
	b.info.generation = 4;
	sample_put_info(&b);
	sample_quote(&b);
	expect(&b, AP_ACCEPTED, "info-instance", REPORT_PASS);
	assert_int_equal(bundle_set(b.ev, BUNDLE_INFO, "x", 1), VT_OK);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "info", REPORT_FAIL);
	sample_done(&b);
}

static void
restored_vtpm_needs_leave(void **state)
{
	struct report *r;
	struct sample b;

	(void)state;
	sample_init(&b);
	b.info.flags |= BUNDLE_F_RESTORED;
	sample_put_info(&b);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "restored", REPORT_FAIL);
	b.policy->restored_reason = strdup("a test");
	assert_non_null(b.policy->restored_reason);
	r = sample_verify(&b);
	assert_true(r->restored);
	expect_report(r, AP_ACCEPTED, "restored", REPORT_NOTE);
	/* The journal alone says so. */
	b.info.flags &= ~(uint32_t)BUNDLE_F_RESTORED;
	sample_put_info(&b);
	assert_int_equal(journal_add_restored(b.journal), VT_OK);
	sample_put_journal(&b);
	sample_quote(&b);
	r = sample_verify(&b);
	assert_true(r->restored);
	expect_report(r, AP_ACCEPTED, "restored", REPORT_NOTE);
	sample_done(&b);
}

/* Extend every quoted PCR by the cap, as a worker does after a crash. */
static void
cap(struct sample *b)
{
	struct tpm_digest d;
	uint32_t i;

	assert_int_equal(journal_cap_digest(ALG_SHA256, &d), VT_OK);
	for (i = 0; i < PCR_COUNT; i++)
		if ((b->ev->pcrs.banks[0].valid >> i & 1) != 0)
			assert_int_equal(
			    digest_extend(
				ALG_SHA256, b->ev->pcrs.banks[0].val[i], d.val),
			    VT_OK);
}

/* Law 4: seen in any one of three places. */
static void
restarted_worker_is_recognised(void **state)
{
	struct report *r;
	struct sample b;

	(void)state;
	sample_init(&b);
	b.info.flags |= BUNDLE_F_CAPPED;
	sample_put_info(&b);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "worker-restarted", REPORT_FAIL);

	b.info.flags &= ~(uint32_t)BUNDLE_F_CAPPED;
	sample_put_info(&b);
	cap(&b); /* only the PCRs show it */
	sample_quote(&b);
	r = sample_verify(&b);
	assert_true(r->worker_restarted);
	assert_int_equal(find(r, "journal-replay")->outcome, REPORT_FAIL);
	expect_report(r, AP_REFUSED, "worker-restarted", REPORT_FAIL);

	assert_int_equal(journal_add_cap(b.journal, PCR_ALL), VT_OK);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17");
	sample_quote(&b);
	r = sample_verify(&b);
	assert_true(r->worker_restarted);
	assert_int_equal(find(r, "journal-replay")->outcome, REPORT_PASS);
	expect_report(r, AP_REFUSED, "worker-restarted", REPORT_FAIL);
	sample_done(&b);
}

static void
journal_that_lies_is_refused(void **state)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = SHA256_LEN };
	struct sample b;

	(void)state;
	sample_init(&b);
	assert_int_equal(
	    journal_add_extend(b.journal, JR_EXTEND, 0, 8, &d, 1), VT_OK);
	sample_put_journal(&b);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "journal-replay", REPORT_FAIL);
	assert_int_equal(bundle_set(b.ev, BUNDLE_JOURNAL, "junk", 4), VT_OK);
	sample_quote(&b);
	expect(&b, AP_REFUSED, "journal-replay", REPORT_FAIL);
	sample_done(&b);
}

static void
launch_of_another_guest_is_refused(void **state)
{
	struct sample b;
	struct bytes log;

	(void)state;
	sample_init(&b);
	journal_free(b.journal);
	log = vector_log();
	b.journal = journal_of_log(&log, &sample_alg, 1);
	free(log.p);
	b.rec->uuid[0] ^= 1;
	sample_put_launch(&b);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17");
	sample_quote(&b);
	sample_policy(&b, true);
	expect(&b, AP_REFUSED, "launch", REPORT_FAIL);
	sample_done(&b);
}

/* PCR 17 proves bytes that are no launch record. */
static void
launch_record_that_is_none_is_refused(void **state)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = SHA256_LEN };
	struct sample b;
	struct bytes log;

	(void)state;
	sample_init(&b);
	journal_free(b.journal);
	log = vector_log();
	b.journal = journal_of_log(&log, &sample_alg, 1);
	free(log.p);
	assert_int_equal(bundle_set(b.ev, BUNDLE_LAUNCH, "junk", 4), VT_OK);
	assert_int_equal(digest_buf(ALG_SHA256, "junk", 4, d.val), VT_OK);
	assert_int_equal(journal_add_drtm_start(b.journal), VT_OK);
	assert_int_equal(journal_add_drtm_end(b.journal, &d, 1), VT_OK);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17");
	sample_quote(&b);
	expect(&b, AP_REFUSED, "launch", REPORT_FAIL);
	sample_done(&b);
}

static void
ak_that_is_not_wrapped_is_refused(void **state)
{
	struct sample b;

	(void)state;
	sample_init(&b);
	assert_int_equal(
	    bundle_set(b.ev, BUNDLE_AK_PUBLIC, b.f.ak_pub, b.f.ak_pub_len),
	    VT_OK);
	expect(&b, AP_REFUSED, "quote", REPORT_FAIL);
	sample_done(&b);
}

/* One word more on the kernel's command line. */
static void
tampered_boot_is_refused_and_named(void **state)
{
	static const char old[] = "/vmlinuz console=ttyS0 panic=-1 quiet";
	static const char new[] = "/vmlinuz console=ttyS0 panic=-1 devel";
	struct report *r;
	struct sample b;
	struct bytes log;
	struct el_event ev;
	struct el_log *el;
	uint32_t i, named = 0;
	uint8_t *p;

	(void)state;
	sample_init(&b);
	log = vector_log();
	assert_int_equal(el_open(log.p, log.len, &el), VT_OK);
	while (el_next(el, &ev) == 1) {
		const struct tpm_digest *d = el_event_digest(&ev, ALG_SHA256);
		uint8_t was[SHA256_LEN], now[SHA256_LEN];
		size_t n;

		assert_int_equal(
		    digest_buf(ALG_SHA256, old, strlen(old), was), VT_OK);
		assert_int_equal(
		    digest_buf(ALG_SHA256, new, strlen(new), now), VT_OK);
		if (d == NULL || memcmp(d->val, was, SHA256_LEN) != 0)
			continue;
		for (n = 0; n + SHA256_LEN <= log.len; n++)
			if (memcmp(log.p + n, was, SHA256_LEN) == 0)
				memcpy(log.p + n, now, SHA256_LEN);
		assert_non_null(
		    p = memmem(ev.data, ev.datalen, old, strlen(old)));
		memcpy(p, new, strlen(new));
	}
	el_close(el);
	journal_free(b.journal);
	b.journal = journal_of_log(&log, &sample_alg, 1);
	assert_int_equal(bundle_set(b.ev, BUNDLE_LOG, log.p, log.len), VT_OK);
	sample_put_launch(&b);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17");
	sample_quote(&b);
	r = sample_verify(&b);
	print_if_bad(r, r->verdict != AP_REFUSED);
	assert_int_equal(r->verdict, AP_REFUSED);
	for (i = 0; i < r->n; i++)
		if (r->checks[i].outcome == REPORT_FAIL &&
		    strstr(r->checks[i].words, "devel") != NULL)
			named++;
	assert_true(named > 0);
	report_free(r);
	free(log.p);
	sample_done(&b);
}

static void
report_is_json_whatever_the_words(void **state)
{
	struct report *r;
	struct sample b;
	json_t *root;
	char *text;

	(void)state;
	sample_init(&b);
	(void)snprintf(
	    b.rec->name, sizeof(b.rec->name), "a\xc3\xa9\033[31m\"\n");
	journal_free(b.journal);
	{
		struct bytes log = vector_log();

		b.journal = journal_of_log(&log, &sample_alg, 1);
		free(log.p);
	}
	sample_put_launch(&b);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17");
	sample_quote(&b);
	r = sample_verify(&b);
	assert_non_null(text = report_json(r));
	assert_non_null(root = json_loads(text, 0, NULL));
	assert_string_equal(json_string_value(json_object_get(root, "verdict")),
	    ap_verdict_name(r->verdict));
	assert_int_equal(
	    json_array_size(json_object_get(root, "checks")), r->n);
	assert_null(strchr(text, '\033'));
	assert_string_equal(
	    json_string_value(json_object_get(
		json_array_get(json_object_get(root, "checks"), 0), "outcome")),
	    "pass");
	json_decref(root);
	free(text);
	report_free(r);
	sample_done(&b);
}

/* Evidence that stock swtpm signed, whole. */
static void
evidence_of_a_real_tpm_is_accepted(void **state)
{
	static const struct {
		const char *name;
		uint8_t root;
	} cases[] = {
		{ "ecc", CERT_EXT_SOFTWARE },
		{ "rsa", CERT_EXT_HARDWARE },
		{ "pss", CERT_EXT_SOFTWARE },
	};
	const char *dir = "tests/vectors/evidence";
	uint8_t nonce[16], *buf, *ca, *made, *pol;
	char path[128], err[POLICY_ERR_MAX];
	struct policy *policy;
	struct report *r;
	struct bundle *ev;
	size_t len, i, n;

	(void)state;
	assert_int_equal(hex_decode("00112233445566778899aabbccddeeff", nonce,
			     sizeof(nonce), &n),
	    VT_OK);
	(void)snprintf(path, sizeof(path), "%s/made", dir);
	assert_int_equal(read_file(path, 64, &made, &len), VT_OK);
	(void)snprintf(path, sizeof(path), "%s/policy.json", dir);
	assert_int_equal(read_file(path, POLICY_MAX_LEN, &pol, &len), VT_OK);
	assert_int_equal(policy_parse(pol, len, &policy, err), VT_OK);
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct verify_want w = { .nonce = nonce, .nonce_len = n };

		(void)snprintf(
		    path, sizeof(path), "%s/%s.json", dir, cases[i].name);
		assert_int_equal(
		    read_file(path, BUNDLE_MAX_LEN, &buf, &len), VT_OK);
		assert_int_equal(bundle_parse(buf, len, &ev, err), VT_OK);
		(void)snprintf(
		    path, sizeof(path), "%s/%s-ca.pem", dir, cases[i].name);
		assert_int_equal(
		    read_file(path, X509_CA_MAX, &ca, &len), VT_OK);
		w.ca = ca;
		w.ca_len = len;
		w.policy = policy;
		w.now = (time_t)strtoll((char *)made, NULL, 10);
		assert_int_equal(verify_bundle(ev, &w, &r), VT_OK);
		print_if_bad(r, r->verdict != AP_ACCEPTED);
		assert_int_equal(r->verdict, AP_ACCEPTED);
		assert_int_equal(r->root, cases[i].root);
		report_free(r);
		bundle_free(ev);
		free(buf);
		free(ca);
	}
	policy_free(policy);
	free(made);
	free(pol);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_evidence_is_accepted),
		cmocka_unit_test(evidence_for_another_nonce_is_refused),
		cmocka_unit_test(parts_from_another_bundle_are_refused),
		cmocka_unit_test(values_not_quoted_are_refused),
		cmocka_unit_test(software_root_needs_leave),
		cmocka_unit_test(without_certificates_or_ca_nothing_is_decided),
		cmocka_unit_test(another_vtpm_than_asked_for_is_refused),
		cmocka_unit_test(info_must_fit_the_certificate),
		cmocka_unit_test(restored_vtpm_needs_leave),
		cmocka_unit_test(restarted_worker_is_recognised),
		cmocka_unit_test(journal_that_lies_is_refused),
		cmocka_unit_test(launch_of_another_guest_is_refused),
		cmocka_unit_test(launch_record_that_is_none_is_refused),
		cmocka_unit_test(ak_that_is_not_wrapped_is_refused),
		cmocka_unit_test(tampered_boot_is_refused_and_named),
		cmocka_unit_test(report_is_json_whatever_the_words),
		cmocka_unit_test(evidence_of_a_real_tpm_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
