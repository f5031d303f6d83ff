/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant.h - the tenants ("groups") of this host: their configurations, quotas
 * and use.
 *
 * Layer:  vtpm_manager/tenant.
 * Group 0 is the host: it always exists and has the host's AK, no key and no
 * configuration.
 * Kept:   store_meta_*(), "groups" and "group.N" (tenant_record.h), inside the
 *         store's tree, so that no configuration can be rolled back.  Numbers
 *         are never reused, since certificates name them.
 * The host's operator sets quotas.  The tenant sets PCR selection, launch
 * policies and administrators, signed by the group's key.
 */
#ifndef VTPM_MANAGER_TENANT_TENANT_H
#define VTPM_MANAGER_TENANT_TENANT_H

#include <sys/queue.h>

#include "measure/host/tenant_config.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/tenant/tenant_record.h"

#define TENANTS_HOST_NAME "host" /* of group 0 */

struct tenant {
	TAILQ_ENTRY(tenant) link;
	struct tenant_rec r;
	struct tenant_config conf; /* r.config, decoded and verified; sequence
				     0: none */
	bool full;                 /* its workers know that */
	struct {                   /* as last reported by hwtpm */
		uint64_t requests, us, wait_us, delayed, refused;
	} hw;
};

TAILQ_HEAD(tenant_list, tenant);

struct tenants; /* tenant_priv.h */

/* After store_unlock(): read all and tell hwtpm.  An unreadable tenant is
 * logged and left out; then no tenant can be changed. */
int tenants_load(struct mgr *m) VT_CHECK;
void tenants_free(struct mgr *m);
struct tenant *tenant_number(struct mgr *m, uint32_t number); /* NULL: none */
/* The host's PCRs in quotes for g, one bank: of g's configuration; without one,
 * and for NULL, of the host's. */
struct pcr_sel tenants_pcrs(const struct mgr *m, const struct tenant *g);
/* By name or number.  VT_E_NOTFOUND: text says why. */
int tenant_find(
    struct mgr *m, const char *what, struct tenant **ret, char *text) VT_CHECK;
/* Group 0, then ascending; NULL at the end. */
struct tenant *tenants_first(struct mgr *m);
struct tenant *tenants_next(const struct tenant *g);
void tenants_tell_hw(struct mgr *m);
/* What its guests use, counted in the store. */
void tenants_usage(
    struct mgr *m, uint32_t number, uint32_t *ret_vtpms, uint64_t *ret_bytes);
/* May it have one more vTPM whose first state has len bytes (0: unknown)?
 * VT_E_NOTFOUND, VT_E_SPACE: text says why. */
int tenants_may_create(
    struct mgr *m, uint32_t number, size_t len, char *text) VT_CHECK;
/* The sealed state of one of its vTPMs changed its length, or was deleted. */
void tenants_space_changed(struct mgr *m, uint32_t number);
/* The quota of this vTPM's group is used up: commands that need room must not
 * run. */
bool tenants_no_growth(struct mgr *m, const uint8_t uuid[UUID_LEN]);
bool tenants_admin(struct mgr *m, uint32_t uid, uint32_t number);
bool tenants_admin_any(struct mgr *m, uint32_t uid);
/* May a vTPM of this group be launched under that policy?  VT_E_POLICY: text
 * says why. */
int tenants_may_launch(
    struct mgr *m, uint32_t number, const char *policy, char *text) VT_CHECK;

/* --- for the room's own files --- */
void tenant_meta_key(uint32_t number, char key[32]);
void tenant_insert(struct tenants *gs, struct tenant *g); /* given; by number */

#endif
