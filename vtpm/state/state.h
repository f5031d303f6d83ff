/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state.h - what is inside a sealed state, in plain text.
 *
 * Layer:  vtpm; no I/O, no logging.
 * Bytes:  big-endian; blobs be32 length + bytes; see state.c and
 *         doc/FORMATS.md.
 * Trust:  seal_open() has authenticated it; it is validated all the same.
 * Secrets: these bytes hold the TPM's seeds; every buffer is wiped.
 */
#ifndef VTPM_STATE_STATE_H
#define VTPM_STATE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "vtpm/proto/worker_msg.h"

#define STATE_PLAIN_MAX (STATE_MAX_LEN - 128) /* room for the seal */
#define QUOTES_MAX 64                         /* remembered per vTPM */
#define QUOTE_LEN 32                          /* SHA-256 */

enum {
	SP_RESTORED = 1, /* runs from a snapshot */
	SP_ORDERLY = 2,  /* nothing changed it since TPM2_Shutdown */
	SP_SRK_ECC = 4,  /* made with this SRK */
	SP_SRK_RSA = 8
};

/* SEAL_PERMANENT, SEAL_SNAP_PERMANENT: be16 format 1 or 2 | u8 tpm_version |
 * u8 flags | tpm | ek_rsa | ek_ecc | ak; format 2 goes on: | ak_private. */
struct state_perm {
	uint8_t tpm_version; /* TPM_VER_* */
	uint8_t flags;       /* SP_* */
	struct wblob tpm;    /* libtpms "permall" */
	struct wblob ek_rsa, ek_ecc, ak;
	struct wblob ak_private; /* empty: format 1 */
};

enum {
	SV_STARTED = 1,
	SV_CAPPED = 2,
	SV_LAUNCHED = 4,
	SV_WAKING = 8, /* no Startup since a CMD_INIT that may be a wake-up */
	SV_UNSEEN = 16 /* the host did not see the last reset */
};

/* SEAL_VOLATILE, SEAL_SNAP_VOLATILE: be16 format 1 | u8 flags |
 * be32 power_cycles | tpm | savestate | journal | launch |
 * be32 n | n * 32 bytes. */
struct state_vol {
	uint8_t flags; /* SV_* */
	uint32_t power_cycles;
	struct wblob tpm; /* libtpms volatile state */
	struct wblob savestate;
	struct wblob journal; /* measure/log/journal.h */
	struct wblob launch;  /* struct wlaunch */
	struct wblob quotes;  /* n * QUOTE_LEN bytes, oldest first */
};

void state_perm_put(struct wr *w, const struct state_perm *s);
/* Blobs in *ret are borrowed from buf.  VT_E_TRUNC, VT_E_FORMAT,
 * VT_E_RANGE. */
int state_perm_get(
    const uint8_t *buf, size_t len, struct state_perm *ret) VT_CHECK;
void state_vol_put(struct wr *w, const struct state_vol *s);
int state_vol_get(
    const uint8_t *buf, size_t len, struct state_vol *ret) VT_CHECK;

#endif
