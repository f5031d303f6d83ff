/* SPDX-License-Identifier: BSD-3-Clause */
/* test_local_chan.c - the local channel against good and bad front halves. */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/msg.h"
#include "tests/unit/fakeback.h"
#include "tpmback/local.h"

#define L0 0x01
#define L0_AND_3 0x09
#define TPM12 1
#define TPM20 2

static size_t
echo_cmd(uint8_t *buf, const char *text)
{
	return fb_command(buf, FCC_ECHO, text, strlen(text));
}

/* Submit, let the back half work, take the answer. */
static uint32_t
ask(struct fakeback *fb, struct ring *r, uint8_t locality, const uint8_t *cmd,
    size_t len, size_t *ret_len)
{
	const uint8_t *resp;

	assert_int_equal(ring_submit(r, locality, cmd, len), VT_OK);
	fb_pump(fb, 1000);
	assert_int_equal(ring_wait(r, 0, &resp, ret_len), VT_OK);
	return be32_get(resp + 6);
}

static void
assert_alive(struct fakeback *fb, struct ring *r)
{
	uint8_t cmd[64];
	size_t len = echo_cmd(cmd, "alive"), n;

	assert_int_equal(ask(fb, r, 0, cmd, len, &n), 0);
	assert_int_equal(n, len);
}

static void
a_command_is_answered(void **state)
{
	struct fakeback fb;
	struct ring *r;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t len, n;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	assert_int_equal(ring_localities(r), L0);
	assert_int_equal(fb.notes[CN_OPEN], 1);
	assert_int_equal(fb.nkeep, 4);
	len = echo_cmd(cmd, "hello");
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	assert_int_equal(ring_wait(r, 0, &resp, &n), VT_E_AGAIN);
	fb_pump(&fb, 1000);
	assert_int_equal(ring_wait(r, 0, &resp, &n), VT_OK);
	assert_int_equal(n, len);
	assert_memory_equal(resp + FB_HDR, "hello", 5);
	assert_int_equal(ring_wait(r, 0, &resp, &n), VT_E_STATE);
	ring_close(r);
	fb_pump(&fb, 1000);
	assert_int_equal(fb.notes[CN_CLOSED], 1);
	assert_int_equal(fb.nkeep, 0);
	fb_close(&fb);
}

static void
the_largest_command_fits(void **state)
{
	static uint8_t cmd[TPMIF_MAX_CMD], body[TPMIF_MAX_CMD];
	struct fakeback fb;
	struct ring *r;
	size_t len, n;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	memset(body, 0x5a, sizeof(body));
	len = fb_command(cmd, FCC_ECHO, body, sizeof(cmd) - FB_HDR);
	assert_int_equal(len, 4088);
	assert_int_equal(ask(&fb, r, 0, cmd, len, &n), 0);
	assert_int_equal(n, 4088);
	assert_int_equal(ring_submit(r, 0, cmd, len + 1), VT_E_RANGE);
	ring_close(r);
	fb_close(&fb);
}

static void
a_second_front_half_that_does_not_wait_gets_words(void **state)
{
	struct fakeback fb;
	struct fb_connect second;
	struct ring *r;
	int i;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	for (i = 0; i < 3; i++) {
		second = fb_attach_for(&fb, 5000);
		assert_int_equal(second.rc, VT_E_BUSY);
		assert_non_null(strstr(second.holder, "process "));
	}
	assert_alive(&fb, r);
	ring_close(r);
	r = fb_attach(&fb); /* leaving makes room */
	assert_alive(&fb, r);
	ring_close(r);
	fb_close(&fb);
}

/* The listener is seen first when both became ready in one poll. */
static void
who_comes_right_after_the_last_left_is_served(void **state)
{
	struct fakeback fb;
	struct ring *r;
	int i;

	(void)state;
	fb_open(&fb, L0, TPM20);
	for (i = 0; i < 50; i++) {
		r = fb_attach(&fb);
		ring_close(r); /* no pump in between */
	}
	assert_int_equal(fb.notes[CN_BUSY], 0);
	fb_close(&fb);
}

