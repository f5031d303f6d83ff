/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_fsm.h - the power life of one vTPM: what the host showed, what the
 * guest sent, and what the TPM's PCRs stand for.
 *
 * Layer:  vtpm; pure: no I/O, no logging.
 * Spec:   TPM 2.0 Library, Part 1, 12.2 (TPM reset, restart, resume);
 *         law 4: PCRs are reset by a power cycle that the host saw, and by
 *         nothing else.
 *
 * The state says whether the TPM is on, who starts it, what was in its PCRs
 * before the guest's first command (nothing, a measured launch, the cap after
 * a crash), and whether anything ran since an orderly TPM2_Shutdown or a
 * snapshot.  Two kinds of events change it: what the hypervisor or the
 * manager showed, and what the guest sent.  The third kind reports how the
 * worker's own action ended.
 *
 * CMD_INIT alone does not tell a reset of the machine from its wake-up from
 * suspend (S3).  The first one of a hypervisor process is a cold boot.  Each
 * later one leaves the PCRs undecided (UNSURE) until the guest's first
 * command; then the worker looks at what the hypervisor's monitor said since
 * (machine_events.h) and raises SAW_*:
 *
 *	SAW_RESET	a power cycle: PCRs and launch start over
 *	SAW_WAKEUP	WAKING: only Startup(STATE) continues; any other Startup
 *			caps every PCR.  A wake-up never measures a launch.
 *	SAW_NOTHING	the monitor is watched and silent: as SAW_WAKEUP
 *	SAW_UNWATCHED	no monitor: the guest's first Startup decides, and a
 *			Startup(CLEAR) is recorded as the guest's word.
 *			Firmware runs before the guest and sends
 *			Startup(STATE) upon a wake-up.
 *
 *	OFF --INIT--> WAIT --Startup--> PLAIN --POWER_OFF--> OFF
 *	OFF --INIT_LAUNCH--> LAUNCHING --> DUE --Startup--> LAUNCHED
 *	OFF --LOAD_CRASHED--> CAPPING --> CAPPED
 *	PLAIN --TPM2_Shutdown--> PLAIN_DOWN --any command--> PLAIN
 *	PLAIN --snapshot--> PLAIN_SAVED --any command--> PLAIN
 *	PLAIN --Shutdown(STATE)--> PLAIN_ASLEEP --any command--> PLAIN_DROWSY
 *	PLAIN_ASLEEP --POWER_OFF--> OFF --INIT_AGAIN--> UNSURE
 *	UNSURE --SAW_RESET--> WAIT, or LAUNCHING
 *	UNSURE --SAW_WAKEUP--> WAKING --Startup(STATE)--> PLAIN
 *	WAKING --any other Startup--> CAPPING --> CAPPED
 */
#ifndef VTPM_WORKER_POWER_FSM_H
#define VTPM_WORKER_POWER_FSM_H

#include <stdbool.h>

enum power_state {
	PS_EMPTY,  /* no TPM yet */
	PS_MADE,   /* a TPM without an identity (pool) */
	PS_BROKEN, /* must not run again; every command fails */

	/* Off.  Until the next power cycle, reports tell of the last one. */
	PS_OFF,
	PS_OFF_LAUNCHED,
	PS_OFF_CAPPED,

	/* On, no Startup yet. */
	PS_WAIT,  /* the firmware's Startup is awaited */
	PS_AUTO,  /* the first command that is no Startup starts it */
	PS_ARMED, /* the launch is measured before the first command */

	/* On again, no Startup yet; the suffix says what the PCRs stood for. */
	PS_UNSURE, /* reset or wake-up: not known yet */
	PS_UNSURE_LAUNCHED,
	PS_UNSURE_CAPPED,
	PS_WAKING, /* no reset was seen */
	PS_WAKING_LAUNCHED,
	PS_WAKING_CAPPED,

	/* The host is busy with the PCRs; no command comes here. */
	PS_LAUNCHING,
	PS_CAPPING,

	/* Started.  _DOWN: nothing ran since TPM2_Shutdown(CLEAR); _SAVED:
	 * since a snapshot; _ASLEEP: since TPM2_Shutdown(STATE); _DROWSY:
	 * something ran since that. */
	PS_PLAIN, /* no launch was measured */
	PS_PLAIN_DOWN,
	PS_PLAIN_SAVED,
	PS_PLAIN_ASLEEP,
	PS_PLAIN_DROWSY,
	PS_DUE, /* launch measured; the firmware's Startup is to come */
	PS_DUE_DOWN,
	PS_DUE_SAVED,
	PS_DUE_ASLEEP,
	PS_DUE_DROWSY,
	PS_LAUNCHED, /* launch measured; the firmware has had its Startup */
	PS_LAUNCHED_DOWN,
	PS_LAUNCHED_SAVED,
	PS_LAUNCHED_ASLEEP,
	PS_LAUNCHED_DROWSY,
	PS_CAPPED, /* every PCR was capped after a crash */
	PS_CAPPED_DOWN,
	PS_CAPPED_SAVED,
	PS_CAPPED_ASLEEP,
	PS_CAPPED_DROWSY,
	PS_NSTATES
};

