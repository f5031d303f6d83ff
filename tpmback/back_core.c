/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/back_core.h"

#include <string.h>

#include "base/rdwr.h"

#define HDR_LEN 8 /* of the page */
#define TPM_HDR_LEN 10

/* Errors that the channel itself answers: TPM 2.0 Library, Part 2, 6.6.3;
 * TPM 1.2 Main, Part 2, 16. */
enum back_err { ERR_COMMAND_SIZE, ERR_LOCALITY, ERR_FAILURE, ERR_TOO_LONG };
static const struct {
	uint32_t tpm12, tpm20;
} err_rc[] = {
	[ERR_COMMAND_SIZE] = { 0x19, 0x142 }, /* BAD_PARAM_SIZE */
	[ERR_LOCALITY] = { 0x3d, 0x907 },     /* BAD_LOCALITY */
	[ERR_FAILURE] = { 0x09, 0x101 },      /* FAIL */
	[ERR_TOO_LONG] = { 0x17, 0x095 },     /* SIZE */
};
#define TPM12_RSP 0x00c4
#define TPM20_NO_SESSIONS 0x8001

struct page_hdr {
	uint32_t length;
	uint8_t state, locality, extra;
};

static struct page_hdr
fetch_hdr(const struct back *b)
{
	uint64_t word = __atomic_load_n(&b->view->header, __ATOMIC_ACQUIRE);
	uint8_t raw[HDR_LEN];
	struct page_hdr h;
	struct rd r;

	memcpy(raw, &word, sizeof(raw));
	rd_init(&r, raw, sizeof(raw));
	h.length = rd_le32(&r);
	h.state = rd_u8(&r);
	h.locality = rd_u8(&r);
	(void)rd_u8(&r); /* pad */
	h.extra = rd_u8(&r);
	return h;
}

static void
put_answer(struct back *b)
{
	uint8_t raw[HDR_LEN];
	uint64_t word;
	struct wr w;

	memcpy(b->view->page.data, b->ans, b->ans_len);
	wr_init(&w, raw, sizeof(raw));
	wr_le32(&w, (uint32_t)b->ans_len);
	wr_u8(&w, TPMIF_FINISH);
	wr_u8(&w, b->locality);
	wr_be16(&w, 0); /* pad, nr_extra_pages */
	memcpy(&word, raw, sizeof(word));
	__atomic_store_n(&b->view->header, word, __ATOMIC_RELEASE);
	b->ops->notify(b->arg);
}

static void
violation(struct back *b, const char *text)
{
	if (!b->warned && b->ops->violation != NULL)
		b->ops->violation(b->arg, text);
	b->warned = true;
}

static void step(struct back *b, enum bk_event e);

static void
reply_error(struct back *b, enum back_err e)
{
	uint8_t ans[TPM_HDR_LEN];
	struct wr w;

	wr_init(&w, ans, sizeof(ans));
	wr_be16(&w, b->tpm12 ? TPM12_RSP : TPM20_NO_SESSIONS);
	wr_be32(&w, sizeof(ans));
	wr_be32(&w, b->tpm12 ? err_rc[e].tpm12 : err_rc[e].tpm20);
	b->ans = ans;
	b->ans_len = sizeof(ans);
	step(b, BE_REPLY);
	b->ans = NULL;
}

/* The host decided what a locality may do (law 6). */
static bool
granted(const struct back *b, uint8_t locality)
{
	return locality < 8 && (b->localities >> locality & 1) != 0;
}

static void
hand_over(struct back *b)
{
	struct page_hdr h = fetch_hdr(b);
	struct rd r;
	uint32_t size;

	b->locality = h.locality;
	if (b->failing) {
		reply_error(b, ERR_FAILURE);
		return;
	}
	if (h.extra != 0) {
		violation(b, "asked for extra pages");
		reply_error(b, ERR_COMMAND_SIZE);
		return;
	}
	if (h.length < TPM_HDR_LEN || h.length > sizeof(b->cmd)) {
		violation(b, "command length out of range");
		reply_error(b, ERR_COMMAND_SIZE);
		return;
	}
	memcpy(b->cmd, b->view->page.data, h.length);
	/* Keeps the compiler from reading the page again. */
	__asm__ volatile("" ::: "memory");
	rd_init(&r, b->cmd, h.length);
	(void)rd_be16(&r);
	size = rd_be32(&r);
	if (rd_err(&r) != VT_OK || size != h.length) {
		violation(b, "command length contradicts its header");
		reply_error(b, ERR_COMMAND_SIZE);
		return;
	}
	if (!granted(b, h.locality)) {
		violation(b, "asked for a locality that it was not given");
		reply_error(b, ERR_LOCALITY);
		return;
	}
	b->ops->submit(b->arg, h.locality, b->cmd, h.length);
}

