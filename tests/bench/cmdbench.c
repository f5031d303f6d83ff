/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmdbench.c - how long TPM 2.0 commands take, over our ring or over swtpm's
 * protocol, with the same bytes.
 *
 * cmdbench ring|swtpm PATH OP busy|idle SECONDS
 * OP: getrandom pcrread pcrextend eccquote rsaquote nvwrite
 * busy: one after the other; idle: one every 5 ms.
 * Prints "OP MODE n p50 p99" in microseconds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/integration/swclient.h"
#include "tpmfront/ring_local.h"

#define SAMPLES_MAX 400000
#define IDLE_US 5000
#define NV_INDEX 0x01500042u
#define NV_SIZE 64
#define NV_DATA_AT 33 /* in make_nvwrite()'s command */
#define RC_INITIALIZE 0x100
#define RC_NV_DEFINED 0x14c
#define RS_PW 0x40000009u
#define RH_OWNER 0x40000001u
#define RH_NULL 0x40000007u

struct link {
	struct ring *ring; /* or */
	int ctl, data;
	uint8_t resp[4096];
	size_t resp_len;
};

static void
die(const char *what, uint32_t rc)
{
	(void)fprintf(stderr, "cmdbench: %s: 0x%x\n", what, rc);
	exit(1);
}

static void
link_open(struct link *l, const char *kind, const char *path)
{
	char holder[RING_TEXT_MAX];

	if (strcmp(kind, "ring") == 0) {
		if (ring_local_connect(path, 30000, &l->ring, holder) != VT_OK)
			die("cannot open the ring", 0);
	} else if ((l->ctl = swc_open(path, true, &l->data)) == -1) {
		die("cannot open the control socket", 0);
	}
}

/* Send cmd; its response is in l->resp.  Returns the response code. */
static uint32_t
ask(struct link *l, const uint8_t *cmd, size_t len)
{
	const uint8_t *resp;
	ssize_t n;

	if (l->ring != NULL) {
		if (ring_submit(l->ring, 0, cmd, len) != VT_OK ||
		    ring_wait(l->ring, 60000, &resp, &l->resp_len) != VT_OK)
			die("no answer", 0);
		memcpy(l->resp, resp, l->resp_len);
	} else {
		n = swc_command(l->data, cmd, len, l->resp, sizeof(l->resp));
		if (n < 10)
			die("no answer", 0);
		l->resp_len = (size_t)n;
	}
	return be32_get(l->resp + 6);
}

/* --- commands --------------------------------------------------------------
 */

static void
cmd_begin(struct wr *w, uint8_t *buf, size_t cap, uint16_t tag, uint32_t cc)
{
	wr_init(w, buf, cap);
	wr_be16(w, tag);
	wr_be32(w, 0);
	wr_be32(w, cc);
}

static size_t
cmd_end(struct wr *w)
{
	wr_set_be32(w, 2, (uint32_t)w->len);
	if (wr_err(w) != VT_OK)
		die("a command is too long", 0);
	return w->len;
}

static void
put_password(struct wr *w)
{
	wr_be32(w, 9);
	wr_be32(w, RS_PW);
	wr_be16(w, 0); /* nonce */
	wr_u8(w, 0);
	wr_be16(w, 0); /* no password */
}

static size_t
make_getrandom(uint8_t *buf, size_t cap)
{
	struct wr w;

	cmd_begin(&w, buf, cap, 0x8001, 0x17b);
	wr_be16(&w, 16);
	return cmd_end(&w);
}

static void
put_selection(struct wr *w, uint8_t first)
{
	wr_be32(w, 1);
	wr_be16(w, 0x000b); /* SHA-256 */
	wr_u8(w, 3);
	wr_u8(w, first);
	wr_be16(w, 0);
}

static size_t
make_pcrread(uint8_t *buf, size_t cap)
{
	struct wr w;

	cmd_begin(&w, buf, cap, 0x8001, 0x17e);
	put_selection(&w, 0x01);
	return cmd_end(&w);
}

static size_t
make_pcrextend(uint8_t *buf, size_t cap)
{
	static const uint8_t digest[32] = { 1, 2, 3 };
	struct wr w;

	cmd_begin(&w, buf, cap, 0x8002, 0x182);
	wr_be32(&w, 16); /* the debug PCR */
	put_password(&w);
	wr_be32(&w, 1);
	wr_be16(&w, 0x000b);
	wr_bytes(&w, digest, sizeof(digest));
	return cmd_end(&w);
}

/* A restricted signing key: fixedTPM, fixedParent, sensitiveDataOrigin,
 * userWithAuth, noDA, restricted, sign. */
static size_t
make_primary(uint8_t *buf, size_t cap, bool ecc)
{
	uint8_t pub[64];
	struct wr w, p;

	wr_init(&p, pub, sizeof(pub));
	wr_be16(&p, ecc ? 0x0023 : 0x0001);
	wr_be16(&p, 0x000b);
	wr_be32(&p, 0x00050472);
	wr_be16(&p, 0);                     /* policy */
	wr_be16(&p, 0x0010);                /* symmetric: null */
	wr_be16(&p, ecc ? 0x0018 : 0x0014); /* ECDSA, RSASSA */
	wr_be16(&p, 0x000b);
	if (ecc) {
		wr_be16(&p, 0x0003); /* P-256 */
		wr_be16(&p, 0x0010); /* kdf: null */
		wr_be32(&p, 0);      /* x, y */
	} else {
		wr_be16(&p, 2048);
		wr_be32(&p, 0);
		wr_be16(&p, 0);
	}
	cmd_begin(&w, buf, cap, 0x8002, 0x131);
	wr_be32(&w, RH_NULL);
	put_password(&w);
	wr_be16(&w, 4);
	wr_be32(&w, 0); /* no secret, no data */
	wr_blob16(&w, pub, p.len);
	wr_be16(&w, 0);
	wr_be32(&w, 0);
	return cmd_end(&w);
}

