/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/host/deep_quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/token_bucket.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/host/deep_quote_leaf.h"
#include "vtpm_manager/store/store.h"

#define TICKS 8 /* checks of the clock within deep_wait_ms */
/* Guests that repeat at once split into two halves that wait for each other's
 * quote, so each waits for two.  To join them, the manager delays the next
 * quote after a batch: the batch's guests poll after an eighth of their wait
 * and may submit again in time.  A delay that joins nothing is rarely repeated;
 * one failure does not count, because a guest that waited for two quotes polls
 * late. */
#define GATHER_PART 5 /* of what a quote takes */
#define GATHER_MAX_US 50000
#define GATHER_WORTH                                                          \
	4               /* so many may be kept waiting for each that may come \
			 */
#define GATHER_MANY 128 /* more come too slowly, and all at once */
#define GATHER_TRIES 3  /* in vain, then: */
#define GATHER_SKIP_MIN 8
#define GATHER_SKIP_MAX 64 /* batches; twice as many each time */

/* One guest's request.  In its group's queue, then in the batch. */
struct dreq {
	struct dreq *next;          /* in the line */
	struct dreq *other;         /* of the same guest */
	struct deep_quote_guest *g; /* NULL: answered, or its worker is gone */
	uint64_t ticket, at_us;
	struct deep_leaf leaf;
};

struct deep_quote_guest {
	void *guest;       /* for the operations */
	struct dreq *reqs; /* by other; all have g set */
	unsigned int n;
	struct token_bucket asks;
	uint8_t ek[DEEP_NAME_MAX], ak[DEEP_NAME_MAX];
	size_t ek_len, ak_len; /* 0: not looked up yet */
};

struct batch { /* all parts on the heap */
	struct dreq **reqs;
	size_t n;
	struct deep_tree *tree;
	uint64_t t0, sequence;
	uint8_t *ak_cert; /* NULL: HW_QUOTE gives it */
	uint32_t ak_cert_len;
};

/* A group's queue, and the one batch that is with the host's TPM.
 * So a group that must wait for its quota delays no other group.  A queue is
 * never freed; there are no more than groups. */
struct line {
	struct line *next;
	struct deepq *q;
	uint32_t group;
	struct dreq *first, **last;
	size_t n;
	uint64_t done_us;        /* when the last batch was over */
	uint64_t us_last;        /* what it took */
	sd_event_source *gather; /* after it */
	size_t had, told;        /* waited then, and were answered */
	size_t want; /* this many requests start the next quote at once */
	bool gathering;
	unsigned int vain; /* failed delays in a row */
	unsigned int skip; /* batches to continue without one */
	bool busy;
	struct batch b; /* that the host's TPM is signing */
};

struct deepq {
	struct mgr *m;
	const struct deep_quote_ops *ops;
	struct line *lines;
	size_t n; /* in all lines */
	sd_event_source *timer;
	bool ticking;
	struct deep_quote_counters count;
};

static void expect(struct line *l, size_t n);
static void kick_soon(struct line *l);

/* --- whose it is ---------------------------------------------------------- */

/* r no longer belongs to a guest. */
static void
disown(struct dreq *r)
{
	struct deep_quote_guest *dg;
	struct dreq **pp;

	if (r->g == NULL)
		return;
	dg = r->g;
	for (pp = &dg->reqs; *pp != r; pp = &(*pp)->other)
		;
	*pp = r->other;
	dg->n--;
	r->g = NULL;
}

static void
disown_all(struct deep_quote_guest *dg)
{
	struct dreq *r;

	while ((r = dg->reqs) != NULL)
		disown(r);
}

static void
req_free(struct dreq *r)
{
	disown(r);
	free(r);
}

void
deep_quote_worker_gone(struct deep_quote_guest *dg)
{
	if (dg != NULL)
		disown_all(dg);
}

void
deep_quote_forget(struct deep_quote_guest **dg)
{
	deep_quote_worker_gone(*dg);
	free(*dg);
	*dg = NULL;
}

/* --- life ----------------------------------------------------------------- */

int
deep_quote_new(struct mgr *m, const struct deep_quote_ops *ops)
{
	struct deepq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return VT_E_NOMEM;
	q->m = m;
	q->ops = ops;
	m->deepq = q;
	return VT_OK;
}

