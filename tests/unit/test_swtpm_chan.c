/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_swtpm_chan.c - swtpm's control protocol: the sequences that QEMU 7.2
 * was seen to send, split and broken input, localities.
 */
#include "base/util.h"
#include "swtpm_fixture.h"

#include <sched.h>

/* --- sequences captured from QEMU 7.2.22 on -M q35 --------------------------
 */

static void
qemu_starts(struct fake *f, int *ret_ctl, int *ret_data)
{
	int ctl = dial(f), data = give_data(f, ctl);

	ask(f, data, READ_CLOCK, NOT_READY);
	ask(f, ctl, "00000001", "0000000000007fbf");
	ask(f, ctl, "0000000e", OK4);
	ask(f, ctl, "0000001100000000", OK4 "0000100000000af800001000");
	ask(f, ctl, "0000000e", OK4);
	ask(f, ctl, "0000001100001000", OK4 "0000100000000af800001000");
	*ret_ctl = ctl;
	*ret_data = data;
}

static void
start_is_answered_as_qemu_expects(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	qemu_starts(f, &ctl, &data);
	ask(f, ctl, "0000000200000000", OK4);
	ask(f, ctl, "00000004", OK4 "01000000");
	ask(f, ctl, "0000000500000000", OK4); /* locality and padding */
	ask(f, data, READ_CLOCK, READ_CLOCK); /* the fake echoes the code */
	expect_journal(f, "<open> size0 size4096 on0 est? cmd0:10 ");
	(void)close(ctl);
	(void)close(data);
	pump(f);
	expect_journal(f, "<closed> ");
	assert_int_equal(f->nkept, 0);
}

static void
tpm12_start_is_recognised_by_its_tag(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	f->tpm1 = true;
	ctl = dial(f);
	data = give_data(f, ctl);
	ask(f, data, READ_CLOCK, "00c40000000a00000009");
	ask(f, data, "00c10000000a000000f1", "00c40000000a00000009");
	(void)close(ctl);
	(void)close(data);
}

static void
system_reset_is_one_power_cycle_per_init(void **state)
{
	struct fake *f = *state;
	int ctl, data, i;

	start(f, &ctl, &data);
	for (i = 0; i < 2; i++) { /* seen twice per system_reset */
		ask(f, ctl, "0000000e", OK4);
		ask(f, ctl, "0000001100000000", OK4 "0000100000000af800001000");
		ask(f, ctl, "0000000e", OK4);
		ask(f, ctl, "0000001100001000", OK4 "0000100000000af800001000");
		ask(f, ctl, "0000000200000000", OK4);
	}
	expect_journal(f, "off size0 size4096 on0 off size0 size4096 on0 ");
	/* tpm2-tss's reset sends no STOP */
	ask(f, ctl, "0000000200000001", OK4);
	expect_journal(f, "off on1 ");
	(void)close(ctl);
	(void)close(data);
}

static size_t
read_blob(struct fake *f, int ctl, const char *request, const char *head,
    uint32_t type, size_t off)
{
	uint8_t buf[16384];
	char hex[33];
	ssize_t n, i;

	send_hex(ctl, request, -1);
	pump(f);
	n = recv(ctl, buf, sizeof(buf), MSG_DONTWAIT);
	assert_true(n >= 16);
	hex_encode(buf, 16, hex);
	assert_string_equal(hex, head);
	for (i = 16; i < n; i++)
		assert_int_equal(buf[i], blob_byte(type, off + (size_t)i - 16));
	return (size_t)n - 16;
}

