/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tpm.h - the physical TPM: connection, keys, what is done with them.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 * Spec:   TCG TSS 2.0 ESAPI; TPM 2.0 Library 1.59.
 * Life:   down -> up (hwtpm_connect) -> loaded (hwtpm_init, hwtpm_load).
 *         A TPM that vanished, was reset or restarted brings it down again;
 *         hwtpm_connect() then also loads the same keys again, and refuses a
 *         TPM that is not the one that they belong to.
 * Law 2:  keys are made by hwtpm_init() and nowhere else.
 */
#ifndef VTPM_MANAGER_HWTPM_TPM_H
#define VTPM_MANAGER_HWTPM_TPM_H

#include <tss2/tss2_esys.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/pcr.h"
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
	uint8_t pub[32];   /* SHA-256 of its public area */
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

	/* Since hwtpm_init() or hwtpm_load(). */
	uint8_t root; /* enum hw_root; 0: nothing is loaded */
	uint8_t *blob;
	size_t blob_len;
	struct {
		uint8_t *p;
		size_t len;
	} approvals[HW_APPROVALS_MAX]; /* encoded; as the manager told us */
	uint32_t napprovals;
	ESYS_TR ca_key;  /* ESYS_TR_NONE: not in the TPM */
	ESYS_TR session; /* salted, under the storage key */
	ESYS_TR ca_auth; /* session, or ESYS_TR_PASSWORD */
	struct ca *ca;
	ESYS_TR ak;         /* the host's AK; NONE until it is needed */
	TPM2B_AUTH ak_auth; /* of all AKs of this host; from the master key */
	struct hw_ak_cert ak_certs[HW_AK_CERTS];
	struct hw_ak_ctx ak_ctx[HW_AK_CTXS];

	ESYS_TR nv[HWBLOB_COUNTERS];       /* NONE until they are needed */
	TPM2B_AUTH nv_auth;                /* of both; from the master key */
	uint32_t nv_half[HWBLOB_COUNTERS]; /* made by a hwtpm_init() that has
					      not ended well yet; 0: none */

	/* Connected, but the host's state was not an approved one when the
	 * keys were to be loaded again; every request that needs them tries
	 * anew. */
	bool refused;

	bool again;             /* the last piece of work may be tried again */
	char text[HW_TEXT_LEN]; /* why the last one failed */
	uint8_t out[3][2048];   /* for what *_identity and *_quote hand out */
};

void hwtpm_setup(struct hwtpm *h, const char *conf);
/* Flush what is in the TPM, close the connection, forget the keys. */
void hwtpm_done(struct hwtpm *h);

/*
 * All of the following: VT_OK, or VT_E_* with h->text in words.  When
 * h->again is set the TPM was lost, reset or restarted under way: nothing
 * was given out, hwtpm_disconnect(), hwtpm_connect() and try again.
 */

/* VT_E_POLICY: it answers, but it is another TPM than the one loaded. */
int hwtpm_connect(struct hwtpm *h) VT_CHECK;
void hwtpm_disconnect(struct hwtpm *h);
bool hwtpm_is_up(const struct hwtpm *h);

/* For what needs the keys: loads them if they were refused before. */
int hwtpm_need_keys(struct hwtpm *h) VT_CHECK;

/* Out: master key, host blob and CA certificate, borrowed from h until the
 * next call.  VT_E_STATE: there are keys already. */
int hwtpm_init(
    struct hwtpm *h, const struct hw_init *req, struct hw_inited *ret) VT_CHECK;
/* VT_E_POLICY: another TPM or another kind of root; VT_E_CORRUPT, ...: the
 * blob; VT_E_TPM. */
int hwtpm_load(
    struct hwtpm *h, const struct hw_load *req, struct hw_loaded *ret) VT_CHECK;
/* ders: room for HW_CERTS_MAX.  VT_E_STATE: nothing is loaded. */
int hwtpm_certs(
    struct hwtpm *h, const struct hw_certs *req, struct ca_der *ders) VT_CHECK;
/* identity.c.  What is borrowed in *ret is from h until the next call. */
int hwtpm_identity(struct hwtpm *h, struct hw_identity *ret) VT_CHECK;
/* secret: at least 64 bytes. */
int hwtpm_activate(struct hwtpm *h, const struct hw_activate *req,
    uint8_t *secret, size_t *ret_len) VT_CHECK;
int hwtpm_ak(
    struct hwtpm *h, const struct hw_ak *req, struct hw_aked *ret) VT_CHECK;
int hwtpm_quote(struct hwtpm *h, const struct hw_quote *req,
    struct hw_quoted *ret) VT_CHECK;
/* policy.c.  What releases the master key from now on; n 0: nothing. */
int hwtpm_approvals(struct hwtpm *h, const struct hw_approvals *req) VT_CHECK;
/* Seal the master key under another approval key, or none; a store without
 * counters gets them.  VT_E_POLICY: under the new key nothing that was
 * approved fits the host's state, so nothing is changed. */
int hwtpm_bind(
    struct hwtpm *h, const struct hw_bind *req, struct hw_bound *ret) VT_CHECK;
/* nv_counter.c.  VT_E_STALE: the value is neither expect nor one more;
 * VT_E_UNSUPPORTED: the store is older than counters; VT_E_POLICY: somebody
 * removed or replaced it. */
int hwtpm_counter(
    struct hwtpm *h, const struct hw_counter *req, uint64_t *ret) VT_CHECK;
/* The epoch for HW_PCRS: 0 before there are keys, or without counters. */
int hwtpm_epoch(struct hwtpm *h, uint64_t *ret) VT_CHECK;
int hwtpm_read_pcrs(struct hwtpm *h, struct pcr_set *ret) VT_CHECK;
/* All PCRs of all active banks, as measure/tpm/pcr.h encodes them, to w. */
int hwtpm_pcrs(struct hwtpm *h, struct wr *w) VT_CHECK;
/* From the TPM and from the kernel, mixed. */
int hwtpm_random(struct hwtpm *h, uint8_t *out, size_t len) VT_CHECK;
/* Never fails; asks the TPM if it has not been heard of for a second. */
void hwtpm_status(struct hwtpm *h, struct hw_status *ret);

/* --- between tpm.c and keys.c ------------------------------------------
 */

/* VT_OK if r is success; else says in h->text that `what` failed and why. */
int hwtpm_check(struct hwtpm *h, TSS2_RC r, const char *what) VT_CHECK;
/* The same for a failure of ours; returns rc. */
int hwtpm_fail(struct hwtpm *h, int rc, const char *fmt, ...) VT_PRINTF(3, 4);
/* Load h->blob: storage key, master key, CA key. */
/* known: the master key, if it need not be unsealed. */
int hwkeys_load(struct hwtpm *h, const uint8_t *known,
    uint8_t master[HW_MASTER_LEN]) VT_CHECK;
/* Take CA key and session out of the TPM, if it still answers. */
void hwkeys_unload(struct hwtpm *h);
/* Random bytes of the TPM alone, at most 32. */
int hwkeys_tpm_random(
    struct hwtpm *h, ESYS_TR session, uint8_t *out, size_t len) VT_CHECK;

#endif
