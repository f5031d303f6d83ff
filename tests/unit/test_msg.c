/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/msg.h"
#include "base/rdwr.h"
#include "base/util.h"

#define MAGIC 0x56544d31u
#define LIMIT 100000

struct pair {
	struct msgch *a, *b;
};

static struct pair
channel(size_t maxlen)
{
	struct pair p;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(msgch_new(sv[0], maxlen, &p.a), VT_OK);
	assert_int_equal(msgch_new(sv[1], maxlen, &p.b), VT_OK);
	return p;
}

static void
pair_done(struct pair *p)
{
	msgch_free(p->a);
	msgch_free(p->b);
}

static int
open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
a_message_arrives_whole(void **state)
{
	struct pair p = channel(0);
	struct msg m;

	(void)state;
	assert_int_equal(msgch_recv(p.b, &m), VT_E_AGAIN);
	assert_int_equal(msgch_send(p.a, 7, 99, "hello", 5, NULL, 0), VT_OK);
	assert_int_equal(msgch_send(p.a, 8, 100, "", 0, NULL, 0), VT_OK);
	assert_int_equal(msgch_recv(p.b, &m), VT_OK);
	assert_int_equal(m.type, 7);
	assert_int_equal(m.id, 99);
	assert_int_equal(m.len, 5);
	assert_memory_equal(m.data, "hello", 5);
	assert_int_equal(m.nfds, 0);
	assert_int_equal(m.fds[0], -1);
	assert_int_equal(msgch_recv(p.b, &m), VT_OK);
	assert_int_equal(m.type, 8);
	assert_int_equal(m.len, 0);
	assert_int_equal(msgch_recv(p.b, &m), VT_E_AGAIN);
	pair_done(&p);
}

/* Larger than any socket buffer: queued, flushed, put together again. */
static void
a_long_message_survives_many_pieces(void **state)
{
	size_t len = 1024 * 1024, i;
	uint8_t *big = malloc(len);
	struct pair p = channel(0);
	struct msg m;
	int rc;

	(void)state;
	assert_non_null(big);
	for (i = 0; i < len; i++)
		big[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(msgch_send(p.a, 1, 1, big, len, NULL, 0), VT_OK);
	assert_int_equal(msgch_send(p.a, 2, 2, "x", 1, NULL, 0), VT_OK);
	assert_true(msgch_pending(p.a));
	while ((rc = msgch_recv(p.b, &m)) == VT_E_AGAIN)
		assert_int_equal(msgch_flush(p.a), VT_OK);
	assert_int_equal(rc, VT_OK);
	assert_int_equal(m.len, len);
	assert_memory_equal(m.data, big, len);
	assert_int_equal(msgch_flush_wait(p.a, 1000), VT_OK);
	assert_int_equal(msgch_recv_wait(p.b, 1000, &m), VT_OK);
	assert_int_equal(m.type, 2);
	assert_int_equal(
	    msgch_send(p.a, 1, 1, big, len + 1, NULL, 0), VT_E_RANGE);
	free(big);
	pair_done(&p);
}

static int
some_pipe(char c)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], &c, 1), 1);
	assert_int_equal(close(fds[1]), 0);
	return fds[0];
}

