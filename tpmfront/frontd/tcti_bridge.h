/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcti_bridge.h - a bridge's TPM behind any TCTI module.
 *
 * Layer:  tpmfront.
 * A module that lost its TPM is not used again: BRIDGE_LOST, and whatever
 * process runs the bridge starts over.
 */
#ifndef TPMFRONT_FRONTD_TCTI_BRIDGE_H
#define TPMFRONT_FRONTD_TCTI_BRIDGE_H

#include "tpmfront/frontd/bridge.h"

struct tcti_tpm; /* opaque */

/* conf as for every tpm2-tss program ("device:/dev/tpm0"); "tpmfront:" is
 * linked in.  *ret: the caller owns it.  VT_E_CLOSED: the module cannot
 * reach a TPM; VT_E_NOMEM. */
int tcti_tpm_open(const char *conf, struct tcti_tpm **ret) VT_CHECK;
void tcti_tpm_close(struct tcti_tpm *t); /* NULL is a no-op */

extern const struct bridge_tpm bridge_tcti; /* arg: a struct tcti_tpm * */

#endif
