/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_banks.h - PCR banks that the operator sets.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_BANKS_H
#define VTPM_MANAGER_GUEST_GUEST_BANKS_H

#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

struct guest_run;

/* From in's next power cycle on; cb when that is durable.  VT_E_UNSUPPORTED: a
 * TPM 1.2; VT_E_* at once with text. */
int guest_set_banks(struct mgr *m, const struct guest *in, uint8_t banks,
    mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* g's worker is about to load: it hears of banks that are not set yet. */
void guest_send_banks(struct guest_run *g);

#endif
