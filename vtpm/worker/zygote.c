/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zygote.c - warms libtpms up and forks workers.
 */
#include "vtpm/worker/zygote.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/util.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/state/seal.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/worker/worker.h"
#include "vtpm/worker/worker_jail.h"
#include "vtpm/worker/worker_xen.h"

struct zygote {
	struct msgch *mgr;
	struct jail *jail;
	struct jail *jail_xen; /* NULL until a worker needs it */
	const struct xen_module *xen;
	int sig_fd; /* SIGCHLD */
	bool told;  /* the operator, that workers share one uid */
};

/* --- warm up ---------------------------------------------------------------
 */

static int
self_test(void)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_SelfTest);
	wr_u8(&c.w, 1);
	return tcmd_run(&c, NULL, &r);
}

/* Seals once, so that OpenSSL has loaded the algorithms. */
static int
seal_once(void)
{
	struct seal_id id = { .kind = SEAL_PERMANENT }, got;
	uint8_t key[GCM_KEY_LEN] = { 0 }, out[SEAL_OVERHEAD + 1], *plain;
	size_t len;
	int rc;

	if ((rc = seal_make(key, &id, key, 1, out)) != VT_OK ||
	    (rc = seal_open(key, &id, out, sizeof(out), &got, &plain, &len)) !=
		VT_OK)
		return rc;
	free(plain);
	return VT_OK;
}

static int
warm_up(void)
{
	int rc;

	if ((rc = eng_init(STDERR_FILENO)) != VT_OK ||
	    (rc = eng_manufacture(TPM_VER_20)) != VT_OK ||
	    (rc = tcmd_startup(0)) != VT_OK || (rc = self_test()) != VT_OK ||
	    (rc = seal_once()) != VT_OK)
		return rc;
	eng_forget();
	(void)malloc_trim(0);
	return VT_OK;
}

/* --- workers ---------------------------------------------------------------
 */

/* In the zygote, so that all workers share its pages. */
static void
load_xen(struct zygote *z)
{
	const char *why = "";

	if (z->xen != NULL)
		return;
	if ((z->xen = xen_module_load(&why)) == NULL)
		log_warn("no Xen guest can be served: %s", why);
	else if (jail_prepare(&worker_jail_xen, &z->jail_xen) != VT_OK) {
		log_warn("no Xen guest can be served: no jail for it");
		z->xen = NULL;
	}
}

static _Noreturn void
child(struct zygote *z, const struct zspawn *m, const int fds[2])
{
	static struct worker_cfg cfg;

	memcpy(cfg.uuid, m->uuid, sizeof(cfg.uuid));
	cfg.uid = m->uid;
	cfg.gid = m->gid;
	cfg.jail = z->jail;
	if ((m->flags & ZS_XEN) && z->xen != NULL) {
		cfg.xen = z->xen;
		cfg.jail = z->jail_xen;
	}
	/* Signals of the manager's terminal must not reach it. */
	(void)setsid();
	log_open("vtpm-worker", (enum log_level)m->log_level);
	if (crypto_reseed() != VT_OK)
		_exit(1);
	worker_run(fds[0], fds[1], &cfg);
}

static void
answer_spawn(struct zygote *z, uint32_t id, pid_t pid, const char *text)
{
	struct zspawned m = { .pid = pid > 0 ? (uint32_t)pid : 0 };
	uint8_t buf[TEXT_MAX_LEN + 16];
	struct wr w;

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, zspawned, &m);
	if (wr_err(&w) != VT_OK ||
	    msgch_send(z->mgr, Z_SPAWNED, id, w.buf, w.len, NULL, 0) != VT_OK)
		log_warn("cannot report worker %ld to the manager", (long)pid);
}

static void
say_once(struct zygote *z, const struct zspawn *m)
{
	if (z->told || m->uid != JAIL_KEEP_ID)
		return;
	z->told = true;
	log_info("workers run as user %ld like the manager: guests are not "
		 "separated from each other by user",
	    (long)geteuid());
}

