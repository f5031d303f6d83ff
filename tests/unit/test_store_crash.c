/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_store_crash.c - what was acknowledged outlives SIGKILL, power loss,
 * failing writes and a full disk, and nothing else is ever found.
 *
 * A VFS between SQLite and the disk counts operations, makes one fail, and
 * at a power cut keeps of what was written since a file's last sync only a
 * random part, as a disk's cache does.
 */

#include "tests/unit/store_fixture.h"
#include "tests/unit/shim_vfs.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <time.h>

/* --- the faulty disk -------------------------------------------------- */

#define MAX_FILES 8
#define MAX_WRITES 4096

enum fault { F_NONE, F_CUT, F_IOERR, F_FULL };

struct disk_write {
	sqlite3_int64 off;
	int len;
	uint8_t *p;
};
struct disk_file { /* what is safe, and what is only in the cache */
	char path[128];
	uint8_t *base;
	size_t base_len;
	struct disk_write w[MAX_WRITES];
	int n;
};
static struct disk_file files[MAX_FILES];
static enum fault fault;
static int fault_at, fault_n, ops; /* which operations fail */
static bool watching, dead;

/* SQLITE_OK, or how this operation fails. */
static int
disturb(int ioerr)
{
	ops++;
	if (dead)
		return ioerr;
	if (fault == F_NONE || ops < fault_at || ops >= fault_at + fault_n)
		return SQLITE_OK;
	if (fault == F_CUT)
		dead = true;
	return fault == F_FULL ? SQLITE_FULL : ioerr;
}

static void
drop_writes(struct disk_file *d)
{
	while (d->n > 0)
		free(d->w[--d->n].p);
}

static void
make_base(struct disk_file *d)
{
	free(d->base);
	d->base = NULL;
	d->base_len = 0;
	if (read_file(d->path, 1 << 26, &d->base, &d->base_len) != VT_OK)
		assert_int_equal(errno, ENOENT);
	drop_writes(d);
}

static struct disk_file *
watch(const char *path)
{
	int i;

	for (i = 0; i < MAX_FILES; i++) {
		if (files[i].path[0] == '\0') {
			(void)snprintf(
			    files[i].path, sizeof(files[i].path), "%s", path);
			make_base(&files[i]);
			return &files[i];
		}
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	}
	fail_msg("too many files");
	return NULL;
}

static int
shim_before(enum shim_call c, const char *path, const void *p, int len,
    sqlite3_int64 off)
{
	struct disk_write *w;
	struct disk_file *d;
	int rc;

	switch (c) {
	case SHIM_READ:
		return dead ? SQLITE_IOERR_READ : SQLITE_OK;
	case SHIM_TRUNCATE:
		return dead ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
	case SHIM_DELETE:
		return dead ? SQLITE_IOERR_DELETE : SQLITE_OK;
	case SHIM_WRITE:
		rc = disturb(SQLITE_IOERR_WRITE);
		if (rc != SQLITE_OK || path[0] == '\0' || !watching)
			return rc;
		d = watch(path);
		w = &d->w[d->n++];
		assert_true(d->n < MAX_WRITES);
		w->off = off;
		w->len = len;
		w->p = malloc((size_t)len);
		memcpy(w->p, p, (size_t)len);
		return SQLITE_OK;
	case SHIM_SYNC:
		rc = disturb(SQLITE_IOERR_FSYNC);
		if (rc != SQLITE_OK || path[0] == '\0' || !watching)
			return rc;
		make_base(watch(path));
		return SHIM_SKIP; /* safe as far as this test goes */
	default:
		return SQLITE_OK;
	}
}

static int
install(void **state)
{
	(void)state;
	return shim_install();
}

static void
arm(enum fault f, int at, int n)
{
	fault = f;
	fault_at = at;
	fault_n = n;
	ops = 0;
	dead = false;
}

static void
start_watching(void)
{
	memset(files, 0, sizeof(files));
	watching = true;
}

/* What the disk has after the power came back. */
static void
settle(unsigned int *seed)
{
	int i, k, fd;

	for (i = 0; i < MAX_FILES && files[i].path[0] != '\0'; i++) {
		struct disk_file *d = &files[i];

		fd = open(d->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write_all(fd, d->base, d->base_len), VT_OK);
		for (k = 0; k < d->n; k++) {
			int len = d->w[k].len;

			if (rand_r(seed) % 2 == 0)
				continue;
			if (rand_r(seed) % 4 == 0)
				len = (int)((unsigned int)rand_r(seed) %
					    (unsigned int)(len + 1)); /* torn */
			assert_int_equal(
			    pwrite(fd, d->w[k].p, (size_t)len, d->w[k].off),
			    len);
		}
		(void)close(fd);
		drop_writes(d);
		free(d->base);
	}
	watching = dead = false;
	fault = F_NONE;
}

