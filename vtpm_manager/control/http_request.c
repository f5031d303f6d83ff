/* SPDX-License-Identifier: BSD-3-Clause */
/* http_request.c - an HTTP request, up to its empty line. */
#include "vtpm_manager/control/http_request.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* A cursor over one line, without its end. */
struct line {
	const char *p, *end;
};

/* RFC 9110, 5.6.2. */
static bool
is_token(unsigned char c)
{
	return isascii(c) &&
	       (isalnum(c) ||
		   (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL));
}

/* How many characters of a token are next. */
static size_t
token_len(const struct line *l)
{
	size_t n = 0;

	while (l->p + n < l->end && is_token((unsigned char)l->p[n]))
		n++;
	return n;
}

static bool
take(struct line *l, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(l->end - l->p) < n || memcmp(l->p, text, n) != 0)
		return false;
	l->p += n;
	return true;
}

/* method SP request-target SP HTTP/1.x */
static enum http_verdict
judge_first(struct line l, const char *path)
{
	size_t n = token_len(&l), t = 0;
	const char *target;
	bool get = n == 3 && memcmp(l.p, "GET", 3) == 0, found;

	l.p += n;
	if (n == 0 || !take(&l, " "))
		return HTTP_BAD;
	target = l.p;
	while (l.p < l.end && isascii((unsigned char)*l.p) &&
	       isgraph((unsigned char)*l.p)) {
		l.p++;
		t++;
	}
	found = t >= strlen(path) && memcmp(target, path, strlen(path)) == 0 &&
		(t == strlen(path) || target[strlen(path)] == '?');
	if (t == 0 || !take(&l, " HTTP/1.") || l.end - l.p != 1 ||
	    !isdigit((unsigned char)*l.p))
		return HTTP_BAD;
	if (!get)
		return HTTP_NOT_ALLOWED;
	return found ? HTTP_OK : HTTP_NOT_FOUND;
}

/* field-name ":" field-value, without control characters. */
static bool
is_field(struct line l)
{
	size_t n = token_len(&l);

	l.p += n;
	if (n == 0 || !take(&l, ":"))
		return false;
	for (; l.p < l.end; l.p++)
		if ((unsigned char)*l.p < ' ' && *l.p != '\t')
			return false;
	return true;
}

/* The next line of buf into *ret; false: it has no end yet. */
static bool
next_line(const char **buf, size_t *len, struct line *ret)
{
	const char *nl = *len > 0 ? memchr(*buf, '\n', *len) : NULL;

	if (nl == NULL)
		return false;
	ret->p = *buf;
	ret->end = nl > *buf && nl[-1] == '\r' ? nl - 1 : nl;
	*len -= (size_t)(nl + 1 - *buf);
	*buf = nl + 1;
	return true;
}

enum http_verdict
http_judge(const char *buf, size_t len, const char *path)
{
	size_t left = len < HTTP_REQUEST_MAX ? len : HTTP_REQUEST_MAX;
	enum http_verdict v = HTTP_MORE;
	struct line l;

	while (next_line(&buf, &left, &l)) {
		if (v == HTTP_MORE) {
			if ((v = judge_first(l, path)) == HTTP_BAD)
				return v;
		} else if (l.p == l.end)
			return v;
		else if (!is_field(l))
			return HTTP_BAD;
	}
	return len < HTTP_REQUEST_MAX ? HTTP_MORE : HTTP_TOO_LARGE;
}

const char *
http_reason(enum http_verdict v)
{
	switch (v) {
	case HTTP_OK:
		return "OK";
	case HTTP_NOT_FOUND:
		return "Not Found";
	case HTTP_NOT_ALLOWED:
		return "Method Not Allowed";
	case HTTP_TOO_LARGE:
		return "Request Header Fields Too Large";
	case HTTP_MORE:
	case HTTP_BAD:
		break;
	}
	return "Bad Request";
}
