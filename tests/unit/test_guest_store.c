/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_guest_store.c - what a worker's W_STORE becomes, with a real store and
 * a worker played by the test.
 */
#include "one_guest.h"

#include "vtpm/state/seal.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guest_store.h"

#define LEN 5000 /* of a sealed state: no other input has this length */

int __real_digest_buf(uint16_t alg, const void *buf, size_t len, uint8_t *out);
int __wrap_digest_buf(uint16_t alg, const void *buf, size_t len, uint8_t *out);
void __wrap_wlink_stored(struct wlink *l, uint32_t id, int rc, uint64_t version,
    uint64_t generation);
void __wrap_commit_state(struct mgr *m, bool safe, commit_cb cb, void *arg);

void __wrap_audit_log(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *fmt, ...)
    VT_PRINTF(6, 7);

static struct {
	struct mgr m;
	struct guest_run g;
	struct wlink l;
	uint8_t blob[LEN];
	struct wstore s;
	unsigned int hashed, answers;
	unsigned int records, denied; /* in the audit log */
	int rc;                       /* of the last answer */
	commit_cb cb;
	void *arg;
} f;

int
__wrap_digest_buf(uint16_t alg, const void *buf, size_t len, uint8_t *out)
{
	f.hashed += len == LEN;
	return __real_digest_buf(alg, buf, len, out);
}

void
__wrap_wlink_stored(
    struct wlink *l, uint32_t id, int rc, uint64_t version, uint64_t generation)
{
	assert_ptr_equal(l, &f.l);
	assert_int_equal(id, 9);
	(void)version;
	(void)generation;
	f.answers++;
	f.rc = rc;
}

void
__wrap_commit_state(struct mgr *m, bool safe, commit_cb cb, void *arg)
{
	(void)m;
	(void)safe;
	assert_null(f.cb);
	f.cb = cb;
	f.arg = arg;
}

void
__wrap_audit_log(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *fmt, ...)
{
	(void)m;
	(void)who;
	(void)action;
	(void)object;
	(void)fmt;
	f.records++;
	f.denied += strcmp(result, "denied") == 0;
}

/* A state that guest 0's worker could have sealed. */
static void
make_state_of(uint64_t generation, uint64_t version)
{
	uint8_t key[GCM_KEY_LEN] = { 1 }, plain[LEN - SEAL_OVERHEAD] = { 2 };
	struct seal_id id = { .kind = SEAL_PERMANENT,
		.generation = generation,
		.version = version };

	memcpy(id.uuid, f.g.in.uuid, UUID_LEN);
	assert_int_equal(
	    seal_make(key, &id, plain, sizeof(plain), f.blob), VT_OK);
	memset(&f.s, 0, sizeof(f.s));
	f.s.kind = SEAL_PERMANENT;
	f.s.generation = generation;
	f.s.version = version;
	f.s.blob.p = f.blob;
	f.s.blob.len = LEN;
	assert_int_equal(
	    __real_digest_buf(ALG_SHA256, f.blob, LEN, f.s.digest), VT_OK);
}

static void
make_state(uint64_t version)
{
	make_state_of(1, version);
}

static int
begin(void **state)
{
	memset(&f, 0, sizeof(f));
	if (one_guest_begin(state, &f.m, &f.g) != 0)
		return -1;
	f.l.serial = 77;
	f.g.link = &f.l;
	make_state(1);
	f.hashed = 0;
	return 0;
}

static int
end(void **state)
{
	return one_guest_end(state, &f.m);
}

/* The root keeps the greatest generation that any guest ever had: a worker
 * that could store the last one would end recovery for all guests. */
static void
a_worker_does_not_choose_its_generation(void **state)
{
	static const struct {
		uint64_t generation;
		int rc;
	} cases[] = {
		{ INT64_MAX - 1, VT_E_RANGE }, { 3, VT_E_RANGE },
		{ 2, VT_OK }, /* of a state that was restored */
	};
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		make_state_of(cases[i].generation, 1);
		guest_on_store(&f.g, 9, &f.s);
		assert_int_equal(f.cb != NULL, cases[i].rc == VT_OK);
		if (f.cb == NULL)
			assert_int_equal(f.rc, cases[i].rc);
	}
	f.cb(f.arg, VT_OK);
}

/* However often: the log has an end, and the records of others are in it. */
static void
attaching_pushes_nothing_out_of_the_audit_log(void **state)
{
	struct wevent e = { .code = WE_CHANNEL_BUSY, .text = "x" };
	unsigned int i;

	(void)state;
	for (i = 0; i < GUEST_RATIONS; i++)
		token_bucket_init(&f.g.rations[i].records, GUEST_AUDIT_BURST, 1,
		    GUEST_AUDIT_EVERY_US, now_us());
	for (i = 0; i < 100000; i++)
		guest_on_event(&f.g, &e);
	assert_in_range(f.records, GUEST_AUDIT_BURST, GUEST_AUDIT_BURST + 2);
	assert_int_equal(f.denied, f.records);
	/* nor does a refused stranger hide the owner, or the guest */
	e.code = WE_CHANNEL_OPEN;
	guest_on_event(&f.g, &e);
	e.code = WE_VIOLATION;
	guest_on_event(&f.g, &e);
	assert_int_equal(f.records - f.denied, 2);
}

static void
state_is_hashed_once_and_answered_when_durable(void **state)
{
	(void)state;
	guest_on_store(&f.g, 9, &f.s);
	assert_int_equal(f.answers, 0); /* law 3 */
	assert_non_null(f.cb);
	f.cb(f.arg, VT_OK);
	assert_int_equal(f.answers, 1);
	assert_int_equal(f.rc, VT_OK);
	assert_int_equal(f.g.in.version, 1);
	assert_int_equal(f.hashed, 1);
}

static void
state_that_is_not_what_the_message_says_is_refused(void **state)
{
	static const struct {
		size_t at; /* in the blob */
		bool digest, version;
		int rc;
	} cases[] = {
		{ LEN - 1, false, false, VT_E_AUTH }, /* its digest differs */
		{ 0, true, false, VT_E_AUTH }, { 0, false, true, VT_E_PROTO },
		{ 10, false, false, VT_E_PROTO }, /* another vTPM's uuid */
	};
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		make_state(1);
		if (cases[i].at != 0)
			f.blob[cases[i].at] ^= 1;
		if (cases[i].digest)
			f.s.digest[31] ^= 1;
		if (cases[i].version)
			f.s.version++;
		guest_on_store(&f.g, 9, &f.s);
		assert_null(f.cb);
		assert_int_equal(f.answers, i + 1);
		assert_int_equal(f.rc, cases[i].rc);
	}
}

/* The worker that sent it died, and its successor has sent nothing. */
static void
answer_goes_to_the_worker_that_stored(void **state)
{
	(void)state;
	guest_on_store(&f.g, 9, &f.s);
	f.l.serial++;
	f.cb(f.arg, VT_OK);
	assert_int_equal(f.answers, 0);
	assert_int_equal(f.g.in.version, 1); /* stored it is */
}

int
main(void)
{
#undef T
#define T(t) cmocka_unit_test_setup_teardown(t, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_worker_does_not_choose_its_generation),
		T(attaching_pushes_nothing_out_of_the_audit_log),
		T(state_is_hashed_once_and_answered_when_durable),
		T(state_that_is_not_what_the_message_says_is_refused),
		T(answer_goes_to_the_worker_that_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
