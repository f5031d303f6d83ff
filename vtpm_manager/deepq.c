/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/deepq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "measure/deep.h"
#include "vtpm_manager/hwlink.h"

/* Which of the host's PCRs every host quote has. */
#define HOST_BANK ALG_SHA256
#define HOST_PCRS 0xffu

struct dreq {
	struct dreq *next;
	uint64_t serial; /* of the link: a successor has other tickets */
	uint64_t ticket;
	struct deep_leaf leaf;
};

struct deepq {
	struct mgr *m;
	struct dreq *first, **last; /* they wait */
	size_t n;
	/* The batch that the host's TPM is signing. */
	bool busy;
	struct dreq **batch; /* heap */
	size_t nbatch;
	struct deep_tree *tree;
	uint64_t t0;
	struct deepq_counters count;
};

static void kick(struct deepq *q);

int
deepq_new(struct mgr *m)
{
	struct deepq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return VT_E_NOMEM;
	q->m = m;
	q->last = &q->first;
	m->deepq = q;
	return VT_OK;
}

static void
batch_free(struct deepq *q)
{
	size_t i;

	for (i = 0; i < q->nbatch; i++)
		free(q->batch[i]);
	free(q->batch);
	deep_tree_free(q->tree);
	q->batch = NULL;
	q->tree = NULL;
	q->nbatch = 0;
	q->busy = false;
}

void
deepq_free(struct mgr *m)
{
	struct deepq *q = m->deepq;
	struct dreq *r;

	if (q == NULL)
		return;
	if (m->hw != NULL)
		hwlink_forget(m->hw, q);
	batch_free(q);
	while ((r = q->first) != NULL) {
		q->first = r->next;
		free(r);
	}
	free(q);
	m->deepq = NULL;
}

void
deepq_counters(const struct mgr *m, struct deepq_counters *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (m->deepq != NULL)
		*ret = m->deepq->count;
}

/* --- answers -------------------------------------------------------------- */

static void
tell(struct deepq *q, const struct dreq *r, const struct wdeeped *d)
{
	struct ginst *g = inst_live(q->m, r->leaf.uuid);

	if (g != NULL && g->link != NULL && g->link->serial == r->serial)
		wlink_deeped(g->link, d);
}

static void
tell_failure(struct deepq *q, const struct dreq *r, int rc, const char *why)
{
	struct wdeeped d = { .ticket = r->ticket, .rc = rc };

	(void)snprintf(d.text, sizeof(d.text), "%s", why);
	q->count.failed++;
	tell(q, r, &d);
}

static int
tell_answer(struct deepq *q, size_t i, const struct hw_quoted *hq)
{
	struct deep_answer a = {
		.leaf = q->batch[i]->leaf, .index = i, .count = q->nbatch
	};
	struct wdeeped d = { .ticket = q->batch[i]->ticket };
	uint8_t buf[DEEP_ANSWER_MAX];
	struct wr w;
	size_t n;
	int rc;

	if (hq->attest.len > sizeof(a.attest) ||
	    hq->signature.len > sizeof(a.sig) ||
	    hq->ak_cert.len > sizeof(a.ak_cert))
		return VT_E_RANGE;
	if ((rc = deep_tree_path(q->tree, i, a.path, &n)) != VT_OK)
		return rc;
	a.path_len = (uint16_t)n;
	memcpy(a.attest, hq->attest.p, hq->attest.len);
	memcpy(a.sig, hq->signature.p, hq->signature.len);
	memcpy(a.ak_cert, hq->ak_cert.p, hq->ak_cert.len);
	a.attest_len = (uint16_t)hq->attest.len;
	a.sig_len = (uint16_t)hq->signature.len;
	a.ak_cert_len = (uint16_t)hq->ak_cert.len;
	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, &a);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	d.answer.p = buf;
	d.answer.len = (uint32_t)w.len;
	q->count.answered++;
	tell(q, q->batch[i], &d);
	return VT_OK;
}

static void
on_quoted(void *arg, const struct hw_answer *a)
{
	char why[TEXT_MAX_LEN + 1];
	struct deepq *q = arg;
	struct hw_quoted hq;
	int rc = a->rc, one;
	size_t i;

	if (rc == VT_OK)
		rc = hw_quoted_get(a->body, a->body_len, &hq);
	(void)snprintf(why, sizeof(why), "the host's TPM did not vouch: %.200s",
	    a->rc != VT_OK && a->text[0] != '\0' ? a->text : vt_strerror(rc));
	if (rc != VT_OK)
		log_warn("%zu deep quote(s): %s", q->nbatch, why);
	for (i = 0; i < q->nbatch; i++) {
		one = rc == VT_OK ? tell_answer(q, i, &hq) : rc;
		if (one != VT_OK)
			tell_failure(q, q->batch[i], one, why);
	}
	q->count.us_last = now_us() - q->t0;
	if (rc == VT_OK)
		q->count.host_quotes++;
	batch_free(q);
	kick(q);
}

/* --- one batch -------------------------------------------------------------
 */

