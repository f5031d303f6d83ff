/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_snapshot.c - snapshots of a hypervisor: savevm, migration (law 5).
 */
#include "vtpm/worker/worker_snapshot.h"

#include <string.h>

#include "base/check_on.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/state/seal.h"
#include "vtpm/state/state.h"
#include "vtpm/worker/worker_answer.h"
#include "vtpm/worker/worker_power.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_resume.h"
#include "vtpm/worker/worker_seal.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"
#include "vtpm/worker/worker_step.h"

static void
stage_drop(struct worker *w)
{
	mem_wipe_free(w->stage.perm, w->stage.perm_len);
	mem_wipe_free(w->stage.vol, w->stage.vol_len);
	memset(&w->stage, 0, sizeof(w->stage));
}

uint32_t
wk_get_blob(void *arg, enum chan_blob type, uint8_t **ret, size_t *ret_len)
{
	struct worker *w = ((struct slot *)arg)->w;
	int rc;

	*ret_len = 0;
	if (!power_is_on(w->power))
		return R12_BAD_ORDINAL;
	if (type == BLOB_PERMANENT) {
		rc = wk_seal_perm(w, SEAL_SNAP_PERMANENT, w->generation,
		    wk_state_version(w), ret, ret_len);
	} else if (type == BLOB_VOLATILE) {
		rc = wk_seal_vol(
		    w, SEAL_SNAP_VOLATILE, wk_state_version(w), ret, ret_len);
		if (rc == VT_OK)
			(void)wk_step(w, PE_SNAPSHOT);
	} else {
		return R12_RETRY; /* it is inside the volatile one */
	}
	return rc == VT_OK ? 0 : R12_FAIL;
}

static int
stage(struct worker *w, enum chan_blob type, const uint8_t *p, size_t len)
{
	struct seal_id want, id;
	struct state_perm perm;
	struct state_vol vol;
	struct stage *st = &w->stage;
	uint8_t *plain;
	size_t n;
	int rc;

	memset(&want, 0, sizeof(want));
	memcpy(want.uuid, w->uuid, sizeof(want.uuid));
	want.kind =
	    type == BLOB_PERMANENT ? SEAL_SNAP_PERMANENT : SEAL_SNAP_VOLATILE;
	if ((rc = seal_open(w->key, &want, p, len, &id, &plain, &n)) != VT_OK)
		return rc;
	rc = type == BLOB_PERMANENT ? state_perm_get(plain, n, &perm)
				    : state_vol_get(plain, n, &vol);
	if (rc == VT_OK && type == BLOB_PERMANENT &&
	    perm.tpm_version != w->tpm_version)
		rc = VT_E_FORMAT;
	if (rc != VT_OK) {
		mem_wipe_free(plain, n);
		return rc;
	}
	if (type == BLOB_PERMANENT) {
		mem_wipe_free(st->perm, st->perm_len);
		st->perm = plain;
		st->perm_len = n;
		st->perm_id = id;
	} else {
		mem_wipe_free(st->vol, st->vol_len);
		st->vol = plain;
		st->vol_len = n;
		st->vol_id = id;
	}
	return VT_OK;
}

uint32_t
wk_set_blob(
    void *arg, enum chan_blob type, bool incoming, const uint8_t *p, size_t len)
{
	struct worker *w = ((struct slot *)arg)->w;
	int rc;

	if (len == 0 || w->stage.incoming != incoming)
		stage_drop(w);
	if (len == 0)
		return 0;
	w->stage.incoming = incoming;
	if (!power_has_identity(w->power) ||
	    (!incoming && power_is_on(w->power)) || type == BLOB_SAVESTATE)
		return R12_BAD_ORDINAL;
	if ((rc = stage(w, type, p, len)) == VT_OK)
		return 0;
	wk_event(w, WE_VIOLATION, "refused a snapshot: %s", vt_strerror(rc));
	stage_drop(w);
	return rc == VT_E_AUTH ? R12_DECRYPT_ERROR : R12_FAIL;
}

