/* SPDX-License-Identifier: BSD-3-Clause */
/* pool.c - vTPMs manufactured in advance. */
#include "vtpm_manager/guest/pool.h"

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/guest/guest_certs.h"
#include "vtpm_manager/guest/worker_id.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"

#define PROVISION_MS 120000 /* RSA key generation on a loaded host */
#define RETRY_MS 5000
#define LOOK_MS 60000 /* whether fewer are wanted now */

struct made_priv {
	LIST_ENTRY(made_priv) entry; /* while it is ready */
	struct made *made;
	struct pool *pool; /* it waits there when ready; NULL: on demand */
	made_cb cb;
	void *arg;
	bool ready;
};

struct pool {
	struct mgr *m;
	sd_event_source *timer;
	struct pool_demand demand;
	LIST_HEAD(, made_priv) ready;
	struct made *making;
};

static int on_refill(sd_event_source *s, uint64_t usec, void *arg);

void
made_free(struct made *d)
{
	if (d == NULL)
		return;
	wlink_end(d->link, false);
	free(d->pub);
	free(d->p);
	free(d);
}

struct wlink *
made_release(struct made *d)
{
	struct wlink *l = d->link;

	d->link = NULL;
	made_free(d);
	return l;
}

static void
pool_unlink(struct pool *p, struct made *d)
{
	if (p->making == d)
		p->making = NULL;
	else
		LIST_REMOVE(d->p, entry);
}

/* Its worker ends. */
static void
drop(struct pool *p, struct made *d)
{
	pool_unlink(p, d);
	wlink_end(d->link, true);
	d->link = NULL;
	made_free(d);
}

static void
made_failed(struct made *d, int rc, const char *text)
{
	made_cb cb = d->p->cb;
	void *arg = d->p->arg;

	if (d->p->pool != NULL) {
		pool_unlink(d->p->pool, d);
		if (d->p->ready)
			pool_kick(d->p->pool);
	}
	wlink_end(d->link, true);
	d->link = NULL;
	made_free(d);
	if (cb != NULL)
		cb(arg, rc, text, NULL);
}

static int
take_areas(struct made *d, const struct msg *msg, char *text)
{
	if ((d->pub = malloc(msg->len)) == NULL)
		return VT_E_NOMEM;
	memcpy(d->pub, msg->data, msg->len);
	d->pub_len = msg->len;
	if (msg->type != W_PROVISIONED ||
	    msg_get(wprovisioned, d->pub, d->pub_len, &d->areas) != VT_OK) {
		(void)snprintf(
		    text, TEXT_MAX_LEN + 1, "the worker sent a bad answer");
		return VT_E_PROTO;
	}
	(void)snprintf(text, TEXT_MAX_LEN + 1, "%s", d->areas.text);
	text_clean(text);
	return d->areas.rc;
}

static void
on_provisioned(void *arg, int rc, const struct msg *msg)
{
	char text[TEXT_MAX_LEN + 1] = "";
	struct made *d = arg;
	made_cb cb = d->p->cb;

	if (rc == VT_E_CLOSED)
		return; /* closed() comes next */
	if (rc == VT_OK)
		rc = take_areas(d, msg, text);
	if (rc != VT_OK) {
		made_failed(d, rc, text[0] != '\0' ? text : vt_strerror(rc));
		return;
	}
	d->p->cb = NULL;
	d->p->ready = true;
	cb(d->p->arg, VT_OK, "", d);
}

static void
on_closed(void *arg, const char *why)
{
	made_failed(arg, VT_E_CLOSED, why);
}

static void
on_store(void *arg, uint32_t id, const struct wstore *s)
{
	struct made *d = arg;

	/* It has no identity and nothing to store. */
	wlink_stored(d->link, id, VT_E_STATE, s->version, s->generation);
}

static const struct wlink_ops pool_ops = {
	.store = on_store,
	.closed = on_closed,
};

static int
make(struct mgr *m, const struct pool_kind *k, struct pool *pool, made_cb cb,
    void *arg, struct made **ret)
{
	const struct wprovision wp = {
		.tpm_version = k->tpm_version, .banks = k->banks, .srk = k->srk
	};
	struct made *d = calloc(1, sizeof(*d));
	uint8_t buf[16], uuid[UUID_LEN];
	struct wr w;
	int rc = VT_E_NOMEM;

	if (d == NULL || (d->p = calloc(1, sizeof(*d->p))) == NULL)
		goto fail;
	d->kind = *k;
	d->p->made = d;
	d->p->pool = pool;
	d->p->cb = cb;
	d->p->arg = arg;
	/* A name to be found by until it is claimed. */
	if ((rc = uuid_make(uuid)) != VT_OK)
		goto fail;
	rc = wlink_spawn(
	    m, uuid, worker_id_fresh_uid(m), &pool_ops, d, NULL, &d->link);
	if (rc != VT_OK)
		goto fail;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wprovision, &wp);
	rc = wlink_request(
	    d->link, W_PROVISION, &w, NULL, 0, PROVISION_MS, on_provisioned, d);
	if (rc != VT_OK)
		goto fail;
	if (ret != NULL)
		*ret = d;
	return VT_OK;
fail:
	made_free(d);
	return rc;
}

int
pool_make(struct mgr *m, const struct pool_kind *k, made_cb cb, void *arg)
{
	return make(m, k, NULL, cb, arg, NULL);
}

unsigned int
pool_ready(const struct pool *p)
{
	const struct made_priv *d;
	unsigned int n = 0;

	if (p == NULL)
		return 0;
	LIST_FOREACH(d, &p->ready, entry)
		n++;
	return n;
}

