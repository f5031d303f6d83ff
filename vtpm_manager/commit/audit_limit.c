/* SPDX-License-Identifier: BSD-3-Clause */
/* audit_limit.c - each caller's share of the audit log. */
#include "vtpm_manager/commit/audit_limit.h"

#include <stdio.h>
#include <string.h>

#define SHARED "other callers"

void
audit_limit_init(struct audit_limit *l)
{
	memset(l, 0, sizeof(*l));
}

/* After a quiet time a caller has no more than a newcomer. */
static bool
forgettable(struct audit_limit_one *o, uint64_t now)
{
	if (o->sum.who[0] == '\0')
		return true;
	return o->sum.n == 0 && token_bucket_full(&o->records, now);
}

static void
begin(struct audit_limit_one *o, const char *who, uint64_t now)
{
	memset(o, 0, sizeof(*o));
	(void)snprintf(o->sum.who, sizeof(o->sum.who), "%s", who);
	token_bucket_init(
	    &o->records, AUDIT_LIMIT_BURST, 1, AUDIT_LIMIT_EVERY_US, now);
}

static struct audit_limit_one *
place_of(struct audit_limit *l, const char *who, uint64_t now)
{
	struct audit_limit_one *o, *empty = NULL;
	size_t i;

	for (i = 0; i < AUDIT_LIMIT_CALLERS; i++) {
		o = &l->one[i];
		if (strncmp(o->sum.who, who, sizeof(o->sum.who) - 1) == 0)
			return o;
		if (empty == NULL && forgettable(o, now))
			empty = o;
	}
	if (empty != NULL) {
		begin(empty, who, now);
		return empty;
	}
	o = &l->one[AUDIT_LIMIT_CALLERS];
	if (o->sum.who[0] == '\0')
		begin(o, SHARED, now);
	return o;
}

bool
audit_limit_allows(
    struct audit_limit *l, const char *who, const char *action, uint64_t now_us)
{
	struct audit_limit_one *o = place_of(l, who, now_us);

	if (token_bucket_take(&o->records, 1, now_us))
		return true;
	if (o->sum.n++ == 0)
		o->sum.since_us = now_us;
	(void)snprintf(o->sum.last, sizeof(o->sum.last), "%s", action);
	return false;
}

bool
audit_limit_take(struct audit_limit *l, struct audit_limit_sum *ret)
{
	size_t i;

	for (i = 0; i <= AUDIT_LIMIT_CALLERS; i++)
		if (l->one[i].sum.n > 0) {
			*ret = l->one[i].sum;
			l->one[i].sum.n = 0;
			return true;
		}
	return false;
}