/* Write a header by hand, as no good front half would. */
static void
raw_submit(struct ring *r, uint32_t length, uint8_t locality, uint8_t extra,
    uint32_t size_field)
{
	struct tpmif_page *page = &ring_view(r)->page;

	(void)fb_command(page->data, FCC_ECHO, "", 0);
	be32_put(page->data + 2, size_field);
	page->length = length;
	page->locality = locality;
	page->nr_extra_pages = extra;
	__atomic_store_n(&page->state, TPMIF_SUBMIT, __ATOMIC_SEQ_CST);
	ring_notify(r);
}

static void
a_bad_header_is_answered_with_an_error(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		uint32_t	 length;
		uint8_t		 locality, extra;
		uint32_t	 size, rc20, rc12;
	} cases[] = {
		{ "nothing",		0,	 0, 0, 10,   0x142, 0x19 },
		{ "one short",		9,	 0, 0, 9,    0x142, 0x19 },
		{ "one too long",	4089,	 0, 0, 4089, 0x142, 0x19 },
		{ "longest",		~0u,	 0, 0, ~0u,  0x142, 0x19 },
		{ "wraps",		0x80000000u, 0, 0, 10, 0x142, 0x19 },
		{ "size too small",	12,	 0, 0, 10,   0x142, 0x19 },
		{ "size too large",	10,	 0, 0, 11,   0x142, 0x19 },
		{ "size huge",		10,	 0, 0, ~0u,  0x142, 0x19 },
		{ "extra page",		10,	 0, 1, 10,   0x142, 0x19 },
		{ "extra pages",	10,	 0, 255, 10, 0x142, 0x19 },
		{ "locality 1",		10,	 1, 0, 10,   0x907, 0x3d },
		{ "locality 4",		10,	 4, 0, 10,   0x907, 0x3d },
		{ "locality 8",		10,	 8, 0, 10,   0x907, 0x3d },
		{ "locality 32",	10,	 32, 0, 10,  0x907, 0x3d },
		{ "locality 255",	10,	 255, 0, 10, 0x907, 0x3d },
	};
	/* clang-format on */
	struct fakeback fb;
	struct tpmif_page *page;
	struct ring *r;
	size_t i;
	uint8_t v;

	(void)state;
	for (v = TPM12; v <= TPM20; v++) {
		fb_open(&fb, L0, v);
		r = fb_attach(&fb);
		page = &ring_view(r)->page;
		for (i = 0; i < VT_NELEM(cases); i++) {
			print_message("  %s\n", cases[i].what);
			raw_submit(r, cases[i].length, cases[i].locality,
			    cases[i].extra, cases[i].size);
			fb_pump(&fb, 1000);
			assert_int_equal(page->state, TPMIF_FINISH);
			assert_int_equal(page->length, 10);
			assert_int_equal(page->nr_extra_pages, 0);
			assert_int_equal(page->pad, 0);
			assert_int_equal(
			    be16_get(page->data), v == TPM12 ? 0xc4 : 0x8001);
			assert_int_equal(be32_get(page->data + 2), 10);
			assert_int_equal(be32_get(page->data + 6),
			    v == TPM12 ? cases[i].rc12 : cases[i].rc20);
		}
		assert_int_equal(fb.submits, 0);
		assert_int_equal(fb.notes[CN_VIOLATION], 1); /* not 15 */
		assert_alive(&fb, r);
		ring_close(r);
		fb_close(&fb);
	}
}

