/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenback_main.c - the one process that talks to xenstore: tells the manager
 * which guest's vtpm device came, connected, closed or went, and opens Xen's
 * devices for the page and the port of each.
 *
 * Layer:  vtpm_manager.  Built where libxenstore is.
 * Spec:   Xen public/io/xenbus.h, tpmif.h; libxl's vtpm device.
 * Trust:  our own folder is written by the toolstack, the front half's by
 *         the guest: from there only two numbers and a state are read, and
 *         each is checked.  Watches are hints: every one leads to a new look.
 *
 * Works in dom0 and in a separate domain: backend/vtpm is a path relative
 * to whatever domain this runs in.
 */
#include <xenstore.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/msg.h"
#include "base/options.h"
#include "base/util.h"
#include "vtpm_manager/xenback/device_fsm.h"
#include "vtpm_manager/xenback/front_open.h"
#include "vtpm_manager/xenback/xenback_jail.h"
#include "vtpm_manager/proto/xenback_msg.h"

#define MANAGER_FD 3
#define BASE "backend/vtpm"
#define PATH_LEN 128
#define SERVED "vtpm-served"
#define MAX_DEVICES 4096 /* that the toolstack may make */
#define DOMID_MAX 0x7fef
#define LINGER_US 2000000
/* Before a front half that was refused is asked for another page. */
#define REOPEN_FIRST_MS 100
#define REOPEN_MOST_MS 5000

struct dev {
	struct dev *next;
	enum xb_state state;
	uint32_t domid, devid;
	uint8_t uuid[UUID_LEN];
	uint32_t gref, port;    /* of the last connect */
	bool was_up;            /* connected before this process started */
	bool was_served;        /* allowed before this process started */
	bool undecided;         /* may continue where another domain ended */
	uint32_t asked;         /* id of the message that waits for an answer */
	struct backoff refused; /* connects, one after the other */
	uint64_t reopen_us;     /* state 2 is due; 0: not */
	char back[PATH_LEN], front[PATH_LEN];
};

/* A folder to remove once libxl has read its last state. */
struct leaving {
	struct leaving *next;
	uint32_t domid, devid;
	uint64_t at_us;
};

struct xenback {
	struct xs_handle *xs;
	struct msgch *mgr;
	struct dev *devs;
	unsigned int ndevs;
	struct leaving *leaving; /* the newest first */
	uint32_t next_id;
	bool first;      /* the scan at start */
	bool own_domain; /* not the toolstack's */
};

/* --- xenstore ------------------------------------------------------------- */

static char *
xs_get(struct xenback *x, const char *dir, const char *key)
{
	char path[PATH_LEN + 32];
	unsigned int len;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, key);
	return xs_read(x->xs, XBT_NULL, path, &len); /* NUL-terminated */
}

/* A decimal number that fills the whole node. */
static bool
xs_get_num(struct xenback *x, const char *dir, const char *key, uint32_t *ret)
{
	char *s = xs_get(x, dir, key);
	bool ok = s != NULL && dec_u32(s, ret) == VT_OK;

	free(s);
	return ok;
}

static void
xs_put(struct xenback *x, const char *dir, const char *key, const char *val)
{
	char path[PATH_LEN + 32];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, key);
	if (!xs_write(x->xs, XBT_NULL, path, val, (unsigned)strlen(val)))
		log_warn("xenstore: cannot write %s: %m", path);
}

static void
set_state(struct xenback *x, struct dev *d, int state)
{
	char text[12];

	d->reopen_us = 0;
	(void)snprintf(text, sizeof(text), "%d", state);
	xs_put(x, d->back, "state", text);
}

/* A front half that offers its page at once, over and over, to a vTPM that
 * cannot run must not keep this host busy. */
static void
reopen(struct xenback *x, struct dev *d)
{
	if (d->refused.tries == 0)
		set_state(x, d, 2);
	else
		d->reopen_us = now_us() + d->refused.wait_ms * 1000ull;
}

static void
reopen_due(struct xenback *x, uint64_t now, uint64_t *next)
{
	struct dev *d;

	for (d = x->devs; d != NULL; d = d->next)
		if (d->reopen_us != 0 && d->reopen_us <= now)
			set_state(x, d, 2);
		else if (d->reopen_us != 0 && d->reopen_us < *next)
			*next = d->reopen_us;
}

