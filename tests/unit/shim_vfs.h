/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shim_vfs.h - a VFS between SQLite and the disk that asks the test before
 * each call.
 */
#ifndef UNIT_SHIM_VFS_H
#define UNIT_SHIM_VFS_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum shim_call {
	SHIM_OPEN,
	SHIM_READ,
	SHIM_WRITE,
	SHIM_TRUNCATE,
	SHIM_SYNC,
	SHIM_SIZE,
	SHIM_DELETE,
	SHIM_ACCESS,
};
#define SHIM_SKIP (-1) /* it is done, do not call the disk */

struct shim_file {
	sqlite3_file f;
	sqlite3_file *real;
	char path[128]; /* "": a temporary file */
};

static sqlite3_vfs *unix_vfs, shim_vfs;

/* The test's: SQLITE_OK, SHIM_SKIP, or how the call fails. */
static int shim_before(enum shim_call c, const char *path, const void *p,
    int len, sqlite3_int64 off);

#define REAL(f) (((struct shim_file *)(f))->real)
#define PATH(f) (((struct shim_file *)(f))->path)
#define BEFORE(c, path, p, len, off)                                     \
	do {                                                             \
		int before = shim_before(c, path, p, len, off);          \
		if (before != SQLITE_OK)                                 \
			return before == SHIM_SKIP ? SQLITE_OK : before; \
	} while (0)

static int
shim_close(sqlite3_file *f)
{
	int rc = REAL(f)->pMethods->xClose(REAL(f));

	free(REAL(f));
	return rc;
}

static int
shim_read(sqlite3_file *f, void *p, int len, sqlite3_int64 off)
{
	BEFORE(SHIM_READ, PATH(f), NULL, len, off);
	return REAL(f)->pMethods->xRead(REAL(f), p, len, off);
}

static int
shim_write(sqlite3_file *f, const void *p, int len, sqlite3_int64 off)
{
	BEFORE(SHIM_WRITE, PATH(f), p, len, off);
	return REAL(f)->pMethods->xWrite(REAL(f), p, len, off);
}

static int
shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	BEFORE(SHIM_TRUNCATE, PATH(f), NULL, 0, size);
	return REAL(f)->pMethods->xTruncate(REAL(f), size);
}

static int
shim_sync(sqlite3_file *f, int flags)
{
	BEFORE(SHIM_SYNC, PATH(f), NULL, 0, 0);
	return REAL(f)->pMethods->xSync(REAL(f), flags);
}

static int
shim_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	BEFORE(SHIM_SIZE, PATH(f), NULL, 0, 0);
	return REAL(f)->pMethods->xFileSize(REAL(f), ret);
}

static int
shim_lock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xLock(REAL(f), level);
}

static int
shim_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), level);
}

static int
shim_reserved(sqlite3_file *f, int *ret)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), ret);
}

static int
shim_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int
shim_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int
shim_device(sqlite3_file *f)
{
	(void)f;
	return 0; /* promises nothing */
}

static const sqlite3_io_methods shim_methods = {
	.iVersion = 1, /* no shared memory: the store needs none */
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_reserved,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
};

static int
shim_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags,
    int *ret_flags)
{
	struct shim_file *s = (struct shim_file *)f;
	int rc;

	(void)v;
	f->pMethods = NULL; /* no xClose() after a failure */
	(void)snprintf(
	    s->path, sizeof(s->path), "%s", path != NULL ? path : "");
	BEFORE(SHIM_OPEN, s->path, NULL, 0, 0);
	s->real = calloc(1, (size_t)unix_vfs->szOsFile);
	rc = unix_vfs->xOpen(unix_vfs, path, s->real, flags, ret_flags);
	if (rc != SQLITE_OK) {
		free(s->real);
		return rc;
	}
	f->pMethods = &shim_methods;
	return SQLITE_OK;
}

static int
shim_delete(sqlite3_vfs *v, const char *path, int sync)
{
	(void)v;
	BEFORE(SHIM_DELETE, path, NULL, 0, 0);
	return unix_vfs->xDelete(unix_vfs, path, sync);
}

static int
shim_access(sqlite3_vfs *v, const char *path, int flags, int *ret)
{
	(void)v;
	BEFORE(SHIM_ACCESS, path, NULL, 0, 0);
	return unix_vfs->xAccess(unix_vfs, path, flags, ret);
}

/* The default from now on. */
static int
shim_install(void)
{
	unix_vfs = sqlite3_vfs_find("unix");
	shim_vfs = *unix_vfs;
	shim_vfs.zName = "faulty";
	shim_vfs.pNext = NULL;
	shim_vfs.szOsFile = (int)sizeof(struct shim_file);
	shim_vfs.xOpen = shim_open;
	shim_vfs.xDelete = shim_delete;
	shim_vfs.xAccess = shim_access;
	return sqlite3_vfs_register(&shim_vfs, 1);
}

#endif