/* --- back into a snapshot -----------------------------------------------
 */

/* Is the staged state the present one, so that nothing is rolled back? */
static bool
is_present(const struct worker *w)
{
	return w->stage.perm_id.version == wk_state_version(w) &&
	       w->stage.perm_id.generation == w->generation;
}

/* Were both halves taken at one moment? */
static bool
is_whole(const struct worker *w)
{
	return w->stage.vol != NULL &&
	       w->stage.vol_id.version == w->stage.perm_id.version &&
	       w->stage.vol_id.generation == w->stage.perm_id.generation;
}

static int
restore_perm(struct worker *w)
{
	struct state_perm s;
	int rc;

	if ((rc = state_perm_get(w->stage.perm, w->stage.perm_len, &s)) !=
		VT_OK ||
	    (rc = wk_become(w, &s)) != VT_OK)
		return rc;
	w->perm_flags |= SP_RESTORED;
	w->generation++;
	if (w->version < w->stage.perm_id.version)
		w->version = w->stage.perm_id.version;
	return VT_OK;
}

static int
restore_vol(struct worker *w)
{
	struct state_vol s;
	int rc;

	if ((rc = state_vol_get(w->stage.vol, w->stage.vol_len, &s)) != VT_OK)
		return rc;
	return wk_resume(w, &s);
}

/*
 * Resumes the state that the hypervisor brought back.  If that is not the
 * present one it is older: a new generation begins, which the manager makes
 * durable before the guest learns anything of it.
 */
static int
restore(struct worker *w)
{
	bool present = is_present(w);
	uint64_t from = w->stage.perm_id.version, was = wk_state_version(w);
	int rc = VT_OK;

	if (!is_whole(w)) {
		stage_drop(w);
		wk_power_lost(w);
		wk_event(w, WE_VIOLATION,
		    "refused a snapshot: its permanent and volatile states "
		    "were not taken together");
		return VT_E_STATE;
	}
	if (!present)
		rc = restore_perm(w);
	if (rc == VT_OK)
		rc = restore_vol(w);
	if (rc == VT_OK && !present)
		rc = journal_add_restored(w->cap.journal);
	stage_drop(w);
	if (rc != VT_OK) {
		wk_event(w, WE_FAILURE, "a snapshot could not be resumed: %s",
		    vt_strerror(rc));
		if (!present)
			wk_break(w);
		else
			wk_power_lost(w);
		return rc;
	}
	w->machine.fresh = false; /* this hypervisor continues with it */
	(void)wk_store_changes(w, 0);
	if (!present) {
		wk_store_now(w, WS_RESTORE);
		wk_event(w, WE_RESTORED,
		    "a snapshot restored state version %llu over %llu; the "
		    "generation is now %llu",
		    (unsigned long long)from, (unsigned long long)was,
		    (unsigned long long)w->generation);
	}
	return VT_OK;
}

/* A guest that migrated on this host: the same state, another hypervisor.
 * Whatever is refused here leaves the source its TPM. */
uint32_t
wk_take_over(void *arg)
{
	struct worker *w = ((struct slot *)arg)->w;
	const char *why = NULL;

	if (!power_has_identity(w->power) || !w->stage.incoming ||
	    w->stage.perm == NULL || !is_present(w))
		why = "its state is not the present one";
	else if (!is_whole(w) && check_on("takeover-whole"))
		why = "its permanent and volatile states were not taken "
		      "together";
	if (why != NULL) {
		wk_event(w, WE_VIOLATION, "refused a migrated guest: %s", why);
		stage_drop(w);
		return R12_FAIL;
	}
	w->stage.incoming = false;
	eng_power_off();
	return restore(w) == VT_OK ? 0 : R12_FAIL;
}

int
wk_power_down(struct worker *w)
{
	wk_power_off(w);
	if (w->stage.perm == NULL || w->stage.incoming)
		return VT_OK;
	return restore(w);
}
