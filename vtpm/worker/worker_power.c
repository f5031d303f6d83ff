/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_power.c - power, startup, measured launch, and the cap after a crash
 * (law 4: PCRs are reset by a power cycle that the host saw, and by nothing
 * else).
 */
#include "vtpm/worker/worker_power.h"

#include <string.h>

#include "base/log.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker_certs.h"
#include "vtpm/worker/worker_deep.h"
#include "vtpm/worker/worker_measure.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"
#include "vtpm/worker/worker_vendor.h"

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

/*
 * A launch that cannot be measured must not run as one that was: the TPM
 * stays off then, and the guest's firmware finds none.
 */
static int
apply_launch(struct worker *w)
{
	int rc;

	if ((rc = plain_startup(w)) == VT_OK)
		rc = wk_measure_launch(w);
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
	    (size_t)w->launch.now.l.record.len);
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
	rc = w->launch.now.bytes != NULL ? apply_launch(w) : plain_startup(w);
	(void)wk_store_changes(w, 0);
	return rc;
}

/*
 * The PCRs of before are lost with the worker that held them.  A guest that
 * goes on must not be able to attest anything: every PCR gets an event that
 * no boot has.
 */
int
wk_cap(struct worker *w)
{
	int rc;

	if ((rc = plain_startup(w)) != VT_OK ||
	    (rc = wk_measure_cap(w)) != VT_OK)
		return rc;
	w->capped = true;
	wk_event(w, WE_CAPPED,
	    "the worker was restarted: all PCRs are capped until the guest's "
	    "next power cycle");
	(void)wk_store_changes(w, 0);
	return VT_OK;
}

/* --- power --------------------------------------------------------------
 */

static int
begin_journal(struct worker *w)
{
	int rc = journal_power_cycle(w->cap.journal);

	if (rc == VT_OK && w->launch.now.bytes == NULL)
		rc = journal_add_note(w->cap.journal, JN_NO_LAUNCH);
	return rc;
}

int
wk_power_on(struct worker *w)
{
	int rc;

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
	launch_power_cycle(&w->launch);
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
