/* SPDX-License-Identifier: BSD-3-Clause */
/* guest.c - the life of a guest: the actions of guest_fsm.h. */
#include "vtpm_manager/guest/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/guest_certs.h"
#include "vtpm_manager/guest/guest_launched.h"
#include "vtpm_manager/guest/guest_load.h"
#include "vtpm_manager/guest/guest_stats.h"
#include "vtpm_manager/guest/guest_store.h"
#include "vtpm_manager/guest/guest_wait.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/guests_priv.h"
#include "vtpm_manager/guest/worker_id.h"
#include "vtpm_manager/host/deep_quote.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_lost.h"
#include "vtpm_manager/store/store_recover.h"

#define ZYGOTE_TRIES 3
#define STOP_TIMEOUT_MS 5000
#define HELLO_TIMEOUT_MS 5000
#define BACKOFF_MAX_MS 5000
#define DISK_WAIT_MS 500 /* a guest without a worker looks for the disk */

/* By the descriptors that are kept, and the observer's channel.  Not by
 * events: a guest can use those up. */
uint8_t
guest_channel(const struct guest_run *g)
{
	const struct guest_observer *o;
	const struct wkept *k;
	uint8_t i;

	for (i = 0; i < WLINK_CHANS; i++) {
		k = &g->kept[i];
		if (g->link != NULL && g->link->kept[i].told)
			k = &g->link->kept[i];
		if (k->nfds > 0)
			return i;
	}
	o = g->m->guests->observer;
	return o != NULL && o->connected(g->m, g->in.uuid) ? CHAN_XEN : 0;
}

bool
guest_in_use(const struct guest_run *g)
{
	return guest_channel(g) != 0;
}

static struct guest_run *
guest_new(struct mgr *m, const struct guest *in)
{
	struct guest_run *g = calloc(1, sizeof(*g));
	unsigned int i;

	if (g == NULL)
		return NULL;
	g->m = m;
	g->in = *in;
	for (i = 0; i < WLINK_CHANS; i++)
		g->listen_fd[i] = -1;
	for (i = 0; i < GUEST_RATIONS; i++)
		token_bucket_init(&g->rations[i].records, GUEST_AUDIT_BURST, 1,
		    GUEST_AUDIT_EVERY_US, now_us());
	token_bucket_init(
	    &g->new_ak, GUEST_NEW_AK_BURST, 1, GUEST_NEW_AK_EVERY_US, now_us());
	LIST_INSERT_HEAD(&m->guests->list, g, entry);
	return g;
}

static void
drop_vol(struct guest_run *g)
{
	if (g->vol != NULL)
		explicit_bzero(g->vol, g->vol_len);
	free(g->vol);
	g->vol = NULL;
	g->vol_len = 0;
}

static void
drop_channels(struct guest_run *g)
{
	unsigned int i;

	for (i = 0; i < WLINK_CHANS; i++) {
		wkept_close(&g->kept[i]);
		if (g->listen_fd[i] != -1)
			(void)close(g->listen_fd[i]);
		g->listen_fd[i] = -1;
	}
}

static void
guest_free(struct guest_run *g)
{
	struct guest_waiter *w;

	LIST_REMOVE(g, entry);
	commit_forget(g->m, g);
	deep_quote_forget(&g->deep);
	wlink_close(g->link);
	drop_channels(g);
	drop_vol(g);
	while ((w = g->waiters) != NULL) {
		g->waiters = w->next;
		free(w);
	}
	(void)sd_event_source_disable_unref(g->timer);
	free(g);
}

void
guest_free_all(struct mgr *m)
{
	while (!LIST_EMPTY(&m->guests->list))
		guest_free(LIST_FIRST(&m->guests->list));
}

enum guest_event
guest_failure(struct guest_run *g, int rc)
{
	uint64_t now = now_us();

	if (!g->was_up && !(rc == VT_E_CLOSED && ++g->tries < ZYGOTE_TRIES))
		return IE_REFUSED;
	if (store_lost(g->m->st))
		return IE_CRASHED; /* not its worker's fault: on_backoff() */
	if (now - g->crash_at_us >
	    (uint64_t)g->m->cfg.crash_window_s * 1000000) {
		g->crash_at_us = now;
		g->crash_n = 0;
	}
	g->crashes++;
	g->m->n.crashes++;
	return ++g->crash_n > g->m->cfg.crash_limit ? IE_CRASHED_OUT
						    : IE_CRASHED;
}

/* --- callers that wait while the status becomes durable --- */

struct ended {
	struct guest_waiter *waiters;
	int rc;
	char text[MGR_TEXT_MAX];
};

