/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h - vTPMs manufactured in advance: live workers with keys and, for a
 * UUID that no guest has yet, certificates.  A physical TPM signs those in some
 * 600 ms, which `create` then does not wait for.
 *
 * Layer:  vtpm_manager.
 * Law 2:  only pool_make() sends W_PROVISION to a worker that will become a
 *         guest's.
 * Law 9:  a worker is claimed once and never given back.
 * Law 8:  what is certified in advance is in no group, and its UUID is the
 *         guest's that gets it; any other guest's certificates are issued when
 *         it is created.
 */
#ifndef VTPM_MANAGER_GUEST_POOL_H
#define VTPM_MANAGER_GUEST_POOL_H

#include "vtpm_manager/core/context.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/guest/worker_link.h"

struct guest;

/* A manufactured vTPM. */
struct made {
	struct wlink *link; /* ops are the pool's until hand over */
	uint8_t tpm_version, banks, srk;
	uint8_t *pub; /* W_PROVISIONED's payload; heap */
	size_t pub_len;
	struct wprovisioned areas; /* borrowed from pub */
	uint8_t uuid[UUID_LEN];    /* that its certificates are for */
	uint8_t *certs; /* struct hw_certed, encoded; heap; or NULL */
	size_t certs_len;
	uint64_t certs_ms; /* wall clock when they were issued */
	struct made_priv *p;
};

typedef void (*made_cb)(void *arg, int rc, const char *text, struct made *d);

int pool_new(struct mgr *m, struct pool **ret) VT_CHECK;
void pool_free(struct pool *p); /* its workers end */
/* One that is ready, or NULL; the caller owns it. */
struct made *pool_take(
    struct pool *p, uint8_t tpm_version, uint8_t banks, uint8_t srk);
/*
 * Have the host's CA certify d's keys for this vTPM of generation 1.  cb gets
 * the answer to HW_CERTS, see hwlink_request().
 */
int made_certify(const struct made *d, struct mgr *m, const struct guest *in,
    hw_cb cb, void *arg) VT_CHECK;
/* Which of its keys are which in that answer; their number. */
uint32_t made_keys(const struct made *d, uint8_t which[3], struct wblob pub[3]);
/* Manufacture now; on VT_OK the caller owns *d. */
int pool_make(struct mgr *m, uint8_t tpm_version, uint8_t banks, uint8_t srk,
    made_cb cb, void *arg) VT_CHECK;
/* The host is busy: refill only after a quiet time. */
void pool_kick(struct pool *p);
unsigned int pool_ready(const struct pool *p);
/* Returns the link, which is the caller's; frees the rest. */
struct wlink *made_release(struct made *d);
void made_free(struct made *d); /* its worker ends; NULL is a no-op */

#endif
