/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_bridge.c - a kernel's commands to a ring and back.  The kernel's end
 * is a SOCK_SEQPACKET pair (as /dev/vtpmx: a read is one command), the TPM's a
 * real local ring; what only Xen's ring does (come back) is scripted.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/fakeback.h"
#include "tpmfront/frontd/bridge_ring.h"

#define WAIT_MS 20000
#define CC_SET_LOCALITY 0x20001000u

struct kernel {
	int fd;      /* ours: write a command, read its answer */
	int stop_fd; /* ours: write a byte to stop the bridge */
	struct bridge b;
	pthread_t thread;
	enum bridge_end end;
};

static void *
serve(void *arg)
{
	struct kernel *k = arg;

	k->end = bridge_serve(&k->b);
	return NULL;
}

static void
kernel_open(struct kernel *k, const struct bridge_tpm *tpm, void *arg)
{
	int dev[2], stop[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, dev), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, stop), 0);
	bridge_init(&k->b, tpm, arg, dev[1], stop[1]);
	k->fd = dev[0];
	k->stop_fd = stop[0];
}

static void
kernel_run(struct kernel *k)
{
	assert_int_equal(pthread_create(&k->thread, NULL, serve, k), 0);
}

static enum bridge_end
kernel_close(struct kernel *k)
{
	assert_int_equal(pthread_join(k->thread, NULL), 0);
	(void)close(k->fd);
	(void)close(k->stop_fd);
	(void)close(k->b.dev_fd);
	(void)close(k->b.stop_fd);
	return k->end;
}

static enum bridge_end
kernel_stop(struct kernel *k)
{
	assert_int_equal(write(k->stop_fd, "s", 1), 1);
	return kernel_close(k);
}

