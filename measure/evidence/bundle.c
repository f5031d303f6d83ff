/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bundle.c - the bundle as JSON, and what its quote must carry.
 */
#include "measure/evidence/bundle.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json_hex.h"
#include "base/rdwr.h"
#include "measure/cert/x509_cert.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/evidence/json_cut.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/quote.h"
#include "measure/tpm/tpm_public.h"

#define BUNDLE_VERSION 1
#define BUNDLE_DOMAIN "vtpm evidence v1" /* 16 bytes, no NUL */
#define INFO_FORMAT 1

/* The largest sizes that an honest bundle has. */
static const struct {
	const char *key;
	size_t max;
	bool needed;
} parts[BUNDLE_NPARTS] = {
	[BUNDLE_NONCE] = { "nonce", BUNDLE_NONCE_MAX, true },
	[BUNDLE_QUOTE] = { "quote", QUOTE_ATTEST_MAX, true },
	[BUNDLE_SIGNATURE] = { "signature", QUOTE_SIG_MAX, true },
	[BUNDLE_AK_PUBLIC] = { "ak_public", TPM_PUB_MAX + 2, true },
	[BUNDLE_AK_CERT] = { "ak_certificate", X509_CERT_MAX, false },
	[BUNDLE_EK_CERT] = { "ek_certificate", X509_CERT_MAX, false },
	[BUNDLE_LOG] = { "event_log", EL_MAX_LOG, false },
	[BUNDLE_JOURNAL] = { "journal", JOURNAL_MAX_LEN, false },
	[BUNDLE_LAUNCH] = { "launch_record", LAUNCH_MAX_LEN, false },
	[BUNDLE_HOST_LOG] = { "host_log", EL_MAX_LOG, false },
	[BUNDLE_INFO] = { "info", 1024, false },
	[BUNDLE_DEEP] = { "deep", DEEP_ANSWER_MAX, false },
};

int
bundle_new(struct bundle **ret)
{
	struct bundle *ev = calloc(1, sizeof(*ev));

	if (ev == NULL)
		return VT_E_NOMEM;
	*ret = ev;
	return VT_OK;
}

void
bundle_free(struct bundle *ev)
{
	size_t i;

	if (ev == NULL)
		return;
	for (i = 0; i < BUNDLE_NPARTS; i++)
		free(ev->part[i].p);
	free(ev);
}

int
bundle_set(struct bundle *ev, enum bundle_part part, const void *p, size_t len)
{
	uint8_t *copy;

	if (part >= BUNDLE_NPARTS || len == 0 || len > parts[part].max)
		return VT_E_RANGE;
	if ((copy = malloc(len)) == NULL)
		return VT_E_NOMEM;
	memcpy(copy, p, len);
	free(ev->part[part].p);
	ev->part[part].p = copy;
	ev->part[part].len = len;
	return VT_OK;
}

/* --- reading -----------------------------------------------------------------
 */

static int
bad(char err[BUNDLE_ERR_MAX], int rc, const char *key, const char *what)
{
	(void)snprintf(err, BUNDLE_ERR_MAX, "evidence: %.40s: %s", key, what);
	return rc;
}

static int
parse_nonce(
    struct bundle *ev, const char *text, size_t len, char err[BUNDLE_ERR_MAX])
{
	char hex[2 * BUNDLE_NONCE_MAX + 1]; /* in hex, as people pass it on */
	uint8_t raw[BUNDLE_NONCE_MAX];
	size_t n;

	if (len >= sizeof(hex))
		return bad(err, VT_E_RANGE, "nonce", "too long");
	memcpy(hex, text, len);
	hex[len] = '\0';
	if (strlen(hex) != len ||
	    hex_decode(hex, raw, sizeof(raw), &n) != VT_OK ||
	    n < BUNDLE_NONCE_MIN)
		return bad(
		    err, VT_E_FORMAT, "nonce", "not 8 to 64 bytes in hex");
	return bundle_set(ev, BUNDLE_NONCE, raw, n);
}

