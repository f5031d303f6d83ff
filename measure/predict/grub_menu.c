/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_menu.c - menu entries, and the one that is started. */
#include "measure/predict/grub_menu.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/predict/grub_load.h"

struct entry {
	char *title, *id, *source; /* owned */
	char **argv;               /* owned */
	int argc;
	bool submenu;
	struct entry *next;
};

struct grub_menu {
	struct entry *first, **last;
};

struct grub_menu *
gm_new(void)
{
	struct grub_menu *m = calloc(1, sizeof(*m));

	if (m != NULL)
		m->last = &m->first;
	return m;
}

static void
free_entry(struct entry *e)
{
	int i;

	for (i = 0; e->argv != NULL && i < e->argc; i++)
		free(e->argv[i]);
	free(e->argv);
	free(e->title);
	free(e->id);
	free(e->source);
	free(e);
}

void
gm_free(struct grub_menu *m)
{
	if (m == NULL)
		return;
	while (m->first != NULL) {
		struct entry *e = m->first;

		m->first = e->next;
		free_entry(e);
	}
	free(m);
}

/* --- entries ---------------------------------------------------------------
 */

/* "setparams 'ARG' ...\n" and the block without its braces. */
static char *
source_of(int argc, char *const *argv, const char *block)
{
	size_t len = sizeof("setparams\n") + strlen(block);
	const char *s;
	char *text, *at;
	int i;

	for (i = 0; i < argc; i++)
		len += 3 + 4 * strlen(argv[i]);
	if ((text = malloc(len)) == NULL)
		return NULL;
	at = stpcpy(text, "setparams");
	for (i = 0; i < argc; i++) {
		at = stpcpy(at, " '");
		for (s = argv[i]; *s != '\0'; s++)
			if (*s == '\'')
				at = stpcpy(at, "'\\''");
			else
				*at++ = *s;
		*at++ = '\'';
	}
	*at++ = '\n';
	at = stpcpy(at, block + 1);
	at[-1] = '\0'; /* the closing brace */
	return text;
}

static struct entry *
new_entry(int argc, char *const *argv, const char *id, const char *block)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->argv = calloc((size_t)argc + 1, sizeof(*e->argv));
	e->title = strdup(argv[0]);
	e->id = strdup(id != NULL ? id : argv[0]);
	e->source = source_of(argc, argv, block);
	for (; e->argv != NULL && e->argc < argc; e->argc++)
		if ((e->argv[e->argc] = strdup(argv[e->argc])) == NULL)
			break;
	if (e->argc == argc && e->argv != NULL && e->title != NULL &&
	    e->id != NULL && e->source != NULL)
		return e;
	free_entry(e);
	return NULL;
}

/* Does arg name an option that takes a value?  *ret_value: the value behind
 * "=", NULL: it is the next argument. */
static bool
takes_value(const char *arg, const char **ret_value)
{
	static const char *const names[] = { "--class", "--users", "--hotkey",
		"--source", "--id" };
	size_t i, n;

	for (i = 0; i < VT_NELEM(names); i++) {
		n = strlen(names[i]);
		if (strncmp(arg, names[i], n) != 0 ||
		    (arg[n] != '\0' && arg[n] != '='))
			continue;
		*ret_value = arg[n] == '=' ? arg + n + 1 : NULL;
		return true;
	}
	return false;
}

int
gm_add(struct grub_run *g, int argc, char **argv)
{
	const char *block = argv[argc - 1], *id = NULL, *value;
	char **args = calloc((size_t)argc, sizeof(*args));
	struct entry *e = NULL;
	int i, n = 0;

	if (args == NULL)
		return 1;
	for (i = 1; i < argc - 1; i++) {
		const char *option = argv[i];

		if (takes_value(option, &value)) {
			if (value == NULL && i + 1 < argc - 1)
				value = argv[++i];
			if (strncmp(option, "--id", 4) == 0)
				id = value;
		} else if (strcmp(option, "--unrestricted") != 0) {
			args[n++] = argv[i];
		}
	}
	if (argc < 3 || block[0] != '{' || n == 0)
		gr_stop(g, "%s without a title or a block", argv[0]);
	else if ((e = new_entry(n, args, id, block)) == NULL)
		gr_stop(g, "no memory");
	free(args);
	if (e == NULL)
		return 1;
	e->submenu = strcmp(argv[0], "submenu") == 0;
	*g->menu->last = e;
	g->menu->last = &e->next;
	return 0;
}

