/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_vendor.c - TPM_CC_VTPM: who this vTPM is, its log, journal, launch and
 * certificates.
 */
#include "vtpm/worker/worker_vendor.h"

#include <stdlib.h>
#include <string.h>

#include "measure/log/journal_codec.h"
#include "vtpm/engine/vendor_command.h"
#include "vtpm/worker/worker_deep.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"

void
wk_journal_copy_drop(struct worker *w)
{
	free(w->jsnap);
	w->jsnap = NULL;
	w->jsnap_len = 0;
}

/* A guest reads the journal in parts, and each command in between may change
 * it, so it reads a copy: made at offset 0, dropped at its end. */
static void
snap_journal(struct worker *w)
{
	struct wr p;

	wk_journal_copy_drop(w);
	wr_grow(&p, JOURNAL_MAX_LEN);
	journal_encode(w->cap.journal, &p);
	if (wr_err(&p) == VT_OK) {
		w->jsnap = p.buf;
		w->jsnap_len = p.len;
	} else {
		wr_free(&p);
	}
}

static uint32_t
info_flags(const struct worker *w)
{
	uint32_t f = 0;

	if (power_is_capped(w->power))
		f |= VIF_CAPPED;
	if ((w->perm_flags & SP_RESTORED) != 0)
		f |= VIF_RESTORED;
	if (power_is_launched(w->power))
		f |= VIF_LAUNCHED;
	if (w->soft_root)
		f |= VIF_SOFT_ROOT;
	if (w->machine.unseen)
		f |= VIF_UNSEEN;
	return f;
}

static struct wblob
newest_cert(const struct worker *w, uint8_t which)
{
	const struct wk_cert *c = &w->certs[which];

	return (struct wblob){ c->der, (uint32_t)c->len };
}

static void
gather_facts(struct worker *w, struct vendor_facts *f)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->uuid, w->uuid, sizeof(f->uuid));
	f->group = w->group;
	f->generation = w->generation;
	f->version = wk_state_version(w);
	f->power_cycles = w->power_cycles;
	f->flags = info_flags(w);
	f->build = w->build;
	if (power_is_launched(w->power)) {
		f->text[VSUB_LOG] = w->launch.now.l.log;
		f->text[VSUB_LAUNCH] = w->launch.now.l.record;
	}
	f->text[VSUB_JOURNAL].p = w->jsnap;
	f->text[VSUB_JOURNAL].len = (uint32_t)w->jsnap_len;
	f->text[VSUB_AK_CERT] = newest_cert(w, WCERT_AK);
	f->text[VSUB_EK_RSA_CERT] = newest_cert(w, WCERT_EK_RSA);
	f->text[VSUB_EK_ECC_CERT] = newest_cert(w, WCERT_EK_ECC);
}

static size_t
answer_journal(struct worker *w, const struct vendor_request *q)
{
	struct rd r = q->params;
	uint32_t off = rd_be32(&r);
	struct vendor_facts f;
	size_t n;

	if (off == 0 || w->jsnap == NULL)
		snap_journal(w);
	gather_facts(w, &f);
	n = vendor_answer(&f, q, w->out, WORKER_BUFFER);
	if (n > VENDOR_CHUNK_HDR &&
	    off + (n - VENDOR_CHUNK_HDR) >= w->jsnap_len)
		wk_journal_copy_drop(w);
	return n;
}

size_t
wk_vendor(struct worker *w, const struct tpm_cmd *cmd)
{
	struct vendor_request q;
	struct vendor_facts f;

	if (vendor_open(cmd, &q) != VT_OK)
		return vendor_fail(w->out, RC_SIZE);
	if (q.sub == VSUB_DEEP_SUBMIT || q.sub == VSUB_DEEP_COLLECT)
		return wk_deep(w, &q, w->out, WORKER_BUFFER);
	if (q.sub == VSUB_JOURNAL)
		return answer_journal(w, &q);
	gather_facts(w, &f);
	return vendor_answer(&f, &q, w->out, WORKER_BUFFER);
}
