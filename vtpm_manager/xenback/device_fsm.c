/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/xenback/device_fsm.h"

#include <assert.h>
#include <stdbool.h>

struct cell {
	bool set;
	struct xb_step st;
};

/* clang-format off */
#define T(s, a)	{ true, { XS_##s, XA_##a } }

static const struct cell table[XS_NSTATES][XE_NEVENTS] = {
	[XS_ASKING] = {
		[XE_ALLOWED]	= T(WAITING, OFFER),
		[XE_DENIED]	= T(REFUSED, REFUSE),
		[XE_UNPLUG]	= T(GONE, END),
		[XE_VANISHED]	= T(GONE, END),
	},
	[XS_REFUSED] = {
		[XE_UNPLUG]	= T(GONE, END),
		[XE_VANISHED]	= T(GONE, END),
	},
	[XS_WAITING] = {
		[XE_READY]	= T(CONNECTING, CONNECT),
		[XE_CHANGED]	= T(CONNECTING, CONNECT),
		[XE_UNPLUG]	= T(GONE, END),
		[XE_VANISHED]	= T(GONE, END),
	},
	[XS_CONNECTING] = {
		[XE_MAPPED]	= T(CONNECTED, ANNOUNCE),
		[XE_UNMAPPABLE]	= T(CLOSING, LET_GO),
		[XE_CHANGED]	= T(CONNECTING, RECONNECT),
		[XE_CLOSING]	= T(CLOSING, LET_GO),
		[XE_CLOSED]	= T(WAITING, HANG_UP),
		[XE_UNPLUG]	= T(GONE, END),
		[XE_VANISHED]	= T(GONE, END),
	},
	[XS_CONNECTED] = {
		[XE_CHANGED]	= T(CONNECTING, RECONNECT),
		[XE_CLOSING]	= T(CLOSING, LET_GO),
		[XE_CLOSED]	= T(WAITING, HANG_UP),
		[XE_UNPLUG]	= T(GONE, END),
		[XE_VANISHED]	= T(GONE, END),
	},
	[XS_CLOSING] = {
		[XE_CHANGED]	= T(CONNECTING, CONNECT),
		[XE_CLOSED]	= T(WAITING, REOPEN),
		[XE_UNPLUG]	= T(GONE, END),
		[XE_VANISHED]	= T(GONE, END),
	},
};
#undef T
/* clang-format on */

struct xb_step
xb_step(enum xb_state s, enum xb_event e)
{
	struct xb_step stay = { s, XA_NONE };

	assert(s < XS_NSTATES && e < XE_NEVENTS);
	return table[s][e].set ? table[s][e].st : stay;
}

const char *
xb_state_name(enum xb_state s)
{
	static const char *const names[XS_NSTATES] = { "asking", "refused",
		"waiting", "connecting", "connected", "closing", "gone" };

	return names[s];
}
