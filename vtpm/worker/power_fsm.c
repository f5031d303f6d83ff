/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_fsm.c - the table of a vTPM's power life.
 */
#include "vtpm/worker/power_fsm.h"

#include <assert.h>

/* clang-format off */
#define T(s, a)	{ PS_##s, PA_##a }

/* Every ASK of the guest has the same answer. */
#define ASKS(s, a)				\
	[PE_ASK]		= T(s, a),	\
	[PE_ASK_PCR_RESET]	= T(s, a),	\
	[PE_ASK_STARTUP]	= T(s, a),	\
	[PE_ASK_STARTUP_STATE]	= T(s, a),	\
	[PE_ASK_STARTUP_CLEAR]	= T(s, a)

/* The hypervisor brought a state back. */
#define RESUMES(launched)					\
	[PE_RESUMED]		= T(WAIT, NONE),		\
	[PE_RESUMED_PLAIN]	= T(PLAIN, NONE),		\
	[PE_RESUMED_LAUNCHED]	= T(launched, NONE),		\
	[PE_RESUMED_CAPPED]	= T(CAPPED, NONE),		\
	[PE_RESUMED_WAKING]	= T(WAKING, NONE),		\
	[PE_RESUMED_WAKING_LAUNCHED] = T(WAKING_LAUNCHED, NONE),	\
	[PE_RESUMED_WAKING_CAPPED] = T(WAKING_CAPPED, NONE)

/* Off: the next power cycle says who starts the TPM. */
#define OFF_ROW(s, hash, again)					\
	[PS_##s] = {						\
		[PE_LOAD]	  = T(AUTO, POWER_ON),		\
		[PE_LOAD_LAUNCH]  = T(ARMED, POWER_ON),		\
		[PE_LOAD_CRASHED] = T(CAPPING, POWER_ON),	\
		[PE_RESET]	  = T(AUTO, POWER_ON),		\
		[PE_RESET_LAUNCH] = T(ARMED, POWER_ON),		\
		[PE_INIT]	  = T(WAIT, POWER_ON),		\
		[PE_INIT_LAUNCH]  = T(LAUNCHING, POWER_ON),	\
		[PE_INIT_AGAIN]	  = T(again, WAKE),		\
		[PE_POWER_OFF]	  = T(s, NONE),			\
		[PE_HASH]	  = T(s, hash),			\
		[PE_LOST]	  = T(s, CUT),			\
		[PE_BREAK]	  = T(BROKEN, CUT),		\
		RESUMES(LAUNCHED),				\
		ASKS(s, FAIL),					\
	}

/*
 * On again after a power off.  off: back to it, with what the PCRs stand for;
 * waking: the same state once no reset was seen.  Whatever the guest does
 * here, its PCRs neither start anew nor measure a launch.
 */
#define AGAIN_ROW(s, off, waking)					\
		[PE_POWER_OFF]		= T(off, CUT),			\
		[PE_SNAPSHOT]		= T(s, NONE),			\
		[PE_HASH]		= T(s, REFUSE),			\
		[PE_LOST]		= T(off, CUT),			\
		[PE_SHUT_DOWN]		= T(s, NONE),			\
		[PE_SHUT_DOWN_STATE]	= T(s, NONE),			\
		[PE_RAN]		= T(s, NONE),			\
		[PE_POWERED]		= T(s, NONE),			\
		[PE_FAILED]		= T(off, CUT),			\
		[PE_BREAK]		= T(BROKEN, CUT),		\
		[PE_ASK]		= T(s, RUN),			\
		[PE_ASK_PCR_RESET]	= T(s, RUN),			\
		[PE_ASK_STARTUP_STATE]	= T(waking, RUN),		\
		/* after a state that was saved here came back */	\
		[PE_INIT]		= T(s, NONE),			\
		[PE_INIT_LAUNCH]	= T(s, NONE),			\
		[PE_RESET]		= T(s, NONE),			\
		[PE_RESET_LAUNCH]	= T(s, NONE),			\
		RESUMES(LAUNCHED)

#define UNSURE_ROW(s, off, waking)					\
	[PS_##s] = {							\
		[PE_SAW_RESET]		= T(WAIT, ANEW),		\
		[PE_SAW_RESET_LAUNCH]	= T(LAUNCHING, ANEW),		\
		[PE_SAW_WAKEUP]		= T(waking, NONE),		\
		[PE_SAW_NOTHING]	= T(waking, NONE),		\
		[PE_SAW_UNWATCHED]	= T(s, NONE),			\
		[PE_ASK_STARTUP]	= T(WAIT, UNSEEN),		\
		[PE_ASK_STARTUP_CLEAR]	= T(WAIT, UNSEEN),		\
		AGAIN_ROW(s, off, waking),				\
	}

