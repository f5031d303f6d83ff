/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stop_all.c - vtpm-managerd --stop-all: ask the manager of RUN to stop every
 * vTPM and itself; without a manager, end every worker with a socket in RUN/w.
 */
#include "vtpm_manager/stop_all.h"

#include <sys/socket.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/log.h"
#include "vtpm_manager/control/bus_iface.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/worker_id.h"

#define STOP_MS 1500
#define ANSWER_US (300 * UINT64_C(1000000)) /* every guest was stopped */

/* VT_E_CLOSED: no manager answers there. */
static int
ask_manager(const char *run, bool again, char *text)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	char path[PATH_MAX];
	sd_bus *bus = NULL;
	int fd, rc, r;

	rc = run_path(path, sizeof(path), "%s/control.sock", run);
	if (rc != VT_OK)
		return rc;
	if ((fd = unix_connect(path)) == -1)
		return VT_E_CLOSED;
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_fd(bus, fd, fd);
	if (r < 0)
		(void)close(fd);
	else
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, ANSWER_US);
	if (r >= 0)
		r = sd_bus_call_method(bus, NULL, BUS_PATH, BUS_IFACE,
		    "StopAll", &err, NULL, "bb", 1, (int)again);
	if (r < 0)
		(void)snprintf(text, MGR_TEXT_MAX, "%s",
		    err.message != NULL ? err.message : strerror(-r));
	sd_bus_error_free(&err);
	sd_bus_flush_close_unref(bus);
	return r < 0 ? VT_E_DENIED : VT_OK;
}

struct ending {
	struct ending *next;
	struct msgch *ch;
	int pidfd;
};

/* Say W_STOP and do not wait. */
static void
ask_worker(const char *path, struct ending **list)
{
	struct wmanager wm = { .storage_ok = 0, .build = MGR_BUILD };
	socklen_t len = sizeof(struct ucred);
	struct ending *e;
	struct ucred cr;
	uint8_t buf[256];
	struct wr w;
	int fd = unix_connect(path);

	(void)unlink(path);
	if (fd == -1)
		return;
	if ((e = calloc(1, sizeof(*e))) == NULL ||
	    msgch_new(fd, W_MSG_MAX, &e->ch) != VT_OK) {
		free(e);
		(void)close(fd);
		return;
	}
	e->pidfd = -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == 0)
		e->pidfd = worker_id_pidfd((uint32_t)cr.pid);
	e->next = *list;
	*list = e;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wmanager, &wm);
	if (wr_err(&w) != VT_OK ||
	    msgch_send(e->ch, W_MANAGER, 0, w.buf, w.len, NULL, 0) != VT_OK ||
	    msgch_send(e->ch, W_STOP, 1, NULL, 0, NULL, 0) != VT_OK)
		log_debug("%s: gone already", path);
}

/* Together they have STOP_MS: a worker that waits for a store that is not there
 * never ends by itself, and what it holds was not acknowledged. */
static void
wait_for_all(struct ending *list)
{
	uint64_t end = now_us() + STOP_MS * 1000ull, now;
	struct ending *e;
	struct msg msg;
	int rc;

	while ((e = list) != NULL) {
		do {
			now = now_us();
			rc = msgch_recv_wait(e->ch,
			    now < end ? (int)((end - now) / 1000) : 0, &msg);
			if (rc == VT_OK)
				msg_close_fds(&msg);
		} while (rc == VT_OK && now < end);
		worker_id_kill(e->pidfd);
		if (e->pidfd != -1)
			(void)close(e->pidfd);
		msgch_free(e->ch);
		list = e->next;
		free(e);
	}
}

int
stop_all_guests(const char *run, bool again, char *text)
{
	struct ending *list = NULL;
	char path[PATH_MAX];
	uint8_t uuid[UUID_LEN];
	struct dirent *de;
	DIR *d;
	int rc;

	if ((rc = ask_manager(run, again, text)) != VT_E_CLOSED)
		return rc;
	if ((rc = run_path(path, sizeof(path), "%s/w", run)) != VT_OK)
		return rc;
	if ((d = opendir(path)) == NULL)
		return VT_OK; /* nothing ever ran here */
	while ((de = readdir(d)) != NULL)
		if (uuid_parse(de->d_name, uuid) == VT_OK &&
		    run_path(path, sizeof(path), "%s/w/%s", run, de->d_name) ==
			VT_OK)
			ask_worker(path, &list);
	(void)closedir(d);
	wait_for_all(list);
	return VT_OK;
}
