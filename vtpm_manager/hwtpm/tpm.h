/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tpm.h - the physical TPM: its state, and what all work with it shares.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 * Spec:   TCG TSS 2.0 ESAPI; TPM 2.0 Library 1.59.
 * Life:   down -> up (hwconn_open) -> loaded (hwkeys_init, hwkeys_restore).
 *         A TPM that vanished, was reset or restarted brings it down again;
 *         hwconn_open() then reloads the same keys, and refuses any TPM but
 *         the one they belong to.
 * Law 2:  keys are made by hwkeys_init() and nowhere else.
 * Errors: every function of this room that takes a struct hwtpm and returns
 *         an int returns VT_OK, or VT_E_* with the reason in h->text.  If it
 *         also set h->again, the TPM was lost, reset or restarted meanwhile:
 *         nothing was given out; hwconn_close(), hwconn_open(), try again.
 *         The caller clears both before a piece of work.
 */
#ifndef VTPM_MANAGER_HWTPM_TPM_H
#define VTPM_MANAGER_HWTPM_TPM_H

#include <tss2/tss2_esys.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vtpm_manager/hwtpm/ca.h"
#include "vtpm_manager/hwtpm/tcti_retry.h"
#include "vtpm_manager/proto/host_blob.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

#define HW_MASTER_LEN 32
#define HW_TEXT_LEN (TEXT_MAX_LEN + 1)

/* Certificates of host AKs, by group, that are still fresh. */
#define HW_AK_CERTS 32
struct hw_ak_cert {
	uint32_t group;
	uint8_t pub[32];   /* SHA-256 of the AK's public area */
	uint64_t at_us;    /* when it was issued */
	struct ca_der der; /* len 0: none */
};

#define HW_AK_CTXS 32
struct hw_ak_ctx {         /* ak_context.c */
	TPMS_CONTEXT *ctx; /* heap; NULL: free */
	uint8_t id[SHA256_LEN];
	uint64_t used_us;
};

struct hwtpm {
	const char *conf; /* TCTI, as the operator gave it; borrowed */
	struct hwtcti_limits limits;
	struct hwtcti_counts counts;

	/* While it is up. */
	struct hwtcti *tcti;
	ESYS_CONTEXT *esys;
	uint64_t last_ok_us; /* the TPM answered */
	char manufacturer[16], firmware[32];

	/* Since hwkeys_init() or hwkeys_restore(). */
	uint8_t root; /* enum hw_root; 0: nothing is loaded */
	uint8_t *blob;
	size_t blob_len;
	struct {
		uint8_t *p;
		size_t len;
	} approvals[HW_APPROVALS_MAX]; /* encoded, from the manager */
	uint32_t napprovals;
	ESYS_TR ca_key;  /* ESYS_TR_NONE: not in the TPM */
	ESYS_TR session; /* salted, under the storage key */
	ESYS_TR ca_auth; /* session, or ESYS_TR_PASSWORD */
	struct ca *ca;
	struct ca *issuing; /* the day's key, issuing.h; NULL: none yet */
	ESYS_TR ak;         /* the host's AK; NONE until it is used */
	TPM2B_AUTH ak_auth; /* of all AKs of this host; from the master key */
	struct hw_ak_cert ak_certs[HW_AK_CERTS];
	struct hw_ak_ctx ak_ctx[HW_AK_CTXS];

	ESYS_TR nv[HWBLOB_COUNTERS]; /* NONE until they are used */
	TPM2B_AUTH nv_auth;          /* of both; from the master key */
	/* Defined by an unfinished hwkeys_init() or hwbind_master(); 0: none */
	uint32_t nv_half[HWBLOB_COUNTERS];

	/* Connected, but the keys were not released because the host was in no
	 * approved state; each request that needs them tries again. */
	bool refused;

	bool again; /* the last piece of work may be tried again */
	/* of the last attempt to connect: its file is not there; this process
	 * may not use it */
	bool absent, shut_out;
	char text[HW_TEXT_LEN]; /* why the last one failed */
	uint8_t out[3][2048];   /* backs what requests return */
};

void hwtpm_setup(struct hwtpm *h, const char *conf);

/* VT_OK if r is success; otherwise sets h->text: `what` failed, and why. */
int hwtpm_check(struct hwtpm *h, TSS2_RC r, const char *what) VT_CHECK;

/* Set h->text for a failure of our own; returns rc. */
int hwtpm_fail(struct hwtpm *h, int rc, const char *fmt, ...) VT_PRINTF(3, 4);

/* The TPM itself answered with this code, for whatever handle, parameter or
 * session. */
bool hwtpm_rc_is(TSS2_RC r, TSS2_RC code);

/* Decode h->blob; *ret borrows from it.  VT_E_STATE: no keys are loaded. */
int hwtpm_blob(struct hwtpm *h, struct hwblob *ret) VT_CHECK;

/* Take an object or a session out of the TPM, if it still answers. */
void hwtpm_flush(struct hwtpm *h, ESYS_TR *tr);

/*
 * What the session encrypts beside proving an authorisation: 0, or
 * TPMA_SESSION_DECRYPT (a command's first parameter), TPMA_SESSION_ENCRYPT
 * (a response's), or both.
 */
#define HW_HIDE_BOTH (TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT)
int hwtpm_session_use(
    struct hwtpm *h, ESYS_TR session, TPMA_SESSION hides) VT_CHECK;

/* Random bytes of the TPM alone. */
int hwtpm_random_part(
    struct hwtpm *h, ESYS_TR session, uint8_t *out, size_t len) VT_CHECK;

/* Random bytes of the TPM and of the kernel, mixed. */
int hwtpm_random(struct hwtpm *h, uint8_t *out, size_t len) VT_CHECK;

#endif
