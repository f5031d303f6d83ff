/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_store.c - law 3: what the guest has seen is durable.
 */
#include "vtpm/worker/worker_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/util.h"
#include "vtpm/engine/engine.h"
#include "vtpm/state/seal.h"
#include "vtpm/worker/worker_answer.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_seal.h"
#include "vtpm/worker/worker_state.h"

#define WSTORE_HDR 64 /* more than all fields of struct wstore but the blob */
#define RETRY_US 1000000 /* after a store that failed without a reason */

uint64_t
wk_need(const struct worker *w)
{
	if (w->dirty)
		return w->version + 1;
	return w->st.blob != NULL ? w->st.version : 0;
}

uint64_t
wk_state_version(const struct worker *w)
{
	return w->dirty ? w->version + 1 : w->version;
}

bool
wk_can_store(const struct worker *w)
{
	return w->mgr != NULL && w->greeted && w->storage_ok && !w->st.failed;
}

void
wk_send_store(struct worker *w)
{
	struct store_req *st = &w->st;
	struct wstore m;
	struct wr p;

	if (st->blob == NULL || st->sent || w->mgr == NULL || !w->greeted)
		return;
	memset(&m, 0, sizeof(m));
	m.kind = SEAL_PERMANENT;
	m.flags = st->flags;
	m.generation = st->generation;
	m.version = st->version;
	if (digest_buf(ALG_SHA256, st->blob, st->len, m.digest) != VT_OK)
		return; /* wk_store_retry() tries again */
	m.blob.p = st->blob;
	m.blob.len = (uint32_t)st->len;
	wr_grow(&p, st->len + WSTORE_HDR);
	msg_put(&p, wstore, &m);
	if (wr_err(&p) == VT_OK) {
		wk_send(w, W_STORE, (uint32_t)st->version, &p);
		st->sent = true;
		st->failed = false;
		w->n.stores++;
	}
	wr_free(&p);
}

/* Out of memory: the state stays dirty, and answers that reveal it wait. */
static void
seal_next(struct worker *w)
{
	struct store_req *st = &w->st;
	int rc;

	rc = wk_seal_perm(w, SEAL_PERMANENT, w->generation, w->version + 1,
	    &st->blob, &st->len);
	if (rc != VT_OK) {
		w->dirty = true;
		st->retry_us = now_us() + RETRY_US;
		log_err("cannot seal the state: %s", vt_strerror(rc));
		return;
	}
	w->dirty = false;
	w->version++;
	st->version = w->version;
	st->generation = w->generation;
	st->flags = w->next_flags;
	w->next_flags = 0;
	st->sent = st->failed = false;
	st->retry_us = 0;
	wk_send_store(w);
}

void
wk_store_now(struct worker *w, uint8_t flags)
{
	w->next_flags |= flags;
	w->dirty = true;
	if (w->st.blob == NULL)
		seal_next(w);
}

bool
wk_store_changes(struct worker *w, uint8_t flags)
{
	if (!eng_changed())
		return false;
	if (power_has_identity(w->power))
		wk_store_now(w, flags);
	return true;
}

/* --- the manager's answer -----------------------------------------------
 */

static void
finish_waiting(struct worker *w, int rc)
{
	const char *why = rc == VT_OK ? "" : "the state could not be stored";

	if (w->certs_wait) {
		w->certs_wait = false;
		wk_done(w, w->certs_id, rc, "%s", why);
	}
	if (w->stop_wait && (rc != VT_OK || wk_need(w) == 0)) {
		w->stop_wait = false;
		wk_done(w, w->stop_id, rc, "%s", why);
		w->ending = true;
	}
	if (w->end_by_us != 0 && (rc != VT_OK || wk_need(w) == 0))
		w->ending = true;
}

static bool
is_storage_trouble(int rc)
{
	return rc == VT_E_SPACE || rc == VT_E_SYS || rc == VT_E_NOMEM ||
	       rc == VT_E_BUSY || rc == VT_E_AGAIN || rc == VT_E_TIMEOUT;
}

static void
store_failed(struct worker *w, int rc)
{
	w->st.failed = true;
	w->st.retry_us = now_us() + RETRY_US;
	/* The errno behind VT_E_SYS is the manager's, and in its log. */
	log_warn("the state is not stored: %s",
	    rc == VT_E_SYS ? "the manager reports a storage error"
			   : vt_strerror(rc));
	if (!is_storage_trouble(rc)) {
		/* A retry would not help: the manager's state and ours have
		 * diverged. */
		wk_event(w, WE_FAILURE,
		    "the manager refused the state (%s): the TPM is off",
		    vt_strerror(rc));
		wk_break(w);
	}
	finish_waiting(w, rc);
}

void
wk_stored(struct worker *w, const struct wstored *m)
{
	struct store_req *st = &w->st;

	if (st->blob == NULL || !st->sent || m->version != st->version)
		return; /* of an earlier attempt */
	if (m->rc != VT_OK) {
		store_failed(w, m->rc);
		return;
	}
	free(st->blob);
	st->blob = NULL;
	w->acked = st->version;
	if (m->generation != st->generation) { /* the manager decides */
		w->generation = m->generation;
		w->dirty = true;
	}
	if (w->dirty)
		seal_next(w);
	wk_answer_release(w);
	finish_waiting(w, VT_OK);
}

void
wk_store_retry(struct worker *w, uint64_t now)
{
	struct store_req *st = &w->st;

	if (st->retry_us == 0 || now < st->retry_us)
		return;
	st->retry_us = 0;
	if (st->blob == NULL && w->dirty) {
		seal_next(w);
	} else if (st->blob != NULL && w->storage_ok &&
		   power_has_identity(w->power)) {
		st->sent = false;
		wk_send_store(w);
	}
}
