/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys that the guest removed come back with their Names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/provision/provision_keys20.h"

#define CC_Clear 0x126u
#define CC_ChangeEPS 0x124u
#define CC_HierarchyChangeAuth 0x129u

#define H_SRK 0x81000001u
#define H_AK 0x81000003u
#define H_EK_RSA 0x81010001u
#define H_EK_ECC 0x81010002u
#define ALL (PROV_NEW_AK | PROV_EK_ECC | PROV_EK_RSA | PROV_SRK)

static struct prov_keys k;
static struct prov_fail f;

static uint32_t
command(uint32_t code, uint32_t handle, uint32_t other, uint32_t where)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, code);
	wr_be32(&c.w, handle);
	if (other != 0)
		wr_be32(&c.w, other);
	tcmd_auth_empty(&c);
	if (where != 0)
		wr_be32(&c.w, where);
	if (code == CC_HierarchyChangeAuth)
		wr_blob16(&c.w, "secret", 6);
	(void)!tcmd_run(&c, NULL, &r);
	return c.tpm_rc;
}

static void
evict(uint32_t handle)
{
	assert_int_equal(command(CC_EvictControl, RH_OWNER, handle, handle), 0);
}

static void
clear(void)
{
	assert_int_equal(command(CC_Clear, RH_PLATFORM, 0, 0), 0);
}

static void
cycle(void)
{
	assert_int_equal(tcmd_shutdown(false), VT_OK);
	eng_power_off();
	assert_int_equal(eng_power_on(), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK);
}

static bool
holds(uint32_t handle, const uint8_t *pub, size_t len)
{
	const uint8_t *p;
	struct tcmd c;
	struct rd r;
	size_t n;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_ReadPublic);
	wr_be32(&c.w, handle);
	if (tcmd_run(&c, NULL, &r) != VT_OK)
		return false;
	p = rd_blob16(&r, PUB_MAX_LEN, &n);
	assert_int_equal(rd_err(&r), VT_OK);
	return pub == NULL || (n + 2 == len && memcmp(p, pub + 2, n) == 0);
}

static bool
identity_is_there(void)
{
	return holds(H_AK, k.ak, k.ak_len) &&
	       holds(H_EK_ECC, k.ek_ecc, k.ek_ecc_len) &&
	       holds(H_EK_RSA, k.ek_rsa, k.ek_rsa_len);
}

/* Transient objects, and sessions of either kind. */
static void
nothing_stays_loaded(void)
{
	static const uint32_t kinds[] = { 0x80000000, 0x02000000, 0x03000000 };
	struct tcmd c;
	struct rd r;
	size_t i;

	for (i = 0; i < VT_NELEM(kinds); i++) {
		tcmd_begin(&c, ST_NO_SESSIONS, CC_GetCapability);
		wr_be32(&c.w, 1); /* TPM_CAP_HANDLES */
		wr_be32(&c.w, kinds[i]);
		wr_be32(&c.w, 16);
		assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
		(void)rd_u8(&r);
		(void)rd_be32(&r);
		assert_int_equal(rd_be32(&r), 0);
	}
}

static uint8_t srk = WSRK_ECC; /* that the TPM was made with */

static void
repair(int want_rc, unsigned int want_made)
{
	unsigned int made = 99;

	cycle();
	int rc = prov20_repair(srk, &k, &made, &f);

	if (rc != want_rc)
		print_message("could not %s: 0x%x\n", f.step, f.tpm_rc);
	assert_int_equal(rc, want_rc);
	assert_int_equal(made, want_made);
	nothing_stays_loaded();
}

static int
setup(void **state)
{
	(void)state;
	if (eng_init(open("/dev/null", O_WRONLY | O_CLOEXEC)) != VT_OK ||
	    prov_make(TPM_VER_20, 0, WSRK_ECC, &k, &f) != VT_OK ||
	    eng_power_on() != VT_OK || tcmd_startup(0) != VT_OK)
		return -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	eng_forget();
	return 0;
}

/* TPM_ALG_ID of the SRK; 0: there is none. */
static uint16_t
srk_type(void)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_ReadPublic);
	wr_be32(&c.w, H_SRK);
	if (tcmd_run(&c, NULL, &r) != VT_OK)
		return 0;
	(void)rd_be16(&r);
	return rd_be16(&r);
}

/* What stock software makes for itself must find the place empty. */
static void
the_srk_is_the_one_that_was_asked_for_and_comes_back_so(void **state)
{
	static const uint16_t type[] = {
		[WSRK_NONE] = 0, [WSRK_ECC] = 0x23, [WSRK_RSA] = 0x01
	};

	(void)state;
	for (srk = WSRK_NONE; srk <= WSRK_RSA; srk++) {
		eng_forget();
		assert_int_equal(prov_make(TPM_VER_20, 0, srk, &k, &f), VT_OK);
		assert_int_equal(eng_power_on(), VT_OK);
		assert_int_equal(tcmd_startup(0), VT_OK);
		assert_int_equal(srk_type(), type[srk]);
		clear();
		assert_int_equal(srk_type(), 0);
		repair(VT_OK, srk == WSRK_NONE ? ALL & ~PROV_SRK : ALL);
		assert_int_equal(srk_type(), type[srk]);
	}
	srk = WSRK_ECC;
}

