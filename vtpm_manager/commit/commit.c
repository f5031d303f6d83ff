/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * commit.c - group commit: callers that put something into the store ask for a
 * callback when it is durable.  Everything that is put in one turn of the event
 * loop goes into one transaction (law 3: W_STORED is sent only from these
 * callbacks).  Where the store is anchored, callbacks that also wait for the
 * counter in the host's TPM are in `held`.
 */
#include "vtpm_manager/commit/commit.h"

#include <sys/queue.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_commit.h"
#include "vtpm_manager/store/store_look.h"
#include "vtpm_manager/store/store_lost.h"

#define BATCH_MAX 256      /* commit at once when so many wait */
#define BATCH_WAIT_US 4000 /* or the first waits so long */
#define RETRY_MS 1000

STAILQ_HEAD(cwaits, cwait);
struct cwait {
	STAILQ_ENTRY(cwait) entry;
	commit_cb cb; /* NULL: forgotten */
	void *arg;
	bool safe;     /* whatever the policy */
	bool asks;     /* its caller repeats: it may fail instead of wait */
	uint64_t need; /* held: until the counter is this */
};

struct commitq {
	struct mgr *m;
	sd_event_source *defer, *retry;
	struct cwaits head;
	struct cwaits running; /* callbacks that are being called */
	struct cwaits held;    /* by rising need */
	bool safe;             /* a waiter in head wants it so */
	unsigned int n;
	uint64_t first_us;
	bool dirty;
};

static int on_retry(sd_event_source *s, uint64_t usec, void *arg);

static void
look_again(struct commitq *q)
{
	if (loop_timer(q->m, &q->retry, RETRY_MS, LOOP_PRIO_BUS, on_retry, q) !=
	    VT_OK)
		log_err("cannot set a timer: %m");
}

/* Commands that would change permanent state wait in their workers.  error:
 * not only is there no room. */
static void
hold_writes(struct mgr *m, bool error, const char *why)
{
	bool told = !m->storage_ok && m->storage_error == error;

	m->storage_error = error;
	(void)snprintf(m->storage_why, sizeof(m->storage_why), "%s", why);
	if (!told) {
		if (error)
			log_err("storage error: %s: guests wait, and go on "
				"once %s can be read and written again",
			    why, m->cfg.state);
		else
			log_err("the store cannot be written (%s): commands "
				"that change permanent state are held; make "
				"room in %s",
			    why, m->cfg.state);
		m->storage_ok = false;
		m->storage_changed(m);
	}
	look_again(m->cq);
}

static void
on_lost(void *arg)
{
	struct mgr *m = arg;

	if (m->cq == NULL)
		return; /* at the end */
	m->n.commit_failures++;
	hold_writes(m, true, store_why(m->st));
}

static void
writes_go_on(struct mgr *m)
{
	bool error = m->storage_error;

	log_info("%sthe store takes data again",
	    error ? "the storage error is over: " : "");
	m->storage_ok = true;
	m->storage_error = false;
	m->storage_changed(m);
	if (error)
		audit_log(m, "manager", "storage-error", "", "ok",
		    "over (%.120s); what happened meanwhile may be in the "
		    "manager's log only",
		    m->storage_why);
	m->storage_why[0] = '\0';
}

/*
 * A write whose state cannot be stored has been executed and cannot be
 * answered, so it must not begin: once the reserve is nearly used up, writes
 * are held before they reach the TPM.  False: they are held.
 */
static bool
room_to_write(struct commitq *q)
{
	struct store_space sp;

	store_space(q->m->st, &sp);
	if (sp.low) {
		hold_writes(
		    q->m, false, "the space kept in reserve is used up");
		return false;
	}
	if (sp.reserve_used)
		look_again(q);
	return true;
}

static void
count_commit(struct commitq *q, uint64_t us)
{
	struct mgr *m = q->m;

	m->n.commits++;
	hist_add(&m->n.commit_time, us);
	m->n.commit_us_last = us;
	if (us > m->n.commit_us_max)
		m->n.commit_us_max = us;
	if (q->n > m->n.batch_max)
		m->n.batch_max = q->n;
}

static void
tell(struct cwait *w, int rc)
{
	if (w->cb != NULL)
		w->cb(w->arg, rc);
	free(w);
}

