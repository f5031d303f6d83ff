/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_measure.c - PCRs that the host extends: a launch, or the cap.
 */
#include "vtpm/worker/worker_measure.h"

#include <string.h>

#include "measure/log/eventlog.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker_state.h"

#define PCR_DRTM_LAST 22
#define LOC_DRTM 4    /* of the hardware that measures */
#define LOC_DRTM_OS 2 /* may extend every one of PCRs 17 to 22 */

static int
extend20(uint32_t pcr, const struct tpm_digest *d, uint32_t n, uint8_t locality)
{
	struct tcmd c;
	struct rd r;
	uint32_t i;

	tcmd_begin(&c, ST_SESSIONS, CC_PCR_Extend);
	wr_be32(&c.w, pcr);
	tcmd_auth_empty(&c);
	wr_be32(&c.w, n);
	for (i = 0; i < n; i++) {
		wr_be16(&c.w, d[i].alg);
		wr_bytes(&c.w, d[i].val, d[i].len);
	}
	c.locality = locality;
	return tcmd_run(&c, NULL, &r);
}

static int
extend12(uint32_t pcr, const struct tpm_digest *d, uint32_t n, uint8_t locality)
{
	struct tcmd c;
	struct rd r;

	if (n != 1 || d[0].alg != ALG_SHA1)
		return VT_E_UNSUPPORTED;
	tcmd_begin(&c, TAG_RQU, ORD_Extend);
	wr_be32(&c.w, pcr);
	wr_bytes(&c.w, d[0].val, SHA1_LEN);
	c.locality = locality;
	return tcmd_run(&c, NULL, &r);
}

/* d: one digest for every active bank. */
static int
host_extend(uint32_t pcr, const struct tpm_digest *d, uint32_t n)
{
	uint8_t loc = pcr >= PCR_DRTM && pcr <= PCR_DRTM_LAST ? LOC_DRTM_OS : 0;

	return eng_is_tpm2() ? extend20(pcr, d, n, loc)
			     : extend12(pcr, d, n, loc);
}

static int
drtm_sequence(struct worker *w, const struct wblob *record)
{
	int rc;

	if (eng_hash_start() != 0 ||
	    eng_hash_data(record->p, record->len) != 0 || eng_hash_end() != 0)
		return VT_E_TPM;
	if ((rc = capture_hash_start(&w->cap, true)) != VT_OK ||
	    (rc = capture_hash_data(&w->cap, record->p, record->len)) != VT_OK)
		return rc;
	/* The bit would say that the guest's own code did it, and some
	 * hypervisors (Cloud Hypervisor) do not start with it set. */
	(void)eng_reset_established(LOC_DRTM);
	return capture_hash_end(&w->cap);
}

/* Every active bank gets its digest or none does: a bank that stayed behind
 * would attest a boot that never was. */
static int
apply_event(struct worker *w, const struct el_event *ev)
{
	struct tpm_digest d[PCR_MAX_BANKS];
	const struct tpm_digest *one;
	uint32_t i;
	int rc;

	for (i = 0; i < w->cap.nbanks; i++) {
		if ((one = el_event_digest(ev, w->cap.algs[i])) == NULL)
			return VT_E_NOTFOUND;
		d[i] = *one;
	}
	if ((rc = host_extend(ev->pcr, d, w->cap.nbanks)) != VT_OK)
		return rc;
	return journal_add_extend(
	    w->cap.journal, JR_HOST_EXTEND, 0, ev->pcr, d, w->cap.nbanks);
}

static int
apply_log(struct worker *w)
{
	const struct wlaunch *l = &w->launch.now.l;
	struct el_log *log;
	struct el_event ev;
	int rc, bad = VT_OK;

	if (l->log.len == 0)
		return VT_OK;
	if ((rc = el_open(l->log.p, l->log.len, &log)) != VT_OK)
		return rc;
	while (bad == VT_OK && (rc = el_next(log, &ev)) == 1)
		if (el_extends(&ev) && ev.pcr != PCR_DRTM)
			bad = apply_event(w, &ev);
	el_close(log);
	return bad != VT_OK ? bad : rc;
}

int
wk_measure_launch(struct worker *w)
{
	int rc = drtm_sequence(w, &w->launch.now.l.record);

	return rc == VT_OK ? apply_log(w) : rc;
}

int
wk_measure_cap(struct worker *w)
{
	struct tpm_digest d[PCR_MAX_BANKS];
	uint32_t i, pcr;
	int rc;

	for (i = 0; i < w->cap.nbanks; i++)
		if ((rc = journal_cap_digest(w->cap.algs[i], &d[i])) != VT_OK)
			return rc;
	for (pcr = 0; pcr < PCR_COUNT; pcr++)
		if ((rc = host_extend(pcr, d, w->cap.nbanks)) != VT_OK)
			return rc;
	return journal_add_cap(w->cap.journal, PCR_ALL);
}
