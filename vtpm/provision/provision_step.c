/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_step.c - one command of provisioning, and where it failed.
 */
#include "vtpm/provision/provision_step.h"

int
prov_run(struct tcmd *c, const char *step, struct prov_fail *f,
    uint32_t *ret_handle, struct rd *ret)
{
	int rc = tcmd_run(c, ret_handle, ret);

	if (rc != VT_OK) {
		f->step = step;
		f->tpm_rc = c->tpm_rc;
	}
	return rc;
}
