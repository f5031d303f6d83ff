/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * connection.h - brings the TPM up and down.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_CONNECTION_H
#define VTPM_MANAGER_HWTPM_CONNECTION_H

#include "vtpm_manager/hwtpm/tpm.h"

/* VT_E_POLICY: it answers, but it is not the TPM whose keys are loaded. */
int hwconn_open(struct hwtpm *h) VT_CHECK;
void hwconn_close(struct hwtpm *h);
bool hwconn_is_up(const struct hwtpm *h);

/* Before work that uses the keys: loads them if they were refused before. */
int hwconn_need_keys(struct hwtpm *h) VT_CHECK;

/* Close the connection and forget the keys. */
void hwconn_done(struct hwtpm *h);

/* Never fails; asks the TPM if it has not answered for a second.  h->again
 * is set if it does not. */
void hwconn_status(struct hwtpm *h, struct hw_status *ret);

#endif
