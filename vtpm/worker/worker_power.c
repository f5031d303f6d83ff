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
#include "vtpm/worker/worker_answer.h"
#include "vtpm/worker/worker_banks.h"
#include "vtpm/worker/worker_certs.h"
#include "vtpm/worker/worker_deep.h"
#include "vtpm/worker/worker_facts.h"
#include "vtpm/worker/worker_measure.h"
#include "vtpm/worker/worker_repair.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_step.h"
#include "vtpm/worker/worker_store.h"
#include "vtpm/worker/worker_vendor.h"

/* --- startup ---------------------------------------------------------------
 */

int
wk_note_startup(struct worker *w, uint8_t locality, bool clear)
{
	int rc;

	(void)wk_step(w, clear ? PE_STARTUP_CLEAR : PE_STARTUP_STATE);
	if ((rc = capture_startup(&w->cap, locality, clear)) != VT_OK)
		return rc;
	if (clear) { /* the firmware has not set the platform's password yet */
		wk_repair(w);
		wk_certs_write(w);
	}
	wk_send_facts(w);
	return tcmd_stir();
}

static int
startup(struct worker *w)
{
	int rc = tcmd_startup(0);

	return rc == VT_OK ? wk_note_startup(w, 0, true) : rc;
}

/* --- actions ---------------------------------------------------------------
 */

static int
wake(struct worker *w)
{
	int rc = eng_power_on();

	if (rc != VT_OK)
		wk_event(w, WE_FAILURE,
		    "libtpms rejected the state: %s; the TPM stays off",
		    vt_strerror(rc));
	w->failure_told = false;
	return rc == VT_OK ? journal_power_cycle(w->cap.journal) : rc;
}

static int
anew(struct worker *w)
{
	memset(&w->quotes, 0, sizeof(w->quotes));
	wk_journal_copy_drop(w);
	wk_deep_drop_all(w);
	w->machine.unseen = false;
	w->power_cycles++;
	launch_power_cycle(&w->launch);
	wk_event(w, WE_POWER_CYCLE, "power cycle %u", w->power_cycles);
	return w->launch.now.bytes == NULL
		   ? journal_add_note(w->cap.journal, JN_NO_LAUNCH)
		   : VT_OK;
}

/* The host knows that the guest begins anew. */
static int
reset_seen(struct worker *w)
{
	int rc = wk_banks_apply(w);

	return rc == VT_OK ? anew(w) : rc;
}

static int
power_on(struct worker *w)
{
	int rc = wake(w);

	return rc == VT_OK ? reset_seen(w) : rc;
}

/* The guest says that it was reset, and the host cannot tell. */
static int
unseen(struct worker *w)
{
	int rc = anew(w);

	w->machine.unseen = true;
	return rc == VT_OK ? journal_add_note(w->cap.journal, JN_UNSEEN) : rc;
}

/* Without its measurement a launch must not run: the TPM stays off, and the
 * guest's firmware finds none. */
static int
measure_launch(struct worker *w)
{
	int rc;

	if ((rc = startup(w)) == VT_OK)
		rc = wk_measure_launch(w);
	if (rc != VT_OK)
		wk_event(w, WE_FAILURE,
		    "the launch could not be measured: %s; the TPM stays off",
		    vt_strerror(rc));
	else
		wk_event(w, WE_LAUNCH_APPLIED,
		    "measured a launch record of %zu bytes into PCR 17",
		    (size_t)w->launch.now.l.record.len);
	return rc;
}

/*
 * The PCRs were lost with the worker that held them, or with the
 * machine's suspend.  A guest that goes on must not be able to attest
 * anything: every PCR gets an event that no boot has.
 */
static int
cap_for(struct worker *w, const char *why)
{
	int rc;

	if ((rc = startup(w)) != VT_OK || (rc = wk_measure_cap(w)) != VT_OK)
		return rc;
	wk_event(w, WE_CAPPED,
	    "%s: all PCRs are capped until the guest's next power cycle", why);
	return VT_OK;
}

static int
cap(struct worker *w)
{
	return cap_for(w, "the worker was restarted");
}