/* Those of the group of the first that waits. */
static int
gather(struct deepq *q)
{
	uint32_t group = q->first->leaf.group;
	size_t max = q->n < DEEP_BATCH_MAX ? q->n : DEEP_BATCH_MAX;
	struct dreq **pp = &q->first, *r;

	q->batch = calloc(max, sizeof(struct dreq *));
	if (q->batch == NULL)
		return VT_E_NOMEM;
	while ((r = *pp) != NULL && q->nbatch < max) {
		if (r->leaf.group != group) {
			pp = &r->next;
			continue;
		}
		*pp = r->next;
		q->n--;
		q->batch[q->nbatch++] = r;
	}
	for (pp = &q->first; *pp != NULL; pp = &(*pp)->next)
		;
	q->last = pp;
	if (q->nbatch > q->count.batch_max)
		q->count.batch_max = q->nbatch;
	return VT_OK;
}

static int
plant(struct deepq *q)
{
	uint8_t(*leaves)[SHA256_LEN] = calloc(q->nbatch, SHA256_LEN);
	int rc = leaves != NULL ? VT_OK : VT_E_NOMEM;
	size_t i;

	for (i = 0; rc == VT_OK && i < q->nbatch; i++)
		rc = deep_leaf_hash(&q->batch[i]->leaf, leaves[i]);
	if (rc == VT_OK)
		rc = deep_tree_new(
		    (const uint8_t(*)[SHA256_LEN])leaves, q->nbatch, &q->tree);
	free(leaves);
	return rc;
}

static int
ask_host(struct deepq *q)
{
	struct hw_quote hq = { .group = q->batch[0]->leaf.group,
		.bank = HOST_BANK,
		.pcrs = HOST_PCRS };
	uint8_t root[SHA256_LEN], buf[256];
	struct wr w;
	int rc;

	deep_tree_root(q->tree, root);
	if ((rc = deep_qualify(root, 0, hq.extra)) != VT_OK)
		return rc;
	wr_init(&w, buf, sizeof(buf));
	hw_quote_put(&w, &hq);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	q->t0 = now_us();
	return hwlink_request(q->m->hw, HW_QUOTE, &w, on_quoted, q);
}

static void
kick(struct deepq *q)
{
	size_t i;
	int rc;

	while (!q->busy && q->first != NULL) {
		q->busy = true;
		if ((rc = gather(q)) == VT_OK && (rc = plant(q)) == VT_OK &&
		    (rc = ask_host(q)) == VT_OK)
			return;
		for (i = 0; i < q->nbatch; i++)
			tell_failure(q, q->batch[i], rc, vt_strerror(rc));
		batch_free(q);
		if (rc == VT_E_NOMEM)
			return;
	}
}

/* --- a worker asks ---------------------------------------------------------
 */

static int
fill_leaf(struct ginst *g, const struct wdeep *d, struct deep_leaf *l)
{
	const uint32_t told = DEEP_F_RESTORED | DEEP_F_CAPPED | DEEP_F_LAUNCHED;
	size_t ek, ak;
	int rc;

	memset(l, 0, sizeof(*l));
	rc = inst_key_names(
	    g->m, &g->in, l->ek_name, &ek, l->ak_name, &ak, DEEP_NAME_MAX);
	if (rc != VT_OK)
		return rc;
	l->ek_name_len = (uint16_t)ek;
	l->ak_name_len = (uint16_t)ak;
	memcpy(l->uuid, g->in.uuid, UUID_LEN);
	l->group = g->in.group;
	l->generation = g->in.generation;
	l->version = g->in.version;
	l->flags = d->flags & told;
	if (g->in.flags & INST_F_RESTORED)
		l->flags |= DEEP_F_RESTORED;
	if (g->m->root_kind == ROOT_SOFT)
		l->flags |= DEEP_F_SOFT_ROOT;
	memcpy(l->quote, d->quote, SHA256_LEN);
	memcpy(l->channel_key, d->channel_key, SHA256_LEN);
	memcpy(l->launch, d->launch, SHA256_LEN);
	memcpy(l->journal, d->journal, SHA256_LEN);
	l->nonce_len = (uint16_t)d->nonce.len;
	if (d->nonce.len > 0)
		memcpy(l->nonce, d->nonce.p, d->nonce.len);
	return VT_OK;
}

static size_t
waiting_of(const struct deepq *q, const uint8_t uuid[UUID_LEN])
{
	const struct dreq *r;
	size_t n = 0;

	for (r = q->first; r != NULL; r = r->next)
		if (memcmp(r->leaf.uuid, uuid, UUID_LEN) == 0)
			n++;
	return n;
}

void
deepq_ask(struct ginst *g, const struct wdeep *d)
{
	struct deepq *q = g->m->deepq;
	struct dreq *r = calloc(1, sizeof(*r));
	struct wdeeped no = { .ticket = d->ticket };
	int rc = r != NULL ? VT_OK : VT_E_NOMEM;

	q->count.asked++;
	if (rc == VT_OK &&
	    (q->n >= DEEPQ_ALL || waiting_of(q, g->in.uuid) >= DEEPQ_EACH))
		rc = VT_E_BUSY;
	if (rc == VT_OK)
		rc = fill_leaf(g, d, &r->leaf);
	if (rc != VT_OK) {
		free(r);
		no.rc = rc;
		(void)snprintf(no.text, sizeof(no.text), "%s",
		    rc == VT_E_BUSY ? "too many deep quotes wait"
				    : vt_strerror(rc));
		q->count.failed++;
		wlink_deeped(g->link, &no);
		return;
	}
	r->serial = g->link->serial;
	r->ticket = d->ticket;
	*q->last = r;
	q->last = &r->next;
	q->n++;
	kick(q);
}
