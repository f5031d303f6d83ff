/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_move.c - domains that are saved, restored and moved: a vTPM keeps its
 * volatile state where the toolstack claims, and proves, that one domain
 * continues another.  move_fsm.c decides.
 */
#include "vtpm_manager/xen/xen_move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm/state/seal.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_launched.h"
#include "vtpm_manager/guest/guest_op.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/xen/xenback_link_impl.h"

/* One claim that takes time. */
struct work {
	struct mgr *m;
	struct guest in;
	struct xen_claim c;
	struct xb_dev cand; /* a restore's */
	bool launched;      /* the saved domain's launch was measured */
	xen_claim_cb cb;
	void *arg;
};

static struct work *
work_new(struct mgr *m, const struct guest *in, const struct xen_claim *c,
    xen_claim_cb cb, void *arg)
{
	struct work *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->m = m;
	k->in = *in;
	k->c = *c;
	k->cb = cb;
	k->arg = arg;
	return k;
}

/* text: "" or the reason, without the guest's name. */
static void
work_done(struct work *k, int rc, const char *text)
{
	char full[MGR_TEXT_MAX];

	(void)snprintf(full, sizeof(full), "guest %s: %.400s", k->in.name,
	    text[0] != '\0' ? text : vt_strerror(rc));
	k->cb(k->arg, rc, rc != VT_OK ? full : text, k->c.domid, k->c.domain);
	free(k);
}

/* "guest NAME: " and the reason of an immediate refusal. */
static int
say(const struct guest *in, char *text, int rc, const char *words)
{
	(void)snprintf(text, MGR_TEXT_MAX, "guest %s: %.400s", in->name, words);
	return rc;
}

/* --- who waits -------------------------------------------------------------
 */

bool
xen_move_is_candidate(const struct held *h, const struct xb_dev *d)
{
	return (h->move == MOVE_OFFERED || h->move == MOVE_TWO ||
		   h->move == MOVE_LEFT_TWO) &&
	       h->cand.domid == d->domid && h->cand.devid == d->devid;
}

bool
xen_move_new_domain(
    struct xenback_link *x, struct held *h, uint32_t id, const struct xb_dev *d)
{
	struct move_step st;

	if (!xen_move_is_candidate(h, d)) {
		/* A device that the previous xenback saw is not a new domain.
		 */
		if (d->resumed || h->stale || h->dev.domid == d->domid)
			return false;
		st = move_step(h->move, MOVE_NEW_DOMAIN);
		if (st.act != MOVE_OFFER)
			return false;
		h->move = st.next;
		h->cand = *d;
		log_info("domain %u may continue a vTPM's state; it waits",
		    d->domid);
	}
	xenback_answer(x, id, VT_OK, true, "");
	return true;
}

/* Remove the next ask of d that waits. */
static struct ask *
take_waiting(struct xenback_link *x, const struct xb_dev *d)
{
	struct ask *q;

	LIST_FOREACH(q, &x->asks, link)
		if (q->waiting && q->dev.domid == d->domid &&
		    q->dev.devid == d->devid)
			break;
	if (q != NULL)
		LIST_REMOVE(q, link);
	return q;
}

void
xen_move_release(
    struct xenback_link *x, const struct xb_dev *d, int rc, const char *text)
{
	struct ask *q;

	while ((q = take_waiting(x, d)) != NULL) {
		if (q->done != NULL)
			q->done(q->arg, rc, text);
		else if (rc == VT_OK)
			xenback_on_connect(x, q->id, &q->dev);
		else
			xenback_answer(x, q->id, rc, false, text);
		free(q);
	}
}

void
xen_move_candidate_left(struct xenback_link *x, struct held *h, bool gone)
{
	struct xb_dev d = h->cand;

	if (gone)
		h->move = move_step(h->move, MOVE_NEW_GONE).next;
	xen_move_release(x, &d, VT_E_CLOSED, "its domain is gone");
}

void
xen_move_old_gone(struct held *h)
{
	h->move = move_step(h->move, MOVE_OLD_GONE).next;
}

