/* SPDX-License-Identifier: BSD-3-Clause */
/* bridge_ring.c - a bridge's TPM behind a ring. */
#include "tpmfront/frontd/bridge_ring.h"

#include "tpmfront/ring_impl.h"

static int
br_ready(void *arg, int timeout_ms)
{
	return ring_ready(arg, timeout_ms);
}

static int
br_send(void *arg, uint8_t locality, const uint8_t *cmd, size_t len)
{
	return ring_submit(arg, locality, cmd, len);
}

static int
br_wait(void *arg, int timeout_ms, const uint8_t **ret, size_t *ret_len)
{
	return ring_wait(arg, timeout_ms, ret, ret_len);
}

static void
br_cancel(void *arg)
{
	ring_cancel(arg);
}

static bool
br_grants(void *arg, uint8_t locality)
{
	return locality < 8 && (ring_localities(arg) >> locality & 1) != 0;
}

static int
br_fd(void *arg)
{
	return ring_fd(arg);
}

static int
br_attend(void *arg)
{
	return ring_attend(arg);
}

static unsigned int
br_generation(void *arg)
{
	return ring_generation(arg);
}

static bool
br_comes_back(void *arg)
{
	return ((struct ring *)arg)->ops->ready != NULL;
}

const struct bridge_tpm bridge_ring = {
	.ready = br_ready,
	.send = br_send,
	.wait = br_wait,
	.cancel = br_cancel,
	.grants = br_grants,
	.fd = br_fd,
	.attend = br_attend,
	.generation = br_generation,
	.comes_back = br_comes_back,
};
