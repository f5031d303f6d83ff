/* SPDX-License-Identifier: BSD-3-Clause */
/* test_local_queue.c - front halves that wait for a local ring, and that come
 * back to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/fakeback.h"
#include "tpmback/local_queue.h"

#define L0 0x01
#define TPM20 2

struct waiter {
	const char *path;
	struct ring_local_how how;
	struct ring *ring;
	char holder[RING_TEXT_MAX];
	int rc;
	bool done;
	pthread_t t;
};

static void *
wait_thread(void *arg)
{
	struct waiter *w = arg;

	w->rc = ring_local_open(w->path, &w->how, &w->ring, w->holder);
	__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool
is_done(const struct waiter *w)
{
	return __atomic_load_n(&w->done, __ATOMIC_ACQUIRE);
}

static void
pump_for(struct fakeback *fb, const struct waiter *w, unsigned int ms)
{
	uint64_t end = now_us() + (uint64_t)ms * 1000;

	while (!is_done(w) && now_us() < end)
		fb_pump(fb, 5);
}

static void
start(struct fakeback *fb, struct waiter *w, int turn_ms)
{
	memset(w, 0, sizeof(*w));
	w->path = fb->path;
	w->how =
	    (struct ring_local_how){ .timeout_ms = 5000, .turn_ms = turn_ms };
	assert_int_equal(pthread_create(&w->t, NULL, wait_thread, w), 0);
	pump_for(fb, w, 50);
}

static void
join(struct fakeback *fb, struct waiter *w)
{
	pump_for(fb, w, 5000);
	assert_true(is_done(w));
	assert_int_equal(pthread_join(w->t, NULL), 0);
}

static void
each_is_served_in_turn(void **state)
{
	struct fakeback fb;
	struct waiter w[3];
	struct ring *r;
	int i;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	for (i = 0; i < 3; i++)
		start(&fb, &w[i], 5000);
	for (i = 0; i < 3; i++) {
		assert_false(is_done(&w[i]));
		ring_close(r);
		join(&fb, &w[i]);
		assert_int_equal(w[i].rc, VT_OK);
		r = w[i].ring;
	}
	assert_int_equal(fb.notes[CN_BUSY], 0);
	ring_close(r);
	fb_close(&fb);
}

static void
the_wait_has_an_end_and_says_who_has_it(void **state)
{
	struct fakeback fb;
	struct waiter w;
	struct ring *r;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	start(&fb, &w, 100);
	join(&fb, &w);
	assert_int_equal(w.rc, VT_E_BUSY);
	assert_non_null(strstr(w.holder, "process "));
	ring_close(r);
	fb_close(&fb);
}

/* Who gave up waiting takes nobody's turn. */
static void
one_that_left_is_passed_over(void **state)
{
	struct fakeback fb;
	struct waiter gone, w;
	struct ring *r;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	start(&fb, &gone, 60);
	start(&fb, &w, 5000);
	join(&fb, &gone);
	ring_close(r);
	join(&fb, &w);
	assert_int_equal(w.rc, VT_OK);
	ring_close(w.ring);
	fb_close(&fb);
}

/* Silent connections fill the queue, and the dead ones among them make room. */
static void
the_queue_is_bounded(void **state)
{
	int fd[LOCAL_WAITING], i;
	struct fakeback fb;
	struct waiter w;
	struct ring *r;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	for (i = 0; i < LOCAL_WAITING; i++) {
		fd[i] = unix_connect(fb.path);
		assert_int_not_equal(fd[i], -1);
	}
	fb_pump(&fb, 100);
	start(&fb, &w, 5000);
	join(&fb, &w);
	assert_int_equal(w.rc, VT_E_BUSY);
	assert_int_equal(fb.notes[CN_BUSY], 1);
	(void)close(fd[3]);
	start(&fb, &w, 5000);
	assert_false(is_done(&w));
	for (i = 0; i < LOCAL_WAITING; i++)
		if (i != 3)
			(void)close(fd[i]);
	ring_close(r);
	join(&fb, &w);
	assert_int_equal(w.rc, VT_OK);
	ring_close(w.ring);
	fb_close(&fb);
}

static void
who_waits_gets_nothing_while_a_guest_has_the_tpm(void **state)
{
	struct fakeback fb;
	struct waiter w;
	struct ring *r;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	start(&fb, &w, 300);
	fb.elsewhere = true;
	ring_close(r);
	join(&fb, &w);
	assert_int_equal(w.rc, VT_E_BUSY);
	fb_close(&fb);
}

/* --- begin, end, what is kept ----------------------------------------------
 */

