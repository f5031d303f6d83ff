/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guests.h - the guests that have a worker or should have one.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUESTS_H
#define VTPM_MANAGER_GUEST_GUESTS_H

#include "vtpm_manager/core/context.h"
#include "vtpm_manager/guest/guest_fsm.h"

struct guest_run;

/* A room above that serves a channel (xen/). */
struct guest_observer {
	/* Is the guest connected over that channel? */
	bool (*connected)(struct mgr *m, const uint8_t uuid[UUID_LEN]);
	/* g's new worker is up: connect it to what its predecessor served. */
	void (*up)(struct guest_run *g);
	/* Its worker has let go of its guest's former page. */
	void (*page_wanted)(struct guest_run *g);
};

/* Sets m->guests, and m->storage_changed, which tells every worker. */
int guests_new(struct mgr *m) VT_CHECK;
void guests_free(struct mgr *m); /* after guest_free_all(); workers live on */
/* o is static; NULL: none. */
void guests_observe(struct mgr *m, const struct guest_observer *o);
/* NULL: it is stopped, or there is none. */
struct guest_run *guest_live(struct mgr *m, const uint8_t uuid[UUID_LEN]);
/* Log and audit the vTPMs whose stored state was changed, at a start: a
 * stopped one would be silent until somebody starts it. */
void guests_note_tampered(struct mgr *m);
unsigned int guests_tampered(struct mgr *m);
unsigned int guest_count(struct mgr *m, enum guest_state s);

#endif
