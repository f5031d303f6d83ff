/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/replay.h"
#include "tests/unit/vector.h"

static const uint16_t sha256 = ALG_SHA256;

static void
hex_equal(const uint8_t *val, size_t len, const char *want)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_encode(val, len, hex);
	assert_string_equal(hex, want);
}

/* The central claim of measure/: our replay is what the TPM had. */
static void
replay_of_a_real_boot_equals_its_tpm(void **state)
{
	struct bytes b = vector_log();
	struct pcr_set want, got;
	uint32_t n;

	(void)state;
	vector_pcrs(&want);
	assert_int_equal(pcr_set_init(&got, &sha256, 1), VT_OK);
	assert_int_equal(el_replay(&got, b.p, b.len), VT_OK);
	for (n = 0; n < PCR_COUNT; n++)
		if (n != 10) /* IMA's, not in the log */
			assert_memory_equal(pcr_get(&got, sha256, n),
			    pcr_get(&want, sha256, n), 32);
	assert_memory_not_equal(
	    pcr_get(&got, sha256, 10), pcr_get(&want, sha256, 10), 32);
	free(b.p);
}

static void
separator_only_pcr_is_the_published_value(void **state)
{
	static const uint16_t both[] = { ALG_SHA1, ALG_SHA256 };
	struct el_writer *w;
	struct pcr_set set;
	const uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(el_writer_new(both, 2, false, &w), VT_OK);
	el_add_data(w, 2, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(pcr_set_init(&set, both, 2), VT_OK);
	assert_int_equal(el_replay(&set, p, len), VT_OK);
	/* Seen in PCRs 2, 3 and 6 of every virtio guest. */
	hex_equal(pcr_get(&set, ALG_SHA256, 2), 32,
	    "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969");
	hex_equal(pcr_get(&set, ALG_SHA1, 2), 20,
	    "b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236");
	el_writer_free(w);
}

static void
reset_values_are_those_of_the_profile(void **state)
{
	uint8_t zero[DIGEST_MAX] = { 0 }, ones[DIGEST_MAX];
	struct pcr_set set;
	uint32_t n;

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	assert_null(pcr_get(&set, sha256, 0));
	pcr_set_reset(&set, 0);
	for (n = 0; n < PCR_COUNT; n++)
		assert_memory_equal(pcr_get(&set, sha256, n),
		    n >= 17 && n <= 22 ? ones : zero, 32);
	pcr_set_reset(&set, 3);
	assert_int_equal(pcr_get(&set, sha256, 0)[31], 3);
	assert_int_equal(pcr_get(&set, sha256, 0)[0], 0);
	assert_int_equal(pcr_get(&set, sha256, 1)[31], 0);
	pcr_drtm_start(&set);
	for (n = 17; n <= 22; n++)
		assert_memory_equal(pcr_get(&set, sha256, n), zero, 32);
}

static void
startup_locality_changes_pcr0_only_before_it_is_extended(void **state)
{
	static const char sl[] = "StartupLocality\0\003";
	struct pcr_set plain, local;
	struct el_writer *w;
	const uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(pcr_set_init(&plain, &sha256, 1), VT_OK);
	local = plain;
	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	el_add_data(w, 0, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(el_replay(&plain, p, len), VT_OK);
	add_no_action(w, 0, sl, 17); /* too late */
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(el_replay(&local, p, len), VT_E_FORMAT);
	el_writer_free(w);

	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	add_no_action(w, 0, sl, 17);
	el_add_data(w, 0, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(el_replay(&local, p, len), VT_OK);
	assert_memory_not_equal(
	    pcr_get(&plain, sha256, 0), pcr_get(&local, sha256, 0), 32);
	el_writer_free(w);
}

static void
no_action_with_a_digest_is_refused(void **state)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32, .val = { 1 } };
	struct el_writer *w;
	struct pcr_set set;
	const uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(pcr_set_init(&set, &sha256, 1), VT_OK);
	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	el_add_digests(w, 1, EV_NO_ACTION, &d, 1, "x", 1);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(el_replay(&set, p, len), VT_E_FORMAT);
	el_writer_free(w);
}

static void
a_bank_that_the_log_lacks_has_no_values(void **state)
{
	static const uint16_t both[] = { ALG_SHA256, ALG_SHA512 };
	struct el_writer *w;
	struct pcr_set set;
	const uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	el_add_data(w, 0, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(pcr_set_init(&set, both, 2), VT_OK);
	assert_int_equal(el_replay(&set, p, len), VT_OK);
	assert_non_null(pcr_get(&set, ALG_SHA256, 0));
	assert_null(pcr_get(&set, ALG_SHA512, 0));
	el_writer_free(w);
}

static void
container_survives_and_every_prefix_is_refused(void **state)
{
	static const uint16_t both[] = { ALG_SHA256, ALG_SHA1 };
	struct pcr_set set, back;
	uint8_t val[DIGEST_MAX] = { 7 };
	uint8_t buf[PCR_SET_MAX_LEN], *copy;
	struct wr w;
	size_t len;

	(void)state;
	assert_int_equal(pcr_set_init(&set, both, 2), VT_OK);
	assert_int_equal(pcr_put(&set, ALG_SHA256, 23, val), VT_OK);
	assert_int_equal(pcr_put(&set, ALG_SHA1, 0, val), VT_OK);
	assert_int_equal(pcr_put(&set, ALG_SHA512, 0, val), VT_E_NOTFOUND);
	assert_int_equal(pcr_put(&set, ALG_SHA1, 24, val), VT_E_RANGE);
	wr_init(&w, buf, sizeof(buf));
	pcr_set_encode(&w, &set);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(w.len, 8 + 6 + 32 + 6 + 20);
	assert_int_equal(pcr_set_decode(buf, w.len, &back), VT_OK);
	assert_memory_equal(&set, &back, sizeof(set));
	for (len = 0; len < w.len; len++) {
		copy = exact_copy(buf, len);
		assert_int_equal(pcr_set_decode(copy, len, &back), VT_E_TRUNC);
		free(copy);
	}
	buf[w.len] = 0;
	assert_int_equal(pcr_set_decode(buf, w.len + 1, &back), VT_E_FORMAT);
}

static void
container_with_a_bad_field_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "magic",		0,	'X',	VT_E_FORMAT },
		{ "version",		5,	2,	VT_E_FORMAT },
		{ "no banks",		7,	0,	VT_E_FORMAT },
		{ "too many banks",	7,	5,	VT_E_RANGE },
		{ "unknown bank",	9,	0x20,	VT_E_UNSUPPORTED },
		{ "PCR 24",		10,	1,	VT_E_FORMAT },
		{ "bank twice",		14 + 32 + 1, ALG_SHA256, VT_E_FORMAT },
	};
	/* clang-format on */
	static const uint16_t both[] = { ALG_SHA256, ALG_SHA1 };
	uint8_t buf[128], bad[128], val[DIGEST_MAX] = { 7 };
	struct pcr_set set, back;
	struct wr w;
	size_t i;

	(void)state;
	assert_int_equal(pcr_set_init(&set, both, 2), VT_OK);
	assert_int_equal(pcr_put(&set, ALG_SHA256, 23, val), VT_OK);
	wr_init(&w, buf, sizeof(buf));
	pcr_set_encode(&w, &set);
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		memcpy(bad, buf, sizeof(bad));
		bad[cases[i].off] = cases[i].val;
		assert_int_equal(
		    pcr_set_decode(bad, w.len, &back), cases[i].want);
	}
}