/* What callbacks ask for comes in the next turn. */
static void
tell_all(struct commitq *q, int rc, uint64_t need)
{
	struct cwait *w;

	STAILQ_CONCAT(&q->running, &q->head);
	q->n = 0;
	q->dirty = q->safe = false;
	while ((w = STAILQ_FIRST(&q->running)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->running, entry);
		if (rc == VT_OK && anchorq_waits(q->m, need, w->safe)) {
			w->need = need;
			STAILQ_INSERT_TAIL(&q->held, w, entry);
		} else {
			tell(w, rc);
		}
	}
}

static void
commit_run(struct commitq *q, bool now)
{
	struct mgr *m = q->m;
	uint64_t t0 = now_us(), need, before;
	bool wrote, again = false;
	int rc;

	if (!q->dirty || (!now && anchorq_holds(m)))
		return;
	anchorq_before(m, q->safe);
	before = store_commits(m->st);
	wrote = store_has_changes(m->st);
	rc = store_commit(m->st);
	need = anchorq_after(m, rc, store_commits(m->st) != before);
	count_commit(q, now_us() - t0);
	if (rc != VT_OK)
		commit_storage_bad(m, rc);
	else /* only what was written proves it */
		again = room_to_write(q) && !m->storage_ok && wrote;
	tell_all(q, rc, need);
	if (again)
		writes_go_on(m);
	if (rc != VT_OK)
		return; /* on_retry() */
	if (!STAILQ_EMPTY(&q->held))
		anchorq_hasten(m);
	anchorq_kick(m);
}

static int
on_defer(sd_event_source *s, void *arg)
{
	(void)s;
	commit_run(arg, false);
	return 0;
}

void
commit_again(struct mgr *m)
{
	if (m->cq != NULL && m->cq->dirty)
		(void)sd_event_source_set_enabled(
		    m->cq->defer, SD_EVENT_ONESHOT);
}

void
commit_release(struct mgr *m)
{
	struct commitq *q = m->cq;
	struct cwait *w;

	while (
	    (w = STAILQ_FIRST(&q->held)) != NULL && anchorq_safe(m, w->need)) {
		STAILQ_REMOVE_HEAD(&q->held, entry);
		tell(w, VT_OK);
	}
}

void
commit_hurry(struct mgr *m)
{
	struct commitq *q = m->cq;
	struct cwaits all = STAILQ_HEAD_INITIALIZER(all);
	struct cwait *w;

	STAILQ_CONCAT(&all, &q->held);
	while ((w = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, entry);
		if (w->asks)
			STAILQ_INSERT_TAIL(&q->running, w, entry);
		else
			STAILQ_INSERT_TAIL(&q->held, w, entry);
	}
	while ((w = STAILQ_FIRST(&q->running)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->running, entry);
		tell(w, VT_E_AGAIN);
	}
}

bool
commit_takes_writes(const struct mgr *m)
{
	return m->storage_ok && !m->anchor_away;
}

/* While commands are held nothing else may want to store: try by itself. */
static int
on_retry(sd_event_source *s, uint64_t usec, void *arg)
{
	struct commitq *q = arg;
	uint64_t now = wall_ms();

	(void)s;
	(void)usec;
	if (store_look_again(q->m->st) != VT_OK) {
		hold_writes(q->m, true, store_why(q->m->st));
		return 0;
	}
	if (!room_to_write(q) || q->m->storage_ok)
		return 0;
	if (store_kv_put(q->m->st, "probe", &now, sizeof(now)) == VT_OK) {
		commit_soon(q->m, NULL, NULL);
		commit_run(q, true);
	}
	if (!q->m->storage_ok)
		look_again(q);
	return 0;
}

int
commit_new(struct mgr *m)
{
	struct commitq *q = calloc(1, sizeof(*q));
	int r;

	if (q == NULL)
		return VT_E_NOMEM;
	q->m = m;
	STAILQ_INIT(&q->head);
	STAILQ_INIT(&q->running);
	STAILQ_INIT(&q->held);
	r = sd_event_add_defer(m->ev, &q->defer, on_defer, q);
	if (r >= 0)
		r = sd_event_source_set_priority(q->defer, LOOP_PRIO_COMMIT);
	if (r >= 0)
		r = sd_event_source_set_enabled(q->defer, SD_EVENT_OFF);
	if (r < 0) {
		(void)sd_event_source_disable_unref(q->defer);
		free(q);
		errno = -r;
		return VT_E_SYS;
	}
	m->cq = q;
	m->storage_ok = true;
	return VT_OK;
}

