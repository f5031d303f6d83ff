/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verifybench.c - how many deep bundles one core verifies in a second:
 *   verifybench GUESTS SECONDS
 *
 * GUESTS vTPMs, each with keys, certificates, launch record and journal of its
 * own, all leaves of one tree under one quote of the host's TPM, as a verifier
 * of a fleet gets them.  Each round has fresh nonces, fresh quotes of all
 * guests and a fresh quote of the host, and is judged once; what makes it is
 * not in the time that is measured.  The whole of vtpm-verify's work, as calls
 * of the library: JSON, quote, certificates, leaf, path, host, logs, policy.
 * Prints "KIND PER-SECOND":
 *   first  every guest is seen for the first time
 *   again  guests that were seen before, in the same boot
 *   judge  the same without their JSON
 *   parse  the JSON alone
 *   floor  nothing but each guest's P-256 signature
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

#include "measure/evidence/boot_memory.h"
#include "tests/unit/deepbundle.h"

#define GUESTS_MAX 4096
#define BOOTS_BYTES ((size_t)256 << 20)

struct guest {
	EVP_PKEY *ek, *ak;
	struct bundle *ev; /* its own; fresh in each round */
	struct deep_leaf leaf;
	uint8_t uuid[UUID_LEN], nonce[16];
	char *json;
	size_t len;
};

struct fleet {
	struct guest guest[GUESTS_MAX];
	size_t n;
	uint64_t round;
	struct dbundle base;
	struct host_states *states;
	struct host_roots *roots;
	/* the verifier's memory */
	struct deep_host *host;
	struct boot_memory *boots;
};

static uint64_t
cpu_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* --- the fleet ------------------------------------------------------------ */

/* The base bundle becomes this guest's. */
static void
be_guest(struct dbundle *d, const struct guest *g)
{
	d->g.f.ek = g->ek;
	d->g.f.ak = g->ak;
	d->g.ev = g->ev;
	memcpy(d->g.inst.uuid, g->uuid, UUID_LEN);
}

static void
guest_make(struct fleet *f, size_t i)
{
	char *text = NULL, err[BUNDLE_ERR_MAX];
	struct guest *g = &f->guest[i];
	struct dbundle *d = &f->base;

	memcpy(g->uuid, d->g.inst.uuid, UUID_LEN);
	be32_put(g->uuid, (uint32_t)i);
	assert_non_null(g->ek = EVP_EC_gen("P-256"));
	assert_non_null(g->ak = EVP_EC_gen("P-256"));
	assert_int_equal(bundle_format(d->g.ev, &text), VT_OK);
	assert_int_equal(bundle_parse(text, strlen(text), &g->ev, err), VT_OK);
	free(text);
	be_guest(d, g);
	memcpy(d->g.rec->uuid, g->uuid, UUID_LEN);
	db_boot(d);
	db_guest(d);
}

static void
fleet_make(struct fleet *f, size_t n)
{
	struct dbundle *d = &f->base;
	char *text = NULL, err[HOST_STATE_ERR_MAX];

	db_init(d, NULL);
	for (f->n = 0; f->n < n; f->n++)
		guest_make(f, f->n);
	assert_int_equal(host_roots_new(&f->roots), VT_OK);
	assert_int_equal(
	    host_roots_add(f->roots, d->maker_cert.der, d->maker_cert.len),
	    VT_OK);
	assert_int_equal(host_states_format(&d->st, &text), VT_OK);
	assert_int_equal(
	    host_states_parse(text, strlen(text), &f->states, err), VT_OK);
	free(text);
}

static void
guest_quotes(struct fleet *f, size_t i)
{
	struct guest *g = &f->guest[i];
	struct dbundle *d = &f->base;

	be_guest(d, g);
	be64_put(g->nonce, f->round);
	be64_put(g->nonce + 8, i);
	assert_int_equal(
	    bundle_set(g->ev, BUNDLE_NONCE, g->nonce, sizeof(g->nonce)), VT_OK);
	d->g.f.clock = 1000 * f->round;
	sample_quote(&d->g);
	db_leaf(d);
	g->leaf = d->leaf;
}

static void
guest_answer(struct fleet *f, const struct deep_tree *t, size_t i)
{
	struct guest *g = &f->guest[i];
	struct dbundle *d = &f->base;
	size_t len;

	d->ans.leaf = g->leaf;
	d->ans.index = i;
	d->ans.count = f->n;
	assert_int_equal(deep_tree_path(t, i, d->ans.path, &len), VT_OK);
	d->ans.path_len = (uint16_t)len;
	d->g.ev = g->ev;
	db_put_answer(d);
	free(g->json);
	assert_int_equal(bundle_format(g->ev, &g->json), VT_OK);
	g->len = strlen(g->json);
}

