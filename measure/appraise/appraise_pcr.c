/* SPDX-License-Identifier: BSD-3-Clause */
/* appraise_pcr.c - one bank: each PCR by its rule. */
#include "measure/appraise/appraise_pcr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/appraise/appraise.h"
#include "measure/appraise/appraise_diff.h"
#include "measure/appraise/appraise_events.h"
#include "measure/appraise/appraise_priv.h"
#include "measure/appraise/appraise_report.h"
#include "measure/appraise/policy.h"
#include "measure/log/eventlog.h"
#include "measure/log/trail.h"
#include "measure/log/trail_describe.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

#define MAX_LIES 16 /* findings; one is enough to refuse */

/* --- the value of one PCR ------------------------------------------------- */

/* True if log and journal give the quoted value; adds what they do not. */
static bool
replay_fits(struct judge *j, uint32_t pcr, const uint8_t *val)
{
	char got[2 * DIGEST_MAX + 1], want[2 * DIGEST_MAX + 1];
	uint8_t replayed[DIGEST_MAX];

	if (!trail_value(j->t, pcr, replayed))
		return true; /* chained: judged elsewhere */
	if (memcmp(replayed, val, j->bank->len) == 0)
		return true;
	hex_encode(replayed, j->bank->len, got);
	hex_encode(val, j->bank->len, want);
	ap_say(j->a, AP_C_LOG_REPLAY, AP_FAIL, j->bank->alg, (int32_t)pcr, 0,
	    "PCR %u: the %s gives %.16s..., but the TPM has %.16s...: events "
	    "are missing, added or forged there",
	    pcr, j->t->has_journal ? "journal" : "event log", got, want);
	return false;
}

/* A value behind a reset says nothing of what ran before it. */
static bool
was_reset(struct judge *j, uint32_t pcr)
{
	if (j->t == NULL || (j->t->reset_mask >> pcr & 1) == 0)
		return false;
	ap_say(j->a, AP_C_PCR_RESET, AP_FAIL, j->bank->alg, (int32_t)pcr, 0,
	    "PCR %u was reset while the guest ran", pcr);
	return true;
}

static bool
judge_trail(struct judge *j, uint32_t pcr, const uint8_t *val)
{
	uint16_t alg = j->bank->alg;

	if (j->t == NULL) {
		ap_say(j->a, AP_C_LOG_MISSING, AP_FAIL, alg, (int32_t)pcr, 0,
		    "PCR %u is judged by its events, and the evidence has "
		    "neither a readable event log nor the journal",
		    pcr);
		return false;
	}
	if (was_reset(j, pcr))
		return false;
	if (j->t->chained >> pcr & 1) {
		ap_say(j->a, AP_C_CHAINED, AP_FAIL, alg, (int32_t)pcr, 0,
		    "PCR %u: the journal keeps only a chain of its extends, "
		    "so single events cannot be judged; fix it by value or "
		    "ignore it with a reason",
		    pcr);
		return false;
	}
	return replay_fits(j, pcr, val);
}

static void
judge_values(struct judge *j, uint32_t pcr, const uint8_t *val)
{
	const struct pol_pcr *rule = &j->bank->pcrs[pcr];
	char hex[2 * DIGEST_MAX + 1], want[2 * DIGEST_MAX + 1];
	const struct explain e = { .pcr = pcr, .was = rule->values[0].what };
	uint32_t i;

	if (was_reset(j, pcr) || (j->t != NULL && !replay_fits(j, pcr, val)))
		return;
	for (i = 0; i < rule->nvalues; i++)
		if (memcmp(rule->values[i].val, val, j->bank->len) == 0)
			return;
	hex_encode(val, j->bank->len, hex);
	hex_encode(rule->values[0].val, j->bank->len, want);
	ap_say(j->a, AP_C_VALUE_DIFFERS, AP_FAIL, j->bank->alg, (int32_t)pcr, 0,
	    "PCR %u is %.16s..., expected %.16s...%s%.80s%s (%s)", pcr, hex,
	    want, rule->values[0].what[0] != '\0' ? " " : "",
	    rule->values[0].what,
	    rule->nvalues > 1 ? " or another listed value" : "",
	    explain_cause(&e));
	ap_tag(j->a, ap_first_place(j, pcr), explain_cause(&e));
}

static void
judge_launch(struct judge *j, uint32_t pcr)
{
	if (j->a->launch == NULL)
		ap_say(j->a, AP_C_LAUNCH_MISSING, AP_FAIL, j->bank->alg,
		    (int32_t)pcr, 0,
		    "PCR %u must come from a launch record, and none is "
		    "proved",
		    pcr);
}