void
commit_free(struct mgr *m)
{
	struct commitq *q = m->cq;
	struct cwait *w;

	if (q == NULL)
		return;
	commit_run(q, true);
	STAILQ_CONCAT(&q->head, &q->held);
	while ((w = STAILQ_FIRST(&q->head)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->head, entry);
		free(w);
	}
	(void)sd_event_source_disable_unref(q->defer);
	(void)sd_event_source_disable_unref(q->retry);
	free(q);
	m->cq = NULL;
}

/* False: no memory, and cb is never called; the data is put all the same. */
static bool
ask_for(struct mgr *m, bool safe, bool asks, commit_cb cb, void *arg)
{
	struct commitq *q = m->cq;
	struct cwait *w;

	if (!q->dirty) {
		q->dirty = true;
		q->first_us = now_us();
		(void)sd_event_source_set_enabled(q->defer, SD_EVENT_ONESHOT);
	}
	if (cb == NULL)
		return true;
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		log_err("out of memory");
		return false; /* the caller waits for its own deadline */
	}
	w->cb = cb;
	w->arg = arg;
	w->safe = safe;
	w->asks = asks;
	q->safe |= safe;
	STAILQ_INSERT_TAIL(&q->head, w, entry);
	q->n++;
	/* Endless input must not starve the waiters. */
	if (q->n >= BATCH_MAX || now_us() - q->first_us > BATCH_WAIT_US)
		(void)sd_event_source_set_priority(q->defer, LOOP_PRIO_CHILD);
	else if (q->n == 1)
		(void)sd_event_source_set_priority(q->defer, LOOP_PRIO_COMMIT);
	return true;
}

void
commit_soon(struct mgr *m, commit_cb cb, void *arg)
{
	(void)ask_for(m, false, false, cb, arg);
}

struct reply {
	struct mgr *m;
	mgr_done_cb cb;
	void *arg;
};

static void
on_reply(void *arg, int rc)
{
	char text[MGR_TEXT_MAX] = "";
	struct reply *r = arg;

	if (rc != VT_OK)
		commit_text(r->m, rc, text, sizeof(text));
	r->cb(r->arg, rc, text);
	free(r);
}

void
commit_reply(struct mgr *m, mgr_done_cb cb, void *arg)
{
	struct reply *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		log_err("out of memory"); /* as in ask_for() */
		commit_soon(m, NULL, NULL);
		return;
	}
	*r = (struct reply){ m, cb, arg };
	if (!ask_for(m, false, false, on_reply, r))
		free(r);
}

void
commit_safe(struct mgr *m, commit_cb cb, void *arg)
{
	(void)ask_for(m, true, false, cb, arg);
}

void
commit_state(struct mgr *m, bool safe, commit_cb cb, void *arg)
{
	(void)ask_for(m, safe, true, cb, arg);
}

static void
forget(struct cwaits *list, const void *arg)
{
	struct cwait *w;

	STAILQ_FOREACH(w, list, entry)
		if (w->arg == arg)
			w->cb = NULL;
}

void
commit_forget(struct mgr *m, void *arg)
{
	if (m->cq == NULL)
		return; /* at the end: the queue goes first */
	forget(&m->cq->head, arg);
	forget(&m->cq->running, arg);
	forget(&m->cq->held, arg);
}

int
commit_now(struct mgr *m)
{
	m->cq->dirty = true;
	commit_run(m->cq, true);
	if (m->storage_ok)
		return VT_OK;
	errno = EIO;
	return m->storage_error ? VT_E_SYS : VT_E_SPACE;
}

void
commit_watch(struct mgr *m)
{
	store_on_lost(m->st, on_lost, m);
}

void
commit_text(const struct mgr *m, int rc, char *text, size_t cap)
{
	if (m->storage_error)
		(void)snprintf(text, cap,
		    "storage error: %s; try again once %s can be read and "
		    "written again (`vtpmctl status`)",
		    m->storage_why, m->cfg.state);
	else if (!m->storage_ok || rc == VT_E_SPACE)
		(void)snprintf(text, cap,
		    "the store cannot be written (%s); make room in %s",
		    m->storage_why[0] != '\0' ? m->storage_why
					      : vt_strerror(rc),
		    m->cfg.state);
	else
		(void)snprintf(text, cap, "the store cannot be written: %s",
		    vt_strerror(rc));
}

void
commit_storage_bad(struct mgr *m, int rc)
{
	m->n.commit_failures++;
	hold_writes(m, rc != VT_E_SPACE,
	    store_why(m->st)[0] != '\0' ? store_why(m->st) : vt_strerror(rc));
}
