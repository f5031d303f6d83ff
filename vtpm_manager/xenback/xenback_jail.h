/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenback_jail.h - drops vtpm-xenback's privileges before it reads its first
 * word of a guest's.
 *
 * Layer:  vtpm_manager, in vtpm-xenback only.
 * It keeps root's uid, because Xen's devices belong to root, but no capability;
 * of the file system gntdev and evtchn alone (Landlock; a kernel without it
 * leaves what root may open); of ioctl(2) the three requests of front_open.c.
 * The connection to xenstore is open already; the thread that libxenstore
 * starts for its first watch is not, or it would stay outside.
 */
#ifndef VTPM_MANAGER_XENBACK_XENBACK_JAIL_H
#define VTPM_MANAGER_XENBACK_XENBACK_JAIL_H

#include "base/err.h"

/* Descriptors stay open.  On failure *ret_step names the step, and the process
 * must exit. */
int xenback_jail(const char **ret_step) VT_CHECK;

#endif
