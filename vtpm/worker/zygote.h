/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zygote.h - the process that forks workers.
 *
 * Layer:  vtpm.
 * It loads libtpms and OpenSSL, runs their self tests once on a throw-away
 * TPM, compiles the jail, and forks: a worker starts with all of that done
 * and shared.  It reads the manager's messages, never a guest's bytes, and
 * keeps no TPM.
 *
 * Law 9.  A child shares its parent's random state with its siblings, so it
 * first re-seeds OpenSSL from getrandom(2); libtpms instantiates its own
 * generator at each power on, after the fork, and the worker stirs it with
 * fresh bytes after each start (vtpm/engine/tpm_command.h).
 */
#ifndef VTPM_WORKER_ZYGOTE_H
#define VTPM_WORKER_ZYGOTE_H

#include "base/err.h"

/*
 * Warms up and serves the manager on fd (owned) until it closes, then returns
 * VT_OK; workers continue.  VT_E_TPM, VT_E_NOMEM, VT_E_SYS.
 */
int zygote_run(int fd) VT_CHECK;

#endif
