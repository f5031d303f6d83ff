/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jail_rules.h - how a file that holds nothing but an allow-list says its
 * rows (struct jail_rule of base/jail.h); included by such files only.
 *
 * Layer:  base.
 */
#ifndef BASE_JAIL_RULES_H
#define BASE_JAIL_RULES_H

#include <sys/syscall.h>

#include "base/jail.h"

/* clang-format off */
/* As it is; if argument a is v; if a's bits m are v; an errno instead. */
#define ALLOW(name)		{ .nr = __NR_##name }
#define ALLOW_IF(name, a, v)	{ .nr = __NR_##name, \
				  .conds = { { a, JAIL_EQ, 0, v } } }
#define ALLOW_MASK(name, a, m, v) { .nr = __NR_##name, \
				  .conds = { { a, JAIL_MASKED, m, v } } }
#define ANSWER(name, err)	{ .nr = __NR_##name, .fail_err = err }
/* clang-format on */

#endif
