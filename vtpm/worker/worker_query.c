/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_query.c - what the manager asks about a vTPM.
 */

#include "vtpm/worker/worker_query.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/log/journal_codec.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker_report.h"
#include "vtpm/worker/worker_seal.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"

#define INFO_MAX 1536
#define LOCKOUT_MAX 128
#define PCRS_PER_READ 8 /* TPM2_PCR_Read gives that many digests at once */

/* --- information -----------------------------------------------------------
 */

/* What dictionary attack protection has counted; "" while it cannot be read. */
static void
lockout(const struct worker *w, char *out, size_t cap)
{
	uint32_t attrs, counted, max, interval;

	out[0] = '\0';
	if (!eng_is_tpm2() || !power_is_started(w->power) ||
	    tcmd_property(PT_PERMANENT, &attrs) != VT_OK ||
	    tcmd_property(PT_LOCKOUT_COUNTER, &counted) != VT_OK ||
	    tcmd_property(PT_MAX_AUTH_FAIL, &max) != VT_OK ||
	    tcmd_property(PT_LOCKOUT_INTERVAL, &interval) != VT_OK)
		return;
	(void)snprintf(out, cap,
	    ",\"lockout\":{\"locked\":%s,\"wrong\":%u,\"max\":%u,"
	    "\"recovery_s\":%u}",
	    (attrs & PERMANENT_IN_LOCKOUT) != 0 ? "true" : "false", counted,
	    max, interval);
}

static int
info(struct worker *w, struct wr *p)
{
	struct mallinfo2 mi = mallinfo2();
	char buf[INFO_MAX], da[LOCKOUT_MAX];
	size_t perm;
	int n;

	(void)eng_permanent(&perm);
	lockout(w, da, sizeof(da));
	(void)wk_store_changes(w, 0); /* it forgives as time goes by */
	n = snprintf(buf, sizeof(buf),
	    "{\"commands\":%llu,\"stores\":%llu,\"held\":%llu,"
	    "\"refused\":%llu,\"power_cycles\":%u,\"powered\":%s,"
	    "\"started\":%s,\"capped\":%s,\"launched\":%s,\"restored\":%s,"
	    "\"generation\":%llu,\"version\":%llu,\"acknowledged\":%llu,"
	    "\"permanent_bytes\":%zu,\"journal_records\":%u,"
	    "\"journal_bytes\":%zu,\"quotes\":%u,\"heap_bytes\":%zu%s}",
	    (unsigned long long)w->n.commands, (unsigned long long)w->n.stores,
	    (unsigned long long)w->n.held_commands,
	    (unsigned long long)w->n.refused, w->power_cycles,
	    power_is_on(w->power) ? "true" : "false",
	    power_is_started(w->power) ? "true" : "false",
	    power_is_capped(w->power) ? "true" : "false",
	    power_is_launched(w->power) ? "true" : "false",
	    (w->perm_flags & SP_RESTORED) != 0 ? "true" : "false",
	    (unsigned long long)w->generation,
	    (unsigned long long)wk_state_version(w),
	    (unsigned long long)w->acked, perm, journal_count(w->cap.journal),
	    journal_memory(w->cap.journal), w->quotes.n, mi.uordblks, da);
	if (n < 0 || (size_t)n >= sizeof(buf))
		return VT_E_RANGE;
	wr_bytes(p, buf, (size_t)n);
	return VT_OK;
}

static int
identity(struct worker *w, struct wr *p)
{
	struct wprovisioned m;

	memset(&m, 0, sizeof(m));
	m.ek_rsa.p = w->keys.ek_rsa;
	m.ek_rsa.len = w->keys.ek_rsa_len;
	m.ek_ecc.p = w->keys.ek_ecc;
	m.ek_ecc.len = w->keys.ek_ecc_len;
	m.ak.p = w->keys.ak;
	m.ak.len = w->keys.ak_len;
	msg_put(p, wprovisioned, &m);
	return VT_OK;
}

/* --- PCRs ------------------------------------------------------------------
 */

