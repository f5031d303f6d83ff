/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * swtpm_fixture.h - a channel with a made-up TPM behind it, and a made-up
 * hypervisor in front, both in the test's own thread.
 *
 * The fake host writes what it is asked to do into a journal of words; a
 * test compares that with a string.
 */
#ifndef TESTS_UNIT_SWTPM_FIXTURE_H
#define TESTS_UNIT_SWTPM_FIXTURE_H

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "tpmback/swtpm/chan.h"
#include "tpmback/swtpm/wire.h"

struct fake {
	struct chan *ch;
	char dir[64], path[96];
	char journal[4096];
	bool on, tpm1, later; /* later: commands are answered by the test */
	uint32_t hash_result, take_over_result, set_blob_result;
	size_t blob_len[4];
	int kept[3]; /* duplicates, as a manager would hold them */
	unsigned int nkept;
	int inside_init; /* >0: call chan_watch() from within INIT */
	void (*in_power_on)(struct fake *f);
	uint8_t last_blob_sum;
	uint32_t size;           /* of the TPM's buffer; 0: 4096 */
	bool claimed, elsewhere; /* another channel has the TPM */
};

static inline void VT_PRINTF(2, 3)
    fake_say(struct fake *f, const char *fmt, ...)
{
	size_t n = strlen(f->journal);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(f->journal + n, sizeof(f->journal) - n, fmt, ap);
	va_end(ap);
}

/* The response to any command: its own code as the response code. */
static inline void
fake_answer(struct fake *f, uint32_t code)
{
	uint8_t r[10];

	be16_put(r, 0x8001);
	be32_put(r + 2, sizeof(r));
	be32_put(r + 6, code);
	chan_reply(f->ch, r, sizeof(r));
}

static inline void
fake_submit(void *arg, struct chan *ch, uint8_t locality, const uint8_t *cmd,
    size_t len)
{
	struct fake *f = arg;

	(void)ch;
	assert_true(len >= 10 && len <= CHAN_CMD_MAX);
	assert_int_equal(be32_get(cmd + 2), len);
	fake_say(f, "cmd%u:%zu ", locality, len);
	if (!f->later)
		fake_answer(f, be32_get(cmd + 6));
}

static inline void
fake_cancel(void *arg, struct chan *ch)
{
	(void)ch;
	fake_say(arg, "cancel ");
}

static inline void
fake_note(void *arg, struct chan *ch, enum chan_note n, const char *text)
{
	static const char *words[] = { "open", "closed", "busy", "violation",
		"handover" };

	(void)ch;
	assert_true(strlen(text) > 0);
	fake_say(arg, "<%s> ", words[n]);
}

static inline void
fake_keep(void *arg, struct chan *ch, const int *fds, unsigned int nfds)
{
	struct fake *f = arg;
	unsigned int i;

	(void)ch;
	assert_true(nfds <= 3);
	for (i = 0; i < f->nkept; i++)
		(void)close(f->kept[i]);
	for (i = 0; i < nfds; i++)
		f->kept[i] = dup(fds[i]);
	f->nkept = nfds;
}

static inline bool
fake_claim(void *arg, struct chan *ch)
{
	struct fake *f = arg;

	(void)ch;
	if (f->elsewhere)
		return false;
	f->claimed = true;
	return true;
}

static inline void
fake_release(void *arg, struct chan *ch)
{
	(void)ch;
	((struct fake *)arg)->claimed = false;
}

static inline uint32_t
fake_power_on(void *arg, bool delete_volatile)
{
	struct fake *f = arg;

	fake_say(f, "on%d ", delete_volatile);
	if (f->in_power_on != NULL)
		f->in_power_on(f);
	f->on = true;
	return 0;
}

static inline uint32_t
fake_power_off(void *arg)
{
	struct fake *f = arg;

	fake_say(f, "off ");
	f->on = false;
	return 0;
}

static inline uint32_t
fake_shutdown(void *arg)
{
	fake_say(arg, "shutdown ");
	return 0;
}

