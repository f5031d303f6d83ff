/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_words.c - expands variables and quoting, as GRUB 2.06 does. */
#include "measure/predict/grub_words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"

struct expander {
	const struct grub_env *env;
	const struct grub_scope *scope;
	struct grub_args a;
	struct wr text; /* of all arguments, a NUL behind each */
	bool open;      /* an argument has begun */
};

static void
append(struct expander *x, const char *s, size_t len)
{
	x->open = true;
	wr_bytes(&x->text, s, len);
}

/* The argument that has begun, if one has, is complete. */
static void
end_argument(struct expander *x)
{
	if (!x->open)
		return;
	x->open = false;
	wr_u8(&x->text, 0);
	if (++x->a.n > GA_MAX)
		wr_fail(&x->text, VT_E_RANGE);
}

/* Words of a value: blanks divide them, a leading one makes an empty word. */
static void
append_split(struct expander *x, const char *s)
{
	size_t n;

	while (*s != '\0') {
		for (n = 0; s[n] != '\0' && !isspace((unsigned char)s[n]); n++)
			;
		append(x, s, n);
		for (s += n; isspace((unsigned char)*s); s++)
			;
		if (*s != '\0')
			end_argument(x);
	}
}

static void
append_value(struct expander *x, const char *s, bool split)
{
	if (strpbrk(s, "*?") != NULL && split)
		x->a.wildcard = true;
	if (split)
		append_split(x, s);
	else
		append(x, s, strlen(s));
}

/* $* and $@ */
static void
append_all(struct expander *x, char which, bool split)
{
	int i;

	for (i = 0; i < x->scope->n; i++) {
		if (i > 0 && (which == '@' || split))
			end_argument(x);
		else if (i > 0)
			append(x, " ", 1);
		append_value(x, x->scope->v[i], split);
	}
}

static void
append_variable(struct expander *x, const char *name, bool split)
{
	const char *value = NULL;
	char number[16];

	if (strcmp(name, "?") == 0) {
		x->a.asked = true;
		(void)snprintf(number, sizeof(number), "%d", x->a.result);
		value = number;
	} else if (isdigit((unsigned char)name[0])) {
		unsigned long i = strtoul(name, NULL, 10);

		if (x->scope != NULL && i >= 1 &&
		    i <= (unsigned long)x->scope->n)
			value = x->scope->v[i - 1];
	} else if (x->scope != NULL && strcmp(name, "#") == 0) {
		(void)snprintf(number, sizeof(number), "%d", x->scope->n);
		value = number;
	} else if (name[0] == '*' || name[0] == '@') {
		if (x->scope != NULL)
			append_all(x, name[0], split);
	} else {
		value = genv_get(x->env, name);
	}
	if (value != NULL && value[0] != '\0')
		append_value(x, value, split);
}

static bool
is_hex_escape(const char *s)
{
	return s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
	       isxdigit((unsigned char)s[3]);
}

/* Unquoted text: a backslash goes, what it quotes stays. */
static void
append_text(struct expander *x, const char *s)
{
	while (*s != '\0') {
		if (is_hex_escape(s)) {
			append(x, s, 4);
			s += 4;
			continue;
		}
		if (*s == '\\' && s[1] != '\0')
			s++;
		else if (*s == '*' || *s == '?')
			x->a.wildcard = true;
		append(x, s++, 1);
	}
}

static void
append_part(struct expander *x, const struct gs_part *p)
{
	switch (p->kind) {
	case GS_TEXT:
		append_text(x, p->text);
		break;
	case GS_STRING:
		append(x, p->text, strlen(p->text));
		break;
	case GS_VAR:
	case GS_DQVAR:
		append_variable(x, p->text, p->kind == GS_VAR);
		break;
	case GS_BLOCK:
		append(x, "{", 1);
		append(x, p->text, strlen(p->text));
		append(x, "}", 1);
		break;
	}
}

int
ga_expand(const struct gs_word *words, const struct grub_env *env,
    const struct grub_scope *scope, int result, struct grub_args *ret)
{
	struct expander x = { .env = env, .scope = scope };
	const struct gs_part *p;
	char *at;
	int i, rc;

	x.a.result = result;
	wr_grow(&x.text, GS_MAX_SCRIPT);
	for (; words != NULL; words = words->next) {
		for (p = words->parts; p != NULL; p = p->next)
			append_part(&x, p);
		end_argument(&x);
	}
	rc = wr_err(&x.text);
	if (rc == VT_OK &&
	    (x.a.v = calloc((size_t)x.a.n + 1, sizeof(*x.a.v))) == NULL)
		rc = VT_E_NOMEM;
	if (rc != VT_OK) {
		wr_free(&x.text);
		return rc;
	}
	x.a.text = at = (char *)x.text.buf;
	for (i = 0; i < x.a.n; i++, at += strlen(at) + 1)
		x.a.v[i] = at;
	*ret = x.a;
	return VT_OK;
}

void
ga_free(struct grub_args *a)
{
	free(a->text);
	free(a->v);
	a->text = NULL;
	a->v = NULL;
	a->n = 0;
}

char *
ga_join(int n, char *const *v)
{
	size_t len = 1;
	char *s, *at;
	int i;

	for (i = 0; i < n; i++)
		len += strlen(v[i]) + 1;
	if ((s = at = malloc(len)) == NULL)
		return NULL;
	*at = '\0';
	for (i = 0; i < n; i++) {
		if (i > 0)
			*at++ = ' ';
		at = stpcpy(at, v[i]);
	}
	return s;
}
