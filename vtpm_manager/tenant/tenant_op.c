/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant_op.c - create, change and delete tenants, and quote for them.
 */
#include "vtpm_manager/tenant/tenant_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_meta.h"
#include "vtpm_manager/tenant/tenant_priv.h"

/* --- making it durable -----------------------------------------------------
 */

static int
put_rec(struct mgr *m, const struct tenant_rec *r)
{
	char key[32];
	struct wr w;
	int rc;

	tenant_meta_key(r->number, key);
	wr_grow(&w, TENANT_REC_MAX);
	tenant_rec_put(&w, r);
	if ((rc = wr_err(&w)) == VT_OK)
		rc = store_meta_put(m->st, key, w.buf, w.len);
	wr_free(&w);
	return rc;
}

static int
put_index(struct mgr *m)
{
	struct tenant_index x = { .next = m->tenants->next };
	const struct tenant *g;
	struct wr w;
	int rc;

	TAILQ_FOREACH(g, &m->tenants->list, link)
		if (g->r.number != 0)
			x.numbers[x.n++] = g->r.number;
	wr_grow(&w, TENANT_REC_MAX);
	tenant_index_put(&w, &x);
	if ((rc = wr_err(&w)) == VT_OK)
		rc = store_meta_put(m->st, TENANTS_KEY, w.buf, w.len);
	wr_free(&w);
	return rc;
}

/* rc: of the puts.  Only durable changes count. */
static int
commit(struct mgr *m, int rc, char *text)
{
	if (rc == VT_OK)
		rc = commit_now(m);
	if (rc != VT_OK)
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the store cannot be written: %.300s",
		    store_why(m->st)[0] != '\0' ? store_why(m->st)
						: vt_strerror(rc));
	return rc;
}

static int
may_change(struct mgr *m, char *text)
{
	if (m->tenants == NULL || m->tenants->bad) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the store's list of groups is unreadable, so none can be "
		    "changed; restore the state folder from a backup");
		return VT_E_CORRUPT;
	}
	if (!m->storage_ok) {
		commit_text(m, VT_E_SPACE, text, MGR_TEXT_MAX);
		return m->storage_error ? VT_E_STATE : VT_E_SPACE;
	}
	return VT_OK;
}

/* --- create, or renew the AK ------------------------------------------------
 */

struct making {
	struct mgr *m;
	struct tenant *g; /* new and not in the list; NULL: of `number` */
	uint32_t number;
	mgr_done_cb cb;
	void *arg;
};

static int
keep_ak(struct tenant_rec *r, const struct hw_aked *ak)
{
	if (ak->ak.len == 0 || ak->ak.len > sizeof(r->ak) ||
	    ak->ak_pub.len > sizeof(r->ak_pub))
		return VT_E_RANGE;
	memcpy(r->ak, ak->ak.p, ak->ak.len);
	r->ak_len = (uint16_t)ak->ak.len;
	memcpy(r->ak_pub, ak->ak_pub.p, ak->ak_pub.len);
	r->ak_pub_len = (uint16_t)ak->ak_pub.len;
	return VT_OK;
}

/* Another group may have been made since the request. */
static int
settle_new(struct mgr *m, struct making *k, char *text)
{
	struct tenants *gs = m->tenants;
	uint32_t next = gs->next;
	struct tenant *other;
	int rc;

	if (tenant_find(m, k->g->r.name, &other, text) == VT_OK ||
	    k->g->r.number < next) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s: another group was made at the same time; try "
		    "again",
		    k->g->r.name);
		return VT_E_EXISTS;
	}
	tenant_insert(gs, k->g);
	gs->next = k->g->r.number + 1;
	if ((rc = put_rec(m, &k->g->r)) == VT_OK)
		rc = put_index(m);
	if ((rc = commit(m, rc, text)) != VT_OK) {
		TAILQ_REMOVE(&gs->list, k->g, link);
		gs->next = next;
		return rc;
	}
	k->g = NULL; /* the list has it */
	tenants_tell_hw(m);
	return VT_OK;
}

static int
settle_renewed(
    struct mgr *m, struct making *k, const struct hw_aked *ak, char *text)
{
	struct tenant *g = tenant_number(m, k->number);
	struct tenant_rec was;
	int rc;

	if (g == NULL) {
		(void)snprintf(text, MGR_TEXT_MAX, "the group was deleted");
		return VT_E_NOTFOUND;
	}
	was = g->r;
	if ((rc = keep_ak(&g->r, ak)) == VT_OK)
		rc = commit(m, put_rec(m, &g->r), text);
	if (rc != VT_OK)
		g->r = was;
	return rc;
}

static void
on_ak(void *arg, const struct hw_answer *a)
{
	char text[MGR_TEXT_MAX] = "";
	struct making *k = arg;
	struct hw_aked ak;
	int rc = a->rc;

	if (rc == VT_OK)
		rc = msg_get(hw_aked, a->body, a->body_len, &ak);
	if (rc != VT_OK)
		(void)snprintf(text, sizeof(text),
		    "the host's TPM made no AK for the group: %.300s",
		    a->text[0] != '\0' ? a->text : vt_strerror(rc));
	else if (k->g == NULL)
		rc = settle_renewed(k->m, k, &ak, text);
	else if ((rc = keep_ak(&k->g->r, &ak)) == VT_OK)
		rc = settle_new(k->m, k, text);
	if (rc != VT_OK && text[0] == '\0')
		(void)snprintf(text, sizeof(text), "%s", vt_strerror(rc));
	k->cb(k->arg, rc, rc == VT_OK ? "" : text);
	free(k->g);
	free(k);
}

