/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/back_fsm.h"

#include <assert.h>

/* clang-format off */
#define T(s, a)	{ BK_##s, BA_##a }

/*
 * A cell that is not listed reads {0, BA_VIOLATION}: what the protocol does
 * not allow closes this attachment, and no other.
 */
static const struct bk_step table[BK_NSTATES][BE_NEVENTS] = {
	[BK_INIT_WAIT] = {
		[BE_FE_READY]	 = T(IDLE, MAP),
		[BE_FE_GONE]	 = T(CLOSED, CLOSE),
		[BE_WORKER_GONE] = T(CLOSED, CLOSE),
	},
	[BK_IDLE] = {
		[BE_FE_READY]	 = T(IDLE, NONE),	/* repeated watch */
		[BE_FE_GONE]	 = T(CLOSED, UNMAP),
		[BE_SUBMIT]	 = T(BUSY, DISPATCH),
		[BE_CANCEL]	 = T(IDLE, SET_IDLE),	/* nothing to stop */
		[BE_GARBAGE]	 = T(IDLE, SET_IDLE),
		[BE_WORKER_GONE] = T(CLOSED, UNMAP),
	},
	[BK_BUSY] = {
		[BE_FE_READY]	 = T(BUSY, NONE),
		[BE_FE_GONE]	 = T(DRAINING, UNMAP),
		[BE_SUBMIT]	 = T(BUSY, NONE),	/* spurious notify */
		[BE_CANCEL]	 = T(CANCELING, ABORT),
		[BE_GARBAGE]	 = T(BUSY, NONE),	/* FINISH repairs it */
		[BE_REPLY]	 = T(IDLE, FINISH),
		[BE_WORKER_GONE] = T(CLOSED, UNMAP),
	},
	[BK_CANCELING] = {
		[BE_FE_READY]	 = T(CANCELING, NONE),
		[BE_FE_GONE]	 = T(DRAINING, UNMAP),
		[BE_SUBMIT]	 = T(CANCELING, NONE),	/* too early */
		[BE_CANCEL]	 = T(CANCELING, NONE),
		[BE_GARBAGE]	 = T(CANCELING, NONE),
		[BE_REPLY]	 = T(IDLE, FINISH),	/* it ran: return its answer */
		[BE_WORKER_GONE] = T(CLOSED, UNMAP),
	},
	[BK_DRAINING] = {
		[BE_FE_READY]	 = T(DRAINING, NONE),	/* too early */
		[BE_FE_GONE]	 = T(DRAINING, NONE),
		[BE_REPLY]	 = T(CLOSED, CLOSE),
		[BE_WORKER_GONE] = T(CLOSED, CLOSE),
	},
	[BK_CLOSED] = {
		[BE_FE_GONE]	 = T(CLOSED, NONE),
		[BE_WORKER_GONE] = T(CLOSED, NONE),
	},
};
#undef T
/* clang-format on */

bool
bk_in_flight(enum bk_state s)
{
	return s == BK_BUSY || s == BK_CANCELING || s == BK_DRAINING;
}

struct bk_step
bk_step(enum bk_state s, enum bk_event e)
{
	struct bk_step st;

	assert(s < BK_NSTATES && e < BE_NEVENTS);
	st = table[s][e];
	if (st.act == BA_VIOLATION)
		st.next = bk_in_flight(s) ? BK_DRAINING : BK_CLOSED;
	return st;
}

const char *
bk_state_name(enum bk_state s)
{
	static const char *const names[BK_NSTATES] = { "INIT_WAIT", "IDLE",
		"BUSY", "CANCELING", "DRAINING", "CLOSED" };

	return s < BK_NSTATES ? names[s] : "?";
}
