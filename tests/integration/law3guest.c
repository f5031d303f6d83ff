/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * law3guest.c - a guest that writes numbers and never forgives a lost one.
 *
 *   law3guest write SOCKET   NV writes of 1, 2, 3, ... until SIGTERM.  Each
 *                            number that the TPM acknowledged must be there
 *                            ever after; every failed command and every
 *                            hundredth write is followed by a look.  Prints
 *                            "acked N attempts N failures N lost N" at the
 *                            end; exit 1 if one was lost.
 *   law3guest read SOCKET    GetRandom every few milliseconds until
 *                            SIGTERM; prints "answers N failures N gap_ms N",
 *                            gap being the longest time without an answer.
 *   law3guest define SOCKET  make the index, where it is not there.
 *   law3guest get SOCKET     prints the number in NV.
 *   law3guest put SOCKET N   one write; prints the response code in hex.
 *
 * A ring that is gone, or in use, is tried again.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "tpmfront/ring_local.h"

#define INDEX 0x01800333u
#define RH_OWNER 0x40000001u
#define RS_PW 0x40000009u
#define ST_SESSIONS 0x8002
#define ST_NO_SESSIONS 0x8001
#define CC_NV_DEFINE 0x0000012au
#define CC_NV_WRITE 0x00000137u
#define CC_NV_READ 0x0000014eu
#define CC_GET_RANDOM 0x0000017bu
#define RC_NV_DEFINED 0x14cu
#define RC_NV_UNINITIALIZED 0x14au
#define RC_NONE 0xffffffffu /* no answer at all */
#define ANSWER_MS 20000

static volatile sig_atomic_t ending;
static const char *path;
static struct ring *ring;

static void
on_term(int sig)
{
	(void)sig;
	ending = 1;
}

static void
nap_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* One command; the response is borrowed.  RC_NONE: the channel failed. */
static uint32_t
run(struct wr *w, const uint8_t **resp, size_t *len)
{
	char holder[RING_TEXT_MAX];
	struct rd r;
	uint32_t rc;

	wr_set_be32(w, 2, (uint32_t)w->len);
	if (wr_err(w) != VT_OK)
		abort();
	if (ring == NULL &&
	    ring_local_connect(path, 1000, &ring, holder) != VT_OK) {
		ring = NULL;
		nap_ms(5);
		return RC_NONE;
	}
	if (ring_submit(ring, 0, w->buf, w->len) != VT_OK ||
	    ring_wait(ring, ANSWER_MS, resp, len) != VT_OK) {
		ring_close(ring);
		ring = NULL;
		return RC_NONE;
	}
	rd_init(&r, *resp, *len);
	(void)rd_be16(&r);
	if (rd_be32(&r) != *len)
		rd_fail(&r, VT_E_FORMAT);
	rc = rd_be32(&r);
	return rd_err(&r) == VT_OK ? rc : RC_NONE;
}

static void
begin(struct wr *w, uint8_t *buf, size_t cap, uint16_t tag, uint32_t cc)
{
	wr_init(w, buf, cap);
	wr_be16(w, tag);
	wr_be32(w, 0);
	wr_be32(w, cc);
}

static void
empty_password(struct wr *w)
{
	wr_be32(w, 9);
	wr_be32(w, RS_PW);
	wr_be16(w, 0);
	wr_u8(w, 0);
	wr_be16(w, 0);
}

/* An ordinary index of 8 bytes: AUTHREAD, AUTHWRITE, NO_DA, OWNERREAD,
 * OWNERWRITE. */
static uint32_t
nv_define(void)
{
	uint8_t buf[64];
	const uint8_t *resp;
	size_t len;
	struct wr w;

	begin(&w, buf, sizeof(buf), ST_SESSIONS, CC_NV_DEFINE);
	wr_be32(&w, RH_OWNER);
	empty_password(&w);
	wr_be16(&w, 0);  /* auth */
	wr_be16(&w, 14); /* TPM2B_NV_PUBLIC */
	wr_be32(&w, INDEX);
	wr_be16(&w, 0x000b);
	wr_be32(&w, 0x02060006u);
	wr_be16(&w, 0);
	wr_be16(&w, 8);
	return run(&w, &resp, &len);
}

static uint32_t
nv_write(uint64_t v)
{
	uint8_t buf[64];
	const uint8_t *resp;
	size_t len;
	struct wr w;

	begin(&w, buf, sizeof(buf), ST_SESSIONS, CC_NV_WRITE);
	wr_be32(&w, RH_OWNER);
	wr_be32(&w, INDEX);
	empty_password(&w);
	wr_be16(&w, 8);
	wr_be64(&w, v);
	wr_be16(&w, 0);
	return run(&w, &resp, &len);
}

