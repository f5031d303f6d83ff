/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * power_names.h - for tests of power_fsm.h: kinds of states and events, told
 * apart by their names alone.
 */
#ifndef TESTS_POWER_NAMES_H
#define TESTS_POWER_NAMES_H

#include <stdbool.h>
#include <string.h>

#include "vtpm/worker/power_fsm.h"

#define POWER_UNUSED __attribute__((unused))
#define EACH(s, e)                                        \
	for (enum power_state s = 0; s < PS_NSTATES; s++) \
		for (enum power_event e = 0; e < PE_NEVENTS; e++)

/* What the PCRs stand for, told apart here by name alone. */
static POWER_UNUSED bool
named(enum power_state s, const char *prefix)
{
	const char *n = power_state_name(s);

	return strncmp(n, prefix, strlen(prefix)) == 0;
}

static POWER_UNUSED bool
is_capped(enum power_state s)
{
	return named(s, "CAPPED");
}

static POWER_UNUSED bool
is_measured(enum power_state s)
{
	return named(s, "DUE") || named(s, "LAUNCHED");
}

static POWER_UNUSED bool
is_started(enum power_state s)
{
	return named(s, "PLAIN") || is_measured(s) || is_capped(s);
}

static POWER_UNUSED bool
is_busy(enum power_state s)
{
	return s == PS_LAUNCHING || s == PS_CAPPING;
}

static POWER_UNUSED bool
is_unstarted(enum power_state s)
{
	return s == PS_WAIT || s == PS_AUTO || s == PS_ARMED ||
	       named(s, "UNSURE") || named(s, "WAKING");
}

/* On again, and the host has not seen that it was a power cycle. */
static POWER_UNUSED bool
is_waking(enum power_state s)
{
	return named(s, "UNSURE") || named(s, "WAKING");
}

static POWER_UNUSED bool
ends(enum power_state s, const char *suffix)
{
	const char *n = power_state_name(s);
	size_t len = strlen(n), k = strlen(suffix);

	return len >= k && strcmp(n + len - k, suffix) == 0;
}

static POWER_UNUSED bool
is_drowsy(enum power_state s)
{
	return ends(s, "_DROWSY");
}

static POWER_UNUSED bool
is_off(enum power_state s)
{
	return named(s, "OFF");
}

static POWER_UNUSED bool
is_on(enum power_state s)
{
	return is_started(s) || is_busy(s) || is_unstarted(s);
}

/* Nothing ran since an orderly shutdown or a snapshot. */
static POWER_UNUSED bool
is_at_rest(enum power_state s)
{
	return ends(s, "_DOWN") || ends(s, "_SAVED") || ends(s, "_ASLEEP");
}

static POWER_UNUSED bool
is_ask(enum power_event e)
{
	return e == PE_ASK || e == PE_ASK_PCR_RESET || e == PE_ASK_STARTUP ||
	       e == PE_ASK_STARTUP_CLEAR || e == PE_ASK_STARTUP_STATE;
}

/* What a guest can bring about alone. */
static POWER_UNUSED bool
is_guests(enum power_event e)
{
	return is_ask(e) || e == PE_STARTUP_CLEAR || e == PE_STARTUP_STATE ||
	       e == PE_SHUT_DOWN || e == PE_SHUT_DOWN_STATE || e == PE_RAN;
}

static POWER_UNUSED bool
is_resume(enum power_event e)
{
	return e == PE_RESUMED || e == PE_RESUMED_PLAIN ||
	       e == PE_RESUMED_LAUNCHED || e == PE_RESUMED_CAPPED ||
	       e == PE_RESUMED_WAKING || e == PE_RESUMED_WAKING_LAUNCHED ||
	       e == PE_RESUMED_WAKING_CAPPED;
}

/* A power cycle that the host saw. */
static POWER_UNUSED bool
is_cycle(enum power_event e)
{
	return e == PE_LOAD || e == PE_LOAD_LAUNCH || e == PE_LOAD_CRASHED ||
	       e == PE_RESET || e == PE_RESET_LAUNCH || e == PE_INIT ||
	       e == PE_INIT_LAUNCH;
}

static POWER_UNUSED bool
brings_launch(enum power_event e)
{
	return e == PE_LOAD_LAUNCH || e == PE_RESET_LAUNCH ||
	       e == PE_INIT_LAUNCH || e == PE_SAW_RESET_LAUNCH;
}

#endif
