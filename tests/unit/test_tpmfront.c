/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tpmfront.c - the TCTI module against the TCTI specification. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fakeback.h"
#include "tpmback/local.h"
#include "tpmback/spin.h"
#include "tpmfront/tcti/tcti.h"

#define L0_AND_1 0x03

static TSS2_TCTI_CONTEXT *
tcti_new_with(struct fakeback *fb, const char *options, TSS2_RC want)
{
	TSS2_TCTI_CONTEXT *ctx;
	char conf[128];
	size_t size;
	TSS2_RC rc;

	(void)snprintf(conf, sizeof(conf), "local=%s%s", fb->path, options);
	assert_int_equal(
	    Tss2_Tcti_Tpmfront_Init(NULL, &size, NULL), TSS2_RC_SUCCESS);
	ctx = calloc(1, size);
	assert_non_null(ctx);
	rc = Tss2_Tcti_Info()->init(ctx, &size, conf);
	assert_int_equal(rc, want);
	if (rc == TSS2_RC_SUCCESS)
		return ctx;
	free(ctx);
	return NULL;
}

static TSS2_TCTI_CONTEXT *
tcti_new(struct fakeback *fb, TSS2_RC want)
{
	return tcti_new_with(fb, "", want);
}

static void
tcti_free(TSS2_TCTI_CONTEXT *ctx)
{
	Tss2_Tcti_Finalize(ctx);
	free(ctx);
}

static void
send_text(TSS2_TCTI_CONTEXT *ctx, uint32_t cc, const char *text)
{
	uint8_t cmd[64];
	size_t len = fb_command(cmd, cc, text, strlen(text));

	assert_int_equal(Tss2_Tcti_Transmit(ctx, len, cmd), TSS2_RC_SUCCESS);
}

static void
assert_text(TSS2_TCTI_CONTEXT *ctx, int32_t timeout, const char *text)
{
	uint8_t resp[4096];
	size_t len = sizeof(resp);

	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, timeout), TSS2_RC_SUCCESS);
	assert_int_equal(len, FB_HDR + strlen(text));
	assert_memory_equal(resp + FB_HDR, text, strlen(text));
}

static void
commands_go_there_and_back(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;
	int i;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	for (i = 0; i < 1000; i++) {
		send_text(ctx, FCC_ECHO, "one");
		assert_text(ctx, TSS2_TCTI_TIMEOUT_BLOCK, "one");
		send_text(ctx, FCC_ECHO, "another");
		assert_text(ctx, 1000, "another");
	}
	assert_int_equal(fb.submits, 2000);
	tcti_free(ctx);
	fb_close(&fb);
}

static void
a_conf_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = { NULL, "", "local", "local=", "loc=x",
		"/run/x.tpmif", "xen=", "xen=x", "xen=-1", "xenon",
		"xen=4294967296" };
	static const char *const away[] = { "local=/nonexistent/t.tpmif",
		"local=/nonexistent/t,raw", "local=/nonexistent/t,wait=1,raw",
		"local=/nonexistent/t,wait=x" };
	static uint8_t buf[8192];
	size_t i, size;

	(void)state;
	for (i = 0; i < VT_NELEM(bad); i++) {
		size = sizeof(buf);
		memset(buf, 0, sizeof(buf));
		assert_int_equal(
		    Tss2_Tcti_Tpmfront_Init(
			(TSS2_TCTI_CONTEXT *)(void *)buf, &size, bad[i]),
		    TSS2_TCTI_RC_BAD_VALUE);
	}
	for (i = 0; i < VT_NELEM(away); i++) {
		size = sizeof(buf);
		assert_int_equal(
		    Tss2_Tcti_Tpmfront_Init(
			(TSS2_TCTI_CONTEXT *)(void *)buf, &size, away[i]),
		    TSS2_TCTI_RC_IO_ERROR);
	}
	/* no Xen here: neither the module's devices nor its folder */
	size = sizeof(buf);
	assert_int_equal(Tss2_Tcti_Tpmfront_Init(
			     (TSS2_TCTI_CONTEXT *)(void *)buf, &size, "xen=3"),
	    TSS2_TCTI_RC_IO_ERROR);
	size = 8;
	assert_int_equal(
	    Tss2_Tcti_Tpmfront_Init((TSS2_TCTI_CONTEXT *)(void *)buf, &size,
		"local=/nonexistent/t.tpmif"),
	    TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
	assert_int_equal(
	    Tss2_Tcti_Tpmfront_Init(NULL, NULL, NULL), TSS2_TCTI_RC_BAD_VALUE);
}

