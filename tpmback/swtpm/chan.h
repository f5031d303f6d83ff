/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chan.h - the channel over swtpm's control protocol.
 *
 * Layer:  tpmback.
 */
#ifndef TPMBACK_SWTPM_CHAN_H
#define TPMBACK_SWTPM_CHAN_H

#include "tpmback/chan.h"

/*
 * Serve swtpm's control protocol on a listening socket (owned from now on).
 * localities: granted, bit n for locality n; a command at another one is
 * answered TPM_RC_LOCALITY.  VT_E_NOMEM, VT_E_SYS.
 */
int chan_new_swtpm(int listen_fd, uint8_t localities,
    const struct chan_host *host, void *host_arg, struct chan **ret) VT_CHECK;

#endif
