/* SPDX-License-Identifier: BSD-3-Clause */
/* Power that the host lost is charged to no guest; wrong passwords are. */
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
#include "vtpm/engine/orderly.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/provision/provision.h"

#define CC_NV_Increment 0x134u
#define CC_ReadClock 0x181u
#define NV_SECRET 0x01500001u  /* with a password, under DA protection */
#define NV_COUNTER 0x01500002u /* a counter that is kept in RAM */
/* AUTHREAD AUTHWRITE; AUTHREAD AUTHWRITE, counter, NO_DA, ORDERLY */
#define SECRET_ATTRS 0x00040004u
#define COUNTER_ATTRS 0x06040014u
#define RC_AUTH_FAIL 0x98eu /* session 1 */
#define RC_RETRY 0x922u
#define RC_LOCKOUT 0x921u
#define TRIES 32 /* as provisioned */

static void
define(uint32_t index, uint32_t attrs, const char *password)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_NV_DefineSpace);
	wr_be32(&c.w, RH_OWNER);
	tcmd_auth_empty(&c);
	wr_blob16(&c.w, password, strlen(password));
	wr_be16(&c.w, 14);
	wr_be32(&c.w, index);
	wr_be16(&c.w, ALG_SHA256);
	wr_be32(&c.w, attrs);
	wr_be16(&c.w, 0);
	wr_be16(&c.w, 8);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
}

/* NV_Write or NV_Increment by the index's own password; the TPM's code. */
static uint32_t
use_once(uint32_t code, uint32_t index, const char *password)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, code);
	wr_be32(&c.w, index);
	wr_be32(&c.w, index);
	wr_be32(&c.w, 9 + (uint32_t)strlen(password));
	wr_be32(&c.w, RS_PW);
	wr_be16(&c.w, 0);
	wr_u8(&c.w, 0);
	wr_blob16(&c.w, password, strlen(password));
	if (code == CC_NV_Write) {
		wr_blob16(&c.w, "12345678", 8);
		wr_be16(&c.w, 0);
	}
	(void)!tcmd_run(&c, NULL, &r);
	return c.tpm_rc;
}

/* The first use since Startup is noted in NV memory and asked for again. */
static uint32_t
use(uint32_t code, uint32_t index, const char *password)
{
	uint32_t rc = use_once(code, index, password);

	return rc == RC_RETRY ? use_once(code, index, password) : rc;
}

static uint32_t
guess(const char *password)
{
	return use(CC_NV_Write, NV_SECRET, password);
}

static uint32_t
property(uint32_t which)
{
	uint32_t v = UINT32_MAX;

	assert_int_equal(tcmd_property(which, &v), VT_OK);
	return v;
}

static uint32_t
counted(void)
{
	return property(PT_LOCKOUT_COUNTER);
}

static void
start(void)
{
	assert_int_equal(eng_power_on(), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK);
}

/* The process ends; what was stored is all there is. */
static void
lose_power(void)
{
	size_t len;
	const uint8_t *p = eng_permanent(&len);
	uint8_t *copy = malloc(len);

	assert_non_null(copy);
	memcpy(copy, p, len);
	eng_forget();
	assert_int_equal(eng_set_permanent(TPM_VER_20, copy, len), VT_OK);
	free(copy);
}

static void
crash(void)
{
	lose_power();
	assert_int_equal(orderly_make(), VT_OK);
	start();
}

static int
setup(void **state)
{
	struct prov_fail f = { "", 0 };
	struct prov_keys k;

	(void)state;
	if (eng_init(open("/dev/null", O_WRONLY | O_CLOEXEC)) != VT_OK ||
	    prov_make(TPM_VER_20, 0, WSRK_NONE, &k, &f) != VT_OK)
		return -1;
	start();
	define(NV_SECRET, SECRET_ATTRS, "right");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	eng_forget();
	return 0;
}

static void
a_new_tpm_takes_32_wrong_passwords(void **state)
{
	(void)state;
	assert_int_equal(property(PT_MAX_AUTH_FAIL), TRIES);
	assert_int_equal(property(PT_LOCKOUT_INTERVAL), 600);
	assert_int_equal(counted(), 0);
}