static void
info_is_complete(void **state)
{
	const TSS2_TCTI_INFO *info = Tss2_Tcti_Info();

	(void)state;
	assert_int_equal(info->version, 2);
	assert_string_equal(info->name, "tcti-tpmfront");
	assert_non_null(info->description);
	assert_non_null(info->config_help);
	assert_ptr_equal(info->init, Tss2_Tcti_Tpmfront_Init);
}

static void
the_order_of_calls_is_kept(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;
	TSS2_TCTI_POLL_HANDLE h[1];
	uint8_t cmd[64], resp[64];
	size_t len = sizeof(resp), clen, n = 1;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	clen = fb_command(cmd, FCC_DEFER, "", 0);
	/* nothing sent */
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, 0), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(Tss2_Tcti_Cancel(ctx), TSS2_TCTI_RC_BAD_SEQUENCE);
	/* sent */
	assert_int_equal(Tss2_Tcti_Transmit(ctx, clen, cmd), 0);
	assert_int_equal(
	    Tss2_Tcti_Transmit(ctx, clen, cmd), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(
	    Tss2_Tcti_SetLocality(ctx, 1), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, -2), TSS2_TCTI_RC_BAD_VALUE);
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, NULL, resp, 0), TSS2_TCTI_RC_BAD_REFERENCE);
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, 0), TSS2_TCTI_RC_TRY_AGAIN);
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, 20), TSS2_TCTI_RC_TRY_AGAIN);
	fb_poke(&fb);
	assert_text(ctx, 5000, "late");
	/* finalised */
	Tss2_Tcti_Finalize(ctx);
	assert_int_equal(
	    Tss2_Tcti_Transmit(ctx, clen, cmd), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, 0), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(Tss2_Tcti_Cancel(ctx), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(
	    Tss2_Tcti_SetLocality(ctx, 0), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(
	    Tss2_Tcti_GetPollHandles(ctx, h, &n), TSS2_TCTI_RC_BAD_SEQUENCE);
	Tss2_Tcti_Finalize(ctx); /* twice is no harm */
	free(ctx);
	fb_close(&fb);
}

static void
a_context_that_is_not_ours_is_refused(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;
	uint8_t cmd[64];
	size_t len = fb_command(cmd, FCC_ECHO, "", 0), n;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	TSS2_TCTI_MAGIC(ctx) ^= 1;
	assert_int_equal(
	    Tss2_Tcti_Transmit(ctx, len, cmd), TSS2_TCTI_RC_BAD_CONTEXT);
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &n, cmd, 0), TSS2_TCTI_RC_BAD_CONTEXT);
	assert_int_equal(Tss2_Tcti_Cancel(ctx), TSS2_TCTI_RC_BAD_CONTEXT);
	assert_int_equal(
	    Tss2_Tcti_GetPollHandles(ctx, NULL, &n), TSS2_TCTI_RC_BAD_CONTEXT);
	assert_int_equal(
	    Tss2_Tcti_SetLocality(ctx, 0), TSS2_TCTI_RC_BAD_CONTEXT);
	assert_int_equal(
	    Tss2_Tcti_MakeSticky(ctx, NULL, 0), TSS2_TCTI_RC_BAD_CONTEXT);
	TSS2_TCTI_MAGIC(ctx) ^= 1;
	assert_int_equal(
	    Tss2_Tcti_MakeSticky(ctx, NULL, 0), TSS2_TCTI_RC_NOT_IMPLEMENTED);
	assert_int_equal(
	    Tss2_Tcti_Transmit(ctx, len, NULL), TSS2_TCTI_RC_BAD_REFERENCE);
	assert_int_equal(
	    Tss2_Tcti_Transmit(ctx, len - 1, cmd), TSS2_TCTI_RC_BAD_VALUE);
	assert_int_equal(
	    Tss2_Tcti_Transmit(ctx, 9, cmd), TSS2_TCTI_RC_BAD_VALUE);
	send_text(ctx, FCC_ECHO, "fine"); /* none of that did harm */
	assert_text(ctx, -1, "fine");
	tcti_free(ctx);
	fb_close(&fb);
}

