/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_store_tamper.c - whatever somebody puts into the store is refused, in
 * words, for the guests that it hit and for no other.
 *
 * The tampering is done with SQL on the closed database, as an intruder with
 * the disk in his hands would.
 */

#include "tests/unit/store_fixture.h"

/* --- tampering -------------------------------------------------------- */

static void
a_deleted_state_is_refused(void **state)
{
	(void)state;
	sql("DELETE FROM blob WHERE id=%d", 5 * 16);
	assert_only(5, 5, "sealed state is missing");
}

static void
a_deleted_record_is_named(void **state)
{
	(void)state;
	sql("DELETE FROM vtpm WHERE slot=5");
	assert_only(5, 5, "record is missing");
	sql("DELETE FROM blob WHERE id/16=5");
	assert_only(5, 5, "record is missing");
}

static void
a_truncated_state_is_refused(void **state)
{
	int len;

	(void)state;
	for (len = BLOB_LEN - 1; len >= 0; len -= 83) {
		sql("UPDATE blob SET data=substr(data,1,%d) WHERE id=%d", len,
		    5 * 16);
		assert_only(5, 5, "sealed state was changed");
	}
}

/* One store is opened once per bit: short blobs keep this in seconds. */
static void
a_bit_flipped_anywhere_is_refused(void **state)
{
	uint8_t good[BLOB_LEN], bad[BLOB_LEN];
	char hex[2 * BLOB_LEN + 1];
	sqlite3_stmt *s;
	struct store *st;
	sqlite3 *db;
	size_t off;

	(void)state;
	blob_of(5, 1, 0, good);
	for (off = 0; off < BLOB_LEN; off++) {
		memcpy(bad, good, sizeof(bad));
		bad[off] ^= (uint8_t)(1u << (off % 8));
		hex_encode(bad, sizeof(bad), hex);
		assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, "PRAGMA synchronous=OFF",
				     NULL, NULL, NULL),
		    SQLITE_OK);
		assert_int_equal(
		    sqlite3_prepare_v2(db,
			"UPDATE blob SET data=?1 WHERE id=80", -1, &s, NULL),
		    SQLITE_OK);
		assert_int_equal(
		    sqlite3_bind_blob(s, 1, bad, BLOB_LEN, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(s), SQLITE_DONE);
		assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		st = must_unlock();
		assert_refused(st, 5, "sealed state was changed");
		assert_int_equal(state_is(st, 6, 1), VT_OK);
		store_close(st);
	}
}

static void
swapped_states_are_refused(void **state)
{
	(void)state;
	sql("UPDATE blob SET id=9999 WHERE id=%d;"
	    "UPDATE blob SET id=%d WHERE id=%d;"
	    "UPDATE blob SET id=%d WHERE id=9999",
	    5 * 16, 5 * 16, 6 * 16, 6 * 16);
	assert_only(5, 6, "swapped");
}

/* Rows, blobs and all: only the leaf says whose slot it is. */
static void
swapped_guests_are_refused(void **state)
{
	(void)state;
	sql("UPDATE vtpm SET slot=999 WHERE slot=5;"
	    "UPDATE vtpm SET slot=5 WHERE slot=6;"
	    "UPDATE vtpm SET slot=6 WHERE slot=999;"
	    "UPDATE blob SET id=id+99999 WHERE id/16=5;"
	    "UPDATE blob SET id=id-16 WHERE id/16=6;"
	    "UPDATE blob SET id=id-99999+16 WHERE id>=99999");
	assert_only(5, 6, "swapped");
}

static void
swapped_names_are_refused(void **state)
{
	(void)state;
	sql("UPDATE vtpm SET name='x' WHERE slot=5;"
	    "UPDATE vtpm SET name='guest05' WHERE slot=6;"
	    "UPDATE vtpm SET name='guest06' WHERE slot=5");
	assert_only(5, 6, "changed, swapped");
}

static void
every_column_is_under_the_tree(void **state)
{
	static const char *const sets[] = {
		"uuid=randomblob(16)",
		"uuid=x'00'",
		"name='guest05x'",
		"name=''",
		"name=x'6775657374'",
		"grp=1",
		"grp=-1",
		"tpm_version=1",
		"status=2",
		"flags=1",
		"flags='many'",
		"generation=2",
		"generation=0",
		"version=2",
		"version=0",
		"created_ms=1",
		"state=zeroblob(32)",
		"state=zeroblob(31)",
		"certs=randomblob(32)",
		"launch=zeroblob(32)",
		"log=randomblob(32)",
		"volatile=randomblob(32)",
		"owner=1000",
		"owner=-1",
	};
	size_t i;

	(void)state;
	sql("CREATE TABLE keep AS SELECT * FROM vtpm WHERE slot=5");
	for (i = 0; i < VT_NELEM(sets); i++) {
		sql("UPDATE vtpm SET %s WHERE slot=5", sets[i]);
		assert_only(5, 5, "record in the store was changed");
		sql("REPLACE INTO vtpm SELECT * FROM keep");
	}
	sql("DROP TABLE keep");
	assert_only(-1, -1, "");
}

