/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_boot.c - from the quoted PCRs to the boot: journal, logs, launch
 * record, policy.
 *
 * All of it follows from the parts' bytes, the PCRs, whose vTPM it is and the
 * policy, so a boot that was good once need not be gone through again
 * (measure/evidence/boot_memory.h).  The caller has verified the quote over the
 * PCRs and the parts' digests, now as ever.
 */
#include "measure/evidence/verify_boot.h"

#include <stdlib.h>
#include <string.h>

#include "measure/appraise/appraise.h"
#include "measure/appraise/appraise_report.h"
#include "measure/evidence/boot_memory.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/report.h"
#include "measure/evidence/verify.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/launch_record.h"
#include "measure/log/trail.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

struct bv { /* one boot under way */
	const struct bundle *ev;
	const struct bundle_digests *dig;
	const struct verify_want *want;
	struct report *rep;
	/* Per quoted bank, the PCRs whose value the journal or the logs give,
	 * with no cap among what they say. */
	uint32_t explained[PCR_MAX_BANKS];
};

/* List the PCRs of mask as "0-3,7". */
static void
mask_words(uint32_t mask, char *out, size_t cap)
{
	struct pcr_sel sel = { .n = 1 };
	char text[160], *colon;

	sel.banks[0].alg = ALG_SHA256;
	sel.banks[0].mask = mask;
	pcr_sel_format(&sel, text, sizeof(text));
	colon = strchr(text, ':');
	(void)snprintf(out, cap, "%s", colon != NULL ? colon + 1 : "none");
}

/* Returns the PCRs that are the same. */
static uint32_t
compare_pcrs(struct bv *v, const struct pcr_bank *bank,
    const struct pcr_set *got, const char *id, const char *what)
{
	uint32_t same = 0, differ = 0, i;
	char a[96], b[96];

	for (i = 0; i < PCR_COUNT; i++) {
		const uint8_t *val = pcr_get(got, bank->alg, i);

		if ((bank->valid >> i & 1) == 0 || val == NULL)
			continue;
		if (mem_equal(val, bank->val[i], bank->len))
			same |= 1u << i;
		else
			differ |= 1u << i;
	}
	mask_words(same, a, sizeof(a));
	mask_words(differ, b, sizeof(b));
	if (differ == 0 && same != 0)
		report_say(v->rep, id, REPORT_PASS,
		    "replay of %s gives the quoted %s "
		    "PCRs %s",
		    what, digest_name(bank->alg), a);
	else if (differ != 0)
		report_say(v->rep, id,
		    strcmp(id, "journal-replay") == 0 ? REPORT_FAIL
						      : REPORT_NOTE,
		    "replay of %s gives the quoted %s PCRs %s, but not %s",
		    what, digest_name(bank->alg), a, b);
	return same;
}

static bool
has_bank(const struct pcr_set *set, uint16_t alg)
{
	uint32_t i;

	for (i = 0; i < set->nbanks; i++)
		if (set->banks[i].alg == alg)
			return true;
	return false;
}

static bool
has_cap(const struct journal *j)
{
	struct jr_record r;
	uint32_t i;

	for (i = 0; i < journal_count(j); i++)
		if (journal_get(j, i, &r) == VT_OK && r.kind == JR_CAP)
			return true;
	return (journal_flags(j) & JF_CAPPED) != 0;
}

/* One quoted bank by the journal, which has every bank of its TPM. */
static void
journal_bank(struct bv *v, uint32_t b, const struct journal *j,
    const struct pcr_set *got)
{
	const struct pcr_bank *bank = &v->ev->pcrs.banks[b];
	uint32_t same;

	if (!has_bank(got, bank->alg)) {
		report_say(v->rep, "journal-replay", REPORT_FAIL,
		    "the extend journal does not have the quoted %s bank",
		    digest_name(bank->alg));
		return;
	}
	same =
	    compare_pcrs(v, bank, got, "journal-replay", "the extend journal");
	if (!has_cap(j))
		v->explained[b] |= same;
}

static void
check_journal(struct bv *v)
{
	const struct bundle_blob *b = &v->ev->part[BUNDLE_JOURNAL];
	struct journal *j = NULL;
	struct pcr_set got;
	uint32_t i, flags;

	if (b->p == NULL) {
		report_say(v->rep, "journal-replay", REPORT_NOTE,
		    "there is no extend journal in the evidence");
		return;
	}
	if (journal_decode(b->p, b->len, &j) != VT_OK ||
	    journal_replay(j, &got) != VT_OK) {
		report_say(v->rep, "journal-replay", REPORT_FAIL,
		    "the extend journal is not well-formed");
		journal_free(j);
		return;
	}
	for (i = 0; i < v->ev->pcrs.nbanks; i++)
		journal_bank(v, i, j, &got);
	flags = journal_flags(j);
	if ((flags & JF_CAPPED) != 0)
		v->rep->worker_restarted = true;
	if ((flags & JF_RESTORED) != 0)
		v->rep->restored = true;
	journal_free(j);
}

