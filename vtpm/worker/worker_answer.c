/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_answer.c - answers to a guest: given once what they tell is durable
 * (law 3).
 */
#include "vtpm/worker/worker_answer.h"

#include <stdlib.h>
#include <string.h>

#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_step.h"

static void
reply(struct slot *s, const uint8_t *resp, size_t len)
{
	wk_count_answer(s, resp, len);
	chan_reply(s->ch, resp, len);
}

static void
release(struct slot *s)
{
	uint8_t *resp = s->resp;

	if (resp == NULL || s->resp_version > s->w->acked)
		return;
	s->resp = NULL;
	reply(s, resp, s->resp_len);
	mem_wipe_free(resp, s->resp_len);
}

void
wk_answer_release(struct worker *w)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (w->slots[i].ch != NULL)
			release(&w->slots[i]);
}

void
wk_answer_error(struct slot *s, uint32_t rc20, uint32_t rc12)
{
	bool tpm2 = s->w->tpm_version != TPM_VER_12;
	uint8_t out[TPM_HDR_LEN];

	tp_error(tpm2, tpm2 ? rc20 : rc12, out);
	reply(s, out, sizeof(out));
}

void
wk_answer(struct slot *s, const uint8_t *resp, size_t len, uint64_t need)
{
	if (need <= s->w->acked) {
		reply(s, resp, len);
		return;
	}
	if ((s->resp = malloc(len)) == NULL) {
		/* The command was done; as after a power cut, the guest does
		 * not learn of it. */
		wk_event(s->w, WE_FAILURE,
		    "out of memory for a response; the guest got an error");
		wk_answer_error(s, RC_FAILURE, R12_FAIL);
		return;
	}
	memcpy(s->resp, resp, len);
	s->resp_len = len;
	s->resp_version = need;
}

void
wk_break(struct worker *w)
{
	size_t i;

	(void)wk_step(w, PE_BREAK);
	eng_power_off();
	for (i = 0; i < SLOTS; i++) {
		struct slot *s = &w->slots[i];

		if (s->resp == NULL)
			continue;
		mem_wipe_free(s->resp, s->resp_len);
		s->resp = NULL;
		wk_answer_error(s, RC_FAILURE, R12_FAIL);
	}
}
