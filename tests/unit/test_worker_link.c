/* SPDX-License-Identifier: BSD-3-Clause */
/* test_worker_link.c - the manager's end of a worker that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rdwr.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/worker_link.h"

static const uint8_t uuid[UUID_LEN] = { 1, 2, 3 };

struct fix {
	char dir[64], path[160];
	struct mgr m;
	struct wlink *l;
	int lfd, fd; /* the worker's: listening, connected */
	struct msgch *ch;
	unsigned int hellos, stores, events, deeps, closed, answers;
	int answer_rc;
	bool answered_before_closed;
	char why[TEXT_MAX_LEN + 1];
};

static int
on_hello(void *arg, const struct whello *h)
{
	struct fix *f = arg;

	f->hellos++;
	return memcmp(h->uuid, uuid, UUID_LEN) == 0 ? VT_OK : VT_E_DENIED;
}

static void
on_store(void *arg, uint32_t id, const struct wstore *s)
{
	struct fix *f = arg;

	(void)id;
	(void)s;
	f->stores++;
}

static void
on_event(void *arg, const struct wevent *e)
{
	struct fix *f = arg;

	(void)e;
	f->events++;
}

static void
on_deep(void *arg, const struct wdeep *d)
{
	struct fix *f = arg;

	assert_int_equal(d->ticket, 7);
	f->deeps++;
}

static void
on_closed(void *arg, const char *why)
{
	struct fix *f = arg;

	f->closed++;
	f->answered_before_closed = f->answers > 0;
	(void)snprintf(f->why, sizeof(f->why), "%s", why);
	wlink_close(f->l);
	f->l = NULL;
}

static void
on_answer(void *arg, int rc, const struct msg *msg)
{
	struct fix *f = arg;

	(void)msg;
	f->answers++;
	f->answer_rc = rc;
}

static const struct wlink_ops ops = {
	.hello = on_hello,
	.store = on_store,
	.event = on_event,
	.deep = on_deep,
	.closed = on_closed,
};

/* A worker without a guest yet. */
static const struct wlink_ops pool_ops = {
	.hello = on_hello,
	.store = on_store,
	.closed = on_closed,
};

/* Turn the loop until nothing is left to do at once. */
static void
turn(struct fix *f)
{
	int i;

	for (i = 0; i < 100; i++)
		if (sd_event_run(f->m.ev, 5000) <= 0)
			break;
}

static int
setup(void **state)
{
	char text[UUID_STRLEN + 1];
	struct fix *f = calloc(1, sizeof(*f));
	struct msg msg;

	assert_non_null(f);
	strcpy(f->dir, "/tmp/vtlink.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/w", f->dir);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(guests_new(&f->m), VT_OK);
	config_defaults(&f->m.cfg);
	(void)snprintf(f->m.cfg.run, sizeof(f->m.cfg.run), "%s", f->dir);
	f->m.storage_ok = true;
	assert_true(sd_event_new(&f->m.ev) >= 0);
	uuid_format(uuid, text);
	(void)snprintf(f->path, sizeof(f->path), "%s/w/%s", f->dir, text);
	assert_int_not_equal(f->lfd = unix_listen(f->path, 0600), -1);
	assert_int_equal(
	    wlink_connect(&f->m, uuid, (uint32_t)-1, &ops, f, &f->l), VT_OK);
	assert_int_not_equal(
	    f->fd = accept4(f->lfd, NULL, NULL, SOCK_CLOEXEC), -1);
	assert_int_equal(msgch_new(f->fd, 0, &f->ch), VT_OK);
	assert_int_equal(msgch_recv_wait(f->ch, 1000, &msg), VT_OK);
	assert_int_equal(msg.type, W_MANAGER);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;
	char path[160];

	wlink_close(f->l);
	guests_free(&f->m);
	msgch_free(f->ch);
	(void)close(f->lfd);
	(void)sd_event_unref(f->m.ev);
	(void)unlink(f->path);
	(void)snprintf(path, sizeof(path), "%s/w", f->dir);
	(void)rmdir(path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static void
say(struct fix *f, uint16_t type, uint32_t id, const void *p, size_t len)
{
	assert_int_equal(msgch_send(f->ch, type, id, p, len, NULL, 0), VT_OK);
}

static void
say_store(struct fix *f)
{
	struct wstore s = { .kind = 1, .generation = 1, .version = 1 };
	struct wr w;

	wr_grow(&w, 4096);
	msg_put(&w, wstore, &s);
	assert_int_equal(wr_err(&w), VT_OK);
	say(f, W_STORE, 1, w.buf, w.len);
	wr_free(&w);
}

static void
a_well_behaved_worker_is_heard(void **state)
{
	struct whello h = { .pid = 7 };
	struct wevent e = { .code = WE_POWER_CYCLE };
	struct fix *f = *state;
	uint8_t buf[512];
	struct wr w;

	memcpy(h.uuid, uuid, UUID_LEN);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, whello, &h);
	say(f, W_HELLO, 0, w.buf, w.len);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wevent, &e);
	say(f, W_EVENT, 0, w.buf, w.len);
	say_store(f);
	turn(f);
	assert_int_equal(f->hellos, 1);
	assert_int_equal(f->events, 1);
	assert_int_equal(f->stores, 1);
	assert_int_equal(f->closed, 0);
}

