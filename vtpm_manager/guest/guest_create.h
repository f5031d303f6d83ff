/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_create.h - a new vTPM.
 *
 * Layer:  vtpm_manager/guest.
 * Law 2:  this and soft_root.c are the only places that make an identity.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_CREATE_H
#define VTPM_MANAGER_GUEST_GUEST_CREATE_H

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"

struct guest_spec {
	char name[NAME_MAX_LEN + 1];
	bool has_uuid;
	uint8_t uuid[UUID_LEN];
	uint8_t tpm_version, banks;
	uint8_t srk; /* WSRK_* */
	uint32_t group;
	uint32_t owner; /* as in struct guest */
};
struct guest_created {
	uint8_t uuid[UUID_LEN];
	uint64_t us;    /* from the call to durable */
	bool from_pool; /* no manufacture on the way */
};
typedef void (*create_cb)(
    void *arg, int rc, const char *text, const struct guest_created *c);
int guest_create(struct mgr *m, const struct guest_spec *spec, const char *who,
    create_cb cb, void *arg, char *text) VT_CHECK;

#endif
