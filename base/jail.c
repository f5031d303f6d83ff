/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/jail.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jail_rules.h"
#include "base/lock_memory.h"
#include "base/util.h"

#define MAX_KEEP 16

struct jail {
	const struct jail_spec *spec; /* borrowed */
	struct sock_fprog prog;       /* filter is heap */
	int root_fd;                  /* an empty, removed folder; -1 */
};

/* --- prepare ---------------------------------------------------------------
 */

static int
add_rule(scmp_filter_ctx ctx, const struct jail_rule *r)
{
	struct scmp_arg_cmp cmp[JAIL_MAX_CONDS];
	uint32_t act = r->fail_err != 0 ? SCMP_ACT_ERRNO((uint32_t)r->fail_err)
					: SCMP_ACT_ALLOW;
	unsigned int n = 0;

	memset(cmp, 0, sizeof(cmp));
	while (n < JAIL_MAX_CONDS && r->conds[n].op != 0) {
		const struct jail_cond *c = &r->conds[n];

		cmp[n].arg = c->arg;
		cmp[n].op = c->op == JAIL_EQ ? SCMP_CMP_EQ : SCMP_CMP_MASKED_EQ;
		cmp[n].datum_a = c->op == JAIL_EQ ? c->val : c->mask;
		cmp[n].datum_b = c->op == JAIL_EQ ? 0 : c->val;
		n++;
	}
	return seccomp_rule_add_array(ctx, act, r->nr, n, cmp);
}

/* libseccomp writes its filter to a descriptor only. */
static int
read_filter(scmp_filter_ctx ctx, struct sock_fprog *ret)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int fd, rc = VT_E_SYS;

	if ((fd = memfd_create("filter", MFD_CLOEXEC)) == -1)
		return VT_E_SYS;
	if (seccomp_export_bpf(ctx, fd) != 0 ||
	    lseek(fd, 0, SEEK_SET) == (off_t)-1)
		goto out;
	rc = read_fd(fd, BPF_MAXINSNS * sizeof(struct sock_filter), &buf, &len);
	if (rc != VT_OK)
		goto out;
	ret->len = (unsigned short)(len / sizeof(struct sock_filter));
	ret->filter = (struct sock_filter *)(void *)buf;
out:
	(void)close(fd);
	return rc;
}

static int
compile(const struct jail_spec *spec, struct sock_fprog *ret)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = VT_E_SYS;
	size_t i;

	if (ctx == NULL)
		return VT_E_NOMEM;
	/* 2: a binary tree; in a list the last call would be slowest. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (i = 0; i < jail_rules_ncommon; i++)
		if ((errno = -add_rule(ctx, &jail_rules_common[i])) != 0)
			goto out;
	for (i = 0; i < spec->nrules; i++)
		if ((errno = -add_rule(ctx, &spec->rules[i])) != 0)
			goto out;
	rc = read_filter(ctx, ret);
out:
	seccomp_release(ctx);
	return rc;
}

/* A folder that is removed before the process enters it: not even root can
 * create anything in it. */
static int
make_root(void)
{
	char path[] = "/tmp/vtpm-root-XXXXXX";
	int fd;

	if (mkdtemp(path) == NULL)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	(void)rmdir(path);
	return fd;
}

int
jail_prepare(const struct jail_spec *spec, struct jail **ret)
{
	struct jail *j = calloc(1, sizeof(*j));
	int rc;

	if (j == NULL)
		return VT_E_NOMEM;
	j->spec = spec;
	j->root_fd = -1;
	if ((rc = compile(spec, &j->prog)) != VT_OK)
		goto fail;
	if (geteuid() == 0 && !spec->keep_root &&
	    (j->root_fd = make_root()) == -1) {
		rc = VT_E_SYS;
		goto fail;
	}
	*ret = j;
	return VT_OK;
fail:
	jail_free(j);
	return rc;
}

void
jail_free(struct jail *j)
{
	int saved = errno;

	if (j == NULL)
		return;
	if (j->root_fd != -1)
		(void)close(j->root_fd);
	free(j->prog.filter);
	free(j);
	errno = saved;
}

/* --- drop ------------------------------------------------------------------
 */

static int
by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int
close_others(const struct jail *j, const int *keep, size_t nkeep)
{
	int fds[MAX_KEEP + 1];
	unsigned int from = 3;
	size_t i, n = 0;

	if (nkeep > MAX_KEEP)
		return VT_E_RANGE;
	for (i = 0; i < nkeep; i++)
		fds[n++] = keep[i];
	if (j->root_fd != -1)
		fds[n++] = j->root_fd; /* until step 4 */
	qsort(fds, n, sizeof(fds[0]), by_value);
	for (i = 0; i < n; i++) {
		if (fds[i] < (int)from)
			continue;
		if ((unsigned int)fds[i] > from &&
		    close_range(from, (unsigned int)fds[i] - 1, 0) == -1)
			return VT_E_SYS;
		from = (unsigned int)fds[i] + 1;
	}
	return close_range(from, ~0U, 0) == -1 ? VT_E_SYS : VT_OK;
}

