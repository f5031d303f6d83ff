/* SPDX-License-Identifier: BSD-3-Clause */
/* journal.c - add to a journal what the TPM did, and replay it. */
#include "measure/log/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/log/journal_records.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

#define RESUME_MASK 0xff0000u /* 16-23 do not survive Startup(STATE) */

int
journal_new(const uint16_t *algs, uint32_t n, struct journal **ret)
{
	struct pcr_set check;
	struct journal *j;
	uint32_t i;
	int rc;

	if ((rc = pcr_set_init(&check, algs, n)) != VT_OK)
		return rc == VT_E_EXISTS ? VT_E_UNSUPPORTED : rc;
	if ((j = calloc(1, sizeof(*j))) == NULL)
		return VT_E_NOMEM;
	j->nbanks = n;
	for (i = 0; i < n; i++) {
		j->algs[i] = algs[i];
		j->lens[i] = (uint16_t)digest_len(algs[i]);
		j->dsum += j->lens[i];
	}
	*ret = j;
	return VT_OK;
}

static void
drop_chains(struct journal *j)
{
	uint32_t i;

	for (i = 0; i < PCR_COUNT; i++) {
		free(j->chains[i]);
		j->chains[i] = NULL;
	}
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	drop_chains(j);
	free(j->recs);
	free(j);
}

/* --- one operation on PCR values ------------------------------------------ */

bool
journal_kind_extends(uint8_t kind)
{
	return kind == JR_EXTEND || kind == JR_EVENT || kind == JR_SEQUENCE ||
	       kind == JR_HOST_EXTEND || kind == JR_DRTM_END;
}

/* The PCRs whose value a record of this kind changes. */
static uint32_t
touches(uint8_t kind, uint8_t pcr, uint32_t value)
{
	if (journal_kind_extends(kind) || kind == JR_RESET)
		return 1u << pcr;
	switch (kind) {
	case JR_STARTUP:
		return PCR_ALL;
	case JR_RESUME:
		return RESUME_MASK;
	case JR_DRTM_START:
		return 0x7e0000u; /* 17-22 */
	case JR_CAP:
		return value;
	default:
		return 0;
	}
}

static int
extend_cap(struct pcr_set *set, uint32_t mask)
{
	struct tpm_digest d;
	uint32_t i, n;
	int rc;

	for (i = 0; i < set->nbanks; i++) {
		if ((rc = journal_cap_digest(set->banks[i].alg, &d)) != VT_OK)
			return rc;
		for (n = 0; n < PCR_COUNT; n++)
			if ((mask >> n & 1) != 0 &&
			    (rc = pcr_extend(set, n, &d, 1)) != VT_OK)
				return rc;
	}
	return VT_OK;
}

/* hcrtm: the H-CRTM record since the power cycle, or NULL. */
static int
startup(struct pcr_set *set, const struct jr_record *r,
    const struct jr_record *hcrtm)
{
	if (hcrtm == NULL) {
		pcr_set_reset(set, r->locality);
		return VT_OK;
	}
	pcr_set_reset(set, 4); /* Part 1, "H-CRTM": PCR 0 starts at 4 */
	return pcr_extend(set, 0, hcrtm->digests, hcrtm->ndigests);
}

static int
apply(struct pcr_set *set, const struct jr_record *r,
    const struct jr_record *hcrtm)
{
	uint32_t n;

	if (journal_kind_extends(r->kind))
		return pcr_extend(set, r->pcr, r->digests, r->ndigests);
	switch (r->kind) {
	case JR_STARTUP:
		return startup(set, r, hcrtm);
	case JR_RESUME:
		for (n = 16; n < PCR_COUNT; n++)
			pcr_fill(set, n, n == 16 || n == 23 ? 0x00 : 0xff);
		return VT_OK;
	case JR_RESET:
		pcr_fill(set, r->pcr, (uint8_t)r->value);
		return VT_OK;
	case JR_DRTM_START:
		pcr_drtm_start(set);
		return VT_OK;
	case JR_CAP:
		return extend_cap(set, r->value);
	default:
		return VT_OK;
	}
}

/* --- chains --------------------------------------------------------------- */

static void
chain_to_set(const struct journal *j, uint32_t pcr, struct pcr_set *set)
{
	size_t off = 0;
	uint32_t i;

	for (i = 0; i < j->nbanks; i++) {
		memcpy(set->banks[i].val[pcr], j->chains[pcr]->val + off,
		    j->lens[i]);
		off += j->lens[i];
	}
}