static void
what_a_worker_may_not_say_ends_its_link(void **state)
{
	/* clang-format off */
	static const struct {
		const char *what;
		uint16_t type;
		uint32_t id;
		size_t len;
		const char *word;
	} cases[] = {
		{ "hello cut short", W_HELLO, 0, 3, "hello" },
		{ "store cut short", W_STORE, 1, 9, "store" },
		{ "keep cut short", W_KEEP, 0, 1, "keep" },
		{ "event cut short", W_EVENT, 0, 0, "may not send" },
		{ "a deep quote cut short", W_DEEP, 0, 16, "may not send" },
		{ "what the manager says of one", W_DEEPED, 0, 16, "may not" },
		{ "an answer to nothing", W_DONE, 99, 0, "is not open" },
		{ "an answer to id 0", W_DONE, 0, 0, "is not open" },
		{ "the zygote's words", Z_SPAWNED, 1, 0, "may not send" },
		{ "the manager's words", W_STOP, 1, 0, "may not send" },
		{ "an unknown type", 9999, 1, 0, "may not send" },
	};
	/* clang-format on */
	static const uint8_t zero[16];
	size_t i;

	for (i = 0; i < VT_NELEM(cases); i++) {
		struct fix *f = *state;

		print_message("  %s\n", cases[i].what);
		say(f, cases[i].type, cases[i].id, zero, cases[i].len);
		turn(f);
		assert_int_equal(f->closed, 1);
		assert_non_null(strstr(f->why, cases[i].word));
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static int
on_operator(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	*(bool *)arg = true;
	return 0;
}

static void
say_event(struct fix *f)
{
	struct wevent e = { .code = WE_VIOLATION, .text = "flood" };
	uint8_t buf[64];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wevent, &e);
	say(f, W_EVENT, 0, w.buf, w.len);
}

/* Until the manager has read all, or has had enough. */
static void
flush(struct fix *f)
{
	while (f->closed == 0 && sd_event_run(f->m.ev, 0) > 0)
		(void)!msgch_flush(f->ch);
}

/* A worker that never stops talking: the operator is served first, and the
 * worker ends. */
static void
a_flood_delays_no_operator_and_ends_its_worker(void **state)
{
	sd_event_source *timer = NULL;
	struct fix *f = *state;
	bool served = false;
	unsigned int i;

	for (i = 0; i < 1000; i++)
		say_event(f);
	assert_int_equal(
	    loop_timer(&f->m, &timer, 0, LOOP_PRIO_BUS, on_operator, &served),
	    VT_OK);
	assert_true(sd_event_run(f->m.ev, 0) >= 0);
	assert_true(served);
	assert_true(f->events < 1000);
	while (f->closed == 0 && i < 2 * WLINK_MESSAGES_BURST) {
		say_event(f);
		if (++i % 1000 == 0)
			flush(f);
	}
	flush(f);
	assert_int_equal(f->closed, 1);
	assert_non_null(strstr(f->why, "flooded"));
	assert_in_range(
	    f->events, WLINK_MESSAGES_BURST, WLINK_MESSAGES_BURST * 2 - 1);
	(void)sd_event_source_disable_unref(timer);
}

static void
flood_with(struct fix *f, uint16_t type, struct wr *w)
{
	unsigned int i;

	assert_int_equal(wr_err(w), VT_OK);
	for (i = 0; f->closed == 0 && i < 2 * WLINK_MESSAGES_BURST; i++) {
		say(f, type, 0, w->buf, w->len);
		if (i % 1000 == 0)
			flush(f);
	}
	flush(f);
	assert_int_equal(f->closed, 1);
	assert_non_null(strstr(f->why, "flooded"));
}

/* Each kind of message that answers nothing is charged. */
static void
a_flood_of_facts_ends_its_worker(void **state)
{
	struct wfacts facts = { .banks = BANK_SHA256,
		.ak = { (const uint8_t *)"key", 3 } };
	uint8_t buf[64];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wfacts, &facts);
	flood_with(*state, W_FACTS, &w);
}

