/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_power.c - power, startup, measured launch, and the cap after a
 * crash (law 4: PCRs are reset by a power cycle that the host saw, and by
 * nothing else).
 */
#include "vtpm/worker/worker_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "measure/log/eventlog.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/tpm_command.h"

#define PCR_DRTM_LAST 22
#define LOC_DRTM_OS 2 /* may extend every one of PCRs 17 to 22 */

/* --- startup ---------------------------------------------------------------
 */

/* Uses the engine: whoever holds a response has a copy. */
int
wk_note_startup(struct worker *w, uint8_t locality, bool clear)
{
	int rc;

	w->started = true;
	w->auto_start = false;
	w->shut_down = false;
	if ((rc = capture_startup(&w->cap, locality, clear)) != VT_OK)
		return rc;
	if (clear) /* nobody has set the platform's authorisation yet */
		wk_certs_write(w);
	return tcmd_stir();
}

static int
plain_startup(struct worker *w)
{
	int rc = tcmd_startup(0);

	return rc == VT_OK ? wk_note_startup(w, 0, true) : rc;
}

/* --- extend from the host --------------------------------------------------
 */

static int
extend20(uint32_t pcr, const struct el_digest *d, uint32_t n, uint8_t locality)
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
extend12(uint32_t pcr, const struct el_digest *d, uint32_t n, uint8_t locality)
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
host_extend(uint32_t pcr, const struct el_digest *d, uint32_t n)
{
	uint8_t loc = pcr >= PCR_DRTM && pcr <= PCR_DRTM_LAST ? LOC_DRTM_OS : 0;

	return eng_is_tpm2() ? extend20(pcr, d, n, loc)
			     : extend12(pcr, d, n, loc);
}

/* --- measured launch -------------------------------------------------------
 */

void
wk_launch_drop(struct launch *l)
{
	free(l->bytes);
	memset(l, 0, sizeof(*l));
}

/* The event of PCR 17 only describes what the hash sequence extends. */
static int
check_drtm_event(const struct el_event *ev, const struct wblob *record)
{
	uint8_t want[DIGEST_MAX];
	uint32_t i;
	int rc;

	for (i = 0; i < ev->ndigests; i++) {
		const struct el_digest *d = &ev->digests[i];

		rc = digest_buf(d->alg, record->p, record->len, want);
		if (rc != VT_OK)
			return rc;
		if (memcmp(want, d->val, d->len) != 0)
			return VT_E_FORMAT;
	}
	return VT_OK;
}

static int
check_log(const struct wlaunch *l)
{
	struct el_log *log;
	struct el_event ev;
	int rc, bad = VT_OK;

	if ((rc = el_open(l->log.p, l->log.len, &log)) != VT_OK)
		return rc;
	while (bad == VT_OK && (rc = el_next(log, &ev)) == 1) {
		if (!el_extends(&ev))
			continue;
		if (ev.pcr == PCR_DRTM)
			bad = check_drtm_event(&ev, &l->record);
		else if (ev.pcr > PCR_DRTM && ev.pcr <= PCR_DRTM_LAST)
			bad = VT_E_FORMAT;
	}
	el_close(log);
	return bad != VT_OK ? bad : rc;
}

int
wk_launch_set(struct launch *l, const uint8_t *p, size_t len)
{
	struct launch n;
	int rc;

	memset(&n, 0, sizeof(n));
	n.set = true;
	if (len > 0) {
		if ((n.bytes = malloc(len)) == NULL)
			return VT_E_NOMEM;
		memcpy(n.bytes, p, len);
		n.len = len;
		rc = wlaunch_get(n.bytes, len, &n.l);
		if (rc == VT_OK && n.l.record.len > 0 && n.l.log.len > 0)
			rc = check_log(&n.l);
		if (rc != VT_OK || n.l.record.len == 0) {
			free(n.bytes);
			if (rc != VT_OK)
				return rc;
			memset(&n, 0, sizeof(n));
			n.set = true; /* forget it */
		}
	}
	wk_launch_drop(l);
	*l = n;
	return VT_OK;
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
	return capture_hash_end(&w->cap);
}

/* Every active bank gets its digest or none does: a bank that stayed behind
 * would attest a boot that never was. */
