/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_requests.h - the requests in flight to one worker: ids and deadlines.
 *
 * Layer:  vtpm_manager/guest.  No I/O, no callbacks: worker_link.c makes them.
 * Limits: WLINK_REQS_MAX in flight, of which WLINK_QUERIES_MAX are W_QUERY.
 */
#ifndef VTPM_MANAGER_GUEST_WORKER_REQUESTS_H
#define VTPM_MANAGER_GUEST_WORKER_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtpm_manager/guest/worker_link.h"

struct wreq {
	uint32_t id; /* 0: free */
	uint16_t type;
	uint64_t deadline_us; /* of now_us() */
	wlink_cb cb;          /* may be NULL */
	void *arg;
};

struct wreqs { /* zeros: none in flight */
	struct wreq all[WLINK_REQS_MAX];
	uint32_t last_id;
};

/* A free place for a request of this type; NULL: too many are in flight. */
struct wreq *wreqs_place(struct wreqs *q, uint16_t type);
/* An id for a new request; never 0. */
uint32_t wreqs_new_id(struct wreqs *q);
/* The request with this id leaves; false: there is none.  *ret is set on
 * success only. */
bool wreqs_take(struct wreqs *q, uint32_t id, struct wreq *ret);
/* The same for place i. */
bool wreqs_take_at(struct wreqs *q, size_t i, struct wreq *ret);
/* The one with the earliest deadline; NULL: none is in flight. */
const struct wreq *wreqs_first_due(const struct wreqs *q);

#endif