static void
a_flood_of_descriptors_ends_its_worker(void **state)
{
	struct wkeep keep = { .chan = CHAN_SWTPM };
	uint8_t buf[64];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wkeep, &keep);
	flood_with(*state, W_UNKEEP, &w);
}

static void
say_deep(struct fix *f)
{
	struct wdeep d = { .ticket = 7 };
	uint8_t buf[512];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wdeep, &d);
	assert_int_equal(wr_err(&w), VT_OK);
	say(f, W_DEEP, 0, w.buf, w.len);
	turn(f);
}

static void
deep_quotes_are_for_guests(void **state)
{
	struct fix *f = *state;

	say_deep(f);
	assert_int_equal(f->deeps, 1);
	assert_int_equal(f->closed, 0);
	wlink_hand_over(f->l, &pool_ops, f);
	say_deep(f);
	assert_int_equal(f->deeps, 1);
	assert_int_equal(f->closed, 1);
	assert_non_null(strstr(f->why, "may not send"));
}

/* It asks and asks, and never takes an answer. */
static void
a_worker_that_does_not_read_is_let_go(void **state)
{
	static uint8_t answer[WDEEP_ANSWER_MAX];
	struct wdeeped d = { .answer = { answer, sizeof(answer) } };
	struct fix *f = *state;
	size_t sent = 0;

	while (f->closed == 0 && sent < 4 * WLINK_BACKLOG_MAX) {
		wlink_deeped(f->l, &d);
		sent += sizeof(answer);
		if (sent % (64 * sizeof(answer)) == 0)
			turn(f);
	}
	turn(f);
	assert_int_equal(f->closed, 1);
	assert_non_null(strstr(f->why, "does not read"));
	assert_true(sent > WLINK_BACKLOG_MAX);
}

static void
a_keep_for_a_channel_that_is_none_is_refused(void **state)
{
	static const uint8_t chans[] = { 0, WLINK_CHANS, 255 };
	size_t i;

	for (i = 0; i < VT_NELEM(chans); i++) {
		struct wkeep k = { .chan = chans[i] };
		struct fix *f = *state;
		uint8_t buf[16];
		struct wr w;

		wr_init(&w, buf, sizeof(buf));
		msg_put(&w, wkeep, &k);
		say(f, W_KEEP, 0, w.buf, w.len);
		turn(f);
		assert_int_equal(f->closed, 1);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void
raw_noise_ends_the_link(void **state)
{
	struct fix *f = *state;
	char noise[64];

	memset(noise, 'x', sizeof(noise));
	assert_int_equal(
	    write(f->fd, noise, sizeof(noise)), (ssize_t)sizeof(noise));
	turn(f);
	assert_int_equal(f->closed, 1);
	assert_non_null(strstr(f->why, "protocol"));
}

static void
storing_without_waiting_is_bounded(void **state)
{
	struct fix *f = *state;
	unsigned int i;

	for (i = 0; i < WLINK_STORES_MAX; i++)
		say_store(f);
	turn(f);
	assert_int_equal(f->closed, 0);
	assert_int_equal(f->stores, WLINK_STORES_MAX);
	say_store(f);
	turn(f);
	assert_int_equal(f->stores, WLINK_STORES_MAX);
	assert_int_equal(f->closed, 1);
}

static void
an_acknowledged_store_makes_room(void **state)
{
	struct fix *f = *state;
	unsigned int i;

	for (i = 0; i < 4 * WLINK_STORES_MAX; i++) {
		say_store(f);
		turn(f);
		wlink_stored(f->l, 1, VT_OK, 1, 1);
	}
	assert_int_equal(f->closed, 0);
	assert_int_equal(f->stores, 4 * WLINK_STORES_MAX);
}

static void
who_waits_is_answered_before_the_owner_hears(void **state)
{
	struct fix *f = *state;

	assert_int_equal(
	    wlink_request(f->l, W_RESET, NULL, NULL, 0, 0, on_answer, f),
	    VT_OK);
	turn(f);
	assert_int_equal(f->answers, 0);
	(void)shutdown(f->fd, SHUT_RDWR);
	turn(f);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->answer_rc, VT_E_CLOSED);
	assert_int_equal(f->closed, 1);
	assert_true(f->answered_before_closed);
}

static void
silence_is_taken_for_death(void **state)
{
	struct fix *f = *state;

	assert_int_equal(
	    wlink_request(f->l, W_RESET, NULL, NULL, 0, 20, on_answer, f),
	    VT_OK);
	usleep(40000);
	turn(f);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->closed, 1);
	assert_non_null(strstr(f->why, "in time"));
}

