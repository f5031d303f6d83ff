/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * audit_limit.h - how many denied requests of one caller get a record each in
 * the audit log; further ones are counted.
 *
 * Layer:  vtpm_manager; pure: no I/O, no clock, no logging.
 * Trust:  callers are distinguished by their credentials (bus_roles.h), never
 *         by what they say.
 * Limits: a caller has AUDIT_LIMIT_BURST records at once, then one in
 *         AUDIT_LIMIT_EVERY_US.  AUDIT_LIMIT_CALLERS callers are counted
 *         separately; further ones share one place.
 *
 * No request goes unrecorded: one without a record is in a sum, which
 * audit_limit_take() returns once.
 */
#ifndef VTPM_MANAGER_COMMIT_AUDIT_LIMIT_H
#define VTPM_MANAGER_COMMIT_AUDIT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/token_bucket.h"

#define AUDIT_LIMIT_BURST 100
#define AUDIT_LIMIT_EVERY_US 10000000u
#define AUDIT_LIMIT_CALLERS 32
#define AUDIT_LIMIT_WHO 64    /* bytes with NUL; as in struct bus_who */
#define AUDIT_LIMIT_ACTION 32 /* likewise; longer ones are cut */

struct audit_limit_sum {
	char who[AUDIT_LIMIT_WHO];
	uint64_t n;        /* requests without a record */
	uint64_t since_us; /* when the first of them came */
	char last[AUDIT_LIMIT_ACTION];
};

struct audit_limit {
	struct audit_limit_one {
		struct audit_limit_sum sum; /* who "": a free place */
		struct token_bucket records;
	} one[AUDIT_LIMIT_CALLERS + 1]; /* the last one is the shared place */
};

/* All zero bytes is a good beginning, too. */
void audit_limit_init(struct audit_limit *l);
/* May who's denied action have a record now?  If not it has been counted. */
bool audit_limit_allows(struct audit_limit *l, const char *who,
    const char *action, uint64_t now_us);
/* One sum that was not taken yet; false: there is none. */
bool audit_limit_take(struct audit_limit *l, struct audit_limit_sum *ret);

#endif