/* --- the choice -------------------------------------------------------------
 */

/* Is name what stands in spec before a single ">"?  ">>" stands for one. */
static bool
names(const char *spec, const char *name)
{
	for (;; spec++, name++) {
		if (spec[0] == '\0' || (spec[0] == '>' && spec[1] != '>'))
			return *name == '\0';
		spec += spec[0] == '>';
		if (*spec != *name)
			return false;
	}
}

/* NULL: spec names none. */
static struct entry *
find(const struct grub_menu *m, const char *spec)
{
	struct entry *e;
	unsigned long n = 0;

	if (spec != NULL && isdigit((unsigned char)spec[0])) {
		n = strtoul(spec, NULL, 0);
		for (e = m->first; e != NULL && n > 0; n--)
			e = e->next;
		return e;
	}
	for (e = m->first; e != NULL && spec != NULL; e = e->next)
		if (names(spec, e->title) || names(spec, e->id))
			return e;
	return NULL;
}

/* What follows the first single ">", NULL: nothing. */
static const char *
rest(const char *spec)
{
	for (; spec != NULL && *spec != '\0'; spec++) {
		if (spec[0] == '>' && spec[1] == '>')
			spec++;
		else if (spec[0] == '>')
			return spec[1] != '\0' ? spec + 1 : NULL;
	}
	return NULL;
}

static void
run_source(struct grub_run *g, const struct entry *e)
{
	struct grub_scope scope = { e->argc, e->argv }, *outer = g->scope;

	g->scope = &scope;
	gr_script(g, e->source, strlen(e->source), false, e->title);
	g->scope = outer;
	if (!g->over && g->loaded)
		gl_start(g);
}

static void
run_submenu(struct grub_run *g, const struct entry *e, const char *spec)
{
	struct grub_menu *outer = g->menu, *m = gm_new();
	char *copy = spec != NULL ? strdup(spec) : NULL;

	if (m == NULL || (spec != NULL && copy == NULL) ||
	    genv_open(&g->env) != VT_OK) {
		gm_free(m);
		free(copy);
		gr_stop(g, "no memory");
		return;
	}
	g->menu = m;
	gr_set(g, "timeout", "0");
	if (g->opts.entry != NULL)
		g->opts.entry = rest(g->opts.entry);
	if (copy != NULL)
		gr_set(g, "default", copy);
	else
		genv_unset(g->env, "default");
	free(copy);
	run_source(g, e);
	if (!g->over)
		gm_show(g);
	genv_close(&g->env);
	g->menu = outer;
	gm_free(m);
}

/* Whether the menu starts an entry by itself; else gr_stop(). */
static bool
unattended(struct grub_run *g)
{
	const char *t = genv_get(g->env, "timeout");
	char *end;
	long s;

	if (g->opts.entry != NULL)
		return true;
	s = t != NULL ? strtol(t, &end, 0) : -1;
	if (t == NULL || end == t || s < 0) {
		gr_stop(g, "GRUB's menu has no timeout: a person chooses");
		return false;
	}
	if (s > 0)
		pred_note(g->p,
		    "GRUB's menu waits %ld s: these are the values "
		    "if nobody chooses another entry",
		    s);
	return true;
}

void
gm_show(struct grub_run *g)
{
	const char *spec =
	    g->opts.entry != NULL ? g->opts.entry : genv_get(g->env, "default");
	struct entry *e;

	if (g->menu->first == NULL || !unattended(g))
		return;
	if ((e = find(g->menu, spec)) == NULL && g->opts.entry != NULL) {
		gr_stop(g, "the menu has no entry \"%s\"", spec);
		return;
	}
	e = e != NULL ? e : g->menu->first; /* as GRUB for its own default */
	if (e->submenu)
		run_submenu(g, e, rest(spec));
	else
		run_source(g, e);
	if (!g->over)
		gr_stop(g,
		    "menu entry \"%s\" starts nothing: GRUB shows its "
		    "menu again",
		    e->title);
}