static void
hang_up(struct back *b)
{
	b->view = NULL;
	b->ops->unmap(b->arg);
}

static void
perform(struct back *b, enum bk_action act)
{
	switch (act) {
	case BA_NONE:
	case BA_MAP: /* back_open() has set the page */
	case BA_CLOSE:
		break;
	case BA_VIOLATION:
		violation(b, "broke the order of the protocol");
		if (b->view != NULL)
			hang_up(b);
		break;
	case BA_UNMAP:
		hang_up(b);
		break;
	case BA_DISPATCH:
		hand_over(b);
		break;
	case BA_ABORT:
		b->ops->cancel(b->arg);
		break;
	case BA_FINISH:
		put_answer(b);
		break;
	case BA_SET_IDLE:
		__atomic_store_n(
		    &b->view->page.state, TPMIF_IDLE, __ATOMIC_RELEASE);
		b->ops->notify(b->arg);
		break;
	}
}

/* The only place where the state changes. */
static void
step(struct back *b, enum bk_event e)
{
	enum bk_state was = b->state;
	struct bk_step st = bk_step(was, e);

	b->state = st.next;
	perform(b, st.act);
	if (st.next == BK_CLOSED && was != BK_CLOSED)
		b->ops->closed(b->arg);
}

void
back_init(struct back *b, uint8_t localities, bool tpm12,
    const struct back_ops *ops, void *arg)
{
	memset(b, 0, sizeof(*b));
	b->state = BK_CLOSED;
	b->localities = localities;
	b->tpm12 = tpm12;
	b->ops = ops;
	b->arg = arg;
}

void
back_open(struct back *b, union tpmif_view *view)
{
	b->state = BK_INIT_WAIT;
	b->view = view;
	b->warned = false;
	step(b, BE_FE_READY);
}

void
back_gone(struct back *b)
{
	step(b, BE_FE_GONE);
}

void
back_stop(struct back *b)
{
	step(b, BE_WORKER_GONE);
}

static uint8_t
page_state(const struct back *b)
{
	return __atomic_load_n(&b->view->page.state, __ATOMIC_ACQUIRE);
}

bool
back_look(struct back *b)
{
	bool fresh;

	if (b->view == NULL)
		return false;
	switch (page_state(b)) {
	case TPMIF_IDLE:
	case TPMIF_FINISH:
		return false;
	case TPMIF_SUBMIT:
		fresh = b->state == BK_IDLE;
		step(b, BE_SUBMIT);
		return fresh;
	case TPMIF_CANCEL:
		step(b, BE_CANCEL);
		return false;
	default:
		if (b->state == BK_IDLE)
			violation(b, "wrote a state that does not exist");
		step(b, BE_GARBAGE);
		return false;
	}
}

bool
back_waiting(const struct back *b)
{
	uint8_t s;

	if (b->view == NULL || b->state != BK_IDLE)
		return false;
	s = page_state(b);
	return s != TPMIF_IDLE && s != TPMIF_FINISH;
}

bool
back_cancel_seen(const struct back *b)
{
	return b->view != NULL && page_state(b) == TPMIF_CANCEL;
}

void
back_reply(struct back *b, const uint8_t *resp, size_t len)
{
	if (len > TPMIF_MAX_CMD) {
		reply_error(b, ERR_TOO_LONG);
	} else if (len < TPM_HDR_LEN) {
		reply_error(b, ERR_FAILURE);
	} else {
		b->ans = resp;
		b->ans_len = len;
		step(b, BE_REPLY);
		b->ans = NULL;
	}
}

void
back_fail_pending(struct back *b)
{
	if (!back_waiting(b))
		return;
	b->failing = true;
	step(b, BE_SUBMIT); /* after a CANCEL, too: the command may have run */
	b->failing = false;
}