/* The ring never waits for a rest: the page is all there is. */
static void
every_size_and_length_is_answered_at_once(void **state)
{
	struct fakeback fb;
	struct tpmif_page *page;
	struct ring *r;
	uint32_t size;
	size_t i;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	page = &ring_view(r)->page;
	for (size = 0; size <= 5000; size++) {
		const uint32_t lens[] = { size, size / 2, size - 1, size + 1,
			size + 9, 0, 10, 4088, 4096 };

		for (i = 0; i < VT_NELEM(lens); i++) {
			bool good = lens[i] == size && size >= 10 &&
				    size <= TPMIF_MAX_CMD;

			raw_submit(r, lens[i], 0, 0, size);
			fb_pump(&fb, 1000);
			assert_int_equal(page->state, TPMIF_FINISH);
			assert_int_equal(
			    be32_get(page->data + 6), good ? 0 : 0x142);
		}
	}
	assert_alive(&fb, r);
	ring_close(r);
	fb_close(&fb);
}

static void
a_granted_locality_arrives(void **state)
{
	struct fakeback fb;
	struct ring *r;
	uint8_t cmd[64];
	size_t len, n;

	(void)state;
	fb_open(&fb, L0_AND_3, TPM20);
	r = fb_attach(&fb);
	len = echo_cmd(cmd, "x");
	assert_int_equal(ask(&fb, r, 3, cmd, len, &n), 0);
	assert_int_equal(fb.locality, 3);
	assert_int_equal(ask(&fb, r, 2, cmd, len, &n), 0x907);
	assert_int_equal(fb.submits, 1);
	ring_close(r);
	fb_close(&fb);
}

static void
a_state_that_is_none_becomes_idle(void **state)
{
	struct fakeback fb;
	struct tpmif_page *page;
	struct ring *r;
	int s;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	page = &ring_view(r)->page;
	for (s = TPMIF_CANCEL; s < 256; s++) {
		page->state = (uint8_t)s;
		ring_notify(r);
		fb_pump(&fb, 1000);
		assert_int_equal(page->state, TPMIF_IDLE);
	}
	assert_int_equal(fb.cancels, 0); /* nothing ran */
	assert_int_equal(fb.notes[CN_VIOLATION], 1);
	assert_alive(&fb, r);
	ring_close(r);
	fb_close(&fb);
}

static void
an_answer_that_does_not_fit_becomes_an_error(void **state)
{
	struct fakeback fb;
	struct ring *r;
	uint8_t cmd[64];
	size_t len, n;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	len = fb_command(cmd, FCC_LONG, "", 0);
	assert_int_equal(ask(&fb, r, 0, cmd, len, &n), 0x095);
	assert_int_equal(n, 10);
	len = fb_command(cmd, FCC_SHORT, "", 0);
	assert_int_equal(ask(&fb, r, 0, cmd, len, &n), 0x101);
	assert_alive(&fb, r);
	ring_close(r);
	fb_close(&fb);
}

static void
a_late_answer_finds_its_way(void **state)
{
	struct fakeback fb;
	struct ring *r;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t len, n;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	len = fb_command(cmd, FCC_DEFER, "", 0);
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	fb_pump(&fb, 1000);
	assert_int_equal(ring_wait(r, 1, &resp, &n), VT_E_AGAIN);
	ring_notify(r); /* impatience changes nothing */
	fb_pump(&fb, 1000);
	assert_int_equal(fb.submits, 1);
	ring_cancel(r);
	fb_pump(&fb, 1000);
	assert_int_equal(fb.cancels, 1);
	fb_poke(&fb);
	fb_pump(&fb, 1000);
	assert_int_equal(ring_wait(r, 0, &resp, &n), VT_OK);
	assert_memory_equal(resp + FB_HDR, "late", 4);
	ring_close(r);
	fb_close(&fb);
}

/* The answer to a dead front half's command is nobody's; the next one waits
 * for it and gets a clean page. */
