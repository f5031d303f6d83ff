/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h - vTPMs manufactured in advance: live workers with keys and without
 * an identity.
 *
 * Layer:  vtpm_manager.
 * Law 2:  only pool_make() sends W_PROVISION to a worker that will become a
 *         guest's.
 * Law 9:  a worker is claimed once and never given back.
 */
#ifndef VTPM_MANAGER_GUEST_POOL_H
#define VTPM_MANAGER_GUEST_POOL_H

#include "vtpm_manager/guest/worker_link.h"
#include "vtpm_manager/core/context.h"

/* A manufactured vTPM. */
struct made {
	struct wlink *link; /* ops are the pool's until hand over */
	uint8_t tpm_version, banks;
	uint8_t *pub; /* W_PROVISIONED's payload; heap */
	size_t pub_len;
	struct wprovisioned areas; /* borrowed from pub */
	struct made_priv *p;
};

typedef void (*made_cb)(void *arg, int rc, const char *text, struct made *d);

int pool_new(struct mgr *m, struct pool **ret) VT_CHECK;
void pool_free(struct pool *p); /* its workers end */
/* One that is ready, or NULL; the caller owns it. */
struct made *pool_take(struct pool *p, uint8_t tpm_version, uint8_t banks);
/* Manufacture now; on VT_OK the caller owns *d. */
int pool_make(struct mgr *m, uint8_t tpm_version, uint8_t banks, made_cb cb,
    void *arg) VT_CHECK;
/* The host is busy: refill only after a quiet time. */
void pool_kick(struct pool *p);
unsigned int pool_ready(const struct pool *p);
/* Returns the link, which is the caller's; frees the rest. */
struct wlink *made_release(struct made *d);
void made_free(struct made *d); /* its worker ends; NULL is a no-op */

#endif