/*
 * A PCR that the policy leaves out must never have been extended: what was
 * measured there has a consumer.  A reset does not undo that.  A policy that
 * requires a launch names PCR 17 by that; check_launch() has judged it.
 */
static void
judge_unmentioned(struct judge *j, uint32_t pcr, const uint8_t *val)
{
	bool extended = j->t != NULL && (j->t->extended_mask >> pcr & 1) != 0;
	char hex[2 * DIGEST_MAX + 1];
	const char *first;

	if (pcr == PCR_DRTM && j->a->pol->need_launch &&
	    (val == NULL || j->a->launch != NULL))
		return;
	if (extended && (val == NULL || pcr_is_extreme(val, j->bank->len))) {
		ap_say(j->a, AP_C_PCR_UNMENTIONED, AP_FAIL, j->bank->alg,
		    (int32_t)pcr, 0,
		    "PCR %u was extended, as the %s shows, and the policy does "
		    "not say what may be there; quote and name it, or ignore "
		    "it with a reason",
		    pcr, j->t->has_journal ? "journal" : "event log");
		return;
	}
	if (val == NULL && pcr > 15)
		return;
	if (val == NULL) {
		ap_say(j->a, AP_C_PCR_MISSING, AP_CANNOT, j->bank->alg,
		    (int32_t)pcr, 0,
		    "PCR %u is neither quoted nor named in the policy; quote "
		    "it, or ignore it with a reason",
		    pcr);
		return;
	}
	if (pcr_is_extreme(val, j->bank->len))
		return;
	hex_encode(val, j->bank->len, hex);
	first = ap_explain_added(j, pcr);
	ap_say(j->a, AP_C_PCR_UNMENTIONED, AP_FAIL, j->bank->alg, (int32_t)pcr,
	    0,
	    "PCR %u was extended (%.16s...%s%.100s), and the policy does not "
	    "say what may be there; name it, or ignore it with a reason",
	    pcr, hex, first != NULL ? ", first by " : "",
	    first != NULL ? first : "");
	ap_tag(j->a, ap_first_place(j, pcr), NULL);
}

static void
judge_pcr(struct judge *j, uint32_t pcr)
{
	const uint8_t *val = pcr_get(j->a->in->pcrs, j->bank->alg, pcr);
	enum pol_kind kind = j->bank->pcrs[pcr].kind;

	if (kind == POL_IGNORE)
		return;
	if (kind == POL_NONE) {
		judge_unmentioned(j, pcr, val);
		return;
	}
	if (val == NULL) {
		ap_say(j->a, AP_C_PCR_MISSING, AP_CANNOT, j->bank->alg,
		    (int32_t)pcr, 0,
		    "the quote does not cover PCR %u, which the policy judges",
		    pcr);
		return;
	}
	if (pcr_is_extreme(val, j->bank->len)) {
		ap_say(j->a, AP_C_PCR_EXTREME, AP_FAIL, j->bank->alg,
		    (int32_t)pcr, 0,
		    "PCR %u was never extended: this boot path measures "
		    "nothing there",
		    pcr);
		ap_tag(j->a, AP_LAST_PLACE, NULL);
		return;
	}
	if (kind == POL_LAUNCH)
		judge_launch(j, pcr);
	else if (kind == POL_VALUES)
		judge_values(j, pcr, val);
	else if (judge_trail(j, pcr, val))
		ap_judge_events(j, pcr);
}

/* --- the log against itself ----------------------------------------------- */

static void
check_lies(struct judge *j)
{
	const struct trail_event *ev, *whole = NULL, *part = NULL;
	enum trail_fit fit;
	uint32_t i, lies = 0;

	for (i = 0; i < j->t->n && lies < MAX_LIES; i++) {
		ev = &j->t->ev[i];
		fit = trail_fit(j->t, ev);
		if (ev->type == EV_EFI_VARIABLE_BOOT && fit == TF_DATA)
			whole = ev;
		if (ev->type == EV_EFI_VARIABLE_BOOT && fit == TF_PART)
			part = ev;
		if (fit != TF_LIE || j->bank->pcrs[ev->pcr].kind == POL_IGNORE)
			continue;
		lies++;
		ap_say(j->a, AP_C_LOG_LIES, AP_FAIL, j->bank->alg,
		    (int32_t)ev->pcr, (int32_t)ev->pos,
		    "PCR %u event %u: the event log's text is not what was "
		    "measured",
		    ev->pcr, ev->pos);
	}
	/* A firmware has one way to measure a boot variable, not two. */
	if (whole != NULL && part != NULL &&
	    j->bank->pcrs[part->pcr].kind != POL_IGNORE)
		ap_say(j->a, AP_C_LOG_LIES, AP_FAIL, j->bank->alg,
		    (int32_t)part->pcr, (int32_t)part->pos,
		    "PCR %u: events %u and %u measure boot variables in two "
		    "different ways; one of them is forged",
		    part->pcr, whole->pos, part->pos);
}

