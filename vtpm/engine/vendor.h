/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vendor.h - the TPM command that the guest's worker answers itself.
 *
 * Layer:  vtpm; the guest's tools include it too.
 * Spec:   TPM 2.0 Library, Part 2, 8.9 (TPMA_CC, V bit), 6.5.1.
 * Bytes:  TPM framing, big-endian, TPM_ST_NO_SESSIONS only:
 *         tag | size | TPM_CC_VTPM | be16 sub | parameters.
 *         Response: tag | size | rc | be16 sub | parameters.
 * Listed in TPM_CAP_COMMANDS, so that /dev/tpmrm0 lets it through.
 */
#ifndef VTPM_ENGINE_VENDOR_H
#define VTPM_ENGINE_VENDOR_H

#define TPM_CC_VTPM 0x20005654u /* V bit, command index "VT" */
/* The same command without the V bit.  Linux before 6.5 compares a command's
 * code with the listed index alone, so its /dev/tpmrm0 passes only this form;
 * newer kernels pass only the other.  The worker accepts both. */
#define TPM_CC_VTPM_NO_V 0x00005654u

enum vtpm_sub {
	/* -> be16 format 1 | uuid[16] | be32 group | be64 generation |
	 *    be64 state version | be32 power cycles | be32 flags VIF_* |
	 *    be16 text length, manager build */
	VSUB_INFO = 1,
	/* be32 offset | be16 max -> be32 total | be16 n | n bytes
	 * the host-made event log (TCG crypto-agile) */
	VSUB_LOG = 2,
	/* the same for the extend journal (measure/log/journal.h) */
	VSUB_JOURNAL = 3,
	/* the same for the launch record (measure/log/launch_record.h) */
	VSUB_LAUNCH = 4,
	/* Deep quotes (measure/evidence/deep_leaf.h), in two steps, so that no
	 * command waits for the host's TPM.  Submit, for a recent quote of
	 * this TPM: SHA-256(TPMS_ATTEST || TPMT_SIGNATURE)[32] | channel
	 * key[32] | be16 n, nonce n <= 64 -> be64 ticket | be32 wait,
	 * milliseconds */
	VSUB_DEEP_SUBMIT = 5,
	/* be64 ticket | be32 offset | be16 max ->
	 *   u8 state VDQ_* | be32 total | be16 n | n bytes of the encoded
	 *   struct deep_answer; VDQ_FAILED: n bytes of the reason, as text */
	VSUB_DEEP_COLLECT = 6,
	/* As VSUB_LOG, for the newest certificate of the AK (DER): it is
	 * short-lived, and NV may hold an older one.  0 bytes: none is newer
	 * than the one in NV. */
	VSUB_AK_CERT = 7,
	/* The same for the EKs' certificates, which are renewed when the host
	 * is recovered on another TPM. */
	VSUB_EK_RSA_CERT = 8,
	VSUB_EK_ECC_CERT = 9,
	VSUB_LAST = VSUB_EK_ECC_CERT,
};

enum { VDQ_PENDING = 1, VDQ_READY = 2, VDQ_FAILED = 3 };

enum {
	VIF_CAPPED = 1,    /* worker restarted since the last power cycle */
	VIF_RESTORED = 2,  /* running from a snapshot */
	VIF_LAUNCHED = 4,  /* the host measured a launch (PCR 17) */
	VIF_SOFT_ROOT = 8, /* the manager has no physical TPM */
	VIF_UNSEEN = 16,   /* the host did not see the last reset */
};

#endif