/* Nonces, quotes, the host's quote and the bundles, all fresh. */
static void
next_round(struct fleet *f)
{
	uint8_t(*leaves)[SHA256_LEN] = calloc(f->n, SHA256_LEN);
	struct dbundle *d = &f->base;
	struct deep_tree *t = NULL;
	uint8_t root[SHA256_LEN];
	size_t i;

	assert_non_null(leaves);
	f->round++;
	for (i = 0; i < f->n; i++) {
		guest_quotes(f, i);
		assert_int_equal(
		    deep_leaf_hash(&f->guest[i].leaf, leaves[i]), VT_OK);
	}
	assert_int_equal(deep_tree_new((const void *)leaves, f->n, &t), VT_OK);
	deep_tree_root(t, root);
	assert_int_equal(deep_qualify(root, d->sequence, d->host.extra), VT_OK);
	fq_make(&d->host);
	memcpy(d->ans.attest, d->host.attest, d->host.attest_len);
	d->ans.attest_len = (uint16_t)d->host.attest_len;
	memcpy(d->ans.sig, d->host.sig, d->host.sig_len);
	for (i = 0; i < f->n; i++)
		guest_answer(f, t, i);
	deep_tree_free(t);
	free(leaves);
}

/* --- what is measured ----------------------------------------------------- */

static void
remember(struct fleet *f)
{
	if (deep_host_new(f->base.id, f->roots, f->states, 0, &f->host) !=
		VT_OK ||
	    boot_memory_new(f->base.g.policy, BOOTS_BYTES, &f->boots) != VT_OK)
		abort();
}

static void
forget(struct fleet *f)
{
	deep_host_free(f->host);
	boot_memory_free(f->boots);
	f->host = NULL;
	f->boots = NULL;
}

static void
parse(const struct guest *g, struct bundle **ret)
{
	char err[BUNDLE_ERR_MAX];

	if (bundle_parse(g->json, g->len, ret, err) != VT_OK)
		abort();
}

static void
judge(struct fleet *f, const struct guest *g, const struct bundle *ev)
{
	struct verify_want w = { .nonce = g->nonce,
		.nonce_len = sizeof(g->nonce),
		.policy = f->base.g.policy,
		.uuid = g->uuid,
		.host = f->host,
		.boots = f->boots };
	struct report *r = NULL;

	if (verify_bundle(ev, &w, &r) != VT_OK || r->verdict != AP_ACCEPTED) {
		(void)fprintf(
		    stderr, "guest %zd is not accepted\n", g - f->guest);
		exit(1);
	}
	report_free(r);
}

static void
whole(struct fleet *f, size_t i)
{
	struct bundle *ev = NULL;

	parse(&f->guest[i], &ev);
	judge(f, &f->guest[i], ev);
	bundle_free(ev);
}

/* g->ev is what was parsed before. */
static void
judge_alone(struct fleet *f, size_t i)
{
	judge(f, &f->guest[i], f->guest[i].ev);
}

static void
parse_alone(struct fleet *f, size_t i)
{
	struct bundle *ev = NULL;

	parse(&f->guest[i], &ev);
	bundle_free(ev);
}

static void
signature_alone(struct fleet *f, size_t i)
{
	const struct bundle_blob *b = f->guest[i].ev->part;
	struct tpm_pub pub;
	const uint8_t *p;
	size_t len;

	if (tpm_pub_unwrap(b[BUNDLE_AK_PUBLIC].p, b[BUNDLE_AK_PUBLIC].len, &p,
		&len) != VT_OK ||
	    tpm_pub_get(p, len, &pub) != VT_OK ||
	    !quote_signature_ok(&pub, f->guest[i].ak, b[BUNDLE_QUOTE].p,
		b[BUNDLE_QUOTE].len, b[BUNDLE_SIGNATURE].p,
		b[BUNDLE_SIGNATURE].len))
		abort();
}

/* Rounds, each once, until `us` of the processor's time are gone. */
static void
measure(struct fleet *f, const char *what,
    void (*one)(struct fleet *f, size_t i), bool fresh, uint64_t us)
{
	uint64_t t0, used = 0;
	size_t i, n = 0;

	while (used < us) {
		next_round(f);
		if (fresh)
			forget(f);
		t0 = cpu_us();
		if (fresh)
			remember(f);
		for (i = 0; i < f->n; i++)
			one(f, i);
		used += cpu_us() - t0;
		n += f->n;
	}
	(void)printf("%s %.0f\n", what, (double)n * 1e6 / (double)used);
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct fleet *f = calloc(1, sizeof(*f));
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
	uint64_t us = seconds > 0 ? (uint64_t)(seconds * 1e6) : 0;

	if (f == NULL || n == 0 || n > GUESTS_MAX || us == 0)
		return 2;
	fleet_make(f, n);
	next_round(f);
	(void)fprintf(stderr, "evidence: %zu bytes each\n", f->guest[0].len);
	measure(f, "first", whole, true, us); /* leaves all of them seen */
	measure(f, "again", whole, false, us);
	(void)fprintf(stderr, "boots: %zu, %zu bytes, found %llu times\n",
	    boot_memory_count(f->boots), boot_memory_bytes(f->boots),
	    (unsigned long long)boot_memory_hits(f->boots));
	measure(f, "judge", judge_alone, false, us);
	measure(f, "parse", parse_alone, false, us);
	measure(f, "floor", signature_alone, false, us);
	forget(f);
	return 0;
}