static bool
log_trail(const struct bv *v, uint16_t alg, struct trail **ret)
{
	const struct bundle_blob *host = &v->ev->part[BUNDLE_HOST_LOG];
	const struct bundle_blob *guest = &v->ev->part[BUNDLE_LOG];
	struct trail_in in = { .alg = alg };
	char err[TRAIL_ERR_MAX];

	in.logs[0].p = host->p;
	in.logs[0].len = host->len;
	in.logs[1].p = guest->p;
	in.logs[1].len = guest->len;
	return trail_make(&in, ret, err) == VT_OK; /* the appraisal says err */
}

/* extend(val, cap) == now? */
static bool
is_capped(uint16_t alg, const uint8_t *val, const uint8_t *now)
{
	uint8_t x[DIGEST_MAX];
	struct tpm_digest cap;

	if (journal_cap_digest(alg, &cap) != VT_OK)
		return false;
	memcpy(x, val, digest_len(alg));
	return digest_extend(alg, x, cap.val) == VT_OK &&
	       mem_equal(x, now, digest_len(alg));
}

#define FIRMWARE_PCRS 0xffu /* that end in a separator */

/*
 * Does this PCR look as a worker that came back from a crash leaves it?  It
 * shows in PCRs that nothing else had touched, and where the log gives the
 * value before.  A firmware that failed extends the same digest as its error
 * separator, so PCRs 0-7 whose value is explained otherwise show nothing; a
 * worker caps the others as well.
 */
static bool
pcr_shows_cap(const struct trail *t, const struct pcr_bank *bank, uint32_t pcr)
{
	uint8_t val[DIGEST_MAX];

	memset(val, 0, sizeof(val));
	if (is_capped(bank->alg, val, bank->val[pcr]))
		return true;
	memset(val, 0xff, sizeof(val));
	if (is_capped(bank->alg, val, bank->val[pcr]))
		return true;
	return t != NULL && trail_value(t, pcr, val) &&
	       is_capped(bank->alg, val, bank->val[pcr]);
}

/* The PCRs that a trail gives, against those of a quoted bank. */
static void
logs_bank(struct bv *v, uint32_t b, const struct trail *t)
{
	const struct pcr_bank *bank = &v->ev->pcrs.banks[b];
	uint8_t val[DIGEST_MAX];
	struct pcr_set got;
	uint32_t i;

	if (pcr_set_init(&got, &bank->alg, 1) != VT_OK)
		return;
	for (i = 0; i < PCR_COUNT; i++)
		if (trail_value(t, i, val) &&
		    pcr_put(&got, bank->alg, i, val) != VT_OK)
			return;
	v->explained[b] |=
	    compare_pcrs(v, bank, &got, "log-replay", "the event log");
}

/* A bank that neither the policy names nor log or journal accounts for is
 * quoted for nothing, and may hold anything. */
static void
unjudged_bank(struct bv *v, uint16_t alg)
{
	const struct policy *p = v->want->policy;
	uint32_t i;

	if (v->ev->part[BUNDLE_JOURNAL].p != NULL)
		return; /* journal-replay says so */
	for (i = 0; i < p->nbanks; i++)
		if (p->banks[i].alg == alg)
			return; /* the appraisal says so */
	report_say(v->rep, "log-replay",
	    p->no_log_reason != NULL ? REPORT_NOTE : REPORT_CANNOT,
	    "no log and no journal accounts for the quoted %s bank, and the "
	    "policy does not name it: quote only banks that are judged",
	    digest_name(alg));
}

static void
check_logs(struct bv *v)
{
	struct trail *t;
	uint32_t b, i, show;

	if (v->ev->part[BUNDLE_LOG].p == NULL)
		report_say(v->rep, "log-replay", REPORT_NOTE,
		    "there is no event log of the guest in the evidence");
	for (b = 0; b < v->ev->pcrs.nbanks; b++) {
		const struct pcr_bank *bank = &v->ev->pcrs.banks[b];

		t = NULL;
		if (log_trail(v, bank->alg, &t))
			logs_bank(v, b, t);
		else
			unjudged_bank(v, bank->alg);
		show = bank->valid & ~(v->explained[b] & FIRMWARE_PCRS);
		for (i = 0; i < PCR_COUNT; i++)
			if ((show >> i & 1) != 0 && pcr_shows_cap(t, bank, i))
				v->rep->worker_restarted = true;
		trail_free(t);
	}
}

