/* SPDX-License-Identifier: BSD-3-Clause */
/* trail.c - merge the journal and the event logs, PCR by PCR. */
#include "measure/log/trail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/log/eventlog.h"

/* What one log says, in order. */
struct log_list {
	struct trail_event *ev;
	uint32_t n, room;
	int locality; /* of the Startup; -1: no log has it */
	bool begun;   /* PCR 0 was extended */
	bool launch;  /* has the D-RTM event of a launch record */
};

static int
grow(struct trail_event **ev, uint32_t n, uint32_t *room)
{
	uint32_t want = *room == 0 ? 64 : 2 * *room;
	struct trail_event *p;

	if (n < *room)
		return VT_OK;
	if ((p = realloc(*ev, want * sizeof(*p))) == NULL)
		return VT_E_NOMEM;
	*ev = p;
	*room = want;
	return VT_OK;
}

/* EV_NO_ACTION, which extends nothing.  Windows ends its log with one of no
 * PCR, and its digest is not zero. */
static int
take_no_action(struct log_list *l, const struct el_event *ev)
{
	uint8_t locality = 0;
	int rc;

	if (ev->pcr != EL_PCR_NONE && !el_digests_are_zero(ev))
		return VT_E_FORMAT;
	if ((rc = el_startup_locality(ev, &locality)) <= 0)
		return rc;
	if (l->begun || l->locality >= 0)
		return VT_E_FORMAT; /* it would rewrite history */
	l->locality = locality;
	return VT_OK;
}

static int
take_event(
    struct log_list *l, const struct el_event *ev, uint16_t alg, int32_t which)
{
	const struct tpm_digest *d = el_event_digest(ev, alg);
	struct trail_event *t;
	int rc;

	if (!el_extends(ev))
		return take_no_action(l, ev);
	if (d == NULL)
		return VT_E_NOTFOUND;
	if ((rc = grow(&l->ev, l->n, &l->room)) != VT_OK)
		return rc;
	t = &l->ev[l->n++];
	memset(t, 0, sizeof(*t));
	t->pcr = ev->pcr;
	memcpy(t->val, d->val, d->len);
	t->log = which;
	t->log_index = (int32_t)ev->index;
	t->record = -1;
	t->type = ev->type;
	t->data = ev->data;
	t->datalen = ev->datalen;
	l->begun |= ev->pcr == 0;
	l->launch |= el_is_launch(ev);
	return VT_OK;
}

static int
take_log(struct log_list *l, const uint8_t *p, size_t len, uint16_t alg,
    int32_t which)
{
	const struct el_spec *spec;
	struct el_event ev;
	struct el_log *log;
	uint32_t i;
	int rc;

	if ((rc = el_open(p, len, &log)) != VT_OK)
		return rc;
	spec = el_spec(log);
	for (i = 0; i < spec->nbanks; i++)
		if (spec->algs[i] == alg)
			break;
	if (i == spec->nbanks) {
		el_close(log);
		return VT_E_NOTFOUND;
	}
	while ((rc = el_next(log, &ev)) == 1)
		if ((rc = take_event(l, &ev, alg, which)) != VT_OK)
			break;
	el_close(log);
	return rc;
}

/* Say what is wrong with an input, and return rc. */
static int
refuse(
    char err[TRAIL_ERR_MAX], int rc, const char *what, uint16_t alg, size_t len)
{
	if (rc == VT_E_NOTFOUND)
		(void)snprintf(err, TRAIL_ERR_MAX, "%s has no %s bank", what,
		    digest_name(alg));
	else if (rc == VT_E_STATE)
		(void)snprintf(err, TRAIL_ERR_MAX,
		    "%s has no Startup: no firmware started the TPM", what);
	else
		(void)snprintf(
		    err, TRAIL_ERR_MAX, "%s %s", what, vt_input_error(rc, len));
	return rc;
}

static int
take_logs(const struct trail_in *in, struct log_list *l, bool *ret_any,
    char err[TRAIL_ERR_MAX])
{
	static const char *const names[TRAIL_MAX_LOGS] = {
		"the host-made event log", "the event log"
	};
	int32_t i;
	int rc;

	for (i = 0; i < TRAIL_MAX_LOGS; i++) {
		if (in->logs[i].p == NULL)
			continue;
		*ret_any = true;
		/* A guest without firmware log may hand over the host's. */
		if (i > 0 && in->logs[0].p != NULL &&
		    in->logs[0].len == in->logs[i].len &&
		    memcmp(in->logs[0].p, in->logs[i].p, in->logs[i].len) == 0)
			continue;
		rc = take_log(l, in->logs[i].p, in->logs[i].len, in->alg, i);
		if (rc != VT_OK)
			return refuse(
			    err, rc, names[i], in->alg, in->logs[i].len);
	}
	return VT_OK;
}

/* --- from the journal ----------------------------------------------------- */

static void
start_from(struct trail *t, const struct pcr_set *set, uint32_t mask)
{
	uint32_t n;

	for (n = 0; n < PCR_COUNT; n++)
		if (mask >> n & 1)
			memcpy(t->start[n], set->banks[0].val[n], t->len);
}

