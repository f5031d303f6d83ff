/* SPDX-License-Identifier: BSD-3-Clause */
/* process.c - what swtpm and swtpm_setup do to their own process. */
#include "tools/swtpm/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/swtpm/words.h"

int
process_run_as(const char *user)
{
	struct passwd *pw = getpwnam(user);
	uint32_t uid;

	if (pw == NULL && dec_u32(user, &uid) == VT_OK)
		pw = getpwuid((uid_t)uid);
	if (pw == NULL) {
		log_err("--runas: there is no user '%.64s'", user);
		return VT_E_NOTFOUND;
	}
	if (pw->pw_uid == geteuid() && pw->pw_gid == getegid())
		return VT_OK;
	if (initgroups(pw->pw_name, pw->pw_gid) == 0 &&
	    setgid(pw->pw_gid) == 0 && setuid(pw->pw_uid) == 0)
		return VT_OK;
	log_err("--runas %.64s: %m", user);
	return VT_E_SYS;
}

int
process_log_to(int fd)
{
	int to = fd != -1 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (to == -1 || dup2(to, 2) == -1) {
		log_err("the log cannot be written: %m");
		return VT_E_SYS;
	}
	if (to > 2)
		(void)close(to);
	return VT_OK;
}

int
process_detach(int *ret_ready)
{
	int p[2], null, status = 0;
	ssize_t n;
	char done;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		log_err("cannot become a daemon: %m");
		return VT_E_SYS;
	}
	if (pid != 0) {
		(void)close(p[1]);
		while ((n = read(p[0], &done, 1)) == -1 && errno == EINTR)
			;
		if (n == 1)
			_exit(0);
		(void)waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	(void)close(p[0]);
	(void)setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	*ret_ready = p[1];
	return VT_OK;
}

void
process_ready(int *ready)
{
	if (*ready == -1)
		return;
	(void)!write(*ready, "+", 1);
	(void)close(*ready);
	*ready = -1;
}

void
process_drain(const char *number)
{
	char buf[512];
	uint32_t fd;

	if (number == NULL || dec_u32(number, &fd) != VT_OK || fd < 3 ||
	    fd > 65535)
		return;
	while (read((int)fd, buf, sizeof(buf)) > 0)
		;
	(void)close((int)fd);
	explicit_bzero(buf, sizeof(buf));
}

int
process_drop_key(const char *option, const char *text)
{
	static const char *const files[] = { "file", "pwdfile" };
	struct list l;
	const char *remove, *path;
	size_t i;

	if (text == NULL)
		return VT_OK;
	if (list_parse(&l, text) != VT_OK) {
		log_err("%s: its argument is a list like file=FILE,mode=MODE",
		    option);
		return VT_E_FORMAT;
	}
	log_info("%s: not used: the manager seals every state, at rest and in "
		 "migrations, with keys of its own",
	    option);
	process_drain(list_get(&l, "fd"));
	process_drain(list_get(&l, "pwdfd"));
	remove = list_get(&l, "remove");
	if (remove == NULL || strcmp(remove, "false") == 0 ||
	    strcmp(remove, "0") == 0)
		return VT_OK;
	for (i = 0; i < VT_NELEM(files); i++)
		if ((path = list_get(&l, files[i])) != NULL &&
		    unlink(path) == -1 && errno != ENOENT)
			log_warn("%s: %s is not removed: %m", option, path);
	return VT_OK;
}