static void
remove_folder(struct xenback *x, uint32_t domid, uint32_t devid)
{
	char dir[PATH_LEN], **list;
	unsigned int n = 0;

	(void)snprintf(dir, sizeof(dir), BASE "/%u/%u", domid, devid);
	if (!xs_rm(x->xs, XBT_NULL, dir))
		log_warn("xenstore: cannot remove %s: %m", dir);
	(void)snprintf(dir, sizeof(dir), BASE "/%u", domid);
	list = xs_directory(x->xs, XBT_NULL, dir, &n);
	if (list != NULL && n == 0)
		(void)xs_rm(x->xs, XBT_NULL, dir);
	free(list);
}

/*
 * We are done with a device that libxl removes.  In a domain of our own the
 * folder is ours to remove, as xl devd does, and libxl waits for that; but
 * first it must have read state 6, or it takes the folder's absence for a
 * failure.
 */
static void
release(struct xenback *x, struct dev *d)
{
	struct leaving *l;

	for (l = x->leaving; l != NULL; l = l->next)
		if (l->domid == d->domid && l->devid == d->devid)
			return; /* our write triggers another look */
	set_state(x, d, 6);
	if (!x->own_domain)
		return;
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		remove_folder(x, d->domid, d->devid);
		return;
	}
	l->domid = d->domid;
	l->devid = d->devid;
	l->at_us = now_us() + LINGER_US;
	l->next = x->leaving;
	x->leaving = l;
}

/* Milliseconds until something is due; -1: nothing is. */
static int
do_due(struct xenback *x)
{
	struct leaving **at = &x->leaving, *l;
	uint64_t now = now_us(), next = UINT64_MAX;

	reopen_due(x, now, &next);
	while ((l = *at) != NULL) {
		if (l->at_us > now) {
			next = l->at_us < next ? l->at_us : next;
			at = &l->next;
			continue;
		}
		*at = l->next;
		remove_folder(x, l->domid, l->devid);
		free(l);
	}
	return next != UINT64_MAX ? (int)((next - now) / 1000) + 1 : -1;
}

/* --- the manager ---------------------------------------------------------- */

static uint32_t
tell(struct xenback *x, struct dev *d, enum xb_type type)
{
	struct xb_dev m = { d->domid, d->devid, { 0 }, 0, 0, 0 };
	uint8_t buf[64];
	struct wr w;

	memcpy(m.uuid, d->uuid, UUID_LEN);
	if (type == XB_CONNECT) {
		m.gref = d->gref;
		m.port = d->port;
		m.resumed = d->was_up;
		d->was_up = false;
	} else if (type == XB_DEVICE)
		m.resumed = d->was_up || d->was_served;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, xb_dev, &m);
	if (++x->next_id == 0)
		x->next_id = 1;
	if (wr_err(&w) != VT_OK || msgch_send(x->mgr, type, x->next_id, buf,
				       w.len, NULL, 0) != VT_OK) {
		log_err("the manager is gone");
		exit(1);
	}
	return x->next_id;
}

/* --- effects ---------------------------------------------------------------
 */

static void
offer(struct xenback *x, struct dev *d)
{
	/* Law 4: a manager or xenback that starts while this domain runs
	 * sees that it is no new one.  No guest can write here. */
	if (!d->undecided)
		xs_put(x, d->back, SERVED, "1");
	/* Before state 2: a front half reads it as soon as it sees that. */
	xs_put(x, d->back, "feature-protocol-v2", "1");
	if (!d->was_up)
		set_state(x, d, 2);
}

static void
act(struct xenback *x, struct dev *d, enum xb_action a)
{
	switch (a) {
	case XA_NONE:
		break;
	case XA_OFFER:
		offer(x, d);
		break;
	case XA_REFUSE:
		set_state(x, d, 6);
		break;
	case XA_RECONNECT:
		(void)tell(x, d, XB_DISCONNECT);
		d->asked = tell(x, d, XB_CONNECT);
		break;
	case XA_CONNECT:
		d->asked = tell(x, d, XB_CONNECT);
		break;
	case XA_ANNOUNCE:
		if (d->undecided) /* now it is */
			xs_put(x, d->back, SERVED, "1");
		d->undecided = false;
		xs_put(x, d->back, "ready", "1");
		set_state(x, d, 4);
		break;
	case XA_LET_GO:
		(void)tell(x, d, XB_DISCONNECT);
		set_state(x, d, 5);
		break;
	case XA_REOPEN:
		reopen(x, d);
		break;
	case XA_HANG_UP:
		(void)tell(x, d, XB_DISCONNECT);
		set_state(x, d, 2);
		break;
	case XA_END:
		(void)tell(x, d, XB_GONE);
		break;
	}
}

static void
step(struct xenback *x, struct dev *d, enum xb_event e)
{
	struct xb_step st = xb_step(d->state, e);

	if (st.next != d->state)
		log_debug("domain %u vtpm %u: %s -> %s", d->domid, d->devid,
		    xb_state_name(d->state), xb_state_name(st.next));
	d->state = st.next;
	act(x, d, st.act);
}

