/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jail_rules.h - the system calls that every jailed process may make, and
 * macros that write such a list.
 *
 * Layer:  base; included by files that hold an allow-list, and by jail.c.
 */
#ifndef BASE_JAIL_RULES_H
#define BASE_JAIL_RULES_H

#include <linux/sched.h>
#include <sys/syscall.h>

#include <errno.h>

#include "base/jail.h"

/* clang-format off */
#define ALLOW(name)		{ .nr = __NR_##name }
/* if argument a equals v */
#define ALLOW_IF(name, a, v)	{ .nr = __NR_##name, \
				  .conds = { { a, JAIL_EQ, 0, v } } }
/* if the bits m of argument a equal v */
#define ALLOW_MASK(name, a, m, v) { .nr = __NR_##name, \
				  .conds = { { a, JAIL_MASKED, m, v } } }
/* fails with err */
#define ANSWER(name, err)	{ .nr = __NR_##name, .fail_err = err }
/* the same if argument a equals v */
#define ANSWER_IF(name, a, v, err) { .nr = __NR_##name, .fail_err = err, \
				  .conds = { { a, JAIL_EQ, 0, v } } }

/* Threads, but no processes.  clone3(2) hides its flags in memory, where a
 * filter cannot see them; on ENOSYS glibc falls back to clone(2). */
#define JAIL_THREAD_FLAGS (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)
#define ALLOW_THREADS \
	ALLOW_MASK(clone, 0, JAIL_THREAD_FLAGS, JAIL_THREAD_FLAGS), \
	ANSWER(clone3, ENOSYS), \
	ALLOW(set_robust_list), \
	ALLOW(rseq)
/* clang-format on */

/* jail_prepare() adds these to the rules of each spec. */
extern const struct jail_rule jail_rules_common[];
extern const size_t jail_rules_ncommon;

#endif
