/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_parse.c - a GRUB script as a tree, by recursive descent. */
#include "measure/predict/grub_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/predict/grub_lex.h"

struct parser {
	struct gs_lexer lx;
	unsigned int depth;
	int rc;
	char *err; /* GS_ERR_MAX bytes */
};

static const char *const reserved[] = { "case", "do", "done", "elif", "else",
	"esac", "fi", "for", "if", "in", "select", "then", "until", "while",
	"function", "[[", "]]" };

static void
free_words(struct gs_word *w)
{
	while (w != NULL) {
		struct gs_word *next = w->next;

		while (w->parts != NULL) {
			struct gs_part *p = w->parts;

			w->parts = p->next;
			free(p->text);
			free(p);
		}
		free(w);
		w = next;
	}
}

void
gs_free(struct gs_cmd *cmd)
{
	while (cmd != NULL) {
		struct gs_cmd *next = cmd->next;

		free(cmd->name);
		free_words(cmd->words);
		gs_free(cmd->cond);
		gs_free(cmd->body);
		gs_free(cmd->other);
		free(cmd);
		cmd = next;
	}
}

static void
fail(struct parser *ps, int rc, const char *what)
{
	if (ps->rc != VT_OK)
		return;
	ps->rc = rc;
	(void)snprintf(ps->err, GS_ERR_MAX, "line %u: %s", ps->lx.line, what);
}

static bool
good(const struct parser *ps)
{
	return ps->rc == VT_OK;
}

/* --- words -----------------------------------------------------------------
 */

static struct gs_part *
add_part(struct parser *ps, struct gs_word *w, enum gs_part_kind kind,
    const char *text, size_t len)
{
	struct gs_part *p = calloc(1, sizeof(*p)), **at = &w->parts;

	if (p == NULL || (p->text = strndup(text, len)) == NULL) {
		free(p);
		fail(ps, VT_E_NOMEM, "no memory");
		return NULL;
	}
	p->kind = kind;
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	return p;
}

/* The variable behind the $ at *at; steps over it. */
static void
add_variable(struct parser *ps, struct gs_word *w, enum gs_part_kind kind,
    const char **at, const char *end)
{
	const char *name = NULL;
	size_t skip = 0, n = gs_lex_variable(*at + 1, end, &name, &skip);

	if (n == 0) {
		fail(ps, VT_E_FORMAT, "a $ without a variable's name");
		return;
	}
	(void)add_part(ps, w, kind, name, n);
	*at += 1 + skip;
}

/* What a double-quoted string holds between at and end. */
static void
add_quoted(struct parser *ps, struct gs_word *w, const char *at,
    const char *end, bool translated)
{
	char *buf = malloc((size_t)(end - at) + 1);
	size_t n = 0;

	if (buf == NULL) {
		fail(ps, VT_E_NOMEM, "no memory");
		return;
	}
	while (at < end && good(ps)) {
		if (*at == '\\' && end - at >= 2 && at[1] == '\n') {
			at += 2;
		} else if (*at == '\\' && end - at >= 2 &&
			   strchr("$\\\"", at[1]) != NULL) {
			buf[n++] = at[1];
			at += 2;
		} else if (*at == '$' &&
			   !(translated && end - at >= 2 && at[1] == '"')) {
			(void)add_part(ps, w, GS_STRING, buf, n);
			n = 0;
			add_variable(ps, w, GS_DQVAR, &at, end);
		} else {
			buf[n++] = *at++;
		}
	}
	(void)add_part(ps, w, GS_STRING, buf, n);
	free(buf);
}

/* A quoted string at *at, whose end the lexer saw. */
static void
add_string(
    struct parser *ps, struct gs_word *w, const char **at, const char *end)
{
	bool translated = **at == '$';
	const char *start = *at + 1 + translated, *q = start;

	if (**at == '\'') {
		q = memchr(start, '\'', (size_t)(end - start));
		(void)add_part(ps, w, GS_STRING, start, (size_t)(q - start));
	} else {
		for (; *q != '"'; q++)
			q += *q == '\\';
		add_quoted(ps, w, start, q, translated);
	}
	*at = q + 1;
}