/* --- looking ----------------------------------------------------------------
 */

/* The front half says that it is connected: read page and port. */
static void
look_ready(struct xenback *x, struct dev *d)
{
	char *feature = xs_get(x, d->front, "feature-protocol-v2");
	bool v2 = feature != NULL && strcmp(feature, "1") == 0;
	uint32_t gref, port;
	bool same;

	free(feature);
	if (!v2 || !xs_get_num(x, d->front, "ring-ref", &gref) ||
	    !xs_get_num(x, d->front, "event-channel", &port))
		return; /* half written; another watch will come */
	same = d->gref == gref && d->port == port;
	if (d->state == XS_WAITING || !same) {
		d->gref = gref;
		d->port = port;
		step(x, d, same ? XE_READY : XE_CHANGED);
	}
}

static void
look(struct xenback *x, struct dev *d)
{
	uint32_t online = 1, mine = 0, theirs = 0;
	bool vanished;

	if (!xs_get_num(x, d->back, "state", &mine))
		vanished = true;
	else {
		(void)xs_get_num(x, d->back, "online", &online);
		vanished = !xs_get_num(x, d->front, "state", &theirs) &&
			   d->state != XS_ASKING;
	}
	if (vanished) {
		step(x, d, XE_VANISHED);
		if (mine == 5 && online == 0)
			release(x, d);
		return;
	}
	if (online == 0 && mine == 5) {
		step(x, d, XE_UNPLUG);
		release(x, d);
		return;
	}
	switch (theirs) {
	case 3:
	case 4:
		look_ready(x, d);
		break;
	case 5:
		step(x, d, XE_CLOSING);
		break;
	case 1:
	case 2:
	case 6:
		if (d->state == XS_CONNECTED || d->state == XS_CLOSING ||
		    d->state == XS_CONNECTING) {
			d->gref = d->port = 0;
			step(x, d, XE_CLOSED);
		}
		break;
	default:
		break; /* no state that means anything */
	}
}

static struct dev *
find(struct xenback *x, uint32_t domid, uint32_t devid)
{
	struct dev *d;

	for (d = x->devs; d != NULL; d = d->next)
		if (d->domid == domid && d->devid == devid)
			break;
	return d;
}

static void
sweep(struct xenback *x)
{
	struct dev **at = &x->devs, *d;
	char token[40];

	while ((d = *at) != NULL) {
		if (d->state != XS_GONE) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		x->ndevs--;
		(void)snprintf(
		    token, sizeof(token), "f/%u/%u", d->domid, d->devid);
		(void)xs_unwatch(x->xs, d->front, token);
		log_info("domain %u: vtpm %u is gone", d->domid, d->devid);
		free(d);
	}
}

/* Everything that names the guest is in our own folder, which the toolstack
 * made; what the guest could write is not asked. */
static int
read_identity(struct xenback *x, struct dev *d)
{
	char *uuid = xs_get(x, d->back, "uuid");
	char *front = xs_get(x, d->back, "frontend"), want[PATH_LEN];
	uint32_t domid, mine;
	int rc = VT_E_FORMAT;

	(void)snprintf(want, sizeof(want), "/local/domain/%u/device/vtpm/%u",
	    d->domid, d->devid);
	if (uuid == NULL || front == NULL)
		rc = VT_E_AGAIN; /* libxl is still writing */
	else if (!xs_get_num(x, d->back, "online", &mine) || mine == 0)
		rc = VT_E_STATE; /* libxl is about to remove it */
	else if (strcmp(front, want) == 0 &&
		 xs_get_num(x, d->back, "frontend-id", &domid) &&
		 domid == d->domid && xs_get_num(x, d->back, "state", &mine)) {
		memcpy(d->front, want, sizeof(want));
		d->was_up = x->first && mine == 4;
		d->was_served =
		    x->first && xs_get_num(x, d->back, SERVED, &domid);
		rc = uuid_parse(uuid, d->uuid);
	}
	if (rc == VT_E_FORMAT)
		log_warn("domain %u: vtpm %u has no usable uuid or frontend in "
			 "xenstore; it is not served",
		    d->domid, d->devid);
	free(uuid);
	free(front);
	return rc;
}

