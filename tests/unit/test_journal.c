/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/log/journal_codec.h"
#include "tests/unit/vector.h"

static const uint16_t sha256 = ALG_SHA256;

static struct tpm_digest
digest_of(const char *text)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32 };

	assert_int_equal(
	    digest_buf(ALG_SHA256, text, strlen(text), d.val), VT_OK);
	return d;
}

static struct journal *
started(void)
{
	struct journal *j;

	assert_int_equal(journal_new(&sha256, 1, &j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	return j;
}

static void
extend(struct journal *j, uint32_t pcr, const char *text)
{
	struct tpm_digest d = digest_of(text);

	assert_int_equal(
	    journal_add_extend(j, JR_EXTEND, 0, pcr, &d, 1), VT_OK);
}

/* A model TPM beside the journal. */
static void
model(struct pcr_set *set, uint32_t pcr, const char *text)
{
	struct tpm_digest d = digest_of(text);

	assert_int_equal(pcr_extend(set, pcr, &d, 1), VT_OK);
}

static void
replays_to(const struct journal *j, const struct pcr_set *want)
{
	struct pcr_set got;
	uint32_t n;

	assert_int_equal(journal_replay(j, &got), VT_OK);
	for (n = 0; n < PCR_COUNT; n++)
		assert_memory_equal(pcr_get(&got, ALG_SHA256, n),
		    pcr_get(want, ALG_SHA256, n), 32);
}

static struct journal *
through_the_container(struct journal *j)
{
	struct journal *back;
	struct wr w, w2;

	wr_grow(&w, JOURNAL_MAX_LEN);
	wr_grow(&w2, JOURNAL_MAX_LEN);
	journal_encode(j, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(journal_decode(w.buf, w.len, &back), VT_OK);
	journal_encode(back, &w2);
	assert_int_equal(w.len, w2.len);
	assert_memory_equal(w.buf, w2.buf, w.len);
	wr_free(&w);
	wr_free(&w2);
	journal_free(j);
	return back;
}

static void
replay_of_a_real_boot_equals_its_tpm(void **state)
{
	struct bytes b = vector_log();
	struct journal *j = journal_of_log(&b, &sha256, 1);
	struct pcr_set want;

	(void)state;
	vector_pcrs(&want);
	pcr_fill(&want, 10, 0); /* IMA's, not in the log */
	replays_to(j, &want);
	/* A normal boot of one bank stays small. */
	assert_int_equal(journal_count(j), 2 + 35 + 1);
	assert_true(journal_memory(j) < 8192);
	j = through_the_container(j);
	replays_to(j, &want);
	journal_free(j);
	free(b.p);
}

static void
without_a_startup_no_pcr_has_a_value(void **state)
{
	struct pcr_set set;
	struct journal *j;

	(void)state;
	assert_int_equal(journal_new(&sha256, 1, &j), VT_OK);
	assert_int_equal(journal_replay(j, &set), VT_E_STATE);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_replay(j, &set), VT_E_STATE);
	journal_free(j);
}

static void
a_power_cycle_forgets_only_at_startup_clear(void **state)
{
	struct journal *j = started();
	struct pcr_set set;
	struct jr_record r;

	(void)state;
	extend(j, 4, "a");
	extend(j, 10, "ima");
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_chained_mask(j), 1 << 10);
	assert_int_equal(journal_power_cycles(j), 2);
	assert_int_equal(journal_count(j), 4);
	/* The TPM was powered twice without a Startup: one record. */
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_power_cycles(j), 3);
	assert_int_equal(journal_count(j), 4);
	assert_int_equal(journal_add_startup(j, 3, true), VT_OK);
	assert_int_equal(journal_count(j), 2);
	assert_int_equal(journal_chained_mask(j), 0);
	assert_int_equal(journal_get(j, 0, &r), VT_OK);
	assert_int_equal(r.kind, JR_POWER);
	assert_int_equal(r.value, 3);
	assert_int_equal(journal_get(j, 2, &r), VT_E_RANGE);
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 3);
	replays_to(j, &set);
	journal_free(j);
}

static void
startup_state_keeps_pcrs_0_to_15(void **state)
{
	struct journal *j = started();
	struct pcr_set set;

	(void)state;
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 0);
	extend(j, 4, "a");
	extend(j, 23, "b");
	extend(j, 10, "ima"); /* chained: survives too */
	model(&set, 4, "a");
	model(&set, 10, "ima");
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, false), VT_OK);
	replays_to(j, &set);
	extend(j, 10, "ima2");
	model(&set, 10, "ima2");
	replays_to(j, &set);
	journal_free(j);
}