static int
parse_part(struct bundle *ev, const struct json_cut *j, enum bundle_part part,
    const json_t *val, char err[BUNDLE_ERR_MAX])
{
	struct bundle_blob *b = &ev->part[part];
	const char *text;
	size_t len;
	int rc;

	if (json_is_null(val) && !parts[part].needed)
		return VT_OK;
	if (!json_cut_text(j, val, &text, &len))
		return bad(err, VT_E_FORMAT, parts[part].key, "not text");
	if (part == BUNDLE_NONCE)
		return parse_nonce(ev, text, len, err);
	if (len > (parts[part].max + 2) / 3 * 4)
		return bad(err, VT_E_RANGE, parts[part].key, "too long");
	rc = b64_get(text, len, &b->p, &b->len);
	if (rc == VT_E_FORMAT)
		return bad(err, rc, parts[part].key, "not base64");
	if (rc == VT_OK && b->len > parts[part].max)
		return bad(err, VT_E_RANGE, parts[part].key, "too long");
	return rc;
}

static int
parse_bank(
    struct bundle *ev, uint16_t alg, json_t *bank, char err[BUNDLE_ERR_MAX])
{
	uint8_t val[DIGEST_MAX];
	const char *key;
	json_t *item;
	size_t n;
	char *end;

	if (!json_is_object(bank) || json_object_size(bank) == 0)
		return bad(err, VT_E_FORMAT, "pcrs", "a bank has no PCR");
	json_object_foreach(bank, key, item)
	{
		unsigned long pcr = strtoul(key, &end, 10);
		char again[24];

		(void)snprintf(again, sizeof(again), "%lu", pcr);
		if (strcmp(again, key) != 0 || pcr >= PCR_COUNT)
			return bad(err, VT_E_FORMAT, "pcrs", "no PCR number");
		if (!json_is_string(item) ||
		    hex_decode(json_string_value(item), val, sizeof(val), &n) !=
			VT_OK ||
		    n != digest_len(alg))
			return bad(err, VT_E_FORMAT, "pcrs",
			    "a value is not its bank's digest in hex");
		if (pcr_put(&ev->pcrs, alg, (uint32_t)pcr, val) != VT_OK)
			return bad(err, VT_E_FORMAT, "pcrs", "bad value");
	}
	return VT_OK;
}

/* Banks in ascending order of their algorithm, in any order in the file. */
static int
parse_pcrs(struct bundle *ev, json_t *obj, char err[BUNDLE_ERR_MAX])
{
	static const uint16_t known[] = { ALG_SHA1, ALG_SHA256, ALG_SHA384,
		ALG_SHA512 };
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t n = 0, i;
	int rc;

	_Static_assert(VT_NELEM(known) <= PCR_MAX_BANKS, "banks");
	if (!json_is_object(obj))
		return bad(err, VT_E_FORMAT, "pcrs", "not an object");
	for (i = 0; i < VT_NELEM(known); i++)
		if (json_object_get(obj, digest_name(known[i])) != NULL)
			algs[n++] = known[i];
	if (n == 0 || n != json_object_size(obj))
		return bad(err, VT_E_FORMAT, "pcrs", "no bank, or an unknown");
	if ((rc = pcr_set_init(&ev->pcrs, algs, n)) != VT_OK)
		return bad(err, rc, "pcrs", "bad banks");
	for (i = 0; i < n; i++)
		if ((rc = parse_bank(ev, algs[i],
			 json_object_get(obj, digest_name(algs[i])), err)) !=
		    VT_OK)
			return rc;
	return VT_OK;
}

static int
parse_key(struct bundle *ev, const struct json_cut *j, const char *key,
    json_t *val, char err[BUNDLE_ERR_MAX])
{
	int i;

	if (strcmp(key, "format") == 0) {
		if (!json_is_string(val) ||
		    strcmp(json_string_value(val), BUNDLE_FORMAT) != 0)
			return bad(err, VT_E_FORMAT, key,
			    "this is not a vtpm-evidence file");
		return VT_OK;
	}
	if (strcmp(key, "version") == 0) {
		if (!json_is_integer(val) ||
		    json_integer_value(val) != BUNDLE_VERSION)
			return bad(err, VT_E_UNSUPPORTED, key,
			    "only version 1 is known here");
		return VT_OK;
	}
	if (strcmp(key, "pcrs") == 0)
		return parse_pcrs(ev, val, err);
	for (i = 0; i < BUNDLE_NPARTS; i++)
		if (strcmp(key, parts[i].key) == 0)
			return parse_part(ev, j, (enum bundle_part)i, val, err);
	return bad(err, VT_E_FORMAT, key, "unknown key");
}