static int
ask_ak(struct making *k, uint32_t number)
{
	struct hw_ak req = { .group = number };
	uint8_t buf[8];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_ak, &req);
	return hwlink_request(k->m->hw, HW_AK, &w, on_ak, k);
}

static int
check_new(struct mgr *m, const struct tenant_spec *s, char *text)
{
	const struct tenant *g;
	struct tenant *other;
	uint32_t n = 0;
	int rc;

	if ((rc = may_change(m, text)) != VT_OK)
		return rc;
	TAILQ_FOREACH(g, &m->tenants->list, link)
		n += g->r.number != 0;
	if (!run_name_ok(s->name) ||
	    strspn(s->name, "0123456789") == strlen(s->name)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "'%.63s' cannot be a group's name: 1 to %d of A-Z a-z 0-9 "
		    ". _ -, not digits alone, not starting with . or -, "
		    "not a UUID",
		    s->name, NAME_MAX_LEN);
		return VT_E_FORMAT;
	}
	if (tenant_find(m, s->name, &other, text) == VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s: a group of this name exists", s->name);
		return VT_E_EXISTS;
	}
	text[0] = '\0';
	if (s->number != 0 && s->number < m->tenants->next) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s: number %u was used before, and certificates may "
		    "still name it; the lowest free number is %u",
		    s->name, (unsigned)s->number, (unsigned)m->tenants->next);
		return VT_E_EXISTS;
	}
	if (n >= TENANTS_MAX || s->number == UINT32_MAX ||
	    m->tenants->next == UINT32_MAX) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s: group limit reached (%d)", s->name, TENANTS_MAX);
		return VT_E_SPACE;
	}
	return VT_OK;
}

int
tenants_create(struct mgr *m, const struct tenant_spec *s, mgr_done_cb cb,
    void *arg, char *text)
{
	struct making *k;
	int rc;

	if ((rc = check_new(m, s, text)) != VT_OK)
		return rc;
	if ((k = calloc(1, sizeof(*k))) == NULL ||
	    (k->g = calloc(1, sizeof(*k->g))) == NULL) {
		free(k);
		return VT_E_NOMEM;
	}
	k->m = m;
	k->cb = cb;
	k->arg = arg;
	memcpy(k->g->r.name, s->name, sizeof(k->g->r.name));
	memcpy(k->g->r.key, s->key, sizeof(k->g->r.key));
	k->g->r.number = s->number != 0 ? s->number : m->tenants->next;
	k->g->r.quota = s->quota;
	k->g->r.created_ms = wall_ms();
	if ((rc = ask_ak(k, k->g->r.number)) != VT_OK) {
		free(k->g);
		free(k);
	}
	return rc;
}

int
tenants_renew_ak(
    struct mgr *m, struct tenant *g, mgr_done_cb cb, void *arg, char *text)
{
	struct making *k;
	int rc;

	if ((rc = may_change(m, text)) != VT_OK)
		return rc;
	if (g->r.number == 0) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group 0 quotes with the AK of the host's enrolment, which "
		    "cannot be renewed here");
		return VT_E_STATE;
	}
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return VT_E_NOMEM;
	k->m = m;
	k->cb = cb;
	k->arg = arg;
	k->number = g->r.number;
	if ((rc = ask_ak(k, k->number)) != VT_OK)
		free(k);
	return rc;
}

/* --- changes ---------------------------------------------------------------
 */

static int
take_config(struct tenant *g, const uint8_t *p, size_t len, char *text)
{
	struct tenant_config c;
	int rc;

	if ((rc = tenant_config_get(p, len, &c)) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s: this is not a group configuration (%s); "
		    "`vtpmctl group sign` makes one",
		    g->r.name, vt_strerror(rc));
		return VT_E_FORMAT;
	}
	if (c.group != g->r.number) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s: this configuration was signed for group %u, "
		    "not for group %u",
		    g->r.name, (unsigned)c.group, (unsigned)g->r.number);
		return VT_E_POLICY;
	}
	if ((rc = tenant_config_verify(&c, g->r.key)) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s: this configuration was not signed by the "
		    "group's approval key",
		    g->r.name);
		return VT_E_POLICY;
	}
	if (c.sequence <= g->conf.sequence) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s: this configuration has sequence %llu, and one "
		    "with %llu is in force; sign it with a greater sequence",
		    g->r.name, (unsigned long long)c.sequence,
		    (unsigned long long)g->conf.sequence);
		return VT_E_POLICY;
	}
	memcpy(g->r.config, p, len);
	g->r.config_len = (uint16_t)len;
	g->conf = c;
	return VT_OK;
}

