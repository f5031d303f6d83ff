/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_front_fixture.h - a xenstore, an event channel and pages in memory, for
 * a front half that is included before.
 */
#ifndef TESTS_UNIT_XEN_FRONT_FIXTURE_H
#define TESTS_UNIT_XEN_FRONT_FIXTURE_H

#include "tests/unit/xen_nodes.h"

#define WATCHES 8
#define DEVID 77 /* no lock of a real device */
#define FRONT "device/vtpm/77"
#define BACK "/local/domain/0/backend/vtpm/5/77"

/* --- xenstore ------------------------------------------------------------- */

struct xs_handle {
	int fd;
};
static struct {
	struct {
		char path[96];
		char token[4];
		int fired;
	} watches[WATCHES];
	struct xs_handle h;
	bool fail_writes;
	void (*react)(const char *path, const char *val);
	unsigned int writes;
} st;

/* --- devices -------------------------------------------------------------- */

struct xenevtchn_handle {
	int fd;
};
static struct {
	struct xenevtchn_handle evt[8];
	unsigned int opens, closes, binds, unbinds, shares, unshares;
	int next_port;
	uint32_t next_ref;
	bool fail_share;
	unsigned int notified, tries;
	union tpmif_view page;
} hv;

static void
fire(const char *path)
{
	uint64_t one = 1;
	int i;

	for (i = 0; i < WATCHES; i++)
		if (st.watches[i].path[0] != '\0' &&
		    strncmp(path, st.watches[i].path,
			strlen(st.watches[i].path)) == 0) {
			st.watches[i].fired++;
			assert_int_equal(write(st.h.fd, &one, 8), 8);
		}
}

static void
node(const char *path, const char *val)
{
	set_node(path, val);
	fire(path);
}

static void
no_node(const char *prefix)
{
	int i;

	for (i = 0; i < NODES; i++)
		if (strncmp(nodes[i].path, prefix, strlen(prefix)) == 0) {
			fire(nodes[i].path);
			nodes[i].path[0] = '\0';
		}
}

static const char *
value(const char *path)
{
	const char *v = find_node(path, false);

	return v != NULL ? v : "";
}

struct xs_handle *
xs_open(unsigned long flags)
{
	(void)flags;
	st.h.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return &st.h;
}

void
xs_close(struct xs_handle *h)
{
	(void)close(h->fd);
}

bool
xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
    const void *data, unsigned int len)
{
	char val[64];

	(void)h;
	(void)t;
	/* a guest may write in its folder, not make one */
	if (st.fail_writes || find_node(FRONT "/backend", false) == NULL)
		return false;
	st.writes++;
	(void)snprintf(val, sizeof(val), "%.*s", (int)len, (const char *)data);
	node(path, val);
	if (st.react != NULL)
		st.react(path, val);
	return true;
}

xs_transaction_t
xs_transaction_start(struct xs_handle *h)
{
	(void)h;
	return 1;
}

bool
xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	static int busy;

	(void)h;
	(void)t;
	errno = EAGAIN;
	if (!abort && ++busy % 2 != 0)
		return false; /* another client wrote, too */
	return true;
}

bool
xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	int i;

	(void)h;
	for (i = 0; i < WATCHES; i++)
		if (st.watches[i].path[0] == '\0')
			break;
	assert_true(i < WATCHES);
	(void)snprintf(
	    st.watches[i].path, sizeof(st.watches[i].path), "%s", path);
	(void)snprintf(
	    st.watches[i].token, sizeof(st.watches[i].token), "%s", token);
	fire(path);
	return true;
}

bool
xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	int i;

	(void)h;
	for (i = 0; i < WATCHES; i++)
		if (strcmp(st.watches[i].path, path) == 0 &&
		    strcmp(st.watches[i].token, token) == 0)
			st.watches[i].path[0] = '\0';
	return true;
}

int
xs_fileno(struct xs_handle *h)
{
	return h->fd;
}

char **
xs_check_watch(struct xs_handle *h)
{
	uint64_t n;
	char **w;
	int i;

	for (i = 0; i < WATCHES; i++)
		if (st.watches[i].fired > 0)
			break;
	if (i == WATCHES) {
		if (read(h->fd, &n, 8) == -1)
			errno = EAGAIN;
		return NULL;
	}
	st.watches[i].fired--;
	w = malloc(2 * sizeof(*w));
	assert_non_null(w);
	w[XS_WATCH_PATH] = st.watches[i].path;
	w[XS_WATCH_TOKEN] = st.watches[i].token;
	return w;
}

xengntshr_handle *
xengntshr_open(struct xentoollog_logger *logger, unsigned int flags)
{
	(void)logger;
	(void)flags;
	return (xengntshr_handle *)&hv;
}

int
xengntshr_close(xengntshr_handle *h)
{
	(void)h;
	return 0;
}

void *
xengntshr_share_pages(xengntshr_handle *h, uint32_t domid, int count,
    uint32_t *refs, int writable)
{
	(void)h;
	(void)domid;
	assert_int_equal(count, 1);
	assert_int_equal(writable, 1);
	hv.tries++;
	if (hv.fail_share)
		return NULL;
	hv.shares++;
	*refs = hv.next_ref;
	memset(&hv.page, 0xee, sizeof(hv.page));
	return &hv.page;
}

int
xengntshr_unshare(xengntshr_handle *h, void *page, uint32_t count)
{
	(void)h;
	assert_ptr_equal(page, &hv.page);
	assert_int_equal(count, 1);
	hv.unshares++;
	return 0;
}

xenevtchn_handle *
xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	struct xenevtchn_handle *e = &hv.evt[hv.opens++];

	(void)logger;
	(void)flags;
	e->fd = eventfd(0, EFD_CLOEXEC);
	return e;
}

int
xenevtchn_close(xenevtchn_handle *e)
{
	hv.closes++;
	return close(e->fd);
}

int
xenevtchn_fd(xenevtchn_handle *e)
{
	return e->fd;
}

int
xenevtchn_notify(xenevtchn_handle *e, evtchn_port_t port)
{
	(void)e;
	(void)port;
	hv.notified++;
	return 0;
}

xenevtchn_port_or_error_t
xenevtchn_bind_unbound_port(xenevtchn_handle *e, uint32_t domid)
{
	(void)e;
	(void)domid;
	hv.binds++;
	return hv.next_port;
}

int
xenevtchn_unbind(xenevtchn_handle *e, evtchn_port_t port)
{
	(void)e;
	(void)port;
	hv.unbinds++;
	return 0;
}

xenevtchn_port_or_error_t
xenevtchn_pending(xenevtchn_handle *e)
{
	uint64_t n;

	return read(e->fd, &n, 8) == 8 ? hv.next_port : -1;
}

int
xenevtchn_unmask(xenevtchn_handle *e, evtchn_port_t port)
{
	(void)e;
	(void)port;
	return 0;
}

#endif