static void
on_ended(void *arg, int rc)
{
	struct ended *e = arg;

	/* It is stopped even if that cannot be stored. */
	if (rc != VT_OK)
		log_warn("a guest's new status could not be stored");
	guest_tell(e->waiters, e->rc, e->text);
	free(e);
}

/* Forget g; the waiters get rc and text once the status is stored. */
static void
finish(struct guest_run *g, int rc, const char *text)
{
	struct ended *e = calloc(1, sizeof(*e));
	struct mgr *m = g->m;
	int src;

	run_unlink_guest(m, g->in.name);
	run_unlink_worker(m, g->in.uuid);
	guest_forget_launch(m, &g->in);
	src = m->guests->keep_status
		  ? VT_OK
		  : store_guest_status(m->st, g->in.uuid, GUEST_STOPPED);
	if (src != VT_OK && src != VT_E_NOTFOUND)
		log_warn("guest %s: status not stored: %s", g->in.name,
		    vt_strerror(src));
	if (e == NULL) {
		guest_tell(guest_take_waiters(g), rc, text);
		commit_soon(m, NULL, NULL);
	} else {
		e->waiters = guest_take_waiters(g);
		e->rc = rc;
		(void)snprintf(e->text, sizeof(e->text), "%s", text);
		commit_soon(m, on_ended, e);
	}
	guest_free(g);
}

/* --- actions --- */

static void
on_status_durable(void *arg, int rc)
{
	struct guest_run *g = arg;

	if (g->st != IS_SPAWNING && g->st != IS_LOADING)
		return;
	if (rc != VT_OK) {
		commit_text(g->m, rc, g->why, sizeof(g->why));
		g->was_up = false;
		guest_event(g, IE_REFUSED);
		return;
	}
	if (--g->pending == 0 && g->st == IS_LOADING)
		guest_event(g, IE_LOADED);
}

static void
on_spawned(void *arg, int rc, const char *text)
{
	struct guest_run *g = arg;

	if (rc == VT_OK) {
		guest_event(g, IE_SPAWNED);
		return;
	}
	(void)snprintf(
	    g->why, sizeof(g->why), "no worker could be started: %s", text);
	wlink_close(g->link);
	g->link = NULL;
	guest_event(g, guest_failure(g, rc));
}

static void
end_worker(struct guest_run *g)
{
	deep_quote_worker_gone(g->deep);
	wlink_end(g->link, true);
	g->link = NULL;
}

/* The worker is dead: keep what its successor needs. */
static void
bury(struct guest_run *g)
{
	unsigned int i;

	loop_timer_off(g->timer);
	if (g->link != NULL) {
		for (i = 0; i < WLINK_CHANS; i++) {
			if (!g->link->kept[i].told)
				continue; /* it died young */
			wkept_close(&g->kept[i]);
			g->kept[i] = g->link->kept[i];
			memset(&g->link->kept[i], 0, sizeof(g->kept[i]));
		}
		end_worker(g);
	}
	/* While it never served a guest there is nothing to cap. */
	if (g->was_up && !g->power)
		g->crashed = true;
}

/* A saved volatile state is used once: deleted before the TPM that starts from
 * it can be used, and void when the TPM starts without it. */
static int
use_up_saved(struct guest_run *g)
{
	uint8_t *p;
	size_t len;
	int rc;

	rc = store_extra_get(g->m->st, g->in.uuid, SX_VOLATILE, &p, &len);
	if (rc != VT_OK)
		return rc == VT_E_NOTFOUND ? VT_OK : rc;
	free(p);
	if ((rc = guest_launched_start(g->m, &g->in, g->vol != NULL)) != VT_OK)
		return rc;
	if (g->vol == NULL)
		audit_log(g->m, "manager", "saved-void", g->in.name, "ok",
		    "started without the saved state: the image saved before "
		    "no longer continues its TPM");
	return store_extra_put(g->m->st, g->in.uuid, SX_VOLATILE, NULL, 0);
}

static void
act_spawn(struct guest_run *g)
{
	int rc;

	if (g->link != NULL)
		bury(g);
	g->pending = 0;
	commit_forget(g->m, g);
	if (!g->was_up) {
		if ((rc = use_up_saved(g)) == VT_OK)
			rc = store_guest_status(
			    g->m->st, g->in.uuid, GUEST_RUNNING);
		if (rc != VT_OK) {
			commit_text(g->m, rc, g->why, sizeof(g->why));
			guest_event(g, IE_REFUSED);
			return;
		}
		g->pending = 1;
		commit_soon(g->m, on_status_durable, g);
	}
	rc = wlink_spawn(g->m, g->in.uuid, worker_id_uid(g->m, &g->in),
	    &guest_ops, g, on_spawned, &g->link);
	if (rc != VT_OK) {
		(void)snprintf(g->why, sizeof(g->why),
		    "no worker could be started: %s", vt_strerror(rc));
		guest_event(g, guest_failure(g, rc));
	}
}

