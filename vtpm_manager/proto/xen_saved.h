/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_saved.h - what the store keeps of a vTPM whose Xen domain was saved:
 * which image it belongs to, and its sealed volatile state (SX_VOLATILE).
 *
 * Layer:  vtpm_manager; no I/O, no logging.
 * Bytes:  big-endian; doc/FORMATS.md.
 * Trust:  the store's tree vouches for it; decoded strictly all the same.
 */
#ifndef VTPM_MANAGER_PROTO_XEN_SAVED_H
#define VTPM_MANAGER_PROTO_XEN_SAVED_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "vtpm/proto/worker_msg.h"

#define XEN_NAME_MAX 127 /* of a domain, bytes */

struct xensaved {
	uint8_t image[SHA256_LEN];     /* SHA-256 of the image */
	char domain[XEN_NAME_MAX + 1]; /* its name; printable ASCII */
	uint8_t launched;              /* 1: its launch was measured */
	uint64_t time_ms;              /* wall clock */
	struct wblob state;            /* sealed, kind SEAL_VOLATILE */
};

/* May this be a domain's name here? */
bool xen_name_ok(const char *name);
void xen_saved_put(struct wr *w, const struct xensaved *m);
/* state is borrowed from p.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE. */
int xen_saved_get(const uint8_t *p, size_t len, struct xensaved *ret) VT_CHECK;

#endif
