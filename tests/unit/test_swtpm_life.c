/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_swtpm_life.c - swtpm's control protocol: commands in hand and CANCEL,
 * a migration destination beside the live connection, a worker's successor.
 */
#include "swtpm_fixture.h"

#include <sys/eventfd.h>
#include <sys/mman.h>

#include <pthread.h>

/* --- a command in hand ------------------------------------------------------
 */

static void
cancel_is_answered_while_a_command_runs(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	ask(f, ctl, "00000009", OK4);
	ask(f, ctl, "0000", "");
	ask(f, ctl, "0009", OK4); /* split */
	expect_journal(f, "cmd0:10 cancel cancel ");
	fake_answer(f, 0x909); /* TPM_RC_CANCELED */
	expect_hex(data, "80010000000a00000909");
	/* nothing runs: nothing to stop, but an answer */
	ask(f, ctl, "00000009", OK4);
	expect_journal(f, "");
	(void)close(ctl);
	(void)close(data);
}

static void
other_requests_wait_for_the_command_in_hand(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	ask(f, ctl, "0000000e", "");
	ask(f, ctl, "00000009", ""); /* not before STOP's answer */
	expect_journal(f, "cmd0:10 ");
	fake_answer(f, 0x181);
	expect_hex(data, READ_CLOCK);
	pump(f);
	expect_hex(ctl, OK4 OK4);
	expect_journal(f, "off ");
	(void)close(ctl);
	(void)close(data);
}

struct watcher {
	struct fake *f;
	int stop_fd;
};

static void *
watch_until_stopped(void *arg)
{
	struct watcher *w = arg;

	chan_watch(w->f->ch, w->stop_fd, 5000);
	return NULL;
}

/* The loop's thread is inside submit(): only the watch thread is there. */
static void
watch_thread_answers_cancel(void **state)
{
	struct fake *f = *state;
	struct watcher w = { .f = f, .stop_fd = eventfd(0, EFD_CLOEXEC) };
	struct pollfd p;
	pthread_t t;
	int ctl, data;

	start(f, &ctl, &data);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	assert_int_equal(pthread_create(&t, NULL, watch_until_stopped, &w), 0);
	send_hex(ctl, "00000009", -1);
	p.fd = ctl;
	p.events = POLLIN;
	assert_int_equal(poll(&p, 1, 5000), 1);
	expect_hex(ctl, OK4);
	assert_int_equal(pthread_join(t, NULL), 0);
	expect_journal(f, "cmd0:10 cancel ");
	fake_answer(f, 0x909);
	expect_hex(data, "80010000000a00000909");
	(void)close(w.stop_fd);
	(void)close(ctl);
	(void)close(data);
}

