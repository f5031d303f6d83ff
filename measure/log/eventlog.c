/* SPDX-License-Identifier: BSD-3-Clause */
/* eventlog.c - a cursor over both forms of event log, and a writer. */
#include "measure/log/eventlog.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/tpm/pcr.h"

#define SPEC_ID_SIG "Spec ID Event03" /* 16 bytes with its NUL */
#define LOCALITY_SIG "StartupLocality"
#define SIG_LEN 16

struct el_log {
	struct el_spec spec;
	struct rd rest;
	uint32_t index; /* of the next event */
};

struct el_writer {
	struct el_spec spec;
	struct wr w;
	uint32_t events;
};

/* Digest sizes that a header may state; an unknown algorithm keeps its own. */
static bool
size_fits(uint16_t alg, uint16_t len)
{
	size_t known = digest_len(alg);

	if (len == 0 || len > DIGEST_MAX)
		return false;
	return known == 0 || known == len;
}

static void
get_banks(struct rd *r, struct el_spec *spec)
{
	uint32_t i, j;

	spec->nbanks = rd_le32(r);
	if (spec->nbanks > EL_MAX_BANKS)
		rd_fail(r, VT_E_RANGE);
	else if (spec->nbanks == 0)
		rd_fail(r, VT_E_FORMAT);
	for (i = 0; i < spec->nbanks && r->err == VT_OK; i++) {
		spec->algs[i] = rd_le16(r);
		spec->lens[i] = rd_le16(r);
		if (r->err == VT_OK && !size_fits(spec->algs[i], spec->lens[i]))
			rd_fail(r, VT_E_FORMAT);
		for (j = 0; j < i; j++)
			if (spec->algs[j] == spec->algs[i])
				rd_fail(r, VT_E_FORMAT);
	}
}

/* TCG_EfiSpecIdEvent, after its signature. */
static int
get_spec(const uint8_t *data, size_t len, struct el_spec *ret)
{
	struct el_spec spec = { .agile = true };
	struct rd r;
	uint8_t vendor;

	rd_init(&r, data, len);
	(void)rd_span(&r, SIG_LEN);
	spec.platform_class = rd_le32(&r);
	spec.minor = rd_u8(&r);
	spec.major = rd_u8(&r);
	spec.errata = rd_u8(&r);
	(void)rd_u8(&r); /* uintnSize */
	get_banks(&r, &spec);
	vendor = rd_u8(&r);
	(void)rd_span(&r, vendor);
	if (rd_err(&r) == VT_E_TRUNC)
		return VT_E_FORMAT; /* the event is whole, its inside is not */
	if (rd_end(&r) != VT_OK)
		return rd_end(&r);
	*ret = spec;
	return VT_OK;
}

static bool
pcr_allowed(uint32_t pcr, uint32_t type)
{
	if (pcr <= EL_PCR_LAST)
		return true;
	return pcr == EL_PCR_NONE && type == EV_NO_ACTION;
}

static void
get_data(struct rd *r, struct el_event *ev)
{
	ev->datalen = rd_le32(r);
	if (ev->datalen > EL_MAX_DATA)
		rd_fail(r, VT_E_RANGE);
	ev->data = rd_span(r, ev->datalen);
}

/* TCG_PCR_EVENT, the SHA-1 form; entry 0 of every log has it too. */
static int
get_event1(struct rd *r, struct el_event *ev)
{
	ev->pcr = rd_le32(r);
	ev->type = rd_le32(r);
	ev->ndigests = 1;
	ev->digests[0].alg = ALG_SHA1;
	ev->digests[0].len = SHA1_LEN;
	rd_bytes(r, ev->digests[0].val, SHA1_LEN);
	if (r->err == VT_OK && !pcr_allowed(ev->pcr, ev->type))
		rd_fail(r, VT_E_FORMAT);
	get_data(r, ev);
	return rd_err(r);
}

/*
 * TPMT_HA.  The length is not on the wire, the header event gave it.  One
 * digest per bank: a second one would leave some other bank unmeasured.
 */
static void
get_digest(struct rd *r, const struct el_spec *spec, struct el_event *ev)
{
	uint16_t alg = rd_le16(r);
	uint32_t b;
	struct tpm_digest *d;

	for (b = 0; b < spec->nbanks; b++)
		if (spec->algs[b] == alg)
			break;
	if (b == spec->nbanks || ev->digests[b].len != 0) {
		rd_fail(r, VT_E_FORMAT);
		return;
	}
	d = &ev->digests[b];
	d->alg = alg;
	d->len = spec->lens[b];
	rd_bytes(r, d->val, d->len);
}

