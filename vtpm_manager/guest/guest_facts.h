/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_facts.h - what a guest changed of its vTPM's identity.
 *
 * Layer:  vtpm_manager/guest.
 * Trust:  the worker says it; it concerns that guest alone.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_FACTS_H
#define VTPM_MANAGER_GUEST_GUEST_FACTS_H

struct wfacts;

/* arg: struct guest_run.  Keeps what differs from what is kept (SX_CERTS),
 * audits it, and has a new AK certified. */
void guest_on_facts(void *arg, const struct wfacts *f);

#endif
