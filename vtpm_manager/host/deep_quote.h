/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deep_quote.h - deep quotes: one quote of the host's TPM vouches for the
 * quotes of all guests that wait.
 *
 * Layer:  vtpm_manager/host.
 * Spec:   measure/evidence/deep_leaf.h.  While the host's TPM makes one quote
 *         the next batch gathers, so a slow TPM serves any number of guests,
 *         and the first one that asks does not wait.
 * Trust:  a worker reports its guest's quote and may be controlled by that
 *         guest; the guest's identity, launch and cap come from the registry.
 * Order:  one batch of each group at a time is with the host's TPM, whose queue
 *         is fair by group; first come, first served inside a group.
 * Limits; the answer names the one that was met:
 *	DEEP_QUOTE_EACH		waiting, of one vTPM
 *	DEEP_QUOTE_BURST	at once by one vTPM
 *	DEEP_QUOTE_RATE		a second after that
 *	DEEP_QUOTE_ALL		waiting, of all
 *	deep_batch_max		under one quote of the host (configuration)
 *	deep_wait_ms		until a guest that waits gets a failure
 */
#ifndef VTPM_MANAGER_HOST_DEEP_QUOTE_H
#define VTPM_MANAGER_HOST_DEEP_QUOTE_H

#include "measure/evidence/deep_leaf.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

#define DEEP_QUOTE_EACH 8
#define DEEP_QUOTE_BURST 200
#define DEEP_QUOTE_RATE 200
#define DEEP_QUOTE_ALL 65536

struct deep_quote_counters {
	uint64_t asked, answered, failed; /* guests' quotes */
	uint64_t host_quotes, batch_max, us_last;
	uint64_t waiting; /* now */
};

/* One guest's requests; its owner keeps the pointer, NULL at first. */
struct deep_quote_guest;

struct deep_quote_ops {
	/* guest's worker waits for this; d is borrowed. */
	void (*answer)(void *guest, const struct wdeeped *d);
	/* Names of the EK and the AK, cap bytes each; VT_E_*. */
	int (*key_names)(struct mgr *m, const struct guest *in, uint8_t *ek,
	    size_t *ek_len, uint8_t *ak, size_t *ak_len, size_t cap);
};

/* ops are static. */
int deep_quote_new(struct mgr *m, const struct deep_quote_ops *ops) VT_CHECK;
void deep_quote_free(struct mgr *m);
/* guest's worker asks; ops->answer() runs once, now or later.  guest lives
 * until deep_quote_forget(). */
void deep_quote_ask(struct mgr *m, struct deep_quote_guest **dg, void *guest,
    const struct guest *in, const struct wdeep *d);
/* Its worker is gone: what it asked for gets no answer.  NULL is a no-op. */
void deep_quote_worker_gone(struct deep_quote_guest *dg);
/* The guest is gone; frees *dg. */
void deep_quote_forget(struct deep_quote_guest **dg);
void deep_quote_counters(const struct mgr *m, struct deep_quote_counters *ret);

#endif
