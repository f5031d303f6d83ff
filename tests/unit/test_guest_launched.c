/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_guest_launched.c - what a deep quote says of launch and cap when the
 * worker lies, with a real store.
 */
#include "one_guest.h"

#include "measure/evidence/deep_leaf.h"
#include "vtpm_manager/guest/guest_launched.h"
#include "vtpm_manager/guest/guest_op.h"
#include "vtpm_manager/guest/guest_store.h"
#include "vtpm_manager/store/store_blob.h"

void __wrap_audit_log(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *fmt, ...)
    VT_PRINTF(6, 7);
void __wrap_commit_soon(struct mgr *m, void (*cb)(void *, int), void *arg);

static struct {
	struct mgr m;
	struct guest_run g;
	unsigned int denied;
} f;

void
__wrap_audit_log(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *fmt, ...)
{
	(void)m;
	(void)who;
	(void)action;
	(void)object;
	(void)fmt;
	f.denied += strcmp(result, "denied") == 0;
}

void
__wrap_commit_soon(struct mgr *m, void (*cb)(void *, int), void *arg)
{
	(void)m;
	(void)cb;
	(void)arg;
}

static int
begin(void **state)
{
	static const char id[] = "{\"banks\":[\"sha256\"]}";

	memset(&f, 0, sizeof(f));
	if (one_guest_begin(state, &f.m, &f.g) != 0)
		return -1;
	assert_int_equal(store_extra_put(f.m.st, f.g.in.uuid, SX_CERTS,
			     (const uint8_t *)id, sizeof(id) - 1),
	    VT_OK);
	return 0;
}

static int
end(void **state)
{
	return one_guest_end(state, &f.m);
}

/* `vtpmctl launch` with a record of these words. */
static void
launch(const char *words)
{
	struct wlaunch l = { .mode = LAUNCH_FIRMWARE };
	size_t len = strlen(words);
	uint8_t buf[256];
	struct wr w;

	l.record.p = (const uint8_t *)words;
	l.record.len = (uint32_t)len;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wlaunch, &l);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(
	    store_extra_put(f.m.st, f.g.in.uuid, SX_LAUNCH, buf, w.len), VT_OK);
	assert_int_equal(
	    guest_launched_issue(&f.m, &f.g.in, (const uint8_t *)words, len),
	    VT_OK);
}

/* The flags of the leaf when the worker claims these, and that launch. */
static uint32_t
claim(uint32_t flags, const char *words)
{
	static const uint8_t none[SHA256_LEN];
	struct wdeep d = { .flags = flags };
	uint8_t want[SHA256_LEN];

	assert_int_equal(
	    digest_buf(ALG_SHA256, words, strlen(words), want), VT_OK);
	memcpy(d.launch, want, sizeof(want));
	guest_launched_check(&f.g, &d);
	assert_memory_equal(d.launch,
	    (d.flags & DEEP_F_LAUNCHED) != 0 ? want : none, SHA256_LEN);
	return d.flags;
}

#define LAUNCHED DEEP_F_LAUNCHED
#define RESTORED DEEP_F_RESTORED
#define CAPPED DEEP_F_CAPPED

static void
a_launch_that_the_registry_never_had_is_none(void **state)
{
	(void)state;
	assert_int_equal(claim(LAUNCHED, "good"), 0);
	assert_int_equal(claim(LAUNCHED, "good"), 0);
	assert_int_equal(claim(LAUNCHED, "another"), 0);
	assert_int_equal(f.denied, 1); /* said once */
	launch("bad");
	assert_int_equal(claim(LAUNCHED, "good"), 0);
	assert_int_equal(claim(LAUNCHED, "bad"), LAUNCHED);
	assert_int_equal(claim(0, "bad"), 0); /* not measured yet */
}

static void
a_launch_that_is_over_comes_back_as_restored(void **state)
{
	(void)state;
	launch("good");
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED);
	guest_forget_launch(&f.m, &f.g.in);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
	launch("bad");
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
	assert_int_equal(claim(LAUNCHED, "bad"), LAUNCHED);
	assert_int_equal(f.denied, 1);
}

