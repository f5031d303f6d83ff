/* SPDX-License-Identifier: BSD-3-Clause */
/* ima.c - measurement lists of Linux's IMA, ascii and binary. */
#include "measure/log/ima.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define PCR_LAST 23
#define OLD_NAME_LEN 256 /* "ima": the name fills this, with zeros behind */

/* --- the data of a template ------------------------------------------------
 */

/* Copy text of len bytes without its last NUL. */
static int
copy_text(char *out, size_t cap, const uint8_t *p, size_t len)
{
	if (len > 0 && p[len - 1] == '\0')
		len--;
	if (len >= cap)
		return VT_E_RANGE;
	if (memchr(p, '\0', len) != NULL)
		return VT_E_FORMAT;
	memcpy(out, p, len);
	out[len] = '\0';
	return VT_OK;
}

/* Field d-ng: "ALG:", NUL, digest. */
static int
get_file_digest(struct ima_event *ev, const uint8_t *p, size_t len)
{
	const uint8_t *nul = memchr(p, '\0', len);
	size_t n;

	if (nul == NULL || nul == p || nul[-1] != ':')
		return VT_E_FORMAT;
	n = (size_t)(nul - p) - 1;
	len -= n + 2;
	if (n >= sizeof(ev->alg) || len > DIGEST_MAX)
		return VT_E_RANGE;
	memcpy(ev->alg, p, n);
	ev->alg[n] = '\0';
	hex_encode(nul + 1, len, ev->digest);
	return VT_OK;
}

static const uint8_t *
field(struct rd *r, size_t *ret_len)
{
	*ret_len = rd_le32(r);
	return rd_span(r, *ret_len);
}

/* ima-ng: d-ng, n-ng.  ima-sig: and the signature. */
static int
parse_data(struct ima_event *ev)
{
	const uint8_t *d, *n;
	size_t dlen, nlen;
	struct rd r;
	int rc;

	rd_init(&r, ev->data, ev->len);
	d = field(&r, &dlen);
	n = field(&r, &nlen);
	if (strcmp(ev->name, "ima-sig") == 0)
		(void)field(&r, &ev->sig_len);
	if (rd_end(&r) != VT_OK)
		return VT_E_FORMAT;
	rc = get_file_digest(ev, d, dlen);
	return rc == VT_OK ? copy_text(ev->file, sizeof(ev->file), n, nlen)
			   : rc;
}

static bool
known(const char *name)
{
	return strcmp(name, "ima") == 0 || strcmp(name, "ima-ng") == 0 ||
	       strcmp(name, "ima-sig") == 0;
}

/* --- binary ----------------------------------------------------------------
 */

/* "ima": SHA-1 of the file, and its name; the digest is over both, the name
 * filled up with zeros. */
static int
get_old_data(struct rd *r, struct ima_event *ev)
{
	const uint8_t *d = rd_span(r, SHA1_LEN), *n;
	size_t nlen = rd_le32(r);

	if ((n = rd_span(r, nlen)) == NULL || d == NULL)
		return rd_err(r);
	if (nlen >= OLD_NAME_LEN)
		return VT_E_RANGE;
	memset(ev->data, 0, SHA1_LEN + OLD_NAME_LEN);
	memcpy(ev->data, d, SHA1_LEN);
	memcpy(ev->data + SHA1_LEN, n, nlen);
	ev->len = SHA1_LEN + OLD_NAME_LEN;
	(void)snprintf(ev->alg, sizeof(ev->alg), "sha1");
	hex_encode(d, SHA1_LEN, ev->digest);
	return copy_text(ev->file, sizeof(ev->file), n, nlen);
}

