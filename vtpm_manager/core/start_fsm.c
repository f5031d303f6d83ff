/* SPDX-License-Identifier: BSD-3-Clause */
/* start_fsm.c - the table of the manager's start. */
#include "vtpm_manager/core/start_fsm.h"

#include <assert.h>

/* clang-format off */
#define T(s, a)	{ START_##s, START_##a }

static const struct start_step table[START_NSTATES][START_NEVENTS] = {
	[START_NEW] = {
		[START_E_BEGIN]	  = T(ZYGOTE, WAIT),
	},
	[START_ZYGOTE] = {
		[START_E_ZYGOTE]  = T(ROOT, ASK_ROOT),
	},
	[START_ROOT] = {
		[START_E_ROOT]	  = T(KEYS, ASK_KEYS),
	},
	[START_KEYS] = {
		[START_E_MADE]	  = T(COUNTER_NEW, ASK_COUNTER),
		[START_E_LOADED]  = T(COUNTER, ASK_COUNTER),
		[START_E_SEALED]  = T(SEALED, SEAL),
	},
	[START_SEALED] = {
		[START_E_LOADED]  = T(COUNTER, ASK_COUNTER),
		[START_E_SEALED]  = T(SEALED, WAIT),
		[START_E_MOVED]	  = T(COUNTER_MOVED, ASK_COUNTER),
	},
	[START_COUNTER] = {
		[START_E_COUNTER] = T(OPEN, UNLOCK),
	},
	[START_COUNTER_NEW] = {
		[START_E_COUNTER] = T(OPEN, UNLOCK_NEW),
	},
	[START_COUNTER_MOVED] = {
		[START_E_COUNTER] = T(OPEN_MOVED, UNLOCK),
	},
	[START_OPEN] = {
		[START_E_CHECKED] = T(READY, SERVE),
	},
	[START_OPEN_MOVED] = {
		[START_E_CHECKED] = T(READY, SERVE_MOVED),
	},
};
#undef T
/* clang-format on */

static const char *const state_names[START_NSTATES] = {
	[START_NEW] = "new",
	[START_ZYGOTE] = "zygote",
	[START_ROOT] = "software root",
	[START_KEYS] = "keys",
	[START_SEALED] = "sealed",
	[START_COUNTER] = "counter",
	[START_COUNTER_NEW] = "counter of a new store",
	[START_COUNTER_MOVED] = "counter of a moved store",
	[START_OPEN] = "store open",
	[START_OPEN_MOVED] = "moved store open",
	[START_READY] = "ready",
};

static const char *const event_names[START_NEVENTS] = {
	[START_E_BEGIN] = "begin",
	[START_E_ZYGOTE] = "zygote up",
	[START_E_ROOT] = "root up",
	[START_E_MADE] = "keys made",
	[START_E_LOADED] = "keys loaded",
	[START_E_SEALED] = "keys refused",
	[START_E_MOVED] = "keys from shares",
	[START_E_COUNTER] = "counter known",
	[START_E_CHECKED] = "approvals checked",
};

struct start_step
start_step(enum start_state s, enum start_event e)
{
	struct start_step st;

	assert((unsigned int)s < START_NSTATES);
	assert((unsigned int)e < START_NEVENTS);
	st = table[s][e];
	if (st.act == START_VIOLATION)
		st.next = s;
	return st;
}

bool
start_store_open(enum start_state s)
{
	return s == START_OPEN || s == START_OPEN_MOVED || s == START_READY;
}

const char *
start_state_name(enum start_state s)
{
	assert((unsigned int)s < START_NSTATES);
	return state_names[s];
}

const char *
start_event_name(enum start_event e)
{
	assert((unsigned int)e < START_NEVENTS);
	return event_names[e];
}
