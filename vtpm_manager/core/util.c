/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/manager.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"

int
mgr_path(char *out, size_t cap, const char *fmt, ...)
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
mgr_name_ok(const char *name)
{
	size_t i;

	if (name[0] == '\0' || name[0] == '.' || name[0] == '-')
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

int
mgr_instance_key(
    struct mgr *m, const uint8_t uuid[UUID_LEN], uint8_t out[WKEY_LEN])
{
	static const char label[] = "vtpm state";
	uint8_t info[sizeof(label) - 1 + UUID_LEN];

	memcpy(info, label, sizeof(label) - 1);
	memcpy(info + sizeof(label) - 1, uuid, UUID_LEN);
	return hkdf_sha256(
	    m->master, sizeof(m->master), info, sizeof(info), out, WKEY_LEN);
}

int
mgr_set_group(const char *path, const char *group)
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

int
mgr_listen_guest(struct mgr *m, const char *name, const char *suffix)
{
	char path[PATH_MAX];
	int fd, saved;

	if (mgr_path(path, sizeof(path), "%s/%s.%s", m->cfg.run, name,
		suffix) != VT_OK)
		return -1;
	if ((fd = unix_listen(path, name[0] == '.' ? 0600 : 0660)) == -1)
		return -1;
	if (mgr_set_group(path, m->cfg.socket_group) != VT_OK) {
		saved = errno;
		(void)close(fd);
		(void)unlink(path);
		errno = saved;
		return -1;
	}
	return fd;
}

void
mgr_unlink_guest(struct mgr *m, const char *name)
{
	static const char *const suffix[] = { "tpmif", "swtpm" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < VT_NELEM(suffix); i++)
		if (mgr_path(path, sizeof(path), "%s/%s.%s", m->cfg.run, name,
			suffix[i]) == VT_OK)
			(void)unlink(path);
}

static int
worker_path(struct mgr *m, const uint8_t uuid[UUID_LEN], char *out, size_t cap)
{
	char text[UUID_STRLEN + 1];

	uuid_format(uuid, text);
	return mgr_path(out, cap, "%s/w/%s", m->cfg.run, text);
}

int
mgr_listen_worker(struct mgr *m, const uint8_t uuid[UUID_LEN])
{
	char path[PATH_MAX];

	if (worker_path(m, uuid, path, sizeof(path)) != VT_OK)
		return -1;
	return unix_listen(path, 0600);
}

void
mgr_unlink_worker(struct mgr *m, const uint8_t uuid[UUID_LEN])
{
	char path[PATH_MAX];

	if (worker_path(m, uuid, path, sizeof(path)) == VT_OK)
		(void)unlink(path);
}

uint32_t
mgr_inst_uid(const struct mgr *m, const struct guest *in)
{
	if (!m->separated || in->slot >= MGR_UID_ROOT)
		return (uint32_t)-1;
	return m->cfg.worker_uid_base + in->slot;
}

/* Unclaimed workers live for a short time: a ring of numbers is enough. */
uint32_t
mgr_fresh_uid(struct mgr *m)
{
	if (!m->separated)
		return (uint32_t)-1;
	m->next_uid = (m->next_uid + 1) % (MGR_UID_RANGE - MGR_UID_FRESH);
	return m->cfg.worker_uid_base + MGR_UID_FRESH + m->next_uid;
}

void
mgr_host_name(const struct mgr *m, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%s", m->cfg.host);
	if (out[0] == '\0' && gethostname(out, cap - 1) == -1)
		(void)snprintf(out, cap, "localhost");
	out[cap - 1] = '\0';
}

/* Always a new source: the old one may have had another handler. */
int
mgr_timer(struct mgr *m, sd_event_source **s, uint64_t ms, int priority,
    sd_event_time_handler_t cb, void *arg)
{
	int r;

	*s = sd_event_source_disable_unref(*s);
	r = sd_event_add_time_relative(
	    m->ev, s, CLOCK_MONOTONIC, ms * 1000, 1000, cb, arg);
	if (r >= 0)
		r = sd_event_source_set_priority(*s, priority);
	if (r < 0) {
		*s = sd_event_source_disable_unref(*s);
		errno = -r;
		return VT_E_SYS;
	}
	return VT_OK;
}

void
mgr_timer_off(sd_event_source *s)
{
	if (s != NULL)
		(void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
}

int
mgr_pidfd_open(uint32_t pid)
{
	if (pid <= 1 || pid > INT32_MAX) {
		errno = ESRCH;
		return -1;
	}
	return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

/* By its name: /proc/PID/exe of a worker is closed to an ordinary user. */
static bool
is_worker(uint32_t pid)
{
	static const char *const names[] = { "vtpm-worker\n", "vtpm-zygote\n" };
	char path[64];
	uint8_t *p = NULL;
	bool found = false;
	size_t len, i;

	(void)snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	if (read_file(path, 64, &p, &len) != VT_OK)
		return false;
	for (i = 0; i < VT_NELEM(names); i++)
		found |= strcmp((const char *)p, names[i]) == 0;
	free(p);
	return found;
}

int
mgr_worker_pidfd(uint32_t pid)
{
	int fd = mgr_pidfd_open(pid);

	if (fd == -1)
		return -1;
	/* After the open: a number that was given anew does not fool us. */
	if (is_worker(pid))
		return fd;
	(void)close(fd);
	errno = ESRCH;
	return -1;
}

void
mgr_pidfd_kill(int pidfd)
{
	if (pidfd != -1)
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

void
mgr_fatal(struct mgr *m, const char *fmt, ...)
{
	va_list ap;

	if (m->fatal[0] == '\0') {
		va_start(ap, fmt);
		(void)vsnprintf(m->fatal, sizeof(m->fatal), fmt, ap);
		va_end(ap);
		log_err("%s", m->fatal);
	}
	(void)sd_event_exit(m->ev, 1);
}
