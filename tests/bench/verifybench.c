/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verifybench.c - how many deep bundles one core verifies in a second:
 *   verifybench GUESTS SECONDS
 *
 * GUESTS vTPMs with keys and certificates of their own, all leaves of one
 * tree under one quote of the host's TPM, as a verifier of a fleet gets them.
 * The whole of vtpm-verify's work, as calls of the library: JSON, quote,
 * certificates, leaf, path, host, logs, policy.
 * Prints "KIND PER-SECOND": `first` sees every guest for the first time,
 * `again` those it has seen, `judge` those without
 * their JSON, `parse` is the JSON alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/deepbundle.h"

#define GUESTS_MAX 4096

struct fleet {
	char *json[GUESTS_MAX];
	size_t n;
	struct dbundle base;
	struct hoststates *states;
	struct host_roots *roots;
};

static uint64_t
cpu_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void
fleet_make(struct fleet *f, size_t n)
{
	uint8_t(*leaves)[SHA256_LEN] = calloc(n, SHA256_LEN);
	struct deep_leaf *data = calloc(n, sizeof(*data));
	uint8_t root[SHA256_LEN];
	struct dbundle *d = &f->base;
	struct evidence **evs = calloc(n, sizeof(struct evidence *));
	struct deep_tree *t = NULL;
	char err[HOSTSTATE_ERR_MAX], *text = NULL;
	size_t i, len;

	assert_true(leaves != NULL && data != NULL && evs != NULL);
	db_init(d, NULL);
	for (i = 0; i < n; i++) {
		EVP_PKEY_free(d->g.f.ek);
		EVP_PKEY_free(d->g.f.ak);
		assert_non_null(d->g.f.ek = EVP_EC_gen("P-256"));
		assert_non_null(d->g.f.ak = EVP_EC_gen("P-256"));
		db_guest(d);
		data[i] = d->leaf;
		assert_int_equal(deep_leaf_hash(&d->leaf, leaves[i]), VT_OK);
		assert_int_equal(evidence_format(d->g.ev, &text), VT_OK);
		assert_int_equal(
		    evidence_parse(text, strlen(text), &evs[i], err), VT_OK);
		free(text);
	}
	assert_int_equal(deep_tree_new((const void *)leaves, n, &t), VT_OK);
	deep_tree_root(t, root);
	assert_int_equal(deep_qualify(root, d->sequence, d->host.extra), VT_OK);
	fq_make(&d->host);
	memcpy(d->ans.attest, d->host.attest, d->host.attest_len);
	d->ans.attest_len = (uint16_t)d->host.attest_len;
	memcpy(d->ans.sig, d->host.sig, d->host.sig_len);
	for (i = 0; i < n; i++) {
		d->ans.leaf = data[i];
		d->ans.index = i;
		d->ans.count = n;
		assert_int_equal(
		    deep_tree_path(t, i, d->ans.path, &len), VT_OK);
		d->ans.path_len = (uint16_t)len;
		db_put_answer(d);
		assert_int_equal(
		    evidence_set(evs[i], EV_DEEP, d->g.ev->part[EV_DEEP].p,
			d->g.ev->part[EV_DEEP].len),
		    VT_OK);
		assert_int_equal(evidence_format(evs[i], &f->json[i]), VT_OK);
		evidence_free(evs[i]);
	}
	f->n = n;
	deep_tree_free(t);
	free(evs);
	free(data);
	free(leaves);
	assert_int_equal(host_roots_new(&f->roots), VT_OK);
	assert_int_equal(
	    host_roots_add(f->roots, d->maker_cert.der, d->maker_cert.len),
	    VT_OK);
	assert_int_equal(hoststates_format(&d->st, &text), VT_OK);
	assert_int_equal(
	    hoststates_parse(text, strlen(text), &f->states, err), VT_OK);
	free(text);
}

static void
one(struct fleet *f, size_t i, struct deep_host *h, bool judge)
{
	struct ev_want w = { .nonce = bundle_nonce,
		.nonce_len = sizeof(bundle_nonce),
		.policy = f->base.g.policy,
		.host = h };
	struct evidence *ev = NULL;
	struct ev_report *r = NULL;
	char err[EV_ERR_MAX];

	if (evidence_parse(f->json[i], strlen(f->json[i]), &ev, err) != VT_OK)
		abort();
	if (judge && (evidence_verify(ev, &w, &r) != VT_OK ||
			 r->verdict != AP_ACCEPTED)) {
		(void)fprintf(stderr, "guest %zu is not accepted\n", i);
		exit(1);
	}
	evidence_report_free(r);
	evidence_free(ev);
}

/* Bundles that were parsed before: the verification alone. */
static void
measure_judge(struct fleet *f, uint64_t us)
{
	struct evidence **evs = calloc(f->n, sizeof(struct evidence *));
	struct ev_want w = { .nonce = bundle_nonce,
		.nonce_len = sizeof(bundle_nonce),
		.policy = f->base.g.policy };
	char err[EV_ERR_MAX];
	uint64_t t0 = 0;
	size_t i, n = 0;

	if (evs == NULL ||
	    deep_host_new(f->base.id, f->roots, f->states, 0, &w.host) != VT_OK)
		abort();
	for (i = 0; i < f->n; i++)
		if (evidence_parse(
			f->json[i], strlen(f->json[i]), &evs[i], err) != VT_OK)
			abort();
	while (t0 == 0 || cpu_us() - t0 < us) {
		for (i = 0; i < f->n; i++) {
			struct ev_report *r = NULL;

			if (evidence_verify(evs[i], &w, &r) != VT_OK ||
			    r->verdict != AP_ACCEPTED)
				abort();
			evidence_report_free(r);
		}
		if (t0 == 0)
			t0 = cpu_us(); /* the first round fills the memory */
		else
			n += f->n;
	}
	(void)printf("judge %.0f\n", (double)n * 1e6 / (double)(cpu_us() - t0));
	for (i = 0; i < f->n; i++)
		evidence_free(evs[i]);
	free(evs);
	deep_host_free(w.host);
}

/* Rounds over all guests until `us` of the processor's time are gone. */
static void
measure(struct fleet *f, const char *what, bool fresh, bool judge, uint64_t us)
{
	uint64_t t0, used = 0;
	struct deep_host *h = NULL;
	size_t i, n = 0;

	if (!fresh) {
		if (deep_host_new(f->base.id, f->roots, f->states, 0, &h) !=
		    VT_OK)
			abort();
		for (i = 0; judge && i < f->n; i++)
			one(f, i, h, true);
	}
	while (used < us) {
		t0 = cpu_us();
		if (fresh && deep_host_new(f->base.id, f->roots, f->states, 0,
				 &h) != VT_OK)
			abort();
		for (i = 0; i < f->n; i++)
			one(f, i, h, judge);
		n += f->n;
		if (fresh)
			deep_host_free(h);
		used += cpu_us() - t0;
	}
	if (!fresh)
		deep_host_free(h);
	(void)printf("%s %.0f\n", what, (double)n * 1e6 / (double)used);
}

int
main(int argc, char **argv)
{
	struct fleet *f = calloc(1, sizeof(*f));
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
	uint64_t us = argc > 2 ? strtoul(argv[2], NULL, 10) * 1000000 : 2000000;

	if (f == NULL || n == 0 || n > GUESTS_MAX)
		return 2;
	fleet_make(f, n);
	(void)fprintf(stderr, "evidence: %zu bytes each\n", strlen(f->json[0]));
	measure(f, "first", true, true, us);
	measure(f, "again", false, true, us);
	measure_judge(f, us);
	measure(f, "parse", false, false, us);
	return 0;
}
