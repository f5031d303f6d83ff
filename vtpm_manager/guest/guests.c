/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guests.c - the list of guests that have a worker or should have one.
 */
#include "vtpm_manager/guest/guests.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_stats.h"
#include "vtpm_manager/guest/guest_store.h"
#include "vtpm_manager/guest/guests_priv.h"
#include "vtpm_manager/guest/worker_link.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_recover.h"

#define TAMPERED_NOTES 100 /* lines and audit records at a start */

/* A guest that was stopped while its status could not be stored. */
static int
note_stopped(const struct guest *in, void *arg)
{
	struct mgr *m = arg;

	if (in->status != GUEST_RUNNING || in->tampered ||
	    guest_live(m, in->uuid) != NULL)
		return 0;
	log_info("guest %s: it was stopped meanwhile: its status is stored",
	    in->name);
	if (store_guest_status(m->st, in->uuid, GUEST_STOPPED) == VT_OK)
		guest_forget_launch(m, in);
	return 0;
}

/* What the store could not be told while it did not take data. */
static void
catch_up(struct mgr *m)
{
	struct guest_run *g;

	if (m->start != START_READY || m->guests->keep_status)
		return;
	if (store_guest_each(m->st, note_stopped, m) != VT_OK)
		log_warn("stopped guests: %s", store_why(m->st));
	LIST_FOREACH(g, &m->guests->list, entry)
		if (g->launch_over)
			guest_forget_launch(m, &g->in);
		else if (g->launch_left)
			guest_leave_launch(m, &g->in);
}

struct tampered {
	struct mgr *m;
	unsigned int n;
};

static int
note_one_tampered(const struct guest *in, void *arg)
{
	struct tampered *t = arg;

	if (!in->tampered || ++t->n > TAMPERED_NOTES)
		return 0;
	log_err("guest %s: its stored state is not the one that was last "
		"stored, so it does not start: %s",
	    in->name, in->why);
	audit_log(t->m, "manager", "tampered", in->name, "refused", "%.250s",
	    in->why);
	return 0;
}

void
guests_note_tampered(struct mgr *m)
{
	struct tampered t = { .m = m };

	/* A store that is refused as a whole has been logged. */
	if (store_frozen(m->st) || !start_store_open(m->start))
		return;
	if (store_guest_each(m->st, note_one_tampered, &t) != VT_OK)
		log_warn("vTPMs: %s", store_why(m->st));
	if (t.n > TAMPERED_NOTES)
		log_err("%u more vTPMs are tampered with; `vtpmctl list "
			"--state tampered` shows all",
		    t.n - TAMPERED_NOTES);
}

static int
count_one_tampered(const struct guest *in, void *arg)
{
	*(unsigned int *)arg += in->tampered;
	return 0;
}

unsigned int
guests_tampered(struct mgr *m)
{
	unsigned int n = 0;

	if (store_guest_each(m->st, count_one_tampered, &n) != VT_OK)
		log_warn("vTPMs: %s", store_why(m->st));
	return n;
}

static void
storage_changed(struct mgr *m)
{
	struct wlink *l;

	LIST_FOREACH(l, &m->guests->links, entry)
		wlink_tell_storage(l);
	if (m->storage_ok)
		catch_up(m);
}

int
guests_new(struct mgr *m)
{
	if ((m->guests = calloc(1, sizeof(*m->guests))) == NULL)
		return VT_E_NOMEM;
	m->storage_changed = storage_changed;
	return guest_stats_new(m);
}

void
guests_free(struct mgr *m)
{
	if (m->guests == NULL)
		return;
	while (!LIST_EMPTY(&m->guests->links))
		wlink_close(LIST_FIRST(&m->guests->links));
	guest_stats_free(m);
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
