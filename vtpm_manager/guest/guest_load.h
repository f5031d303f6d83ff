/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_load.h - state and channels into a fresh worker.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_LOAD_H
#define VTPM_MANAGER_GUEST_GUEST_LOAD_H

#include "vtpm_manager/guest/worker_link.h"
#include "vtpm_manager/host/deep_quote.h"

struct guest_run;

extern const struct wlink_ops guest_ops; /* arg: struct guest_run */
extern const struct deep_quote_ops guest_deep_ops;

void guest_load(struct guest_run *g);
/* Open what the worker's hello does not list as open. */
void guest_open_missing(struct guest_run *g, uint32_t hello_flags);

#endif