static int
parse_root(
    struct bundle *ev, const struct json_cut *j, char err[BUNDLE_ERR_MAX])
{
	json_t *root = j->root, *val;
	const char *key;
	int rc, i;

	if (!json_is_object(root))
		return bad(err, VT_E_FORMAT, "file", "not a JSON object");
	/* Check the format first: its message is the most useful one. */
	if (json_object_get(root, "format") == NULL ||
	    json_object_get(root, "version") == NULL)
		return bad(err, VT_E_FORMAT, "file",
		    "this is not a vtpm-evidence file");
	json_object_foreach(root, key,
	    val) if ((rc = parse_key(ev, j, key, val, err)) != VT_OK) return rc;
	for (i = 0; i < BUNDLE_NPARTS; i++)
		if (parts[i].needed && ev->part[i].p == NULL)
			return bad(err, VT_E_FORMAT, parts[i].key, "missing");
	if (ev->pcrs.nbanks == 0)
		return bad(err, VT_E_FORMAT, "pcrs", "missing");
	return VT_OK;
}

int
bundle_parse(
    const void *json, size_t len, struct bundle **ret, char err[BUNDLE_ERR_MAX])
{
	struct bundle *ev = NULL;
	struct json_cut j = { 0 };
	json_error_t je;
	int rc;

	if (len > BUNDLE_MAX_LEN)
		return bad(err, VT_E_RANGE, "file", "too long");
	if ((rc = json_cut_load(json, len, &j, &je)) == VT_E_FORMAT) {
		(void)snprintf(err, BUNDLE_ERR_MAX,
		    "evidence: not JSON: %.80s in line %d", je.text, je.line);
		return rc;
	}
	if (rc == VT_OK)
		rc = bundle_new(&ev);
	if (rc == VT_OK)
		rc = parse_root(ev, &j, err);
	json_cut_done(&j);
	if (rc == VT_E_NOMEM)
		(void)bad(err, rc, "file", "out of memory");
	if (rc != VT_OK) {
		bundle_free(ev);
		return rc;
	}
	*ret = ev;
	return VT_OK;
}

/* --- writing -----------------------------------------------------------------
 */

static json_t *
json_base64(const struct bundle_blob *b)
{
	char *text = b64_make(b->p, b->len);
	json_t *val = text != NULL ? json_string(text) : NULL;

	free(text);
	return val;
}

