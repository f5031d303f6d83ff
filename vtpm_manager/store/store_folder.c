/* SPDX-License-Identifier: BSD-3-Clause */
/* store_folder.c - the state folder: lock, epoch, reserve. */
#include "vtpm_manager/store/store_folder.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "vtpm/proto/worker_msg.h" /* TEXT_MAX_LEN */

struct store_folder {
	char path[PATH_MAX];
	int fd;      /* the folder */
	int lock_fd; /* -1: not held */
	off_t reserve_len;
	bool reserve_there;
};

static int
open_folder(struct store_folder *d, char *text)
{
	struct stat sb;

	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd == -1 || fstat(d->fd, &sb) == -1)
		goto sys;
	if ((sb.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (sb.st_uid != 0 && sb.st_uid != geteuid())) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "other users can write to the state folder %.120s; it must "
		    "belong to the manager's user and have mode 0700",
		    d->path);
		return VT_E_DENIED;
	}
	return VT_OK;
sys:
	(void)snprintf(text, TEXT_MAX_LEN + 1, "state folder %.120s: %s",
	    d->path, strerror(errno));
	return VT_E_SYS;
}

static int
take_lock(struct store_folder *d, int create, char *text)
{
	char pid[16] = "";
	ssize_t n;

	d->lock_fd = openat(
	    d->fd, "lock", O_RDWR | create | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->lock_fd == -1) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%.120s/lock: %s",
		    d->path, strerror(errno));
		return VT_E_SYS;
	}
	if (lock_fd(d->lock_fd, LOCK_WAIT_MS) != VT_OK) {
		n = pread(d->lock_fd, pid, sizeof(pid) - 1, 0);
		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "another manager (pid %s) uses the state folder %.120s",
		    pid[0] != '\0' ? pid : "unknown", d->path);
		return VT_E_BUSY;
	}
	/* Information only: a full disk must not prevent the start. */
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(d->lock_fd, 0) == 0)
		(void)!pwrite(d->lock_fd, pid, (size_t)n, 0);
	return VT_OK;
}

int
store_folder_open(const char *dir, unsigned int reserve_mb,
    struct store_folder **ret, char *text)
{
	struct store_folder *d = calloc(1, sizeof(*d));
	int rc;

	if (d == NULL) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "out of memory");
		return VT_E_NOMEM;
	}
	d->fd = d->lock_fd = -1;
	d->reserve_len = (off_t)reserve_mb << 20;
	if (strlen(dir) >= sizeof(d->path) - 16) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "the path of the state folder is too long");
		rc = VT_E_RANGE;
		goto fail;
	}
	(void)snprintf(d->path, sizeof(d->path), "%s", dir);
	if (mkdir(d->path, 0700) == -1 && errno != EEXIST) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "state folder %.120s: %s", d->path, strerror(errno));
		rc = VT_E_SYS;
		goto fail;
	}
	if ((rc = open_folder(d, text)) != VT_OK ||
	    (rc = take_lock(d, O_CREAT, text)) != VT_OK)
		goto fail;
	*ret = d;
	return VT_OK;
fail:
	store_folder_close(d);
	return rc;
}

void
store_folder_leave(struct store_folder *d)
{
	if (d->lock_fd != -1)
		(void)close(d->lock_fd);
	if (d->fd != -1)
		(void)close(d->fd);
	d->lock_fd = d->fd = -1;
	d->reserve_there = false;
}

void
store_folder_close(struct store_folder *d)
{
	if (d == NULL)
		return;
	store_folder_leave(d);
	free(d);
}

/* The kernel forgets that a page was not written once fsync(2) has said so:
 * what is read after that may be in memory only. */
static int
rewrite(int fd)
{
	uint8_t buf[65536];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (pwrite(fd, buf, (size_t)n, at) != n)
			return VT_E_SYS;
		at += n;
	}
	return n == 0 && fsync(fd) == 0 ? VT_OK : VT_E_SYS;
}

static int
rewrite_file(struct store_folder *d, const char *name, char *text)
{
	int fd = openat(d->fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	int rc = VT_E_SYS;

	if (fd == -1 && errno == ENOENT)
		return VT_OK;
	errno = fd == -1 ? errno : 0;
	if (fd != -1)
		rc = rewrite(fd);
	if (rc != VT_OK)
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%.120s/%s: %s", d->path,
		    name, strerror(errno != 0 ? errno : EIO));
	if (fd != -1)
		(void)close(fd);
	return rc;
}

