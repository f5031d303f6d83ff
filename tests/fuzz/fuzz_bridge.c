/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_bridge.c - any bytes from the kernel's side, any answers from the
 * TPM's: each command that is not given up gets one well-formed answer, and
 * nothing that is no command is sent on.
 *
 * Input: u8 version bit, then per command: u8 what the TPM's side does (bits
 * 0-1 ready, 2-3 send, 4-5 wait: 0 and 3 OK, 1 CLOSED, 2 AGAIN/TIMEOUT; bit
 * 6: other generation; bit 7: its answer is short), be16 length, command.
 */
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "tpmback/page.h"
#include "tpmfront/frontd/bridge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct fuzz {
	uint8_t op;
	unsigned int waits;
	uint8_t resp[32];
};

static int
pick(unsigned int bits, int away)
{
	static const int what[] = { VT_OK, VT_E_CLOSED, 0, VT_OK };

	return (bits & 3) == 2 ? away : what[bits & 3];
}

static int
fz_ready(void *arg, int timeout_ms)
{
	(void)timeout_ms;
	return pick(((struct fuzz *)arg)->op, VT_E_TIMEOUT);
}

static int
fz_send(void *arg, uint8_t locality, const uint8_t *cmd, size_t len)
{
	struct fuzz *f = arg;

	if (len < 10 || len > TPMIF_MAX_CMD || be32_get(cmd + 2) != len ||
	    locality > 4 || be32_get(cmd + 6) == 0x20001000)
		abort();
	f->waits = 0;
	return pick(f->op >> 2, VT_E_STATE);
}

static int
fz_wait(void *arg, int timeout_ms, const uint8_t **ret, size_t *ret_len)
{
	struct fuzz *f = arg;
	int rc = pick(f->op >> 4, VT_E_AGAIN);

	(void)timeout_ms;
	if (rc == VT_E_AGAIN && f->waits++ > 3)
		rc = VT_E_PROTO;
	if (rc != VT_OK)
		return rc;
	be16_put(f->resp, 0x8001);
	be32_put(f->resp + 2, sizeof(f->resp));
	*ret = f->resp;
	*ret_len = (f->op & 0x80) != 0 ? 3 : sizeof(f->resp);
	return VT_OK;
}

static void
fz_cancel(void *arg)
{
	(void)arg;
}

static bool
fz_grants(void *arg, uint8_t locality)
{
	(void)arg;
	return locality <= 4;
}

static int
fz_fd(void *arg)
{
	(void)arg;
	return -1;
}

static int
fz_attend(void *arg)
{
	(void)arg;
	return VT_OK;
}

static unsigned int
fz_generation(void *arg)
{
	return ((struct fuzz *)arg)->op >> 6 & 1;
}

static bool
fz_comes_back(void *arg)
{
	(void)arg;
	return true;
}

static const struct bridge_tpm tpm = { fz_ready, fz_send, fz_wait, fz_cancel,
	fz_grants, fz_fd, fz_attend, fz_generation, fz_comes_back };

static void
one(struct bridge *b, int kernel, const uint8_t *cmd, size_t len)
{
	static uint8_t ans[BRIDGE_BUF];
	ssize_t n;

	if (len == 0 || send(kernel, cmd, len, 0) != (ssize_t)len)
		return;
	bridge_turn(b);
	n = recv(kernel, ans, sizeof(ans), MSG_DONTWAIT);
	if (n < 10 || be32_get(ans + 2) != (size_t)n)
		abort(); /* no answer, or no well-formed one */
	if (recv(kernel, ans, sizeof(ans), MSG_DONTWAIT) != -1)
		abort(); /* two */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { 0 };
	struct bridge *b = calloc(1, sizeof(*b));
	int dev[2], stop[2];
	struct rd r;

	if (b == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, dev) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, stop) == -1)
		abort();
	bridge_init(b, &tpm, &f, dev[1], stop[1]);
	rd_init(&r, data, len);
	b->tpm12 = (rd_u8(&r) & 1) != 0;
	while (r.left > 3) {
		size_t n;

		f.op = rd_u8(&r);
		n = rd_be16(&r) % (BRIDGE_BUF + 1);
		if (n > r.left)
			n = r.left;
		one(b, dev[0], rd_span(&r, n), n);
	}
	(void)close(dev[0]);
	(void)close(dev[1]);
	(void)close(stop[0]);
	(void)close(stop[1]);
	free(b);
	return 0;
}