static void
on_spawn(struct zygote *z, struct msg *msg)
{
	struct zspawn m;
	pid_t pid;

	if (msg_get(zspawn, msg->data, msg->len, &m) != VT_OK ||
	    msg->nfds != 2) {
		answer_spawn(z, msg->id, 0, "malformed request");
		return;
	}
	say_once(z, &m);
	if (m.flags & ZS_XEN)
		load_xen(z);
	if ((pid = fork()) == 0)
		child(z, &m, msg->fds);
	answer_spawn(z, msg->id, pid, pid == -1 ? strerror(errno) : "");
}

static void
reap(struct zygote *z)
{
	struct signalfd_siginfo si;
	struct zexited m;
	uint8_t buf[16];
	struct wr w;
	int status;
	pid_t pid;

	while (read(z->sig_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		m.pid = (uint32_t)pid;
		m.status = (uint32_t)status;
		wr_init(&w, buf, sizeof(buf));
		msg_put(&w, zexited, &m);
		if (wr_err(&w) != VT_OK || msgch_send(z->mgr, Z_EXITED, 0,
					       w.buf, w.len, NULL, 0) != VT_OK)
			return; /* the loop notices the lost connection */
	}
}

/* --- the loop --------------------------------------------------------------
 */

static int
serve(struct zygote *z)
{
	struct msg msg;
	int rc;

	while ((rc = msgch_recv(z->mgr, &msg)) == VT_OK) {
		if (msg.type == Z_SPAWN)
			on_spawn(z, &msg);
		else
			log_warn("unknown message %u", msg.type);
		msg_close_fds(&msg);
	}
	return rc;
}

static int
loop(struct zygote *z)
{
	struct pollfd p[2];
	int rc;

	for (;;) {
		p[0] = (struct pollfd){ .fd = msgch_fd(z->mgr),
			.events =
			    msgch_pending(z->mgr) ? POLLIN | POLLOUT : POLLIN };
		p[1] = (struct pollfd){ .fd = z->sig_fd, .events = POLLIN };
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			return VT_E_SYS;
		if (p[1].revents != 0)
			reap(z);
		if ((rc = msgch_flush(z->mgr)) == VT_OK)
			rc = serve(z);
		if (rc == VT_E_CLOSED)
			return VT_OK;
		if (rc != VT_E_AGAIN)
			return rc;
	}
}

/* 2 is the log, and so is 1: what a library prints must reach the operator at
 * once, even if the worker dies of it. */
static int
set_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1 || dup2(fd, STDIN_FILENO) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1 ||
	    setvbuf(stdout, NULL, _IOLBF, BUFSIZ) != 0)
		return VT_E_SYS;
	if (fd > STDERR_FILENO)
		(void)close(fd);
	return VT_OK;
}

static int
block_signals(struct zygote *z)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return VT_E_SYS;
	z->sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return z->sig_fd == -1 ? VT_E_SYS : VT_OK;
}

/* jansson seeds its tables from a file that a jailed worker cannot open. */
static int
seed_json(void)
{
	size_t seed;
	int rc = random_bytes(&seed, sizeof(seed));

	if (rc == VT_OK)
		json_object_seed(seed | 1); /* 0: find one by yourself */
	return rc;
}

int
zygote_run(int fd)
{
	struct zygote z;
	int rc;

	memset(&z, 0, sizeof(z));
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if ((rc = msgch_new(fd, 0, &z.mgr)) != VT_OK ||
	    (rc = set_stdio()) != VT_OK || (rc = seed_json()) != VT_OK ||
	    (rc = block_signals(&z)) != VT_OK ||
	    (rc = jail_prepare(&worker_jail, &z.jail)) != VT_OK ||
	    (rc = warm_up()) != VT_OK)
		goto out;
	rc = msgch_send(z.mgr, Z_READY, 0, NULL, 0, NULL, 0);
	if (rc == VT_OK)
		rc = loop(&z);
out:
	jail_free(z.jail);
	jail_free(z.jail_xen);
	msgch_free(z.mgr);
	return rc;
}