static void
batch_free(struct batch *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		req_free(b->reqs[i]);
	free(b->reqs);
	free(b->ak_cert);
	deep_tree_free(b->tree);
	memset(b, 0, sizeof(*b));
}

static struct dreq *
line_take(struct line *l)
{
	struct dreq *r = l->first;

	if (r == NULL)
		return NULL;
	if ((l->first = r->next) == NULL)
		l->last = &l->first;
	l->n--;
	l->q->n--;
	return r;
}

void
deep_quote_free(struct mgr *m)
{
	struct deepq *q = m->deepq;
	struct line *l;
	struct dreq *r;

	if (q == NULL)
		return;
	while ((l = q->lines) != NULL) {
		if (m->hw != NULL)
			hwlink_forget(m->hw, l);
		batch_free(&l->b);
		while ((r = line_take(l)) != NULL)
			req_free(r);
		(void)sd_event_source_disable_unref(l->gather);
		q->lines = l->next;
		free(l);
	}
	(void)sd_event_source_disable_unref(q->timer);
	free(q);
	m->deepq = NULL;
}

void
deep_quote_counters(const struct mgr *m, struct deep_quote_counters *ret)
{
	const struct line *l;

	memset(ret, 0, sizeof(*ret));
	if (m->deepq == NULL)
		return;
	*ret = m->deepq->count;
	ret->waiting = m->deepq->n;
	for (l = m->deepq->lines; l != NULL; l = l->next)
		ret->waiting += l->b.n;
}

/* --- answers -------------------------------------------------------------- */

/* Answer r, if its worker is still there. */
static void
tell(const struct deepq *q, struct dreq *r, const struct wdeeped *d)
{
	struct deep_quote_guest *g = r->g;

	disown(r);
	if (g != NULL)
		q->ops->answer(g->guest, d);
}

static void
tell_failure(struct deepq *q, struct dreq *r, int rc, const char *why)
{
	struct wdeeped d = { .ticket = r->ticket, .rc = rc };

	if (r->g == NULL)
		return;
	(void)snprintf(d.text, sizeof(d.text), "%s", why);
	q->count.failed++;
	tell(q, r, &d);
}

/* What all of the batch have in common. */
static int
fill_common(
    const struct batch *b, const struct hw_quoted *hq, struct deep_answer *a)
{
	const struct wblob own = { b->ak_cert, b->ak_cert_len };
	const struct wblob *cert = b->ak_cert != NULL ? &own : &hq->ak_cert;

	memset(a, 0, sizeof(*a));
	if (hq->attest.len > sizeof(a->attest) ||
	    hq->signature.len > sizeof(a->sig) ||
	    cert->len > sizeof(a->ak_cert) || cert->len == 0)
		return VT_E_RANGE;
	memcpy(a->attest, hq->attest.p, hq->attest.len);
	memcpy(a->sig, hq->signature.p, hq->signature.len);
	memcpy(a->ak_cert, cert->p, cert->len);
	a->attest_len = (uint16_t)hq->attest.len;
	a->sig_len = (uint16_t)hq->signature.len;
	a->ak_cert_len = (uint16_t)cert->len;
	a->policy_sequence = b->sequence;
	a->count = b->n;
	return VT_OK;
}

static int
tell_answer(
    struct deepq *q, const struct batch *b, size_t i, struct deep_answer *a)
{
	struct dreq *r = b->reqs[i];
	struct wdeeped d = { .ticket = r->ticket };
	uint8_t buf[DEEP_ANSWER_MAX];
	struct wr w;
	size_t n;
	int rc;

	if (r->g == NULL)
		return VT_OK;
	a->leaf = r->leaf;
	a->index = i;
	if ((rc = deep_tree_path(b->tree, i, a->path, &n)) != VT_OK)
		return rc;
	a->path_len = (uint16_t)n;
	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, a);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	d.answer.p = buf;
	d.answer.len = (uint32_t)w.len;
	q->count.answered++;
	tell(q, r, &d);
	return VT_OK;
}

static void
tell_all(struct deepq *q, const struct batch *b, int rc, const char *why,
    struct deep_answer *common)
{
	size_t i;
	int one;

	for (i = 0; i < b->n; i++) {
		one = rc == VT_OK ? tell_answer(q, b, i, common) : rc;
		if (one != VT_OK)
			tell_failure(q, b->reqs[i], one,
			    rc != VT_OK ? why : vt_strerror(one));
	}
}

