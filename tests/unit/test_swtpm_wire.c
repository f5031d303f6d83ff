/* SPDX-License-Identifier: BSD-3-Clause */
/* test_swtpm_wire.c - framing of swtpm's control protocol and of commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "tpmback/swtpm/wire.h"

/* Requests as QEMU 7.2 and swtpm_ioctl send them, in their shortest form. */
/* clang-format off */
static const struct {
	const char	*hex;
	uint32_t	 op;
	uint32_t	 flags, type, offset, size;
	uint8_t		 locality;
	uint32_t	 bodylen;
} good[] = {
	{ "00000001",				SO_GET_CAPABILITY,
	    0, 0, 0, 0, 0, 0 },
	{ "00000002" "00000001",		SO_INIT,
	    1, 0, 0, 0, 0, 0 },
	{ "00000003",				SO_SHUTDOWN,
	    0, 0, 0, 0, 0, 0 },
	{ "00000004",				SO_GET_ESTABLISHED,
	    0, 0, 0, 0, 0, 0 },
	{ "00000005" "03",			SO_SET_LOCALITY,
	    0, 0, 0, 0, 3, 0 },
	{ "00000006",				SO_HASH_START,
	    0, 0, 0, 0, 0, 0 },
	{ "00000007" "00000003" "616263",	SO_HASH_DATA,
	    0, 0, 0, 0, 0, 3 },
	{ "00000008",				SO_HASH_END,
	    0, 0, 0, 0, 0, 0 },
	{ "00000009",				SO_CANCEL,
	    0, 0, 0, 0, 0, 0 },
	{ "0000000a",				SO_STORE_VOLATILE,
	    0, 0, 0, 0, 0, 0 },
	{ "0000000b" "02",			SO_RESET_ESTABLISHED,
	    0, 0, 0, 0, 2, 0 },
	{ "0000000c" "00000001" "00000002" "00000010", SO_GET_STATEBLOB,
	    1, 2, 16, 0, 0, 0 },
	{ "0000000d" "00000002" "00000001" "00000004" "01020304",
						SO_SET_STATEBLOB,
	    2, 1, 0, 0, 0, 4 },
	{ "0000000e",				SO_STOP,
	    0, 0, 0, 0, 0, 0 },
	{ "0000000f",				SO_GET_CONFIG,
	    0, 0, 0, 0, 0, 0 },
	{ "00000010",				SO_SET_DATAFD,
	    0, 0, 0, 0, 0, 0 },
	{ "00000011" "00001000",		SO_SET_BUFFERSIZE,
	    0, 0, 0, 4096, 0, 0 },
	{ "00000012" "0000000000000007" "00000c00" "00000000", SO_GET_INFO,
	    0, 0, 3072, 0, 0, 0 },
	{ "00000013" "0000012c",		SO_LOCK_STORAGE,
	    0, 0, 0, 300, 0, 0 },
};
/* clang-format on */

static uint8_t *
bytes(const char *hex, size_t *ret_len)
{
	size_t cap = strlen(hex) / 2;
	uint8_t *p = malloc(cap > 0 ? cap : 1);

	assert_non_null(p);
	assert_int_equal(hex_decode(hex, p, cap, ret_len), VT_OK);
	return p;
}

static void
every_command_is_in_the_table(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(VT_NELEM(good), SO_LAST);
	for (i = 0; i < VT_NELEM(good); i++)
		assert_int_equal(good[i].op, i + 1);
}

static void
fields_are_decoded_in_their_places(void **state)
{
	struct swtpm_req q;
	size_t i, len, used;
	uint8_t *p;

	(void)state;
	for (i = 0; i < VT_NELEM(good); i++) {
		p = bytes(good[i].hex, &len);
		assert_int_equal(swtpm_req_get(p, len, &q, &used), VT_OK);
		assert_int_equal(used, len);
		assert_int_equal(q.op, good[i].op);
		assert_int_equal(q.flags, good[i].flags);
		assert_int_equal(q.type, good[i].type);
		assert_int_equal(q.offset, good[i].offset);
		assert_int_equal(q.size, good[i].size);
		assert_int_equal(q.locality, good[i].locality);
		assert_int_equal(q.bodylen, good[i].bodylen);
		if (q.bodylen > 0)
			assert_ptr_equal(q.body, p + len - q.bodylen);
		if (q.op == SO_GET_INFO)
			assert_int_equal(q.info, 7);
		free(p);
	}
}

