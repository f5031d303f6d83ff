/* SPDX-License-Identifier: BSD-3-Clause */
/* TPM_CC_VTPM, and how TPM2_GetCapability lists it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/rdwr.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/engine/vendor_command.h"

#define CAP 4088

static uint8_t log_bytes[9000];

static struct vendor_facts
facts(void)
{
	struct vendor_facts f = { .uuid = { 0xaa, 0xbb },
		.group = 5,
		.generation = 6,
		.version = 7,
		.power_cycles = 8,
		.flags = VIF_LAUNCHED,
		.build = "test 1" };
	size_t i;

	for (i = 0; i < sizeof(log_bytes); i++)
		log_bytes[i] = (uint8_t)(i / 7);
	f.text[VSUB_LOG].p = log_bytes;
	f.text[VSUB_LOG].len = sizeof(log_bytes);
	return f;
}

/* --- the command -------------------------------------------------------------
 */

static size_t
vendor_cmd(uint8_t *out, uint16_t sub, bool chunk, uint32_t off, uint16_t max)
{
	struct wr w;

	wr_init(&w, out, 64);
	wr_be16(&w, ST_NO_SESSIONS);
	wr_be32(&w, 0);
	wr_be32(&w, TPM_CC_VTPM);
	wr_be16(&w, sub);
	if (chunk) {
		wr_be32(&w, off);
		wr_be16(&w, max);
	}
	wr_set_be32(&w, 2, (uint32_t)w.len);
	return w.len;
}

/* On exact heap copies. */
static size_t
answer(const struct vendor_facts *f, const uint8_t *cmd, size_t len,
    uint8_t out[CAP])
{
	uint8_t *c = malloc(len), *o = malloc(CAP);
	struct vendor_request q;
	struct tpm_cmd decoded;
	size_t n;

	assert_non_null(c);
	assert_non_null(o);
	memcpy(c, cmd, len);
	tpm_cmd_decode(&decoded, true, 0, c, len);
	if (vendor_open(&decoded, &q) == VT_OK)
		n = vendor_answer(f, &q, o, CAP);
	else
		n = vendor_fail(o, RC_SIZE);
	assert_in_range(n, TPM_HDR_LEN, CAP);
	assert_int_equal(be16_get(o), ST_NO_SESSIONS);
	assert_int_equal(be32_get(o + 2), n);
	memcpy(out, o, n);
	free(c);
	free(o);
	return n;
}

static void
info_tells_who_it_is(void **state)
{
	struct vendor_facts f = facts();
	uint8_t cmd[64], out[CAP];
	char build[16];
	struct rd r;
	uint8_t uuid[UUID_LEN];
	size_t n;

	(void)state;
	n = answer(&f, cmd, vendor_cmd(cmd, VSUB_INFO, false, 0, 0), out);
	rd_init(&r, out, n);
	(void)rd_span(&r, 6);
	assert_int_equal(rd_be32(&r), 0);
	assert_int_equal(rd_be16(&r), VSUB_INFO);
	assert_int_equal(rd_be16(&r), 1);
	rd_bytes(&r, uuid, sizeof(uuid));
	assert_memory_equal(uuid, f.uuid, sizeof(uuid));
	assert_int_equal(rd_be32(&r), 5);
	assert_int_equal(rd_be64(&r), 6);
	assert_int_equal(rd_be64(&r), 7);
	assert_int_equal(rd_be32(&r), 8);
	assert_int_equal(rd_be32(&r), VIF_LAUNCHED);
	rd_str(&r, build, sizeof(build));
	assert_string_equal(build, "test 1");
	assert_int_equal(rd_end(&r), VT_OK);
}

