/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jail.h - what vtpm-hwtpm gives up before it reads its first request.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 * It keeps the file system's root, because a TPM that went away is opened
 * again, but Landlock leaves it one device and nothing else; started by
 * root it takes that device's group, since without capabilities root's word
 * no longer counts.  Known TCTIs (tpmfront, device, swtpm, mssim) are loaded
 * before the door closes.  Another one may need anything: then there is no
 * Landlock and no system-call filter, and the log says so.
 */
#ifndef VTPM_MANAGER_HWTPM_JAIL_H
#define VTPM_MANAGER_HWTPM_JAIL_H

#include "base/err.h"

/* conf: the TCTI.  keep: the descriptor that stays open.  Signals are at
 * their defaults afterwards.  On failure *ret_step names the step; exit. */
int hwjail_enter(const char *conf, int keep, const char **ret_step) VT_CHECK;

#endif
