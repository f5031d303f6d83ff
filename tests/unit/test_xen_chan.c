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

#if __has_include(<xenevtchn.h>)

#include <sys/eventfd.h>
#include <sys/mman.h>

#include <fcntl.h>
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
	union tpmif_view *page; /* the guest's view of it */
	int gnt, evt_open;
	unsigned int unmasked, notified;
} hv;
static unsigned int submitted, cancelled, wanted;

/* As the kernel's device: a read(2) waits, but for O_NONBLOCK. */
xenevtchn_handle *
xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned int flags)
{
	(void)logger;
	assert_int_equal(flags, 0);
	hv.evt.fd = fd;
	hv.evt_open++;
	return &hv.evt;
}

int
xenevtchn_close(xenevtchn_handle *e)
{
	hv.evt_open--;
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

static void
on_note(void *arg, struct chan *ch, enum chan_note n, const char *text)
{
	(void)arg;
	(void)ch;
	(void)text;
	if (n == CN_WANTED)
		wanted++;
}

static const struct chan_host host = {
	.note = on_note,
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

	memcpy(hv.page->page.data, cmd, sizeof(cmd));
	hv.page->page.length = sizeof(cmd);
	hv.page->page.state = state;
}

static const struct xen_front first = { 1, 8, 9, false };

/* What vtpm-xenback hands over. */
static int
attach(struct chan *ch, const struct xen_front *f)
{
	int fds[2];

	fds[0] = dup(hv.gnt);
	fds[1] = eventfd(0, EFD_CLOEXEC);
	assert_true(fds[0] != -1 && fds[1] != -1);
	return vtpm_xen_module.attach(ch, f, PORT, fds);
}

static void
connect_to(struct chan *ch, const struct xen_front *f)
{
	assert_int_equal(vtpm_xen_module.connect(ch, f), VT_E_AGAIN);
	assert_int_equal(attach(ch, f), VT_OK);
}

static int
open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static int fds_before;

static struct chan *
begin(void)
{
	struct chan *ch = NULL;

	memset(&hv, 0, sizeof(hv));
	submitted = cancelled = wanted = 0;
	(void)alarm(HANG_S);
	hv.gnt = memfd_create("grant", MFD_CLOEXEC);
	assert_int_equal(ftruncate(hv.gnt, TPMIF_PAGE_SIZE), 0);
	hv.page = mmap(NULL, TPMIF_PAGE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_SHARED, hv.gnt, 0);
	assert_true(hv.page != MAP_FAILED);
	fds_before = open_fds();
	assert_int_equal(
	    vtpm_xen_module.chan_new(1, 2, &host, NULL, &ch), VT_OK);
	connect_to(ch, &first);
	return ch;
}

static void
end(struct chan *ch)
{
	xen_free(ch);
	assert_int_equal(hv.evt_open, 0);
	assert_int_equal(open_fds(), fds_before);
	(void)munmap(hv.page, TPMIF_PAGE_SIZE);
	(void)close(hv.gnt);
	(void)alarm(0);
}

static void
a_command_from_before_the_connection_is_found(void **state)
{
	struct chan *ch = begin();

	(void)state;
	vtpm_xen_module.disconnect(ch);
	put_command(TPMIF_SUBMIT);
	connect_to(ch, &first);
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
		assert_int_equal(hv.page->page.state, TPMIF_FINISH);
		assert_int_equal(hv.notified, i);
	}
	end(ch);
}

/* The descriptor that could name another grant is not kept. */
static void
the_grant_has_no_descriptor_once_it_is_mapped(void **state)
{
	struct chan *ch = begin();

	(void)state;
	assert_int_equal(open_fds(), fds_before + 1); /* evtchn */
	vtpm_xen_module.disconnect(ch);
	assert_int_equal(open_fds(), fds_before);
	end(ch);
}

static void
a_page_that_nothing_waits_for_is_refused(void **state)
{
	static const struct xen_front others[] = { { 2, 8, 9, false },
		{ 1, 7, 9, false }, { 1, 8, 7, false } };
	struct chan *ch = begin();
	size_t i;

	(void)state;
	assert_int_equal(attach(ch, &first), VT_E_STATE);
	vtpm_xen_module.disconnect(ch);
	assert_int_equal(attach(ch, &first), VT_E_STATE);
	assert_int_equal(vtpm_xen_module.connect(ch, &first), VT_E_AGAIN);
	for (i = 0; i < VT_NELEM(others); i++)
		assert_int_equal(attach(ch, &others[i]), VT_E_STATE);
	vtpm_xen_module.disconnect(ch);
	assert_int_equal(attach(ch, &first), VT_E_STATE);
	end(ch);
}

static void
a_page_that_cannot_be_mapped_leaves_no_descriptor(void **state)
{
	struct chan *ch = begin();
	int fds[2];

	(void)state;
	vtpm_xen_module.disconnect(ch);
	assert_int_equal(vtpm_xen_module.connect(ch, &first), VT_E_AGAIN);
	fds[0] = eventfd(0, EFD_CLOEXEC); /* has no mmap(2) */
	fds[1] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(
	    vtpm_xen_module.attach(ch, &first, PORT, fds), VT_E_SYS);
	assert_int_equal(open_fds(), fds_before);
	connect_to(ch, &first); /* another attempt */
	end(ch);
}

/* xenback or the manager restarted, the worker did not. */
static void
the_same_front_half_again_keeps_its_page(void **state)
{
	struct xen_front again = first;
	struct chan *ch = begin();

	(void)state;
	again.resumed = true;
	assert_int_equal(vtpm_xen_module.connect(ch, &again), VT_OK);
	assert_int_equal(open_fds(), fds_before + 1);
	put_command(TPMIF_SUBMIT);
	xen_dispatch(ch, NULL, 0);
	assert_int_equal(submitted, 1);
	again.port++;
	assert_int_equal(vtpm_xen_module.connect(ch, &again), VT_OK);
	end(ch);
}

/* Its port is bound until then; only after it can the new one be. */
static void
a_new_page_waits_for_the_command_on_the_old_one(void **state)
{
	static const uint8_t ok[10] = { 0x80, 1, 0, 0, 0, 10 };
	static const struct xen_front second = { 1, 10, 11, false };
	struct chan *ch = begin();

	(void)state;
	put_command(TPMIF_SUBMIT);
	xen_dispatch(ch, NULL, 0);
	assert_int_equal(submitted, 1);
	assert_int_equal(vtpm_xen_module.connect(ch, &second), VT_OK);
	assert_int_equal(attach(ch, &second), VT_E_STATE);
	assert_int_equal(wanted, 0);
	xen_reply(ch, ok, sizeof(ok));
	assert_int_equal(wanted, 1);
	assert_int_equal(hv.evt_open, 0);
	connect_to(ch, &second);
	put_command(TPMIF_SUBMIT);
	xen_dispatch(ch, NULL, 0);
	assert_int_equal(submitted, 2);
	end(ch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grant_has_no_descriptor_once_it_is_mapped),
		cmocka_unit_test(a_page_that_nothing_waits_for_is_refused),
		cmocka_unit_test(
		    a_page_that_cannot_be_mapped_leaves_no_descriptor),
		cmocka_unit_test(the_same_front_half_again_keeps_its_page),
		cmocka_unit_test(
		    a_new_page_waits_for_the_command_on_the_old_one),
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