int
store_folder_again(struct store_folder *d, const char *log_name, char *text)
{
	int rc;

	store_folder_leave(d);
	if ((rc = open_folder(d, text)) == VT_OK &&
	    (rc = take_lock(d, 0, text)) == VT_OK)
		rc = rewrite_file(d, log_name, text);
	if (rc != VT_OK)
		store_folder_leave(d);
	return rc;
}

int
store_folder_epoch(const struct store_folder *d, uint64_t *ret)
{
	char buf[32], *end;
	int fd = openat(d->fd, "epoch", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd == -1) {
		if (errno != ENOENT)
			return VT_E_SYS;
		*ret = 0;
		return VT_OK;
	}
	n = read(fd, buf, sizeof(buf) - 1);
	(void)close(fd);
	if (n < 0)
		return VT_E_SYS;
	buf[n] = '\0';
	errno = 0;
	*ret = strtoull(buf, &end, 10);
	if (errno != 0 || end == buf || *end != '\n' || *ret == 0)
		return VT_E_CORRUPT;
	return VT_OK;
}

int
store_folder_set_epoch(const struct store_folder *d, uint64_t epoch)
{
	char path[PATH_MAX + 8], buf[32];
	int n = snprintf(buf, sizeof(buf), "%" PRIu64 "\n", epoch);

	(void)snprintf(path, sizeof(path), "%s/epoch", d->path);
	return write_file_atomic(path, buf, (size_t)n, 0600);
}

/* Write zeros where the file system has no fallocate(2). */
static int
fill(int fd, off_t len)
{
	static const uint8_t zeros[65536];
	off_t at;

	if (fallocate(fd, 0, 0, len) == 0)
		return VT_OK;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return VT_E_SYS;
	for (at = 0; at < len; at += (off_t)sizeof(zeros))
		if (write_all(fd, zeros, sizeof(zeros)) != VT_OK)
			return VT_E_SYS;
	return VT_OK;
}

static uint64_t
free_bytes(const struct store_folder *d)
{
	struct statvfs sv;

	if (d->fd == -1 || fstatvfs(d->fd, &sv) == -1)
		return 0;
	return (uint64_t)sv.f_bavail * sv.f_frsize;
}

bool
store_folder_reserve(struct store_folder *d)
{
	struct stat sb;
	bool there = false;
	int fd;

	if (d->reserve_there)
		return true;
	if (d->fd == -1)
		return false;
	fd = openat(
	    d->fd, "reserve", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return false;
	if (fstat(fd, &sb) == 0 && sb.st_size == d->reserve_len &&
	    (off_t)sb.st_blocks * 512 >= d->reserve_len) {
		there = true; /* from an earlier run */
	} else if (ftruncate(fd, 0) == 0 &&
		   free_bytes(d) >= 2 * (uint64_t)d->reserve_len) {
		there = fill(fd, d->reserve_len) == VT_OK && fsync(fd) == 0;
		if (!there)
			(void)!ftruncate(fd, 0);
	}
	(void)close(fd);
	d->reserve_there = there;
	return there;
}

bool
store_folder_give(struct store_folder *d)
{
	int fd;

	if (!d->reserve_there)
		return false;
	d->reserve_there = false;
	fd = openat(d->fd, "reserve", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return false;
	/* The sync makes a journalling file system release the blocks. */
	if (ftruncate(fd, 0) == -1 || fsync(fd) == -1) {
		(void)close(fd);
		return false;
	}
	(void)close(fd);
	return true;
}

uint64_t
store_folder_reserve_len(const struct store_folder *d)
{
	return (uint64_t)d->reserve_len;
}

void
store_folder_space(struct store_folder *d, struct store_space *ret)
{
	bool there = store_folder_reserve(d);
	uint64_t reserve = (uint64_t)d->reserve_len;

	ret->free_bytes = free_bytes(d);
	ret->reserve_used = !there;
	ret->ok = there && ret->free_bytes >= reserve;
	ret->low = d->fd != -1 && !there && ret->free_bytes < reserve / 4;
}
