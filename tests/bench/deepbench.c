/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deepbench.c - many guests at once ask for deep quotes:
 *   deepbench RUN PREFIX GUESTS SECONDS [RATE | once]
 *
 * Drives the rings RUN/PREFIX1.tpmif to RUN/PREFIXn.tpmif from one thread.
 * Each guest quotes, submits, polls when the worker says so, collects, looks
 * whether the answer is its own and leads to what the host signed, and begins
 * again: at once, or, with RATE, so that all together begin RATE a second.
 * Measured for SECONDS, once every guest has had two answers.  With `once` all
 * have quoted before, submit at the same moment and do not come again; it ends
 * when all have been answered, at the latest after SECONDS.
 * Prints one line, also when no guest was answered
 *   GUESTS ANSWERS PER-SECOND P50-MS P99-MS MAX-MS BATCH-P50 BATCH-MAX LOOKS
 *   FAILED LATE-MS
 * where a latency is from submit to the whole answer (or, with `once`, to
 * being told that there is none, which FAILED counts), LOOKS is how often one
 * had to come back for it, and LATE the p99 of how late this program itself
 * was to come back: the machine is too busy to tell more.
 */
#include <sys/epoll.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/tpm/quote.h"
#include "tests/unit/ringpeek.h"
#include "vtpm/engine/vendor.h"

#define GUESTS_MAX 4096
#define SAMPLES_MAX (1 << 20)
#define HDR 10
#define TURN_MS 20
#define AK 0x81000003u

#define SETTLE_US 3000000 /* at least, and at most ten times that */
#define SETTLED 2         /* answers of each guest */

enum step {
	S_STARTUP,
	S_QUOTE,
	S_SUBMIT,
	S_REST,
	S_COLLECT,
	S_PACE,
	S_READY, /* `once`: has quoted */
	S_DONE,
};

struct guest {
	struct ring *r;
	unsigned int number;
	enum step step;
	uint64_t ticket, nonce, t0, wake_us, due_us;
	unsigned int answers;
	uint8_t digest[SHA256_LEN];
};

static struct guest guests[GUESTS_MAX];
static size_t nguests;
static uint32_t took_us[SAMPLES_MAX], batch[SAMPLES_MAX], late_us[SAMPLES_MAX];
static size_t nsamples, nbatch, nlate, collects, failed;
static uint64_t end_us, every_us; /* of one guest; 0: at once */
static bool once;

static void
die(const struct guest *g, const char *what, long code)
{
	(void)fprintf(
	    stderr, "deepbench: guest %u: %s: 0x%lx\n", g->number, what, code);
	exit(1);
}

/* --- commands ------------------------------------------------------------- */

static void
begin(struct wr *w, uint8_t *buf, size_t cap, uint16_t tag, uint32_t code)
{
	wr_init(w, buf, cap);
	wr_be16(w, tag);
	wr_be32(w, 0);
	wr_be32(w, code);
}

static void
send_(struct guest *g, struct wr *w)
{
	int rc = wr_err(w);

	wr_set_be32(w, 2, (uint32_t)w->len);
	if (rc != VT_OK || (rc = ring_submit(g->r, 0, w->buf, w->len)) != VT_OK)
		die(g, "no command can be sent", -rc);
}

static void
send_startup(struct guest *g)
{
	uint8_t buf[16];
	struct wr w;

	begin(&w, buf, sizeof(buf), 0x8001, 0x144);
	wr_be16(&w, 0);
	g->step = S_STARTUP;
	send_(g, &w);
}

static void
send_quote(struct guest *g)
{
	uint8_t buf[128], nonce[16] = { 0 };
	struct wr w;

	be64_put(nonce, ++g->nonce);
	begin(&w, buf, sizeof(buf), 0x8002, 0x158);
	wr_be32(&w, AK);
	wr_be32(&w, 9); /* an empty password */
	wr_be32(&w, 0x40000009);
	wr_be16(&w, 0);
	wr_u8(&w, 0);
	wr_be16(&w, 0);
	wr_blob16(&w, nonce, sizeof(nonce));
	wr_be16(&w, 0x0010);
	wr_be32(&w, 1);
	wr_be16(&w, ALG_SHA256);
	wr_u8(&w, 3);
	wr_bytes(&w, "\xff\x03\x00", 3);
	g->step = S_QUOTE;
	send_(g, &w);
}

