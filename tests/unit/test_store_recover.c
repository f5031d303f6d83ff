/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_store_recover.c - an old store, or an old record, is taken only when
 * somebody says so, and can then be told from one that was never old.
 */

#include "tests/unit/store_fixture.h"

static const char why[] = "an older copy";

static void
get(struct store *st, int i, struct guest *in)
{
	uint8_t uuid[UUID_LEN];

	uuid_of(i, uuid);
	assert_int_equal(store_guest_get(st, uuid, in), VT_OK);
}

/* Like assert_refused(), in a store that is refused as a whole. */
static void
assert_frozen(struct store *st, int i)
{
	uint8_t uuid[UUID_LEN], *p;
	struct guest in;
	size_t len;

	get(st, i, &in);
	uuid_of(i, uuid);
	assert_true(in.tampered);
	assert_string_equal(in.why, why);
	assert_int_equal(store_state_get(st, uuid, &p, &len), VT_E_CORRUPT);
	assert_int_equal(put_state(st, i, 9, 9), VT_E_CORRUPT);
	assert_int_equal(
	    store_guest_status(st, uuid, GUEST_RUNNING), VT_E_CORRUPT);
	assert_int_equal(add_inst(st, 50 + i), VT_E_CORRUPT);
}

static bool does_fit = true;

static bool
fits(const struct guest *in, const uint8_t *state, size_t len)
{
	uint8_t want[BLOB_LEN];

	blob_of(in->name[6] - '0', in->version, 0, want);
	return does_fit && len == BLOB_LEN &&
	       memcmp(state, want, BLOB_LEN) == 0;
}

static int
recover_one(struct store *st, int i)
{
	uint8_t uuid[UUID_LEN];

	uuid_of(i, uuid);
	return store_recover_one(st, uuid, fits);
}

static void
assert_recovered(struct store *st, int i, uint64_t gen, uint64_t version)
{
	struct guest in;

	get(st, i, &in);
	assert_false(in.tampered);
	assert_string_equal(in.why, "");
	assert_int_equal(in.generation, gen);
	assert_int_equal(in.version, version);
	assert_int_equal(in.flags & GUEST_F_RECOVERED, GUEST_F_RECOVERED);
	assert_int_equal(in.status, GUEST_STOPPED);
	assert_int_equal(state_is(st, i, version), VT_OK);
	assert_int_equal(store_extra_get(st, in.uuid, SX_LAUNCH,
			     &(uint8_t *){ NULL }, &(size_t){ 0 }),
	    VT_E_NOTFOUND);
	assert_int_equal(store_extra_get(st, in.uuid, SX_VOLATILE,
			     &(uint8_t *){ NULL }, &(size_t){ 0 }),
	    VT_E_NOTFOUND);
}

static int
count_record(const struct audit_rec *r, void *arg)
{
	(void)r;
	++*(int *)arg;
	return 0;
}

