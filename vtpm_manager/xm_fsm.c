/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/xm_fsm.h"

#include <assert.h>

/* clang-format off */
#define T(s, a)	{ XM_##s, XM_##a }

/* A cell that is not listed reads {0, XM_REFUSE}. */
static const struct xm_step table[XM_NSTATES][XM_NEVENTS] = {
	[XM_FREE] = {
		[XM_BEGIN_SAVE]	   = T(SAVING, NOTHING),
		[XM_BEGIN_RESTORE] = T(CLAIMED, NOTHING),
		[XM_BEGIN_MOVE]	   = T(MOVING, NOTHING),
		[XM_NEW_DOMAIN]	   = T(FREE, POWER),
		[XM_OLD_GONE]	   = T(FREE, NOTHING),
		[XM_ABORT]	   = T(FREE, NOTHING),
	},
	[XM_SAVING] = {
		/* it ended by itself: what was saved is not bound */
		[XM_OLD_GONE]	   = T(FREE, NOTHING),
		[XM_DONE]	   = T(FREE, HIBERNATE),
		[XM_ABORT]	   = T(FREE, NOTHING),
	},
	[XM_CLAIMED] = {
		[XM_NEW_DOMAIN]	   = T(OFFERED, OFFER),
		[XM_ABORT]	   = T(FREE, NOTHING),
	},
	[XM_OFFERED] = {
		[XM_NEW_GONE]	   = T(CLAIMED, NOTHING),
		[XM_DONE]	   = T(FREE, RESUME),
		[XM_ABORT]	   = T(FREE, CYCLE),
	},
	[XM_MOVING] = {
		[XM_NEW_DOMAIN]	   = T(TWO, OFFER),
		[XM_OLD_GONE]	   = T(FREE, NOTHING),
		[XM_ABORT]	   = T(FREE, NOTHING),
	},
	[XM_TWO] = {
		[XM_OLD_GONE]	   = T(LEFT_TWO, NOTHING),
		[XM_NEW_GONE]	   = T(MOVING, NOTHING),
		[XM_DONE]	   = T(TWO, AGAIN),
		/* the one that has it goes on; the other one never did */
		[XM_ABORT]	   = T(FREE, NOTHING),
	},
	[XM_LEFT_TWO] = {
		[XM_NEW_GONE]	   = T(FREE, NOTHING),
		[XM_DONE]	   = T(FREE, SWITCH),
		[XM_ABORT]	   = T(FREE, CYCLE),
	},
};
#undef T
/* clang-format on */

struct xm_step
xm_step(enum xm_state s, enum xm_event e)
{
	struct xm_step st;

	assert((unsigned int)s < XM_NSTATES && (unsigned int)e < XM_NEVENTS);
	st = table[s][e];
	if (st.act == XM_REFUSE)
		st.next = s;
	return st;
}

const char *
xm_state_name(enum xm_state s)
{
	static const char *const names[XM_NSTATES] = { "free", "being saved",
		"being restored", "being restored", "moving", "moving",
		"moving" };

	assert((unsigned int)s < XM_NSTATES);
	return names[s];
}
