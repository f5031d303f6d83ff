/* SPDX-License-Identifier: BSD-3-Clause */
/* test_verify_deep.c - deep evidence: the good is accepted, each attack is
 * stopped by the check that is there for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/deepcases.h"

struct judged {
	struct host_roots *roots;
	struct host_states *states;
	struct deep_host *host;
	struct report *rep;
	char err[HOST_STATE_ERR_MAX];
};

static void
judge(struct dbundle *d, struct judged *j)
{
	struct verify_want w = { .nonce = d->nonce,
		.nonce_len = sizeof(d->nonce),
		.policy = d->g.policy,
		.uuid = d->want_uuid,
		.now = TC_NOW };
	char *text = NULL;

	memset(j, 0, sizeof(*j));
	assert_int_equal(host_roots_new(&j->roots), VT_OK);
	assert_int_equal(
	    host_roots_add(j->roots, d->maker_cert.der, d->maker_cert.len),
	    VT_OK);
	assert_int_equal(host_states_format(&d->st, &text), VT_OK);
	assert_int_equal(
	    host_states_parse(text, strlen(text), &j->states, j->err), VT_OK);
	free(text);
	assert_int_equal(
	    deep_host_new(d->id, j->roots, j->states, TC_NOW, &j->host), VT_OK);
	w.host = j->host;
	assert_int_equal(verify_bundle(d->g.ev, &w, &j->rep), VT_OK);
}

static void
judged_done(struct judged *j)
{
	report_free(j->rep);
	deep_host_free(j->host);
	host_roots_free(j->roots);
	free(j->states);
}

static const struct report_check *
first_bad(const struct report *r)
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (r->checks[i].outcome == REPORT_FAIL)
			return &r->checks[i];
	return NULL;
}

/* Each attack fails at its own check and nowhere else. */
static void
every_case_is_judged_by_its_check(void **state)
{
	struct dbundle *d = malloc(sizeof(*d));
	const struct report_check *bad;
	struct judged j;
	size_t i;

	(void)state;
	assert_non_null(d);
	for (i = 0; i < VT_NELEM(dcases); i++) {
		const char *id = dcases[i].stops;

		db_init(d, dcases[i].tweak);
		judge(d, &j);
		bad = first_bad(j.rep);
		print_message("  %s: %s\n", dcases[i].name,
		    bad != NULL ? bad->words : "accepted");
		if (id == NULL) {
			assert_null(bad);
			assert_int_equal(j.rep->verdict, AP_ACCEPTED);
		} else {
			assert_int_equal(j.rep->verdict, AP_REFUSED);
			assert_non_null(bad);
			assert_string_equal(bad->id, dcase_shown(&dcases[i]));
		}
		judged_done(&j);
		db_done(d);
	}
	free(d);
}

/* The second guest under one host quote: nothing is taken on trust. */
static void
what_was_verified_once_does_not_excuse_another(void **state)
{
	struct dbundle *d = malloc(sizeof(*d));
	struct judged j;
	struct verify_want w;
	struct report *r = NULL;

	(void)state;
	assert_non_null(d);
	db_init(d, NULL);
	judge(d, &j);
	assert_int_equal(j.rep->verdict, AP_ACCEPTED);
	w = (struct verify_want){ .nonce = d->nonce,
		.nonce_len = sizeof(d->nonce),
		.policy = d->g.policy,
		.host = j.host,
		.now = TC_NOW };
	assert_int_equal(verify_bundle(d->g.ev, &w, &r), VT_OK);
	assert_int_equal(r->verdict, AP_ACCEPTED);
	report_free(r);
	d->ans.sig[20] ^= 1;
	db_put_answer(d);
	assert_int_equal(verify_bundle(d->g.ev, &w, &r), VT_OK);
	assert_int_equal(r->verdict, AP_REFUSED);
	assert_string_equal(first_bad(r)->id, "deep-signature");
	report_free(r);
	d->ans.sig[20] ^= 1;
	d->ans.ak_cert[d->ans.ak_cert_len - 1] ^= 1;
	db_put_answer(d);
	assert_int_equal(verify_bundle(d->g.ev, &w, &r), VT_OK);
	assert_string_equal(first_bad(r)->id, "deep-ak-cert");
	report_free(r);
	judged_done(&j);
	db_done(d);
	free(d);
}

