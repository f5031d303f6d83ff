/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_xen_chan.c - a Xen guest's channel on devices in memory: events that
 * come late, early, or were taken by another thread.
 * Real Xen: tests/lab/xen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if __has_include(<xengnttab.h>)

#include <sys/eventfd.h>

#include <unistd.h>

/* The module itself, on the libraries below. */
#include "tpmback/xen_chan.c"

#define HANG_S 10
#define PORT 5

struct xenevtchn_handle {
	int fd;
};
static struct {
	struct xenevtchn_handle evt;
	union tpmif_view page;
	unsigned int unmasked, notified, mapped;
} hv;
static unsigned int submitted, cancelled;

xengnttab_handle *
xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
	(void)logger;
	(void)flags;
	return (xengnttab_handle *)&hv;
}

int
xengnttab_close(xengnttab_handle *h)
{
	(void)h;
	return 0;
}

int
xengnttab_fd(xengnttab_handle *h)
{
	(void)h;
	return -1;
}

void *
xengnttab_map_grant_ref(
    xengnttab_handle *h, uint32_t domid, uint32_t ref, int prot)
{
	(void)h;
	(void)domid;
	(void)ref;
	(void)prot;
	hv.mapped++;
	return &hv.page;
}

int
xengnttab_unmap(xengnttab_handle *h, void *page, uint32_t n)
{
	(void)h;
	assert_ptr_equal(page, &hv.page);
	assert_int_equal(n, 1);
	hv.mapped--;
	return 0;
}

/* As the kernel's device: a read(2) waits, but for O_NONBLOCK. */
xenevtchn_handle *
xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	(void)logger;
	(void)flags;
	hv.evt.fd = eventfd(0, EFD_CLOEXEC);
	return &hv.evt;
}

int
xenevtchn_close(xenevtchn_handle *e)
{
	return close(e->fd);
}

int
xenevtchn_fd(xenevtchn_handle *e)
{
	return e->fd;
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(
    xenevtchn_handle *e, uint32_t domid, evtchn_port_t port)
{
	(void)e;
	(void)domid;
	(void)port;
	return PORT;
}

int
xenevtchn_unbind(xenevtchn_handle *e, evtchn_port_t port)
{
	(void)e;
	assert_int_equal(port, PORT);
	return 0;
}

int
xenevtchn_notify(xenevtchn_handle *e, evtchn_port_t port)
{
	(void)e;
	assert_int_equal(port, PORT);
	hv.notified++;
	return 0;
}

xenevtchn_port_or_error_t
xenevtchn_pending(xenevtchn_handle *e)
{
	uint64_t n;

	return read(e->fd, &n, sizeof(n)) == sizeof(n) ? PORT : -1;
}

int
xenevtchn_unmask(xenevtchn_handle *e, evtchn_port_t port)
{
	(void)e;
	assert_int_equal(port, PORT);
	hv.unmasked++;
	return 0;
}

/* --- the host ------------------------------------------------------------- */

static void
on_submit(void *arg, struct chan *ch, uint8_t locality, const uint8_t *cmd,
    size_t len)
{
	(void)arg;
	(void)ch;
	(void)locality;
	(void)cmd;
	assert_int_equal(len, 10);
	submitted++;
}

static void
on_cancel(void *arg, struct chan *ch)
{
	(void)arg;
	(void)ch;
	cancelled++;
}

static const struct chan_host host = {
	.submit = on_submit,
	.cancel = on_cancel,
};

static void
event(void)
{
	uint64_t one = 1;

	assert_int_equal(write(hv.evt.fd, &one, sizeof(one)), sizeof(one));
}

static void
put_command(uint8_t state)
{
	static const uint8_t cmd[10] = { 0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x44 };

	memcpy(hv.page.page.data, cmd, sizeof(cmd));
	hv.page.page.length = sizeof(cmd);
	hv.page.page.state = state;
}

static struct chan *
begin(void)
{
	struct xen_hv *h;
	struct chan *ch = NULL;

	memset(&hv, 0, sizeof(hv));
	submitted = cancelled = 0;
	(void)alarm(HANG_S);
	assert_int_equal(vtpm_xen_module.hv_open(&h), VT_OK);
	assert_int_equal(
	    vtpm_xen_module.chan_new(h, 1, 2, &host, NULL, &ch), VT_OK);
	assert_int_equal(vtpm_xen_module.connect(ch, 1, 8, 9, false), VT_OK);
	return ch;
}

static void
end(struct chan *ch)
{
	xen_free(ch);
	assert_int_equal(hv.mapped, 0);
	(void)alarm(0);
}

static void
a_command_from_before_the_connection_is_found(void **state)
{
	struct chan *ch = begin();

	(void)state;
	vtpm_xen_module.disconnect(ch);
	put_command(TPMIF_SUBMIT);
	assert_int_equal(vtpm_xen_module.connect(ch, 1, 8, 9, false), VT_OK);
	assert_int_equal(submitted, 1);
	end(ch);
}

/* poll(2) told of an event; before the loop came to it, a slow command that
 * another message started had its watch thread take it. */
static void
an_event_that_the_watch_thread_took_blocks_nothing(void **state)
{
	struct chan *ch = begin();
	struct pollfd p;
	int stop = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_int_equal(xen_pollfds(ch, &p), 1);
	event();
	assert_int_equal(poll(&p, 1, 0), 1);
	put_command(TPMIF_CANCEL);
	xen_watch(ch, stop, 1000);
	assert_int_equal(cancelled, 1);
	assert_int_equal(hv.unmasked, 1);
	put_command(TPMIF_SUBMIT);
	xen_dispatch(ch, &p, 1); /* its event is no more */
	assert_int_equal(submitted, 1);
	(void)close(stop);
	end(ch);
}

/* Each event is unmasked: Xen sends no further one before that. */
static void
each_event_is_taken_and_unmasked(void **state)
{
	static const uint8_t ok[10] = { 0x80, 1, 0, 0, 0, 10 };
	struct chan *ch = begin();
	struct pollfd p;
	unsigned int i;

	(void)state;
	for (i = 1; i <= 3; i++) {
		put_command(TPMIF_SUBMIT);
		event();
		assert_int_equal(xen_pollfds(ch, &p), 1);
		assert_int_equal(poll(&p, 1, 0), 1);
		xen_dispatch(ch, &p, 1);
		assert_int_equal(submitted, i);
		assert_int_equal(hv.unmasked, i);
		xen_reply(ch, ok, sizeof(ok));
		assert_int_equal(hv.page.page.state, TPMIF_FINISH);
		assert_int_equal(hv.notified, i);
	}
	end(ch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_from_before_the_connection_is_found),
		cmocka_unit_test(
		    an_event_that_the_watch_thread_took_blocks_nothing),
		cmocka_unit_test(each_event_is_taken_and_unmasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
#include "tests/unit/no_xen.h"
#endif
