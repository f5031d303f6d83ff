/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ringpeek.h - for tests that break the rules of a ring: its page, its bell,
 * and whether a command is in flight.
 */
#ifndef TESTS_UNIT_RINGPEEK_H
#define TESTS_UNIT_RINGPEEK_H

#include "tpmfront/ring_impl.h"
#include "tpmfront/ring_local.h"

static inline union tpmif_view *
ring_view(struct ring *r)
{
	return r->view;
}

static inline void
ring_notify(struct ring *r)
{
	r->ops->notify(r);
}

static inline bool
ring_pending(const struct ring *r)
{
	return r->pending;
}

#endif
