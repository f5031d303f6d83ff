/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_store_limits.c - the store's edges: lengths, numbers, slots, space, the
 * files of its folder, and rows that only an intruder writes.
 */

#include "tests/unit/store_fixture.h"

#include <sys/statvfs.h>

#include <errno.h>

#define MB (1u << 20)

/* --- a disk of any size ----------------------------------------------- */

int __real_fallocate(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate(int fd, int mode, off_t off, off_t len);
int __real_fstatvfs(int fd, struct statvfs *sv);
int __wrap_fstatvfs(int fd, struct statvfs *sv);

static bool no_fallocate;
static uint64_t disk_free; /* 0: as it is */

int
__wrap_fallocate(int fd, int mode, off_t off, off_t len)
{
	if (!no_fallocate)
		return __real_fallocate(fd, mode, off, len);
	errno = EOPNOTSUPP;
	return -1;
}

int
__wrap_fstatvfs(int fd, struct statvfs *sv)
{
	if (disk_free == 0)
		return __real_fstatvfs(fd, sv);
	memset(sv, 0, sizeof(*sv));
	sv->f_frsize = 1;
	sv->f_bavail = disk_free;
	return 0;
}

static int
setup_disk(void **state)
{
	no_fallocate = false;
	disk_free = 0;
	return setup_full(state);
}

static void
file_path(const char *name, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", dir, name);
}

static void
reserve_stat(struct stat *sb)
{
	char path[128];

	file_path("reserve", path);
	assert_int_equal(stat(path, sb), 0);
}

static void
make_reserve(off_t len)
{
	char path[128];

	file_path("reserve", path);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(truncate(path, len), 0);
}

/* --- space ------------------------------------------------------------- */

static void
room_is_reported_by_what_is_free(void **state)
{
	static const struct {
		bool there; /* the reserve, which has 1 MB */
		uint64_t free;
		bool ok, used, low;
	} cases[] = {
		{ true, 8 * MB, true, false, false },
		{ true, MB, true, false, false },
		{ true, MB - 1, false, false, false },
		{ false, MB, false, true, false },
		{ false, MB / 4, false, true, false },
		{ false, MB / 4 - 1, false, true, true },
	};
	struct store_space sp;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct store *st;

		print_message("  %u bytes\n", (unsigned int)cases[i].free);
		disk_free = cases[i].there ? 8 * MB : MB;
		make_reserve(0);
		st = must_unlock();
		disk_free = cases[i].free;
		store_space(st, &sp);
		assert_int_equal(sp.free_bytes, cases[i].free);
		assert_int_equal(sp.ok, cases[i].ok);
		assert_int_equal(sp.reserve_used, cases[i].used);
		assert_int_equal(sp.low, cases[i].low);
		assert_int_equal(
		    add_inst(st, 30), cases[i].ok ? VT_OK : VT_E_SPACE);
		store_close(st);
	}
}

static void
the_reserve_is_made_only_with_twice_its_room(void **state)
{
	struct store *st;
	struct stat sb;

	(void)state;
	make_reserve(0);
	disk_free = 2 * MB - 1;
	st = must_unlock();
	reserve_stat(&sb);
	assert_int_equal(sb.st_size, 0);
	assert_int_equal(add_inst(st, 30), VT_E_SPACE);
	assert_non_null(strstr(store_why(st), "reserve"));
	store_close(st);
	disk_free = 2 * MB;
	st = must_unlock();
	reserve_stat(&sb);
	assert_int_equal(sb.st_size, MB);
	assert_int_equal(add_inst(st, 30), VT_OK);
	store_close(st);
}

static void
a_reserve_without_blocks_is_none(void **state)
{
	struct stat sb;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		no_fallocate = i == 1; /* zeros are written then */
		make_reserve(MB);
		reserve_stat(&sb);
		assert_true(sb.st_blocks * 512 < MB);
		store_close(must_unlock());
		reserve_stat(&sb);
		assert_int_equal(sb.st_size, MB);
		assert_true(sb.st_blocks * 512 >= MB);
	}
}

/* --- the folder's files --------------------------------------------------- */

static void
an_epoch_that_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = { "", "\n", "0\n", "2", "2x\n", "x\n",
		"99999999999999999999999\n" };
	struct store *st = NULL;
	char path[128];
	size_t i;

	(void)state;
	file_path("epoch", path);
	for (i = 0; i < VT_NELEM(bad); i++) {
		print_message("  '%s'\n", bad[i]);
		assert_int_equal(
		    write_file_atomic(path, bad[i], strlen(bad[i]), 0600),
		    VT_OK);
		assert_int_equal(store_open(dir, 1, &st, text), VT_E_CORRUPT);
		assert_non_null(strstr(text, "epoch"));
		assert_null(st);
	}
}

static void
a_folder_of_another_user_is_refused(void **state)
{
	struct store *st = NULL;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(dir, 1, (gid_t)-1), 0);
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_DENIED);
	assert_int_equal(chown(dir, 0, (gid_t)-1), 0);
}