static void
leaving_in_mid_command_drains_it(void **state)
{
	struct fakeback fb;
	struct fb_connect c;
	struct ring *r;
	pthread_t t;
	uint8_t cmd[64];
	size_t len;
	int i;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	len = fb_command(cmd, FCC_DEFER, "", 0);
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	fb_pump(&fb, 1000);
	assert_true(fb.deferred);
	ring_close(r);
	fb_pump(&fb, 1000);
	assert_int_equal(fb.notes[CN_CLOSED], 1);

	c = (struct fb_connect){ .path = fb.path };
	assert_int_equal(pthread_create(&t, NULL, fb_connect_thread, &c), 0);
	for (i = 0; i < 10; i++)
		fb_pump(&fb, 5);
	assert_false(__atomic_load_n(&c.done, __ATOMIC_ACQUIRE));
	fb_poke(&fb);
	while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE))
		fb_pump(&fb, 5);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(c.rc, VT_OK);
	assert_int_equal(ring_view(c.ring)->header, 0);
	assert_int_equal(ring_view(c.ring)->page.data[0], 0);
	assert_alive(&fb, c.ring);
	ring_close(c.ring);
	fb_close(&fb);
}

static void
cancel_reaches_a_command_that_runs(void **state)
{
	struct fakeback fb;
	struct ring *r;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t len, n;
	uint64_t t0;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	fb_run(&fb);
	len = fb_command(cmd, FCC_SLOW, "", 0);
	t0 = now_us();
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	assert_int_equal(ring_wait(r, 30, &resp, &n), VT_E_AGAIN);
	ring_cancel(r);
	assert_int_equal(ring_wait(r, 5000, &resp, &n), VT_OK);
	assert_int_equal(be32_get(resp + 6), 0x909);
	assert_true(now_us() - t0 < FB_SLOW_MS * 1000 / 2);
	ring_close(r);
	fb_close(&fb);
}

static void
leaving_ends_a_command_that_runs(void **state)
{
	struct fakeback fb;
	struct ring *r, *next;
	char holder[RING_TEXT_MAX];
	uint8_t cmd[64];
	size_t len;
	uint64_t t0;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	fb_run(&fb);
	len = fb_command(cmd, FCC_SLOW, "", 0);
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	usleep(20000);
	t0 = now_us();
	ring_close(r);
	assert_int_equal(
	    ring_local_connect(fb.path, 5000, &next, holder), VT_OK);
	assert_true(now_us() - t0 < FB_SLOW_MS * 1000 / 2);
	ring_close(next);
	fb_close(&fb);
}

/* Raw greeting: what a front half is given cannot be resized. */
static void
the_memory_cannot_be_resized(void **state)
{
	struct fakeback fb;
	struct msgch *ch;
	struct msg m;
	int fd;

	(void)state;
	fb_open(&fb, L0, TPM20);
	fd = unix_connect(fb.path);
	assert_true(fd >= 0);
	assert_int_equal(msgch_new(fd, 0, &ch), VT_OK);
	fb_pump(&fb, 1000);
	assert_int_equal(msgch_recv_wait(ch, 1000, &m), VT_OK);
	assert_int_equal(m.type, LOCAL_HELLO);
	assert_int_equal(m.nfds, 3);
	assert_int_equal(ftruncate(m.fds[0], 0), -1);
	assert_int_equal(ftruncate(m.fds[0], 65536), -1);
	assert_int_equal(fcntl(m.fds[0], F_ADD_SEALS, F_SEAL_WRITE), -1);
	msg_close_fds(&m);
	msgch_free(ch);
	fb_close(&fb);
}

static void
speaking_on_the_connection_ends_it(void **state)
{
	struct fakeback fb;
	struct msgch *ch;
	struct msg m;
	int fd;

	(void)state;
	fb_open(&fb, L0, TPM20);
	fd = unix_connect(fb.path);
	assert_int_equal(msgch_new(fd, 0, &ch), VT_OK);
	fb_pump(&fb, 1000);
	assert_int_equal(msgch_recv_wait(ch, 1000, &m), VT_OK);
	msg_close_fds(&m);
	assert_int_equal(write(fd, "hi", 2), 2);
	fb_pump(&fb, 1000);
	assert_int_equal(fb.notes[CN_VIOLATION], 1);
	assert_int_equal(fb.notes[CN_CLOSED], 1);
	msgch_free(ch);
	fb_close(&fb);
}

