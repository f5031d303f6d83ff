/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_load.c - W_LOAD: only the newest state of this very instance becomes a
 * TPM (laws 2 and 5).
 */
#include "vtpm/worker/worker_load.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/orderly.h"
#include "vtpm/state/seal.h"
#include "vtpm/state/state.h"
#include "vtpm/worker/worker_answer.h"
#include "vtpm/worker/worker_power.h"
#include "vtpm/worker/worker_resume.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_step.h"

static int
say(char *text, int rc, const char *words)
{
	(void)snprintf(text, TEXT_MAX_LEN + 1, "%s", words);
	return rc;
}

static int
open_perm(struct worker *w, const struct wload *m, struct seal_id *ret_id,
    uint8_t **ret, size_t *ret_len, char *text)
{
	struct seal_id want = { .kind = SEAL_PERMANENT };
	int rc;

	memcpy(want.uuid, m->uuid, sizeof(want.uuid));
	if (m->permanent.len == 0)
		return say(text, VT_E_NOTFOUND,
		    "there is no permanent state, and only create makes a new "
		    "identity");
	rc = seal_open(w->key, &want, m->permanent.p, m->permanent.len, ret_id,
	    ret, ret_len);
	if (rc != VT_OK)
		return say(text, rc,
		    "the permanent state cannot be opened: it is damaged, "
		    "belongs to another vTPM, or is sealed with another key");
	rc = VT_OK;
	if (ret_id->version < m->version)
		rc = say(text, VT_E_STALE,
		    "the permanent state is older than the last acknowledged "
		    "one: an old copy was restored");
	else if (ret_id->version > m->version ||
		 ret_id->generation > m->generation)
		rc = say(text, VT_E_CORRUPT,
		    "the permanent state is newer than the registry: an old "
		    "registry was restored");
	if (rc != VT_OK)
		mem_wipe_free(*ret, *ret_len);
	return rc;
}

/* A crash took the PCRs with it: no copy of them may return. */
static bool
continues(const struct wload *m)
{
	return m->volatile_.len > 0 && (m->flags & WLOAD_CRASHED) == 0;
}

/* The host lost power, or the worker its life: no fault of the guest. */
static void
make_orderly(void)
{
	int rc = orderly_make();

	if (rc != VT_OK)
		log_warn("the TPM may count the power loss as a wrong "
			 "password: %s",
		    vt_strerror(rc));
}

static int
load_perm(
    struct worker *w, const struct wload *m, struct seal_id *ret_id, char *text)
{
	struct state_perm s;
	uint8_t *plain;
	size_t len;
	int rc;

	if ((rc = open_perm(w, m, ret_id, &plain, &len, text)) != VT_OK)
		return rc;
	if ((rc = state_perm_get(plain, len, &s)) != VT_OK)
		say(text, rc, "the permanent state has a wrong format");
	else if (s.tpm_version != m->tpm_version)
		rc = say(text, VT_E_CORRUPT,
		    "the permanent state is of another TPM version");
	else if ((rc = wk_become(w, &s)) != VT_OK)
		say(text, rc, "libtpms rejected the permanent state");
	else if ((s.flags & SP_ORDERLY) == 0 && !continues(m))
		make_orderly();
	mem_wipe_free(plain, len);
	return rc;
}

static int
load_vol(struct worker *w, const struct wload *m, const struct seal_id *perm,
    char *text)
{
	struct seal_id want = { .kind = SEAL_VOLATILE }, id;
	struct state_vol s;
	uint8_t *plain;
	size_t len;
	int rc;

	memcpy(want.uuid, m->uuid, sizeof(want.uuid));
	rc = seal_open(
	    w->key, &want, m->volatile_.p, m->volatile_.len, &id, &plain, &len);
	if (rc != VT_OK)
		return say(text, rc, "the volatile state cannot be opened");
	if (id.version != perm->version || id.generation != perm->generation)
		rc = say(text, VT_E_STALE,
		    "the volatile state belongs to another permanent state");
	else if ((rc = state_vol_get(plain, len, &s)) != VT_OK)
		say(text, rc, "the volatile state has a wrong format");
	else if ((rc = wk_resume(w, &s)) != VT_OK)
		say(text, rc, "libtpms rejected the volatile state");
	mem_wipe_free(plain, len);
	return rc;
}

static int
start_loaded(struct worker *w, const struct wload *m, char *text)
{
	int rc;

	if ((m->flags & WLOAD_CRASHED) != 0) {
		if ((rc = wk_power(w, PE_LOAD_CRASHED)) != VT_OK)
			return say(text, rc,
			    "the TPM could not be powered on with every PCR "
			    "capped");
		return VT_OK;
	}
	if ((rc = wk_power_on(w, PE_LOAD, PE_LOAD_LAUNCH)) != VT_OK)
		return say(text, rc, "libtpms rejected the permanent state");
	if (w->root && (rc = wk_start(w)) != VT_OK)
		return say(text, rc, "the TPM did not start up");
	return VT_OK;
}

int
wk_load(struct worker *w, const struct wload *m, char *text)
{
	struct seal_id id;
	int rc;

	memcpy(w->uuid, m->uuid, sizeof(w->uuid));
	memcpy(w->name, m->name, sizeof(w->name));
	memcpy(w->key, m->key, sizeof(w->key));
	w->group = m->group;
	w->generation = m->generation;
	w->root = (m->flags & WLOAD_ROOT) != 0;
	log_set_guest(w->name);
	if ((rc = load_perm(w, m, &id, text)) != VT_OK)
		return rc;
	w->version = w->acked = id.version;
	if ((rc = capture_init(&w->cap, eng_is_tpm2())) != VT_OK)
		return say(text, rc, "out of memory for the extend journal");
	rc = launch_set_next(&w->launch, m->launch.p, m->launch.len);
	if (rc != VT_OK)
		return say(text, rc, "the launch record is damaged");
	(void)wk_step(w, PE_BECAME);
	if (continues(m))
		rc = load_vol(w, m, &id, text);
	else
		rc = start_loaded(w, m, text);
	if (rc != VT_OK)
		wk_break(w);
	return rc;
}
