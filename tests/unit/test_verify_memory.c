/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_verify_memory.c - what a verifier remembers makes it faster and nothing
 * else: whatever is judged with a full memory gets the report that it gets with
 * an empty one, and the memory keeps its bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "measure/evidence/boot_memory.h"
#include "measure/evidence/lru.h"
#include "measure/evidence/certificate_memory.h"
#include "tests/unit/deepcases.h"

#define BOOTS_BYTES ((size_t)1 << 20)

/* --- lru ------------------------------------------------------------------ */

static int dropped[64];

static void
drop(void *val)
{
	dropped[(int *)val - dropped]++;
}

static void
key_of(unsigned int i, uint8_t key[SHA256_LEN])
{
	memset(key, 0, SHA256_LEN); /* one bucket for all */
	key[SHA256_LEN - 1] = (uint8_t)i;
}

static bool
has(struct lru *l, unsigned int i)
{
	uint8_t key[SHA256_LEN];
	int *v;

	key_of(i, key);
	v = lru_find(l, key);
	assert_true(v == NULL || v == &dropped[i]);
	return v != NULL;
}

static int
put(struct lru *l, unsigned int i, size_t bytes)
{
	uint8_t key[SHA256_LEN];

	key_of(i, key);
	return lru_put(l, key, &dropped[i], bytes);
}

static void
what_was_used_longest_ago_goes_first(void **state)
{
	struct lru *l = NULL;
	unsigned int i;

	(void)state;
	memset(dropped, 0, sizeof(dropped));
	assert_int_equal(lru_new(3, 1 << 20, drop, &l), VT_OK);
	for (i = 0; i < 3; i++)
		assert_int_equal(put(l, i, 10), VT_OK);
	assert_true(has(l, 0)); /* now 1 is the oldest */
	assert_int_equal(put(l, 3, 10), VT_OK);
	assert_false(has(l, 1));
	assert_true(has(l, 0) && has(l, 2) && has(l, 3));
	assert_int_equal(lru_count(l), 3);
	assert_int_equal(put(l, 2, 10), VT_OK); /* in its own place */
	assert_int_equal(lru_count(l), 3);
	assert_true(has(l, 0) && has(l, 2) && has(l, 3));
	lru_free(l);
	assert_int_equal(dropped[0], 1);
	assert_int_equal(dropped[1], 1);
	assert_int_equal(dropped[2], 2);
	assert_int_equal(dropped[3], 1);
}

static void
bytes_are_bounded_whatever_is_put(void **state)
{
	struct lru *l = NULL;
	unsigned int i, n = 0;

	(void)state;
	memset(dropped, 0, sizeof(dropped));
	assert_int_equal(lru_new(64, 1000, drop, &l), VT_OK);
	assert_int_equal(put(l, 0, 1000), VT_E_RANGE); /* ours come on top */
	assert_int_equal(put(l, 0, SIZE_MAX), VT_E_RANGE);
	assert_int_equal(lru_count(l), 0);
	assert_int_equal(lru_bytes(l), 0);
	for (i = 0; i < 64; i++) {
		assert_int_equal(put(l, i, i * 7), VT_OK);
		assert_true(has(l, i));
		assert_true(lru_bytes(l) <= 1000);
	}
	assert_true(lru_count(l) > 0 && lru_count(l) < 4);
	lru_free(l);
	for (i = 0; i < 64; i++)
		n += (unsigned int)dropped[i];
	assert_int_equal(n, 64);
	assert_int_equal(lru_new(0, 1000, drop, &l), VT_E_RANGE);
	lru_free(NULL);
}

/* --- a verifier ----------------------------------------------------------- */

struct memory {
	struct host_roots *roots;
	struct host_states *states;
	struct deep_host *host;
	struct boot_memory *boots;
};

static void
memory_host(struct memory *m, struct dbundle *d)
{
	char err[HOST_STATE_ERR_MAX], *text = NULL;

	deep_host_free(m->host);
	host_roots_free(m->roots);
	free(m->states);
	assert_int_equal(host_roots_new(&m->roots), VT_OK);
	assert_int_equal(
	    host_roots_add(m->roots, d->maker_cert.der, d->maker_cert.len),
	    VT_OK);
	assert_int_equal(host_states_format(&d->st, &text), VT_OK);
	assert_int_equal(
	    host_states_parse(text, strlen(text), &m->states, err), VT_OK);
	free(text);
	assert_int_equal(
	    deep_host_new(d->id, m->roots, m->states, TC_NOW, &m->host), VT_OK);
}