static int
read_pcrs20(struct pcr_set *set, uint16_t alg, uint32_t first)
{
	uint32_t i, n, mask = 0xffu << first;
	struct pcr_sel sel = { .n = 1 }, got;
	struct tcmd c;
	struct rd r;
	int rc;

	sel.banks[0].alg = alg;
	sel.banks[0].mask = mask;
	tcmd_begin(&c, ST_NO_SESSIONS, CC_PCR_Read);
	pcr_sel_put(&c.w, &sel);
	if ((rc = tcmd_run(&c, NULL, &r)) != VT_OK)
		return rc;
	(void)rd_be32(&r); /* pcrUpdateCounter */
	pcr_sel_get(&r, &got);
	n = rd_be32(&r);
	if (r.err != VT_OK || n != PCRS_PER_READ || !pcr_sel_equal(&sel, &got))
		return VT_E_TPM;
	for (i = 0; i < n; i++) {
		size_t len;
		const uint8_t *v = rd_blob16(&r, DIGEST_MAX, &len);

		if (r.err != VT_OK || len != digest_len(alg))
			return VT_E_TPM;
		if ((rc = pcr_put(set, alg, first + i, v)) != VT_OK)
			return rc;
	}
	return VT_OK;
}

static int
read_pcr12(struct pcr_set *set, uint32_t pcr)
{
	struct tcmd c;
	struct rd r;
	const uint8_t *v;
	int rc;

	tcmd_begin(&c, TAG_RQU, ORD_PcrRead);
	wr_be32(&c.w, pcr);
	if ((rc = tcmd_run(&c, NULL, &r)) != VT_OK)
		return rc;
	v = rd_span(&r, SHA1_LEN);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	return pcr_put(set, ALG_SHA1, pcr, v);
}

static int
pcrs(struct worker *w, struct wr *p)
{
	struct pcr_set *set;
	uint32_t b, i;
	int rc;

	if (!power_is_started(w->power))
		return VT_E_STATE;
	if ((set = calloc(1, sizeof(*set))) == NULL)
		return VT_E_NOMEM;
	rc = pcr_set_init(set, w->cap.algs, w->cap.nbanks);
	for (b = 0; rc == VT_OK && b < w->cap.nbanks; b++) {
		if (!eng_is_tpm2()) {
			for (i = 0; rc == VT_OK && i < PCR_COUNT; i++)
				rc = read_pcr12(set, i);
			break;
		}
		for (i = 0; rc == VT_OK && i < PCR_COUNT; i += PCRS_PER_READ)
			rc = read_pcrs20(set, w->cap.algs[b], i);
	}
	if (rc == VT_OK)
		pcr_set_encode(p, set);
	free(set);
	return rc;
}

/* --- answers ---------------------------------------------------------------
 */

static int
volatile_state(struct worker *w, struct wr *p)
{
	uint8_t *blob;
	size_t len;
	int rc;

	/* Its permanent half must be on disk: W_LOAD compares versions. */
	if (!power_is_on(w->power) || wk_need(w) != 0)
		return VT_E_STATE;
	if ((rc = wk_seal_vol(
		 w, SEAL_VOLATILE, wk_state_version(w), &blob, &len)) != VT_OK)
		return rc;
	wr_bytes(p, blob, len);
	free(blob);
	return VT_OK;
}

static int
answer(struct worker *w, uint8_t what, struct wr *p)
{
	if (what == WQ_EK)
		return identity(w, p);
	if (!power_has_identity(w->power))
		return VT_E_STATE;
	switch (what) {
	case WQ_STATS:
		wk_stats_put(w, p);
		return VT_OK;
	case WQ_INFO:
		return info(w, p);
	case WQ_JOURNAL:
		journal_encode(w->cap.journal, p);
		return VT_OK;
	case WQ_LOG:
		if (!power_is_launched(w->power))
			return VT_E_NOTFOUND;
		wr_bytes(p, w->launch.now.l.log.p, w->launch.now.l.log.len);
		return VT_OK;
	case WQ_PCRS:
		return pcrs(w, p);
	case WQ_VOLATILE:
		return volatile_state(w, p);
	default:
		return VT_E_UNSUPPORTED;
	}
}

void
wk_query(struct worker *w, uint32_t id, uint8_t what)
{
	struct wanswer m;
	struct wr body, p;

	memset(&m, 0, sizeof(m));
	wr_grow(&body, STATE_MAX_LEN);
	m.rc = answer(w, what, &body);
	if (m.rc == VT_OK)
		m.rc = wr_err(&body);
	if (m.rc == VT_OK) {
		m.data.p = body.buf;
		m.data.len = (uint32_t)body.len;
	}
	wr_grow(&p, STATE_MAX_LEN + 64);
	msg_put(&p, wanswer, &m);
	wk_send(w, W_ANSWER, id, &p);
	wr_free(&p);
	wr_free(&body);
}
