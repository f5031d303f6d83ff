/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_keys_op.c - an operator changes which host states release the master
 * key.  Each change first reads the host's state and epoch from the TPM.
 */
#include "vtpm_manager/host/host_keys_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/store/store.h"

struct state { /* of the host, now */
	struct pcr_set pcrs;
	uint64_t epoch; /* 0: not known */
};

int
host_keys_begin(struct host_keys *h, const char *who, const char *action,
    host_keys_cb cb, void *arg, char *text)
{
	if (h->op.cb != NULL) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "another change of the host's keys is under way");
		return VT_E_BUSY;
	}
	memset(&h->op, 0, sizeof(h->op));
	h->op.cb = cb;
	h->op.arg = arg;
	h->op.action = action;
	(void)snprintf(h->op.who, sizeof(h->op.who), "%s", who);
	return VT_OK;
}

static int
ask_state(struct host_keys *h, hw_cb cb, char *text)
{
	int rc = hwlink_request(h->m->hw, HW_PCRS, NULL, cb, h);

	if (rc != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "%s", vt_strerror(rc));
		memset(&h->op, 0, sizeof(h->op));
	}
	return rc;
}

/* false: the change is over. */
static bool
get_state(struct host_keys *h, const struct hw_answer *a, struct state *ret)
{
	struct hw_pcrs p;

	if (a->rc != VT_OK) {
		host_keys_op_done(h, a->rc, "the host's TPM: %s", a->text);
		return false;
	}
	if (msg_get(hw_pcrs, a->body, a->body_len, &p) != VT_OK ||
	    pcr_set_decode(p.pcrs.p, p.pcrs.len, &ret->pcrs) != VT_OK) {
		host_keys_op_done(
		    h, VT_E_PROTO, "the host's PCRs are malformed");
		return false;
	}
	ret->epoch = p.epoch;
	return true;
}

/* Approvals that the epoch has passed are useless. */
static void
bury(struct host_keys *h, uint64_t epoch)
{
	struct approvals *ap = &h->ap;
	uint32_t i = 0;

	while (i < ap->n) {
		if (ap->one[i].a.epoch >= epoch) {
			i++;
			continue;
		}
		approvals_remove(h->m->cfg.state, ap->one[i].a.sequence);
		memmove(&ap->one[i], &ap->one[i + 1],
		    (ap->n - i - 1) * sizeof(ap->one[0]));
		ap->n--;
	}
}

/* Durable, if the store is open. */
static int
keep(struct host_keys *h)
{
	int rc;

	if (!start_store_open(h->m->start))
		return VT_OK;
	if ((rc = host_keys_remember(h)) != VT_OK)
		return rc;
	return commit_now(h->m);
}

/* --- approve -------------------------------------------------------------- */

static bool
may_take(struct host_keys *h, const struct approval *a, const struct state *now)
{
	if (a->sequence <= h->last_seq) {
		host_keys_op_done(h, VT_E_STALE,
		    "approval '%s' has sequence %llu, and an earlier one had "
		    "%llu: numbers only grow; sign it again with a "
		    "higher one",
		    a->label, (unsigned long long)a->sequence,
		    (unsigned long long)h->last_seq);
		return false;
	}
	if (now->epoch != 0 && a->epoch < now->epoch) {
		host_keys_op_done(h, VT_E_STALE,
		    "approval '%s' is void: it was signed for epoch %llu, the "
		    "host's is %llu",
		    a->label, (unsigned long long)a->epoch,
		    (unsigned long long)now->epoch);
		return false;
	}
	if (now->epoch != 0)
		bury(h, now->epoch);
	if (h->ap.n >= HW_APPROVALS_MAX) {
		host_keys_op_done(h, VT_E_SPACE,
		    "approval limit reached (%u): revoke the old ones first "
		    "(vtpmctl host revoke)",
		    h->ap.n);
		return false;
	}
	return true;
}

/* It is the newest: at the end. */
static int
take(struct host_keys *h, const struct approval *a)
{
	struct approvals_one *o = &h->ap.one[h->ap.n];
	int rc;

	rc =
	    approvals_write(h->m->cfg.state, a->sequence, h->op.raw, h->op.len);
	if (rc != VT_OK)
		return rc;
	o->a = *a;
	memcpy(o->raw, h->op.raw, h->op.len);
	o->len = h->op.len;
	h->ap.n++;
	h->last_seq = a->sequence;
	if ((rc = keep(h)) != VT_OK)
		return rc;
	return host_keys_tell(h);
}

