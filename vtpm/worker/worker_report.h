/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_report.h - what the worker sends to its manager.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_REPORT_H
#define VTPM_WORKER_WORKER_REPORT_H

#include <stdint.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"

struct worker;

/* Sends p->buf as a message; without a manager it is dropped. */
void wk_send(struct worker *w, uint16_t type, uint32_t id, const struct wr *p);
/* Answers request id with W_DONE; the text is "" if rc is VT_OK. */
void wk_done(struct worker *w, uint32_t id, int rc, const char *fmt, ...)
    VT_PRINTF(4, 5);
/* For the manager's log and audit; a guest's flood of events is cut. */
void wk_event(struct worker *w, enum wevent_code code, const char *fmt, ...)
    VT_PRINTF(3, 4);

#endif
