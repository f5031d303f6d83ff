/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_words.h - the words of a GRUB command, expanded to its arguments.
 *
 * Layer:  measure; may include base only.
 */
#ifndef MEASURE_PREDICT_GRUB_WORDS_H
#define MEASURE_PREDICT_GRUB_WORDS_H

#include <stdbool.h>

#include "base/err.h"
#include "measure/predict/grub_env.h"
#include "measure/predict/grub_parse.h"

#define GA_MAX 4096 /* arguments of one command */

struct grub_args {
	int n;
	char **v;      /* owned, into text; v[n] is NULL.  One may be "" */
	char *text;    /* owned */
	int result;    /* of the command before: $? */
	bool asked;    /* $? was read */
	bool wildcard; /* an unquoted * or ? was read as it is */
};

/* Positional parameters: $1 ..., $#, $*, $@. */
struct grub_scope {
	int n;
	char **v; /* borrowed */
};

/*
 * Expand words; scope may be NULL: none.  The caller frees ret with ga_free().
 * VT_E_NOMEM, VT_E_RANGE.
 */
int ga_expand(const struct gs_word *words, const struct grub_env *env,
    const struct grub_scope *scope, int result, struct grub_args *ret) VT_CHECK;
void ga_free(struct grub_args *a);
/* All arguments from the first on with one space between; heap, NULL without
 * memory. */
char *ga_join(int n, char *const *v);

#endif
