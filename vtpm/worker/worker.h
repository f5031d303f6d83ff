/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker.h - one guest's TPM as a process.
 *
 * Layer:  vtpm.
 * See vtpm/proto/worker_msg.h for what it is told and DESIGN's laws 1-4, 6,
 * 7, 9.
 */
#ifndef VTPM_WORKER_WORKER_H
#define VTPM_WORKER_WORKER_H

#include <stdint.h>

#include "base/jail.h"
#include "vtpm/proto/worker_msg.h"

struct xen_hv;
struct xen_module;

struct worker_cfg {
	uint8_t uuid[UUID_LEN];       /* for W_HELLO until W_LOAD names it */
	uint32_t uid, gid;            /* JAIL_KEEP_ID: stay who you are */
	const struct jail *jail;      /* borrowed; NULL: none (tests) */
	const struct xen_module *xen; /* NULL: no Xen here */
	struct xen_hv *xen_hv;        /* its devices, open; the channel owns
					 them once it is made */
	unsigned int hold_ms;         /* how long a command waits for the store
					 before it is refused; 0: 10 s */
};

/*
 * Enter the jail, then serve until told to stop.  ctl: connected to the
 * manager; listen_fd: where a restarted manager connects.  Both are owned
 * from now on.  eng_init() has been called.  Never returns.
 */
_Noreturn void worker_run(int ctl, int listen_fd, const struct worker_cfg *cfg);

#endif