static inline bool
fake_powered(void *arg)
{
	return ((struct fake *)arg)->on;
}

static inline bool
fake_is_tpm2(void *arg)
{
	return !((struct fake *)arg)->tpm1;
}

static inline uint32_t
fake_get_established(void *arg, bool *ret)
{
	fake_say(arg, "est? ");
	*ret = true;
	return 0;
}

static inline uint32_t
fake_reset_established(void *arg, uint8_t locality)
{
	fake_say(arg, "est-%u ", locality);
	return 0;
}

static inline uint32_t
fake_hash_start(void *arg)
{
	fake_say(arg, "hash( ");
	return ((struct fake *)arg)->hash_result;
}

static inline uint32_t
fake_hash_data(void *arg, const uint8_t *p, size_t len)
{
	fake_say(arg, "%zu:%.*s ", len, (int)len, (const char *)p);
	return ((struct fake *)arg)->hash_result;
}

static inline uint32_t
fake_hash_end(void *arg)
{
	fake_say(arg, ") ");
	return ((struct fake *)arg)->hash_result;
}

static inline uint32_t
fake_buffer_size(
    void *arg, uint32_t want, uint32_t *now, uint32_t *min, uint32_t *max)
{
	struct fake *f = arg;

	fake_say(f, "size%u ", want);
	*now = f->size != 0 ? f->size : 4096;
	*max = 4096;
	*min = 2808;
	return 0;
}

/* What stands in a blob at off. */
static inline uint8_t
blob_byte(uint32_t type, size_t off)
{
	return (uint8_t)(type + off * 7 + (off >> 8));
}

static inline uint32_t
fake_get_blob(void *arg, enum chan_blob type, uint8_t **ret, size_t *ret_len)
{
	struct fake *f = arg;
	size_t i;

	fake_say(f, "get%u ", type);
	*ret_len = 0;
	if (f->blob_len[type] == 0)
		return SR_RETRY;
	if ((*ret = malloc(f->blob_len[type])) == NULL)
		return SR_FAIL;
	for (i = 0; i < f->blob_len[type]; i++)
		(*ret)[i] = blob_byte(type, i);
	*ret_len = f->blob_len[type];
	return 0;
}

static inline uint32_t
fake_set_blob(
    void *arg, enum chan_blob type, bool incoming, const uint8_t *p, size_t len)
{
	struct fake *f = arg;
	size_t i;

	fake_say(f, "%s%u:%zu ", incoming ? "in" : "set", type, len);
	for (i = 0; i < len; i++)
		f->last_blob_sum = (uint8_t)(f->last_blob_sum + p[i]);
	return f->set_blob_result;
}

static inline uint32_t
fake_take_over(void *arg)
{
	struct fake *f = arg;

	fake_say(f, "takeover ");
	if (f->take_over_result == 0)
		f->on = true;
	return f->take_over_result;
}

static inline uint32_t
fake_info_json(void *arg, uint64_t flags, char *out, size_t cap)
{
	(void)arg;
	(void)snprintf(out, cap, "{\"flags\":%u}", (unsigned int)flags);
	return 0;
}

static const struct chan_host fake_host = {
	.submit = fake_submit,
	.cancel = fake_cancel,
	.note = fake_note,
	.keep = fake_keep,
	.claim = fake_claim,
	.release = fake_release,
	.power_on = fake_power_on,
	.power_off = fake_power_off,
	.shutdown = fake_shutdown,
	.powered = fake_powered,
	.is_tpm2 = fake_is_tpm2,
	.get_established = fake_get_established,
	.reset_established = fake_reset_established,
	.hash_start = fake_hash_start,
	.hash_data = fake_hash_data,
	.hash_end = fake_hash_end,
	.buffer_size = fake_buffer_size,
	.get_blob = fake_get_blob,
	.set_blob = fake_set_blob,
	.take_over = fake_take_over,
	.info_json = fake_info_json,
};

#define GRANTED 0x07 /* localities 0 to 2 */