static void
the_size_can_be_asked_for_first(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;
	uint8_t resp[64];
	size_t len = 0;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	send_text(ctx, FCC_ECHO, "sized");
	assert_int_equal(Tss2_Tcti_Receive(ctx, &len, NULL, -1), 0);
	assert_int_equal(len, 15);
	len = 14;
	assert_int_equal(Tss2_Tcti_Receive(ctx, &len, resp, -1),
	    TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
	assert_int_equal(len, 15);
	assert_int_equal(Tss2_Tcti_Receive(ctx, &len, resp, 0), 0);
	assert_memory_equal(resp + FB_HDR, "sized", 5);
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, 0), TSS2_TCTI_RC_BAD_SEQUENCE);
	tcti_free(ctx);
	fb_close(&fb);
}

static void
locality_is_what_the_host_grants(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	assert_int_equal(
	    Tss2_Tcti_SetLocality(ctx, 2), TSS2_TCTI_RC_NOT_PERMITTED);
	assert_int_equal(
	    Tss2_Tcti_SetLocality(ctx, 255), TSS2_TCTI_RC_NOT_PERMITTED);
	assert_int_equal(Tss2_Tcti_SetLocality(ctx, 1), TSS2_RC_SUCCESS);
	send_text(ctx, FCC_ECHO, "");
	assert_text(ctx, -1, "");
	assert_int_equal(fb.locality, 1);
	tcti_free(ctx);
	fb_close(&fb);
}

/* Wait on the poll handle only, never inside receive. */
static void
the_poll_handle_says_when(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;
	TSS2_TCTI_POLL_HANDLE h[2];
	uint8_t resp[64];
	size_t n = 0, len;
	int i, tries = 0;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	assert_int_equal(Tss2_Tcti_GetPollHandles(ctx, NULL, NULL),
	    TSS2_TCTI_RC_BAD_REFERENCE);
	assert_int_equal(Tss2_Tcti_GetPollHandles(ctx, NULL, &n), 0);
	assert_int_equal(n, 1);
	n = 0;
	assert_int_equal(Tss2_Tcti_GetPollHandles(ctx, h, &n),
	    TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
	for (i = 0; i < 300; i++) {
		send_text(ctx, FCC_ECHO, "async");
		if (i == 0) { /* asked for after the command was sent */
			usleep(5000);
			n = 2;
			assert_int_equal(
			    Tss2_Tcti_GetPollHandles(ctx, h, &n), 0);
			assert_int_equal(n, 1);
		}
		for (;; tries++) {
			assert_int_equal(poll(h, 1, 5000), 1);
			len = sizeof(resp);
			TSS2_RC rc = Tss2_Tcti_Receive(ctx, &len, resp, 0);
			if (rc == TSS2_RC_SUCCESS)
				break;
			assert_int_equal(rc, TSS2_TCTI_RC_TRY_AGAIN);
		}
		assert_int_equal(len, 15);
	}
	print_message("  %d spurious\n", tries);
	assert_true(tries < 300);
	usleep(1000);
	if (poll(h, 1, 0) == 1) { /* a late bell: it must fall silent */
		send_text(ctx, FCC_DEFER, "");
		assert_int_equal(Tss2_Tcti_Receive(ctx, &len, resp, 0),
		    TSS2_TCTI_RC_TRY_AGAIN);
		assert_int_equal(poll(h, 1, 0), 0);
	}
	tcti_free(ctx);
	fb_close(&fb);
}

static void
cancel_gets_an_early_answer(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;
	uint8_t resp[64];
	size_t len = sizeof(resp);

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	send_text(ctx, FCC_SLOW, "");
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, 20), TSS2_TCTI_RC_TRY_AGAIN);
	assert_int_equal(Tss2_Tcti_Cancel(ctx), TSS2_RC_SUCCESS);
	assert_int_equal(Tss2_Tcti_Receive(ctx, &len, resp, -1), 0);
	assert_int_equal(be32_get(resp + 6), 0x909);
	/* and a cancelled one may be forgotten by sending the next */
	send_text(ctx, FCC_SLOW, "");
	usleep(5000);
	assert_int_equal(Tss2_Tcti_Cancel(ctx), TSS2_RC_SUCCESS);
	send_text(ctx, FCC_ECHO, "next");
	assert_text(ctx, -1, "next");
	/* a cancel after the answer came loses nothing */
	send_text(ctx, FCC_ECHO, "there");
	usleep(5000);
	assert_int_equal(Tss2_Tcti_Cancel(ctx), TSS2_RC_SUCCESS);
	assert_text(ctx, -1, "there");
	assert_int_equal(fb.cancels, 2);
	tcti_free(ctx);
	fb_close(&fb);
}

