/* SPDX-License-Identifier: BSD-3-Clause */
/* anchor.c - asks for and raises the counter that anchors the store. */
#include "vtpm_manager/commit/anchor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/check_on.h"
#include "base/log.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_recover.h"

#define WAIT_MIN_MS 200
#define WAIT_MAX_MS 10000
#define START_TRIES 3    /* of the first question */
#define PATIENCE_MS 5000 /* strict: then no more writes begin */
#define END_MS 5000      /* of a clean stop */
/* Raises that a store from another TPM may have missed: not known. */
#define MOVED_LOST 1000000
#define CATCH_UP_MAX 4096 /* raises, after a counter that is far behind */

enum busy { B_IDLE, B_READING, B_COUNTING, B_RESTING };

struct anchorq {
	struct mgr *m;
	enum anchor_policy policy; /* as configured */
	bool on;                   /* there is a counter, and it is raised */
	struct anchor a;
	enum busy busy;
	bool unsure;  /* a raise may have happened without an answer */
	bool ending;  /* anchorq_end() was called */
	bool refused; /* the store was frozen by us */
	bool moved;   /* to this TPM, from escrow */
	char refusal[TEXT_MAX_LEN + 1];
	sd_event_source *due, *rest, *patience, *end;
	struct backoff backoff;
	/* The start. */
	void (*then)(struct mgr *m);
	unsigned int tries;
	int rc; /* of the first question */
	uint64_t found;
	/* For the operator. */
	uint64_t raises, failures, last_us, last_ms, us_last, t0, exposed_ms;
	char why[TEXT_MAX_LEN + 1];
};

static const char *const policies[] = {
	[ANCHOR_OFF] = "off",
	[ANCHOR_INTERVAL] = "interval",
	[ANCHOR_STRICT] = "strict",
};

int
anchorq_new(struct mgr *m)
{
	struct anchorq *q;
	size_t i;

	for (i = 0; i < VT_NELEM(policies); i++)
		if (strcmp(policies[i], m->cfg.anchor) == 0)
			break;
	if (i == VT_NELEM(policies))
		return VT_E_FORMAT;
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return VT_E_NOMEM;
	q->m = m;
	q->policy = (enum anchor_policy)i;
	backoff_init(&q->backoff, WAIT_MIN_MS, WAIT_MAX_MS);
	m->anchor = q;
	return VT_OK;
}

void
anchorq_free(struct mgr *m)
{
	struct anchorq *q = m->anchor;

	if (q == NULL)
		return;
	if (m->hw != NULL)
		hwlink_forget(m->hw, q);
	(void)sd_event_source_disable_unref(q->due);
	(void)sd_event_source_disable_unref(q->rest);
	(void)sd_event_source_disable_unref(q->patience);
	(void)sd_event_source_disable_unref(q->end);
	free(q);
	m->anchor = NULL;
}

/* increment: from what we know it to be. */
static int
ask(struct anchorq *q, bool increment, hw_cb cb)
{
	struct hw_counter hc = { .which = HWC_ANCHOR,
		.increment = increment,
		.expect = increment ? q->a.counter : 0 };
	uint8_t buf[32];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_counter, &hc);
	return hwlink_request(q->m->hw, HW_COUNTER, &w, cb, q);
}

static int
value_of(const struct hw_answer *a, uint64_t *ret)
{
	struct rd r;

	if (a->rc != VT_OK)
		return a->rc;
	rd_init(&r, a->body, a->body_len);
	*ret = rd_be64(&r);
	return rd_end(&r);
}

/* --- at start ----------------------------------------------------------- */

static int ask_first(struct anchorq *q);

static int
on_first_again(sd_event_source *s, uint64_t usec, void *arg)
{
	struct anchorq *q = arg;
	int rc;

	(void)s;
	(void)usec;
	if ((rc = ask_first(q)) != VT_OK)
		loop_fatal(q->m, "vtpm-hwtpm: %s", vt_strerror(rc));
	return 0;
}