/* Bytes as tpm2-tools' "sha256:0,1,17" marshals them. */
static void
selection_is_marshalled_as_the_specification_says(void **state)
{
	static const uint8_t want[] = { 0, 0, 0, 1, 0, 0x0b, 3, 0x03, 0, 2 };
	struct pcr_sel sel, back = { 0 };
	uint8_t buf[64];
	char text[64];
	struct wr w;
	struct rd r;

	(void)state;
	assert_int_equal(pcr_sel_parse("sha256:0,1,17", &sel), VT_OK);
	wr_init(&w, buf, sizeof(buf));
	pcr_sel_put(&w, &sel);
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
	rd_init(&r, want, sizeof(want));
	pcr_sel_get(&r, &back);
	assert_int_equal(rd_end(&r), VT_OK);
	assert_true(pcr_sel_equal(&sel, &back));
	back.banks[0].mask ^= 2;
	assert_false(pcr_sel_equal(&sel, &back));
	pcr_sel_format(&sel, text, sizeof(text));
	assert_string_equal(text, "sha256:0,1,17");
	assert_int_equal(pcr_sel_parse("sha256:all+sha384:8", &sel), VT_OK);
	assert_int_equal(sel.n, 2);
	assert_int_equal(sel.banks[0].mask, PCR_ALL);
	assert_int_equal(sel.banks[1].mask, 1 << 8);
}