/* --- a power cycle after all ------------------------------------------------
 */

static void
cycle(struct xenback_link *x, const struct xb_dev *d)
{
	char text[MGR_TEXT_MAX] = "";
	struct ask *q = xenback_ask_new(x, 0, d);
	struct guest in;
	int rc = VT_E_NOMEM;

	if (q != NULL &&
	    (rc = store_guest_get(x->m->st, d->uuid, &in)) == VT_OK)
		rc = xenback_power(x, &in, q, text);
	if (rc == VT_OK)
		return;
	log_warn("domain %u: its vTPM is not power cycled: %s", d->domid,
	    text[0] != '\0' ? text : vt_strerror(rc));
	if (q != NULL)
		xenback_ask_done(q, rc, text);
	xen_move_release(x, d, rc, text);
}

static void
give_up(struct xenback_link *x, struct held *h)
{
	struct move_step st = move_step(h->move, MOVE_ABORT);
	struct xb_dev d = h->cand;
	bool waits = xen_move_is_candidate(h, &d);

	h->move = st.next;
	h->owner = NULL;
	if (st.act == MOVE_CYCLE)
		cycle(x, &d);
	else if (waits)
		xen_move_release(
		    x, &d, VT_E_BUSY, "another domain owns this vTPM");
}

void
xen_move_owner_gone(struct xenback_link *x, const void *owner)
{
	struct held *h;

	if (x == NULL || owner == NULL)
		return;
	SLIST_FOREACH(h, &x->held, link) {
		if (h->owner != owner || h->move == MOVE_FREE)
			continue;
		log_warn("the connection that had domain %u %s is closed; the "
			 "claim is given up",
		    h->dev.domid, move_state_name(h->move));
		give_up(x, h);
	}
}

bool
xen_move_has_claim(const struct xenback_link *x, const void *owner)
{
	const struct held *h;

	if (x == NULL)
		return false;
	SLIST_FOREACH(h, &x->held, link)
		if (h->owner == owner && h->move != MOVE_FREE)
			return true;
	return false;
}

/* --- save ------------------------------------------------------------------
 */

static void
on_hibernated(void *arg, int rc, const char *why)
{
	(void)why;
	work_done(arg, rc, rc == VT_OK ? "" : "its worker does not end");
}

static void
on_kept(void *arg, int rc)
{
	char text[MGR_TEXT_MAX] = "";
	struct work *k = arg;
	struct held *h;

	if (rc != VT_OK) {
		work_done(k, rc, "its volatile state could not be stored");
		return;
	}
	if ((h = xenback_held_of(k->m->xen, k->in.uuid)) != NULL) {
		h->connected = false; /* its domain no longer runs */
		h->move = MOVE_FREE;
		h->owner = NULL;
	}
	rc = guest_stop(k->m, &k->in, true, on_hibernated, k, text);
	if (rc != VT_OK)
		work_done(k, rc, text);
}

static int
keep(struct work *k, const uint8_t *p, size_t len)
{
	const struct held *h = xenback_held_of(k->m->xen, k->in.uuid);
	struct guest_run *g = guest_live(k->m, k->in.uuid);
	struct xensaved s = { .time_ms = wall_ms(), .state = { p, 0 } };
	struct seal_id id;
	struct wr w;
	int rc;

	s.state.len = (uint32_t)len;
	s.launched = h != NULL && h->launched;
	memcpy(s.image, k->c.image, sizeof(s.image));
	memcpy(s.domain, k->c.domain, sizeof(s.domain));
	if ((rc = seal_peek(p, len, &id)) != VT_OK)
		return rc;
	if (g == NULL || id.kind != SEAL_VOLATILE ||
	    memcmp(id.uuid, k->in.uuid, UUID_LEN) != 0 ||
	    id.generation != g->in.generation || id.version != g->in.version)
		return VT_E_STATE; /* W_LOAD would refuse it */
	wr_grow(&w, STATE_MAX_LEN);
	xen_saved_put(&w, &s);
	if ((rc = wr_err(&w)) == VT_OK)
		rc = store_extra_put(
		    k->m->st, k->in.uuid, SX_VOLATILE, w.buf, w.len);
	if (rc == VT_OK)
		rc = guest_launched_save(k->m, &k->in);
	wr_free(&w);
	return rc;
}