static void
memory_new(struct memory *m, struct dbundle *d)
{
	memset(m, 0, sizeof(*m));
	memory_host(m, d);
	assert_int_equal(
	    boot_memory_new(d->g.policy, BOOTS_BYTES, &m->boots), VT_OK);
}

static void
memory_free(struct memory *m)
{
	deep_host_free(m->host);
	host_roots_free(m->roots);
	free(m->states);
	boot_memory_free(m->boots);
}

static struct report *
judge_by(struct dbundle *d, const struct policy *policy, struct deep_host *h,
    struct boot_memory *boots)
{
	struct verify_want w = { .nonce = d->nonce,
		.nonce_len = sizeof(d->nonce),
		.policy = policy,
		.uuid = d->want_uuid,
		.host = h,
		.boots = boots,
		.now = TC_NOW };
	struct report *r = NULL;

	assert_int_equal(verify_bundle(d->g.ev, &w, &r), VT_OK);
	return r;
}

static struct report *
judge(struct dbundle *d, struct memory *m)
{
	return judge_by(d, d->g.policy, m->host, m->boots);
}

static const char *
first_bad(const struct report *r)
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (r->checks[i].outcome == REPORT_FAIL)
			return r->checks[i].id;
	return "-";
}

static void
expect_same(const struct report *a, const struct report *b)
{
	char *one = report_json(a), *two = report_json(b);

	assert_non_null(one);
	assert_non_null(two);
	assert_string_equal(one, two);
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->restored, b->restored);
	assert_int_equal(a->worker_restarted, b->worker_restarted);
	free(one);
	free(two);
}

/* With this memory as with none; the verdict, and the first that failed. */
static enum ap_verdict
expect_as_cold(struct dbundle *d, struct memory *m, const char **ret_id)
{
	struct report *warm = judge(d, m), *cold;
	enum ap_verdict v = warm->verdict;
	struct memory none;

	memory_new(&none, d);
	cold = judge(d, &none);
	expect_same(warm, cold);
	if (ret_id != NULL)
		*ret_id = first_bad(warm);
	report_free(warm);
	report_free(cold);
	memory_free(&none);
	return v;
}

static void
expect_good(struct dbundle *d, struct memory *m)
{
	struct report *r = judge(d, m);

	assert_string_equal(first_bad(r), "-");
	assert_int_equal(r->verdict, AP_ACCEPTED);
	report_free(r);
}

static struct dbundle *
sample_new(struct memory *m)
{
	struct dbundle *d = malloc(sizeof(*d));

	assert_non_null(d);
	db_init(d, NULL);
	memory_new(m, d);
	expect_good(d, m);
	assert_int_equal(boot_memory_count(m->boots), 1);
	assert_int_equal(boot_memory_hits(m->boots), 0);
	return d;
}

static void
sample_end(struct dbundle *d, struct memory *m)
{
	memory_free(m);
	db_done(d);
	free(d);
}

/* Everything after the keys anew: quotes and answer. */
static void
requote(struct dbundle *d)
{
	sample_quote(&d->g);
	db_leaf(d);
	db_quote(d);
	db_put_answer(d);
}

static void
found_boot_gives_the_same_report(void **state)
{
	struct memory m;
	struct dbundle *d = sample_new(&m);
	unsigned int i;

	(void)state;
	for (i = 1; i <= 3; i++) {
		d->nonce[15] = (uint8_t)i;
		assert_int_equal(bundle_set(d->g.ev, BUNDLE_NONCE, d->nonce,
				     sizeof(d->nonce)),
		    VT_OK);
		requote(d);
		assert_int_equal(expect_as_cold(d, &m, NULL), AP_ACCEPTED);
		assert_int_equal(boot_memory_hits(m.boots), i);
		assert_int_equal(boot_memory_count(m.boots), 1);
	}
	sample_end(d, &m);
}