static int
next_binary(struct rd *r, struct ima_event *ev)
{
	const uint8_t *p;
	size_t len;
	int rc;

	ev->pcr = rd_le32(r);
	rd_bytes(r, ev->sha1, SHA1_LEN);
	len = rd_le32(r);
	if (rd_err(r) == VT_OK && len >= sizeof(ev->name))
		return VT_E_FORMAT;
	if ((p = rd_span(r, len)) == NULL)
		return rd_err(r) != VT_OK ? rd_err(r) : VT_E_FORMAT;
	if ((rc = copy_text(ev->name, sizeof(ev->name), p, len)) != VT_OK)
		return rc;
	if (!known(ev->name))
		return VT_E_UNSUPPORTED;
	if (strcmp(ev->name, "ima") == 0)
		return get_old_data(r, ev);
	len = rd_le32(r);
	if (rd_err(r) == VT_OK && len > sizeof(ev->data))
		return VT_E_RANGE;
	if ((p = rd_span(r, len)) == NULL)
		return rd_err(r) != VT_OK ? rd_err(r) : VT_E_FORMAT;
	memcpy(ev->data, p, len);
	ev->len = len;
	return parse_data(ev);
}

/* --- ascii ------------------------------------------------------------------
 */

/* A word of line, cut off at its blank; NULL: there is none. */
static char *
word(char **line)
{
	char *w = *line, *end;

	if (w == NULL || *w == '\0')
		return NULL;
	if ((end = strchr(w, ' ')) != NULL)
		*end++ = '\0';
	*line = end;
	return w;
}

/* "ALG:HEX" of the file into alg, digest and raw; without ALG it is SHA-1. */
static int
ascii_digest(struct ima_event *ev, const char *text, uint8_t raw[DIGEST_MAX],
    size_t *ret_len)
{
	const char *colon = strchr(text, ':');
	size_t n = colon != NULL ? (size_t)(colon - text) : 4;

	if (n == 0 || n >= sizeof(ev->alg))
		return VT_E_FORMAT;
	(void)snprintf(ev->alg, sizeof(ev->alg), "%.*s", (int)n,
	    colon != NULL ? text : "sha1");
	if (hex_decode(colon != NULL ? colon + 1 : text, raw, DIGEST_MAX,
		ret_len) != VT_OK)
		return VT_E_FORMAT;
	hex_encode(raw, *ret_len, ev->digest);
	return VT_OK;
}

static int
put_sig(struct wr *w, struct ima_event *ev, const char *hex)
{
	uint8_t sig[1024];
	size_t len = 0;

	if (hex != NULL && *hex != '\0' &&
	    hex_decode(hex, sig, sizeof(sig), &len) != VT_OK)
		return VT_E_FORMAT;
	ev->sig_len = len;
	wr_le32(w, (uint32_t)len);
	wr_bytes(w, sig, len);
	return VT_OK;
}

/* Make the data again that the line stands for. */
static int
ascii_data(struct ima_event *ev, const char *digest, char *rest)
{
	bool old = strcmp(ev->name, "ima") == 0;
	uint8_t raw[DIGEST_MAX];
	size_t n, file;
	char *sig = NULL;
	struct wr w;
	int rc;

	if ((rc = ascii_digest(ev, digest, raw, &n)) != VT_OK)
		return rc;
	if (strcmp(ev->name, "ima-sig") == 0 &&
	    (sig = strrchr(rest, ' ')) != NULL)
		*sig++ = '\0'; /* a name may have blanks, a signature not */
	file = strlen(rest);
	if (file > IMA_MAX_FILE || (old && file >= OLD_NAME_LEN))
		return VT_E_RANGE;
	(void)snprintf(ev->file, sizeof(ev->file), "%s", rest);
	wr_init(&w, ev->data, sizeof(ev->data));
	if (old) {
		memset(ev->data, 0, SHA1_LEN + OLD_NAME_LEN);
		if (n != SHA1_LEN)
			return VT_E_FORMAT;
		wr_bytes(&w, raw, n);
		memcpy(ev->data + SHA1_LEN, rest, file);
		ev->len = SHA1_LEN + OLD_NAME_LEN;
		return VT_OK;
	}
	wr_le32(&w, (uint32_t)(strlen(ev->alg) + 2 + n));
	wr_bytes(&w, ev->alg, strlen(ev->alg));
	wr_bytes(&w, ":", 2);
	wr_bytes(&w, raw, n);
	wr_le32(&w, (uint32_t)file + 1);
	wr_bytes(&w, rest, file + 1);
	if (strcmp(ev->name, "ima-sig") == 0 &&
	    (rc = put_sig(&w, ev, sig)) != VT_OK)
		return rc;
	ev->len = w.len;
	return wr_err(&w);
}

