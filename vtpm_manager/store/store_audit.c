/* SPDX-License-Identifier: BSD-3-Clause */
/* store_audit.c - the audit log in the store. */
#include "vtpm_manager/store/store_audit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vtpm_manager/store/store_int.h"

int
store_audit(struct store *st, const char *who, const char *action,
    const char *object, const char *result, const char *detail)
{
	struct pend *p;
	int rc;

	if ((rc = store_need_open(st)) != VT_OK)
		return rc;
	if ((p = store_pend_new(st, 0)) == NULL)
		return VT_E_NOMEM;
	rc = audit_chain_append(&st->chain, wall_ms(), who, action, object,
	    result, detail, &p->rec);
	if (rc != VT_OK) {
		free(p);
		return store_fail(st, rc, "audit record: %s", vt_strerror(rc));
	}
	p->op.what = SW_AUDIT;
	p->op.rec = &p->rec;
	store_pend_queue(st, p);
	return VT_OK;
}

struct audit_walk {
	struct store *st;
	struct audit_chain at;
	bool started;
	uint64_t from;
	int (*cb)(const struct audit_rec *r, void *arg);
	void *arg;
	int user;  /* what cb returned */
	bool said; /* why has it */
};

static int
audit_step(const struct audit_rec *r, void *arg)
{
	struct audit_walk *w = arg;
	int rc;

	/* The record before the first wanted one gives the hash to start from.
	 */
	if (!w->started && r->seq + 1 == w->from) {
		w->started = true;
		w->at.seq = r->seq;
		memcpy(w->at.head, r->hash, sizeof(r->hash));
		return 0;
	}
	w->started = true;
	if ((rc = audit_chain_follow(&w->at, r, w->st->why)) != VT_OK) {
		w->said = true;
		return rc;
	}
	w->user = w->cb(r, w->arg);
	return w->user != 0 ? 1 : 0;
}

int
store_audit_each(struct store *st, uint64_t from_seq,
    int (*cb)(const struct audit_rec *r, void *arg), void *arg)
{
	const struct audit_chain *c = &st->root.audit;
	struct audit_walk w = { .st = st, .cb = cb, .arg = arg };
	int rc;

	if ((rc = store_need_read(st)) != VT_OK)
		return rc;
	if (from_seq > c->seq)
		return VT_OK;
	w.from = from_seq > c->cut + 1 ? from_seq : c->cut + 1;
	w.at.seq = w.from - 1;
	w.started = w.from == c->cut + 1;
	memcpy(w.at.head, c->base, sizeof(c->base));
	rc = st->ops->audit(
	    st->be, w.started ? w.from : w.from - 1, audit_step, &w);
	if (rc == 1)
		return w.user;
	if (rc == VT_OK)
		return audit_chain_ends(&w.at, c, st->why);
	return w.said ? rc : store_fail_backend(st, rc);
}

static int
take_hash(const struct audit_rec *r, void *arg)
{
	*(struct audit_rec *)arg = *r;
	return 1;
}

int
store_audit_cut(struct store *st)
{
	struct audit_rec r = { 0 };
	struct pend *p;
	uint64_t to;

	if (st->chain.seq - st->chain.cut < STORE_AUDIT_MAX + AUDIT_CUT_STEP)
		return VT_OK;
	to = st->chain.seq - STORE_AUDIT_MAX;
	if (st->ops->audit(st->be, to, take_hash, &r) != 1 || r.seq != to)
		return VT_OK; /* damaged: keep the evidence */
	if ((p = store_pend_new(st, 0)) == NULL)
		return VT_E_NOMEM;
	p->op.what = SW_AUDIT_CUT;
	p->op.seq = to;
	store_pend_queue(st, p);
	st->chain.cut = to;
	memcpy(st->chain.base, r.hash, sizeof(r.hash));
	return VT_OK;
}
