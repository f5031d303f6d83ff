/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/xen_chan.h"

#include <sys/mman.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "base/util.h"
#include "tpmback/back_core.h"
#include "tpmback/chan_impl.h"
#include "tpmback/spin.h"

#define SPIN_ROUNDS 32 /* polls of the page per chan_spin() */
#define NO_PORT UINT32_MAX
#define TPM12 1 /* TPM_VER_12 of vtpm/proto/worker_msg.h */

struct xen_hv {
	xengnttab_handle *gnt;
	xenevtchn_handle *evt;
};

struct front {
	uint32_t domid, gref, port;
	bool resumed;
};

struct xen_chan {
	struct chan ch; /* first */
	struct xen_hv *hv;
	void *page;           /* mapped grant; NULL: detached */
	uint32_t local_port;  /* ours; NO_PORT */
	struct front now;     /* the page's domain */
	struct front waiting; /* connect when the old one has drained */
	bool is_waiting;
	struct spin spin;
	bool fresh; /* answered since the last sleep */
	uint64_t answered_us;
	struct back core;
};

static int attach(struct xen_chan *xc, const struct front *f);

static void
note(struct xen_chan *xc, enum chan_note n, const char *text)
{
	if (xc->ch.host->note != NULL)
		xc->ch.host->note(xc->ch.host_arg, &xc->ch, n, text);
}

/* --- devices -------------------------------------------------------------- */

static void
xen_hv_close(struct xen_hv *hv)
{
	if (hv == NULL)
		return;
	if (hv->gnt != NULL)
		(void)xengnttab_close(hv->gnt);
	if (hv->evt != NULL)
		(void)xenevtchn_close(hv->evt);
	free(hv);
}

static int
xen_hv_open(struct xen_hv **ret)
{
	struct xen_hv *hv = calloc(1, sizeof(*hv));
	int saved;

	if (hv == NULL)
		return VT_E_NOMEM;
	hv->gnt = xengnttab_open(NULL, 0);
	hv->evt = xenevtchn_open(NULL, 0);
	/* An event may be taken between poll(2) and read(2): a slow command's
	 * watch thread reads the same descriptor. */
	if (hv->gnt == NULL || hv->evt == NULL ||
	    fd_set_nonblock(xenevtchn_fd(hv->evt), true) != VT_OK) {
		saved = errno;
		xen_hv_close(hv);
		errno = saved;
		return VT_E_SYS;
	}
	*ret = hv;
	return VT_OK;
}

static void
xen_hv_fds(const struct xen_hv *hv, int ret_fds[2])
{
	ret_fds[0] = xengnttab_fd(hv->gnt);
	ret_fds[1] = xenevtchn_fd(hv->evt);
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
	if (xc->local_port != NO_PORT)
		(void)xenevtchn_notify(xc->hv->evt, xc->local_port);
}

static void
drop_front(struct xen_chan *xc)
{
	if (xc->page != NULL)
		(void)xengnttab_unmap(xc->hv->gnt, xc->page, 1);
	if (xc->local_port != NO_PORT)
		(void)xenevtchn_unbind(xc->hv->evt, xc->local_port);
	xc->page = NULL;
	xc->local_port = NO_PORT;
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
	struct front f = xc->waiting;

	if (!xc->is_waiting)
		return;
	xc->is_waiting = false;
	if (attach(xc, &f) != VT_OK)
		note(xc, CN_VIOLATION, "its new page cannot be mapped");
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

static int
attach(struct xen_chan *xc, const struct front *f)
{
	xenevtchn_port_or_error_t port;
	char who[48];

	xc->page = xengnttab_map_grant_ref(
	    xc->hv->gnt, f->domid, f->gref, PROT_READ | PROT_WRITE);
	if (xc->page == NULL)
		return VT_E_SYS;
	port = xenevtchn_bind_interdomain(xc->hv->evt, f->domid, f->port);
	if (port < 0) {
		drop_front(xc);
		return VT_E_SYS;
	}
	xc->local_port = (uint32_t)port;
	xc->now = *f;
	(void)snprintf(who, sizeof(who), "domain %u", f->domid);
	note(xc, CN_OPEN, who);
	back_open(&xc->core, xc->page);
	if (f->resumed)
		back_fail_pending(&xc->core);
	else
		(void)back_look(&xc->core); /* it may have submitted before */
	return VT_OK;
}

static struct xen_chan *
xen(struct chan *ch)
{
	return (struct xen_chan *)ch;
}

static int
xen_connect(
    struct chan *ch, uint32_t domid, uint32_t gref, uint32_t port, bool resumed)
{
	struct front f = { domid, gref, port, resumed };
	struct xen_chan *xc = xen(ch);

	/* The manager or xenback restarted, this worker did not: the running
	 * command continues, and its answer still finds the page. */
	if (resumed && xc->page != NULL && xc->now.domid == domid &&
	    xc->now.gref == gref && xc->now.port == port)
		return VT_OK;
	if (xc->page != NULL)
		back_gone(&xc->core);
	if (xc->core.state == BK_DRAINING) {
		xc->waiting = f;
		xc->is_waiting = true;
		return VT_OK;
	}
	return attach(xc, &f);
}

static void
xen_disconnect(struct chan *ch)
{
	struct xen_chan *xc = xen(ch);

	xc->is_waiting = false;
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

	xc->is_waiting = false;
	back_stop(&xc->core);
	drop_front(xc);
	xen_hv_close(xc->hv);
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
	if (xc->local_port == NO_PORT)
		return 0;
	p[0] = (struct pollfd){ .fd = xenevtchn_fd(xc->hv->evt),
		.events = POLLIN };
	return 1;
}

/* A guest may notify as fast as it likes; one look serves all of them. */
static void
take_events(struct xen_chan *xc)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(xc->hv->evt);

	if (port >= 0)
		(void)xenevtchn_unmask(xc->hv->evt, (evtchn_port_t)port);
}

static void
xen_dispatch(struct chan *ch, const struct pollfd *p, int n)
{
	struct xen_chan *xc = xen(ch);

	if (n > 0 && p[0].revents != 0)
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
	p[1] = (struct pollfd){ .fd = xenevtchn_fd(xc->hv->evt),
		.events = POLLIN };
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
xen_chan_new(struct xen_hv *hv, uint8_t localities, uint8_t tpm_version,
    const struct chan_host *host, void *host_arg, struct chan **ret)
{
	struct xen_chan *xc = calloc(1, sizeof(*xc));

	if (xc == NULL)
		return VT_E_NOMEM;
	xc->ch = (struct chan){ &xen_ops, host, host_arg };
	xc->hv = hv;
	xc->local_port = NO_PORT;
	spin_init(&xc->spin, SPIN_MAX_US);
	back_init(&xc->core, localities, tpm_version == TPM12, &core_ops, xc);
	*ret = &xc->ch;
	return VT_OK;
}

__attribute__((visibility("default")))
const struct xen_module vtpm_xen_module = {
	.hv_open = xen_hv_open,
	.hv_close = xen_hv_close,
	.hv_fds = xen_hv_fds,
	.chan_new = xen_chan_new,
	.connect = xen_connect,
	.disconnect = xen_disconnect,
};
