/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qemu_opts.h - the parts of an option's value, split as QEMU splits them.
 *
 * Layer:  tools; pure, no I/O.
 * Spec:   QEMU 7.2 util/qemu-option.c (get_opt_name_value), util/keyval.c:
 *         a key ends at the first "=" or ","; in its value ",," is a comma;
 *         "KEY" alone is KEY=on, "noKEY" alone is KEY=off.
 * Trust:  the operator's.
 */
#ifndef TOOLS_LAUNCH_QEMU_OPTS_H
#define TOOLS_LAUNCH_QEMU_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Ranges of the option's value, borrowed. */
struct qo_part {
	const char *key; /* not terminated */
	size_t key_len;
	bool flag;      /* a key alone: no value */
	size_t at, len; /* of the value, escapes included */
};

/* The part at *pos, which then is behind it.  implied: the key of a first part
 * that has none, or NULL.  false: there is no more. */
bool qo_next(
    const char *text, size_t *pos, const char *implied, struct qo_part *ret);
bool qo_key_is(const struct qo_part *p, const char *key);
/* The first part with that key. */
bool qo_find(const char *text, const char *implied, const char *key,
    struct qo_part *ret);
/* Of two equal keys QEMU takes the last.  list: a key that may be there more
 * than once, or NULL. */
bool qo_twice(const char *text, const char *implied, const char *list);
/* The value without escapes.  VT_E_RANGE. */
int qo_value(
    const char *text, const struct qo_part *p, char *out, size_t cap) VT_CHECK;

#endif
