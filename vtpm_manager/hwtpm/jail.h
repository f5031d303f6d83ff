/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jail.h - drops vtpm-hwtpm's privileges before it reads its first request.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 * It keeps the file system's root, because a TPM that vanished is reopened,
 * but Landlock leaves it that one device; for a device it makes no socket
 * calls.  Started by root it takes a uid of its own and the device's group, or
 * the uid that alone may use the TPM.
 * Known TCTIs (tpmfront, device, swtpm, mssim) are loaded first.  An unknown
 * one may need anything: it gets neither a uid of its own nor Landlock nor a
 * system-call filter, and the log reports it.
 */
#ifndef VTPM_MANAGER_HWTPM_JAIL_H
#define VTPM_MANAGER_HWTPM_JAIL_H

#include <stdint.h>

#include "base/err.h"

/* conf: the TCTI.  own: a uid of this process alone; UINT32_MAX: keep the
 * present one.  keep: the descriptor that stays open.  Afterwards signals
 * have their defaults.  On failure *ret_step names the step, and the process
 * must exit. */
int hwjail_enter(
    const char *conf, uint32_t own, int keep, const char **ret_step) VT_CHECK;

#endif
