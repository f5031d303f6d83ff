/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_create.c - a new vTPM: a manufactured one from the pool, or made now;
 * then, in an approved state of the host, its certificates, its first sealed
 * state, the registry's entry and the audit record in one transaction.  The
 * caller gets its UUID only after that is durable.
 */
#include "vtpm_manager/guest/guest_create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm/state/seal.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/guest_certs.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/guest/guest_store.h"
#include "vtpm_manager/guest/pool.h"
#include "vtpm_manager/guest/worker_id.h"
#include "vtpm_manager/host/host_fit.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_audit.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"

struct create {
	struct mgr *m;
	struct guest_spec spec;
	struct guest in;
	char who[64];
	create_cb cb;
	void *arg;
	uint64_t t0_us;
	bool from_pool;
	bool added;   /* put into the open transaction */
	bool durable; /* and on disk: there is a new vTPM */
	uint32_t id;  /* of the W_STORE that waits */
	uint64_t version;
	struct made *made;
	struct wlink *link; /* claimed */
	char *identity;     /* JSON for SX_CERTS; heap */
	char why[MGR_TEXT_MAX];
};

static void
create_free(struct create *c)
{
	commit_forget(c->m, c);
	if (c->m->hw != NULL)
		hwlink_forget(c->m->hw, c);
	host_fit_forget(c->m, c);
	if (c->link != NULL)
		wlink_end(c->link, false);
	made_free(c->made);
	free(c->identity);
	free(c);
}

static void
create_failed(struct create *c, int rc, const char *why)
{
	char text[MGR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "guest %s: not created: %.400s",
	    c->spec.name, why);
	audit_log(
	    c->m, c->who, "create", c->spec.name, "failed", "%.200s", why);
	c->cb(c->arg, rc, text, NULL);
	create_free(c);
}

static void
create_done(struct create *c)
{
	struct guest_created done = { .from_pool = c->from_pool };

	memcpy(done.uuid, c->in.uuid, UUID_LEN);
	done.us = now_us() - c->t0_us;
	c->m->n.creates++;
	c->m->n.create_us_last = done.us;
	if (c->m->n.create_us_min == 0 || done.us < c->m->n.create_us_min)
		c->m->n.create_us_min = done.us;
	c->cb(c->arg, VT_OK, "", &done);
	create_free(c);
}

/* --- 4: the worker has written its certificates and stored itself --- */

static void
on_claimed(void *arg, int rc, const struct msg *msg)
{
	struct create *c = arg;
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (rc == VT_E_CLOSED)
		return; /* closed() comes next */
	if (rc != VT_OK) {
		create_failed(c, rc, c->why[0] != '\0' ? c->why : text);
		return;
	}
	if (!c->durable) {
		create_failed(
		    c, VT_E_PROTO, "the worker did not store its state");
		return;
	}
	create_done(c);
}

static void
on_durable(void *arg, int rc)
{
	struct create *c = arg;

	c->durable = rc == VT_OK;
	if (rc != VT_OK) {
		c->added = false;
		commit_text(c->m, rc, c->why, sizeof(c->why));
	}
	tenants_space_changed(c->m, c->in.group);
	/* W_DONE follows, with the worker's view of it. */
	wlink_stored(c->link, c->id, rc, c->version, c->in.generation);
}

static int
put_all(struct create *c, const struct wstore *s)
{
	const char *how = c->from_pool ? "from the pool" : "manufactured now";
	struct store *st = c->m->st;
	int rc;

	if ((rc = store_guest_add(st, &c->in)) != VT_OK)
		return rc;
	rc = store_state_put(st, c->in.uuid, s->generation, s->version, 0,
	    s->digest, s->blob.p, s->blob.len);
	if (rc == VT_OK)
		rc = store_extra_put(st, c->in.uuid, SX_CERTS,
		    (const uint8_t *)c->identity, strlen(c->identity));
	if (rc == VT_OK)
		rc = store_audit(st, c->who, "create", c->in.name, "ok", how);
	if (rc == VT_OK)
		audit_log_written(
		    c->m, c->who, "create", c->in.name, "ok", how);
	else if (store_guest_del(st, c->in.uuid) != VT_OK)
		log_warn(
		    "guest %s: half of it may be in the store", c->in.name);
	return rc;
}

