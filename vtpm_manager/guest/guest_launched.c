/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_launched.c - which launches the registry knows of a guest, and what of
 * it goes into its deep quotes.
 */
#include "vtpm_manager/guest/guest_launched.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#include "base/check_on.h"
#include "base/crypto.h"
#include "base/json_hex.h"
#include "base/log.h"
#include "base/util.h"
#include "measure/evidence/deep_leaf.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/guest/guest_certs.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/store/store_blob.h"

#define KNOWN "launches"
#define SAVED "launch_saved"
#define PRESENT "launch_resumed" /* what older stores call it */
#define KNOWN_MAX 16

/* --- what is kept --- */

static int
keep(struct mgr *m, const struct guest *in, const json_t *id)
{
	struct guest_run *g = guest_live(m, in->uuid);

	if (g != NULL) {
		g->launch_seen = GUEST_LAUNCH_UNSEEN;
		guest_ak_changed(g); /* a renewal under way has the old text */
	}
	return guest_identity_keep(m, in->uuid, id);
}

/* Of the run that SX_LAUNCH is for; VT_E_NOTFOUND. */
static int
present_digest(
    struct mgr *m, const uint8_t uuid[UUID_LEN], uint8_t ret[SHA256_LEN])
{
	struct wlaunch l;
	uint8_t *p = NULL;
	size_t len = 0;
	int rc;

	if ((rc = store_extra_get(m->st, uuid, SX_LAUNCH, &p, &len)) != VT_OK)
		return rc;
	rc = msg_get(wlaunch, p, len, &l);
	if (rc == VT_OK && l.record.len == 0)
		rc = VT_E_NOTFOUND;
	if (rc == VT_OK)
		rc = digest_buf(ALG_SHA256, l.record.p, l.record.len, ret);
	free(p);
	return rc;
}

/* The launch of the present run, in hex; NULL: none. */
static json_t *
present(struct mgr *m, const struct guest *in, const json_t *id)
{
	uint8_t digest[SHA256_LEN];

	if (present_digest(m, in->uuid, digest) == VT_OK)
		return json_hex(digest, sizeof(digest));
	return json_incref(json_object_get(id, PRESENT));
}

int
guest_launched_issue(
    struct mgr *m, const struct guest *in, const uint8_t *record, size_t len)
{
	json_t *id = guest_identity(m, in), *list;
	uint8_t digest[SHA256_LEN];
	int rc = VT_E_NOMEM;

	if (id == NULL)
		return VT_OK; /* SX_LAUNCH says it, for this run */
	list = json_object_get(id, KNOWN);
	if (list == NULL && json_object_set_new(id, KNOWN, json_array()) == 0)
		list = json_object_get(id, KNOWN);
	while (json_array_size(list) >= KNOWN_MAX)
		(void)json_array_remove(list, 0);
	if (digest_buf(ALG_SHA256, record, len, digest) == VT_OK &&
	    json_array_append_new(list, json_hex(digest, sizeof(digest))) == 0)
		rc = keep(m, in, id);
	json_decref(id);
	return rc;
}

/* The present launch under this name, too; nothing, if there is none. */
static int
keep_present(struct mgr *m, const struct guest *in, const char *name)
{
	json_t *id = guest_identity(m, in), *now;
	int rc = VT_OK;

	if (id == NULL)
		return VT_OK;
	now = present(m, in, id);
	(void)json_object_del(id, name);
	if (now != NULL && json_object_set_new(id, name, now) != 0)
		rc = VT_E_NOMEM;
	if (rc == VT_OK)
		rc = keep(m, in, id);
	json_decref(id);
	return rc;
}

int
guest_launched_save(struct mgr *m, const struct guest *in)
{
	return keep_present(m, in, SAVED);
}

int
guest_launched_leave(struct mgr *m, const struct guest *in)
{
	return keep_present(m, in, PRESENT);
}

