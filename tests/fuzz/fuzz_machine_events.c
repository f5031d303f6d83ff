/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_machine_events.c - any bytes of a monitor in: no crash, progress, and
 * the same events however the bytes are cut.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/worker/machine_events.h"

#define EVENTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct seen {
	struct machine_events m;
	enum machine_event events[EVENTS_MAX];
	size_t n;
};

static void
feed(struct seen *s, const char *p, size_t len)
{
	enum machine_event e;
	const char *was = p;

	while (machine_events_take(&s->m, &p, &len, &e) == VT_OK) {
		if (p == was || e > ME_RESET)
			abort(); /* no progress; no such event */
		was = p;
		if (s->n < EVENTS_MAX)
			s->events[s->n++] = e;
	}
	if (len != 0)
		abort(); /* bytes that were not taken */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct seen whole, cut;
	size_t i;

	memset(&whole, 0, sizeof(whole));
	memset(&cut, 0, sizeof(cut));
	feed(&whole, (const char *)data, len);
	for (i = 0; i < len; i++)
		feed(&cut, (const char *)data + i, 1);
	if (whole.n != cut.n || memcmp(whole.events, cut.events,
				    whole.n * sizeof(whole.events[0])) != 0)
		abort();
	return 0;
}