static size_t
still_there(const struct batch *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		n += b->reqs[i]->g != NULL;
	return n;
}

static void
on_quoted(void *arg, const struct hw_answer *a)
{
	char why[TEXT_MAX_LEN + 1];
	struct line *l = arg;
	struct deepq *q = l->q;
	struct batch b = l->b;
	struct deep_answer common;
	struct hw_quoted hq;
	int rc = a->rc;

	if (rc == VT_OK)
		rc = msg_get(hw_quoted, a->body, a->body_len, &hq);
	if (rc == VT_OK)
		rc = fill_common(&b, &hq, &common);
	(void)snprintf(why, sizeof(why), "the host's TPM did not vouch: %.200s",
	    a->rc != VT_OK && a->text[0] != '\0' ? a->text : vt_strerror(rc));
	if (rc != VT_OK)
		log_warn("%zu deep quote(s): %s", b.n, why);
	else
		q->count.host_quotes++;
	l->done_us = now_us();
	l->us_last = q->count.us_last = l->done_us - b.t0;
	expect(l, rc == VT_OK ? still_there(&b) : 0);
	/* The TPM makes the next quote while the answers of this one go out. */
	memset(&l->b, 0, sizeof(l->b));
	l->busy = false;
	kick_soon(l);
	tell_all(q, &b, rc, why, &common);
	batch_free(&b);
}

/* --- one batch ------------------------------------------------------------ */

/* None, if the guests are gone. */
static int
gather(struct line *l)
{
	struct deepq *q = l->q;
	size_t max = q->m->cfg.deep_batch_max;
	struct batch *b = &l->b;
	struct dreq *r, **reqs;

	if (max > DEEP_BATCH_MAX)
		max = DEEP_BATCH_MAX;
	if (max > l->n)
		max = l->n;
	reqs = deep_quote_alloc(max, sizeof(struct dreq *));
	if (reqs == NULL)
		return VT_E_NOMEM;
	while (b->n < max && (r = line_take(l)) != NULL) {
		if (r->g == NULL)
			req_free(r);
		else
			reqs[b->n++] = r;
	}
	b->reqs = reqs;
	if (b->n > q->count.batch_max)
		q->count.batch_max = b->n;
	return VT_OK;
}

static int
plant(struct batch *b)
{
	uint8_t(*leaves)[SHA256_LEN] = calloc(b->n, SHA256_LEN);
	int rc = leaves != NULL ? VT_OK : VT_E_NOMEM;
	size_t i;

	for (i = 0; rc == VT_OK && i < b->n; i++)
		rc = deep_leaf_hash(&b->reqs[i]->leaf, leaves[i]);
	if (rc == VT_OK)
		rc = deep_tree_new(
		    (const uint8_t(*)[SHA256_LEN])leaves, b->n, &b->tree);
	free(leaves);
	return rc;
}

static int
keep_cert(struct batch *b, const struct wblob *cert)
{
	if (cert->len == 0)
		return VT_OK;
	if ((b->ak_cert = deep_quote_alloc(1, cert->len)) == NULL)
		return VT_E_NOMEM;
	memcpy(b->ak_cert, cert->p, cert->len);
	b->ak_cert_len = cert->len;
	return VT_OK;
}

static int
ask_host(struct line *l, char *why)
{
	struct hw_quote hq = { .group = l->group };
	struct mgr *m = l->q->m;
	struct batch *b = &l->b;
	uint8_t root[SHA256_LEN];
	struct deep_quote_group dg;
	struct wr w;
	int rc;

	if ((rc = deep_quote_group(m, l->group, &dg, why)) != VT_OK ||
	    (rc = keep_cert(b, &dg.ak_cert)) != VT_OK)
		return rc;
	hq.ak = dg.ak;
	hq.bank = dg.bank;
	hq.pcrs = dg.pcrs;
	b->sequence = dg.sequence;
	deep_tree_root(b->tree, root);
	if ((rc = deep_qualify(root, dg.sequence, hq.extra)) != VT_OK)
		return rc;
	if (m->hw == NULL) {
		(void)snprintf(why, TEXT_MAX_LEN + 1,
		    "the manager is not connected to the host's TPM yet");
		return VT_E_CLOSED;
	}
	wr_grow(&w, HW_AK_MAX_LEN + 256);
	msg_put(&w, hw_quote, &hq);
	if ((rc = wr_err(&w)) == VT_OK) {
		b->t0 = now_us();
		rc = hwlink_request(m->hw, HW_QUOTE, &w, on_quoted, l);
	}
	wr_free(&w);
	return rc;
}

