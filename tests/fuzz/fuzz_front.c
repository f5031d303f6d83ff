/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_front.c - any page from the back half: what a front half takes for an
 * answer is one, and its copy; a page can go at any time.
 *
 * Input, per command: u8 what happens (bit 0: the page goes; bit 1: a cancel
 * before; bit 2: it is a TPM 1.2 command), header[8], be16-counted data.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "tests/unit/ringpeek.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct fuzz {
	struct ring ring; /* first */
	union tpmif_view *page;
	struct rd *in;
};

static void
answer(struct ring *r)
{
	struct fuzz *f = (struct fuzz *)r;
	uint16_t n;

	rd_bytes(f->in, &f->page->header, 8);
	n = rd_be16(f->in) % (TPMIF_MAX_CMD + 1);
	if (n > f->in->left)
		n = (uint16_t)f->in->left;
	rd_bytes(f->in, f->page->page.data, n);
}

static void
hush(struct ring *r)
{
	(void)r;
}

static int
attend(struct ring *r)
{
	ring_lost(r);
	return VT_E_CLOSED;
}

static const struct ring_ops ops = {
	.notify = answer, .hush = hush, .attend = attend
};

static void
one(struct fuzz *f)
{
	static uint8_t cmd[10] = { 0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x44 };
	uint8_t op = rd_u8(f->in);
	const uint8_t *resp = NULL;
	size_t len = 0;
	int rc;

	if (f->ring.view == NULL)
		ring_have(&f->ring, f->page, -1);
	cmd[0] = (op & 4) != 0 ? 0x00 : 0x80;
	if (ring_submit(&f->ring, 0, cmd, sizeof(cmd)) != VT_OK)
		abort(); /* nothing was pending, there was a page */
	if ((op & 2) != 0)
		ring_cancel(&f->ring);
	rc = ring_wait(&f->ring, 0, &resp, &len);
	if (rc == VT_OK &&
	    (len < 10 || len > TPMIF_MAX_CMD || resp == NULL ||
		be32_get(resp + 2) != len || resp == f->page->page.data))
		abort();
	if (rc == VT_E_AGAIN || (op & 1) != 0)
		(void)attend(&f->ring);
	if (ring_pending(&f->ring))
		abort(); /* nothing can be in hand now */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz *f = calloc(1, sizeof(*f));
	struct rd r;

	if (f == NULL || (f->page = calloc(1, sizeof(*f->page))) == NULL)
		abort();
	rd_init(&r, data, len);
	f->in = &r;
	ring_init(&f->ring, &ops);
	while (r.left > 0 && rd_err(&r) == VT_OK)
		one(f);
	ring_done(&f->ring);
	free(f->page);
	free(f);
	return 0;
}
