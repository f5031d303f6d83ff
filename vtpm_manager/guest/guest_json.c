/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_json.c - a guest as JSON, for operators and programs. */
#include "vtpm_manager/guest/guest_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json_hex.h"
#include "base/rdwr.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/guest/guest_owner.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/proto/xen_saved.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"

#define INFO_MAX 16384 /* a worker's JSON about itself */

/* While the disk fails, neither is known to be good or bad. */
static const char *
state_text(const struct mgr *m, const struct guest *in, enum guest_state st)
{
	if (m->storage_error)
		return "storage error";
	return in->tampered ? "tampered" : guest_state_name(st);
}

json_t *
guest_json(struct mgr *m, const struct guest *in)
{
	const struct guest_run *g = guest_live(m, in->uuid);
	enum guest_state st = g != NULL ? g->st : IS_STOPPED;
	const char *why = m->storage_error  ? m->storage_why
			  : in->tampered    ? in->why
			  : st == IS_FAILED ? g->why
					    : NULL;
	const struct tenant *t = tenant_number(m, in->group);
	char uuid[UUID_STRLEN + 1];

	uuid_format(in->uuid, uuid);
	return json_pack(
	    "{s:o*,s:s,s:s,s:I,s:o*,s:I,s:s,s:b,s:I,s:I,s:b,s:b,s:I,s:o,s:"
	    "o*}",
	    "name", json_string(in->name), "uuid", uuid, "tpm",
	    in->tpm_version == TPM_VER_12 ? "1.2" : "2.0", "group",
	    (json_int_t)in->group, "group_name",
	    t != NULL ? json_string(t->r.name) : NULL, "owner",
	    (json_int_t)guest_owner(m, in), "state", state_text(m, in, st),
	    "in_use", g != NULL && guest_in_use(g), "generation",
	    (json_int_t)in->generation, "version", (json_int_t)in->version,
	    "restored", (in->flags & GUEST_F_RESTORED) != 0, "recovered",
	    (in->flags & GUEST_F_RECOVERED) != 0, "created_ms",
	    (json_int_t)in->created_ms, "pid",
	    g != NULL && g->link != NULL ? json_integer(g->link->pid)
					 : json_null(),
	    "why", why != NULL ? json_string(why) : NULL);
}

struct list_arg {
	struct mgr *m;
	json_t *list;
};

static int
list_one(const struct guest *in, void *arg)
{
	struct list_arg *a = arg;

	(void)json_array_append_new(a->list, guest_json(a->m, in));
	return 0;
}

json_t *
guest_json_list(struct mgr *m)
{
	struct list_arg a = { .m = m, .list = json_array() };
	int rc = store_guest_each(m->st, list_one, &a);

	if (rc != VT_OK) {
		json_decref(a.list);
		return NULL;
	}
	return a.list;
}

/* Kilobytes out of /proc/PID/smaps_rollup; 0 where we may not look. */
static uint64_t
pss_kb(uint32_t pid)
{
	uint8_t *buf = NULL;
	unsigned long long kb = 0;
	const char *p;
	char path[64];
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%u/smaps_rollup", pid);
	if (read_file(path, 65536, &buf, &len) != VT_OK)
		return 0;
	if ((p = strstr((const char *)buf, "\nPss:")) != NULL)
		kb = strtoull(p + 5, NULL, 10);
	free(buf);
	return kb;
}

static json_t *
worker_json(const struct guest_run *g, const uint8_t *info, size_t len)
{
	const struct wlink *l = g->link;
	json_t *j = NULL;

	/* The worker's own words: parsed within bounds and shown; nothing
	 * depends on them. */
	if (info != NULL && len <= INFO_MAX)
		j = json_loadb(
		    (const char *)info, len, JSON_REJECT_DUPLICATES, NULL);
	return json_pack("{s:I,s:o*,s:I,s:I,s:b,s:b,s:I,s:I,s:o}", "pid",
	    (json_int_t)l->pid, "uid",
	    l->uid != (uint32_t)-1 ? json_integer(l->uid) : NULL, "pss_kb",
	    (json_int_t)pss_kb(l->pid), "power_cycles",
	    (json_int_t)g->power_cycles, "capped", g->capped, "channel_open",
	    guest_in_use(g), "crashes", (json_int_t)g->crashes, "started_ms",
	    (json_int_t)g->started_ms, "info", j != NULL ? j : json_null());
}

static json_t *
channels_json(struct mgr *m, const struct guest *in)
{
	return json_pack("{s:o*,s:o*}", "local",
	    json_sprintf("%s/%s.tpmif", m->cfg.run, in->name), "swtpm",
	    json_sprintf("%s/%s.swtpm", m->cfg.run, in->name));
}

/* A Xen domain that was saved and may come back. */
static void
add_saved(struct mgr *m, const struct guest *in, json_t *o)
{
	struct xensaved s;
	uint8_t *p = NULL;
	size_t len;

	if (store_extra_get(m->st, in->uuid, SX_VOLATILE, &p, &len) != VT_OK)
		return;
	if (xen_saved_get(p, len, &s) == VT_OK)
		(void)json_object_set_new(o, "saved",
		    json_pack("{s:s,s:o,s:I}", "domain", s.domain, "image",
			json_hex(s.image, sizeof(s.image)), "time_ms",
			(json_int_t)s.time_ms));
	free(p);
}

json_t *
guest_json_show(
    struct mgr *m, const struct guest *in, const uint8_t *info, size_t info_len)
{
	const struct guest_run *g = guest_live(m, in->uuid);
	json_t *o = guest_json(m, in), *id = guest_identity(m, in);
	uint8_t *p = NULL;
	size_t len = 0;

	if (id != NULL) {
		(void)json_object_update(o, id);
		json_decref(id);
	}
	(void)json_object_set_new(o, "launched",
	    json_boolean(store_extra_get(
			     m->st, in->uuid, SX_LAUNCH, &p, &len) == VT_OK));
	free(p);
	add_saved(m, in, o);
	(void)json_object_set_new(
	    o, "digest", json_hex(in->digest, sizeof(in->digest)));
	if (g != NULL && g->link != NULL) {
		(void)json_object_set_new(o, "channels", channels_json(m, in));
		(void)json_object_set_new(
		    o, "worker", worker_json(g, info, info_len));
	}
	return o;
}
