/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_id.c - a worker's uid, process and sealing key.
 */
#include "vtpm_manager/guest/worker_id.h"

#include <sys/pidfd.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "vtpm_manager/guest/guests_priv.h"
#include "vtpm_manager/store/store.h"

int
worker_id_key(
    struct mgr *m, const uint8_t uuid[UUID_LEN], uint8_t out[WKEY_LEN])
{
	static const char label[] = "vtpm state";
	uint8_t info[sizeof(label) - 1 + UUID_LEN];

	memcpy(info, label, sizeof(label) - 1);
	memcpy(info + sizeof(label) - 1, uuid, UUID_LEN);
	return hkdf_sha256(
	    m->master, sizeof(m->master), info, sizeof(info), out, WKEY_LEN);
}

uint32_t
worker_id_uid(const struct mgr *m, const struct guest *in)
{
	if (!m->separated || in->slot >= WORKER_UID_ROOT)
		return (uint32_t)-1;
	return m->cfg.worker_uid_base + in->slot;
}

/* Unclaimed workers live for a short time: a ring of numbers is enough. */
uint32_t
worker_id_fresh_uid(struct mgr *m)
{
	if (!m->separated)
		return (uint32_t)-1;
	m->guests->next_uid =
	    (m->guests->next_uid + 1) % (WORKER_UID_RANGE - WORKER_UID_FRESH);
	return m->cfg.worker_uid_base + WORKER_UID_FRESH + m->guests->next_uid;
}

int
worker_id_pidfd_any(uint32_t pid)
{
	if (pid <= 1 || pid > INT32_MAX) {
		errno = ESRCH;
		return -1;
	}
	return pidfd_open((pid_t)pid, 0);
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
worker_id_pidfd(uint32_t pid)
{
	int fd = worker_id_pidfd_any(pid);

	if (fd == -1)
		return -1;
	/* After the open: a reused pid does not mislead this check. */
	if (is_worker(pid))
		return fd;
	(void)close(fd);
	errno = ESRCH;
	return -1;
}

void
worker_id_kill(int pidfd)
{
	if (pidfd != -1)
		(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
}
