/* SPDX-License-Identifier: BSD-3-Clause */
/* cel.c - the Canonical Event Log as JSON. */
#include "measure/log/cel.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"

#define RS 0x1e /* RFC 7464 */

struct parse {
	struct cel_log *log;
	uint32_t room;
	char *err;
};

static int VT_PRINTF(3, 4) bad(struct parse *p, int rc, const char *fmt, ...)
{
	int n;
	va_list ap;

	n = snprintf(p->err, CEL_ERR_MAX, "entry %u: ", p->log->n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(p->err + n, CEL_ERR_MAX - (size_t)n, fmt, ap);
	va_end(ap);
	return rc;
}

/* --- one entry --------------------------------------------------------------
 */

static int
get_digest(struct parse *p, struct cel_event *ev, const json_t *v)
{
	const char *alg = json_string_value(json_object_get(v, "hashAlg"));
	const char *hex = json_string_value(json_object_get(v, "digest"));
	struct tpm_digest *d = &ev->digests[ev->ndigests];
	size_t len = 0;
	uint32_t i;

	if (alg == NULL || hex == NULL)
		return bad(p, VT_E_FORMAT,
		    "a digest without \"hashAlg\" or \"digest\"");
	d->alg = digest_alg(alg);
	if (d->alg == 0)
		return VT_OK; /* a bank that nobody here can compute */
	if (hex_decode(hex, d->val, sizeof(d->val), &len) != VT_OK ||
	    len != digest_len(d->alg))
		return bad(p, VT_E_FORMAT, "not a digest of its algorithm");
	d->len = (uint16_t)len;
	for (i = 0; i < ev->ndigests; i++)
		if (ev->digests[i].alg == d->alg)
			return bad(p, VT_E_FORMAT, "a bank twice");
	ev->ndigests++;
	return VT_OK;
}

static void
put_ascii(char *out, size_t cap, size_t *used, const char *s)
{
	for (; *s != '\0' && *used + 1 < cap; s++)
		out[(*used)++] = *s >= ' ' && *s <= '~' ? *s : '?';
	out[*used] = '\0';
}

/* The content's members that are text or numbers, as NAME=VALUE. */
static void
put_content(struct cel_event *ev, size_t used, json_t *content)
{
	char number[32];
	const char *s;
	void *it;
	json_t *v;

	for (it = json_object_iter(content); it != NULL;
	     it = json_object_iter_next(content, it)) {
		v = json_object_iter_value(it);
		s = json_string_value(v);
		if (json_is_integer(v)) {
			(void)snprintf(number, sizeof(number), "%lld",
			    (long long)json_integer_value(v));
			s = number;
		}
		if (s == NULL)
			continue;
		put_ascii(ev->words, sizeof(ev->words), &used, " ");
		put_ascii(ev->words, sizeof(ev->words), &used,
		    json_object_iter_key(it));
		put_ascii(ev->words, sizeof(ev->words), &used, "=");
		put_ascii(ev->words, sizeof(ev->words), &used, s);
	}
}

static int
get_pcr(struct parse *p, struct cel_event *ev, json_t *v)
{
	json_t *pcr = json_object_get(v, "pcr");
	json_int_t n;

	if (pcr == NULL && json_object_get(v, "nv_index") != NULL) {
		ev->nv = true;
		return VT_OK;
	}
	n = json_integer_value(pcr);
	if (!json_is_integer(pcr) || n < 0 || n >= PCR_COUNT)
		return bad(p, VT_E_FORMAT, "\"pcr\" is not 0 to 23");
	ev->pcr = (uint32_t)n;
	return VT_OK;
}

static int
get_entry(struct parse *p, struct cel_event *ev, json_t *v)
{
	json_t *digests = json_object_get(v, "digests");
	const char *type;
	size_t i, used = 0;
	int rc;

	memset(ev, 0, sizeof(*ev));
	if (!json_is_object(v))
		return bad(p, VT_E_FORMAT, "not an object");
	if ((rc = get_pcr(p, ev, v)) != VT_OK)
		return rc;
	if (!json_is_array(digests) || json_array_size(digests) == 0)
		return bad(p, VT_E_FORMAT, "\"digests\" is not a list");
	if (json_array_size(digests) > CEL_MAX_BANKS)
		return bad(
		    p, VT_E_RANGE, "more than %d digests", CEL_MAX_BANKS);
	for (i = 0; i < json_array_size(digests); i++)
		if ((rc = get_digest(p, ev, json_array_get(digests, i))) !=
		    VT_OK)
			return rc;
	type = json_string_value(json_object_get(v, "content_type"));
	put_ascii(
	    ev->words, sizeof(ev->words), &used, type != NULL ? type : "event");
	put_content(ev, used, json_object_get(v, "content"));
	return VT_OK;
}

static int
add_entry(struct parse *p, json_t *v)
{
	uint32_t room = p->room == 0 ? 64 : 2 * p->room;
	struct cel_event *ev;
	int rc;

	if (p->log->n == CEL_MAX_EVENTS)
		return bad(p, VT_E_RANGE, "more than %d", CEL_MAX_EVENTS);
	if (p->log->n == p->room) {
		ev = realloc(p->log->ev, room * sizeof(*ev));
		if (ev == NULL)
			return bad(p, VT_E_NOMEM, "out of memory");
		p->log->ev = ev;
		p->room = room;
	}
	if ((rc = get_entry(p, &p->log->ev[p->log->n], v)) == VT_OK)
		p->log->n++;
	return rc;
}

/* --- the whole --------------------------------------------------------------
 */

/* A text of JSON: one entry, or a list of them. */
static int
add_text(struct parse *p, json_t *v)
{
	size_t i;
	int rc = VT_OK;

	if (!json_is_array(v))
		return add_entry(p, v);
	for (i = 0; i < json_array_size(v) && rc == VT_OK; i++)
		rc = add_entry(p, json_array_get(v, i));
	return rc;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == RS;
}

static int
parse_all(struct parse *p, const uint8_t *buf, size_t len)
{
	json_error_t je;
	size_t at = 0;
	json_t *v;
	int rc;

	for (;;) {
		while (at < len && is_blank(buf[at]))
			at++;
		if (at == len)
			break;
		v = json_loadb((const char *)buf + at, len - at,
		    JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &je);
		if (v == NULL)
			return bad(p, VT_E_FORMAT, "not JSON: %.80s", je.text);
		at += (size_t)je.position;
		rc = add_text(p, v);
		json_decref(v);
		if (rc != VT_OK)
			return rc;
	}
	return p->log->n > 0 ? VT_OK : bad(p, VT_E_FORMAT, "there is none");
}

bool
cel_is_json(const uint8_t *buf, size_t len)
{
	while (len > 0 && *buf != RS && is_blank(*buf)) {
		buf++;
		len--;
	}
	return len > 0 && (*buf == '[' || *buf == '{' || *buf == RS);
}

int
cel_parse(
    const uint8_t *buf, size_t len, struct cel_log **ret, char err[CEL_ERR_MAX])
{
	struct parse p = { .err = err };
	int rc;

	(void)snprintf(err, CEL_ERR_MAX, "out of memory");
	if ((p.log = calloc(1, sizeof(*p.log))) == NULL)
		return VT_E_NOMEM;
	rc = len > CEL_MAX_LOG ? bad(&p, VT_E_RANGE, "the log is too long")
			       : parse_all(&p, buf, len);
	if (rc != VT_OK) {
		cel_free(p.log);
		return rc;
	}
	*ret = p.log;
	return VT_OK;
}

void
cel_free(struct cel_log *log)
{
	if (log == NULL)
		return;
	free(log->ev);
	free(log);
}
