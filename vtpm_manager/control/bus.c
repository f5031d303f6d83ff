/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus.c - the connections of the control interface.
 */
#include "vtpm_manager/control/bus.h"

#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/token_bucket.h"
#include "vtpm_manager/control/bus_iface.h"
#include "vtpm_manager/control/bus_methods.h"
#include "vtpm_manager/control/bus_status.h"
#include "vtpm_manager/control/limits.h"
#include "vtpm_manager/control/metrics_sock.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/xen/xen_move.h"

struct conn {
	LIST_ENTRY(conn) link;
	struct bus *owner;
	sd_bus *bus;
	uint64_t heard_us; /* when the last message came */
	struct bus_peer peer;
};

struct bus {
	struct mgr *m;
	struct bus_statusq *status;
	struct metrics_sock *metrics; /* NULL: not served */
	int listen_fd;
	sd_event_source *io;
	LIST_HEAD(, conn) conns;
	unsigned int nconns;
	sd_event_source *idle;   /* looks for idle connections */
	struct token_bucket log; /* of refused connections */
	uint64_t unlogged;
};

static struct conn *
conn_new(struct bus *b)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->owner = b;
	c->peer.m = b->m;
	c->peer.status = b->status;
	c->heard_us = now_us();
	LIST_INSERT_HEAD(&b->conns, c, link);
	b->nconns++;
	return c;
}

static void
conn_free(struct conn *c)
{
	LIST_REMOVE(c, link);
	c->owner->nconns--;
	if (c->bus != NULL) {
		xen_move_owner_gone(c->peer.m->xen, c->bus);
		/* Not sd_bus_flush(): it waits for a peer that does not read,
		 * or has not even authenticated.  Replies go out at once. */
		sd_bus_close(c->bus);
		sd_bus_unref(c->bus);
	}
	free(c);
}

/* --- idle connections --- */

static int
on_message(sd_bus_message *msg, void *arg, sd_bus_error *err)
{
	struct conn *c = arg;

	(void)msg;
	(void)err;
	c->heard_us = now_us();
	return 0;
}

static int watch_idle(struct bus *b) VT_CHECK;

static int
on_idle(sd_event_source *s, uint64_t usec, void *arg)
{
	struct bus *b = arg;
	uint64_t idle_us = b->m->cfg.control_idle_s * UINT64_C(1000000);
	struct conn *c, *next;

	(void)s;
	(void)usec;
	for (c = LIST_FIRST(&b->conns); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (c->peer.system || c->peer.subscribed ||
		    now_us() - c->heard_us < idle_us ||
		    xen_move_has_claim(b->m->xen, c->bus))
			continue;
		log_info("control connection of %s closed: idle for %u s",
		    c->peer.who.text, b->m->cfg.control_idle_s);
		conn_free(c);
	}
	if (watch_idle(b) != VT_OK)
		loop_fatal(b->m, "cannot set a timer");
	return 0;
}

/* Often enough that no connection lives a quarter of the time longer. */
static int
watch_idle(struct bus *b)
{
	return loop_timer(b->m, &b->idle,
	    b->m->cfg.control_idle_s * UINT64_C(1000) / 4, LOOP_PRIO_BUS,
	    on_idle, b);
}

/* --- signals --- */

/*
 * May another signal be queued?  A subscriber that does not read would fill the
 * manager's memory: it is told how many it missed.
 */
static bool
has_room(struct conn *c)
{
	uint64_t queued = 0;

	if (sd_bus_get_n_queued_write(c->bus, &queued) < 0 ||
	    queued >= BUS_SIGNALS_MAX) {
		c->peer.missed++;
		return false;
	}
	if (c->peer.missed == 0)
		return true;
	if (sd_bus_emit_signal(c->bus, BUS_PATH, BUS_IFACE, BUS_SIGNAL_MISSED,
		"t", c->peer.missed) >= 0)
		c->peer.missed = 0;
	return true;
}

/* On the system bus the daemon's policy decides who receives signals. */
static bool
wants(const struct conn *c, enum bus_role least)
{
	return c->peer.system ||
	       (c->peer.subscribed && c->peer.who.role >= least);
}