static int
on_hello_timeout(sd_event_source *s, uint64_t usec, void *arg)
{
	struct guest_run *g = arg;

	(void)s;
	(void)usec;
	if (g->st != IS_FINDING)
		return 0;
	(void)snprintf(g->why, sizeof(g->why),
	    "its worker did not answer after the manager's restart");
	end_worker(g);
	guest_event(g, guest_failure(g, VT_E_TIMEOUT));
	return 0;
}

static void
act_connect(struct guest_run *g)
{
	int rc;

	rc = wlink_connect(g->m, g->in.uuid, worker_id_uid(g->m, &g->in),
	    &guest_ops, g, &g->link);
	if (rc == VT_OK)
		rc = loop_timer(g->m, &g->timer, HELLO_TIMEOUT_MS,
		    LOOP_PRIO_BUS, on_hello_timeout, g);
	if (rc != VT_OK) {
		(void)snprintf(g->why, sizeof(g->why),
		    "its worker was gone after the manager's restart (%s)",
		    vt_strerror(rc));
		guest_event(g, guest_failure(g, rc));
	}
}

static void
act_ready(struct guest_run *g)
{
	bool again = g->was_up;

	loop_timer_off(g->timer);
	if (g->crashed)
		g->capped = true;
	g->was_up = true;
	g->crashed = false;
	g->power = false;
	drop_vol(g);
	if (!again)
		g->started_ms = wall_ms();
	if (again)
		audit_log(g->m, "manager", "restart", g->in.name, "ok",
		    "%s%.200s", g->capped ? "PCRs are capped: " : "", g->why);
	guest_ak_ready(g);
	if (g->m->guests->observer != NULL)
		g->m->guests->observer->up(g);
	guest_tell(guest_take_waiters(g), VT_OK, "");
}

static int
on_backoff(sd_event_source *s, uint64_t usec, void *arg)
{
	struct guest_run *g = arg;

	(void)s;
	(void)usec;
	if (!store_lost(g->m->st))
		guest_event(g, IE_TIMER);
	else if (loop_timer(g->m, &g->timer, DISK_WAIT_MS, LOOP_PRIO_WORKER,
		     on_backoff, g) != VT_OK)
		loop_fatal(g->m, "cannot set a timer");
	return 0;
}

