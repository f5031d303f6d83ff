/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_swtpm_stall.c - whatever a client sends or leaves out, it gets one
 * answer in bounded time, and the next command is understood.  The clock and
 * the channel's timer are the test's own.
 */
#include "swtpm_fixture.h"

#include <sys/timerfd.h>

#define SIZES 5000
#define BOUND_US UINT64_C(500000)
#define TOO_LONG "80010000000a00000142"

static uint64_t clock_us, alarm_us; /* alarm 0: not set */
static int alarm_fd;

uint64_t __wrap_now_us(void);
int __real_timerfd_settime(
    int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
int __wrap_timerfd_settime(
    int fd, int flags, const struct itimerspec *new, struct itimerspec *old);

uint64_t
__wrap_now_us(void)
{
	return clock_us;
}

int
__wrap_timerfd_settime(
    int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	(void)flags;
	(void)old;
	alarm_fd = fd;
	alarm_us = clock_us + (uint64_t) new->it_value.tv_sec * 1000000 +
		   (uint64_t) new->it_value.tv_nsec / 1000;
	if (alarm_us == clock_us)
		alarm_us++;
	return 0;
}

/* Let time pass, alarms included. */
static void
pass(struct fake *f, uint64_t us)
{
	static const struct itimerspec now = { .it_value = { .tv_nsec = 1 } };
	uint64_t end = clock_us + us;
	struct pollfd p = { .events = POLLIN };

	while (alarm_us != 0 && alarm_us <= end) {
		clock_us = alarm_us;
		alarm_us = 0;
		assert_int_equal(
		    __real_timerfd_settime(alarm_fd, 0, &now, NULL), 0);
		p.fd = alarm_fd;
		assert_int_equal(poll(&p, 1, 10000), 1);
		pump(f);
	}
	clock_us = end;
}

static int
setup(void **state)
{
	clock_us = 1000000;
	alarm_us = 0;
	return fake_setup(state);
}

/* A hypervisor that has agreed on size with its TPM. */
static void
begin(struct fake *f, unsigned int size, int *ctl, int *data)
{
	char ask_size[32];
	uint8_t answer[16];

	*ctl = dial(f);
	*data = give_data(f, *ctl);
	f->size = size;
	(void)snprintf(ask_size, sizeof(ask_size), "00000011%08x", size);
	send_hex(*ctl, ask_size, -1);
	pump(f);
	assert_int_equal(recv(*ctl, answer, 16, MSG_DONTWAIT), 16);
	assert_int_equal(be32_get(answer + 4), size);
	ask(f, *ctl, "0000000200000000", OK4);
	f->journal[0] = '\0';
}

static void
end(struct fake *f, int ctl, int data)
{
	(void)close(ctl);
	(void)close(data);
	pump(f);
	f->journal[0] = '\0';
	f->on = false;
}

/* len bytes, zeros behind a header with this size. */
static void
send_cmd(struct fake *f, int data, uint32_t size, size_t len)
{
	uint8_t cmd[2 * SIZES] = { 0x80, 1, 0, 0, 0, 0, 0, 0, 1, 0x7b };

	be32_put(cmd + 2, size);
	if (len > 0)
		assert_int_equal(send(data, cmd, len, MSG_NOSIGNAL), len);
	pump(f);
}

/* One answer, at once or in time; the next command gets its own. */
static void
expect_one(struct fake *f, int data, bool at_once, uint32_t size, size_t len)
{
	uint8_t got[64];
	ssize_t n;

	n = recv(data, got, sizeof(got), MSG_DONTWAIT);
	if (n == -1 && !at_once) {
		pass(f, BOUND_US);
		n = recv(data, got, sizeof(got), MSG_DONTWAIT);
	}
	if (n != 10)
		fail_msg(
		    "header %u, %zu bytes: %zd bytes came back", size, len, n);
	if (len != size && be32_get(got + 6) != 0x142)
		fail_msg(
		    "header %u, %zu bytes: 0x%x", size, len, be32_get(got + 6));
	ask(f, data, READ_CLOCK, READ_CLOCK);
	pass(f, 2 * BOUND_US);
	expect_hex(data, "");
	f->journal[0] = '\0';
}

static const unsigned int agreed[] = { 4096, 3968, 2808 };

/* QEMU's CRB sends what the header says, but no more than was agreed. */
static void
a_header_beyond_the_agreed_size_is_answered_at_once(void **state)
{
	struct fake *f = *state;
	uint32_t size, len;
	size_t i;
	int ctl, data;

	for (i = 0; i < VT_NELEM(agreed); i++) {
		begin(f, agreed[i], &ctl, &data);
		for (size = 1; size <= SIZES; size++) {
			len = size < agreed[i] ? size : agreed[i];
			send_cmd(f, data, size, len);
			expect_one(f, data, len >= 6, size, len);
		}
		end(f, ctl, data);
	}
}

static void
shorter_and_longer_bodies_get_one_answer(void **state)
{
	struct fake *f = *state;
	uint32_t size;
	size_t i, n;
	int ctl, data;

	begin(f, 4096, &ctl, &data);
	for (size = 0; size <= SIZES; size++) {
		const size_t lens[] = { 1, 5, 6, 9, 10, 11, size / 2, size - 1,
			size + 1, size + 2, size + 9, size + 10, size + 77,
			4096, 4097, 4106, SIZES };

		n = size == 0 ? 6 : VT_NELEM(lens);
		for (i = 0; i < n; i++) {
			if (lens[i] == 0 || lens[i] == size)
				continue;
			send_cmd(f, data, size, lens[i]);
			expect_one(f, data, false, size, lens[i]);
		}
	}
	end(f, ctl, data);
}

static void
a_command_cut_anywhere_waits_for_its_rest_but_not_for_ever(void **state)
{
	static const char cmd[] = "80010000000c0000017b0010";
	struct fake *f = *state;
	char head[sizeof(cmd)];
	size_t cut;
	int ctl, data;

	begin(f, 4096, &ctl, &data);
	for (cut = 2; cut < strlen(cmd); cut += 2) {
		(void)snprintf(head, sizeof(head), "%.*s", (int)cut, cmd);
		ask(f, data, head, "");
		pass(f, BOUND_US - 1);
		ask(f, data, cmd + cut, "80010000000a0000017b");
		ask(f, data, head, "");
		pass(f, BOUND_US);
		expect_hex(data, TOO_LONG);
		ask(f, data, READ_CLOCK, READ_CLOCK);
	}
	/* Every byte starts the wait anew: the client is still sending. */
	for (cut = 0; cut + 2 < strlen(cmd); cut += 2) {
		(void)snprintf(head, sizeof(head), "%.2s", cmd + cut);
		ask(f, data, head, "");
		pass(f, BOUND_US - 1);
	}
	ask(f, data, cmd + cut, "80010000000a0000017b");
	end(f, ctl, data);
}

static void
cancel_and_power_requests_end_an_incomplete_command(void **state)
{
	static const char *const reqs[] = { "00000009", "0000000200000000",
		"0000000e", "00000003" };
	struct fake *f = *state;
	size_t i;
	int ctl, data;

	begin(f, 4096, &ctl, &data);
	for (i = 0; i < VT_NELEM(reqs); i++) {
		f->on = true;
		send_cmd(f, data, 100, 50);
		expect_hex(data, "");
		ask(f, ctl, reqs[i], OK4);
		expect_hex(data, TOO_LONG);
		f->on = true;
		ask(f, data, READ_CLOCK, READ_CLOCK);
		pass(f, 2 * BOUND_US);
		expect_hex(data, "");
	}
	end(f, ctl, data);
}

/* clang-format off */
static const char *const requests[] = {
	"00000001", "0000000200000000", "0000000502", "0000000b02",
	"00000007" "00000003" "616263", "0000000c000000010000000100000000",
	"0000000d" "00000000" "00000001" "00000003" "010203",
	"0000000d" "00000000" "00000001" "ffffffff" "010203",
	"0000001100001000", "00000012" "0000000000000001" "0000000b" "00000000",
	"000000130000012c",
};
/* clang-format on */

static void
a_request_cut_anywhere_is_answered_and_the_next_one_understood(void **state)
{
	struct fake *f = *state;
	char head[128];
	size_t i, cut;
	int ctl = dial(f);

	for (i = 0; i < VT_NELEM(requests); i++)
		for (cut = 2; cut < strlen(requests[i]); cut += 2) {
			f->on = false;
			(void)snprintf(
			    head, sizeof(head), "%.*s", (int)cut, requests[i]);
			print_message("  %s | %s\n", head, requests[i] + cut);
			ask(f, ctl, head, "");
			pass(f, 20 * BOUND_US);
			expect_hex(ctl, "00000003");
			ask(f, ctl, "0000000f", OK4 "00000003");
			pass(f, 20 * BOUND_US);
			expect_hex(ctl, "");
		}
	(void)close(ctl);
}

static void
a_request_cut_while_a_command_runs_is_answered_after_it(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	begin(f, 4096, &ctl, &data);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	ask(f, ctl, "000000", "");
	pass(f, 100 * BOUND_US);
	expect_hex(ctl, ""); /* the command takes as long as it takes */
	fake_answer(f, 0x181);
	expect_hex(data, READ_CLOCK);
	pass(f, 20 * BOUND_US);
	expect_hex(ctl, "00000003");
	ask(f, ctl, "0000000f", OK4 "00000003");
	end(f, ctl, data);
}

static void
a_new_connection_starts_with_nothing_pending(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	begin(f, 3968, &ctl, &data);
	send_cmd(f, data, 100, 50);
	ask(f, ctl, "00000002", "");
	end(f, ctl, data);
	begin(f, 4096, &ctl, &data);
	ask(f, data, READ_CLOCK, READ_CLOCK);
	/* The size that the former client agreed on is gone, too. */
	send_cmd(f, data, 4096, 4096);
	expect_hex(data, "80010000000a0000017b");
	send_cmd(f, data, 100, 50);
	(void)close(data);
	pump(f);
	data = give_data(f, ctl);
	ask(f, data, READ_CLOCK, READ_CLOCK);
	pass(f, 2 * BOUND_US);
	expect_hex(data, "");
	end(f, ctl, data);
}

/* A successor reads the agreed size from the status it takes over. */
static void
the_agreed_size_survives_the_worker(void **state)
{
	struct fake *f = *state;
	int ctl, data, fds[3];
	unsigned int i;

	begin(f, 3968, &ctl, &data);
	assert_int_equal(f->nkept, 3);
	for (i = 0; i < 3; i++)
		fds[i] = dup(f->kept[i]);
	chan_free(f->ch);
	fake_listen(f);
	assert_int_equal(chan_adopt(f->ch, fds, 3), VT_OK);
	pump(f);
	send_cmd(f, data, 4000, 3968);
	expect_one(f, data, true, 4000, 3968);
	end(f, ctl, data);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fake_teardown)
	static const struct CMUnitTest tests[] = {
		T(a_header_beyond_the_agreed_size_is_answered_at_once),
		T(shorter_and_longer_bodies_get_one_answer),
		T(a_command_cut_anywhere_waits_for_its_rest_but_not_for_ever),
		T(cancel_and_power_requests_end_an_incomplete_command),
		T(a_request_cut_anywhere_is_answered_and_the_next_one_understood),
		T(a_request_cut_while_a_command_runs_is_answered_after_it),
		T(a_new_connection_starts_with_nothing_pending),
		T(the_agreed_size_survives_the_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