enum power_event {
	/* What the manager showed. */
	PE_MADE,         /* provisioned: a TPM without an identity */
	PE_BECAME,       /* identity and permanent state are in */
	PE_LOAD,         /* the vTPM starts in this worker */
	PE_LOAD_LAUNCH,  /* the same, with a launch to measure */
	PE_LOAD_CRASHED, /* the worker before this one died */
	PE_RESET,        /* the manager ordered a power cycle */
	PE_RESET_LAUNCH,

	/* What the hypervisor showed. */
	PE_INIT, /* the first CMD_INIT of a hypervisor: a cold boot */
	PE_INIT_LAUNCH,
	PE_INIT_AGAIN, /* a later one: reset or wake-up */
	PE_SAW_RESET,  /* what its monitor said since */
	PE_SAW_RESET_LAUNCH,
	PE_SAW_WAKEUP,
	PE_SAW_NOTHING,
	PE_SAW_UNWATCHED, /* it has no monitor for us */
	PE_POWER_OFF,     /* CMD_STOP, CMD_SHUTDOWN; precedes INIT and RESET */
	PE_SNAPSHOT,      /* it fetched the volatile state */
	PE_RESUMED,       /* it brought a state back: not started yet */
	PE_RESUMED_PLAIN,
	PE_RESUMED_LAUNCHED,
	PE_RESUMED_CAPPED,
	PE_RESUMED_WAKING, /* ... while no reset was seen */
	PE_RESUMED_WAKING_LAUNCHED,
	PE_RESUMED_WAKING_CAPPED,
	PE_LOST, /* it brought a state back that could not be resumed */
	PE_HASH, /* it asks for a hash sequence (H-CRTM, D-RTM) */

	/* What the guest sent: before it runs ... */
	PE_ASK_STARTUP_CLEAR, /* exactly TPM2_Startup(CLEAR) */
	PE_ASK_STARTUP_STATE, /* Startup(STATE), TPM_Startup(ST_STATE) */
	PE_ASK_STARTUP,       /* any other Startup */
	PE_ASK_PCR_RESET,
	PE_ASK, /* any other command */
	/* ... and after it ran. */
	PE_STARTUP_CLEAR,   /* Startup(CLEAR) succeeded, whoever sent it */
	PE_STARTUP_STATE,   /* Startup of another type succeeded */
	PE_SHUT_DOWN,       /* Shutdown(CLEAR) succeeded */
	PE_SHUT_DOWN_STATE, /* Shutdown(STATE) or SaveState succeeded */
	PE_RAN,             /* anything else, or it failed */

	/* How the worker's own action ended. */
	PE_POWERED,
	PE_LAUNCHED,
	PE_CAPPED,
	PE_FAILED,
	PE_BREAK, /* this TPM must not run again */
	PE_NEVENTS
};

enum power_action {
	PA_VIOLATION, /* not possible here: refuse, change nothing */
	PA_NONE,
	PA_POWER_ON,   /* a power cycle; ends in POWERED or FAILED */
	PA_WAKE,       /* power on; whether it is a cycle comes later */
	PA_ANEW,       /* it was one; ends in POWERED or FAILED */
	PA_UNSEEN,     /* the guest says so: noted; POWERED or FAILED */
	PA_START,      /* Startup(CLEAR); then the command is asked for again */
	PA_LAUNCH,     /* start, measure the launch; LAUNCHED or FAILED */
	PA_CAP,        /* start, cap every PCR; CAPPED or FAILED */
	PA_CAP_WAKING, /* the same, after a wake-up without saved state */
	PA_SHUT_DOWN,  /* TPM2_Shutdown(CLEAR), then as PA_CUT */
	PA_SAVE,       /* TPM2_Shutdown(STATE), then as PA_CUT */
	PA_CUT,        /* power off as it is */
	PA_RUN,        /* the command, or the hash sequence, goes to the TPM */
	PA_ACCEPT,     /* answer success: the host has done it already */
	PA_REFUSE,     /* answer TPM_RC_LOCALITY; a hash sequence: TPM_FAIL */
	PA_FAIL,       /* answer TPM_RC_FAILURE */
	PA_NACTIONS
};

struct power_step {
	enum power_state next;
	enum power_action act;
};

/* What event e does in state s; total: PA_VIOLATION keeps the state. */
struct power_step power_step(enum power_state s, enum power_event e);

bool power_has_identity(enum power_state s); /* and is not broken */
bool power_is_on(enum power_state s);
bool power_is_started(enum power_state s);
/* Of the present power cycle, or of the last one while it is off. */
bool power_is_launched(enum power_state s);
bool power_is_unsure(enum power_state s);
/* No Startup yet, and no reset that the host saw. */
bool power_is_waking(enum power_state s);
bool power_is_capped(enum power_state s);
/* Started, and not at rest after TPM2_Shutdown or a snapshot: a command of the
 * worker's own changes nothing that the state stands for. */
bool power_takes_ours(enum power_state s);

/* "PLAIN", "INIT" and so on, for logs and tests; never NULL. */
const char *power_state_name(enum power_state s);
const char *power_event_name(enum power_event e);

#endif
