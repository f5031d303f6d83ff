/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deepq.h - deep quotes: guests' quotes that wait are put under one quote of
 * the host's TPM.
 *
 * Layer:  vtpm_manager.
 * Spec:   measure/deep.h; DESIGN of the batch: while the host's TPM makes
 *         one quote the next batch gathers, so a slow TPM serves any number
 *         of guests, and the first one that asks waits for nobody.
 * Trust:  a worker says what its guest quoted; who that guest is comes from
 *         the registry.
 */
#ifndef VTPM_MANAGER_DEEPQ_H
#define VTPM_MANAGER_DEEPQ_H

#include "vtpm_manager/inst.h"
#include "vtpm_manager/manager.h"

#define DEEPQ_EACH 8 /* of one vTPM at a time */
#define DEEPQ_ALL 65536

struct deepq_counters {
	uint64_t asked, answered, failed; /* guests' quotes */
	uint64_t host_quotes, batch_max, us_last;
};

int deepq_new(struct mgr *m) VT_CHECK;
void deepq_free(struct mgr *m);
/* A worker asks; it is answered by wlink_deeped(), now or later. */
void deepq_ask(struct ginst *g, const struct wdeep *d);
void deepq_counters(const struct mgr *m, struct deepq_counters *ret);

#endif