static void
descriptors_ride_on_their_own_message(void **state)
{
	int before = open_fds(), mine[MSG_MAX_FDS], i;
	struct pair p = channel(0);
	struct msg m;
	char c;

	(void)state;
	for (i = 0; i < MSG_MAX_FDS; i++)
		mine[i] = some_pipe((char)('a' + i));
	/* Two messages in the socket at once: each keeps its descriptors. */
	assert_int_equal(msgch_send(p.a, 1, 1, "x", 1, mine, 1), VT_OK);
	assert_int_equal(msgch_send(p.a, 2, 2, "y", 1, NULL, 0), VT_OK);
	assert_int_equal(msgch_send(p.a, 3, 3, "", 0, mine, 4), VT_OK);
	assert_int_equal(msgch_send(p.a, 4, 4, "", 0, mine, 5), VT_E_RANGE);
	for (i = 0; i < MSG_MAX_FDS; i++)
		assert_int_equal(close(mine[i]), 0); /* ours, not theirs */
	assert_int_equal(msgch_recv(p.b, &m), VT_OK);
	assert_int_equal(m.nfds, 1);
	assert_int_equal(read(m.fds[0], &c, 1), 1);
	assert_int_equal(c, 'a');
	assert_int_equal(fcntl(m.fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	msg_close_fds(&m);
	assert_int_equal(msgch_recv(p.b, &m), VT_OK);
	assert_int_equal(m.nfds, 0);
	assert_int_equal(msgch_recv(p.b, &m), VT_OK);
	assert_int_equal(m.nfds, 4);
	assert_int_equal(read(m.fds[3], &c, 1), 1);
	assert_int_equal(c, 'd');
	msg_close_fds(&m);
	assert_int_equal(m.nfds, 0);
	pair_done(&p);
	assert_int_equal(open_fds(), before);
}

/* Unreceived descriptors are closed with the channel. */
static void
descriptors_do_not_leak_with_the_channel(void **state)
{
	int before = open_fds(), fd, i;
	struct pair p = channel(0);
	uint8_t *big = calloc(1, 300000);

	(void)state;
	assert_non_null(big);
	for (i = 0; i < 8; i++) {
		fd = some_pipe('x');
		assert_int_equal(
		    msgch_send(p.a, 1, 1, big, 300000, &fd, 1), VT_OK);
		assert_int_equal(close(fd), 0);
	}
	free(big);
	pair_done(&p);
	assert_int_equal(open_fds(), before);
}

/* --- a peer that does not keep to the protocol ---------------------------- */

static void
put_frame(uint8_t out[MSG_HDR_LEN], uint32_t magic, uint16_t nfds, uint32_t len)
{
	struct wr w;

	wr_init(&w, out, MSG_HDR_LEN);
	wr_be32(&w, magic);
	wr_be16(&w, 1);
	wr_be16(&w, nfds);
	wr_be32(&w, 5);
	wr_be32(&w, len);
	assert_int_equal(wr_err(&w), VT_OK);
}

static void
a_bad_frame_closes_the_channel_for_good(void **state)
{
	static const struct {
		const char *what;
		uint32_t magic;
		uint16_t nfds;
		uint32_t len;
	} cases[] = {
		{ "magic", 0x12345678, 0, 0 },
		{ "too many descriptors", MAGIC, MSG_MAX_FDS + 1, 0 },
		{ "descriptor missing", MAGIC, 1, 0 },
		{ "over the limit", MAGIC, 0, LIMIT + 1 },
		{ "huge", MAGIC, 0, 0xffffffff },
	};
	uint8_t frame[MSG_HDR_LEN];
	struct msgch *ch;
	struct msg m;
	size_t i;
	int sv[2];

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
		assert_int_equal(msgch_new(sv[0], LIMIT, &ch), VT_OK);
		put_frame(frame, cases[i].magic, cases[i].nfds, cases[i].len);
		assert_int_equal(write(sv[1], frame, 16), 16);
		assert_int_equal(msgch_recv(ch, &m), VT_E_PROTO);
		/* A good frame behind it changes nothing. */
		put_frame(frame, MAGIC, 0, 0);
		assert_int_equal(write(sv[1], frame, 16), 16);
		assert_int_equal(msgch_recv(ch, &m), VT_E_PROTO);
		msgch_free(ch);
		assert_int_equal(close(sv[1]), 0);
	}
}

static void
send_with_fds(int sock, void *p, size_t len, int fd, unsigned int n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * MSG_MAX_FDS)];
	} ctl = { 0 };
	struct iovec iov = { p, len };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.buf,
		.msg_controllen = sizeof(ctl.buf) };
	struct cmsghdr *c = (struct cmsghdr *)ctl.buf;
	unsigned int i;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	for (i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(fd));
	assert_int_equal(sendmsg(sock, &mh, 0), (ssize_t)len);
}