static int
next_ascii(struct rd *r, struct ima_event *ev)
{
	char line[IMA_MAX_FILE + 4096], *rest = line, *pcr, *sha1, *name, *dig;
	const uint8_t *nl = memchr(r->p, '\n', r->left);
	size_t len = nl != NULL ? (size_t)(nl - r->p) : r->left, n = 0;

	if (len >= sizeof(line))
		return VT_E_RANGE;
	if (nl == NULL)
		return VT_E_TRUNC;
	if (memchr(r->p, '\0', len) != NULL)
		return VT_E_FORMAT;
	memcpy(line, r->p, len);
	line[len] = '\0';
	(void)rd_span(r, len + 1);
	while (*rest == ' ') /* the kernel prints "%2d" */
		rest++;
	pcr = word(&rest);
	sha1 = word(&rest);
	name = word(&rest);
	dig = word(&rest);
	if (name == NULL || dig == NULL || rest == NULL ||
	    dec_u32(pcr, &ev->pcr) != VT_OK ||
	    hex_decode(sha1, ev->sha1, SHA1_LEN, &n) != VT_OK || n != SHA1_LEN)
		return VT_E_FORMAT;
	(void)snprintf(ev->name, sizeof(ev->name), "%s", name);
	if (!known(name))
		return VT_E_UNSUPPORTED;
	return ascii_data(ev, dig, rest);
}

/* --- both -------------------------------------------------------------------
 */

bool
ima_is_list(const uint8_t *buf, size_t len)
{
	struct ima_event ev;
	struct ima_log log;
	int rc;

	if (ima_open(buf, len, &log) != VT_OK)
		return false;
	rc = ima_next(&log, &ev);
	return rc == 1 ||
	       (rc == VT_E_UNSUPPORTED && strncmp(ev.name, "ima", 3) == 0);
}

int
ima_open(const uint8_t *buf, size_t len, struct ima_log *ret)
{
	if (len == 0)
		return VT_E_TRUNC;
	if (len > IMA_MAX_LOG)
		return VT_E_RANGE;
	rd_init(&ret->r, buf, len);
	ret->ascii = buf[0] == ' ' || (buf[0] >= '0' && buf[0] <= '9');
	return VT_OK;
}

int
ima_next(struct ima_log *log, struct ima_event *ev)
{
	static const uint8_t zero[SHA1_LEN];
	struct rd r = log->r; /* commit only on success */
	uint8_t d[DIGEST_MAX];
	int rc;

	if (r.left == 0)
		return 0;
	memset(ev, 0, sizeof(*ev));
	rc = log->ascii ? next_ascii(&r, ev) : next_binary(&r, ev);
	if (rc != VT_OK)
		return rc;
	if (ev->pcr > PCR_LAST)
		return VT_E_FORMAT;
	ev->violation = memcmp(ev->sha1, zero, SHA1_LEN) == 0;
	if ((rc = digest_buf(ALG_SHA1, ev->data, ev->len, d)) != VT_OK)
		return rc;
	ev->fits = ev->violation || memcmp(d, ev->sha1, SHA1_LEN) == 0;
	log->r = r;
	return 1;
}

int
ima_digest(const struct ima_event *ev, uint16_t alg, uint8_t out[DIGEST_MAX])
{
	size_t len = digest_len(alg);

	if (len == 0)
		return VT_E_UNSUPPORTED;
	if (ev->violation)
		memset(out, 0xff, len);
	else if (alg == ALG_SHA1)
		memcpy(out, ev->sha1, SHA1_LEN);
	else
		return digest_buf(alg, ev->data, ev->len, out);
	return VT_OK;
}
