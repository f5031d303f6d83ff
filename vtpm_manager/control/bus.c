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
#include "vtpm_manager/control/bus_iface.h"
#include "vtpm_manager/control/bus_methods.h"
#include "vtpm_manager/control/bus_status.h"
#include "vtpm_manager/control/limits.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/xen/xenback_link.h"

struct conn {
	LIST_ENTRY(conn) link;
	struct bus *owner;
	sd_bus *bus;
	struct bus_peer peer;
};

struct bus {
	struct mgr *m;
	struct bus_statusq *status;
	int listen_fd;
	sd_event_source *io;
	LIST_HEAD(, conn) conns;
	unsigned int nconns;
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
		xenlink_owner_gone(c->peer.m->xen, c->bus);
		(void)sd_bus_flush(c->bus);
		sd_bus_close(c->bus);
		sd_bus_unref(c->bus);
	}
	free(c);
}

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
		r = sd_bus_match_signal_async(c->bus, NULL,
		    "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
		    "org.freedesktop.DBus.Local", "Disconnected",
		    on_disconnected, NULL, c);
	if (r >= 0)
		r = sd_bus_attach_event(c->bus, c->owner->m->ev, MGR_PRIO_CTL);
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
	if (r >= 0)
		r = sd_bus_start(c->bus);
	return r >= 0 ? conn_export(c) : r;
}

static int
on_accept(sd_event_source *s, int lfd, uint32_t revents, void *arg)
{
	struct bus *b = arg;
	struct conn *c;
	int fd, r;

	(void)s;
	(void)revents;
	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return 0;
	if (b->nconns >= BUS_CONNS_MAX || (c = conn_new(b)) == NULL) {
		log_warn("control connection refused: %d are open, the most "
			 "that the manager serves",
		    BUS_CONNS_MAX);
		(void)close(fd);
		return 0;
	}
	if (bus_who_of_socket(&b->m->cfg, fd, &c->peer.who) != VT_OK) {
		(void)close(fd);
		conn_free(c);
		return 0;
	}
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

	if ((rc = mgr_path(path, sizeof(path), "%s/control.sock",
		 b->m->cfg.run)) != VT_OK)
		return rc;
	if ((b->listen_fd = unix_listen(path, 0660)) == -1)
		return VT_E_SYS;
	if ((rc = mgr_set_group(path, b->m->cfg.control_group)) != VT_OK)
		return rc;
	r = sd_event_add_io(
	    b->m->ev, &b->io, b->listen_fd, EPOLLIN, on_accept, b);
	if (r >= 0)
		r = sd_event_source_set_priority(b->io, MGR_PRIO_CTL);
	if (r < 0) {
		errno = -r;
		return VT_E_SYS;
	}
	return VT_OK;
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
	rc = bus_status_new(m, &b->status);
	if (rc == VT_OK)
		rc = listen_control(b);
	if (rc != VT_OK) {
		bus_free(b);
		return rc;
	}
	*ret = b;
	if (m->cfg.bus)
		join_system_bus(b);
	return VT_OK;
}

void
bus_free(struct bus *b)
{
	if (b == NULL)
		return;
	while (!LIST_EMPTY(&b->conns))
		conn_free(LIST_FIRST(&b->conns));
	bus_status_free(b->status);
	(void)sd_event_source_disable_unref(b->io);
	if (b->listen_fd != -1)
		(void)close(b->listen_fd);
	free(b);
}