static json_t *
json_pcrs(const struct pcr_set *set)
{
	json_t *obj = json_object(), *bank;
	char key[8];
	uint32_t b, i;
	int bad_json = 0;

	for (b = 0; obj != NULL && b < set->nbanks; b++) {
		const struct pcr_bank *pb = &set->banks[b];

		bank = json_object();
		for (i = 0; i < PCR_COUNT; i++) {
			if ((pb->valid >> i & 1) == 0)
				continue;
			(void)snprintf(key, sizeof(key), "%u", (unsigned)i);
			bad_json |= json_object_set_new(
			    bank, key, json_hex(pb->val[i], pb->len));
		}
		bad_json |=
		    json_object_set_new(obj, digest_name(pb->alg), bank);
	}
	if (bad_json != 0) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

int
bundle_format(const struct bundle *ev, char **ret)
{
	json_t *root = json_object(), *val;
	int i, bad_json = 0;
	char *text;

	bad_json |=
	    json_object_set_new(root, "format", json_string(BUNDLE_FORMAT));
	bad_json |=
	    json_object_set_new(root, "version", json_integer(BUNDLE_VERSION));
	for (i = 0; i < BUNDLE_NPARTS; i++) {
		const struct bundle_blob *b = &ev->part[i];

		if (i == BUNDLE_LOG) /* where a reader looks for it */
			bad_json |= json_object_set_new(
			    root, "pcrs", json_pcrs(&ev->pcrs));
		if (b->p == NULL)
			continue;
		val =
		    i == BUNDLE_NONCE ? json_hex(b->p, b->len) : json_base64(b);
		bad_json |= json_object_set_new(root, parts[i].key, val);
	}
	text = bad_json == 0 ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	if (text == NULL)
		return VT_E_NOMEM;
	*ret = text;
	return VT_OK;
}

/* --- meaning -----------------------------------------------------------------
 */

void
bundle_selection(const struct bundle *ev, struct pcr_sel *ret)
{
	uint32_t b;

	memset(ret, 0, sizeof(*ret));
	for (b = 0; b < ev->pcrs.nbanks && b < PCR_MAX_BANKS; b++) {
		ret->banks[b].alg = ev->pcrs.banks[b].alg;
		ret->banks[b].mask = ev->pcrs.banks[b].valid;
	}
	ret->n = b;
}

static const enum bundle_part bound[] = { BUNDLE_LOG, BUNDLE_JOURNAL,
	BUNDLE_LAUNCH, BUNDLE_HOST_LOG, BUNDLE_INFO };

int
bundle_digests(const struct bundle *ev, struct bundle_digests *ret)
{
	size_t i;
	int rc;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < VT_NELEM(bound); i++) {
		const struct bundle_blob *b = &ev->part[bound[i]];

		if (b->p == NULL)
			continue;
		ret->there[bound[i]] = true;
		if ((rc = digest_buf(
			 ALG_SHA256, b->p, b->len, ret->d[bound[i]])) != VT_OK)
			return rc;
	}
	return VT_OK;
}

void
bundle_put_part(
    struct wr *w, const struct bundle_digests *dig, enum bundle_part part)
{
	if (dig->there[part])
		wr_blob32(w, dig->d[part], SHA256_LEN);
	else
		wr_blob32(w, NULL, 0);
}

int
bundle_qualify_by(const struct bundle *ev, const struct bundle_digests *dig,
    uint8_t out[SHA256_LEN])
{
	uint8_t buf[sizeof(BUNDLE_DOMAIN) + 4 + BUNDLE_NONCE_MAX +
		    VT_NELEM(bound) * (4 + SHA256_LEN)];
	struct wr w;
	size_t i;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, BUNDLE_DOMAIN, sizeof(BUNDLE_DOMAIN) - 1);
	wr_blob32(&w, ev->part[BUNDLE_NONCE].p, ev->part[BUNDLE_NONCE].len);
	for (i = 0; i < VT_NELEM(bound); i++)
		bundle_put_part(&w, dig, bound[i]);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return digest_buf(ALG_SHA256, buf, w.len, out);
}

int
bundle_qualify(const struct bundle *ev, uint8_t out[SHA256_LEN])
{
	struct bundle_digests dig;
	int rc = bundle_digests(ev, &dig);

	return rc == VT_OK ? bundle_qualify_by(ev, &dig, out) : rc;
}

int
bundle_info_get(const uint8_t *buf, size_t len, struct bundle_info *ret)
{
	struct bundle_info v;
	uint16_t format;
	struct rd r;
	int rc;

	memset(&v, 0, sizeof(v));
	rd_init(&r, buf, len);
	format = rd_be16(&r);
	if (rd_err(&r) == VT_OK && format != INFO_FORMAT)
		return VT_E_UNSUPPORTED;
	rd_bytes(&r, v.uuid, sizeof(v.uuid));
	v.group = rd_be32(&r);
	v.generation = rd_be64(&r);
	v.version = rd_be64(&r);
	v.power_cycles = rd_be32(&r);
	v.flags = rd_be32(&r);
	if ((v.flags & ~(uint32_t)BUNDLE_F_ALL) != 0)
		rd_fail(&r, VT_E_FORMAT);
	rd_str(&r, v.build, sizeof(v.build));
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	*ret = v;
	return VT_OK;
}