static void
on_approve_state(void *arg, const struct hw_answer *ans)
{
	struct host_keys *h = arg;
	char differs[256];
	struct approval a;
	struct state now;
	int rc;

	if (!get_state(h, ans, &now))
		return;
	if (approval_get(h->op.raw, h->op.len, &a) != VT_OK ||
	    !may_take(h, &a, &now))
		return;
	if ((rc = take(h, &a)) != VT_OK) {
		host_keys_op_done(h, rc, "the approval could not be stored: %s",
		    vt_strerror(rc));
		return;
	}
	if (host_keys_sealed(h->m)) {
		if ((rc = host_keys_retry(h)) != VT_OK)
			host_keys_op_done(h, rc, "%s", vt_strerror(rc));
		return;
	}
	if (approval_compare(&a, &now.pcrs, differs, sizeof(differs)) ==
	    VT_OK) {
		host_keys_fits(h, &a);
		host_keys_op_done(h, VT_OK,
		    "'%s' (sequence %llu) is approved; it is the host's "
		    "present state",
		    a.label, (unsigned long long)a.sequence);
	} else
		host_keys_op_done(h, VT_OK,
		    "'%s' (sequence %llu) is approved; the host is in another "
		    "state now: %s",
		    a.label, (unsigned long long)a.sequence, differs);
}

static int
look_again(struct host_keys *h, char *text)
{
	int rc = VT_OK;

	if (!host_keys_sealed(h->m)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the manager is not sealed: pass the approval");
		rc = VT_E_STATE;
	}
	if (rc == VT_OK &&
	    ((rc = host_keys_take_blob(h->m, h->blob, h->blob_len)) != VT_OK ||
		(rc = host_keys_retry(h)) != VT_OK))
		(void)snprintf(text, MGR_TEXT_MAX, "%s", vt_strerror(rc));
	if (rc != VT_OK)
		memset(&h->op, 0, sizeof(h->op));
	return rc;
}

int
host_keys_approve(struct mgr *m, const char *who, const uint8_t *raw,
    size_t len, host_keys_cb cb, void *arg, char *text)
{
	struct host_keys *h = m->host;
	struct approval a;
	int rc;

	if (!h->bound) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "this host's master key is not bound to states of the "
		    "host: \"vtpmctl host bind\" binds it");
		return VT_E_STATE;
	}
	if (len > 0 && (rc = approvals_check(raw, len, h->key, h->epoch_name,
			    &a, text, MGR_TEXT_MAX)) != VT_OK)
		return rc;
	if ((rc = host_keys_begin(h, who, "host-approve", cb, arg, text)) !=
	    VT_OK)
		return rc;
	if (len == 0)
		return look_again(h, text);
	memcpy(h->op.raw, raw, len);
	h->op.len = (uint32_t)len;
	return ask_state(h, on_approve_state, text);
}

/* --- revoke --------------------------------------------------------------- */

static void
on_counted(void *arg, const struct hw_answer *ans)
{
	struct host_keys *h = arg;
	struct rd r;
	uint64_t v;
	int rc;

	if (ans->rc != VT_OK) {
		host_keys_op_done(h, ans->rc, "%s", ans->text);
		return;
	}
	rd_init(&r, ans->body, ans->body_len);
	v = rd_be64(&r);
	bury(h, v);
	if ((rc = keep(h)) == VT_OK)
		rc = host_keys_tell(h);
	if (rc != VT_OK)
		log_warn("after the epoch was raised: %s", vt_strerror(rc));
	host_keys_op_done(h, VT_OK,
	    "the epoch is now %llu; %u approval(s) are valid",
	    (unsigned long long)v, h->ap.n);
}

/* Would the next start find an approval? */
static bool
survives(const struct host_keys *h, const struct state *now)
{
	char text[256];
	uint32_t i;

	for (i = 0; i < h->ap.n; i++)
		if (h->ap.one[i].a.epoch > now->epoch &&
		    approval_compare(&h->ap.one[i].a, &now->pcrs, text,
			sizeof(text)) == VT_OK)
			return true;
	return false;
}

static void
on_revoke_state(void *arg, const struct hw_answer *ans)
{
	struct hw_counter c = { .which = HWC_EPOCH, .increment = 1 };
	struct host_keys *h = arg;
	uint8_t buf[16];
	struct state now;
	struct wr w;

	if (!get_state(h, ans, &now))
		return;
	if (now.epoch != h->op.expect) {
		host_keys_op_done(h, VT_E_STALE,
		    "the epoch is %llu, not %llu: it has already been raised",
		    (unsigned long long)now.epoch,
		    (unsigned long long)h->op.expect);
		return;
	}
	if (h->bound && !h->op.force && !survives(h, &now)) {
		host_keys_op_done(h, VT_E_STATE,
		    "no approval of the host's present state outlives epoch "
		    "%llu: after this the manager could not start again; add "
		    "one with epoch %llu first (--key does), or --force",
		    (unsigned long long)now.epoch,
		    (unsigned long long)now.epoch + 1);
		return;
	}
	c.expect = now.epoch;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_counter, &c);
	if (hwlink_request(h->m->hw, HW_COUNTER, &w, on_counted, h) != VT_OK)
		host_keys_op_done(h, VT_E_NOMEM, "out of memory");
}