int
tenants_update(struct mgr *m, struct tenant *g,
    const struct tenant_quota *quota, const uint8_t *config, size_t len,
    char *text)
{
	struct tenant_config was_conf = g->conf;
	struct tenant_rec was = g->r;
	int rc;

	if ((rc = may_change(m, text)) != VT_OK)
		return rc;
	if (quota != NULL && g->r.number == 0 && quota->hw_ms != 0) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group 0 is the host: the store's rollback counter and "
		    "every start depend on it, so its TPM time has no limit");
		return VT_E_POLICY;
	}
	if (quota != NULL)
		g->r.quota = *quota;
	if (len > 0)
		rc = take_config(g, config, len, text);
	if (rc == VT_OK)
		rc = commit(m, put_rec(m, &g->r), text);
	if (rc != VT_OK) {
		g->r = was;
		g->conf = was_conf;
		return rc;
	}
	tenants_tell_hw(m);
	tenants_space_changed(m, g->r.number);
	return VT_OK;
}

int
tenants_delete(struct mgr *m, struct tenant *g, char *text)
{
	uint32_t vtpms;
	uint64_t bytes;
	char key[32];
	int rc;

	if ((rc = may_change(m, text)) != VT_OK)
		return rc;
	if (g->r.number == 0) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group 0 is the host and cannot be deleted");
		return VT_E_POLICY;
	}
	tenants_usage(m, g->r.number, &vtpms, &bytes);
	if (vtpms > 0) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "group %s has %u vTPM%s; destroy %s first", g->r.name,
		    (unsigned)vtpms, vtpms == 1 ? "" : "s",
		    vtpms == 1 ? "it" : "them");
		return VT_E_BUSY;
	}
	TAILQ_REMOVE(&m->tenants->list, g, link);
	tenant_meta_key(g->r.number, key);
	if ((rc = store_meta_put(m->st, key, NULL, 0)) == VT_OK)
		rc = put_index(m);
	if ((rc = commit(m, rc, text)) != VT_OK) {
		tenant_insert(m->tenants, g);
		return rc;
	}
	free(g);
	tenants_tell_hw(m);
	return VT_OK;
}

/* --- a quote of the host ---------------------------------------------------
 */

struct quoting {
	struct tenant_quote q;
	tenant_quote_cb cb;
	void *arg;
};

static int
copy_in(uint8_t *dst, size_t cap, uint16_t *ret_len, const struct wblob *b)
{
	if (b->len > cap)
		return VT_E_RANGE;
	if (b->len > 0)
		memcpy(dst, b->p, b->len);
	*ret_len = (uint16_t)b->len;
	return VT_OK;
}

static void
on_quote(void *arg, const struct hw_answer *a)
{
	struct quoting *k = arg;
	struct tenant_quote *q = &k->q;
	char text[MGR_TEXT_MAX] = "";
	struct hw_quoted hq;
	int rc = a->rc;

	if (rc == VT_OK &&
	    (rc = msg_get(hw_quoted, a->body, a->body_len, &hq)) == VT_OK &&
	    (rc = copy_in(q->attest, sizeof(q->attest), &q->attest_len,
		 &hq.attest)) == VT_OK &&
	    (rc = copy_in(
		 q->sig, sizeof(q->sig), &q->sig_len, &hq.signature)) == VT_OK)
		rc = copy_in(q->ak_cert, sizeof(q->ak_cert), &q->ak_cert_len,
		    &hq.ak_cert);
	if (rc != VT_OK)
		(void)snprintf(text, sizeof(text),
		    "the host's TPM made no quote: %.300s",
		    a->rc != VT_OK && a->text[0] != '\0' ? a->text
							 : vt_strerror(rc));
	k->cb(k->arg, rc, text, rc == VT_OK ? q : NULL);
	free(k);
}

int
tenants_quote(struct mgr *m, struct tenant *g, const uint8_t *nonce, size_t len,
    tenant_quote_cb cb, void *arg, char *text)
{
	struct pcr_sel sel = tenants_pcrs(m, g);
	struct hw_quote hq = { .group = g->r.number,
		.bank = sel.banks[0].alg,
		.pcrs = sel.banks[0].mask };
	struct quoting *k;
	struct wr w;
	int rc;

	rc =
	    tenant_qualify(g->r.number, g->conf.sequence, nonce, len, hq.extra);
	if (rc != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "a nonce has %d to %d bytes",
		    TENANT_NONCE_MIN, TENANT_NONCE_MAX);
		return VT_E_FORMAT;
	}
	hq.ak.p = g->r.ak;
	hq.ak.len = g->r.ak_len;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return VT_E_NOMEM;
	k->cb = cb;
	k->arg = arg;
	k->q.group = g->r.number;
	k->q.sequence = g->conf.sequence;
	memcpy(k->q.nonce, nonce, len);
	k->q.nonce_len = (uint16_t)len;
	wr_grow(&w, HW_AK_MAX_LEN + 256);
	msg_put(&w, hw_quote, &hq);
	rc = hwlink_request(m->hw, HW_QUOTE, &w, on_quote, k);
	wr_free(&w);
	if (rc != VT_OK)
		free(k);
	return rc;
}
