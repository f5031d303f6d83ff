/* SPDX-License-Identifier: BSD-3-Clause */
/* test_store.c - the store keeps what it was given; its log cannot be cut. */

#include "tests/unit/store_fixture.h"

#define META_ROOM 31 /* bytes of a value's name */
#define META_N 4096  /* values */

/* --- keeping ---------------------------------------------------------- */

static void
what_was_committed_is_there_again(void **state)
{
	struct store *st = must_open();
	uint8_t uuid[UUID_LEN], want[BLOB_LEN], *p = NULL;
	struct guest in;
	size_t len;

	(void)state;
	assert_false(store_is_new(st));
	assert_int_equal(store_unlock(st, master, text), VT_OK);
	assert_string_equal(text, "");
	assert_int_equal(count(st), NVTPM);
	assert_int_equal(state_is(st, 7, 1), VT_OK);
	assert_int_equal(store_guest_find(st, "guest07", &in), VT_OK);
	assert_int_equal(in.slot, 7);
	assert_int_equal(in.version, 1);
	assert_int_equal(in.created_ms, 1007);
	assert_false(in.tampered);
	uuid_of(7, uuid);
	blob_of(7, 1, SX_LAUNCH, want);
	assert_int_equal(store_extra_get(st, uuid, SX_LAUNCH, &p, &len), VT_OK);
	assert_int_equal(len, BLOB_LEN);
	assert_memory_equal(p, want, BLOB_LEN);
	free(p);
	assert_int_equal(
	    store_extra_get(st, uuid, SX_LOG, &p, &len), VT_E_NOTFOUND);
	assert_int_equal(store_guest_find(st, "guest99", &in), VT_E_NOTFOUND);
	assert_non_null(strstr(store_why(st), "guest99"));
	store_close(st);
}

static void
what_was_not_committed_is_gone(void **state)
{
	struct store *st = must_unlock();
	uint8_t uuid[UUID_LEN];
	struct guest in;

	(void)state;
	uuid_of(3, uuid);
	assert_int_equal(put_state(st, 2, 1, 2), VT_OK);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	assert_int_equal(add_inst(st, 30), VT_OK);
	assert_int_equal(state_is(st, 2, 2), VT_OK); /* seen before commit */
	assert_int_equal(state_is(st, 3, 1), VT_E_NOTFOUND);
	store_rollback(st);
	assert_int_equal(state_is(st, 2, 1), VT_OK);
	assert_int_equal(state_is(st, 3, 1), VT_OK);
	assert_int_equal(store_guest_find(st, "guest30", &in), VT_E_NOTFOUND);
	assert_int_equal(put_state(st, 2, 1, 2), VT_OK);
	store_close(st); /* as if killed */
	assert_only(-1, -1, "");
}

static void
names_and_uuids_are_unique(void **state)
{
	struct store *st = must_unlock();
	struct guest in;

	(void)state;
	assert_int_equal(add_inst(st, 4), VT_E_EXISTS);
	fill_inst(40, &in);
	strcpy(in.name, "guest04");
	assert_int_equal(store_guest_add(st, &in), VT_E_EXISTS);
	assert_non_null(strstr(store_why(st), "guest04"));
	fill_inst(4, &in);
	strcpy(in.name, "other");
	assert_int_equal(store_guest_add(st, &in), VT_E_EXISTS);
	in.name[0] = '\0';
	assert_int_equal(store_guest_add(st, &in), VT_E_RANGE);
	store_close(st);
}

static void
versions_only_grow(void **state)
{
	static const struct {
		uint64_t gen, version;
		int want;
	} cases[] = {
		{ 1, 1, VT_OK }, /* the same again: the answer got lost */
		{ 1, 0, VT_E_STALE },
		{ 1, 5, VT_OK },
		{ 1, 4, VT_E_STALE },
		{ 2, 3, VT_OK },
		{ 1, 9, VT_E_STALE },
		{ 2, 3, VT_OK },
	};
	struct store *st = must_unlock();
	uint8_t uuid[UUID_LEN], digest[32];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		assert_int_equal(
		    put_state(st, 5, cases[i].gen, cases[i].version),
		    cases[i].want);
		assert_int_equal(store_commit(st), VT_OK);
	}
	assert_int_equal(state_is(st, 5, 3), VT_OK);
	/* the same version with other content is not the same again */
	uuid_of(5, uuid);
	assert_int_equal(digest_buf(ALG_SHA256, "x", 1, digest), VT_OK);
	assert_int_equal(
	    store_state_put(st, uuid, 2, 3, 0, digest, (const uint8_t *)"x", 1),
	    VT_E_STALE);
	assert_int_equal(
	    store_state_put(st, uuid, 2, 4, 0, digest, (const uint8_t *)"y", 1),
	    VT_E_AUTH);
	store_close(st);
}

