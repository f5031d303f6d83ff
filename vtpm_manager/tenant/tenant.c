/* SPDX-License-Identifier: BSD-3-Clause */
/* tenant.c - the list of tenants: read it, find one, what it uses and may do.
 */
#include "vtpm_manager/tenant/tenant.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_meta.h"
#include "vtpm_manager/tenant/tenant_priv.h"

/* --- reading ---------------------------------------------------------------
 */

static struct tenant *
host_group(void)
{
	struct tenant *g = calloc(1, sizeof(*g));

	if (g != NULL)
		(void)snprintf(g->r.name, sizeof(g->r.name), TENANTS_HOST_NAME);
	return g;
}

/* The configuration was verified before it was stored; this verifies the key
 * stored beside it. */
static int
decode_config(struct tenant *g)
{
	int rc;

	memset(&g->conf, 0, sizeof(g->conf));
	if (g->r.config_len == 0)
		return VT_OK;
	rc = tenant_config_get(g->r.config, g->r.config_len, &g->conf);
	if (rc == VT_OK && g->conf.group != g->r.number)
		rc = VT_E_FORMAT;
	if (rc == VT_OK)
		rc = tenant_config_verify(&g->conf, g->r.key);
	if (rc != VT_OK)
		memset(&g->conf, 0, sizeof(g->conf));
	return rc;
}

void
tenant_meta_key(uint32_t number, char key[32])
{
	(void)snprintf(key, 32, "group.%u", (unsigned)number);
}

static int
read_one(struct mgr *m, uint32_t number, struct tenant *g)
{
	char key[32];
	uint8_t *p = NULL;
	size_t len;
	int rc;

	tenant_meta_key(number, key);
	if ((rc = store_meta_get(m->st, key, &p, &len)) != VT_OK)
		return rc;
	rc = tenant_rec_get(p, len, &g->r);
	free(p);
	if (rc == VT_OK && g->r.number != number)
		rc = VT_E_FORMAT;
	return rc == VT_OK ? decode_config(g) : rc;
}

static int
add_one(struct mgr *m, uint32_t number)
{
	struct tenant *g = calloc(1, sizeof(*g));
	int rc;

	if (g == NULL)
		return VT_E_NOMEM;
	if ((rc = read_one(m, number, g)) != VT_OK) {
		log_err("group %u: its record is unreadable (%s), so its vTPMs "
			"get no deep quotes; restore the state folder from a "
			"backup",
		    (unsigned)number, vt_strerror(rc));
		m->tenants->bad = true;
		free(g);
		return VT_OK;
	}
	tenant_insert(m->tenants, g);
	return VT_OK;
}

static int
read_all(struct mgr *m)
{
	struct tenants *gs = m->tenants;
	struct tenant_index x;
	uint8_t *p = NULL;
	size_t len;
	uint32_t i;
	int rc;

	rc = read_one(m, 0, TAILQ_FIRST(&gs->list));
	if (rc != VT_OK && rc != VT_E_NOTFOUND)
		return rc;
	rc = store_meta_get(m->st, TENANTS_KEY, &p, &len);
	if (rc == VT_E_NOTFOUND)
		return VT_OK;
	if (rc == VT_OK)
		rc = tenant_index_get(p, len, &x);
	free(p);
	if (rc != VT_OK)
		return rc;
	gs->next = x.next;
	for (i = 0; i < x.n; i++)
		if ((rc = add_one(m, x.numbers[i])) != VT_OK)
			return rc;
	return VT_OK;
}

int
tenants_load(struct mgr *m)
{
	struct tenant *g;
	int rc;

	if ((m->tenants = calloc(1, sizeof(*m->tenants))) == NULL)
		return VT_E_NOMEM;
	m->tenants->next = 1;
	TAILQ_INIT(&m->tenants->list);
	if ((g = host_group()) == NULL)
		return VT_E_NOMEM;
	TAILQ_INSERT_HEAD(&m->tenants->list, g, link);
	rc = read_all(m);
	if (rc == VT_E_NOMEM)
		return rc;
	if (rc != VT_OK) {
		log_err(
		    "the groups are unreadable (%s), so only the host's own "
		    "is known and none can be changed; restore the state "
		    "folder from a backup",
		    store_why(m->st)[0] != '\0' ? store_why(m->st)
						: vt_strerror(rc));
		m->tenants->bad = true;
	}
	tenants_tell_hw(m);
	TAILQ_FOREACH(g, &m->tenants->list, link)
		tenants_space_changed(m, g->r.number);
	return VT_OK;
}

