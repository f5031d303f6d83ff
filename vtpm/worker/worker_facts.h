/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_facts.h - W_FACTS: what of its identity the guest can change.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_FACTS_H
#define VTPM_WORKER_WORKER_FACTS_H

struct worker;

/* To the manager, if there is one and the TPM has been started. */
void wk_send_facts(struct worker *w);

#endif