static int
default_signals(void)
{
	struct sigaction sa;
	sigset_t none;
	int s;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (s = 1; s < SIGRTMIN; s++)
		(void)sigaction(s, &sa, NULL); /* SIGKILL, SIGSTOP refuse */
	sa.sa_handler = SIG_IGN;
	(void)sigemptyset(&none);
	if (sigaction(SIGPIPE, &sa, NULL) == -1 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		return VT_E_SYS;
	(void)umask(077);
	return VT_OK;
}

static int
limit(__rlimit_resource_t what, uint64_t max)
{
	struct rlimit cur, want = { (rlim_t)max, (rlim_t)max };

	if (getrlimit(what, &cur) == -1)
		return VT_E_SYS;
	if (cur.rlim_max != RLIM_INFINITY && cur.rlim_max < want.rlim_max)
		want.rlim_cur = want.rlim_max = cur.rlim_max;
	return setrlimit(what, &want) == -1 ? VT_E_SYS : VT_OK;
}

static int
limits(const struct jail_spec *spec, uint32_t uid)
{
	int rc;

	/* where the host allows it; the manager's log says if it does not */
	(void)!lock_all_memory(spec->max_memory);

	if ((rc = limit(RLIMIT_CORE, 0)) != VT_OK ||
	    (rc = limit(RLIMIT_NOFILE, spec->max_fds)) != VT_OK ||
	    (rc = limit(RLIMIT_FSIZE, spec->max_file)) != VT_OK ||
	    (rc = limit(RLIMIT_MSGQUEUE, 0)) != VT_OK)
		return rc;
#if !defined(__SANITIZE_ADDRESS__) /* its shadow is 16 TiB */
	if (spec->max_memory != 0 &&
	    (rc = limit(RLIMIT_AS, spec->max_memory)) != VT_OK)
		return rc;
#endif
	/* Counts per user: useless where the uid is shared. */
	if (uid != JAIL_KEEP_ID)
		return limit(RLIMIT_NPROC, spec->max_procs);
	return VT_OK;
}

static int
empty_root(const struct jail *j)
{
	if (j->root_fd == -1 || geteuid() != 0)
		return VT_OK;
	if (fchdir(j->root_fd) == -1 || chroot(".") == -1)
		return VT_E_SYS;
	(void)close(j->root_fd);
	return VT_OK;
}

static int
own_ids(uint32_t uid, uint32_t gid)
{
	if (geteuid() == 0 && setgroups(0, NULL) == -1)
		return VT_E_SYS;
	if (gid != JAIL_KEEP_ID &&
	    (setresgid(gid, gid, gid) == -1 || getegid() != gid))
		return VT_E_SYS;
	if (uid != JAIL_KEEP_ID &&
	    (setresuid(uid, uid, uid) == -1 || geteuid() != uid ||
		(uid != 0 && setuid(0) == 0)))
		return VT_E_SYS;
	return VT_OK;
}

static int
no_capabilities(void)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
	    errno != EINVAL)
		return VT_E_SYS;
	return syscall(SYS_capset, &hdr, none) == -1 ? VT_E_SYS : VT_OK;
}

int
jail_drop(const struct jail *j, uint32_t uid, uint32_t gid, const int *keep,
    size_t nkeep, const char **ret_step)
{
	int rc;

	*ret_step = "close descriptors";
	if (!j->spec->keep_fds && (rc = close_others(j, keep, nkeep)) != VT_OK)
		return rc;
	*ret_step = "reset signals";
	if ((rc = default_signals()) != VT_OK)
		return rc;
	*ret_step = "limit resources";
	if ((rc = limits(j->spec, uid)) != VT_OK)
		return rc;
	*ret_step = "enter the empty root";
	if ((rc = empty_root(j)) != VT_OK)
		return rc;
	*ret_step = "take its own user and group";
	if ((rc = own_ids(uid, gid)) != VT_OK)
		return rc;
	*ret_step = "give up capabilities";
	return no_capabilities();
}

/* --- close -----------------------------------------------------------------
 */

#define FS_ALL_V1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* A device that does not exist now cannot be opened later. */
static int
landlock_device(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule;
	int rc = VT_OK;

	if (path == NULL)
		return VT_OK;
	memset(&rule, 0, sizeof(rule));
	rule.allowed_access =
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT ? VT_OK : VT_E_SYS;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0) == -1)
		rc = VT_E_SYS;
	(void)close(rule.parent_fd);
	return rc;
}

static int
landlock(const char *const devices[JAIL_MAX_DEVICES])
{
	struct landlock_ruleset_attr attr;
	int fd, rc = VT_OK, i;

	memset(&attr, 0, sizeof(attr));
	attr.handled_access_fs = FS_ALL_V1;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd == -1)
		return errno == ENOSYS || errno == EOPNOTSUPP ? VT_OK
							      : VT_E_SYS;
	for (i = 0; i < JAIL_MAX_DEVICES && rc == VT_OK; i++)
		rc = landlock_device(fd, devices[i]);
	if (rc == VT_OK && syscall(SYS_landlock_restrict_self, fd, 0) == -1)
		rc = VT_E_SYS;
	(void)close(fd);
	return rc;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif

/* tgkill(2) signals this process alone.  A filter of its own: the other one is
 * compiled before the process exists. */
static int
signal_only_itself(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, args[0]) + LOW_HALF),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = VT_NELEM(f), .filter = f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == -1
		   ? VT_E_SYS
		   : VT_OK;
}

int
jail_close(const struct jail *j, const char **ret_step)
{
	int rc;

	*ret_step = "forbid new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return VT_E_SYS;
	*ret_step = "apply Landlock";
	if ((rc = landlock(j->spec->devices)) != VT_OK)
		return rc;
	*ret_step = "apply the system-call filter";
	if ((rc = signal_only_itself()) != VT_OK)
		return rc;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &j->prog) == -1)
		return VT_E_SYS;
	return VT_OK;
}

int
jail_enter(const struct jail_spec *spec, const char **ret_step)
{
	struct jail *j;
	int rc;

	*ret_step = "prepare the jail";
	if ((rc = jail_prepare(spec, &j)) != VT_OK)
		return rc;
	rc = jail_drop(j, JAIL_KEEP_ID, JAIL_KEEP_ID, NULL, 0, ret_step);
	if (rc == VT_OK)
		rc = jail_close(j, ret_step);
	jail_free(j);
	return rc;
}