/* The record that PCR 17 proves must be this vTPM's and no other's. */
static void
check_launch(struct bv *v)
{
	const struct bundle_blob *b = &v->ev->part[BUNDLE_LAUNCH];
	struct launch_record *rec = NULL;
	uint8_t want[DIGEST_MAX];
	const uint8_t *val;
	uint32_t i;
	bool proven = false;

	if (b->p == NULL)
		return; /* the appraisal reports it if the policy asks */
	for (i = 0; i < v->ev->pcrs.nbanks; i++) {
		const struct pcr_bank *bank = &v->ev->pcrs.banks[i];

		val = pcr_get(&v->ev->pcrs, bank->alg, PCR_DRTM);
		if (val != NULL &&
		    launch_pcr17(bank->alg, b->p, b->len, want) == VT_OK &&
		    mem_equal(val, want, bank->len))
			proven = true;
	}
	if (!proven) {
		report_say(v->rep, "launch", REPORT_NOTE,
		    "PCR 17 does not prove the launch record (not quoted, or "
		    "another value)");
		return;
	}
	if (launch_decode(b->p, b->len, &rec) != VT_OK)
		report_say(v->rep, "launch", REPORT_FAIL,
		    "PCR 17 proves a launch record that is not well-formed");
	else if (v->rep->have_instance &&
		 (memcmp(rec->uuid, v->rep->instance.uuid, UUID_LEN) != 0 ||
		     rec->group != v->rep->instance.group))
		report_say(v->rep, "launch", REPORT_FAIL,
		    "PCR 17 proves a launch record of another vTPM");
	else
		report_say(v->rep, "launch", REPORT_PASS,
		    "PCR 17 proves the host's launch record of '%s'",
		    rec->name);
	launch_free(rec);
}

static void
check_restarts(struct bv *v)
{
	if (v->rep->worker_restarted)
		report_say(v->rep, "worker-restarted", REPORT_FAIL,
		    "worker restarted: the vTPM's process died while the guest "
		    "ran and every PCR is capped; power the guest off and on");
	if (v->rep->restored && v->want->policy->restored_reason == NULL)
		report_say(v->rep, "restored", REPORT_FAIL,
		    "the vTPM runs from a snapshot or migration, and the "
		    "policy does not allow that (allow.restored)");
	else if (v->rep->restored)
		report_say(v->rep, "restored", REPORT_NOTE,
		    "the vTPM runs from a snapshot or migration, which the "
		    "policy allows");
}

static int
check_boot(struct bv *v)
{
	const struct bundle_blob *b = v->ev->part;
	struct ap_in in = { .policy = v->want->policy, .pcrs = &v->ev->pcrs };
	const struct ap_report *ap;
	uint32_t i;
	int rc;

	in.logs[0].p = b[BUNDLE_HOST_LOG].p;
	in.logs[0].len = b[BUNDLE_HOST_LOG].len;
	in.logs[1].p = b[BUNDLE_LOG].p;
	in.logs[1].len = b[BUNDLE_LOG].len;
	in.journal = b[BUNDLE_JOURNAL].p;
	in.journal_len = b[BUNDLE_JOURNAL].len;
	in.record = b[BUNDLE_LAUNCH].p;
	in.record_len = b[BUNDLE_LAUNCH].len;
	if ((rc = appraise(&in, &v->rep->appraisal)) != VT_OK)
		return rc;
	ap = v->rep->appraisal;
	for (i = 0; i < ap->n; i++) {
		const struct ap_finding *f = &ap->findings[i];
		enum report_outcome o = REPORT_NOTE;

		if (f->severity == AP_FAIL)
			o = REPORT_FAIL;
		else if (f->severity == AP_CANNOT)
			o = REPORT_CANNOT;
		report_say(v->rep, ap_code_name(f->code), o, "%s", f->words);
	}
	/* The findings above say why; this line also counts if they were
	 * too many to list. */
	if (ap->verdict == AP_ACCEPTED)
		report_say(v->rep, "boot", REPORT_PASS,
		    "the boot is one that policy '%s' accepts",
		    v->want->policy->name);
	else
		report_say(v->rep, "boot",
		    ap->verdict == AP_REFUSED ? REPORT_FAIL : REPORT_CANNOT,
		    "the boot is not one that policy '%s' accepts",
		    v->want->policy->name);
	return VT_OK;
}

/* What of all this follows from the boot alone. */
static void
check_replays(struct bv *v, struct boot_memory_boot *b)
{
	struct report *rep = v->rep;
	bool restored = rep->restored;

	rep->restored = false;
	b->replays.from = rep->n;
	check_journal(v);
	check_logs(v);
	check_launch(v);
	b->replays.to = rep->n;
	b->restored = rep->restored;
	rep->restored |= restored;
}

int
verify_boot(const struct bundle *ev, const struct bundle_digests *dig,
    const struct verify_want *want, struct report *rep)
{
	struct bv v = { .ev = ev, .dig = dig, .want = want, .rep = rep };
	struct boot_memory *c = want->boots;
	struct boot_memory_boot b = { 0 };
	uint8_t key[SHA256_LEN];
	int rc;

	if (c != NULL && (boot_memory_policy(c) != want->policy ||
			     boot_memory_key(ev, dig, rep, key) != VT_OK))
		c = NULL;
	if (c != NULL && boot_memory_find(c, key)) {
		boot_memory_say_replays(c, rep);
		check_restarts(&v);
		boot_memory_say_boot(c, rep);
		return VT_OK;
	}
	check_replays(&v, &b);
	check_restarts(&v);
	b.boot.from = rep->n;
	if ((rc = check_boot(&v)) != VT_OK)
		return rc;
	b.boot.to = rep->n;
	if (c != NULL)
		boot_memory_keep(c, key, rep, &b);
	return VT_OK;
}
