/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * esys_ctx.h - TPM commands of the tools, through tpm2-tss.
 *
 * Layer:  tools.
 * Errors: VT_E_TPM leaves the code in esys.rc; esys_why() explains it.
 */
#ifndef TOOLS_ESYS_ESYS_CTX_H
#define TOOLS_ESYS_ESYS_CTX_H

#include <tss2/tss2_esys.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"

#define ESYS_AK_HANDLE 0x81000003u  /* where a vTPM keeps its AK */
#define ESYS_SRK_HANDLE 0x81000001u /* TCG: the storage root key */
#define ESYS_NV_EK_RSA 0x01c00002u  /* TCG EK profile, L-1 certificate */
#define ESYS_NV_EK_ECC 0x01c0000au  /* L-2 certificate */
#define ESYS_NV_CHAIN 0x01c00100u   /* certificates that lead to the root */
#define ESYS_NV_CHAIN_N 2
#define ESYS_NV_AK_CERT 0x01c101d0u /* where cloud clients look for it */
#define ESYS_TRIES 16               /* while PCRs keep changing */

struct esys {
	ESYS_CONTEXT *ctx;
	TSS2_TCTI_CONTEXT *tcti;
	char conf[128]; /* what was opened */
	char err[256];  /* why the last open failed */
	uint32_t rc;    /* the last TPM or TSS code that was not success */
};

/*
 * Connect.  conf NULL: device:/dev/tpmrm0, or else device:/dev/tpm0.
 * VT_E_NOTFOUND, or VT_E_UNSUPPORTED (a TPM 1.2), with e->err filled;
 * esys_close() is due in any case.
 */
int esys_open(struct esys *e, const char *conf) VT_CHECK;
void esys_close(struct esys *e);

/* What e->rc means and what a user can do; valid until the next call. */
const char *esys_why(struct esys *e);
/* Keep rc; VT_OK or VT_E_TPM. */
int esys_rc(struct esys *e, TSS2_RC rc) VT_CHECK;
/* rc without the number of the session or parameter at fault. */
uint32_t esys_base_rc(uint32_t rc);

/* The object at a persistent handle.  *ret is released with
 * Esys_TR_Close(); VT_E_NOTFOUND: nothing there. */
int esys_persistent(struct esys *e, uint32_t handle, ESYS_TR *ret) VT_CHECK;
/* Its TPM2B_PUBLIC as bytes, at most cap, its Name and its qualified name
 * (each may be NULL). */
int esys_public(struct esys *e, ESYS_TR object, uint8_t *buf, size_t cap,
    size_t *ret_len, struct tpm_name *ret_name,
    struct tpm_name *ret_qn) VT_CHECK;
/* TPMT_SIGNATURE as bytes. */
int esys_marshal_sig(struct esys *e, const TPMT_SIGNATURE *sig, uint8_t *buf,
    size_t cap, size_t *ret_len) VT_CHECK;

/* All of an NV index.  *ret: heap, free() frees it.  VT_E_NOTFOUND: no such
 * index or never written; VT_E_RANGE: over max. */
int esys_nv_read(struct esys *e, uint32_t index, size_t max, uint8_t **ret,
    size_t *ret_len) VT_CHECK;

/* The best bank of SHA-256, SHA-384 and SHA-512, in this order, whose PCRs are
 * active.  VT_E_NOTFOUND: none of them is. */
int esys_active_bank(struct esys *e, uint16_t *ret_alg) VT_CHECK;
/* Read sel's PCRs into a set of its banks; *ret_counter is the TPM's
 * pcrUpdateCounter.  VT_E_AGAIN: they kept changing; VT_E_NOTFOUND: the TPM
 * does not have one of them (e->err says which). */
int esys_pcr_read(struct esys *e, const struct pcr_sel *sel,
    struct pcr_set *ret, uint32_t *ret_counter) VT_CHECK;

/* sel as tpm2-tss takes it. */
void esys_sel(const struct pcr_sel *sel, TPML_PCR_SELECTION *ret);

/* One raw command over the TCTI.  rsp has *rsp_len bytes of room, and of
 * content afterwards. */
int esys_raw(struct esys *e, const uint8_t *cmd, size_t len, uint8_t *rsp,
    size_t *rsp_len) VT_CHECK;

#endif
