/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jail.h - drops a process's privileges before it reads its first foreign
 * byte.
 *
 * Layer:  base; needs libseccomp.
 * Two calls, because a process may have work to do under its new ids that its
 * system-call filter forbids.  The order:
 *
 *   jail_drop()   1 close all descriptors but the named ones
 *                 2 set signals to their defaults, umask 077
 *                 3 limit resources: cores, files, file size, memory,
 *                   processes (the last only under a uid of this process
 *                   alone); lock all memory (lock_all_memory())
 *                 4 chroot into an empty folder that is removed already
 *                 5 drop supplementary groups, take gid and uid, verify
 *                 6 drop all capabilities
 *   jail_close()  7 no new privileges, not dumpable, not traceable
 *                 8 Landlock: no file system access at all, but for the
 *                   devices that the spec may name
 *                 9 seccomp: only the calls (and arguments) that are listed,
 *                   tgkill(2) for the process itself alone; any other kills
 *                   the process
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

#define JAIL_KEEP_ID UINT32_MAX /* keep the current id */
#define JAIL_MAX_CONDS 2
#define JAIL_MAX_DEVICES 2

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
	int fail_err; /* not 0: the call fails with this errno instead */
	struct jail_cond conds[JAIL_MAX_CONDS];
};

struct jail_spec {
	const struct jail_rule *rules; /* beside jail_rules_common */
	size_t nrules;
	uint64_t max_memory; /* address space, bytes; 0: no limit */
	uint64_t max_file;   /* size of a file that it may create, bytes */
	unsigned int max_fds;
	unsigned int max_procs; /* threads included */
	/* For a process that must reopen its device or reconnect to its
	 * socket: skips step 4; step 8 leaves `devices`, unless NULL, readable
	 * and writable. */
	bool keep_root;
	/* Skips step 1: the process closed the others before a library opened
	 * descriptors that it does not reveal. */
	bool keep_fds;
	const char *devices[JAIL_MAX_DEVICES]; /* borrowed until jail_close() */
};

struct jail; /* opaque: the compiled filter and the empty root */

/* Compile once, in the parent, while nothing is forbidden yet.  spec is
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
/* All of it at once, for a process that keeps its ids; spec.keep_fds. */
int jail_enter(const struct jail_spec *spec, const char **ret_step) VT_CHECK;

#endif