static void
on_guest_changed(struct mgr *m, const char *name, const uint8_t uuid[UUID_LEN],
    const char *from, const char *to)
{
	char text[UUID_STRLEN + 1];
	struct conn *c;

	uuid_format(uuid, text);
	LIST_FOREACH(c, &m->ctl->conns, link)
		if (wants(c, ROLE_READER) && has_room(c))
			(void)sd_bus_emit_signal(c->bus, BUS_PATH, BUS_IFACE,
			    BUS_SIGNAL_GUEST, "ssss", name, text, from, to);
}

static void
on_audited(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *detail)
{
	struct conn *c;

	LIST_FOREACH(c, &m->ctl->conns, link)
		if (wants(c, ROLE_OPERATOR) && has_room(c))
			(void)sd_bus_emit_signal(c->bus, BUS_PATH, BUS_IFACE,
			    BUS_SIGNAL_AUDIT, "sssss", who, action, object,
			    result, detail);
}

/* --- connections --- */

static int
on_disconnected(sd_bus_message *msg, void *arg, sd_bus_error *err)
{
	struct conn *c = arg;

	(void)msg;
	(void)err;
	if (c->peer.system)
		log_warn("lost the system bus; RUN/control.sock still serves");
	conn_free(c);
	return 0;
}

/* busctl and libraries greet every peer as if it were a bus. */
static int
on_hello(sd_bus_message *msg, void *arg, sd_bus_error *err)
{
	(void)arg;
	(void)err;
	return sd_bus_reply_method_return(msg, "s", ":1.1");
}

static const sd_bus_vtable hello_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Hello", "", "s", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static int
conn_export(struct conn *c)
{
	int r;

	r = sd_bus_add_object_vtable(
	    c->bus, NULL, BUS_PATH, BUS_IFACE, bus_vtable, &c->peer);
	if (r >= 0 && !c->peer.system)
		r = sd_bus_add_object_vtable(c->bus, NULL,
		    "/org/freedesktop/DBus", "org.freedesktop.DBus",
		    hello_vtable, c);
	if (r >= 0)
		r = sd_bus_add_filter(c->bus, NULL, on_message, c);
	if (r >= 0)
		r = sd_bus_match_signal_async(c->bus, NULL,
		    "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
		    "org.freedesktop.DBus.Local", "Disconnected",
		    on_disconnected, NULL, c);
	if (r >= 0)
		r = sd_bus_attach_event(c->bus, c->owner->m->ev, LOOP_PRIO_BUS);
	return r;
}

/* fd is taken over. */
static int
conn_start(struct conn *c, int fd)
{
	sd_id128_t id;
	int r;

	r = sd_bus_new(&c->bus);
	if (r >= 0)
		r = sd_id128_randomize(&id);
	if (r >= 0)
		r = sd_bus_set_fd(c->bus, fd, fd);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	r = sd_bus_set_server(c->bus, 1, id);
	if (r >= 0)
		r = sd_bus_negotiate_fds(c->bus, 1);
	if (r >= 0)
		r = sd_bus_set_trusted(c->bus, 1);
	if (r >= 0) /* else the loop's end flushes, see conn_free() */
		r = sd_bus_set_close_on_exit(c->bus, 0);
	if (r >= 0)
		r = sd_bus_start(c->bus);
	return r >= 0 ? conn_export(c) : r;
}

/* Why this caller gets no connection; NULL: it does. */
static const char *
no_place(const struct bus *b, const struct bus_who *who)
{
	bool root = who->uid == 0 || who->uid == geteuid();
	const struct conn *c;
	unsigned int n = 0;

	if (who->role == ROLE_NONE && !tenants_admin_any(b->m, who->uid))
		return "the user has no role and administers no group";
	LIST_FOREACH(c, &b->conns, link)
		n += !c->peer.system && c->peer.who.uid == who->uid;
	if (!root && n >= BUS_CONNS_USER)
		return "the user has too many open connections";
	if (b->nconns >= BUS_CONNS_MAX - (root ? 0 : BUS_CONNS_ROOT))
		return "too many connections are open";
	return NULL;
}