static void
deleted_slots_are_used_again(void **state)
{
	struct store *st = must_unlock();
	uint8_t uuid[UUID_LEN];
	struct guest in;

	(void)state;
	uuid_of(6, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_int_equal(count(st), NVTPM - 1);
	fill_inst(33, &in);
	assert_int_equal(store_guest_add(st, &in), VT_OK);
	assert_int_equal(in.slot, 6);
	assert_int_equal(put_state(st, 33, 1, 1), VT_OK);
	/* in one transaction: out, and another one in */
	uuid_of(8, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	fill_inst(34, &in);
	assert_int_equal(store_guest_add(st, &in), VT_OK);
	assert_int_equal(in.slot, 8);
	assert_int_equal(put_state(st, 34, 1, 1), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_int_equal(state_is(st, 33, 1), VT_OK);
	assert_int_equal(state_is(st, 34, 1), VT_OK);
	assert_int_equal(state_is(st, 8, 1), VT_E_NOTFOUND);
	uuid_of(34, uuid);
	/* the predecessor's launch record did not stay with the slot */
	assert_int_equal(store_extra_get(st, uuid, SX_LAUNCH,
			     &(uint8_t *){ NULL }, &(size_t){ 0 }),
	    VT_E_NOTFOUND);
	store_close(st);
}

static void
values_come_and_go(void **state)
{
	struct store *st = must_open();
	uint8_t *p = NULL;
	size_t len;

	(void)state;
	assert_true(store_is_new(st));
	assert_int_equal(store_kv_get(st, "k", &p, &len), VT_E_NOTFOUND);
	assert_int_equal(store_kv_put(st, "k", "one", 3), VT_OK);
	assert_int_equal(store_kv_put(st, "k", "three", 5), VT_OK);
	assert_int_equal(store_kv_get(st, "k", &p, &len), VT_OK);
	assert_int_equal(len, 5);
	free(p);
	assert_int_equal(store_commit(st), VT_OK); /* locked, and yet */
	store_close(st);
	st = must_unlock();
	assert_int_equal(store_kv_get(st, "k", &p, &len), VT_OK);
	assert_memory_equal(p, "three", 5);
	free(p);
	assert_int_equal(store_kv_put(st, "k", NULL, 0), VT_OK);
	assert_int_equal(store_kv_get(st, "k", &p, &len), VT_E_NOTFOUND);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(store_kv_get(st, "k", &p, &len), VT_E_NOTFOUND);
	store_close(st);
}

static void
values_in_the_tree_come_and_go(void **state)
{
	struct store *st = must_open();
	char key[META_ROOM + 2];

	(void)state;
	assert_int_equal(put_meta(st, "k", "one"), VT_E_STATE);
	assert_int_equal(meta_is(st, "k", "one"), VT_E_STATE);
	store_close(st);
	st = must_unlock();
	assert_int_equal(meta_is(st, "k", ""), VT_E_NOTFOUND);
	assert_int_equal(put_meta(st, "k", "one"), VT_OK);
	assert_int_equal(put_meta(st, "k", "three"), VT_OK);
	assert_int_equal(put_meta(st, "b", "two"), VT_OK);
	assert_int_equal(put_meta(st, "z", "zet"), VT_OK);
	assert_int_equal(meta_is(st, "k", "three"), VT_OK); /* it waits */
	store_rollback(st);
	assert_int_equal(meta_is(st, "k", ""), VT_E_NOTFOUND);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(meta_is(st, "k", ""), VT_E_NOTFOUND);
	assert_int_equal(put_meta(st, "z", "zet"), VT_OK);
	assert_int_equal(put_meta(st, "k", "three"), VT_OK);
	assert_int_equal(put_meta(st, "b", "two"), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(meta_is(st, "k", "three"), VT_OK);
	assert_int_equal(put_meta(st, "k", "lost"), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_string_equal(text, "");
	assert_int_equal(meta_is(st, "b", "two"), VT_OK);
	assert_int_equal(meta_is(st, "k", "three"), VT_OK);
	assert_int_equal(meta_is(st, "z", "zet"), VT_OK);
	assert_int_equal(meta_is(st, "a", ""), VT_E_NOTFOUND);
	assert_int_equal(add_inst(st, 1), VT_OK); /* a commit without values */
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(meta_is(st, "k", "three"), VT_OK);
	assert_int_equal(store_meta_put(st, "k", NULL, 0), VT_OK);
	assert_int_equal(store_meta_put(st, "none", NULL, 0), VT_OK);
	assert_int_equal(meta_is(st, "k", ""), VT_E_NOTFOUND);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_int_equal(meta_is(st, "b", "two"), VT_OK);
	assert_int_equal(meta_is(st, "k", ""), VT_E_NOTFOUND);
	assert_int_equal(meta_is(st, "z", "zet"), VT_OK);
	memset(key, 'x', sizeof(key));
	key[META_ROOM] = '\0';
	assert_int_equal(put_meta(st, key, "v"), VT_OK);
	key[META_ROOM] = 'x';
	key[META_ROOM + 1] = '\0';
	assert_int_equal(put_meta(st, key, "v"), VT_E_RANGE);
	assert_int_equal(put_meta(st, "", "v"), VT_E_RANGE);
	assert_int_equal(store_kv_put(st, "meta:b", "v", 1), VT_E_RANGE);
	assert_int_equal(
	    store_meta_put(st, "k", master, STORE_META_MAX + 1), VT_E_RANGE);
	store_close(st);
}

static void
many_values_are_bounded(void **state)
{
	struct store *st = must_unlock();
	char key[16];
	int i;

	(void)state;
	for (i = 0; i < META_N; i++) {
		/* not in the order in which they are kept */
		(void)snprintf(key, sizeof(key), "%x", i);
		assert_int_equal(put_meta(st, key, key), VT_OK);
	}
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(put_meta(st, "more", "v"), VT_OK);
	assert_int_equal(add_inst(st, 1), VT_OK);
	assert_int_equal(store_commit(st), VT_E_RANGE);
	assert_non_null(strstr(store_why(st), "values"));
	assert_int_equal(count(st), 0); /* all of it is forgotten */
	assert_int_equal(store_meta_put(st, "77", NULL, 0), VT_OK);
	assert_int_equal(put_meta(st, "more", "v"), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	for (i = 0; i < META_N; i++) {
		(void)snprintf(key, sizeof(key), "%x", i);
		assert_int_equal(
		    meta_is(st, key, key), i == 0x77 ? VT_E_NOTFOUND : VT_OK);
	}
	store_close(st);
}

/* Change len bytes of the root, and give it an HMAC that matches. */
static void
patch_root(size_t off, const void *p, size_t n)
{
	static const char info[] = "store root";
	uint8_t rec[256], key[32], mac[32];
	struct iov_part part = { rec, 0 };
	char hex[2 * sizeof(rec) + 1];
	sqlite3_stmt *s;
	sqlite3 *db;
	size_t len;

	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "SELECT data FROM root", -1, &s, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	len = (size_t)sqlite3_column_bytes(s, 0);
	assert_int_equal(len, 210);
	memcpy(rec, sqlite3_column_blob(s, 0), len);
	assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	memcpy(rec + off, p, n);
	part.len = len - sizeof(mac);
	assert_int_equal(
	    hkdf_sha256(master, 32, info, sizeof(info) - 1, key, sizeof(key)),
	    VT_OK);
	assert_int_equal(
	    hmac_sha256_parts(key, sizeof(key), &part, 1, mac), VT_OK);
	memcpy(rec + part.len, mac, sizeof(mac));
	hex_encode(rec, len, hex);
	sql("UPDATE root SET data=x'%s'", hex);
}

static void
a_root_of_another_format_is_refused(void **state)
{
	(void)state;
	patch_root(5, "\1", 1);
	assert_broken("root is damaged");
	patch_root(5, "\3", 1);
	assert_broken("root is damaged");
	patch_root(5, "\2", 1);
	assert_only(-1, -1, "");
}

/* Only the manager itself could have written these. */
static void
a_root_with_impossible_numbers_is_refused(void **state)
{
	static const struct {
		const char *what;
		size_t off; /* doc/FORMATS.md, "Root" */
		const char *bad, *good;
		size_t n;
	} cases[] = {
		{ "slots", 22, "\0\1\0\1", "\0\0\0\24", 4 },
		{ "generation", 90, "\x80", "", 1 },
		{ "audit cut", 98 + 7, "\25", "", 1 }, /* of 20 records */
	};
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		patch_root(cases[i].off, cases[i].bad, cases[i].n);
		assert_broken("root is damaged");
		patch_root(cases[i].off, cases[i].good, cases[i].n);
		assert_only(-1, -1, "");
	}
}

static void
a_name_hides_no_uuid(void **state)
{
	struct store *st = must_open();
	struct guest in, other = { .tpm_version = 2 };
	uint8_t uuid[UUID_LEN];

	(void)state;
	assert_int_equal(store_unlock(st, master, text), VT_OK);
	uuid_of(4, uuid);
	uuid_format(uuid, other.name);
	uuid_of(40, other.uuid);
	assert_int_equal(store_guest_add(st, &other), VT_OK);
	assert_int_equal(store_guest_find(st, other.name, &in), VT_OK);
	assert_memory_equal(in.uuid, uuid, UUID_LEN);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	assert_int_equal(store_guest_find(st, other.name, &in), VT_OK);
	assert_memory_equal(in.uuid, other.uuid, UUID_LEN);
	store_close(st);
}

static void
a_locked_store_only_lists(void **state)
{
	struct store *st = must_open();
	uint8_t uuid[UUID_LEN], *p;
	struct guest in;
	size_t len;

	(void)state;
	uuid_of(1, uuid);
	assert_int_equal(count(st), NVTPM);
	assert_int_equal(store_guest_find(st, "guest01", &in), VT_OK);
	assert_true(in.tampered);
	assert_non_null(strstr(in.why, "locked"));
	assert_int_equal(store_state_get(st, uuid, &p, &len), VT_E_STATE);
	assert_int_equal(add_inst(st, 30), VT_E_STATE);
	assert_int_equal(store_guest_del(st, uuid), VT_E_STATE);
	assert_int_equal(store_audit(st, "a", "b", "c", "d", ""), VT_E_STATE);
	assert_int_equal(store_unlock(st, master, text), VT_OK);
	assert_int_equal(store_unlock(st, master, text), VT_E_STATE);
	store_close(st);
}

static void
one_manager_at_a_time(void **state)
{
	struct store *st = must_open(), *second = NULL;
	char pid[32];

	(void)state;
	assert_int_equal(store_open(dir, 1, &second, text), VT_E_BUSY);
	(void)snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
	assert_non_null(strstr(text, pid));
	store_close(st);
	store_close(must_open());
}

static void
files_are_private(void **state)
{
	static const char *const names[] = { "store.db", "lock", "epoch",
		"reserve" };
	struct store *st;
	struct stat sb;
	char path[128];
	size_t i;

	(void)state;
	st = must_unlock();
	for (i = 0; i < VT_NELEM(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(stat(path, &sb), 0);
		assert_int_equal(sb.st_mode & 0777, 0600);
	}
	assert_int_equal(sb.st_size, 1 << 20); /* the reserve */
	assert_true(sb.st_blocks * 512 >= sb.st_size);
	store_close(st);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_DENIED);
	assert_non_null(strstr(text, "0700"));
	assert_int_equal(chmod(dir, 0700), 0);
}

/* --- audit ------------------------------------------------------------ */

static int
audit_cb(const struct audit_rec *r, void *arg)
{
	uint64_t *n = arg;

	assert_string_equal(r->action, "create");
	++*n;
	return *n == 1000 ? 1 : 0;
}

static void
assert_audit_bad(const char *words)
{
	struct store *st = must_unlock(); /* guests continue */
	uint64_t n = 0;

	if (strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text, words);
	assert_int_equal(store_audit_each(st, 0, audit_cb, &n), VT_E_CORRUPT);
	assert_non_null(strstr(store_why(st), words));
	store_close(st);
}

static void
the_audit_log_is_listed_and_checked(void **state)
{
	struct store *st = must_unlock();
	uint64_t n = 0;

	(void)state;
	assert_int_equal(store_audit_each(st, 0, audit_cb, &n), VT_OK);
	assert_int_equal(n, NVTPM);
	n = 0;
	assert_int_equal(store_audit_each(st, NVTPM - 4, audit_cb, &n), VT_OK);
	assert_int_equal(n, 5);
	n = 999;
	assert_int_equal(store_audit_each(st, 1, audit_cb, &n), 1);
	assert_int_equal(n, 1000);
	store_close(st);
}

static void
a_changed_audit_record_is_seen(void **state)
{
	(void)state;
	sql("CREATE TABLE keep AS SELECT * FROM audit");
	sql("UPDATE audit SET who='uid 1' WHERE seq=7");
	assert_audit_bad("record 7");
	sql("REPLACE INTO audit SELECT * FROM keep;"
	    "UPDATE audit SET detail=x'00' WHERE seq=7");
	assert_audit_bad("record 7");
	sql("REPLACE INTO audit SELECT * FROM keep;"
	    "UPDATE audit SET wall_ms='late' WHERE seq=7");
	assert_audit_bad("record 7");
	sql("REPLACE INTO audit SELECT * FROM keep");
	assert_only(-1, -1, "");
	assert_string_equal(text, "");
}

static void
a_removed_audit_record_is_seen(void **state)
{
	(void)state;
	sql("DELETE FROM audit WHERE seq=7");
	assert_audit_bad("record 7 is missing");
	sql("DELETE FROM audit WHERE seq<7");
	assert_audit_bad("record 1 is missing");
	sql("DELETE FROM audit WHERE seq>0");
	assert_audit_bad("the last one written is 20");
}

static void
a_truncated_audit_log_stays_truncated(void **state)
{
	struct store *st;

	(void)state;
	sql("DELETE FROM audit WHERE seq>15");
	assert_audit_bad("it ends at record 15");
	st = must_unlock();
	assert_int_equal(store_audit(st, "a", "create", "c", "ok", ""), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	assert_audit_bad("record 16 is missing"); /* 21 does not hide it */
}

static int
count_record(const struct audit_rec *r, void *arg)
{
	uint64_t *v = arg;

	if (v[0] == 0)
		v[1] = r->seq;
	v[0]++;
	return 0;
}

/* Only the oldest are deleted, and only by the limit. */
static void
the_audit_log_is_bounded(void **state)
{
	struct store *st = must_unlock();
	uint64_t v[2] = { 0, 0 }, n = STORE_AUDIT_MAX + 1500, i;

	(void)state;
	for (i = 0; i < n; i++) {
		assert_int_equal(
		    store_audit(st, "manager", "create", "g", "ok", ""), VT_OK);
		if (i % 20000 == 0 || i + 300 > n)
			assert_int_equal(store_commit(st), VT_OK);
	}
	store_close(st);
	st = must_unlock();
	assert_string_equal(text, "");
	assert_int_equal(store_audit_each(st, 0, count_record, v), VT_OK);
	assert_in_range(v[0], STORE_AUDIT_MAX, STORE_AUDIT_MAX + 1000);
	assert_int_equal(v[1] + v[0] - 1, n);
	store_close(st);
	/* The record that the next cut would end with is missing: no cut, so
	 * that the evidence stays. */
	sql("DELETE FROM audit WHERE seq=%d", (int)v[1] + 1000 - 1);
	st = must_unlock();
	for (i = n; i < v[1] - 1 + STORE_AUDIT_MAX + 1000; i++)
		assert_int_equal(
		    store_audit(st, "manager", "create", "g", "ok", ""), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	v[0] = 0;
	n = v[1];
	assert_int_equal(
	    store_audit_each(st, 0, count_record, v), VT_E_CORRUPT);
	assert_int_equal(v[1], n);
	assert_int_equal(v[0], 999);
	store_close(st);
	sql("DELETE FROM audit WHERE seq=%d", (int)v[1]);
	assert_audit_bad("is missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_committed_is_there_again),
		T(what_was_not_committed_is_gone),
		T(names_and_uuids_are_unique),
		T(versions_only_grow),
		T(deleted_slots_are_used_again),
		E(values_come_and_go),
		E(values_in_the_tree_come_and_go),
		E(many_values_are_bounded),
		T(a_root_of_another_format_is_refused),
		T(a_root_with_impossible_numbers_is_refused),
		T(a_name_hides_no_uuid),
		T(a_locked_store_only_lists),
		E(one_manager_at_a_time),
		E(files_are_private),
		T(the_audit_log_is_listed_and_checked),
		T(a_changed_audit_record_is_seen),
		T(a_removed_audit_record_is_seen),
		T(a_truncated_audit_log_stays_truncated),
		E(the_audit_log_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