static void
a_busy_vtpm_is_refused_and_unharmed(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	send_text(ctx, FCC_DEFER, "");
	assert_null(tcti_new_with(&fb, ",raw", TSS2_TCTI_RC_IO_ERROR));
	assert_null(tcti_new_with(&fb, ",raw,wait=1", TSS2_TCTI_RC_IO_ERROR));
	fb_poke(&fb);
	assert_text(ctx, 5000, "late");
	tcti_free(ctx);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	tcti_free(ctx);
	fb_close(&fb);
}

/* As systemd-cryptenroll: a second context before the first is finalized. */
static void
contexts_of_one_process_take_turns(void **state)
{
	TSS2_TCTI_CONTEXT *a, *b, *c;
	struct fakeback fb;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	a = tcti_new(&fb, TSS2_RC_SUCCESS);
	b = tcti_new(&fb, TSS2_RC_SUCCESS);
	send_text(a, FCC_ECHO, "of a");
	send_text(b, FCC_ECHO, "of b");
	c = tcti_new(&fb, TSS2_RC_SUCCESS);
	send_text(c, FCC_ECHO, "of c");
	assert_text(a, -1, "of a");
	assert_text(c, -1, "of c");
	assert_text(b, 0, "of b");
	/* one that leaves with its command in flight disturbs no other */
	send_text(a, FCC_ECHO, "lost");
	tcti_free(a);
	send_text(b, FCC_ECHO, "of b");
	assert_text(b, -1, "of b");
	assert_int_equal(fb.notes[CN_OPEN], 1);
	tcti_free(b);
	tcti_free(c);
	a = tcti_new_with(&fb, ",raw", TSS2_RC_SUCCESS);
	tcti_free(a);
	fb_close(&fb);
}

struct talker {
	struct fakeback *fb;
	char text[16];
	pthread_t t;
};

static void *
talk(void *arg)
{
	const struct talker *k = arg;
	TSS2_TCTI_CONTEXT *ctx;
	int i;

	for (i = 0; i < 50; i++) {
		ctx = tcti_new(k->fb, TSS2_RC_SUCCESS);
		send_text(ctx, FCC_ECHO, k->text);
		assert_text(ctx, -1, k->text);
		send_text(ctx, FCC_ECHO, "x");
		assert_text(ctx, -1, "x");
		tcti_free(ctx);
	}
	return NULL;
}

static void
threads_get_each_its_own_answers(void **state)
{
	struct talker k[4];
	struct fakeback fb;
	size_t i;

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	for (i = 0; i < VT_NELEM(k); i++) {
		k[i].fb = &fb;
		(void)snprintf(k[i].text, sizeof(k[i].text), "thread %zu", i);
		assert_int_equal(pthread_create(&k[i].t, NULL, talk, &k[i]), 0);
	}
	for (i = 0; i < VT_NELEM(k); i++)
		assert_int_equal(pthread_join(k[i].t, NULL), 0);
	assert_int_equal(fb.submits, 4 * 50 * 2);
	fb_close(&fb);
}

static void
a_back_half_that_dies_is_an_error(void **state)
{
	struct fakeback fb;
	TSS2_TCTI_CONTEXT *ctx;
	uint8_t resp[64];
	size_t len = sizeof(resp);

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	fb_run(&fb);
	ctx = tcti_new(&fb, TSS2_RC_SUCCESS);
	send_text(ctx, FCC_DEFER, "");
	usleep(5000);
	fb_close(&fb);
	assert_int_equal(
	    Tss2_Tcti_Receive(ctx, &len, resp, -1), TSS2_TCTI_RC_IO_ERROR);
	tcti_free(ctx);
}

