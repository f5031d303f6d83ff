/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay.h - what swtpm does while it runs: clients of its sockets reach the
 * worker of one vTPM.
 *
 * Layer:  tools.
 * With a data socket there is one connection to the worker, as there is one TPM
 * behind all clients; without one each control connection has its own.
 */
#ifndef TOOLS_SWTPM_RELAY_H
#define TOOLS_SWTPM_RELAY_H

#include <stdbool.h>

#include "base/err.h"

struct relay_args {
	const char *worker;   /* path of its socket */
	int control, data;    /* listening sockets; -1: none */
	int client, reader;   /* connected ones, of both kinds; -1: none */
	int signals;          /* signalfd: anything there ends it */
	bool end_with_data;   /* --terminate */
	bool end_with_client; /* --ctrl ...,terminate */
	bool once;            /* --server ...,disconnect */
	const char *startup;  /* NULL: no startup command */
	bool tpm12;
};

/* Open what the worker must know first: VT_OK or an error after a message. */
struct relay;
int relay_new(const struct relay_args *a, struct relay **ret) VT_CHECK;
/* Until it ends: VT_OK as asked, VT_E_STATE: the worker has gone. */
int relay_run(struct relay *r) VT_CHECK;
void relay_free(struct relay *r); /* NULL is a no-op */

#endif