static void
a_changed_launch_record_is_refused(void **state)
{
	(void)state;
	sql("UPDATE blob SET data=randomblob(%d) WHERE id=%d", BLOB_LEN,
	    5 * 16 + SX_LAUNCH);
	assert_only(5, 5, "launch record was changed");
	sql("DELETE FROM blob WHERE id=%d", 5 * 16 + SX_LAUNCH);
	assert_only(5, 5, "launch record is missing");
}

/* Keep a copy of some tables, continue, and put the copy back. */
static void
keep_old(void)
{
	sql("CREATE TABLE o_vtpm AS SELECT * FROM vtpm;"
	    "CREATE TABLE o_blob AS SELECT * FROM blob;"
	    "CREATE TABLE o_page AS SELECT * FROM page;"
	    "CREATE TABLE o_root AS SELECT * FROM root;"
	    "CREATE TABLE o_audit AS SELECT * FROM audit");
}

static void
go_on(void)
{
	struct store *st = must_unlock();

	assert_int_equal(put_state(st, 5, 1, 2), VT_OK);
	put_extra(st, 5, SX_LAUNCH, 2);
	assert_int_equal(
	    store_audit(st, "manager", "stop", "guest05", "ok", ""), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
}

static void
an_old_copy_of_one_guest_is_refused(void **state)
{
	struct store *st;
	int i;

	(void)state;
	keep_old();
	go_on();
	/* blob alone */
	sql("REPLACE INTO blob SELECT * FROM o_blob WHERE id=80");
	assert_only(5, 5, "sealed state was changed");
	/* blobs and row, all that is the guest's */
	sql("REPLACE INTO blob SELECT * FROM o_blob WHERE id/16=5;"
	    "REPLACE INTO vtpm SELECT * FROM o_vtpm WHERE slot=5");
	assert_only(5, 5, "older copy");
	/* and the leaf page that fits it */
	sql("REPLACE INTO page SELECT * FROM o_page WHERE id=0");
	assert_only(0, 15, "hash tree");
	/* and the upper page: nothing is left that could be trusted */
	sql("REPLACE INTO page SELECT * FROM o_page");
	st = must_unlock();
	for (i = 0; i < NVTPM; i++)
		assert_refused(st, i, "hash tree");
	store_close(st);
}

/* An old root cannot be made to fit the pages of today. */
/* Byte off, from 1, of a column becomes another. */
static void
spoil_byte(const char *table, const char *col, const char *where, int off)
{
	sql("UPDATE %s SET %s=CAST(substr(%s,1,%d)||"
	    "CASE substr(%s,%d,1) WHEN x'a5' THEN x'5a' ELSE x'a5' END||"
	    "substr(%s,%d) AS BLOB) WHERE %s",
	    table, col, col, off - 1, col, off, col, off + 1, where);
}

/* --- values inside the tree -------------------------------------------- */

static void
put_values(const char *one, const char *two)
{
	struct store *st = must_unlock();

	assert_int_equal(put_meta(st, "one", one), VT_OK);
	assert_int_equal(put_meta(st, "two", two), VT_OK);
	assert_int_equal(put_meta(st, "three", "fast"), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
}

/* What each value answers, and no guest is hit. */
static void
assert_values(int one, int two, int three)
{
	struct store *st = must_unlock();
	int i;

	assert_int_equal(meta_is(st, "one", "eins"), one);
	if (one == VT_E_CORRUPT)
		assert_non_null(strstr(store_why(st), "'one'"));
	assert_int_equal(meta_is(st, "two", "zwei"), two);
	assert_int_equal(meta_is(st, "three", "fast"), three);
	for (i = 0; i < NVTPM; i++)
		assert_int_equal(state_is(st, i, 1), VT_OK);
	store_close(st);
}

static void
a_changed_value_is_refused(void **state)
{
	static const char *const how[] = {
		"UPDATE kv SET val=x'65696e74' WHERE key='meta:one'",
		"UPDATE kv SET val=x'65696e' WHERE key='meta:one'",
		"UPDATE kv SET val=zeroblob(0) WHERE key='meta:one'",
		"UPDATE kv SET val='eins' WHERE key='meta:one'",
		"UPDATE kv SET key='meta:on' WHERE key='meta:one'",
		"DELETE FROM kv WHERE key='meta:one'",
	};
	size_t i;

	(void)state;
	put_values("eins", "zwei");
	assert_values(VT_OK, VT_OK, VT_OK);
	sql("CREATE TABLE keep AS SELECT * FROM kv WHERE key='meta:one'");
	for (i = 0; i < VT_NELEM(how); i++) {
		sql("%s", how[i]);
		assert_values(VT_E_CORRUPT, VT_OK, VT_OK);
		sql("REPLACE INTO kv SELECT * FROM keep");
	}
	sql("DROP TABLE keep");
	sql("INSERT INTO kv VALUES('meta:four',x'00')"); /* without an owner */
	assert_values(VT_OK, VT_OK, VT_OK);
}

static void
swapped_values_are_refused(void **state)
{
	(void)state;
	put_values("eins", "zwei");
	sql("UPDATE kv SET key='x' WHERE key='meta:one';"
	    "UPDATE kv SET key='meta:one' WHERE key='meta:two';"
	    "UPDATE kv SET key='meta:two' WHERE key='x'");
	assert_values(VT_E_CORRUPT, VT_E_CORRUPT, VT_OK);
}

static void
an_old_value_is_refused(void **state)
{
	struct store *st;

	(void)state;
	put_values("eins", "old");
	sql("CREATE TABLE keep AS SELECT * FROM kv WHERE key='meta:two'");
	sql("CREATE TABLE all_old AS SELECT * FROM kv WHERE key LIKE "
	    "'meta:%%'");
	put_values("eins", "zwei");
	assert_values(VT_OK, VT_OK, VT_OK);
	sql("REPLACE INTO kv SELECT * FROM keep");
	assert_values(VT_OK, VT_E_CORRUPT, VT_OK);
	/* with its list: then none is believed, and it stays so */
	sql("REPLACE INTO kv SELECT * FROM all_old");
	assert_values(VT_E_CORRUPT, VT_E_CORRUPT, VT_E_CORRUPT);
	st = must_unlock();
	assert_non_null(strstr(text, "list of values"));
	assert_int_equal(put_meta(st, "one", "eins"), VT_E_CORRUPT);
	assert_int_equal(
	    store_guest_status(
		st, (const uint8_t *)"@@@@@@@@@@@@@@@@", GUEST_RUNNING),
	    VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	assert_values(VT_E_CORRUPT, VT_E_CORRUPT, VT_E_CORRUPT);
	sql("DELETE FROM kv WHERE key='meta:'");
	assert_values(VT_E_CORRUPT, VT_E_CORRUPT, VT_E_CORRUPT);
}

static void
every_byte_of_the_list_of_values_counts(void **state)
{
	int off;

	(void)state;
	put_values("eins", "zwei");
	sql("CREATE TABLE keep AS SELECT * FROM kv WHERE key='meta:'");
	/* 6 + 3 * (2 + 32) + 3 + 3 + 5 */
	for (off = 1; off <= 119; off++) {
		spoil_byte("kv", "val", "key='meta:'", off);
		assert_values(VT_E_CORRUPT, VT_E_CORRUPT, VT_E_CORRUPT);
		sql("UPDATE kv SET val=substr((SELECT val FROM keep),1,%d) "
		    "WHERE key='meta:'",
		    off - 1);
		assert_values(VT_E_CORRUPT, VT_E_CORRUPT, VT_E_CORRUPT);
		sql("REPLACE INTO kv SELECT * FROM keep");
	}
	assert_values(VT_OK, VT_OK, VT_OK);
}

/* A value that does not match can be written again: the operator's decision. */
static void
a_refused_value_can_be_put_anew(void **state)
{
	struct store *st;

	(void)state;
	put_values("eins", "zwei");
	sql("UPDATE kv SET val=x'00' WHERE key='meta:one'");
	st = must_unlock();
	assert_int_equal(meta_is(st, "one", "eins"), VT_E_CORRUPT);
	assert_int_equal(put_meta(st, "one", "eins"), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	assert_values(VT_OK, VT_OK, VT_OK);
}

static void
an_old_root_is_refused(void **state)
{
	struct store *st;
	int i;

	(void)state;
	keep_old();
	go_on();
	sql("REPLACE INTO root SELECT * FROM o_root");
	st = must_unlock();
	assert_non_null(strstr(text, "audit log")); /* it is longer, too */
	for (i = 0; i < NVTPM; i++)
		assert_refused(st, i, "hash tree");
	store_close(st);
}

static void
a_changed_root_breaks_the_store(void **state)
{
	int off;

	(void)state;
	sql("CREATE TABLE o_root AS SELECT * FROM root");
	for (off = 1; off <= 210; off += 9) {
		spoil_byte("root", "data", "1", off);
		assert_broken("root");
		sql("REPLACE INTO root SELECT * FROM o_root");
	}
	sql("UPDATE root SET data=substr(data,1,100)");
	assert_broken("root is damaged");
	sql("UPDATE root SET data=zeroblob(0)");
	assert_broken("root is damaged");
	sql("DELETE FROM root");
	assert_broken("root is missing");
	sql("REPLACE INTO root SELECT * FROM o_root");
	assert_only(-1, -1, ""); /* nothing was written meanwhile */
}

static void
another_master_key_opens_nothing(void **state)
{
	static const uint8_t other[32] = { 8 };
	struct store *st = must_open();

	(void)state;
	assert_int_equal(store_unlock(st, other, text), VT_E_CORRUPT);
	assert_non_null(strstr(text, "master key"));
	store_close(st);
	assert_only(-1, -1, "");
}

static void
a_host_blob_without_root_is_refused(void **state)
{
	struct store *st = must_open();

	(void)state;
	assert_int_equal(store_kv_put(st, STORE_KV_HOST, "sealed", 6), VT_OK);
	assert_int_equal(store_unlock(st, master, text), VT_OK);
	store_close(st);
	st = must_open();
	assert_false(store_is_new(st));
	store_close(st);
	sql("DELETE FROM root; DELETE FROM page");
	st = must_open();
	assert_false(store_is_new(st));
	assert_int_equal(store_unlock(st, master, text), VT_E_CORRUPT);
	assert_non_null(strstr(text, "root is missing"));
	store_close(st);
}

static void
a_destroyed_guest_does_not_come_back(void **state)
{
	struct store *st;
	uint8_t uuid[UUID_LEN];
	struct guest in;

	(void)state;
	keep_old();
	st = must_unlock();
	uuid_of(5, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	sql("REPLACE INTO vtpm SELECT * FROM o_vtpm WHERE slot=5;"
	    "REPLACE INTO blob SELECT * FROM o_blob WHERE id/16=5");
	assert_only(5, 5, "was destroyed");
	/* nor in another slot */
	sql("UPDATE vtpm SET slot=77 WHERE slot=5;"
	    "UPDATE blob SET id=id+72*16 WHERE id/16=5");
	assert_only(5, 5, "was destroyed");
	st = must_unlock();
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(add_inst(st, 5), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_int_equal(store_guest_find(st, "guest05", &in), VT_OK);
	assert_false(in.tampered);
	store_close(st);
}

/* A copy of a guest in another slot is not a second guest. */
static void
a_cloned_record_is_not_believed(void **state)
{
	struct store *st;
	struct guest in;

	(void)state;
	sql("INSERT INTO vtpm SELECT 25,uuid,name,grp,tpm_version,status,"
	    "flags,generation,version,created_ms,state,certs,launch,log,"
	    "volatile,owner FROM vtpm WHERE slot=5");
	assert_only(-1, -1, "");
	sql("UPDATE vtpm SET name='clone' WHERE slot=25");
	assert_only(-1, -1, ""); /* its UUID is taken */
	sql("UPDATE vtpm SET uuid=randomblob(16) WHERE slot=25");
	st = must_unlock();
	assert_int_equal(count(st), NVTPM + 1);
	assert_int_equal(store_guest_find(st, "clone", &in), VT_OK);
	assert_true(in.tampered);
	store_close(st);
}

/* What was refused stays refused however much is written beside it; only
 * its own deletion ends it. */
static void
marks_outlive_later_commits(void **state)
{
	uint8_t uuid[UUID_LEN];
	struct store *st;
	int i;

	(void)state;
	sql("UPDATE vtpm SET version=7 WHERE slot=5;"
	    "UPDATE page SET data=zeroblob(length(data)) WHERE id=1");
	for (i = 0; i < 3; i++) {
		st = must_unlock();
		assert_refused(st, 5, "changed");
		assert_refused(st, 16, "hash tree");
		assert_int_equal(state_is(st, 3, 1 + (uint64_t)i), VT_OK);
		assert_int_equal(put_state(st, 3, 1, 2 + (uint64_t)i), VT_OK);
		assert_int_equal(add_inst(st, 40 + i), VT_OK);
		assert_int_equal(store_commit(st), VT_OK);
		store_close(st);
	}
	/* destroying one of a damaged page does not heal the others */
	st = must_unlock();
	uuid_of(16, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	uuid_of(5, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_refused(st, 17, "damaged here before");
	assert_int_equal(state_is(st, 16, 1), VT_E_NOTFOUND);
	assert_int_equal(state_is(st, 5, 1), VT_E_NOTFOUND);
	store_close(st);
}

static void
a_foreign_schema_is_refused(void **state)
{
	struct store *st = NULL;

	(void)state;
	sql("PRAGMA user_version=99");
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_UNSUPPORTED);
	assert_non_null(strstr(text, "newer manager"));
	sql("PRAGMA user_version=1; PRAGMA application_id=7");
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_CORRUPT);
	assert_non_null(strstr(text, "not a vTPM store"));
	assert_null(strstr(text, "format"));
	sql("PRAGMA application_id=1448366157; ALTER TABLE vtpm RENAME TO vt2;"
	    "CREATE VIEW vtpm AS SELECT * FROM vt2");
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_CORRUPT);
	assert_null(st);
}

static void
a_missing_database_is_not_a_new_store(void **state)
{
	struct store *st = NULL;
	int fd;

	(void)state;
	assert_int_equal(unlink(db_path), 0);
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_CORRUPT);
	assert_non_null(strstr(text, "backup"));
	fd = open(db_path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_CORRUPT);
	assert_null(st);
}

static void
an_old_database_alone_is_refused(void **state)
{
	char cmd[256];
	struct store *st = NULL;

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "cp %s %s/old", db_path, dir);
	assert_int_equal(system(cmd), 0);
	go_on();
	(void)snprintf(cmd, sizeof(cmd), "cp %s/old %s", dir, db_path);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_CORRUPT);
	assert_non_null(strstr(text, "older"));
}

/* Whatever byte of the file is hit, no guest gets any state but its own. */
static void
no_byte_of_the_file_can_lie(void **state)
{
	struct store *st;
	int fd, rc, opened = 0, refused = 0;
	uint8_t *p = NULL, b;
	size_t len, off;

	(void)state;
	assert_int_equal(read_file(db_path, 1 << 24, &p, &len), VT_OK);
	for (off = 0; off < len; off += 97) {
		int i, n = 0;

		fd = open(db_path, O_WRONLY | O_TRUNC);
		assert_true(fd >= 0);
		p[off] ^= 0x41;
		assert_int_equal(write_all(fd, p, len), VT_OK);
		p[off] ^= 0x41;
		(void)close(fd);
		st = NULL;
		if (store_open(dir, 1, &st, text) != VT_OK) {
			assert_string_not_equal(text, "");
			refused++;
			continue;
		}
		rc = store_unlock(st, master, text);
		if (rc != VT_OK) {
			assert_string_not_equal(text, "");
			refused++;
		}
		for (i = 0; rc == VT_OK && i < NVTPM; i++)
			n += state_is(st, i, 1) != VT_OK;
		if (rc == VT_OK)
			assert_true(count(st) >= NVTPM);
		opened += n == 0;
		refused += n > 0;
		store_close(st);
	}
	b = (uint8_t)(opened > 0) + (uint8_t)(refused > 0);
	assert_int_equal(b, 2); /* both happened */
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_deleted_state_is_refused),
		T(a_deleted_record_is_named),
		T(a_truncated_state_is_refused),
		T(a_bit_flipped_anywhere_is_refused),
		T(swapped_states_are_refused),
		T(swapped_guests_are_refused),
		T(swapped_names_are_refused),
		T(every_column_is_under_the_tree),
		T(a_changed_launch_record_is_refused),
		T(an_old_copy_of_one_guest_is_refused),
		T(a_changed_value_is_refused),
		T(swapped_values_are_refused),
		T(an_old_value_is_refused),
		T(every_byte_of_the_list_of_values_counts),
		T(a_refused_value_can_be_put_anew),
		T(an_old_root_is_refused),
		T(a_changed_root_breaks_the_store),
		T(another_master_key_opens_nothing),
		E(a_host_blob_without_root_is_refused),
		T(a_destroyed_guest_does_not_come_back),
		T(a_cloned_record_is_not_believed),
		T(marks_outlive_later_commits),
		T(a_foreign_schema_is_refused),
		T(a_missing_database_is_not_a_new_store),
		T(an_old_database_alone_is_refused),
		T(no_byte_of_the_file_can_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
