/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.h - what each request of swtpm's control protocol does.
 *
 * Layer:  tpmback; private to chan.c.
 */
#ifndef TPMBACK_SWTPM_CONTROL_H
#define TPMBACK_SWTPM_CONTROL_H

#include "tpmback/swtpm/state.h"

/* What the channel must do after the answer was sent. */
enum swtpm_after {
	SA_NOTHING,
	SA_DATA,      /* a data connection was set: keep it */
	SA_TAKE_OVER, /* this connection has the TPM from now on */
};

/*
 * Handle one request and write its answer, result first, to w.
 * q NULL: one that was too long, or unknown: unknown says which.
 */
enum swtpm_after swtpm_ctl_handle(struct chan *ch, uint8_t localities,
    struct swtpm_conn *c, const struct swtpm_req *q, struct wr *w);

#endif