static int
apply_event(struct worker *w, const struct el_event *ev)
{
	struct el_digest d[PCR_MAX_BANKS];
	const struct el_digest *one;
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
	const struct wlaunch *l = &w->launch.l;
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

/*
 * A launch that cannot be measured must not run as one that was: the TPM
 * stays off then, and the guest's firmware finds none.
 */
static int
apply_launch(struct worker *w)
{
	int rc;

	if ((rc = plain_startup(w)) == VT_OK)
		rc = drtm_sequence(w, &w->launch.l.record);
	if (rc == VT_OK)
		rc = apply_log(w);
	if (rc != VT_OK) {
		wk_event(w, WE_FAILURE,
		    "the launch could not be measured: %s; the TPM stays off",
		    vt_strerror(rc));
		eng_power_off();
		w->started = false;
		return rc;
	}
	w->launched = w->startup_due = true;
	wk_event(w, WE_LAUNCH_APPLIED, "%zu bytes of launch record in PCR 17",
	    (size_t)w->launch.l.record.len);
	return VT_OK;
}

int
wk_auto_start(struct worker *w)
{
	int rc;

	if (!eng_powered())
		return VT_E_STATE;
	if (w->started)
		return VT_OK;
	w->auto_start = false;
	rc = w->launch.bytes != NULL ? apply_launch(w) : plain_startup(w);
	(void)wk_store_changes(w, 0);
	return rc;
}

/* --- after a crash ---------------------------------------------------------
 */

/*
 * The PCRs of before are lost with the worker that held them.  A guest that
 * goes on must not be able to attest anything: every PCR gets an event that
 * no boot has.
 */
int
wk_cap(struct worker *w)
{
	struct el_digest d[PCR_MAX_BANKS];
	uint32_t i, pcr;
	int rc;

	if ((rc = plain_startup(w)) != VT_OK)
		return rc;
	for (i = 0; i < w->cap.nbanks; i++)
		if ((rc = journal_cap_digest(w->cap.algs[i], &d[i])) != VT_OK)
			return rc;
	for (pcr = 0; pcr < PCR_COUNT; pcr++)
		if ((rc = host_extend(pcr, d, w->cap.nbanks)) != VT_OK)
			return rc;
	w->capped = true;
	wk_event(w, WE_CAPPED,
	    "the worker was restarted: all PCRs are capped until the guest's "
	    "next power cycle");
	(void)wk_store_changes(w, 0);
	return journal_add_cap(w->cap.journal, PCR_ALL);
}

/* --- power -----------------------------------------------------------------
 */

void
wk_launch_over(struct worker *w)
{
	if (w->launch.bytes == NULL || w->launch_over)
		return;
	w->launch_over = true;
	wk_event(w, WE_LAUNCH_OVER, "the launched guest has ended");
}

static void
take_launch(struct worker *w)
{
	if (w->launch_over)
		wk_launch_drop(&w->launch);
	w->launch_over = false;
	if (!w->launch_next.set)
		return;
	wk_launch_drop(&w->launch);
	w->launch = w->launch_next;
	w->launch.set = false;
	memset(&w->launch_next, 0, sizeof(w->launch_next));
}

static int
begin_journal(struct worker *w)
{
	int rc = journal_power_cycle(w->cap.journal);

	if (rc == VT_OK && w->launch.bytes == NULL)
		rc = journal_add_note(w->cap.journal, JN_NO_LAUNCH);
	return rc;
}

int
wk_power_on(struct worker *w)
{
	int rc;

	if (w->stage.perm != NULL && !w->stage.incoming)
		return wk_restore(w);
	if ((rc = eng_power_on()) != VT_OK) {
		wk_event(w, WE_FAILURE, "the TPM did not accept its state: %s",
		    vt_strerror(rc));
		return rc;
	}
	w->started = w->capped = w->launched = w->startup_due = false;
	w->shut_down = w->snap_taken = w->failure_told = false;
	w->auto_start = false;
	memset(&w->quotes, 0, sizeof(w->quotes));
	wk_journal_copy_drop(w);
	wk_deep_drop_all(w);
	w->power_cycles++;
	take_launch(w);
	wk_event(w, WE_POWER_CYCLE, "power cycle %u", w->power_cycles);
	rc = begin_journal(w);
	(void)wk_store_changes(w, 0);
	return rc;
}

/*
 * libtpms does not shut down by itself.  A TPM 2.0 that loses power without
 * TPM2_Shutdown counts it as a try to guess, once a key under dictionary
 * attack protection was used; so the host's power button is orderly.  Not
 * after a snapshot: its state must still be the newest one when it resumes.
 */
void
wk_power_off(struct worker *w)
{
	if (!eng_powered())
		return;
	if (eng_is_tpm2() && w->started && !w->shut_down && !w->snap_taken &&
	    tcmd_shutdown() != VT_OK)
		log_warn("the TPM did not shut down in order");
	eng_power_off();
	w->started = false;
	w->auto_start = false;
	(void)wk_store_changes(w, 0);
}
