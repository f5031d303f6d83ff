/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * groups.h - the tenants of this host: who they are, what they have signed,
 * what they may use and what they do use.
 *
 * Layer:  vtpm_manager.
 * Group 0 is the host's own: it has no key, no configuration, and the host's
 * AK.  It is always there.
 * Kept:   store_meta_*(), "groups" and "group.N" (groups_rec.c,
 *         doc/FORMATS.md, "Store"): inside the store's tree, so a
 *         configuration cannot be put back.  Numbers are never used twice,
 *         since certificates name them.
 * Quotas are the host operator's; selection, launch policies and
 * administrators are the tenant's, signed by the group's key.
 */
#ifndef VTPM_MANAGER_GROUPS_H
#define VTPM_MANAGER_GROUPS_H

#include <jansson.h>

#include "measure/group.h"
#include "vtpm_manager/hwproto.h"
#include "vtpm_manager/manager.h"

#define GROUPS_MAX (HW_GROUPS_MAX - 1) /* beside group 0 */
#define GROUPS_HOST_NAME "host"        /* of group 0 */
#define GRP_REC_MAX 16384              /* bytes of one record */

struct grp_quota { /* 0: no limit */
	uint32_t vtpms;
	uint64_t bytes; /* of sealed permanent state, all vTPMs together */
	uint32_t hw_ms; /* per minute of the host's TPM */
};

struct grp_rec { /* what is kept */
	uint32_t number;
	char name[NAME_MAX_LEN + 1];
	uint8_t key[APPROVAL_KEY_LEN]; /* zeros: none (group 0) */
	struct grp_quota quota;
	uint64_t created_ms;
	uint8_t config[GROUP_CONFIG_MAX]; /* as it was signed */
	uint16_t config_len;              /* 0: none yet */
	uint8_t ak[HW_AK_MAX_LEN];        /* wrapped by the host's TPM */
	uint8_t ak_pub[PUB_MAX_LEN];
	uint16_t ak_len, ak_pub_len;
};

struct grp {
	struct grp *next;
	struct grp_rec r;
	struct group_config conf; /* r.config, decoded and verified; sequence
				     0: none */
	bool full;                /* its workers have been told so */
	struct {                  /* as hwtpm told last */
		uint64_t requests, us, wait_us, delayed, refused;
	} hw;
};

struct groups; /* opaque */

/* --- groups_rec.c: bytes --- */
void grp_rec_put(struct wr *w, const struct grp_rec *r);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int grp_rec_get(const uint8_t *data, size_t len, struct grp_rec *ret) VT_CHECK;
/* Numbers in use, ascending, and the next one to be given. */
struct grp_index {
	uint32_t next, n;
	uint32_t numbers[GROUPS_MAX];
};
void grp_index_put(struct wr *w, const struct grp_index *x);
int grp_index_get(
    const uint8_t *data, size_t len, struct grp_index *ret) VT_CHECK;

/* --- groups.c: the list --- */
/* After store_unlock(): read all of them and tell hwtpm.  What cannot be
 * read is left out, said, and nothing is changed then. */
int groups_load(struct mgr *m) VT_CHECK;
void groups_free(struct mgr *m);
struct grp *grp_number(struct mgr *m, uint32_t number); /* NULL: none */
/* The host's PCRs in its quotes for g, one bank: what g's configuration says,
 * else (and for NULL) the host's setting. */
struct pcr_sel groups_pcrs(const struct mgr *m, const struct grp *g);
/* By name or number.  VT_E_NOTFOUND with words. */
int grp_find(
    struct mgr *m, const char *what, struct grp **ret, char *text) VT_CHECK;
struct grp *groups_first(struct mgr *m); /* group 0; by next */
void groups_tell_hw(struct mgr *m);
/* Usage, out of the registry. */
void groups_usage(
    struct mgr *m, uint32_t number, uint32_t *ret_vtpms, uint64_t *ret_bytes);
/* May one more vTPM be made in it, whose first state has len bytes (0: not
 * known yet)?  VT_E_NOTFOUND, VT_E_SPACE with words. */
int groups_may_create(
    struct mgr *m, uint32_t number, size_t len, char *text) VT_CHECK;
/* The sealed state of one of its vTPMs has changed its length, or is gone. */
void groups_space_changed(struct mgr *m, uint32_t number);
/* No command that takes room may run in this vTPM: its group's quota is used
 * up. */
bool groups_no_growth(struct mgr *m, const uint8_t uuid[UUID_LEN]);
bool groups_admin(struct mgr *m, uint32_t uid, uint32_t number);
bool groups_admin_any(struct mgr *m, uint32_t uid);
/* May a vTPM of this group be launched under that policy?  VT_E_POLICY with
 * words. */
int groups_may_launch(
    struct mgr *m, uint32_t number, const char *policy, char *text) VT_CHECK;

/* --- groups_op.c: changes; cb runs once, later --- */
struct grp_spec {
	char name[NAME_MAX_LEN + 1];
	uint32_t number; /* 0: the next one */
	uint8_t key[APPROVAL_KEY_LEN];
	struct grp_quota quota;
};
int groups_create(struct mgr *m, const struct grp_spec *spec, mgr_done_cb cb,
    void *arg, char *text) VT_CHECK;
/* At once and durable.  quota NULL, config len 0: not changed. */
int groups_update(struct mgr *m, struct grp *g, const struct grp_quota *quota,
    const uint8_t *config, size_t len, char *text) VT_CHECK;
/* A new AK in the host's TPM, after recovery to another one. */
int groups_renew_ak(struct mgr *m, struct grp *g, mgr_done_cb cb, void *arg,
    char *text) VT_CHECK;
int groups_delete(struct mgr *m, struct grp *g, char *text) VT_CHECK;
typedef void (*grp_quote_cb)(
    void *arg, int rc, const char *text, const struct group_quote *q);
int groups_quote(struct mgr *m, struct grp *g, const uint8_t *nonce, size_t len,
    grp_quote_cb cb, void *arg, char *text) VT_CHECK;

/* --- groups_json.c --- */
json_t *groups_json(struct mgr *m, const struct grp *g); /* one */
/* uid: only what that user administers; (uint32_t)-1: all. */
json_t *groups_json_list(struct mgr *m, uint32_t uid);
/* Take up HW_USAGE's answer. */
void groups_take_usage(struct mgr *m, const struct hw_answer *a);

#endif