/* No nonce, no quote: the boot alone is not enough. */
static void
old_answer_is_refused_though_all_is_known(void **state)
{
	struct memory m;
	struct dbundle *d = sample_new(&m);
	const char *id;

	(void)state;
	d->nonce[0] ^= 1;
	assert_int_equal(expect_as_cold(d, &m, &id), AP_REFUSED);
	assert_string_equal(id, "nonce");
	sample_end(d, &m);
}

/* The number of leaves says how the path is to be walked and is not signed:
 * another one with the same walk is no other statement. */
static bool
only_count_differs(const struct dbundle *d)
{
	const struct bundle_blob *b = &d->g.ev->part[BUNDLE_DEEP];
	uint8_t buf[DEEP_ANSWER_MAX];
	struct deep_answer a;
	struct wr w;
	size_t i, n = 0;

	if (deep_answer_get(b->p, b->len, &a) != VT_OK)
		return false;
	a.count = d->ans.count;
	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, &a);
	if (wr_err(&w) != VT_OK || w.len != b->len)
		return false;
	for (i = 0; i < w.len; i++)
		n += buf[i] != b->p[i];
	return n == 1; /* so the flipped byte was in it */
}

/* One bit in each byte of each part, each PCR value, nonce: what was signed
 * and what was not.  Refused with a full memory; every so often compared with
 * an empty one. */
static void
every_byte_of_a_known_bundle_counts(void **state)
{
	struct memory m;
	struct dbundle *d = sample_new(&m);
	struct report *r;
	size_t at, i, n = 0;

	(void)state;
	for (i = 0; i < BUNDLE_NPARTS; i++) {
		struct bundle_blob *b = &d->g.ev->part[i];

		assert_non_null(b->p);
		for (at = 0; at < b->len; at++, n++) {
			b->p[at] ^= (uint8_t)(1u << at % 8);
			r = judge(d, &m);
			if (r->verdict != AP_REFUSED &&
			    !(i == BUNDLE_DEEP && only_count_differs(d)))
				fail_msg("part %zu, byte %zu: accepted", i, at);
			report_free(r);
			if (n % 97 == 0)
				(void)expect_as_cold(d, &m, NULL);
			b->p[at] ^= (uint8_t)(1u << at % 8);
		}
	}
	for (i = 0; i < PCR_COUNT; i++) {
		uint8_t *val = d->g.ev->pcrs.banks[0].val[i];

		if ((d->g.ev->pcrs.banks[0].valid >> i & 1) == 0)
			continue;
		val[31] ^= 1;
		assert_int_equal(expect_as_cold(d, &m, NULL), AP_REFUSED);
		val[31] ^= 1;
	}
	assert_int_equal(boot_memory_count(m.boots), 1);
	expect_good(d, &m);
	sample_end(d, &m);
}

/*
 * The guest itself lies: it changes a part or a PCR value, quotes that with its
 * own good AK, and its host vouches for it.  Only what is known of the boot
 * could be in the way.
 */
static void
guest_that_signs_its_lies_gets_no_help(void **state)
{
	static const enum bundle_part parts[] = { BUNDLE_LOG, BUNDLE_JOURNAL,
		BUNDLE_LAUNCH, BUNDLE_HOST_LOG, BUNDLE_INFO };
	size_t at, i, step, refused = 0;
	struct memory m;
	struct dbundle *d = sample_new(&m);

	(void)state;
	for (i = 0; i < VT_NELEM(parts); i++) {
		struct bundle_blob *b = &d->g.ev->part[parts[i]];

		step = b->len / 24 + 1;
		for (at = 0; at < b->len; at += step) {
			b->p[at] ^= 0x10;
			requote(d);
			refused += expect_as_cold(d, &m, NULL) == AP_REFUSED;
			b->p[at] ^= 0x10;
		}
	}
	for (i = 0; i < PCR_COUNT; i++) {
		uint8_t *val = d->g.ev->pcrs.banks[0].val[i];

		if ((d->g.ev->pcrs.banks[0].valid >> i & 1) == 0)
			continue;
		val[0] ^= 0x10;
		requote(d);
		assert_int_equal(expect_as_cold(d, &m, NULL), AP_REFUSED);
		val[0] ^= 0x10;
	}
	for (i = 0; i < VT_NELEM(parts) - 1; i++) { /* left out */
		struct bundle_blob *b = &d->g.ev->part[parts[i]], keep = *b;

		b->p = NULL;
		b->len = 0;
		sample_quote(&d->g);
		assert_int_not_equal(expect_as_cold(d, &m, NULL), AP_ACCEPTED);
		*b = keep;
	}
	assert_true(refused > 60);
	requote(d);
	expect_good(d, &m);
	sample_end(d, &m);
}