static void
questions_leave_room_for_orders(void **state)
{
	struct fix *f = *state;
	unsigned int i;

	for (i = 0; i < WLINK_QUERIES_MAX; i++)
		assert_int_equal(wlink_request(f->l, W_QUERY, NULL, NULL, 0, 0,
				     on_answer, f),
		    VT_OK);
	assert_int_equal(
	    wlink_request(f->l, W_QUERY, NULL, NULL, 0, 0, on_answer, f),
	    VT_E_BUSY);
	for (; i < WLINK_REQS_MAX; i++)
		assert_int_equal(wlink_request(f->l, W_RESET, NULL, NULL, 0, 0,
				     on_answer, f),
		    VT_OK);
	assert_int_equal(
	    wlink_request(f->l, W_RESET, NULL, NULL, 0, 0, on_answer, f),
	    VT_E_BUSY);
	say(f, W_ANSWER, 1, NULL, 0);
	turn(f);
	assert_int_equal(f->answers, 1);
	assert_int_equal(
	    wlink_request(f->l, W_QUERY, NULL, NULL, 0, 0, on_answer, f),
	    VT_OK);
}

/* Two pipes' ends are handed over, replaced, and given up again. */
static void
kept_descriptors_are_neither_lost_nor_leaked(void **state)
{
	struct wkeep k = { .chan = CHAN_LOCAL, .localities = 1 };
	struct fix *f = *state;
	int a[2], b[2];
	uint8_t buf[16];
	char c;
	struct wr w;

	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wkeep, &k);
	assert_int_equal(
	    msgch_send(f->ch, W_KEEP, 0, w.buf, w.len, &a[1], 1), VT_OK);
	turn(f);
	(void)close(a[1]);
	assert_int_equal(f->l->kept[CHAN_LOCAL].nfds, 1);
	assert_true(f->l->kept[CHAN_LOCAL].told);
	assert_int_equal(write(f->l->kept[CHAN_LOCAL].fds[0], "x", 1), 1);
	assert_int_equal(read(a[0], &c, 1), 1);

	assert_int_equal(
	    msgch_send(f->ch, W_KEEP, 0, w.buf, w.len, &b[1], 1), VT_OK);
	turn(f);
	(void)close(b[1]);
	assert_int_equal(read(a[0], &c, 1), 0); /* the first one is closed */
	say(f, W_UNKEEP, 0, w.buf, w.len);
	turn(f);
	assert_int_equal(read(b[0], &c, 1), 0);
	assert_int_equal(f->l->kept[CHAN_LOCAL].nfds, 0);
	assert_int_equal(f->closed, 0);
	(void)close(a[0]);
	(void)close(b[0]);
}

static void
nobody_there_is_said_so(void **state)
{
	static const uint8_t other[UUID_LEN] = { 9 };
	struct fix *f = *state;
	struct wlink *l = NULL;

	assert_int_equal(wlink_connect(&f->m, other, (uint32_t)-1, &ops, f, &l),
	    VT_E_CLOSED);
	/* Who listens has our uid: it is not the worker with uid 4711. */
	assert_int_equal(
	    wlink_connect(&f->m, uuid, 4711, &ops, f, &l), VT_E_DENIED);
	assert_null(l);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_well_behaved_worker_is_heard),
		T(what_a_worker_may_not_say_ends_its_link),
		T(a_flood_delays_no_operator_and_ends_its_worker),
		T(a_flood_of_facts_ends_its_worker),
		T(a_flood_of_descriptors_ends_its_worker),
		T(deep_quotes_are_for_guests),
		T(a_worker_that_does_not_read_is_let_go),
		T(a_keep_for_a_channel_that_is_none_is_refused),
		T(raw_noise_ends_the_link),
		T(storing_without_waiting_is_bounded),
		T(an_acknowledged_store_makes_room),
		T(who_waits_is_answered_before_the_owner_hears),
		T(silence_is_taken_for_death),
		T(questions_leave_room_for_orders),
		T(kept_descriptors_are_neither_lost_nor_leaked),
		T(nobody_there_is_said_so),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
