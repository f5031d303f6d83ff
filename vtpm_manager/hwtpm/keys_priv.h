/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keys_priv.h - what the files about the host's keys share.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_KEYS_PRIV_H
#define VTPM_MANAGER_HWTPM_KEYS_PRIV_H

#include "vtpm_manager/hwtpm/tpm.h"

/* A key and its private part, as TPM2B_PUBLIC and TPM2B_PRIVATE. */
struct key_bytes {
	uint8_t pub[HWBLOB_KEY_MAX], priv[HWBLOB_KEY_MAX];
	size_t pub_len, priv_len;
};

/* keys.c; errors as everywhere in tpm.h. */
void hwkeys_flush(struct hwtpm *h, ESYS_TR *tr);
int hwkeys_template(
    const uint8_t *bytes, size_t len, TPM2B_PUBLIC *ret) VT_CHECK;
int hwkeys_session(struct hwtpm *h, ESYS_TR srk, ESYS_TR *ret) VT_CHECK;
int hwkeys_to_bytes(struct hwtpm *h, const TPM2B_PUBLIC *pub,
    const TPM2B_PRIVATE *priv, struct key_bytes *ret) VT_CHECK;
int hwkeys_from_bytes(struct hwtpm *h, const uint8_t *pub, size_t pub_len,
    const uint8_t *priv, size_t priv_len, const char *what,
    TPM2B_PUBLIC *ret_pub, TPM2B_PRIVATE *ret_priv) VT_CHECK;
/* An authorisation value that only the master key gives. */
int hwkeys_auth(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    const char *label, size_t label_len, TPM2B_AUTH *ret) VT_CHECK;

int hwkeys_srk(struct hwtpm *h, ESYS_TR *ret) VT_CHECK;
/* In h->session; approval_key len 0: without a policy. */
int hwkeys_seal(struct hwtpm *h, ESYS_TR srk, const struct wblob *approval_key,
    const uint8_t master[HW_MASTER_LEN], struct key_bytes *ret) VT_CHECK;
/* b with its MAC. */
int hwkeys_put_blob(struct hwtpm *h, const struct hwblob *b,
    const uint8_t master[HW_MASTER_LEN], struct wr *w) VT_CHECK;
int hwkeys_set_blob(struct hwtpm *h, const uint8_t *p, size_t len) VT_CHECK;

/* certificates.c: ca_sign_fn, r and s of the TPM's signature as DER. */
int hwkeys_sign(void *arg, const uint8_t digest[SHA256_LEN], uint8_t *out,
    size_t *ret_len) VT_CHECK;

/* policy.c: the master key is released in an approved host state only. */
int hwpolicy_template(struct hwtpm *h, const struct wblob *approval_key,
    TPM2B_PUBLIC *in) VT_CHECK;
/* A policy session, salted, that is good for the sealed master key now.
 * VT_E_POLICY: no approved state fits; the text says what differs. */
int hwpolicy_session(struct hwtpm *h, ESYS_TR srk, const struct hwblob *b,
    ESYS_TR *ret) VT_CHECK;
int hwpolicy_refused(struct hwtpm *h); /* by the TPM; VT_E_POLICY */
int hwpolicy_set(
    struct hwtpm *h, uint32_t n, const struct wblob *approvals) VT_CHECK;
void hwpolicy_clear(struct hwtpm *h);
bool hwpolicy_bound(const struct hwtpm *h); /* h->blob has a policy */

/* identity.c: at HW_INIT, while the CA key is loaded and h->session is open. */
struct ident_bytes {
	uint8_t ek; /* enum hwblob_ek */
	struct key_bytes ak;
	uint8_t attest[HWBLOB_KEY_MAX], sig[HWBLOB_KEY_MAX];
	size_t attest_len, sig_len;
};
int hwident_make_ak(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    struct ident_bytes *ret) VT_CHECK;
/* Flushes *srk on the way. */
int hwident_certify_ca(struct hwtpm *h, ESYS_TR *srk, const struct hwblob *b,
    struct ident_bytes *ret) VT_CHECK;
/* The AK's authorisation, once the master key is known. */
int hwident_ready(
    struct hwtpm *h, const uint8_t master[HW_MASTER_LEN]) VT_CHECK;
void hwident_unload(struct hwtpm *h);
int hwident_load_under_ek(struct hwtpm *h, uint8_t ek, const struct wblob *pub,
    const struct wblob *priv, ESYS_TR *ret) VT_CHECK;
/* ak_context.c: the same, quickly if it was loaded before.  h->ak may be
 * flushed for it. */
int ak_context_load(struct hwtpm *h, uint8_t ek, const struct wblob *pub,
    const struct wblob *priv, ESYS_TR *ret) VT_CHECK;
void ak_context_forget(struct hwtpm *h);
/* quote_check.c: q is what was asked for, signed by pub (TPM2B_PUBLIC).
 * VT_E_AUTH, and to be done again. */
int hwident_check_quote(struct hwtpm *h, const struct wblob *pub,
    const struct hw_quote *req, const struct hw_quoted *q) VT_CHECK;

/* nv_counter.c: counters in the TPM's NV memory. */
struct nv_bytes {
	uint32_t index;
	uint8_t name[HWBLOB_NV_NAME_LEN];
};
/* Make both, with h->session, whose attributes are S_SECRET before and
 * after.  hwnv_settle() when what names them is kept; else hwnv_clean()
 * takes them out of the TPM again, as far as it answers. */
int hwnv_make(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    struct nv_bytes ret[HWBLOB_COUNTERS]) VT_CHECK;
void hwnv_settle(struct hwtpm *h);
void hwnv_clean(struct hwtpm *h);
void hwnv_to_blob(
    const struct nv_bytes nv[HWBLOB_COUNTERS], struct hwblob *ret);
int hwnv_ready(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN]) VT_CHECK;
/* h->nv of one of them, its Name compared with the blob's. */
int hwnv_open(
    struct hwtpm *h, const struct hwblob *b, enum hw_which which) VT_CHECK;
/* The open counter's value, in h->session where no key is loaded yet. */
int hwnv_read(
    struct hwtpm *h, enum hw_which which, ESYS_TR auth, uint64_t *ret) VT_CHECK;
void hwnv_unload(struct hwtpm *h);

#endif
