/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_snapshot.c - sealed states: load, snapshot, restore (laws 2 and 5).
 */
#include "vtpm/worker/worker_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm/engine/tpm_command.h"

/* --- sealing ---------------------------------------------------------------
 */

static int
seal(struct worker *w, const struct seal_id *id, struct wr *plain,
    uint8_t **ret, size_t *ret_len)
{
	uint8_t *out = NULL;
	int rc;

	if ((rc = wr_err(plain)) != VT_OK)
		goto out;
	rc = VT_E_NOMEM;
	if ((out = malloc(plain->len + SEAL_OVERHEAD)) == NULL)
		goto out;
	rc = seal_make(w->key, id, plain->buf, plain->len, out);
	if (rc != VT_OK) {
		free(out);
		goto out;
	}
	*ret = out;
	*ret_len = plain->len + SEAL_OVERHEAD;
out:
	wr_free(plain);
	return rc;
}

static void
set_blob(struct wblob *b, const uint8_t *p, size_t len)
{
	b->p = p;
	b->len = (uint32_t)len;
}

int
wk_seal_perm(struct worker *w, uint16_t kind, uint64_t generation,
    uint64_t version, uint8_t **ret, size_t *ret_len)
{
	struct seal_id id = {
		.kind = kind, .generation = generation, .version = version
	};
	struct state_perm s;
	const uint8_t *p;
	size_t len;
	struct wr plain;

	memcpy(id.uuid, w->uuid, sizeof(id.uuid));
	memset(&s, 0, sizeof(s));
	s.tpm_version = w->tpm_version;
	s.flags = w->perm_flags;
	p = eng_permanent(&len);
	set_blob(&s.tpm, p, len);
	set_blob(&s.ek_rsa, w->keys.ek_rsa, w->keys.ek_rsa_len);
	set_blob(&s.ek_ecc, w->keys.ek_ecc, w->keys.ek_ecc_len);
	set_blob(&s.ak, w->keys.ak, w->keys.ak_len);
	wr_grow(&plain, STATE_PLAIN_MAX);
	state_perm_put(&plain, &s);
	return seal(w, &id, &plain, ret, ret_len);
}

static uint8_t
vol_flags(const struct worker *w)
{
	return (uint8_t)((w->started ? SV_STARTED : 0) |
			 (w->capped ? SV_CAPPED : 0) |
			 (w->launched ? SV_LAUNCHED : 0));
}

int
wk_seal_vol(struct worker *w, uint16_t kind, uint8_t **ret, size_t *ret_len)
{
	struct seal_id id = { .kind = kind,
		.generation = w->generation,
		.version = wk_state_version(w) };
	uint8_t quotes[QUOTES_MAX * QUOTE_LEN], *tpm = NULL;
	struct wr plain, journal;
	struct state_vol s;
	const uint8_t *p;
	size_t len;
	int rc;

	memcpy(id.uuid, w->uuid, sizeof(id.uuid));
	memset(&s, 0, sizeof(s));
	s.flags = vol_flags(w);
	s.power_cycles = w->power_cycles;
	if ((rc = eng_get_volatile(&tpm, &len)) != VT_OK)
		return rc;
	set_blob(&s.tpm, tpm, len);
	p = eng_savestate(&len);
	set_blob(&s.savestate, p, len);
	set_blob(&s.launch, w->launch.bytes, w->launch.len);
	set_blob(&s.quotes, quotes, quotes_save(&w->quotes, quotes));
	wr_grow(&journal, JOURNAL_MAX_LEN);
	journal_encode(w->cap.journal, &journal);
	wr_grow(&plain, STATE_PLAIN_MAX);
	if ((rc = wr_err(&journal)) == VT_OK) {
		set_blob(&s.journal, journal.buf, journal.len);
		state_vol_put(&plain, &s);
		rc = seal(w, &id, &plain, ret, ret_len);
	}
	wr_free(&journal);
	explicit_bzero(tpm, s.tpm.len);
	free(tpm);
	return rc;
}

/* --- becoming a state ------------------------------------------------------
 */

