/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_store_faults.c - the disk fails at the 1st, 2nd, 3rd, ... call of a
 * store's life, once, for a while or until it is repaired, and comes back:
 * what was acknowledged is there, nothing is taken for tampering, and every
 * reason that was given was the true one.
 */
#define STORE_TMP "/dev/shm" /* thousands of lives */
#include "tests/unit/store_fixture.h"
#include "tests/unit/shim_vfs.h"

#include <errno.h>

#include "vtpm_manager/store/store_look.h"
#include "vtpm_manager/store/store_lost.h"

#define GUEST 3
#define OTHER 18
#define NEW 30
#define FOREVER 1000000

/* --- the faulty disk ---------------------------------------------------- */

#define C(c) (1u << SHIM_##c)
#define READS (C(READ) | C(SIZE) | C(OPEN))
#define WRITES (C(WRITE) | C(TRUNCATE) | C(DELETE))
#define EVERY (READS | WRITES | C(SYNC) | C(ACCESS))

static const struct kind {
	const char *name;
	unsigned int calls; /* that fail */
	int err;
	int rc; /* of the store */
} kinds[] = {
	{ "EIO on read", READS, EIO, VT_E_SYS },
	{ "EIO on write", WRITES, EIO, VT_E_SYS },
	{ "EIO on fsync", C(SYNC), EIO, VT_E_SYS },
	{ "EIO everywhere", EVERY, EIO, VT_E_SYS },
	{ "read-only", WRITES | C(OPEN), EROFS, VT_E_SYS },
	{ "ENOSPC on write", WRITES | C(SYNC), ENOSPC, VT_E_SPACE },
	{ "EDQUOT on write", WRITES | C(SYNC), EDQUOT, VT_E_SPACE },
};

static const struct kind *kind;
static int calls, from, lasts, last_errno;

static int
code_of(enum shim_call c)
{
	static const int codes[] = {
		[SHIM_OPEN] = SQLITE_CANTOPEN,
		[SHIM_READ] = SQLITE_IOERR_READ,
		[SHIM_WRITE] = SQLITE_IOERR_WRITE,
		[SHIM_TRUNCATE] = SQLITE_IOERR_TRUNCATE,
		[SHIM_SYNC] = SQLITE_IOERR_FSYNC,
		[SHIM_SIZE] = SQLITE_IOERR_FSTAT,
		[SHIM_DELETE] = SQLITE_IOERR_DELETE,
		[SHIM_ACCESS] = SQLITE_IOERR_ACCESS,
	};

	/* As SQLite's own VFS has it. */
	if (c == SHIM_WRITE && kind->err == ENOSPC)
		return SQLITE_FULL;
	return codes[c];
}

static int
shim_before(enum shim_call c, const char *path, const void *p, int len,
    sqlite3_int64 off)
{
	(void)path;
	(void)p;
	(void)len;
	(void)off;
	if (kind != NULL && (kind->calls & 1u << c) != 0 && ++calls >= from &&
	    calls < from + lasts) {
		last_errno = kind->err;
		return code_of(c);
	}
	return c == SHIM_SYNC ? SHIM_SKIP : SQLITE_OK; /* the power stays on */
}

/* Neither does this one fail; it would only take its time. */
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

static int
last_error(sqlite3_vfs *v, int len, char *buf)
{
	(void)v;
	(void)len;
	(void)buf;
	return last_errno;
}

static int
install(void **state)
{
	int rc = shim_install();

	(void)state;
	shim_vfs.xGetLastError = last_error;
	/* No cache: what the store reads is read from the disk. */
	(void)sqlite3_soft_heap_limit64(1);
	return rc;
}

/* --- one life ----------------------------------------------------------- */

static struct life {
	struct store *st;
	uint64_t acked, tried; /* versions of GUEST and OTHER */
	int there;             /* NEW: 1, 0, or -1: not known */
} life;

/* The fault is over. */
static void
repair(void)
{
	kind = NULL;
}