static void
check_diff(struct judge *j)
{
	const struct trail_diff *d = &j->t->diff;
	bool ignored = j->bank->pcrs[0].kind == POL_IGNORE;
	char said[AP_WORDS];

	if (j->t->has_journal && j->t->locality >= 0 &&
	    j->t->locality != j->t->journal_locality)
		ap_say(j->a, AP_C_LOG_VS_JOURNAL, ignored ? AP_NOTE : AP_FAIL,
		    j->bank->alg, 0, 0,
		    "the event log says that the TPM was started at locality "
		    "%d, the journal at %d",
		    j->t->locality, j->t->journal_locality);
	if (!d->differs)
		return;
	ignored = j->bank->pcrs[d->pcr].kind == POL_IGNORE;
	trail_describe(j->t, &d->said, said, sizeof(said));
	ap_say(j->a, AP_C_LOG_VS_JOURNAL, ignored ? AP_NOTE : AP_FAIL,
	    j->bank->alg, (int32_t)d->pcr, (int32_t)d->pos,
	    "event log and journal differ first at PCR %u event %u: %s %.160s",
	    d->pcr, d->pos,
	    d->record >= 0 ? "the TPM was given another digest than that of"
			   : "the TPM was given no such event",
	    said);
}

/* The initrd, by digest, in a PCR 9 whose events account for its value. */
static void
check_initrd(struct judge *j)
{
	const struct policy *p = j->a->pol;
	const uint8_t *val = pcr_get(j->a->in->pcrs, j->bank->alg, 9);
	uint8_t replayed[DIGEST_MAX];
	uint32_t i, k;

	if (p->ninitrds == 0)
		return;
	if (j->t == NULL || val == NULL || !trail_value(j->t, 9, replayed) ||
	    memcmp(replayed, val, j->bank->len) != 0) {
		ap_say(j->a, AP_C_INITRD, AP_FAIL, j->bank->alg, 9, 0,
		    "nothing proves which initrd was loaded: PCR 9 must be "
		    "quoted, and a log or the journal must account for it");
		ap_tag(j->a, AP_LAST_PLACE, NULL);
		return;
	}
	for (i = 0; i < j->t->n; i++)
		for (k = 0; k < p->ninitrds && j->t->ev[i].pcr == 9; k++)
			if (memcmp(j->t->ev[i].val, p->initrds[k].val,
				j->bank->len) == 0)
				return;
	ap_say(j->a, AP_C_INITRD, AP_FAIL, j->bank->alg, 9, 0,
	    "no allowed initrd was measured: it is another one, or this boot "
	    "path (chainloader, initrd= option) leaves it unmeasured");
	ap_tag(j->a, AP_LAST_PLACE, NULL);
}

/* --- a bank --------------------------------------------------------------- */

static void
open_trail(struct judge *j)
{
	struct trail_in in = { .alg = j->bank->alg, .journal = j->a->journal };
	char err[TRAIL_ERR_MAX];
	int rc;

	in.logs[0].p = j->a->in->logs[0].p;
	in.logs[0].len = j->a->in->logs[0].len;
	in.logs[1].p = j->a->in->logs[1].p;
	in.logs[1].len = j->a->in->logs[1].len;
	if (!j->a->have_log && j->a->journal == NULL)
		return;
	if ((rc = trail_make(&in, &j->t, err)) == VT_OK)
		return;
	if (rc == VT_E_NOMEM)
		j->a->rc = rc;
	ap_say(j->a, AP_C_LOG_BAD, AP_FAIL, j->bank->alg, -1, 0,
	    "bank %s cannot be accounted for: %s", digest_name(j->bank->alg),
	    err);
}

void
ap_bank(struct appraisal *a, const struct pol_bank *bank, bool first)
{
	struct judge j = { .a = a, .bank = bank };
	uint32_t pcr;

	open_trail(&j);
	if (j.t != NULL) {
		if (first) {
			ap_list_events(a, j.t);
			j.events = a->rep->events;
		}
		check_diff(&j);
		check_lies(&j);
	}
	for (pcr = 0; pcr < PCR_COUNT && a->rc == VT_OK; pcr++)
		judge_pcr(&j, pcr);
	if (first)
		check_initrd(&j);
	trail_free(j.t);
}