unsigned int
pool_wanted(struct pool *p)
{
	uint32_t want[POOL_KINDS], i;
	unsigned int n = 0;

	if (p == NULL)
		return 0;
	pool_demand_want(&p->demand, now_us(), want);
	for (i = 0; i < POOL_KINDS; i++)
		n += want[i];
	return n;
}

static void
rearm(struct pool *p, uint64_t ms)
{
	if (p->m->cfg.pool == 0 || p->making != NULL)
		return;
	if (loop_timer(p->m, &p->timer, ms, LOOP_PRIO_IDLE, on_refill, p) !=
	    VT_OK)
		log_warn("cannot set a timer: %m");
}

/* --- its certificates -------------------------------------------------------
 */

uint32_t
made_keys(const struct made *d, uint8_t which[3], struct wblob pub[3])
{
	const struct wprovisioned *a = &d->areas;
	const struct wblob *from[3] = { &a->ek_rsa, &a->ek_ecc, &a->ak };
	static const uint8_t name[3] = { WCERT_EK_RSA, WCERT_EK_ECC, WCERT_AK };
	uint32_t i, n = 0;

	for (i = 0; i < 3; i++) {
		if (from[i]->len == 0)
			continue;
		which[n] = name[i];
		pub[n++] = *from[i];
	}
	return n;
}

int
made_certify(const struct made *d, struct mgr *m, const struct guest *in,
    hw_cb cb, void *arg)
{
	struct hw_certs hc = { .group = in->group,
		.generation = in->generation,
		.tpm_version = in->tpm_version,
		.ak_seconds = guest_ak_seconds(m) };
	uint8_t which[3];
	struct wblob pub[3];
	struct wr w;
	uint32_t i;
	int rc;

	memcpy(hc.uuid, in->uuid, UUID_LEN);
	memcpy(hc.name, in->name, sizeof(hc.name));
	hc.n = made_keys(d, which, pub);
	for (i = 0; i < hc.n; i++) {
		hc.keys[i].which = which[i];
		hc.keys[i].pub = pub[i];
	}
	wr_grow(&w, 16384);
	msg_put(&w, hw_certs, &hc);
	rc = hwlink_request(m->hw, HW_CERTS, &w, cb, arg);
	wr_free(&w);
	return rc;
}

/* --- filling it -------------------------------------------------------------
 */

static void
on_made(void *arg, int rc, const char *text, struct made *d)
{
	struct pool *p = arg;

	p->making = NULL;
	if (rc != VT_OK) {
		log_warn("no vTPM could be made in advance: %s", text);
		rearm(p, RETRY_MS);
		return;
	}
	LIST_INSERT_HEAD(&p->ready, d->p, entry);
	/* One after another, with pauses that leave the processor to guests. */
	rearm(p, p->m->cfg.pool_delay_ms / 4);
}

/* The first kind of which there are too few; NULL: none is.  One that is no
 * longer wanted ends; *ret_more: there may be more of them. */
static const struct pool_kind *
too_few(struct pool *p, bool *ret_more)
{
	uint32_t want[POOL_KINDS], i;
	struct made_priv *d, *next;

	*ret_more = false;
	pool_demand_want(&p->demand, now_us(), want);
	for (d = LIST_FIRST(&p->ready); d != NULL; d = next) {
		next = LIST_NEXT(d, entry);
		for (i = 0;
		     i < p->demand.n &&
		     !pool_kind_equal(&p->demand.row[i].kind, &d->made->kind);
		     i++)
			;
		if (i < p->demand.n && want[i] > 0) {
			want[i]--;
		} else if (!*ret_more) {
			*ret_more = true;
			drop(p, d->made);
		}
	}
	for (i = 0; i < p->demand.n; i++)
		if (want[i] > 0)
			return &p->demand.row[i].kind;
	return NULL;
}

static int
on_refill(sd_event_source *s, uint64_t usec, void *arg)
{
	const struct pool_kind *k;
	struct store_space space;
	struct pool *p = arg;
	bool more;

	(void)s;
	(void)usec;
	if (p->making != NULL)
		return 0;
	if ((k = too_few(p, &more)) == NULL) {
		rearm(p, more ? p->m->cfg.pool_delay_ms / 4 : LOOK_MS);
		return 0;
	}
	store_space(p->m->st, &space);
	if (!space.ok || make(p->m, k, p, on_made, p, &p->making) != VT_OK)
		rearm(p, RETRY_MS);
	return 0;
}

int
pool_new(struct mgr *m, struct pool **ret)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return VT_E_NOMEM;
	p->m = m;
	pool_demand_init(&p->demand, m->cfg.pool, m->cfg.pool_max);
	rearm(p, m->cfg.pool_delay_ms);
	*ret = p;
	return VT_OK;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	(void)sd_event_source_disable_unref(p->timer);
	while (!LIST_EMPTY(&p->ready))
		drop(p, LIST_FIRST(&p->ready)->made);
	if (p->making != NULL) {
		wlink_end(p->making->link, true);
		p->making->link = NULL;
		made_free(p->making);
	}
	free(p);
}

struct made *
pool_take(struct pool *p, const struct pool_kind *k)
{
	struct made_priv *d;

	if (p == NULL)
		return NULL;
	pool_demand_ask(&p->demand, k, now_us());
	pool_kick(p);
	LIST_FOREACH(d, &p->ready, entry)
		if (pool_kind_equal(&d->made->kind, k))
			break;
	if (d == NULL) {
		p->m->n.pool_misses++;
		return NULL;
	}
	p->m->n.pool_hits++;
	LIST_REMOVE(d, entry);
	d->pool = NULL;
	return d->made;
}

void
pool_kick(struct pool *p)
{
	if (p != NULL)
		rearm(p, p->m->cfg.pool_delay_ms);
}
