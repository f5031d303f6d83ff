/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_command.c - the commands of GRUB that measured boots use. */
#include "measure/predict/grub_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/predict/grub_load.h"
#include "measure/predict/grub_menu.h"
#include "measure/predict/grub_test.h"

/* Shows, sets up devices, or does nothing that is measured. */
static int
nothing(struct grub_run *g, int argc, char **argv)
{
	(void)g, (void)argc, (void)argv;
	return 0;
}

/* The same, and whether it succeeds hangs on the machine. */
static int
device(struct grub_run *g, int argc, char **argv)
{
	(void)argc, (void)argv;
	g->unsure = true;
	return 0;
}

static int
is_false(struct grub_run *g, int argc, char **argv)
{
	(void)g, (void)argc, (void)argv;
	return 1;
}

/* What it does depends on who sits there, on the machine, or on time. */
static int
stops(struct grub_run *g, int argc, char **argv)
{
	(void)argc;
	gr_stop(
	    g, "GRUB command \"%s\" does what cannot be known ahead", argv[0]);
	return 1;
}

/* --- language ---------------------------------------------------------------
 */

static int
set(struct grub_run *g, int argc, char **argv)
{
	char *eq = argc > 1 ? strchr(argv[1], '=') : NULL;

	if (eq == NULL)
		return argc > 1 ? 18 : 0;
	*eq = '\0';
	gr_set(g, argv[1], eq + 1);
	*eq = '=';
	return 0;
}

static int
unset(struct grub_run *g, int argc, char **argv)
{
	if (argc > 1)
		genv_unset(g->env, argv[1]);
	return 0;
}

static int export(struct grub_run *g, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (genv_export(g->env, argv[i]) != VT_OK)
			gr_stop(g, "no memory");
	return 0;
}

static int
setparams(struct grub_run *g, int argc, char **argv)
{
	(void)argc, (void)argv;
	/* A menu entry has these already; elsewhere nobody writes it. */
	if (g->scope == NULL || g->scope->n != argc - 1)
		gr_stop(g, "setparams outside of a menu entry");
	return 0;
}

static int
shift(struct grub_run *g, int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;

	if (g->scope == NULL)
		return 0;
	if (n < 0 || n > g->scope->n)
		return 18;
	g->scope->n -= n;
	g->scope->v += n;
	return 0;
}

static int
leave(struct grub_run *g, int argc, char **argv)
{
	if (g->scope == NULL)
		return 18;
	g->returns = true;
	return argc > 1 ? atoi(argv[1]) : g->result;
}

static int
leave_loop(struct grub_run *g, int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;

	if (n < 1)
		return 18;
	g->continues = strcmp(argv[0], "continue") == 0;
	g->breaks = (unsigned int)n < g->loops ? (unsigned int)n : g->loops;
	return 0;
}

/* --- configuration files ----------------------------------------------------
 */

static int
source(struct grub_run *g, int argc, char **argv)
{
	if (argc != 2)
		return 18;
	(void)gr_config(g, argv[1]); /* GRUB ignores an absent one, too */
	return 0;
}

static int
configfile(struct grub_run *g, int argc, char **argv)
{
	struct grub_menu *outer = g->menu, *m;

	if (argc != 2)
		return 18;
	if ((m = gm_new()) == NULL || genv_open(&g->env) != VT_OK) {
		gm_free(m);
		gr_stop(g, "no memory");
		return 1;
	}
	g->menu = m;
	(void)gr_config(g, argv[1]);
	if (!g->over)
		gm_show(g);
	genv_close(&g->env);
	g->menu = outer;
	gm_free(m);
	return 0;
}

/* A name as it stands in lines "name=value" of an environment block. */
static void
load_lines(struct grub_run *g, char *text, int argc, char **argv)
{
	char *line, *save = NULL, *eq;
	bool want;
	int i;

	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#' || (eq = strchr(line, '=')) == NULL)
			continue;
		*eq = '\0';
		want = argc == 0;
		for (i = 0; i < argc; i++)
			want = want || strcmp(argv[i], line) == 0;
		if (want)
			gr_set(g, line, eq + 1);
	}
}

