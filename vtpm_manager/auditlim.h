/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * auditlim.h - how often somebody whose requests are denied gets a record of
 * his own in the audit log; what is beyond that is counted.
 *
 * Layer:  vtpm_manager; pure: no I/O, no clock, no logging.
 * Trust:  callers are told apart by who they are (ctl_auth.h), never by what
 *         they say.
 * Limits, per caller:
 *	AUDITLIM_BURST		records at once, then one in AUDITLIM_EVERY_US
 *	AUDITLIM_CALLERS	are told apart at a time; all further ones share
 *				one place
 *
 * Nothing is lost without a word: whatever got no record is in a sum, which
 * auditlim_take() gives once.
 */
#ifndef VTPM_MANAGER_AUDITLIM_H
#define VTPM_MANAGER_AUDITLIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDITLIM_BURST 100
#define AUDITLIM_EVERY_US UINT64_C(10000000)
#define AUDITLIM_CALLERS 32
#define AUDITLIM_WHO 64    /* bytes with NUL; as in struct ctl_who */
#define AUDITLIM_ACTION 32 /* likewise; longer ones are cut */

struct auditlim_sum {
	char who[AUDITLIM_WHO];
	uint64_t n;        /* requests without a record */
	uint64_t since_us; /* when the first of them came */
	char last[AUDITLIM_ACTION];
};

struct auditlim {
	struct auditlim_one {
		struct auditlim_sum sum; /* who "": a free place */
		uint64_t tokens_us, at_us;
	} one[AUDITLIM_CALLERS + 1]; /* the last one is the shared place */
};

/* All zero bytes is a good beginning, too. */
void auditlim_init(struct auditlim *l);
/* May who's denied action have a record now?  If not it has been counted. */
bool auditlim_allows(
    struct auditlim *l, const char *who, const char *action, uint64_t now_us);
/* One sum that nobody was given yet; false: there is none. */
bool auditlim_take(struct auditlim *l, struct auditlim_sum *ret);

#endif
