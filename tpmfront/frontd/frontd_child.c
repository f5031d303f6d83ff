/* SPDX-License-Identifier: BSD-3-Clause */
/* frontd_child.c - the process of tpmfrontd that carries the commands. */
#include "tpmfront/frontd/frontd_child.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "base/util.h"
#include "tpmfront/frontd/bridge_ring.h"
#include "tpmfront/frontd/frontd_jail.h"
#include "tpmfront/frontd/tcti_bridge.h"
#include "tpmfront/ring_xen.h"

#define TRY_MS 1000    /* one look for the TPM */
#define DEVICE_MS 5000 /* for the keeper's answer */
#define MSG_LEN_MAX 16

struct child {
	const struct frontd *o;
	struct msgch *keeper;
	struct ring *ring;
	struct tcti_tpm *tcti;
	int dev_fd;  /* -1: not made yet */
	int bell_fd; /* the keeper holds it, too; -1 */
	uint64_t end_us;
	struct bridge bridge;
};

static void leave(struct child *c, enum frontd_exit how)
    __attribute__((noreturn));

static void
leave(struct child *c, enum frontd_exit how)
{
	ring_close(c->ring);
	tcti_tpm_close(c->tcti);
	_exit(how);
}

/* The keeper never writes unasked: it is gone, or ends this process. */
static bool
keeper_left(const struct child *c)
{
	struct pollfd p = { .fd = msgch_fd(c->keeper), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Retry?  Commands that wait meanwhile are deferred. */
static bool
go_on(struct child *c)
{
	if (keeper_left(c))
		leave(c, FX_STOPPED);
	if (c->dev_fd != -1) {
		bridge_put_off(&c->bridge);
		return true; /* the device waits for us as long as it takes */
	}
	return now_us() < c->end_us;
}

/* Before anything is opened that is to stay. */
static void
close_others(int sock, int dev_fd)
{
	int fds[2] = { sock < dev_fd ? sock : dev_fd,
		sock < dev_fd ? dev_fd : sock };
	unsigned int from = STDERR_FILENO + 1;
	int i;

	for (i = 0; i < 2; i++) {
		if (fds[i] < (int)from)
			continue;
		if ((unsigned int)fds[i] > from)
			(void)close_range(from, (unsigned int)fds[i] - 1, 0);
		from = (unsigned int)fds[i] + 1;
	}
	(void)close_range(from, ~0U, 0);
}

static void
jail(struct child *c)
{
	const char *step;

	if (frontd_jail(c->o, &step) == VT_OK)
		return;
	log_err("cannot %s: %m", step);
	leave(c, FX_FAILED);
}

/* In a guest that was restored, the last one to close it would be stopped by
 * a BUG of the kernel's and never end: so that is not to be us. */
static void
hand_over_bell(void *arg)
{
	struct child *c = arg;
	int fd = ring_bell_fd(c->ring);

	if (fd == -1 || fd == c->bell_fd)
		return;
	if (msgch_send(c->keeper, FD_BELL, 0, NULL, 0, &fd, 1) == VT_OK)
		c->bell_fd = fd;
}

static void
start_bridge(
    struct child *c, const struct bridge_tpm *tpm, const struct proxy *dev)
{
	bridge_init(&c->bridge, tpm, c->ring, dev->fd, msgch_fd(c->keeper));
	c->bridge.tpm12 = dev->tpm12;
	c->bridge.renewed_arg = c;
	if (c->o->tcti == NULL)
		c->bridge.renewed = hand_over_bell;
	if (dev->fd != -1)
		bridge_disown(&c->bridge);
}

static void
open_xen(struct child *c, const struct proxy *dev)
{
	char why[RING_WHY_MAX];

	if (ring_xen_connect(c->o->devid, &c->ring, why) != VT_OK) {
		log_err("%s", why);
		leave(c, FX_FAILED);
	}
	start_bridge(c, &bridge_ring, dev);
	jail(c);
}

static void
open_tcti(struct child *c, const struct proxy *dev)
{
	struct pollfd p = { .fd = msgch_fd(c->keeper), .events = POLLIN };
	int rc;

	start_bridge(c, &bridge_tcti, dev);
	while ((rc = tcti_tpm_open(c->o->tcti, &c->tcti)) != VT_OK) {
		if (!go_on(c)) {
			log_err("cannot reach a TPM by the TCTI \"%s\"",
			    c->o->tcti);
			leave(c, FX_FAILED);
		}
		(void)poll(&p, 1, TRY_MS);
	}
	c->bridge.arg = c->tcti;
	jail(c);
}

static void
find_tpm(struct child *c)
{
	int rc;

	while ((rc = bridge_probe(&c->bridge, TRY_MS)) != VT_OK) {
		if (rc == VT_E_TIMEOUT && go_on(c))
			continue;
		log_err("no TPM: %s%s%s", vt_strerror(rc),
		    c->ring != NULL ? ": " : "",
		    c->ring != NULL ? ring_why(c->ring) : "");
		leave(c, FX_FAILED);
	}
}

/* Tell the keeper; take the device from it. */
static void
get_device(struct child *c)
{
	uint8_t version = c->bridge.tpm12 ? 1 : 2;
	struct msg m;

	if (msgch_send(c->keeper, FD_FOUND, 0, &version, 1, NULL, 0) != VT_OK ||
	    msgch_flush_wait(c->keeper, DEVICE_MS) != VT_OK)
		leave(c, FX_STOPPED);
	if (c->dev_fd != -1)
		return;
	if (msgch_recv_wait(c->keeper, DEVICE_MS, &m) != VT_OK ||
	    m.type != FD_DEVICE || m.nfds == 0)
		leave(c, FX_STOPPED);
	c->bridge.dev_fd = c->dev_fd = m.fds[0];
	if (m.nfds == 2) {
		(void)dup2(m.fds[1], STDERR_FILENO);
		(void)close(m.fds[1]);
	}
}

void
frontd_child(const struct frontd *o, int sock, const struct proxy *dev)
{
	static const enum frontd_exit exits[] = {
		[BRIDGE_STOPPED] = FX_STOPPED,
		[BRIDGE_NO_DEVICE] = FX_NO_DEVICE,
		[BRIDGE_OTHER] = FX_OTHER,
		[BRIDGE_LOST] = FX_LOST,
	};
	static struct child c; /* its buffers are large */
	enum bridge_end end;

	c.o = o;
	c.dev_fd = dev->fd;
	c.bell_fd = -1;
	c.end_us = now_us() + (uint64_t)o->wait_ms * 1000;
	close_others(sock, dev->fd);
	if (msgch_new(sock, MSG_LEN_MAX, &c.keeper) != VT_OK)
		_exit(FX_FAILED);
	if (o->tcti == NULL)
		open_xen(&c, dev);
	else
		open_tcti(&c, dev);
	find_tpm(&c);
	if (c.dev_fd != -1 && c.bridge.tpm12 != dev->tpm12)
		leave(&c, FX_OTHER);
	get_device(&c);
	end = bridge_serve(&c.bridge);
	log_debug("%lu commands, %lu put off, %lu failed", c.bridge.commands,
	    c.bridge.retried, c.bridge.failed);
	leave(&c, exits[end]);
}
