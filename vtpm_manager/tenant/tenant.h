/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant.h - the tenants of this host: who they are, what they have signed,
 * what they may use and what they do use.
 *
 * Layer:  vtpm_manager.
 * Group 0 is the host's own: it has no key, no configuration, and the host's
 * AK.  It is always there.
 * Kept:   store_meta_*(), "groups" and "group.N" (tenant_record.c,
 *         doc/FORMATS.md, "Store"): inside the store's tree, so a
 *         configuration cannot be put back.  Numbers are never used twice,
 *         since certificates name them.
 * Quotas are the host operator's; selection, launch policies and
 * administrators are the tenant's, signed by the group's key.
 */
#ifndef VTPM_MANAGER_TENANT_TENANT_H
#define VTPM_MANAGER_TENANT_TENANT_H

#include <jansson.h>

#include "measure/host/tenant_config.h"
#include "vtpm_manager/proto/hwtpm_msg.h"
#include "vtpm_manager/core/context.h"

#define TENANTS_MAX (HW_GROUPS_MAX - 1) /* beside group 0 */
#define TENANTS_HOST_NAME "host"        /* of group 0 */
#define TENANT_REC_MAX 16384            /* bytes of one record */

struct tenant_quota { /* 0: no limit */
	uint32_t vtpms;
	uint64_t bytes; /* of sealed permanent state, all vTPMs together */
	uint32_t hw_ms; /* per minute of the host's TPM */
};

struct tenant_rec { /* what is kept */
	uint32_t number;
	char name[NAME_MAX_LEN + 1];
	uint8_t key[APPROVAL_KEY_LEN]; /* zeros: none (group 0) */
	struct tenant_quota quota;
	uint64_t created_ms;
	uint8_t config[GROUP_CONFIG_MAX]; /* as it was signed */
	uint16_t config_len;              /* 0: none yet */
	uint8_t ak[HW_AK_MAX_LEN];        /* wrapped by the host's TPM */
	uint8_t ak_pub[PUB_MAX_LEN];
	uint16_t ak_len, ak_pub_len;
};

struct grp {
	struct grp *next;
	struct tenant_rec r;
	struct group_config conf; /* r.config, decoded and verified; sequence
				     0: none */
	bool full;                /* its workers have been told so */
	struct {                  /* as hwtpm told last */
		uint64_t requests, us, wait_us, delayed, refused;
	} hw;
};

struct groups; /* opaque */

/* --- tenant_record.c: bytes --- */
void tenant_rec_put(struct wr *w, const struct tenant_rec *r);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int tenant_rec_get(
    const uint8_t *data, size_t len, struct tenant_rec *ret) VT_CHECK;
/* Numbers in use, ascending, and the next one to be given. */
struct tenant_index {
	uint32_t next, n;
	uint32_t numbers[TENANTS_MAX];
};
void tenant_index_put(struct wr *w, const struct tenant_index *x);
int tenant_index_get(
    const uint8_t *data, size_t len, struct tenant_index *ret) VT_CHECK;

/* --- tenant.c: the list --- */
/* After store_unlock(): read all of them and tell hwtpm.  What cannot be
 * read is left out, said, and nothing is changed then. */
int tenants_load(struct mgr *m) VT_CHECK;
void tenants_free(struct mgr *m);
struct grp *tenant_number(struct mgr *m, uint32_t number); /* NULL: none */
/* The host's PCRs in its quotes for g, one bank: what g's configuration says,
 * else (and for NULL) the host's setting. */
struct pcr_sel tenants_pcrs(const struct mgr *m, const struct grp *g);
/* By name or number.  VT_E_NOTFOUND with words. */
int tenant_find(
    struct mgr *m, const char *what, struct grp **ret, char *text) VT_CHECK;
struct grp *tenants_first(struct mgr *m); /* group 0; by next */
void tenants_tell_hw(struct mgr *m);
/* Usage, out of the registry. */
void tenants_usage(
    struct mgr *m, uint32_t number, uint32_t *ret_vtpms, uint64_t *ret_bytes);
/* May one more vTPM be made in it, whose first state has len bytes (0: not
 * known yet)?  VT_E_NOTFOUND, VT_E_SPACE with words. */
int tenants_may_create(
    struct mgr *m, uint32_t number, size_t len, char *text) VT_CHECK;
/* The sealed state of one of its vTPMs has changed its length, or is gone. */
void tenants_space_changed(struct mgr *m, uint32_t number);
/* No command that takes room may run in this vTPM: its group's quota is used
 * up. */
bool tenants_no_growth(struct mgr *m, const uint8_t uuid[UUID_LEN]);
bool tenants_admin(struct mgr *m, uint32_t uid, uint32_t number);
bool tenants_admin_any(struct mgr *m, uint32_t uid);
/* May a vTPM of this group be launched under that policy?  VT_E_POLICY with
 * words. */
int tenants_may_launch(
    struct mgr *m, uint32_t number, const char *policy, char *text) VT_CHECK;

/* --- tenant_op.c: changes; cb runs once, later --- */
struct tenant_spec {
	char name[NAME_MAX_LEN + 1];
	uint32_t number; /* 0: the next one */
	uint8_t key[APPROVAL_KEY_LEN];
	struct tenant_quota quota;
};
int tenants_create(struct mgr *m, const struct tenant_spec *spec,
    mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* At once and durable.  quota NULL, config len 0: not changed. */
int tenants_update(struct mgr *m, struct grp *g,
    const struct tenant_quota *quota, const uint8_t *config, size_t len,
    char *text) VT_CHECK;
/* A new AK in the host's TPM, after recovery to another one. */
int tenants_renew_ak(struct mgr *m, struct grp *g, mgr_done_cb cb, void *arg,
    char *text) VT_CHECK;
int tenants_delete(struct mgr *m, struct grp *g, char *text) VT_CHECK;
typedef void (*tenant_quote_cb)(
    void *arg, int rc, const char *text, const struct group_quote *q);
int tenants_quote(struct mgr *m, struct grp *g, const uint8_t *nonce,
    size_t len, tenant_quote_cb cb, void *arg, char *text) VT_CHECK;

/* --- tenant_json.c --- */
json_t *tenants_json(struct mgr *m, const struct grp *g); /* one */
/* uid: only what that user administers; (uint32_t)-1: all. */
json_t *tenants_json_list(struct mgr *m, uint32_t uid);
/* Take up HW_USAGE's answer. */
void tenants_take_usage(struct mgr *m, const struct hw_answer *a);

#endif
