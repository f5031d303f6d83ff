/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay.h - the PCR values that an event log gives, computed in the most
 * direct way: what the trail of the verifier must agree with.
 */
#ifndef TESTS_REPLAY_H
#define TESTS_REPLAY_H

#include "measure/log/eventlog.h"
#include "measure/tpm/pcr.h"

/* EV_NO_ACTION with zero digests. */
static inline void
add_no_action(struct el_writer *w, uint32_t pcr, const void *data, size_t dlen)
{
	struct tpm_digest d[] = { { .alg = ALG_SHA1, .len = 20 },
		{ .alg = ALG_SHA256, .len = 32 },
		{ .alg = ALG_SHA384, .len = 48 },
		{ .alg = ALG_SHA512, .len = 64 } };

	el_add_digests(w, pcr, EV_NO_ACTION, d, 4, data, dlen);
}

/* A locality after PCR 0 was extended would rewrite history. */
static inline int
replay_no_action(struct pcr_set *set, const struct el_event *ev, bool begun)
{
	uint8_t locality;
	uint32_t i;
	int rc;

	if (!el_digests_are_zero(ev))
		return VT_E_FORMAT;
	if ((rc = el_startup_locality(ev, &locality)) <= 0)
		return rc;
	if (begun)
		return VT_E_FORMAT;
	for (i = 0; i < set->nbanks; i++)
		set->banks[i].val[0][set->banks[i].len - 1] = locality;
	return VT_OK;
}

static inline void
drop_missing_banks(struct pcr_set *set, const struct el_spec *spec)
{
	uint32_t i, k;

	for (i = 0; i < set->nbanks; i++) {
		for (k = 0; k < spec->nbanks; k++)
			if (spec->algs[k] == set->banks[i].alg)
				break;
		if (k == spec->nbanks)
			set->banks[i].valid = 0;
	}
}

/*
 * Reset set and replay a log into it: the banks that set was made with and
 * that the log has; the log's other banks are passed over, and set's banks
 * that the log lacks have no valid values afterwards.
 * Errors of el_open() and el_next(); VT_E_FORMAT also for a NO_ACTION event
 * with a digest that is not zero.  On error set is not to be used.
 */
static inline int
el_replay(struct pcr_set *set, const uint8_t *buf, size_t len)
{
	struct el_log *log;
	struct el_event ev;
	bool begun = false;
	int rc;

	if ((rc = el_open(buf, len, &log)) != VT_OK)
		return rc;
	pcr_set_reset(set, 0);
	while ((rc = el_next(log, &ev)) == 1) {
		if (el_is_launch(&ev))
			pcr_drtm_start(set);
		if (!el_extends(&ev))
			rc = replay_no_action(set, &ev, begun);
		else
			rc = pcr_extend(set, ev.pcr, ev.digests, ev.ndigests);
		if (rc != VT_OK)
			break;
		if (el_extends(&ev) && ev.pcr == 0)
			begun = true;
	}
	drop_missing_banks(set, el_spec(log));
	el_close(log);
	return rc;
}

#endif
