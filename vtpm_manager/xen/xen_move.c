/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_move.c - domains that are saved, restored and moved: the vTPM goes on
 * with its volatile state where the toolstack claims, and can show, that one
 * domain goes on where another one ended.  What is decided when is
 * move_fsm.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm/state/seal.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guest.h"
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
	bool launched;      /* what was saved was launched measured */
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

/* text: "" or words without the guest's name. */
static void
work_done(struct work *k, int rc, const char *text)
{
	char full[MGR_TEXT_MAX];

	(void)snprintf(full, sizeof(full), "guest %s: %.400s", k->in.name,
	    text[0] != '\0' ? text : vt_strerror(rc));
	k->cb(k->arg, rc, rc != VT_OK ? full : text, k->c.domid, k->c.domain);
	free(k);
}

/* "guest NAME: " and words, for what is refused at once. */
static int
say(const struct guest *in, char *text, int rc, const char *words)
{
	(void)snprintf(text, MGR_TEXT_MAX, "guest %s: %.400s", in->name, words);
	return rc;
}

/* --- who waits -------------------------------------------------------------
 */

bool
move_is_candidate(const struct held *h, const struct xb_dev *d)
{
	return (h->move == MOVE_OFFERED || h->move == MOVE_TWO ||
		   h->move == MOVE_LEFT_TWO) &&
	       h->cand.domid == d->domid && h->cand.devid == d->devid;
}

bool
move_new_domain(
    struct xenlink *x, struct held *h, uint32_t id, const struct xb_dev *d)
{
	struct move_step st;

	if (!move_is_candidate(h, d)) {
		/* What xenback had seen before it died is no new domain. */
		if (d->resumed || h->stale || h->dev.domid == d->domid)
			return false;
		st = move_step(h->move, MOVE_NEW_DOMAIN);
		if (st.act != MOVE_OFFER)
			return false;
		h->move = st.next;
		h->cand = *d;
		log_info("domain %u may go on with a vTPM's state; it waits",
		    d->domid);
	}
	xl_answer(x, id, VT_OK, true, "");
	return true;
}

/* The next one in the list that waits to connect as d. */
static struct ask *
take_waiting(struct xenlink *x, const struct xb_dev *d)
{
	struct ask **pp, *q;

	for (pp = &x->asks; (q = *pp) != NULL; pp = &q->next)
		if (q->waiting && q->dev.domid == d->domid &&
		    q->dev.devid == d->devid)
			break;
	if (q != NULL)
		*pp = q->next;
	return q;
}

void
move_release(struct xenlink *x, const struct xb_dev *d, int rc)
{
	struct ask *q;

	while ((q = take_waiting(x, d)) != NULL) {
		if (rc == VT_OK)
			xl_on_connect(x, q->id, &q->dev);
		else
			xl_answer(x, q->id, rc, false,
			    "its vTPM is another domain's");
		free(q);
	}
}

void
move_candidate_left(struct xenlink *x, struct held *h, bool gone)
{
	struct xb_dev d = h->cand;

	if (gone)
		h->move = move_step(h->move, MOVE_NEW_GONE).next;
	move_release(x, &d, VT_E_CLOSED);
}

void
move_old_gone(struct held *h)
{
	h->move = move_step(h->move, MOVE_OLD_GONE).next;
}

/* --- a power cycle after all ------------------------------------------------
 */

static void
cycle(struct xenlink *x, const struct xb_dev *d)
{
	char text[MGR_TEXT_MAX] = "";
	struct ask *q = xl_ask_new(x, 0, d);
	struct guest in;
	int rc = VT_E_NOMEM;

	if (q != NULL &&
	    (rc = store_guest_get(x->m->st, d->uuid, &in)) == VT_OK)
		rc = xl_power(x, &in, q, text);
	if (rc == VT_OK)
		return;
	log_warn("domain %u: its vTPM is not power cycled: %s", d->domid,
	    text[0] != '\0' ? text : vt_strerror(rc));
	if (q != NULL)
		xl_ask_done(q, rc, text);
	move_release(x, d, rc);
}

static void
give_up(struct xenlink *x, struct held *h)
{
	struct move_step st = move_step(h->move, MOVE_ABORT);
	struct xb_dev d = h->cand;
	bool waits = move_is_candidate(h, &d);

	h->move = st.next;
	h->owner = NULL;
	if (st.act == MOVE_CYCLE)
		cycle(x, &d);
	else if (waits)
		move_release(x, &d, VT_E_BUSY);
}

void
xenlink_owner_gone(struct xenlink *x, const void *owner)
{
	struct held *h;

	if (x == NULL || owner == NULL)
		return;
	for (h = x->held; h != NULL; h = h->next) {
		if (h->owner != owner || h->move == MOVE_FREE)
			continue;
		log_warn("who was having domain %u %s is gone; what was not "
			 "done is not",
		    h->dev.domid, move_state_name(h->move));
		give_up(x, h);
	}
}

