/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_store.c - what workers store (law 3) and report.
 */
#include "vtpm_manager/guest/guest_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check_on.h"
#include "base/log.h"
#include "vtpm/state/seal.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_launched.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/guests_priv.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"

struct pending {
	struct mgr *m;
	uint8_t uuid[UUID_LEN];
	uint64_t serial; /* of the link to answer on */
	uint32_t id;
	uint8_t kind;
	bool restored;
	uint64_t generation, version;
	uint32_t len;
	uint8_t digest[32];
};

int
guest_check_store(const uint8_t uuid[UUID_LEN], const struct wstore *s)
{
	struct seal_id id;
	int rc;

	if ((rc = seal_peek(s->blob.p, s->blob.len, &id)) != VT_OK)
		return rc;
	if (memcmp(id.uuid, uuid, UUID_LEN) != 0 || id.kind != s->kind ||
	    id.generation != s->generation || id.version != s->version)
		return VT_E_PROTO;
	return VT_OK;
}

/* Its group's quota counts the length. */
static void
note_length(struct guest_run *g, uint32_t len)
{
	if (g->in.state_len == len)
		return;
	g->in.state_len = len;
	tenants_space_changed(g->m, g->in.group);
}

static void
on_durable(void *arg, int rc)
{
	struct pending *p = arg;
	/* The instance may have another worker by now, or be gone. */
	struct guest_run *g = guest_live(p->m, p->uuid);

	if (rc == VT_OK && g != NULL && p->kind == SEAL_PERMANENT) {
		g->in.generation = p->generation;
		g->in.version = p->version;
		memcpy(g->in.digest, p->digest, sizeof(g->in.digest));
		if (p->restored)
			g->in.flags |= GUEST_F_RESTORED;
		note_length(g, p->len);
	}
	/* The answer raises a restored state's generation, and the worker
	 * stores it again under that: two copies cannot both be current. */
	if (g != NULL && g->link != NULL && g->link->serial == p->serial)
		wlink_stored(g->link, p->id, rc, p->version,
		    p->generation + (p->restored ? 1 : 0));
	free(p);
}

static int
put(struct guest_run *g, const struct wstore *s, bool restored)
{
	uint32_t flags = g->in.flags | (restored ? GUEST_F_RESTORED : 0u);

	if (s->kind == SEAL_PERMANENT)
		return store_state_put(g->m->st, g->in.uuid, s->generation,
		    s->version, flags, s->digest, s->blob.p, s->blob.len);
	return VT_E_PROTO; /* the volatile one is asked for (WQ_VOLATILE) */
}

static void
refuse(struct guest_run *g, uint32_t id, const struct wstore *s, int rc)
{
	log_warn("guest %s: state %llu.%llu not stored: %s", g->in.name,
	    (unsigned long long)s->generation, (unsigned long long)s->version,
	    vt_strerror(rc));
	wlink_stored(g->link, id, rc, s->version, g->in.generation);
	if (rc == VT_E_SPACE || rc == VT_E_SYS)
		commit_storage_bad(g->m, rc);
}

void
guest_on_store(void *arg, uint32_t id, const struct wstore *s)
{
	bool restored = (s->flags & WS_RESTORE) != 0;
	struct guest_run *g = arg;
	struct pending *p;
	int rc;

	rc = guest_check_store(g->in.uuid, s);
	/* The registry hands out generations: the one that it has, and the
	 * next one to a state that was restored (on_durable()).  A greater one
	 * would be the root's greatest for good, and end all recovery. */
	if (rc == VT_OK && s->generation > g->in.generation + 1 &&
	    check_on("store-generation"))
		rc = VT_E_RANGE;
	if (rc == VT_OK)
		rc = put(g, s, restored);
	if (rc != VT_OK) {
		refuse(g, id, s, rc);
		return;
	}
	if ((p = calloc(1, sizeof(*p))) == NULL) {
		refuse(g, id, s, VT_E_NOMEM);
		return;
	}
	p->m = g->m;
	memcpy(p->uuid, g->in.uuid, UUID_LEN);
	p->serial = g->link->serial;
	p->id = id;
	p->kind = s->kind;
	p->restored = restored;
	p->generation = s->generation;
	p->version = s->version;
	p->len = s->blob.len;
	memcpy(p->digest, s->digest, sizeof(p->digest));
	if (restored)
		audit_log(g->m, "manager", "restore", g->in.name, "ok",
		    "a snapshot was loaded, the generation becomes %llu",
		    (unsigned long long)s->generation + 1);
	/* A generation that grew must not be forgotten. */
	commit_state(
	    g->m, restored || s->generation > g->in.generation, on_durable, p);
}