static void
bad_selection_is_refused(void **state)
{
	static const char *const texts[] = { "", "sha256",
		"sha256:", "sha256:24", "sha256:1,", "sha256:x", "md5:1",
		"sha256:1+", "sha256:1+sha256:2", "sha256:1 ",
		"sha256:99999999999999", ":1", "sha256:-1" };
	static const uint8_t pcr24[] = { 0, 0, 0, 1, 0, 0x0b, 4, 0, 0, 0, 1 };
	static const uint8_t size5[] = { 0, 0, 0, 1, 0, 0x0b, 5, 0, 0, 0, 0,
		0 };
	static const uint8_t many[] = { 0, 0, 0, 5 };
	struct pcr_sel sel = { .n = 77 };
	struct rd r;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(texts); i++) {
		print_message("  \"%s\"\n", texts[i]);
		assert_int_equal(pcr_sel_parse(texts[i], &sel), VT_E_FORMAT);
	}
	rd_init(&r, pcr24, sizeof(pcr24));
	pcr_sel_get(&r, &sel);
	assert_int_equal(rd_err(&r), VT_E_RANGE);
	rd_init(&r, size5, sizeof(size5));
	pcr_sel_get(&r, &sel);
	assert_int_equal(rd_err(&r), VT_E_FORMAT);
	rd_init(&r, many, sizeof(many));
	pcr_sel_get(&r, &sel);
	assert_int_equal(rd_err(&r), VT_E_RANGE);
	assert_int_equal(sel.n, 77);
}

static void
pcr_digest_is_over_banks_in_order_then_pcrs_ascending(void **state)
{
	static const uint16_t both[] = { ALG_SHA1, ALG_SHA256 };
	uint8_t cat[32 + 32 + 20], want[DIGEST_MAX], got[DIGEST_MAX];
	struct pcr_set set;
	struct pcr_sel sel;

	(void)state;
	assert_int_equal(pcr_set_init(&set, both, 2), VT_OK);
	pcr_set_reset(&set, 0);
	memset(cat, 0, 32);
	memset(cat + 32, 0xff, 32);
	memset(cat + 64, 0, 20);
	assert_int_equal(pcr_sel_parse("sha256:17,3+sha1:0", &sel), VT_OK);
	assert_int_equal(digest_buf(ALG_SHA256, cat, sizeof(cat), want), VT_OK);
	assert_int_equal(pcr_digest(&set, &sel, ALG_SHA256, got), VT_OK);
	assert_memory_equal(got, want, 32);
	set.banks[1].valid &= ~(1u << 3);
	assert_int_equal(
	    pcr_digest(&set, &sel, ALG_SHA256, got), VT_E_NOTFOUND);
}

static void
extreme_values_are_found(void **state)
{
	uint8_t val[32] = { 0 };
	struct pcr_set set;
	struct pcr_sel sel;
	uint16_t alg = 0;
	uint32_t pcr = 99;

	(void)state;
	assert_true(pcr_is_extreme(val, 32));
	val[31] = 1;
	assert_false(pcr_is_extreme(val, 32));
	memset(val, 0xff, 32);
	assert_true(pcr_is_extreme(val, 32));
	memset(val, 0x55, 32);
	assert_false(pcr_is_extreme(val, 32));

	vector_pcrs(&set);
	assert_int_equal(pcr_sel_parse("sha256:0,4,7", &sel), VT_OK);
	assert_int_equal(pcr_find_extreme(&set, &sel, &alg, &pcr), 0);
	assert_int_equal(pcr_sel_parse("sha256:0,4,14,17", &sel), VT_OK);
	assert_int_equal(pcr_find_extreme(&set, &sel, &alg, &pcr), 1);
	assert_int_equal(pcr, 14);
	assert_int_equal(pcr_sel_parse("sha384:0", &sel), VT_OK);
	assert_int_equal(
	    pcr_find_extreme(&set, &sel, &alg, &pcr), VT_E_NOTFOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay_of_a_real_boot_equals_its_tpm),
		cmocka_unit_test(separator_only_pcr_is_the_published_value),
		cmocka_unit_test(reset_values_are_those_of_the_profile),
		cmocka_unit_test(
		    startup_locality_changes_pcr0_only_before_it_is_extended),
		cmocka_unit_test(no_action_with_a_digest_is_refused),
		cmocka_unit_test(a_bank_that_the_log_lacks_has_no_values),
		cmocka_unit_test(
		    container_survives_and_every_prefix_is_refused),
		cmocka_unit_test(container_with_a_bad_field_is_refused),
		cmocka_unit_test(
		    selection_is_marshalled_as_the_specification_says),
		cmocka_unit_test(bad_selection_is_refused),
		cmocka_unit_test(
		    pcr_digest_is_over_banks_in_order_then_pcrs_ascending),
		cmocka_unit_test(extreme_values_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
