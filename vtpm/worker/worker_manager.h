/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_manager.h - the connection to the manager and its requests.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_MANAGER_H
#define VTPM_WORKER_WORKER_MANAGER_H

struct worker;

/* The newest connection counts; fd is owned from now on. */
void wk_manager_connected(struct worker *w, int fd);
/* The connection is readable, or can take more. */
void wk_manager_read(struct worker *w);

/*
 * SIGTERM: the TPM is shut down in order, and the worker ends once that is
 * stored; at once without a manager that can store it.
 */
void wk_terminate(struct worker *w);
/* No manager can find it again: the same, at once. */
void wk_orphaned(struct worker *w);

#endif