static void
drtm_sequence_gives_the_launch_value(void **state)
{
	struct tpm_digest d = digest_of("launch record");
	struct journal *j = started();
	struct pcr_set set;

	(void)state;
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 0);
	assert_int_equal(journal_add_drtm_start(j), VT_OK);
	assert_int_equal(journal_add_drtm_end(j, &d, 1), VT_OK);
	pcr_drtm_start(&set);
	model(&set, 17, "launch record");
	replays_to(j, &set);
	journal_free(j);
}

/* A hash sequence before Startup is the H-CRTM: PCR 0 starts at 4. */
static void
hash_sequence_before_startup_goes_to_pcr0(void **state)
{
	struct tpm_digest first = digest_of("first"), d = digest_of("crtm");
	struct pcr_set set;
	struct journal *j;

	(void)state;
	assert_int_equal(journal_new(&sha256, 1, &j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_drtm_start(j), VT_OK);
	assert_int_equal(journal_add_drtm_end(j, &first, 1), VT_OK);
	assert_int_equal(journal_add_drtm_end(j, &d, 1), VT_OK);
	assert_int_equal(journal_count(j), 2); /* the last one counts */
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 4);
	model(&set, 0, "crtm");
	replays_to(j, &set);
	journal_free(j);
}

static void
cap_reaches_every_pcr_and_is_flagged(void **state)
{
	struct journal *j = started();
	struct tpm_digest cap;
	struct pcr_set set;
	uint32_t n;

	(void)state;
	extend(j, 10, "x");
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 0);
	model(&set, 10, "x");
	assert_int_equal(journal_cap_digest(ALG_SHA256, &cap), VT_OK);
	for (n = 0; n < PCR_COUNT; n++)
		assert_int_equal(pcr_extend(&set, n, &cap, 1), VT_OK);
	assert_int_equal(journal_flags(j), 0);
	assert_int_equal(journal_add_cap(j, PCR_ALL), VT_OK);
	assert_int_equal(journal_flags(j), JF_CAPPED);
	replays_to(j, &set);
	j = through_the_container(j);
	assert_int_equal(journal_flags(j), JF_CAPPED);
	replays_to(j, &set);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_flags(j), JF_CAPPED); /* not started yet */
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	assert_int_equal(journal_flags(j), 0);
	journal_free(j);
}

/* The count of the only chain, of pcr, as the container has it. */
static uint32_t
chained_count(const struct journal *j, uint8_t pcr)
{
	uint8_t buf[256];
	struct rd r;
	struct wr w;
	uint32_t n;

	wr_init(&w, buf, sizeof(buf));
	journal_encode(j, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	rd_init(&r, buf, w.len);
	(void)rd_span(&r, 4 + 2 + 2 + 2 + 4 * 4); /* up to the chains */
	assert_int_equal(rd_be16(&r), 1);
	assert_int_equal(rd_u8(&r), pcr);
	n = rd_be32(&r);
	assert_int_equal(rd_err(&r), VT_OK);
	return n;
}

static void
pcr10_is_always_chained_and_exact(void **state)
{
	struct journal *j = started();
	struct pcr_set set;
	char text[16];
	int i;

	(void)state;
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 0);
	assert_int_equal(journal_chained_mask(j), 0);
	for (i = 0; i < 5000; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		extend(j, 10, text);
		model(&set, 10, text);
	}
	assert_int_equal(journal_count(j), 2);
	assert_int_equal(journal_chained_mask(j), 1 << 10);
	assert_int_equal(chained_count(j, 10), 5000);
	assert_true(journal_memory(j) < 4096);
	replays_to(j, &set);
	j = through_the_container(j);
	assert_int_equal(chained_count(j, 10), 5000);
	replays_to(j, &set);
	journal_free(j);
}

/*
 * Random commands far past the limit, with the journal sealed and opened
 * again in between: it stays bounded and its replay stays exact.
 */
