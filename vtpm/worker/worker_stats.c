/* SPDX-License-Identifier: BSD-3-Clause */
/* worker_stats.c - counters and times of a guest's commands. */
#include "vtpm/worker/worker_stats.h"

#include <string.h>

#include "base/util.h"
#include "vtpm/engine/command_class.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker_state.h"

#define RC_LOCKOUT 0x921u /* TPM_RC_LOCKOUT */
#define RC_FMT1 0x080u    /* with a parameter, handle or session number */
#define RC_FMT1_CODE 0x03fu
#define F1_AUTH_FAIL 0x00eu /* TPM_RC_AUTH_FAIL, without RC_FMT1: counted */
#define F1_BAD_AUTH 0x022u  /* TPM_RC_BAD_AUTH: no lockout guards it */
#define R12_AUTHFAIL 0x001u
#define R12_AUTH2FAIL 0x01du   /* of the second session */
#define R12_DEFEND_LOCK 0x803u /* TPM_DEFEND_LOCK_RUNNING */

void
wk_count_command(struct slot *s)
{
	s->class = WCLASS_OTHER;
	s->began_us = now_us();
	s->w->n.last_us = s->began_us;
	s->w->n.commands++;
}

void
wk_count_class(struct slot *s, const struct tpm_cmd *cmd)
{
	s->class = (uint8_t)command_class(cmd->tpm2, cmd->code);
}

static bool
is_wrong_auth(bool tpm2, uint32_t code)
{
	uint32_t one = code & RC_FMT1_CODE;

	if (!tpm2)
		return code == R12_AUTHFAIL || code == R12_AUTH2FAIL;
	return (code & RC_FMT1) != 0 &&
	       (one == F1_AUTH_FAIL || one == F1_BAD_AUTH);
}

void
wk_count_answer(struct slot *s, const uint8_t *resp, size_t len)
{
	uint32_t code = tp_response_code(resp, len);
	bool tpm2 = s->w->tpm_version != TPM_VER_12;
	struct wk_counters *n = &s->w->n;

	if (s->began_us == 0)
		return; /* of a command that came before a snapshot */
	hist_add(&n->times[s->class], now_us() - s->began_us);
	s->began_us = 0;
	n->auth_failures += is_wrong_auth(tpm2, code);
	n->lockouts += code == (tpm2 ? RC_LOCKOUT : R12_DEFEND_LOCK);
}

void
wk_stats_put(const struct worker *w, struct wr *p)
{
	struct wstats m = { .commands = w->n.commands,
		.stores = w->n.stores,
		.held = w->n.held_commands,
		.refused = w->n.refused,
		.attaches_refused = w->n.attaches_refused,
		.auth_failures = w->n.auth_failures,
		.lockouts = w->n.lockouts,
		.quiet_us = now_us() - w->n.last_us,
		.n = WCLASSES };
	uint32_t i;

	for (i = 0; i < WCLASSES; i++) {
		m.times[i].n = HIST_BOUNDS + 1;
		m.times[i].sum_us = w->n.times[i].sum_us;
		memcpy(m.times[i].counts, w->n.times[i].n,
		    sizeof(m.times[i].counts));
	}
	msg_put(p, wstats, &m);
}