static void
chain_from_set(struct journal *j, uint32_t pcr, const struct pcr_set *set)
{
	size_t off = 0;
	uint32_t i;

	for (i = 0; i < j->nbanks; i++) {
		memcpy(j->chains[pcr]->val + off, set->banks[i].val[pcr],
		    j->lens[i]);
		off += j->lens[i];
	}
}

/* From here on pcr is chained: it begins with the value it has now. */
static int
chain_begin(struct journal *j, uint32_t pcr)
{
	struct pcr_set set;
	int rc;

	if (j->chains[pcr] != NULL)
		return VT_OK;
	if ((rc = journal_replay(j, &set)) != VT_OK)
		return rc;
	j->chains[pcr] = calloc(1, sizeof(struct chain) + j->dsum);
	if (j->chains[pcr] == NULL)
		return VT_E_NOMEM;
	chain_from_set(j, pcr, &set);
	return VT_OK;
}

/* Let r act on those PCRs of mask that are chained. */
static int
chain_apply(struct journal *j, uint32_t mask, const struct jr_record *r)
{
	struct pcr_set set;
	uint32_t n;
	int rc;

	if ((mask & journal_chained_mask(j)) == 0)
		return VT_OK;
	if ((rc = pcr_set_init(&set, j->algs, j->nbanks)) != VT_OK)
		return rc;
	for (n = 0; n < PCR_COUNT; n++)
		if (j->chains[n] != NULL)
			chain_to_set(j, n, &set);
	if ((rc = apply(&set, r, NULL)) != VT_OK)
		return rc;
	for (n = 0; n < PCR_COUNT; n++)
		if (j->chains[n] != NULL && (mask >> n & 1) != 0) {
			chain_from_set(j, n, &set);
			j->chains[n]->count++;
		}
	return VT_OK;
}

/* --- records -------------------------------------------------------------- */

static uint32_t
limit_for(uint8_t kind)
{
	switch (kind) {
	case JR_EXTEND:
	case JR_EVENT:
	case JR_SEQUENCE:
	case JR_RESET:
		return JOURNAL_MAX; /* a guest can make as many as it likes */
	case JR_HCRTM:
		return MAX_RECORDS;
	default:
		return JOURNAL_MAX + HOST_ROOM;
	}
}

int
journal_get(const struct journal *j, uint32_t i, struct jr_record *ret)
{
	struct jr_record r = { 0 };
	const struct rec *rec;
	struct tpm_digest *d;
	size_t off = 0;
	uint32_t b;

	if (i >= j->count)
		return VT_E_RANGE;
	rec = journal_rec(j, i);
	r.kind = rec->kind;
	r.locality = rec->locality;
	r.pcr = rec->pcr;
	r.value = rec->value;
	for (b = 0; b < j->nbanks; off += j->lens[b], b++) {
		if ((rec->mask >> b & 1) == 0)
			continue;
		d = &r.digests[r.ndigests++];
		d->alg = j->algs[b];
		d->len = j->lens[b];
		memcpy(d->val, rec->digests + off, d->len);
	}
	*ret = r;
	return VT_OK;
}

static uint32_t
flag_of(const struct jr_record *r)
{
	if (r->kind == JR_CAP)
		return JF_CAPPED;
	if (r->kind == JR_RESTORED)
		return JF_RESTORED;
	if (r->kind == JR_NOTE && r->value == JN_LATE)
		return JF_LATE;
	if (r->kind == JR_NOTE && r->value == JN_UNSEEN)
		return JF_UNSEEN;
	return 0;
}

/*
 * Extends of a chained PCR go into its chain only.  Everything else is a
 * record while there is room; without room the PCRs that it touches become
 * chained.  Replay lays the chains over what the records give, so a record
 * that touches a chained PCR must reach its chain as well.
 */
static int
add(struct journal *j, const struct jr_record *r)
{
	uint32_t mask = touches(r->kind, r->pcr, r->value), n;
	bool chain_only = journal_kind_extends(r->kind) &&
			  (j->chains[r->pcr] != NULL ||
			      (JOURNAL_ALWAYS_CHAINED >> r->pcr & 1) != 0);
	bool full = j->count >= limit_for(r->kind);
	int rc;

	for (n = 0; n < PCR_COUNT && (chain_only || full); n++)
		if ((mask >> n & 1) != 0 && (rc = chain_begin(j, n)) != VT_OK)
			return rc;
	if (!chain_only && !full && (rc = journal_append(j, r)) != VT_OK)
		return rc;
	if ((rc = chain_apply(j, mask, r)) != VT_OK) {
		j->count -= !chain_only && !full;
		return rc;
	}
	j->flags |= flag_of(r) | (full && !chain_only ? JF_FULL : 0);
	return VT_OK;
}

