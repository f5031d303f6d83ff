/* SPDX-License-Identifier: BSD-3-Clause */
/* frontd_keep.c - the process of tpmfrontd that holds the device. */
#include "tpmfront/frontd/frontd_keep.h"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/msg.h"
#include "base/util.h"
#include "tpmfront/frontd/frontd_child.h"
#include "tpmfront/frontd/frontd_driver.h"

#define MSG_LEN_MAX 16
#define LOOK_MS 20       /* for the device, while it comes up */
#define DEVICE_MS 120000 /* the kernel runs a self test first */
#define STOP_MS 6000     /* for the child to close its ring */
#define DEVICE_TRIES 5   /* a busy host's TPM may answer too late at first */
#define DEVICE_PAUSE_MS 1000
#define BELLS_MAX                                                  \
	256 /* more than so many restores and deaths: no more held \
	     */
#define WAIT_FIRST_MS 50
#define WAIT_MAX_MS 5000

struct keeper {
	const struct frontd *o;
	struct proxy dev;
	struct msgch *ch; /* to the child; NULL: there is none */
	pid_t child;
	int sig_fd;
	int drv_fd; /* what the kernel's drivers do; -1: not watched */
	bool ready, stopping;
	unsigned int refused; /* by the kernel, before it was ready */
	unsigned int bells;   /* descriptors that are held and never closed */
	struct backoff backoff;
	uint64_t start_at_us; /* the next child, when there is none */
	uint64_t give_up_us;  /* the device is not there, or no end */
	int status;
};

/* sd_notify(3) where systemd asks for it; an initramfs has no libsystemd. */
static void
notify_systemd(const char *text)
{
	int (*notify)(int unset, const char *state);
	void *so;

	if (getenv("NOTIFY_SOCKET") == NULL)
		return;
	so = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (so == NULL) {
		log_warn(
		    "cannot notify systemd, which waits for it: %s", dlerror());
		return;
	}
	*(void **)(void *)&notify = dlsym(so, "sd_notify");
	if (notify != NULL)
		(void)notify(0, text);
}

static void
end_with(struct keeper *k, int status)
{
	k->stopping = true;
	k->status = status;
	k->give_up_us = now_us() + STOP_MS * 1000;
	msgch_free(k->ch); /* the child sees that and leaves */
	k->ch = NULL;
}

/* --- the child ------------------------------------------------------------ */

static void
start_child(struct keeper *k)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1) {
		log_err("socketpair: %m");
		end_with(k, 1);
		return;
	}
	k->child = fork();
	if (k->child == 0) {
		(void)close(sv[0]);
		(void)close(k->sig_fd);
		if (k->drv_fd != -1)
			(void)close(k->drv_fd);
		frontd_child(k->o, sv[1], &k->dev);
	}
	(void)close(sv[1]);
	if (k->child == -1 || msgch_new(sv[0], MSG_LEN_MAX, &k->ch) != VT_OK) {
		log_err("cannot start a process: %m");
		(void)close(sv[0]);
		end_with(k, 1);
	}
}

static void
make_device(struct keeper *k, bool tpm12)
{
	int fds[2], n = 1, log_fd = -1;

	if (k->dev.fd != -1)
		return; /* the child has it since its birth */
	if (proxy_make(tpm12, &k->dev) != VT_OK) {
		log_err("cannot make a TPM device: /dev/vtpmx: %m (module "
			"tpm_vtpm_proxy, and CAP_SYS_ADMIN)");
		end_with(k, 1);
		return;
	}
	k->give_up_us = now_us() + DEVICE_MS * 1000ull;
	fds[0] = k->dev.fd;
	if (k->o->background) {
		log_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
		if (log_fd == -1)
			log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (log_fd != -1)
			fds[n++] = log_fd;
	}
	if (msgch_send(k->ch, FD_DEVICE, 0, NULL, 0, fds, (unsigned)n) != VT_OK)
		log_warn("the ring's process has just ended");
	if (log_fd != -1)
		(void)close(log_fd);
}

static void
hear_child(struct keeper *k)
{
	struct msg m;
	int rc;

	while (k->ch != NULL && (rc = msgch_recv(k->ch, &m)) != VT_E_AGAIN) {
		if (rc == VT_OK && m.type == FD_BELL) {
			if (m.nfds != 1 || k->bells++ >= BELLS_MAX)
				msg_close_fds(&m);
			continue;
		}
		if (rc != VT_OK || m.type != FD_FOUND || m.len != 1) {
			/* It died, SIGCHLD says how. */
			msgch_free(k->ch);
			k->ch = NULL;
			return;
		}
		backoff_reset(&k->backoff);
		make_device(k, m.data[0] == 1);
	}
}

static void
again(struct keeper *k)
{
	k->start_at_us = now_us() + backoff_failed(&k->backoff) * 1000ull;
}

/*
 * The kernel closed its end.  Before the device is there that means that the
 * kernel's first commands failed.  It gives most of them 750 ms, which a guest
 * on a busy host may spend without a processor, so once is no reason to stay
 * without a TPM.
 */
static void
device_closed(struct keeper *k)
{
	if (!k->ready && ++k->refused >= DEVICE_TRIES) {
		log_err("the kernel does not take this TPM: %s was refused %u "
			"times (the kernel's log says why)",
		    k->dev.name, k->refused);
		end_with(k, 1);
		return;
	}
	log_warn("the kernel closed %s%s; another is made", k->dev.name,
	    k->ready ? "" : " before it was there (the kernel's log says why)");
	proxy_close(&k->dev);
	again(k);
	if (!k->ready)
		k->start_at_us += DEVICE_PAUSE_MS * 1000ull;
}

