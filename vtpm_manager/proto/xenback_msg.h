/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenback_msg.h - what the manager and xenback, the one process that talks to
 * xenstore, say to each other.
 *
 * Layer:  vtpm_manager.
 * Bytes:  base/msg.h frames over a socket pair; fields in order, big-endian,
 *         text be16 + bytes; xenback_msg.c.
 * Law 6:  domid comes from the path that the toolstack made, uuid from the
 *         backend's folder that no guest can write.
 */
#ifndef VTPM_MANAGER_PROTO_XENBACK_MSG_H
#define VTPM_MANAGER_PROTO_XENBACK_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"

enum xb_type {
	XB_READY = 1,   /* xb->m: no payload; xenstore is watched */
	XB_DEVICE,      /* xb->m: struct xb_dev; may it be served? */
	XB_CONNECT,     /* xb->m: struct xb_dev; its front half is there */
	XB_DISCONNECT,  /* xb->m: struct xb_dev; front half closed; no answer */
	XB_GONE,        /* xb->m: struct xb_dev; device is gone; no answer */
	XB_ANSWER = 64, /* m->xb: struct xb_answer, id of the request */
};

struct xb_dev {
	uint32_t domid, devid;
	uint8_t uuid[UUID_LEN];
	uint32_t gref, port; /* XB_CONNECT only, else 0 */
	uint8_t resumed;     /* it was connected before xenback started */
};
struct xb_answer {
	int32_t rc;   /* VT_OK or VT_E_* */
	uint8_t wait; /* to XB_DEVICE: whether it is served is not decided */
	char text[TEXT_MAX_LEN + 1];
};

/* As in vtpm/proto/worker_msg.h: decoders return VT_OK, VT_E_TRUNC,
 * VT_E_FORMAT. */
void xb_dev_put(struct wr *w, const struct xb_dev *m);
int xb_dev_get(const uint8_t *p, size_t len, struct xb_dev *ret) VT_CHECK;
void xb_answer_put(struct wr *w, const struct xb_answer *m);
int xb_answer_get(const uint8_t *p, size_t len, struct xb_answer *ret) VT_CHECK;

#endif
