/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * back_core.h - one attachment: page in, commands out, over any transport.
 *
 * Layer:  tpmback; no system calls, no logging.  The local channel and Xen's
 *         stand on it and bring the few operations of struct back_ops.
 * Spec:   Xen public/io/tpmif.h; tpmback/page.h; states in back_fsm.h.
 * Trust:  the guest may change the page at any time.  The header is fetched
 *         once, as one word, and the payload copied once; the copy is checked,
 *         and the page is not read again.
 * Promises: whatever the page holds, after back_look() and the answer its
 *         state is IDLE or FINISH; only a command of 10..TPMIF_MAX_CMD bytes
 *         whose own size field agrees, at a locality that was granted, is
 *         submitted; one at a time.
 */
#ifndef TPMBACK_BACK_CORE_H
#define TPMBACK_BACK_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tpmback/back_fsm.h"
#include "tpmback/chan.h"
#include "tpmback/page.h"

/* The operations of the transport.  arg is back.arg. */
struct back_ops {
	/* cmd is borrowed until it returns; back_reply() may come before or
	 * after */
	void (*submit)(
	    void *arg, uint8_t locality, const uint8_t *cmd, size_t len);
	void (*cancel)(void *arg);
	/* The page's state has changed: notify the front half. */
	void (*notify)(void *arg);
	/* The page is no longer used: unmap it, hang up. */
	void (*unmap)(void *arg);
	/* CLOSED is reached: back_open() may be called again. */
	void (*closed)(void *arg);
	/* At most once per attachment. */
	void (*violation)(void *arg, const char *text);
};

struct back {
	enum bk_state state;
	union tpmif_view *view; /* borrowed while attached, else NULL */
	uint8_t localities;     /* bit n: locality n is granted */
	bool tpm12;             /* errors are those of a TPM 1.2 */
	bool warned;
	bool failing; /* the page holds a dead predecessor's command */
	const struct back_ops *ops; /* borrowed */
	void *arg;
	uint8_t locality;   /* of the command in hand */
	const uint8_t *ans; /* for BA_FINISH */
	size_t ans_len;
	uint8_t cmd[TPMIF_MAX_CMD];
};

void back_init(struct back *b, uint8_t localities, bool tpm12,
    const struct back_ops *ops, void *arg);
/* A front half has attached; view is borrowed until ops->unmap. */
void back_open(struct back *b, union tpmif_view *view);
/* It has detached.  The TPM keeps its state. */
void back_gone(struct back *b);
/* The back half is shutting down. */
void back_stop(struct back *b);
/* Look at the page; true if a command was found, submitted or refused. */
bool back_look(struct back *b);
/* Whether back_look() would act on the page. */
bool back_waiting(const struct back *b);
/* The page says CANCEL; any thread. */
bool back_cancel_seen(const struct back *b);
/* Answer the command in flight.  resp is borrowed. */
void back_reply(struct back *b, const uint8_t *resp, size_t len);
/* After back_open() of a page whose back half died: answer the command in
 * flight with a failure. */
void back_fail_pending(struct back *b);

#endif
