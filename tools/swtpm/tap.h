/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tap.h - which requests pass by in the stream of a control connection.
 *
 * Layer:  tools.  No I/O.
 * Spec:   swtpm_ioctls(3); tpmback/swtpm/wire.h decodes.
 * Trust:  a hypervisor's bytes; the worker behind checks them, the tap only
 *         notes that the hypervisor powers its TPM off, or passed a data
 *         connection.
 */
#ifndef TOOLS_SWTPM_TAP_H
#define TOOLS_SWTPM_TAP_H

#include <stddef.h>
#include <stdint.h>

#include "tpmback/swtpm/wire.h"

struct tap {
	uint8_t head[SWTPM_HEAD_MAX];
	size_t have;
	uint64_t skip; /* bytes of the body that are still to come */
	uint32_t op;   /* whose body that is */
	unsigned int pad;
};

/* One segment: bit n of the answer: request n ended in it. */
uint32_t tap_feed(struct tap *t, const uint8_t *p, size_t len);

#endif
