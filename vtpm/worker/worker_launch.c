/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_launch.c - launch records: checked when they come, kept for a power
 * cycle.
 */
#include "vtpm/worker/worker_launch.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "measure/log/eventlog.h"
#include "measure/tpm/pcr.h"

#define PCR_DRTM_LAST 22

static void
drop(struct launch *l)
{
	free(l->bytes);
	memset(l, 0, sizeof(*l));
}

/* The event of PCR 17 only describes what the hash sequence extends. */
static int
check_drtm_event(const struct el_event *ev, const struct wblob *record)
{
	uint8_t want[DIGEST_MAX];
	uint32_t i;
	int rc;

	for (i = 0; i < ev->ndigests; i++) {
		const struct tpm_digest *d = &ev->digests[i];

		rc = digest_buf(d->alg, record->p, record->len, want);
		if (rc != VT_OK)
			return rc;
		if (memcmp(want, d->val, d->len) != 0)
			return VT_E_FORMAT;
	}
	return VT_OK;
}

static int
check_log(const struct wlaunch *l)
{
	struct el_log *log;
	struct el_event ev;
	int rc, bad = VT_OK;

	if ((rc = el_open(l->log.p, l->log.len, &log)) != VT_OK)
		return rc;
	while (bad == VT_OK && (rc = el_next(log, &ev)) == 1) {
		if (!el_extends(&ev))
			continue;
		if (ev.pcr == PCR_DRTM)
			bad = check_drtm_event(&ev, &l->record);
		else if (ev.pcr > PCR_DRTM && ev.pcr <= PCR_DRTM_LAST)
			bad = VT_E_FORMAT;
	}
	el_close(log);
	return bad != VT_OK ? bad : rc;
}

int
launch_take_copy(struct launch *l, const uint8_t *p, size_t len)
{
	struct launch n;
	int rc;

	memset(&n, 0, sizeof(n));
	if (len > 0) {
		if ((n.bytes = malloc(len)) == NULL)
			return VT_E_NOMEM;
		memcpy(n.bytes, p, len);
		n.len = len;
		rc = msg_get(wlaunch, n.bytes, len, &n.l);
		if (rc == VT_OK && n.l.record.len > 0 && n.l.log.len > 0)
			rc = check_log(&n.l);
		if (rc != VT_OK) {
			free(n.bytes);
			return rc;
		}
		if (n.l.record.len == 0) /* forget it */
			drop(&n);
	}
	drop(l);
	*l = n;
	return VT_OK;
}

int
launch_set_next(struct launches *l, const uint8_t *p, size_t len)
{
	int rc = launch_take_copy(&l->next, p, len);

	if (rc == VT_OK)
		l->next_set = true;
	return rc;
}

const struct launch *
launch_of_next(const struct launches *l)
{
	if (l->next_set)
		return &l->next;
	return l->over ? NULL : &l->now;
}

void
launch_power_cycle(struct launches *l)
{
	if (l->over || l->next_set)
		drop(&l->now);
	if (l->next_set)
		l->now = l->next;
	memset(&l->next, 0, sizeof(l->next));
	l->over = l->next_set = false;
}

bool
launch_end(struct launches *l)
{
	if (l->now.bytes == NULL || l->over)
		return false;
	l->over = true;
	return true;
}