/* TCG_PCR_EVENT2. */
static int
get_event2(struct rd *r, const struct el_spec *spec, struct el_event *ev)
{
	uint32_t i;

	ev->pcr = rd_le32(r);
	ev->type = rd_le32(r);
	ev->ndigests = rd_le32(r);
	if (rd_err(r) != VT_OK)
		return rd_err(r);
	if (!pcr_allowed(ev->pcr, ev->type) || ev->ndigests != spec->nbanks)
		return VT_E_FORMAT;
	for (i = 0; i < ev->ndigests; i++) /* nbanks <= EL_MAX_BANKS */
		get_digest(r, spec, ev);
	get_data(r, ev);
	return rd_err(r);
}

static bool
is_spec_id(const struct el_event *ev)
{
	return ev->pcr == 0 && ev->type == EV_NO_ACTION &&
	       ev->datalen >= SIG_LEN &&
	       memcmp(ev->data, SPEC_ID_SIG, SIG_LEN) == 0;
}

static bool
digest_is_zero(const struct tpm_digest *d)
{
	uint16_t i;

	for (i = 0; i < d->len; i++)
		if (d->val[i] != 0)
			return false;
	return true;
}

int
el_open(const uint8_t *buf, size_t len, struct el_log **ret)
{
	struct el_spec spec = {
		.nbanks = 1, .algs = { ALG_SHA1 }, .lens = { SHA1_LEN }
	};
	struct el_event ev = { 0 };
	struct el_log *log;
	struct rd r;
	int rc;

	if (len > EL_MAX_LOG)
		return VT_E_RANGE;
	rd_init(&r, buf, len);
	if ((rc = get_event1(&r, &ev)) != VT_OK)
		return rc;
	if (!is_spec_id(&ev))
		rd_init(&r, buf, len); /* SHA-1 form: it is an event */
	else if (!digest_is_zero(&ev.digests[0]))
		return VT_E_FORMAT;
	else if ((rc = get_spec(ev.data, ev.datalen, &spec)) != VT_OK)
		return rc;
	if ((log = calloc(1, sizeof(*log))) == NULL)
		return VT_E_NOMEM;
	log->spec = spec;
	log->rest = r;
	*ret = log;
	return VT_OK;
}

const struct el_spec *
el_spec(const struct el_log *log)
{
	return &log->spec;
}

/* Firmware hands over its whole buffer, of which only a part is used. */
static bool
only_padding(const struct rd *r)
{
	size_t i;

	if (r->left == 0)
		return true;
	if (r->p[0] != 0x00 && r->p[0] != 0xff)
		return false;
	for (i = 1; i < r->left; i++)
		if (r->p[i] != r->p[0])
			return false;
	return true;
}

int
el_next(struct el_log *log, struct el_event *ev)
{
	struct rd r = log->rest; /* commit only on success */
	struct el_event e = { .index = log->index };
	int rc;

	if (only_padding(&r))
		return 0;
	if (log->index >= EL_MAX_EVENTS)
		return VT_E_RANGE;
	if (log->spec.agile)
		rc = get_event2(&r, &log->spec, &e);
	else
		rc = get_event1(&r, &e);
	if (rc != VT_OK)
		return rc;
	log->rest = r;
	log->index++;
	*ev = e;
	return 1;
}

void
el_close(struct el_log *log)
{
	free(log);
}

const struct tpm_digest *
el_event_digest(const struct el_event *ev, uint16_t alg)
{
	uint32_t i;

	for (i = 0; i < ev->ndigests; i++)
		if (ev->digests[i].alg == alg)
			return &ev->digests[i];
	return NULL;
}

bool
el_extends(const struct el_event *ev)
{
	return ev->type != EV_NO_ACTION && ev->pcr <= EL_PCR_LAST;
}

bool
el_digests_are_zero(const struct el_event *ev)
{
	uint32_t i;

	for (i = 0; i < ev->ndigests; i++)
		if (!digest_is_zero(&ev->digests[i]))
			return false;
	return true;
}

int
el_startup_locality(const struct el_event *ev, uint8_t *ret_locality)
{
	if (ev->type != EV_NO_ACTION || ev->datalen < SIG_LEN ||
	    memcmp(ev->data, LOCALITY_SIG, SIG_LEN) != 0)
		return 0;
	if (ev->pcr != 0 || ev->datalen != SIG_LEN + 1 || ev->data[SIG_LEN] > 4)
		return VT_E_FORMAT;
	*ret_locality = ev->data[SIG_LEN];
	return 1;
}

bool
el_is_launch(const struct el_event *ev)
{
	struct rd r;

	if (ev->pcr != 17 || ev->type != EV_EVENT_TAG)
		return false;
	rd_init(&r, ev->data, ev->datalen);
	return rd_le32(&r) == EL_TAG_LAUNCH && rd_err(&r) == VT_OK;
}

/* --- writer --------------------------------------------------------------- */

