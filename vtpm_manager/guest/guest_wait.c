/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_wait.c - callers that wait for a start or a stop. */
#include "vtpm_manager/guest/guest_wait.h"

#include <stdlib.h>

#include "vtpm_manager/guest/guest.h"

int
guest_waiting(struct guest_run *g, mgr_done_cb cb, void *arg)
{
	struct guest_waiter *w, **pp;

	if (cb == NULL)
		return VT_OK;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return VT_E_NOMEM;
	w->cb = cb;
	w->arg = arg;
	for (pp = &g->waiters; *pp != NULL; pp = &(*pp)->next)
		;
	*pp = w;
	return VT_OK;
}

struct guest_waiter *
guest_take_waiters(struct guest_run *g)
{
	struct guest_waiter *w = g->waiters;

	g->waiters = NULL;
	return w;
}

void
guest_tell(struct guest_waiter *w, int rc, const char *text)
{
	struct guest_waiter *next;

	for (; w != NULL; w = next) {
		next = w->next;
		w->cb(w->arg, rc, text);
		free(w);
	}
}
