/* SPDX-License-Identifier: BSD-3-Clause */
/* eventlog_replay.c - extend the events of a log into a set of PCRs. */
#include "measure/log/eventlog_replay.h"

#include "measure/log/eventlog.h"
#include "measure/tpm/pcr.h"

/* A locality after PCR 0 was extended would rewrite history. */
static int
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

static void
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

int
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
