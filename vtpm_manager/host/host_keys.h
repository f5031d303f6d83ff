/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_keys.h - the manager's view of the host's own keys: which states of the
 * host release the master key, and the sealed manager that waits for one.
 *
 * Layer:  vtpm_manager.
 * Sealed: the host's TPM refused the master key, because the host's present
 *         state is not approved.  Then the control socket answers the Host*
 * methods and nothing else; the store stays closed, no vTPM starts.  An
 *         approval of the present state ends it.
 * Memory: the store remembers, inside its tree (STORE_META "host.approvals"),
 *         the highest sequence number and every approval that it took:
 *         be16 1 | key's SHA-256[32] | be64 last sequence | be32 n |
 *         n * { be64 sequence | SHA-256 of the approval[32] }.  A file that
 *         is neither newer nor remembered was restored from a copy.
 * One change at a time; others are VT_E_BUSY.
 */
#ifndef VTPM_MANAGER_HOST_HOST_KEYS_H
#define VTPM_MANAGER_HOST_HOST_KEYS_H

#include "vtpm_manager/host/host_approvals.h"
#include "vtpm_manager/proto/host_blob.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/context.h"

/* text: for VT_OK the result, else the reason. */
typedef void (*host_keys_cb)(void *arg, int rc, const char *text);

struct host_keys_events {
	/* The host's TPM refuses the master key; m->host->why says why.
	 * Again after each attempt that fails. */
	void (*sealed)(struct mgr *m);
	/* The answer to HW_LOAD: success, or a failure that is final. */
	void (*loaded)(struct mgr *m, const struct hw_answer *a);
	/* Shares yielded the master key of a store from another TPM. */
	void (*recovered)(struct mgr *m, const uint8_t master[32],
	    const struct wblob *ca_cert);
};

struct host_keys_op {    /* the change that is under way */
	host_keys_cb cb; /* NULL: none is */
	void *arg;
	char who[64];
	const char *action; /* for the audit log; static */
	char text[MGR_TEXT_MAX];
	uint8_t raw[APPROVAL_MAX_LEN]; /* an approval; len 0: none */
	uint32_t len;
	uint8_t key[APPROVAL_KEY_LEN]; /* bind: the new one */
	bool have_key, force;
	uint64_t expect; /* revoke: the epoch that the caller knows */
};

struct host_keys {
	struct mgr *m;
	uint8_t *blob; /* as in the store */
	size_t blob_len;
	bool bound; /* blob has a policy: key is the approval key */
	bool counters;
	uint8_t key[APPROVAL_KEY_LEN];
	uint8_t epoch_name[APPROVAL_NAME_LEN];
	struct approvals ap;
	uint64_t last_seq;
	char why[MGR_TEXT_MAX]; /* of the last refusal */
	const struct host_keys_events *events;
	void (*go)(struct mgr *m);
	struct host_keys_op op;
};

/* events are static. */
int host_keys_new(
    struct mgr *m, const struct host_keys_events *events) VT_CHECK;
void host_keys_free(struct mgr *m);

/* The approval key of the configuration, for a new store; len 0: none.
 * Errors are logged. */
int host_keys_config_key(
    struct mgr *m, uint8_t key[APPROVAL_KEY_LEN], struct wblob *ret) VT_CHECK;
/* The store is new: log the operator's next step. */
void host_keys_new_store(struct mgr *m);
/* The store's blob; approvals are read from their folder. */
int host_keys_take_blob(struct mgr *m, const uint8_t *p, size_t len) VT_CHECK;
/* HW_LOAD; one of events->loaded, sealed follows. */
int host_keys_load(struct mgr *m) VT_CHECK;
/* The first message to a new vtpm-hwtpm. */
int host_keys_tell_link(struct mgr *m) VT_CHECK;
/* The store is open: compare with what it remembers, then continue. */
void host_keys_unlocked(struct mgr *m, void (*go)(struct mgr *m));
bool host_keys_sealed(const struct mgr *m);
/* Is the master key bound to approved states? */
bool host_keys_bound(const struct mgr *m);
/* It is, and a state was approved at some time: before the first one, a new
 * store's host works on in the state in which its keys were made. */
bool host_keys_must_fit(const struct mgr *m);
/* Is the state in HW_PCRS' answer approved for the present epoch?  Always true
 * if the master key is not bound to states.  Deep quotes are then over the PCRs
 * of the newest approval that fits. */
bool host_keys_approved(struct mgr *m, const struct hw_answer *pcrs);

/* --- for host_keys_op.c and host_escrow.c --- */
/* The host is in this state: see host_keys_approved(). */
void host_keys_fits(struct host_keys *h, const struct approval *a);
void host_keys_op_done(struct host_keys *h, int rc, const char *fmt, ...)
    VT_PRINTF(3, 4);
int host_keys_remember(struct host_keys *h) VT_CHECK; /* put, not committed */
/* Send the approvals to hwtpm and the link. */
int host_keys_tell(struct host_keys *h) VT_CHECK;
int host_keys_retry(struct host_keys *h) VT_CHECK;
/* Sealed: HW_LOAD to pass the approvals to vtpm-hwtpm; its result is ignored.
 */
int host_keys_remind(struct host_keys *h) VT_CHECK;

#endif
