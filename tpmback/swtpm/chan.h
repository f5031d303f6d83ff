/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chan.h - the channel over swtpm's control protocol.
 *
 * Layer:  tpmback.
 */
#ifndef TPMBACK_SWTPM_CHAN_H
#define TPMBACK_SWTPM_CHAN_H

#include "tpmback/chan.h"

#define SWTPM_WAITING 3         /* connections beside the live one */
#define SWTPM_SILENT_US 5000000 /* then one that sent nothing is closed */

/*
 * Serve swtpm's control protocol on a listening socket (ownership passes to the
 * channel). owner: uid of the processes that may connect; root always may.
 * localities: granted, bit n for locality n; a command at another one is
 * answered TPM_RC_LOCALITY.  VT_E_NOMEM, VT_E_SYS.
 */
int chan_new_swtpm(int listen_fd, uint32_t owner, uint8_t localities,
    const struct chan_host *host, void *host_arg, struct chan **ret) VT_CHECK;

#endif