static void
add(struct xenback *x, uint32_t domid, uint32_t devid)
{
	struct dev *d;
	char token[40];
	uint32_t mine;
	int rc;

	if (x->ndevs >= MAX_DEVICES || (d = calloc(1, sizeof(*d))) == NULL) {
		log_err("domain %u: too many vtpm devices", domid);
		return;
	}
	d->domid = domid;
	d->devid = devid;
	d->state = XS_ASKING;
	backoff_init(&d->refused, REOPEN_FIRST_MS, REOPEN_MOST_MS);
	(void)snprintf(d->back, sizeof(d->back), BASE "/%u/%u", domid, devid);
	if ((rc = read_identity(x, d)) != VT_OK) {
		/* libxl waits for our agreement to the removal. */
		if (rc == VT_E_STATE &&
		    xs_get_num(x, d->back, "state", &mine) &&
		    (mine == 5 || (mine == 6 && x->own_domain)))
			release(x, d);
		free(d);
		return;
	}
	d->next = x->devs;
	x->devs = d;
	x->ndevs++;
	(void)snprintf(token, sizeof(token), "f/%u/%u", domid, devid);
	if (!xs_watch(x->xs, d->front, token))
		log_warn("xenstore: cannot watch %s: %m", d->front);
	d->asked = tell(x, d, XB_DEVICE);
}

static void
look_at(struct xenback *x, uint32_t domid, uint32_t devid)
{
	struct dev *d = find(x, domid, devid);

	if (d == NULL)
		add(x, domid, devid);
	else
		look(x, d);
	sweep(x);
}

static void
scan_domain(struct xenback *x, uint32_t domid)
{
	char path[PATH_LEN];
	unsigned int n = 0, i;
	char **list;

	(void)snprintf(path, sizeof(path), BASE "/%u", domid);
	list = xs_directory(x->xs, XBT_NULL, path, &n);
	for (i = 0; list != NULL && i < n; i++)
		look_at(x, domid, (uint32_t)strtoul(list[i], NULL, 10));
	free(list);
}

static void
scan(struct xenback *x)
{
	char **list;
	unsigned int n = 0, i;
	struct dev *d, *next;

	list = xs_directory(x->xs, XBT_NULL, BASE, &n);
	for (i = 0; list != NULL && i < n; i++)
		scan_domain(x, (uint32_t)strtoul(list[i], NULL, 10));
	free(list);
	for (d = x->devs; d != NULL; d = next) {
		next = d->next;
		look(x, d);
	}
	sweep(x);
}

/* Path ".../backend/vtpm[/DOMID[/DEVID[/...]]]" or token "f/DOMID/DEVID". */
static void
watched(struct xenback *x, const char *path, const char *token)
{
	const char *p = strstr(path, BASE);
	unsigned int domid, devid;

	if (sscanf(token, "f/%u/%u", &domid, &devid) == 2 ||
	    (p != NULL && sscanf(p, BASE "/%u/%u", &domid, &devid) == 2))
		look_at(x, domid, devid);
	else if (p != NULL && sscanf(p, BASE "/%u", &domid) == 1)
		scan_domain(x, domid);
	else
		scan(x);
}

static void
answered(struct xenback *x, const struct msg *m)
{
	struct xb_answer a;
	struct dev *d;

	if (m->type != XB_ANSWER ||
	    msg_get(xb_answer, m->data, m->len, &a) != VT_OK) {
		log_err("the manager sent a malformed answer");
		exit(1);
	}
	for (d = x->devs; d != NULL; d = d->next)
		if (d->asked == m->id && m->id != 0)
			break;
	if (d == NULL)
		return; /* for a device that has disappeared since */
	d->asked = 0;
	if (a.rc != VT_OK) {
		log_warn("domain %u: vtpm %u: %s", d->domid, d->devid,
		    a.text[0] != '\0' ? a.text : vt_strerror(a.rc));
		xs_put(x, d->back, "error", a.text);
	}
	if (d->state == XS_ASKING)
		d->undecided = a.wait != 0;
	if (d->state == XS_ASKING)
		step(x, d, a.rc == VT_OK ? XE_ALLOWED : XE_DENIED);
	else if (d->state == XS_CONNECTING) {
		if (a.rc == VT_OK)
			backoff_reset(&d->refused);
		else
			(void)backoff_failed(&d->refused);
		step(x, d, a.rc == VT_OK ? XE_MAPPED : XE_UNMAPPABLE);
	}
	look(x, d);
	sweep(x);
}