static size_t
get(struct kernel *k, uint8_t *buf, size_t max)
{
	struct pollfd p = { .fd = k->fd, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	n = read(k->fd, buf, max);
	assert_true(n >= FB_HDR);
	assert_int_equal(be32_get(buf + 2), n);
	return (size_t)n;
}

/* The response code. */
static uint32_t
ask(struct kernel *k, const uint8_t *cmd, size_t len)
{
	uint8_t resp[BRIDGE_BUF];

	assert_int_equal(write(k->fd, cmd, len), len);
	(void)get(k, resp, sizeof(resp));
	return be32_get(resp + 6);
}

static void
commands_go_there_and_back(void **state)
{
	struct kernel k;
	struct fakeback fb;
	struct ring *r;
	uint8_t cmd[64], resp[BRIDGE_BUF];
	size_t len;
	int i;

	(void)state;
	fb_open(&fb, 0x01, 2);
	r = fb_attach(&fb);
	fb_run(&fb);
	kernel_open(&k, &bridge_ring, r);
	assert_int_equal(bridge_probe(&k.b, WAIT_MS), VT_OK);
	assert_false(k.b.tpm12);
	kernel_run(&k);
	for (i = 0; i < 300; i++) {
		len = fb_command(cmd, FCC_ECHO, "hello", 5);
		assert_int_equal(write(k.fd, cmd, len), len);
		assert_int_equal(get(&k, resp, sizeof(resp)), FB_HDR + 5);
		assert_memory_equal(resp + FB_HDR, "hello", 5);
	}
	len = fb_command(cmd, FCC_DEFER, "", 0);
	assert_int_equal(write(k.fd, cmd, len), len);
	while (!__atomic_load_n(&fb.deferred, __ATOMIC_ACQUIRE))
		(void)usleep(1000);
	(void)usleep(300000); /* it takes its time: more than one slice */
	fb_poke(&fb);
	assert_int_equal(get(&k, resp, sizeof(resp)), FB_HDR + 4);
	assert_memory_equal(resp + FB_HDR, "late", 4);
	assert_int_equal(kernel_stop(&k), BRIDGE_STOPPED);
	assert_int_equal(k.b.commands, 301);
	ring_close(r);
	fb_close(&fb);
}

static void
what_is_no_command_is_answered_and_not_sent(void **state)
{
	static uint8_t big[BRIDGE_BUF];
	struct kernel k;
	struct fakeback fb;
	struct ring *r;
	uint8_t cmd[64];
	size_t len, i;

	(void)state;
	fb_open(&fb, 0x01, 2);
	r = fb_attach(&fb);
	fb_run(&fb);
	kernel_open(&k, &bridge_ring, r);
	assert_int_equal(bridge_probe(&k.b, WAIT_MS), VT_OK);
	kernel_run(&k);
	len = fb_command(cmd, FCC_ECHO, "hello", 5);
	for (i = 1; i < len; i++) /* every prefix; its length is wrong */
		assert_int_equal(ask(&k, cmd, i), 0x142);
	(void)fb_command(big, FCC_ECHO, "", 0);
	be32_put(big + 2, TPMIF_MAX_CMD + 1);
	assert_int_equal(ask(&k, big, TPMIF_MAX_CMD + 1), 0x142);
	assert_int_equal(fb.submits, 1); /* the probe */
	be32_put(big + 2, TPMIF_MAX_CMD);
	assert_int_equal(ask(&k, big, TPMIF_MAX_CMD), 0);
	assert_int_equal(fb.submits, 2);
	assert_int_equal(kernel_stop(&k), BRIDGE_STOPPED);
	ring_close(r);
	fb_close(&fb);
}

static void
locality_is_set_in_band_and_never_sent(void **state)
{
	struct kernel k;
	struct fakeback fb;
	struct ring *r;
	uint8_t cmd[64], loc;
	size_t len;

	(void)state;
	fb_open(&fb, 0x05, 2); /* 0 and 2 */
	r = fb_attach(&fb);
	fb_run(&fb);
	kernel_open(&k, &bridge_ring, r);
	kernel_run(&k);
	for (loc = 0; loc < 10; loc++) {
		len = fb_command(cmd, CC_SET_LOCALITY, &loc, 1);
		assert_int_equal(
		    ask(&k, cmd, len), loc == 0 || loc == 2 ? 0 : 0x907);
	}
	len = fb_command(cmd, CC_SET_LOCALITY, "", 0);
	assert_int_equal(ask(&k, cmd, len), 0x142);
	assert_int_equal(fb.submits, 0);
	len = fb_command(cmd, FCC_ECHO, "", 0);
	assert_int_equal(ask(&k, cmd, len), 0);
	assert_int_equal(fb.locality, 2); /* the last that was granted */
	assert_int_equal(kernel_stop(&k), BRIDGE_STOPPED);
	ring_close(r);
	fb_close(&fb);
}

static void
a_broken_answer_is_a_failure(void **state)
{
	struct kernel k;
	struct fakeback fb;
	struct ring *r;
	uint8_t cmd[64];
	size_t len;

	(void)state;
	fb_open(&fb, 0x01, 2);
	r = fb_attach(&fb);
	kernel_open(&k, &bridge_ring, r);
	kernel_run(&k);
	len = fb_command(cmd, FCC_DEFER, "", 0);
	assert_int_equal(write(k.fd, cmd, len), len);
	while (!fb.deferred)
		fb_pump(&fb, 5);
	ring_view(r)->page.length = 3; /* less than a header */
	__atomic_store_n(
	    &ring_view(r)->page.state, TPMIF_FINISH, __ATOMIC_RELEASE);
	{
		uint8_t resp[64];

		assert_int_equal(get(&k, resp, sizeof(resp)), FB_HDR);
		assert_int_equal(be32_get(resp + 6), 0x101);
	}
	assert_int_equal(kernel_stop(&k), BRIDGE_STOPPED);
	ring_close(r);
	fb_close(&fb);
}

/* The kernel sends the next command: it does not wait for the last one. */
static void
a_command_that_nobody_waits_for_is_cancelled(void **state)
{
	struct kernel k;
	struct fakeback fb;
	struct ring *r;
	uint8_t cmd[64], resp[64];
	size_t len;

	(void)state;
	fb_open(&fb, 0x01, 2);
	r = fb_attach(&fb);
	fb_run(&fb);
	kernel_open(&k, &bridge_ring, r);
	kernel_run(&k);
	len = fb_command(cmd, FCC_SLOW, "", 0);
	assert_int_equal(write(k.fd, cmd, len), len);
	while (__atomic_load_n(&fb.submits, __ATOMIC_ACQUIRE) == 0)
		(void)usleep(1000);
	len = fb_command(cmd, FCC_ECHO, "next", 4);
	assert_int_equal(write(k.fd, cmd, len), len);
	assert_int_equal(get(&k, resp, sizeof(resp)), FB_HDR + 4);
	assert_memory_equal(resp + FB_HDR, "next", 4);
	assert_int_equal(fb.cancels, 1);
	assert_int_equal(kernel_stop(&k), BRIDGE_STOPPED);
	ring_close(r);
	fb_close(&fb);
}

static void
a_local_back_half_that_goes_ends_it(void **state)
{
	struct kernel k;
	struct fakeback fb;
	struct ring *r;

	(void)state;
	fb_open(&fb, 0x01, 2);
	r = fb_attach(&fb);
	kernel_open(&k, &bridge_ring, r);
	kernel_run(&k);
	fb_close(&fb);
	assert_int_equal(kernel_close(&k), BRIDGE_LOST);
	ring_close(r);
}

static void
a_kernel_that_closes_ends_it(void **state)
{
	struct kernel k;
	struct fakeback fb;
	struct ring *r;

	(void)state;
	fb_open(&fb, 0x01, 2);
	r = fb_attach(&fb);
	kernel_open(&k, &bridge_ring, r);
	kernel_run(&k);
	(void)shutdown(k.fd, SHUT_RDWR);
	assert_int_equal(kernel_close(&k), BRIDGE_NO_DEVICE);
	ring_close(r);
	fb_close(&fb);
}

/* --- a TPM that comes and goes -------------------------------------------- */

struct script {
	int ready, send, wait; /* what the next calls say */
	unsigned int generation;
	bool tpm12;
	unsigned int sent, canceled;
	uint8_t resp[FB_HDR];
};

static int
sc_ready(void *arg, int timeout_ms)
{
	(void)timeout_ms;
	return ((struct script *)arg)->ready;
}

static int
sc_send(void *arg, uint8_t locality, const uint8_t *cmd, size_t len)
{
	struct script *s = arg;

	(void)locality;
	(void)cmd;
	(void)len;
	s->sent++;
	return s->send;
}

static int
sc_wait(void *arg, int timeout_ms, const uint8_t **ret, size_t *ret_len)
{
	struct script *s = arg;

	(void)timeout_ms;
	if (s->wait != VT_OK)
		return s->wait;
	be16_put(s->resp, s->tpm12 ? 0x00c4 : 0x8001);
	be32_put(s->resp + 2, FB_HDR);
	be32_put(s->resp + 6, s->tpm12 ? 0x1e : 0x100);
	*ret = s->resp;
	*ret_len = FB_HDR;
	return VT_OK;
}

static void
sc_cancel(void *arg)
{
	((struct script *)arg)->canceled++;
}

static bool
sc_grants(void *arg, uint8_t locality)
{
	(void)arg;
	return locality == 0;
}

static int
sc_fd(void *arg)
{
	(void)arg;
	return -1;
}

static int
sc_attend(void *arg)
{
	(void)arg;
	return VT_OK;
}

static unsigned int
sc_generation(void *arg)
{
	return ((struct script *)arg)->generation;
}

static bool
sc_comes_back(void *arg)
{
	(void)arg;
	return true;
}

static const struct bridge_tpm scripted = { sc_ready, sc_send, sc_wait,
	sc_cancel, sc_grants, sc_fd, sc_attend, sc_generation, sc_comes_back };

static void
the_version_is_in_the_answers_header(void **state)
{
	struct script s = { .tpm12 = true };
	struct kernel k;

	(void)state;
	kernel_open(&k, &scripted, &s);
	assert_int_equal(bridge_probe(&k.b, 10), VT_OK);
	assert_true(k.b.tpm12);
	s.tpm12 = false;
	assert_int_equal(bridge_probe(&k.b, 10), VT_OK);
	assert_false(k.b.tpm12);
	s.ready = VT_E_TIMEOUT;
	assert_int_equal(bridge_probe(&k.b, 10), VT_E_TIMEOUT);
	s.ready = VT_OK;
	s.wait = VT_E_AGAIN; /* it takes too long; the answer is owed */
	assert_int_equal(bridge_probe(&k.b, 10), VT_E_TIMEOUT);
	s.sent = 0;
	assert_int_equal(bridge_probe(&k.b, 10), VT_E_TIMEOUT);
	assert_int_equal(s.sent, 0);
	s.wait = VT_OK;
	assert_int_equal(bridge_probe(&k.b, 10), VT_OK);
	kernel_run(&k);
	assert_int_equal(kernel_stop(&k), BRIDGE_STOPPED);
}

/* RETRY only when nothing was sent, FAILURE only when something was. */
static void
what_was_not_sent_may_be_sent_again(void **state)
{
	static const struct {
		const char *what;
		int ready, send, wait;
		bool tpm12;
		uint32_t rc;
		unsigned int sent;
	} cases[] = {
		{ "away", VT_E_TIMEOUT, VT_OK, VT_OK, false, 0x922, 0 },
		{ "away, 1.2", VT_E_TIMEOUT, VT_OK, VT_OK, true, 0x800, 0 },
		{ "just gone", VT_OK, VT_E_CLOSED, VT_OK, false, 0x922, 1 },
		{ "lost", VT_OK, VT_OK, VT_E_CLOSED, false, 0x101, 1 },
		{ "lost, 1.2", VT_OK, VT_OK, VT_E_CLOSED, true, 9, 1 },
		{ "broken", VT_OK, VT_OK, VT_E_PROTO, false, 0x101, 1 },
		{ "there", VT_OK, VT_OK, VT_OK, false, 0x100, 1 },
	};
	struct script s = { 0 };
	struct kernel k;
	uint8_t cmd[64];
	size_t i, len = fb_command(cmd, FCC_ECHO, "", 0);

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		s = (struct script){ .tpm12 = cases[i].tpm12 };
		kernel_open(&k, &scripted, &s);
		assert_int_equal(bridge_probe(&k.b, 10), VT_OK);
		s = (struct script){ cases[i].ready, cases[i].send,
			cases[i].wait, .tpm12 = cases[i].tpm12 };
		kernel_run(&k);
		assert_int_equal(ask(&k, cmd, len), cases[i].rc);
		assert_int_equal(s.sent, cases[i].sent);
		assert_int_equal(kernel_stop(&k), BRIDGE_STOPPED);
	}
}