int
guest_launched_start(struct mgr *m, const struct guest *in, bool resumed)
{
	json_t *id = guest_identity(m, in);
	json_t *saved = json_object_get(id, SAVED);
	int rc = VT_OK;

	if (saved != NULL) {
		if (resumed && json_object_set(id, PRESENT, saved) != 0)
			rc = VT_E_NOMEM;
		(void)json_object_del(id, SAVED);
		if (rc == VT_OK)
			rc = keep(m, in, id);
	}
	json_decref(id);
	return rc;
}

int
guest_launched_over(struct mgr *m, const struct guest *in)
{
	struct guest_run *g = guest_live(m, in->uuid);
	json_t *id = guest_identity(m, in);
	int rc = VT_OK;

	if (g != NULL)
		g->launch_seen = GUEST_LAUNCH_UNSEEN;
	if (json_object_del(id, PRESENT) == 0)
		rc = keep(m, in, id);
	json_decref(id);
	return rc;
}

/* --- what a deep quote says --- */

static bool
is_digest(const json_t *hex, const uint8_t digest[SHA256_LEN])
{
	const char *s = json_string_value(hex);
	uint8_t b[SHA256_LEN];
	size_t n = 0;

	return s != NULL && hex_decode(s, b, sizeof(b), &n) == VT_OK &&
	       n == sizeof(b) && memcmp(b, digest, n) == 0;
}

static bool
was_issued(const json_t *id, const uint8_t digest[SHA256_LEN])
{
	const json_t *list = json_object_get(id, KNOWN);
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (is_digest(json_array_get(list, i), digest))
			return true;
	return false;
}

static enum guest_launch_seen
look(struct guest_run *g, const uint8_t digest[SHA256_LEN])
{
	json_t *id = guest_identity(g->m, &g->in);
	json_t *now = present(g->m, &g->in, id);
	enum guest_launch_seen ret =
	    is_digest(now, digest)   ? GUEST_LAUNCH_PRESENT
	    : was_issued(id, digest) ? GUEST_LAUNCH_OLDER
				     : GUEST_LAUNCH_UNKNOWN;

	json_decref(now);
	json_decref(id);
	return ret;
}

static void
say(struct guest_run *g, enum guest_launch_seen seen)
{
	const char *text =
	    seen == GUEST_LAUNCH_OLDER
		? "its worker names an earlier launch: its deep quotes say "
		  "that it is restored"
		: "its worker names a launch that the registry does not have: "
		  "its deep quotes say that it was not launched";

	log_warn("guest %s: %s", g->in.name, text);
	audit_log(g->m, "manager", "launch-differs", g->in.name, "denied", "%s",
	    text);
}

/* Whose launch the worker names, looked up and said once for each digest. */
static enum guest_launch_seen
seen(struct guest_run *g, const uint8_t digest[SHA256_LEN])
{
	if (g->launch_seen != GUEST_LAUNCH_UNSEEN &&
	    memcmp(g->launch_named, digest, SHA256_LEN) == 0)
		return g->launch_seen;
	g->launch_seen = look(g, digest);
	memcpy(g->launch_named, digest, SHA256_LEN);
	if (g->launch_seen != GUEST_LAUNCH_PRESENT && !g->launch_said) {
		say(g, g->launch_seen);
		g->launch_said = true;
	}
	return g->launch_seen;
}

void
guest_launched_check(struct guest_run *g, struct wdeep *d)
{
	if ((g->capped || g->crashed) && check_on("deep-capped"))
		d->flags |= DEEP_F_CAPPED;
	if (!check_on("deep-launched"))
		return;
	if ((d->flags & DEEP_F_LAUNCHED) != 0)
		switch (seen(g, d->launch)) {
		case GUEST_LAUNCH_PRESENT:
			return;
		case GUEST_LAUNCH_OLDER: /* only a snapshot brings it back */
			d->flags |= DEEP_F_RESTORED;
			return;
		default:
			break;
		}
	d->flags &= ~(uint32_t)DEEP_F_LAUNCHED;
	memset(d->launch, 0, sizeof(d->launch));
}
