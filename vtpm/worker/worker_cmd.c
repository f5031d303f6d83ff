/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_cmd.c - a guest's command from submit to answer.
 */
#include "vtpm/worker/worker_cmd.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/log/journal_codec.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/vendor_command.h"
#include "vtpm/worker/worker_answer.h"
#include "vtpm/worker/worker_machine.h"
#include "vtpm/worker/worker_power.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"
#include "vtpm/worker/worker_vendor.h"
#include "vtpm/worker/worker_step.h"

#define ALG_RSA 0x0001u
#define HT_PERSISTENT 0x81u
#define SU_STATE 1u /* TPM_SU_STATE */
#define ST_STATE 2u /* TPM 1.2's TPM_ST_STATE */
#define WITH_ENGINE (CT_STARTUP | CT_RESET | CT_CAPABILITY)

/* Elliptic keys take less than a wake-up of the watch thread. */
static bool
makes_rsa(const struct tpm_cmd *cmd)
{
	struct rd pub, r = tpm_cmd_params(cmd);
	const uint8_t *p;
	size_t n;

	if (cmd->tag != ST_SESSIONS)
		return false;
	(void)rd_blob16(&r, r.left, &n); /* inSensitive */
	p = rd_blob16(&r, r.left, &n);   /* inPublic */
	rd_init(&pub, p, n);
	return rd_be16(&pub) == ALG_RSA;
}

static bool
is_slow(const struct tpm_cmd *cmd)
{
	if ((cmd->flags & CT_SLOW) == 0)
		return false;
	if (!cmd->tpm2 || cmd->code == CC_SelfTest)
		return true;
	return makes_rsa(cmd);
}

static void
cancel_again(void *arg)
{
	struct slot *s = arg;

	if (atomic_load(&s->cancelled))
		eng_cancel();
}

static int
process(struct slot *s, const struct tpm_cmd *cmd, const uint8_t **ret,
    size_t *ret_len)
{
	struct worker *w = s->w;
	int rc, watching = VT_E_STATE;

	atomic_store(&s->cancelled, false);
	if (is_slow(cmd))
		watching =
		    cancel_watch_begin(&w->watch, s->ch, cancel_again, s);
	rc = eng_process(cmd->locality, cmd->bytes, cmd->len, ret, ret_len);
	if (watching == VT_OK)
		cancel_watch_end(w->watch);
	return rc;
}

/* Notes what a successful command changed.  With CT_STARTUP or CT_RESET this
 * uses the engine, so resp is a copy. */
static void
note_success(struct worker *w, const struct tpm_cmd *cmd, const uint8_t *resp,
    size_t rlen)
{
	struct rd r = tpm_cmd_params(cmd);
	int rc = VT_OK;

	if ((cmd->flags & CT_STARTUP) != 0) /* TPM_SU_CLEAR, TPM_ST_CLEAR */
		rc = wk_note_startup(
		    w, cmd->locality, rd_be16(&r) == (cmd->tpm2 ? 0u : 1u));
	if (rc == VT_OK && (cmd->flags & CT_PCRS) != 0)
		rc = capture_command(&w->cap, cmd, resp, rlen);
	if (rc == VT_OK && (cmd->flags & CT_QUOTE) != 0 &&
	    (rc = quotes_note(&w->quotes, cmd, resp, rlen)) > 0)
		rc = VT_OK;
	if (rc != VT_OK)
		wk_event(w, WE_FAILURE,
		    "the extend journal is incomplete (%s): its replay will "
		    "not match the PCRs until the next power cycle",
		    vt_strerror(rc));
}

static void
tell_failure(struct worker *w)
{
	if (w->failure_told)
		return;
	w->failure_told = true;
	wk_event(w, WE_FAILURE,
	    "libtpms is in failure mode until the next "
	    "power cycle");
}

/* TPM2_Shutdown(STATE), TPM_SaveState. */
static bool
saves_state(const struct tpm_cmd *cmd)
{
	struct rd r = tpm_cmd_params(cmd);

	return !cmd->tpm2 || rd_be16(&r) == SU_STATE;
}

/* The engine has answered. */
static void
finish(
    struct slot *s, const struct tpm_cmd *cmd, const uint8_t *resp, size_t rlen)
{
	struct worker *w = s->w;
	uint32_t code = tp_response_code(resp, rlen);
	bool changed;

	if ((cmd->flags & WITH_ENGINE) != 0) {
		memcpy(w->out, resp, rlen);
		resp = w->out;
	}
	if (code != 0 || (cmd->flags & (CT_SHUTDOWN | CT_STARTUP)) == 0)
		(void)wk_step(w, PE_RAN);
	else if ((cmd->flags & CT_SHUTDOWN) != 0)
		(void)wk_step(
		    w, saves_state(cmd) ? PE_SHUT_DOWN_STATE : PE_SHUT_DOWN);
	if (code == 0)
		note_success(w, cmd, resp, rlen);
	else if (cmd->tpm2 && code == RC_FAILURE)
		tell_failure(w);
	if ((cmd->flags & CT_CAPABILITY) != 0 && cmd->tpm2)
		rlen =
		    vendor_patch_capability(cmd, w->out, rlen, WORKER_BUFFER);
	changed = wk_store_changes(w, 0);
	wk_answer(s, resp, rlen,
	    changed || (cmd->flags & CT_FREE) == 0 ? wk_need(w) : 0);
}