/* Sent with the parts of one frame: none of them stays open here. */
static void
surplus_descriptors_are_all_closed(void **state)
{
	int before = open_fds(), sv[2], fd = some_pipe('x');
	uint8_t frame[MSG_HDR_LEN + 1] = { 0 };
	struct msgch *ch;
	struct msg m;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(msgch_new(sv[0], 0, &ch), VT_OK);
	put_frame(frame, MAGIC, MSG_MAX_FDS, 1);
	send_with_fds(sv[1], frame, MSG_HDR_LEN, fd, MSG_MAX_FDS);
	assert_int_equal(msgch_recv(ch, &m), VT_E_AGAIN);
	send_with_fds(sv[1], frame, 1, fd, MSG_MAX_FDS);
	assert_int_equal(msgch_recv(ch, &m), VT_E_PROTO);
	msgch_free(ch);
	assert_int_equal(close(sv[1]), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(open_fds(), before);
}

/* A descriptor that the header does not count is not smuggled in. */
static void
an_uncounted_descriptor_is_a_violation_and_closed(void **state)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl = { 0 };
	uint8_t frame[MSG_HDR_LEN];
	struct iovec iov = { frame, sizeof(frame) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.buf,
		.msg_controllen = sizeof(ctl.buf) };
	struct cmsghdr *c = (struct cmsghdr *)ctl.buf;
	int before = open_fds(), sv[2], fd = some_pipe('x');
	struct msgch *ch;
	struct msg m;

	(void)state;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(msgch_new(sv[0], 0, &ch), VT_OK);
	put_frame(frame, MAGIC, 0, 0);
	assert_int_equal(sendmsg(sv[1], &mh, 0), 16);
	assert_int_equal(msgch_recv(ch, &m), VT_E_PROTO);
	msgch_free(ch);
	assert_int_equal(close(sv[1]), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(open_fds(), before);
}

static void
an_end_inside_a_frame_is_no_clean_end(void **state)
{
	uint8_t frame[MSG_HDR_LEN + 4];
	struct msgch *ch;
	struct msg m;
	size_t cut;
	int sv[2];

	(void)state;
	put_frame(frame, MAGIC, 0, 4);
	memcpy(frame + MSG_HDR_LEN, "data", 4);
	for (cut = 0; cut <= sizeof(frame); cut++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
		assert_int_equal(msgch_new(sv[0], 0, &ch), VT_OK);
		assert_int_equal(write(sv[1], frame, cut), (ssize_t)cut);
		assert_int_equal(close(sv[1]), 0);
		if (cut == sizeof(frame))
			assert_int_equal(msgch_recv(ch, &m), VT_OK);
		assert_int_equal(msgch_recv(ch, &m),
		    cut % sizeof(frame) == 0 ? VT_E_CLOSED : VT_E_PROTO);
		msgch_free(ch);
	}
}

static void
bytes_that_drip_in_make_one_message(void **state)
{
	uint8_t frame[MSG_HDR_LEN + 4];
	struct msgch *ch;
	struct msg m;
	size_t i;
	int sv[2];

	(void)state;
	put_frame(frame, MAGIC, 0, 4);
	memcpy(frame + MSG_HDR_LEN, "data", 4);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(msgch_new(sv[0], 0, &ch), VT_OK);
	for (i = 0; i < sizeof(frame); i++) {
		assert_int_equal(msgch_recv(ch, &m), VT_E_AGAIN);
		assert_int_equal(write(sv[1], frame + i, 1), 1);
	}
	assert_int_equal(msgch_recv(ch, &m), VT_OK);
	assert_int_equal(m.id, 5);
	assert_memory_equal(m.data, "data", 4);
	msgch_free(ch);
	assert_int_equal(close(sv[1]), 0);
}

static void
waiting_ends_in_time_and_says_when_the_peer_is_gone(void **state)
{
	struct pair p = channel(0);
	struct msg m;
	uint64_t t0 = now_us();

	(void)state;
	assert_int_equal(msgch_recv_wait(p.b, 30, &m), VT_E_TIMEOUT);
	assert_true(now_us() - t0 >= 29000);
	assert_true(now_us() - t0 < 3000000);
	msgch_free(p.a);
	p.a = NULL;
	assert_int_equal(msgch_recv_wait(p.b, -1, &m), VT_E_CLOSED);
	assert_int_equal(msgch_send(p.b, 1, 1, "x", 1, NULL, 0), VT_E_CLOSED);
	pair_done(&p); /* NULL is a no-op */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_whole),
		cmocka_unit_test(a_long_message_survives_many_pieces),
		cmocka_unit_test(descriptors_ride_on_their_own_message),
		cmocka_unit_test(descriptors_do_not_leak_with_the_channel),
		cmocka_unit_test(a_bad_frame_closes_the_channel_for_good),
		cmocka_unit_test(surplus_descriptors_are_all_closed),
		cmocka_unit_test(
		    an_uncounted_descriptor_is_a_violation_and_closed),
		cmocka_unit_test(an_end_inside_a_frame_is_no_clean_end),
		cmocka_unit_test(bytes_that_drip_in_make_one_message),
		cmocka_unit_test(
		    waiting_ends_in_time_and_says_when_the_peer_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