static void
on_volatile(void *arg, int rc, const char *why, const uint8_t *p, size_t len)
{
	struct work *k = arg;

	if (rc == VT_OK && (rc = keep(k, p, len)) != VT_OK)
		why = "its volatile state cannot be kept";
	if (rc == VT_OK)
		commit_soon(k->m, on_kept, k);
	else if (rc == VT_E_STATE) /* what it changed is not stored yet */
		work_done(k, VT_E_BUSY, why);
	else
		work_done(k, rc, why);
}

/* --- restore ---------------------------------------------------------------
 */

/* What the store has of it; *ret borrows from *ret_buf, which is heap. */
static int
get_saved(struct mgr *m, const struct guest *in, struct xensaved *ret,
    uint8_t **ret_buf, char *text)
{
	uint8_t *p;
	size_t len;
	int rc;

	rc = store_extra_get(m->st, in->uuid, SX_VOLATILE, &p, &len);
	if (rc == VT_E_NOTFOUND)
		return say(in, text, rc,
		    "no saved domain waits for it: an image continues its TPM "
		    "once, and only if the TPM was not started in between; "
		    "xl restore brings the guest back with fresh PCRs");
	if (rc != VT_OK)
		return say(in, text, rc, store_why(m->st));
	if ((rc = xen_saved_get(p, len, ret)) != VT_OK) {
		free(p);
		return say(in, text, rc, "its saved state is unreadable");
	}
	*ret_buf = p;
	return VT_OK;
}

static int
check_image(struct xenback_link *x, const struct held *h,
    const struct guest *in, const struct xen_claim *c, struct xen_claim *ret,
    char *text)
{
	struct xensaved s;
	uint8_t *buf;
	int rc = VT_OK;

	if (h->there || guest_live(x->m, in->uuid) != NULL)
		return say(in, text, VT_E_BUSY,
		    "its TPM is in use: the saved domain, or another one, "
		    "still exists");
	if ((rc = get_saved(x->m, in, &s, &buf, text)) != VT_OK)
		return rc;
	if (!mem_equal(s.image, c->image, sizeof(s.image)))
		rc = say(in, text, VT_E_DENIED,
		    "this is not the saved image, bit for bit: it is another "
		    "one, an older one, or changed");
	memcpy(ret->domain, s.domain, sizeof(ret->domain));
	free(buf);
	return rc;
}

static void
on_resumed(void *arg, int rc, const char *why)
{
	struct work *k = arg;
	struct xenback_link *x = k->m->xen;

	struct held *h = NULL;

	if (rc == VT_OK && (h = xenback_hold(x, &k->cand)) == NULL)
		rc = VT_E_NOMEM;
	if (h != NULL) {
		h->ran = true; /* no launch is measured into its PCRs */
		h->launched = k->launched;
	}
	if (rc == VT_OK)
		audit_log(k->m, "manager", "xen-restore", k->in.name, "ok",
		    "domain %u continues the saved one", k->cand.domid);
	xen_move_release(x, &k->cand, rc, why);
	work_done(k, rc, rc != VT_OK ? why : "");
}

static int
resume(struct xenback_link *x, struct held *h, struct work *k, char *text)
{
	struct xensaved s;
	uint8_t *buf;
	int rc;

	k->cand = h->cand;
	if ((rc = get_saved(x->m, &k->in, &s, &buf, text)) != VT_OK)
		return rc;
	rc = guest_resume(
	    x->m, &k->in, s.state.p, s.state.len, on_resumed, k, text);
	free(buf);
	return rc;
}

/* --- move ------------------------------------------------------------------
 */