static void
act_backoff(struct guest_run *g)
{
	uint64_t ms = g->m->cfg.backoff_ms;
	unsigned int i;

	bury(g);
	log_warn("guest %s: %s; restarting its worker", g->in.name, g->why);
	if (g->crash_n <= 1)
		ms = 0; /* once is bad luck */
	for (i = 2; i < g->crash_n && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (loop_timer(g->m, &g->timer, ms, LOOP_PRIO_WORKER, on_backoff, g) !=
	    VT_OK)
		loop_fatal(g->m, "cannot set a timer");
}

static void
act_give_up(struct guest_run *g)
{
	char text[MGR_TEXT_MAX];

	bury(g);
	(void)snprintf(text, sizeof(text),
	    "guest %s: its worker failed %u times in %u s and stays down "
	    "(%.200s); look at the log, then `vtpmctl start %s`",
	    g->in.name, g->crash_n, g->m->cfg.crash_window_s, g->why,
	    g->in.name);
	log_err("%s", text);
	audit_log(
	    g->m, "manager", "restart", g->in.name, "failed", "%.200s", g->why);
	guest_tell(guest_take_waiters(g), VT_E_STATE, text);
}

static void
act_refuse(struct guest_run *g)
{
	char text[MGR_TEXT_MAX];

	bury(g);
	(void)snprintf(text, sizeof(text), "guest %s: not started: %.400s",
	    g->in.name, g->why);
	log_warn("%s", text);
	finish(g, VT_E_STATE, text);
}

static void
on_stop_done(void *arg, int rc, const struct msg *msg)
{
	struct guest_run *g = arg;
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (rc != VT_OK && rc != VT_E_CLOSED && rc != VT_E_TIMEOUT)
		log_warn("guest %s: stopping: %s", g->in.name, text);
	/* It has released the guest when its socket closes. */
}

static void
act_stop(struct guest_run *g)
{
	if (!g->closing) /* answered before the stop is */
		guest_stats_ask(g);
	if (g->link != NULL && !g->closing &&
	    wlink_request(g->link, W_STOP, NULL, NULL, 0, STOP_TIMEOUT_MS,
		on_stop_done, g) == VT_OK)
		return;
	end_worker(g);
	guest_event(g, IE_STOPPED);
}

static void
act_end(struct guest_run *g)
{
	bury(g);
	finish(g, VT_OK, "");
}

static void
act_take(struct guest_run *g)
{
	loop_timer_off(g->timer);
	g->crashed = false;
	g->power_cycles = g->link->hello.power_cycles;
	g->capped = (g->link->hello.flags & WH_CAPPED) != 0;
	log_info("guest %s: reconnected to its worker (pid %u)", g->in.name,
	    g->link->pid);
	guest_open_missing(g, g->link->hello.flags);
	guest_stats_ask(g);
	guest_tell(guest_take_waiters(g), VT_OK, "");
}

static void
act_none(struct guest_run *g)
{
	(void)g;
}

static void (*const actions[IA_NACTIONS])(struct guest_run *g) = {
	[IA_NONE] = act_none,
	[IA_SPAWN] = act_spawn,
	[IA_CONNECT] = act_connect,
	[IA_LOAD] = guest_load,
	[IA_READY] = act_ready,
	[IA_TAKE] = act_take,
	[IA_BACKOFF] = act_backoff,
	[IA_GIVE_UP] = act_give_up,
	[IA_REFUSE] = act_refuse,
	[IA_STOP] = act_stop,
	[IA_END] = act_end,
};

void
guest_event(struct guest_run *g, enum guest_event e)
{
	struct guest_step step = guest_step(g->st, e);
	enum guest_state from = g->st;

	if (step.act == IA_VIOLATION) {
		log_warn("guest %s: %s while %s: ignored", g->in.name,
		    guest_event_name(e), guest_state_name(g->st));
		return;
	}
	if (step.next != g->st)
		log_debug("guest %s: %s -> %s (%s)", g->in.name,
		    guest_state_name(g->st), guest_state_name(step.next),
		    guest_event_name(e));
	g->st = step.next;
	if (step.next != from && g->m->guest_changed != NULL)
		g->m->guest_changed(g->m, g->in.name, g->in.uuid,
		    guest_state_name(from), guest_state_name(step.next));
	actions[step.act](g);
}

/* --- what the operator asks --- */

void
guest_tampered_text(const struct mgr *m, const struct guest *in, char *text)
{
	if (store_frozen(m->st)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: does not start, like all of this store: %.200s."
		    "  Restore the newest copy of the state folder, or accept "
		    "this one with `vtpmctl recover --all --reason WHY`",
		    in->name, in->why);
		return;
	}
	(void)snprintf(text, MGR_TEXT_MAX,
	    "guest %s: its state is not the one that was last stored (%.*s); "
	    "it does not start.  Restore the whole state folder from the "
	    "newest good copy; or accept an old state with `vtpmctl recover`; "
	    "or `vtpmctl destroy %s` and create a new vTPM",
	    in->name, (int)strcspn(in->why, ";"), in->why, in->name);
}

static int
refuse_start(const struct guest_run *g, char *text)
{
	(void)snprintf(text, MGR_TEXT_MAX,
	    g->st == IS_STOPPING
		? "guest %s: is being stopped; try again when it has stopped"
		: "guest %s: is running already",
	    g->in.name);
	return g->st == IS_STOPPING ? VT_E_BUSY : VT_E_EXISTS;
}

int
guest_start(struct mgr *m, const struct guest *in, mgr_done_cb cb, void *arg,
    char *text)
{
	struct guest_run *g = guest_live(m, in->uuid);
	int rc;

	if (in->tampered) {
		guest_tampered_text(m, in, text);
		return VT_E_CORRUPT;
	}
	if (g == NULL && (g = guest_new(m, in)) == NULL)
		return VT_E_NOMEM;
	if (g->st == IS_RUNNING || g->st == IS_STOPPING)
		return refuse_start(g, text);
	if ((rc = guest_waiting(g, cb, arg)) != VT_OK) {
		if (g->st == IS_STOPPED)
			guest_free(g);
		return rc;
	}
	if (g->st == IS_FAILED || g->st == IS_BACKOFF) {
		loop_timer_off(g->timer);
		g->crash_n = 0;
	}
	if (g->st == IS_STOPPED || g->st == IS_FAILED || g->st == IS_BACKOFF)
		guest_event(g, IE_START);
	return VT_OK;
}

