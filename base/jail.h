/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jail.h - what a process gives up before it reads its first foreign byte.
 *
 * Layer:  base; needs libseccomp.
 * Two calls, because a process may have something to do under its new ids
 * that its system-call filter no longer allows.  The order:
 *
 *   jail_drop()   1 descriptors that are not named are closed
 *                 2 signals to their defaults, umask 077
 *                 3 resource limits: cores, files, file size, memory,
 *                   processes (the last only under a uid of its own)
 *                 4 empty root: chroot into a folder that is removed already
 *                 5 no supplementary groups, own gid, own uid, checked
 *                 6 every capability gone
 *   jail_close()  7 no new privileges, not dumpable, not traceable
 *                 8 Landlock: no file system access at all, but for the one
 *                   device that the spec may name
 *                 9 seccomp: only the calls (and arguments) that are listed;
 *                   any other kills the process
 *
 * Not root: 4 is skipped, and 5 when no uid is asked for; the others hold.
 * A kernel without Landlock: 8 is skipped (9 refuses every open anyway).
 */
#ifndef BASE_JAIL_H
#define BASE_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define JAIL_KEEP_ID UINT32_MAX /* stay who you are */
#define JAIL_MAX_CONDS 2

enum jail_op { JAIL_EQ = 1, JAIL_MASKED }; /* (arg & mask) == val */

struct jail_cond {
	uint8_t arg; /* 0..5 */
	uint8_t op;  /* enum jail_op; 0 ends the list */
	uint64_t mask, val;
};

/* One system call that is allowed when all conditions hold; several rules
 * for one call are alternatives. */
struct jail_rule {
	int nr;       /* __NR_* */
	int fail_err; /* not 0: it is answered with this errno instead */
	struct jail_cond conds[JAIL_MAX_CONDS];
};

struct jail_spec {
	const struct jail_rule *rules; /* beside jail_rules_common */
	size_t nrules;
	uint64_t max_memory; /* address space, bytes; 0: no limit */
	uint64_t max_file;   /* size of a file that it may make, bytes */
	unsigned int max_fds;
	unsigned int max_procs; /* threads included */
	/* For a process that must be able to open its device or connect to
	 * its socket again: step 4 is skipped; step 8 leaves reading and
	 * writing of `device`, if that is not NULL. */
	bool keep_root;
	/* Step 1 is skipped: what had to be closed was, before a library
	 * opened descriptors that it does not name. */
	bool keep_fds;
	const char *device; /* borrowed until jail_close() */
};

struct jail; /* opaque: the compiled filter and the empty root */

/* Compile once, in the parent, while everything is still allowed.  spec is
 * borrowed for the life of *ret.  VT_E_NOMEM, VT_E_SYS. */
int jail_prepare(const struct jail_spec *spec, struct jail **ret) VT_CHECK;
void jail_free(struct jail *j);

/*
 * Steps 1-6.  keep: descriptors that stay open, beside 0, 1 and 2.
 * On failure *ret_step names the step; the process is half inside and must
 * exit.  VT_E_SYS, VT_E_RANGE.
 */
int jail_drop(const struct jail *j, uint32_t uid, uint32_t gid, const int *keep,
    size_t nkeep, const char **ret_step) VT_CHECK;
/* Steps 7-9, likewise. */
int jail_close(const struct jail *j, const char **ret_step) VT_CHECK;

#endif
