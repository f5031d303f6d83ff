/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_step.h - one command of provisioning, and where it failed.
 *
 * Layer:  vtpm; private to vtpm/provision.
 */
#ifndef VTPM_PROVISION_PROVISION_STEP_H
#define VTPM_PROVISION_PROVISION_STEP_H

#include <stdint.h>

#include "base/err.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/provision/provision.h"

/* tcmd_run(); a failure puts step ("create the EK", static) and the TPM's
 * response code into *f. */
int prov_run(struct tcmd *c, const char *step, struct prov_fail *f,
    uint32_t *ret_handle, struct rd *ret) VT_CHECK;

#endif