static void
past_its_limit_replay_is_exact_and_memory_bounded(void **state)
{
	struct journal *j = started();
	uint32_t seed = 12345, pcr;
	struct tpm_digest d;
	struct pcr_set set;
	char text[16];
	int i;

	(void)state;
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 0);
	for (i = 0; i < 3000; i++) {
		seed = seed * 1103515245u + 12345u;
		pcr = (seed >> 16) % 16 < 14 ? (seed >> 20) % 8 : 23;
		(void)snprintf(text, sizeof(text), "%d", i);
		if ((seed >> 8) % 50 == 0) {
			assert_int_equal(journal_add_reset(j, 0, 23, 0), VT_OK);
			pcr_fill(&set, 23, 0);
		} else {
			extend(j, pcr, text);
			model(&set, pcr, text);
		}
		if (i % 499 == 0)
			j = through_the_container(j);
		if (i % 100 == 0 || (i > 1000 && i < 1060))
			replays_to(j, &set);
	}
	assert_int_equal(journal_count(j), JOURNAL_MAX);
	assert_true((journal_flags(j) & JF_FULL) != 0);
	assert_true(journal_chained_mask(j) != 0);
	assert_true(journal_memory(j) < 64 * 1024);
	/* The host's own events still fit, and reach the chains. */
	d = digest_of("launch record");
	assert_int_equal(journal_add_drtm_start(j), VT_OK);
	assert_int_equal(journal_add_drtm_end(j, &d, 1), VT_OK);
	pcr_drtm_start(&set);
	model(&set, 17, "launch record");
	assert_int_equal(journal_add_cap(j, PCR_ALL), VT_OK);
	assert_int_equal(journal_cap_digest(ALG_SHA256, &d), VT_OK);
	for (pcr = 0; pcr < PCR_COUNT; pcr++)
		assert_int_equal(pcr_extend(&set, pcr, &d, 1), VT_OK);
	replays_to(j, &set);
	assert_int_equal(journal_count(j), JOURNAL_MAX + 3);
	journal_free(j);
}

static void
host_records_cannot_grow_without_end(void **state)
{
	struct journal *j = started();
	struct pcr_set set;
	int i;

	(void)state;
	extend(j, 4, "a");
	for (i = 0; i < 3000; i++) { /* a guest that suspends all the time */
		assert_int_equal(journal_power_cycle(j), VT_OK);
		assert_int_equal(journal_add_startup(j, 0, false), VT_OK);
	}
	assert_true(journal_count(j) < JOURNAL_MAX + 100);
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 0);
	model(&set, 4, "a");
	replays_to(j, &set);
	/* And a real restart clears it all. */
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	assert_true(journal_count(j) <= 2);
	pcr_set_reset(&set, 0);
	replays_to(j, &set);
	journal_free(j);
}