/* What is not CANCEL stays for the loop; the watch ends when told. */
static void
watch_thread_leaves_the_rest_alone(void **state)
{
	struct fake *f = *state;
	struct watcher w = { .f = f, .stop_fd = eventfd(0, EFD_CLOEXEC) };
	uint64_t one = 1;
	pthread_t t;
	int ctl, data;

	start(f, &ctl, &data);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	send_hex(ctl, "0000000f", -1);
	chan_watch(f->ch, w.stop_fd, 1000);
	expect_hex(ctl, "");
	assert_int_equal(pthread_create(&t, NULL, watch_until_stopped, &w), 0);
	assert_int_equal(write(w.stop_fd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(pthread_join(t, NULL), 0);
	fake_answer(f, 0x181);
	pump(f);
	expect_hex(ctl, OK4 "00000003");
	expect_journal(f, "cmd0:10 ");
	(void)close(w.stop_fd);
	(void)close(ctl);
	(void)close(data);
}

/* Nobody waits for the answer any more. */
static void
watch_thread_cancels_for_a_gone_peer(void **state)
{
	struct fake *f = *state;
	int ctl, data, stop = eventfd(0, EFD_CLOEXEC);

	start(f, &ctl, &data);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	(void)close(ctl);
	chan_watch(f->ch, stop, 1000);
	expect_journal(f, "cmd0:10 cancel ");
	fake_answer(f, 0x909);
	pump(f);
	expect_journal(f, "<closed> ");
	(void)close(stop);
	(void)close(data);
}

static void
end_in_mid_command_discards_the_answer(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	(void)close(ctl);
	(void)close(data);
	pump(f);
	expect_journal(f, "cmd0:10 <closed> ");
	ctl = dial(f);
	ask(f, ctl, "0000000e", ""); /* waits its turn */
	expect_journal(f, "<open> ");
	fake_answer(f, 0x181); /* the first one's: dropped */
	pump(f);
	expect_hex(ctl, OK4);
	expect_journal(f, "off ");
	data = give_data(f, ctl);
	ask(f, data, READ_CLOCK, NOT_READY);
	(void)close(ctl);
	(void)close(data);
}

/* --- a migration on this host ------------------------------------------------
 */

static void
destination_disturbs_nothing_until_init(void **state)
{
	struct fake *f = *state;
	int ctl, data, ctl2, data2;

	start(f, &ctl, &data);
	ctl2 = dial(f);
	data2 = give_data(f, ctl2);
	ask(f, data2, READ_CLOCK, NOT_READY);
	ask(f, ctl2, "00000001", "0000000000007fbf");
	ask(f, ctl2, "0000000e", OK4);
	ask(f, ctl2, "0000001100001000", OK4 "0000100000000af800001000");
	ask(f, ctl2, "0000000500", OK4);
	ask(f, ctl2, "00000003", OK4);
	ask(f, ctl2, "00000009", OK4);
	/* the running TPM is not affected */
	ask(f, ctl2, "00000004", OK4 "00000000");
	ask(f, ctl2, "0000000c000000010000000100000000", "0000000a");
	ask(f, ctl2, "00000006", "0000000a");
	ask(f, ctl2, "0000000b00", "0000000a");
	expect_journal(f, "<open> size0 ");
	/* no state: no TPM */
	ask(f, ctl2, "0000000200000001", "00000009");
	expect_journal(f, "<busy> ");
	ask(f, data, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd0:10 ");
	(void)close(ctl2);
	pump(f);
	expect_journal(f, "");
	(void)close(ctl);
	(void)close(data);
	(void)close(data2);
}

static void
destination_takes_over_with_init(void **state)
{
	struct fake *f = *state;
	int ctl, data, ctl2, data2;

	start(f, &ctl, &data);
	ctl2 = dial(f);
	data2 = give_data(f, ctl2);
	ask(f, ctl2,
	    "0000000d000000020000000100000002"
	    "0102",
	    OK4);
	ask(f, ctl2,
	    "0000000d000000020000000200000002"
	    "0304",
	    OK4);
	ask(f, data, READ_CLOCK, READ_CLOCK);
	ask(f, ctl2, "0000000200000001", OK4);
	expect_journal(f, "<open> in1:2 in2:2 cmd0:10 takeover <handover> ");
	ask(f, data2, READ_CLOCK, READ_CLOCK);
	expect_closed(ctl);
	expect_closed(data);
	assert_int_equal(f->nkept, 3);
	expect_journal(f, "cmd0:10 ");
	/* from now on an ordinary one */
	ask(f, ctl2, "0000000e", OK4);
	expect_journal(f, "off ");
	(void)close(ctl);
	(void)close(data);
	(void)close(ctl2);
	(void)close(data2);
}

static void
refused_state_does_not_take_over(void **state)
{
	struct fake *f = *state;
	int ctl, data, ctl2;

	start(f, &ctl, &data);
	ctl2 = dial(f);
	f->set_blob_result = SR_FAIL;
	ask(f, ctl2,
	    "0000000d000000020000000100000001"
	    "01",
	    "00000009");
	ask(f, ctl2, "0000000200000001", "00000009");
	expect_journal(f, "<open> in1:1 <busy> ");
	f->set_blob_result = 0;
	f->take_over_result = SR_FAIL;
	ask(f, ctl2,
	    "0000000d000000020000000100000001"
	    "01",
	    OK4);
	ask(f, ctl2, "0000000200000001", "00000009");
	expect_journal(f, "in1:1 takeover ");
	ask(f, data, READ_CLOCK, READ_CLOCK); /* the first continues */
	(void)close(ctl);
	(void)close(data);
	(void)close(ctl2);
}

/* The source may be gone before the destination is ready. */
static void
destination_outlives_the_source(void **state)
{
	struct fake *f = *state;
	int ctl, data, ctl2, data2;

	start(f, &ctl, &data);
	ctl2 = dial(f);
	data2 = give_data(f, ctl2);
	ask(f, ctl2,
	    "0000000d000000020000000200000001"
	    "01",
	    OK4);
	(void)close(ctl);
	(void)close(data);
	pump(f);
	expect_journal(f, "<open> in2:1 <closed> ");
	ask(f, data2, READ_CLOCK, NOT_READY);
	ask(f, ctl2,
	    "0000000d000000020000000100000001"
	    "01",
	    OK4);
	ask(f, ctl2, "0000000200000001", OK4);
	expect_journal(f, "in1:1 takeover ");
	ask(f, data2, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd0:10 ");
	(void)close(ctl2);
	(void)close(data2);
	pump(f);
	expect_journal(f, "<closed> ");
}

/* Stages a state and takes over. */
static int
migrate(struct fake *f)
{
	int ctl = dial(f);

	ask(f, ctl, "0000000d00000002000000010000000101", OK4);
	ask(f, ctl, "0000000d00000002000000020000000101", OK4);
	ask(f, ctl, "0000000200000001", OK4);
	expect_journal(f, "<open> in1:1 in2:1 takeover <handover> ");
	return ctl;
}

static void
source_has_its_tpm_again_when_the_destination_dies(void **state)
{
	struct fake *f = *state;
	int ctl, data, ctl2, data2, i;

	start(f, &ctl, &data);
	for (i = 0; i < 3; i++) {
		ctl2 = migrate(f);
		data2 = give_data(f, ctl2);
		/* what the source asks while it has no TPM */
		ask(f, ctl, "0000000200000000", "00000009");
		ask(f, ctl, "0000000e", OK4);
		ask(f, ctl, "00000003", OK4);
		ask(f, data, READ_CLOCK, "");
		expect_journal(f, "<busy> ");
		if (i == 1) /* in good order */
			ask(f, ctl2, "00000003", OK4);
		(void)close(ctl2);
		(void)close(data2);
		pump(f);
		pump(f);
		expect_hex(data, READ_CLOCK);
		/* neither power cycle nor end of the guest */
		expect_journal(f, "<handover> cmd0:10 ");
		assert_int_equal(f->nkept, 3);
	}
	ask(f, ctl, "0000000e", OK4);
	expect_journal(f, "off ");
	(void)close(ctl);
	(void)close(data);
}

/* Its state is then another than the source's. */
static void
source_is_closed_once_the_destination_used_the_tpm(void **state)
{
	static const char *const uses[] = { "0000000e", "00000006",
		"0000000200000000" };
	struct fake *f = *state;
	int ctl, data, ctl2;
	size_t i;

	f->hash_result = 0;
	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		start(f, &ctl, &data);
		ctl2 = migrate(f);
		ask(f, ctl2, uses[i], OK4);
		expect_closed(ctl);
		expect_closed(data);
		f->journal[0] = '\0';
		(void)close(ctl2);
		pump(f);
		expect_journal(f, "<closed> ");
		(void)close(ctl);
		(void)close(data);
	}
}

static void
source_that_leaves_leaves_the_destination_the_tpm(void **state)
{
	struct fake *f = *state;
	int ctl, data, ctl2, data2;

	start(f, &ctl, &data);
	ctl2 = migrate(f);
	data2 = give_data(f, ctl2);
	ask(f, ctl, "00000003", OK4);
	(void)close(ctl);
	(void)close(data);
	pump(f);
	expect_journal(f, "");
	ask(f, data2, READ_CLOCK, READ_CLOCK);
	(void)close(ctl2);
	(void)close(data2);
	pump(f);
	expect_journal(f, "cmd0:10 <closed> ");
}

/* What it staged is forgotten with it. */
static void
destination_that_leaves_takes_its_state_along(void **state)
{
	struct fake *f = *state;
	int ctl, data, ctl2, third;

	start(f, &ctl, &data);
	ctl2 = dial(f);
	third = dial(f);
	ask(f, ctl2, "0000000d00000002000000010000000101", OK4);
	/* one at a time */
	ask(f, third, "0000000d00000002000000020000000101", "00000009");
	expect_journal(f, "<open> <open> in1:1 <busy> ");
	(void)close(ctl2);
	pump(f);
	expect_journal(f, "in1:0 ");
	ask(f, third, "0000000d00000002000000020000000101", OK4);
	expect_journal(f, "in2:1 ");
	(void)close(third);
	(void)close(ctl);
	(void)close(data);
}

/* --- which connection has the TPM ------------------------------------------
 */

static void
silent_connections_keep_nobody_from_the_tpm(void **state)
{
	struct fake *f = *state;
	int silent[6], i, ctl, data;

	for (i = 0; i < 6; i++)
		silent[i] = dial(f);
	/* The oldest ones made room. */
	for (i = 0; i < 2; i++)
		expect_closed(silent[i]);
	expect_journal(
	    f, "<open> <open> <open> <open> <busy> <open> <busy> <open> ");
	start(f, &ctl, &data); /* it is not the first one */
	ask(f, data, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd0:10 ");
	for (i = 0; i < 6; i++)
		(void)close(silent[i]);
	pump(f);
	expect_journal(f, "");
	ask(f, data, READ_CLOCK, READ_CLOCK);
	(void)close(ctl);
	(void)close(data);
}

static void
init_moves_the_tpm_from_one_that_only_talks(void **state)
{
	struct fake *f = *state;
	int talker = dial(f), ctl, data;

	ask(f, talker, "00000001", "0000000000007fbf");
	ctl = dial(f);
	data = give_data(f, ctl);
	ask(f, data, READ_CLOCK, NOT_READY);
	ask(f, ctl, "0000000200000000", OK4);
	expect_journal(f, "<open> <open> on0 <handover> ");
	expect_closed(talker);
	ask(f, data, READ_CLOCK, READ_CLOCK);
	assert_int_equal(f->nkept, 3);
	/* now it is the first one's: another INIT has to bring a state */
	(void)close(talker);
	talker = dial(f);
	ask(f, talker, "0000000200000000", "00000009");
	expect_journal(f, "cmd0:10 <open> <busy> ");
	/* and when the first one has gone it need not */
	(void)close(ctl);
	(void)close(data);
	pump(f);
	assert_false(f->claimed);
	ask(f, talker, "0000000200000000", OK4);
	assert_true(f->claimed);
	expect_journal(f, "<closed> off on0 ");
	(void)close(talker);
}

/* Its command outlives the one that had the TPM: no successor switches it off
 * below that command, whichever connection it comes through. */
static void
init_waits_for_the_command_of_one_that_left(void **state)
{
	struct fake *f = *state;
	int ctl, data, talker, second;

	start(f, &ctl, &data);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	(void)close(ctl);
	(void)close(data);
	pump(f);
	expect_journal(f, "cmd0:10 <closed> ");
	talker = dial(f);
	second = dial(f);
	ask(f, second, "0000000200000000", "");
	ask(f, talker, "0000000e", "");
	expect_journal(f, "<open> <open> ");
	fake_answer(f, 0);
	pump(f);
	expect_hex(talker, OK4);
	expect_hex(second, OK4);
	(void)close(talker);
	(void)close(second);
}

static void
another_channel_has_the_tpm(void **state)
{
	struct fake *f = *state;
	int ctl = dial(f), data = give_data(f, ctl);

	f->elsewhere = f->on = true;
	ask(f, data, READ_CLOCK, NOT_READY);
	ask(f, ctl, "00000006", "0000000a");
	ask(f, ctl, "0000000e", OK4);
	ask(f, ctl, "00000003", OK4);
	ask(f, ctl, "0000000200000000", "00000009");
	expect_journal(f, "<open> <busy> ");
	f->elsewhere = false;
	ask(f, ctl, "0000000e", OK4);
	assert_false(f->claimed);
	ask(f, ctl, "0000000200000000", OK4);
	assert_true(f->claimed);
	expect_journal(f, "off on0 ");
	ask(f, data, READ_CLOCK, READ_CLOCK);
	(void)close(ctl);
	(void)close(data);
	pump(f);
	assert_false(f->claimed);
}

/* --- a worker's successor
 * ------------------------------------------------------ */

/* The worker dies: its memory is gone, what the manager kept is not. */
static void
die_and_be_succeeded(struct fake *f)
{
	int fds[3];
	unsigned int n = f->nkept;

	memcpy(fds, f->kept, sizeof(fds));
	f->nkept = 0;
	chan_free(f->ch);
	fake_listen(f);
	assert_int_equal(chan_adopt(f->ch, fds, n), VT_OK);
	pump(f);
}

static void
successor_answers_for_the_command_in_hand(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	ask(f, ctl, "0000000502000000", OK4);
	f->later = true;
	ask(f, data, READ_CLOCK, "");
	die_and_be_succeeded(f);
	expect_hex(data, "80010000000a00000101");
	f->later = false;
	ask(f, data, READ_CLOCK, READ_CLOCK);
	expect_journal(f, "cmd2:10 cmd2:10 "); /* the locality stays */
	ask(f, ctl, "0000000f", OK4 "00000003");
	die_and_be_succeeded(f); /* nothing in hand: nothing is said */
	expect_hex(data, "");
	expect_hex(ctl, "");
	(void)close(ctl);
	(void)close(data);
}

static void
successor_goes_on_in_mid_message(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	ask(f, data, "80010000000a", "");
	ask(f, ctl, "000000110000", "");
	die_and_be_succeeded(f);
	ask(f, data, "00000181", READ_CLOCK);
	ask(f, ctl, "0000", OK4 "0000100000000af800001000");
	/* the locality's padding, too */
	ask(f, ctl, "0000000501", OK4);
	ask(f, ctl, "0000", "");
	die_and_be_succeeded(f);
	ask(f, ctl,
	    "00"
	    "0000000f",
	    OK4 "00000003");
	(void)close(ctl);
	(void)close(data);
}

/* A body of which a part died with the worker cannot be taken. */
static void
successor_refuses_half_a_blob(void **state)
{
	struct fake *f = *state;
	uint8_t zeros[3000] = { 0 };
	int ctl, data;

	start(f, &ctl, &data);
	ask(f, ctl, "0000000e", OK4);
	ask(f, ctl, "0000000d000000000000000100001770", ""); /* 6000 */
	assert_int_equal(send(ctl, zeros, 3000, 0), 3000);
	pump(f);
	die_and_be_succeeded(f);
	expect_hex(ctl, "");
	assert_int_equal(send(ctl, zeros, 2999, 0), 2999);
	pump(f);
	expect_hex(ctl, "");
	ask(f, ctl, "00", "00000009");
	ask(f, ctl, "0000000f", OK4 "00000003");
	expect_journal(f, "off ");
	(void)close(ctl);
	(void)close(data);
}

/* As if the worker were killed inside power_on(): a copy of what the
 * manager held at that moment. */
static int frozen[3];

static void
freeze(struct fake *f)
{
	struct swtpm_status st;
	unsigned int i;

	assert_int_equal(f->nkept, 3);
	for (i = 0; i < 2; i++)
		frozen[i] = dup(f->kept[i]);
	assert_int_equal(pread(f->kept[2], &st, sizeof(st), 0), sizeof(st));
	frozen[2] = memfd_create("frozen", MFD_CLOEXEC);
	assert_int_equal(write(frozen[2], &st, sizeof(st)), sizeof(st));
}

static void
successor_refuses_the_request_in_hand(void **state)
{
	struct fake *f = *state;
	int ctl, data;

	start(f, &ctl, &data);
	f->in_power_on = freeze;
	ask(f, ctl, "0000000200000000", OK4);
	f->in_power_on = NULL;
	chan_free(f->ch);
	fake_listen(f);
	f->journal[0] = '\0';
	assert_int_equal(chan_adopt(f->ch, frozen, 3), VT_OK);
	pump(f);
	expect_hex(ctl, "00000009");
	expect_journal(f, ""); /* and does not power cycle by itself */
	ask(f, ctl, "0000000200000000", OK4);
	expect_journal(f, "off on0 ");
	(void)close(ctl);
	(void)close(data);
}

static void
broken_record_is_as_none(void **state)
{
	struct fake *f = *state;
	int ctl, data, fds[3];

	start(f, &ctl, &data);
	assert_int_equal(f->nkept, 3);
	fds[0] = dup(f->kept[0]);
	fds[1] = dup(f->kept[1]);
	fds[2] = memfd_create("short", MFD_CLOEXEC);
	assert_int_equal(write(fds[2], "x", 1), 1);
	chan_free(f->ch);
	fake_listen(f);
	assert_int_equal(chan_adopt(f->ch, fds, 3), VT_OK);
	pump(f);
	expect_hex(ctl, "");
	expect_hex(data, "");
	ask(f, data, READ_CLOCK, READ_CLOCK);
	/* a channel with a hypervisor on it takes no second one */
	fds[0] = dup(ctl);
	assert_int_equal(chan_adopt(f->ch, fds, 1), VT_E_STATE);
	assert_int_equal(close(fds[0]), -1);
	(void)close(ctl);
	(void)close(data);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
	static const struct CMUnitTest tests[] = {
		T(cancel_is_answered_while_a_command_runs),
		T(other_requests_wait_for_the_command_in_hand),
		T(watch_thread_answers_cancel),
		T(watch_thread_leaves_the_rest_alone),
		T(watch_thread_cancels_for_a_gone_peer),
		T(end_in_mid_command_discards_the_answer),
		T(destination_disturbs_nothing_until_init),
		T(destination_takes_over_with_init),
		T(refused_state_does_not_take_over),
		T(destination_outlives_the_source),
		T(source_has_its_tpm_again_when_the_destination_dies),
		T(source_is_closed_once_the_destination_used_the_tpm),
		T(source_that_leaves_leaves_the_destination_the_tpm),
		T(destination_that_leaves_takes_its_state_along),
		T(silent_connections_keep_nobody_from_the_tpm),
		T(init_moves_the_tpm_from_one_that_only_talks),
		T(init_waits_for_the_command_of_one_that_left),
		T(another_channel_has_the_tpm),
		T(successor_answers_for_the_command_in_hand),
		T(successor_goes_on_in_mid_message),
		T(successor_refuses_half_a_blob),
		T(successor_refuses_the_request_in_hand),
		T(broken_record_is_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
