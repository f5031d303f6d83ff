/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h - vTPMs manufactured in advance: live workers with keys.  Which, and
 * how many, follows what was asked for (pool_demand.h).
 *
 * Layer:  vtpm_manager.
 * Law 2:  only pool_make() sends W_PROVISION to a worker that will become a
 *         guest's.
 * Law 9:  a worker is claimed once and never given back.
 * Law 8:  nothing is certified in advance: a certificate names the guest.
 */
#ifndef VTPM_MANAGER_GUEST_POOL_H
#define VTPM_MANAGER_GUEST_POOL_H

#include "vtpm_manager/core/context.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/guest/pool_demand.h"
#include "vtpm_manager/guest/worker_link.h"

struct guest;

/* A manufactured vTPM. */
struct made {
	struct wlink *link; /* ops are the pool's until hand over */
	struct pool_kind kind;
	uint8_t *pub; /* W_PROVISIONED's payload; heap */
	size_t pub_len;
	struct wprovisioned areas; /* borrowed from pub */
	struct made_priv *p;
};

typedef void (*made_cb)(void *arg, int rc, const char *text, struct made *d);

int pool_new(struct mgr *m, struct pool **ret) VT_CHECK;
void pool_free(struct pool *p); /* its workers end */
/* One of this kind that is ready, or NULL; the caller owns it.  Either way it
 * was asked for. */
struct made *pool_take(struct pool *p, const struct pool_kind *k);
/*
 * Have the host's CA certify d's keys for this vTPM of generation 1.  cb gets
 * the answer to HW_CERTS, see hwlink_request().
 */
int made_certify(const struct made *d, struct mgr *m, const struct guest *in,
    hw_cb cb, void *arg) VT_CHECK;
/* Which of its keys are which in that answer; their number. */
uint32_t made_keys(const struct made *d, uint8_t which[3], struct wblob pub[3]);
/* Manufacture now; on VT_OK the caller owns *d. */
int pool_make(
    struct mgr *m, const struct pool_kind *k, made_cb cb, void *arg) VT_CHECK;
/* The host is busy: refill only after a quiet time. */
void pool_kick(struct pool *p);
unsigned int pool_ready(const struct pool *p);
/* How many it would have by what was asked for lately. */
unsigned int pool_wanted(struct pool *p);
/* Returns the link, which is the caller's; frees the rest. */
struct wlink *made_release(struct made *d);
void made_free(struct made *d); /* its worker ends; NULL is a no-op */

#endif
