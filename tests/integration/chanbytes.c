/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chanbytes.c - the same bytes to a vTPM's swtpm channel and to swtpm itself.
 *
 *	chanbytes OURS CONTROL DATA	sockets: NAME.swtpm; swtpm's two
 *
 * Both agree on the buffer of QEMU's CRB.  Every header size from 1 to 5,000
 * is sent as QEMU does, no more of it than was agreed; then bodies that are
 * longer or shorter than their headers, and commands cut in two.  Each must
 * be answered, with the same response, and the next command likewise.  Exit
 * status 0 if so; what differs goes to standard output.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/integration/swclient.h"

#define SIZES 5000
#define CRB_SIZE 3968
#define SET_BUFFERSIZE 0x11
#define STOP 0x0e
#define PATIENCE_MS 20000
#define READ_CLOCK 0x181

struct side {
	const char *name;
	int ctl, data;
};

static unsigned int bad;

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("cannot %s\n", what);
	exit(2);
}

static void
agree(struct side *s)
{
	uint8_t req[8], rest[12];

	be32_put(req, STOP);
	must(swc_ask(s->ctl, req, 4, -1) == 0, "stop the TPM");
	be32_put(req, SET_BUFFERSIZE);
	be32_put(req + 4, CRB_SIZE);
	must(swc_ask(s->ctl, req, 8, -1) == 0 &&
		 read(s->ctl, rest, sizeof(rest)) == sizeof(rest) &&
		 be32_get(rest) == CRB_SIZE,
	    "agree on a buffer size");
	be32_put(req, SWC_INIT);
	be32_put(req + 4, 0);
	must(swc_ask(s->ctl, req, 8, -1) == 0, "power the TPM on");
}

/* The response code of the one answer; 0xffffffff: none in time. */
static uint32_t
answer(const struct side *s)
{
	struct pollfd p = { .fd = s->data, .events = POLLIN };
	uint8_t r[4096];
	ssize_t n;

	if (poll(&p, 1, PATIENCE_MS) != 1 ||
	    (n = read(s->data, r, sizeof(r))) < 10 ||
	    be32_get(r + 2) != (uint32_t)n)
		return UINT32_MAX;
	return be32_get(r + 6);
}

static uint32_t
ask(const struct side *s, uint32_t size, size_t len)
{
	uint8_t cmd[2 * SIZES] = { 0x80, 1 };

	be32_put(cmd + 2, size);
	be32_put(cmd + 6, READ_CLOCK);
	must(send(s->data, cmd, len, MSG_NOSIGNAL) == (ssize_t)len, "send");
	return answer(s);
}

/* same: swtpm takes these bytes for one command, too.  Of less than a header
 * it waits for the rest, without bound. */
static void
compare(const struct side *a, const struct side *b, uint32_t size, size_t len,
    bool same)
{
	uint32_t x = ask(a, size, len), y = 0x142;

	if (same && len >= 10)
		y = ask(b, size, len);
	if (x != y) {
		printf("header %u, %zu bytes: %s 0x%x, %s 0x%x\n", size, len,
		    a->name, x, b->name, y);
		bad++;
	}
	x = ask(a, 10, 10);
	y = ask(b, 10, 10);
	if (x != y || x == UINT32_MAX) {
		printf("after header %u, %zu bytes: %s 0x%x, %s 0x%x\n", size,
		    len, a->name, x, b->name, y);
		bad++;
	}
}

int
main(int argc, char **argv)
{
	static const uint32_t some[] = { 10, 11, 12, 100, 2807, 3967, 3968 };
	struct side a = { .name = "vTPM" }, b = { .name = "swtpm" };
	uint32_t size;
	size_t i;

	if (argc != 4)
		return 2;
	a.ctl = swc_open(argv[1], false, &a.data);
	b.ctl = unix_connect(argv[2]);
	b.data = unix_connect(argv[3]);
	must(a.ctl != -1 && b.ctl != -1 && b.data != -1, "connect");
	agree(&a);
	agree(&b);
	for (size = 6; size <= SIZES; size++)
		compare(&a, &b, size, size < CRB_SIZE ? size : CRB_SIZE, true);
	for (i = 0; i < VT_NELEM(some); i++) {
		size = some[i];
		compare(&a, &b, size, size + 1, true);
		compare(&a, &b, size, size + 9, true);
		compare(&a, &b, size, size + 30, true);
		compare(&a, &b, size, size - 1, true);
		compare(&a, &b, size, size / 2 + 1, true);
	}
	/* More than swtpm reads at once; it answers the rest again. */
	compare(&a, &b, 100, SIZES, false);
	compare(&a, &b, CRB_SIZE, SIZES, false);
	printf("%u differ\n", bad);
	return bad == 0 ? 0 : 1;
}
