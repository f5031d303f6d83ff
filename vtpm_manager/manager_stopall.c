/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpm-managerd --stop-all: ask the manager of RUN to stop every vTPM and
 * itself; without a manager, end every worker whose socket is in RUN/w.
 */
#include <sys/socket.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/ctl.h"

#define STOP_MS 3000

/* VT_E_CLOSED: nobody answers there. */
static int
ask_manager(const char *run, char *text)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	char path[PATH_MAX];
	sd_bus *bus = NULL;
	int fd, rc, r;

	rc = mgr_path(path, sizeof(path), "%s/control.sock", run);
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
		r = sd_bus_call_method(bus, NULL, CTL_PATH, CTL_IFACE,
		    "StopAll", &err, NULL, "b", 1);
	if (r < 0)
		(void)snprintf(text, MGR_TEXT_MAX, "%s",
		    err.message != NULL ? err.message : strerror(-r));
	sd_bus_error_free(&err);
	sd_bus_flush_close_unref(bus);
	return r < 0 ? VT_E_DENIED : VT_OK;
}

static void
stop_worker(const char *path)
{
	struct wmanager wm = { .storage_ok = 0, .build = MGR_BUILD };
	socklen_t len = sizeof(struct ucred);
	int fd = unix_connect(path), pidfd = -1, rc;
	struct msgch *ch = NULL;
	struct ucred cr;
	uint8_t buf[256];
	struct msg msg;
	struct wr w;

	if (fd == -1) {
		(void)unlink(path);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == 0)
		pidfd = mgr_worker_pidfd((uint32_t)cr.pid);
	if (msgch_new(fd, W_MSG_MAX, &ch) != VT_OK) {
		(void)close(fd);
		goto out;
	}
	wr_init(&w, buf, sizeof(buf));
	wmanager_put(&w, &wm);
	if (wr_err(&w) != VT_OK ||
	    msgch_send(ch, W_MANAGER, 0, w.buf, w.len, NULL, 0) != VT_OK ||
	    msgch_send(ch, W_STOP, 1, NULL, 0, NULL, 0) != VT_OK)
		goto out;
	while ((rc = msgch_recv_wait(ch, STOP_MS, &msg)) == VT_OK)
		msg_close_fds(&msg);
	if (rc == VT_E_CLOSED)
		log_debug("%s: ended", path);
out:
	mgr_pidfd_kill(pidfd);
	if (pidfd != -1)
		(void)close(pidfd);
	msgch_free(ch);
	(void)unlink(path);
}

int
mgr_stop_all(const char *run, char *text)
{
	char path[PATH_MAX];
	uint8_t uuid[UUID_LEN];
	struct dirent *de;
	DIR *d;
	int rc;

	if ((rc = ask_manager(run, text)) != VT_E_CLOSED)
		return rc;
	if ((rc = mgr_path(path, sizeof(path), "%s/w", run)) != VT_OK)
		return rc;
	if ((d = opendir(path)) == NULL)
		return VT_OK; /* nothing ever ran here */
	while ((de = readdir(d)) != NULL)
		if (uuid_parse(de->d_name, uuid) == VT_OK &&
		    mgr_path(path, sizeof(path), "%s/w/%s", run, de->d_name) ==
			VT_OK)
			stop_worker(path);
	(void)closedir(d);
	return VT_OK;
}