/* --- events --- */

/* clang-format off */
static const struct event_kind {
	const char *action, *result; /* result NULL: no record */
	uint8_t ration;
} kinds[] = {
	[WE_POWER_CYCLE] = { "power-cycle", "ok", RATION_EVENTS },
	[WE_CHANNEL_OPEN] = { "attach", "ok", RATION_ATTACHED },
	[WE_CHANNEL_CLOSED] = { "detach", NULL, RATION_ATTACHED },
	[WE_CHANNEL_BUSY] = { "attach", "denied", RATION_REFUSED },
	[WE_VIOLATION] = { "violation", "ok", RATION_EVENTS },
	[WE_RESTORED] = { "restored", "ok", RATION_EVENTS },
	[WE_CAPPED] = { "capped", "ok", RATION_EVENTS },
	[WE_LAUNCH_APPLIED] = { "launch-applied", "ok", RATION_EVENTS },
	[WE_FAILURE] = { "failure", "ok", RATION_EVENTS },
	[WE_HANDOVER] = { "handover", "ok", RATION_ATTACHED },
	[WE_LAUNCH_OVER] = { "launch-over", "ok", RATION_EVENTS },
	[WE_REPAIRED] = { "repaired", "ok", RATION_EVENTS },
	[WE_PAGE_WANTED] = { "page", NULL, RATION_ATTACHED },
};
/* clang-format on */

static void
forget_launch(struct mgr *m, const struct guest *in, int rc)
{
	int del = store_extra_put(m->st, in->uuid, SX_LAUNCH, NULL, 0);

	if (rc == VT_OK || rc == VT_E_NOTFOUND)
		rc = del;
	if (rc != VT_OK && rc != VT_E_NOTFOUND && rc != VT_E_CORRUPT)
		log_warn("guest %s: its old launch record is still stored: %s",
		    in->name, vt_strerror(rc));
	commit_soon(m, NULL, NULL);
}

/* A launch stands for one run of the guest: no later one starts under it. */
void
guest_forget_launch(struct mgr *m, const struct guest *in)
{
	forget_launch(m, in, guest_launched_over(m, in));
}

void
guest_leave_launch(struct mgr *m, const struct guest *in)
{
	forget_launch(m, in, guest_launched_leave(m, in));
}

static void
log_event(struct guest_run *g, const struct event_kind *k, const char *words)
{
	struct guest_ration *r = &g->rations[k->ration];
	char text[TEXT_MAX_LEN + 1];

	(void)snprintf(text, sizeof(text), "%s", words);
	text_clean(text);
	if (k->result == NULL) {
		log_debug("guest %s: %s: %s", g->in.name, k->action, text);
		return;
	}
	if (!token_bucket_take(&r->records, 1, now_us())) {
		r->dropped++;
		return;
	}
	if (r->dropped > 0)
		audit_log(g->m, "worker", k->action, g->in.name, k->result,
		    "%.180s (and %llu events before that have no record)", text,
		    (unsigned long long)r->dropped);
	else
		audit_log(g->m, "worker", k->action, g->in.name, k->result,
		    "%.200s", text);
	r->dropped = 0;
}

void
guest_on_event(void *arg, const struct wevent *e)
{
	struct guest_run *g = arg;

	if (e->code == 0 || e->code >= VT_NELEM(kinds))
		return;
	switch (e->code) {
	case WE_POWER_CYCLE:
		g->power_cycles++;
		g->capped = false;
		break;
	case WE_CAPPED:
		g->capped = true;
		break;
	case WE_LAUNCH_OVER:
		g->launch_over = true;
		guest_forget_launch(g->m, &g->in);
		break;
	case WE_PAGE_WANTED:
		if (g->m->guests->observer != NULL)
			g->m->guests->observer->page_wanted(g);
		break;
	default:
		break;
	}
	log_event(g, &kinds[e->code], e->text);
}