static int
cap_waking(struct worker *w)
{
	memset(&w->quotes, 0, sizeof(w->quotes));
	wk_journal_copy_drop(w);
	wk_deep_drop_all(w);
	return cap_for(w, w->machine.since == ME_WAKEUP
			      ? "the guest woke from suspend without the state "
				"that TPM2_Shutdown(STATE) saves"
			      : "the guest started its TPM anew and the host "
				"saw no reset");
}

/*
 * libtpms does not shut down by itself.  A TPM 2.0 that loses power without
 * TPM2_Shutdown counts it as a guess once a key under dictionary attack
 * protection was used, so the host's power button is orderly.
 */
static int
shut_down_as(bool state)
{
	if (eng_is_tpm2() && tcmd_shutdown(state) != VT_OK)
		log_warn("TPM2_Shutdown failed before power off: the TPM may "
			 "count it as a wrong password");
	eng_power_off();
	return VT_OK;
}

static int
shut_down(struct worker *w)
{
	(void)w;
	return shut_down_as(false);
}

/* The guest saved its state and went on: what is saved now is newer. */
static int
save(struct worker *w)
{
	(void)w;
	return shut_down_as(true);
}

static int
cut(struct worker *w)
{
	(void)w;
	eng_power_off();
	return VT_OK;
}

static int
perform(struct worker *w, enum power_action act)
{
	/* How an action ends is the next event. */
	static const struct {
		int (*fn)(struct worker *w);
		enum power_event done; /* PE_NEVENTS: no event */
	} actions[PA_NACTIONS] = {
		[PA_POWER_ON] = { power_on, PE_POWERED },
		[PA_WAKE] = { wake, PE_POWERED },
		[PA_ANEW] = { reset_seen, PE_POWERED },
		[PA_UNSEEN] = { unseen, PE_POWERED },
		[PA_START] = { startup, PE_NEVENTS },
		[PA_LAUNCH] = { measure_launch, PE_LAUNCHED },
		[PA_CAP] = { cap, PE_CAPPED },
		[PA_CAP_WAKING] = { cap_waking, PE_CAPPED },
		[PA_SHUT_DOWN] = { shut_down, PE_NEVENTS },
		[PA_SAVE] = { save, PE_NEVENTS },
		[PA_CUT] = { cut, PE_NEVENTS },
	};
	int rc, next = VT_OK;

	if (act == PA_NONE)
		return VT_OK;
	if (actions[act].fn == NULL)
		return VT_E_STATE;
	rc = actions[act].fn(w);
	(void)wk_store_changes(w, 0);
	if (actions[act].done != PE_NEVENTS)
		next = wk_power(w, rc == VT_OK ? actions[act].done : PE_FAILED);
	return rc != VT_OK ? rc : next;
}

/* --- events ----------------------------------------------------------------
 */

int
wk_power(struct worker *w, enum power_event e)
{
	return perform(w, wk_step(w, e));
}

enum power_action
wk_power_ask(struct worker *w, enum power_event ask)
{
	enum power_action act;

	while ((act = wk_step(w, ask)) == PA_START || act == PA_LAUNCH ||
	       act == PA_UNSEEN || act == PA_CAP_WAKING) {
		if (perform(w, act) != VT_OK)
			return PA_FAIL;
		if (act == PA_CAP_WAKING && ask == PE_ASK_STARTUP_CLEAR)
			return PA_ACCEPT; /* capping it has started it */
	}
	return act;
}

int
wk_start(struct worker *w)
{
	return wk_power_ask(w, PE_ASK) == PA_RUN ? VT_OK : VT_E_TPM;
}

bool
wk_launch_due(const struct worker *w)
{
	const struct launch *l =
	    power_is_on(w->power) && !power_is_unsure(w->power)
		? &w->launch.now /* resumed */
		: launch_of_next(&w->launch);

	return l != NULL && l->bytes != NULL;
}

int
wk_power_on(struct worker *w, enum power_event plain, enum power_event launch)
{
	return wk_power(w, wk_launch_due(w) ? launch : plain);
}

void
wk_power_off(struct worker *w)
{
	if (wk_power(w, PE_POWER_OFF) != VT_OK)
		wk_break(w); /* no action of it can fail */
}

void
wk_power_lost(struct worker *w)
{
	if (wk_power(w, PE_LOST) != VT_OK)
		wk_break(w);
}