/* Exact heap copies: ASan sees one byte too many. */
static void
every_proper_prefix_is_truncated(void **state)
{
	struct swtpm_req q;
	size_t i, n, len, used;
	uint64_t size;
	uint8_t *p, *copy;

	(void)state;
	for (i = 0; i < VT_NELEM(good); i++) {
		p = bytes(good[i].hex, &len);
		for (n = 0; n < len; n++) {
			copy = malloc(n > 0 ? n : 1);
			assert_non_null(copy);
			memcpy(copy, p, n);
			assert_int_equal(
			    swtpm_req_get(copy, n, &q, &used), VT_E_TRUNC);
			free(copy);
		}
		assert_int_equal(swtpm_req_size(p, len, &size), VT_OK);
		assert_int_equal(size, len);
		free(p);
	}
}

static void
unknown_commands_are_named(void **state)
{
	static const char *hex[] = { "00000000", "00000014", "00000100",
		"01000000", "ffffffff" };
	struct swtpm_req q;
	size_t i, len, used;
	uint64_t size;
	uint8_t *p;

	(void)state;
	for (i = 0; i < VT_NELEM(hex); i++) {
		p = bytes(hex[i], &len);
		assert_int_equal(
		    swtpm_req_get(p, len, &q, &used), VT_E_UNSUPPORTED);
		assert_int_equal(q.op, be32_get(p));
		assert_int_equal(
		    swtpm_req_size(p, len, &size), VT_E_UNSUPPORTED);
		assert_false(swtpm_looks_like_req(p, len));
		free(p);
	}
}

/* The length is refused before its bytes have arrived. */
static void
bodies_have_a_limit(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*hex;
		int		 want;
		size_t		 used;
	} cases[] = {
		{ "0000000d" "00000000" "00000001" "00080000", VT_E_TRUNC, 0 },
		{ "0000000d" "00000000" "00000001" "00080001", VT_E_RANGE,
		    16 + 0x80001 },
		{ "0000000d" "00000000" "00000001" "ffffffff", VT_E_RANGE,
		    16 + (size_t)0xffffffff },
		{ "00000007" "00010000", VT_E_TRUNC, 0 },
		{ "00000007" "00010001", VT_E_RANGE, 8 + 0x10001 },
		{ "00000007" "ffffffff", VT_E_RANGE, 8 + (size_t)0xffffffff },
	};
	/* clang-format on */
	struct swtpm_req q;
	size_t i, len, used;
	uint8_t *p;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		p = bytes(cases[i].hex, &len);
		assert_int_equal(
		    swtpm_req_get(p, len, &q, &used), cases[i].want);
		if (cases[i].want == VT_E_RANGE) {
			assert_int_equal(used, cases[i].used);
			assert_null(q.body);
		}
		free(p);
	}
}

static void
padding_is_told_from_the_next_request(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*hex;
		unsigned int	 pad;
		size_t		 want;
	} cases[] = {
		{ "000000" "0000000e",	3, 3 },
		{ "0000" "0000000e",	2, 2 },
		{ "0000000e",		3, 0 },
		{ "0000000000",		3, 3 },
		{ "00000000",		0, 0 },
		{ "000000",		3, 0 },	/* cannot tell yet */
		{ "",			3, 0 },
		{ "00000010",		1, 0 },
	};
	/* clang-format on */
	size_t i, len;
	uint8_t *p;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		p = bytes(cases[i].hex, &len);
		assert_int_equal(
		    swtpm_skip_pad(p, len, cases[i].pad), cases[i].want);
		free(p);
	}
	for (i = 1; i <= SO_LAST; i++)
		assert_int_equal(swtpm_req_pad((uint32_t)i),
		    i == SO_SET_LOCALITY || i == SO_RESET_ESTABLISHED ? 3 : 0);
}

/* What changes the TPM is never done twice. */
static void
only_queries_are_repeatable(void **state)
{
	static const uint32_t changes[] = { SO_INIT, SO_SHUTDOWN,
		SO_SET_LOCALITY, SO_HASH_START, SO_HASH_DATA, SO_HASH_END,
		SO_RESET_ESTABLISHED, SO_SET_STATEBLOB, SO_STOP,
		SO_SET_DATAFD };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(changes); i++)
		assert_false(swtpm_op_repeatable(changes[i]));
	assert_true(swtpm_op_repeatable(SO_GET_CAPABILITY));
	assert_true(swtpm_op_repeatable(SO_GET_STATEBLOB));
}

