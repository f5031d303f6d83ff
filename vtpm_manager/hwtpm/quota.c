/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/quota.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000u /* limit_ms of these: us per us is limit / MINUTE */

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

	if (a != NULL || q->n >= HWQUOTA_MAX)
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

/* What came in since at_us; what is too little to count stays for the next
 * time. */
static void
fill(struct hwquota_account *a, uint64_t now_us)
{
	uint64_t limit = a->use.limit_ms, past, gain;
	int64_t full = (int64_t)limit * 1000;

	if (limit == 0 || now_us <= a->at_us)
		return;
	past = now_us - a->at_us;
	if (past >= UINT64_C(3600) * 1000000) { /* no debt is so old */
		a->left_us = full;
		a->at_us = now_us;
		return;
	}
	gain = past * limit / MINUTE_MS;
	a->left_us += (int64_t)gain;
	a->at_us += gain * MINUTE_MS / limit;
	if (a->left_us >= full) {
		a->left_us = full;
		a->at_us = now_us;
	}
}

int
hwquota_limit(struct hwquota *q, uint32_t group, uint32_t ms, uint64_t now_us)
{
	struct hwquota_account *a;
	int64_t full = (int64_t)ms * 1000;

	if (ms > HWQUOTA_MS_MAX)
		return VT_E_RANGE;
	if ((a = find_or_add(q, group)) == NULL)
		return q->n >= HWQUOTA_MAX ? VT_E_SPACE : VT_E_NOMEM;
	if (a->use.limit_ms == ms)
		return VT_OK;
	/* Setting it again and again must not fill the bucket each time, nor
	 * forgive a debt. */
	fill(a, now_us);
	if (a->use.limit_ms == 0 || a->left_us > full)
		a->left_us = full;
	a->use.limit_ms = ms;
	a->at_us = now_us;
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
	uint64_t need;

	if (a == NULL || a->use.limit_ms == 0)
		return now_us;
	fill(a, now_us);
	if (a->left_us > 0)
		return now_us;
	need = (uint64_t)(1 - a->left_us);
	return a->at_us + need * MINUTE_MS / a->use.limit_ms + 1;
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
	if (a->use.limit_ms == 0)
		return;
	fill(a, now_us);
	a->left_us -= (int64_t)(us < INT64_MAX / 4 ? us : INT64_MAX / 4);
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

const struct hwquota_use *
hwquota_use(const struct hwquota *q, uint32_t group)
{
	const struct hwquota_account *a = find(q, group);

	return a != NULL ? &a->use : NULL;
}
