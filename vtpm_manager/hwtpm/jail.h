/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jail.h - drops vtpm-hwtpm's privileges before it reads its first request.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 * It keeps the file system's root, because a TPM that vanished is reopened,
 * but Landlock leaves it that one device.  Started by root it takes the
 * device's group, since root without capabilities passes no permission checks.
 * Known TCTIs (tpmfront, device, swtpm, mssim) are loaded first.  An unknown
 * one may need anything: it gets neither Landlock nor a system-call filter,
 * and the log reports it.
 */
#ifndef VTPM_MANAGER_HWTPM_JAIL_H
#define VTPM_MANAGER_HWTPM_JAIL_H

#include "base/err.h"

/* conf: the TCTI.  keep: the descriptor that stays open.  Afterwards signals
 * have their defaults.  On failure *ret_step names the step, and the process
 * must exit. */
int hwjail_enter(const char *conf, int keep, const char **ret_step) VT_CHECK;

#endif