void
tenants_free(struct mgr *m)
{
	struct tenant *g;

	if (m->tenants == NULL)
		return;
	while ((g = TAILQ_FIRST(&m->tenants->list)) != NULL) {
		TAILQ_REMOVE(&m->tenants->list, g, link);
		free(g);
	}
	free(m->tenants);
	m->tenants = NULL;
}

/* --- finding ---------------------------------------------------------------
 */

struct tenant *
tenants_first(struct mgr *m)
{
	return m->tenants != NULL ? TAILQ_FIRST(&m->tenants->list) : NULL;
}

struct tenant *
tenants_next(const struct tenant *g)
{
	return TAILQ_NEXT(g, link);
}

void
tenant_insert(struct tenants *gs, struct tenant *g)
{
	struct tenant *after = TAILQ_LAST(&gs->list, tenant_list);

	while (after->r.number > g->r.number) /* group 0 ends it */
		after = TAILQ_PREV(after, tenant_list, link);
	TAILQ_INSERT_AFTER(&gs->list, after, g, link);
}

struct pcr_sel
tenants_pcrs(const struct mgr *m, const struct tenant *g)
{
	struct pcr_sel sel = m->deep_pcrs;

	if (g != NULL && g->conf.sequence != 0) {
		sel.banks[0].alg = g->conf.bank;
		sel.banks[0].mask = g->conf.pcrs;
	}
	return sel;
}

struct tenant *
tenant_number(struct mgr *m, uint32_t number)
{
	struct tenant *g;

	for (g = tenants_first(m); g != NULL; g = tenants_next(g))
		if (g->r.number == number)
			return g;
	return NULL;
}

int
tenant_find(struct mgr *m, const char *what, struct tenant **ret, char *text)
{
	char *end;
	unsigned long n;
	struct tenant *g;

	errno = 0;
	n = strtoul(what, &end, 10);
	if (what[0] >= '0' && what[0] <= '9' && *end == '\0' && errno == 0 &&
	    n <= UINT32_MAX) {
		g = tenant_number(m, (uint32_t)n);
	} else {
		for (g = tenants_first(m); g != NULL; g = tenants_next(g))
			if (strcmp(g->r.name, what) == 0)
				break;
	}
	if (g == NULL) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "no group '%.63s' exists; `vtpmctl group list` shows all, "
		    "`vtpmctl group create` makes one",
		    what);
		return VT_E_NOTFOUND;
	}
	*ret = g;
	return VT_OK;
}

void
tenants_tell_hw(struct mgr *m)
{
	struct hw_quota q = { 0 };
	struct tenant *g;
	struct wr w;
	int rc;

	if (m->hw == NULL)
		return;
	for (g = tenants_first(m); g != NULL && q.n < HW_GROUPS_MAX;
	     g = tenants_next(g)) {
		q.groups[q.n].group = g->r.number;
		q.groups[q.n++].ms = g->r.quota.hw_ms;
	}
	wr_grow(&w, 4 + 8 * HW_GROUPS_MAX);
	msg_put(&w, hw_quota, &q);
	if ((rc = hwlink_set_quota(m->hw, &w)) != VT_OK)
		log_warn(
		    "the groups' limits for the host's TPM were not set: %s",
		    vt_strerror(rc));
	wr_free(&w);
}

/* --- who -------------------------------------------------------------------
 */

bool
tenants_admin(struct mgr *m, uint32_t uid, uint32_t number)
{
	const struct tenant *g = number != 0 ? tenant_number(m, number) : NULL;
	const struct passwd *pw;

	if (g == NULL || g->conf.nadmins == 0 || uid == (uint32_t)-1)
		return false;
	pw = getpwuid(uid);
	return tenant_config_admin(
	    &g->conf, uid, pw != NULL ? pw->pw_name : NULL);
}

