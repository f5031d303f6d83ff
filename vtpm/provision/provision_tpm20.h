/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_tpm20.h - banks, limits and certificates of a TPM 2.0.
 *
 * Layer:  vtpm.
 * Each function works on a TPM that is powered on and started, and fails as
 * tcmd_run(); *f then says at which step.
 */
#ifndef VTPM_PROVISION_PROVISION_TPM20_H
#define VTPM_PROVISION_PROVISION_TPM20_H

#include <stdint.h>

#include "base/err.h"
#include "vtpm/provision/provision.h"

/* banks: BANK_* or-ed, 0: SHA-256; takes effect at the next power on. */
int prov20_banks(uint8_t banks, struct prov_fail *f) VT_CHECK;
/* The limits of dictionary attack protection. */
int prov20_lockout(struct prov_fail *f) VT_CHECK;
/* Writes the certificates, their issuing key's and the EK's template, and locks
 * them. */
int prov20_certs(const struct wcerts *m, struct prov_fail *f) VT_CHECK;
/*
 * Replaces a key's (WCERT_*) certificate in NV unless it is this one already,
 * and its issuing key's, which is behind it if one signed it.
 * Either NV is as before or the new one is there, unless the TPM itself
 * fails.  VT_E_TPM: the platform hierarchy belongs to the firmware by now, or
 * NV has no room.
 */
int prov20_cert(
    uint8_t which, const struct wblob *chain, struct prov_fail *f) VT_CHECK;

/* Removes the AK's certificate from NV: it is of a key that is gone. */
int prov20_drop_ak_cert(struct prov_fail *f) VT_CHECK;

#endif
