/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * requests.h - the requests of vtpm_manager/proto/hwtpm_msg.h that use the TPM.
 *
 * Layer:  vtpm_manager; no queue, no quota: those are hwtpm_main.c's.
 * Errors: VT_E_PROTO for a body that its field table does not read, else what
 *         the TPM's code returns; hwtpm_fail() has set the words.
 */
#ifndef VTPM_MANAGER_HWTPM_REQUESTS_H
#define VTPM_MANAGER_HWTPM_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/msg_fields.h"
#include "base/rdwr.h"
#include "vtpm_manager/hwtpm/tpm.h"

#define HWREQ_ANSWER_MAX 65536 /* octets of a body that run() appends */

struct hw_handler {
	/* Serve the request's body; append the answer's to out, which the
	 * caller owns. */
	int (*run)(struct hwtpm *t, const struct wblob *body, struct wr *out);
	bool keys; /* it needs the host's keys loaded */
};

/* Of an HW_* type; static.  NULL: no such request, or not one for the TPM. */
const struct hw_handler *hwreq_handler(uint16_t type);

#endif