static size_t
make_quote(uint8_t *buf, size_t cap, uint32_t key)
{
	static const uint8_t nonce[20] = { 9, 8, 7 };
	struct wr w;

	cmd_begin(&w, buf, cap, 0x8002, 0x158);
	wr_be32(&w, key);
	put_password(&w);
	wr_blob16(&w, nonce, sizeof(nonce));
	wr_be16(&w, 0x0010);
	put_selection(&w, 0xff);
	return cmd_end(&w);
}

static size_t
make_nvdefine(uint8_t *buf, size_t cap)
{
	struct wr w;

	cmd_begin(&w, buf, cap, 0x8002, 0x12a);
	wr_be32(&w, RH_OWNER);
	put_password(&w);
	wr_be16(&w, 0);
	wr_be16(&w, 14);
	wr_be32(&w, NV_INDEX);
	wr_be16(&w, 0x000b);
	wr_be32(&w, 0x02040004); /* AUTHREAD, AUTHWRITE, NO_DA */
	wr_be16(&w, 0);
	wr_be16(&w, NV_SIZE);
	return cmd_end(&w);
}

static size_t
make_nvwrite(uint8_t *buf, size_t cap)
{
	static const uint8_t data[NV_SIZE] = { 1 };
	struct wr w;

	cmd_begin(&w, buf, cap, 0x8002, 0x137);
	wr_be32(&w, NV_INDEX);
	wr_be32(&w, NV_INDEX);
	put_password(&w);
	wr_blob16(&w, data, sizeof(data));
	wr_be16(&w, 0);
	return cmd_end(&w);
}

/* --- one measurement -------------------------------------------------------
 */

static void
start_tpm(struct link *l)
{
	static const uint8_t startup[12] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1,
		0x44, 0, 0 };
	uint32_t rc = ask(l, startup, sizeof(startup));

	if (rc != 0 && rc != RC_INITIALIZE)
		die("TPM2_Startup", rc);
}

static size_t
prepare(struct link *l, const char *op, uint8_t *buf, size_t cap)
{
	uint32_t rc;
	bool ecc = strcmp(op, "eccquote") == 0;
	size_t len;

	if (strcmp(op, "getrandom") == 0)
		return make_getrandom(buf, cap);
	if (strcmp(op, "pcrread") == 0)
		return make_pcrread(buf, cap);
	if (strcmp(op, "pcrextend") == 0)
		return make_pcrextend(buf, cap);
	if (ecc || strcmp(op, "rsaquote") == 0) {
		len = make_primary(buf, cap, ecc);
		if ((rc = ask(l, buf, len)) != 0)
			die("TPM2_CreatePrimary", rc);
		return make_quote(buf, cap, be32_get(l->resp + 10));
	}
	if (strcmp(op, "nvwrite") != 0)
		die("no such operation", 0);
	len = make_nvdefine(buf, cap);
	if ((rc = ask(l, buf, len)) != 0 && rc != RC_NV_DEFINED)
		die("TPM2_NV_DefineSpace", rc);
	return make_nvwrite(buf, cap);
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A TPM does not write what is there already. */
static void
vary(const char *op, uint8_t *cmd, size_t n)
{
	if (strcmp(op, "nvwrite") == 0)
		be32_put(cmd + NV_DATA_AT, (uint32_t)n + (uint32_t)getpid());
}

static void
flush(struct link *l)
{
	uint8_t buf[14] = { 0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x65, 0x80 };

	(void)ask(l, buf, sizeof(buf)); /* the key, if there was one */
}

static void
measure(struct link *l, const char *op, bool idle, double seconds)
{
	static uint32_t took[SAMPLES_MAX];
	uint8_t cmd[4096];
	size_t len = prepare(l, op, cmd, sizeof(cmd)), n = 0;
	uint64_t end, t;
	uint32_t rc;
	int i;

	for (i = 0; i < 20; i++) /* warm up */
		if ((rc = ask(l, cmd, len)) != 0)
			die(op, rc);
	end = now_ns() + (uint64_t)(seconds * 1e9);
	while (n < SAMPLES_MAX && (t = now_ns()) < end) {
		vary(op, cmd, n);
		if ((rc = ask(l, cmd, len)) != 0)
			die(op, rc);
		took[n++] = (uint32_t)(now_ns() - t);
		if (idle)
			usleep(IDLE_US);
	}
	if (n == 0)
		die("no sample", 0);
	qsort(took, n, sizeof(took[0]), by_value);
	(void)printf("%s %s %zu %.1f %.1f\n", op, idle ? "idle" : "busy", n,
	    took[n / 2] / 1000.0, took[n * 99 / 100] / 1000.0);
	flush(l);
}

int
main(int argc, char **argv)
{
	struct link l = { .ctl = -1, .data = -1 };

	if (argc != 6) {
		(void)fprintf(stderr, "usage: cmdbench ring|swtpm PATH OP "
				      "busy|idle SECONDS\n");
		return 2;
	}
	link_open(&l, argv[1], argv[2]);
	start_tpm(&l);
	measure(&l, argv[3], strcmp(argv[4], "idle") == 0, atof(argv[5]));
	ring_close(l.ring);
	if (l.ctl != -1) {
		(void)close(l.data);
		(void)close(l.ctl);
	}
	return 0;
}
