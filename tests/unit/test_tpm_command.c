/* SPDX-License-Identifier: BSD-3-Clause */
/* What the worker reads of a guest's command, and where it stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/tpm_command.h"

/* clang-format off */
#define PW	"00000009" "40000009" "0000" "00" "0000"
#define ENC	"0000000d" "02000000" "0004" "01020304" "40" "0000"
#define BOTH	"00000016" "40000009" "0000" "00" "0000" \
		"02000000" "0004" "01020304" "61" "0000"
/* clang-format on */

/* Decodes an exact heap copy; the caller frees ret->bytes. */
static void
decode(struct tpm_cmd *ret, const char *hex, size_t cut, bool tpm2)
{
	uint8_t buf[256], *copy;
	size_t n;

	assert_int_equal(hex_decode(hex, buf, sizeof(buf), &n), VT_OK);
	n -= cut;
	be32_put(buf + 2, (uint32_t)n);
	copy = malloc(n);
	assert_non_null(copy);
	memcpy(copy, buf, n);
	tpm_cmd_decode(ret, tpm2, 3, copy, n);
}

static void
drop(struct tpm_cmd *c)
{
	free((void *)(uintptr_t)c->bytes);
}

static void
handles_sessions_and_parameters_are_found(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*hex;
		uint32_t	 handle[2];
		bool		 encrypts;
		uint16_t	 params_off;
	} cases[] = {
		{ "800100000000" "0000017b" "0010", { 0, 0 }, false, 10 },
		{ "800200000000" "00000182" "00000010" PW "00000000",
		    { 16, 0 }, false, 27 },
		{ "800100000000" "0000013d" "00000010", { 16, 0 }, false, 14 },
		{ "800200000000" "00000158" "81000003" ENC "0000",
		    { 0x81000003, 0 }, true, 31 },
		{ "800200000000" "00000158" "81000003" BOTH "0000",
		    { 0x81000003, 0 }, true, 40 },
		{ "800200000000" "00000120" "40000001" "81000001" PW
		    "81000001", { 0x40000001, 0x81000001 }, false, 31 },
		/* a code whose handles are never needed */
		{ "800200000000" "00000137" "40000001" "01500001" PW "0000",
		    { 0, 0 }, false, 10 },
	};
	/* clang-format on */
	struct tpm_cmd c;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %.32s\n", cases[i].hex + 12);
		decode(&c, cases[i].hex, 0, true);
		assert_int_equal(c.err, VT_OK);
		assert_int_equal(c.locality, 3);
		assert_int_equal(c.code, be32_get(c.bytes + 6));
		assert_int_equal(c.flags, command_table_flags(true, c.code));
		assert_int_equal(c.handle[0], cases[i].handle[0]);
		assert_int_equal(c.handle[1], cases[i].handle[1]);
		assert_int_equal(c.encrypts, cases[i].encrypts);
		assert_int_equal(c.params_off, cases[i].params_off);
		drop(&c);
	}
}

static void
a_command_cut_before_its_parameters_has_none(void **state)
{
	static const char cmd[] = "800200000000"
				  "00000120"
				  "40000001"
				  "81000001" BOTH;
	size_t len = (sizeof(cmd) - 1) / 2, cut;
	struct tpm_cmd c;
	struct rd r;

	(void)state;
	for (cut = 0; cut <= len - TPM_HDR_LEN; cut++) {
		decode(&c, cmd, cut, true);
		assert_int_equal(c.err, cut == 0 ? VT_OK : VT_E_TRUNC);
		r = tpm_cmd_params(&c);
		assert_int_equal(rd_err(&r), c.err);
		drop(&c);
	}
}

/* An authorization area whose sessions end past it. */
static void
sessions_stay_inside_their_area(void **state)
{
	struct tpm_cmd c;

	(void)state;
	decode(&c,
	    "800200000000"
	    "00000158"
	    "81000003"
	    "0000000d"
	    "02000000"
	    "0005"
	    "01020304"
	    "40"
	    "0000"
	    "00000000",
	    0, true);
	assert_int_equal(c.err, VT_E_TRUNC);
	drop(&c);
}

static void
a_tpm12_command_has_only_parameters(void **state)
{
	struct tpm_cmd c;

	(void)state;
	decode(&c,
	    "00c100000000"
	    "00000014"
	    "00000008",
	    0, false);
	assert_int_equal(c.err, VT_OK);
	assert_int_equal(c.flags, CT_FREE | CT_PCRS);
	assert_int_equal(c.params_off, TPM_HDR_LEN);
	assert_int_equal(c.handle[0], 0);
	drop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handles_sessions_and_parameters_are_found),
		cmocka_unit_test(a_command_cut_before_its_parameters_has_none),
		cmocka_unit_test(sessions_stay_inside_their_area),
		cmocka_unit_test(a_tpm12_command_has_only_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
