/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_chan.h - the ring between two processes of one host.
 *
 * Layer:  tpmback.
 */
#ifndef TPMBACK_LOCAL_CHAN_H
#define TPMBACK_LOCAL_CHAN_H

#include "tpmback/chan.h"

/*
 * Serve the local ring on a listening socket (ownership passes to the channel).
 * owner: uid of the processes that may attach; root always may.
 * localities: granted, bit n for locality n; a request at another one is
 * answered TPM_RC_LOCALITY.  tpm_version: TPM_VER_* of vtpm/proto/worker_msg.h
 * (1, 2). VT_E_NOMEM, VT_E_SYS.
 */
int chan_new_local(int listen_fd, uint32_t owner, uint8_t localities,
    uint8_t tpm_version, const struct chan_host *host, void *host_arg,
    struct chan **ret) VT_CHECK;

#endif