/* Unquoted text up to the next quote or variable; a backslash before the end
 * of a line vanishes with it. */
static void
add_text(struct parser *ps, struct gs_word *w, const char **at, const char *end)
{
	const char *p = *at;
	char *buf = malloc((size_t)(end - p) + 1);
	size_t n = 0;

	if (buf == NULL) {
		fail(ps, VT_E_NOMEM, "no memory");
		return;
	}
	while (p < end && strchr("\"'$", *p) == NULL) {
		if (*p != '\\') {
			buf[n++] = *p++;
			continue;
		}
		if (p[1] != '\n') {
			buf[n++] = p[0];
			buf[n++] = p[1];
		}
		p += 2;
	}
	(void)add_part(ps, w, GS_TEXT, buf, n);
	free(buf);
	*at = p;
}

static struct gs_word *
new_word(struct parser *ps)
{
	struct gs_word *w = calloc(1, sizeof(*w));

	if (w == NULL)
		fail(ps, VT_E_NOMEM, "no memory");
	return w;
}

/* The word that the lexer stands at; steps over it. */
static struct gs_word *
get_word(struct parser *ps)
{
	const char *at = ps->lx.word, *end = at + ps->lx.len;
	struct gs_word *w = new_word(ps);

	while (good(ps) && at < end) {
		if (*at == '"' || *at == '\'' ||
		    (*at == '$' && end - at >= 2 && at[1] == '"'))
			add_string(ps, w, &at, end);
		else if (*at == '$')
			add_variable(ps, w, GS_VAR, &at, end);
		else
			add_text(ps, w, &at, end);
	}
	gs_lex_next(&ps->lx);
	return w;
}

/* --- commands --------------------------------------------------------------
 */

static struct gs_cmd *commands(struct parser *ps);

static bool
is(const struct parser *ps, const char *text)
{
	return ps->lx.token == GT_WORD && ps->lx.len == strlen(text) &&
	       memcmp(ps->lx.word, text, ps->lx.len) == 0;
}

static bool
is_reserved(const struct parser *ps)
{
	size_t i;

	for (i = 0; i < VT_NELEM(reserved); i++)
		if (is(ps, reserved[i]))
			return true;
	return false;
}

static void
expect(struct parser *ps, const char *text)
{
	char what[64];

	if (!good(ps))
		return;
	if (is(ps, text)) {
		gs_lex_next(&ps->lx);
		return;
	}
	(void)snprintf(what, sizeof(what), "\"%s\" is missing", text);
	fail(ps, VT_E_FORMAT, what);
}

static void
newlines(struct parser *ps)
{
	while (ps->lx.token == GT_NEWLINE)
		gs_lex_next(&ps->lx);
}

/* ";" or a newline, and newlines; false: there is none. */
static bool
delimiters(struct parser *ps)
{
	if (ps->lx.token != GT_SEMI && ps->lx.token != GT_NEWLINE)
		return false;
	gs_lex_next(&ps->lx);
	newlines(ps);
	return true;
}

static void
need_delimiters(struct parser *ps)
{
	if (good(ps) && !delimiters(ps))
		fail(ps, VT_E_FORMAT, "a command does not end here");
}

static bool
deeper(struct parser *ps)
{
	if (ps->depth++ < GS_MAX_DEPTH)
		return true;
	fail(ps, VT_E_RANGE, "nested too deeply");
	return false;
}

/* A block as an argument: its source text; what is in it must parse. */
static struct gs_word *
get_block(struct parser *ps)
{
	struct gs_word *w = new_word(ps);
	const char *start = ps->lx.at;

	gs_lex_next(&ps->lx);
	if (deeper(ps)) {
		gs_free(commands(ps));
		(void)(good(ps) && delimiters(ps));
	}
	ps->depth--;
	if (good(ps) && ps->lx.token != GT_CLOSE)
		fail(ps, VT_E_FORMAT, "a block has no }");
	if (good(ps))
		(void)add_part(
		    ps, w, GS_BLOCK, start, (size_t)(ps->lx.word - start));
	gs_lex_next(&ps->lx);
	return w;
}