static void
assert_true_words(int rc, const char *why, const struct kind *k)
{
	static const char *const lies[] = { "tamper", "destroy", "changed",
		"corrupt", "malformed", "damaged", "missing", "backup", "older",
		"Structure" };
	size_t i;

	for (i = 0; i < VT_NELEM(lies); i++)
		if (strstr(why, lies[i]) != NULL)
			fail_msg("%s at call %d: '%s'", k->name, from, why);
	if (rc != k->rc && rc != VT_E_SYS)
		fail_msg("%s at call %d: %d: %s", k->name, from, rc, why);
	/* SQLite may have lost the system's error, but names no other one. */
	if (strstr(why, strerror(k->err)) == NULL &&
	    strcmp(why + strlen(why) - strlen("disk I/O error"),
		"disk I/O error") != 0)
		fail_msg("%s at call %d: '%s' does not say %s", k->name, from,
		    why, strerror(k->err));
}

/* The store's call gave rc.  At the first failure, the disk is repaired and
 * the store has to come back. */
static bool
went_well(int rc)
{
	const struct kind *k = kind;

	if (rc == VT_OK)
		return true;
	if (k == NULL)
		fail_msg("after the repair: %d: %s", rc, store_why(life.st));
	assert_true_words(rc, store_why(life.st), k);
	if (store_lost(life.st) && lasts == FOREVER) {
		assert_int_not_equal(store_look_again(life.st), VT_OK);
		assert_true_words(VT_E_SYS, store_why(life.st), k);
	}
	repair();
	if (store_look_again(life.st) != VT_OK)
		fail_msg("%s at call %d: not back: %s", k->name, from,
		    store_why(life.st));
	return false;
}

static int
none_refused(const struct guest *in, void *arg)
{
	(void)arg;
	if (in->tampered)
		fail_msg(
		    "at call %d, %s is refused: %s", from, in->name, in->why);
	return 0;
}

static bool
is_there(int i)
{
	uint8_t uuid[UUID_LEN];
	struct guest in;

	uuid_of(i, uuid);
	return store_guest_get(life.st, uuid, &in) == VT_OK;
}

static struct guest
guest_now(int i)
{
	uint8_t uuid[UUID_LEN];
	struct guest in;

	uuid_of(i, uuid);
	assert_int_equal(store_guest_get(life.st, uuid, &in), VT_OK);
	return in;
}

static uint64_t
version_now(int i)
{
	return guest_now(i).version;
}

/* On a disk that works: all is as acknowledged, or as was under way. */
static void
look_at_all(void)
{
	uint64_t v = version_now(GUEST);
	int i;

	assert_int_equal(store_guest_each(life.st, none_refused, NULL), VT_OK);
	if (v != life.acked && v != life.tried)
		fail_msg("at call %d: version %d, acknowledged %d", from,
		    (int)v, (int)life.acked);
	assert_int_equal(version_now(OTHER), v);
	life.acked = life.tried = v;
	if (life.there != -1)
		assert_int_equal(is_there(NEW), life.there);
	life.there = is_there(NEW);
	for (i = 0; i < NVTPM; i++)
		assert_int_equal(state_is(life.st, i, version_now(i)), VT_OK);
	assert_int_equal(version_now(0), 1);
}

static void
commit_step(int rc)
{
	if (rc == VT_OK)
		rc = store_commit(life.st);
	if (went_well(rc))
		life.acked = life.tried;
	else
		look_at_all();
}

static void
next_version(void)
{
	struct store *st = life.st;
	int rc;

	life.tried = life.acked + 1;
	if ((rc = put_state(st, GUEST, guest_now(GUEST).generation,
		 life.tried)) == VT_OK &&
	    (rc = put_state(st, OTHER, guest_now(OTHER).generation,
		 life.tried)) == VT_OK &&
	    (rc = put_meta(st, "step", "x")) == VT_OK)
		rc = store_audit(st, "manager", "step", "guest", "ok", "");
	commit_step(rc);
}

