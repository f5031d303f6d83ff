/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_host_fit.c - no vTPM is certified on a reading of the host's PCRs that
 * was begun before it was asked for; one reading serves all who wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/host/host_fit.h"
#include "vtpm_manager/host/host_keys.h"

/* --- in place of the rest of the manager ---------------------------------- */

static struct hwlink *const link_ = (struct hwlink *)(uintptr_t)0x1000;
static struct mgr mgr;
static bool bound, good;
static int refuse; /* what hwlink_request() says */
static struct {
	hw_cb cb;
	void *arg;
	unsigned int n; /* readings that were begun */
} reading;

int __wrap_hwlink_request(struct hwlink *h, uint16_t type,
    const struct wr *body, hw_cb cb, void *arg);
void __wrap_hwlink_forget(struct hwlink *h, void *arg);
bool __wrap_host_keys_must_fit(const struct mgr *m);
bool __wrap_host_keys_approved(const struct mgr *m, const struct hw_answer *a);

int
__wrap_hwlink_request(
    struct hwlink *h, uint16_t type, const struct wr *body, hw_cb cb, void *arg)
{
	assert_ptr_equal(h, link_);
	assert_int_equal(type, HW_PCRS);
	assert_null(body);
	assert_null(reading.cb); /* one at a time */
	if (refuse != VT_OK)
		return refuse;
	reading.cb = cb;
	reading.arg = arg;
	reading.n++;
	return VT_OK;
}

void
__wrap_hwlink_forget(struct hwlink *h, void *arg)
{
	(void)h;
	if (reading.arg == arg)
		reading.cb = NULL;
}

bool
__wrap_host_keys_must_fit(const struct mgr *m)
{
	(void)m;
	return bound;
}

bool
__wrap_host_keys_approved(const struct mgr *m, const struct hw_answer *a)
{
	(void)m;
	return a->rc == VT_OK && good;
}

/* The reading ends; the host is then in a state that is approved, or not. */
static void
reads(int rc, bool ok)
{
	struct hw_answer a = { .rc = rc };
	hw_cb cb = reading.cb;

	assert_non_null(cb);
	if (rc != VT_OK)
		(void)snprintf(a.text, sizeof(a.text), "the TPM is away");
	good = ok;
	reading.cb = NULL;
	cb(reading.arg, &a);
}

/* --- who asks --------------------------------------------------------------
 */

struct guest_ {
	int told, rc;
	char text[80];
	struct guest_ *ends; /* forgets this one when it is told */
};

static void
on_told(void *arg, int rc, const char *text)
{
	struct guest_ *g = arg;

	g->told++;
	g->rc = rc;
	(void)snprintf(g->text, sizeof(g->text), "%s", text);
	if (g->ends != NULL)
		host_fit_forget(&mgr, g->ends);
}

static void
asks(struct guest_ *g)
{
	int rc = VT_E_SYS;

	assert_false(host_fit(&mgr, on_told, g, &rc));
	assert_int_equal(rc, VT_OK);
	assert_int_equal(g->told, 0);
}

static int
setup(void **state)
{
	(void)state;
	memset(&mgr, 0, sizeof(mgr));
	memset(&reading, 0, sizeof(reading));
	mgr.hw = link_;
	bound = true;
	refuse = VT_OK;
	return host_fit_new(&mgr) == VT_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	host_fit_free(&mgr);
	assert_null(reading.cb);
	host_fit_free(&mgr); /* a no-op */
	return 0;
}

static void
a_host_without_states_is_not_read(void **state)
{
	struct guest_ g = { 0 };
	int rc = VT_E_SYS;

	(void)state;
	bound = false;
	assert_true(host_fit(&mgr, on_told, &g, &rc));
	assert_int_equal(rc, VT_OK);
	assert_int_equal(reading.n, 0);
	assert_int_equal(g.told, 0);
}

static void
who_asks_during_a_reading_waits_for_the_next(void **state)
{
	struct guest_ a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	asks(&a);
	asks(&b);
	asks(&c);
	assert_int_equal(reading.n, 1);
	reads(VT_OK, true); /* a's: the state changes after it */
	assert_int_equal(a.told, 1);
	assert_int_equal(a.rc, VT_OK);
	assert_int_equal(b.told + c.told, 0);
	assert_int_equal(reading.n, 2); /* b's and c's */
	reads(VT_OK, false);
	assert_int_equal(b.rc, VT_E_POLICY);
	assert_int_equal(c.rc, VT_E_POLICY);
	assert_non_null(strstr(c.text, "no approved state"));
	assert_int_equal(a.told + b.told + c.told, 3);
	assert_null(reading.cb); /* nobody waits */
	memset(&a, 0, sizeof(a));
	asks(&a);
	assert_int_equal(reading.n, 3); /* nothing is remembered */
	reads(VT_E_TIMEOUT, true);
	assert_int_equal(a.rc, VT_E_POLICY);
	assert_string_equal(a.text, "the TPM is away");
}

static void
who_is_forgotten_is_not_told(void **state)
{
	struct guest_ a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	asks(&a);
	asks(&b);
	asks(&c);
	host_fit_forget(&mgr, &a);
	host_fit_forget(&mgr, &b);
	reads(VT_OK, true);
	assert_int_equal(a.told, 0);
	/* Telling one may be what makes another be forgotten. */
	c.ends = &b;
	reads(VT_OK, true);
	assert_int_equal(c.told, 1);
	assert_int_equal(b.told, 0);
	asks(&a); /* and is freed while it waits */
}

static void
a_reading_that_cannot_be_begun_is_said(void **state)
{
	struct guest_ a = { 0 }, b = { 0 };
	int rc = VT_OK;

	(void)state;
	refuse = VT_E_NOMEM;
	assert_false(host_fit(&mgr, on_told, &a, &rc));
	assert_int_equal(rc, VT_E_NOMEM);
	assert_int_equal(a.told, 0);
	refuse = VT_OK;
	asks(&a);
	asks(&b);
	refuse = VT_E_NOMEM;
	reads(VT_OK, true);
	assert_int_equal(a.told, 1);
	assert_int_equal(b.told, 1);
	assert_int_equal(b.rc, VT_E_NOMEM);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_host_without_states_is_not_read),
		T(who_asks_during_a_reading_waits_for_the_next),
		T(who_is_forgotten_is_not_told),
		T(a_reading_that_cannot_be_begun_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