static void
kick(struct line *l)
{
	char why[TEXT_MAX_LEN + 1];
	struct batch *b = &l->b;
	size_t i;
	int rc;

	l->gathering = false;
	while (!l->busy && l->n > 0) {
		why[0] = '\0';
		l->busy = true;
		if ((rc = gather(l)) == VT_OK && b->n > 0 &&
		    (rc = plant(b)) == VT_OK &&
		    (rc = ask_host(l, why)) == VT_OK)
			return;
		for (i = 0; i < b->n; i++)
			tell_failure(l->q, b->reqs[i], rc,
			    why[0] != '\0' ? why : vt_strerror(rc));
		batch_free(b);
		l->busy = false;
		if (rc == VT_E_NOMEM)
			return; /* the timer answers requests that wait too long
				 */
	}
}

/* --- when to begin -------------------------------------------------------- */

/* A batch is over and n guests get answers: are they worth waiting for? */
static void
expect(struct line *l, size_t n)
{
	size_t max = l->q->m->cfg.deep_batch_max;

	l->had = l->n;
	l->told = n;
	l->want = 0;
	if (l->had >= GATHER_WORTH * n || l->had + n > GATHER_MANY)
		return;
	if (l->skip > 0)
		l->skip--;
	else
		l->want = l->had + n < max ? l->had + n : max;
}

static void
gathered(struct line *l)
{
	unsigned int over;

	if (l->n - l->had >= (l->told + 1) / 2) {
		l->vain = 0;
		return;
	}
	if (++l->vain < GATHER_TRIES)
		return;
	over = l->vain - GATHER_TRIES;
	l->skip = over < 3 ? GATHER_SKIP_MIN << over : GATHER_SKIP_MAX;
}

static int
on_gathered(sd_event_source *s, uint64_t usec, void *arg)
{
	struct line *l = arg;

	(void)s;
	(void)usec;
	if (!l->gathering)
		return 0;
	gathered(l);
	kick(l);
	return 0;
}

/* Now, or after the delay that follows a batch. */
static void
kick_soon(struct line *l)
{
	uint64_t us = l->us_last / GATHER_PART, gone = now_us() - l->done_us;

	if (us > GATHER_MAX_US)
		us = GATHER_MAX_US;
	if (l->busy || l->n == 0)
		return;
	if (l->n >= l->want || gone + 1000 > us) {
		if (l->gathering)
			gathered(l);
		kick(l);
		return;
	}
	if (l->gathering)
		return;
	l->gathering = true;
	if (loop_timer(l->q->m, &l->gather, (us - gone) / 1000, LOOP_PRIO_BUS,
		on_gathered, l) != VT_OK)
		kick(l);
}

/* --- the clock ------------------------------------------------------------ */

static bool
too_old(const struct deepq *q, const struct dreq *r, uint64_t now)
{
	return r->g != NULL &&
	       now - r->at_us >= q->m->cfg.deep_wait_ms * UINT64_C(1000);
}

static int on_tick(sd_event_source *s, uint64_t usec, void *arg);

static void
tick_soon(struct deepq *q)
{
	q->ticking = true;
	if (loop_timer(q->m, &q->timer, q->m->cfg.deep_wait_ms / TICKS,
		LOOP_PRIO_BUS, on_tick, q) != VT_OK)
		loop_fatal(q->m, "cannot set a timer");
}

/* Every request is answered in time, whatever the host's TPM does. */
static int
on_tick(sd_event_source *s, uint64_t usec, void *arg)
{
	char why[TEXT_MAX_LEN + 1];
	struct deepq *q = arg;
	uint64_t now = now_us();
	bool any = false;
	struct dreq *r;
	struct line *l;
	size_t i;

	(void)s;
	(void)usec;
	(void)snprintf(why, sizeof(why),
	    "the host's TPM did not vouch within %u s; `vtpmctl status` on the "
	    "host says how it is",
	    (q->m->cfg.deep_wait_ms + 999) / 1000);
	for (l = q->lines; l != NULL; l = l->next) {
		for (i = 0; i < l->b.n; i++)
			if (too_old(q, l->b.reqs[i], now))
				tell_failure(
				    q, l->b.reqs[i], VT_E_TIMEOUT, why);
		while ((r = l->first) != NULL &&
		       (r->g == NULL || too_old(q, r, now))) {
			tell_failure(q, r, VT_E_TIMEOUT, why);
			req_free(line_take(l));
		}
		kick_soon(l);
		any |= l->b.n > 0 || l->n > 0;
	}
	q->ticking = false;
	if (any)
		tick_soon(q);
	return 0;
}

