/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/xen/move_fsm.h"

#include <assert.h>

/* clang-format off */
#define T(s, a)	{ MOVE_##s, MOVE_##a }

/* A cell that is not listed reads {0, MOVE_REFUSE}. */
static const struct move_step table[MOVE_NSTATES][MOVE_NEVENTS] = {
	[MOVE_FREE] = {
		[MOVE_BEGIN_SAVE]	   = T(SAVING, NOTHING),
		[MOVE_BEGIN_RESTORE] = T(CLAIMED, NOTHING),
		[MOVE_BEGIN_MOVE]	   = T(MOVING, NOTHING),
		[MOVE_NEW_DOMAIN]	   = T(FREE, POWER),
		[MOVE_OLD_GONE]	   = T(FREE, NOTHING),
		[MOVE_ABORT]	   = T(FREE, NOTHING),
	},
	[MOVE_SAVING] = {
		/* it ended by itself: what was saved is not bound */
		[MOVE_OLD_GONE]	   = T(FREE, NOTHING),
		[MOVE_DONE]	   = T(FREE, HIBERNATE),
		[MOVE_ABORT]	   = T(FREE, NOTHING),
	},
	[MOVE_CLAIMED] = {
		[MOVE_NEW_DOMAIN]	   = T(OFFERED, OFFER),
		[MOVE_ABORT]	   = T(FREE, NOTHING),
	},
	[MOVE_OFFERED] = {
		[MOVE_NEW_GONE]	   = T(CLAIMED, NOTHING),
		[MOVE_DONE]	   = T(FREE, RESUME),
		[MOVE_ABORT]	   = T(FREE, CYCLE),
	},
	[MOVE_MOVING] = {
		[MOVE_NEW_DOMAIN]	   = T(TWO, OFFER),
		[MOVE_OLD_GONE]	   = T(FREE, NOTHING),
		[MOVE_ABORT]	   = T(FREE, NOTHING),
	},
	[MOVE_TWO] = {
		[MOVE_OLD_GONE]	   = T(LEFT_TWO, NOTHING),
		[MOVE_NEW_GONE]	   = T(MOVING, NOTHING),
		[MOVE_DONE]	   = T(TWO, AGAIN),
		/* its owner continues; the other one never connected */
		[MOVE_ABORT]	   = T(FREE, NOTHING),
	},
	[MOVE_LEFT_TWO] = {
		[MOVE_NEW_GONE]	   = T(FREE, NOTHING),
		[MOVE_DONE]	   = T(FREE, SWITCH),
		[MOVE_ABORT]	   = T(FREE, CYCLE),
	},
};
#undef T
/* clang-format on */

struct move_step
move_step(enum move_state s, enum move_event e)
{
	struct move_step st;

	assert(
	    (unsigned int)s < MOVE_NSTATES && (unsigned int)e < MOVE_NEVENTS);
	st = table[s][e];
	if (st.act == MOVE_REFUSE)
		st.next = s;
	return st;
}

const char *
move_state_name(enum move_state s)
{
	static const char *const names[MOVE_NSTATES] = { "free", "being saved",
		"being restored", "being restored", "moving", "moving",
		"moving" };

	assert((unsigned int)s < MOVE_NSTATES);
	return names[s];
}