static unsigned int began, ended;
static bool kept;

static void
note_began(void *arg, struct chan *ch)
{
	(void)arg;
	(void)ch;
	began++;
}

static void
note_ended(void *arg, struct chan *ch, bool keeps)
{
	(void)arg;
	(void)ch;
	ended++;
	kept = keeps;
}

static void
the_end_is_told_once_with_what_it_wants_kept(void **state)
{
	struct fakeback fb;
	struct waiter w;
	unsigned int i;

	(void)state;
	fb_open(&fb, L0, TPM20);
	fb.host.began = note_began;
	fb.host.ended = note_ended;
	began = ended = 0;
	for (i = 0; i < 4; i++) {
		memset(&w, 0, sizeof(w));
		w.path = fb.path;
		w.how = (struct ring_local_how){ .timeout_ms = 5000,
			.keeps = i % 2 == 1 };
		assert_int_equal(
		    pthread_create(&w.t, NULL, wait_thread, &w), 0);
		join(&fb, &w);
		assert_int_equal(w.rc, VT_OK);
		assert_int_equal(began, i + 1);
		assert_int_equal(ended, i);
		ring_close(w.ring);
		fb_pump(&fb, 1000);
		assert_int_equal(ended, i + 1);
		assert_int_equal(kept, w.how.keeps);
	}
	fb_close(&fb);
}

/* What its last command loads must be seen. */
static void
the_end_comes_after_the_last_command(void **state)
{
	uint8_t cmd[64];
	struct fakeback fb;
	struct ring *r;

	(void)state;
	fb_open(&fb, L0, TPM20);
	fb.host.ended = note_ended;
	ended = 0;
	r = fb_attach(&fb);
	assert_int_equal(
	    ring_submit(r, 0, cmd, fb_command(cmd, FCC_DEFER, "", 0)), VT_OK);
	fb_pump(&fb, 1000);
	assert_true(fb.deferred);
	ring_close(r);
	fb_pump(&fb, 1000);
	assert_int_equal(ended, 0);
	fb_poke(&fb);
	fb_pump(&fb, 1000);
	assert_int_equal(ended, 1);
	fb_close(&fb);
}

/* --- coming back ------------------------------------------------------------
 */

static void
a_ring_comes_back_to_a_vtpm_that_was_started_again(void **state)
{
	struct fakeback fb, next;
	struct waiter w;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t len, n;
	bool again;

	(void)state;
	for (again = false;; again = true) {
		fb_open(&fb, L0, TPM20);
		memset(&w, 0, sizeof(w));
		w.path = fb.path;
		w.how = (struct ring_local_how){ .timeout_ms = 5000,
			.again = again };
		assert_int_equal(
		    pthread_create(&w.t, NULL, wait_thread, &w), 0);
		join(&fb, &w);
		assert_int_equal(w.rc, VT_OK);
		assert_int_not_equal(ring_fd(w.ring), -1);
		next = fb;
		chan_free(fb.ch);
		(void)unlink(fb.path);
		len = fb_command(cmd, FCC_ECHO, "hello", 5);
		if (!again) {
			assert_int_equal(ring_ready(w.ring, 50), VT_OK);
			assert_int_equal(
			    ring_submit(w.ring, 0, cmd, len), VT_OK);
			assert_int_equal(
			    ring_wait(w.ring, 1000, &resp, &n), VT_E_CLOSED);
			ring_close(w.ring);
			fb_listen(&next, L0, TPM20);
			fb_close(&next);
			continue;
		}
		assert_int_equal(ring_ready(w.ring, 50), VT_E_SYS);
		assert_non_null(strstr(ring_why(w.ring), "No such file"));
		fb_listen(&next, L0, TPM20);
		next.host = fb.host;
		fb_run(&next);
		assert_int_equal(ring_ready(w.ring, 5000), VT_OK);
		assert_int_equal(ring_submit(w.ring, 0, cmd, len), VT_OK);
		assert_int_equal(ring_wait(w.ring, 5000, &resp, &n), VT_OK);
		assert_int_equal(n, len);
		ring_close(w.ring);
		fb_close(&next);
		break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_served_in_turn),
		cmocka_unit_test(the_wait_has_an_end_and_says_who_has_it),
		cmocka_unit_test(one_that_left_is_passed_over),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(
		    who_waits_gets_nothing_while_a_guest_has_the_tpm),
		cmocka_unit_test(the_end_is_told_once_with_what_it_wants_kept),
		cmocka_unit_test(the_end_comes_after_the_last_command),
		cmocka_unit_test(
		    a_ring_comes_back_to_a_vtpm_that_was_started_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