/* The same boot, but certificates of another vTPM: whose launch record it is
 * depends on them. */
static void
known_boot_is_of_one_vtpm(void **state)
{
	struct memory m;
	struct dbundle *d = sample_new(&m);
	const char *id;

	(void)state;
	d->g.inst.uuid[0] ^= 1;
	memcpy(d->want_uuid, d->g.inst.uuid, UUID_LEN);
	db_certs(d);
	requote(d);
	assert_int_equal(expect_as_cold(d, &m, &id), AP_REFUSED);
	assert_string_equal(id, "launch");
	d->g.inst.uuid[0] ^= 1;
	d->g.inst.group = 7;
	memcpy(d->want_uuid, d->g.inst.uuid, UUID_LEN);
	db_certs(d);
	requote(d);
	assert_int_equal(expect_as_cold(d, &m, &id), AP_REFUSED);
	sample_end(d, &m);
}

/* Each attack of deepcases.h, made of the very guest, keys and host that were
 * found good before, against a memory that is full of them. */
static void
every_attack_after_the_good_one(void **state)
{
	struct memory m;
	struct dbundle *d;
	const char *id;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(dcases); i++) {
		uint32_t attrs, ca_attrs;

		d = sample_new(&m);
		expect_good(d, &m);
		assert_int_equal(boot_memory_hits(m.boots), 1);
		attrs = d->host.attrs;
		ca_attrs = d->ca_attrs;
		d->tweak = dcases[i].tweak;
		db_stage(d, DB_KEYS);
		d->hinst.group =
		    d->hinst.group != 0 ? d->hinst.group : d->g.inst.group;
		db_boot(d);
		if (attrs != d->host.attrs || ca_attrs != d->ca_attrs) {
			host_identity_free(d->id);
			db_record(d);
		}
		/* Another record or other states are another host to the
		 * verifier; what it knows of boots stays. */
		if (attrs != d->host.attrs || ca_attrs != d->ca_attrs ||
		    d->st.have_key)
			memory_host(&m, d);
		db_certs(d);
		sample_quote(&d->g);
		db_leaf(d);
		db_quote(d);
		db_put_answer(d);
		db_stage(d, DB_END);
		id = "-";
		(void)expect_as_cold(d, &m, &id);
		assert_string_equal(id, dcase_shown(&dcases[i]));
		sample_end(d, &m);
	}
}

/* Made for one policy, not looked at for another. */
static void
another_policy_asks_anew(void **state)
{
	static const char strict[] =
	    "{\"format\": \"vtpm-policy 1\", \"name\": \"other\","
	    " \"allow\": {\"unmeasured-initrd\": \"a test\"},"
	    " \"banks\": {\"sha256\": {\"7\": {\"values\": ["
	    "\"65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb306"
	    "8\"]}}}}";
	char err[POLICY_ERR_MAX];
	struct policy *other = NULL;
	struct report *r;
	struct memory m;
	struct dbundle *d = sample_new(&m);

	(void)state;
	assert_int_equal(
	    policy_parse(strict, strlen(strict), &other, err), VT_OK);
	r = judge_by(d, other, m.host, m.boots);
	assert_int_equal(r->verdict, AP_REFUSED);
	report_free(r);
	assert_int_equal(boot_memory_hits(m.boots), 0);
	assert_int_equal(boot_memory_count(m.boots), 1);
	policy_free(other);
	sample_end(d, &m);
}

