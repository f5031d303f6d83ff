/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwtpm_link.h - the manager's end of vtpm-hwtpm: requests to the host's TPM,
 * repeated when that process is restarted.
 *
 * Layer:  vtpm_manager.
 */
#ifndef VTPM_MANAGER_CORE_HWTPM_LINK_H
#define VTPM_MANAGER_CORE_HWTPM_LINK_H

#include "vtpm_manager/proto/hwtpm_msg.h"
#include "vtpm_manager/core/context.h"

typedef void (*hw_cb)(void *arg, const struct hw_answer *a);

/* tcti is copied. */
int hwlink_new(struct mgr *m, const char *tcti, struct hwlink **ret) VT_CHECK;
void hwlink_free(struct hwlink *h);
/*
 * Ask; w is an encoded request or NULL.  cb runs once, later; with VT_E_CLOSED
 * if the process keeps dying.
 */
int hwlink_request(struct hwlink *h, uint16_t type, const struct wr *w,
    hw_cb cb, void *arg) VT_CHECK;
void hwlink_forget(struct hwlink *h, void *arg);
/* After HW_INIT or HW_LOAD succeeded: the first message to each new process.
 * Copied. */
int hwlink_set_host(struct hwlink *h, const struct hw_load *l) VT_CHECK;
/* Groups' shares (struct hw_quota): sent now, and to each new process. */
int hwlink_set_quota(struct hwlink *h, const struct wr *w) VT_CHECK;
/* Restart the process, because its TPM was restarted. */
void hwlink_restart(struct hwlink *h);
/* Since when a request has been waiting without any answer (now_us()); 0: the
 * process is idle.  It answers at once what does not need the TPM. */
uint64_t hwlink_busy_since(const struct hwlink *h);
/* The uid that it gets from a manager that runs as root; else the manager's. */
uint32_t hwlink_uid(const struct mgr *m);
uint32_t hwlink_pid(const struct hwlink *h);
/* Requests of one kind that were answered, since the manager started. */
struct hwlink_kind {
	const char *name; /* static */
	uint64_t requests, failures;
	uint64_t us; /* from the process's turn to its answer, summed up */
};
/* The i-th kind into *ret; false: there are fewer. */
bool hwlink_kind(const struct hwlink *h, size_t i, struct hwlink_kind *ret);
uint64_t hwlink_restarts(const struct hwlink *h);
const char *hwlink_tcti(const struct hwlink *h);

#endif