static void
on_first(void *arg, const struct hw_answer *a)
{
	struct anchorq *q = arg;
	struct mgr *m = q->m;

	q->rc = value_of(a, &q->found);
	q->why[0] = '\0';
	if (q->rc != VT_OK)
		(void)snprintf(q->why, sizeof(q->why), "%s",
		    a->text[0] != '\0' ? a->text : vt_strerror(q->rc));
	/* These do not change by asking again, and are judged later. */
	if (q->rc == VT_OK || q->rc == VT_E_UNSUPPORTED ||
	    q->rc == VT_E_POLICY || q->policy == ANCHOR_OFF) {
		q->then(m);
		return;
	}
	log_warn(
	    "cannot read the store's counter in the host's TPM: %s", q->why);
	if (++q->tries >= START_TRIES) {
		loop_fatal(m,
		    "the store's counter in the host's TPM cannot be read "
		    "(%s), so it is not known whether this store is the "
		    "newest: no vTPM can start; repair the TPM, then start "
		    "again",
		    q->why);
		return;
	}
	if (loop_timer(m, &q->rest, (uint64_t)WAIT_MIN_MS << q->tries,
		LOOP_PRIO_BUS, on_first_again, q) != VT_OK)
		loop_fatal(m, "cannot set a timer");
}

static int
ask_first(struct anchorq *q)
{
	return ask(q, false, on_first);
}

void
anchorq_ask(struct mgr *m, void (*then)(struct mgr *m))
{
	struct anchorq *q = m->anchor;
	int rc;

	q->then = then;
	if (m->root_kind == ROOT_SOFT)
		then(m);
	else if ((rc = ask_first(q)) != VT_OK)
		loop_fatal(m, "vtpm-hwtpm: %s", vt_strerror(rc));
}

void
anchorq_first(struct mgr *m)
{
	const struct anchorq *q = m->anchor;

	if (m->root_kind == ROOT_HARD && q->rc == VT_OK)
		store_anchor_set(m->st, q->found);
}

/* what is short: it is shown as the `why` of each guest, too. */
static void
refuse(struct anchorq *q, const char *what)
{
	struct mgr *m = q->m;

	q->refused = true;
	(void)snprintf(q->refusal, sizeof(q->refusal), "%s", what);
	store_freeze(m->st, what);
	log_err("%s", what);
	log_err("no vTPM is started, and nothing is changed.  Restore the "
		"newest copy of %s; or, if this is the newest, accept it "
		"explicitly; the audit log and every later quote show it: "
		"vtpmctl --run %s recover --all --reason \"WHY\"",
	    m->cfg.state, m->cfg.run);
}

/* On another TPM the counter says nothing about the store: its numbers go on
 * from what that one is at. */
static void
take_on(struct anchorq *q)
{
	uint64_t root = q->moved ? q->found : store_anchor(q->m->st);

	q->on = true;
	anchor_start(&q->a, q->policy, root, q->found);
	store_anchor_set(q->m->st, anchor_next(&q->a));
}

static void
judge(struct anchorq *q)
{
	uint64_t root = store_anchor(q->m->st), c = q->found;
	char what[TEXT_MAX_LEN + 1];

	switch (anchor_judge(root, c)) {
	case AV_SAME:
		break;
	case AV_AHEAD:
		log_info("the store is one step ahead of the host's TPM: the "
			 "last raise to %llu is completed",
		    (unsigned long long)root);
		break;
	case AV_NEW:
		audit_log(q->m, "manager", "anchor-adopt", "", "ok",
		    "a store that was never anchored is accepted, counter %llu",
		    (unsigned long long)c);
		break;
	case AV_BEHIND:
		if (!check_on("anchor-behind"))
			break;
		(void)snprintf(what, sizeof(what),
		    "the whole store is an older copy: its number is %llu, "
		    "the counter in the host's TPM is at %llu, %llu step(s) "
		    "further",
		    (unsigned long long)root, (unsigned long long)c,
		    (unsigned long long)(c - root));
		refuse(q, what);
		return;
	case AV_FOREIGN:
		(void)snprintf(what, sizeof(what),
		    "the store does not belong to the counter in the host's "
		    "TPM: its number is %llu, the counter only at %llu",
		    (unsigned long long)root, (unsigned long long)c);
		refuse(q, what);
		return;
	}
	take_on(q);
}

void
anchorq_moved(struct mgr *m)
{
	m->anchor->moved = true;
}

