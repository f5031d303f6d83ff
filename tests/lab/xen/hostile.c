/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hostile.c - a Xen guest's front half that does what it may not, from user
 * space of an unmodified guest (gntalloc, evtchn, xenbus).
 *
 * xenhostile MODE COUNT, MODE is
 *	reopen	opens, asks one thing, closes
 *	lies	writes nonsense into ring-ref, event-channel and state
 *	fuzz	random header fields and bytes
 *	flip	rewrites the page while a command is processed
 *	storm	notifies without a pause (COUNT thousand times)
 *	honest	COUNT commands as they should be
 * Prints "@HOSTILE MODE done N answered M missed K in T ms", K being changes
 * of the back half's state that no watch told; exit 1 when it could not
 * connect.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "base/util.h"
#include "tpmback/page.h"

#define FRONT "device/vtpm/0"
#define WAIT_MS 20000
#define WATCH_MS 5000

static const uint8_t get_random[12] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0,
	16 };

static struct xs_handle *xs;
static char back_path[160];
static xengntshr_handle *shr;
static xenevtchn_handle *evt;
static volatile union tpmif_view *view;
static int port = -1;
static unsigned long answered;
static unsigned long missed; /* states that no watch told */
static uint32_t seed = 1;

static uint32_t
rnd(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static void
put(const char *key, const char *val)
{
	char path[64];

	(void)snprintf(path, sizeof(path), FRONT "/%s", key);
	(void)xs_write(xs, XBT_NULL, path, val, (unsigned)strlen(val));
}

static void
put_num(const char *key, unsigned long v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lu", v);
	put(key, text);
}

/* The back half's state node, watched from now on. */
static bool
watch_back(void)
{
	unsigned int len;
	char *back = xs_read(xs, XBT_NULL, FRONT "/backend", &len);

	if (back == NULL)
		return false;
	(void)snprintf(back_path, sizeof(back_path), "%s/state", back);
	free(back);
	return xs_watch(xs, back_path, "b");
}

static int
back_state(void)
{
	unsigned int len;
	char *s = xs_read(xs, XBT_NULL, back_path, &len);
	int v;

	if (s == NULL)
		return -1;
	v = atoi(s);
	free(s);
	return v;
}

static int
await(int want)
{
	struct pollfd p = { .fd = xs_fileno(xs), .events = POLLIN };
	uint64_t end = now_us() + WAIT_MS * 1000u;
	char **w;

	while (back_state() != want) {
		if (now_us() > end)
			return -1;
		if (poll(&p, 1, WATCH_MS) == 0 && back_state() == want)
			missed++;
		while ((w = xs_check_watch(xs)) != NULL)
			free(w);
	}
	return 0;
}

static int
attach(void)
{
	uint32_t ref;

	view = xengntshr_share_pages(shr, 0, 1, &ref, 1);
	port = xenevtchn_bind_unbound_port(evt, 0);
	if (view == NULL || port < 0)
		return -1;
	memset((void *)(uintptr_t)view, 0, TPMIF_PAGE_SIZE);
	put_num("ring-ref", ref);
	put_num("event-channel", (unsigned)port);
	put("feature-protocol-v2", "1");
	put("state", "3");
	return await(4);
}

static int
detach(void)
{
	int rc;

	put("state", "5");
	rc = await(5);
	put("state", "6");
	if (rc == 0)
		rc = await(2);
	if (view != NULL)
		(void)xengntshr_unshare(shr, (void *)(uintptr_t)view, 1);
	if (port >= 0)
		(void)xenevtchn_unbind(evt, (unsigned)port);
	view = NULL;
	port = -1;
	return rc;
}

/* Start over, whatever the back half believes just now. */
static int
afresh(void)
{
	int tries;

	for (tries = 0; tries < 3; tries++) {
		put("state", "6");
		(void)usleep(50000);
		if (await(2) == 0 && attach() == 0)
			return 0;
	}
	return -1;
}

static void
submit(uint32_t len, uint8_t locality, uint8_t extra, uint8_t state)
{
	uint64_t word = len | (uint64_t)state << 32 | (uint64_t)locality << 40 |
			(uint64_t)extra << 56;

	view->header = word;
	(void)xenevtchn_notify(evt, (unsigned)port);
}

static bool
answer(unsigned int ms)
{
	uint64_t end = now_us() + ms * 1000u;

	do {
		if (view->page.state == TPMIF_FINISH) {
			answered++;
			return true;
		}
		(void)usleep(200);
	} while (now_us() < end);
	return false;
}

static void
ask(void)
{
	memcpy(
	    (void *)(uintptr_t)view->page.data, get_random, sizeof(get_random));
	submit(sizeof(get_random), 0, 0, TPMIF_SUBMIT);
}

static int
reopen(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		if (view == NULL && attach() != 0)
			return -1;
		ask();
		if (i % 4 != 0) /* each fourth goes while its command runs */
			(void)answer(2000);
		if (detach() != 0)
			return -1;
	}
	return 0;
}