/* --- what the worker calls ------------------------------------------------ */

/* A cycle that never saw a Startup leaves nothing behind. */
int
journal_power_cycle(struct journal *j)
{
	struct jr_record r = { .kind = JR_POWER, .value = j->cycles + 1 };
	uint32_t was = j->count;
	int rc;

	if (j->pending != NO_PENDING && j->pending < j->count)
		j->count = j->pending;
	j->pending = j->count;
	if ((rc = add(j, &r)) != VT_OK) {
		j->count = was;
		return rc;
	}
	j->cycles++;
	return VT_OK;
}

/* Forget everything before the pending power cycle. */
static void
drop_old(struct journal *j)
{
	uint32_t keep = j->count - j->pending, i;
	struct jr_record r;

	memmove(
	    j->recs, journal_rec(j, j->pending), keep * journal_rec_size(j));
	j->count = keep;
	drop_chains(j);
	j->flags = 0;
	for (i = 0; i < j->count; i++)
		if (journal_get(j, i, &r) == VT_OK)
			j->flags |= flag_of(&r);
}

int
journal_add_startup(struct journal *j, uint8_t locality, bool clear)
{
	struct jr_record r = { .kind = clear ? JR_STARTUP : JR_RESUME,
		.locality = locality };
	int rc;

	if (locality > 4)
		return VT_E_RANGE;
	if (clear && j->pending != NO_PENDING && j->recs != NULL)
		drop_old(j);
	if ((rc = add(j, &r)) != VT_OK)
		return rc;
	j->pending = NO_PENDING;
	return VT_OK;
}

static bool
is_active(const struct journal *j, uint16_t alg)
{
	uint32_t i;

	for (i = 0; i < j->nbanks; i++)
		if (j->algs[i] == alg)
			return true;
	return false;
}

static bool
lengths_fit(const struct journal *j, const struct tpm_digest *d, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (is_active(j, d[i].alg) && d[i].len != digest_len(d[i].alg))
			return false;
	return true;
}

/* Digests of active banks into r, up to the first bank that r has already;
 * returns how many of d that took. */
static uint32_t
take_digests(const struct journal *j, struct jr_record *r,
    const struct tpm_digest *d, uint32_t n)
{
	uint32_t i, k;

	r->ndigests = 0;
	for (i = 0; i < n; i++) {
		if (!is_active(j, d[i].alg))
			continue;
		for (k = 0; k < r->ndigests; k++)
			if (r->digests[k].alg == d[i].alg)
				return i;
		r->digests[r->ndigests++] = d[i];
	}
	return n;
}

/* A TPML_DIGEST_VALUES may name a bank twice, and the TPM then extends it
 * twice: that makes two records. */
int
journal_add_extend(struct journal *j, enum jr_kind kind, uint8_t locality,
    uint32_t pcr, const struct tpm_digest *d, uint32_t n)
{
	struct jr_record r = {
		.kind = (uint8_t)kind, .locality = locality, .pcr = (uint8_t)pcr
	};
	uint32_t used;
	int rc;

	if (pcr >= PCR_COUNT || locality > 4 || !journal_kind_extends(r.kind) ||
	    kind == JR_DRTM_END)
		return VT_E_RANGE;
	if (!lengths_fit(j, d, n))
		return VT_E_RANGE;
	for (; n > 0; d += used, n -= used) {
		used = take_digests(j, &r, d, n);
		if (r.ndigests > 0 && (rc = add(j, &r)) != VT_OK)
			return rc;
	}
	return VT_OK;
}

int
journal_add_reset(
    struct journal *j, uint8_t locality, uint32_t pcr, uint8_t fill)
{
	struct jr_record r = { .kind = JR_RESET,
		.locality = locality,
		.pcr = (uint8_t)pcr,
		.value = fill };

	if (pcr >= PCR_COUNT || locality > 4 || (fill != 0 && fill != 0xff))
		return VT_E_RANGE;
	return add(j, &r);
}

/* Before the Startup a hash start has nothing to reset yet. */
int
journal_add_drtm_start(struct journal *j)
{
	struct jr_record r = { .kind = JR_DRTM_START, .locality = 4 };

	return j->pending != NO_PENDING ? VT_OK : add(j, &r);
}

