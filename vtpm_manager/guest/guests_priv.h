/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guests_priv.h - the object of guest/ in the context, for its own files.
 *
 * Layer:  vtpm_manager/guest; private.
 */
#ifndef VTPM_MANAGER_GUEST_GUESTS_PRIV_H
#define VTPM_MANAGER_GUEST_GUESTS_PRIV_H

#include <sys/queue.h>

#include "vtpm_manager/guest/guests.h"

struct akcerts;
struct guest_run;
struct guest_stats;
struct wlink;

struct guests {
	LIST_HEAD(, guest_run) list;
	LIST_HEAD(, wlink) links; /* every open one, the software root's too */
	uint64_t link_serial;
	bool keep_status;  /* guest_keep_status() was called */
	uint32_t next_uid; /* of a worker without a slot in the registry */
	struct akcerts *akcerts;
	struct guest_stats *stats;
	const struct guest_observer *observer; /* NULL: none */
};

#endif