/* These PCRs get a new value: earlier events do not count. */
static void
forget(struct trail *t, uint32_t mask)
{
	uint32_t i, k = 0;

	for (i = 0; i < t->n; i++)
		if ((mask >> t->ev[i].pcr & 1) == 0)
			t->ev[k++] = t->ev[i];
	t->n = k;
}

static int
push(struct trail *t, uint32_t *room, uint32_t pcr, const uint8_t *val,
    const struct jr_record *r, int32_t record)
{
	struct trail_event *e;
	int rc;

	if ((rc = grow(&t->ev, t->n, room)) != VT_OK)
		return rc;
	t->extended_mask |= 1u << pcr;
	e = &t->ev[t->n++];
	memset(e, 0, sizeof(*e));
	e->pcr = pcr;
	memcpy(e->val, val, t->len);
	e->log = e->log_index = -1;
	e->record = record;
	e->kind = r->kind;
	e->locality = r->locality;
	return VT_OK;
}

static const struct tpm_digest *
digest_of(const struct jr_record *r, uint16_t alg)
{
	uint32_t i;

	for (i = 0; i < r->ndigests; i++)
		if (r->digests[i].alg == alg)
			return &r->digests[i];
	return NULL;
}

static int
push_cap(struct trail *t, uint32_t *room, const struct jr_record *r, int32_t i)
{
	struct tpm_digest d;
	uint32_t n;
	int rc;

	if ((rc = journal_cap_digest(t->alg, &d)) != VT_OK)
		return rc;
	for (n = 0; n < PCR_COUNT && rc == VT_OK; n++)
		if (r->value >> n & 1)
			rc = push(t, room, n, d.val, r, i);
	return rc;
}

/* State while walking a journal. */
struct walk {
	struct trail *t;
	uint32_t room;
	struct pcr_set set; /* one bank: start values */
	struct jr_record hcrtm;
	int32_t hcrtm_at; /* -1: none since the power cycle */
	bool started;
};

static int
walk_startup(struct walk *w, const struct jr_record *r)
{
	const struct tpm_digest *d;

	w->started = true;
	forget(w->t, PCR_ALL);
	w->t->reset_mask = 0;
	w->t->extended_mask = 0;
	w->t->journal_locality = w->hcrtm_at >= 0 ? 4 : r->locality;
	pcr_set_reset(&w->set, (uint8_t)w->t->journal_locality);
	start_from(w->t, &w->set, PCR_ALL);
	if (w->hcrtm_at < 0 || (d = digest_of(&w->hcrtm, w->t->alg)) == NULL)
		return VT_OK;
	return push(w->t, &w->room, 0, d->val, &w->hcrtm, w->hcrtm_at);
}

static void
walk_refill(struct walk *w, uint32_t mask)
{
	forget(w->t, mask);
	start_from(w->t, &w->set, mask);
}

static int
walk_record(struct walk *w, const struct jr_record *r, int32_t i)
{
	const struct tpm_digest *d;

	if (journal_kind_extends(r->kind)) {
		d = digest_of(r, w->t->alg);
		if (d == NULL || !w->started)
			return VT_OK;
		return push(w->t, &w->room, r->pcr, d->val, r, i);
	}
	switch (r->kind) {
	case JR_POWER:
		w->hcrtm_at = -1;
		break;
	case JR_HCRTM:
		w->hcrtm = *r;
		w->hcrtm_at = i;
		break;
	case JR_STARTUP:
		return walk_startup(w, r);
	case JR_RESUME:
		pcr_set_reset(&w->set, 0);
		walk_refill(w, 0xff0000u);
		break;
	case JR_RESET:
		pcr_fill(&w->set, r->pcr, (uint8_t)r->value);
		walk_refill(w, 1u << r->pcr);
		w->t->reset_mask |= 1u << r->pcr;
		break;
	case JR_DRTM_START:
		pcr_drtm_start(&w->set);
		walk_refill(w, 0x7e0000u);
		break;
	case JR_CAP:
		return push_cap(w->t, &w->room, r, i);
	default:
		break;
	}
	return VT_OK;
}

static int
from_journal(struct trail *t, const struct journal *j)
{
	struct walk w = { .t = t, .hcrtm_at = -1 };
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t n = journal_banks(j, algs), i;
	struct jr_record r;
	int rc;

	for (i = 0; i < n; i++)
		if (algs[i] == t->alg)
			break;
	if (i == n)
		return VT_E_NOTFOUND;
	if ((rc = pcr_set_init(&w.set, &t->alg, 1)) != VT_OK)
		return rc;
	for (i = 0; i < journal_count(j); i++) {
		if ((rc = journal_get(j, i, &r)) != VT_OK ||
		    (rc = walk_record(&w, &r, (int32_t)i)) != VT_OK)
			return rc;
	}
	if (!w.started)
		return VT_E_STATE;
	t->has_journal = true;
	t->journal_flags = journal_flags(j);
	t->chained = journal_chained_mask(j);
	t->extended_mask |= t->chained;
	return VT_OK;
}