static void
wipe(uint8_t *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

static void
take_key(uint8_t *out, uint16_t *ret_len, const struct wblob *b)
{
	if (b->len > 0)
		memcpy(out, b->p, b->len);
	*ret_len = (uint16_t)b->len;
}

static int
become(struct worker *w, const struct state_perm *s)
{
	int rc;

	rc = eng_set_permanent(s->tpm_version, s->tpm.p, s->tpm.len);
	if (rc != VT_OK)
		return rc;
	w->tpm_version = s->tpm_version;
	w->perm_flags = s->flags;
	take_key(w->keys.ek_rsa, &w->keys.ek_rsa_len, &s->ek_rsa);
	take_key(w->keys.ek_ecc, &w->keys.ek_ecc_len, &s->ek_ecc);
	take_key(w->keys.ak, &w->keys.ak_len, &s->ak);
	return VT_OK;
}

static int
set_all(struct worker *w, const struct state_vol *s)
{
	int rc;

	if ((rc = eng_set_volatile(s->tpm.p, s->tpm.len)) != VT_OK ||
	    (rc = eng_set_savestate(s->savestate.p, s->savestate.len)) !=
		VT_OK ||
	    (rc = capture_load(&w->cap, s->journal.p, s->journal.len)) !=
		VT_OK ||
	    (rc = wk_launch_set(&w->launch, s->launch.p, s->launch.len)) !=
		VT_OK)
		return rc;
	w->launch.set = false;
	return eng_power_on();
}

/* Power on into this volatile state; the permanent one is set. */
static int
resume(struct worker *w, const struct state_vol *s)
{
	int rc;

	if ((rc = set_all(w, s)) != VT_OK) {
		/* The next power on must not find half of it. */
		if (eng_set_volatile(NULL, 0) != VT_OK)
			wk_break(w);
		return rc;
	}
	w->started = (s->flags & SV_STARTED) != 0;
	w->capped = (s->flags & SV_CAPPED) != 0;
	w->launched = (s->flags & SV_LAUNCHED) != 0;
	w->auto_start = w->shut_down = w->snap_taken = w->failure_told = false;
	w->power_cycles = s->power_cycles;
	quotes_load(&w->quotes, s->quotes.p, s->quotes.len);
	return w->started ? tcmd_stir() : VT_OK; /* law 9 */
}

/* --- W_LOAD ----------------------------------------------------------------
 */

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
		    "there is no permanent state; a new identity is made only "
		    "on request");
	rc = seal_open(w->key, &want, m->permanent.p, m->permanent.len, ret_id,
	    ret, ret_len);
	if (rc != VT_OK)
		return say(text, rc,
		    "the permanent state does not open: damaged, another "
		    "instance's, or sealed with another key");
	rc = VT_OK;
	if (ret_id->version < m->version)
		rc = say(text, VT_E_STALE,
		    "the permanent state is older than the one that was "
		    "acknowledged: an old copy was put back");
	else if (ret_id->version > m->version ||
		 ret_id->generation > m->generation)
		rc = say(text, VT_E_CORRUPT,
		    "the permanent state is newer than the registry: the "
		    "registry was put back");
	if (rc != VT_OK)
		wipe(*ret, *ret_len);
	return rc;
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
	else if ((rc = become(w, &s)) != VT_OK)
		say(text, rc, "libtpms did not take the permanent state");
	wipe(plain, len);
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
		return say(text, rc, "the volatile state does not open");
	if (id.version != perm->version || id.generation != perm->generation)
		rc = say(text, VT_E_STALE,
		    "the volatile state belongs to another permanent one");
	else if ((rc = state_vol_get(plain, len, &s)) != VT_OK)
		say(text, rc, "the volatile state has a wrong format");
	else if ((rc = resume(w, &s)) != VT_OK)
		say(text, rc, "libtpms did not take the volatile state");
	wipe(plain, len);
	return rc;
}

static int
start_loaded(struct worker *w, const struct wload *m, char *text)
{
	int rc;

	if ((rc = wk_power_on(w)) != VT_OK)
		return say(
		    text, rc, "libtpms did not take the permanent state");
	if ((m->flags & WLOAD_CRASHED) != 0) {
		if ((rc = wk_cap(w)) != VT_OK)
			return say(text, rc, "the PCRs could not be capped");
		return VT_OK;
	}
	w->auto_start = true;
	if (w->root && (rc = wk_auto_start(w)) != VT_OK)
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
		return say(text, rc, "no memory for the journal");
	rc = wk_launch_set(&w->launch_next, m->launch.p, m->launch.len);
	if (rc != VT_OK)
		return say(text, rc, "the launch record is damaged");
	w->phase = WP_LOADED;
	/* A crash took the PCRs with it: no copy of them may come back. */
	if (m->volatile_.len > 0 && (m->flags & WLOAD_CRASHED) == 0)
		rc = load_vol(w, m, &id, text);
	else
		rc = start_loaded(w, m, text);
	if (rc != VT_OK)
		wk_break(w);
	return rc;
}

