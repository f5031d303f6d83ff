/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recover.c - an operator accepts an old store, or one old record.  The manager
 * never does so by itself; the audit log has who, why and from what, and every
 * verifier sees GUEST_F_RECOVERED and the new generation in later quotes.
 */
#include "vtpm_manager/guest/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm/state/seal.h"
#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/guest/guest_op.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_recover.h"

#define REASON_MAX 120

struct recover {
	struct mgr *m;
	bool all;
	mgr_done_cb cb;
	void *arg;
};

static void
on_durable(void *arg, int rc)
{
	struct recover *r = arg;
	char text[MGR_TEXT_MAX] = "";

	if (rc != VT_OK) {
		(void)snprintf(text, sizeof(text),
		    "not recovered: the store does not take data: %.300s",
		    store_why(r->m->st));
		if (r->all)
			anchorq_accepted(r->m, false);
	}
	r->cb(r->arg, rc, text);
	free(r);
}

/* A worker that went on has a newer state than the accepted one. */
static int
end_worker(const struct guest *in, void *arg)
{
	guest_end_stray(arg, in);
	return 0;
}

static int
take_all(struct mgr *m, const char *reason, const char *who, uint32_t *ret_n,
    char *text)
{
	uint64_t was = store_anchor(m->st), lost = anchorq_lost(m);
	int rc;

	if (!store_frozen(m->st)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the store is not refused as a whole: name the vTPMs that "
		    "are (--instance); `vtpmctl list` shows them");
		return VT_E_STATE;
	}
	if ((rc = store_guest_each(m->st, end_worker, m)) != VT_OK ||
	    (rc = anchorq_accept(m, text)) != VT_OK)
		return rc;
	if ((rc = store_recover_all(m->st, lost, ret_n)) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "not recovered: %.300s",
		    store_why(m->st));
		anchorq_accepted(m, false);
		return rc;
	}
	audit_log(m, who, "recover", "the store", "ok",
	    "%u vTPMs, anchor %llu, %llu behind: %s", *ret_n,
	    (unsigned long long)was, (unsigned long long)lost - 1, reason);
	anchorq_accepted(m, true);
	return VT_OK;
}

static bool
fits(const struct guest *in, const uint8_t *state, size_t len)
{
	struct seal_id id;

	return seal_peek(state, len, &id) == VT_OK &&
	       id.kind == SEAL_PERMANENT &&
	       memcmp(id.uuid, in->uuid, UUID_LEN) == 0 &&
	       id.version == in->version && id.generation <= in->generation;
}

static int
take_one(struct mgr *m, const char *name, const char *reason, const char *who,
    char *text)
{
	struct guest in;
	int rc;

	if ((rc = store_guest_find(m->st, name, &in)) == VT_OK) {
		if (in.tampered)
			guest_end_stray(m, &in);
		rc = store_recover_one(m->st, in.uuid, fits);
	}
	if (rc == VT_OK)
		rc = store_guest_get(m->st, in.uuid, &in);
	if (rc != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "guest %.63s: %.300s", name,
		    store_why(m->st));
		return rc;
	}
	audit_log(m, who, "recover", in.name, "ok",
	    "state version %llu, generation is now %llu: %s",
	    (unsigned long long)in.version, (unsigned long long)in.generation,
	    reason);
	return VT_OK;
}

int
recover_older(struct mgr *m, char *const *names, const char *reason,
    const char *who, mgr_done_cb cb, void *arg, uint32_t *ret_n, char *text)
{
	struct recover *r;
	int rc = VT_OK;

	if (reason[0] == '\0' || strlen(reason) > REASON_MAX) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "give a reason of 1 to %d characters for the audit log",
		    REASON_MAX);
		return VT_E_FORMAT;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return VT_E_NOMEM;
	*r = (struct recover){
		.m = m, .all = names == NULL, .cb = cb, .arg = arg
	};
	*ret_n = 0;
	if (names == NULL)
		rc = take_all(m, reason, who, ret_n, text);
	for (; names != NULL && *names != NULL && rc == VT_OK; names++) {
		rc = take_one(m, *names, reason, who, text);
		*ret_n += rc == VT_OK;
	}
	if (rc != VT_OK) {
		free(r);
		return rc;
	}
	commit_safe(m, on_durable, r);
	return VT_OK;
}

int
recover_moved(struct mgr *m, const char *who, mgr_done_cb cb, void *arg,
    uint32_t *ret_n, char *text)
{
	static const char reason[] = "from escrow, to another TPM";
	struct recover *r;
	int rc;

	if (store_frozen(m->st))
		return recover_older(
		    m, NULL, reason, who, cb, arg, ret_n, text);
	/* It is not anchored (a software root, anchor = off). */
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return VT_E_NOMEM;
	*r = (struct recover){ .m = m, .cb = cb, .arg = arg };
	store_freeze(m->st, "the store comes from another TPM");
	if ((rc = store_recover_all(m->st, anchorq_lost(m), ret_n)) != VT_OK) {
		(void)snprintf(text, MGR_TEXT_MAX, "not recovered: %.300s",
		    store_why(m->st));
		free(r);
		return rc;
	}
	audit_log(m, who, "recover", "the store", "ok", "%u vTPMs: %s", *ret_n,
	    reason);
	commit_safe(m, on_durable, r);
	return VT_OK;
}
