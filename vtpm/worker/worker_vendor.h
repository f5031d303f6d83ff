/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_vendor.h - the worker answers TPM_CC_VTPM itself.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_VENDOR_H
#define VTPM_WORKER_WORKER_VENDOR_H

#include <stddef.h>

#include "vtpm/engine/tpm_command.h"

struct worker;

/* Answers cmd into w->out; returns the response's length. */
size_t wk_vendor(struct worker *w, const struct tpm_cmd *cmd);
/* Forgets the copy of the journal that a guest was reading. */
void wk_journal_copy_drop(struct worker *w);

#endif
