/* SPDX-License-Identifier: BSD-3-Clause */
/* libtpms behind vtpm/engine/engine.h. */
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
#include "vtpm/proto/worker_msg.h"
#include "vtpm/engine/tpm_command.h"

#define RANDOM_LEN 16

static void
get_random(uint8_t out[RANDOM_LEN])
{
	struct tcmd c;
	struct rd r;
	size_t n;
	const uint8_t *p;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_GetRandom);
	wr_be16(&c.w, RANDOM_LEN);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	p = rd_blob16(&r, RANDOM_LEN, &n);
	assert_int_equal(n, RANDOM_LEN);
	memcpy(out, p, n);
}

static int
teardown(void **state)
{
	(void)state;
	eng_forget();
	return 0;
}

static bool
powered(void)
{
	uint8_t *vol = NULL;
	size_t n;
	int rc = eng_get_volatile(&vol, &n);

	free(vol);
	return rc != VT_E_STATE;
}

static void
nothing_but_manufacture_makes_a_tpm(void **state)
{
	size_t n;

	(void)state;
	assert_false(powered());
	assert_int_equal(eng_power_on(), VT_E_STATE);
	assert_null(eng_permanent(&n));
	assert_int_equal(eng_set_permanent(TPM_VER_20, NULL, 0), VT_E_FORMAT);
	assert_int_equal(eng_power_on(), VT_E_STATE);
	assert_int_equal(eng_manufacture(3), VT_E_UNSUPPORTED);
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	assert_true(powered());
	assert_true(eng_changed());
	assert_false(eng_changed());
	assert_non_null(eng_permanent(&n));
	eng_forget();
	assert_null(eng_permanent(&n));
	assert_int_equal(eng_power_on(), VT_E_STATE);
}

/* libtpms has no checksum there; the seal does.  Whatever it makes of cut
 * bytes, it is refused and no new TPM comes of it. */
static void
cut_state_is_not_replaced_by_a_new_one(void **state)
{
	uint8_t *copy;
	const uint8_t *p;
	size_t n, i;

	(void)state;
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	p = eng_permanent(&n);
	copy = malloc(n);
	assert_non_null(copy);
	memcpy(copy, p, n);
	eng_power_off();
	for (i = 1; i < n; i += 37) {
		assert_int_equal(eng_set_permanent(TPM_VER_20, copy, i), VT_OK);
		assert_int_equal(eng_power_on(), VT_E_TPM);
		assert_false(powered());
		assert_false(eng_changed());
	}
	assert_int_equal(eng_set_permanent(TPM_VER_20, copy, n), VT_OK);
	assert_int_equal(eng_power_on(), VT_OK);
	free(copy);
}

static void
power_cycle_keeps_seeds_and_changes_nothing(void **state)
{
	uint8_t *before;
	const uint8_t *p;
	size_t n, m;

	(void)state;
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	(void)eng_changed();
	p = eng_permanent(&n);
	before = malloc(n);
	assert_non_null(before);
	memcpy(before, p, n);
	eng_power_off();
	assert_int_equal(eng_power_on(), VT_OK);
	assert_false(eng_changed()); /* it was stored, but is the same */
	p = eng_permanent(&m);
	assert_int_equal(n, m);
	assert_memory_equal(before, p, n);
	free(before);
	assert_int_equal(tcmd_startup(0), VT_OK);
	assert_true(eng_changed());
	assert_int_equal(tcmd_startup(0), VT_E_TPM); /* once */
}

static void
volatile_state_resumes_once(void **state)
{
	uint8_t a[RANDOM_LEN], *vol;
	size_t n;

	(void)state;
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK);
	assert_int_equal(eng_get_volatile(&vol, &n), VT_OK);
	eng_power_off();
	assert_int_equal(eng_set_volatile(vol, n), VT_OK);
	assert_int_equal(eng_power_on(), VT_OK);
	get_random(a); /* started */
	eng_power_off();
	assert_int_equal(eng_power_on(), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK); /* not resumed again */
	eng_power_off();
	vol[n / 2] ^= 1;
	assert_int_equal(eng_set_volatile(vol, n), VT_OK);
	assert_int_equal(eng_power_on(), VT_E_TPM);
	assert_int_equal(eng_power_on(), VT_OK); /* it was forgotten */
	free(vol);
}

