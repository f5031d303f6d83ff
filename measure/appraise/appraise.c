/* SPDX-License-Identifier: BSD-3-Clause */
/* appraise.c - judge journal, launch record and logs, then every bank. */
#include "measure/appraise/appraise.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/appraise/appraise_config.h"
#include "measure/appraise/appraise_diff.h"
#include "measure/appraise/appraise_pcr.h"
#include "measure/appraise/appraise_priv.h"
#include "measure/appraise/appraise_report.h"
#include "measure/appraise/policy.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"

/* --- the journal as a whole ----------------------------------------------- */

/*
 * A vTPM that was there from the start has seen: power on, perhaps notes
 * and an H-CRTM, one Startup, and only then extends.
 */
static void
check_order(struct appraisal *a, const struct journal *j)
{
	uint32_t i, startups = 0;
	struct jr_record r;

	for (i = 0; i < journal_count(j); i++) {
		if (journal_get(j, i, &r) != VT_OK)
			return;
		if (i == 0 && r.kind != JR_POWER) {
			ap_say(a, AP_C_LATE, AP_FAIL, 0, -1, 0,
			    "the journal does not begin with the guest's "
			    "power-on: this vTPM was attached later, so "
			    "nothing says what ran before");
			return;
		}
		if (journal_kind_extends(r.kind) && startups == 0) {
			ap_say(a, AP_C_LATE, AP_FAIL, 0, r.pcr, 0,
			    "the journal has an extend before the TPM was "
			    "started");
			return;
		}
		startups += r.kind == JR_STARTUP;
	}
	if (startups == 0)
		ap_say(a, AP_C_LATE, AP_FAIL, 0, -1, 0,
		    "the journal has no Startup: the guest's firmware never "
		    "started this vTPM");
	else if (startups > 1)
		ap_say(a, AP_C_PCR_RESET, AP_FAIL, 0, -1, 0,
		    "the journal shows %u Startups in one power cycle: PCRs "
		    "were reset while the guest ran",
		    startups);
}

/* Flags can be left out by who hands over the journal, records cannot:
 * without them it does not replay. */
static uint32_t
all_flags(const struct journal *j)
{
	uint32_t flags = journal_flags(j), i;
	struct jr_record r;

	for (i = 0; i < journal_count(j); i++) {
		if (journal_get(j, i, &r) != VT_OK)
			break;
		if (r.kind == JR_CAP)
			flags |= JF_CAPPED;
		if (r.kind == JR_RESTORED)
			flags |= JF_RESTORED;
		if (r.kind == JR_NOTE && r.value == JN_LATE)
			flags |= JF_LATE;
		if (r.kind == JR_NOTE && r.value == JN_UNSEEN)
			flags |= JF_UNSEEN;
	}
	return flags;
}

static void
check_journal(struct appraisal *a)
{
	uint32_t flags;
	int rc;

	if (a->in->journal == NULL) {
		if (a->pol->need_journal)
			ap_say(a, AP_C_JOURNAL_MISSING, AP_FAIL, 0, -1, 0,
			    "the policy requires the extend journal, and the "
			    "evidence has none");
		return;
	}
	rc = journal_decode(a->in->journal, a->in->journal_len, &a->journal);
	if (rc != VT_OK) {
		ap_say(a, AP_C_LOG_BAD, AP_FAIL, 0, -1, 0,
		    "the extend journal %s",
		    vt_input_error(rc, a->in->journal_len));
		return;
	}
	flags = all_flags(a->journal);
	if (flags & JF_CAPPED)
		ap_say(a, AP_C_CAPPED, AP_FAIL, 0, -1, 0,
		    "worker restarted: the process behind this vTPM crashed "
		    "and every PCR is capped; restart the guest");
	if (flags & JF_LATE)
		ap_say(a, AP_C_LATE, AP_FAIL, 0, -1, 0,
		    "this vTPM was attached to a guest that was running "
		    "already; restart the guest with it");
	if (flags & JF_UNSEEN)
		ap_say(a, AP_C_UNSEEN, AP_NOTE, 0, -1, 0,
		    "the last reset of this guest is the guest's word: its "
		    "hypervisor has no monitor that the host watches");
	if (flags & JF_RESTORED)
		ap_say(a, AP_C_RESTORED,
		    a->pol->restored_reason != NULL ? AP_NOTE : AP_FAIL, 0, -1,
		    0,
		    "this vTPM runs from a snapshot, so another copy of it "
		    "may have run: %s",
		    a->pol->restored_reason != NULL
			? a->pol->restored_reason
			: "the policy does not allow that");
	check_order(a, a->journal);
}