static int
lies(unsigned long n)
{
	static const char *const keys[] = { "ring-ref", "event-channel",
		"state", "feature-protocol-v2" };
	static const char *const vals[] = { "0", "-1", "4294967295",
		"99999999999999999999", "x", "", "7", "1", "2", "3", "4", " 8",
		"0x10", "8 ", "2147483648" };
	char big[2000];
	unsigned long i;

	memset(big, '9', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (i = 0; i < n; i++) {
		const char *k = keys[rnd() % VT_NELEM(keys)];

		put(k, i % 16 == 0 ? big : vals[rnd() % VT_NELEM(vals)]);
		if (i % 8 == 0)
			put("state", i % 16 == 0 ? "4" : "3");
		if (i % 32 == 0) {
			(void)xs_rm(xs, XBT_NULL, FRONT "/ring-ref");
			(void)usleep(2000);
		}
	}
	return afresh();
}

static int
fuzz(unsigned long n)
{
	unsigned long i;
	size_t k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < 64; k++)
			view->page.data[k] = (uint8_t)rnd();
		if (rnd() % 2 != 0)
			memcpy((void *)(uintptr_t)view->page.data, get_random,
			    sizeof(get_random));
		submit(rnd() % 4 == 0 ? rnd() << 8 : rnd() % 4100,
		    (uint8_t)(rnd() % 3 == 0 ? rnd() : 0),
		    (uint8_t)(rnd() % 3 == 0 ? rnd() : 0),
		    (uint8_t)(rnd() % 4 == 0 ? rnd() : TPMIF_SUBMIT));
		(void)answer(rnd() % 4 == 0 ? 0 : 20);
	}
	return 0;
}

static int
flip(unsigned long n)
{
	unsigned long i;
	int k;

	for (i = 0; i < n; i++) {
		ask();
		for (k = 0; k < 2000; k++) {
			view->page.data[rnd() % 16] = (uint8_t)rnd();
			if (k % 100 == 0)
				view->page.length = rnd();
			if (k % 250 == 0)
				view->page.state = (uint8_t)(rnd() % 5);
		}
		(void)answer(5);
	}
	return 0;
}

static int
storm(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n * 1000; i++)
		(void)xenevtchn_notify(evt, (unsigned)port);
	return 0;
}

static int
honest(unsigned long n)
{
	unsigned long i;

	answered = 0;
	for (i = 0; i < n; i++) {
		ask();
		if (!answer(5000) || view->page.length < 10)
			return -1;
		view->page.state = TPMIF_IDLE;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(unsigned long n);
	} modes[] = { { "reopen", reopen }, { "lies", lies }, { "fuzz", fuzz },
		{ "flip", flip }, { "storm", storm }, { "honest", honest } };
	uint64_t t0 = now_us();
	unsigned long n;
	size_t i;
	int rc;

	if (argc != 3)
		return 2;
	n = strtoul(argv[2], NULL, 10);
	xs = xs_open(0);
	shr = xengntshr_open(NULL, 0);
	evt = xenevtchn_open(NULL, 0);
	if (xs == NULL || shr == NULL || evt == NULL || !watch_back() ||
	    afresh() != 0) {
		printf("@HOSTILE %s cannot connect: %s, back half in state "
		       "%d\n",
		    argv[1], strerror(errno), xs != NULL ? back_state() : -1);
		return 1;
	}
	for (i = 0; i < VT_NELEM(modes); i++) {
		if (strcmp(modes[i].name, argv[1]) != 0)
			continue;
		rc = modes[i].run(n);
		printf("@HOSTILE %s %s %lu answered %lu missed %lu "
		       "in %llu ms\n",
		    argv[1], rc == 0 ? "done" : "stuck", n, answered, missed,
		    (unsigned long long)(now_us() - t0) / 1000);
		return rc != 0;
	}
	return 2;
}
