/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_ring.c - any page at any time: only valid commands are submitted,
 * one at a time, and once none is in hand the page says IDLE or FINISH.
 *
 * Input: u8 localities, then operations, each u8 op and its operands:
 * bits 0-1: 0 write header[8] and be16-counted data, then look; 1 front half
 * leaves; 2 front half comes; 3 answer what waits.
 * bit 2: the command's answer waits; bit 3: it is too long; bit 4: the page
 * is scribbled over while the command is being handed over; bit 5: a
 * CANCEL follows.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "tpmback/back_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define OP_WAIT 4
#define OP_LONG 8
#define OP_SCRIBBLE 16
#define OP_CANCEL 32

struct fuzz {
	struct back core;
	union tpmif_view *view;
	uint8_t op;
	bool waiting, attached;
	unsigned int unmapped, closed;
};

static void
answer(struct fuzz *f)
{
	static const uint8_t ok[10] = { 0x80, 1, 0, 0, 0, 10 };
	static const uint8_t lots[6000];

	f->waiting = false;
	if ((f->op & OP_LONG) != 0)
		back_reply(&f->core, lots, sizeof(lots));
	else
		back_reply(&f->core, ok, sizeof(ok));
}

static void
on_submit(void *arg, uint8_t locality, const uint8_t *cmd, size_t len)
{
	struct fuzz *f = arg;

	if ((f->op & OP_SCRIBBLE) != 0)
		memset(f->view, 0xa5, sizeof(*f->view));
	if (f->waiting)
		abort(); /* two at once */
	if (len < 10 || len > TPMIF_MAX_CMD || be32_get(cmd + 2) != len)
		abort(); /* not a command */
	if (locality > 7 || (f->core.localities >> locality & 1) == 0)
		abort(); /* law 6 */
	f->waiting = true;
	if ((f->op & OP_WAIT) == 0)
		answer(f);
}

static void
on_cancel(void *arg)
{
	if (!((struct fuzz *)arg)->waiting)
		abort(); /* nothing to stop */
}

static void
on_notify(void *arg)
{
	struct fuzz *f = arg;
	uint8_t s = f->view->page.state;

	if (!f->attached || (s != TPMIF_FINISH && s != TPMIF_IDLE))
		abort();
	if (s == TPMIF_FINISH &&
	    (f->view->page.length != 10 || f->view->page.pad != 0 ||
		f->view->page.nr_extra_pages != 0))
		abort(); /* every answer here has ten bytes */
}

static void
on_unmap(void *arg)
{
	struct fuzz *f = arg;

	if (!f->attached)
		abort();
	f->attached = false;
	f->unmapped++;
	memset(f->view, 0xee, sizeof(*f->view)); /* must not matter */
}

static void
on_closed(void *arg)
{
	((struct fuzz *)arg)->closed++;
}

static void
on_violation(void *arg, const char *text)
{
	(void)arg;
	if (text[0] == '\0')
		abort();
}

static const struct back_ops ops = { on_submit, on_cancel, on_notify, on_unmap,
	on_closed, on_violation };

static void
write_page(struct fuzz *f, struct rd *r)
{
	uint8_t hdr[8];
	uint16_t n;

	rd_bytes(r, hdr, sizeof(hdr));
	n = rd_be16(r);
	if (n > sizeof(f->view->page.data))
		n = sizeof(f->view->page.data);
	if (n > r->left)
		n = (uint16_t)r->left;
	rd_bytes(r, f->view->page.data, n);
	if (rd_err(r) != VT_OK)
		return;
	memcpy(f->view, hdr, sizeof(hdr));
	(void)back_look(&f->core);
	if ((f->op & OP_CANCEL) != 0 && f->attached) {
		f->view->page.state = TPMIF_CANCEL;
		(void)back_look(&f->core);
	}
}

static void
check(const struct fuzz *f)
{
	uint8_t s = f->view->page.state;

	if (f->waiting != bk_in_flight(f->core.state))
		abort();
	if (f->attached != (f->core.view != NULL))
		abort();
	if (f->attached && !f->waiting && s != TPMIF_IDLE && s != TPMIF_FINISH)
		abort();
	if (f->closed > f->unmapped)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz *f = calloc(1, sizeof(*f));
	struct rd r;

	if (f == NULL || (f->view = calloc(1, sizeof(*f->view))) == NULL)
		abort();
	rd_init(&r, data, len);
	back_init(&f->core, rd_u8(&r), (len & 1) != 0, &ops, f);
	while (r.left > 0 && rd_err(&r) == VT_OK) {
		f->op = rd_u8(&r);
		if ((f->op & 3) == 0 && f->attached) {
			write_page(f, &r);
		} else if ((f->op & 3) == 1 && f->attached) {
			back_gone(&f->core);
		} else if ((f->op & 3) == 2 && !f->attached && !f->waiting) {
			memset(f->view, 0, sizeof(*f->view));
			f->attached = true;
			back_open(&f->core, f->view);
		} else if ((f->op & 3) == 3 && f->waiting) {
			answer(f);
		}
		check(f);
	}
	back_stop(&f->core);
	if (f->attached)
		abort();
	free(f->view);
	free(f);
	return 0;
}