void
anchorq_check(struct mgr *m)
{
	struct anchorq *q = m->anchor;

	if (m->root_kind == ROOT_SOFT) {
		if (q->policy == ANCHOR_STRICT)
			log_warn("anchor = strict, but the software root's "
				 "counter would be put back together with the "
				 "store: the store is not anchored");
		return;
	}
	if (q->policy == ANCHOR_OFF) {
		log_warn("anchor = off: an older copy of the whole store will "
			 "not be detected");
		return;
	}
	if (q->moved)
		refuse(q, "the store comes from another TPM");
	else if (q->rc == VT_OK)
		judge(q);
	else if (q->rc == VT_E_UNSUPPORTED && store_anchor(m->st) == 0)
		log_warn("the store is not anchored: %s", q->why);
	else if (q->rc == VT_E_UNSUPPORTED)
		refuse(q, "the store was anchored, but the host's keys in it "
			  "name no counter: they are an older copy");
	else
		refuse(q, q->why);
}

uint64_t
anchorq_lost(const struct mgr *m)
{
	const struct anchorq *q = m->anchor;
	uint64_t root = store_anchor(m->st);

	if (q->moved)
		return MOVED_LOST;
	/* A higher generation is acknowledged only after a raise; the last
	 * one may not have been. */
	return q->found > root ? q->found - root + 1 : 1;
}

int
anchorq_accept(struct mgr *m, char *text)
{
	struct anchorq *q = m->anchor;
	uint64_t root = store_anchor(m->st);

	if (!q->refused || q->rc != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "%s",
		    !q->refused ? "the store is not refused"
				: "without its counter in the host's TPM the "
				  "store cannot be anchored again: set "
				  "anchor = off to continue without it");
		return VT_E_STATE;
	}
	if (!q->moved && root > q->found && root - q->found > CATCH_UP_MAX) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the counter would have to be raised %llu times",
		    (unsigned long long)(root - q->found));
		return VT_E_STATE;
	}
	take_on(q);
	return VT_OK;
}

void
anchorq_accepted(struct mgr *m, bool durable)
{
	struct anchorq *q = m->anchor;

	q->refused = !durable;
	if (durable) {
		q->moved = false;
		return;
	}
	q->on = false;
	store_freeze(m->st, q->refusal);
}

/* --- group commit ------------------------------------------------------- */

bool
anchorq_holds(const struct mgr *m)
{
	const struct anchorq *q = m->anchor;

	return q != NULL && q->on && q->policy == ANCHOR_STRICT &&
	       (q->busy == B_READING || q->busy == B_COUNTING);
}

void
anchorq_before(struct mgr *m, bool soon)
{
	struct anchorq *q = m->anchor;

	if (q == NULL || !q->on)
		return;
	if (soon && q->policy != ANCHOR_STRICT)
		anchor_wish(&q->a);
	store_anchor_set(m->st, anchor_next(&q->a));
}

uint64_t
anchorq_after(struct mgr *m, int rc, bool wrote)
{
	struct anchorq *q = m->anchor;

	if (q == NULL || !q->on)
		return 0;
	if (rc != VT_OK) {
		anchor_failed(&q->a, anchor_next(&q->a));
		return 0;
	}
	if (!wrote)
		return q->a.need;
	if (q->a.need <= q->a.counter)
		q->exposed_ms = wall_ms();
	return anchor_committed(&q->a, store_anchor(m->st));
}

bool
anchorq_safe(const struct mgr *m, uint64_t need)
{
	const struct anchorq *q = m->anchor;

	return q == NULL || !q->on || need <= q->a.counter;
}

bool
anchorq_waits(const struct mgr *m, uint64_t need, bool each)
{
	return !anchorq_safe(m, need) &&
	       (each || m->anchor->policy == ANCHOR_STRICT);
}

void
anchorq_hasten(struct mgr *m)
{
	if (m->anchor->a.want < m->anchor->a.need)
		anchor_wish(&m->anchor->a);
}

/* --- raising ------------------------------------------------------------ */

static void
set_away(struct anchorq *q, bool away)
{
	struct mgr *m = q->m;

	if (m->anchor_away == away)
		return;
	m->anchor_away = away;
	m->storage_changed(m);
}

static int
on_patience(sd_event_source *s, uint64_t usec, void *arg)
{
	struct anchorq *q = arg;

	(void)s;
	(void)usec;
	if (q->a.counter >= q->a.need || q->m->anchor_away)
		return 0;
	log_err("the host's TPM does not raise the store's counter (%s): "
		"commands that change permanent state are held until it does",
	    q->why[0] != '\0' ? q->why : "no answer yet");
	set_away(q, true);
	commit_hurry(q->m);
	return 0;
}

