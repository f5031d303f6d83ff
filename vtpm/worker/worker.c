/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker.c - one guest's TPM as a process: jail, then loop.
 */
#include "vtpm/worker/worker.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "vtpm/worker/worker_chan.h"
#include "vtpm/worker/worker_cmd.h"
#include "vtpm/worker/worker_manager.h"
#include "vtpm/worker/worker_state.h"
#include "vtpm/worker/worker_store.h"
#include "vtpm/worker/worker_xen.h"

#define BACKLOG 4
#define FLUSH_MS 2000
#define ORPHAN_US 5000000 /* between looks for the path of listen_fd */
#define MAX_POLL (3 + (SLOTS - 1) * CHAN_MAX_FDS)

static volatile sig_atomic_t terminated;

/* --- the loop --------------------------------------------------------------
 */

/* A process of the manager's user, or of root, may be the manager. */
static void
accept_manager(struct worker *w)
{
	struct ucred cr;
	socklen_t len = sizeof(cr);
	int fd =
	    accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == -1 ||
	    (cr.uid != 0 && cr.uid != w->manager_uid)) {
		log_warn("closed a connection: its peer is not the manager");
		(void)close(fd);
		return;
	}
	wk_manager_connected(w, fd);
}

/* The node of the listening socket: without it no manager finds the worker. */
static int
open_path(int listen_fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNSPEC };
	socklen_t len = sizeof(sun) - 1;

	if (getsockname(listen_fd, (struct sockaddr *)&sun, &len) == -1 ||
	    sun.sun_family != AF_UNIX || sun.sun_path[0] == '\0')
		return -1;
	return open(sun.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static bool
has_client(const struct worker *w)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (w->slots[i].claimed || w->slots[i].nkeep > 0)
			return true;
	return false;
}

/* Nothing can find it again: no manager is connected, the path for one is
 * deleted, and no guest is attached. */
static void
look_for_path(struct worker *w, uint64_t now)
{
	struct stat st;

	if (w->mgr != NULL || w->path_fd == -1) {
		w->path_look_us = 0;
		return;
	}
	if (now < w->path_look_us)
		return;
	if (w->path_look_us != 0 && !has_client(w) &&
	    fstat(w->path_fd, &st) == 0 && st.st_nlink == 0) {
		log_warn("its socket was deleted, so that no manager can find "
			 "it: the TPM is shut down and the worker ends");
		wk_orphaned(w);
	}
	w->path_look_us = now + ORPHAN_US;
}

/* When the loop must look again without an event; UINT64_MAX: never. */
static uint64_t
next_due(struct worker *w)
{
	uint64_t at = wk_keep_when(w);
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (w->slots[i].held_bytes != NULL &&
		    w->slots[i].held_until_us < at)
			at = w->slots[i].held_until_us;
	if (w->st.retry_us != 0 && w->st.retry_us < at)
		at = w->st.retry_us;
	if (w->end_by_us != 0 && w->end_by_us < at)
		at = w->end_by_us;
	if (w->path_look_us != 0 && w->path_look_us < at)
		at = w->path_look_us;
	return at;
}

/* SIGTERM comes while the worker waits and at no other time. */
static int
wait_for(struct pollfd *p, nfds_t n, uint64_t until)
{
	uint64_t now = now_us(), us = until > now ? until - now : 0;
	const struct timespec ts = { (time_t)(us / 1000000),
		(long)(us % 1000000 * 1000) };
	sigset_t none;

	(void)sigemptyset(&none);
	return ppoll(p, n, until == UINT64_MAX ? NULL : &ts, &none);
}

/* The next command often follows soon after an answer: looks at the shared
 * page for a bounded time before the loop sleeps. */
static void
spin(struct worker *w)
{
	uint64_t now = now_us(), start = now, since = now;
	unsigned int us, most;
	size_t i;

	do {
		most = 0;
		for (i = 0; i < SLOTS; i++) {
			struct chan *ch = w->slots[i].ch;

			if (ch == NULL || (us = chan_spin_us(ch)) == 0)
				continue;
			if (us > most)
				most = us;
			if (chan_spin(ch))
				since = now_us();
		}
		if (most == 0)
			return;
		now = now_us();
	} while (now - since < most && now - start < WORKER_SPIN_US);
}

