/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/xen_chan.h"

#include <sys/mman.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xenevtchn.h>

#include "base/util.h"
#include "tpmback/back_core.h"
#include "tpmback/chan_impl.h"
#include "tpmback/spin.h"

#define SPIN_ROUNDS 32 /* polls of the page per chan_spin() */
#define TPM12 1        /* TPM_VER_12 of vtpm/proto/worker_msg.h */

struct xen_chan {
	struct chan ch;          /* first */
	void *page;              /* mapped grant; NULL: detached */
	xenevtchn_handle *evt;   /* NULL: detached */
	uint32_t local;          /* our end of its port */
	struct xen_front now;    /* the page's domain */
	struct xen_front wanted; /* attach() is due, once the old one drained */
	bool is_wanted;
	struct spin spin;
	bool fresh; /* answered since the last sleep */
	uint64_t answered_us;
	struct back core;
};

static void
note(struct xen_chan *xc, enum chan_note n, const char *text)
{
	if (xc->ch.host->note != NULL)
		xc->ch.host->note(xc->ch.host_arg, &xc->ch, n, text);
}

/* --- what the core asks of us --------------------------------------------- */

static void
xc_submit(void *arg, uint8_t locality, const uint8_t *cmd, size_t len)
{
	struct xen_chan *xc = arg;

	if (xc->answered_us != 0)
		spin_saw(&xc->spin, now_us() - xc->answered_us);
	xc->ch.host->submit(xc->ch.host_arg, &xc->ch, locality, cmd, len);
}

static void
xc_cancel(void *arg)
{
	struct xen_chan *xc = arg;

	xc->ch.host->cancel(xc->ch.host_arg, &xc->ch);
}

static void
xc_notify(void *arg)
{
	struct xen_chan *xc = arg;

	/* A guest that closed its end cannot be notified; xenback learns of
	 * it. */
	if (xc->evt != NULL)
		(void)xenevtchn_notify(xc->evt, xc->local);
}

static void
drop_front(struct xen_chan *xc)
{
	if (xc->page != NULL)
		(void)munmap(xc->page, TPMIF_PAGE_SIZE);
	if (xc->evt != NULL) /* unbinds the port */
		(void)xenevtchn_close(xc->evt);
	xc->page = NULL;
	xc->evt = NULL;
	xc->fresh = false;
	xc->answered_us = 0;
}

static void
xc_unmap(void *arg)
{
	struct xen_chan *xc = arg;

	drop_front(xc);
	note(xc, CN_CLOSED, "the front half left");
}

static void
xc_closed(void *arg)
{
	struct xen_chan *xc = arg;

	if (xc->is_wanted)
		note(xc, CN_WANTED, "its new page is due");
}

static void
xc_violation(void *arg, const char *text)
{
	note(arg, CN_VIOLATION, text);
}

static const struct back_ops core_ops = {
	.submit = xc_submit,
	.cancel = xc_cancel,
	.notify = xc_notify,
	.unmap = xc_unmap,
	.closed = xc_closed,
	.violation = xc_violation,
};

/* --- attaching ------------------------------------------------------------ */

static struct xen_chan *
xen(struct chan *ch)
{
	return (struct xen_chan *)ch;
}

static bool
same_front(const struct xen_front *a, const struct xen_front *b)
{
	return a->domid == b->domid && a->gref == b->gref && a->port == b->port;
}

/* Takes fds; the mapping outlives its descriptor. */
static int
take_fds(struct xen_chan *xc, const int fds[2])
{
	void *page = mmap(NULL, TPMIF_PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fds[0], 0);
	int saved = errno;

	(void)close(fds[0]);
	if (page == MAP_FAILED) {
		(void)close(fds[1]);
		errno = saved;
		return VT_E_SYS;
	}
	xc->page = page;
	if ((xc->evt = xenevtchn_fdopen(NULL, fds[1], 0)) == NULL) {
		(void)close(fds[1]);
		return VT_E_NOMEM;
	}
	/* An event may be taken between poll(2) and read(2): a slow command's
	 * watch thread reads the same descriptor. */
	return fd_set_nonblock(fds[1], true);
}

static int
xen_attach(struct chan *ch, const struct xen_front *f, uint32_t local,
    const int fds[2])
{
	struct xen_chan *xc = xen(ch);
	char who[48];
	int rc;

	if (!xc->is_wanted || !same_front(f, &xc->wanted) || xc->page != NULL ||
	    xc->core.state == BK_DRAINING) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return VT_E_STATE;
	}
	xc->is_wanted = false;
	if ((rc = take_fds(xc, fds)) != VT_OK) {
		drop_front(xc);
		return rc;
	}
	xc->local = local;
	xc->now = xc->wanted;
	(void)snprintf(who, sizeof(who), "domain %u", xc->now.domid);
	note(xc, CN_OPEN, who);
	back_open(&xc->core, xc->page);
	if (xc->now.resumed)
		back_fail_pending(&xc->core);
	else
		(void)back_look(&xc->core); /* it may have submitted before */
	return VT_OK;
}

