/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcrs_fixture.h - for tests of a worker's PCRs: what it says of them, a
 * launch, and a hypervisor's monitor.
 */
#ifndef TESTS_PCRS_FIXTURE_H
#define TESTS_PCRS_FIXTURE_H

#include "worker_fixture.h"

#include "tests/unit/replay.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "vtpm/engine/vendor.h"

static FM_UNUSED void
query(struct fw *g, uint8_t what, struct wanswer *ret)
{
	uint8_t q = what;
	struct wr w;

	wr_init(&w, &q, 1);
	w.len = 1;
	fm_ask(g, W_QUERY, &w, NULL, 0, W_ANSWER);
	assert_int_equal(msg_get(wanswer, g->ans, g->ans_len, ret), VT_OK);
	assert_int_equal(ret->rc, VT_OK);
}

static FM_UNUSED void
get_pcrs(struct fw *g, struct pcr_set *set)
{
	struct wanswer a;

	query(g, WQ_PCRS, &a);
	assert_int_equal(pcr_set_decode(a.data.p, a.data.len, set), VT_OK);
}

static FM_UNUSED struct journal *
get_journal(struct fw *g)
{
	struct journal *j;
	struct wanswer a;

	query(g, WQ_JOURNAL, &a);
	assert_int_equal(journal_decode(a.data.p, a.data.len, &j), VT_OK);
	return j;
}

/* The journal's replay is what the TPM says, in every bank and PCR. */
static FM_UNUSED void
expect_journal_fits(struct fw *g)
{
	struct pcr_set *tpm = calloc(1, sizeof(*tpm));
	struct pcr_set *replay = calloc(1, sizeof(*replay));
	struct journal *j = get_journal(g);
	uint32_t b, i;

	assert_non_null(tpm);
	assert_non_null(replay);
	get_pcrs(g, tpm);
	assert_int_equal(journal_replay(j, replay), VT_OK);
	assert_int_equal(replay->nbanks, tpm->nbanks);
	for (b = 0; b < tpm->nbanks; b++)
		for (i = 0; i < PCR_COUNT; i++) {
			const struct pcr_bank *t = &tpm->banks[b];
			const uint8_t *v = pcr_get(replay, t->alg, i);

			assert_non_null(v);
			if (memcmp(v, t->val[i], t->len) != 0)
				fail_msg("bank %x PCR %u", t->alg, i);
		}
	journal_free(j);
	free(tpm);
	free(replay);
}

struct launch_bytes {
	uint8_t *record, *log, msg[RECORD_MAX_LEN];
	size_t record_len, log_len, msg_len;
};

static FM_UNUSED void
make_launch(struct launch_bytes *l, const uint16_t *algs, uint32_t n,
    const char *cmdline)
{
	struct launch_record *rec;
	struct wlaunch wl = { .mode = LAUNCH_DIRECT };
	struct wr w;

	assert_int_equal(launch_new(&rec), VT_OK);
	(void)snprintf(rec->name, sizeof(rec->name), "test");
	rec->mode = LAUNCH_M_DIRECT;
	assert_int_equal(launch_set_build(rec, "fake manager"), VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_KERNEL, "vmlinuz", "kernel", 6, algs, n),
	    VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_INITRD, "initrd", "initrd", 6, algs, n),
	    VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_CMDLINE, cmdline, NULL, 0, algs, n), VT_OK);
	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(rec, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	l->record = w.buf;
	l->record_len = w.len;
	launch_free(rec);
	assert_int_equal(launch_make_log(l->record, l->record_len, algs, n,
			     &l->log, &l->log_len),
	    VT_OK);
	wl.record.p = l->record;
	wl.record.len = (uint32_t)l->record_len;
	wl.log.p = l->log;
	wl.log.len = (uint32_t)l->log_len;
	wr_init(&w, l->msg, sizeof(l->msg));
	msg_put(&w, wlaunch, &wl);
	assert_int_equal(wr_err(&w), VT_OK);
	l->msg_len = w.len;
}

static FM_UNUSED void
free_launch(struct launch_bytes *l)
{
	free(l->record);
	free(l->log);
}

static FM_UNUSED int
send_launch(struct fw *g, struct launch_bytes *l)
{
	struct wr w;

	wr_init(&w, l->msg, sizeof(l->msg));
	w.len = l->msg_len;
	return fm_ask_done(g, W_LAUNCH, &w, NULL, 0);
}

static FM_UNUSED const uint16_t sha256_only[] = { ALG_SHA256 };

/* A monitor that the worker watches; what the test writes goes into it. */
static FM_UNUSED int
monitor_new(struct fw *g)
{
	static const char hello[] = "{\"QMP\": {\"version\": {}}}\r\n";
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(fm_ask_done(g, W_WATCH, NULL, p, 1), VT_OK);
	(void)close(p[0]);
	assert_int_equal(
	    write(p[1], hello, sizeof(hello) - 1), (ssize_t)sizeof(hello) - 1);
	return p[1];
}

static FM_UNUSED void
monitor_says(int fd, const char *event)
{
	char line[128];
	int n;

	n = snprintf(line, sizeof(line),
	    "{\"timestamp\": {\"seconds\": 1}, \"event\": \"%s\"}\r\n", event);
	assert_int_equal(write(fd, line, (size_t)n), n);
}

#endif