static inline void
fake_listen(struct fake *f)
{
	int fd = unix_listen(f->path, 0600);

	assert_true(fd >= 0);
	assert_int_equal(
	    chan_new_swtpm(fd, getuid(), GRANTED, &fake_host, f, &f->ch),
	    VT_OK);
}

static inline int
fake_setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/swtpm-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	f->blob_len[1] = 1299;
	f->blob_len[2] = 8970;
	fake_listen(f);
	*state = f;
	return 0;
}

static inline int
fake_teardown(void **state)
{
	struct fake *f = *state;
	unsigned int i;

	chan_free(f->ch);
	for (i = 0; i < f->nkept; i++)
		(void)close(f->kept[i]);
	(void)unlink(f->path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

/* Run the channel's loop until it has nothing more to do. */
static inline void
pump_for(struct fake *f, int idle_ms)
{
	struct pollfd p[CHAN_MAX_FDS];
	int n, rounds = 0;

	for (;;) {
		n = chan_pollfds(f->ch, p);
		assert_true(n <= CHAN_MAX_FDS);
		if (poll(p, (nfds_t)n, idle_ms) <= 0)
			return;
		chan_dispatch(f->ch, p, n);
		if (++rounds > 100000)
			fail_msg("the loop spins");
	}
}

static inline void
pump(struct fake *f)
{
	pump_for(f, 0);
}

/* What was journaled since the last call, which must be this. */
static inline void
expect_journal(struct fake *f, const char *want)
{
	assert_string_equal(f->journal, want);
	f->journal[0] = '\0';
}

/* --- the hypervisor ---------------------------------------------------------
 */

static inline int
dial(struct fake *f)
{
	int fd = unix_connect(f->path);

	assert_true(fd >= 0);
	pump(f);
	return fd;
}

/* Send hex, with a descriptor unless pass is -1. */
static inline void
send_hex(int fd, const char *hex, int pass)
{
	_Alignas(struct cmsghdr) uint8_t cbuf[CMSG_SPACE(sizeof(int))] = { 0 };
	uint8_t buf[8192];
	struct iovec iov = { .iov_base = buf };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;

	assert_int_equal(
	    hex_decode(hex, buf, sizeof(buf), &iov.iov_len), VT_OK);
	if (pass != -1) {
		m.msg_control = cbuf;
		m.msg_controllen = sizeof(cbuf);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &pass, sizeof(pass));
	}
	assert_int_equal(sendmsg(fd, &m, MSG_NOSIGNAL), iov.iov_len);
}

/* Everything that has come back, which must be this. */
static inline void
expect_hex(int fd, const char *want)
{
	uint8_t buf[2048];
	char hex[2 * sizeof(buf) + 1];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	hex_encode(buf, n > 0 ? (size_t)n : 0, hex);
	assert_string_equal(hex, want);
}

static inline void
expect_closed(int fd)
{
	uint8_t b;

	assert_int_equal(recv(fd, &b, 1, MSG_DONTWAIT), 0);
}

static inline void
ask(struct fake *f, int fd, const char *request, const char *answer)
{
	send_hex(fd, request, -1);
	pump(f);
	expect_hex(fd, answer);
}

#define OK4 "00000000"
#define READ_CLOCK "80010000000a00000181"
#define NOT_READY "80010000000a00000101"

/* SET_DATAFD; returns our end of the data connection. */
static inline int
give_data(struct fake *f, int ctl)
{
	int sv[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	send_hex(ctl, "00000010", sv[1]);
	(void)close(sv[1]);
	pump(f);
	expect_hex(ctl, OK4);
	return sv[0];
}

/* A hypervisor with its TPM powered on and nothing in the journal. */
static inline void
start(struct fake *f, int *ret_ctl, int *ret_data)
{
	*ret_ctl = dial(f);
	*ret_data = give_data(f, *ret_ctl);
	ask(f, *ret_ctl, "0000000200000000", OK4);
	f->journal[0] = '\0';
}

#endif
