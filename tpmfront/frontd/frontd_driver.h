/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frontd_driver.h - takes the device from the kernel's own driver.
 *
 * Layer:  tpmfront, in tpmfrontd only.
 */
#ifndef TPMFRONT_FRONTD_FRONTD_DRIVER_H
#define TPMFRONT_FRONTD_FRONTD_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* If the kernel's driver has device devid: it lets it go, its /dev/tpmN goes.
 * false when it has it and keeps it; said why. */
bool frontd_driver_take(uint32_t devid);
/* Readable when the kernel's drivers found or lost something: then
 * frontd_driver_take again.  -1 when that cannot be told. */
int frontd_driver_watch(void) VT_CHECK;
/* What was told is done with. */
void frontd_driver_drain(int fd);

#endif
