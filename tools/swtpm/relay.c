/* SPDX-License-Identifier: BSD-3-Clause */
/* relay.c - clients of swtpm's sockets reach the worker of one vTPM. */
#include "tools/swtpm/relay.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/swtpm/client.h"
#include "tools/swtpm/pump.h"

#define CLIENTS                                                       \
	4 /* connections to a worker that it serves beside each other \
	   */

struct relay {
	struct relay_args a;
	/* With a data socket the first carries requests, the second commands;
	 * without it each has a control connection of its own. */
	struct pump pumps[CLIENTS];
	bool split;
	bool end;
};

static void
pump_clear(struct pump *p)
{
	*p = (struct pump){ .client = -1, .worker = -1 };
	p->up.passed = p->down.passed = -1;
}

static int
open_split(struct relay *r)
{
	int ctl, data, rc;

	if ((rc = sw_open(r->a.worker, &ctl, &data)) != VT_OK)
		return rc;
	if (r->a.startup != NULL &&
	    (rc = sw_startup(data, r->a.startup, r->a.tpm12)) != VT_OK) {
		(void)close(ctl);
		(void)close(data);
		return rc;
	}
	if ((rc = pump_init(&r->pumps[0], ctl, true)) != VT_OK) {
		(void)close(data);
		return rc;
	}
	if ((rc = pump_init(&r->pumps[1], data, false)) != VT_OK)
		return rc;
	r->pumps[0].keep = r->pumps[1].keep = true;
	r->pumps[1].once = r->a.once;
	return VT_OK;
}

/* On a connection of its own, which ends. */
static int
start_up(const struct relay_args *a)
{
	int ctl, data, rc;

	if (a->startup == NULL)
		return VT_OK;
	if ((rc = sw_open(a->worker, &ctl, &data)) != VT_OK)
		return rc;
	rc = sw_startup(data, a->startup, a->tpm12);
	(void)close(data);
	(void)close(ctl);
	return rc;
}

/* A control client with a connection to the worker of its own; fd passes. */
static void
admit(struct relay *r, int fd)
{
	int worker = unix_connect(r->a.worker);
	size_t i;

	for (i = 0; i < CLIENTS && r->pumps[i].worker != -1; i++)
		;
	if (worker == -1 || i == CLIENTS) {
		log_err("a client is refused: the vTPM's socket %s: %m",
		    r->a.worker);
		(void)close(fd);
		if (worker != -1)
			(void)close(worker);
	} else if (pump_init(&r->pumps[i], worker, true) != VT_OK) {
		log_err("a client is refused: out of memory");
		(void)close(fd);
		(void)close(worker);
		pump_clear(&r->pumps[i]);
	} else
		pump_attach(&r->pumps[i], fd);
}

int
relay_new(const struct relay_args *a, struct relay **ret)
{
	struct relay *r = calloc(1, sizeof(*r));
	size_t i;
	int rc;

	if (r == NULL)
		return VT_E_NOMEM;
	r->a = *a;
	for (i = 0; i < CLIENTS; i++)
		pump_clear(&r->pumps[i]);
	r->split = a->data != -1 || a->reader != -1;
	rc = r->split ? open_split(r) : start_up(a);
	if (rc != VT_OK) {
		log_err("the vTPM's socket %s: %s", a->worker, vt_strerror(rc));
		relay_free(r);
		return rc;
	}
	if (a->reader != -1)
		pump_attach(&r->pumps[1], a->reader);
	if (a->client != -1 && r->split)
		pump_attach(&r->pumps[0], a->client);
	else if (a->client != -1)
		admit(r, a->client);
	*ret = r;
	return VT_OK;
}

void
relay_free(struct relay *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < CLIENTS; i++)
		pump_free(&r->pumps[i]);
	free(r);
}

/* --- the loop --------------------------------------------------------------
 */

static bool
has_room(const struct relay *r, bool data)
{
	size_t i;

	if (r->split)
		return pump_idle(&r->pumps[data]);
	for (i = 0; i < CLIENTS; i++)
		if (r->pumps[i].worker == -1)
			return true;
	return false;
}

static void
accept_one(struct relay *r, int listen_fd, bool data)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1)
		return;
	if (r->split)
		pump_attach(&r->pumps[data], fd);
	else
		admit(r, fd);
}

static void
client_gone(struct relay *r, struct pump *p)
{
	bool data = p->has_data || !p->control;

	r->end = r->end || (r->a.end_with_data && data) ||
		 (r->a.end_with_client && p->control) ||
		 (p->control && r->a.control == -1) ||
		 (!p->control && r->a.data == -1);
	if (!p->keep)
		pump_free(p);
}

/* VT_OK, VT_E_STATE. */
static int
serve(struct relay *r, struct pump *p, const struct pollfd f[2])
{
	int rc = pump_move(p, f);

	/* SHUTDOWN: after its answer. */
	if (p->off && !p->waiting && p->down.len == 0)
		r->end = true;
	if (rc == VT_E_CLOSED) {
		r->end = r->end || p->off;
		client_gone(r, p);
	}
	if (rc != VT_E_STATE)
		return VT_OK;
	if (p->keep)
		return VT_E_STATE;
	if (p->off)
		r->end = true;
	client_gone(r, p);
	return VT_OK;
}

enum { F_SIGNALS, F_CONTROL, F_DATA, F_PUMPS, F_N = F_PUMPS + 2 * CLIENTS };

static void
fill_poll(const struct relay *r, struct pollfd f[F_N])
{
	size_t i;

	f[F_SIGNALS] = (struct pollfd){ r->a.signals, POLLIN, 0 };
	f[F_CONTROL] = (struct pollfd){ has_room(r, false) ? r->a.control : -1,
		POLLIN, 0 };
	f[F_DATA] =
	    (struct pollfd){ r->split && has_room(r, true) ? r->a.data : -1,
		    POLLIN, 0 };
	for (i = 0; i < CLIENTS; i++)
		pump_poll(&r->pumps[i], &f[F_PUMPS + 2 * i]);
}

int
relay_run(struct relay *r)
{
	struct pollfd f[F_N];
	int rc = VT_OK;
	size_t i;

	while (!r->end && rc == VT_OK) {
		fill_poll(r, f);
		if (poll(f, F_N, -1) == -1) {
			if (errno == EINTR)
				continue;
			return VT_E_SYS;
		}
		for (i = 0; i < CLIENTS && rc == VT_OK; i++)
			if (r->pumps[i].worker != -1)
				rc =
				    serve(r, &r->pumps[i], &f[F_PUMPS + 2 * i]);
		if (f[F_CONTROL].revents != 0)
			accept_one(r, r->a.control, false);
		if (f[F_DATA].revents != 0)
			accept_one(r, r->a.data, true);
		if (f[F_SIGNALS].revents != 0)
			r->end = true;
	}
	return rc;
}
