/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_deep.c - deep quotes for the guest: submit, ask the manager,
 * collect.  Nothing here waits: a ticket is pending until W_DEEPED arrives,
 * and W_DEEP is sent again to a manager that restarts.
 */

#include "vtpm/worker/worker_deep.h"
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/log/journal_codec.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/engine/vendor_command.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"

/* The worker tells the guest when to poll, based on recent latency. */
#define HINT_FIRST_MS 50
#define HINT_MIN_MS 2
#define HINT_MAX_MS 1000
/* A ticket fails after this time without an answer; vtpm-attest gives up after
 * one minute. */
#define AWAY_US 50000000
#define COLLECT_HDR (TPM_HDR_LEN + 2 + 1 + 4 + 2)

_Static_assert(WDEEP_NONCE_MAX == DEEP_NONCE_MAX, "nonce");
_Static_assert(WDEEP_ANSWER_MAX == DEEP_ANSWER_MAX, "answer");

static void
drop(struct wk_deep *d)
{
	free(d->answer);
	memset(d, 0, sizeof(*d));
}

void
wk_deep_drop_all(struct worker *w)
{
	size_t i;

	for (i = 0; i < VT_NELEM(w->deep); i++)
		drop(&w->deep[i]);
}

static void
ask(struct worker *w, struct wk_deep *d)
{
	struct wdeep m = d->m;
	uint8_t buf[512];
	struct wr p;

	if (!w->greeted || d->state != VDQ_PENDING)
		return;
	m.nonce.p = d->nonce;
	wr_init(&p, buf, sizeof(buf));
	msg_put(&p, wdeep, &m);
	wk_send(w, W_DEEP, 0, &p);
}

void
wk_deep_ask_again(struct worker *w)
{
	size_t i;

	for (i = 0; i < VT_NELEM(w->deep); i++)
		ask(w, &w->deep[i]);
}

static void
finish(struct wk_deep *d, uint8_t state, const void *p, size_t len)
{
	d->answer = malloc(len > 0 ? len : 1);
	d->state = d->answer != NULL ? state : VDQ_FAILED;
	d->answer_len = d->answer != NULL ? len : 0;
	if (d->answer_len > 0)
		memcpy(d->answer, p, len);
}

/* Near the shortest recent time: a guest that polls too early polls again. */
static void
learn(struct worker *w, uint64_t us)
{
	if (w->deep_us == 0 || us < w->deep_us)
		w->deep_us = us;
	else
		w->deep_us += (us - w->deep_us) / 8;
}

void
wk_deep_answered(struct worker *w, const struct wdeeped *m)
{
	struct wk_deep *d = NULL;
	size_t i;

	for (i = 0; i < VT_NELEM(w->deep); i++)
		if (w->deep[i].state == VDQ_PENDING &&
		    w->deep[i].m.ticket == m->ticket)
			d = &w->deep[i];
	if (d == NULL)
		return; /* failed or dropped meanwhile */
	if (m->rc == VT_OK) {
		learn(w, now_us() - d->at_us);
		finish(d, VDQ_READY, m->answer.p, m->answer.len);
	} else {
		finish(d, VDQ_FAILED, m->text, strlen(m->text));
	}
}

/* The manager is away, or did not answer. */
static void
give_up(struct worker *w)
{
	static const char why[] =
	    "the vTPM manager did not answer in time; try again";
	uint64_t now = now_us();
	size_t i;

	for (i = 0; i < VT_NELEM(w->deep); i++)
		if (w->deep[i].state == VDQ_PENDING &&
		    now - w->deep[i].at_us > AWAY_US)
			finish(&w->deep[i], VDQ_FAILED, why, sizeof(why) - 1);
}

/* Which ticket to drop first: a collected one, then the older one. */
static bool
rather(const struct wk_deep *a, const struct wk_deep *b)
{
	if (a->collected != b->collected)
		return a->collected;
	return a->m.ticket < b->m.ticket;
}

/* A free place, or that of a finished ticket; NULL: all are pending. */
static struct wk_deep *
place(struct worker *w)
{
	struct wk_deep *best = NULL, *d;
	size_t i;

	for (i = 0; i < VT_NELEM(w->deep); i++) {
		d = &w->deep[i];
		if (d->state == 0)
			return d;
		if (d->state != VDQ_PENDING &&
		    (best == NULL || rather(d, best)))
			best = d;
	}
	if (best != NULL)
		drop(best);
	return best;
}