static int
move_over(struct xenback_link *x, struct held *h, struct work *k)
{
	struct xb_dev d = h->cand;

	h->dev = d;
	h->there = true;
	h->connected = false;
	audit_log(x->m, "manager", "xen-migrate", k->in.name, "ok",
	    "domain %u continues the moved one", d.domid);
	xen_move_release(x, &d, VT_OK, "");
	work_done(k, VT_OK, "");
	return VT_OK;
}

/* --- what the toolstack says ------------------------------------------------
 */

static int
begin(struct xenback_link *x, struct held *h, const struct guest *in,
    const struct xen_claim *c, struct work *k, char *text)
{
	struct move_step st = move_step(h->move, c->what);
	int rc = VT_OK;

	if (st.act == MOVE_REFUSE)
		return say(in, text, VT_E_EXISTS,
		    "another connection is saving, restoring or moving its "
		    "domain");
	if (c->what == MOVE_BEGIN_RESTORE)
		rc = check_image(x, h, in, c, &k->c, text);
	else if (!h->there || guest_live(x->m, in->uuid) == NULL)
		rc = say(in, text, VT_E_STATE, "no domain owns its TPM now");
	if (rc != VT_OK)
		return rc;
	h->move = st.next;
	h->owner = c->owner;
	k->c.domid = h->there ? h->dev.domid : NO_DOMAIN;
	work_done(k, VT_OK, "");
	return VT_OK;
}

static int
done(struct xenback_link *x, struct held *h, const struct guest *in,
    const struct xen_claim *c, struct work *k, char *text)
{
	struct move_step st = move_step(h->move, MOVE_DONE);
	int rc = VT_OK;

	if (st.act == MOVE_REFUSE || h->owner != c->owner)
		return say(in, text, VT_E_STATE,
		    "nothing is under way for it: its domain ended, or never "
		    "appeared");
	if (st.act == MOVE_AGAIN)
		return say(in, text, VT_E_BUSY, "its old domain still exists");
	if (st.act != MOVE_HIBERNATE && c->domid != h->cand.domid)
		return say(in, text, VT_E_DENIED,
		    "a different domain appeared with its TPM");
	if (st.act == MOVE_HIBERNATE) /* on_kept() takes the step */
		return guest_query(
		    x->m, &k->in, WQ_VOLATILE, on_volatile, k, text);
	if (st.act == MOVE_RESUME)
		rc = resume(x, h, k, text);
	if (rc != VT_OK)
		return rc;
	h->move = st.next;
	h->owner = NULL;
	return st.act == MOVE_SWITCH ? move_over(x, h, k) : VT_OK;
}

/* An explicit abort: the waiting domain still exists, so try again. */
static int
abandon(struct xenback_link *x, struct held *h, const struct guest *in,
    const struct xen_claim *c, struct work *k, char *text)
{
	if (h->move == MOVE_FREE || h->owner != c->owner)
		return say(in, text, VT_E_STATE, "nothing is under way");
	if (xen_move_is_candidate(h, &h->cand))
		return say(in, text, VT_E_BUSY, "its new domain still exists");
	give_up(x, h);
	work_done(k, VT_OK, "");
	return VT_OK;
}

int
xen_move_claim(struct xenback_link *x, const struct guest *in,
    const struct xen_claim *c, xen_claim_cb cb, void *arg, char *text)
{
	struct held *h;
	struct work *k;
	int rc;

	if (x == NULL)
		return say(in, text, VT_E_UNSUPPORTED,
		    "this manager serves no Xen domains");
	if ((h = xenback_held_new(x, in->uuid)) == NULL ||
	    (k = work_new(x->m, in, c, cb, arg)) == NULL)
		return VT_E_NOMEM;
	if (c->what == MOVE_DONE)
		rc = done(x, h, in, c, k, text);
	else if (c->what == MOVE_ABORT)
		rc = abandon(x, h, in, c, k, text);
	else
		rc = begin(x, h, in, c, k, text);
	if (rc != VT_OK)
		free(k);
	return rc;
}
