/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmfront/xen_front.h"

#include <sys/file.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "base/util.h"
#include "tpmfront/front_fsm.h"
#include "tpmfront/ring_impl.h"

#define DIR_LEN 40
#define PATH_LEN 160  /* of a back half's folder, at most */
#define STEPS_MAX 16  /* state changes per look */
#define TRIES_MAX 16  /* of one transaction */
#define AGAIN_MS 1000 /* after something failed */
#define LEAVE_MS 2000 /* for each answer to a close */
/* For a driver to close the device after its link in sysfs has gone. */
#define LET_GO_MS 2000
#define NO_PORT UINT32_MAX
/* Never written: its watch fires when it is made, and when the kernel
 * creates it again because the domain was restored. */
#define CANARY "data/tpmfront"
#ifndef XENBUS_DEVICES
#define XENBUS_DEVICES "/sys/bus/xen/devices"
#endif

struct xen_front {
	struct ring ring; /* first */
	struct xs_handle *xs;
	xengntshr_handle *shr;
	xenevtchn_handle *evt; /* NULL: to be opened */
	int lock_fd;
	int sys_fd; /* XENBUS_DEVICES, wherever it is mounted later; -1 */
	uint32_t devid, domid;
	char dir[DIR_LEN];
	char back[PATH_LEN]; /* whose state is watched; "" */
	enum front_state state;
	enum front_event seen; /* last, for words */
	unsigned int said;     /* our XenbusState; 0: none in this folder */
	union tpmif_view *page;
	uint32_t port;
	bool watching, canary;
	bool resumed;       /* since the port was bound */
	uint64_t again_us;  /* nothing is tried before */
	uint64_t let_go_us; /* the kernel's driver has the device; 0: no */
};

static struct xen_front *
front(struct ring *r)
{
	return (struct xen_front *)r;
}

/* --- xenstore ------------------------------------------------------------- */

static char *
xs_get(struct xen_front *f, const char *dir, const char *key)
{
	char path[PATH_LEN + 32];
	unsigned int len;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, key);
	return xs_read(f->xs, XBT_NULL, path, &len); /* NUL-terminated */
}

static bool
xs_get_num(struct xen_front *f, const char *dir, const char *key, uint32_t *ret)
{
	char *s = xs_get(f, dir, key);
	bool ok = s != NULL && dec_u32(s, ret) == VT_OK;

	free(s);
	return ok;
}

static bool
xs_put_num(struct xen_front *f, xs_transaction_t t, const char *key, uint32_t v)
{
	char path[DIR_LEN + 32], text[12];
	int n = snprintf(text, sizeof(text), "%u", v);

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, key);
	return xs_write(f->xs, t, path, text, (unsigned int)n);
}

/* A plain system call: glibc's wrapper tries one that no jail allows. */
static bool
driver_bound(const struct xen_front *f)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "vtpm-%u/driver", f->devid);
	return f->sys_fd != -1 &&
	       syscall(SYS_faccessat, f->sys_fd, path, F_OK) == 0;
}

static bool
say(struct xen_front *f, unsigned int state)
{
	if (f->said == state)
		return true; /* each write is a watch event for both sides */
	if (driver_bound(f))
		return true; /* the next look sees it, too */
	if (!xs_put_num(f, XBT_NULL, "state", state))
		return false;
	f->said = state;
	return true;
}

static void
watch_back(struct xen_front *f, const char *back)
{
	char path[PATH_LEN + 32];

	if (strcmp(f->back, back) == 0 || strlen(back) >= sizeof(f->back))
		return;
	if (f->back[0] != '\0') {
		(void)snprintf(path, sizeof(path), "%s/state", f->back);
		(void)xs_unwatch(f->xs, path, "b");
	}
	(void)snprintf(f->back, sizeof(f->back), "%s", back);
	(void)snprintf(path, sizeof(path), "%s/state", f->back);
	if (!xs_watch(f->xs, path, "b"))
		f->back[0] = '\0'; /* the next look tries again */
}

static void
drain_watches(struct xen_front *f)
{
	char **w;

	while ((w = xs_check_watch(f->xs)) != NULL) {
		if (strcmp(w[XS_WATCH_TOKEN], "c") == 0) {
			f->resumed |= f->canary;
			f->canary = true;
		}
		free(w);
	}
}

/* --- page and port -------------------------------------------------------- */

static int
open_evtchn(struct xen_front *f)
{
	if (f->evt != NULL)
		return VT_OK;
	if ((f->evt = xenevtchn_open(NULL, 0)) == NULL)
		return VT_E_SYS;
	return fd_set_nonblock(xenevtchn_fd(f->evt), true);
}