bool
xenlink_has_claim(const struct xenlink *x, const void *owner)
{
	const struct held *h;

	for (h = x != NULL ? x->held : NULL; h != NULL; h = h->next)
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
	if ((h = xl_held_of(k->m->xen, k->in.uuid)) != NULL) {
		h->connected = false; /* its domain does not run any more */
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
	const struct held *h = xl_held_of(k->m->xen, k->in.uuid);
	struct ginst *g = guest_live(k->m, k->in.uuid);
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
		mgr_commit_soon(k->m, on_kept, k);
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
		    "no saved domain waits for it: an image goes on with its "
		    "TPM once, and only if that was not started in between; "
		    "with xl restore the guest comes back with PCRs that "
		    "start again");
	if (rc != VT_OK)
		return say(in, text, rc, store_why(m->st));
	if ((rc = xen_saved_get(p, len, ret)) != VT_OK) {
		free(p);
		return say(in, text, rc, "what was saved cannot be read");
	}
	*ret_buf = p;
	return VT_OK;
}

static int
check_image(struct xenlink *x, const struct held *h, const struct guest *in,
    const struct xen_claim *c, struct xen_claim *ret, char *text)
{
	struct xensaved s;
	uint8_t *buf;
	int rc = VT_OK;

	if (h->there || guest_live(x->m, in->uuid) != NULL)
		return say(in, text, VT_E_BUSY,
		    "its TPM is in use: the saved domain, or another one, is "
		    "still there");
	if ((rc = get_saved(x->m, in, &s, &buf, text)) != VT_OK)
		return rc;
	if (!mem_equal(s.image, c->image, sizeof(s.image)))
		rc = say(in, text, VT_E_DENIED,
		    "this is not the image that was saved, bit for bit: "
		    "another one, an older one, or changed");
	memcpy(ret->domain, s.domain, sizeof(ret->domain));
	free(buf);
	return rc;
}

static void
on_resumed(void *arg, int rc, const char *why)
{
	struct work *k = arg;
	struct xenlink *x = k->m->xen;

	struct held *h = NULL;

	if (rc == VT_OK && (h = xl_hold(x, &k->cand)) == NULL)
		rc = VT_E_NOMEM;
	if (h != NULL) {
		h->ran = true; /* no launch is measured into its PCRs */
		h->launched = k->launched;
	}
	if (rc == VT_OK)
		mgr_audit(k->m, "manager", "xen-restore", k->in.name, "ok",
		    "domain %u goes on where the saved one ended",
		    k->cand.domid);
	move_release(x, &k->cand, rc);
	work_done(k, rc, rc != VT_OK ? why : "");
}

static int
resume(struct xenlink *x, struct held *h, struct work *k, char *text)
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
move_over(struct xenlink *x, struct held *h, struct work *k)
{
	struct xb_dev d = h->cand;

	h->dev = d;
	h->there = true;
	h->connected = false;
	mgr_audit(x->m, "manager", "xen-migrate", k->in.name, "ok",
	    "domain %u goes on where the moved one ended", d.domid);
	move_release(x, &d, VT_OK);
	work_done(k, VT_OK, "");
	return VT_OK;
}

/* --- what the toolstack says ------------------------------------------------
 */

static int
begin(struct xenlink *x, struct held *h, const struct guest *in,
    const struct xen_claim *c, struct work *k, char *text)
{
	struct move_step st = move_step(h->move, c->what);
	int rc = VT_OK;

	if (st.act == MOVE_REFUSE)
		return say(in, text, VT_E_EXISTS,
		    "its domain is being saved, restored or moved by somebody "
		    "else just now");
	if (c->what == MOVE_BEGIN_RESTORE)
		rc = check_image(x, h, in, c, &k->c, text);
	else if (!h->there || guest_live(x->m, in->uuid) == NULL)
		rc = say(in, text, VT_E_STATE, "no domain has its TPM now");
	if (rc != VT_OK)
		return rc;
	h->move = st.next;
	h->owner = c->owner;
	k->c.domid = h->there ? h->dev.domid : NO_DOMAIN;
	work_done(k, VT_OK, "");
	return VT_OK;
}

static int
done(struct xenlink *x, struct held *h, const struct guest *in,
    const struct xen_claim *c, struct work *k, char *text)
{
	struct move_step st = move_step(h->move, MOVE_DONE);
	int rc = VT_OK;

	if (st.act == MOVE_REFUSE || h->owner != c->owner)
		return say(in, text, VT_E_STATE,
		    "nothing is under way for it: its domain ended, or none "
		    "came");
	if (st.act == MOVE_AGAIN)
		return say(in, text, VT_E_BUSY, "its old domain is there yet");
	if (st.act != MOVE_HIBERNATE && c->domid != h->cand.domid)
		return say(in, text, VT_E_DENIED,
		    "another domain than this came with its TPM");
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

/* By word, not by hanging up: who waits is still there, so ask again. */
static int
abandon(struct xenlink *x, struct held *h, const struct guest *in,
    const struct xen_claim *c, struct work *k, char *text)
{
	if (h->move == MOVE_FREE || h->owner != c->owner)
		return say(in, text, VT_E_STATE, "nothing is under way");
	if (move_is_candidate(h, &h->cand))
		return say(in, text, VT_E_BUSY, "its new domain is there yet");
	give_up(x, h);
	work_done(k, VT_OK, "");
	return VT_OK;
}

int
xenlink_claim(struct xenlink *x, const struct guest *in,
    const struct xen_claim *c, xen_claim_cb cb, void *arg, char *text)
{
	struct held *h;
	struct work *k;
	int rc;

	if (x == NULL)
		return say(in, text, VT_E_UNSUPPORTED,
		    "this manager serves no Xen domains");
	if ((h = xl_held_new(x, in->uuid)) == NULL ||
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
