/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TPM at every limit of its memory can be powered on again: a state that the
 * engine stores is one that it loads (law 3 promises nothing else).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/crypto.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/state/state.h"

#define NV_FIRST 0x01500000u
#define NV_LARGEST 2048   /* bytes of one index */
#define ALLOC_MAX 0x20000 /* libtpms' TPM_Malloc() gives no more */

static int
teardown(void **state)
{
	(void)state;
	eng_forget();
	return 0;
}

static void
make(void)
{
	assert_int_equal(eng_manufacture(TPM_VER_20), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK);
}

static int
define(uint32_t i, uint16_t len)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_NV_DefineSpace);
	wr_be32(&c.w, RH_OWNER);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 0);
	wr_be16(&c.w, 14);
	wr_be32(&c.w, NV_FIRST + i);
	wr_be16(&c.w, ALG_SHA256);
	wr_be32(&c.w, 0x02020002); /* owner reads and writes, NO_DA */
	wr_be16(&c.w, 0);
	wr_be16(&c.w, len);
	return tcmd_run(&c, NULL, &r);
}

static void
fill(uint32_t i, uint16_t len)
{
	static uint8_t data[1024];
	uint16_t off, n;
	struct tcmd c;
	struct rd r;

	memset(data, (int)(i + 1), sizeof(data));
	for (off = 0; off < len; off = (uint16_t)(off + n)) {
		n = (uint16_t)(len - off < 1024 ? len - off : 1024);
		tcmd_begin(&c, ST_SESSIONS, CC_NV_Write);
		wr_be32(&c.w, RH_OWNER);
		wr_be32(&c.w, NV_FIRST + i);
		tcmd_auth_empty(&c);
		wr_blob16(&c.w, data, n);
		wr_be16(&c.w, off);
		assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	}
}

/* Returns how many indices of len bytes there was room for. */
static uint32_t
fill_indices(uint32_t first, uint16_t len)
{
	uint32_t i;

	for (i = first; define(i, len) == VT_OK; i++)
		fill(i, len);
	return i - first;
}

static void
expect_index(uint32_t i, uint16_t len)
{
	struct tcmd c;
	struct rd r;
	const uint8_t *p;
	size_t n;

	tcmd_begin(&c, ST_SESSIONS, CC_NV_Read);
	wr_be32(&c.w, RH_OWNER);
	wr_be32(&c.w, NV_FIRST + i);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 16);
	wr_be16(&c.w, (uint16_t)(len - 16));
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	p = rd_blob16(&r, 16, &n);
	assert_int_equal(n, 16);
	for (n = 0; n < 16; n++)
		assert_int_equal(p[n], (uint8_t)(i + 1));
}

/* An ECC primary of the owner's hierarchy; each salt gives another key. */
static int
primary(uint32_t salt, uint32_t *ret)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_CreatePrimary);
	wr_be32(&c.w, RH_OWNER);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 4);
	wr_be32(&c.w, 0);
	wr_be16(&c.w, 28);     /* TPMT_PUBLIC */
	wr_be16(&c.w, 0x0023); /* ECC */
	wr_be16(&c.w, ALG_SHA256);
	wr_be32(&c.w, 0x00050472); /* restricted signing key */
	wr_be16(&c.w, 0);
	wr_be16(&c.w, 0x0010); /* no symmetric algorithm */
	wr_be16(&c.w, 0x0018); /* ECDSA */
	wr_be16(&c.w, ALG_SHA256);
	wr_be16(&c.w, 0x0003); /* P-256 */
	wr_be16(&c.w, 0x0010); /* no KDF */
	wr_be16(&c.w, 4);      /* unique: x */
	wr_be32(&c.w, salt);
	wr_be16(&c.w, 0);
	wr_be16(&c.w, 0);
	wr_be32(&c.w, 0);
	return tcmd_run(&c, ret, &r);
}

static void
flush(uint32_t handle)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_FlushContext);
	wr_be32(&c.w, handle);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
}

static uint32_t
fill_persistent(void)
{
	struct tcmd c;
	struct rd r;
	uint32_t h = 0, n;
	int rc;

	for (n = 0;; n++) {
		assert_int_equal(primary(n, &h), VT_OK);
		tcmd_begin(&c, ST_SESSIONS, CC_EvictControl);
		wr_be32(&c.w, RH_OWNER);
		wr_be32(&c.w, h);
		tcmd_auth_empty(&c);
		wr_be32(&c.w, 0x81000100 + n);
		rc = tcmd_run(&c, NULL, &r);
		flush(h);
		if (rc != VT_OK)
			return n;
	}
}

