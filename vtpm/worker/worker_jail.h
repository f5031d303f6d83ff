/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_jail.h - the system calls and resources of a worker, for base/jail.h.
 *
 * Layer:  vtpm.
 * No open, no socket, no connect, no execve, no fork, no ptrace, no signal
 * to another process, no executable memory.
 */
#ifndef VTPM_WORKER_WORKER_JAIL_H
#define VTPM_WORKER_WORKER_JAIL_H

#include "base/jail.h"

extern const struct jail_spec worker_jail;
/* The same for a worker with Xen's devices open: ioctl(2) on them. */
extern const struct jail_spec worker_jail_xen;

#endif