static void
on_store(void *arg, uint32_t id, const struct wstore *s)
{
	struct create *c = arg;
	int rc;

	if (c->added || !(s->flags & WS_FIRST) || s->kind != SEAL_PERMANENT ||
	    s->generation != GUEST_FIRST_GENERATION) {
		wlink_stored(c->link, id, VT_E_PROTO, s->version, 0);
		return;
	}
	rc = guest_check_store(c->in.uuid, s);
	/* Other guests may have been created since check_spec(). */
	if (rc == VT_OK && (rc = tenants_may_create(c->m, c->in.group,
				s->blob.len, c->why)) != VT_OK) {
		wlink_stored(c->link, id, rc, s->version, s->generation);
		return;
	}
	if (rc == VT_OK)
		rc = put_all(c, s);
	if (rc != VT_OK) {
		(void)snprintf(c->why, sizeof(c->why), "%s%s%.300s",
		    vt_strerror(rc), rc == VT_E_PROTO ? "" : ": ",
		    rc == VT_E_PROTO ? "" : store_why(c->m->st));
		wlink_stored(c->link, id, rc, s->version, s->generation);
		return;
	}
	c->added = true;
	c->id = id;
	c->version = s->version;
	commit_soon(c->m, on_durable, c);
}

static void
on_closed(void *arg, const char *why)
{
	struct create *c = arg;

	wlink_end(c->link, true);
	c->link = NULL;
	if (c->durable) /* this worker is no longer needed */
		create_done(c);
	else
		create_failed(c, VT_E_CLOSED, why);
}

static const struct wlink_ops create_ops = {
	.store = on_store,
	.closed = on_closed,
};

/* --- 3: certificates into the worker --- */

static int
send_certs(struct create *c, struct wcerts *wc)
{
	struct wr w;
	int rc;

	memcpy(wc->uuid, c->in.uuid, UUID_LEN);
	memcpy(wc->name, c->in.name, sizeof(wc->name));
	wc->group = c->in.group;
	wc->generation = GUEST_FIRST_GENERATION;
	rc = worker_id_key(c->m, c->in.uuid, wc->key);
	if (rc != VT_OK)
		return rc;
	wr_grow(&w, W_MSG_MAX);
	msg_put(&w, wcerts, wc);
	rc = wlink_request(c->link, W_CERTS, &w, NULL, 0, 0, on_claimed, c);
	wr_free(&w);
	explicit_bzero(wc->key, sizeof(wc->key));
	return rc;
}

static int
keep_identity(struct create *c, const struct wcerts *wc)
{
	json_t *id = guest_json_identity(c->made->kind.tpm_version,
	    c->made->kind.banks, &c->made->areas, wc);

	c->identity = id != NULL ? json_dumps(id, JSON_COMPACT) : NULL;
	json_decref(id);
	return c->identity != NULL ? VT_OK : VT_E_NOMEM;
}

/* struct hw_certed in body: into the worker, which becomes the guest's. */
static int
claim(struct create *c, const uint8_t *body, size_t len)
{
	struct wcerts wc = { 0 };
	struct hw_certed hc;
	uint8_t which[3];
	struct wblob pub[3];
	int rc;

	if ((rc = msg_get(hw_certed, body, len, &hc)) != VT_OK)
		return rc;
	guest_issuer_seen(c->m, &hc.issuer);
	if (hc.n > 3 || hc.n != made_keys(c->made, which, pub))
		return VT_E_PROTO;
	for (; wc.n < hc.n; wc.n++) {
		wc.certs[wc.n].which = which[wc.n];
		wc.certs[wc.n].der = hc.certs[wc.n];
	}
	wc.issuer = hc.issuer;
	if ((rc = keep_identity(c, &wc)) != VT_OK)
		return rc;
	c->link = made_release(c->made);
	c->made = NULL;
	wlink_hand_over(c->link, &create_ops, c);
	rc = wlink_rename(c->link, c->in.uuid);
	return rc == VT_OK ? send_certs(c, &wc) : rc;
}

static void
on_certs(void *arg, const struct hw_answer *a)
{
	struct create *c = arg;
	int rc = a->rc;

	if (rc == VT_OK)
		rc = claim(c, a->body, a->body_len);
	if (rc != VT_OK)
		create_failed(
		    c, rc, a->rc != VT_OK ? a->text : vt_strerror(rc));
}

/* --- 2: a manufactured vTPM is there --- */

/* While the host's TPM signs, the worker may die. */
static void
on_closed_early(void *arg, const char *why)
{
	struct create *c = arg;

	wlink_end(c->made->link, true);
	c->made->link = NULL;
	create_failed(c, VT_E_CLOSED, why);
}

static void
on_store_early(void *arg, uint32_t id, const struct wstore *s)
{
	struct create *c = arg;

	wlink_stored(c->made->link, id, VT_E_STATE, s->version, s->generation);
}

static const struct wlink_ops early_ops = {
	.store = on_store_early,
	.closed = on_closed_early,
};