/* The page and the port that the manager was told of, and no others. */
static void
open_front(struct xenback *x, const struct msg *msg)
{
	uint8_t buf[TEXT_MAX_LEN + 16];
	struct xb_opened o = { .rc = VT_E_STATE };
	const char *step = "";
	struct xb_dev want;
	int fds[2] = { -1, -1 };
	struct dev *d;
	struct wr w;

	if (msg_get(xb_dev, msg->data, msg->len, &want) != VT_OK) {
		log_err("the manager sent a malformed request");
		exit(1);
	}
	d = find(x, want.domid, want.devid);
	if (d == NULL || d->gref != want.gref || d->port != want.port)
		(void)snprintf(o.text, sizeof(o.text),
		    "its front half no longer offers this page");
	else if ((o.rc = front_open(d->domid, d->gref, d->port, fds, &o.local,
		      &step)) != VT_OK)
		(void)snprintf(o.text, sizeof(o.text), "cannot %s: %s", step,
		    vt_strerror(o.rc));
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, xb_opened, &o);
	if (wr_err(&w) != VT_OK ||
	    msgch_send(x->mgr, XB_OPENED, msg->id, buf, w.len, fds,
		o.rc == VT_OK ? 2 : 0) != VT_OK) {
		log_err("the manager is gone");
		exit(1);
	}
	if (fds[0] != -1)
		(void)close(fds[0]);
	if (fds[1] != -1)
		(void)close(fds[1]);
}

static void
heard(struct xenback *x, const struct msg *m)
{
	if (m->type == XB_OPEN)
		open_front(x, m);
	else
		answered(x, m);
}

static void
drain_watches(struct xenback *x)
{
	char **w;

	while ((w = xs_check_watch(x->xs)) != NULL) {
		watched(x, w[XS_WATCH_PATH], w[XS_WATCH_TOKEN]);
		free(w);
	}
}

static int
loop(struct xenback *x)
{
	struct pollfd p[2];
	struct msg m;
	int rc;

	for (;;) {
		p[0] = (struct pollfd){ .fd = msgch_fd(x->mgr),
			.events =
			    msgch_pending(x->mgr) ? POLLIN | POLLOUT : POLLIN };
		p[1] =
		    (struct pollfd){ .fd = xs_fileno(x->xs), .events = POLLIN };
		if (poll(p, 2, do_due(x)) == -1 && errno != EINTR)
			return 1;
		if (p[1].revents & (POLLERR | POLLHUP)) {
			log_err("xenstore is gone");
			return 1;
		}
		drain_watches(x);
		while ((rc = msgch_recv(x->mgr, &m)) == VT_OK)
			heard(x, &m);
		if (rc != VT_E_AGAIN || msgch_flush(x->mgr) != VT_OK)
			return 0; /* the manager ended; guests continue */
	}
}

struct args {
	bool verbose;
};

static const struct opt opts[] = {
	{ OPT_FLAG("verbose", 'v', struct args, verbose,
	    "log every change of state") },
	OPT_END,
};

static const struct opt_command vtpm_xenback = {
	.name = "vtpm-xenback",
	.about = "Watch xenstore for vtpm devices on behalf of vtpm-managerd, "
		 "which starts this program with a socket on descriptor 3; see "
		 "vtpm-xenback(8).\n",
	.opts = opts,
};

int
main(int argc, char **argv)
{
	struct xenback x = { 0 };
	struct args a = { 0 };
	unsigned int len;
	uint8_t none = 0;
	const char *step;
	char *me;
	int rc;

	log_open("vtpm-xenback", LOG_L_INFO);
	if ((rc = opt_parse(&vtpm_xenback, &argc, &argv, &a)) != OPT_GO)
		return rc;
	if (a.verbose)
		log_set_level(LOG_L_DEBUG);
	(void)signal(SIGPIPE, SIG_IGN);
	if (msgch_new(MANAGER_FD, 0, &x.mgr) != VT_OK)
		return opt_bad(&vtpm_xenback,
		    "descriptor %d is not a socket: vtpm-managerd starts this "
		    "program",
		    MANAGER_FD);
	(void)close_range(MANAGER_FD + 1, ~0U, 0);
	if ((x.xs = xs_open(0)) == NULL) {
		log_err("cannot reach xenstore: %m (is this a Xen domain, and "
			"is xenfs mounted?)");
		return 1;
	}
	if ((rc = xenback_jail(&step)) != VT_OK) {
		log_err("cannot %s: %s", step, vt_strerror(rc));
		return 1;
	}
	me = xs_read(x.xs, XBT_NULL, "domid", &len);
	x.own_domain = me != NULL && strcmp(me, "0") != 0;
	free(me);
	if (!xs_watch(x.xs, BASE, "b")) {
		log_err("cannot watch " BASE " in xenstore: %m");
		return 1;
	}
	x.first = true;
	scan(&x);
	x.first = false;
	if (msgch_send(x.mgr, XB_READY, 0, &none, 0, NULL, 0) != VT_OK)
		return 1;
	return loop(&x);
}
