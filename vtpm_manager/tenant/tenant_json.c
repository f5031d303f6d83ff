/* SPDX-License-Identifier: BSD-3-Clause */
/* tenant_json.c - tenants as JSON. */
#include "vtpm_manager/tenant/tenant_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/tpm/pcr_selection.h"
#include "vtpm_manager/core/context.h"

static json_t *
words(const char *list, size_t width, uint32_t n)
{
	json_t *a = json_array();
	uint32_t i;

	for (i = 0; i < n; i++)
		(void)json_array_append_new(a, json_string(list + i * width));
	return a;
}

static json_t *
config_json(const struct mgr *m, const struct tenant *g)
{
	const struct tenant_config *c = &g->conf;
	struct pcr_sel sel = tenants_pcrs(m, g);
	char text[128];

	pcr_sel_format(&sel, text, sizeof(text));
	return json_pack("{s:I,s:I,s:s,s:o,s:o}", "sequence",
	    (json_int_t)c->sequence, "made_s", (json_int_t)c->made_s, "pcrs",
	    text, "policies",
	    words(c->policies[0], sizeof(c->policies[0]), c->npolicies),
	    "admins", words(c->admins[0], sizeof(c->admins[0]), c->nadmins));
}

/* Point of the key in hexadecimal; null: none. */
static json_t *
key_json(const struct tenant *g)
{
	char hex[2 * APPROVAL_KEY_LEN + 1];

	if (g->r.key[0] == 0)
		return json_null();
	hex_encode(g->r.key, sizeof(g->r.key), hex);
	return json_string(hex);
}

static json_t *
pub_json(const struct tenant *g)
{
	char hex[2 * PUB_MAX_LEN + 1];

	if (g->r.ak_pub_len == 0)
		return json_null();
	hex_encode(g->r.ak_pub, g->r.ak_pub_len, hex);
	return json_string(hex);
}

json_t *
tenants_json(struct mgr *m, const struct tenant *g)
{
	uint32_t vtpms;
	uint64_t bytes;

	tenants_usage(m, g->r.number, &vtpms, &bytes);
	return json_pack("{s:I,s:s,s:I,s:o,s:o,s:o,s:{s:I,s:I,s:I},"
			 "s:{s:I,s:I,s:b},s:{s:I,s:I,s:I,s:I,s:I}}",
	    "number", (json_int_t)g->r.number, "name", g->r.name, "created_ms",
	    (json_int_t)g->r.created_ms, "key", key_json(g), "ak_public",
	    pub_json(g), "configuration", config_json(m, g), "quota", "vtpms",
	    (json_int_t)g->r.quota.vtpms, "bytes", (json_int_t)g->r.quota.bytes,
	    "hw_ms", (json_int_t)g->r.quota.hw_ms, "used", "vtpms",
	    (json_int_t)vtpms, "bytes", (json_int_t)bytes, "full", g->full,
	    "hw", "requests", (json_int_t)g->hw.requests, "ms",
	    (json_int_t)(g->hw.us / 1000), "wait_ms",
	    (json_int_t)(g->hw.wait_us / 1000), "delayed",
	    (json_int_t)g->hw.delayed, "refused", (json_int_t)g->hw.refused);
}

json_t *
tenants_json_list(struct mgr *m, uint32_t uid)
{
	json_t *list = json_array();
	const struct tenant *g;

	for (g = tenants_first(m); g != NULL; g = tenants_next(g))
		if (uid == (uint32_t)-1 || tenants_admin(m, uid, g->r.number))
			(void)json_array_append_new(list, tenants_json(m, g));
	return list;
}

void
tenants_take_usage(struct mgr *m, const struct hw_answer *a)
{
	struct hw_usage *u = calloc(1, sizeof(*u));
	struct tenant *g;
	uint32_t i;

	if (u != NULL && a->rc == VT_OK &&
	    msg_get(hw_usage, a->body, a->body_len, u) == VT_OK)
		for (i = 0; i < u->n; i++) {
			if ((g = tenant_number(m, u->groups[i].group)) == NULL)
				continue;
			g->hw.requests = u->groups[i].requests;
			g->hw.us = u->groups[i].us;
			g->hw.wait_us = u->groups[i].wait_us;
			g->hw.delayed = u->groups[i].delayed;
			g->hw.refused = u->groups[i].refused;
		}
	free(u);
}