static void
send_submit(struct guest *g)
{
	uint8_t buf[128], none[32] = { 0 }, nonce[8];
	struct wr w;

	be64_put(nonce, g->nonce);
	begin(&w, buf, sizeof(buf), 0x8001, TPM_CC_VTPM);
	wr_be16(&w, VSUB_DEEP_SUBMIT);
	wr_bytes(&w, g->digest, sizeof(g->digest));
	wr_bytes(&w, none, sizeof(none));
	wr_blob16(&w, nonce, sizeof(nonce));
	g->step = S_SUBMIT;
	g->t0 = now_us();
	send_(g, &w);
}

static void
send_collect(struct guest *g)
{
	uint8_t buf[64];
	struct wr w;

	begin(&w, buf, sizeof(buf), 0x8001, TPM_CC_VTPM);
	wr_be16(&w, VSUB_DEEP_COLLECT);
	wr_be64(&w, g->ticket);
	wr_be32(&w, 0);
	wr_be16(&w, DEEP_ANSWER_MAX);
	g->step = S_COLLECT;
	collects++;
	if (nlate < SAMPLES_MAX)
		late_us[nlate++] = (uint32_t)(now_us() - g->wake_us);
	send_(g, &w);
}

/* --- answers -------------------------------------------------------------- */

static void
rest(struct guest *g, uint64_t us)
{
	g->step = S_REST;
	g->wake_us = now_us() + us;
}

/* As vtpm-attest looks again. */
static void
rest_again(struct guest *g)
{
	uint64_t us = (now_us() - g->t0) / 8;

	rest(g, us < 2000 ? 2000 : us > 1000000 ? 1000000 : us);
}

/* An answer, or that there is none. */
static void
sample(struct guest *g)
{
	g->answers++;
	if (nsamples < SAMPLES_MAX)
		took_us[nsamples++] = (uint32_t)(now_us() - g->t0);
}

static void
next_one(struct guest *g)
{
	uint64_t now = now_us();

	if (once) {
		g->step = S_DONE;
		return;
	}
	if (every_us == 0) {
		send_quote(g);
		return;
	}
	if (g->due_us + every_us < now)
		g->due_us = now; /* a round behind: give it up */
	g->wake_us = g->due_us > now ? g->due_us : now;
	g->due_us += every_us;
	g->step = S_PACE;
}

/* TPM2B_ATTEST and signature behind parameterSize, before one session. */
static void
on_quote(struct guest *g, const uint8_t *p, size_t len)
{
	struct iov_part parts[2];
	size_t n;

	if (len < HDR + 6 + 5 ||
	    (n = be16_get(p + HDR + 4)) > len - HDR - 6 - 5)
		die(g, "a quote", (long)len);
	parts[0] = (struct iov_part){ p + HDR + 6, n };
	parts[1] = (struct iov_part){ p + HDR + 6 + n, len - HDR - 6 - 5 - n };
	if (digest_parts(ALG_SHA256, parts, 2, g->digest) != VT_OK)
		die(g, "digest", 0);
	if (once)
		g->step = S_READY;
	else
		send_submit(g);
}

