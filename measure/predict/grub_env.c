/* SPDX-License-Identifier: BSD-3-Clause */
/* grub_env.c - variables of a GRUB script. */
#include "measure/predict/grub_env.h"

#include <stdlib.h>
#include <string.h>

struct var {
	char *name, *value;
	bool exported;
	struct var *next;
};

struct grub_env {
	struct var *vars;
	struct grub_env *outer;
};

struct grub_env *
genv_new(void)
{
	return calloc(1, sizeof(struct grub_env));
}

static void
free_vars(struct var *v)
{
	while (v != NULL) {
		struct var *next = v->next;

		free(v->name);
		free(v->value);
		free(v);
		v = next;
	}
}

void
genv_free(struct grub_env *env)
{
	while (env != NULL) {
		struct grub_env *outer = env->outer;

		free_vars(env->vars);
		free(env);
		env = outer;
	}
}

static struct var *
find(const struct grub_env *env, const char *name)
{
	struct var *v;

	for (v = env->vars; v != NULL; v = v->next)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

const char *
genv_get(const struct grub_env *env, const char *name)
{
	const struct var *v = find(env, name);

	return v != NULL ? v->value : NULL;
}

static struct var *
add(struct grub_env *env, const char *name)
{
	struct var *v = calloc(1, sizeof(*v));

	if (v == NULL || (v->name = strdup(name)) == NULL) {
		free(v);
		return NULL;
	}
	v->next = env->vars;
	env->vars = v;
	return v;
}

int
genv_set(struct grub_env *env, const char *name, const char *value)
{
	struct var *v = find(env, name);
	char *copy = strdup(value);

	if (copy == NULL || (v == NULL && (v = add(env, name)) == NULL)) {
		free(copy);
		return VT_E_NOMEM;
	}
	free(v->value);
	v->value = copy;
	return VT_OK;
}

void
genv_unset(struct grub_env *env, const char *name)
{
	struct var *v = find(env, name);

	if (v == NULL)
		return;
	free(v->value);
	v->value = NULL; /* it may still be marked as exported */
}

int
genv_export(struct grub_env *env, const char *name)
{
	struct var *v = find(env, name);

	if (v == NULL && (v = add(env, name)) == NULL)
		return VT_E_NOMEM;
	v->exported = true;
	return VT_OK;
}

int
genv_open(struct grub_env **env)
{
	struct grub_env *inner = genv_new();
	const struct var *v;
	int rc = inner != NULL ? VT_OK : VT_E_NOMEM;

	for (v = (*env)->vars; rc == VT_OK && v != NULL; v = v->next) {
		if (!v->exported)
			continue;
		if (v->value != NULL)
			rc = genv_set(inner, v->name, v->value);
		if (rc == VT_OK)
			rc = genv_export(inner, v->name);
	}
	if (rc != VT_OK) {
		genv_free(inner);
		return rc;
	}
	inner->outer = *env;
	*env = inner;
	return VT_OK;
}

void
genv_close(struct grub_env **env)
{
	struct grub_env *inner = *env;

	if (inner->outer == NULL)
		return;
	*env = inner->outer;
	free_vars(inner->vars);
	free(inner);
}