static void
refused_and_undecided_boots_are_not_kept(void **state)
{
	static const enum bundle_part parts[] = { BUNDLE_LOG, BUNDLE_JOURNAL };
	struct memory m;
	struct dbundle *d = sample_new(&m);
	struct report *r;
	size_t i;

	(void)state;
	boot_memory_free(m.boots);
	assert_int_equal(
	    boot_memory_new(d->g.policy, BOOTS_BYTES, &m.boots), VT_OK);
	for (i = 0; i < VT_NELEM(parts); i++) {
		struct bundle_blob *b = &d->g.ev->part[parts[i]];

		b->p[b->len - 1] ^= 1;
		requote(d);
		r = judge(d, &m);
		if (r->verdict != AP_ACCEPTED)
			assert_int_equal(boot_memory_count(m.boots), 0);
		report_free(r);
		b->p[b->len - 1] ^= 1;
	}
	d->g.ev->pcrs.banks[0].val[8][0] ^= 1;
	requote(d);
	r = judge(d, &m);
	assert_int_equal(r->verdict, AP_REFUSED);
	report_free(r);
	assert_int_equal(boot_memory_count(m.boots), 0);
	sample_end(d, &m);
}

/* The journal says "restored": a known boot says so, too. */
static void
known_boot_that_was_restored_stays_so(void **state)
{
	struct memory m;
	struct dbundle *d = sample_new(&m);
	struct report *r;
	unsigned int i;

	(void)state;
	assert_int_equal(journal_add_restored(d->g.journal), VT_OK);
	sample_put_journal(&d->g);
	requote(d);
	boot_memory_free(m.boots);
	d->g.policy->restored_reason = strdup("a test");
	assert_int_equal(
	    boot_memory_new(d->g.policy, BOOTS_BYTES, &m.boots), VT_OK);
	for (i = 0; i < 2; i++) {
		r = judge(d, &m);
		assert_int_equal(r->verdict, AP_ACCEPTED);
		assert_true(r->restored);
		report_free(r);
	}
	assert_int_equal(boot_memory_hits(m.boots), 1);
	assert_int_equal(expect_as_cold(d, &m, NULL), AP_ACCEPTED);
	sample_end(d, &m);
}

/* Many boots, room for a few. */
static void
boots_are_bounded_by_bytes(void **state)
{
	struct memory m;
	struct dbundle *d = sample_new(&m);
	size_t one = boot_memory_bytes(m.boots), most = 3 * one + one / 2, i;
	struct report *r;

	(void)state;
	assert_true(one > 1000 && one < 100000);
	boot_memory_free(m.boots);
	assert_int_equal(boot_memory_new(d->g.policy, most, &m.boots), VT_OK);
	for (i = 0; i < 12; i++) {
		d->g.rec->name[0] = (char)('a' + i); /* another PCR 17 */
		db_boot(d);
		requote(d);
		r = judge(d, &m);
		assert_int_equal(r->verdict, AP_ACCEPTED);
		assert_true(boot_memory_bytes(m.boots) <= most);
		assert_int_equal(boot_memory_count(m.boots), i < 3 ? i + 1 : 3);
		report_free(r);
		expect_good(d, &m);
		assert_int_equal(boot_memory_hits(m.boots), i + 1);
	}
	/* Too small for any: never kept, always judged. */
	boot_memory_free(m.boots);
	assert_int_equal(
	    boot_memory_new(d->g.policy, one / 2, &m.boots), VT_OK);
	expect_good(d, &m);
	expect_good(d, &m);
	assert_int_equal(boot_memory_count(m.boots), 0);
	assert_int_equal(boot_memory_bytes(m.boots), 0);
	sample_end(d, &m);
}

/* A report is its reader's, whatever becomes of the memory. */
static void
report_outlives_the_memory(void **state)
{
	struct memory m;
	struct dbundle *d = sample_new(&m);
	struct report *r = judge(d, &m);
	char *text;

	(void)state;
	boot_memory_free(m.boots);
	m.boots = NULL;
	assert_non_null(r->appraisal);
	assert_true(r->appraisal->nevents > 0);
	assert_non_null(text = report_json(r));
	free(text);
	report_free(r);
	sample_end(d, &m);
}

/* --- certificates --------------------------------------------------------- */