int
host_keys_revoke(struct mgr *m, const char *who, uint64_t expect, bool force,
    host_keys_cb cb, void *arg, char *text)
{
	struct host_keys *h = m->host;
	int rc;

	if (!h->counters) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "this store is older than the epoch counter: "
		    "\"vtpmctl host bind\" creates one");
		return VT_E_UNSUPPORTED;
	}
	if (host_keys_sealed(h->m)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the manager is sealed, and only the master key raises "
		    "the epoch: approve the host's state first");
		return VT_E_STATE;
	}
	if ((rc = host_keys_begin(h, who, "host-revoke", cb, arg, text)) !=
	    VT_OK)
		return rc;
	h->op.expect = expect;
	h->op.force = force;
	return ask_state(h, on_revoke_state, text);
}

/* --- bind ----------------------------------------------------------------- */

/* From the old key's approval to the new one's. */
static int
change_over(struct host_keys *h, const struct wblob *blob)
{
	struct approvals old = h->ap;
	struct approval a;
	uint32_t i;
	int rc;

	/* The file first: it has no effect under the old blob. */
	if (h->op.len > 0 && (approval_get(h->op.raw, h->op.len, &a) != VT_OK ||
				 approvals_write(h->m->cfg.state, a.sequence,
				     h->op.raw, h->op.len) != VT_OK))
		return VT_E_SYS;
	rc = store_kv_put(h->m->st, STORE_KV_HOST, blob->p, blob->len);
	if (rc == VT_OK)
		rc = commit_now(h->m);
	if (rc != VT_OK)
		return rc;
	for (i = 0; i < old.n; i++)
		if (h->op.len == 0 || old.one[i].a.sequence != a.sequence)
			approvals_remove(
			    h->m->cfg.state, old.one[i].a.sequence);
	h->last_seq = 0;
	if ((rc = host_keys_take_blob(h->m, blob->p, blob->len)) != VT_OK)
		return rc;
	if ((rc = keep(h)) != VT_OK)
		return rc;
	return host_keys_tell(h);
}

static void
on_bound(void *arg, const struct hw_answer *ans)
{
	struct host_keys *h = arg;
	struct hw_bound b;
	int rc;

	if (ans->rc != VT_OK) {
		(void)!host_keys_tell(h); /* only the old ones again */
		host_keys_op_done(h, ans->rc, "%s", ans->text);
		return;
	}
	if ((rc = msg_get(hw_bound, ans->body, ans->body_len, &b)) == VT_OK)
		rc = change_over(h, &b.host_blob);
	if (rc != VT_OK)
		host_keys_op_done(h, rc,
		    "the host's keys could not be stored: %s", vt_strerror(rc));
	else if (h->bound)
		host_keys_op_done(h, VT_OK,
		    "the host's TPM now releases the master key only in "
		    "a state that the approval key has signed; approved: the "
		    "present one");
	else
		host_keys_op_done(h, VT_OK,
		    "the master key is bound to this TPM, and to no state of "
		    "the host");
}

static int
tell_both(struct host_keys *h)
{
	struct hw_approvals a = { 0 };
	struct wr w;
	int rc;

	approvals_list(&h->ap, &a.n, a.approvals);
	if (h->op.len > 0) {
		if (a.n == HW_APPROVALS_MAX)
			a.n--;
		a.approvals[a.n].p = h->op.raw;
		a.approvals[a.n++].len = h->op.len;
	}
	wr_grow(&w, 65536);
	msg_put(&w, hw_approvals, &a);
	rc = hwlink_request(h->m->hw, HW_APPROVALS, &w, NULL, NULL);
	wr_free(&w);
	return rc;
}

int
host_keys_bind(struct mgr *m, const char *who, const uint8_t *key,
    const uint8_t *raw, size_t len, host_keys_cb cb, void *arg, char *text)
{
	struct hw_bind b = { { NULL, 0 } };
	struct host_keys *h = m->host;
	struct approval a;
	uint8_t buf[128];
	struct wr w;
	int rc;

	if (!start_store_open(m->start)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the manager is sealed: nothing can be bound");
		return VT_E_STATE;
	}
	if (key != NULL && !h->counters) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "this store has no epoch counter yet: run \"vtpmctl host "
		    "bind --none\" first, which creates one");
		return VT_E_STATE;
	}
	if (key != NULL && (rc = approvals_check(raw, len, key, h->epoch_name,
				&a, text, MGR_TEXT_MAX)) != VT_OK)
		return rc;
	if ((rc = host_keys_begin(h, who, "host-bind", cb, arg, text)) != VT_OK)
		return rc;
	if (key != NULL) {
		memcpy(h->op.raw, raw, len);
		h->op.len = (uint32_t)len;
		b.approval_key.p = key;
		b.approval_key.len = APPROVAL_KEY_LEN;
	}
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_bind, &b);
	if ((rc = tell_both(h)) == VT_OK)
		rc = hwlink_request(m->hw, HW_BIND, &w, on_bound, h);
	if (rc != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "%s", vt_strerror(rc));
		memset(&h->op, 0, sizeof(h->op));
	}
	return rc;
}
