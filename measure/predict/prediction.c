/* SPDX-License-Identifier: BSD-3-Clause */
/* prediction.c - collects the events of a boot that has not happened yet. */
#include "measure/predict/prediction.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"

int
pred_new(const uint16_t *algs, uint32_t n, struct prediction **ret)
{
	struct prediction *p = calloc(1, sizeof(*p));
	uint32_t i;
	int rc;

	if (p == NULL)
		return VT_E_NOMEM;
	if (n > PCR_MAX_BANKS) {
		free(p);
		return VT_E_RANGE;
	}
	for (i = 0; i < n; i++)
		p->algs[p->nalgs++] = algs[i];
	if ((rc = el_writer_new(algs, n, false, &p->log)) != VT_OK) {
		free(p);
		return rc;
	}
	*ret = p;
	return VT_OK;
}

void
pred_free(struct prediction *p)
{
	if (p == NULL)
		return;
	el_writer_free(p->log);
	free(p);
}

void
pred_event(struct prediction *p, uint32_t pcr, uint32_t type,
    const void *measured, size_t mlen, const void *data, size_t dlen)
{
	el_add(p->log, pcr, type, measured, mlen, data, dlen);
}

void
pred_text(struct prediction *p, uint32_t pcr, uint32_t type, const char *text)
{
	el_add_data(p->log, pcr, type, text, strlen(text));
}

void
pred_digests(struct prediction *p, uint32_t pcr, uint32_t type,
    const struct tpm_digest *d, uint32_t n, const void *data, size_t dlen)
{
	el_add_digests(p->log, pcr, type, d, n, data, dlen);
}

void
pred_separator(struct prediction *p, uint32_t pcr)
{
	el_add_data(p->log, pcr, EV_SEPARATOR, "\0\0\0\0", 4);
}

void
pred_unknown(struct prediction *p, uint32_t pcr, const char *fmt, ...)
{
	va_list ap;

	if (pcr >= PCR_COUNT || (p->unknown >> pcr & 1) != 0)
		return;
	p->unknown |= 1u << pcr;
	va_start(ap, fmt);
	(void)vsnprintf(p->why[pcr], PRED_TEXT_MAX, fmt, ap);
	va_end(ap);
	text_clean(p->why[pcr]);
}

void
pred_unknown_rest(struct prediction *p, const char *fmt, ...)
{
	static const uint32_t pcrs[] = { 4, 5, 8, 9, 11, 12, 13, 14 };
	char text[PRED_TEXT_MAX];
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (i = 0; i < VT_NELEM(pcrs); i++)
		pred_unknown(p, pcrs[i], "%s", text);
}

void
pred_note(struct prediction *p, const char *fmt, ...)
{
	char text[PRED_TEXT_MAX];
	va_list ap;
	uint32_t i;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text);
	for (i = 0; i < p->nnotes; i++)
		if (strcmp(p->notes[i], text) == 0)
			return;
	if (p->nnotes < PRED_NOTES_MAX)
		memcpy(p->notes[p->nnotes++], text, sizeof(text));
}

/* What no event extends keeps its reset value; what is unknown has none. */
static void
fill(const struct prediction *p, struct pcr_set *set)
{
	static const uint8_t zero[DIGEST_MAX];
	uint32_t b, i;

	for (b = 0; b < set->nbanks; b++)
		for (i = 0; i < PCR_COUNT; i++) {
			struct pcr_bank *bank = &set->banks[b];

			if ((p->unknown >> i & 1) != 0) {
				bank->valid &= ~(1u << i);
				memset(bank->val[i], 0, sizeof(bank->val[i]));
			} else if (i < 16 && (bank->valid >> i & 1) == 0) {
				bank->valid |= 1u << i;
				memcpy(bank->val[i], zero, bank->len);
			}
		}
}

int
pred_result(const struct prediction *p, struct replay **ret, char *err)
{
	const uint8_t *buf;
	size_t len;
	int rc;

	if ((rc = el_writer_bytes(p->log, &buf, &len)) != VT_OK) {
		(void)snprintf(err, REPLAY_ERR_MAX, "the predicted log: %s",
		    vt_strerror(rc));
		return rc;
	}
	if ((rc = replay_make(buf, len, ret, err)) == VT_OK)
		fill(p, &(*ret)->pcrs);
	return rc;
}