static void
nothing_removed_is_nothing_done(void **state)
{
	(void)state;
	repair(VT_OK, 0);
	assert_true(identity_is_there());
}

static void
a_cleared_tpm_has_its_eks_and_a_new_ak(void **state)
{
	struct prov_keys before;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		before = k;
		clear();
		assert_false(holds(H_AK, NULL, 0));
		assert_false(holds(H_EK_RSA, NULL, 0));
		repair(VT_OK, ALL);
		assert_true(identity_is_there());
		assert_true(holds(H_SRK, NULL, 0));
		assert_memory_not_equal(k.ak, before.ak, k.ak_len);
		repair(VT_OK, 0);
		/* and the new one is evicted as well as the first one was */
		evict(H_AK);
		repair(VT_OK, PROV_AK);
		assert_true(identity_is_there());
	}
}

static void
an_evicted_key_comes_back_alone(void **state)
{
	static const struct {
		uint32_t handle;
		unsigned int made;
	} keys[] = {
		{ H_AK, PROV_AK }, { H_EK_ECC, PROV_EK_ECC },
		{ H_EK_RSA, PROV_EK_RSA },
		{ H_SRK, 0 }, /* the guest's own affair */
	};
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(keys); i++) {
		evict(keys[i].handle);
		repair(VT_OK, keys[i].made);
		assert_true(identity_is_there());
	}
	assert_false(holds(H_SRK, NULL, 0));
}

/* A primary key of the owner's, made persistent at this handle. */
static void
put_another(uint32_t where)
{
	static const uint8_t tmpl[] = { 0x00, 0x23, 0x00, 0x0b, 0x00, 0x05,
		0x04, 0x72, 0, 0, 0x00, 0x10, 0x00, 0x18, 0x00, 0x0b, 0x00,
		0x03, 0x00, 0x10, 0, 0, 0, 0 };
	uint32_t h = 0;
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_CreatePrimary);
	wr_be32(&c.w, RH_OWNER);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 4);
	wr_be32(&c.w, 0);
	wr_blob16(&c.w, tmpl, sizeof(tmpl));
	wr_be16(&c.w, 0);
	wr_be32(&c.w, 0);
	assert_int_equal(tcmd_run(&c, &h, &r), VT_OK);
	assert_int_equal(command(CC_EvictControl, RH_OWNER, h, where), 0);
}

/* Nor does the AK need the EK's place to be the EK's. */
static void
the_guests_own_keys_stay_where_they_are(void **state)
{
	(void)state;
	evict(H_EK_ECC);
	evict(H_AK);
	put_another(H_EK_ECC);
	repair(VT_OK, PROV_AK);
	assert_true(holds(H_AK, k.ak, k.ak_len));
	assert_true(holds(H_EK_ECC, NULL, 0));
	assert_false(holds(H_EK_ECC, k.ek_ecc, k.ek_ecc_len));
	evict(H_AK);
	put_another(H_AK);
	repair(VT_E_EXISTS, 0);
	assert_true(holds(H_AK, NULL, 0));
	assert_false(holds(H_AK, k.ak, k.ak_len));
	assert_non_null(strstr(f.step, "another key at 0x81000003"));
}

static void
a_password_of_the_owner_is_named(void **state)
{
	(void)state;
	evict(H_AK);
	assert_int_equal(command(CC_HierarchyChangeAuth, RH_OWNER, 0, 0), 0);
	repair(VT_E_TPM, 0);
	assert_int_equal(f.tpm_rc, RC_BAD_AUTH);
	assert_string_equal(f.step, "make a key persistent");
	clear();
	repair(VT_OK, ALL);
	assert_true(identity_is_there());
}

static void
another_endorsement_seed_is_another_identity(void **state)
{
	(void)state;
	assert_int_equal(command(CC_ChangeEPS, RH_PLATFORM, 0, 0), 0);
	repair(VT_E_AUTH, 0);
	assert_false(holds(H_AK, NULL, 0));
	assert_non_null(strstr(f.step, "TPM2_ChangeEPS"));
}

/* Of a state that was stored before its private part was kept. */
static void
without_its_private_part_a_new_ak_is_made(void **state)
{
	struct prov_keys before = k;

	(void)state;
	evict(H_AK);
	k.ak_private_len = 0;
	repair(VT_OK, PROV_NEW_AK);
	assert_true(identity_is_there());
	assert_memory_not_equal(k.ak, before.ak, k.ak_len);
	assert_true(k.ak_private_len > 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_removed_is_nothing_done),
		T(a_cleared_tpm_has_its_eks_and_a_new_ak),
		T(the_srk_is_the_one_that_was_asked_for_and_comes_back_so),
		T(an_evicted_key_comes_back_alone),
		T(the_guests_own_keys_stay_where_they_are),
		T(a_password_of_the_owner_is_named),
		T(another_endorsement_seed_is_another_identity),
		T(without_its_private_part_a_new_ak_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