static uint32_t
nv_read(uint64_t *ret)
{
	uint8_t buf[64];
	const uint8_t *resp = NULL;
	size_t len = 0;
	uint32_t rc;
	struct wr w;
	struct rd r;

	begin(&w, buf, sizeof(buf), ST_SESSIONS, CC_NV_READ);
	wr_be32(&w, RH_OWNER);
	wr_be32(&w, INDEX);
	empty_password(&w);
	wr_be16(&w, 8);
	wr_be16(&w, 0);
	rc = run(&w, &resp, &len);
	if (rc == RC_NV_UNINITIALIZED)
		*ret = 0;
	if (rc != 0)
		return rc == RC_NV_UNINITIALIZED ? 0 : rc;
	rd_init(&r, resp, len);
	(void)rd_span(&r, 14); /* header, parameter size */
	if (rd_be16(&r) != 8)
		rd_fail(&r, VT_E_FORMAT);
	*ret = rd_be64(&r);
	return rd_err(&r) == VT_OK ? 0 : RC_NONE;
}

/* Until it is defined, by us or before. */
static int
prepare(void)
{
	uint32_t rc = RC_NONE;
	int i;

	for (i = 0; i < 400 && !ending; i++) {
		rc = nv_define();
		if (rc == 0 || rc == RC_NV_DEFINED)
			return 0;
		nap_ms(20);
	}
	(void)fprintf(stderr, "law3guest: NV_DefineSpace: 0x%x\n", rc);
	return -1;
}

struct tally {
	uint64_t acked, next, attempts, failures, lost;
};

/* What is there must be what was acknowledged, or what was under way. */
static void
look(struct tally *t)
{
	uint64_t v = 0;
	uint32_t rc = RC_NONE;
	int i;

	for (i = 0; i < 2000; i++) {
		if ((rc = nv_read(&v)) == 0)
			break;
		t->failures++;
		nap_ms(10);
	}
	if (rc != 0) {
		(void)fprintf(stderr, "law3guest: NV_Read: 0x%x\n", rc);
		t->lost++;
		ending = 1;
		return;
	}
	if (v < t->acked || v >= t->next) {
		(void)fprintf(stderr,
		    "law3guest: %llu is there, %llu was acknowledged, %llu "
		    "was the last one sent\n",
		    (unsigned long long)v, (unsigned long long)t->acked,
		    (unsigned long long)t->next - 1);
		t->lost++;
	}
	t->acked = v;
	t->next = v + 1;
}

static int
do_write(void)
{
	struct tally t = { 0, 1, 0, 0, 0 };

	if (prepare() != 0)
		return 1;
	t.next = UINT64_MAX; /* whatever is there is where we start */
	look(&t);
	while (!ending) {
		uint32_t rc;

		t.attempts++;
		rc = nv_write(t.next++);
		if (rc == 0) {
			t.acked = t.next - 1;
			if (t.acked % 100 == 0)
				look(&t);
			continue;
		}
		t.failures++;
		look(&t);
	}
	look(&t);
	(void)printf("acked %llu attempts %llu failures %llu lost %llu\n",
	    (unsigned long long)t.acked, (unsigned long long)t.attempts,
	    (unsigned long long)t.failures, (unsigned long long)t.lost);
	return t.lost == 0 ? 0 : 1;
}

static int
do_read(void)
{
	uint64_t last = now_us(), gap = 0, now;
	unsigned long n = 0, failures = 0;
	uint8_t buf[16];
	const uint8_t *resp;
	size_t len;
	struct wr w;

	while (!ending) {
		begin(&w, buf, sizeof(buf), ST_NO_SESSIONS, CC_GET_RANDOM);
		wr_be16(&w, 8);
		if (run(&w, &resp, &len) == 0) {
			now = now_us();
			if (now - last > gap)
				gap = now - last;
			last = now;
			n++;
		} else {
			failures++;
		}
		nap_ms(3);
	}
	(void)printf("answers %lu failures %lu gap_ms %llu\n", n, failures,
	    (unsigned long long)gap / 1000);
	return 0;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_term };
	uint64_t v = 0;
	uint32_t rc;

	(void)sigaction(SIGTERM, &sa, NULL);
	if (argc < 3)
		return 2;
	path = argv[2];
	if (strcmp(argv[1], "write") == 0)
		return do_write();
	if (strcmp(argv[1], "read") == 0)
		return do_read();
	if (strcmp(argv[1], "define") == 0)
		return prepare() == 0 ? 0 : 1;
	if (strcmp(argv[1], "put") == 0 && argc == 4) {
		rc = nv_write(strtoull(argv[3], NULL, 10));
		(void)printf("0x%x\n", rc);
		return rc == 0 ? 0 : 1;
	}
	if ((rc = nv_read(&v)) != 0) {
		(void)fprintf(stderr, "law3guest: NV_Read: 0x%x\n", rc);
		return 1;
	}
	(void)printf("%llu\n", (unsigned long long)v);
	return 0;
}
