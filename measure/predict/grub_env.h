/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_env.h - GRUB's variables, in contexts: configfile and submenu open one,
 * which starts with what was exported.
 *
 * Layer:  measure; may include base only.
 */
#ifndef MEASURE_PREDICT_GRUB_ENV_H
#define MEASURE_PREDICT_GRUB_ENV_H

#include <stdbool.h>

#include "base/err.h"

struct grub_env; /* opaque: the innermost context */

/* NULL without memory. */
struct grub_env *genv_new(void);
void genv_free(struct grub_env *env); /* all contexts; NULL is a no-op */
int genv_open(struct grub_env **env) VT_CHECK; /* VT_E_NOMEM */
void genv_close(struct grub_env **env);        /* never the outermost */
/* Borrowed until it is set again; NULL: not set. */
const char *genv_get(const struct grub_env *env, const char *name);
int genv_set(struct grub_env *env, const char *name,
    const char *value) VT_CHECK; /* VT_E_NOMEM */
void genv_unset(struct grub_env *env, const char *name);
int genv_export(struct grub_env *env, const char *name) VT_CHECK;

#endif
