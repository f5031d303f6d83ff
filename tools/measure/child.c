/* SPDX-License-Identifier: BSD-3-Clause */
/* child.c - runs another program for its output. */
#include "tools/measure/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

#define MAX_CPU 1200                           /* seconds */
#define MAX_MEMORY (4ull * 1024 * 1024 * 1024) /* bytes */

extern char **environ;

static int
start(const char *const argv[], int out, pid_t *ret)
{
	posix_spawn_file_actions_t fa;
	char *const *args;
	int rc;

	memcpy(&args, &argv, sizeof(args)); /* POSIX: they are not changed */

	if (posix_spawn_file_actions_init(&fa) != 0)
		return VT_E_NOMEM;
	rc = posix_spawn_file_actions_addopen(
	    &fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(
		    &fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawnp(ret, argv[0], &fa, NULL, args, environ);
	(void)posix_spawn_file_actions_destroy(&fa);
	if (rc == 0)
		return VT_OK;
	errno = rc;
	return rc == ENOENT ? VT_E_NOTFOUND : VT_E_SYS;
}

/* Its input is hostile: it may neither run nor grow without end. */
static void
bound(pid_t pid)
{
	static const struct rlimit cpu = { MAX_CPU, MAX_CPU };
	static const struct rlimit memory = { MAX_MEMORY, MAX_MEMORY };

	(void)prlimit(pid, RLIMIT_CPU, &cpu, NULL);
	(void)prlimit(pid, RLIMIT_AS, &memory, NULL);
}

static int
finish(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return VT_E_SYS;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? VT_OK
							     : VT_E_STATE;
}

int
child_run(const char *const argv[], size_t max, uint8_t **ret, size_t *ret_len)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int fd[2], rc, ended;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) == -1)
		return VT_E_SYS;
	rc = start(argv, fd[1], &pid);
	(void)close(fd[1]);
	if (rc != VT_OK) {
		(void)close(fd[0]);
		return rc;
	}
	bound(pid);
	rc = read_fd(fd[0], max, &buf, &len);
	(void)close(fd[0]); /* it ends if it has more to say */
	ended = finish(pid);
	if (rc == VT_OK)
		rc = ended;
	if (rc != VT_OK || ret == NULL) {
		free(buf);
		return rc;
	}
	*ret = buf;
	*ret_len = len;
	return VT_OK;
}