static void
without_states_or_deep_quote_nothing_is_accepted(void **state)
{
	struct dbundle *d = malloc(sizeof(*d));
	struct deep_host *h = NULL;
	struct report *r = NULL;
	struct verify_want w;

	(void)state;
	assert_non_null(d);
	db_init(d, NULL);
	assert_int_equal(deep_host_new(d->id, NULL, NULL, TC_NOW, &h), VT_OK);
	w = (struct verify_want){ .nonce = d->nonce,
		.nonce_len = sizeof(d->nonce),
		.policy = d->g.policy,
		.host = h,
		.now = TC_NOW };
	assert_int_equal(verify_bundle(d->g.ev, &w, &r), VT_OK);
	assert_int_equal(r->verdict, AP_UNDECIDED);
	report_free(r);
	free(d->g.ev->part[BUNDLE_DEEP].p);
	d->g.ev->part[BUNDLE_DEEP].p = NULL;
	assert_int_equal(verify_bundle(d->g.ev, &w, &r), VT_OK);
	assert_int_equal(r->verdict, AP_UNDECIDED);
	report_free(r);
	deep_host_free(h);
	db_done(d);
	free(d);
}

static void
the_record_goes_round_and_every_key_counts(void **state)
{
	struct dbundle *d = malloc(sizeof(*d));
	char *text = NULL, *again = NULL, err[HOST_IDENTITY_ERR_MAX];
	struct host_identity *h = NULL;
	size_t i;

	(void)state;
	assert_non_null(d);
	db_init(d, NULL);
	assert_int_equal(host_identity_add_chain(
			     d->id, d->maker_cert.der, d->maker_cert.len),
	    VT_OK);
	assert_int_equal(
	    host_identity_format(d->id, HOST_IDENTITY_RECORD, &text), VT_OK);
	assert_int_equal(host_identity_parse(
			     text, strlen(text), HOST_IDENTITY_RECORD, &h, err),
	    VT_OK);
	assert_int_equal(
	    host_identity_format(h, HOST_IDENTITY_RECORD, &again), VT_OK);
	assert_string_equal(text, again);
	host_identity_free(h);
	h = NULL;
	assert_int_equal(host_identity_parse(text, strlen(text),
			     HOST_IDENTITY_IDENTITY, &h, err),
	    VT_E_FORMAT);
	for (i = 0; i < strlen(text); i += 7)
		assert_int_not_equal(
		    host_identity_parse(text, i, HOST_IDENTITY_RECORD, &h, err),
		    VT_OK);
	assert_null(h);
	free(text);
	free(again);
	db_done(d);
	free(d);
}

static void
bad_states_are_refused(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"format\":\"vtpm-host-states\",\"version\":1,\"states\":[]}",
		"{\"format\":\"vtpm-host-states\",\"version\":2,\"states\":[{"
		"\"bank\":\"sha256\",\"pcrs\":{}}]}",
		"{\"format\":\"vtpm-host-states\",\"version\":1,\"states\":[{"
		"\"bank\":\"sha256\",\"pcrs\":{}}]}",
		"{\"format\":\"vtpm-host-states\",\"version\":1,\"states\":[{"
		"\"bank\":\"sha1\",\"pcrs\":{\"0\":"
		"\"1111111111111111111111111111111111111111\"}}]}",
		"{\"format\":\"vtpm-host-states\",\"version\":1,\"states\":[{"
		"\"bank\":\"sha256\",\"pcrs\":{\"0\":\"00000000000000000000000"
		"00000000000000000000000000000000000000000\"}}]}",
		"{\"format\":\"vtpm-host-states\",\"version\":1,\"states\":[{"
		"\"approval\":\"AAAA\"}]}",
	};
	struct host_states *st = NULL;
	char err[HOST_STATE_ERR_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(texts); i++) {
		err[0] = '\0';
		assert_int_not_equal(
		    host_states_parse(texts[i], strlen(texts[i]), &st, err),
		    VT_OK);
		assert_true(strlen(err) > 0);
		assert_null(st);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_judged_by_its_check),
		cmocka_unit_test(
		    what_was_verified_once_does_not_excuse_another),
		cmocka_unit_test(
		    without_states_or_deep_quote_nothing_is_accepted),
		cmocka_unit_test(the_record_goes_round_and_every_key_counts),
		cmocka_unit_test(bad_states_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
