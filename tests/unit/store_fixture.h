/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_fixture.h - a store in a private folder with NVTPM guests in it, for
 * the store's tests.
 */
#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/util.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_audit.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_check.h"
#include "vtpm_manager/store/store_commit.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_meta.h"
#include "vtpm_manager/store/store_recover.h"

#ifndef STORE_TMP
#define STORE_TMP "/tmp"
#endif
#define NVTPM 20 /* two leaf pages */
#define BLOB_LEN 333

static char dir[64], db_path[96];
static const uint8_t master[32] = { 7 };
static char text[TEXT_MAX_LEN + 1];

/* --- helpers ---------------------------------------------------------- */

static __attribute__((unused)) int
rm_one(const char *path, const struct stat *sb, int flag, struct FTW *f)
{
	(void)sb;
	(void)flag;
	(void)f;
	return remove(path);
}

static __attribute__((unused)) int
setup_empty(void **state)
{
	(void)state;
	strcpy(dir, STORE_TMP "/store.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(db_path, sizeof(db_path), "%s/store.db", dir);
	return 0;
}

static __attribute__((unused)) int
teardown(void **state)
{
	(void)state;
	return nftw(dir, rm_one, 16, FTW_DEPTH | FTW_PHYS);
}

static __attribute__((unused)) void
uuid_of(int i, uint8_t uuid[UUID_LEN])
{
	memset(uuid, 0x40 + i, UUID_LEN);
}

static __attribute__((unused)) void
blob_of(int i, uint64_t version, unsigned int kind, uint8_t *out)
{
	size_t k;

	for (k = 0; k < BLOB_LEN; k++)
		out[k] = (uint8_t)(k * 7 + (size_t)i * 31 + version * 17 +
				   kind * 101);
}

static __attribute__((unused)) int
put_state(struct store *st, int i, uint64_t gen, uint64_t version)
{
	uint8_t uuid[UUID_LEN], blob[BLOB_LEN], digest[32];

	uuid_of(i, uuid);
	blob_of(i, version, 0, blob);
	assert_int_equal(
	    digest_buf(ALG_SHA256, blob, sizeof(blob), digest), VT_OK);
	return store_state_put(
	    st, uuid, gen, version, 0, digest, blob, sizeof(blob));
}

static __attribute__((unused)) void
put_extra(struct store *st, int i, enum store_extra x, uint64_t version)
{
	uint8_t uuid[UUID_LEN], blob[BLOB_LEN];

	uuid_of(i, uuid);
	blob_of(i, version, (unsigned int)x, blob);
	assert_int_equal(
	    store_extra_put(st, uuid, x, blob, sizeof(blob)), VT_OK);
}

static __attribute__((unused)) void
fill_inst(int i, struct guest *in)
{
	memset(in, 0, sizeof(*in));
	uuid_of(i, in->uuid);
	(void)snprintf(in->name, sizeof(in->name), "guest%02d", i);
	in->tpm_version = TPM_VER_20;
	in->status = GUEST_STOPPED;
	in->generation = 1;
	in->created_ms = 1000 + (uint64_t)i;
}

static __attribute__((unused)) int
add_inst(struct store *st, int i)
{
	struct guest in;

	fill_inst(i, &in);
	return store_guest_add(st, &in);
}

static __attribute__((unused)) struct store *
must_open(void)
{
	struct store *st = NULL;

	if (store_open(dir, 1, &st, text) != VT_OK)
		fail_msg("store_open: %s", text);
	return st;
}

static __attribute__((unused)) struct store *
must_unlock(void)
{
	struct store *st = must_open();

	if (store_unlock(st, master, text) != VT_OK)
		fail_msg("store_unlock: %s", text);
	return st;
}

static __attribute__((unused)) int
setup_full(void **state)
{
	struct store *st;
	int i;

	if (setup_empty(state) != 0)
		return -1;
	st = must_unlock();
	for (i = 0; i < NVTPM; i++) {
		assert_int_equal(add_inst(st, i), VT_OK);
		assert_int_equal(put_state(st, i, 1, 1), VT_OK);
		put_extra(st, i, SX_LAUNCH, 1);
		assert_int_equal(store_audit(st, "uid 0 (admin)", "create",
				     "guest", "ok", ""),
		    VT_OK);
	}
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	return 0;
}

/* Change the closed database. */
static __attribute__((unused)) void
sql(const char *fmt, ...)
{
	char q[512], *err = NULL;
	sqlite3 *db;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(q, sizeof(q), fmt, ap);
	va_end(ap);
	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, q, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s: %s", q, err);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* 0: it has exactly the state of that version; else the error. */
static __attribute__((unused)) int
state_is(struct store *st, int i, uint64_t version)
{
	uint8_t uuid[UUID_LEN], want[BLOB_LEN], *p = NULL;
	size_t len = 0;
	int rc;

	uuid_of(i, uuid);
	if ((rc = store_state_get(st, uuid, &p, &len)) != VT_OK)
		return rc;
	blob_of(i, version, 0, want);
	assert_int_equal(len, BLOB_LEN);
	assert_memory_equal(p, want, BLOB_LEN);
	free(p);
	return VT_OK;
}

static __attribute__((unused)) int
count_one(const struct guest *in, void *arg)
{
	(void)in;
	++*(int *)arg;
	return 0;
}

static __attribute__((unused)) int
count(struct store *st)
{
	int n = 0;

	assert_int_equal(store_guest_each(st, count_one, &n), VT_OK);
	return n;
}

/* guest i is listed, refused for every use, and why has the words. */
static __attribute__((unused)) void
assert_refused(struct store *st, int i, const char *words)
{
	uint8_t uuid[UUID_LEN], *p;
	struct guest in, mine;
	size_t len;

	fill_inst(i, &mine);
	uuid_of(i, uuid);
	assert_int_equal(store_guest_find(st, mine.name, &in), VT_OK);
	assert_memory_equal(in.uuid, uuid, UUID_LEN);
	assert_true(in.tampered);
	if (strstr(in.why, words) == NULL)
		fail_msg("'%s' does not say '%s'", in.why, words);
	assert_int_equal(store_state_get(st, uuid, &p, &len), VT_E_CORRUPT);
	assert_string_equal(store_why(st), in.why);
	assert_int_equal(put_state(st, i, 9, 9), VT_E_CORRUPT);
	assert_int_equal(
	    store_guest_status(st, uuid, GUEST_RUNNING), VT_E_CORRUPT);
	/* no new TPM appears under its name or UUID by mistake */
	assert_int_equal(add_inst(st, i), VT_E_EXISTS);
}

/* --- values inside the tree -------------------------------------------- */

static __attribute__((unused)) int
put_meta(struct store *st, const char *key, const char *val)
{
	return store_meta_put(st, key, val, strlen(val));
}

/* 0: key has exactly this value; else the error. */
static __attribute__((unused)) int
meta_is(struct store *st, const char *key, const char *want)
{
	uint8_t *p = NULL;
	size_t len = 0;
	int rc;

	if ((rc = store_meta_get(st, key, &p, &len)) != VT_OK) {
		assert_null(p);
		return rc;
	}
	assert_int_equal(len, strlen(want));
	assert_memory_equal(p, want, len);
	free(p);
	return VT_OK;
}

/* Exactly the guests from..to are refused with these words. */
static __attribute__((unused)) void
assert_only(int from, int to, const char *words)
{
	struct store *st = must_unlock();
	int i;

	assert_int_equal(count(st), NVTPM);
	for (i = 0; i < NVTPM; i++) {
		if (i >= from && i <= to)
			assert_refused(st, i, words);
		else
			assert_int_equal(state_is(st, i, 1), VT_OK);
	}
	store_close(st);
}

/* Everything is refused, and nothing can be changed. */
static __attribute__((unused)) void
assert_broken(const char *words)
{
	struct store *st = must_open();
	uint8_t uuid[UUID_LEN], *p;
	struct guest in;
	size_t len;

	assert_int_equal(store_unlock(st, master, text), VT_E_CORRUPT);
	if (strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text, words);
	assert_int_equal(store_guest_find(st, "guest03", &in), VT_OK);
	assert_true(in.tampered);
	assert_non_null(strstr(in.why, words));
	uuid_of(3, uuid);
	assert_int_equal(store_state_get(st, uuid, &p, &len), VT_E_CORRUPT);
	assert_int_equal(add_inst(st, 50), VT_E_CORRUPT);
	assert_int_equal(store_guest_del(st, uuid), VT_E_CORRUPT);
	assert_int_equal(store_kv_put(st, "a", "b", 1), VT_E_CORRUPT);
	assert_int_equal(
	    store_audit(st, "a", "b", "c", "ok", ""), VT_E_CORRUPT);
	assert_int_equal(store_commit(st), VT_OK); /* nothing to do */
	store_close(st);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_full, teardown)
#define E(name) cmocka_unit_test_setup_teardown(name, setup_empty, teardown)

#endif
