/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frontd_keep.h - the process that holds the device.
 *
 * Layer:  tpmfront, in tpmfrontd only.
 */
#ifndef TPMFRONT_FRONTD_FRONTD_KEEP_H
#define TPMFRONT_FRONTD_FRONTD_KEEP_H

#include "tpmfront/frontd/frontd.h"

/* The keeper's; an exit status. */
int frontd_keep(const struct frontd *o);

#endif
