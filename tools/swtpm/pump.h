/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pump.h - bytes, and descriptors, between a client and the worker.
 *
 * Layer:  tools.
 * Trust:  neither side's bytes are looked at, but by the tap; of several
 *         descriptors that a client passes at once one goes on, the others are
 *         closed.
 * Limits: PUMP_BUF bytes in each direction: a side that does not read stops the
 *         other one.
 */
#ifndef TOOLS_SWTPM_PUMP_H
#define TOOLS_SWTPM_PUMP_H

#include <poll.h>
#include <stdbool.h>

#include "tools/swtpm/tap.h"

#define PUMP_BUF 65536

struct pump {
	int client, worker; /* -1: none */
	bool control;       /* requests pass: feed the tap */
	bool keep;          /* the worker's end outlives its clients */
	bool once;          /* a client is closed after an answer */
	struct half {
		uint8_t *buf; /* heap, PUMP_BUF */
		size_t len, off;
		int passed; /* goes with the first byte; -1 */
	} up, down;
	struct tap tap;
	bool waiting;  /* the worker owes an answer */
	bool has_data; /* the client passed a data connection */
	bool off;      /* the client powered its TPM off, for good */
};

/* worker passes to the pump.  VT_E_NOMEM. */
int pump_init(struct pump *p, int worker, bool control) VT_CHECK;
void pump_free(struct pump *p);
/* A new client, which passes to the pump. */
void pump_attach(struct pump *p, int client);
/* Whether it has no client, and nothing of the last one is in the way. */
bool pump_idle(const struct pump *p);

/* Two rows for poll(2), for pump_move() after it. */
void pump_poll(const struct pump *p, struct pollfd f[2]);
/*
 * VT_OK; VT_E_CLOSED: the client has gone, and is closed; VT_E_STATE: the
 * worker has gone.
 */
int pump_move(struct pump *p, const struct pollfd f[2]) VT_CHECK;

#endif
