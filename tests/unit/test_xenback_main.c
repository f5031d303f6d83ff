/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_xenback_main.c - what vtpm-xenback writes for a front half whose page
 * the manager does not take, against a xenstore in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if __has_include(<xenstore.h>)

#include <sys/socket.h>

int xenback_main(int argc, char **argv);
#define main xenback_main
#include "vtpm_manager/xenback/xenback_main.c"
#undef main

#include "tests/unit/xen_nodes.h"

#define BACK "backend/vtpm/5/0"
#define FRONT "/local/domain/5/device/vtpm/0"

static struct msgch *manager; /* its end */

bool
xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
    const void *data, unsigned int len)
{
	char val[64];

	(void)h;
	(void)t;
	(void)snprintf(val, sizeof(val), "%.*s", (int)len, (const char *)data);
	set_node(path, val);
	return true;
}

bool
xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	(void)h;
	(void)path;
	(void)token;
	return true;
}

/* What only its start and its end ask for. */
struct xs_handle *
xs_open(unsigned long flags)
{
	(void)flags;
	return NULL;
}

int
xs_fileno(struct xs_handle *h)
{
	(void)h;
	return -1;
}

char **
xs_check_watch(struct xs_handle *h)
{
	(void)h;
	return NULL;
}

bool
xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	(void)h;
	(void)path;
	(void)token;
	return true;
}

bool
xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h;
	(void)t;
	(void)path;
	return true;
}

char **
xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
    unsigned int *num)
{
	(void)h;
	(void)t;
	(void)path;
	*num = 0;
	return NULL;
}

/* Xen's devices: front_open.c needs them. */
static struct {
	uint32_t domid, gref, port;
	unsigned int calls;
	int rc;
} opened_front;

int
front_open(uint32_t domid, uint32_t gref, uint32_t port, int ret_fds[2],
    uint32_t *ret_local, const char **ret_step)
{
	opened_front.domid = domid;
	opened_front.gref = gref;
	opened_front.port = port;
	opened_front.calls++;
	*ret_step = "bind its event channel";
	if (opened_front.rc != VT_OK)
		return opened_front.rc;
	ret_fds[0] = dup(0);
	ret_fds[1] = dup(0);
	*ret_local = 33;
	return VT_OK;
}

/* --- the other sides ------------------------------------------------------ */

/* The manager's answer to the message that it has now. */
static void
answer(struct xenback *x, uint32_t type, int32_t rc)
{
	struct xb_answer a = { .rc = rc };
	uint8_t buf[TEXT_MAX_LEN + 16];
	struct msg m;
	struct wr w;

	do
		assert_int_equal(msgch_recv(manager, &m), VT_OK);
	while (m.type == XB_DISCONNECT);
	assert_int_equal(m.type, type);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, xb_answer, &a);
	assert_int_equal(
	    msgch_send(manager, XB_ANSWER, m.id, buf, w.len, NULL, 0), VT_OK);
	assert_int_equal(msgch_recv(x->mgr, &m), VT_OK);
	answered(x, &m);
}

static void
begin(struct xenback *x)
{
	int sv[2];

	memset(nodes, 0, sizeof(nodes));
	memset(x, 0, sizeof(*x));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(msgch_new(sv[0], 0, &manager), VT_OK);
	assert_int_equal(msgch_new(sv[1], 0, &x->mgr), VT_OK);
	set_node(BACK "/uuid", "12345678-1234-4123-8123-123456789abc");
	set_node(BACK "/frontend", FRONT);
	set_node(BACK "/frontend-id", "5");
	set_node(BACK "/online", "1");
	set_node(BACK "/state", "1");
	set_node(FRONT "/state", "1");
	look_at(x, 5, 0);
	answer(x, XB_DEVICE, VT_OK);
	assert_string_equal(find_node(BACK "/state", false), "2");
}

static void
end(struct xenback *x)
{
	struct dev *d = x->devs;

	x->devs = NULL;
	free(d);
	msgch_free(x->mgr);
	msgch_free(manager);
}

/* As our kernel module does it: another page as soon as it is asked for. */
static void
offers(struct xenback *x, unsigned int gref)
{
	char text[12];

	(void)snprintf(text, sizeof(text), "%u", gref);
	set_node(FRONT "/ring-ref", text);
	set_node(FRONT "/event-channel", "7");
	set_node(FRONT "/feature-protocol-v2", "1");
	set_node(FRONT "/state", "3");
	look_at(x, 5, 0);
}

static void
closes(struct xenback *x)
{
	assert_string_equal(find_node(BACK "/state", false), "5");
	set_node(FRONT "/state", "6");
	look_at(x, 5, 0);
}