static void
log_is_read_in_parts(void **state)
{
	static const uint16_t sizes[] = { 1, 100, 4000, 0xffff };
	struct vendor_facts f = facts();
	uint8_t cmd[64], out[CAP], all[sizeof(log_bytes)];
	size_t i, off, n, part;

	(void)state;
	for (i = 0; i < VT_NELEM(sizes); i++) {
		if (sizes[i] == 1)
			continue;
		for (off = 0; off < sizeof(all); off += part) {
			n = answer(&f, cmd,
			    vendor_cmd(
				cmd, VSUB_LOG, true, (uint32_t)off, sizes[i]),
			    out);
			assert_int_equal(be32_get(out + 12), sizeof(log_bytes));
			part = be16_get(out + 16);
			assert_in_range(part, 1, sizes[i]);
			assert_int_equal(n, 18 + part);
			memcpy(all + off, out + 18, part);
		}
		assert_memory_equal(all, log_bytes, sizeof(all));
		memset(all, 0, sizeof(all));
	}
	/* past the end, and what is not there: nothing */
	n = answer(
	    &f, cmd, vendor_cmd(cmd, VSUB_LOG, true, 0xffffffff, 10), out);
	assert_int_equal(n, 18);
	n = answer(&f, cmd, vendor_cmd(cmd, VSUB_LAUNCH, true, 0, 10), out);
	assert_int_equal(n, 18);
	assert_int_equal(be32_get(out + 12), 0);
}

static void
bad_commands_get_an_error(void **state)
{
	struct vendor_facts f = facts();
	uint8_t cmd[64], out[CAP];
	size_t n, len;

	(void)state;
	len = vendor_cmd(cmd, VSUB_LOG, true, 0, 10);
	for (n = TPM_HDR_LEN; n < len; n++) {
		assert_int_equal(answer(&f, cmd, n, out), TPM_HDR_LEN);
		assert_int_not_equal(be32_get(out + 6), 0);
	}
	assert_int_equal(answer(&f, cmd, len + 1, out), TPM_HDR_LEN);
	len = vendor_cmd(cmd, VSUB_DEEP_SUBMIT, false, 0, 0);
	(void)answer(&f, cmd, len, out);
	assert_int_equal(be32_get(out + 6), RC_COMMAND_CODE);
	len = vendor_cmd(cmd, VSUB_INFO, false, 0, 0);
	be16_put(cmd, ST_SESSIONS);
	(void)answer(&f, cmd, len, out);
	assert_int_not_equal(be32_get(out + 6), 0);
}

/* --- listing
 * ------------------------------------------------------------------ */

static size_t
patch(const uint8_t cmd[22], uint8_t *resp, size_t len, size_t cap)
{
	struct tpm_cmd c;

	tpm_cmd_decode(&c, true, 0, cmd, 22);
	return vendor_patch_capability(&c, resp, len, cap);
}

/* GetCapability through libtpms and the patch; returns the length. */
static size_t
capability(uint32_t which, uint32_t first, uint32_t count, uint8_t *out)
{
	uint8_t cmd[22];
	const uint8_t *resp;
	size_t n;

	be16_put(cmd, ST_NO_SESSIONS);
	be32_put(cmd + 2, sizeof(cmd));
	be32_put(cmd + 6, CC_GetCapability);
	be32_put(cmd + 10, which);
	be32_put(cmd + 14, first);
	be32_put(cmd + 18, count);
	assert_int_equal(eng_process(0, cmd, sizeof(cmd), &resp, &n), VT_OK);
	assert_int_equal(tp_response_code(resp, n), 0);
	memcpy(out, resp, n);
	n = patch(cmd, out, n, CAP);
	assert_int_equal(be32_get(out + 2), n);
	return n;
}

/* What drivers/char/tpm does before it opens /dev/tpmrm0. */
static void
linux_finds_the_command(void **state)
{
	uint8_t out[CAP];
	uint32_t total, i, n, seen = 0, last = 0;

	(void)state;
	(void)capability(6, 0x129, 1, out);
	assert_int_equal(be32_get(out + 15), 1);
	total = be32_get(out + 23);
	(void)capability(2, 0x11f, total, out);
	n = be32_get(out + 15);
	assert_int_equal(n, total); /* exactly, or the kernel gives up */
	assert_int_equal(out[10], 0);
	for (i = 0; i < n; i++) {
		uint32_t cc = be32_get(out + 19 + 4 * i) & 0x2000ffff;

		assert_true(cc > last);
		last = cc;
		seen += cc == TPM_CC_VTPM;
	}
	assert_int_equal(seen, 1);
	assert_int_equal(last, TPM_CC_VTPM);
}

