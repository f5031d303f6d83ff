/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_tpm12.h - keys and certificates of a TPM 1.2.
 *
 * Layer:  vtpm; private to vtpm/provision.
 * Each function works on a TPM that is powered on and started, and fails as
 * prov_run().
 */
#ifndef VTPM_PROVISION_PROVISION_TPM12_H
#define VTPM_PROVISION_PROVISION_TPM12_H

#include "base/err.h"
#include "vtpm/provision/provision.h"

/* Enables and activates it; takes effect at the next power on. */
int prov12_enable(struct prov_fail *f) VT_CHECK;
/* Makes the EK. */
int prov12_keys(struct prov_keys *ret, struct prov_fail *f) VT_CHECK;
/* Writes the EK's certificate, then locks NV.  VT_E_RANGE: another key's. */
int prov12_certs(const struct wcerts *m, struct prov_fail *f) VT_CHECK;

#endif