/* --- launch record -------------------------------------------------------- */

static bool
has_digest(const struct launch_item *it, const struct pol_role *role)
{
	uint32_t i, k;

	for (i = 0; i < it->ndigests; i++)
		for (k = 0; k < role->nalts; k++)
			if (it->digests[i].alg == role->alg &&
			    memcmp(it->digests[i].val, role->alts[k].val,
				it->digests[i].len) == 0)
				return true;
	return false;
}

/* Every item of the role must be an allowed one, and there must be one. */
static void
check_role(struct appraisal *a, const struct pol_role *role)
{
	const char *name = launch_role_name(role->role);
	const struct launch_item *it = NULL;
	bool any = false;

	while ((it = launch_find(
		    a->launch, (enum launch_role)role->role, it)) != NULL) {
		any = true;
		if (!has_digest(it, role))
			ap_say(a, AP_C_LAUNCH_DIFFERS, AP_FAIL, role->alg,
			    PCR_DRTM, 0,
			    "the host started the guest with %s \"%s\", which "
			    "is not one that the policy allows",
			    name, it->text);
	}
	if (!any)
		ap_say(a, AP_C_LAUNCH_DIFFERS, AP_FAIL, role->alg, PCR_DRTM, 0,
		    "the launch record names no %s, and the policy wants one "
		    "of %u",
		    name, role->nalts);
}

/* The text that the digest of the record's configuration is over; NULL: it
 * is not there, or not all of it. */
static const char *
config_text(const struct launch_record *rec)
{
	const struct launch_item *it = launch_find(rec, LR_CONFIG, NULL);
	uint8_t d[SHA256_LEN];

	if (it == NULL ||
	    digest_buf(ALG_SHA256, it->text, strlen(it->text), d) != VT_OK ||
	    memcmp(d, rec->config_digest, sizeof(d)) != 0)
		return NULL;
	return it->text;
}

static void
check_config(struct appraisal *a)
{
	char words[400] = "";
	const char *now;
	uint32_t i;

	if (a->pol->nconfigs == 0)
		return;
	for (i = 0; i < a->pol->nconfigs; i++)
		if (memcmp(a->pol->configs[i].val, a->launch->config_digest,
			32) == 0)
			return;
	now = config_text(a->launch);
	if (now != NULL && a->pol->configs[0].what[0] != '\0')
		ap_config_words(
		    now, a->pol->configs[0].what, words, sizeof(words));
	ap_say(a, AP_C_LAUNCH_DIFFERS, AP_FAIL, 0, PCR_DRTM, 0,
	    "the guest was started with a virtual machine configuration that "
	    "is not one of the %u that the policy allows%s%.150s (%s)",
	    a->pol->nconfigs, words[0] != '\0' ? ": " : "", words,
	    ap_config_cause(words));
	ap_tag(a, 0, ap_config_cause(words));
}

/* PCR 17 of every bank that the quote covers, and of one at least. */
static bool
record_is_proved(struct appraisal *a)
{
	const struct pcr_set *set = a->in->pcrs;
	uint8_t want[DIGEST_MAX];
	const uint8_t *val;
	uint32_t i, seen = 0;

	for (i = 0; i < set->nbanks; i++) {
		val = pcr_get(set, set->banks[i].alg, PCR_DRTM);
		if (val == NULL)
			continue;
		seen++;
		if (launch_pcr17(set->banks[i].alg, a->in->record,
			a->in->record_len, want) != VT_OK ||
		    memcmp(want, val, set->banks[i].len) != 0) {
			ap_say(a, AP_C_LAUNCH_DIFFERS,
			    a->pol->need_launch ? AP_FAIL : AP_NOTE,
			    set->banks[i].alg, PCR_DRTM, 0,
			    "PCR 17 is not what the host's measured launch of "
			    "this record gives: the record is not this "
			    "guest's");
			return false;
		}
	}
	if (seen == 0 && a->pol->need_launch)
		ap_say(a, AP_C_PCR_MISSING, AP_CANNOT, 0, PCR_DRTM, 0,
		    "the quote does not cover PCR 17, so the launch record "
		    "proves nothing; quote PCR 17 too");
	return seen > 0;
}