/* A new channel on the same listener takes over what the dead one kept. */
static void
successor(struct fakeback *fb, struct fakeback *next)
{
	int i, fds[4];

	for (i = 0; i < 4; i++)
		fds[i] = dup(fb->keep_fds[i]);
	fb_open(next, L0, TPM20);
	assert_int_equal(chan_adopt(next->ch, fds, 4), VT_OK);
}

static void
a_successor_fails_what_was_in_flight_and_goes_on(void **state)
{
	static const uint8_t page_states[] = { TPMIF_SUBMIT, TPMIF_CANCEL };
	struct fakeback fb, next;
	struct ring *r;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t len, n, i;

	(void)state;
	for (i = 0; i < VT_NELEM(page_states); i++) {
		fb_open(&fb, L0, TPM20);
		r = fb_attach(&fb);
		len = fb_command(cmd, FCC_DEFER, "", 0);
		assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
		fb_pump(&fb, 1000);
		ring_view(r)->page.state = page_states[i];
		/* it dies here: no FINISH, its hint says that it looks */
		((struct local_shm *)ring_view(r))->back_awake = 1;
		successor(&fb, &next);
		assert_int_equal(ring_wait(r, 1000, &resp, &n), VT_OK);
		assert_int_equal(be32_get(resp + 6), 0x101);
		assert_int_equal(next.submits, 0);
		assert_alive(&next, r);
		assert_int_equal(next.nkeep, 4);
		ring_close(r);
		fb_close(&next);
		fb_close(&fb);
	}
}

static void
a_successor_leaves_an_answer_alone(void **state)
{
	struct fakeback fb, next;
	struct ring *r;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t len, n;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	len = echo_cmd(cmd, "done");
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	fb_pump(&fb, 1000);
	successor(&fb, &next);
	assert_int_equal(ring_wait(r, 0, &resp, &n), VT_OK);
	assert_memory_equal(resp + FB_HDR, "done", 4);
	ring_close(r);
	fb_close(&next);
	fb_close(&fb);
}

static void
a_successor_refuses_memory_that_could_shrink(void **state)
{
	struct fakeback fb;
	int fds[4];

	(void)state;
	fb_open(&fb, L0, TPM20);
	fds[0] = dup(0);
	fds[1] = memfd_create("bad", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fds[1], LOCAL_SHM_SIZE), 0);
	fds[2] = eventfd(0, EFD_CLOEXEC);
	fds[3] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(chan_adopt(fb.ch, fds, 4), VT_E_FORMAT);
	fb_close(&fb);
}

/* --- hints ------------------------------------------------------------------
 */

static bool
bell_rings(struct fakeback *fb, const struct pollfd *p, int n)
{
	struct pollfd q = { .fd = fb->keep_fds[2], .events = POLLIN };

	(void)p;
	(void)n;
	return poll(&q, 1, 0) == 1;
}

static void
who_spins_is_not_notified(void **state)
{
	struct pollfd p[CHAN_MAX_FDS];
	struct fakeback fb;
	struct ring *r;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t len, n;
	int i;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	len = echo_cmd(cmd, "x");
	for (i = 0; i < 100; i++) {
		assert_false(chan_spin(fb.ch)); /* awake now */
		assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
		assert_false(bell_rings(&fb, NULL, 0));
		assert_true(chan_spin(fb.ch));
		assert_int_equal(ring_wait(r, 0, &resp, &n), VT_OK);
	}
	/* asleep: it must ring */
	assert_int_equal(chan_pollfds(fb.ch, p), 3);
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	assert_true(bell_rings(&fb, p, 3));
	fb_pump(&fb, 1000);
	assert_int_equal(ring_wait(r, 0, &resp, &n), VT_OK);
	ring_close(r);
	fb_close(&fb);
}

