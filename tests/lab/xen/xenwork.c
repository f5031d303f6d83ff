/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenwork.c - a lab guest's own work on its TPM 2.0, which it checks itself.
 *
 * xenwork loop ROUNDS	extends PCR 10 and writes an NV index, then reads both:
 *			"@CAPPED" when the PCR is not what it must be,
 *			"@LOST" when an acknowledged write is not there
 * xenwork many N ROUNDS CPUS DEV N processes extend PCR 11 at once, until so
 *many processors are there, and each ROUNDS times more:
 *			"@MANY ok" when the PCR holds exactly so many
 * xenwork keep		makes a key and a policy session that only the TPM's
 *			volatile memory holds, extends PCR 12, and looks at
 *			all three for ever: "@KEEP N", or "@KEPT lost WHAT",
 *			whereupon it starts over
 * xenwork hold ROUNDS DEV [MS]	as loop, with a pause of MS (100) after each
 *			round, and with DEV open all the time: "@REOPEN" when
 *			that file was of no use any more
 * xenwork speed N DEV	how fast N extends of PCR 16 are, one after the other
 * xenwork kexec KERNEL INITRD CMDLINE starts that kernel in place of this one
 * xenwork key DEV	makes a primary RSA key: a long command
 * Without DEV the raw device: one command at a time, and one user at a time.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/reboot.h>
#include <openssl/sha.h>

#include "base/rdwr.h"
#include "base/util.h"

#define DEVICE "/dev/tpm0"
#define INDEX 0x01500010u
#define OWNER 0x40000001u
#define PCR_LOOP 10
#define PCR_MANY 11
#define PCR_SPEED 16
#define PCR_KEEP 12
#define ANSWER_MAX 512
#define PAUSE_MS 100
#define MANY_MAX 200 /* rounds, however few the processors are */

static const char *device = DEVICE;
static unsigned int pause_ms = PAUSE_MS;
static bool holding; /* the device stays open between commands */
static int held = -1;

/* The stock Xen driver's device has another number after each resume: its
 * old self keeps the one that it had. */
static int
open_device(void)
{
	char path[] = "/dev/tpmN";
	int fd, n;

	fd = open(device, O_RDWR | O_CLOEXEC);
	for (n = 1; fd == -1 && errno == ENOENT && n < 10; n++) {
		path[sizeof(path) - 2] = (char)('0' + n);
		if (strcmp(device, DEVICE) == 0)
			fd = open(path, O_RDWR | O_CLOEXEC);
	}
	return fd;
}

static int
take_device(void)
{
	int fd, tries = 60000;

	if (held != -1)
		return held;
	while ((fd = open_device()) == -1 &&
	       (errno == EBUSY || errno == ENOENT || errno == ENODEV ||
		   errno == ENXIO) &&
	       tries-- > 0)
		(void)usleep(1000 + (unsigned)getpid() % 7 * 300);
	if (holding)
		held = fd;
	return fd;
}

static void
give_device(int fd, bool useless)
{
	if (holding && !useless)
		return;
	if (holding)
		printf("@REOPEN %d\n", errno);
	held = -1;
	(void)close(fd);
}

/* One command; its response code, or UINT32_MAX when there was no answer. */
static uint32_t
run(struct wr *w, uint8_t *ans, size_t max, size_t *ret_len)
{
	struct rd r;
	ssize_t n;
	int fd;

	w->buf[2] = w->buf[3] = 0;
	w->buf[4] = (uint8_t)(w->len >> 8);
	w->buf[5] = (uint8_t)w->len;
	if ((fd = take_device()) == -1)
		return UINT32_MAX;
	n = write(fd, w->buf, w->len);
	if (n == (ssize_t)w->len)
		n = read(fd, ans, max);
	else
		n = -1;
	give_device(fd, n < 10);
	if (n < 10)
		return UINT32_MAX;
	*ret_len = (size_t)n;
	rd_init(&r, ans, (size_t)n);
	(void)rd_be16(&r);
	(void)rd_be32(&r);
	return rd_be32(&r);
}

static void
start(struct wr *w, uint8_t *buf, size_t max, bool auth, uint32_t cc)
{
	wr_init(w, buf, max);
	wr_be16(w, auth ? 0x8002 : 0x8001);
	wr_be32(w, 0);
	wr_be32(w, cc);
}

static void
password(struct wr *w)
{
	wr_be32(w, 9);
	wr_be32(w, 0x40000009);
	wr_be16(w, 0);
	wr_u8(w, 0);
	wr_be16(w, 0);
}

