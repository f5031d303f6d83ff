/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring_local.h - a ring to a back half on the same host (tpmback/local.h).
 *
 * Layer:  tpmfront.
 */
#ifndef TPMFRONT_RING_LOCAL_H
#define TPMFRONT_RING_LOCAL_H

#include "tpmfront/ring.h"

struct ring_local_how {
	int timeout_ms; /* for the back half's greeting; -1: for ever */
	int turn_ms;    /* while another process has it; 0: VT_E_BUSY at once */
	bool keeps;     /* what is left loaded in the TPM at the end stays */
	bool again;     /* ring_ready() connects again when it hung up */
};

/*
 * Connect to the socket at path and take the page.  *ret belongs to the
 * caller; ring_close() frees it.
 * holder: set on VT_E_BUSY to which process has it, on VT_E_DENIED to why this
 * process may not.
 * VT_E_SYS, VT_E_NOMEM, VT_E_TIMEOUT, VT_E_BUSY, VT_E_DENIED, VT_E_CLOSED (the
 * other end hung up), VT_E_PROTO.
 */
int ring_local_open(const char *path, const struct ring_local_how *how,
    struct ring **ret, char holder[RING_TEXT_MAX]) VT_CHECK;
/* For programs that manage the TPM's slots themselves: as they left it, no
 * wait for a turn, and one connection. */
int ring_local_connect(const char *path, int timeout_ms, struct ring **ret,
    char holder[RING_TEXT_MAX]) VT_CHECK;

#endif