static void
check_launch(struct appraisal *a)
{
	uint32_t i;
	int rc;

	if (a->in->record == NULL) {
		if (a->pol->need_launch)
			ap_say(a, AP_C_LAUNCH_MISSING, AP_FAIL, 0, -1, 0,
			    "the policy requires a launch measured by the "
			    "host, and the evidence has no launch record");
		return;
	}
	if (!record_is_proved(a))
		return;
	rc = launch_decode(a->in->record, a->in->record_len, &a->launch);
	if (rc != VT_OK) {
		ap_say(a, AP_C_LOG_BAD, AP_FAIL, 0, PCR_DRTM, 0,
		    "the launch record %s",
		    vt_input_error(rc, a->in->record_len));
		return;
	}
	check_config(a);
	for (i = 0; i < a->pol->nroles; i++)
		check_role(a, &a->pol->roles[i]);
}

/* --- all of it ------------------------------------------------------------ */

static void
check_logs(struct appraisal *a)
{
	a->have_log = a->in->logs[0].p != NULL || a->in->logs[1].p != NULL;
	if (a->pol->need_log && a->in->logs[1].p == NULL)
		ap_say(a, AP_C_LOG_MISSING, AP_FAIL, 0, -1, 0,
		    "the policy requires the guest's event log, and the "
		    "evidence has none");
	else if (!a->have_log && a->in->journal == NULL &&
		 a->pol->no_log_reason == NULL)
		ap_say(a, AP_C_LOG_MISSING, AP_FAIL, 0, -1, 0,
		    "the evidence has neither an event log nor the extend "
		    "journal, so nothing says what the PCRs stand for");
}

/* Worst first, then in the order of the boot. */
static int
by_severity(const void *x, const void *y)
{
	static const int rank[] = {
		[AP_FAIL] = 0, [AP_CANNOT] = 1, [AP_NOTE] = 2
	};
	const struct ap_finding *a = x, *b = y;

	if (a->severity != b->severity)
		return rank[a->severity] - rank[b->severity];
	return a->place < b->place ? -1 : a->place > b->place;
}

/* Insertion keeps the order within a severity, qsort() would not. */
static void
sort_findings(struct ap_report *r)
{
	struct ap_finding f;
	uint32_t i, k;

	for (i = 1; i < r->n; i++) {
		f = r->findings[i];
		for (k = i; k > 0 && by_severity(&r->findings[k - 1], &f) > 0;
		     k--)
			r->findings[k] = r->findings[k - 1];
		r->findings[k] = f;
	}
}

static void
conclude(struct appraisal *a)
{
	struct ap_report *r = a->rep;

	sort_findings(r);
	ap_explain_done(a);
	if (r->n == 0 || r->findings[0].severity == AP_NOTE)
		r->verdict = AP_ACCEPTED;
	else if (r->findings[0].severity == AP_FAIL)
		r->verdict = AP_REFUSED;
	else
		r->verdict = AP_UNDECIDED;
}

struct explain
ap_diff_explain(const struct ap_diff *d)
{
	return (struct explain){ d->pcr, d->pos, d->was, d->now, d->text,
		d->others };
}

int
appraise(const struct ap_in *in, struct ap_report **ret)
{
	struct appraisal a = { .in = in, .pol = in->policy };
	uint32_t i;

	if ((a.rep = calloc(1, sizeof(*a.rep))) == NULL)
		return VT_E_NOMEM;
	a.rep->verdict = AP_REFUSED;
	check_logs(&a);
	check_journal(&a);
	check_launch(&a);
	for (i = 0; i < a.pol->nbanks && a.rc == VT_OK; i++)
		ap_bank(&a, &a.pol->banks[i], i == 0);
	journal_free(a.journal);
	launch_free(a.launch);
	if (a.rc == VT_OK)
		conclude(&a);
	if (a.rc != VT_OK) {
		ap_report_free(a.rep);
		return a.rc;
	}
	*ret = a.rep;
	return VT_OK;
}