static void
check(struct guest *g, const struct deep_answer *a)
{
	uint8_t leaf[SHA256_LEN], root[SHA256_LEN], want[SHA256_LEN];
	struct quote_attest q;

	if (memcmp(a->leaf.quote, g->digest, SHA256_LEN) != 0 ||
	    be64_get(a->leaf.nonce) != g->nonce)
		die(g, "an answer to another guest", 0);
	if (deep_leaf_hash(&a->leaf, leaf) != VT_OK ||
	    deep_path_root(leaf, a->index, a->count,
		(const uint8_t(*)[SHA256_LEN])a->path, a->path_len,
		root) != VT_OK ||
	    deep_qualify(root, a->policy_sequence, want) != VT_OK ||
	    quote_attest_get(a->attest, a->attest_len, &q) != VT_OK ||
	    q.extra_len != SHA256_LEN || memcmp(q.extra, want, SHA256_LEN) != 0)
		die(g, "the path does not lead to the host's quote", 0);
}

static void
on_collect(struct guest *g, const uint8_t *p, size_t len)
{
	struct deep_answer a;
	uint8_t state;

	if (len < HDR + 9)
		die(g, "a collect", (long)len);
	state = p[HDR + 2];
	if (state == VDQ_PENDING) {
		rest_again(g);
		return;
	}
	if (state == VDQ_FAILED && once) {
		failed++;
		sample(g);
		g->step = S_DONE;
		return;
	}
	if (state == VDQ_FAILED) {
		(void)fprintf(stderr, "deepbench: %.*s\n", (int)(len - HDR - 9),
		    (const char *)p + HDR + 9);
		die(g, "no deep quote", 0);
	}
	if (deep_answer_get(p + HDR + 9, len - HDR - 9, &a) != VT_OK)
		die(g, "the answer is broken", 0);
	sample(g);
	if (nbatch < SAMPLES_MAX)
		batch[nbatch++] = (uint32_t)a.count;
	check(g, &a);
	next_one(g);
}

static void
on_answer(struct guest *g, const uint8_t *p, size_t len)
{
	uint32_t rc = be32_get(p + 6), ms;

	switch (g->step) {
	case S_STARTUP: /* or is it up already */
		if (rc != 0 && rc != 0x100)
			die(g, "startup", rc);
		g->due_us = now_us() + every_us * g->number / nguests;
		if (once)
			send_quote(g);
		else
			next_one(g);
		return;
	case S_QUOTE:
		if (rc != 0)
			die(g, "quote", rc);
		on_quote(g, p, len);
		return;
	case S_SUBMIT:
		if (rc != 0)
			die(g, "submit", rc);
		g->ticket = be64_get(p + HDR + 2);
		ms = be32_get(p + HDR + 10);
		rest(g, ms * UINT64_C(1000));
		return;
	default:
		if (rc != 0)
			die(g, "collect", rc);
		on_collect(g, p, len);
	}
}

/* --- all of them ---------------------------------------------------------- */

static void
open_all(const char *run, const char *prefix, int ep)
{
	char path[256], holder[RING_TEXT_MAX];
	struct epoll_event ev = { .events = EPOLLIN };
	struct guest *g;
	size_t i;
	int rc;

	for (i = 0; i < nguests; i++) {
		g = &guests[i];
		g->number = (unsigned int)i + 1;
		(void)snprintf(path, sizeof(path), "%s/%s%u.tpmif", run, prefix,
		    g->number);
		if ((rc = ring_local_connect(path, 10000, &g->r, holder)) !=
		    VT_OK)
			die(g, path, -rc);
		ev.data.ptr = g;
		if (epoll_ctl(ep, EPOLL_CTL_ADD, ring_fd(g->r), &ev) == -1)
			die(g, "epoll", 0);
		send_startup(g);
	}
}

static void
take(struct guest *g)
{
	const uint8_t *p;
	size_t len;
	int rc;

	if (!ring_pending(g->r))
		return;
	if ((rc = ring_wait(g->r, 0, &p, &len)) == VT_E_AGAIN)
		return;
	if (rc != VT_OK)
		die(g, "its ring", -rc);
	on_answer(g, p, len);
}

static void
wake(struct guest *g)
{
	if (g->step == S_PACE)
		send_quote(g);
	else
		send_collect(g);
}

static bool
all_in(enum step s)
{
	size_t i;

	for (i = 0; i < nguests && guests[i].step == s; i++)
		;
	return i == nguests;
}