/* Law 9: the very reason why the worker stirs. */
static void
resumed_generator_repeats_itself_unless_it_is_stirred(void **state)
{
	uint8_t a[RANDOM_LEN], b[RANDOM_LEN], *vol;
	size_t n;

	(void)state;
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK);
	assert_int_equal(eng_get_volatile(&vol, &n), VT_OK);
	get_random(a);
	eng_power_off();
	assert_int_equal(eng_set_volatile(vol, n), VT_OK);
	assert_int_equal(eng_power_on(), VT_OK);
	get_random(b);
	assert_memory_equal(a, b, sizeof(a));
	eng_power_off();
	assert_int_equal(eng_set_volatile(vol, n), VT_OK);
	assert_int_equal(eng_power_on(), VT_OK);
	assert_int_equal(tcmd_stir(), VT_OK);
	get_random(b);
	assert_memory_not_equal(a, b, sizeof(a));
	free(vol);
}

static void
states_of_the_wrong_moment_are_refused(void **state)
{
	const uint8_t *resp;
	uint8_t cmd[12] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8 };
	uint8_t *vol;
	size_t n;

	(void)state;
	assert_int_equal(
	    eng_process(0, cmd, sizeof(cmd), &resp, &n), VT_E_STATE);
	assert_int_equal(eng_get_volatile(&vol, &n), VT_E_STATE);
	assert_int_not_equal(eng_hash_start(), 0);
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	assert_int_equal(eng_set_permanent(TPM_VER_20, cmd, 12), VT_E_STATE);
	assert_int_equal(eng_power_on(), VT_E_STATE);
	eng_cancel(); /* nothing runs */
	assert_int_equal(eng_process(0, cmd, sizeof(cmd), &resp, &n), VT_OK);
	assert_int_equal(tp_response_code(resp, n), RC_INITIALIZE);
}

static void
both_versions_take_turns(void **state)
{
	struct tcmd c;
	struct rd r;

	(void)state;
	assert_int_equal(eng_manufacture(TPM_VER_12), VT_OK);
	assert_false(eng_is_tpm2());
	assert_int_equal(tcmd_startup(0), VT_OK);
	assert_int_equal(tcmd_stir(), VT_OK);
	tcmd_begin(&c, TAG_RQU, ORD_PcrRead);
	wr_be32(&c.w, 0);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	assert_int_equal(r.left, 20);
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	assert_true(eng_is_tpm2());
	assert_int_equal(tcmd_startup(0), VT_OK);
	assert_int_equal(tcmd_stir(), VT_OK);
}

/* vtpm/engine/command_table.c against libtpms' attributes of its commands. */
static void
table_of_commands_agrees_with_libtpms(void **state)
{
	uint32_t i, n, cc, want, stores = 0;
	struct tcmd c;
	struct rd r;

	(void)state;
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK);
	tcmd_begin(&c, ST_NO_SESSIONS, CC_GetCapability);
	wr_be32(&c.w, 2);
	wr_be32(&c.w, 0x11f);
	wr_be32(&c.w, 254);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	assert_int_equal(rd_u8(&r), 0);
	(void)rd_be32(&r);
	n = rd_be32(&r);
	assert_in_range(n, 100, 254);
	for (i = 0; i < n; i++) {
		cc = rd_be32(&r);
		want = cc & 1u << 22; /* nv */
		cc &= 0xffff;
		if ((command_table_flags(true, cc) & CT_PCRS) != 0)
			continue; /* see command_table.h */
		if ((command_table_flags(true, cc) & CT_STORES) != 0)
			stores++;
		if (((command_table_flags(true, cc) & CT_STORES) != 0) !=
		    (want != 0))
			fail_msg("command %x", cc);
	}
	assert_int_equal(rd_end(&r), VT_OK);
	assert_true(stores > 30);
	assert_int_equal(command_table_flags(true, 0x20005654), 0);
	assert_int_equal(command_table_flags(true, 0), 0);
	assert_int_equal(command_table_flags(true, 0xffffffff), 0);
	assert_int_equal(
	    command_table_flags(false, 0x99), CT_STORES | CT_STARTUP);
	assert_int_equal(command_table_flags(false, 0x4000000b), CT_STORES);
}

int
main(void)
{
#define T(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_but_manufacture_makes_a_tpm),
		T(cut_state_is_not_replaced_by_a_new_one),
		T(power_cycle_keeps_seeds_and_changes_nothing),
		T(volatile_state_resumes_once),
		T(resumed_generator_repeats_itself_unless_it_is_stirred),
		T(states_of_the_wrong_moment_are_refused),
		T(both_versions_take_turns),
		T(table_of_commands_agrees_with_libtpms),
	};

	if (eng_init(open("/dev/null", O_WRONLY)) != VT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