static void
drop(struct xen_front *f)
{
	ring_lost(&f->ring);
	if (f->page != NULL)
		(void)xengntshr_unshare(f->shr, f->page, 1);
	f->page = NULL;
	if (f->port != NO_PORT && f->resumed)
		f->evt = NULL; /* never to be closed: see xen_front.h */
	else if (f->port != NO_PORT)
		(void)xenevtchn_unbind(f->evt, f->port);
	f->port = NO_PORT;
	f->resumed = false;
}

static bool
write_offer(struct xen_front *f, uint32_t gref)
{
	xs_transaction_t t;
	bool ok, taken;
	int i;

	for (i = 0; i < TRIES_MAX; i++) {
		if ((t = xs_transaction_start(f->xs)) == XBT_NULL)
			return false;
		ok = xs_put_num(f, t, "ring-ref", gref) &&
		     xs_put_num(f, t, "event-channel", f->port) &&
		     xs_put_num(f, t, "feature-protocol-v2", 1) &&
		     xs_put_num(f, t, "state", 3);
		/* A driver writes after its link is there: if that is since
		 * this look, the transaction fails or comes first. */
		taken = driver_bound(f);
		if (xs_transaction_end(f->xs, t, !ok || taken)) {
			if (ok && !taken)
				f->said = 3;
			return ok;
		}
		if (errno != EAGAIN)
			break;
	}
	return false;
}

static bool
offer(struct xen_front *f)
{
	xenevtchn_port_or_error_t port;
	uint32_t gref, back_id;

	drop(f);
	if (!xs_get_num(f, f->dir, "backend-id", &back_id) ||
	    open_evtchn(f) != VT_OK)
		return false;
	f->page = xengntshr_share_pages(f->shr, back_id, 1, &gref, 1);
	if (f->page == NULL)
		return false;
	memset(f->page, 0, sizeof(*f->page));
	if ((port = xenevtchn_bind_unbound_port(f->evt, back_id)) < 0)
		return false;
	f->port = (uint32_t)port;
	return write_offer(f, gref);
}

/* --- states --------------------------------------------------------------- */

static bool
act(struct xen_front *f, enum front_action a)
{
	switch (a) {
	case FA_OFFER:
		return offer(f);
	case FA_USE:
		if (!say(f, 4))
			return false;
		ring_have(&f->ring, f->page, xenevtchn_fd(f->evt));
		return true;
	case FA_DROP:
		drop(f);
		return true;
	case FA_WITHDRAW:
		drop(f);
		return say(f, 6);
	case FA_CLOSE:
		return say(f, 5);
	case FA_RESET:
		return say(f, 1);
	case FA_NONE:
	case FA_NACTIONS:
		break;
	}
	return true;
}

static void
step(struct xen_front *f, enum front_event e)
{
	struct front_step st = front_step(f->state, e);

	f->state = st.next;
	if (act(f, st.act))
		return;
	f->again_us = now_us() + AGAIN_MS * 1000;
	st = front_step(f->state, FE_FAILED);
	f->state = st.next;
	(void)act(f, st.act);
}

static enum front_event
of_back(struct xen_front *f)
{
	uint32_t state = 0, v2 = 0;

	if (!xs_get_num(f, f->back, "state", &state))
		return FE_BACK_NONE;
	switch (state) {
	case 2:
		return FE_BACK_WAITS;
	case 3:
	case 4:
		(void)xs_get_num(f, f->back, "feature-protocol-v2", &v2);
		return v2 == 1 ? FE_BACK_UP : FE_BACK_OLD;
	case 5:
		return FE_BACK_CLOSING;
	case 6:
		return FE_BACK_CLOSED;
	default:
		return FE_BACK_NONE;
	}
}

/* A restored domain is another one, mostly. */
static bool
my_domid(struct xen_front *f, uint32_t *ret)
{
	unsigned int len;
	char *s = xs_read(f->xs, XBT_NULL, "domid", &len);
	bool ok = s != NULL && dec_u32(s, ret) == VT_OK;

	free(s);
	return ok;
}

/* The link in sysfs goes before the driver writes its last state. */
static bool
kernel_has(struct xen_front *f, uint32_t state)
{
	uint64_t now = now_us();

	if (driver_bound(f))
		f->let_go_us = now + LET_GO_MS * 1000;
	else if (state < 3 || state > 5 || now >= f->let_go_us)
		f->let_go_us = 0;
	return f->let_go_us != 0;
}