static int
xen_connect(struct chan *ch, const struct xen_front *f)
{
	struct xen_chan *xc = xen(ch);

	/* The manager or xenback restarted, this worker did not: the running
	 * command continues, and its answer still finds the page. */
	if (f->resumed && xc->page != NULL && same_front(f, &xc->now))
		return VT_OK;
	if (xc->page != NULL)
		back_gone(&xc->core);
	xc->wanted = *f;
	xc->is_wanted = true;
	return xc->core.state == BK_DRAINING ? VT_OK : VT_E_AGAIN;
}

static void
xen_disconnect(struct chan *ch)
{
	struct xen_chan *xc = xen(ch);

	xc->is_wanted = false;
	if (xc->page != NULL)
		back_gone(&xc->core);
}

/* --- the channel's operations --------------------------------------------- */

/* Grants and ports are not descriptors: xenback reconnects a successor. */
static int
xen_adopt(struct chan *ch, const int *fds, unsigned int nfds)
{
	(void)ch;
	(void)fds;
	return nfds == 0 ? VT_OK : VT_E_UNSUPPORTED;
}

static void
xen_free(struct chan *ch)
{
	struct xen_chan *xc = xen(ch);

	xc->is_wanted = false;
	back_stop(&xc->core);
	drop_front(xc);
	explicit_bzero(xc, sizeof(*xc));
	free(xc);
}

static void
xen_reply(struct chan *ch, const uint8_t *resp, size_t len)
{
	struct xen_chan *xc = xen(ch);

	back_reply(&xc->core, resp, len);
	if (xc->page == NULL)
		return;
	xc->fresh = true;
	xc->answered_us = now_us();
}

static int
xen_pollfds(struct chan *ch, struct pollfd *p)
{
	struct xen_chan *xc = xen(ch);

	xc->fresh = false;
	if (xc->evt == NULL)
		return 0;
	p[0] = (struct pollfd){ .fd = xenevtchn_fd(xc->evt), .events = POLLIN };
	return 1;
}

/* A guest may notify as fast as it likes; one look serves all of them. */
static void
take_events(struct xen_chan *xc)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(xc->evt);

	if (port >= 0)
		(void)xenevtchn_unmask(xc->evt, (evtchn_port_t)port);
}

static void
xen_dispatch(struct chan *ch, const struct pollfd *p, int n)
{
	struct xen_chan *xc = xen(ch);

	if (n > 0 && p[0].revents != 0 && xc->evt != NULL)
		take_events(xc);
	if (xc->page != NULL)
		(void)back_look(&xc->core);
}

static bool
xen_spin(struct chan *ch)
{
	struct xen_chan *xc = xen(ch);
	int i;

	if (xc->page == NULL)
		return false;
	for (i = 0; i < SPIN_ROUNDS; i++) {
		if (back_waiting(&xc->core))
			return back_look(&xc->core);
		spin_pause();
	}
	return false;
}

static unsigned int
xen_spin_us(struct chan *ch)
{
	struct xen_chan *xc = xen(ch);

	return xc->fresh && xc->core.state == BK_IDLE ? xc->spin.us : 0;
}

static void
xen_watch(struct chan *ch, int stop_fd, int timeout_ms)
{
	struct xen_chan *xc = xen(ch);
	struct pollfd p[2];

	if (xc->page == NULL)
		return;
	p[0] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = xenevtchn_fd(xc->evt), .events = POLLIN };
	for (;;) {
		int k = poll(p, VT_NELEM(p), timeout_ms);

		if (k == 0 || (k == -1 && errno != EINTR) || p[0].revents != 0)
			return;
		if (p[1].revents != 0)
			take_events(xc);
		if (back_cancel_seen(&xc->core)) {
			xc_cancel(xc);
			return;
		}
	}
}

static const struct chan_ops xen_ops = {
	.adopt = xen_adopt,
	.free = xen_free,
	.reply = xen_reply,
	.pollfds = xen_pollfds,
	.dispatch = xen_dispatch,
	.spin = xen_spin,
	.spin_us = xen_spin_us,
	.watch = xen_watch,
};

static int
xen_chan_new(uint8_t localities, uint8_t tpm_version,
    const struct chan_host *host, void *host_arg, struct chan **ret)
{
	struct xen_chan *xc = calloc(1, sizeof(*xc));

	if (xc == NULL)
		return VT_E_NOMEM;
	xc->ch = (struct chan){ &xen_ops, host, host_arg };
	spin_init(&xc->spin, SPIN_MAX_US);
	back_init(&xc->core, localities, tpm_version == TPM12, &core_ops, xc);
	*ret = &xc->ch;
	return VT_OK;
}

__attribute__((visibility("default")))
const struct xen_module vtpm_xen_module = {
	.chan_new = xen_chan_new,
	.connect = xen_connect,
	.attach = xen_attach,
	.disconnect = xen_disconnect,
};
