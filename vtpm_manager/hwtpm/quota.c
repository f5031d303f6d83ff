/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/quota.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000u /* N ms per minute: N us per this many us */

void
hwquota_init(struct hwquota *q)
{
	q->a = NULL;
	q->n = 0;
}

void
hwquota_done(struct hwquota *q)
{
	free(q->a);
	hwquota_init(q);
}

static struct hwquota_account *
find(const struct hwquota *q, uint32_t group)
{
	size_t i;

	for (i = 0; i < q->n; i++)
		if (q->a[i].use.group == group)
			return &q->a[i];
	return NULL;
}

static struct hwquota_account *
find_or_add(struct hwquota *q, uint32_t group)
{
	struct hwquota_account *a = find(q, group), *more;

	if (a != NULL || q->n >= HW_GROUPS_MAX)
		return a;
	more = reallocarray(q->a, q->n + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	q->a = more;
	a = &q->a[q->n++];
	memset(a, 0, sizeof(*a));
	a->use.group = group;
	return a;
}

int
hwquota_limit(struct hwquota *q, uint32_t group, uint32_t ms, uint64_t now_us)
{
	uint64_t most = UINT64_C(1000) * ms;
	struct hwquota_account *a;

	if (ms > HW_SHARE_MS_MAX)
		return VT_E_RANGE;
	if ((a = find_or_add(q, group)) == NULL)
		return q->n >= HW_GROUPS_MAX ? VT_E_SPACE : VT_E_NOMEM;
	/* Setting a limit again neither fills the bucket nor forgives debt. */
	if (ms != 0 && a->use.limit_ms == 0)
		token_bucket_init(&a->us, most, ms, MINUTE_MS, now_us);
	else if (ms != 0)
		token_bucket_set(&a->us, most, ms, MINUTE_MS, now_us);
	a->use.limit_ms = ms;
	return VT_OK;
}

void
hwquota_drop(struct hwquota *q, uint32_t group)
{
	struct hwquota_account *a = find(q, group);

	if (a != NULL)
		*a = q->a[--q->n];
}

uint64_t
hwquota_when(struct hwquota *q, uint32_t group, uint64_t now_us)
{
	struct hwquota_account *a = find(q, group);

	if (a == NULL || a->use.limit_ms == 0)
		return now_us;
	return token_bucket_when(&a->us, now_us);
}

void
hwquota_charge(struct hwquota *q, uint32_t group, uint64_t us, uint64_t wait_us,
    uint64_t now_us)
{
	struct hwquota_account *a = find_or_add(q, group);

	if (a == NULL)
		return;
	a->use.requests++;
	a->use.us += us;
	a->use.wait_us += wait_us;
	if (a->use.limit_ms != 0)
		token_bucket_charge(&a->us, us, now_us);
}

void
hwquota_note_delayed(struct hwquota *q, uint32_t group)
{
	struct hwquota_account *a = find_or_add(q, group);

	if (a != NULL)
		a->use.delayed++;
}

void
hwquota_note_refused(struct hwquota *q, uint32_t group)
{
	struct hwquota_account *a = find_or_add(q, group);

	if (a != NULL)
		a->use.refused++;
}

const struct hw_used *
hwquota_use(const struct hwquota *q, uint32_t group)
{
	const struct hwquota_account *a = find(q, group);

	return a != NULL ? &a->use : NULL;
}
