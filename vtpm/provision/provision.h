/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision.h - make a new TPM with its keys; write certificates into it.
 *
 * Layer:  vtpm.
 * Spec:   TCG EK Credential Profile 2.x (templates L-1, L-2, NV indices);
 *         TCG TPM v2.0 Provisioning Guidance (SRK); TPM Main 1.2 and
 *         TCG PC Client Implementation 1.2 (NV index 0x1000F000).
 *
 * TPM 2.0, persistent: EK RSA-2048 0x81010001, EK P-256 0x81010002, if wanted
 * an SRK P-256 or RSA-2048 0x81000001, AK P-256 0x81000003 (restricted signing
 * key, child of the P-256 EK).  NV: EK certificates 0x01C00002 and 0x01C0000A,
 * template L-2 0x01C0000C, AK certificate 0x01C101D0 and 0x01C10002; all of
 * them created by the platform and write-locked for good.  The AK's certificate
 * is short-lived, and a host that was recovered on another TPM has another CA,
 * so a certificate is replaced by removing its index and defining it again.
 * Dictionary attack protection: 32 wrong passwords, one is forgiven after 600
 * s. TPM 1.2: EK RSA-2048, enabled and activated; certificate 0x1000F000.
 */
#ifndef VTPM_PROVISION_PROVISION_H
#define VTPM_PROVISION_PROVISION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vtpm/proto/worker_msg.h"

/* Public areas of the keys that were made, and what loads the AK again under
 * its EK (TPM2B_PRIVATE, which the EK encrypts); plain values. */
struct prov_keys {
	uint8_t ek_rsa[PUB_MAX_LEN], ek_ecc[PUB_MAX_LEN], ak[PUB_MAX_LEN];
	uint8_t ak_private[PUB_MAX_LEN];
	uint16_t ek_rsa_len, ek_ecc_len, ak_len; /* bytes; 0: not made */
	uint16_t ak_private_len;
};

/* The step that failed ("create the EK") and the TPM's response code. */
struct prov_fail {
	const char *step;
	uint32_t tpm_rc;
};

/*
 * Manufacture, set the active PCR banks (BANK_*; 0: SHA-256), make the keys
 * (srk: WSRK_*);
 * the TPM is then shut down cleanly and powered off.  On failure the TPM must
 * not be used.  VT_E_TPM, VT_E_UNSUPPORTED, VT_E_RANGE.
 */
int prov_make(uint8_t tpm_version, uint8_t banks, uint8_t srk,
    struct prov_keys *ret, struct prov_fail *ret_fail) VT_CHECK;

/*
 * Write certificates (der: WCERT_* of m) and lock them.  Starts from a
 * powered-off TPM and leaves it so, shut down cleanly.
 */
int prov_certs(const struct wcerts *m, struct prov_fail *ret_fail) VT_CHECK;

#endif