static uint32_t
startup(void)
{
	uint8_t buf[32], ans[64];
	size_t len;
	struct wr w;

	start(&w, buf, sizeof(buf), false, 0x144);
	wr_be16(&w, 0);
	return run(&w, ans, sizeof(ans), &len);
}

static uint32_t
extend(uint32_t pcr, const uint8_t digest[32])
{
	uint8_t buf[128], ans[128];
	size_t len;
	struct wr w;

	start(&w, buf, sizeof(buf), true, 0x182);
	wr_be32(&w, pcr);
	password(&w);
	wr_be32(&w, 1);
	wr_be16(&w, 0xb);
	wr_bytes(&w, digest, 32);
	return run(&w, ans, sizeof(ans), &len);
}

static uint32_t
pcr_read(uint32_t pcr, uint8_t ret[32])
{
	uint8_t buf[64], ans[128];
	size_t len = 0;
	uint32_t rc;
	struct wr w;

	start(&w, buf, sizeof(buf), false, 0x17e);
	wr_be32(&w, 1);
	wr_be16(&w, 0xb);
	wr_u8(&w, 3);
	wr_u8(&w, 0);
	wr_u8(&w, (uint8_t)(1u << (pcr - 8)));
	wr_u8(&w, 0);
	if ((rc = run(&w, ans, sizeof(ans), &len)) != 0)
		return rc;
	if (len != 62)
		return UINT32_MAX;
	memcpy(ret, ans + 30, 32);
	return 0;
}

static uint32_t
nv_define(void)
{
	uint8_t buf[128], ans[64];
	size_t len;
	struct wr w;

	start(&w, buf, sizeof(buf), true, 0x12a);
	wr_be32(&w, OWNER);
	password(&w);
	wr_be16(&w, 0);
	wr_be16(&w, 14);
	wr_be32(&w, INDEX);
	wr_be16(&w, 0xb);
	wr_be32(&w, 0x02060006);
	wr_be16(&w, 0);
	wr_be16(&w, 8);
	return run(&w, ans, sizeof(ans), &len);
}

static uint32_t
nv_write(uint64_t value)
{
	uint8_t buf[128], ans[64];
	size_t len;
	struct wr w;

	start(&w, buf, sizeof(buf), true, 0x137);
	wr_be32(&w, OWNER);
	wr_be32(&w, INDEX);
	password(&w);
	wr_be16(&w, 8);
	wr_be32(&w, (uint32_t)(value >> 32));
	wr_be32(&w, (uint32_t)value);
	wr_be16(&w, 0);
	return run(&w, ans, sizeof(ans), &len);
}

static uint32_t
nv_read(uint64_t *ret)
{
	uint8_t buf[128], ans[64];
	size_t len = 0, i;
	uint32_t rc;
	struct wr w;

	start(&w, buf, sizeof(buf), true, 0x14e);
	wr_be32(&w, OWNER);
	wr_be32(&w, INDEX);
	password(&w);
	wr_be16(&w, 8);
	wr_be16(&w, 0);
	if ((rc = run(&w, ans, sizeof(ans), &len)) != 0)
		return rc;
	if (len < 24)
		return UINT32_MAX;
	for (*ret = 0, i = 16; i < 24; i++)
		*ret = *ret << 8 | ans[i];
	return 0;
}

static void
fold(uint8_t pcr[32], const uint8_t digest[32])
{
	uint8_t both[64];

	memcpy(both, pcr, 32);
	memcpy(both + 32, digest, 32);
	(void)SHA256(both, sizeof(both), pcr);
}

/* An answer that is a failure, or none, means: perhaps done, perhaps not. */
struct belief {
	uint8_t pcr[32], other[32]; /* must be one of these */
	uint64_t nv, nv_other;
	unsigned long errors, capped, lost;
};

static void
check_pcr(struct belief *b)
{
	uint8_t now[32];
	char hex[65];

	while (pcr_read(PCR_LOOP, now) != 0)
		(void)usleep(20000);
	if (memcmp(now, b->pcr, 32) != 0 && memcmp(now, b->other, 32) != 0) {
		b->capped++;
		hex_encode(now, 32, hex);
		printf("@CAPPED %s\n", hex);
	}
	memcpy(b->pcr, now, 32);
	memcpy(b->other, now, 32);
}

