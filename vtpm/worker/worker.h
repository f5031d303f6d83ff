/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker.h - one guest's TPM as a process.
 *
 * Layer:  vtpm.
 * vtpm/proto/worker_msg.h lists the messages that it takes and sends.
 */
#ifndef VTPM_WORKER_WORKER_H
#define VTPM_WORKER_WORKER_H

#include <stdint.h>

#include "base/jail.h"
#include "vtpm/proto/worker_msg.h"

struct xen_module;

struct worker_cfg {
	uint8_t uuid[UUID_LEN];       /* for W_HELLO until W_LOAD names it */
	uint32_t uid, gid;            /* JAIL_KEEP_ID: keep the present ids */
	const struct jail *jail;      /* borrowed; NULL: none (tests) */
	const struct xen_module *xen; /* NULL: no Xen here */
	unsigned int hold_ms;         /* how long a command waits for the store
					 before it is refused; 0: 10 s */
};

/*
 * Enters the jail and serves until W_STOP.  ctl: connected to the manager;
 * listen_fd: where a restarted manager connects.  Both are owned from now on.
 * The caller has called eng_init().  Never returns.
 */
_Noreturn void worker_run(int ctl, int listen_fd, const struct worker_cfg *cfg);

#endif