static void
turn(struct worker *w)
{
	struct pollfd p[MAX_POLL];
	int first[SLOTS], count[SLOTS], n = 0, mgr = -1, machine;
	size_t i;

	p[n++] = (struct pollfd){ .fd = w->listen_fd, .events = POLLIN };
	if (w->mgr != NULL) {
		mgr = n;
		p[n++] = (struct pollfd){ .fd = msgch_fd(w->mgr),
			.events =
			    msgch_pending(w->mgr) ? POLLIN | POLLOUT : POLLIN };
	}
	machine = n; /* poll() passes over a descriptor of -1 */
	p[n++] = (struct pollfd){ .fd = w->machine.fd, .events = POLLIN };
	for (i = 0; i < SLOTS; i++) {
		first[i] = n;
		if (w->slots[i].ch != NULL)
			n += chan_pollfds(w->slots[i].ch, &p[n]);
		count[i] = n - first[i];
	}
	if (wait_for(p, (nfds_t)n, next_due(w)) == -1) {
		if (errno == EINTR)
			return;
		log_err("ppoll: %s", vt_strerror(VT_E_SYS));
		_exit(1);
	}
	if (mgr != -1 && p[mgr].revents != 0)
		wk_manager_read(w);
	if (p[0].revents != 0)
		accept_manager(w);
	if (p[machine].revents != 0)
		wk_machine_read(w);
	for (i = 0; i < SLOTS && !w->ending; i++)
		if (count[i] > 0)
			chan_dispatch(w->slots[i].ch, &p[first[i]], count[i]);
	wk_send_due(w);
}

static void
loop(struct worker *w)
{
	uint64_t now;

	while (!w->ending) {
		look_for_path(w, now_us());
		if (w->ending)
			return;
		spin(w);
		turn(w);
		if (terminated && w->end_by_us == 0)
			wk_terminate(w);
		now = now_us();
		if (w->end_by_us != 0 && now >= w->end_by_us)
			w->ending = true;
		wk_run_held(w, now);
		wk_store_retry(w, now);
	}
}

/* --- start -----------------------------------------------------------------
 */

static void
enter_jail(const struct worker_cfg *cfg, int ctl, int listen_fd, int path_fd)
{
	int keep[3] = { ctl, listen_fd };
	size_t nkeep = 2;
	const char *step = "";
	int rc;

	if (cfg->jail == NULL)
		return;
	if (path_fd != -1)
		keep[nkeep++] = path_fd;
	rc = jail_drop(cfg->jail, cfg->uid, cfg->gid, keep, nkeep, &step);
	/* A listening socket carries the credentials of its last listen(2). */
	if (rc == VT_OK && listen(listen_fd, BACKLOG) == -1) {
		step = "listen under its own user";
		rc = VT_E_SYS;
	}
	if (rc == VT_OK)
		rc = jail_close(cfg->jail, &step);
	if (rc != VT_OK) {
		log_err("cannot %s: %s", step, vt_strerror(rc));
		_exit(1);
	}
}

static void
on_sigterm(int sig)
{
	(void)sig;
	terminated = 1;
}

/* Blocked but for wait_for(): a command runs to its end. */
static int
catch_sigterm(void)
{
	struct sigaction sa = { .sa_handler = on_sigterm };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1 ||
	    sigaction(SIGTERM, &sa, NULL) == -1)
		return VT_E_SYS;
	return VT_OK;
}

void
worker_run(int ctl, int listen_fd, const struct worker_cfg *cfg)
{
	struct worker *w;
	size_t i;

	(void)prctl(PR_SET_NAME, "vtpm-worker", 0, 0, 0);
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	if ((w = calloc(1, sizeof(*w))) == NULL)
		_exit(1);
	w->cfg = cfg;
	w->manager_uid = geteuid();
	w->listen_fd = listen_fd;
	w->path_fd = open_path(listen_fd);
	w->machine.fd = -1;
	w->n.last_us = now_us();
	memcpy(w->uuid, cfg->uuid, sizeof(w->uuid));
	token_bucket_init(
	    &w->events, WORKER_EVENT_BURST, 1, WORKER_EVENT_US, now_us());
	w->chan_events = w->refusals = w->events;
	token_bucket_init(
	    &w->keeps, WORKER_KEEP_BURST, 1, WORKER_KEEP_US, now_us());
	w->tpm_version = TPM_VER_20;
	for (i = 0; i < SLOTS; i++)
		w->slots[i].w = w;
	enter_jail(cfg, ctl, listen_fd, w->path_fd);
	(void)eng_buffer_size(
	    WORKER_BUFFER, &(uint32_t){ 0 }, &(uint32_t){ 0 });
	if (catch_sigterm() != VT_OK ||
	    fd_set_nonblock(listen_fd, true) != VT_OK)
		_exit(1);
	wk_manager_connected(w, ctl);
	loop(w);
	if (w->mgr != NULL && msgch_flush_wait(w->mgr, FLUSH_MS) != VT_OK)
		log_debug("the manager did not read the last messages");
	_exit(0);
}