static void
check_nv(struct belief *b)
{
	uint64_t now = 0;

	while (nv_read(&now) != 0)
		(void)usleep(20000);
	if (now != b->nv && now != b->nv_other) {
		b->lost++;
		printf("@LOST wrote %llu, reads %llu\n",
		    (unsigned long long)b->nv, (unsigned long long)now);
	}
	b->nv = b->nv_other = now;
}

static void
one_round(struct belief *b, uint64_t i)
{
	uint8_t digest[32];
	uint32_t rc;

	(void)SHA256((const uint8_t *)&i, sizeof(i), digest);
	rc = extend(PCR_LOOP, digest);
	fold(b->pcr, digest);
	if (rc == 0)
		memcpy(b->other, b->pcr, 32);
	else
		printf("@ERR extend %x\n", rc);
	b->errors += rc != 0;
	check_pcr(b);
	rc = nv_write(i);
	b->nv = i;
	if (rc == 0)
		b->nv_other = i;
	else
		printf("@ERR write %x\n", rc);
	b->errors += rc != 0;
	check_nv(b);
}

static void
told(const struct belief *b, uint64_t i, uint64_t *since)
{
	uint64_t now = now_us();

	printf("@N %llu errors %lu capped %lu lost %lu mean %llu us\n",
	    (unsigned long long)i, b->errors, b->capped, b->lost,
	    (unsigned long long)(now - *since) / 20);
	*since = now;
}

static int
loop(uint64_t rounds)
{
	struct belief b = { 0 };
	uint32_t rc = nv_define();
	uint64_t i, since = now_us();

	if (rc != 0 && rc != 0x14c) { /* defined by an earlier run */
		printf("@ERR define %x\n", rc);
		return 1;
	}
	while (pcr_read(PCR_LOOP, b.pcr) != 0)
		(void)usleep(20000);
	memcpy(b.other, b.pcr, 32);
	if (rc == 0x14c) {
		(void)nv_read(&b.nv);
		printf("@NV %llu\n", (unsigned long long)b.nv);
	}
	for (i = 1; i <= rounds || rounds == 0; i++) {
		one_round(&b, b.nv + 1);
		if (i % 5 == 0)
			told(&b, i, &since);
		if (holding) {
			uint64_t t = now_us();

			(void)usleep(pause_ms * 1000);
			since += now_us() - t; /* "mean" is of commands */
		}
	}
	printf("@LOOPED %llu errors %lu capped %lu lost %lu\n",
	    (unsigned long long)rounds, b.errors, b.capped, b.lost);
	return b.lost != 0;
}

static int
one_of_many(unsigned int rounds, long cpus, unsigned int *done)
{
	uint8_t digest[32] = { 1 };
	unsigned int left = rounds;

	while (left > 0) {
		if (extend(PCR_MANY, digest) != 0)
			return 1;
		(*done)++;
		if (*done >= MANY_MAX || sysconf(_SC_NPROCESSORS_ONLN) >= cpus)
			left--;
	}
	return 0;
}

