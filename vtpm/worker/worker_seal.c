/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_seal.c - the vTPM's state, sealed (law 5).
 */
#include "vtpm/worker/worker_seal.h"

#include <stdlib.h>
#include <string.h>

#include "measure/log/journal_codec.h"
#include "vtpm/engine/engine.h"
#include "vtpm/state/seal.h"
#include "vtpm/state/state.h"
#include "vtpm/worker/worker_state.h"

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
	s.flags =
	    (uint8_t)(w->perm_flags | (eng_is_orderly() ? SP_ORDERLY : 0));
	p = eng_permanent(&len);
	set_blob(&s.tpm, p, len);
	set_blob(&s.ek_rsa, w->keys.ek_rsa, w->keys.ek_rsa_len);
	set_blob(&s.ek_ecc, w->keys.ek_ecc, w->keys.ek_ecc_len);
	set_blob(&s.ak, w->keys.ak, w->keys.ak_len);
	set_blob(&s.ak_private, w->keys.ak_private, w->keys.ak_private_len);
	wr_grow(&plain, STATE_PLAIN_MAX);
	state_perm_put(&plain, &s);
	return seal(w, &id, &plain, ret, ret_len);
}

static uint8_t
vol_flags(const struct worker *w)
{
	return (uint8_t)((power_is_started(w->power) ? SV_STARTED : 0) |
			 (power_is_capped(w->power) ? SV_CAPPED : 0) |
			 (power_is_launched(w->power) ? SV_LAUNCHED : 0) |
			 (power_is_waking(w->power) ? SV_WAKING : 0) |
			 (w->machine.unseen ? SV_UNSEEN : 0));
}

int
wk_seal_vol(struct worker *w, uint16_t kind, uint64_t version, uint8_t **ret,
    size_t *ret_len)
{
	struct seal_id id = {
		.kind = kind, .generation = w->generation, .version = version
	};
	uint8_t quotes[QUOTES_MAX * QUOTE_LEN] = { 0 }, *tpm = NULL;
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
	set_blob(&s.launch, w->launch.now.bytes, w->launch.now.len);
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
