/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zygote.h - the process that forks workers.
 *
 * Layer:  vtpm.
 * It loads libtpms and OpenSSL, runs their self tests once on a throw-away
 * TPM, compiles the jail, and forks: a worker starts with all of that done
 * and shared.  It reads only the manager's messages, never a guest's bytes,
 * and keeps no TPM.
 *
 * Law 9.  What a child has from its parent it shares with its siblings: so
 * before anything else it re-seeds OpenSSL from getrandom(2); libtpms' own
 * generator is instantiated anew at each power on, after the fork, and
 * stirred with fresh bytes after each start (vtpm/engine/tpm_command.h).
 */
#ifndef VTPM_WORKER_ZYGOTE_H
#define VTPM_WORKER_ZYGOTE_H

#include "base/err.h"

/*
 * Warm up and serve the manager on fd (owned) until it closes; workers go
 * on.  Returns VT_OK then.  VT_E_TPM, VT_E_NOMEM, VT_E_SYS.
 */
int zygote_run(int fd) VT_CHECK;

#endif