static int
load_env(struct grub_run *g, int argc, char **argv)
{
	char name[GR_DEV_MAX + GR_NAME_MAX + 16];
	uint8_t *buf = NULL;
	size_t len = 0;
	int i = 1;

	(void)snprintf(name, sizeof(name), "%s/grubenv",
	    genv_get(g->env, "prefix") != NULL ? genv_get(g->env, "prefix")
					       : "");
	if (argc > 2 &&
	    (strcmp(argv[1], "-f") == 0 || strcmp(argv[1], "--file") == 0)) {
		(void)snprintf(name, sizeof(name), "%s", argv[2]);
		i = 3;
	} else if (argc > 1 && strncmp(argv[1], "--file=", 7) == 0) {
		(void)snprintf(name, sizeof(name), "%s", argv[1] + 7);
		i = 2;
	}
	if (i < argc && argv[i][0] == '-') {
		gr_stop(g, "load_env %s is not followed here", argv[i]);
		return 1;
	}
	if (!g->opts.fixed_grubenv) {
		gr_stop(g, "%s may change before the boot", name);
		return 1;
	}
	if (gr_file(g, name, &buf, &len) != VT_OK)
		return GR_NOT_FOUND;
	pred_note(g->p, "%s is assumed to stay as it is", name);
	load_lines(g, (char *)buf, argc - i, argv + i);
	free(buf);
	return 0;
}

/* --- modules, fonts ---------------------------------------------------------
 */

static int
insmod(struct grub_run *g, int argc, char **argv)
{
	char name[GR_DEV_MAX + GR_NAME_MAX + 64];
	const char *prefix = genv_get(g->env, "prefix");

	if (argc != 2)
		return 18;
	if (g->host->builtin != NULL && g->host->builtin(g->host->ctx, argv[1]))
		return 0;
	if (argv[1][0] == '/' || argv[1][0] == '(')
		(void)snprintf(name, sizeof(name), "%s", argv[1]);
	else
		(void)snprintf(name, sizeof(name), "%s/x86_64-efi/%s.mod",
		    prefix != NULL ? prefix : "", argv[1]);
	g->unsure = true; /* it may be part of GRUB's image */
	if (gr_kind(g, name) == GF_NONE)
		return GR_NOT_FOUND;
	pred_unknown(g->p, 9, "GRUB may read %s and what that needs", name);
	return 0;
}

/* As with insmod the result is a file that GRUB has, or has not. */
static int
loadfont(struct grub_run *g, int argc, char **argv)
{
	char name[GR_DEV_MAX + GR_NAME_MAX + 64];
	const char *prefix = genv_get(g->env, "prefix");
	int i, rc = argc > 1 ? 0 : 18;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '/' || argv[i][0] == '(')
			(void)snprintf(name, sizeof(name), "%s", argv[i]);
		else
			(void)snprintf(name, sizeof(name), "%s/fonts/%s.pf2",
			    prefix != NULL ? prefix : "", argv[i]);
		if (gr_file(g, name, NULL, NULL) != VT_OK)
			rc = GR_NOT_FOUND;
	}
	return rc;
}

static int
reads(struct grub_run *g, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (argv[i][0] != '-' &&
		    gr_file(g, argv[i], NULL, NULL) != VT_OK)
			return GR_NOT_FOUND;
	return 0;
}

/* A path is opened, with -l also what is in it. */
static int
list(struct grub_run *g, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strchr(argv[i], '/') != NULL)
			pred_unknown(g->p, 9, "GRUB command \"ls\" may read %s",
			    argv[i]);
	return device(g, argc, argv);
}

/* A file of tones, or the tones themselves. */
static int
play(struct grub_run *g, int argc, char **argv)
{
	g->unsure = true;
	return argc == 2 ? reads(g, argc, argv) : 0;
}

/* --- search ------------------------------------------------------------------
 */

struct search {
	const char *by, *var, *value;
};

