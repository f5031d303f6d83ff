/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_fsm.c - the table of a guest's life. */
#include "vtpm_manager/guest/guest_fsm.h"

#include <assert.h>
#include "vtpm_manager/guest/guest.h"

/* clang-format off */
#define T(s, a)	{ IS_##s, IA_##a }

static const struct guest_step table[IS_NSTATES][IE_NEVENTS] = {
	[IS_STOPPED] = {
		[IE_START]	 = T(SPAWNING, SPAWN),
		[IE_FIND]	 = T(FINDING, CONNECT),
	},
	[IS_SPAWNING] = {
		[IE_SPAWNED]	 = T(LOADING, LOAD),
		[IE_REFUSED]	 = T(STOPPED, REFUSE),
		[IE_CRASHED]	 = T(BACKOFF, BACKOFF),
		[IE_CRASHED_OUT] = T(FAILED, GIVE_UP),
		[IE_STOP]	 = T(STOPPING, STOP),
	},
	[IS_LOADING] = {
		[IE_LOADED]	 = T(RUNNING, READY),
		[IE_REFUSED]	 = T(STOPPED, REFUSE),
		[IE_CRASHED]	 = T(BACKOFF, BACKOFF),
		[IE_CRASHED_OUT] = T(FAILED, GIVE_UP),
		[IE_STOP]	 = T(STOPPING, STOP),
	},
	[IS_RUNNING] = {
		[IE_CRASHED]	 = T(BACKOFF, BACKOFF),
		[IE_CRASHED_OUT] = T(FAILED, GIVE_UP),
		[IE_STOP]	 = T(STOPPING, STOP),
	},
	[IS_STOPPING] = {
		/* It did not end by itself, but it ended. */
		[IE_SPAWNED]	 = T(STOPPING, NONE),
		[IE_LOADED]	 = T(STOPPING, NONE),
		[IE_REFUSED]	 = T(STOPPED, END),
		[IE_CRASHED]	 = T(STOPPED, END),
		[IE_CRASHED_OUT] = T(STOPPED, END),
		[IE_STOP]	 = T(STOPPING, NONE),
		[IE_STOPPED]	 = T(STOPPED, END),
	},
	[IS_BACKOFF] = {
		[IE_START]	 = T(SPAWNING, SPAWN),
		[IE_TIMER]	 = T(SPAWNING, SPAWN),
		[IE_STOP]	 = T(STOPPED, END),
	},
	[IS_FAILED] = {
		[IE_START]	 = T(SPAWNING, SPAWN),
		[IE_STOP]	 = T(STOPPED, END),
	},
	[IS_FINDING] = {
		[IE_FOUND]	 = T(RUNNING, TAKE),
		[IE_CRASHED]	 = T(SPAWNING, SPAWN),
		[IE_CRASHED_OUT] = T(FAILED, GIVE_UP),
		[IE_STOP]	 = T(STOPPING, STOP),
	},
};
#undef T
/* clang-format on */

static const char *const state_names[IS_NSTATES] = {
	[IS_STOPPED] = "stopped",
	[IS_SPAWNING] = "starting",
	[IS_LOADING] = "loading",
	[IS_RUNNING] = "running",
	[IS_STOPPING] = "stopping",
	[IS_BACKOFF] = "restarting",
	[IS_FAILED] = "failed",
	[IS_FINDING] = "reconnecting",
};

static const char *const event_names[IE_NEVENTS] = {
	[IE_START] = "start",
	[IE_FIND] = "find",
	[IE_FOUND] = "found",
	[IE_SPAWNED] = "spawned",
	[IE_LOADED] = "loaded",
	[IE_REFUSED] = "refused",
	[IE_CRASHED] = "crashed",
	[IE_CRASHED_OUT] = "crashed too often",
	[IE_TIMER] = "timer",
	[IE_STOP] = "stop",
	[IE_STOPPED] = "stopped",
};

struct guest_step
guest_step(enum guest_state s, enum guest_event e)
{
	struct guest_step st;

	assert((unsigned int)s < IS_NSTATES && (unsigned int)e < IE_NEVENTS);
	st = table[s][e];
	if (st.act == IA_VIOLATION)
		st.next = s;
	return st;
}

const char *
guest_state_name(enum guest_state s)
{
	assert((unsigned int)s < IS_NSTATES);
	return state_names[s];
}

const char *
guest_event_name(enum guest_event e)
{
	assert((unsigned int)e < IE_NEVENTS);
	return event_names[e];
}