static enum power_event
asks_for(const struct tpm_cmd *cmd)
{
	struct rd r = tpm_cmd_params(cmd);
	uint16_t type;

	if ((cmd->flags & CT_RESET) != 0)
		return PE_ASK_PCR_RESET;
	if ((cmd->flags & CT_STARTUP) == 0)
		return PE_ASK;
	type = rd_be16(&r);
	if (cmd->tag != (cmd->tpm2 ? ST_NO_SESSIONS : TAG_RQU) ||
	    rd_end(&r) != VT_OK)
		return PE_ASK_STARTUP;
	if (type == (cmd->tpm2 ? SU_STATE : ST_STATE))
		return PE_ASK_STARTUP_STATE;
	return cmd->tpm2 && type == 0 ? PE_ASK_STARTUP_CLEAR : PE_ASK_STARTUP;
}

/*
 * The group's quota of bytes is used up: a command that takes more NV space is
 * refused before libtpms runs it, since a state that was changed must be
 * stored (law 3).  All others go on, so that a guest can give space back and
 * counters count; their growth is bounded.
 */
static bool
takes_room(const struct worker *w, const struct tpm_cmd *cmd)
{
	if (!w->no_growth)
		return false;
	if (!cmd->tpm2)
		return cmd->code == ORD_NV_DefineSpace;
	if (cmd->code == CC_EvictControl) /* of a persistent object: it goes */
		return cmd->handle[1] >> 24 != HT_PERSISTENT;
	return cmd->code == CC_NV_DefineSpace;
}

static void
run_libtpms(struct slot *s, const struct tpm_cmd *cmd)
{
	struct worker *w = s->w;
	const uint8_t *resp;
	size_t len;

	if (takes_room(w, cmd)) {
		w->n.refused++;
		wk_answer_error(s, RC_NV_SPACE, R12_NOSPACE);
		return;
	}
	if (process(s, cmd, &resp, &len) != VT_OK) {
		tell_failure(w);
		wk_answer_error(s, RC_FAILURE, R12_FAIL);
		return;
	}
	finish(s, cmd, resp, len);
}

static void
run(struct slot *s, const struct tpm_cmd *cmd)
{
	struct worker *w = s->w;
	size_t len;

	if (vendor_is(cmd)) {
		len = wk_vendor(w, cmd);
		wk_answer(s, w->out, len, wk_need(w));
		return;
	}
	switch (wk_power_ask(w, asks_for(cmd))) {
	case PA_RUN:
		run_libtpms(s, cmd);
		break;
	case PA_ACCEPT:
		wk_answer_error(s, 0, 0);
		break;
	case PA_REFUSE:
		wk_answer_error(s, RC_LOCALITY, R12_BAD_LOCALITY);
		break;
	default:
		wk_answer_error(s, RC_FAILURE, R12_FAIL);
	}
}

/* --- holding before execution -------------------------------------------
 */

static bool
must_wait(const struct worker *w, const struct tpm_cmd *cmd)
{
	return (cmd->flags & CT_STORES) != 0 && !wk_can_store(w);
}

static void
hold(struct slot *s, const struct tpm_cmd *cmd)
{
	struct worker *w = s->w;
	unsigned int ms =
	    w->cfg->hold_ms != 0 ? w->cfg->hold_ms : WORKER_HOLD_MS;

	if ((s->held_bytes = malloc(cmd->len)) == NULL) {
		wk_answer_error(s, RC_NV_UNAVAILABLE, R12_RETRY);
		return;
	}
	memcpy(s->held_bytes, cmd->bytes, cmd->len);
	s->held = *cmd;
	s->held.bytes = s->held_bytes;
	s->held_until_us = now_us() + (uint64_t)ms * 1000;
	atomic_store(&s->cancelled, false);
	w->n.held_commands++;
}

static void
unhold(struct slot *s)
{
	mem_wipe_free(s->held_bytes, s->held.len);
	s->held_bytes = NULL;
}

void
wk_submit(void *arg, struct chan *ch, uint8_t locality, const uint8_t *bytes,
    size_t len)
{
	struct slot *s = arg;
	struct worker *w = s->w;
	struct tpm_cmd cmd;

	(void)ch;
	wk_count_command(s);
	wk_machine_settle(w);
	if (!power_is_on(w->power)) {
		wk_answer_error(s, RC_FAILURE, R12_FAIL);
		return;
	}
	tpm_cmd_decode(&cmd, eng_is_tpm2(), locality, bytes, len);
	wk_count_class(s, &cmd);
	if (must_wait(w, &cmd))
		hold(s, &cmd);
	else
		run(s, &cmd);
}

void
wk_cancel(void *arg, struct chan *ch)
{
	struct slot *s = arg;

	(void)ch;
	atomic_store(&s->cancelled, true); /* if held: wk_run_held() */
	eng_cancel();
}

static void
run_one_held(struct slot *s, uint64_t now)
{
	struct tpm_cmd cmd = s->held;
	struct worker *w = s->w;
	uint8_t *bytes = s->held_bytes;

	if (atomic_load(&s->cancelled)) {
		unhold(s);
		wk_answer_error(s, RC_CANCELED, R12_FAIL);
	} else if (!power_is_on(w->power)) {
		unhold(s);
		wk_answer_error(s, RC_FAILURE, R12_FAIL);
	} else if (!must_wait(w, &cmd)) {
		s->held_bytes =
		    NULL; /* the answer may bring the next command */
		run(s, &cmd);
		mem_wipe_free(bytes, cmd.len);
	} else if (now >= s->held_until_us) {
		w->n.refused++;
		unhold(s);
		wk_answer_error(s, RC_NV_UNAVAILABLE, R12_RETRY);
	}
}

void
wk_run_held(struct worker *w, uint64_t now)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (w->slots[i].held_bytes != NULL)
			run_one_held(&w->slots[i], now);
}
