/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guests.c - the list of guests that have a worker or should have one.
 */
#include "vtpm_manager/guest/guests.h"

#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guests_priv.h"
#include "vtpm_manager/guest/worker_link.h"

static void
tell_storage(struct mgr *m)
{
	struct wlink *l;

	LIST_FOREACH(l, &m->guests->links, entry)
		wlink_tell_storage(l);
}

int
guests_new(struct mgr *m)
{
	if ((m->guests = calloc(1, sizeof(*m->guests))) == NULL)
		return VT_E_NOMEM;
	m->storage_changed = tell_storage;
	return VT_OK;
}

void
guests_free(struct mgr *m)
{
	if (m->guests == NULL)
		return;
	while (!LIST_EMPTY(&m->guests->links))
		wlink_close(LIST_FIRST(&m->guests->links));
	free(m->guests);
	m->guests = NULL;
}

void
guests_observe(struct mgr *m, const struct guest_observer *o)
{
	if (m->guests != NULL)
		m->guests->observer = o;
}

struct guest_run *
guest_live(struct mgr *m, const uint8_t uuid[UUID_LEN])
{
	struct guest_run *g;

	LIST_FOREACH(g, &m->guests->list, entry)
		if (memcmp(g->in.uuid, uuid, UUID_LEN) == 0)
			return g;
	return NULL;
}

unsigned int
guest_count(struct mgr *m, enum guest_state s)
{
	unsigned int n = 0;
	struct guest_run *g;

	LIST_FOREACH(g, &m->guests->list, entry)
		n += g->st == s;
	return n;
}
