/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_resume.c - the engine becomes a state that was opened (laws 2 and 9).
 */
#include "vtpm/worker/worker_resume.h"

#include <string.h>

#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker_answer.h"
#include "vtpm/worker/worker_facts.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_step.h"

static void
take_key(uint8_t *out, uint16_t *ret_len, const struct wblob *b)
{
	if (b->len > 0)
		memcpy(out, b->p, b->len);
	*ret_len = (uint16_t)b->len;
}

int
wk_become(struct worker *w, const struct state_perm *s)
{
	int rc;

	rc = eng_set_permanent(s->tpm_version, s->tpm.p, s->tpm.len);
	if (rc != VT_OK)
		return rc;
	w->tpm_version = s->tpm_version;
	w->perm_flags = s->flags & (SP_RESTORED | SP_SRK_ECC | SP_SRK_RSA);
	take_key(w->keys.ek_rsa, &w->keys.ek_rsa_len, &s->ek_rsa);
	take_key(w->keys.ek_ecc, &w->keys.ek_ecc_len, &s->ek_ecc);
	take_key(w->keys.ak, &w->keys.ak_len, &s->ak);
	take_key(w->keys.ak_private, &w->keys.ak_private_len, &s->ak_private);
	return VT_OK;
}

static int
set_all(struct worker *w, const struct state_vol *s)
{
	int rc;

	if ((rc = eng_set_volatile(s->tpm.p, s->tpm.len)) != VT_OK ||
	    (rc = eng_set_savestate(s->savestate.p, s->savestate.len)) !=
		VT_OK ||
	    (rc = capture_load(&w->cap, s->journal.p, s->journal.len)) !=
		VT_OK ||
	    (rc = launch_take_copy(
		 &w->launch.now, s->launch.p, s->launch.len)) != VT_OK)
		return rc;
	return eng_power_on();
}

static enum power_event
resumed(uint8_t flags)
{
	if ((flags & SV_WAKING) != 0)
		return (flags & SV_CAPPED) != 0     ? PE_RESUMED_WAKING_CAPPED
		       : (flags & SV_LAUNCHED) != 0 ? PE_RESUMED_WAKING_LAUNCHED
						    : PE_RESUMED_WAKING;
	if ((flags & SV_STARTED) == 0)
		return PE_RESUMED;
	if ((flags & SV_CAPPED) != 0)
		return PE_RESUMED_CAPPED;
	return (flags & SV_LAUNCHED) != 0 ? PE_RESUMED_LAUNCHED
					  : PE_RESUMED_PLAIN;
}

/* Power on into this volatile state; the permanent one is set. */
int
wk_resume(struct worker *w, const struct state_vol *s)
{
	int rc;

	if ((rc = set_all(w, s)) != VT_OK) {
		/* The next power on must not find a part of it. */
		if (eng_set_volatile(NULL, 0) != VT_OK)
			wk_break(w);
		return rc;
	}
	(void)wk_step(w, resumed(s->flags));
	w->failure_told = false;
	w->machine.unseen = (s->flags & SV_UNSEEN) != 0;
	w->power_cycles = s->power_cycles;
	quotes_load(&w->quotes, s->quotes.p, s->quotes.len);
	wk_send_facts(w);
	return power_is_started(w->power) ? tcmd_stir() : VT_OK; /* law 9 */
}