static void
of_many_launches_the_newest_are_known(void **state)
{
	char words[16];
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		(void)snprintf(words, sizeof(words), "launch %d", i);
		launch(words);
	}
	assert_int_equal(claim(LAUNCHED, "launch 19"), LAUNCHED);
	assert_int_equal(claim(LAUNCHED, "launch 4"), LAUNCHED | RESTORED);
	assert_int_equal(claim(LAUNCHED, "launch 3"), 0);
}

/* A saved Xen domain that continues has the launch that it had. */
static void
a_saved_domain_keeps_its_launch(void **state)
{
	(void)state;
	launch("good");
	assert_int_equal(guest_launched_save(&f.m, &f.g.in), VT_OK);
	guest_forget_launch(&f.m, &f.g.in); /* stopped */
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
	assert_int_equal(guest_launched_start(&f.m, &f.g.in, true), VT_OK);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED);
	assert_int_equal(guest_launched_save(&f.m, &f.g.in), VT_OK);
	guest_forget_launch(&f.m, &f.g.in);
	assert_int_equal(guest_launched_start(&f.m, &f.g.in, true), VT_OK);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED); /* twice */
	guest_forget_launch(&f.m, &f.g.in);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
}

/* xl vtpm-detach and vtpm-attach: the guest runs on. */
static void
a_detached_guest_keeps_its_launch(void **state)
{
	(void)state;
	launch("good");
	guest_leave_launch(&f.m, &f.g.in);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED);
	guest_leave_launch(&f.m, &f.g.in);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED); /* twice */
	assert_int_equal(guest_launched_save(&f.m, &f.g.in), VT_OK);
	guest_forget_launch(&f.m, &f.g.in); /* saved */
	assert_int_equal(guest_launched_start(&f.m, &f.g.in, true), VT_OK);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED);
	guest_forget_launch(&f.m, &f.g.in); /* another domain */
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
	guest_leave_launch(&f.m, &f.g.in);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
	launch("bad");
	guest_leave_launch(&f.m, &f.g.in);
	assert_int_equal(claim(LAUNCHED, "bad"), LAUNCHED);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
}

/* Nor does a store that has room again, which is another guest's doing, end it.
 */
static void
a_store_that_takes_data_again_ends_no_launch(void **state)
{
	(void)state;
	f.m.start = START_READY;
	f.m.storage_ok = true;
	launch("good");
	guest_launch_over(&f.g); /* detached */
	f.m.storage_changed(&f.m);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED);
	f.g.launch_over = true; /* its worker says so, too: it has ended */
	f.m.storage_changed(&f.m);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
}

static void
a_start_without_the_saved_state_has_no_launch(void **state)
{
	(void)state;
	launch("good");
	assert_int_equal(guest_launched_save(&f.m, &f.g.in), VT_OK);
	guest_forget_launch(&f.m, &f.g.in);
	assert_int_equal(guest_launched_start(&f.m, &f.g.in, false), VT_OK);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
	/* nor is it there for a later one */
	assert_int_equal(guest_launched_start(&f.m, &f.g.in, true), VT_OK);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
	/* nor for the next domain that is saved, which was not launched */
	launch("good");
	assert_int_equal(guest_launched_save(&f.m, &f.g.in), VT_OK);
	guest_forget_launch(&f.m, &f.g.in);
	assert_int_equal(guest_launched_save(&f.m, &f.g.in), VT_OK);
	assert_int_equal(guest_launched_start(&f.m, &f.g.in, true), VT_OK);
	assert_int_equal(claim(LAUNCHED, "good"), LAUNCHED | RESTORED);
}

static void
a_cap_that_the_manager_knows_stays(void **state)
{
	(void)state;
	f.g.capped = true;
	assert_int_equal(claim(0, ""), CAPPED);
	f.g.capped = false;
	assert_int_equal(claim(CAPPED, ""), CAPPED);
	assert_int_equal(claim(0, ""), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_launch_that_the_registry_never_had_is_none, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_launch_that_is_over_comes_back_as_restored, begin, end),
		cmocka_unit_test_setup_teardown(
		    of_many_launches_the_newest_are_known, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_saved_domain_keeps_its_launch, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_detached_guest_keeps_its_launch, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_store_that_takes_data_again_ends_no_launch, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_start_without_the_saved_state_has_no_launch, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_cap_that_the_manager_knows_stays, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