/* --- the tests -------------------------------------------------------- */

/* One acknowledged step: two guests, a value and the log move to this
 * version. */
static int
step(struct store *st, uint64_t version)
{
	char val[32];
	int rc;

	if ((rc = put_state(st, 3, 1, version)) != VT_OK ||
	    (rc = put_state(st, 18, 1, version)) != VT_OK)
		return rc;
	put_extra(st, 3, SX_VOLATILE, version);
	(void)snprintf(val, sizeof(val), "%u", (unsigned int)version);
	if ((rc = put_meta(st, "step", val)) != VT_OK)
		return rc;
	rc = store_audit(st, "manager", "step", "guest03", "ok", "");
	return rc == VT_OK ? store_commit(st) : rc;
}

static uint64_t
version_of(struct store *st, int i)
{
	uint8_t uuid[UUID_LEN];
	struct guest in;

	uuid_of(i, uuid);
	assert_int_equal(store_guest_get(st, uuid, &in), VT_OK);
	if (in.tampered)
		fail_msg("%s: %s", in.name, in.why);
	assert_int_equal(state_is(st, i, in.version), VT_OK);
	return in.version;
}

/* Of the step; 0: there is none. */
static uint64_t
value_of(struct store *st)
{
	uint8_t *p = NULL;
	uint64_t v;
	size_t len;

	if (store_meta_get(st, "step", &p, &len) == VT_E_NOTFOUND)
		return 0;
	assert_non_null(p);
	v = strtoull((const char *)p, NULL, 10);
	free(p);
	return v;
}

static int
no_record(const struct audit_rec *r, void *arg)
{
	(void)r;
	(void)arg;
	return 0;
}

/* Nothing is refused, and the version is what was acknowledged or what was
 * under way.  Returns it. */
static uint64_t
assert_kept(uint64_t acked)
{
	struct store *st = must_unlock();
	uint64_t v = version_of(st, 3);
	int i;

	assert_string_equal(text, "");
	assert_in_range(v, acked, acked + 1);
	assert_int_equal(version_of(st, 18), v); /* both or none */
	assert_int_equal(value_of(st), v > 1 ? v : 0);
	for (i = 0; i < NVTPM; i++)
		if (i != 3 && i != 18)
			assert_int_equal(version_of(st, i), 1);
	assert_int_equal(store_audit_each(st, 0, no_record, NULL), VT_OK);
	store_close(st);
	return v;
}

static void
power_loss_at_any_write_keeps_what_was_acknowledged(void **state)
{
	unsigned int seed = 1;
	uint64_t acked = 1;
	bool cut = true;
	int at;

	(void)state;
	for (at = 1; cut; at++) {
		struct store *st = NULL;
		uint64_t v = acked, i;

		start_watching();
		arm(F_CUT, at, 1);
		if (store_open(dir, 1, &st, text) == VT_OK) {
			if (store_unlock(st, master, text) == VT_OK)
				for (i = 1; i <= 3; i++)
					if (step(st, v + i) == VT_OK)
						acked = v + i;
			store_close(st);
		}
		cut = dead;
		settle(&seed);
		acked = assert_kept(acked);
	}
	assert_true(at > 20); /* it did something */
	assert_true(acked > 20);
}

static void
a_failed_write_is_forgotten_as_a_whole(void **state)
{
	struct store *st = must_unlock();
	bool failed = true;
	uint64_t v = 1;
	int at, rc;

	(void)state;
	for (at = 1; failed; at++) {
		arm(F_IOERR, at, 1);
		rc = step(st, v + 1);
		failed = ops >= at;
		arm(F_NONE, 0, 0);
		if (rc == VT_OK) {
			v++;
		} else {
			assert_int_equal(rc, VT_E_SYS);
			assert_non_null(strstr(store_why(st), "database"));
			assert_int_equal(version_of(st, 3), v);
			assert_int_equal(version_of(st, 18), v);
			assert_int_equal(value_of(st), v > 1 ? v : 0);
			assert_int_equal(step(st, v + 1), VT_OK);
			v++;
		}
	}
	assert_true(at > 3);
	store_close(st);
	assert_int_equal(assert_kept(v), v);
}