static int
on_rested(sd_event_source *s, uint64_t usec, void *arg)
{
	struct anchorq *q = arg;

	(void)s;
	(void)usec;
	q->busy = B_IDLE;
	anchorq_kick(q->m);
	return 0;
}

static void
raise_failed(struct anchorq *q, const char *why)
{
	unsigned int ms = backoff_failed(&q->backoff);

	(void)snprintf(q->why, sizeof(q->why), "%s", why);
	if (q->failures++ == 0 || ms >= WAIT_MAX_MS)
		log_warn("the store's counter in the host's TPM is not raised: "
			 "%s; next try in %u ms",
		    why, ms);
	q->busy = B_RESTING;
	if (loop_timer(q->m, &q->rest, ms, LOOP_PRIO_BUS, on_rested, q) !=
	    VT_OK)
		loop_fatal(q->m, "cannot set a timer");
	commit_again(q->m); /* do not wait for the raise */
}

/*
 * Another manager with the same keys uses the same TPM: a copy of the state
 * folder.  The operator decides which one continues; what this one
 * acknowledged later would be lost to the other.
 */
static void
raised_by_another(struct anchorq *q, uint64_t is)
{
	q->on = false;
	loop_fatal(q->m,
	    "another process raised this store's counter in the host's TPM, "
	    "from %llu to %llu: another manager runs on a copy of this state "
	    "folder; end it, decide which copy continues, and start that",
	    (unsigned long long)q->a.counter, (unsigned long long)is);
}

static int
on_due(sd_event_source *s, uint64_t usec, void *arg)
{
	struct anchorq *q = arg;

	(void)s;
	(void)usec;
	q->due = sd_event_source_disable_unref(q->due);
	if (q->on && q->a.need > q->a.counter) {
		anchor_wish(&q->a);
		anchorq_kick(q->m);
	}
	return 0;
}

/* At most once in an interval, and at once after a quiet one. */
static void
set_due(struct anchorq *q)
{
	uint64_t us = q->m->cfg.anchor_interval * 1000000ull, now = now_us();
	uint64_t at = q->last_us + us;

	if (q->due != NULL || q->policy != ANCHOR_INTERVAL ||
	    q->a.need <= q->a.counter)
		return;
	if (loop_timer(q->m, &q->due, at > now ? (at - now) / 1000 : 0,
		LOOP_PRIO_BUS, on_due, q) != VT_OK)
		log_warn("cannot set a timer");
}

static int
on_end(sd_event_source *s, uint64_t usec, void *arg)
{
	struct anchorq *q = arg;

	(void)s;
	(void)usec;
	log_warn("the host's TPM did not raise the store's counter in time: "
		 "the last changes can be rolled back while no manager runs");
	(void)sd_event_exit(q->m->ev, 0);
	return 0;
}

static void
raised(struct anchorq *q)
{
	struct mgr *m = q->m;

	anchor_raised(&q->a);
	q->busy = B_IDLE;
	q->unsure = false;
	q->raises++;
	q->last_us = now_us();
	q->last_ms = wall_ms();
	q->us_last = q->last_us - q->t0;
	backoff_reset(&q->backoff);
	loop_timer_off(q->patience);
	if (q->why[0] != '\0')
		log_info("the store's counter in the host's TPM is raised "
			 "again");
	q->why[0] = '\0';
	commit_release(m);
	if (anchor_step(&q->a) == AA_NONE && !q->ending)
		set_away(q, false);
	commit_again(m);
	anchorq_kick(m);
}

static void
on_counted(void *arg, const struct hw_answer *a)
{
	struct anchorq *q = arg;
	uint64_t v = 0;
	int rc;

	if (!q->on)
		return;
	if ((rc = value_of(a, &v)) == VT_OK && v == q->a.counter + 1)
		raised(q);
	else if (rc == VT_OK)
		raised_by_another(q, v);
	else
		raise_failed(q, a->text[0] != '\0' ? a->text : vt_strerror(rc));
}

/*
 * The counter has to be where this manager left it.  hwtpm accepts one step
 * more for a raise that it repeats; so two managers that take turns would not
 * detect each other.
 */
