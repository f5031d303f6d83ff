/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_keys20.h - EK, SRK and AK of a TPM 2.0.
 *
 * Layer:  vtpm.
 * Each function works on a TPM that is powered on and started, and fails as
 * tcmd_run(); *f then says at which step.
 */
#ifndef VTPM_PROVISION_PROVISION_KEYS20_H
#define VTPM_PROVISION_PROVISION_KEYS20_H

#include "base/err.h"
#include "vtpm/provision/provision.h"

/* Makes the persistent keys that provision.h lists.  srk: WSRK_*. */
int prov20_keys(
    uint8_t srk, struct prov_keys *ret, struct prov_fail *f) VT_CHECK;

enum {
	PROV_AK = 1,
	PROV_EK_ECC = 2,
	PROV_EK_RSA = 4,
	PROV_SRK = 8,
	PROV_NEW_AK = 16
};
/*
 * Puts back which of them the guest removed.  After TPM2_EvictControl AK and
 * EKs have their Names again.  After TPM2_Clear, which leaves none, the EKs
 * have, and AK and SRK (srk) are new ones.  A handle that holds another key
 * stays as it is.  Leaves nothing loaded. Right after TPM2_Startup(CLEAR): no
 * object or session is in its way, and every hierarchy is enabled.
 *
 * srk		WSRK_* that it was made with: there again after TPM2_Clear only.
 * k		a new AK replaces the old one in it.
 * ret_made	PROV_* or-ed, also on error.
 *
 * VT_E_EXISTS: the AK's handle has another key; VT_E_AUTH: the TPM has another
 * endorsement seed; VT_E_TPM: as when the owner's or the endorsement hierarchy
 * has a password, or NV is full.
 */
int prov20_repair(uint8_t srk, struct prov_keys *k, unsigned int *ret_made,
    struct prov_fail *f) VT_CHECK;

#endif
