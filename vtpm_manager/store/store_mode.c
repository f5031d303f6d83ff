/* SPDX-License-Identifier: BSD-3-Clause */
/* store_mode.c - which calls the store's mode allows, and why one failed. */
#include "vtpm_manager/store/store_mode.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "vtpm_manager/store/store_int.h"
#include "vtpm_manager/store/store_lost.h"

int
store_fail(struct store *st, int rc, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(st->why, sizeof(st->why), fmt, ap);
	va_end(ap);
	errno = saved;
	return rc;
}

int
store_fail_nomem(struct store *st)
{
	return store_fail(st, VT_E_NOMEM, "out of memory");
}

int
store_fail_backend(struct store *st, int rc)
{
	(void)store_fail(st, rc, "%s", st->ops->words(st->be));
	if (rc == VT_E_SYS && !st->unsure)
		store_lose(st);
	return rc;
}

static int
fail_lost(struct store *st)
{
	errno = EIO;
	return store_fail(st, VT_E_SYS, "%s", st->lost_why);
}

int
store_need_open(struct store *st)
{
	if (st->lost)
		return fail_lost(st);
	switch (st->mode) {
	case STORE_OPEN:
		return VT_OK;
	case STORE_LOCKED:
		return store_fail(st, VT_E_STATE,
		    "the store is locked: the master key is missing");
	case STORE_FROZEN:
		return store_fail(st, VT_E_CORRUPT, "%s", st->frozen);
	case STORE_BROKEN:
		break;
	}
	return store_fail(st, VT_E_CORRUPT,
	    "the store's root is wrong or missing, so the store is read-only; "
	    "restore the whole state folder from a backup");
}

int
store_need_read(struct store *st)
{
	if (st->mode == STORE_FROZEN && !st->lost)
		return VT_OK;
	return store_need_open(st);
}