static void
put_header(struct el_writer *w)
{
	static const uint8_t zero[SHA1_LEN];
	uint32_t i;

	wr_le32(&w->w, 0);
	wr_le32(&w->w, EV_NO_ACTION);
	wr_bytes(&w->w, zero, sizeof(zero));
	wr_le32(&w->w, SIG_LEN + 4 + 4 + 4 + 4 * w->spec.nbanks + 1);
	wr_bytes(&w->w, SPEC_ID_SIG, SIG_LEN);
	wr_le32(&w->w, w->spec.platform_class);
	wr_u8(&w->w, w->spec.minor);
	wr_u8(&w->w, w->spec.major);
	wr_u8(&w->w, w->spec.errata);
	wr_u8(&w->w, 2); /* uintnSize: 64 bit */
	wr_le32(&w->w, w->spec.nbanks);
	for (i = 0; i < w->spec.nbanks; i++) {
		wr_le16(&w->w, w->spec.algs[i]);
		wr_le16(&w->w, w->spec.lens[i]);
	}
	wr_u8(&w->w, 0); /* no vendor information */
}

int
el_writer_new(
    const uint16_t *algs, uint32_t n, bool sha1_format, struct el_writer **ret)
{
	struct el_spec spec = { .agile = !sha1_format, .major = 2 };
	struct el_writer *w;
	uint32_t i, j;

	if (n == 0 || n > EL_MAX_BANKS)
		return VT_E_RANGE;
	if (sha1_format && (n != 1 || algs[0] != ALG_SHA1))
		return VT_E_UNSUPPORTED;
	for (i = 0; i < n; i++) {
		if (digest_len(algs[i]) == 0)
			return VT_E_UNSUPPORTED;
		for (j = 0; j < i; j++)
			if (algs[j] == algs[i])
				return VT_E_UNSUPPORTED;
		spec.algs[i] = algs[i];
		spec.lens[i] = (uint16_t)digest_len(algs[i]);
	}
	spec.nbanks = n;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return VT_E_NOMEM;
	w->spec = spec;
	wr_grow(&w->w, EL_MAX_LOG);
	if (spec.agile)
		put_header(w);
	*ret = w;
	return VT_OK;
}

void
el_writer_free(struct el_writer *w)
{
	if (w == NULL)
		return;
	wr_free(&w->w);
	free(w);
}

/* d: one digest per bank, in the header's order. */
static void
put_event(struct el_writer *w, uint32_t pcr, uint32_t type,
    const struct tpm_digest *d, const void *data, size_t dlen)
{
	uint32_t i;

	if (!pcr_allowed(pcr, type) || dlen > EL_MAX_DATA ||
	    w->events >= EL_MAX_EVENTS) {
		wr_fail(&w->w, VT_E_RANGE);
		return;
	}
	w->events++;
	wr_le32(&w->w, pcr);
	wr_le32(&w->w, type);
	if (w->spec.agile)
		wr_le32(&w->w, w->spec.nbanks);
	for (i = 0; i < w->spec.nbanks; i++) {
		if (w->spec.agile)
			wr_le16(&w->w, w->spec.algs[i]);
		wr_bytes(&w->w, d[i].val, w->spec.lens[i]);
	}
	wr_le32(&w->w, (uint32_t)dlen);
	wr_bytes(&w->w, data, dlen);
}

void
el_add(struct el_writer *w, uint32_t pcr, uint32_t type, const void *measured,
    size_t mlen, const void *data, size_t dlen)
{
	struct tpm_digest d[EL_MAX_BANKS];
	uint32_t i;
	int rc;

	for (i = 0; i < w->spec.nbanks; i++) {
		rc = digest_buf(w->spec.algs[i], measured, mlen, d[i].val);
		if (rc != VT_OK) {
			wr_fail(&w->w, rc);
			return;
		}
	}
	put_event(w, pcr, type, d, data, dlen);
}

void
el_add_data(struct el_writer *w, uint32_t pcr, uint32_t type, const void *data,
    size_t dlen)
{
	el_add(w, pcr, type, data, dlen, data, dlen);
}

void
el_add_digests(struct el_writer *w, uint32_t pcr, uint32_t type,
    const struct tpm_digest *d, uint32_t n, const void *data, size_t dlen)
{
	struct tpm_digest own[EL_MAX_BANKS];
	uint32_t i, k;

	for (i = 0; i < w->spec.nbanks; i++) {
		for (k = 0; k < n; k++)
			if (d[k].alg == w->spec.algs[i] &&
			    d[k].len == w->spec.lens[i])
				break;
		if (k == n) {
			wr_fail(&w->w, VT_E_NOTFOUND);
			return;
		}
		own[i] = d[k];
	}
	put_event(w, pcr, type, own, data, dlen);
}

int
el_writer_bytes(const struct el_writer *w, const uint8_t **ret, size_t *ret_len)
{
	if (wr_err(&w->w) != VT_OK)
		return wr_err(&w->w);
	*ret = w->w.buf;
	*ret_len = w->w.len;
	return VT_OK;
}