static void
log_refusal(struct bus *b, const struct bus_who *who, const char *why)
{
	b->m->n.conns_refused++;
	if (!token_bucket_take(&b->log, 1, now_us())) {
		b->unlogged++;
		return;
	}
	log_warn("control connection refused: %s, pid %d: %s", who->text,
	    (int)who->pid, why);
	if (b->unlogged > 0)
		log_warn("%llu control connections were refused before that, "
			 "without a line each",
		    (unsigned long long)b->unlogged);
	b->unlogged = 0;
}

static int
on_accept(sd_event_source *s, int lfd, uint32_t revents, void *arg)
{
	struct bus *b = arg;
	struct bus_who who;
	const char *why;
	struct conn *c;
	int fd, r;

	(void)s;
	(void)revents;
	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return 0;
	if (bus_who_of_socket(&b->m->cfg, fd, &who) != VT_OK) {
		(void)close(fd);
		return 0;
	}
	if ((why = no_place(b, &who)) != NULL || (c = conn_new(b)) == NULL) {
		log_refusal(b, &who, why != NULL ? why : "out of memory");
		(void)close(fd);
		return 0;
	}
	c->peer.who = who;
	if ((r = conn_start(c, fd)) < 0) {
		log_warn("control connection: %s", strerror(-r));
		conn_free(c);
	}
	return 0;
}

static void
join_system_bus(struct bus *b)
{
	struct conn *c = conn_new(b);
	int r;

	if (c == NULL)
		return;
	c->peer.system = true;
	r = sd_bus_open_system(&c->bus);
	if (r >= 0)
		r = conn_export(c);
	if (r >= 0)
		r = sd_bus_request_name(c->bus, BUS_NAME, 0);
	if (r >= 0)
		return;
	log_warn("not on the system bus (%s); RUN/control.sock serves all",
	    strerror(-r));
	conn_free(c);
}

static int
listen_control(struct bus *b)
{
	char path[PATH_MAX];
	int rc, r;

	if ((rc = run_path(path, sizeof(path), "%s/control.sock",
		 b->m->cfg.run)) != VT_OK)
		return rc;
	if ((b->listen_fd = unix_listen(path, 0660)) == -1)
		return VT_E_SYS;
	if ((rc = run_set_group(path, b->m->cfg.control_group)) != VT_OK)
		return rc;
	r = sd_event_add_io(
	    b->m->ev, &b->io, b->listen_fd, EPOLLIN, on_accept, b);
	if (r >= 0)
		r = sd_event_source_set_priority(b->io, LOOP_PRIO_BUS);
	if (r < 0) {
		errno = -r;
		return VT_E_SYS;
	}
	return watch_idle(b);
}

int
bus_new(struct mgr *m, struct bus **ret)
{
	struct bus *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL)
		return VT_E_NOMEM;
	b->m = m;
	b->listen_fd = -1;
	LIST_INIT(&b->conns);
	token_bucket_init(
	    &b->log, BUS_LOG_BURST, 1, BUS_LOG_EVERY_US, now_us());
	rc = bus_status_new(m, &b->status);
	if (rc == VT_OK)
		rc = listen_control(b);
	if (rc == VT_OK)
		rc = metrics_sock_new(m, b->status, &b->metrics);
	if (rc != VT_OK) {
		bus_free(b);
		return rc;
	}
	*ret = b;
	if (m->cfg.bus)
		join_system_bus(b);
	m->guest_changed = on_guest_changed;
	m->audited = on_audited;
	return VT_OK;
}

void
bus_free(struct bus *b)
{
	struct conn *c, *next;

	if (b == NULL)
		return;
	b->m->guest_changed = NULL;
	b->m->audited = NULL;
	for (c = LIST_FIRST(&b->conns); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		conn_free(c);
	}
	metrics_sock_free(b->metrics);
	bus_status_free(b->status);
	(void)sd_event_source_disable_unref(b->idle);
	(void)sd_event_source_disable_unref(b->io);
	if (b->listen_fd != -1)
		(void)close(b->listen_fd);
	free(b);
}