static bool
all_settled(void)
{
	size_t i;

	for (i = 0; i < nguests && guests[i].answers >= SETTLED; i++)
		;
	return i == nguests;
}

static void
turn(int ep)
{
	struct epoll_event evs[256];
	uint64_t now = now_us(), next = now + TURN_MS * 1000;
	size_t i;
	int n, k;

	for (i = 0; i < nguests; i++) {
		if (guests[i].step != S_REST && guests[i].step != S_PACE)
			continue;
		if (guests[i].wake_us <= now)
			wake(&guests[i]);
		else if (guests[i].wake_us < next)
			next = guests[i].wake_us;
	}
	now = now_us();
	n = epoll_wait(
	    ep, evs, 256, next > now ? (int)((next - now + 999) / 1000) : 0);
	for (k = 0; k < n; k++)
		take(evs[k].data.ptr);
}

/* Keys are loaded, hints are learned, no guest is at its first one. */
static void
settle(int ep)
{
	uint64_t t0 = now_us(), now;

	do {
		turn(ep);
		now = now_us();
	} while (
	    now < t0 + 10 * SETTLE_US &&
	    (once ? !all_in(S_READY) : now < t0 + SETTLE_US || !all_settled()));
	if (once && !all_in(S_READY))
		die(&guests[0], "not all have quoted", 0);
	nsamples = nbatch = nlate = collects = failed = 0;
}

static void
drive(int ep)
{
	size_t i;

	for (i = 0; once && i < nguests; i++)
		send_submit(&guests[i]);
	while (now_us() < end_us && !all_in(S_DONE))
		turn(ep);
}

/* Guests without an answer at the end of the time. */
static void
give_up_the_rest(void)
{
	size_t i;

	for (i = 0; i < nguests; i++) {
		if (guests[i].step == S_DONE)
			continue;
		failed++;
		sample(&guests[i]);
	}
}

static int
by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
part_ms(uint32_t *v, size_t n, size_t percent)
{
	qsort(v, n, sizeof(v[0]), by_value);
	return n > 0 ? v[percent == 100 ? n - 1 : n * percent / 100] / 1000.0
		     : 0;
}

static void
report(double seconds)
{
	qsort(batch, nbatch, sizeof(batch[0]), by_value);
	(void)printf("%zu %zu %.1f %.1f %.1f %.1f %u %u %.1f %zu %.1f\n",
	    nguests, nsamples, (double)(nsamples - failed) / seconds,
	    part_ms(took_us, nsamples, 50), part_ms(took_us, nsamples, 99),
	    part_ms(took_us, nsamples, 100), nbatch > 0 ? batch[nbatch / 2] : 0,
	    nbatch > 0 ? batch[nbatch - 1] : 0,
	    nsamples > 0 ? (double)collects / (double)nsamples : 0, failed,
	    part_ms(late_us, nlate, 99));
}

int
main(int argc, char **argv)
{
	double seconds;
	uint64_t t0;
	size_t i;
	int ep;

	if (argc < 5 || argc > 6 || (nguests = (size_t)atol(argv[3])) == 0 ||
	    nguests > GUESTS_MAX || (seconds = atof(argv[4])) <= 0) {
		(void)fprintf(stderr, "usage: deepbench RUN PREFIX GUESTS "
				      "SECONDS [RATE | once]\n");
		return 2;
	}
	once = argc == 6 && strcmp(argv[5], "once") == 0;
	if (argc == 6 && !once)
		every_us = (uint64_t)(1e6 * (double)nguests / atof(argv[5]));
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		return 1;
	open_all(argv[1], argv[2], ep);
	settle(ep);
	t0 = now_us();
	end_us = t0 + (uint64_t)(seconds * 1e6);
	drive(ep);
	if (once)
		give_up_the_rest();
	report((double)(now_us() - t0) / 1e6);
	for (i = 0; i < nguests; i++)
		ring_close(guests[i].r);
	return 0;
}
