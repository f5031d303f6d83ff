/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_run.c - runs a GRUB script for what it measures. */
#include "measure/predict/grub_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/predict/grub_command.h"
#include "measure/predict/grub_load.h"
#include "measure/predict/grub_menu.h"

struct grub_function {
	const struct gs_cmd *def; /* borrowed from a script */
	struct grub_function *next;
};

struct script {
	struct gs_cmd *cmds;
	struct script *next;
};

static void run_list(struct grub_run *g, const struct gs_cmd *list);

void
gr_stop(struct grub_run *g, const char *fmt, ...)
{
	char text[PRED_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pred_unknown_rest(g->p, "%s", text);
	g->over = true;
}

void
gr_set(struct grub_run *g, const char *name, const char *value)
{
	if (genv_set(g->env, name, value) != VT_OK)
		gr_stop(g, "no memory");
}

/* --- files -----------------------------------------------------------------
 */

bool
gr_path(const struct grub_run *g, const char *name, char dev[GR_DEV_MAX],
    char path[GR_NAME_MAX])
{
	const char *root = genv_get(g->env, "root"), *end = name;
	size_t n;

	if (name[0] == '(') {
		if ((end = strchr(name, ')')) == NULL)
			return false;
		root = name + 1;
		n = (size_t)(end - root);
		end++;
	} else if (root != NULL) {
		n = strlen(root);
	} else {
		return false;
	}
	if (n == 0 || n >= GR_DEV_MAX || end[0] != '/' ||
	    strlen(end) >= GR_NAME_MAX)
		return false;
	memcpy(dev, root, n);
	dev[n] = '\0';
	(void)stpcpy(path, end);
	return true;
}

/* As gr_path(); at what is no path on a disk the run ends. */
static bool
need_path(struct grub_run *g, const char *name, char dev[GR_DEV_MAX],
    char path[GR_NAME_MAX])
{
	if (gr_path(g, name, dev, path))
		return true;
	gr_stop(g, "\"%s\" is not a path that is followed here", name);
	return false;
}

enum grub_found
gr_kind(struct grub_run *g, const char *name)
{
	char dev[GR_DEV_MAX], path[GR_NAME_MAX];
	enum grub_found kind;

	if (!need_path(g, name, dev, path))
		return GF_NONE;
	kind = g->host->kind(g->host->ctx, dev, path);
	if (kind != GF_UNKNOWN)
		return kind;
	gr_stop(g, "whether %s is there cannot be known", name);
	return GF_NONE;
}

int
gr_file(struct grub_run *g, const char *name, uint8_t **ret, size_t *ret_len)
{
	char dev[GR_DEV_MAX], path[GR_NAME_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if (!need_path(g, name, dev, path))
		return VT_E_UNSUPPORTED;
	rc = g->host->read(g->host->ctx, dev, path, &buf, &len);
	if (rc != VT_OK) {
		if (rc != VT_E_NOTFOUND)
			gr_stop(
			    g, "%s cannot be read: %s", name, vt_strerror(rc));
		return rc;
	}
	pred_event(g->p, 9, EV_IPL, buf, len, name, strlen(name) + 1);
	if ((g->read += len) > GR_MAX_READ)
		gr_stop(g, "GRUB's files are too large together");
	if (ret != NULL) {
		*ret = buf;
		*ret_len = len;
	} else {
		free(buf);
	}
	return VT_OK;
}

void
gr_measure(struct grub_run *g, const char *prefix, const char *text)
{
	size_t n = strlen(prefix), len = strlen(text);
	char *data;

	if (g->rescue && strcmp(prefix, "grub_cmd: ") == 0)
		return;
	if ((data = malloc(n + len + 1)) == NULL) {
		gr_stop(g, "no memory");
		return;
	}
	(void)stpcpy(stpcpy(data, prefix), text);
	pred_event(g->p, 8, EV_IPL, text, len, data, n + len + 1);
	free(data);
}

/* --- commands --------------------------------------------------------------
 */

static const struct gs_cmd *
find_function(const struct grub_run *g, const char *name)
{
	const struct grub_function *f;

	for (f = g->functions; f != NULL; f = f->next)
		if (strcmp(f->def->name, name) == 0)
			return f->def;
	return NULL;
}

static void
define(struct grub_run *g, const struct gs_cmd *def)
{
	struct grub_function *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		gr_stop(g, "no memory");
		return;
	}
	f->def = def;
	f->next = g->functions; /* hides an older one of that name */
	g->functions = f;
}

static bool
enter(struct grub_run *g, const char *what)
{
	if (g->depth++ < GR_MAX_DEPTH)
		return true;
	gr_stop(g, "%s: files and functions call one another too deeply", what);
	return false;
}

static void
call(struct grub_run *g, const struct gs_cmd *def, int argc, char **argv)
{
	struct grub_scope scope = { argc, argv }, *outer = g->scope;
	unsigned int loops = g->loops;

	g->loops = 0;
	g->scope = &scope;
	if (enter(g, def->name))
		run_list(g, def->body);
	g->depth--;
	g->returns = false;
	g->scope = outer;
	g->loops = loops;
}

static void
assign(struct grub_run *g, char *text)
{
	char *eq = strchr(text, '=');

	if (eq == NULL || eq == text) {
		gr_stop(g,
		    "GRUB command \"%s\" is not one that is followed "
		    "here",
		    text);
		return;
	}
	*eq = '\0';
	gr_set(g, text, eq + 1);
	g->result = 0;
}

/* A command whose arguments are expanded and measured. */
static void
dispatch(struct grub_run *g, int argc, char **argv)
{
	bool invert = strcmp(argv[0], "!") == 0 && argc > 1;
	const struct grub_command *c;
	const struct gs_cmd *f = NULL;

	argc -= invert;
	argv += invert;
	/* a bare return hands on the result of the command before */
	g->unsure = g->unsure && argc == 1 && strcmp(argv[0], "return") == 0;
	if ((c = gc_find(argv[0])) != NULL)
		g->result = c->run(g, argc, argv);
	else if ((f = find_function(g, argv[0])) != NULL)
		call(g, f, argc - 1, argv + 1);
	else
		assign(g, argv[0]);
	if (invert && (c != NULL || f != NULL))
		g->result = g->result == 1 ? 0 : g->result == 0;
}

/* A decision that hangs on a result which nobody knows ahead. */
static bool
is_sure(struct grub_run *g)
{
	if (g->unsure && !g->over)
		gr_stop(g, "whether a command succeeds hangs on the machine, "
			   "and the next one on that");
	return !g->over;
}

static bool
is_until(const struct grub_run *g, const char *text)
{
	return g->opts.until != NULL &&
	       strncmp(text, g->opts.until, strlen(g->opts.until)) == 0;
}

static void
run_command(struct grub_run *g, const struct gs_cmd *cmd)
{
	struct grub_args a = { 0 };
	char *text = NULL;

	if (++g->commands > GR_MAX_COMMANDS) {
		gr_stop(g, "the script runs more than %d commands",
		    GR_MAX_COMMANDS);
		return;
	}
	if (ga_expand(cmd->words, g->env, g->scope, g->result, &a) != VT_OK ||
	    (a.n > 0 && (text = ga_join(a.n, a.v)) == NULL)) {
		gr_stop(g, "line %u: the command is too long", cmd->line);
		ga_free(&a);
		return;
	}
	if (a.n == 0) { /* "$m", and m is not set */
		ga_free(&a);
		return;
	}
	if (a.asked && !is_sure(g)) {
		free(text);
		ga_free(&a);
		return;
	}
	if (a.wildcard)
		pred_unknown(g->p, 8,
		    "\"%s\" has a wildcard, which GRUB may "
		    "expand",
		    text);
	if (is_until(g, text)) {
		pred_note(g->p, "as before the GRUB command \"%s\"", text);
		g->over = true;
	} else {
		gr_measure(g, "grub_cmd: ", text);
		dispatch(g, a.n, a.v);
	}
	free(text);
	ga_free(&a);
}

static void
run_for(struct grub_run *g, const struct gs_cmd *cmd)
{
	struct grub_args a = { 0 };
	int i;

	if (ga_expand(cmd->words, g->env, g->scope, g->result, &a) != VT_OK) {
		gr_stop(g, "line %u: the list is too long", cmd->line);
		return;
	}
	if (a.asked && !is_sure(g)) {
		ga_free(&a);
		return;
	}
	g->loops++;
	for (i = 0; i < a.n && !g->over && !g->returns; i++) {
		if (g->continues && g->breaks == 1)
			g->breaks = 0;
		if (g->breaks > 0)
			break;
		gr_set(g, cmd->name, a.v[i]);
		run_list(g, cmd->body);
	}
	g->breaks -= g->breaks > 0;
	g->loops--;
	ga_free(&a);
}

static void
run_while(struct grub_run *g, const struct gs_cmd *cmd)
{
	g->loops++;
	while (!g->over) {
		run_list(g, cmd->cond);
		if (g->returns || !is_sure(g) ||
		    (cmd->kind == GS_UNTIL) == (g->result == 0))
			break;
		run_list(g, cmd->body);
		if (g->returns)
			break;
		if (g->breaks == 1 && g->continues)
			g->breaks = 0;
		if (g->breaks > 0)
			break;
	}
	g->breaks -= g->breaks > 0;
	g->loops--;
}

static void
run_list(struct grub_run *g, const struct gs_cmd *cmd)
{
	for (; cmd != NULL && !g->over && g->breaks == 0 && !g->returns;
	     cmd = cmd->next) {
		if (++g->steps > GR_MAX_STEPS) {
			gr_stop(g, "the script takes more than %d steps",
			    GR_MAX_STEPS);
			return;
		}
		switch (cmd->kind) {
		case GS_COMMAND:
			run_command(g, cmd);
			break;
		case GS_IF:
			run_list(g, cmd->cond);
			if (!g->returns && is_sure(g))
				run_list(
				    g, g->result == 0 ? cmd->body : cmd->other);
			break;
		case GS_FOR:
			run_for(g, cmd);
			break;
		case GS_WHILE:
		case GS_UNTIL:
			run_while(g, cmd);
			break;
		case GS_FUNCTION:
			define(g, cmd);
			break;
		}
	}
}

void
gr_script(struct grub_run *g, const char *text, size_t len, bool config,
    const char *what)
{
	struct script *s = calloc(1, sizeof(*s));
	char err[GS_ERR_MAX];
	int rc = VT_OK;

	if (s == NULL) {
		gr_stop(g, "%s: no memory", what);
		return;
	}
	err[0] = '\0';
	if ((g->text += len) > GR_MAX_TEXT)
		rc = VT_E_RANGE;
	if (rc == VT_OK)
		rc = gs_parse(text, len, config, &s->cmds, err);
	if (rc != VT_OK) {
		gr_stop(
		    g, "%s: %s", what, err[0] != '\0' ? err : vt_strerror(rc));
		free(s);
		return;
	}
	s->next = g->scripts;
	g->scripts = s;
	if (enter(g, what))
		run_list(g, s->cmds);
	g->depth--;
}

/* --- configurations ---------------------------------------------------------
 */

static void
restore(struct grub_run *g, const char *name, char *value)
{
	if (value != NULL)
		gr_set(g, name, value);
	else
		genv_unset(g->env, name);
	free(value);
}

static char *
saved(const struct grub_run *g, const char *name)
{
	const char *v = genv_get(g->env, name);

	return v != NULL ? strdup(v) : NULL;
}

bool
gr_config(struct grub_run *g, const char *name)
{
	char dev[GR_DEV_MAX], path[GR_NAME_MAX];
	char full[GR_DEV_MAX + GR_NAME_MAX + 2];
	char *file = saved(g, "config_file");
	char *folder = saved(g, "config_directory");
	uint8_t *buf = NULL;
	size_t len = 0;
	bool there, rescue = g->rescue;

	there = gr_path(g, name, dev, path) &&
		gr_file(g, name, &buf, &len) == VT_OK;
	if (there) {
		(void)snprintf(full, sizeof(full), "(%s)%s", dev, path);
		gr_set(g, "config_file", full);
		*strrchr(full, '/') = '\0';
		gr_set(g, "config_directory", full);
		if (genv_export(g->env, "config_file") != VT_OK ||
		    genv_export(g->env, "config_directory") != VT_OK)
			gr_stop(g, "no memory");
		else {
			g->rescue = false;
			gr_script(g, (char *)buf, len, true, name);
			g->rescue = rescue;
		}
	}
	free(buf);
	restore(g, "config_file", file);
	restore(g, "config_directory", folder);
	return there;
}

static int
set_exported(struct grub_run *g, const char *name, const char *value)
{
	int rc = genv_set(g->env, name, value);

	return rc == VT_OK ? genv_export(g->env, name) : rc;
}

/* The variables of GRUB's core and its normal module. */
static int
first_variables(struct grub_run *g, const struct grub_start *start)
{
	static const char *const features[] = { "feature_chainloader_bpb",
		"feature_ntldr", "feature_platform_search_hint",
		"feature_default_font_path", "feature_all_video_module",
		"feature_menuentry_id", "feature_menuentry_options",
		"feature_200_final", "feature_nativedisk_cmd",
		"feature_timeout_style" };
	char path[GR_DEV_MAX + GR_NAME_MAX + 2];
	size_t i;
	int rc = VT_OK;

	for (i = 0; rc == VT_OK && i < VT_NELEM(features); i++)
		rc = set_exported(g, features[i], "y");
	(void)snprintf(path, sizeof(path), "(%s)%s", start->dev, start->prefix);
	if (rc != VT_OK ||
	    (rc = set_exported(g, "root", start->boot)) != VT_OK ||
	    (rc = set_exported(g, "prefix", path)) != VT_OK ||
	    (rc = set_exported(g, "grub_cpu", "x86_64")) != VT_OK ||
	    (rc = set_exported(g, "color_normal", "light-gray/black")) !=
		VT_OK ||
	    (rc = set_exported(g, "color_highlight", "black/light-gray")) !=
		VT_OK)
		return rc;
	if (start->fw_path != NULL &&
	    (rc = genv_set(g->env, "fw_path", start->fw_path)) != VT_OK)
		return rc;
	g->probes = start->fw_path != NULL;
	return set_exported(g, "grub_platform", "efi");
}

/* Lists that the normal module reads where they are there. */
static void
read_lists(struct grub_run *g)
{
	static const char *const lists[] = { "command", "fs", "crypto",
		"terminal" };
	char name[GR_DEV_MAX + GR_NAME_MAX + 32];
	size_t i;

	for (i = 0; i < VT_NELEM(lists); i++) {
		(void)snprintf(name, sizeof(name), "%s/x86_64-efi/%s.lst",
		    genv_get(g->env, "prefix"), lists[i]);
		if (gr_kind(g, name) == GF_FILE &&
		    gr_file(g, name, NULL, NULL) != VT_OK)
			gr_stop(g, "%s cannot be read", name);
	}
}

/* The configuration's name; with $fw_path also a first look at it. */
static void
find_config(struct grub_run *g, char *name, size_t cap)
{
	static const char *const folders[] = { "fw_path", "prefix" };
	const char *folder;
	size_t i;

	for (i = g->probes ? 0 : 1; i < VT_NELEM(folders); i++) {
		folder = genv_get(g->env, folders[i]);
		(void)snprintf(
		    name, cap, "%s/grub.cfg", folder != NULL ? folder : "");
		if (g->probes && gr_file(g, name, NULL, NULL) == VT_OK)
			return;
		if (g->over)
			return;
	}
}

static void
run_normal(struct grub_run *g)
{
	char name[GR_DEV_MAX + GR_NAME_MAX + 32];

	find_config(g, name, sizeof(name));
	if (!g->over)
		read_lists(g);
	if (!g->over && !gr_config(g, name))
		gr_stop(g, "GRUB finds no %s and waits for commands", name);
	if (!g->over)
		gm_show(g);
	if (!g->over)
		gr_stop(g, "no menu entry starts anything: GRUB waits for "
			   "commands");
}

static void
free_run(struct grub_run *g)
{
	while (g->functions != NULL) {
		struct grub_function *f = g->functions;

		g->functions = f->next;
		free(f);
	}
	while (g->scripts != NULL) {
		struct script *s = g->scripts;

		g->scripts = s->next;
		gs_free(s->cmds);
		free(s);
	}
	gl_unload(g);
	gm_free(g->menu);
	genv_free(g->env);
}

int
grub_predict(struct prediction *p, const struct grub_host *host,
    const struct grub_start *start, const struct grub_options *opts,
    bool *ret_booted)
{
	struct grub_run g = {
		.p = p, .host = host, .opts = *opts, .release = start->release
	};
	int rc = VT_E_NOMEM;

	g.env = genv_new();
	g.menu = gm_new();
	if (g.env != NULL && g.menu != NULL)
		rc = first_variables(&g, start);
	if (rc == VT_OK && start->config != NULL) {
		g.rescue = true;
		gr_script(&g, start->config, start->config_len, false,
		    "GRUB's built-in configuration");
		g.rescue = false;
	}
	if (rc == VT_OK) {
		if (!g.over)
			run_normal(&g);
		*ret_booted = g.booted;
	}
	free_run(&g);
	return rc;
}
