/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_query.h - what the manager asks about a vTPM.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_QUERY_H
#define VTPM_WORKER_WORKER_QUERY_H

#include <stdint.h>

struct worker;

/* Answers request id with W_ANSWER; what: WQ_*. */
void wk_query(struct worker *w, uint32_t id, uint8_t what);

#endif
