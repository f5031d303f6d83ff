/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * client.h - ask a TPM by swtpm's control protocol.
 *
 * Layer:  tools.
 * Spec:   swtpm_ioctls(3).
 */
#ifndef TOOLS_SWTPM_CLIENT_H
#define TOOLS_SWTPM_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Bytes with at most one descriptor (-1: none), which stays the caller's.  What
 * sendmsg() returns. */
long fd_send(int sock, const void *buf, size_t len, int passed);

/*
 * One request with at most one descriptor (-1), and its answer, which begins
 * with the result: at least *len bytes of it, up to cap.
 * VT_E_CLOSED, VT_E_TIMEOUT, VT_E_SYS.
 */
int sw_ask(int ctl, const uint8_t *req, size_t reqlen, int passed, uint8_t *ans,
    size_t cap, size_t *len) VT_CHECK;
/* Exactly len bytes more of it. */
int sw_receive(int fd, uint8_t *buf, size_t len) VT_CHECK;
/* Connect to the control socket at path and hand a data connection over. */
int sw_open(const char *path, int *ret_ctl, int *ret_data) VT_CHECK;
/* TPM2_Startup or TPM_Startup on a data connection; type as swtpm's flags name
 * it.  Its answer only matters to the log. */
int sw_startup(int data, const char *type, int tpm12) VT_CHECK;

#endif
