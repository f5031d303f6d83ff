/* SPDX-License-Identifier: BSD-3-Clause */
/* store_lost.c - let go of everything after an I/O error. */
#include "vtpm_manager/store/store_lost.h"

#include <errno.h>
#include <stdio.h>

#include "vtpm_manager/store/store_int.h"

bool
store_lost(const struct store *st)
{
	return st->lost;
}

void
store_on_lost(struct store *st, void (*cb)(void *arg), void *arg)
{
	st->on_lost = cb;
	st->on_lost_arg = arg;
}

void
store_let_go(struct store *st)
{
	st->lost = true;
	st->ops->leave(st->be);
	store_folder_leave(st->folder);
}

void
store_lose(struct store *st)
{
	int saved = errno;

	if (!st->lost) {
		(void)snprintf(
		    st->lost_why, sizeof(st->lost_why), "%s", st->why);
		store_let_go(st);
		if (st->on_lost != NULL)
			st->on_lost(st->on_lost_arg);
	}
	errno = saved;
}