/* Arguments, appended to *at. */
static void
arguments(struct parser *ps, struct gs_word **at)
{
	while (good(ps) && ps->lx.token == GT_WORD) {
		if (is(ps, "[[") || is(ps, "]]")) {
			fail(ps, VT_E_FORMAT, "[[ is not part of the language");
			return;
		}
		*at = get_word(ps);
		at = *at != NULL ? &(*at)->next : at;
	}
}

static void
simple_command(struct parser *ps, struct gs_cmd *c)
{
	struct gs_word **at = &c->words;

	arguments(ps, at);
	while (*at != NULL)
		at = &(*at)->next;
	if (good(ps) && ps->lx.token == GT_OPEN)
		*at = get_block(ps);
}

static void
if_command(struct parser *ps, struct gs_cmd *c)
{
	c->kind = GS_IF;
	c->cond = commands(ps);
	need_delimiters(ps);
	expect(ps, "then");
	c->body = good(ps) ? commands(ps) : NULL;
	need_delimiters(ps);
	if (!good(ps))
		return;
	if (is(ps, "elif")) {
		if ((c->other = calloc(1, sizeof(*c))) == NULL) {
			fail(ps, VT_E_NOMEM, "no memory");
			return;
		}
		c->other->line = ps->lx.line;
		gs_lex_next(&ps->lx);
		if (deeper(ps))
			if_command(ps, c->other);
		ps->depth--;
		return; /* that one took the "fi" */
	}
	if (is(ps, "else")) {
		gs_lex_next(&ps->lx);
		c->other = commands(ps);
		need_delimiters(ps);
	}
	expect(ps, "fi");
}

static void
loop(struct parser *ps, struct gs_cmd *c, enum gs_kind kind)
{
	c->kind = kind;
	if (kind != GS_FOR)
		c->cond = commands(ps);
	need_delimiters(ps);
	expect(ps, "do");
	c->body = good(ps) ? commands(ps) : NULL;
	need_delimiters(ps);
	expect(ps, "done");
}

/* The name behind "for" or "function". */
static void
name(struct parser *ps, struct gs_cmd *c)
{
	const char *at = NULL;
	size_t skip = 0, n = 0;

	if (ps->lx.token == GT_WORD && !is_reserved(ps) && *ps->lx.word > '9')
		n = gs_lex_variable(
		    ps->lx.word, ps->lx.word + ps->lx.len, &at, &skip);
	if (n == 0 || n != ps->lx.len) {
		fail(ps, VT_E_FORMAT, "a name is missing");
		return;
	}
	if ((c->name = strndup(at, n)) == NULL)
		fail(ps, VT_E_NOMEM, "no memory");
	gs_lex_next(&ps->lx);
}

static void
for_command(struct parser *ps, struct gs_cmd *c)
{
	name(ps, c);
	expect(ps, "in");
	arguments(ps, &c->words);
	if (good(ps))
		loop(ps, c, GS_FOR);
}

static void
function(struct parser *ps, struct gs_cmd *c)
{
	c->kind = GS_FUNCTION;
	name(ps, c);
	newlines(ps);
	if (good(ps) && ps->lx.token != GT_OPEN)
		fail(ps, VT_E_FORMAT, "a function has no {");
	if (!good(ps))
		return;
	gs_lex_next(&ps->lx);
	c->body = commands(ps);
	need_delimiters(ps);
	if (good(ps) && ps->lx.token != GT_CLOSE)
		fail(ps, VT_E_FORMAT, "a function has no }");
	gs_lex_next(&ps->lx);
}

static void
compound(struct parser *ps, struct gs_cmd *c, bool top)
{
	static const struct {
		const char *word;
		void (*parse)(struct parser *, struct gs_cmd *);
		enum gs_kind kind;
		bool top;
	} forms[] = {
		{ "if", if_command, GS_IF, false },
		{ "for", for_command, GS_FOR, false },
		{ "while", NULL, GS_WHILE, false },
		{ "until", NULL, GS_UNTIL, false },
		{ "function", function, GS_FUNCTION, true },
	};
	size_t i;

	for (i = 0; i < VT_NELEM(forms); i++) {
		if (!is(ps, forms[i].word) || (forms[i].top && !top))
			continue;
		gs_lex_next(&ps->lx);
		if (forms[i].parse != NULL)
			forms[i].parse(ps, c);
		else
			loop(ps, c, forms[i].kind);
		return;
	}
	if (is_reserved(ps))
		fail(ps, VT_E_FORMAT, "a reserved word is no command");
	else
		simple_command(ps, c);
}