static enum front_event
look(struct xen_front *f)
{
	uint32_t mine, domid = f->domid;
	bool have = xs_get_num(f, f->dir, "state", &mine);
	char *back = have ? xs_get(f, f->dir, "backend") : NULL;
	bool other;

	if (back == NULL) {
		f->said = 0;
		return FE_NO_DEVICE;
	}
	watch_back(f, back);
	free(back);
	other = my_domid(f, &domid) && domid != f->domid;
	f->domid = domid;
	f->resumed |= other && f->port != NO_PORT;
	if (kernel_has(f, mine)) {
		f->said = 0;
		return FE_TAKEN;
	}
	if (f->said != 0 && (other || mine != f->said)) {
		f->said = 0; /* the toolstack made this folder after that */
		return FE_REMADE;
	}
	return of_back(f);
}

/* Until nothing is left to do for now. */
static void
settle(struct xen_front *f)
{
	enum front_state was;
	int i;

	for (i = 0; i < STEPS_MAX; i++) {
		drain_watches(f);
		was = f->state;
		f->seen = look(f);
		if (now_us() < f->again_us && f->seen == FE_BACK_WAITS)
			break; /* tried just now */
		step(f, f->seen);
		if (f->state == was && f->seen != FE_REMADE)
			break;
	}
}

static int
start_watching(struct xen_front *f)
{
	if (f->watching)
		return VT_OK;
	/* The last one made is the first that the kernel makes again. */
	if (!xs_watch(f->xs, f->dir, "d") || !xs_watch(f->xs, CANARY, "c"))
		return VT_E_SYS;
	f->ring.conn_fd = xs_fileno(f->xs);
	f->watching = true;
	return VT_OK;
}

static void
await_event(struct xen_front *f, uint64_t end_us)
{
	struct pollfd p = { .fd = f->ring.conn_fd, .events = POLLIN };
	uint64_t now = now_us(), till = end_us;

	if (f->again_us > now && f->again_us < till)
		till = f->again_us;
	if (f->let_go_us > now && f->let_go_us < till)
		till = f->let_go_us;
	if (till > now)
		(void)poll(&p, 1, (int)((till - now + 999) / 1000));
}

/* --- what a ring asks of its kind ------------------------------------------
 */

static void
xf_notify(struct ring *r)
{
	struct xen_front *f = front(r);

	if (f->port != NO_PORT)
		(void)xenevtchn_notify(f->evt, f->port);
}

static void
xf_hush(struct ring *r)
{
	struct xen_front *f = front(r);
	xenevtchn_port_or_error_t port = -1;

	if (f->evt != NULL)
		port = xenevtchn_pending(f->evt);
	if (port >= 0)
		(void)xenevtchn_unmask(f->evt, (evtchn_port_t)port);
}

static int
xf_attend(struct ring *r)
{
	unsigned int was = r->generation;

	settle(front(r));
	return r->view != NULL && r->generation == was ? VT_OK : VT_E_CLOSED;
}

static int
xf_ready(struct ring *r, int timeout_ms)
{
	struct xen_front *f = front(r);
	struct pollfd p = { .events = POLLIN };
	uint64_t end = now_us() + (uint64_t)timeout_ms * 1000;
	int rc;

	if ((rc = start_watching(f)) != VT_OK)
		return rc;
	p.fd = r->conn_fd;
	if (r->view != NULL && poll(&p, 1, 0) == 0)
		return VT_OK; /* the path of a command: no access to xenstore */
	for (;;) {
		settle(f);
		if (f->state == FS_UP)
			return VT_OK;
		if (now_us() >= end)
			return VT_E_TIMEOUT;
		await_event(f, end);
	}
}

static const char *
xf_why(const struct ring *r)
{
	const struct xen_front *f = (const struct xen_front *)r;

	switch (f->seen) {
	case FE_NO_DEVICE:
		return "this domain has no such vtpm device in xenstore: is "
		       "there a line vtpm=[...] in its configuration?";
	case FE_TAKEN:
		return "the kernel's driver has taken the device; tpmfrontd "
		       "--take unbinds it";
	case FE_BACK_NONE:
		return "the back half that xenstore names is not there: does "
		       "vtpm-managerd run in that domain?";
	case FE_BACK_OLD:
		return "the back half speaks version 1 of the protocol only";
	case FE_BACK_CLOSED:
		return "the back half refuses this device or has closed it; "
		       "the manager's log says why";
	case FE_BACK_WAITS:
		return "page or event channel could not be offered, or the "
		       "back half does not take them";
	default:
		return "the back half does not connect";
	}
}

static void
leave(struct xen_front *f)
{
	uint64_t end = now_us() + LEAVE_MS * 1000;

	step(f, FE_LEAVE);
	while (f->state != FS_LEFT) {
		enum front_state was = f->state;

		settle(f);
		if (f->state != was)
			end = now_us() + LEAVE_MS * 1000;
		else if (now_us() < end)
			await_event(f, end);
		else
			step(f, FE_FAILED);
	}
}