static void
a_tpm_of_the_other_version_needs_another_device(void **state)
{
	struct script s = { 0 };
	struct kernel k;
	uint8_t cmd[64];
	size_t len = fb_command(cmd, FCC_ECHO, "", 0);

	(void)state;
	kernel_open(&k, &scripted, &s);
	assert_int_equal(bridge_probe(&k.b, 10), VT_OK);
	kernel_run(&k);
	s.generation = 1; /* another page, the same sort of TPM */
	assert_int_equal(ask(&k, cmd, len), 0x100);
	s.tpm12 = true;
	s.generation = 2;
	(void)ask(&k, cmd, len);
	assert_int_equal(kernel_close(&k), BRIDGE_OTHER);
}

static void
a_command_is_put_off_while_there_is_no_tpm(void **state)
{
	struct script s = { 0 };
	struct kernel k;
	uint8_t cmd[64], resp[64];
	size_t len = fb_command(cmd, FCC_ECHO, "", 0);

	(void)state;
	kernel_open(&k, &scripted, &s);
	bridge_put_off(&k.b); /* nothing waits: nothing happens */
	assert_int_equal(write(k.fd, cmd, len), len);
	bridge_put_off(&k.b);
	assert_int_equal(get(&k, resp, sizeof(resp)), FB_HDR);
	assert_int_equal(be32_get(resp + 6), 0x922);
	assert_int_equal(s.sent, 0);
	bridge_disown(&k.b);
	assert_int_equal(get(&k, resp, sizeof(resp)), FB_HDR);
	assert_int_equal(be32_get(resp + 6), 0x101);
	kernel_run(&k);
	assert_int_equal(kernel_stop(&k), BRIDGE_STOPPED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_go_there_and_back),
		cmocka_unit_test(what_is_no_command_is_answered_and_not_sent),
		cmocka_unit_test(locality_is_set_in_band_and_never_sent),
		cmocka_unit_test(a_broken_answer_is_a_failure),
		cmocka_unit_test(a_command_that_nobody_waits_for_is_cancelled),
		cmocka_unit_test(a_local_back_half_that_goes_ends_it),
		cmocka_unit_test(a_kernel_that_closes_ends_it),
		cmocka_unit_test(the_version_is_in_the_answers_header),
		cmocka_unit_test(what_was_not_sent_may_be_sent_again),
		cmocka_unit_test(
		    a_tpm_of_the_other_version_needs_another_device),
		cmocka_unit_test(a_command_is_put_off_while_there_is_no_tpm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