#define WAKING_ROW(s, off, on)						\
	[PS_##s] = {							\
		[PE_ASK_STARTUP]	= T(CAPPING, CAP_WAKING),	\
		[PE_ASK_STARTUP_CLEAR]	= T(CAPPING, CAP_WAKING),	\
		[PE_STARTUP_STATE]	= T(on, NONE),			\
		AGAIN_ROW(s, off, s),					\
	}

/*
 * One row of a started TPM.  on: the state while commands run; ran: after a
 * command; saved: after a snapshot; off: the one after POWER_OFF; launched:
 * what a launched state resumes into; due: the state once the firmware had
 * its Startup.
 */
#define STARTED_ROW(s, on, ran, saved, off, how, launched, due, clear,	\
    reset, hash)							\
	[PS_##s] = {							\
		[PE_POWER_OFF]		= T(off, how),			\
		[PE_SNAPSHOT]		= T(saved, NONE),		\
		[PE_HASH]		= T(s, hash),			\
		[PE_LOST]		= T(off, CUT),			\
		[PE_ASK]		= T(s, RUN),			\
		[PE_ASK_PCR_RESET]	= T(s, reset),			\
		[PE_ASK_STARTUP]	= T(due, RUN),			\
		[PE_ASK_STARTUP_STATE]	= T(due, RUN),			\
		[PE_ASK_STARTUP_CLEAR]	= T(due, clear),		\
		[PE_STARTUP_CLEAR]	= T(on, NONE),			\
		[PE_STARTUP_STATE]	= T(on, NONE),			\
		[PE_SHUT_DOWN]		= T(on##_DOWN, NONE),		\
		[PE_SHUT_DOWN_STATE]	= T(on##_ASLEEP, NONE),		\
		[PE_RAN]		= T(ran, NONE),			\
		[PE_BREAK]		= T(BROKEN, CUT),		\
		RESUMES(launched),					\
	}

/*
 * The rows of a started TPM.  Power is cut without TPM2_Shutdown after an
 * orderly one of the guest's, and after a snapshot: its state must still be
 * the newest one when it resumes.  What Shutdown(STATE) saved survives later
 * commands of the guest: Linux was seen to send one.
 */
#define STARTED_ROWS(s, off, launched, due, clear, reset, hash)		\
	STARTED_ROW(s, s, s, s##_SAVED, off, SHUT_DOWN, launched, due,	\
	    clear, reset, hash),					\
	STARTED_ROW(s##_DOWN, s, s, s##_SAVED, off, CUT, launched,	\
	    due##_DOWN, clear, reset, hash),				\
	STARTED_ROW(s##_SAVED, s, s, s##_SAVED, off, CUT, launched,	\
	    due##_SAVED, clear, reset, hash),				\
	STARTED_ROW(s##_ASLEEP, s, s##_DROWSY, s##_ASLEEP, off, CUT,	\
	    launched, due##_ASLEEP, clear, reset, hash),		\
	STARTED_ROW(s##_DROWSY, s, s##_DROWSY, s##_SAVED, off, SAVE,	\
	    launched, due##_DROWSY, clear, reset, hash)

/*
 * A cell that is not listed reads {0, PA_VIOLATION}: it cannot happen, and
 * changes nothing.
 */
static const struct power_step table[PS_NSTATES][PE_NEVENTS] = {
	[PS_EMPTY] = {
		[PE_MADE]	= T(MADE, NONE),
		[PE_BECAME]	= T(OFF, NONE),
		[PE_POWER_OFF]	= T(EMPTY, NONE),
		[PE_BREAK]	= T(BROKEN, CUT),
		ASKS(EMPTY, FAIL),
	},
	[PS_MADE] = {
		[PE_BECAME]	= T(OFF, NONE),
		[PE_POWER_OFF]	= T(MADE, NONE),
		[PE_BREAK]	= T(BROKEN, CUT),
		ASKS(MADE, FAIL),
	},
	[PS_BROKEN] = {
		[PE_POWER_OFF]	= T(BROKEN, NONE),
		[PE_HASH]	= T(BROKEN, REFUSE),
		[PE_LOST]	= T(BROKEN, NONE),
		[PE_FAILED]	= T(BROKEN, NONE),
		[PE_BREAK]	= T(BROKEN, NONE),
		ASKS(BROKEN, FAIL),
	},

	OFF_ROW(OFF, RUN, UNSURE),
	OFF_ROW(OFF_LAUNCHED, REFUSE, UNSURE_LAUNCHED),
	OFF_ROW(OFF_CAPPED, REFUSE, UNSURE_CAPPED),

	UNSURE_ROW(UNSURE, OFF, WAKING),
	UNSURE_ROW(UNSURE_LAUNCHED, OFF_LAUNCHED, WAKING_LAUNCHED),
	UNSURE_ROW(UNSURE_CAPPED, OFF_CAPPED, WAKING_CAPPED),
	WAKING_ROW(WAKING, OFF, PLAIN),
	WAKING_ROW(WAKING_LAUNCHED, OFF_LAUNCHED, LAUNCHED),
	WAKING_ROW(WAKING_CAPPED, OFF_CAPPED, CAPPED),

	[PS_WAIT] = {
		/* a state was resumed that had not been started */
		[PE_RESET]	   = T(AUTO, NONE),
		[PE_RESET_LAUNCH]  = T(ARMED, NONE),
		[PE_INIT]	   = T(WAIT, NONE),
		[PE_INIT_LAUNCH]   = T(LAUNCHING, LAUNCH),
		[PE_POWER_OFF]	   = T(OFF, CUT),
		[PE_SNAPSHOT]	   = T(WAIT, NONE),
		[PE_HASH]	   = T(WAIT, RUN),
		[PE_LOST]	   = T(OFF, CUT),
		[PE_STARTUP_CLEAR] = T(PLAIN, NONE),
		[PE_STARTUP_STATE] = T(PLAIN, NONE),
		[PE_SHUT_DOWN]	   = T(WAIT, NONE),
		[PE_SHUT_DOWN_STATE] = T(WAIT, NONE),
		[PE_RAN]	   = T(WAIT, NONE),
		[PE_POWERED]	   = T(WAIT, NONE),
		[PE_FAILED]	   = T(OFF, CUT),
		[PE_BREAK]	   = T(BROKEN, CUT),
		RESUMES(LAUNCHED),
		ASKS(WAIT, RUN),
	},
	[PS_AUTO] = {
		[PE_POWER_OFF]	       = T(OFF, CUT),
		[PE_SNAPSHOT]	       = T(AUTO, NONE),
		[PE_HASH]	       = T(AUTO, RUN),
		[PE_LOST]	       = T(OFF, CUT),
		[PE_ASK]	       = T(WAIT, START),
		[PE_ASK_PCR_RESET]     = T(WAIT, START),
		[PE_ASK_STARTUP]       = T(AUTO, RUN),
		[PE_ASK_STARTUP_STATE] = T(AUTO, RUN),
		[PE_ASK_STARTUP_CLEAR] = T(AUTO, RUN),
		[PE_STARTUP_CLEAR]     = T(PLAIN, NONE),
		[PE_STARTUP_STATE]     = T(PLAIN, NONE),
		[PE_SHUT_DOWN]	       = T(AUTO, NONE),
		[PE_SHUT_DOWN_STATE]   = T(AUTO, NONE),
		[PE_RAN]	       = T(AUTO, NONE),
		[PE_POWERED]	       = T(AUTO, NONE),
		[PE_FAILED]	       = T(OFF, CUT),
		[PE_BREAK]	       = T(BROKEN, CUT),
		RESUMES(LAUNCHED),
	},
	[PS_ARMED] = {
		[PE_POWER_OFF]	= T(OFF, CUT),
		[PE_SNAPSHOT]	= T(ARMED, NONE),
		[PE_HASH]	= T(ARMED, RUN),
		[PE_LOST]	= T(OFF, CUT),
		[PE_POWERED]	= T(ARMED, NONE),
		[PE_FAILED]	= T(OFF, CUT),
		[PE_BREAK]	= T(BROKEN, CUT),
		RESUMES(LAUNCHED),
		ASKS(LAUNCHING, LAUNCH),
	},
	[PS_LAUNCHING] = {
		[PE_STARTUP_CLEAR] = T(LAUNCHING, NONE),
		[PE_POWERED]	   = T(LAUNCHING, LAUNCH),
		[PE_LAUNCHED]	   = T(DUE, NONE),
		/* a launch that was not measured must not run as one */
		[PE_FAILED]	   = T(OFF, CUT),
		[PE_BREAK]	   = T(BROKEN, CUT),
	},
	[PS_CAPPING] = {
		[PE_STARTUP_CLEAR] = T(CAPPING, NONE),
		[PE_POWERED]	   = T(CAPPING, CAP),
		[PE_CAPPED]	   = T(CAPPED, NONE),
		[PE_FAILED]	   = T(OFF, CUT),
		[PE_BREAK]	   = T(BROKEN, CUT),
	},

	STARTED_ROWS(PLAIN, OFF, LAUNCHED, PLAIN, RUN, RUN, RUN),
	/*
	 * The firmware's Startup(CLEAR) after a launch that the host measured
	 * is done already, and that is no failure: OVMF takes
	 * TPM_RC_INITIALIZE for success too, SeaBIOS would disable the owner's
	 * and the endorsement hierarchy.  Once per power cycle, and it changes
	 * nothing.
	 */
	STARTED_ROWS(DUE, OFF_LAUNCHED, DUE, LAUNCHED, ACCEPT, RUN, REFUSE),
	STARTED_ROWS(LAUNCHED, OFF_LAUNCHED, LAUNCHED, LAUNCHED, RUN, RUN,
	    REFUSE),
	/* While every PCR is capped none may return to a known value. */
	STARTED_ROWS(CAPPED, OFF_CAPPED, LAUNCHED, CAPPED, RUN, REFUSE,
	    REFUSE),
};
#undef T
/* clang-format on */

struct power_step
power_step(enum power_state s, enum power_event e)
{
	struct power_step st;

	assert(s < PS_NSTATES && e < PE_NEVENTS);
	st = table[s][e];
	if (st.act == PA_VIOLATION)
		st.next = s;
	return st;
}

bool
power_has_identity(enum power_state s)
{
	return s >= PS_OFF;
}

bool
power_is_on(enum power_state s)
{
	return s >= PS_WAIT;
}

bool
power_is_started(enum power_state s)
{
	return s >= PS_LAUNCHING;
}

bool
power_is_launched(enum power_state s)
{
	return s == PS_OFF_LAUNCHED || s == PS_UNSURE_LAUNCHED ||
	       s == PS_WAKING_LAUNCHED ||
	       (s >= PS_DUE && s <= PS_LAUNCHED_DROWSY);
}

bool
power_is_capped(enum power_state s)
{
	return s == PS_OFF_CAPPED || s == PS_UNSURE_CAPPED ||
	       s == PS_WAKING_CAPPED || s >= PS_CAPPED;
}

bool
power_takes_ours(enum power_state s)
{
	return s == PS_PLAIN || s == PS_PLAIN_DROWSY || s == PS_DUE ||
	       s == PS_DUE_DROWSY || s == PS_LAUNCHED ||
	       s == PS_LAUNCHED_DROWSY || s == PS_CAPPED ||
	       s == PS_CAPPED_DROWSY;
}

bool
power_is_unsure(enum power_state s)
{
	return s >= PS_UNSURE && s <= PS_UNSURE_CAPPED;
}

bool
power_is_waking(enum power_state s)
{
	return s >= PS_UNSURE && s <= PS_WAKING_CAPPED;
}

const char *
power_state_name(enum power_state s)
{
	/* clang-format off */
	static const char *const names[PS_NSTATES] = {
		"EMPTY", "MADE", "BROKEN", "OFF", "OFF_LAUNCHED", "OFF_CAPPED",
		"WAIT", "AUTO", "ARMED",
		"UNSURE", "UNSURE_LAUNCHED", "UNSURE_CAPPED",
		"WAKING", "WAKING_LAUNCHED", "WAKING_CAPPED",
		"LAUNCHING", "CAPPING",
		"PLAIN", "PLAIN_DOWN", "PLAIN_SAVED", "PLAIN_ASLEEP",
		"PLAIN_DROWSY",
		"DUE", "DUE_DOWN", "DUE_SAVED", "DUE_ASLEEP", "DUE_DROWSY",
		"LAUNCHED", "LAUNCHED_DOWN", "LAUNCHED_SAVED",
		"LAUNCHED_ASLEEP", "LAUNCHED_DROWSY",
		"CAPPED", "CAPPED_DOWN", "CAPPED_SAVED", "CAPPED_ASLEEP",
		"CAPPED_DROWSY",
	};
	/* clang-format on */

	return s < PS_NSTATES ? names[s] : "?";
}

const char *
power_event_name(enum power_event e)
{
	/* clang-format off */
	static const char *const names[PE_NEVENTS] = {
		"MADE", "BECAME", "LOAD", "LOAD_LAUNCH", "LOAD_CRASHED",
		"RESET", "RESET_LAUNCH", "INIT", "INIT_LAUNCH", "INIT_AGAIN",
		"SAW_RESET", "SAW_RESET_LAUNCH", "SAW_WAKEUP", "SAW_NOTHING",
		"SAW_UNWATCHED", "POWER_OFF", "SNAPSHOT", "RESUMED",
		"RESUMED_PLAIN", "RESUMED_LAUNCHED", "RESUMED_CAPPED",
		"RESUMED_WAKING", "RESUMED_WAKING_LAUNCHED",
		"RESUMED_WAKING_CAPPED", "LOST", "HASH", "ASK_STARTUP_CLEAR",
		"ASK_STARTUP_STATE", "ASK_STARTUP", "ASK_PCR_RESET", "ASK",
		"STARTUP_CLEAR", "STARTUP_STATE", "SHUT_DOWN",
		"SHUT_DOWN_STATE", "RAN", "POWERED", "LAUNCHED", "CAPPED",
		"FAILED", "BREAK",
	};
	/* clang-format on */

	return e < PE_NEVENTS ? names[e] : "?";
}