static void
what_came_just_before_sleep_wakes_at_once(void **state)
{
	struct pollfd p[CHAN_MAX_FDS];
	struct fakeback fb;
	struct ring *r;
	uint8_t cmd[64];
	size_t len;
	int n;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	len = echo_cmd(cmd, "x");
	assert_false(chan_spin(fb.ch));
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	assert_false(bell_rings(&fb, NULL, 0));
	n = chan_pollfds(fb.ch, p);
	assert_int_equal(poll(p, (nfds_t)n, 0), 1);
	chan_dispatch(fb.ch, p, n);
	assert_int_equal(fb.submits, 1);
	ring_close(r);
	fb_close(&fb);
}

/*
 * Both sides sleep and spin at every possible moment.  A lost notification
 * shows as a wait that times out.
 */
static void
no_notification_is_lost(void **state)
{
	struct fakeback fb;
	struct ring *r;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t len, n;
	uint32_t i, left = 12345;
	uint64_t end;

	(void)state;
	fb_open(&fb, L0, TPM20);
	r = fb_attach(&fb);
	fb.dither_us = 70;
	fb_run(&fb);
	end = now_us() + 2500000;
	for (i = 0; now_us() < end; i++) {
		len = fb_command(cmd, FCC_ECHO, &i, sizeof(i));
		assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
		assert_int_equal(ring_wait(r, 5000, &resp, &n), VT_OK);
		assert_memory_equal(resp + FB_HDR, &i, sizeof(i));
		left = left * 1103515245 + 12345;
		if (left >> 16 & 1)
			for (uint64_t t = now_us() + (left >> 17) % 130;
			     now_us() < t;)
				;
		else if (left >> 17 & 1)
			usleep((left >> 18) % 90);
	}
	print_message("  %u commands\n", i);
	assert_true(i > 500);
	ring_close(r);
	fb_close(&fb);
}

static void
notes_are_bounded(void **state)
{
	struct fakeback fb;
	struct ring *r;
	int i;

	(void)state;
	fb_open(&fb, L0, TPM20);
	for (i = 0; i < 500; i++) {
		r = fb_attach(&fb);
		ring_close(r);
	}
	fb_pump(&fb, 100);
	print_message(
	    "  %u opened, %u closed\n", fb.notes[CN_OPEN], fb.notes[CN_CLOSED]);
	assert_true(fb.notes[CN_OPEN] + fb.notes[CN_CLOSED] < 200);
	fb_close(&fb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_answered),
		cmocka_unit_test(the_largest_command_fits),
		cmocka_unit_test(
		    a_second_front_half_that_does_not_wait_gets_words),
		cmocka_unit_test(who_comes_right_after_the_last_left_is_served),
		cmocka_unit_test(a_bad_header_is_answered_with_an_error),
		cmocka_unit_test(every_size_and_length_is_answered_at_once),
		cmocka_unit_test(a_granted_locality_arrives),
		cmocka_unit_test(a_state_that_is_none_becomes_idle),
		cmocka_unit_test(an_answer_that_does_not_fit_becomes_an_error),
		cmocka_unit_test(a_late_answer_finds_its_way),
		cmocka_unit_test(leaving_in_mid_command_drains_it),
		cmocka_unit_test(cancel_reaches_a_command_that_runs),
		cmocka_unit_test(leaving_ends_a_command_that_runs),
		cmocka_unit_test(the_memory_cannot_be_resized),
		cmocka_unit_test(speaking_on_the_connection_ends_it),
		cmocka_unit_test(
		    a_successor_fails_what_was_in_flight_and_goes_on),
		cmocka_unit_test(a_successor_leaves_an_answer_alone),
		cmocka_unit_test(a_successor_refuses_memory_that_could_shrink),
		cmocka_unit_test(who_spins_is_not_notified),
		cmocka_unit_test(what_came_just_before_sleep_wakes_at_once),
		cmocka_unit_test(no_notification_is_lost),
		cmocka_unit_test(notes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
