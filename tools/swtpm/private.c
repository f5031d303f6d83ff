/* SPDX-License-Identifier: BSD-3-Clause */
/* private.c - a manager for one place only: its state is in the same folder. */
#include "tools/swtpm/private.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define STATE_DIR "vtpm-state"
#define BEGIN_MS 20000
#define END_MS 20000

static int
own_folder(const char *path)
{
	struct stat sb;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		if (lstat(path, &sb) == 0 && S_ISDIR(sb.st_mode) &&
		    sb.st_uid == geteuid() && (sb.st_mode & 022) == 0)
			return VT_OK;
	log_err("%s: cannot be this user's own folder (%m)", path);
	return VT_E_SYS;
}

int
private_run(const struct link_rec *r, char *ret, size_t cap)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	int n;

	if (geteuid() == 0)
		base = "/run";
	else if (base == NULL || base[0] != '/')
		base = "/tmp";
	n = snprintf(ret, cap, "%s/vtpm-%s", base, r->uuid);
	if (n < 0 || (size_t)n >= cap)
		return VT_E_RANGE;
	return own_folder(ret);
}

/* Beside this program, or one folder up as in a build folder. */
static int
managerd_path(char *ret)
{
	static const char *const at[] = { "vtpm-managerd", "../vtpm-managerd" };
	const char *env = getenv("VTPM_MANAGERD");
	char dir[PATH_MAX - 32];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	size_t i;

	if (env != NULL) {
		(void)snprintf(ret, PATH_MAX, "%s", env);
		return VT_OK;
	}
	if (n == -1)
		return VT_E_SYS;
	dir[n] = '\0';
	*strrchr(dir, '/') = '\0';
	for (i = 0; i < VT_NELEM(at); i++) {
		(void)snprintf(ret, PATH_MAX, "%s/%s", dir, at[i]);
		if (access(ret, X_OK) == 0)
			return VT_OK;
	}
	log_err("no vtpm-managerd beside this program (%s)", dir);
	return VT_E_NOTFOUND;
}

static void
become_managerd(const char *path, const char *state, const char *run)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)dup2(null, 0);
	(void)dup2(2, 1);
	(void)execl(path, "vtpm-managerd", "--state", state, "--run", run,
	    "--root", "soft", "--pool", "0", (char *)NULL);
	log_err("%s: %m", path);
	_exit(127);
}

static bool
is_locked(const char *run)
{
	char path[PATH_MAX];
	bool held;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/lock", run);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) == -1;
	(void)close(fd);
	return held;
}

/* It has its folder, and accepts connections soon. */
static int
wait_locked(const char *run, pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000000 };
	uint64_t until = now_us() + BEGIN_MS * UINT64_C(1000);

	while (!is_locked(run)) {
		if (waitpid(pid, NULL, WNOHANG) != 0) {
			log_err("vtpm-managerd ended at its start");
			return VT_E_CLOSED;
		}
		if (now_us() >= until) {
			(void)kill(pid, SIGTERM);
			log_err("vtpm-managerd does not start");
			return VT_E_TIMEOUT;
		}
		(void)nanosleep(&pause, NULL);
	}
	return VT_OK;
}

int
private_begin(const struct place *p, const char *run, pid_t *ret_pid)
{
	char path[PATH_MAX], state[PATH_MAX];
	pid_t pid;
	int rc;

	*ret_pid = 0;
	if (is_locked(run)) /* that of a process that was killed */
		return VT_OK;
	if (p->dir == NULL) {
		log_err("without a manager a TPM needs a folder (dir=) for its "
			"state, not a file");
		return VT_E_UNSUPPORTED;
	}
	if (snprintf(state, sizeof(state), "%s/" STATE_DIR, p->dir) >=
	    (int)sizeof(state))
		return VT_E_RANGE;
	if ((rc = managerd_path(path)) != VT_OK ||
	    (rc = own_folder(state)) != VT_OK)
		return rc;
	if ((pid = fork()) == -1) {
		log_err("cannot start vtpm-managerd: %m");
		return VT_E_SYS;
	}
	if (pid == 0)
		become_managerd(path, state, run);
	*ret_pid = pid;
	return wait_locked(run, pid);
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *f)
{
	(void)sb;
	(void)type;
	(void)f;
	(void)remove(path);
	return 0;
}

void
private_end(const char *run, pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000000 };
	uint64_t until = now_us() + END_MS * UINT64_C(1000);

	while (now_us() < until) {
		if (pid > 0 ? waitpid(pid, NULL, WNOHANG) != 0
			    : !is_locked(run))
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (!is_locked(run))
		(void)nftw(run, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	else
		log_warn("the manager at %s has not ended", run);
}
