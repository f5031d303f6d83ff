/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_deep.h - deep quotes for the guest.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_DEEP_H
#define VTPM_WORKER_WORKER_DEEP_H

#include <stddef.h>
#include <stdint.h>

#include "vtpm/engine/vendor_command.h"
#include "vtpm/proto/worker_msg.h"

struct worker;

/* Answers VSUB_DEEP_SUBMIT or VSUB_DEEP_COLLECT; returns the length. */
size_t wk_deep(
    struct worker *w, const struct vendor_request *q, uint8_t *out, size_t cap);
void wk_deep_answered(struct worker *w, const struct wdeeped *m);
/* The manager is there again: asks for what is pending. */
void wk_deep_ask_again(struct worker *w);
/* A power cycle: earlier quotes say nothing of the guest that runs now. */
void wk_deep_drop_all(struct worker *w);

#endif
