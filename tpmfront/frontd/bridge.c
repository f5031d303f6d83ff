/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmfront/frontd/bridge.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "tpmback/page.h"

#define HDR_LEN 10
#define CC_SET_LOCALITY 0x20001000u /* linux/vtpm_proxy.h, both versions */
#define CC_GET_CAPABILITY 0x17a
#define READY_MS 1500 /* the kernel sends a command again after RETRY */
#define SLICE_MS 250  /* between looks whether the kernel still waits */

/* What went wrong, for either version of TPM. */
struct fault {
	uint32_t rc20, rc12;
};
static const struct fault fault_none = { 0, 0 };
static const struct fault fault_retry = { 0x922, 0x800 };
static const struct fault fault_failure = { 0x101, 9 };
static const struct fault fault_size = { 0x142, 0x19 };
static const struct fault fault_locality = { 0x907, 0x3d };

static size_t
put_header(struct bridge *b, const struct fault *f)
{
	struct wr w;

	wr_init(&w, b->resp, sizeof(b->resp));
	wr_be16(&w, b->tpm12 ? 0x00c4 : 0x8001);
	wr_be32(&w, HDR_LEN);
	wr_be32(&w, b->tpm12 ? f->rc12 : f->rc20);
	return w.len;
}

void
bridge_init(struct bridge *b, const struct bridge_tpm *tpm, void *arg,
    int dev_fd, int stop_fd)
{
	memset(b, 0, sizeof(*b));
	b->tpm = tpm;
	b->arg = arg;
	b->dev_fd = dev_fd;
	b->stop_fd = stop_fd;
}

/* --- the TPM's side ------------------------------------------------------- */

/* A cancelled command's answer is still to come. */
static int
collect_owed(struct bridge *b)
{
	const uint8_t *resp;
	size_t len;
	int rc;

	if (!b->owed)
		return VT_OK;
	rc = b->tpm->wait(b->arg, READY_MS, &resp, &len);
	if (rc == VT_E_AGAIN)
		return VT_E_AGAIN;
	b->owed = false;
	return VT_OK;
}

int
bridge_probe(struct bridge *b, int timeout_ms)
{
	/* TPM_PT_FAMILY_INDICATOR.  Before TPM2_Startup it is refused, but
	 * the refusal has a header of the TPM's own version. */
	static const uint8_t ask[22] = { 0x80, 1, 0, 0, 0, 22, 0, 0, 1, 0x7a, 0,
		0, 0, 6, 0, 0, 1, 0, 0, 0, 0, 1 };
	const uint8_t *resp;
	size_t len;
	int rc;

	if ((rc = b->tpm->ready(b->arg, timeout_ms)) != VT_OK)
		return rc;
	if (collect_owed(b) != VT_OK)
		return VT_E_TIMEOUT;
	b->generation = b->tpm->generation(b->arg);
	if (b->renewed != NULL)
		b->renewed(b->renewed_arg);
	if ((rc = b->tpm->send(b->arg, 0, ask, sizeof(ask))) != VT_OK)
		return rc;
	rc = b->tpm->wait(b->arg, timeout_ms, &resp, &len);
	if (rc == VT_E_AGAIN) {
		b->tpm->cancel(b->arg);
		b->owed = true;
		return VT_E_TIMEOUT;
	}
	if (rc != VT_OK)
		return rc;
	if (len < HDR_LEN)
		return VT_E_PROTO;
	b->tpm12 = be16_get(resp) == 0x00c4;
	return VT_OK;
}

/* VT_E_STATE: it is a TPM of the other family. */
static int
have_tpm(struct bridge *b)
{
	bool was12 = b->tpm12;
	int rc;

	if ((rc = b->tpm->ready(b->arg, READY_MS)) != VT_OK ||
	    (rc = collect_owed(b)) != VT_OK)
		return rc;
	if (b->tpm->generation(b->arg) == b->generation)
		return VT_OK;
	if ((rc = bridge_probe(b, READY_MS)) != VT_OK)
		return rc;
	return b->tpm12 == was12 ? VT_OK : VT_E_STATE;
}

static short
kernel_says(const struct bridge *b)
{
	struct pollfd p[2] = { { .fd = b->dev_fd, .events = POLLIN },
		{ .fd = b->stop_fd, .events = POLLIN } };

	if (poll(p, 2, 0) <= 0)
		return 0;
	return (short)(p[0].revents | (p[1].revents != 0 ? POLLHUP : 0));
}