static int
many(unsigned int n, unsigned int rounds, long cpus)
{
	uint8_t digest[32] = { 1 }, want[32], got[32] = { 0 };
	unsigned int i, k, bad = 0, all = 0, *done;
	int status;

	done = mmap(NULL, n * sizeof(*done), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED || pcr_read(PCR_MANY, want) != 0)
		return 1;
	for (i = 0; i < n; i++)
		if (fork() == 0)
			_exit(one_of_many(rounds, cpus, &done[i]));
	for (i = 0; i < n; i++)
		if (wait(&status) == -1 || status != 0)
			bad++;
	for (i = 0; i < n; all += done[i++])
		for (k = 0; k < done[i]; k++)
			fold(want, digest);
	if (pcr_read(PCR_MANY, got) != 0 || bad != 0 ||
	    memcmp(want, got, 32) != 0) {
		printf("@MANY wrong: %u of %u processes failed\n", bad, n);
		return 1;
	}
	printf("@MANY ok: %u processes, %u extends, %ld CPUs\n", n, all,
	    sysconf(_SC_NPROCESSORS_ONLN));
	return 0;
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int
speed(unsigned int n)
{
	uint32_t *us = calloc(n, sizeof(*us));
	uint64_t start, t0;
	uint8_t digest[32] = { 2 };
	unsigned int i;

	if (us == NULL)
		return 1;
	for (i = 0; i < 20; i++) /* what is done once is not measured */
		(void)extend(PCR_SPEED, digest);
	start = now_us();
	for (i = 0; i < n; i++) {
		t0 = now_us();
		if (extend(PCR_SPEED, digest) != 0) {
			free(us);
			printf("@SPEED failed after %u\n", i);
			return 1;
		}
		us[i] = (uint32_t)(now_us() - t0);
	}
	start = now_us() - start;
	qsort(us, n, sizeof(*us), by_size);
	printf("@SPEED %u per_s %llu p50_us %u p99_us %u\n", n,
	    (unsigned long long)n * 1000000 / start, us[n / 2],
	    us[n - 1 - n / 100]);
	free(us);
	return 0;
}

/* TPM2_CreatePrimary(owner), the restricted RSA-2048 storage template. */
static int
key(void)
{
	uint8_t buf[256], ans[2048];
	uint64_t t0;
	size_t len = 0;
	uint32_t rc;
	struct wr w;

	start(&w, buf, sizeof(buf), true, 0x131);
	wr_be32(&w, OWNER);
	password(&w);
	wr_be16(&w, 4); /* inSensitive: empty */
	wr_be32(&w, 0);
	wr_be16(&w, 26 + 32); /* inPublic */
	wr_be16(&w, 1);
	wr_be16(&w, 0xb);
	wr_be32(&w, 0x00030072);
	wr_be16(&w, 0);
	wr_be16(&w, 6); /* AES-128-CFB */
	wr_be16(&w, 128);
	wr_be16(&w, 0x43);
	wr_be16(&w, 0x10); /* no scheme */
	wr_be16(&w, 2048);
	wr_be32(&w, 0);
	wr_be16(&w, 32); /* unique: another key each time */
	wr_be64(&w, now_us());
	wr_be64(&w, (uint64_t)getpid());
	wr_be64(&w, 0);
	wr_be64(&w, 0);
	wr_be16(&w, 0); /* outsideInfo */
	wr_be32(&w, 0); /* creationPCR */
	printf("@KEY begins\n");
	t0 = now_us();
	rc = run(&w, ans, sizeof(ans), &len);
	printf("@KEY %x %llu ms\n", rc,
	    (unsigned long long)(now_us() - t0) / 1000);
	return rc != 0;
}

/* --- what a TPM keeps in volatile memory ------------------------------------
 */

struct kept {
	uint8_t pcr[32], key[ANSWER_MAX], session[ANSWER_MAX];
	size_t key_len, session_len;
	uint32_t key_handle, session_handle;
};

/* The handle in the answer to a command that made something. */
static uint32_t
make(struct wr *w, uint32_t *ret_handle)
{
	uint8_t ans[ANSWER_MAX * 4];
	size_t len = 0;
	uint32_t rc = run(w, ans, sizeof(ans), &len);

	if (rc == 0 && len >= 14)
		*ret_handle = (uint32_t)ans[10] << 24 |
			      (uint32_t)ans[11] << 16 | (uint32_t)ans[12] << 8 |
			      ans[13];
	return rc;
}

static uint32_t
make_key(uint32_t *ret_handle)
{
	/* a P-256 signing key */
	static const uint8_t template[] = { 0, 24, 0, 0x23, 0, 0xb, 0, 4, 0,
		0x72, 0, 0, 0, 0x10, 0, 0x18, 0, 0xb, 0, 3, 0, 0x10, 0, 0, 0,
		0 };
	uint8_t buf[128];
	struct wr w;

	start(&w, buf, sizeof(buf), true, 0x131);
	wr_be32(&w, OWNER);
	password(&w);
	wr_be16(&w, 4);
	wr_be32(&w, 0);
	wr_bytes(&w, template, sizeof(template));
	wr_be16(&w, 0);
	wr_be32(&w, 0);
	return make(&w, ret_handle);
}

static uint32_t
make_session(uint32_t *ret_handle)
{
	uint8_t buf[128], ans[64], nonce[16] = { 7 };
	size_t len;
	struct wr w;
	uint32_t rc;

	start(&w, buf, sizeof(buf), false, 0x176);
	wr_be32(&w, 0x40000007);
	wr_be32(&w, 0x40000007);
	wr_be16(&w, sizeof(nonce));
	wr_bytes(&w, nonce, sizeof(nonce));
	wr_be16(&w, 0);
	wr_u8(&w, 1);
	wr_be16(&w, 0x10);
	wr_be16(&w, 0xb);
	if ((rc = make(&w, ret_handle)) != 0)
		return rc;
	start(&w, buf, sizeof(buf), false, 0x16c);
	wr_be32(&w, *ret_handle);
	wr_be32(&w, 0x182);
	return run(&w, ans, sizeof(ans), &len);
}

/* What the TPM says of a handle; asked again while there is no answer: the
 * driver is being replaced after a resume. */
static uint32_t
ask_about(uint32_t cc, uint32_t handle, uint8_t *ans, size_t *ret_len)
{
	uint8_t buf[32];
	int tries = 600;
	uint32_t rc;
	struct wr w;

	do {
		start(&w, buf, sizeof(buf), false, cc);
		wr_be32(&w, handle);
		*ret_len = 0;
		rc = run(&w, ans, ANSWER_MAX, ret_len);
	} while (rc == UINT32_MAX && tries-- > 0 && usleep(200000) == 0);
	return rc;
}

static int
keep_begin(struct kept *k)
{
	uint8_t digest[32] = { 3 };

	memset(k, 0, sizeof(*k));
	if (extend(PCR_KEEP, digest) != 0 || pcr_read(PCR_KEEP, k->pcr) != 0 ||
	    make_key(&k->key_handle) != 0 ||
	    make_session(&k->session_handle) != 0 ||
	    ask_about(0x173, k->key_handle, k->key, &k->key_len) != 0 ||
	    ask_about(0x189, k->session_handle, k->session, &k->session_len) !=
		0)
		return -1;
	printf(
	    "@KEEPING key %x session %x\n", k->key_handle, k->session_handle);
	return 0;
}

static const char *
keep_look(const struct kept *k)
{
	uint8_t pcr[32], ans[ANSWER_MAX];
	size_t len;

	if (ask_about(0x173, k->key_handle, ans, &len) != 0 ||
	    len != k->key_len || memcmp(ans, k->key, len) != 0)
		return "key";
	if (ask_about(0x189, k->session_handle, ans, &len) != 0 ||
	    len != k->session_len || memcmp(ans, k->session, len) != 0)
		return "session";
	if (pcr_read(PCR_KEEP, pcr) != 0 || memcmp(pcr, k->pcr, 32) != 0)
		return "PCR";
	return NULL;
}

static _Noreturn void
keep(void)
{
	const char *lost;
	struct kept k;
	unsigned long n;

	for (;;) {
		(void)startup();
		if (keep_begin(&k) != 0)
			printf("@ERR nothing can be made\n");
		for (n = 1; (lost = keep_look(&k)) == NULL; n++) {
			printf("@KEEP %lu\n", n);
			(void)usleep(500000);
		}
		printf("@KEPT lost %s\n", lost);
		(void)usleep(500000);
	}
}

/* Without the orderly end of this kernel: nothing is mounted that matters. */
static int
start_kernel(const char *kernel, const char *initrd, const char *cmdline)
{
	int k = open(kernel, O_RDONLY | O_CLOEXEC);
	int i = open(initrd, O_RDONLY | O_CLOEXEC);

	if (k != -1 && i != -1 &&
	    syscall(SYS_kexec_file_load, k, i, strlen(cmdline) + 1, cmdline,
		0UL) == 0)
		(void)syscall(SYS_reboot, LINUX_REBOOT_MAGIC1,
		    LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	printf("@ERR kexec: %s\n", strerror(errno));
	return 1;
}

int
main(int argc, char **argv)
{
	uint32_t rc;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "keep") == 0)
		keep();
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "key") == 0) {
		device = argv[2];
		return key();
	}
	if (argc == 5 && strcmp(argv[1], "kexec") == 0)
		return start_kernel(argv[2], argv[3], argv[4]);
	if (argc == 5 && strcmp(argv[1], "hold") == 0)
		pause_ms = (unsigned int)atoi(argv[4]);
	if (argc >= 4 &&
	    (strcmp(argv[1], "hold") == 0 || strcmp(argv[1], "speed") == 0)) {
		device = argv[3];
		holding = true;
	}
	rc = startup();
	if (rc != 0 && rc != 0x100)
		printf("@ERR startup %x\n", rc);
	if (strcmp(argv[1], "speed") == 0)
		return speed((unsigned)atoi(argv[2]));
	if (strcmp(argv[1], "loop") == 0 || holding)
		return loop(strtoull(argv[2], NULL, 10));
	if (strcmp(argv[1], "many") == 0 && argc == 6) {
		device = argv[5];
		return many((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]),
		    atol(argv[4]));
	}
	return 2;
}