int
journal_add_drtm_end(struct journal *j, const struct tpm_digest *d, uint32_t n)
{
	struct jr_record r = {
		.kind = JR_DRTM_END, .locality = 4, .pcr = PCR_DRTM
	};

	if (!lengths_fit(j, d, n) || take_digests(j, &r, d, n) != n ||
	    r.ndigests == 0)
		return VT_E_RANGE;
	if (j->pending == NO_PENDING)
		return add(j, &r);
	r.kind = JR_HCRTM;
	r.pcr = 0;
	if (j->count > 0 && journal_rec(j, j->count - 1)->kind == JR_HCRTM)
		j->count--; /* a second one starts over */
	return add(j, &r);
}

int
journal_add_cap(struct journal *j, uint32_t mask)
{
	struct jr_record r = { .kind = JR_CAP, .value = mask };

	if ((mask & ~PCR_ALL) != 0)
		return VT_E_RANGE;
	return add(j, &r);
}

int
journal_add_restored(struct journal *j)
{
	struct jr_record r = { .kind = JR_RESTORED };

	return add(j, &r);
}

int
journal_add_note(struct journal *j, enum journal_note note)
{
	struct jr_record r = { .kind = JR_NOTE, .value = note };

	if (note != JN_LATE && note != JN_NO_LAUNCH && note != JN_UNSEEN)
		return VT_E_RANGE;
	return add(j, &r);
}

int
journal_cap_digest(uint16_t alg, struct tpm_digest *ret)
{
	static const uint8_t error_separator[4] = { 1, 0, 0, 0 };
	struct tpm_digest d = { .alg = alg, .len = (uint16_t)digest_len(alg) };
	int rc;

	rc = digest_buf(alg, error_separator, sizeof(error_separator), d.val);
	if (rc == VT_OK)
		*ret = d;
	return rc;
}

/* --- what a verifier calls ------------------------------------------------ */

uint32_t
journal_power_cycles(const struct journal *j)
{
	return j->cycles;
}

uint32_t
journal_flags(const struct journal *j)
{
	return j->flags;
}

uint32_t
journal_count(const struct journal *j)
{
	return j->count;
}

uint32_t
journal_chained_mask(const struct journal *j)
{
	uint32_t mask = 0, i;

	for (i = 0; i < PCR_COUNT; i++)
		if (j->chains[i] != NULL)
			mask |= 1u << i;
	return mask;
}

size_t
journal_memory(const struct journal *j)
{
	return sizeof(*j) + j->room * journal_rec_size(j) +
	       (size_t)__builtin_popcount(journal_chained_mask(j)) *
		   (sizeof(struct chain) + j->dsum);
}

uint32_t
journal_banks(const struct journal *j, uint16_t *algs)
{
	memcpy(algs, j->algs, j->nbanks * sizeof(algs[0]));
	return j->nbanks;
}

const char *
journal_kind_name(uint8_t kind)
{
	static const char *const names[JR_NKINDS] = { [JR_POWER] = "power-on",
		[JR_STARTUP] = "startup",
		[JR_RESUME] = "resume",
		[JR_EXTEND] = "extend",
		[JR_EVENT] = "event",
		[JR_SEQUENCE] = "hash-sequence",
		[JR_RESET] = "reset",
		[JR_HCRTM] = "h-crtm",
		[JR_DRTM_START] = "d-rtm-start",
		[JR_DRTM_END] = "d-rtm",
		[JR_HOST_EXTEND] = "host-extend",
		[JR_CAP] = "cap",
		[JR_RESTORED] = "restored",
		[JR_NOTE] = "note" };

	if (kind >= JR_NKINDS || names[kind] == NULL)
		return "unknown";
	return names[kind];
}

int
journal_replay(const struct journal *j, struct pcr_set *ret)
{
	struct jr_record r, hcrtm;
	bool have_hcrtm = false, started = false;
	uint32_t i;
	int rc;

	if ((rc = pcr_set_init(ret, j->algs, j->nbanks)) != VT_OK)
		return rc;
	for (i = 0; i < j->count; i++) {
		if ((rc = journal_get(j, i, &r)) != VT_OK)
			return rc;
		if (r.kind == JR_POWER)
			have_hcrtm = false;
		if (r.kind == JR_HCRTM) {
			hcrtm = r;
			have_hcrtm = true;
		}
		if (r.kind == JR_STARTUP)
			started = true;
		if (!started)
			continue;
		rc = apply(ret, &r, have_hcrtm ? &hcrtm : NULL);
		if (rc != VT_OK)
			return rc;
	}
	if (!started)
		return VT_E_STATE;
	for (i = 0; i < PCR_COUNT; i++)
		if (j->chains[i] != NULL)
			chain_to_set(j, i, ret);
	return VT_OK;
}
