/* SPDX-License-Identifier: BSD-3-Clause */
/* qemu_run.c - QEMU's program, its environment, and its folders of firmware. */
#include "tools/launch/qemu_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check_on.h"
#include "base/util.h"
#include "vtpm_manager/core/rom_folder.h"

int
qr_find_program(const char *name, char *path)
{
	const char *p = getenv("PATH"), *end;

	if (strchr(name, '/') != NULL) {
		(void)snprintf(path, PATH_MAX, "%s", name);
		return VT_OK;
	}
	for (; p != NULL && *p != '\0'; p = *end != '\0' ? end + 1 : end) {
		end = strchrnul(p, ':');
		(void)snprintf(
		    path, PATH_MAX, "%.*s/%s", (int)(end - p), p, name);
		if (access(path, X_OK) == 0)
			return VT_OK;
	}
	return VT_E_NOTFOUND;
}

int
qr_open_program(const char *path)
{
	char magic[4];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (pread(fd, magic, 4, 0) == 4 && memcmp(magic, "\177ELF", 4) == 0)
		return fd;
	(void)close(fd);
	errno = ENOEXEC;
	return -1;
}

/* "LC_" stands for all that start so. */
static bool
is_harmless(const char *var)
{
	static const char *const may[] = { "PATH=", "HOME=", "USER=",
		"LOGNAME=", "LANG=", "LC_", "TZ=", "TERM=", "TMPDIR=", "XDG_",
		"DISPLAY=", "WAYLAND_DISPLAY=", "XAUTHORITY=", "NOTIFY_SOCKET=",
		"PULSE_SERVER=", "PIPEWIRE_" };
	size_t i;

	for (i = 0; i < VT_NELEM(may); i++)
		if (strncmp(var, may[i], strlen(may[i])) == 0)
			return true;
	return !check_on("launch-environment");
}

char **
qr_environment(void)
{
	static char *env[128];
	size_t i, n = 0;

	for (i = 0; environ[i] != NULL && n + 1 < VT_NELEM(env); i++)
		if (is_harmless(environ[i]))
			env[n++] = environ[i];
	env[n] = NULL;
	return env;
}

static void
ask(int fd, char *name, int out)
{
	char user[] = "-no-user-config", l[] = "-L", help[] = "help";
	char *argv[] = { name, user, l, help, NULL };

	if (dup2(out, 1) != -1)
		(void)fexecve(fd, argv, qr_environment());
	_exit(127);
}

static int
read_folders(int fd, struct qr_folders *ret)
{
	uint8_t *p;
	char *line, *save = NULL;
	size_t len;
	int rc = read_fd(fd, 65536, &p, &len);

	if (rc != VT_OK)
		return rc;
	ret->n = 0;
	for (line = strtok_r((char *)p, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (line[0] == '/' && ret->n < QR_FOLDERS_MAX)
			(void)snprintf(
			    ret->path[ret->n++], PATH_MAX, "%s", line);
	free(p);
	return ret->n > 0 ? VT_OK : VT_E_FORMAT;
}

int
qr_folders(int fd, char *name, struct qr_folders *ret)
{
	int fds[2], rc, status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return VT_E_SYS;
	if ((pid = fork()) == 0)
		ask(fd, name, fds[1]);
	(void)close(fds[1]);
	rc = pid != -1 ? read_folders(fds[0], ret) : VT_E_SYS;
	(void)close(fds[0]);
	if (pid != -1)
		(void)waitpid(pid, &status, 0);
	return rc;
}

int
qr_find(const struct qr_folders *f, const char *name, char *path)
{
	unsigned int i;
	int n;

	for (i = 0; i < f->n; i++) {
		n = snprintf(path, PATH_MAX, "%s/%s", f->path[i], name);
		if (n > 0 && n < PATH_MAX && access(path, R_OK) == 0)
			return VT_OK;
	}
	return VT_E_NOTFOUND;
}

int
qr_check_folder(const char **ret_name)
{
	struct stat sb;
	size_t i;

	if (!check_on("launch-folder"))
		return VT_OK;
	if (stat(".", &sb) == -1)
		return VT_E_SYS;
	if ((sb.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (sb.st_uid != 0 && sb.st_uid != geteuid()))
		return VT_E_DENIED;
	for (i = 0; (*ret_name = rom_folder_name(i)) != NULL; i++)
		if (access(*ret_name, F_OK) == 0)
			return VT_E_EXISTS;
	return VT_OK;
}
