/* SPDX-License-Identifier: BSD-3-Clause */
/* xl_proc.c - runs xl and finds domains. */
#include "tools/launch/xl_proc.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/util.h"

int
xl_find(char *out, size_t cap)
{
	const char *env = getenv("VTPM_XL"), *path = getenv("PATH"), *end;
	int n;

	if (env != NULL && env[0] != '\0') {
		n = snprintf(out, cap, "%s", env);
		return n >= 0 && (size_t)n < cap && access(out, X_OK) == 0
			   ? VT_OK
			   : VT_E_NOTFOUND;
	}
	for (; path != NULL && *path != '\0';
	     path = *end != '\0' ? end + 1 : end) {
		end = strchrnul(path, ':');
		n = snprintf(out, cap, "%.*s/xl", (int)(end - path), path);
		if (n >= 0 && (size_t)n < cap && access(out, X_OK) == 0)
			return VT_OK;
	}
	return VT_E_NOTFOUND;
}

int
xl_beside(char *out, size_t cap, const char *name, const char *env)
{
	const char *e = getenv(env);
	char self[PATH_MAX], *slash;
	ssize_t len;
	int n;

	if (e != NULL && e[0] != '\0') {
		n = snprintf(out, cap, "%s", e);
		return n >= 0 && (size_t)n < cap ? VT_OK : VT_E_RANGE;
	}
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len <= 0)
		return VT_E_SYS;
	self[len] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return VT_E_RANGE;
	*slash = '\0';
	n = snprintf(out, cap, "%s/%s", self, name);
	return n >= 0 && (size_t)n < cap ? VT_OK : VT_E_RANGE;
}

static void
child(char *const argv[], int out, int pass)
{
	if ((out != -1 && dup2(out, STDOUT_FILENO) == -1) ||
	    (pass != -1 && fcntl(pass, F_SETFD, 0) == -1))
		_exit(127);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execv(argv[0], argv);
	(void)fprintf(stderr, "vtpmctl: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

pid_t
xl_start(char *const argv[], int out, int pass)
{
	pid_t pid;

	(void)fflush(NULL);
	if ((pid = fork()) == 0)
		child(argv, out, pass);
	return pid;
}

int
xl_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return VT_E_SYS;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
xl_run(char *const argv[], uint8_t **ret, size_t *ret_len)
{
	int fd[2] = { -1, -1 }, status, rc = VT_OK;
	uint8_t *buf = NULL;
	size_t len = 0;
	pid_t pid;

	if (ret != NULL && pipe2(fd, O_CLOEXEC) == -1)
		return VT_E_SYS;
	pid = xl_start(argv, fd[1], -1);
	if (ret != NULL)
		(void)close(fd[1]);
	if (pid == -1)
		rc = VT_E_SYS;
	else if (ret != NULL)
		rc = read_fd(fd[0], XL_OUT_MAX, &buf, &len);
	if (ret != NULL)
		(void)close(fd[0]); /* ends a child that says too much */
	status = pid > 0 ? xl_end(pid) : VT_E_SYS;
	if (rc != VT_OK || status < 0) {
		free(buf);
		return rc != VT_OK ? rc : status;
	}
	if (ret != NULL) {
		*ret = buf;
		*ret_len = len;
	}
	return status;
}

int
xl_domid(const char *xl, const char *uuid, uint32_t *ret)
{
	char prog[PATH_MAX], arg[] = "vm-list", id[UUID_STRLEN + 1];
	char *argv[] = { prog, arg, NULL }, *line, *save = NULL;
	uint8_t *out = NULL;
	unsigned int domid;
	int rc = VT_E_NOTFOUND;
	size_t len;

	(void)snprintf(prog, sizeof(prog), "%s", xl);
	if (xl_run(argv, &out, &len) != 0) {
		free(out);
		return VT_E_STATE;
	}
	for (line = strtok_r((char *)out, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%36s %u", id, &domid) == 2 &&
		    strcasecmp(id, uuid) == 0) {
			*ret = domid;
			rc = VT_OK;
		}
	free(out);
	return rc;
}
