/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring_impl.h - what a kind of ring (local, Xen) implements.
 *
 * Layer:  tpmfront; for the files of rings and their tests only.
 * The page and what is in it are ring.c's business; how it came here, how
 * the other side is notified and how one learns that it is gone are the
 * kind's.  A kind embeds struct ring as its first member.
 */
#ifndef TPMFRONT_RING_IMPL_H
#define TPMFRONT_RING_IMPL_H

#include "tpmback/spin.h"
#include "tpmfront/ring.h"

struct ring_ops {
	void (*notify)(struct ring *r);
	void (*hush)(struct ring *r); /* the bell rang: take it; not blocking */
	/*
	 * Something happened on conn_fd.  VT_OK: the page is as good as
	 * before; VT_E_CLOSED: it is gone, and r->view with it.
	 */
	int (*attend)(struct ring *r);
	/* NULL: a page that is gone stays gone.  Else: have one, waiting up
	 * to timeout_ms.  VT_E_TIMEOUT, VT_E_SYS, VT_E_PROTO. */
	int (*ready)(struct ring *r, int timeout_ms);
	const char *(*why)(const struct ring *r); /* NULL: nothing to say */
	void (*close)(struct ring *r);            /* frees r */
};

struct ring {
	const struct ring_ops *ops;
	union tpmif_view *view; /* NULL: no page just now */
	/* Hints that save notifications (tpmback/local.h); NULL: none. */
	uint32_t *back_awake, *front_awake;
	int bell_fd, conn_fd; /* the kind's; -1 */
	short conn_events;    /* of poll(2) */
	uint8_t localities;
	unsigned int generation; /* pages so far */
	int epoll_fd;
	bool pending; /* submitted, answer not taken */
	bool tpm12;   /* what was submitted is a TPM 1.2 command */
	bool polled;  /* the caller sleeps on ring_fd(): never "awake" */
	struct spin spin;
	uint64_t sent_us;
	uint8_t resp[TPMIF_MAX_CMD];
};

/* r is zeroed memory of the kind's; descriptors are set to -1. */
void ring_init(struct ring *r, const struct ring_ops *ops);
/* A page (again), and its bell. */
void ring_have(struct ring *r, union tpmif_view *view, int bell_fd);
/* It is gone; the bell's descriptor may be closed now. */
void ring_lost(struct ring *r);
/* Release what the kind embeds. */
void ring_done(struct ring *r);

#endif