/* Else these tests would prove nothing. */
static void
libtpms_charges_for_lost_power(void **state)
{
	(void)state;
	assert_int_equal(guess("right"), 0);
	lose_power();
	start();
	assert_int_equal(counted(), 1);
}

static void
lost_power_is_not_charged(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < TRIES + 3; i++) {
		assert_int_equal(guess("right"), 0);
		crash();
		assert_int_equal(counted(), 0);
	}
	assert_int_equal(guess("right"), 0);
}

/* The attack: crash the worker, or the hypervisor, after each wrong guess. */
static void
wrong_passwords_stay_counted(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 1; i <= TRIES; i++) {
		assert_int_equal(guess("wrong"), RC_AUTH_FAIL);
		assert_int_equal(counted(), i);
		crash();
		assert_int_equal(counted(), i);
	}
	assert_int_equal(guess("right"), RC_LOCKOUT);
	crash();
	assert_int_equal(guess("right"), RC_LOCKOUT);
	assert_int_equal(property(PT_PERMANENT) & PERMANENT_IN_LOCKOUT,
	    PERMANENT_IN_LOCKOUT);
}

static void
a_state_that_is_charged_nothing_stays_as_it_is(void **state)
{
	uint8_t *before;
	const uint8_t *p;
	size_t len, n;
	int shut;

	(void)state;
	for (shut = 0; shut < 2; shut++) {
		if (shut) {
			assert_int_equal(guess("right"), 0);
			assert_int_equal(tcmd_shutdown(false), VT_OK);
			assert_true(eng_is_orderly());
		}
		lose_power();
		assert_false(eng_is_orderly());
		p = eng_permanent(&len);
		assert_non_null(before = malloc(len));
		memcpy(before, p, len);
		assert_int_equal(orderly_make(), VT_OK);
		p = eng_permanent(&n);
		assert_int_equal(n, len);
		assert_memory_equal(p, before, len);
		free(before);
		start();
	}
}

static void
read_clock(uint32_t *resets, uint8_t *safe)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_ReadClock);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	(void)rd_be64(&r); /* time */
	(void)rd_be64(&r); /* clock */
	*resets = rd_be32(&r);
	(void)rd_be32(&r); /* restarts */
	*safe = rd_u8(&r);
	assert_int_equal(rd_end(&r), VT_OK);
}

/* The guest may have seen a later time, and a crash is one reset. */
static void
the_clock_is_not_called_safe(void **state)
{
	uint32_t before, after;
	uint8_t safe;

	(void)state;
	assert_int_equal(tcmd_shutdown(false), VT_OK);
	lose_power();
	start();
	read_clock(&before, &safe);
	assert_int_equal(safe, 1);
	assert_int_equal(guess("right"), 0);
	crash();
	read_clock(&after, &safe);
	assert_int_equal(safe, 0);
	assert_int_equal(after, before + 1);
}

static uint64_t
read_counter(void)
{
	const uint8_t *p;
	struct tcmd c;
	struct rd r;
	size_t n;

	assert_int_equal(use(CC_NV_Increment, NV_COUNTER, ""), 0);
	tcmd_begin(&c, ST_SESSIONS, CC_NV_Read);
	wr_be32(&c.w, NV_COUNTER);
	wr_be32(&c.w, NV_COUNTER);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 8);
	wr_be16(&c.w, 0);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	p = rd_blob16(&r, 8, &n);
	assert_int_equal(n, 8);
	return (uint64_t)be32_get(p) << 32 | be32_get(p + 4);
}

static void
counters_in_ram_never_go_back(void **state)
{
	uint64_t last = 0, now;
	int i, k;

	(void)state;
	define(NV_COUNTER, COUNTER_ATTRS, "");
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 40; k++) {
			now = read_counter();
			assert_true(now > last);
			last = now;
		}
		assert_int_equal(guess("right"), 0);
		crash();
	}
	assert_int_equal(counted(), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_tpm_takes_32_wrong_passwords),
		T(libtpms_charges_for_lost_power),
		T(lost_power_is_not_charged),
		T(wrong_passwords_stay_counted),
		T(a_state_that_is_charged_nothing_stays_as_it_is),
		T(the_clock_is_not_called_safe),
		T(counters_in_ram_never_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