static void
commands_are_framed_by_their_size_field(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*hex;
		int		 want;
		size_t		 size;
	} cases[] = {
		{ "",					VT_E_TRUNC, 0 },
		{ "80010000",				VT_E_TRUNC, 0 },
		{ "8001000000",				VT_E_TRUNC, 0 },
		{ "800100000000",			VT_E_RANGE, 0 },
		{ "800100000009",			VT_E_RANGE, 0 },
		{ "80010000000a",			VT_E_TRUNC, 0 },
		{ "80010000000a000001",			VT_E_TRUNC, 0 },
		{ "80010000000a00000181",		VT_OK,	    10 },
		{ "80010000000a00000181ff",		VT_OK,	    10 },
		{ "80010000000b00000181",		VT_E_TRUNC, 0 },
		{ "800100001000",			VT_E_TRUNC, 0 },
		{ "800100001001",			VT_E_RANGE, 0 },
		{ "8001ffffffff",			VT_E_RANGE, 0 },
		/* the MSSIM prefix, locality 4: no such thing here */
		{ "00000008040000000a80010000",		VT_E_RANGE, 0 },
	};
	/* clang-format on */
	size_t i, len, size;
	uint8_t *p;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		p = bytes(cases[i].hex, &len);
		size = 0;
		print_message("  %s\n", cases[i].hex);
		assert_int_equal(swtpm_cmd_frame(p, len, CHAN_CMD_MAX, &size),
		    cases[i].want);
		assert_int_equal(size, cases[i].size);
		free(p);
	}
}

static void
errors_are_in_the_tpms_own_family(void **state)
{
	/* clang-format off */
	static const struct {
		bool		 tpm2;
		enum swtpm_error e;
		const char	*hex;
	} cases[] = {
		{ true,  SE_NOT_READY,	"80010000000a00000101" },
		{ false, SE_NOT_READY,	"00c40000000a00000009" },
		{ true,  SE_FAILURE,	"80010000000a00000101" },
		{ true,  SE_SIZE,	"80010000000a00000142" },
		{ false, SE_SIZE,	"00c40000000a00000019" },
		{ true,  SE_UNSUPPORTED, "80010000000a00000143" },
		{ false, SE_UNSUPPORTED, "00c40000000a0000000a" },
		{ true,  SE_LOCALITY,	"80010000000a00000907" },
		{ true,  SE_TOO_LONG,	"80010000000a00000095" },
	};
	/* clang-format on */
	uint8_t out[TPM_HDR_LEN];
	char hex[2 * TPM_HDR_LEN + 1];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		swtpm_error_put(out, cases[i].tpm2, cases[i].e);
		hex_encode(out, sizeof(out), hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

static void
a_dead_workers_record_is_not_believed(void **state)
{
	struct swtpm_status st = { .magic = SWTPM_STATUS_MAGIC }, bad;

	(void)state;
	assert_int_equal(swtpm_status_check(&st), VT_OK);
#define BAD(field, value)                                                \
	do {                                                             \
		bad = st;                                                \
		bad.field = (value);                                     \
		assert_int_equal(swtpm_status_check(&bad), VT_E_FORMAT); \
	} while (0)
	BAD(magic, 0);
	BAD(locality, 5);
	BAD(data_busy, 2);
	BAD(ctl_busy, 2);
	BAD(pad, 4);
	BAD(data_len, CHAN_CMD_MAX + 1);
	BAD(data_hand, 1); /* more than data_len */
	BAD(ctl_have, SWTPM_HEAD_MAX + SWTPM_BLOB_MAX + 1);
#undef BAD
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_in_the_table),
		cmocka_unit_test(fields_are_decoded_in_their_places),
		cmocka_unit_test(every_proper_prefix_is_truncated),
		cmocka_unit_test(unknown_commands_are_named),
		cmocka_unit_test(bodies_have_a_limit),
		cmocka_unit_test(padding_is_told_from_the_next_request),
		cmocka_unit_test(only_queries_are_repeatable),
		cmocka_unit_test(commands_are_framed_by_their_size_field),
		cmocka_unit_test(errors_are_in_the_tpms_own_family),
		cmocka_unit_test(a_dead_workers_record_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