static void
xf_close(struct ring *r)
{
	struct xen_front *f = front(r);

	if (f->watching)
		leave(f);
	drop(f);
	if (f->xs != NULL)
		xs_close(f->xs);
	if (f->shr != NULL)
		(void)xengntshr_close(f->shr);
	if (f->evt != NULL)
		(void)xenevtchn_close(f->evt);
	if (f->lock_fd != -1)
		(void)close(f->lock_fd);
	if (f->sys_fd != -1)
		(void)close(f->sys_fd);
	ring_done(r);
	explicit_bzero(f, sizeof(*f));
	free(f);
}

static const struct ring_ops xen_ops = {
	.notify = xf_notify,
	.hush = xf_hush,
	.attend = xf_attend,
	.ready = xf_ready,
	.why = xf_why,
	.close = xf_close,
};

/* --- opening -------------------------------------------------------------- */

/* Two front halves would write over each other's grants. */
static int
take_lock(struct xen_front *f, char why[RING_WHY_MAX])
{
	char path[64], who[32] = "";
	ssize_t n;
	int rc;

	(void)snprintf(
	    path, sizeof(path), "/run/tpmfront-xen-%u.lock", f->devid);
	f->lock_fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->lock_fd == -1) {
		(void)snprintf(why, RING_WHY_MAX, "cannot open %s: %s", path,
		    strerror(errno));
		return VT_E_SYS;
	}
	if (flock(f->lock_fd, LOCK_EX | LOCK_NB) == 0) {
		rc = snprintf(who, sizeof(who), "%d", (int)getpid());
		/* for the next process that finds it locked; else it reads ""
		 */
		if (ftruncate(f->lock_fd, 0) == -1 ||
		    pwrite(f->lock_fd, who, (size_t)rc, 0) != rc)
			(void)lseek(f->lock_fd, 0, SEEK_SET);
		return VT_OK;
	}
	if ((n = pread(f->lock_fd, who, sizeof(who) - 1, 0)) > 0)
		who[n] = '\0';
	(void)snprintf(why, RING_WHY_MAX,
	    "vtpm device %u is busy: process %s has it", f->devid, who);
	return VT_E_BUSY;
}

static int
no_driver(struct xen_front *f, char why[RING_WHY_MAX])
{
	f->sys_fd = open(XENBUS_DEVICES, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!driver_bound(f))
		return VT_OK;
	(void)snprintf(why, RING_WHY_MAX,
	    "the kernel's driver has vtpm device %u; let it go with: "
	    "echo vtpm-%u >%s/vtpm-%u/driver/unbind",
	    f->devid, f->devid, XENBUS_DEVICES, f->devid);
	return VT_E_BUSY;
}

static int
open_devices(struct xen_front *f, char why[RING_WHY_MAX])
{
	const char *what = NULL;

	if ((f->xs = xs_open(0)) == NULL)
		what = "/dev/xen/xenbus (module xenfs)";
	else if ((f->shr = xengntshr_open(NULL, 0)) == NULL)
		what = "/dev/xen/gntalloc (module xen-gntalloc)";
	else if (open_evtchn(f) != VT_OK)
		what = "/dev/xen/evtchn (module xen-evtchn)";
	if (what == NULL)
		return VT_OK;
	(void)snprintf(why, RING_WHY_MAX,
	    "cannot open %s: %s; is this a Xen guest, and are you root?", what,
	    strerror(errno));
	return VT_E_SYS;
}

static int
xen_front_open(uint32_t devid, struct ring **ret, char why[RING_WHY_MAX])
{
	struct xen_front *f = calloc(1, sizeof(*f));
	int rc;

	if (f == NULL)
		return VT_E_NOMEM;
	ring_init(&f->ring, &xen_ops);
	f->ring.conn_events = POLLIN;
	f->ring.localities = 0x1f; /* the host decides, command by command */
	f->devid = devid;
	f->port = NO_PORT;
	f->lock_fd = f->sys_fd = -1;
	f->state = FS_AWAY;
	f->seen = FE_BACK_NONE;
	(void)snprintf(f->dir, sizeof(f->dir), "device/vtpm/%u", devid);
	if ((rc = no_driver(f, why)) != VT_OK ||
	    (rc = take_lock(f, why)) != VT_OK ||
	    (rc = open_devices(f, why)) != VT_OK) {
		xf_close(&f->ring);
		return rc;
	}
	*ret = &f->ring;
	return VT_OK;
}

__attribute__((visibility("default")))
const struct xenfront_module vtpm_xenfront_module = {
	.open = xen_front_open,
};
