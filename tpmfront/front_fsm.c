/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmfront/front_fsm.h"

#include <assert.h>
#include <stdbool.h>

struct cell {
	bool set;
	struct front_step st;
};

/* clang-format off */
#define T(s, a)	{ true, { FS_##s, FA_##a } }

static const struct cell table[FS_NSTATES][FE_NEVENTS] = {
	[FS_AWAY] = {
		[FE_BACK_WAITS]	  = T(OFFERED, OFFER),
		[FE_BACK_UP]	  = T(CLEARING, CLOSE),
		[FE_BACK_CLOSING] = T(AWAY, WITHDRAW),	/* it waits for our 6 */
		[FE_LEAVE]	  = T(LEFT, NONE),
	},
	[FS_CLEARING] = {
		[FE_NO_DEVICE]	  = T(AWAY, DROP),
		[FE_TAKEN]	  = T(AWAY, DROP),
		[FE_REMADE]	  = T(AWAY, DROP),
		[FE_BACK_NONE]	  = T(AWAY, WITHDRAW),
		[FE_BACK_WAITS]	  = T(OFFERED, OFFER),
		[FE_BACK_CLOSING] = T(AWAY, WITHDRAW),
		[FE_BACK_CLOSED]  = T(AWAY, WITHDRAW),
		[FE_LEAVE]	  = T(LEAVING, NONE),
	},
	[FS_OFFERED] = {
		[FE_NO_DEVICE]	  = T(AWAY, DROP),
		[FE_TAKEN]	  = T(AWAY, DROP),
		[FE_REMADE]	  = T(AWAY, DROP),
		[FE_BACK_NONE]	  = T(AWAY, WITHDRAW),
		[FE_BACK_UP]	  = T(UP, USE),
		[FE_BACK_OLD]	  = T(CLEARING, CLOSE),
		[FE_BACK_CLOSING] = T(AWAY, WITHDRAW),
		[FE_BACK_CLOSED]  = T(AWAY, WITHDRAW),
		[FE_FAILED]	  = T(AWAY, WITHDRAW),
		[FE_LEAVE]	  = T(LEAVING, CLOSE),
	},
	[FS_UP] = {
		[FE_NO_DEVICE]	  = T(AWAY, DROP),
		[FE_TAKEN]	  = T(AWAY, DROP),
		[FE_REMADE]	  = T(AWAY, DROP),
		[FE_BACK_NONE]	  = T(AWAY, WITHDRAW),
		[FE_BACK_WAITS]	  = T(AWAY, WITHDRAW),	/* it lost us */
		[FE_BACK_CLOSING] = T(AWAY, WITHDRAW),
		[FE_BACK_CLOSED]  = T(AWAY, WITHDRAW),
		[FE_FAILED]	  = T(AWAY, WITHDRAW),
		[FE_LEAVE]	  = T(LEAVING, CLOSE),
	},
	[FS_LEAVING] = {
		[FE_NO_DEVICE]	  = T(LEFT, DROP),
		[FE_TAKEN]	  = T(LEFT, DROP),
		[FE_REMADE]	  = T(LEFT, DROP),
		[FE_BACK_NONE]	  = T(PARTING, WITHDRAW),
		[FE_BACK_WAITS]	  = T(PARTING, WITHDRAW),
		[FE_BACK_CLOSING] = T(PARTING, WITHDRAW),
		[FE_BACK_CLOSED]  = T(PARTING, WITHDRAW),
		[FE_FAILED]	  = T(LEFT, WITHDRAW),	/* waited enough */
	},
	[FS_PARTING] = {
		[FE_NO_DEVICE]	  = T(LEFT, NONE),
		[FE_TAKEN]	  = T(LEFT, NONE),
		[FE_REMADE]	  = T(LEFT, NONE),
		[FE_BACK_NONE]	  = T(LEFT, RESET),
		[FE_BACK_WAITS]	  = T(LEFT, RESET),
		[FE_BACK_CLOSED]  = T(LEFT, RESET),
		[FE_FAILED]	  = T(LEFT, NONE),
	},
};
#undef T
/* clang-format on */

struct front_step
front_step(enum front_state s, enum front_event e)
{
	struct front_step stay = { s, FA_NONE };

	assert(s < FS_NSTATES && e < FE_NEVENTS);
	return table[s][e].set ? table[s][e].st : stay;
}

const char *
front_state_name(enum front_state s)
{
	static const char *const names[FS_NSTATES] = { "away", "clearing",
		"offered", "up", "leaving", "parting", "left" };

	return s < FS_NSTATES ? names[s] : "?";
}
