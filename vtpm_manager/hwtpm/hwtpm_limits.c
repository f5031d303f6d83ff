/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwtpm_limits.c - the limits of vtpm-hwtpm in one table.
 */
#include "vtpm_manager/hwtpm/hwtpm_limits.h"

#include "base/util.h"
#include "vtpm_manager/hwtpm/queue.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

static const struct limit_row rows[] = {
	{ "queued requests", "group", "requests", HWQ_MAX_GROUP,
	    "a further request is refused" },
	{ "queued requests", "host", "requests", HWQ_MAX,
	    "a further request is refused" },
	{ "wait for the TPM", "request", "milliseconds", HWTPM_WAIT_MS,
	    "the request fails with the reason" },
	{ "groups with an account of TPM time", "host", "groups", HW_GROUPS_MAX,
	    "a further group has no account (the manager creates none)" },
	{ "TPM time that a quota can grant", "group", "milliseconds per minute",
	    HW_SHARE_MS_MAX, "a greater quota is refused" },
	{ "random bytes", "request", "bytes", HW_RANDOM_MAX,
	    "the request is refused" },
};

const struct limit_table *
hwtpm_limits(void)
{
	static const struct limit_table table = { "vtpm-hwtpm", rows,
		VT_NELEM(rows) };

	return &table;
}
