/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * registry.h - the store's guests in memory, by slot, name and UUID.
 *
 * Layer:  vtpm_manager/store; only the store's own files include it.  No I/O.
 */
#ifndef VTPM_MANAGER_STORE_REGISTRY_H
#define VTPM_MANAGER_STORE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"
#include "vtpm_manager/store/store_ops.h"

struct entry {
	struct store_row row;
	bool frozen; /* marked by store_freeze() only */
};

struct registry {
	struct entry **by_slot; /* nslots, NULL where there is none */
	uint32_t nslots;
	struct entry **by_name, **by_uuid; /* n, sorted */
	size_t n, cap;
};

/* Add e (given on success).  VT_E_EXISTS: its slot, name or UUID is taken;
 * VT_E_RANGE: no such slot; VT_E_NOMEM. */
int registry_add(struct registry *g, struct entry *e) VT_CHECK;
/* Remove e; the caller owns it again.  Its room stays reserved: adding it
 * again cannot fail. */
void registry_remove(struct registry *g, struct entry *e);
/* Borrowed; NULL: none. */
struct entry *registry_slot(const struct registry *g, uint32_t slot);
struct entry *registry_uuid(
    const struct registry *g, const uint8_t uuid[UUID_LEN]);
struct entry *registry_name(const struct registry *g, const char *name);
void registry_clear(struct registry *g); /* frees every entry */

#endif