/* The next commit, of another guest, must not carry the failed one's leaf. */
static void
a_failed_commit_leaves_nothing_in_the_tree(void **state)
{
	struct store *st = must_unlock();
	uint8_t uuid[UUID_LEN];
	int i;

	(void)state;
	uuid_of(9, uuid);
	assert_int_equal(store_guest_del(st, uuid), VT_OK);
	assert_int_equal(add_inst(st, 30), VT_OK); /* in its place */
	assert_int_equal(add_inst(st, 31), VT_OK); /* the tree grows */
	assert_int_equal(put_state(st, 3, 1, 2), VT_OK);
	arm(F_IOERR, 1, 1);
	assert_int_equal(store_commit(st), VT_E_SYS);
	arm(F_NONE, 0, 0);
	assert_int_equal(put_state(st, 7, 1, 2), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
	st = must_unlock();
	assert_int_equal(count(st), NVTPM);
	for (i = 0; i < NVTPM; i++)
		assert_int_equal(version_of(st, i), i == 7 ? 2 : 1);
	assert_int_equal(add_inst(st, 31), VT_OK);
	assert_int_equal(store_commit(st), VT_OK);
	store_close(st);
}

static off_t
reserve_size(void)
{
	struct stat sb;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/reserve", dir);
	assert_int_equal(stat(path, &sb), 0);
	return sb.st_size;
}

static void
a_full_disk_gives_running_guests_the_reserve(void **state)
{
	struct store *st = must_unlock();
	struct store_space sp;

	(void)state;
	store_space(st, &sp);
	assert_true(sp.ok);
	assert_false(sp.reserve_used);
	assert_int_equal(reserve_size(), 1 << 20);
	arm(F_FULL, 1, 1); /* the next write finds the disk full, once */
	assert_int_equal(step(st, 2), VT_OK);
	arm(F_NONE, 0, 0);
	assert_int_equal(reserve_size(), 0);
	assert_int_equal(version_of(st, 3), 2);
	store_space(st, &sp); /* there is room: it is made again */
	assert_true(sp.ok);
	assert_int_equal(reserve_size(), 1 << 20);
	store_close(st);
	assert_int_equal(assert_kept(2), 2);
}

static void
a_disk_that_stays_full_loses_nothing(void **state)
{
	struct store *st = must_unlock();
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		arm(F_FULL, 1, 1000);
		assert_int_equal(step(st, 2), VT_E_SPACE);
		arm(F_NONE, 0, 0);
		assert_int_equal(version_of(st, 3), 1);
		assert_int_equal(version_of(st, 18), 1);
	}
	assert_int_equal(step(st, 2), VT_OK);
	store_close(st);
	assert_int_equal(assert_kept(2), 2);
}

static void
a_full_disk_does_not_keep_the_store_shut(void **state)
{
	struct store *st = NULL;

	(void)state;
	arm(F_FULL, 1, 1000);
	assert_int_equal(store_open(dir, 1, &st, text), VT_OK);
	assert_int_equal(store_unlock(st, master, text), VT_OK);
	assert_int_equal(state_is(st, 3, 1), VT_OK);
	arm(F_NONE, 0, 0);
	store_close(st);
	assert_int_equal(assert_kept(1), 1);
}

/* Work until killed; each acknowledged version goes down the pipe. */
static void
worker(int fd)
{
	struct store *st = must_unlock();
	uint64_t v = version_of(st, 3);

	for (;;) {
		if (step(st, ++v) != VT_OK ||
		    write(fd, &v, sizeof(v)) != sizeof(v))
			_exit(1);
	}
}

static void
sigkill_at_any_time_loses_nothing(void **state)
{
	struct timespec ts = { 0, 0 };
	unsigned int seed = 2;
	uint64_t acked = 1, v;
	int round, p[2], status;
	pid_t pid;

	(void)state;
	for (round = 0; round < 40; round++) {
		assert_int_equal(pipe(p), 0);
		if ((pid = fork()) == 0)
			worker(p[1]);
		assert_true(pid > 0);
		(void)close(p[1]);
		/* Every other one is killed in the middle of its work. */
		if (round % 2 == 0 && read(p[0], &v, sizeof(v)) == sizeof(v))
			acked = v;
		ts.tv_nsec = 1000L * (rand_r(&seed) % 40000);
		(void)nanosleep(&ts, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(p[0], &v, sizeof(v)) == sizeof(v))
			acked = v;
		(void)close(p[0]);
		acked = assert_kept(acked);
	}
	assert_true(acked > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(power_loss_at_any_write_keeps_what_was_acknowledged),
		T(a_failed_write_is_forgotten_as_a_whole),
		T(a_failed_commit_leaves_nothing_in_the_tree),
		T(a_full_disk_gives_running_guests_the_reserve),
		T(a_disk_that_stays_full_loses_nothing),
		T(a_full_disk_does_not_keep_the_store_shut),
		T(sigkill_at_any_time_loses_nothing),
	};

	return cmocka_run_group_tests(tests, install, NULL);
}
