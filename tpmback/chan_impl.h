/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chan_impl.h - what a kind of channel implements behind tpmback/chan.h.
 *
 * Layer:  tpmback; private to it.
 * A channel embeds struct chan as its first member; chan.c calls through
 * ops.  Contracts are those of the chan_*() function of the same name.
 */
#ifndef TPMBACK_CHAN_IMPL_H
#define TPMBACK_CHAN_IMPL_H

#include "tpmback/chan.h"

struct chan_ops {
	int (*adopt)(struct chan *ch, const int *fds, unsigned int nfds);
	/* NULL: it has no listener */
	int (*listen)(struct chan *ch, int fd);
	void (*free)(struct chan *ch);
	void (*reply)(struct chan *ch, const uint8_t *resp, size_t len);
	int (*pollfds)(struct chan *ch, struct pollfd *p);
	void (*dispatch)(struct chan *ch, const struct pollfd *p, int n);
	bool (*spin)(struct chan *ch);            /* NULL: never anything */
	unsigned int (*spin_us)(struct chan *ch); /* NULL: 0 */
	void (*watch)(struct chan *ch, int stop_fd, int timeout_ms);
};

struct chan {
	const struct chan_ops *ops;
	const struct chan_host *host; /* borrowed for the channel's life */
	void *host_arg;
};

#endif