bool
tenants_admin_any(struct mgr *m, uint32_t uid)
{
	struct tenant *g;

	for (g = tenants_first(m); g != NULL; g = tenants_next(g))
		if (tenants_admin(m, uid, g->r.number))
			return true;
	return false;
}

int
tenants_may_launch(
    struct mgr *m, uint32_t number, const char *policy, char *text)
{
	const struct tenant *g = tenant_number(m, number);

	if (policy == NULL)
		policy = "";
	if (g == NULL || tenant_config_policy(&g->conf, policy))
		return VT_OK;
	(void)snprintf(text, MGR_TEXT_MAX,
	    "group %s allows launches only under its own policies, not under "
	    "'%.63s'; name one with --policy (`vtpmctl group show %s` lists "
	    "them)",
	    g->r.name, policy, g->r.name);
	return VT_E_POLICY;
}

/* --- how much --------------------------------------------------------------
 */

struct sum {
	uint32_t number, vtpms;
	uint64_t bytes;
};

static int
sum_one(const struct guest *in, void *arg)
{
	struct sum *s = arg;

	if (in->group == s->number) {
		s->vtpms++;
		s->bytes += in->state_len;
	}
	return 0;
}

void
tenants_usage(
    struct mgr *m, uint32_t number, uint32_t *ret_vtpms, uint64_t *ret_bytes)
{
	struct sum s = { .number = number };

	if (store_guest_each(m->st, sum_one, &s) != VT_OK)
		s.vtpms = UINT32_MAX; /* unknown: allow no more */
	*ret_vtpms = s.vtpms;
	*ret_bytes = s.bytes;
}

int
tenants_may_create(struct mgr *m, uint32_t number, size_t len, char *text)
{
	const struct tenant *g = tenant_number(m, number);
	const struct tenant_quota *q;
	uint32_t vtpms;
	uint64_t bytes;

	if (g == NULL) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "no group %u exists; `vtpmctl group create` makes one",
		    (unsigned)number);
		return VT_E_NOTFOUND;
	}
	q = &g->r.quota;
	if (q->vtpms == 0 && q->bytes == 0)
		return VT_OK;
	tenants_usage(m, number, &vtpms, &bytes);
	if (q->vtpms != 0 && vtpms >= q->vtpms)
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s has reached its quota of %u vTPMs; destroy one, "
		    "or ask the host's operator to raise it (vtpmctl group "
		    "update --vtpms)",
		    g->r.name, (unsigned)q->vtpms);
	else if (q->bytes != 0 && (bytes >= q->bytes || len > q->bytes - bytes))
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the vTPMs of group %s use %llu bytes of its quota of "
		    "%llu, which leaves too little for one more; destroy one, "
		    "or ask the host's operator to raise it (vtpmctl group "
		    "update --bytes)",
		    g->r.name, (unsigned long long)bytes,
		    (unsigned long long)q->bytes);
	else
		return VT_OK;
	return VT_E_SPACE;
}

void
tenants_space_changed(struct mgr *m, uint32_t number)
{
	struct tenant *g = tenant_number(m, number);
	uint32_t vtpms;
	uint64_t bytes;
	bool full;

	if (g == NULL || (g->r.quota.bytes == 0 && !g->full))
		return;
	tenants_usage(m, number, &vtpms, &bytes);
	full = g->r.quota.bytes != 0 && bytes >= g->r.quota.bytes;
	if (full == g->full)
		return;
	g->full = full;
	log_info("group %s: %llu bytes of state, quota %llu: %s", g->r.name,
	    (unsigned long long)bytes, (unsigned long long)g->r.quota.bytes,
	    full ? "no more NV space for its guests"
		 : "its guests have NV space again");
	m->storage_changed(m);
}

bool
tenants_no_growth(struct mgr *m, const uint8_t uuid[UUID_LEN])
{
	const struct tenant *g;
	struct guest in;

	if (!start_store_open(m->start) ||
	    store_guest_get(m->st, uuid, &in) != VT_OK)
		return false;
	g = tenant_number(m, in.group);
	return g != NULL && g->full;
}
