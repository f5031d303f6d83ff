/* SPDX-License-Identifier: BSD-3-Clause */
/* worker_requests.c - the requests in flight to one worker. */
#include "vtpm_manager/guest/worker_requests.h"

#include <string.h>

struct wreq *
wreqs_place(struct wreqs *q, uint16_t type)
{
	struct wreq *r, *found = NULL;
	unsigned int queries = 0;
	size_t i;

	for (i = 0; i < WLINK_REQS_MAX; i++) {
		r = &q->all[i];
		if (r->id == 0)
			found = r;
		else
			queries += r->type == W_QUERY;
	}
	return type == W_QUERY && queries >= WLINK_QUERIES_MAX ? NULL : found;
}

uint32_t
wreqs_new_id(struct wreqs *q)
{
	if (++q->last_id == 0)
		q->last_id = 1;
	return q->last_id;
}

bool
wreqs_take_at(struct wreqs *q, size_t i, struct wreq *ret)
{
	if (q->all[i].id == 0)
		return false;
	*ret = q->all[i];
	memset(&q->all[i], 0, sizeof(q->all[i]));
	return true;
}

bool
wreqs_take(struct wreqs *q, uint32_t id, struct wreq *ret)
{
	size_t i;

	for (i = 0; i < WLINK_REQS_MAX && id != 0; i++)
		if (q->all[i].id == id)
			return wreqs_take_at(q, i, ret);
	return false;
}

const struct wreq *
wreqs_first_due(const struct wreqs *q)
{
	const struct wreq *r, *first = NULL;
	size_t i;

	for (i = 0; i < WLINK_REQS_MAX; i++) {
		r = &q->all[i];
		if (r->id != 0 &&
		    (first == NULL || r->deadline_us < first->deadline_us))
			first = r;
	}
	return first;
}
