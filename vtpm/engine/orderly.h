/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * orderly.h - a TPM that lost power by the host's fault is not charged for it.
 *
 * Layer:  vtpm.
 * Spec:   TPM 2.0 Library, Part 1, 19.8.6 (non-orderly shutdown); Part 3,
 *         22.4 (TPM2_Startup).
 *
 * TPM2_Startup counts one wrong authorization when the TPM lost power without
 * TPM2_Shutdown and an object under dictionary attack protection was used
 * since the Startup before.  The rule is for a TPM whose attacker cuts the
 * power before the counter of a wrong guess reaches NV memory.  A worker
 * answers a command only after what it changed is durable (law 3): a guess
 * whose answer was seen is in the counter already.  So a worker that died, or
 * a host that did, costs the guest nothing, and every wrong authorization
 * stays counted.
 */
#ifndef VTPM_ENGINE_ORDERLY_H
#define VTPM_ENGINE_ORDERLY_H

#include "base/err.h"

/*
 * Makes the permanent state of a powered-off TPM 2.0 one that the next Startup
 * charges nothing for; its counter of wrong authorizations stays as it is, and
 * its clock stays marked as not safe.  No effect on a state that is charged
 * nothing, or on a TPM 1.2.  On error the state is as before.
 * VT_E_STATE (powered on), VT_E_NOMEM, VT_E_TPM.
 */
int orderly_make(void) VT_CHECK;

#endif
