/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/host/host_fit.h"

#include <sys/queue.h>

#include <stdlib.h>

#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/host/host_keys.h"

STAILQ_HEAD(waiters, waiter);
struct waiter {
	STAILQ_ENTRY(waiter) entry;
	host_fit_cb cb; /* NULL: forgotten */
	void *arg;
};

struct host_fit {
	struct mgr *m;
	bool asking;
	struct waiters now; /* for the reading under way */
	struct waiters next;
};

int
host_fit_new(struct mgr *m)
{
	if ((m->fit = calloc(1, sizeof(*m->fit))) == NULL)
		return VT_E_NOMEM;
	m->fit->m = m;
	STAILQ_INIT(&m->fit->now);
	STAILQ_INIT(&m->fit->next);
	return VT_OK;
}

static struct waiter *
pop(struct waiters *q)
{
	struct waiter *w = STAILQ_FIRST(q);

	if (w != NULL)
		STAILQ_REMOVE_HEAD(q, entry);
	return w;
}

void
host_fit_free(struct mgr *m)
{
	struct waiter *w;

	if (m->fit == NULL)
		return;
	if (m->hw != NULL)
		hwlink_forget(m->hw, m->fit);
	STAILQ_CONCAT(&m->fit->now, &m->fit->next);
	while ((w = pop(&m->fit->now)) != NULL)
		free(w);
	free(m->fit);
	m->fit = NULL;
}

void
host_fit_forget(struct mgr *m, const void *arg)
{
	struct waiter *w;

	if (m->fit == NULL)
		return;
	STAILQ_FOREACH(w, &m->fit->now, entry)
		if (w->arg == arg)
			w->cb = NULL;
	STAILQ_FOREACH(w, &m->fit->next, entry)
		if (w->arg == arg)
			w->cb = NULL;
}

/* Takes those out one by one: a callback may make others forget or ask. */
static void
tell(struct waiters *q, int rc, const char *text)
{
	struct waiter *w;

	while ((w = pop(q)) != NULL) {
		if (w->cb != NULL)
			w->cb(w->arg, rc, text);
		free(w);
	}
}

static int ask(struct host_fit *f);

static void
on_pcrs(void *arg, const struct hw_answer *a)
{
	struct host_fit *f = arg;
	bool ok = host_keys_approved(f->m, a);
	int rc;

	tell(&f->now, ok ? VT_OK : VT_E_POLICY,
	    ok               ? ""
	    : a->rc != VT_OK ? a->text
			     : "the host is in no approved state now (vtpmctl "
			       "host status)");
	f->asking = false;
	if (!STAILQ_EMPTY(&f->next) && (rc = ask(f)) != VT_OK)
		tell(&f->next, rc, vt_strerror(rc));
}

static int
ask(struct host_fit *f)
{
	int rc = hwlink_request(f->m->hw, HW_PCRS, NULL, on_pcrs, f);

	if (rc != VT_OK)
		return rc;
	f->asking = true;
	STAILQ_CONCAT(&f->now, &f->next);
	return VT_OK;
}

bool
host_fit(struct mgr *m, host_fit_cb cb, void *arg, int *ret)
{
	struct host_fit *f = m->fit;
	struct waiter *w;

	*ret = VT_OK;
	if (!host_keys_must_fit(m))
		return true;
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		*ret = VT_E_NOMEM;
		return false;
	}
	w->cb = cb;
	w->arg = arg;
	STAILQ_INSERT_TAIL(&f->next, w, entry);
	if (!f->asking && (*ret = ask(f)) != VT_OK) {
		STAILQ_REMOVE(&f->next, w, waiter, entry);
		free(w);
	}
	return false;
}