/* --- merge ---------------------------------------------------------------- */

static void
note_diff(
    struct trail *t, const struct trail_event *l, uint32_t pos, int32_t record)
{
	t->diff_mask |= 1u << l->pcr;
	if (t->diff.differs)
		return; /* logs are walked in order: the first one stays */
	t->diff.differs = true;
	t->diff.pcr = l->pcr;
	t->diff.pos = pos;
	t->diff.log = l->log;
	t->diff.log_index = l->log_index;
	t->diff.record = record;
	t->diff.said = *l;
}

/* The next event of pcr in the trail, from *at on; NULL at the end. */
static struct trail_event *
next_of(struct trail *t, uint32_t pcr, uint32_t *at)
{
	for (; *at < t->n; (*at)++)
		if (t->ev[*at].pcr == pcr)
			return &t->ev[(*at)++];
	return NULL;
}

/* Attach to the journal's events what the logs say about them. */
static void
annotate(struct trail *t, const struct log_list *l)
{
	uint32_t at[PCR_COUNT] = { 0 }, pos[PCR_COUNT] = { 0 }, i;
	const struct trail_event *le;
	struct trail_event *je;

	for (i = 0; i < l->n; i++) {
		le = &l->ev[i];
		pos[le->pcr]++;
		if (t->diff_mask >> le->pcr & 1)
			continue;
		je = next_of(t, le->pcr, &at[le->pcr]);
		if (je == NULL) {
			if ((t->chained >> le->pcr & 1) == 0)
				note_diff(t, le, pos[le->pcr], -1);
			continue;
		}
		if (memcmp(je->val, le->val, t->len) != 0) {
			note_diff(t, le, pos[le->pcr], je->record);
			continue;
		}
		je->log = le->log;
		je->log_index = le->log_index;
		je->type = le->type;
		je->data = le->data;
		je->datalen = le->datalen;
	}
}

static void
number(struct trail *t)
{
	uint32_t pos[PCR_COUNT] = { 0 }, i;

	for (i = 0; i < t->n; i++)
		t->ev[i].pos = ++pos[t->ev[i].pcr];
}

static int
from_logs(struct trail *t, struct log_list *l)
{
	struct pcr_set set;
	uint32_t i;
	int rc;

	if ((rc = pcr_set_init(&set, &t->alg, 1)) != VT_OK)
		return rc;
	pcr_set_reset(&set, l->locality >= 0 ? (uint8_t)l->locality : 0);
	for (i = 0; i < l->n; i++)
		t->extended_mask |= 1u << l->ev[i].pcr;
	if (l->launch)
		pcr_drtm_start(&set);
	start_from(t, &set, PCR_ALL);
	t->ev = l->ev;
	t->n = l->n;
	l->ev = NULL;
	return VT_OK;
}

int
trail_make(
    const struct trail_in *in, struct trail **ret, char err[TRAIL_ERR_MAX])
{
	struct log_list l = { .locality = -1 };
	struct trail *t = calloc(1, sizeof(*t));
	int rc;

	(void)snprintf(err, TRAIL_ERR_MAX, "out of memory");
	if (t == NULL)
		return VT_E_NOMEM;
	t->journal_locality = -1;
	t->alg = in->alg;
	t->len = (uint16_t)digest_len(in->alg);
	rc = VT_E_UNSUPPORTED;
	(void)snprintf(err, TRAIL_ERR_MAX, "the bank is not known here");
	if (t->len == 0)
		goto out;
	if ((rc = take_logs(in, &l, &t->has_log, err)) != VT_OK)
		goto out;
	rc = VT_E_NOTFOUND;
	(void)snprintf(
	    err, TRAIL_ERR_MAX, "there is neither an event log nor a journal");
	if (in->journal == NULL && !t->has_log)
		goto out;
	t->locality = l.locality;
	if (in->journal == NULL)
		rc = from_logs(t, &l);
	else if ((rc = from_journal(t, in->journal)) == VT_OK && t->has_log)
		annotate(t, &l);
	if (rc != VT_OK) {
		(void)refuse(err, rc, "the extend journal", in->alg, 1);
		goto out;
	}
	number(t);
	*ret = t;
	t = NULL;
out:
	free(l.ev);
	trail_free(t);
	return rc;
}

void
trail_free(struct trail *t)
{
	if (t == NULL)
		return;
	free(t->ev);
	free(t);
}

bool
trail_value(const struct trail *t, uint32_t pcr, uint8_t out[DIGEST_MAX])
{
	uint8_t val[DIGEST_MAX];
	uint32_t i;

	if (pcr >= PCR_COUNT || (t->chained >> pcr & 1) != 0)
		return false;
	memcpy(val, t->start[pcr], sizeof(val));
	for (i = 0; i < t->n; i++)
		if (t->ev[i].pcr == pcr &&
		    digest_extend(t->alg, val, t->ev[i].val) != VT_OK)
			return false;
	memcpy(out, val, t->len);
	return true;
}