static void
only_active_banks_are_kept(void **state)
{
	static const uint16_t both[] = { ALG_SHA1, ALG_SHA256 };
	struct tpm_digest d[3] = { { .alg = ALG_SHA512, .len = 64 },
		{ .alg = ALG_SHA256, .len = 32, .val = { 9 } },
		{ .alg = ALG_SHA1, .len = 20, .val = { 8 } } };
	struct jr_record r;
	struct journal *j;

	(void)state;
	assert_int_equal(journal_new(both, 2, &j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	/* A guest may extend one bank of two. */
	assert_int_equal(journal_add_extend(j, JR_EXTEND, 1, 4, d, 2), VT_OK);
	assert_int_equal(
	    journal_add_extend(j, JR_SEQUENCE, 0, 4, d + 1, 2), VT_OK);
	/* Nothing active was extended: nothing to keep. */
	assert_int_equal(journal_add_extend(j, JR_EXTEND, 0, 4, d, 1), VT_OK);
	j = through_the_container(j);
	assert_int_equal(journal_count(j), 4);
	assert_int_equal(journal_get(j, 2, &r), VT_OK);
	assert_int_equal(r.kind, JR_EXTEND);
	assert_int_equal(r.locality, 1);
	assert_int_equal(r.pcr, 4);
	assert_int_equal(r.ndigests, 1);
	assert_int_equal(r.digests[0].alg, ALG_SHA256);
	assert_int_equal(r.digests[0].val[0], 9);
	assert_int_equal(journal_get(j, 3, &r), VT_OK);
	assert_int_equal(r.ndigests, 2);
	assert_int_equal(r.digests[0].alg, ALG_SHA1);
	assert_int_equal(r.digests[0].val[0], 8);
	journal_free(j);
}

/* A guest may name a bank twice in one TPM2_PCR_Extend. */
static void
a_bank_named_twice_is_extended_twice(void **state)
{
	struct journal *j = started();
	struct tpm_digest d[4];
	struct pcr_set set;
	int round;

	(void)state;
	d[0] = digest_of("one");
	d[1] = digest_of("x");
	d[1].alg = ALG_SHA1; /* not active */
	d[1].len = 20;
	d[2] = digest_of("two");
	d[3] = digest_of("three");
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	pcr_set_reset(&set, 0);
	for (round = 0; round < 2; round++) {
		assert_int_equal(journal_add_extend(j, JR_EXTEND, 0,
				     round == 0 ? 5 : 10, d, 4),
		    VT_OK);
		model(&set, round == 0 ? 5 : 10, "one");
		model(&set, round == 0 ? 5 : 10, "two");
		model(&set, round == 0 ? 5 : 10, "three");
	}
	assert_int_equal(journal_count(j), 5);
	replays_to(j, &set);
	d[3].len = 20;
	assert_int_equal(
	    journal_add_extend(j, JR_EXTEND, 0, 5, d, 4), VT_E_RANGE);
	assert_int_equal(journal_count(j), 5); /* nothing of it */
	d[3].len = 32;
	assert_int_equal(journal_add_drtm_end(j, d, 4), VT_E_RANGE);
	journal_free(j);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	struct tpm_digest d = digest_of("x"), bad = d;
	static const uint16_t unknown = 0x9999;
	static const uint16_t twice[] = { ALG_SHA1, ALG_SHA1 };
	struct journal *j = started(), *none = NULL;

	(void)state;
	bad.len = 20;
	assert_int_equal(
	    journal_add_extend(j, JR_EXTEND, 0, 24, &d, 1), VT_E_RANGE);
	assert_int_equal(
	    journal_add_extend(j, JR_EXTEND, 5, 0, &d, 1), VT_E_RANGE);
	assert_int_equal(
	    journal_add_extend(j, JR_RESET, 0, 0, &d, 1), VT_E_RANGE);
	assert_int_equal(
	    journal_add_extend(j, JR_DRTM_END, 0, 17, &d, 1), VT_E_RANGE);
	assert_int_equal(
	    journal_add_extend(j, JR_EXTEND, 0, 0, &bad, 1), VT_E_RANGE);
	assert_int_equal(journal_add_reset(j, 0, 24, 0), VT_E_RANGE);
	assert_int_equal(journal_add_reset(j, 0, 23, 1), VT_E_RANGE);
	assert_int_equal(journal_add_cap(j, 1u << 24), VT_E_RANGE);
	assert_int_equal(journal_add_startup(j, 5, true), VT_E_RANGE);
	assert_int_equal(journal_add_note(j, (enum journal_note)9), VT_E_RANGE);
	assert_int_equal(journal_count(j), 2);
	journal_free(j);
	assert_int_equal(journal_new(&unknown, 1, &none), VT_E_UNSUPPORTED);
	assert_int_equal(journal_new(twice, 2, &none), VT_E_UNSUPPORTED);
	assert_int_equal(journal_new(twice, 0, &none), VT_E_RANGE);
	assert_null(none);
	journal_free(NULL);
}

/* One record of every kind, and a chain. */
static struct journal *
rich(void)
{
	struct tpm_digest d = digest_of("x");
	struct journal *j;

	assert_int_equal(journal_new(&sha256, 1, &j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_note(j, JN_LATE), VT_OK);
	assert_int_equal(journal_add_drtm_end(j, &d, 1), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	extend(j, 0, "a");
	extend(j, 10, "b");
	assert_int_equal(journal_add_reset(j, 0, 23, 0), VT_OK);
	assert_int_equal(journal_add_drtm_start(j), VT_OK);
	assert_int_equal(journal_add_drtm_end(j, &d, 1), VT_OK);
	assert_int_equal(
	    journal_add_extend(j, JR_HOST_EXTEND, 0, 1, &d, 1), VT_OK);
	assert_int_equal(journal_add_cap(j, PCR_ALL), VT_OK);
	assert_int_equal(journal_add_restored(j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, false), VT_OK);
	return j;
}

static void
every_prefix_of_a_container_is_refused(void **state)
{
	struct journal *j = rich(), *back = NULL;
	uint8_t *copy;
	struct wr w;
	size_t len;

	(void)state;
	j = through_the_container(j);
	assert_int_equal(journal_flags(j), JF_LATE | JF_CAPPED | JF_RESTORED);
	wr_grow(&w, JOURNAL_MAX_LEN);
	journal_encode(j, &w);
	wr_u8(&w, 0);
	for (len = 0; len < w.len - 1; len++) {
		copy = exact_copy(w.buf, len);
		assert_int_equal(journal_decode(copy, len, &back), VT_E_TRUNC);
		free(copy);
	}
	assert_int_equal(journal_decode(w.buf, w.len, &back), VT_E_FORMAT);
	assert_null(back);
	wr_free(&w);
	journal_free(j);
}

static void
container_with_a_bad_field_is_refused(void **state)
{
	/* Offsets: header 28 with one bank, chains at 26, then one chain of
	 * 37 bytes; the first record, power-on, at 65. */
	/* clang-format off */
	static const struct {
		const char	*what;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "magic",		0,	'X',	VT_E_FORMAT },
		{ "version",		5,	2,	VT_E_FORMAT },
		{ "no banks",		7,	0,	VT_E_RANGE },
		{ "many banks",		7,	5,	VT_E_RANGE },
		{ "unknown bank",	9,	99,	VT_E_UNSUPPORTED },
		{ "flags",		14,	1,	VT_E_FORMAT },
		{ "pending",		14 + 4,	0,	VT_E_FORMAT },
		{ "records",		22,	1,	VT_E_RANGE },
		{ "records, too many",	25,	99,	VT_E_TRUNC },
		{ "chained PCR",	28,	24,	VT_E_FORMAT },
		{ "kind 0",		65,	0,	VT_E_FORMAT },
		{ "kind, unknown",	65,	JR_NKINDS, VT_E_FORMAT },
		{ "kind with digest",	65,	JR_EXTEND, VT_E_FORMAT },
		{ "locality",		66,	5,	VT_E_FORMAT },
		{ "pcr",		67,	24,	VT_E_FORMAT },
		{ "bank mask",		68,	2,	VT_E_FORMAT },
	};
	/* clang-format on */
	struct journal *j = rich(), *back = NULL;
	uint8_t *copy;
	struct wr w;
	size_t i;

	(void)state;
	wr_grow(&w, JOURNAL_MAX_LEN);
	journal_encode(j, &w);
	assert_int_equal(w.buf[65], JR_POWER);
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		copy = exact_copy(w.buf, w.len);
		copy[cases[i].off] = cases[i].val;
		assert_int_equal(
		    journal_decode(copy, w.len, &back), cases[i].want);
		free(copy);
	}
	assert_null(back);
	wr_free(&w);
	journal_free(j);
}

/* Containers by hand, as an attacker would write them. */
static int
decode_with(const uint8_t *chains, size_t clen, uint16_t nchains,
    const uint8_t rec[8], size_t ndigests)
{
	uint8_t digest[32] = { 1 }, *copy;
	struct journal *j = NULL;
	struct wr w;
	int rc;

	wr_grow(&w, 4096);
	wr_bytes(&w, "VTJL", 4);
	wr_be16(&w, 1);
	wr_be16(&w, 1);
	wr_be16(&w, ALG_SHA256);
	wr_be32(&w, 1);
	wr_be32(&w, 0);
	wr_be32(&w, 0xffffffff);
	wr_be32(&w, 1);
	wr_be16(&w, nchains);
	wr_bytes(&w, chains, clen);
	wr_bytes(&w, rec, 8);
	for (; ndigests > 0; ndigests--)
		wr_bytes(&w, digest, 32);
	assert_int_equal(wr_err(&w), VT_OK);
	copy = exact_copy(w.buf, w.len);
	rc = journal_decode(copy, w.len, &j);
	free(copy);
	journal_free(j);
	wr_free(&w);
	return rc;
}

static void
records_and_chains_must_be_sound(void **state)
{
	static const struct {
		const char *what;
		uint8_t rec[8];
		size_t digests;
		int want;
	} cases[] = {
		{ "good", { JR_EXTEND, 0, 4, 1, 0, 0, 0, 0 }, 1, VT_OK },
		{ "no digest", { JR_EXTEND, 0, 4, 0, 0, 0, 0, 0 }, 0,
		    VT_E_FORMAT },
		{ "digest of no bank", { JR_EXTEND, 0, 4, 3, 0, 0, 0, 0 }, 1,
		    VT_E_FORMAT },
		{ "reset with a digest", { JR_RESET, 0, 4, 1, 0, 0, 0, 0 }, 1,
		    VT_E_FORMAT },
		{ "reset to 1", { JR_RESET, 0, 4, 0, 0, 0, 0, 1 }, 0,
		    VT_E_FORMAT },
		{ "extend with a value", { JR_EXTEND, 0, 4, 1, 0, 0, 0, 1 }, 1,
		    VT_E_FORMAT },
		{ "cap of PCR 24", { JR_CAP, 0, 0, 0, 1, 0, 0, 0 }, 0,
		    VT_E_FORMAT },
		{ "unknown note", { JR_NOTE, 0, 0, 0, 0, 0, 0, 9 }, 0,
		    VT_E_FORMAT },
		{ "D-RTM of PCR 4", { JR_DRTM_END, 4, 4, 1, 0, 0, 0, 0 }, 1,
		    VT_E_FORMAT },
		{ "startup", { JR_STARTUP, 3, 0, 0, 0, 0, 0, 0 }, 0, VT_OK },
		{ "startup of PCR 3", { JR_STARTUP, 3, 3, 0, 0, 0, 0, 0 }, 0,
		    VT_E_FORMAT },
		{ "resume of PCR 3", { JR_RESUME, 0, 3, 0, 0, 0, 0, 0 }, 0,
		    VT_E_FORMAT },
		{ "H-CRTM of PCR 3", { JR_HCRTM, 4, 3, 1, 0, 0, 0, 0 }, 1,
		    VT_E_FORMAT },
		{ "D-RTM start of PCR 3",
		    { JR_DRTM_START, 4, 3, 0, 0, 0, 0, 0 }, 0, VT_E_FORMAT },
		{ "power-on of PCR 3", { JR_POWER, 0, 3, 0, 0, 0, 0, 1 }, 0,
		    VT_E_FORMAT },
		{ "power-on at a locality", { JR_POWER, 1, 0, 0, 0, 0, 0, 1 },
		    0, VT_E_FORMAT },
		{ "cap at a locality", { JR_CAP, 1, 0, 0, 0, 0, 0, 1 }, 0,
		    VT_E_FORMAT },
		{ "restored, of PCR 3", { JR_RESTORED, 0, 3, 0, 0, 0, 0, 0 }, 0,
		    VT_E_FORMAT },
		{ "note at a locality", { JR_NOTE, 1, 0, 0, 0, 0, 0, JN_LATE },
		    0, VT_E_FORMAT },
	};
	static const uint8_t power[8] = { JR_POWER };
	uint8_t chains[2 * 37] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		assert_int_equal(
		    decode_with(NULL, 0, 0, cases[i].rec, cases[i].digests),
		    cases[i].want);
	}
	chains[0] = 3;
	chains[37] = 4;
	assert_int_equal(
	    decode_with(chains, sizeof(chains), 2, power, 0), VT_OK);
	chains[37] = 3; /* the same twice */
	assert_int_equal(
	    decode_with(chains, sizeof(chains), 2, power, 0), VT_E_FORMAT);
	chains[37] = 2; /* not ascending */
	assert_int_equal(
	    decode_with(chains, sizeof(chains), 2, power, 0), VT_E_FORMAT);
}

static void
every_kind_has_a_name(void **state)
{
	uint8_t k;

	(void)state;
	for (k = JR_POWER; k < JR_NKINDS; k++)
		assert_string_not_equal(journal_kind_name(k), "unknown");
	assert_string_equal(journal_kind_name(0), "unknown");
	assert_string_equal(journal_kind_name(JR_NKINDS), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay_of_a_real_boot_equals_its_tpm),
		cmocka_unit_test(without_a_startup_no_pcr_has_a_value),
		cmocka_unit_test(a_power_cycle_forgets_only_at_startup_clear),
		cmocka_unit_test(startup_state_keeps_pcrs_0_to_15),
		cmocka_unit_test(drtm_sequence_gives_the_launch_value),
		cmocka_unit_test(hash_sequence_before_startup_goes_to_pcr0),
		cmocka_unit_test(cap_reaches_every_pcr_and_is_flagged),
		cmocka_unit_test(pcr10_is_always_chained_and_exact),
		cmocka_unit_test(
		    past_its_limit_replay_is_exact_and_memory_bounded),
		cmocka_unit_test(host_records_cannot_grow_without_end),
		cmocka_unit_test(only_active_banks_are_kept),
		cmocka_unit_test(a_bank_named_twice_is_extended_twice),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(every_prefix_of_a_container_is_refused),
		cmocka_unit_test(container_with_a_bad_field_is_refused),
		cmocka_unit_test(records_and_chains_must_be_sound),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