/* As a worker that was stopped and another one that is started; returns the
 * size of the permanent state. */
static size_t
load_again(void)
{
	const uint8_t *p;
	uint8_t *copy;
	size_t len;

	assert_int_equal(tcmd_shutdown(false), VT_OK);
	eng_power_off();
	p = eng_permanent(&len);
	assert_in_range(len, 1, ENG_STATE_MAX);
	copy = malloc(len);
	assert_non_null(copy);
	memcpy(copy, p, len);
	eng_forget();
	assert_int_equal(eng_set_permanent(TPM_VER_20, copy, len), VT_OK);
	assert_int_equal(eng_power_on(), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK);
	free(copy);
	return len;
}

static void
nv_full_of_large_indices_loads_again(void **state)
{
	uint32_t n;

	(void)state;
	make();
	n = fill_indices(0, NV_LARGEST);
	assert_true(n > 50);
	assert_true(load_again() > ALLOC_MAX); /* else this tests nothing */
	expect_index(0, NV_LARGEST);
	expect_index(n - 1, NV_LARGEST);
}

static void
nv_full_of_indices_of_all_sizes_loads_again(void **state)
{
	uint32_t n = 0;
	uint16_t len;

	(void)state;
	make();
	for (len = NV_LARGEST; len >= 16; len = (uint16_t)(len / 2))
		n += fill_indices(n, len);
	assert_true(load_again() > ALLOC_MAX);
	expect_index(0, NV_LARGEST);
	expect_index(n - 1, 16);
}

static void
nv_full_of_keys_and_indices_loads_again(void **state)
{
	uint32_t h = 0, n;

	(void)state;
	make();
	assert_true(fill_persistent() > 3);
	n = fill_indices(0, 16);
	assert_true(n > 0);
	(void)load_again();
	expect_index(0, 16);
	expect_index(n - 1, 16);
	assert_int_equal(primary(1, &h), VT_OK);
}

static void
start_sessions(void)
{
	static const uint8_t nonce[16];
	struct tcmd c;
	struct rd r;
	uint32_t h;

	do {
		tcmd_begin(&c, ST_NO_SESSIONS, CC_StartAuthSession);
		wr_be32(&c.w, RH_NULL);
		wr_be32(&c.w, RH_NULL);
		wr_blob16(&c.w, nonce, sizeof(nonce));
		wr_be16(&c.w, 0);
		wr_u8(&c.w, 1);
		wr_be16(&c.w, 0x0010);
		wr_be16(&c.w, ALG_SHA256);
	} while (tcmd_run(&c, &h, &r) == VT_OK);
}

/* With NV full as well: what a snapshot or a hibernation takes out. */
static void
the_largest_volatile_state_resumes(void **state)
{
	const uint8_t *p;
	uint8_t *perm, *vol;
	uint32_t h = 0, i;
	size_t plen, vlen;

	(void)state;
	make();
	(void)fill_indices(0, NV_LARGEST);
	start_sessions();
	for (i = 0; primary(i, &h) == VT_OK; i++)
		;
	assert_true(i >= 2);
	assert_int_equal(eng_get_volatile(&vol, &vlen), VT_OK);
	p = eng_permanent(&plen);
	perm = malloc(plen);
	assert_non_null(perm);
	memcpy(perm, p, plen);
	/* beside the journal, the launch and the quotes it still is sealed */
	assert_in_range(
	    vlen, 1, STATE_PLAIN_MAX - 256 * 1024 - 2 * RECORD_MAX_LEN - 4096);
	eng_forget();
	assert_int_equal(eng_set_permanent(TPM_VER_20, perm, plen), VT_OK);
	assert_int_equal(eng_set_volatile(vol, vlen), VT_OK);
	assert_int_equal(eng_power_on(), VT_OK);
	flush(h); /* the objects are there, no Startup was needed */
	expect_index(0, NV_LARGEST);
	free(perm);
	free(vol);
}

int
main(void)
{
#define T(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		T(nv_full_of_large_indices_loads_again),
		T(nv_full_of_indices_of_all_sizes_loads_again),
		T(nv_full_of_keys_and_indices_loads_again),
		T(the_largest_volatile_state_resumes),
	};

	if (eng_init(open("/dev/null", O_WRONLY | O_CLOEXEC)) != VT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