/* One command; NULL after fail(). */
static struct gs_cmd *
command(struct parser *ps, bool top)
{
	struct gs_cmd *c;

	if (ps->lx.token != GT_WORD) {
		fail(ps, VT_E_FORMAT,
		    ps->lx.token == GT_END ? "the script ends too early"
					   : "a command is missing");
		return NULL;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		fail(ps, VT_E_NOMEM, "no memory");
		return NULL;
	}
	c->kind = GS_COMMAND;
	c->line = ps->lx.line;
	if (deeper(ps))
		compound(ps, c, top);
	ps->depth--;
	return c;
}

/* May a command start here?  Else what ends a list of them stands here. */
static bool
starts_command(const struct parser *ps)
{
	return ps->lx.token == GT_BAD ||
	       (ps->lx.token == GT_WORD &&
		   (!is_reserved(ps) || is(ps, "if") || is(ps, "for") ||
		       is(ps, "while") || is(ps, "until") || is(ps, "case") ||
		       is(ps, "select") || is(ps, "function")));
}

/* At least one command, delimiters between them; what follows the last is left
 * to the caller: the lexer stands at that delimiter, or behind none. */
static struct gs_cmd *
commands(struct parser *ps)
{
	struct gs_cmd *list = NULL, **at = &list;
	struct gs_lexer before;

	newlines(ps);
	do {
		*at = command(ps, false);
		if (*at == NULL)
			break;
		at = &(*at)->next;
		before = ps->lx;
	} while (good(ps) && delimiters(ps) && starts_command(ps));
	if (good(ps))
		ps->lx = before;
	return list;
}

static struct gs_cmd *
script(struct parser *ps)
{
	struct gs_cmd *list = NULL, **at = &list;

	newlines(ps);
	while (good(ps) && ps->lx.token != GT_END) {
		*at = command(ps, true);
		if (*at != NULL)
			at = &(*at)->next;
		if (good(ps) && ps->lx.token != GT_END)
			need_delimiters(ps);
	}
	return list;
}

/* What GRUB's reader hands to its scanner; heap, NULL without memory. */
static char *
as_read(const char *text, size_t len, bool config, size_t *ret_len)
{
	char *buf = malloc(len + 2);
	size_t i, n = 0;
	bool start = true, drop = false;

	if (buf == NULL)
		return NULL;
	for (i = 0; i < len; i++) {
		if (config && text[i] == '\r')
			continue;
		if (start)
			drop = config && text[i] == '#';
		start = text[i] == '\n';
		if (!drop)
			buf[n++] = text[i];
	}
	if (n > 0 && buf[n - 1] != '\n')
		buf[n++] = '\n';
	buf[n] = '\0';
	*ret_len = n;
	return buf;
}

int
gs_parse(const char *text, size_t len, bool config, struct gs_cmd **ret,
    char err[GS_ERR_MAX])
{
	struct parser ps = { .rc = VT_OK, .err = err };
	struct gs_cmd *list;
	char *buf;
	size_t n = 0;

	err[0] = '\0';
	if (len > GS_MAX_SCRIPT) {
		fail(&ps, VT_E_RANGE, "the script is too long");
		return ps.rc;
	}
	if (memchr(text, '\0', len) != NULL) {
		fail(&ps, VT_E_FORMAT, "it is no text: it holds a NUL byte");
		return ps.rc;
	}
	if ((buf = as_read(text, len, config, &n)) == NULL)
		return VT_E_NOMEM;
	gs_lex_init(&ps.lx, buf, n);
	gs_lex_next(&ps.lx);
	list = script(&ps);
	free(buf);
	if (ps.rc != VT_OK) {
		gs_free(list);
		return ps.rc;
	}
	*ret = list;
	return VT_OK;
}
