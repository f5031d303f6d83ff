/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_deep.h - does this deep quote stand on this host, in a state that
 * is accepted?
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   doc/FORMATS.md, "Deep quotes", checks.
 * Trust:  host record, roots and states are the verifier's own; the answer
 *         is hostile input.
 * Cache:  the handle remembers what it verified of a host (AK certificates,
 *         host quotes) by digest of all that went into it, so that the next
 *         guest under the same host quote costs no signature of it.
 */
#ifndef MEASURE_EVIDENCE_VERIFY_DEEP_H
#define MEASURE_EVIDENCE_VERIFY_DEEP_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "measure/evidence/bundle.h"
#include "measure/host/tenant_config.h"
#include "measure/host/host_identity.h"
#include "measure/host/host_state.h"

struct ev_digests; /* measure/evidence/evidence_priv.h */

/*
 * Check a host record and get ready.  A record that is refused is no error:
 * every verification then says so.  id, roots (or NULL) and states (or NULL)
 * are borrowed for as long as *ret lives; now 0: the system's clock.
 * *ret: deep_host_free().  VT_E_NOMEM.
 */
int deep_host_new(const struct hostid *id, const struct host_roots *roots,
    const struct hoststates *states, time_t now,
    struct deep_host **ret) VT_CHECK;
void deep_host_free(struct deep_host *h); /* NULL is a no-op */
/* Its CA certificate, DER, borrowed. */
void deep_host_ca(
    const struct deep_host *h, const uint8_t **ret, size_t *ret_len);

/* x509_verify() under its CA, with what it remembers; want->ca is not used.
 * *ret_key: the AK's key, borrowed until the next call, or NULL. */
int deep_host_certs(struct deep_host *h, struct x509_want *want,
    struct x509_report *ret, EVP_PKEY **ret_key) VT_CHECK;

/* Add every check of ev's deep part (dig: of its parts) to rep, whose instance
 * and root are set if its certificates were good. */
void deep_verify(const struct evidence *ev, const struct ev_digests *dig,
    const struct ev_want *want, struct ev_report *rep);

/*
 * The same of a host quote by a group's AK, alone: rep (zeroed by the caller)
 * gets every check and the verdict.  nonce: the one that was given out.
 */
void deep_verify_quote(struct deep_host *h, const struct group_quote *q,
    const uint8_t *nonce, size_t nonce_len, struct ev_report *rep);

#endif
