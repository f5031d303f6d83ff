/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bridge_ring.h - a bridge's TPM behind a ring.
 *
 * Layer:  tpmfront.
 */
#ifndef TPMFRONT_FRONTD_BRIDGE_RING_H
#define TPMFRONT_FRONTD_BRIDGE_RING_H

#include "tpmfront/frontd/bridge.h"

/* arg: a struct ring *.  */
extern const struct bridge_tpm bridge_ring;

#endif