static void
what_is_refused_again_and_again_waits_longer_each_time(void **state)
{
	struct xenback x;
	int i, ms, before = 0;

	(void)state;
	begin(&x);
	for (i = 0; i < 12; i++) {
		offers(&x, 8 + (unsigned int)i);
		answer(&x, XB_CONNECT, VT_E_STATE);
		closes(&x);
		ms = do_due(&x);
		assert_string_equal(find_node(BACK "/state", false), "5");
		assert_true(ms > 0 && ms >= before);
		assert_true(ms <= REOPEN_MOST_MS + 1);
		before = ms - 50; /* the clock runs */
		x.devs->reopen_us = now_us() - 1;
		assert_int_equal(do_due(&x), -1);
		assert_string_equal(find_node(BACK "/state", false), "2");
	}
	assert_true(before > REOPEN_MOST_MS / 2);
	/* one that is taken, and closes of itself, may come again at once */
	offers(&x, 99);
	answer(&x, XB_CONNECT, VT_OK);
	assert_string_equal(find_node(BACK "/state", false), "4");
	set_node(FRONT "/state", "5");
	look_at(&x, 5, 0);
	closes(&x);
	assert_string_equal(find_node(BACK "/state", false), "2");
	assert_int_equal(do_due(&x), -1);
	end(&x);
}

/* Linux's own driver does not wait for state 2. */
static void
a_page_that_comes_before_its_time_is_taken(void **state)
{
	struct xenback x;

	(void)state;
	begin(&x);
	offers(&x, 8);
	answer(&x, XB_CONNECT, VT_E_STATE);
	closes(&x);
	offers(&x, 9);
	answer(&x, XB_CONNECT, VT_OK);
	assert_string_equal(find_node(BACK "/state", false), "4");
	assert_int_equal(do_due(&x), -1); /* no 2 comes after it */
	assert_string_equal(find_node(BACK "/state", false), "4");
	end(&x);
}

static void
ask_to_open(struct xenback *x, const struct xb_dev *d, struct xb_opened *ret,
    unsigned int nfds)
{
	uint8_t buf[64];
	struct msg m;
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, xb_dev, d);
	assert_int_equal(
	    msgch_send(manager, XB_OPEN, 77, buf, w.len, NULL, 0), VT_OK);
	assert_int_equal(msgch_recv(x->mgr, &m), VT_OK);
	heard(x, &m);
	assert_int_equal(msgch_recv(manager, &m), VT_OK);
	assert_int_equal(m.type, XB_OPENED);
	assert_int_equal(m.id, 77);
	assert_int_equal(m.nfds, nfds);
	assert_int_equal(msg_get(xb_opened, m.data, m.len, ret), VT_OK);
	msg_close_fds(&m);
}

/* Whatever the manager asks for: what xenstore says of this device now. */
static void
only_the_page_that_was_offered_is_opened(void **state)
{
	struct xb_dev d = { .domid = 5, .gref = 8, .port = 7 };
	struct xb_opened o;
	struct xenback x;

	(void)state;
	begin(&x);
	memset(&opened_front, 0, sizeof(opened_front));
	offers(&x, 8);
	answer(&x, XB_CONNECT, VT_OK);
	ask_to_open(&x, &d, &o, 2);
	assert_int_equal(o.rc, VT_OK);
	assert_int_equal(o.local, 33);
	assert_int_equal(opened_front.domid, 5);
	assert_int_equal(opened_front.gref, 8);
	assert_int_equal(opened_front.port, 7);
	d.gref = 9;
	ask_to_open(&x, &d, &o, 0);
	assert_int_equal(o.rc, VT_E_STATE);
	d.gref = 8;
	d.port = 6;
	ask_to_open(&x, &d, &o, 0);
	assert_int_equal(o.rc, VT_E_STATE);
	d.port = 7;
	d.domid = 6;
	ask_to_open(&x, &d, &o, 0);
	assert_int_equal(o.rc, VT_E_STATE);
	assert_int_equal(opened_front.calls, 1);
	d.domid = 5;
	opened_front.rc = VT_E_SYS;
	ask_to_open(&x, &d, &o, 0);
	assert_int_equal(o.rc, VT_E_SYS);
	assert_non_null(strstr(o.text, "cannot bind its event channel"));
	end(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_page_that_was_offered_is_opened),
		cmocka_unit_test(
		    what_is_refused_again_and_again_waits_longer_each_time),
		cmocka_unit_test(a_page_that_comes_before_its_time_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
#include "tests/unit/no_xen.h"
#endif