/* The answer into b->resp; its length, or 0 when none is expected. */
static size_t
await_answer(struct bridge *b)
{
	const uint8_t *resp;
	size_t len;
	int rc;

	for (;;) {
		rc = b->tpm->wait(b->arg, SLICE_MS, &resp, &len);
		if (rc != VT_E_AGAIN)
			break;
		if (kernel_says(b) == 0)
			continue;
		/* A next command, or the end: no caller waits for this one. */
		b->tpm->cancel(b->arg);
		b->owed = true;
		return 0;
	}
	if (rc == VT_OK && len >= HDR_LEN && len <= sizeof(b->resp)) {
		memcpy(b->resp, resp, len);
		return len;
	}
	b->lost = rc == VT_E_CLOSED && !b->tpm->comes_back(b->arg);
	b->failed++;
	return put_header(b, &fault_failure);
}

static size_t
set_locality(struct bridge *b, size_t len)
{
	if (len != HDR_LEN + 1)
		return put_header(b, &fault_size);
	if (!b->tpm->grants(b->arg, b->cmd[HDR_LEN]))
		return put_header(b, &fault_locality);
	b->locality = b->cmd[HDR_LEN];
	return put_header(b, &fault_none);
}

static size_t
put_off(struct bridge *b)
{
	b->retried++;
	return put_header(b, &fault_retry);
}

/* One command of len bytes in b->cmd to its answer in b->resp. */
static size_t
answer(struct bridge *b, size_t len, bool *ret_other)
{
	int rc;

	b->commands++;
	if (len < HDR_LEN || len > TPMIF_MAX_CMD || be32_get(b->cmd + 2) != len)
		return put_header(b, &fault_size);
	if (be32_get(b->cmd + 6) == CC_SET_LOCALITY)
		return set_locality(b, len);
	if ((rc = have_tpm(b)) == VT_E_STATE)
		*ret_other = true;
	else if (rc == VT_OK)
		rc = b->tpm->send(b->arg, b->locality, b->cmd, len);
	if (rc == VT_OK)
		return await_answer(b);
	b->lost = rc == VT_E_CLOSED && !b->tpm->comes_back(b->arg);
	return put_off(b);
}

/* --- the kernel's side ---------------------------------------------------- */

/* EIO: it has stopped waiting.  False: it is gone. */
static bool
write_answer(struct bridge *b, size_t len)
{
	ssize_t n;

	do
		n = write(b->dev_fd, b->resp, len);
	while (n == -1 && errno == EINTR);
	explicit_bzero(b->resp, len);
	return n != -1 || errno == EIO;
}

/* False: the kernel's end is gone. */
static bool
one_command(struct bridge *b, bool *ret_other)
{
	ssize_t n = read(b->dev_fd, b->cmd, sizeof(b->cmd));
	size_t len;

	*ret_other = false;
	if (n == -1)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	len = answer(b, (size_t)n, ret_other);
	explicit_bzero(b->cmd, (size_t)n);
	return len == 0 || write_answer(b, len);
}

void
bridge_put_off(struct bridge *b)
{
	if ((kernel_says(b) & POLLIN) == 0 ||
	    read(b->dev_fd, b->cmd, sizeof(b->cmd)) <= 0)
		return;
	b->commands++;
	(void)write_answer(b, put_off(b));
}

void
bridge_disown(struct bridge *b)
{
	(void)write_answer(b, put_header(b, &fault_failure));
}

bool
bridge_turn(struct bridge *b)
{
	bool other;

	return one_command(b, &other) && !other && !b->lost;
}

enum bridge_end
bridge_serve(struct bridge *b)
{
	struct pollfd p[3];
	bool other = false;
	int rc;

	for (;;) {
		p[0] = (struct pollfd){ .fd = b->dev_fd, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = b->stop_fd, .events = POLLIN };
		p[2] = (struct pollfd){ .fd = b->tpm->fd(b->arg),
			.events = POLLIN };
		if (poll(p, VT_NELEM(p), -1) == -1 && errno != EINTR)
			return BRIDGE_LOST;
		if (p[1].revents != 0)
			return BRIDGE_STOPPED;
		rc = p[2].revents != 0 ? b->tpm->attend(b->arg) : VT_OK;
		if (rc == VT_E_CLOSED && !b->tpm->comes_back(b->arg))
			b->lost = true;
		if (p[2].revents != 0 && b->renewed != NULL)
			b->renewed(b->renewed_arg);
		if ((p[0].revents & POLLIN) != 0) {
			if (!one_command(b, &other))
				return BRIDGE_NO_DEVICE;
		} else if (p[0].revents != 0) {
			return BRIDGE_NO_DEVICE;
		}
		if (other)
			return BRIDGE_OTHER;
		if (b->lost)
			return BRIDGE_LOST;
	}
}