static void
savevm_gets_whole_blobs_and_leaves_the_tpm_on(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	assert_int_equal(read_blob(f, ctl, "0000000c000000010000000100000000",
			     "00000000000000020000051300000513", 1, 0),
	    1299);
	assert_int_equal(read_blob(f, ctl, "0000000c000000010000000200000000",
			     "00000000000000020000230a0000230a", 2, 0),
	    8970);
	/* in pieces: the rest of the same snapshot */
	assert_int_equal(read_blob(f, ctl, "0000000c000000010000000200002300",
			     "00000000000000020000230a0000000a", 2, 0x2300),
	    10);
	assert_int_equal(read_blob(f, ctl, "0000000c000000010000000300000000",
			     "00000800000000000000000000000000", 3, 0),
	    0);
	expect_journal(f, "get1 get2 get3 ");
	ask(f, ctl, "0000000c00000001000000000000000000000000",
	    "00000003000000000000000000000000");
	ask(f, ctl, "0000000c000000010000000400000000",
	    "00000003000000000000000000000000");
	ask(f, ctl, "000000130000012c", OK4); /* LOCK_STORAGE */
	ask(f, data, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd0:10 ");
	(void)close(ctl);
	(void)close(data);
}

static void
loadvm_stages_blobs_before_init(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	ask(f, ctl, "0000000e", OK4);
	/* QEMU writes the head and the body separately */
	ask(f, ctl, "0000000d000000020000000100000004", "");
	ask(f, ctl, "01010101", OK4);
	ask(f, ctl, "0000000d000000020000000200000002", "");
	ask(f, ctl, "0202", OK4);
	ask(f, ctl, "0000000d000000000000000300000000", OK4);
	ask(f, ctl, "0000000200000001", OK4);
	expect_journal(f, "off set1:4 set2:2 on1 ");
	assert_int_equal(f->last_blob_sum, 8);
	(void)close(ctl);
	(void)close(data);
}

static void
quit_shuts_the_tpm_down(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	ask(f, ctl, "00000003", OK4);
	expect_journal(f, "shutdown ");
	(void)close(ctl);
	(void)close(data);
}

static void
what_swtpm_ioctl_asks_is_answered(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	ask(f, ctl, "0000000f", OK4 "00000003");
	ask(f, ctl, "0000000500", OK4); /* without padding */
	ask(f, ctl, "0000000b01", OK4);
	ask(f, ctl, "00000006", OK4);
	ask(f, ctl, "0000000700000003616263", OK4);
	ask(f, ctl, "00000008", OK4);
	ask(f, ctl, "00000009", OK4);
	expect_journal(f, "est-1 hash( 3:abc ) ");
	/* {"flags":5} and its NUL; then the last two bytes of it */
	ask(f, ctl,
	    "00000012000000000000000500000000"
	    "00000000",
	    OK4 "0000000c0000000c"
		"7b22666c616773223a357d00");
	ask(f, ctl,
	    "0000001200000000000000050000000a"
	    "00000000",
	    OK4 "0000000c00000002"
		"7d00");
	ask(f, ctl,
	    "0000001200000000000000050000000c"
	    "00000000",
	    "00000003");
	(void)close(ctl);
	(void)close(data);
}

/* --- refusals ----------------------------------------------------------------
 */

static void
wrong_state_is_bad_ordinal(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*req, *off, *on;
	} cases[] = {
		{ "0000000a",		"0000000a", "0000000a" },
		{ "00000014",		"0000000a", "0000000a" },
		{ "00000000",		"0000000a", "0000000a" },
		{ "00000006",		"0000000a", OK4 },
		{ "0000000b00",		"0000000a", OK4 },
		{ "0000000c000000010000000300000000", "0000000a",
		    "00000800000000000000000000000000" },
		{ "0000000d00000000000000010000000101", OK4, "0000000a" },
		{ "0000000d00000000000000040000000101", "00000003",
		    "0000000a" },
		{ "0000001100001000", OK4 "0000100000000af800001000",
		    "0000000a" },
		{ "00000004",		OK4 "00000000", OK4 "01000000" },
	};
	/* clang-format on */
	struct fake *f = *state;
	int ctl = dial(f), data = give_data(f, ctl);
	size_t i;

	for (i = 0; i < VT_NELEM(cases); i++)
		ask(f, ctl, cases[i].req, cases[i].off);
	ask(f, ctl, "0000000200000000", OK4);
	for (i = 0; i < VT_NELEM(cases); i++)
		ask(f, ctl, cases[i].req, cases[i].on);
	(void)close(ctl);
	(void)close(data);
}