static void
child_ended(struct keeper *k, int how)
{
	k->child = -1;
	msgch_free(k->ch);
	k->ch = NULL;
	if (k->stopping)
		return;
	if (WIFSIGNALED(how)) {
		if (!k->ready) {
			log_err("the ring's process died of signal %d",
			    WTERMSIG(how));
			end_with(k, 1);
			return;
		}
		log_warn("the ring's process died of signal %d; %s stays, "
			 "another process takes over",
		    WTERMSIG(how), k->dev.name);
		again(k);
		return;
	}
	switch (WEXITSTATUS(how)) {
	case FX_OTHER:
		log_warn("the TPM now has another version: %s is replaced by "
			 "a new device",
		    k->dev.name);
		proxy_close(&k->dev);
		again(k);
		break;
	case FX_NO_DEVICE:
		device_closed(k);
		break;
	case FX_LOST:
		log_warn("the TPM is gone; waiting for it");
		again(k);
		break;
	default:
		if (!k->ready)
			end_with(k, 1);
		else
			again(k);
		break;
	}
}

/* --- the device ------------------------------------------------------------
 */

/* The parent continues now; later messages go to the kernel's log. */
static void
detach(struct keeper *k)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null != -1) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
	}
	if (fd != -1)
		(void)dup2(fd, STDERR_FILENO);
	else if (null != -1)
		(void)dup2(null, STDERR_FILENO);
	if (write_all(k->o->ready_fd, "r", 1) != VT_OK)
		log_warn("the parent process did not wait for the device");
	(void)close(k->o->ready_fd);
}

static void
look_for_device(struct keeper *k)
{
	char text[96];

	if (k->ready || k->stopping || k->dev.fd == -1)
		return;
	if (proxy_is_there(&k->dev)) {
		k->ready = true;
		k->give_up_us = UINT64_MAX;
		log_info("/dev/%s is ready, a TPM %s", k->dev.name,
		    k->dev.tpm12 ? "1.2" : "2.0");
		(void)snprintf(text, sizeof(text),
		    "READY=1\nSTATUS=/dev/%s is ready", k->dev.name);
		notify_systemd(text);
		if (k->o->background)
			detach(k);
	} else if (now_us() > k->give_up_us) {
		log_err(
		    "the kernel created no /dev/%s for this TPM within %d s",
		    k->dev.name, DEVICE_MS / 1000);
		end_with(k, 1);
	}
}

static void
take_signals(struct keeper *k)
{
	struct signalfd_siginfo si;
	pid_t pid;
	int how;

	while (read(k->sig_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo != SIGCHLD && !k->stopping) {
			notify_systemd("STOPPING=1");
			end_with(k, 0);
		}
	while ((pid = waitpid(-1, &how, WNOHANG)) > 0)
		if (pid == k->child)
			child_ended(k, how);
}

static int
open_signals(struct keeper *k)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return VT_E_SYS;
	k->sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->sig_fd == -1 ? VT_E_SYS : VT_OK;
}

static int
patience_ms(const struct keeper *k)
{
	uint64_t now = now_us();

	if (k->stopping || (k->dev.fd != -1 && !k->ready))
		return LOOK_MS;
	if (k->child == -1)
		return k->start_at_us > now
			   ? (int)((k->start_at_us - now) / 1000 + 1)
			   : 0;
	return -1;
}

static void
watch_drivers(struct keeper *k)
{
	if (!k->o->take || k->o->tcti != NULL)
		return;
	if ((k->drv_fd = frontd_driver_watch()) == -1)
		log_warn("cannot watch the kernel's drivers: %m");
	/* Events from before the watch are not reported. */
	(void)frontd_driver_take(k->o->devid);
}

static void
driver_event(struct keeper *k)
{
	frontd_driver_drain(k->drv_fd);
	if (!k->stopping)
		(void)frontd_driver_take(k->o->devid);
}

int
frontd_keep(const struct frontd *o)
{
	struct keeper k = { .o = o,
		.drv_fd = -1,
		.dev = { .fd = -1 },
		.child = -1,
		.give_up_us = UINT64_MAX };
	struct pollfd p[3];

	backoff_init(&k.backoff, WAIT_FIRST_MS, WAIT_MAX_MS);
	if (open_signals(&k) != VT_OK) {
		log_err("signals: %m");
		return 1;
	}
	watch_drivers(&k);
	for (;;) {
		if (k.child == -1 && k.stopping)
			break;
		if (k.child == -1 && now_us() >= k.start_at_us)
			start_child(&k);
		if (k.stopping && now_us() > k.give_up_us && k.child != -1)
			(void)kill(k.child, SIGKILL);
		p[0] = (struct pollfd){ .fd = k.sig_fd, .events = POLLIN };
		p[1] =
		    (struct pollfd){ .fd = k.ch != NULL ? msgch_fd(k.ch) : -1,
			    .events = POLLIN };
		p[2] = (struct pollfd){ .fd = k.drv_fd, .events = POLLIN };
		(void)poll(p, 3, patience_ms(&k));
		if (p[2].revents != 0)
			driver_event(&k);
		if (p[1].revents != 0)
			hear_child(&k);
		if (p[0].revents != 0)
			take_signals(&k);
		look_for_device(&k);
	}
	proxy_close(&k.dev);
	return k.status;
}