static void
create_one(void)
{
	int rc;

	life.there = -1;
	if ((rc = add_inst(life.st, NEW)) == VT_OK)
		rc = put_state(life.st, NEW, 1, 1);
	commit_step(rc);
	if (life.there == -1)
		life.there = 1;
}

static void
destroy_one(void)
{
	uint8_t uuid[UUID_LEN];

	if (!life.there)
		return;
	uuid_of(NEW, uuid);
	life.there = -1;
	commit_step(store_guest_del(life.st, uuid));
	if (life.there == -1)
		life.there = 0;
}

static void
load(int i)
{
	uint8_t uuid[UUID_LEN], *p = NULL;
	size_t len;

	uuid_of(i, uuid);
	if (!went_well(store_state_get(life.st, uuid, &p, &len)))
		look_at_all();
	free(p);
	p = NULL;
	if (!went_well(store_meta_get(life.st, "step", &p, &len)))
		look_at_all();
	free(p);
}

static void
start_one(void)
{
	uint8_t uuid[UUID_LEN];

	uuid_of(GUEST, uuid);
	commit_step(store_guest_status(life.st, uuid, GUEST_RUNNING));
}

/* An operator accepts the store; while the disk fails, once more. */
static void
recover(void)
{
	uint32_t n = 0;
	bool again;

	do {
		again = kind != NULL;
		store_freeze(life.st, "an older copy");
		commit_step(store_recover_all(life.st, 0, &n));
		again &= kind == NULL;
	} while (again);
}

/* A store that does not open says why, and opens once the disk is back. */
static void
open_one(void)
{
	const struct kind *k = kind;
	struct store *st = NULL;
	int rc;

	rc = store_open(dir, 1, &st, text);
	if (rc == VT_OK && (rc = store_unlock(st, master, text)) != VT_OK)
		store_close(st);
	if (rc != VT_OK) {
		if (k == NULL)
			fail_msg(
			    "at call %d, after the repair: %s", from, text);
		assert_true_words(rc, text, k);
		repair();
		st = must_unlock();
	}
	assert_string_equal(text, "");
	life.st = st;
	if (kind == NULL)
		look_at_all();
}

static void
live(void)
{
	life.there = life.there == -1 ? 0 : life.there;
	open_one();
	load(GUEST);
	if (!life.there)
		create_one();
	next_version();
	start_one();
	next_version();
	load(OTHER);
	destroy_one();
	recover();
	next_version();
	store_close(life.st);
	open_one();
	next_version();
	repair();
	look_at_all();
	store_close(life.st);
	open_one(); /* the disk has what memory had */
	store_close(life.st);
}

/* Lives on one store, the i-th with a fault at call i, until one has fewer
 * calls than that.  Returns how many there were. */
static int
walk(const struct kind *k, int n)
{
	int at = 0;

	do {
		kind = k;
		calls = 0;
		from = ++at;
		lasts = n;
		live();
	} while (calls >= at);
	return at;
}

static void
walk_new(const struct kind *k, int n)
{
	assert_int_equal(setup_full(NULL), 0);
	memset(&life, 0, sizeof(life));
	life.acked = life.tried = 1;
	life.st = must_unlock();
	next_version();
	store_close(life.st);
	assert_true(walk(k, n) > 10);
	assert_int_equal(teardown(NULL), 0);
}

static void
a_fault_at_any_call_loses_and_accuses_nothing(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(kinds); i++)
		walk_new(&kinds[i], 1);
}

static void
a_fault_that_lasts_loses_and_accuses_nothing(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(kinds); i++)
		walk_new(&kinds[i], FOREVER);
	walk_new(&kinds[0], 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_at_any_call_loses_and_accuses_nothing),
		cmocka_unit_test(a_fault_that_lasts_loses_and_accuses_nothing),
	};

	return cmocka_run_group_tests(tests, install, NULL);
}