static void
on_read(void *arg, const struct hw_answer *a)
{
	struct anchorq *q = arg;
	uint64_t v = 0;
	int rc;

	if (!q->on)
		return;
	if ((rc = value_of(a, &v)) != VT_OK) {
		raise_failed(q, a->text[0] != '\0' ? a->text : vt_strerror(rc));
		return;
	}
	if (v == q->a.counter + 1 && (q->unsure || !check_on("anchor-other"))) {
		raised(q);
		return;
	}
	if (v != q->a.counter) {
		raised_by_another(q, v);
		return;
	}
	q->busy = B_COUNTING;
	q->unsure = true;
	if ((rc = ask(q, true, on_counted)) != VT_OK)
		raise_failed(q, vt_strerror(rc));
}

static void
start_raise(struct anchorq *q)
{
	int rc;

	/* Counted from the first attempt. */
	if (q->policy == ANCHOR_STRICT && q->why[0] == '\0' &&
	    loop_timer(q->m, &q->patience, PATIENCE_MS, LOOP_PRIO_BUS,
		on_patience, q) != VT_OK)
		log_warn("cannot set a timer");
	q->busy = B_READING;
	q->t0 = now_us();
	if ((rc = ask(q, false, on_read)) != VT_OK)
		raise_failed(q, vt_strerror(rc));
}

void
anchorq_kick(struct mgr *m)
{
	struct anchorq *q = m->anchor;

	if (q == NULL || !q->on || q->busy != B_IDLE)
		return;
	switch (anchor_step(&q->a)) {
	case AA_NONE:
		if (q->ending)
			(void)sd_event_exit(m->ev, 0);
		else
			set_due(q);
		break;
	case AA_COMMIT:
		commit_soon(m, NULL, NULL); /* it kicks again */
		break;
	case AA_RAISE:
		start_raise(q);
		break;
	}
}

void
anchorq_end(struct mgr *m)
{
	struct anchorq *q = m->anchor;

	audit_log_counted(m);
	if (q == NULL || !q->on || q->ending) {
		(void)sd_event_exit(m->ev, 0);
		return;
	}
	if (commit_now(m) != VT_OK)
		log_warn("changes that waited for the store at the end are "
			 "lost");
	q->ending = true;
	set_away(q, true); /* nothing more begins */
	if (q->a.need > q->a.counter)
		anchor_wish(&q->a);
	if (loop_timer(m, &q->end, END_MS, LOOP_PRIO_BUS, on_end, q) != VT_OK)
		(void)sd_event_exit(m->ev, 0);
	else
		anchorq_kick(m);
}

/* --- for the operator --------------------------------------------------- */

static bool
is_slow(const struct anchorq *q)
{
	return (q->busy == B_READING || q->busy == B_COUNTING) &&
	       now_us() - q->t0 > PATIENCE_MS * 1000ull;
}

static const char *
state_of(const struct anchorq *q)
{
	if (q->m->root_kind == ROOT_SOFT)
		return "none";
	if (q->refused)
		return "refused";
	if (!q->on)
		return q->policy == ANCHOR_OFF ? "off" : "none";
	if (q->why[0] != '\0' || is_slow(q))
		return "away";
	return q->a.need <= q->a.counter ? "safe" : "open";
}

json_t *
anchorq_json(const struct mgr *m)
{
	const struct anchorq *q = m->anchor;
	const char *why = q->why;
	json_t *o;

	if (m->root_kind == ROOT_SOFT)
		why = "the software root's counter lies in the state folder "
		      "and would be put back with it";
	else if (q->refused)
		why = q->refusal;
	else if (why[0] == '\0' && is_slow(q))
		why = "it does not answer";
	else if (!q->on && q->policy == ANCHOR_OFF)
		why = "switched off";
	o = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "policy",
	    policies[q->policy], "state", state_of(q), "why", why, "interval_s",
	    (json_int_t)m->cfg.anchor_interval, "store",
	    (json_int_t)store_anchor(m->st), "raises", (json_int_t)q->raises,
	    "failures", (json_int_t)q->failures, "last_raise_ms",
	    (json_int_t)q->last_ms, "raise_us_last", (json_int_t)q->us_last);
	if (o == NULL)
		return NULL;
	if (q->on || q->refused)
		(void)json_object_set_new(o, "counter",
		    json_integer(
			(json_int_t)(q->on ? q->a.counter : q->found)));
	if (q->on && q->a.need > q->a.counter)
		(void)json_object_set_new(o, "exposed_since_ms",
		    json_integer((json_int_t)q->exposed_ms));
	return o;
}