/* --- snapshots of a hypervisor ---------------------------------------------
 */

void
wk_stage_drop(struct worker *w)
{
	wipe(w->stage.perm, w->stage.perm_len);
	wipe(w->stage.vol, w->stage.vol_len);
	memset(&w->stage, 0, sizeof(w->stage));
}

uint32_t
wk_get_blob(void *arg, enum chan_blob type, uint8_t **ret, size_t *ret_len)
{
	struct worker *w = ((struct slot *)arg)->w;
	int rc;

	*ret_len = 0;
	if (w->phase != WP_LOADED || !eng_powered())
		return R12_BAD_ORDINAL;
	if (type == BLOB_PERMANENT) {
		rc = wk_seal_perm(w, SEAL_SNAP_PERMANENT, w->generation,
		    wk_state_version(w), ret, ret_len);
	} else if (type == BLOB_VOLATILE) {
		rc = wk_seal_vol(w, SEAL_SNAP_VOLATILE, ret, ret_len);
		w->snap_taken = rc == VT_OK;
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
		wipe(plain, n);
		return rc;
	}
	if (type == BLOB_PERMANENT) {
		wipe(st->perm, st->perm_len);
		st->perm = plain;
		st->perm_len = n;
		st->perm_id = id;
	} else {
		wipe(st->vol, st->vol_len);
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
		wk_stage_drop(w);
	if (len == 0)
		return 0;
	w->stage.incoming = incoming;
	if (w->phase != WP_LOADED || (!incoming && eng_powered()) ||
	    type == BLOB_SAVESTATE)
		return R12_BAD_ORDINAL;
	if ((rc = stage(w, type, p, len)) == VT_OK)
		return 0;
	wk_event(
	    w, WE_VIOLATION, "a snapshot was refused: %s", vt_strerror(rc));
	wk_stage_drop(w);
	return rc == VT_E_AUTH ? R12_DECRYPT_ERROR : R12_FAIL;
}

/* Is what is staged the state that we have, so that nothing goes back? */
static bool
is_present(const struct worker *w)
{
	return w->stage.perm_id.version == wk_state_version(w) &&
	       w->stage.perm_id.generation == w->generation;
}

/* Both halves were taken at one moment. */
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
	    (rc = become(w, &s)) != VT_OK)
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
	return resume(w, &s);
}

/*
 * Resume the state that the hypervisor brought back.  If it is not the one
 * that we have it is an older one: a new generation begins, which the
 * manager makes durable before anything of it is told.
 */
int
wk_restore(struct worker *w)
{
	bool present = is_present(w);
	uint64_t from = w->stage.perm_id.version, was = wk_state_version(w);
	int rc = VT_OK;

	if (!is_whole(w)) { /* nothing was touched yet: stay as we are */
		wk_stage_drop(w);
		wk_event(w, WE_VIOLATION,
		    "a snapshot was refused: its halves do not belong "
		    "together");
		return VT_E_STATE;
	}
	if (!present)
		rc = restore_perm(w);
	if (rc == VT_OK)
		rc = restore_vol(w);
	if (rc == VT_OK && !present)
		rc = journal_add_restored(w->cap.journal);
	wk_stage_drop(w);
	if (rc != VT_OK) {
		wk_event(w, WE_FAILURE, "a snapshot could not be resumed: %s",
		    vt_strerror(rc));
		if (!present)
			wk_break(w);
		else
			eng_power_off();
		return rc;
	}
	(void)wk_store_changes(w, 0);
	if (!present) {
		wk_store_now(w, WS_RESTORE);
		wk_event(w, WE_RESTORED,
		    "state version %llu was put back over %llu, generation is "
		    "now %llu",
		    (unsigned long long)from, (unsigned long long)was,
		    (unsigned long long)w->generation);
	}
	return VT_OK;
}

/* A guest that migrated on this host: the same state, another hypervisor. */
uint32_t
wk_take_over(void *arg)
{
	struct worker *w = ((struct slot *)arg)->w;

	if (w->phase != WP_LOADED || !w->stage.incoming ||
	    w->stage.perm == NULL || !is_present(w)) {
		wk_event(w, WE_VIOLATION,
		    "a migrated guest brought a state that is not the present "
		    "one");
		wk_stage_drop(w);
		return R12_FAIL;
	}
	w->stage.incoming = false;
	eng_power_off();
	return wk_restore(w) == VT_OK ? 0 : R12_FAIL;
}