static void
list_in_any_parts_is_the_same_list(void **state)
{
	uint8_t all[CAP], out[CAP];
	uint32_t n, i, cc, first, step, got;

	(void)state;
	(void)capability(2, 0x11f, 254, all);
	n = be32_get(all + 15);
	for (step = 1; step < 12; step++) {
		first = 0x11f;
		for (i = 0; i < n; i += got) {
			(void)capability(2, first, step, out);
			got = be32_get(out + 15);
			assert_in_range(got, 1, step);
			assert_memory_equal(
			    out + 19, all + 19 + 4 * i, 4 * (size_t)got);
			cc = be32_get(out + 19 + 4 * (got - 1)) & 0x2000ffff;
			first = cc + 1;
			assert_int_equal(out[10], i + got < n);
		}
		assert_int_equal(i, n);
	}
}

static void
single_queries_are_answered(void **state)
{
	uint8_t out[CAP];

	(void)state;
	(void)capability(2, TPM_CC_VTPM, 1, out);
	assert_int_equal(be32_get(out + 15), 1);
	assert_int_equal(be32_get(out + 19), TPM_CC_VTPM);
	(void)capability(2, TPM_CC_VTPM + 1, 1, out);
	assert_int_equal(be32_get(out + 15), 0);
	assert_int_equal(out[10], 0);
	(void)capability(2, 0x11f, 0, out);
	assert_int_equal(be32_get(out + 15), 0);
	assert_int_equal(out[10], 1);
}

static void
counts_agree(void **state)
{
	uint8_t out[CAP];
	uint32_t total, library, vendor;

	(void)state;
	(void)capability(6, 0x129, 3, out);
	assert_int_equal(be32_get(out + 15), 3);
	total = be32_get(out + 23);
	library = be32_get(out + 31);
	vendor = be32_get(out + 39);
	assert_int_equal(vendor, 1);
	assert_int_equal(total, library + vendor);
	/* the same when they come among others */
	(void)capability(6, 0x100, 127, out);
	assert_true(be32_get(out + 15) > 20);
}

static void
other_answers_are_left_alone(void **state)
{
	uint8_t cmd[22] = { 0x80, 0x01 }, resp[64], before[64];
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(resp); n++)
		resp[n] = (uint8_t)n;
	memset(resp, 0, 20);
	memcpy(before, resp, sizeof(resp));
	be32_put(cmd + 2, 22);
	be32_put(cmd + 6, CC_GetCapability);
	be32_put(cmd + 10, 5); /* PCRs */
	be32_put(resp + 11, 5);
	be32_put(before + 11, 5);
	assert_int_equal(patch(cmd, resp, 64, 64), 64);
	assert_memory_equal(resp, before, 64);
	/* a list that claims more entries than it has */
	be32_put(cmd + 10, 6);
	be32_put(resp + 11, 6);
	be32_put(resp + 15, 0xffffffff);
	assert_int_equal(patch(cmd, resp, 64, 64), 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_tells_who_it_is),
		cmocka_unit_test(log_is_read_in_parts),
		cmocka_unit_test(bad_commands_get_an_error),
		cmocka_unit_test(linux_finds_the_command),
		cmocka_unit_test(list_in_any_parts_is_the_same_list),
		cmocka_unit_test(single_queries_are_answered),
		cmocka_unit_test(counts_agree),
		cmocka_unit_test(other_answers_are_left_alone),
	};

	if (eng_init(open("/dev/null", O_WRONLY)) != VT_OK ||
	    eng_manufacture(TPM_VER_20) != VT_OK || tcmd_startup(0) != VT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
