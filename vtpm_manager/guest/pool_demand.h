/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_demand.h - how many vTPMs of which kind to keep made in advance.
 *
 * Layer:  vtpm_manager; pure.
 *
 * Of each kind as many as were asked for in the busier of this period and the
 * last one; of the plain kind (TPM 2.0, SHA-256, no SRK) at least `least`; of
 * all together at most `most`.  Where that is too little, the plain kind's
 * least comes first, then what was asked for last.
 */
#ifndef VTPM_MANAGER_GUEST_POOL_DEMAND_H
#define VTPM_MANAGER_GUEST_POOL_DEMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_PERIOD_US 600000000 /* ten minutes */
#define POOL_KINDS 8             /* more are made when they are asked for */

struct pool_kind {
	uint8_t tpm_version, banks, srk;
};

struct pool_demand {
	uint32_t least, most;
	uint64_t period; /* the present one's number */
	uint32_t n;
	struct pool_row {
		struct pool_kind kind;
		uint32_t now, before; /* asked for in this period, in the last
				       */
		uint64_t last_us;
	} row[POOL_KINDS]; /* row[0]: the plain kind */
};

/* least 0: there is no pool. */
void pool_demand_init(struct pool_demand *d, uint32_t least, uint32_t most);
bool pool_kind_equal(const struct pool_kind *a, const struct pool_kind *b);
/* One of this kind was asked for. */
void pool_demand_ask(
    struct pool_demand *d, const struct pool_kind *k, uint64_t now_us);
/* How many of each row to keep at this time. */
void pool_demand_want(
    struct pool_demand *d, uint64_t now_us, uint32_t want[POOL_KINDS]);

#endif
