/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_machine.c - the evidence behind a power cycle (law 4): a new
 * hypervisor, or what the monitor of the old one said.
 */
#include "vtpm/worker/worker_machine.h"

#include <unistd.h>

#include "base/log.h"
#include "vtpm/worker/worker_launch.h"
#include "vtpm/worker/worker_power.h"
#include "vtpm/worker/worker_state.h"

#define READ_MAX 4096
#define READS_MAX 32 /* a pipe's worth; a monitor that floods must wait */

int
wk_machine_watch(struct worker *w, int fd)
{
	if (w->machine.fd != -1)
		return VT_E_EXISTS;
	w->machine.fd = fd;
	return VT_OK;
}

static void
note(struct machine *m, enum machine_event e)
{
	if (e == ME_GREETING)
		m->watched = true;
	else if (e == ME_RESET || e == ME_WAKEUP)
		m->since = e;
}

static void
take(struct machine *m, const char *p, size_t len)
{
	enum machine_event e;

	while (machine_events_take(&m->events, &p, &len, &e) == VT_OK)
		note(m, e);
}

void
wk_machine_read(struct worker *w)
{
	struct machine *m = &w->machine;
	char buf[READ_MAX];
	ssize_t n;
	int i;

	for (i = 0; m->fd != -1 && i < READS_MAX; i++) {
		if ((n = read(m->fd, buf, sizeof(buf))) <= 0)
			return;
		take(m, buf, (size_t)n);
	}
}

void
wk_machine_connected(struct worker *w)
{
	w->machine.fresh = true;
}

enum power_event
wk_machine_init(struct worker *w)
{
	struct machine *m = &w->machine;
	bool fresh = m->fresh;

	wk_machine_read(w);
	m->since = ME_NONE;
	m->fresh = false;
	if (!fresh && !power_is_on(w->power))
		return PE_INIT_AGAIN;
	return wk_launch_due(w) ? PE_INIT_LAUNCH : PE_INIT;
}

static enum power_event
saw(struct worker *w)
{
	const struct machine *m = &w->machine;

	wk_machine_read(w);
	switch (m->since) {
	case ME_RESET:
		return wk_launch_due(w) ? PE_SAW_RESET_LAUNCH : PE_SAW_RESET;
	case ME_WAKEUP:
		return PE_SAW_WAKEUP;
	default:
		/* A launch is made with a monitor that is watched. */
		return m->watched || power_is_launched(w->power) ||
			       wk_launch_due(w)
			   ? PE_SAW_NOTHING
			   : PE_SAW_UNWATCHED;
	}
}

void
wk_machine_settle(struct worker *w)
{
	if (power_is_unsure(w->power) && wk_power(w, saw(w)) != VT_OK)
		log_warn("the TPM stays off until the next power cycle");
}
