/* SPDX-License-Identifier: BSD-3-Clause */

#include "vtpm_manager/core/child.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/run_folder.h"

#define CHILD_FD 3

static int
exe_folder(char *out, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", out, cap - 1);
	char *slash;

	if (n == -1)
		return VT_E_SYS;
	out[n] = '\0';
	if ((slash = strrchr(out, '/')) == NULL)
		return VT_E_FORMAT;
	*slash = '\0';
	return VT_OK;
}

int
child_path(char *out, size_t cap, const char *configured, const char *env,
    const char *name)
{
	const char *e = getenv(env);
	char dir[PATH_MAX];
	int rc;

	if (configured[0] != '\0')
		return run_path(out, cap, "%s", configured);
	if (e != NULL && e[0] != '\0')
		return run_path(out, cap, "%s", e);
	if ((rc = exe_folder(dir, sizeof(dir))) != VT_OK)
		return rc;
	return run_path(out, cap, "%s/%s", dir, name);
}

/* In a build folder the TCTI module lies beside the programs. */
static void
set_library_path(void)
{
	const char *old = getenv("LD_LIBRARY_PATH");
	char dir[PATH_MAX], val[PATH_MAX * 2];

	if (exe_folder(dir, sizeof(dir)) != VT_OK)
		return;
	if (old != NULL && old[0] != '\0') {
		if (run_path(val, sizeof(val), "%s:%s", dir, old) == VT_OK)
			(void)setenv("LD_LIBRARY_PATH", val, 1);
	} else
		(void)setenv("LD_LIBRARY_PATH", dir, 1);
}

static void
change_cgroup(const char *procs)
{
	int fd;

	if (procs == NULL || procs[0] == '\0')
		return;
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, "0", 1) != 1)
		log_warn("%s: %m", procs);
}

static void
child_exec(const struct child *c, int fd, const char *path, char *const argv[])
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	set_library_path();
	change_cgroup(c->cgroup);
	(void)unsetenv("NOTIFY_SOCKET");
	if (fd == CHILD_FD) {
		if (fcntl(fd, F_SETFD, 0) == -1)
			_exit(126);
	} else if (dup2(fd, CHILD_FD) == -1)
		_exit(126);
	if (close_range(CHILD_FD + 1, ~0u, 0) == -1)
		_exit(126);
	(void)execv(path, argv);
	log_err("%s: %m", path);
	_exit(127);
}

static int
on_child(sd_event_source *s, const siginfo_t *si, void *arg)
{
	struct child *c = arg;
	char how[64];

	(void)s;
	if (si->si_code == CLD_EXITED)
		(void)snprintf(
		    how, sizeof(how), "exit status %d", si->si_status);
	else
		(void)snprintf(how, sizeof(how), "signal %d", si->si_status);
	c->pid = 0;
	c->src = sd_event_source_disable_unref(c->src);
	c->exited(c->arg, how);
	return 0;
}

int
child_start(struct mgr *m, struct child *c, const char *path,
    char *const argv[], int *ret_fd)
{
	int sv[2], r, saved;
	pid_t pid;

	if (access(path, X_OK) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return VT_E_SYS;
	if ((pid = fork()) == -1) {
		saved = errno;
		(void)close(sv[0]);
		(void)close(sv[1]);
		errno = saved;
		return VT_E_SYS;
	}
	if (pid == 0)
		child_exec(c, sv[1], path, argv);
	(void)close(sv[1]);
	c->pid = pid;
	r = sd_event_add_child(m->ev, &c->src, pid, WEXITED, on_child, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->src, LOOP_PRIO_CHILD);
	if (r < 0) {
		(void)close(sv[0]);
		c->src = sd_event_source_disable_unref(c->src);
		errno = -r;
		return VT_E_SYS;
	}
	*ret_fd = sv[0];
	return VT_OK;
}

void
child_forget(struct child *c)
{
	c->src = sd_event_source_disable_unref(c->src);
	c->pid = 0;
}
