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

/* If the kernel's driver has device devid: it releases the device, its
 * /dev/tpmN goes. false when it has it and keeps it; said why. */
bool frontd_driver_take(uint32_t devid);
/* Readable when the kernel's drivers bind or release a device: then
 * frontd_driver_take again.  -1: not available. */
int frontd_driver_watch(void) VT_CHECK;
/* Discard the pending notices. */
void frontd_driver_drain(int fd);

#endif