/* A back half that answers nonsense is believed nothing. */
static void
a_malformed_answer_is_refused(void **state)
{
	static const struct {
		const char *what;
		uint32_t length, size;
	} cases[] = {
		{ "short", 9, 9 },
		{ "long", 4089, 4089 },
		{ "longest", ~0u, ~0u },
		{ "size differs", 12, 10 },
	};
	struct fakeback fb;
	struct ring *r;
	const uint8_t *resp;
	uint8_t cmd[64];
	size_t i, n, len = fb_command(cmd, FCC_ECHO, "", 0);

	(void)state;
	fb_open(&fb, L0_AND_1, 2);
	r = fb_attach(&fb);
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct tpmif_page *page = &ring_view(r)->page;

		print_message("  %s\n", cases[i].what);
		assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
		be32_put(page->data + 2, cases[i].size);
		page->length = cases[i].length;
		page->state = TPMIF_FINISH;
		assert_int_equal(ring_wait(r, 0, &resp, &n), VT_E_PROTO);
	}
	/* IDLE is a cancelled command */
	assert_int_equal(ring_submit(r, 0, cmd, len), VT_OK);
	ring_view(r)->page.state = TPMIF_IDLE;
	assert_int_equal(ring_wait(r, 0, &resp, &n), VT_OK);
	assert_int_equal(be32_get(resp + 6), 0x909);
	ring_close(r);
	fb_close(&fb);
}

/* n waits: awake_us if it spins, asleep_us if it sleeps; how often it spun. */
static unsigned int
waits(struct spin *s, unsigned int n, uint64_t asleep_us, uint64_t awake_us)
{
	unsigned int spun = 0;

	while (n-- > 0) {
		assert_true(s->us <= SPIN_MAX_US);
		spun += s->us > 0;
		spin_saw(s, s->us > 0 ? awake_us : asleep_us);
	}
	return spun;
}

static void
spinning_follows_what_was_seen(void **state)
{
	struct spin s;

	(void)state;
	spin_init(&s, 1000);
	assert_true(s.us <= SPIN_MAX_US && s.max_us <= SPIN_MAX_US);
	s.us = SPIN_US; /* as on a host with CPUs enough */
	s.max_us = SPIN_MAX_US;
	s.avg[SPIN_ASLEEP] = 40 * 16;
	/* quick answers: it continues, but for a try */
	assert_true(waits(&s, 1000, 25, 1) > 990);
	/* idle, or slow commands: neither way is shorter */
	(void)waits(&s, 20, 5000, 5000);
	assert_true(waits(&s, 1600, 5000, 5000) <= 100);
	/* quick again */
	(void)waits(&s, 200, 25, 1);
	assert_true(waits(&s, 1000, 25, 1) > 990);
	/* the two share a CPU: each spin delays the answer */
	(void)waits(&s, 20, 25, 100);
	assert_true(waits(&s, 1600, 25, 100) <= 100);
	/* it saves next to nothing */
	(void)waits(&s, 200, 110, 100);
	assert_true(waits(&s, 1600, 110, 100) <= 100);
	/* one CPU: never */
	spin_init(&s, 0);
	assert_int_equal(waits(&s, 1000, 25, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_go_there_and_back),
		cmocka_unit_test(a_conf_that_is_none_is_refused),
		cmocka_unit_test(info_is_complete),
		cmocka_unit_test(the_order_of_calls_is_kept),
		cmocka_unit_test(a_context_that_is_not_ours_is_refused),
		cmocka_unit_test(the_size_can_be_asked_for_first),
		cmocka_unit_test(locality_is_what_the_host_grants),
		cmocka_unit_test(the_poll_handle_says_when),
		cmocka_unit_test(cancel_gets_an_early_answer),
		cmocka_unit_test(a_busy_vtpm_is_refused_and_unharmed),
		cmocka_unit_test(contexts_of_one_process_take_turns),
		cmocka_unit_test(threads_get_each_its_own_answers),
		cmocka_unit_test(a_back_half_that_dies_is_an_error),
		cmocka_unit_test(a_malformed_answer_is_refused),
		cmocka_unit_test(spinning_follows_what_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
