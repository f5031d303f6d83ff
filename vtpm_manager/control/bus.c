/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/control/bus.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/xen/xenback_link.h"

static void
conn_free(struct bus *c, struct bus_conn *conn)
{
	struct bus_conn **pp;

	for (pp = &c->conns; *pp != NULL && *pp != conn; pp = &(*pp)->next)
		;
	if (*pp != NULL) {
		*pp = conn->next;
		c->nconns--;
	}
	if (conn->bus != NULL) {
		xenlink_owner_gone(conn->m->xen, conn->bus);
		(void)sd_bus_flush(conn->bus);
		sd_bus_close(conn->bus);
		sd_bus_unref(conn->bus);
	}
	free(conn);
}

static int
on_disconnected(sd_bus_message *msg, void *arg, sd_bus_error *err)
{
	struct bus_conn *conn = arg;

	(void)msg;
	(void)err;
	if (conn->system)
		log_warn("the system bus is gone; RUN/control.sock stays");
	conn_free(conn->m->ctl, conn);
	return 0;
}

/* busctl and libraries say Hello first, as if we were a bus. */
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
conn_export(struct bus_conn *conn)
{
	int r;

	r = sd_bus_add_object_vtable(
	    conn->bus, NULL, BUS_PATH, BUS_IFACE, bus_vtable, conn);
	if (r >= 0 && !conn->system)
		r = sd_bus_add_object_vtable(conn->bus, NULL,
		    "/org/freedesktop/DBus", "org.freedesktop.DBus",
		    hello_vtable, conn);
	if (r >= 0)
		r = sd_bus_match_signal_async(conn->bus, NULL,
		    "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
		    "org.freedesktop.DBus.Local", "Disconnected",
		    on_disconnected, NULL, conn);
	if (r >= 0)
		r = sd_bus_attach_event(conn->bus, conn->m->ev, MGR_PRIO_CTL);
	return r;
}

static int
conn_start(struct bus_conn *conn, int fd)
{
	sd_id128_t id;
	int r;

	if ((r = sd_bus_new(&conn->bus)) < 0) {
		(void)close(fd);
		return r;
	}
	r = sd_id128_randomize(&id);
	if (r >= 0)
		r = sd_bus_set_fd(conn->bus, fd, fd);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	r = sd_bus_set_server(conn->bus, 1, id);
	if (r >= 0)
		r = sd_bus_negotiate_fds(conn->bus, 1);
	if (r >= 0)
		r = sd_bus_set_trusted(conn->bus, 1);
	if (r >= 0)
		r = sd_bus_start(conn->bus);
	return r >= 0 ? conn_export(conn) : r;
}

static int
on_accept(sd_event_source *s, int lfd, uint32_t revents, void *arg)
{
	struct bus *c = arg;
	struct bus_conn *conn;
	int fd, r;

	(void)s;
	(void)revents;
	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return 0;
	if (c->nconns >= BUS_CONNS_MAX ||
	    (conn = calloc(1, sizeof(*conn))) == NULL) {
		log_warn("too many control connections");
		(void)close(fd);
		return 0;
	}
	conn->m = c->m;
	conn->next = c->conns;
	c->conns = conn;
	c->nconns++;
	if (bus_who_of_socket(&c->m->cfg, fd, &conn->who) != VT_OK) {
		(void)close(fd);
		conn_free(c, conn);
		return 0;
	}
	if ((r = conn_start(conn, fd)) < 0) {
		log_warn("control connection: %s", strerror(-r));
		conn_free(c, conn);
	}
	return 0;
}

/* On the system bus too, if it can be had. */
static void
join_system_bus(struct bus *c)
{
	struct bus_conn *conn = calloc(1, sizeof(*conn));
	int r;

	if (conn == NULL)
		return;
	conn->m = c->m;
	conn->system = true;
	conn->next = c->conns;
	c->conns = conn;
	c->nconns++;
	r = sd_bus_open_system(&conn->bus);
	if (r >= 0)
		r = conn_export(conn);
	if (r >= 0)
		r = sd_bus_request_name(conn->bus, BUS_NAME, 0);
	if (r >= 0)
		return;
	log_warn("not on the system bus (%s); RUN/control.sock serves all",
	    strerror(-r));
	conn_free(c, conn);
}

int
bus_sender(struct bus_conn *conn, sd_bus_message *msg, struct bus_who *ret)
{
	sd_bus_creds *cr = NULL;
	gid_t groups[BUS_GROUPS_MAX + 1];
	const gid_t *sup;
	uid_t uid = (uid_t)-1;
	pid_t pid = 0;
	size_t n = 0;
	int r, i;

	if (!conn->system) {
		*ret = conn->who;
		return VT_OK;
	}
	r = sd_bus_query_sender_creds(msg,
	    SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID |
		SD_BUS_CREDS_SUPPLEMENTARY_GIDS | SD_BUS_CREDS_AUGMENT,
	    &cr);
	if (r < 0 || sd_bus_creds_get_euid(cr, &uid) < 0) {
		sd_bus_creds_unref(cr);
		return VT_E_DENIED;
	}
	(void)sd_bus_creds_get_pid(cr, &pid);
	r = sd_bus_creds_get_supplementary_gids(cr, &sup);
	for (i = 0; i < r && n < BUS_GROUPS_MAX; i++)
		groups[n++] = sup[i];
	bus_who_set(ret, &conn->m->cfg, uid, pid, groups, n);
	sd_bus_creds_unref(cr);
	return VT_OK;
}

int
bus_new(struct mgr *m, struct bus **ret)
{
	struct bus *c = calloc(1, sizeof(*c));
	char path[PATH_MAX];
	int rc, r;

	if (c == NULL)
		return VT_E_NOMEM;
	c->m = m;
	c->listen_fd = -1;
	rc = bus_status_new(m, &c->status);
	if (rc == VT_OK)
		rc =
		    mgr_path(path, sizeof(path), "%s/control.sock", m->cfg.run);
	if (rc == VT_OK && (c->listen_fd = unix_listen(path, 0660)) == -1)
		rc = VT_E_SYS;
	if (rc == VT_OK)
		rc = mgr_set_group(path, m->cfg.control_group);
	if (rc == VT_OK) {
		r = sd_event_add_io(
		    m->ev, &c->io, c->listen_fd, EPOLLIN, on_accept, c);
		if (r >= 0)
			r = sd_event_source_set_priority(c->io, MGR_PRIO_CTL);
		if (r < 0) {
			errno = -r;
			rc = VT_E_SYS;
		}
	}
	if (rc != VT_OK) {
		bus_free(c);
		return rc;
	}
	*ret = c;
	if (m->cfg.bus)
		join_system_bus(c);
	return VT_OK;
}

void
bus_free(struct bus *c)
{
	if (c == NULL)
		return;
	while (c->conns != NULL)
		conn_free(c, c->conns);
	bus_status_free(c->status);
	(void)sd_event_source_disable_unref(c->io);
	if (c->listen_fd != -1)
		(void)close(c->listen_fd);
	free(c);
}
