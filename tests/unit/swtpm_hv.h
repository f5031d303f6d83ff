/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * swtpm_hv.h - a hypervisor at a worker's swtpm channel, for tests.
 */
#ifndef TESTS_SWTPM_HV_H
#define TESTS_SWTPM_HV_H

#include "../integration/swclient.h"
#include "worker_fixture.h"

#define C_READ4        \
	"800100000000" \
	"0000017e"     \
	"00000001000b03100000"

struct hv { /* a hypervisor */
	int ctl, data;
};

static FM_UNUSED uint32_t
hv_ask(struct hv *h, uint32_t cmd, const char *hex)
{
	uint8_t req[64];
	size_t n;
	int rc;

	be32_put(req, cmd);
	assert_int_equal(hex_decode(hex, req + 4, sizeof(req) - 4, &n), VT_OK);
	rc = swc_ask(h->ctl, req, 4 + n, -1);
	assert_int_not_equal(rc, -1);
	return (uint32_t)rc;
}

#define INIT(h) hv_ask(h, 2, "00000000")
#define INIT_RESUME(h) hv_ask(h, 2, "00000001")
#define STOP(h) hv_ask(h, 14, "")

static FM_UNUSED void
hv_open(struct fw *g, struct hv *h)
{
	char path[128];

	fm_path(g, "swtpm", path);
	h->ctl = swc_open(path, false, &h->data);
	assert_int_not_equal(h->ctl, -1);
}

static FM_UNUSED void
hv_close(struct hv *h)
{
	(void)close(h->ctl);
	(void)close(h->data);
}

static FM_UNUSED void
read_all(int fd, uint8_t *p, size_t len)
{
	size_t got;
	ssize_t n;

	for (got = 0; got < len; got += (size_t)n) {
		n = read(fd, p + got, len - got);
		assert_true(n > 0);
	}
}

/* GET_STATEBLOB; returns its length, *ret is heap. */
static FM_UNUSED size_t
hv_get_blob(struct hv *h, uint32_t type, uint8_t **ret)
{
	uint8_t req[16], hdr[16];
	size_t len;

	be32_put(req, 12);
	be32_put(req + 4, 1);
	be32_put(req + 8, type);
	be32_put(req + 12, 0);
	assert_int_equal(write(h->ctl, req, 16), 16);
	read_all(h->ctl, hdr, sizeof(hdr));
	assert_int_equal(be32_get(hdr) & ~0x800u, 0);
	len = be32_get(hdr + 12);
	assert_int_equal(be32_get(hdr + 8), len);
	*ret = malloc(len + 1);
	assert_non_null(*ret);
	read_all(h->ctl, *ret, len);
	return len;
}

static FM_UNUSED uint32_t
hv_set_blob(struct hv *h, uint32_t type, const uint8_t *p, size_t len)
{
	uint8_t hdr[16], ans[4];
	size_t off;
	ssize_t n;

	be32_put(hdr, 13);
	be32_put(hdr + 4, 1);
	be32_put(hdr + 8, type);
	be32_put(hdr + 12, (uint32_t)len);
	assert_int_equal(write(h->ctl, hdr, 16), 16);
	for (off = 0; off < len; off += (size_t)n) {
		n = write(h->ctl, p + off, len - off);
		assert_true(n > 0);
	}
	read_all(h->ctl, ans, 4);
	return be32_get(ans);
}

/* A command on the data connection while the manager works. */
static FM_UNUSED uint32_t
hv_tpm(struct fw *g, struct hv *h, const char *hex, uint8_t out[FM_CMD_MAX])
{
	uint8_t cmd[FM_CMD_MAX], buf[FM_CMD_MAX];
	struct pollfd p = { .fd = h->data, .events = POLLIN };
	size_t n;
	ssize_t got;

	if (out == NULL)
		out = buf;
	assert_int_equal(hex_decode(hex, cmd, sizeof(cmd), &n), VT_OK);
	be32_put(cmd + 2, (uint32_t)n);
	assert_int_equal(write(h->data, cmd, n), (ssize_t)n);
	while (poll(&p, 1, 2) == 0)
		assert_true(fm_pump(g));
	got = read(h->data, out, FM_CMD_MAX);
	assert_true(got >= 10);
	return be32_get(out + 6);
}

static FM_UNUSED void
hv_make(struct fm *m, struct fw *g, struct hv *h)
{
	struct wprovisioned pub;

	fm_start(m, g, JAIL_KEEP_ID);
	fm_provision(g, TPM_VER_20, BANK_SHA256, &pub);
	assert_int_equal(fm_claim(g, 3), VT_OK);
	assert_int_equal(fm_open(g, CHAN_SWTPM, 0x1f), VT_OK);
	hv_open(g, h);
	assert_int_equal(STOP(h), 0);
	assert_int_equal(INIT(h), 0);
}

static FM_UNUSED void
hv_boot(struct fw *g, struct hv *h)
{
	assert_int_equal(hv_tpm(g, h, C_STARTUP, NULL), 0);
	assert_int_equal(hv_tpm(g, h, C_EXTEND("00000004"), NULL), 0);
	assert_int_equal(hv_tpm(g, h, C_EXTEND("00000010"), NULL), 0);
	fm_pump_for(g, 20);
}

#endif
