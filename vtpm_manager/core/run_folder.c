/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run_folder.c - paths and sockets in RUN.
 */
#include "vtpm_manager/core/run_folder.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vtpm/proto/worker_msg.h"

int
run_path(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, cap, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= cap) {
		errno = ENAMETOOLONG;
		return VT_E_RANGE;
	}
	return VT_OK;
}

/* [A-Za-z0-9._-]{1,63}, not starting with '.': it becomes a file name. */
bool
run_name_ok(const char *name)
{
	uint8_t uuid[UUID_LEN];
	size_t i;

	if (name[0] == '\0' || name[0] == '.' || name[0] == '-' ||
	    uuid_parse(name, uuid) == VT_OK)
		return false;
	for (i = 0; name[i] != '\0'; i++) {
		unsigned char c = (unsigned char)name[i];

		if (i >= NAME_MAX_LEN || c >= 0x80)
			return false;
		if (!isalnum(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool
run_name_fits(const struct mgr *m, const char *name)
{
	static const char suffix[] = ".swtpm"; /* the longest */
	const struct sockaddr_un *sun = NULL;

	return strlen(m->cfg.run) + 1 + strlen(name) + sizeof(suffix) <=
	       sizeof(sun->sun_path);
}

bool
run_folder_fits(const char *run)
{
	static const char worker[] = "/w/";
	const struct sockaddr_un *sun = NULL;

	return strlen(run) + strlen(worker) + UUID_STRLEN + 1 <=
	       sizeof(sun->sun_path);
}

int
run_set_group(const char *path, const char *group)
{
	struct group *g;

	if (group[0] == '\0')
		return VT_OK;
	errno = 0;
	if ((g = getgrnam(group)) == NULL) {
		if (errno == 0)
			errno = ENOENT;
		return VT_E_SYS;
	}
	return chown(path, (uid_t)-1, g->gr_gid) == -1 ? VT_E_SYS : VT_OK;
}

bool
run_has_socket(struct mgr *m, const char *name, const char *suffix)
{
	char path[PATH_MAX];
	struct stat st;

	return run_path(path, sizeof(path), "%s/%s.%s", m->cfg.run, name,
		   suffix) == VT_OK &&
	       lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

int
run_listen_guest(
    struct mgr *m, const char *name, const char *suffix, uint32_t owner)
{
	char path[PATH_MAX];
	int fd, saved;

	if (run_path(path, sizeof(path), "%s/%s.%s", m->cfg.run, name,
		suffix) != VT_OK)
		return -1;
	if ((fd = unix_listen(path, name[0] == '.' ? 0600 : 0660)) == -1)
		return -1;
	if (run_set_group(path, m->cfg.socket_group) != VT_OK ||
	    (owner != geteuid() && chown(path, owner, (gid_t)-1) == -1)) {
		saved = errno;
		(void)close(fd);
		(void)unlink(path);
		errno = saved;
		return -1;
	}
	return fd;
}

/*
 * Both of a pipe's ends: so it has no end while no QEMU runs.  What is written
 * to it counts as the hypervisor's word, so another user's pipe is replaced.
 */
static int
open_pipe(struct mgr *m, const char *name, const char *suffix, uint32_t owner)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (run_path(path, sizeof(path), "%s/%s.%s", m->cfg.run, name,
		suffix) != VT_OK)
		return -1;
	if (lstat(path, &st) == 0 &&
	    (st.st_uid != owner || !S_ISFIFO(st.st_mode)))
		(void)unlink(path);
	if (mkfifo(path, 0600) == -1 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISFIFO(st.st_mode) ||
	    fchmod(fd, 0600) == -1 ||
	    (st.st_uid != owner && fchown(fd, owner, (gid_t)-1) == -1)) {
		(void)close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

int
run_open_monitor(struct mgr *m, const char *name, uint32_t owner)
{
	int in = open_pipe(m, name, "qmp.in", owner);

	if (in == -1)
		return -1;
	(void)close(in); /* for the process that starts QEMU */
	return open_pipe(m, name, "qmp.out", owner);
}

void
run_unlink_guest(struct mgr *m, const char *name)
{
	static const char *const suffix[] = { "tpmif", "swtpm", "qmp.in",
		"qmp.out" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < VT_NELEM(suffix); i++)
		if (run_path(path, sizeof(path), "%s/%s.%s", m->cfg.run, name,
			suffix[i]) == VT_OK)
			(void)unlink(path);
}

static int
worker_path(struct mgr *m, const uint8_t uuid[UUID_LEN], char *out, size_t cap)
{
	char text[UUID_STRLEN + 1];

	uuid_format(uuid, text);
	return run_path(out, cap, "%s/w/%s", m->cfg.run, text);
}

int
run_listen_worker(struct mgr *m, const uint8_t uuid[UUID_LEN])
{
	char path[PATH_MAX];

	if (worker_path(m, uuid, path, sizeof(path)) != VT_OK)
		return -1;
	return unix_listen(path, 0600);
}

void
run_unlink_worker(struct mgr *m, const uint8_t uuid[UUID_LEN])
{
	char path[PATH_MAX];

	if (worker_path(m, uuid, path, sizeof(path)) == VT_OK)
		(void)unlink(path);
}
