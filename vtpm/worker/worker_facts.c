/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_facts.c - W_FACTS: what of its identity the guest can change.
 */
#include "vtpm/worker/worker_facts.h"

#include "vtpm/proto/worker_msg.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_state.h"

static uint8_t
active_banks(const struct capture *cap)
{
	uint8_t bits = 0;
	uint32_t i;

	for (i = 0; i < cap->nbanks; i++)
		bits |= bank_of_alg(cap->algs[i]);
	return bits;
}

void
wk_send_facts(struct worker *w)
{
	struct wfacts m = { .banks = active_banks(&w->cap) };
	uint8_t buf[PUB_MAX_LEN + 16];
	struct wr p;

	if (w->mgr == NULL || !w->greeted || !eng_is_tpm2() ||
	    !power_is_started(w->power) || m.banks == 0 || w->keys.ak_len == 0)
		return;
	m.ak = (struct wblob){ w->keys.ak, w->keys.ak_len };
	wr_init(&p, buf, sizeof(buf));
	msg_put(&p, wfacts, &m);
	wk_send(w, W_FACTS, 0, &p);
}