int
guest_resume(struct mgr *m, const struct guest *in, const uint8_t *vol,
    size_t len, mgr_done_cb cb, void *arg, char *text)
{
	struct guest_run *g = guest_live(m, in->uuid);

	if (g != NULL)
		return refuse_start(g, text);
	if (in->tampered)
		return guest_start(
		    m, in, cb, arg, text); /* fails with the reason */
	if ((g = guest_new(m, in)) == NULL)
		return VT_E_NOMEM;
	if ((g->vol = malloc(len)) == NULL) {
		guest_free(g);
		return VT_E_NOMEM;
	}
	memcpy(g->vol, vol, len);
	g->vol_len = len;
	return guest_start(m, in, cb, arg, text);
}

int
guest_stop(struct mgr *m, const struct guest *in, bool force, mgr_done_cb cb,
    void *arg, char *text)
{
	struct guest_run *g = guest_live(m, in->uuid);
	struct guest_waiter *starters;
	int rc;

	if (g == NULL) {
		(void)snprintf(
		    text, MGR_TEXT_MAX, "guest %s: is not running", in->name);
		return VT_E_STATE;
	}
	starters = g->st != IS_STOPPING ? guest_take_waiters(g) : NULL;
	if ((rc = guest_waiting(g, cb, arg)) != VT_OK) {
		g->waiters = starters;
		return rc;
	}
	g->closing = force;
	if (force && g->st == IS_STOPPING && g->link != NULL)
		worker_id_kill(g->link->pidfd);
	guest_event(g, IE_STOP); /* g may be gone */
	guest_tell(starters, VT_E_STATE, "it was stopped meanwhile");
	return VT_OK;
}

unsigned int
guest_stop_all(
    struct mgr *m, mgr_done_cb cb, void *arg, unsigned int *left, char *text)
{
	struct guest_run *g, *next;
	unsigned int n = 0;

	for (g = LIST_FIRST(&m->guests->list); g != NULL; g = next) {
		next = LIST_NEXT(
		    g, entry); /* guest_stop() may free g, and g alone */
		++*left;
		if (guest_stop(m, &g->in, false, cb, arg, text) == VT_OK)
			n++;
		else
			--*left;
	}
	return n;
}

void
guest_keep_status(struct mgr *m)
{
	m->guests->keep_status = true;
}

/* No boot has this id, so that no worker is looked for. */
void
guest_kept_status(struct mgr *m)
{
	static const char none[] = "stopped";
	int rc;

	if (!start_store_open(m->start))
		return; /* nothing ran */
	rc = store_kv_put(m->st, STORE_KV_BOOT, none, sizeof(none) - 1);
	if (rc == VT_OK)
		rc = commit_now(m);
	if (rc != VT_OK)
		log_warn("the orderly stop of all vTPMs could not be stored "
			 "(%s); they come back capped",
		    vt_strerror(rc));
}

/* After a restart of the manager: a vTPM that was running. */
static int
revive(struct mgr *m, const struct guest *in, bool same_boot)
{
	struct guest_run *g = guest_new(m, in);

	if (g == NULL)
		return VT_E_NOMEM;
	g->was_up = true;
	g->power = !same_boot;
	if (g->power)
		guest_forget_launch(m, in);
	g->crashed = same_boot; /* unless its worker is found */
	g->started_ms = wall_ms();
	(void)snprintf(g->why, sizeof(g->why), "%s",
	    same_boot ? "" : "the host was restarted");
	guest_event(g, same_boot ? IE_FIND : IE_START);
	return VT_OK;
}

struct revive_arg {
	struct mgr *m;
	struct guest *list;
	size_t n, cap;
};

static int
collect(const struct guest *in, void *arg)
{
	struct revive_arg *a = arg;
	struct guest *grown;

	if (in->status != GUEST_RUNNING)
		return 0;
	if (in->tampered) {
		log_err("guest %s: was running but its state was tampered "
			"with (%s): not started",
		    in->name, in->why);
		return 0;
	}
	if (a->n == a->cap) {
		a->cap = a->cap != 0 ? a->cap * 2 : 16;
		grown = realloc(a->list, a->cap * sizeof(*a->list));
		if (grown == NULL)
			return VT_E_NOMEM;
		a->list = grown;
	}
	a->list[a->n++] = *in;
	return 0;
}

/* The list is made first: reviving changes the store. */
int
guest_find_all(struct mgr *m)
{
	bool same_boot = strcmp(m->boot_id, m->last_boot_id) == 0;
	struct revive_arg a = { .m = m };
	size_t i;
	int rc;

	rc = store_guest_each(m->st, collect, &a);
	for (i = 0; rc == VT_OK && i < a.n; i++)
		rc = revive(m, &a.list[i], same_boot);
	free(a.list);
	return rc;
}