static void
on_fits(void *arg, int rc, const char *text)
{
	struct create *c = arg;

	if (rc != VT_OK)
		create_failed(c, rc, text);
	else if ((rc = made_certify(c->made, c->m, &c->in, on_certs, c)) !=
		 VT_OK)
		create_failed(c, rc, vt_strerror(rc));
}

/* A host in a state that is not approved must not vouch for a vTPM, not even
 * with the key that its CA certified this morning. */
static void
on_made(void *arg, int rc, const char *text, struct made *d)
{
	struct create *c = arg;

	if (rc != VT_OK) {
		create_failed(c, rc, text);
		return;
	}
	c->made = d;
	wlink_hand_over(d->link, &early_ops, c);
	if (host_fit(c->m, on_fits, c, &rc))
		on_fits(c, VT_OK, "");
	else if (rc != VT_OK)
		create_failed(c, rc, vt_strerror(rc));
}

/* --- 1: may it be? --- */

static int
check_spec(struct mgr *m, const struct guest_spec *s, char *text)
{
	char uuid[UUID_STRLEN + 1];
	char why[MGR_TEXT_MAX];
	struct store_space space;
	struct guest in;

	if (!run_name_ok(s->name)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "'%.63s' cannot be a guest's name: 1 to %d of A-Z a-z 0-9 "
		    ". _ -, not starting with . or -, "
		    "not a UUID",
		    s->name, NAME_MAX_LEN);
		return VT_E_FORMAT;
	}
	if (!run_name_fits(m, s->name)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: not created: the path of its socket in %.200s "
		    "would be too long, and it could never start; use a "
		    "shorter name, or a manager with a shorter --run",
		    s->name, m->cfg.run);
		return VT_E_RANGE;
	}
	if (store_guest_find(m->st, s->name, &in) == VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: a vTPM has this name already%s; use "
		    "another name, or destroy it first",
		    s->name,
		    in.tampered ? " (its state was tampered with)" : "");
		return VT_E_EXISTS;
	}
	if (s->has_uuid && store_guest_get(m->st, s->uuid, &in) == VT_OK) {
		uuid_format(s->uuid, uuid);
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: UUID %s belongs to guest %s; a vTPM is never "
		    "made twice",
		    s->name, uuid, in.name);
		return VT_E_EXISTS;
	}
	store_space(m->st, &space);
	if (m->anchor_away) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: not created: the host's TPM does not raise the "
		    "store's counter; `vtpmctl status` says why",
		    s->name);
		return VT_E_TPM;
	}
	if (m->storage_error) {
		commit_text(m, VT_E_SYS, why, sizeof(why));
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: not created: %.400s", s->name, why);
		return VT_E_STATE;
	}
	if (!space.ok || !m->storage_ok) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: not created: the file system of %s has no room "
		    "(%llu KB left) and what is left is kept for running "
		    "guests; make room there",
		    s->name, m->cfg.state,
		    (unsigned long long)(space.free_bytes / 1024));
		return VT_E_SPACE;
	}
	return tenants_may_create(m, s->group, 0, text);
}

int
guest_create(struct mgr *m, const struct guest_spec *spec, const char *who,
    create_cb cb, void *arg, char *text)
{
	struct pool_kind kind;
	struct create *c;
	struct made *d;
	int rc;

	if ((rc = check_spec(m, spec, text)) != VT_OK)
		return rc;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return VT_E_NOMEM;
	c->m = m;
	c->spec = *spec;
	c->cb = cb;
	c->arg = arg;
	c->t0_us = now_us();
	(void)snprintf(c->who, sizeof(c->who), "%s", who);
	memcpy(c->in.name, spec->name, sizeof(c->in.name));
	memcpy(c->in.uuid, spec->uuid, UUID_LEN);
	if (!spec->has_uuid && (rc = uuid_make(c->in.uuid)) != VT_OK)
		goto fail;
	c->in.group = spec->group;
	c->in.owner = spec->owner;
	c->in.tpm_version = spec->tpm_version;
	c->in.status = GUEST_STOPPED;
	c->in.generation = GUEST_FIRST_GENERATION;
	c->in.created_ms = wall_ms();
	kind = (struct pool_kind){ spec->tpm_version, spec->banks, spec->srk };
	d = pool_take(m->pool, &kind);
	if (d != NULL) {
		c->from_pool = true;
		on_made(c, VT_OK, "", d);
		return VT_OK;
	}
	rc = pool_make(m, &kind, on_made, c);
	if (rc == VT_OK)
		return VT_OK;
fail:
	(void)snprintf(text, MGR_TEXT_MAX, "guest %s: not created: %s",
	    spec->name, vt_strerror(rc));
	free(c);
	return rc;
}
