/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenback_msg.h - messages between the manager and vtpm-xenback, the only
 * process that talks to xenstore.
 *
 * Layer:  vtpm_manager.
 * Bytes:  base/msg.h frames over a socket pair; base/msg_fields.h encodes and
 *         decodes payloads by the tables in xenback_msg.c, which
 *         doc/FORMATS.md prints.
 * Law 6:  domid comes from the path that the toolstack made, uuid from the
 *         backend's folder, which no guest can write.
 */
#ifndef VTPM_MANAGER_PROTO_XENBACK_MSG_H
#define VTPM_MANAGER_PROTO_XENBACK_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/msg_fields.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"

enum xb_type {
	XB_READY = 1,   /* xb->m: no payload; it watches xenstore */
	XB_DEVICE,      /* xb->m: struct xb_dev; may it be served? */
	XB_CONNECT,     /* xb->m: struct xb_dev; its front half appeared */
	XB_DISCONNECT,  /* xb->m: struct xb_dev; front half closed; no answer */
	XB_GONE,        /* xb->m: struct xb_dev; device is gone; no answer */
	XB_OPENED,      /* xb->m: struct xb_opened + 2 fds as W_PAGE has them */
	XB_ANSWER = 64, /* m->xb: struct xb_answer, id of the request */
	XB_OPEN,        /* m->xb: struct xb_dev; open page and port of the front
			   half that XB_CONNECT named -> XB_OPENED */
};

struct xb_dev {
	uint32_t domid, devid;
	uint8_t uuid[UUID_LEN];
	uint32_t gref, port; /* XB_CONNECT and XB_OPEN only, else 0 */
	uint8_t resumed;     /* it was connected before xenback started */
};
struct xb_answer {
	int32_t rc;   /* VT_OK or VT_E_* */
	uint8_t wait; /* to XB_DEVICE: 1: do not mark it as served yet */
	char text[TEXT_MAX_LEN + 1];
};
struct xb_opened {
	int32_t rc;     /* VT_OK or VT_E_*, without descriptors */
	uint32_t local; /* this host's end of the port */
	char text[TEXT_MAX_LEN + 1];
};

/* For msg_put() and msg_get(). */
extern const struct msg_table xb_dev_msg;
extern const struct msg_table xb_answer_msg;
extern const struct msg_table xb_opened_msg;

#endif