static uint32_t
flags(const struct worker *w)
{
	uint32_t f = 0;

	if (power_is_capped(w->power))
		f |= DEEP_F_CAPPED;
	if ((w->perm_flags & SP_RESTORED) != 0)
		f |= DEEP_F_RESTORED;
	if (power_is_launched(w->power))
		f |= DEEP_F_LAUNCHED;
	if (w->machine.unseen)
		f |= DEEP_F_UNSEEN;
	return f;
}

/* What the leaf says of this TPM at this moment. */
static int
take_facts(const struct worker *w, struct wdeep *m)
{
	struct wr p;
	int rc;

	m->flags = flags(w);
	wr_grow(&p, JOURNAL_MAX_LEN);
	journal_encode(w->cap.journal, &p);
	if ((rc = wr_err(&p)) == VT_OK)
		rc = digest_buf(ALG_SHA256, p.buf, p.len, m->journal);
	wr_free(&p);
	if (rc == VT_OK && power_is_launched(w->power) &&
	    w->launch.now.l.record.len > 0)
		rc = digest_buf(ALG_SHA256, w->launch.now.l.record.p,
		    w->launch.now.l.record.len, m->launch);
	return rc;
}

static uint32_t
hint_ms(const struct worker *w)
{
	uint64_t ms = w->deep_us / 1000;

	if (w->deep_us == 0)
		return HINT_FIRST_MS;
	return ms < HINT_MIN_MS   ? HINT_MIN_MS
	       : ms > HINT_MAX_MS ? HINT_MAX_MS
				  : (uint32_t)ms;
}

static size_t
submit(struct worker *w, struct rd *r, uint8_t *out, size_t cap)
{
	struct wdeep m = { 0 };
	const uint8_t *nonce;
	struct wk_deep *d;
	struct wr p;
	size_t n;

	rd_bytes(r, m.quote, sizeof(m.quote));
	rd_bytes(r, m.channel_key, sizeof(m.channel_key));
	nonce = rd_blob16(r, WDEEP_NONCE_MAX, &n);
	if (rd_end(r) != VT_OK)
		return vendor_fail(out, RC_SIZE);
	if (!quotes_has(&w->quotes, m.quote))
		return vendor_fail(out, RC_VALUE);
	give_up(w);
	if (take_facts(w, &m) != VT_OK)
		return vendor_fail(out, RC_FAILURE);
	/* Not TPM_RC_RETRY: Linux would send it again by itself, and keep the
	 * guest's other commands waiting. */
	if ((d = place(w)) == NULL)
		return vendor_fail(out, RC_MEMORY);
	m.ticket = ++w->deep_tickets;
	m.nonce.len = (uint32_t)n;
	d->m = m;
	if (n > 0)
		memcpy(d->nonce, nonce, n);
	d->state = VDQ_PENDING;
	d->at_us = now_us();
	ask(w, d);
	vendor_begin(&p, out, cap, VSUB_DEEP_SUBMIT);
	wr_be64(&p, m.ticket);
	wr_be32(&p, hint_ms(w));
	return vendor_end(&p);
}

static size_t
collect(struct worker *w, struct rd *r, uint8_t *out, size_t cap)
{
	uint64_t ticket = rd_be64(r);
	size_t i, off = rd_be32(r), max = rd_be16(r), n;
	struct wk_deep *d = NULL;
	struct wr p;

	if (rd_end(r) != VT_OK)
		return vendor_fail(out, RC_SIZE);
	give_up(w);
	for (i = 0; i < VT_NELEM(w->deep); i++)
		if (w->deep[i].state != 0 && w->deep[i].m.ticket == ticket)
			d = &w->deep[i];
	if (d == NULL)
		return vendor_fail(out, RC_VALUE);
	n = off < d->answer_len ? d->answer_len - off : 0;
	if (n > max)
		n = max;
	if (n > cap - COLLECT_HDR)
		n = cap - COLLECT_HDR;
	if (d->state != VDQ_PENDING && off + n >= d->answer_len)
		d->collected = true;
	vendor_begin(&p, out, cap, VSUB_DEEP_COLLECT);
	wr_u8(&p, d->state);
	wr_be32(&p, (uint32_t)d->answer_len);
	wr_be16(&p, (uint16_t)n);
	if (n > 0)
		wr_bytes(&p, d->answer + off, n);
	return vendor_end(&p);
}

size_t
wk_deep(
    struct worker *w, const struct vendor_request *q, uint8_t *out, size_t cap)
{
	struct rd r = q->params;

	return q->sub == VSUB_DEEP_SUBMIT ? submit(w, &r, out, cap)
					  : collect(w, &r, out, cap);
}