static void
a_frozen_store_is_read_and_not_changed(void **state)
{
	struct store *st = must_unlock();
	uint8_t uuid[UUID_LEN];
	uint64_t commits;
	uint32_t got;
	int i, n = 0;

	(void)state;
	assert_int_equal(put_meta(st, "k", "val"), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(store_recover_all(st, 0, &got), VT_E_STATE);
	assert_int_equal(put_meta(st, "k", "lost"), VT_OK);
	commits = store_commits(st);
	store_freeze(st, why);
	assert_true(store_frozen(st));
	assert_int_equal(count(st), NVTPM);
	for (i = 0; i < NVTPM; i++)
		assert_frozen(st, i);
	uuid_of(3, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_E_CORRUPT);
	assert_int_equal(recover_one(st, 3), VT_E_CORRUPT);
	assert_int_equal(store_kv_put(st, "a", "b", 1), VT_E_CORRUPT);
	assert_int_equal(put_meta(st, "k", "new"), VT_E_CORRUPT);
	assert_string_equal(store_why(st), why);
	assert_int_equal(
	    store_audit(st, "a", "b", "c", "ok", ""), VT_E_CORRUPT);
	assert_int_equal(meta_is(st, "k", "val"), VT_OK);
	assert_int_equal(store_audit_each(st, 0, count_record, &n), VT_OK);
	assert_int_equal(n, NVTPM);
	assert_int_equal(store_commit(st), VT_OK); /* nothing to do */
	assert_int_equal(store_commits(st), commits);
	store_close(st);
	assert_only(-1, -1, ""); /* and nothing was done */
}

static void
a_store_that_was_taken_is_marked_and_goes_on(void **state)
{
	struct store *st = must_unlock();
	uint8_t uuid[UUID_LEN];
	struct guest in;
	uint32_t n = 0;
	int i;

	(void)state;
	uuid_of(7, uuid);
	put_extra(st, 7, SX_VOLATILE, 1);
	assert_int_equal(store_guest_status(st, uuid, GUEST_RUNNING), VT_OK);
	assert_int_equal(put_state(st, 4, 6, 9), VT_OK); /* was restored */
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	sql("UPDATE vtpm SET created_ms=1 WHERE slot=5");
	st = must_unlock();
	store_freeze(st, why);
	assert_int_equal(store_recover_all(st, 10, &n), VT_OK);
	assert_int_equal(n, NVTPM - 1);
	assert_int_equal(
	    store_audit(st, "a", "recover", "", "ok", "backup"), VT_OK);
	store_anchor_set(st, 77);
	assert_int_equal(store_commit(st), VT_OK);
	for (i = 0; i < 2; i++) {
		int k;

		assert_int_equal(store_anchor(st), 77);
		/* one that was marked for another reason stays so */
		assert_refused(st, 5, "changed");
		for (k = 0; k < NVTPM; k++)
			if (k != 5) /* 6, 10 that we did not see, 1 */
				assert_recovered(st, k, 17, k == 4 ? 9 : 1);
		if (i == 0) {
			store_close(st);
			st = must_unlock();
		}
	}
	/* no older state, of whatever version, comes in its place */
	assert_int_equal(put_state(st, 4, 6, 10), VT_E_STALE);
	assert_int_equal(put_state(st, 4, 16, 99), VT_E_STALE);
	assert_int_equal(put_state(st, 4, 17, 10), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	get(st, 4, &in);
	assert_int_equal(in.version, 10);
	store_close(st);
}

/* A generation counts as used although no state came with it. */
static void
the_generation_of_a_guest_without_state_is_not_given_again(void **state)
{
	struct store *st = must_unlock();
	struct guest in;
	uint32_t n = 0;

	(void)state;
	fill_inst(30, &in);
	in.generation = 40;
	assert_int_equal(store_guest_add(st, &in), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	store_freeze(st, why);
	assert_int_equal(store_recover_all(st, 0, &n), VT_OK);
	assert_recovered(st, 3, 41, 1);
	store_close(st);
}

static void
a_recovery_that_was_not_committed_did_not_happen(void **state)
{
	struct store *st = must_unlock();
	struct guest in;
	uint32_t n;

	(void)state;
	store_freeze(st, why);
	assert_int_equal(store_recover_all(st, 0, &n), VT_OK);
	store_rollback(st);
	store_freeze(st, why);
	assert_frozen(st, 3);
	assert_int_equal(store_recover_all(st, 0, &n), VT_OK);
	store_close(st);
	st = must_unlock();
	get(st, 3, &in);
	assert_int_equal(in.flags, 0);
	assert_int_equal(in.generation, 1);
	assert_int_equal(store_recover_all(st, UINT64_MAX, &n), VT_E_STATE);
	store_freeze(st, why);
	assert_int_equal(store_recover_all(st, UINT64_MAX, &n), VT_E_RANGE);
	assert_true(store_frozen(st));
	store_close(st);
}

/* Guest 5 as it was at state 1.1, beside a tree that has it at `gen`.2. */
static void
put_back_guest_5(uint64_t gen)
{
	struct store *st;

	sql("CREATE TABLE o_vtpm AS SELECT * FROM vtpm WHERE slot=5;"
	    "CREATE TABLE o_blob AS SELECT * FROM blob WHERE id/16=5");
	st = must_unlock();
	assert_int_equal(put_state(st, 5, gen, 2), VT_OK);
	put_extra(st, 5, SX_VOLATILE, 2);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	sql("DELETE FROM blob WHERE id/16=5;"
	    "REPLACE INTO vtpm SELECT * FROM o_vtpm;"
	    "REPLACE INTO blob SELECT * FROM o_blob");
}

static void
one_old_record_is_taken_with_a_generation_that_was_never_there(void **state)
{
	struct store *st;
	int i;

	(void)state;
	put_back_guest_5(4);
	st = must_unlock();
	assert_refused(st, 5, "older");
	assert_int_equal(recover_one(st, 6), VT_E_STATE);
	assert_int_equal(recover_one(st, 60), VT_E_NOTFOUND);
	assert_int_equal(recover_one(st, 5), VT_OK);
	store_rollback(st);
	assert_refused(st, 5, "older");
	assert_int_equal(recover_one(st, 5), VT_OK);
	assert_recovered(st, 5, 5, 1); /* the row said 1, it had been 4 */
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_recovered(st, 5, 5, 1);
	assert_int_equal(put_state(st, 5, 4, 3), VT_E_STALE);
	assert_int_equal(put_state(st, 5, 5, 2), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	for (i = 0; i < NVTPM; i++)
		if (i != 5)
			assert_int_equal(state_is(st, i, 1), VT_OK);
	store_close(st);
}

/* Whatever generation the record claims, the next one is greater. */
static void
a_record_that_claims_a_great_generation_gets_a_greater_one(void **state)
{
	struct store *st;

	(void)state;
	sql("UPDATE vtpm SET generation=90 WHERE slot=5");
	st = must_unlock();
	assert_refused(st, 5, "changed");
	assert_int_equal(recover_one(st, 5), VT_OK);
	assert_recovered(st, 5, 91, 1);
	store_close(st);
}

static void
what_does_not_fit_itself_is_not_taken(void **state)
{
	static const struct {
		const char *sql, *words;
	} cases[] = {
		{ "UPDATE blob SET data=zeroblob(333) WHERE id=80", "changed" },
		{ "DELETE FROM blob WHERE id=80", "missing" },
		{ "DELETE FROM vtpm WHERE slot=5", "missing" },
		{ "UPDATE vtpm SET name='x' WHERE slot=5", "another" },
		{ "UPDATE vtpm SET uuid=zeroblob(16) WHERE slot=5", "another" },
		{ "UPDATE vtpm SET flags='many' WHERE slot=5", "damaged" },
	};
	struct store *st;
	size_t i;

	(void)state;
	put_back_guest_5(1);
	sql("CREATE TABLE p_vtpm AS SELECT * FROM vtpm;"
	    "CREATE TABLE p_blob AS SELECT * FROM blob");
	for (i = 0; i < VT_NELEM(cases); i++) {
		sql("%s", cases[i].sql);
		st = must_unlock();
		assert_int_equal(recover_one(st, 5), VT_E_CORRUPT);
		if (strstr(store_why(st), cases[i].words) == NULL)
			fail_msg("%s: '%s'", cases[i].sql, store_why(st));
		assert_refused(st, 5, "");
		assert_int_equal(store_commit(st), VT_OK);
		store_close(st);
		sql("REPLACE INTO vtpm SELECT * FROM p_vtpm;"
		    "REPLACE INTO blob SELECT * FROM p_blob");
	}
	st = must_unlock();
	does_fit = false;
	assert_int_equal(recover_one(st, 5), VT_E_CORRUPT);
	assert_non_null(strstr(store_why(st), "does not belong"));
	assert_refused(st, 5, "");
	does_fit = true;
	assert_int_equal(recover_one(st, 5), VT_OK);
	store_close(st);
}

static void
a_destroyed_guest_is_not_recovered(void **state)
{
	struct store *st;
	uint8_t uuid[UUID_LEN];

	(void)state;
	sql("CREATE TABLE o_vtpm AS SELECT * FROM vtpm WHERE slot=5;"
	    "CREATE TABLE o_blob AS SELECT * FROM blob WHERE id/16=5");
	st = must_unlock();
	uuid_of(5, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	sql("REPLACE INTO vtpm SELECT * FROM o_vtpm;"
	    "REPLACE INTO blob SELECT * FROM o_blob");
	st = must_unlock();
	assert_refused(st, 5, "destroyed");
	assert_int_equal(recover_one(st, 5), VT_E_CORRUPT);
	assert_non_null(strstr(store_why(st), "destroyed"));
	store_close(st);
}

/* A whole leaf page was put back: its guests are taken one by one. */
static void
guests_under_a_bad_page_are_taken_one_by_one(void **state)
{
	struct store *st;
	int i;

	(void)state;
	sql("UPDATE page SET data=zeroblob(length(data)) WHERE id=0");
	st = must_unlock();
	for (i = 0; i < 16; i++)
		assert_refused(st, i, "hash tree");
	assert_int_equal(recover_one(st, 5), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	for (i = 0; i < 16; i++)
		if (i != 5)
			assert_refused(st, i, "hash tree");
	assert_recovered(st, 5, 2, 1);
	store_close(st);
}

static void
the_anchor_is_in_the_first_root_and_in_every_other(void **state)
{
	struct store *st = must_open();

	(void)state;
	store_anchor_set(st, 5);
	assert_int_equal(store_unlock(st, master, text), VT_OK);
	assert_int_equal(store_anchor(st), 5);
	assert_int_equal(store_commits(st), 1);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(store_commits(st), 1); /* nothing to do */
	store_anchor_set(st, 6);
	assert_int_equal(store_anchor(st), 5);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(store_anchor(st), 6);
	assert_int_equal(store_commits(st), 2);
	store_close(st);
	st = must_unlock();
	assert_int_equal(store_anchor(st), 6);
	assert_int_equal(add_inst(st, 1), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(store_anchor(st), 6);
	store_close(st);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_frozen_store_is_read_and_not_changed),
		T(a_store_that_was_taken_is_marked_and_goes_on),
		T(the_generation_of_a_guest_without_state_is_not_given_again),
		T(a_recovery_that_was_not_committed_did_not_happen),
		T(one_old_record_is_taken_with_a_generation_that_was_never_there),
		T(a_record_that_claims_a_great_generation_gets_a_greater_one),
		T(what_does_not_fit_itself_is_not_taken),
		T(a_destroyed_guest_is_not_recovered),
		T(guests_under_a_bad_page_are_taken_one_by_one),
		E(the_anchor_is_in_the_first_root_and_in_every_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
