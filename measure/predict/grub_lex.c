/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_lex.c - cuts a GRUB script into tokens. */
#include "measure/predict/grub_lex.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

void
gs_lex_init(struct gs_lexer *lx, const char *text, size_t len)
{
	memset(lx, 0, sizeof(*lx));
	lx->text = lx->at = text;
	lx->end = text + len;
	lx->lines = 1;
}

static bool
is_alpha(char c)
{
	return isalpha((unsigned char)c) != 0;
}

static bool
is_alnum(char c)
{
	return isalnum((unsigned char)c) != 0;
}

size_t
gs_lex_variable(
    const char *p, const char *end, const char **ret_name, size_t *ret_skip)
{
	bool brace = p < end && *p == '{';
	const char *s = p + brace, *q = s;

	if (q < end && (is_alpha(*q) || *q == '_'))
		while (q < end && (is_alnum(*q) || *q == '_'))
			q++;
	else if (q < end && isdigit((unsigned char)*q))
		while (q < end && isdigit((unsigned char)*q))
			q++;
	else if (q < end && *q != '\0' && strchr("?#*@", *q) != NULL)
		q++;
	if (q == s || (brace && (q == end || *q != '}')))
		return 0;
	*ret_name = s;
	*ret_skip = (size_t)(q - p) + brace;
	return (size_t)(q - s);
}

/* Bytes of a string in double quotes at p; 0: it has no end. */
static size_t
double_quoted(const char *p, const char *end)
{
	const char *q;

	for (q = p + 1; q < end; q++)
		if (*q == '"')
			return (size_t)(q - p) + 1;
		else if (*q == '\\')
			q++;
	return 0;
}

/* One piece of a word; 0: none, *open: it is a string without an end. */
static size_t
piece(const char *p, const char *end, bool *open)
{
	const char *name, *q;
	size_t skip = 0, n;

	switch (*p) {
	case '\\':
		return end - p >= 2 ? 2 : 0;
	case '"':
		n = double_quoted(p, end);
		*open = n == 0;
		return n;
	case '\'':
		q = memchr(p + 1, '\'', (size_t)(end - p) - 1);
		*open = q == NULL;
		return q != NULL ? (size_t)(q - p) + 1 : 0;
	case '$':
		if (end - p >= 2 && p[1] == '"') {
			n = double_quoted(p + 1, end);
			*open = n == 0;
			return n > 0 ? n + 1 : 0;
		}
		return gs_lex_variable(p + 1, end, &name, &skip) > 0 ? skip + 1
								     : 0;
	default:
		return strchr("{}|&;<> \t\n", *p) == NULL;
	}
}

/* Bytes of the longest word at p. */
static size_t
word(const char *p, const char *end, bool *open)
{
	const char *q = p;
	size_t n;

	*open = false;
	while (q < end && (n = piece(q, end, open)) > 0)
		q += n;
	return (size_t)(q - p);
}

static void
count_lines(struct gs_lexer *lx, const char *p, size_t n)
{
	for (; n > 0; n--, p++)
		lx->lines += *p == '\n';
}

/* Blanks and comments. */
static void
skip_blanks(struct gs_lexer *lx)
{
	const char *eol;
	bool open;

	for (;;) {
		while (lx->at < lx->end && (*lx->at == ' ' || *lx->at == '\t'))
			lx->at++;
		if (lx->at == lx->end || *lx->at != '#')
			return;
		eol = memchr(lx->at, '\n', (size_t)(lx->end - lx->at));
		if (eol == NULL)
			eol = lx->end;
		if (word(lx->at, lx->end, &open) > (size_t)(eol - lx->at) ||
		    open)
			return; /* a quote in it makes a longer word */
		lx->at = eol;
	}
}

void
gs_lex_next(struct gs_lexer *lx)
{
	bool open = false;
	size_t n = 1;

	skip_blanks(lx);
	lx->line = lx->lines;
	lx->word = lx->at;
	if (lx->at == lx->end) {
		lx->token = GT_END;
		return;
	}
	switch (*lx->at) {
	case '\n':
		lx->token = GT_NEWLINE;
		break;
	case ';':
		lx->token = lx->end - lx->at >= 2 && lx->at[1] == ';' ? GT_BAD
								      : GT_SEMI;
		break;
	case '{':
		lx->token = GT_OPEN;
		break;
	case '}':
		lx->token = GT_CLOSE;
		break;
	default:
		n = word(lx->at, lx->end, &open);
		lx->token = n > 0 && !open ? GT_WORD : GT_BAD;
		break;
	}
	lx->len = n;
	count_lines(lx, lx->at, n);
	lx->at += n;
}
