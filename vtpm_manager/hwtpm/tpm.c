/* SPDX-License-Identifier: BSD-3-Clause */
/* tpm.c - errors, sessions and random bytes of the physical TPM. */
#include "vtpm_manager/hwtpm/tpm.h"

#include <tss2/tss2_rc.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"

#define NONE ESYS_TR_NONE
#define RANDOM_PART 32 /* bytes: every TPM gives these in one command */

void
hwtpm_setup(struct hwtpm *h, const char *conf)
{
	memset(h, 0, sizeof(*h));
	h->conf = conf;
	h->limits = hwtcti_default_limits;
	h->ca_key = h->session = h->ak = ESYS_TR_NONE;
	h->nv[0] = h->nv[1] = ESYS_TR_NONE;
}

/* --- errors -------------------------------------------------------------- */

int
hwtpm_fail(struct hwtpm *h, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(h->text, sizeof(h->text), fmt, ap);
	va_end(ap);
	return rc;
}

/* A code without its position: TPM 2.0 Library, Part 2, 6.6. */
static uint32_t
plain_rc(TSS2_RC r)
{
	return (r & TPM2_RC_FMT1) != 0 ? r & (TPM2_RC_FMT1 | 0x3f) : r;
}

bool
hwtpm_rc_is(TSS2_RC r, TSS2_RC code)
{
	return (r & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER &&
	       plain_rc(r) == code;
}

/* Our key is gone: the TPM was reset or restarted. */
static bool
means_reset(TSS2_RC r)
{
	if ((r & TSS2_RC_LAYER_MASK) != TSS2_TPM_RC_LAYER)
		return false;
	return r == TPM2_RC_INITIALIZE || plain_rc(r) == TPM2_RC_HANDLE ||
	       (r >= TPM2_RC_REFERENCE_H0 && r <= TPM2_RC_REFERENCE_S6);
}

static const char *
advice(TSS2_RC r)
{
	switch (plain_rc(r)) {
	case TPM2_RC_LOCKOUT:
		return "; too many wrong authorisations: wait, or reset the "
		       "lockout with its owner's authorisation";
	case TPM2_RC_AUTH_FAIL:
	case TPM2_RC_BAD_AUTH:
		return "; the TPM's owner authorisation is set: clear it";
	case TPM2_RC_HIERARCHY:
	case TPM2_RC_DISABLED:
		return "; the owner hierarchy is disabled in the firmware";
	case TPM2_RC_FAILURE:
		return "; the TPM is in failure mode: power-cycle the host";
	case TPM2_RC_RETRY:
	case TPM2_RC_YIELDED:
	case TPM2_RC_TESTING:
	case TPM2_RC_NV_RATE:
	case TPM2_RC_NV_UNAVAILABLE:
		return "; it stayed busy for the whole time allowed: try later";
	case TPM2_RC_OBJECT_MEMORY:
	case TPM2_RC_SESSION_MEMORY:
		return "; other programs fill it: use /dev/tpmrm0";
	default:
		return "";
	}
}

int
hwtpm_check(struct hwtpm *h, TSS2_RC r, const char *what)
{
	if (r == TSS2_RC_SUCCESS) {
		h->last_ok_us = now_us();
		return VT_OK;
	}
	if (h->tcti == NULL || hwtcti_is_lost(h->tcti)) {
		h->again = true;
		return hwtpm_fail(h, VT_E_CLOSED,
		    "%s: the TPM at %s stopped answering", what, h->conf);
	}
	if (r == TSS2_ESYS_RC_RSP_AUTH_FAILED) {
		/* The two ends of the session disagree. */
		h->again = true;
		return hwtpm_fail(h, VT_E_AUTH,
		    "%s: the answer is not from the TPM that the session was "
		    "opened with: something intercepts the connection",
		    what);
	}
	/* After an ESYS error the context is unusable. */
	if (means_reset(r) || (r & TSS2_RC_LAYER_MASK) == TSS2_ESAPI_RC_LAYER)
		h->again = true;
	return hwtpm_fail(h, VT_E_TPM, "%s: %s (0x%x)%s", what,
	    Tss2_RC_Decode(r), r, advice(r));
}

int
hwtpm_blob(struct hwtpm *h, struct hwblob *ret)
{
	if (h->root == 0 || h->ca == NULL ||
	    hwblob_get(h->blob, h->blob_len, ret) != VT_OK)
		return hwtpm_fail(h, VT_E_STATE, "no host keys are loaded");
	return VT_OK;
}

/* --- handles and sessions ------------------------------------------------ */

void
hwtpm_flush(struct hwtpm *h, ESYS_TR *tr)
{
	if (*tr == NONE)
		return;
	if (h->esys != NULL && !hwtcti_is_lost(h->tcti))
		(void)Esys_FlushContext(h->esys, *tr);
	*tr = NONE;
}

int
hwtpm_session_use(struct hwtpm *h, ESYS_TR session, TPMA_SESSION hides)
{
	return hwtpm_check(h,
	    Esys_TRSess_SetAttributes(
		h->esys, session, TPMA_SESSION_CONTINUESESSION | hides, 0xff),
	    "preparing a session");
}

/* --- random bytes -------------------------------------------------------- */

int
hwtpm_random_part(struct hwtpm *h, ESYS_TR session, uint8_t *out, size_t len)
{
	TPM2B_DIGEST *d;
	size_t n;
	int rc;

	while (len > 0) {
		n = len < RANDOM_PART ? len : RANDOM_PART;
		rc = hwtpm_check(h,
		    Esys_GetRandom(h->esys, session, NONE, NONE, (UINT16)n, &d),
		    "random bytes from the TPM");
		if (rc != VT_OK)
			return rc;
		if (d->size < n)
			n = d->size;
		memcpy(out, d->buffer, n);
		explicit_bzero(d->buffer, sizeof(d->buffer));
		Esys_Free(d);
		if (n == 0)
			return hwtpm_fail(
			    h, VT_E_TPM, "the TPM returned no random bytes");
		out += n;
		len -= n;
	}
	return VT_OK;
}

int
hwtpm_random(struct hwtpm *h, uint8_t *out, size_t len)
{
	static const char what[] = "vTPM manager random";
	uint8_t both[2 * RANDOM_PART];
	int rc;

	rc = hwtpm_random_part(h, ESYS_TR_NONE, both, RANDOM_PART);
	if (rc != VT_OK)
		return rc;
	/* An attacker who taps the TPM's bus does not know the kernel's. */
	if ((rc = random_bytes(both + RANDOM_PART, RANDOM_PART)) != VT_OK ||
	    (rc = hkdf_sha256(
		 both, sizeof(both), what, sizeof(what), out, len)) != VT_OK)
		rc = hwtpm_fail(h, rc, "random bytes: %s", vt_strerror(rc));
	explicit_bzero(both, sizeof(both));
	return rc;
}