/* --- a worker asks -------------------------------------------------------- */

static struct deep_quote_guest *
guest_new(void *guest)
{
	struct deep_quote_guest *dg = calloc(1, sizeof(*dg));

	if (dg == NULL)
		return NULL;
	dg->guest = guest;
	token_bucket_init(
	    &dg->asks, DEEP_QUOTE_BURST, DEEP_QUOTE_RATE, 1000000, now_us());
	return dg;
}

static int
names(struct deepq *q, struct deep_quote_guest *dg, const struct guest *in,
    struct deep_leaf *l)
{
	int rc;

	if (dg->ak_len == 0) {
		rc = q->ops->key_names(q->m, in, dg->ek, &dg->ek_len, dg->ak,
		    &dg->ak_len, DEEP_NAME_MAX);
		if (rc != VT_OK) {
			dg->ak_len = 0;
			return rc;
		}
	}
	memcpy(l->ek_name, dg->ek, dg->ek_len);
	memcpy(l->ak_name, dg->ak, dg->ak_len);
	l->ek_name_len = (uint16_t)dg->ek_len;
	l->ak_name_len = (uint16_t)dg->ak_len;
	return VT_OK;
}

static int
enqueue(struct deepq *q, struct dreq *r, struct line **ret)
{
	struct line **pp, *l;

	for (pp = &q->lines; (l = *pp) != NULL; pp = &l->next)
		if (l->group == r->leaf.group)
			break;
	if (l == NULL) {
		if ((l = deep_quote_alloc(1, sizeof(*l))) == NULL)
			return VT_E_NOMEM;
		l->q = q;
		l->group = r->leaf.group;
		l->last = &l->first;
		*pp = l;
	}
	*l->last = r;
	l->last = &r->next;
	l->n++;
	q->n++;
	*ret = l;
	return VT_OK;
}

static int
accept_(struct deepq *q, struct deep_quote_guest *dg, const struct guest *in,
    const struct wdeep *d, struct line **ret, char *why)
{
	struct dreq *r;
	int rc;

	if (!token_bucket_take(&dg->asks, 1, now_us()) ||
	    dg->n >= DEEP_QUOTE_EACH || q->n >= DEEP_QUOTE_ALL) {
		(void)snprintf(why, TEXT_MAX_LEN + 1,
		    "too many deep quotes are asked for; try again later");
		return VT_E_BUSY;
	}
	if ((r = deep_quote_alloc(1, sizeof(*r))) == NULL)
		return VT_E_NOMEM;
	deep_quote_leaf(q->m, in, d, &r->leaf);
	if ((rc = names(q, dg, in, &r->leaf)) != VT_OK ||
	    (rc = enqueue(q, r, ret)) != VT_OK) {
		free(r);
		return rc;
	}
	r->g = dg;
	r->ticket = d->ticket;
	r->at_us = now_us();
	r->other = dg->reqs;
	dg->reqs = r;
	dg->n++;
	return VT_OK;
}

void
deep_quote_ask(struct mgr *m, struct deep_quote_guest **dg, void *guest,
    const struct guest *in, const struct wdeep *d)
{
	struct wdeeped no = { .ticket = d->ticket };
	struct deepq *q = m->deepq;
	struct line *l = NULL;
	int rc = VT_E_NOMEM;

	if (q == NULL)
		return; /* the end of this manager */
	q->count.asked++;
	if (*dg == NULL)
		*dg = guest_new(guest);
	if (*dg != NULL)
		rc = accept_(q, *dg, in, d, &l, no.text);
	if (rc != VT_OK) {
		no.rc = rc;
		if (no.text[0] == '\0')
			(void)snprintf(
			    no.text, sizeof(no.text), "%s", vt_strerror(rc));
		q->count.failed++;
		q->ops->answer(guest, &no);
		return;
	}
	kick_soon(l);
	if (!q->ticking)
		tick_soon(q);
}
