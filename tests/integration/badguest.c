/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * badguest.c - a guest that does what it may not, for a while.
 *
 * badguest MODE SECONDS PATH
 * Over a local ring (PATH ends in .tpmif):
 *	flood		commands without a pause
 *	slow		RSA key generation without a pause
 *	headers		random lengths, states, localities, extra pages
 *	scribble	writes over the page while commands run
 *	abrupt		connects, submits, and is gone
 *	connect		connects without end, reads nothing
 * Over swtpm's protocol (PATH ends in .swtpm):
 *	flood		commands without a pause
 *	split		commands in pieces of one to seven bytes
 *	oversize	size fields from 4097 to 4 GiB
 *	truncated	half a command, then hangs up
 *	garbage		random bytes on the control connection
 *	locality	the in-band command that sets a locality
 * Prints what it did; SEED in the environment repeats it.  Exit 0 unless it
 *could not even start.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/swclient.h"
#include "tests/unit/ringpeek.h"

static const uint8_t get_random[12] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0,
	16 };
static const uint8_t startup[12] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0,
	0 };
/* CreatePrimary, owner, empty password, RSA-2048 without a scheme: a slow
 * command; the public area fills the last lines. */
static const uint8_t create_rsa[] = { 0x80, 2, 0, 0, 0, 0x3f, 0, 0, 1, 0x31,
	0x40, 0, 0, 1, 0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0,
	0, 0, 0x16, 0, 1, 0, 0xb, 0, 2, 4, 0x72, 0, 0, 0, 0x10, 0, 0x10, 8, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
_Static_assert(sizeof(create_rsa) == 0x3f, "its own size field");

static uint64_t end_us;
static unsigned long done, refused;
static uint32_t seed = 1;

static uint32_t
rnd(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static bool
more(void)
{
	return now_us() < end_us;
}

/* --- over the ring ---------------------------------------------------------
 */

static struct ring *
ring_get(const char *path)
{
	char holder[RING_TEXT_MAX];
	struct ring *r;

	return ring_local_connect(path, 60000, &r, holder) == VT_OK ? r : NULL;
}

static void
count(const uint8_t *resp)
{
	done++;
	refused += be32_get(resp + 6) != 0;
}

/* Exchange one command; false: the ring is no use any more. */
static bool
ring_ask(struct ring *r, const uint8_t *cmd, size_t len, const uint8_t **ret)
{
	size_t n;

	if (ring_submit(r, 0, cmd, len) != VT_OK ||
	    ring_wait(r, 60000, ret, &n) != VT_OK || n < 10)
		return false;
	count(*ret);
	return true;
}

static void
ring_flood(const char *path)
{
	struct ring *r = ring_get(path);
	const uint8_t *resp;

	while (r != NULL && more())
		if (!ring_ask(r, get_random, sizeof(get_random), &resp))
			break;
	ring_close(r);
}

static void
ring_slow(const char *path)
{
	uint8_t flush[14] = { 0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x65 };
	struct ring *r = ring_get(path);
	const uint8_t *resp;
	uint8_t i;

	for (i = 0; r != NULL && i < 3; i++) { /* what others left loaded */
		be32_put(flush + 10, 0x80000000u + i);
		(void)!ring_ask(r, flush, sizeof(flush), &resp);
	}
	while (r != NULL && more()) {
		if (!ring_ask(r, create_rsa, sizeof(create_rsa), &resp))
			break;
		memcpy(flush + 10, resp + 10, 4); /* the new handle */
		if (be32_get(resp + 6) == 0 &&
		    !ring_ask(r, flush, sizeof(flush), &resp))
			break;
	}
	ring_close(r);
}

static void
ring_headers(const char *path)
{
	struct ring *r = ring_get(path);
	struct tpmif_page *page;

	while (r != NULL && more()) {
		int i;

		page = &ring_view(r)->page;
		memcpy(page->data, get_random, sizeof(get_random));
		be32_put(page->data + 2, rnd() % 16);
		page->length = rnd() % 3 == 0 ? rnd() << 8 : rnd() % 5000;
		page->locality = (uint8_t)rnd();
		page->nr_extra_pages = rnd() % 4 == 0 ? (uint8_t)rnd() : 0;
		page->pad = (uint8_t)rnd();
		__atomic_store_n(&page->state,
		    rnd() % 2 != 0 ? TPMIF_SUBMIT : (uint8_t)rnd(),
		    __ATOMIC_SEQ_CST);
		ring_notify(r);
		done++;
		for (i = 0; i < 1000; i++) {
			uint8_t s =
			    __atomic_load_n(&page->state, __ATOMIC_ACQUIRE);

			if (s == TPMIF_IDLE || s == TPMIF_FINISH)
				break;
			usleep(20);
		}
	}
	ring_close(r);
}

static void
ring_scribble(const char *path)
{
	struct ring *r = ring_get(path);
	volatile uint8_t *raw;
	int i;

	while (r != NULL && more()) {
		raw = (volatile uint8_t *)ring_view(r);
		if (ring_submit(r, 0, get_random, sizeof(get_random)) ==
		    VT_E_STATE)
			done++;
		for (i = 0; i < 2000; i++)
			raw[rnd() % TPMIF_PAGE_SIZE] = (uint8_t)rnd();
		for (i = 0; i < 5; i++) {
			raw[4] = TPMIF_SUBMIT;
			ring_notify(r);
		}
		done++;
		usleep(50);
	}
	ring_close(r);
}

static void
ring_abrupt(const char *path, bool submit)
{
	struct ring *r;

	while (more() && (r = ring_get(path)) != NULL) {
		if (submit)
			(void)!(rnd() % 16 == 0 ? ring_submit(r, 0, create_rsa,
						      sizeof(create_rsa))
						: ring_submit(r, 0, get_random,
						      sizeof(get_random)));
		ring_close(r);
		done++;
	}
}

/* Connections that are never read, at most 64 at a time. */
static void
ring_connects(const char *path)
{
	int fds[64], i = 0, j;

	for (j = 0; j < 64; j++)
		fds[j] = -1;
	for (; more(); i = (i + 1) % 64) {
		if (fds[i] != -1)
			(void)close(fds[i]);
		fds[i] = unix_connect(path);
		done += fds[i] != -1;
		usleep(100);
	}
	for (j = 0; j < 64; j++)
		if (fds[j] != -1)
			(void)close(fds[j]);
}

/* --- over swtpm's protocol -------------------------------------------------
 */

static void
sw_flood(const char *path, bool split, const uint8_t *cmd, size_t len)
{
	uint8_t resp[4096];
	int data, ctl = swc_open(path, true, &data);
	size_t off = 0, n;

	if (ctl == -1)
		return;
	(void)!swc_command(data, startup, sizeof(startup), resp, sizeof(resp));
	while (more()) {
		for (off = 0; split && off + 1 < len; off += n) {
			n = 1 + rnd() % 7;
			if (off + n >= len)
				n = len - off - 1;
			if (send(data, cmd + off, n, MSG_NOSIGNAL) !=
			    (ssize_t)n)
				goto out;
			if (rnd() % 4 == 0)
				usleep(200);
		}
		if (!split)
			off = 0;
		if (swc_command(
			data, cmd + off, len - off, resp, sizeof(resp)) < 10)
			break;
		count(resp);
	}
out:
	(void)close(data);
	(void)close(ctl);
}

static void
sw_hang_up(const char *path, bool oversize)
{
	static uint8_t lots[65536];
	uint8_t resp[4096];
	struct pollfd p = { .events = POLLIN };
	int data, ctl;

	while (more() && (ctl = swc_open(path, true, &data)) != -1) {
		be16_put(lots, 0x8001);
		be32_put(lots + 2, oversize ? 4097 + (rnd() << 8) : 4000);
		be32_put(lots + 6, 0x17b);
		(void)!send(data, lots, oversize ? sizeof(lots) : 2000,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		p.fd = data;
		if (oversize && poll(&p, 1, 100) == 1 &&
		    read(data, resp, sizeof(resp)) >= 10)
			count(resp);
		else
			done++;
		(void)close(data);
		(void)close(ctl);
	}
}

static void
sw_garbage(const char *path)
{
	uint8_t buf[256];
	size_t i;
	int fd;

	while (more() && (fd = unix_connect(path)) != -1) {
		for (i = 0; i < sizeof(buf); i++)
			buf[i] = (uint8_t)rnd();
		if (rnd() % 2 != 0) /* a known command, nonsense behind it */
			be32_put(buf, rnd() % 0x14);
		(void)!send(fd, buf, 1 + rnd() % sizeof(buf),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		usleep(500);
		(void)close(fd);
		done++;
	}
}

/* --- the modes -------------------------------------------------------------
 */

static bool
run_ring(const char *mode, const char *path)
{
	if (strcmp(mode, "flood") == 0)
		ring_flood(path);
	else if (strcmp(mode, "slow") == 0)
		ring_slow(path);
	else if (strcmp(mode, "headers") == 0)
		ring_headers(path);
	else if (strcmp(mode, "scribble") == 0)
		ring_scribble(path);
	else if (strcmp(mode, "abrupt") == 0)
		ring_abrupt(path, true);
	else if (strcmp(mode, "connect") == 0)
		ring_connects(path);
	else
		return false;
	return true;
}

static bool
run_sw(const char *mode, const char *path)
{
	/* vtpm_proxy's TPM2_CC_SET_LOCALITY, locality 4 */
	static const uint8_t set_locality[11] = { 0x80, 1, 0, 0, 0, 11, 0x20, 0,
		0x10, 0, 4 };

	if (strcmp(mode, "flood") == 0)
		sw_flood(path, false, get_random, sizeof(get_random));
	else if (strcmp(mode, "split") == 0)
		sw_flood(path, true, get_random, sizeof(get_random));
	else if (strcmp(mode, "oversize") == 0)
		sw_hang_up(path, true);
	else if (strcmp(mode, "truncated") == 0)
		sw_hang_up(path, false);
	else if (strcmp(mode, "garbage") == 0)
		sw_garbage(path);
	else if (strcmp(mode, "locality") == 0)
		sw_flood(path, false, set_locality, sizeof(set_locality));
	else
		return false;
	return true;
}

int
main(int argc, char **argv)
{
	uint32_t first;
	size_t n;
	bool sw;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: badguest MODE SECONDS PATH\n");
		return 2;
	}
	end_us = now_us() + (uint64_t)(atof(argv[2]) * 1e6);
	seed = (uint32_t)getpid();
	if (getenv("SEED") != NULL)
		seed = (uint32_t)strtoul(getenv("SEED"), NULL, 0);
	first = seed;
	n = strlen(argv[3]);
	sw = n > 6 && strcmp(argv[3] + n - 6, ".swtpm") == 0;
	if (!(sw ? run_sw : run_ring)(argv[1], argv[3])) {
		(void)fprintf(stderr, "badguest: no mode %s\n", argv[1]);
		return 2;
	}
	(void)printf("seed=%u did=%lu refused=%lu\n", first, done, refused);
	return done == 0;
}