static void
the_database_is_private_and_no_link(void **state)
{
	struct store *st = NULL;
	struct stat sb;
	char path[128];

	(void)state;
	assert_int_equal(chmod(db_path, 0644), 0);
	st = must_unlock();
	assert_int_equal(stat(db_path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	file_path("store.db-shm", path); /* others could map that */
	assert_int_equal(access(path, F_OK), -1);
	store_close(st);
	file_path("other", path);
	assert_int_equal(rename(db_path, path), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(symlink("other", db_path), 0);
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_SYS);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0644);
}

/* A state that was replaced cannot be read from the disk any more. */
static void
old_states_are_wiped_from_the_file(void **state)
{
	uint8_t uuid[UUID_LEN], blob[BLOB_LEN], digest[32], *p = NULL;
	struct store *st = must_unlock();
	size_t len;
	int i;

	(void)state;
	uuid_of(4, uuid);
	for (i = 'a'; i <= 'c'; i++) {
		memset(blob, i, sizeof(blob));
		assert_int_equal(
		    digest_buf(ALG_SHA256, blob, sizeof(blob), digest), VT_OK);
		assert_int_equal(store_state_put(st, uuid, 2, (uint64_t)i, 0,
				     digest, blob, sizeof(blob)),
		    VT_OK);
		assert_int_equal(store_commit(st), VT_OK);
	}
	store_close(st);
	assert_int_equal(read_file(db_path, 1 << 24, &p, &len), VT_OK);
	for (i = 'a'; i <= 'c'; i++) {
		memset(blob, i, sizeof(blob));
		assert_int_equal(
		    memmem(p, len, blob, BLOB_LEN / 2) != NULL, i == 'c');
	}
	free(p);
}

/* --- guests --------------------------------------------------------------- */

static void
a_new_guest_brings_only_what_describes_it(void **state)
{
	struct store *st = must_unlock();
	static const uint8_t none[32];
	struct guest in;

	(void)state;
	fill_inst(30, &in);
	in.slot = 7;
	in.tampered = true;
	strcpy(in.why, "nothing");
	memset(in.digest, 1, sizeof(in.digest));
	assert_int_equal(store_guest_add(st, &in), VT_OK);
	assert_int_equal(in.slot, NVTPM);
	assert_false(in.tampered);
	assert_string_equal(in.why, "");
	assert_memory_equal(in.digest, none, sizeof(none));
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_int_equal(store_guest_find(st, "guest30", &in), VT_OK);
	assert_false(in.tampered);
	store_close(st);
}

static void
the_lowest_free_slot_is_given(void **state)
{
	struct store *st = must_unlock();
	uint8_t uuid[UUID_LEN];
	struct guest in;

	(void)state;
	assert_int_equal(add_inst(st, 30), VT_OK); /* the search went up */
	uuid_of(3, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	fill_inst(31, &in);
	assert_int_equal(store_guest_add(st, &in), VT_OK);
	assert_int_equal(in.slot, 3);
	store_rollback(st);
	fill_inst(32, &in);
	assert_int_equal(store_guest_add(st, &in), VT_OK);
	assert_int_equal(in.slot, NVTPM);
	store_close(st);
}

/* A forgotten guest may have its blobs there. */
static void
a_slot_under_a_damaged_page_is_not_given(void **state)
{
	struct store *st;
	struct guest in;

	(void)state;
	sql("UPDATE page SET data=zeroblob(length(data)) WHERE id=1;"
	    "DELETE FROM vtpm WHERE slot=17");
	st = must_unlock();
	fill_inst(30, &in);
	assert_int_equal(store_guest_add(st, &in), VT_OK);
	assert_int_equal(in.slot, NVTPM); /* never in the tree, so free */
	store_close(st);
}

static void
a_state_brings_its_flags_and_its_length(void **state)
{
	uint8_t uuid[UUID_LEN], digest[32];
	struct store *st = must_unlock();
	struct guest in;
	int i;

	(void)state;
	uuid_of(4, uuid);
	assert_int_equal(digest_buf(ALG_SHA256, "xyz", 3, digest), VT_OK);
	assert_int_equal(store_state_put(st, uuid, 2, 1, GUEST_F_RESTORED,
			     digest, (const uint8_t *)"xyz", 3),
	    VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	for (i = 0; i < 2; i++) {
		assert_int_equal(store_guest_get(st, uuid, &in), VT_OK);
		assert_int_equal(in.flags, GUEST_F_RESTORED);
		assert_int_equal(in.state_len, 3);
		assert_memory_equal(in.digest, digest, sizeof(digest));
		if (i == 0) {
			store_close(st);
			st = must_unlock();
		}
	}
	store_close(st);
}

static void
what_is_too_long_or_too_large_is_refused(void **state)
{
	uint8_t uuid[UUID_LEN], digest[32], *p = NULL;
	struct store *st = must_unlock();
	const size_t len = STATE_MAX_LEN + 1;
	uint8_t *big = calloc(1, len);

	(void)state;
	assert_non_null(big);
	uuid_of(4, uuid);
	assert_int_equal(digest_buf(ALG_SHA256, big, len, digest), VT_OK);
	assert_int_equal(
	    store_state_put(st, uuid, 1, 9, 0, digest, big, len), VT_E_RANGE);
	assert_non_null(strstr(store_why(st), "guest04"));
	assert_int_equal(
	    store_extra_put(st, uuid, SX_LOG, big, len), VT_E_RANGE);
	assert_int_equal(store_kv_put(st, "k", big, len), VT_E_RANGE);
	assert_int_equal(digest_buf(ALG_SHA256, big, len - 1, digest), VT_OK);
	assert_int_equal(
	    store_state_put(st, uuid, 1, 9, 0, digest, big, len - 1), VT_OK);
	assert_int_equal(
	    put_state(st, 5, (uint64_t)INT64_MAX + 1, 1), VT_E_RANGE);
	assert_int_equal(
	    put_state(st, 5, 2, (uint64_t)INT64_MAX + 1), VT_E_RANGE);
	assert_int_equal(
	    store_state_put(st, uuid, 3, 1, 0, digest, big, 0), VT_E_RANGE);
	free(big);
	/* a deletion that waits reads as nothing, and says so */
	assert_int_equal(store_extra_put(st, uuid, SX_LAUNCH, NULL, 0), VT_OK);
	assert_int_equal(
	    store_extra_get(st, uuid, SX_LAUNCH, &p, &(size_t){ 0 }),
	    VT_E_NOTFOUND);
	assert_non_null(strstr(store_why(st), "launch record"));
	store_close(st);
}

/* --- what only an intruder writes
 * --------------------------------------------- */

static void
a_row_beyond_all_slots_is_passed_over(void **state)
{
	(void)state;
	sql("UPDATE vtpm SET slot=65536 WHERE slot=5");
	assert_only(5, 5, "record is missing");
	sql("UPDATE vtpm SET slot=4294967296 WHERE slot=65536");
	assert_only(5, 5, "record is missing");
	sql("UPDATE vtpm SET slot=-1 WHERE slot=4294967296");
	assert_only(5, 5, "record is missing");
}

static void
a_name_with_a_hidden_end_is_refused(void **state)
{
	(void)state;
	sql("UPDATE vtpm SET name=CAST(x'677565737430350078' AS TEXT) "
	    "WHERE slot=5");
	assert_only(5, 5, "record in the store was changed");
}

static void
a_page_that_is_text_is_no_page(void **state)
{
	(void)state;
	sql("UPDATE page SET data=CAST(data AS TEXT) WHERE id=0");
	assert_only(0, 15, "hash tree");
}

static void
a_negative_format_is_refused(void **state)
{
	struct store *st = NULL;

	(void)state;
	sql("PRAGMA user_version=-1");
	assert_int_equal(store_open(dir, 1, &st, text), VT_E_UNSUPPORTED);
	assert_null(st);
}

static int
count_record(const struct audit_rec *r, void *arg)
{
	(void)r;
	++*(int *)arg;
	return 0;
}

static void
a_trigger_does_not_run(void **state)
{
	struct store *st;
	int n = 0;

	(void)state;
	sql("CREATE TRIGGER t AFTER INSERT ON audit BEGIN "
	    "DELETE FROM audit WHERE seq<5; END");
	st = must_unlock();
	assert_int_equal(
	    store_audit(st, "manager", "start", "guest05", "ok", ""), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	assert_int_equal(store_audit_each(st, 0, count_record, &n), VT_OK);
	assert_int_equal(n, NVTPM + 1);
	store_close(st);
}

static void
a_listing_that_starts_after_the_last_record_is_empty(void **state)
{
	struct store *st = must_unlock();
	uint64_t from;
	int n = 0;

	(void)state;
	for (from = NVTPM + 1; from < NVTPM + 4; from++)
		assert_int_equal(
		    store_audit_each(st, from, count_record, &n), VT_OK);
	assert_int_equal(
	    store_audit_each(st, UINT64_MAX, count_record, &n), VT_OK);
	assert_int_equal(n, 0);
	store_close(st);
}

#define D(name) cmocka_unit_test_setup_teardown(name, setup_disk, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		D(room_is_reported_by_what_is_free),
		D(the_reserve_is_made_only_with_twice_its_room),
		D(a_reserve_without_blocks_is_none),
		D(an_epoch_that_is_no_number_is_refused),
		D(a_folder_of_another_user_is_refused),
		D(the_database_is_private_and_no_link),
		D(old_states_are_wiped_from_the_file),
		D(a_new_guest_brings_only_what_describes_it),
		D(the_lowest_free_slot_is_given),
		D(a_slot_under_a_damaged_page_is_not_given),
		D(a_state_brings_its_flags_and_its_length),
		D(what_is_too_long_or_too_large_is_refused),
		D(a_row_beyond_all_slots_is_passed_over),
		D(a_name_with_a_hidden_end_is_refused),
		D(a_page_that_is_text_is_no_page),
		D(a_negative_format_is_refused),
		D(a_trigger_does_not_run),
		D(a_listing_that_starts_after_the_last_record_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
