/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring_xen.h - the ring of this Xen guest's vtpm device.
 *
 * Layer:  tpmfront.
 */
#ifndef TPMFRONT_RING_XEN_H
#define TPMFRONT_RING_XEN_H

#include "tpmfront/ring.h"

/*
 * The ring of this Xen domain's vtpm device; takes it, but does not wait for
 * its page: ring_ready() does.  *ret belongs to the
 * caller; ring_close() frees it.  On failure why is set:
 * VT_E_UNSUPPORTED (this build or machine has no module for Xen), VT_E_BUSY,
 * VT_E_SYS, VT_E_NOMEM.
 */
int ring_xen_connect(
    uint32_t devid, struct ring **ret, char why[RING_WHY_MAX]) VT_CHECK;
/* Load that module now, for who cannot open files later.  VT_E_UNSUPPORTED and
 * why. */
int ring_xen_load(char why[RING_WHY_MAX]) VT_CHECK;

#endif