/* search [--set[=VAR]] --file|--label|--fs-uuid ... NAME [VAR] */
static bool
search_options(struct search *s, int argc, char **argv)
{
	static const struct {
		const char *shortest, *longest, *by;
	} kinds[] = { { "-f", "--file", "file" }, { "-l", "--label", "label" },
		{ "-u", "--fs-uuid", "fs-uuid" } };
	size_t k;
	int i;

	for (i = 1; i < argc; i++) {
		for (k = 0; k < VT_NELEM(kinds); k++)
			if (strcmp(argv[i], kinds[k].shortest) == 0 ||
			    strcmp(argv[i], kinds[k].longest) == 0)
				s->by = kinds[k].by;
		if (strncmp(argv[i], "--set=", 6) == 0)
			s->var = argv[i] + 6;
		else if (strcmp(argv[i], "--set") == 0 ||
			 strcmp(argv[i], "-s") == 0)
			s->var = "root";
		else if (strcmp(argv[i], "--hint") == 0)
			i++;
		else if (argv[i][0] != '-' && s->value == NULL)
			s->value = argv[i];
		else if (argv[i][0] != '-')
			s->var = argv[i];
	}
	return s->by != NULL && s->value != NULL;
}

static int
search(struct grub_run *g, int argc, char **argv)
{
	struct search s = { 0 };
	char dev[GR_DEV_MAX], name[GR_DEV_MAX + GR_NAME_MAX + 4];
	int rc;

	if (strncmp(argv[0], "search.", 7) == 0 && argc >= 2) {
		s.by = strcmp(argv[0], "search.file") == 0       ? "file"
		       : strcmp(argv[0], "search.fs_label") == 0 ? "label"
								 : "fs-uuid";
		s.value = argv[1];
		s.var = argc > 2 ? argv[2] : NULL;
	} else if (!search_options(&s, argc, argv)) {
		gr_stop(g, "this form of search is not followed here");
		return 1;
	}
	if ((rc = g->host->find(g->host->ctx, s.by, s.value, dev)) != VT_OK) {
		gr_stop(g, "search finds %s %s \"%s\" on the given disk",
		    rc == VT_E_NOTFOUND ? "no" : "perhaps more than one", s.by,
		    s.value);
		return GR_NOT_FOUND;
	}
	if (strcmp(s.by, "file") == 0) { /* it is opened, so measured */
		(void)snprintf(name, sizeof(name), "(%s)%s", dev, s.value);
		if (gr_file(g, name, NULL, NULL) != VT_OK)
			return GR_NOT_FOUND;
	}
	if (s.var != NULL)
		gr_set(g, s.var, dev);
	return 0;
}

static const struct grub_command table[] = {
	{ "set", set },
	{ "unset", unset },
	{ "export", export },
	{ "setparams", setparams },
	{ "shift", shift },
	{ "return", leave },
	{ "break", leave_loop },
	{ "continue", leave_loop },
	{ "true", nothing },
	{ "false", is_false },
	{ "test", gt_run },
	{ "[", gt_run },
	{ "source", source },
	{ ".", source },
	{ "configfile", configfile },
	{ "menuentry", gm_add },
	{ "submenu", gm_add },
	{ "load_env", load_env },
	{ "save_env", nothing }, /* its file is exempt from verification */
	{ "insmod", insmod },
	{ "loadfont", loadfont },
	{ "cat", reads },
	{ "search", search },
	{ "search.fs_uuid", search },
	{ "search.fs_label", search },
	{ "search.file", search },
	{ "linux", gl_linux },
	{ "linux16", gl_linux },
	{ "linuxefi", gl_linuxefi },
	{ "initrd", gl_initrd },
	{ "initrd16", gl_initrd },
	{ "initrdefi", gl_initrdefi },
	{ "multiboot", gl_multiboot },
	{ "multiboot2", gl_multiboot },
	{ "module", gl_module },
	{ "module2", gl_module },
	{ "chainloader", gl_chainloader },
	{ "boot", gl_boot },
	{ "echo", nothing },
	{ "clear", nothing },
	{ "sleep", device },
	{ "play", play },
	{ "serial", device },
	{ "terminal_input", device },
	{ "terminal_output", device },
	{ "terminal", device },
	{ "ls", list },
	{ "password", nothing },
	{ "password_pbkdf2", nothing },
	{ "rmmod", device },
	{ "read", stops },
	{ "keystatus", stops },
	{ "normal", stops },
	{ "normal_exit", stops },
	{ "exit", stops },
	{ "halt", stops },
	{ "reboot", stops },
	{ "fwsetup", stops },
	{ "date", stops },
	{ "cpuid", stops },
	{ "background_image", stops },
};

const struct grub_command *
gc_find(const char *name)
{
	size_t i;

	for (i = 0; i < VT_NELEM(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}
