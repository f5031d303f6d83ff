/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcti.h - the ring as a TCTI module of tpm2-tss.
 *
 * Layer:  tpmfront.
 * Spec:   TCG TSS 2.0 TPM Command Transmission Interface (TCTI) API 1.0.
 */
#ifndef TPMFRONT_TCTI_TCTI_H
#define TPMFRONT_TCTI_TCTI_H

#include <tss2/tss2_tcti.h>

/*
 * conf: "local=PATH", the socket of a vTPM, and behind it ",wait=SECONDS" or
 * ",raw"; "xen" or "xen=DEVID", this Xen guest's vtpm device (0).  With ctx
 * NULL only *size is set.  A vTPM that another program has open for longer
 * than the wait: TSS2_TCTI_RC_IO_ERROR, and a message on stderr that says so
 * (unless TSS2_LOG turns it off).
 */
TSS2_RC Tss2_Tcti_Tpmfront_Init(
    TSS2_TCTI_CONTEXT *ctx, size_t *size, const char *conf);
const TSS2_TCTI_INFO *Tss2_Tcti_Info(void);

#endif