/* Law 6: after the host's launch no other measurement at locality 4. */
static void
hash_sequence_is_the_hosts_to_refuse(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	f->hash_result = SR_BAD_ORDINAL;
	ask(f, ctl, "00000006", "0000000a");
	ask(f, ctl, "0000000700000003616263", "0000000a");
	ask(f, ctl, "00000008", "0000000a");
	(void)close(ctl);
	(void)close(data);
}

/* Law 6. */
static void
locality_is_granted_and_only_by_the_control_channel(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	ask(f, ctl, "0000000502000000", OK4);
	ask(f, data, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd2:10 ");
	ask(f, ctl, "0000000504000000", "0000003d"); /* not granted */
	ask(f, ctl, "0000000505000000", "0000003d"); /* none such */
	ask(f, ctl, "000000050d", "0000003d");
	ask(f, ctl, "0000000b04", "0000003d");
	ask(f, data, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd2:10 "); /* unchanged */
	/* one of software's, but not granted: no command gets through */
	ask(f, ctl, "0000000503000000", OK4);
	ask(f, data, READ_CLOCK, "80010000000a00000907");
	ask(f, ctl, "0000000b03", "0000003d");
	expect_journal(f, "");
	ask(f, ctl, "0000000502", OK4);
	/* vtpm_proxy's command in band: refused, reported once */
	ask(f, data, "80010000000b2000100004", "80010000000a00000143");
	ask(f, data, "80010000000b2000100004", "80010000000a00000143");
	expect_journal(f, "<violation> ");
	/* the MSSIM prefix with a locality */
	ask(f, data, "00000008000000000a" READ_CLOCK, "80010000000a00000142");
	ask(f, data, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd2:10 ");
	(void)close(ctl);
	(void)close(data);
}

static void
data_descriptor_is_checked(void **state)
{
	struct fake *f = *state;
	int ctl = dial(f), data, p[2];

	ask(f, ctl, "00000010", "0000001f"); /* none came */
	assert_int_equal(pipe(p), 0);
	send_hex(ctl, "00000010", p[0]);
	pump(f);
	expect_hex(ctl, "00000003"); /* not a socket */
	data = give_data(f, ctl);
	send_hex(ctl, "00000010", data);
	pump(f);
	expect_hex(ctl, "0000001f"); /* there is one already */
	(void)close(data);
	pump(f);
	data = give_data(f, ctl); /* the old one has gone */
	ask(f, data, READ_CLOCK, NOT_READY);
	(void)close(data);
	(void)close(ctl);
	(void)close(p[0]);
	(void)close(p[1]);
}

static void
oversize_state_is_refused_and_stepped_over(void **state)
{
	struct fake *f = *state;
	uint8_t body[4096] = { 0 };
	int ctl = dial(f);
	size_t left = SWTPM_BLOB_MAX + 1, n;

	ask(f, ctl, "0000000d000000000000000100080001", "");
	while (left > 0) {
		n = left < sizeof(body) ? left : sizeof(body);
		assert_int_equal(send(ctl, body, n, 0), n);
		pump(f);
		left -= n;
	}
	expect_hex(ctl, "00000003");
	ask(f, ctl, "00000001", "0000000000007fbf");
	expect_journal(f, "<open> ");
	(void)close(ctl);
}

static void
largest_state_goes_in_and_out(void **state)
{
	struct fake *f = *state;
	static uint8_t all[16 + SWTPM_BLOB_MAX];
	uint8_t buf[60000];
	int ctl = dial(f);
	size_t left, n, i;
	ssize_t got;

	memset(buf, 1, sizeof(buf));
	send_hex(ctl, "0000000d000000000000000100080000", -1);
	for (left = SWTPM_BLOB_MAX; left > 0; left -= n) {
		n = left < sizeof(buf) ? left : sizeof(buf);
		assert_int_equal(send(ctl, buf, n, 0), n);
		pump(f);
	}
	expect_hex(ctl, OK4);
	expect_journal(f, "<open> set1:524288 ");

	ask(f, ctl, "0000000200000000", OK4);
	f->blob_len[1] = SWTPM_BLOB_MAX;
	send_hex(ctl, "0000000c000000010000000100000000", -1);
	pump(f); /* more than a socket takes: queued, and the loop sleeps */
	for (n = 0; n < sizeof(all); n += (size_t)got) {
		got = recv(ctl, all + n, sizeof(all) - n, MSG_DONTWAIT);
		assert_true(got > 0);
		pump(f);
	}
	for (i = 0; i < SWTPM_BLOB_MAX; i++)
		assert_int_equal(all[16 + i], blob_byte(1, i));
	ask(f, ctl, "00000001", "0000000000007fbf");
	(void)close(ctl);
}

/* --- split and broken input
 * --------------------------------------------------- */

static void
requests_may_be_split_at_every_byte(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*req, *answer;
	} cases[] = {
		{ "00000001",			"0000000000007fbf" },
		{ "0000000200000000",		OK4 },
		{ "0000000502",			OK4 },
		{ "0000000502000000",		OK4 },	/* padded */
		{ "0000000b02000000",		OK4 },
		{ "00000007" "00000003" "616263", OK4 },
		{ "0000000e",			OK4 },
		{ "0000000d" "00000000" "00000001" "00000003" "010203", OK4 },
		{ "0000001100001000",	OK4 "0000100000000af800001000" },
		{ "00000012" "0000000000000001" "0000000b" "00000000",
		    OK4 "0000000c0000000100" },
	};
	/* clang-format on */
	struct fake *f = *state;
	char head[128];
	size_t i, cut;
	int ctl = dial(f);

	for (i = 0; i < VT_NELEM(cases); i++) {
		for (cut = 2; cut < strlen(cases[i].req); cut += 2) {
			f->on = strncmp(cases[i].req, "0000000b", 8) == 0 ||
				strncmp(cases[i].req, "00000007", 8) == 0;
			(void)snprintf(
			    head, sizeof(head), "%.*s", (int)cut, cases[i].req);
			print_message("  %s | %s\n", head, cases[i].req + cut);
			send_hex(ctl, head, -1);
			pump(f);
			send_hex(ctl, cases[i].req + cut, -1);
			pump(f);
			expect_hex(ctl, cases[i].answer);
			/* and the next one is still understood */
			ask(f, ctl, "0000000f", OK4 "00000003");
		}
	}
	(void)close(ctl);
}

static void
odd_padding_in_one_segment_is_swallowed(void **state)
{
	struct fake *f = *state;
	int ctl = dial(f);

	ask(f, ctl, "0000000502a5a5a5", OK4);
	ask(f, ctl, "0000000f", OK4 "00000003");
	ask(f, ctl, "0000000e000000000000", OK4);
	ask(f, ctl, "0000000f", OK4 "00000003");
	/* two requests at once are two requests */
	ask(f, ctl, "0000000e0000000f", OK4 OK4 "00000003");
	(void)close(ctl);
}

static void
end_after_every_prefix_harms_nobody(void **state)
{
	static const char req[] = "0000000d000000000000000100000003010203";
	struct fake *f = *state;
	char head[sizeof(req)];
	size_t cut;
	int ctl, data;

	for (cut = 0; cut < strlen(req); cut += 2) {
		(void)snprintf(head, sizeof(head), "%.*s", (int)cut, req);
		ctl = dial(f);
		send_hex(ctl, head, -1);
		pump(f);
		(void)close(ctl);
		pump(f);
		/* One that said nothing was no hypervisor. */
		expect_journal(f, cut > 0 ? "<open> <closed> " : "<open> ");
	}
	start(f, &ctl, &data);
	for (cut = 2; cut < strlen(READ_CLOCK); cut += 2) {
		(void)snprintf(
		    head, sizeof(head), "%.*s", (int)cut, READ_CLOCK);
		send_hex(data, head, -1);
		pump(f);
		(void)close(data);
		pump(f);
		data = give_data(f, ctl);
	}
	ask(f, data, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd0:10 ");
	(void)close(ctl);
	(void)close(data);
}

static void
commands_may_be_split_at_every_byte(void **state)
{
	static const char cmd[] = "80010000000c0000017b0010";
	struct fake *f = *state;
	char head[sizeof(cmd)];
	size_t cut;
	int ctl, data;

	start(f, &ctl, &data);
	for (cut = 2; cut < strlen(cmd); cut += 2) {
		(void)snprintf(head, sizeof(head), "%.*s", (int)cut, cmd);
		send_hex(data, head, -1);
		pump(f);
		expect_hex(data, "");
		send_hex(data, cmd + cut, -1);
		pump(f);
		expect_hex(data, "80010000000a0000017b");
		expect_journal(f, "cmd0:12 ");
	}
	(void)close(ctl);
	(void)close(data);
}

static void
pipelined_commands_are_answered_in_order(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	f->later = true;
	send_hex(data, READ_CLOCK "80010000000c0000017b0010", -1);
	pump(f);
	expect_journal(f, "cmd0:10 ");
	fake_answer(f, 0x181);
	expect_hex(data, READ_CLOCK);
	pump(f);
	expect_journal(f, "cmd0:12 ");
	fake_answer(f, 0x17b);
	expect_hex(data, "80010000000a0000017b");
	(void)close(ctl);
	(void)close(data);
}

static void
wrong_sizes_are_answered_at_once(void **state)
{
	static const char *bad[] = { "80010000000000000181",
		"80010000000900000181", "80010000100100000181",
		"8001ffffffff00000181", "800100000006" };
	struct fake *f = *state;
	size_t i;
	int ctl, data;

	start(f, &ctl, &data);
	for (i = 0; i < VT_NELEM(bad); i++) {
		ask(f, data, bad[i], "80010000000a00000142");
		ask(f, data, READ_CLOCK, READ_CLOCK);
		expect_journal(f, "cmd0:10 ");
	}
	f->tpm1 = true;
	ask(f, data, bad[0], "00c40000000a00000019");
	(void)close(ctl);
	(void)close(data);
}

/* What QEMU forwards when a guest writes a size below 6. */
static void
headless_command_is_answered_after_a_while(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	ask(f, data, "8001000000", "");
	pump_for(f, 700);
	expect_hex(data, "80010000000a00000142");
	ask(f, data, READ_CLOCK, READ_CLOCK);
	(void)close(ctl);
	(void)close(data);
}

static void
largest_command_and_response_pass(void **state)
{
	struct fake *f = *state;
	uint8_t cmd[CHAN_CMD_MAX + 1] = { 0x80, 1 }, got[CHAN_CMD_MAX + 1];
	int ctl, data;

	start(f, &ctl, &data);
	f->later = true;
	be32_put(cmd + 2, CHAN_CMD_MAX);
	assert_int_equal(send(data, cmd, CHAN_CMD_MAX, 0), CHAN_CMD_MAX);
	pump(f);
	expect_journal(f, "cmd0:4096 ");
	chan_reply(f->ch, cmd, CHAN_CMD_MAX);
	assert_int_equal(
	    recv(data, got, sizeof(got), MSG_DONTWAIT), CHAN_CMD_MAX);

	ask(f, data, READ_CLOCK, "");
	chan_reply(f->ch, cmd, CHAN_CMD_MAX + 1);
	expect_hex(data, "80010000000a00000095");
	ask(f, data, READ_CLOCK, "");
	chan_reply(f->ch, cmd, 9);
	expect_hex(data, "80010000000a00000101");
	(void)close(ctl);
	(void)close(data);
}

/* Law 7: who floods and never reads is not read either. */
static void
flood_without_reading_only_waits(void **state)
{
	struct fake *f = *state;
	uint8_t cmd[TPM_HDR_LEN];
	int ctl, data, i;

	start(f, &ctl, &data);
	be16_put(cmd, 0x8001);
	be32_put(cmd + 2, sizeof(cmd));
	be32_put(cmd + 6, 0x181);
	for (i = 0; i < 200000; i++) {
		if (send(data, cmd, sizeof(cmd), MSG_DONTWAIT | MSG_NOSIGNAL) ==
		    -1)
			pump(f);
		f->journal[0] = '\0';
	}
	pump(f);
	f->journal[0] = '\0';
	ask(f, ctl, "00000001", "0000000000007fbf");
	(void)close(data);
	pump(f);
	data = give_data(f, ctl);
	ask(f, data, READ_CLOCK, READ_CLOCK);
	(void)close(ctl);
	(void)close(data);
}

/* One round of the loop, without the chan_pollfds() that ends a spin. */
static void
one_round(struct fake *f)
{
	struct pollfd p[CHAN_MAX_FDS];
	int n = chan_pollfds(f->ch, p);

	assert_true(poll(p, (nfds_t)n, 1000) > 0);
	chan_dispatch(f->ch, p, n);
}

/* Which of the two a machine does is for spin.h to find out: here only that
 * a spin takes a command, and that there is none before an answer. */
static void
a_spin_takes_the_next_command(void **state)
{
	struct fake *f = *state;
	int ctl, data, i, spun = 0;
	cpu_set_t set;

	start(f, &ctl, &data);
	assert_int_equal(chan_spin_us(f->ch), 0);
	assert_false(chan_spin(f->ch));
	for (i = 0; i < 100; i++) {
		send_hex(data, READ_CLOCK, -1);
		if (chan_spin_us(f->ch) > 0) {
			assert_true(chan_spin(f->ch));
			spun++;
		} else {
			one_round(f);
		}
		expect_hex(data, READ_CLOCK);
		expect_journal(f, "cmd0:10 ");
	}
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	assert_true(spun > 0 || CPU_COUNT(&set) == 1);
	(void)close(data);
	assert_false(chan_spin(f->ch)); /* the end is for poll(2) */
	pump(f);
	assert_int_equal(chan_spin_us(f->ch), 0);
	(void)close(ctl);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
	static const struct CMUnitTest tests[] = {
		T(start_is_answered_as_qemu_expects),
		T(tpm12_start_is_recognised_by_its_tag),
		T(system_reset_is_one_power_cycle_per_init),
		T(savevm_gets_whole_blobs_and_leaves_the_tpm_on),
		T(loadvm_stages_blobs_before_init),
		T(quit_shuts_the_tpm_down),
		T(what_swtpm_ioctl_asks_is_answered),
		T(wrong_state_is_bad_ordinal),
		T(hash_sequence_is_the_hosts_to_refuse),
		T(locality_is_granted_and_only_by_the_control_channel),
		T(data_descriptor_is_checked),
		T(oversize_state_is_refused_and_stepped_over),
		T(largest_state_goes_in_and_out),
		T(requests_may_be_split_at_every_byte),
		T(odd_padding_in_one_segment_is_swallowed),
		T(end_after_every_prefix_harms_nobody),
		T(commands_may_be_split_at_every_byte),
		T(pipelined_commands_are_answered_in_order),
		T(wrong_sizes_are_answered_at_once),
		T(headless_command_is_answered_after_a_while),
		T(largest_command_and_response_pass),
		T(flood_without_reading_only_waits),
		T(a_spin_takes_the_next_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