static void
want_of(struct dbundle *d, struct x509_want *w)
{
	const struct bundle_blob *p = d->g.ev->part;

	memset(w, 0, sizeof(*w));
	w->ek_cert = p[BUNDLE_EK_CERT].p;
	w->ek_cert_len = p[BUNDLE_EK_CERT].len;
	w->ak_cert = p[BUNDLE_AK_CERT].p;
	w->ak_cert_len = p[BUNDLE_AK_CERT].len;
	w->ca = d->g.ca.der;
	w->ca_len = d->g.ca.len;
	w->now = TC_NOW;
	assert_int_equal(
	    tpm_pub_unwrap(p[BUNDLE_AK_PUBLIC].p, p[BUNDLE_AK_PUBLIC].len,
		&w->ak_pub, &w->ak_pub_len),
	    VT_OK);
}

static void
known_certificates_expire(void **state)
{
	struct cert_memory *c = NULL;
	struct x509_report a, b;
	struct memory m;
	struct dbundle *d = sample_new(&m);
	struct x509_want w;
	EVP_PKEY *key = NULL;

	(void)state;
	want_of(d, &w);
	assert_int_equal(cert_memory_new(2, &c), VT_OK);
	assert_int_equal(cert_memory_verify(c, &w, &a, &key), VT_OK);
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_eq(key, d->g.f.ak), 1);
	assert_int_equal(cert_memory_verify(c, &w, &b, &key), VT_OK);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(cert_memory_count(c), 1);
	w.now = a.until - 1;
	assert_int_equal(cert_memory_verify(c, &w, &b, &key), VT_OK);
	w.now = a.until + 1;
	assert_int_equal(cert_memory_verify(c, &w, &b, &key), VT_E_AUTH);
	assert_null(key);
	w.now = a.from - 1;
	assert_int_equal(cert_memory_verify(c, &w, &b, &key), VT_E_AUTH);
	assert_null(key);
	cert_memory_free(c);
	sample_end(d, &m);
}

static void
known_certificates_are_bounded(void **state)
{
	struct cert_memory *c = NULL;
	struct x509_report a;
	struct memory m;
	struct dbundle *d = sample_new(&m);
	struct x509_want w;
	EVP_PKEY *key = NULL;
	size_t i;

	(void)state;
	assert_int_equal(cert_memory_new(3, &c), VT_OK);
	for (i = 0; i < 8; i++) {
		d->g.inst.uuid[1] = (uint8_t)i;
		db_guest(d);
		want_of(d, &w);
		assert_int_equal(cert_memory_verify(c, &w, &a, &key), VT_OK);
		assert_int_equal(a.instance.uuid[1], i);
		assert_int_equal(cert_memory_count(c), i < 3 ? i + 1 : 3);
	}
	/* Refused ones are not kept. */
	d->g.ak.der[d->g.ak.len - 1] ^= 1;
	w.ak_cert = d->g.ak.der;
	assert_int_equal(cert_memory_verify(c, &w, &a, &key), VT_E_AUTH);
	assert_null(key);
	assert_int_equal(cert_memory_count(c), 3);
	cert_memory_free(c);
	cert_memory_free(NULL);
	sample_end(d, &m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_used_longest_ago_goes_first),
		cmocka_unit_test(bytes_are_bounded_whatever_is_put),
		cmocka_unit_test(found_boot_gives_the_same_report),
		cmocka_unit_test(old_answer_is_refused_though_all_is_known),
		cmocka_unit_test(every_byte_of_a_known_bundle_counts),
		cmocka_unit_test(guest_that_signs_its_lies_gets_no_help),
		cmocka_unit_test(known_boot_is_of_one_vtpm),
		cmocka_unit_test(every_attack_after_the_good_one),
		cmocka_unit_test(another_policy_asks_anew),
		cmocka_unit_test(refused_and_undecided_boots_are_not_kept),
		cmocka_unit_test(known_boot_that_was_restored_stays_so),
		cmocka_unit_test(boots_are_bounded_by_bytes),
		cmocka_unit_test(report_outlives_the_memory),
		cmocka_unit_test(known_certificates_expire),
		cmocka_unit_test(known_certificates_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
