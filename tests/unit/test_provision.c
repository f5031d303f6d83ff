/* SPDX-License-Identifier: BSD-3-Clause */
/* New TPMs: keys, banks, certificates, and what they can do afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/crypto.h"
#include "measure/tpm/pcr.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"
#include "vtpm/provision/provision.h"
#include "vtpm/provision/provision_tpm20.h"
#include "vtpm/engine/tpm_command.h"

static uint8_t der[3][CERT_MAX_LEN], issuer[600];
static uint32_t issuer_len; /* 0: the CA itself signed */
static struct wcerts certs;

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
make(uint8_t version, uint8_t banks, struct prov_keys *k)
{
	struct prov_fail f;
	int rc = prov_make(version, banks, WSRK_ECC, k, &f);

	if (rc != VT_OK)
		fail_msg("%s: %d, TPM code 0x%x", f.step, rc, f.tpm_rc);
	assert_false(powered());
}

static void
write_certs(uint32_t n)
{
	struct prov_fail f;
	uint32_t i;
	int rc;

	memset(&certs, 0, sizeof(certs));
	certs.n = n;
	for (i = 0; i < n; i++) {
		memset(der[i], (int)(0x31 + i), sizeof(der[i]));
		certs.certs[i].which = (uint8_t)(WCERT_EK_RSA + i);
		certs.certs[i].der.p = der[i];
		certs.certs[i].der.len = 2048 - 400 * i;
	}
	memset(issuer, 0x39, sizeof(issuer));
	certs.issuer = (struct wblob){ issuer, issuer_len };
	rc = prov_certs(&certs, &f);
	if (rc != VT_OK)
		fail_msg("%s: %d, TPM code 0x%x", f.step, rc, f.tpm_rc);
	assert_false(powered());
}

static void
start(void)
{
	assert_int_equal(eng_power_on(), VT_OK);
	assert_int_equal(tcmd_startup(0), VT_OK);
}

static uint32_t
active_banks(void)
{
	static const uint16_t algs[] = { ALG_SHA1, ALG_SHA256, ALG_SHA384,
		ALG_SHA512 };
	uint32_t i, j, n, mask = 0;
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_GetCapability);
	wr_be32(&c.w, 5);
	wr_be32(&c.w, 0);
	wr_be32(&c.w, 16);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	(void)rd_u8(&r);
	(void)rd_be32(&r);
	n = rd_be32(&r);
	for (i = 0; i < n; i++) {
		uint16_t alg = rd_be16(&r);

		assert_int_equal(rd_u8(&r), 3);
		if (rd_be16(&r) == 0xffff && rd_u8(&r) == 0xff) {
			for (j = 0; j < 4; j++)
				if (algs[j] == alg)
					mask |= 1u << j;
		} else if (r.left > 0 && r.p[-1] == 0) {
			(void)rd_u8(&r);
		}
	}
	return mask;
}

static void
banks_are_what_was_asked_for(void **state)
{
	/* clang-format off */
	static const struct { uint8_t ask; uint32_t want; } cases[] = {
		{ 0,				BANK_SHA256 },
		{ BANK_SHA256,			BANK_SHA256 },
		{ BANK_SHA256 | BANK_SHA384,	BANK_SHA256 | BANK_SHA384 },
		{ BANK_SHA1 | BANK_SHA512,	BANK_SHA1 | BANK_SHA512 },
	};
	/* clang-format on */
	struct prov_keys k;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		make(TPM_VER_20, cases[i].ask, &k);
		start();
		assert_int_equal(active_banks(), cases[i].want);
		eng_power_off();
	}
}

/* Offsets in TPM2B_PUBLIC: size 0, type 2, nameAlg 4, attributes 6. */
static void
expect_public(const uint8_t *p, size_t len, uint16_t type, uint32_t attrs)
{
	assert_int_equal(be16_get(p), len - 2);
	assert_int_equal(be16_get(p + 2), type);
	assert_int_equal(be16_get(p + 4), ALG_SHA256);
	assert_int_equal(be32_get(p + 6), attrs);
}

static void
keys_follow_their_templates(void **state)
{
	/* PolicyA: PolicySecret(TPM_RH_ENDORSEMENT) */
	static const uint8_t policy_a[8] = { 0x83, 0x71, 0x97, 0x67, 0x44, 0x84,
		0xb3, 0xf8 };
	struct prov_keys k, k2;

	(void)state;
	make(TPM_VER_20, 0, &k);
	expect_public(k.ek_rsa, k.ek_rsa_len, 0x0001, 0x000300b2);
	expect_public(k.ek_ecc, k.ek_ecc_len, 0x0023, 0x000300b2);
	expect_public(k.ak, k.ak_len, 0x0023, 0x00050472);
	assert_memory_equal(k.ek_rsa + 12, policy_a, sizeof(policy_a));
	assert_memory_equal(k.ek_ecc + 12, policy_a, sizeof(policy_a));
	make(TPM_VER_20, 0, &k2);
	assert_memory_not_equal(k.ek_rsa + 64, k2.ek_rsa + 64, 64);
	assert_memory_not_equal(k.ek_ecc + 64, k2.ek_ecc + 64, 58);
	assert_memory_not_equal(k.ak + 24, k2.ak + 24, 32);
}

/* The template from its NV index makes the very EK: what tpm2_createek and
 * a verifier's credential activation rely on. */
static void
ek_can_be_made_again_from_its_template(void **state)
{
	struct prov_keys k;
	struct tcmd c;
	struct rd r;
	uint8_t tmpl[256];
	const uint8_t *p;
	uint32_t h;
	size_t n;

	(void)state;
	make(TPM_VER_20, 0, &k);
	write_certs(3);
	start();
	tcmd_begin(&c, ST_SESSIONS, 0x14e); /* NV_Read */
	wr_be32(&c.w, 0x01c0000c);
	wr_be32(&c.w, 0x01c0000c);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 122);
	wr_be16(&c.w, 0);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	p = rd_blob16(&r, sizeof(tmpl), &n);
	assert_int_equal(n, 122);
	memcpy(tmpl, p, n);
	tcmd_begin(&c, ST_SESSIONS, CC_CreatePrimary);
	wr_be32(&c.w, RH_ENDORSEMENT);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 4);
	wr_be32(&c.w, 0);
	wr_blob16(&c.w, tmpl, n);
	wr_be16(&c.w, 0);
	wr_be32(&c.w, 0);
	assert_int_equal(tcmd_run(&c, &h, &r), VT_OK);
	p = rd_blob16(&r, 256, &n);
	assert_int_equal(n + 2, k.ek_ecc_len);
	assert_memory_equal(p, k.ek_ecc + 2, n);
}

static uint32_t
nv_command(uint32_t code, uint32_t auth, uint32_t index)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, code);
	wr_be32(&c.w, auth);
	wr_be32(&c.w, index);
	tcmd_auth_empty(&c);
	if (code == CC_NV_Write) {
		wr_be16(&c.w, 1);
		wr_u8(&c.w, 0);
		wr_be16(&c.w, 0);
	}
	(void)!tcmd_run(&c, NULL, &r);
	return c.tpm_rc;
}

static void
certificates_are_locked_for_ever(void **state)
{
	static const uint32_t all[] = { 0x01c00002, 0x01c0000a, 0x01c0000c,
		0x01c101d0, 0x01c10002 };
	struct prov_keys k;
	size_t i;

	(void)state;
	make(TPM_VER_20, 0, &k);
	write_certs(3);
	start();
	for (i = 0; i < VT_NELEM(all); i++) {
		/* TPM_RC_NV_LOCKED; the owner may neither write nor remove */
		assert_int_equal(
		    nv_command(CC_NV_Write, RH_PLATFORM, all[i]), 0x148);
		assert_int_not_equal(
		    nv_command(CC_NV_Write, RH_OWNER, all[i]), 0);
		assert_int_not_equal(nv_command(0x122, RH_OWNER, all[i]), 0);
	}
}

static void
state_is_clean_for_the_first_guest(void **state)
{
	struct prov_keys k;
	struct tcmd c;
	struct rd r;
	uint32_t i, n;

	(void)state;
	make(TPM_VER_20, 0, &k);
	write_certs(3);
	start();
	/* TPM_CAP_HANDLES: no transient object, no session left */
	for (i = 0; i < 3; i++) {
		static const uint32_t kinds[] = { 0x80000000, 0x02000000,
			0x03000000 };

		tcmd_begin(&c, ST_NO_SESSIONS, CC_GetCapability);
		wr_be32(&c.w, 1);
		wr_be32(&c.w, kinds[i]);
		wr_be32(&c.w, 16);
		assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
		(void)rd_u8(&r);
		(void)rd_be32(&r);
		n = rd_be32(&r);
		assert_int_equal(n, 0);
	}
	/* no unorderly shutdown counted: TPM_PT_LOCKOUT_COUNTER */
	tcmd_begin(&c, ST_NO_SESSIONS, CC_GetCapability);
	wr_be32(&c.w, 6);
	wr_be32(&c.w, 0x20e);
	wr_be32(&c.w, 1);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	(void)rd_u8(&r);
	(void)rd_be32(&r);
	assert_int_equal(rd_be32(&r), 1);
	assert_int_equal(rd_be32(&r), 0x20e);
	assert_int_equal(rd_be32(&r), 0);
}

/* What stands at an index, at most 1024 bytes of it. */
static int
read_index(uint32_t index, uint16_t len, uint8_t *out)
{
	const uint8_t *p;
	struct tcmd c;
	struct rd r;
	size_t n;
	int rc;

	tcmd_begin(&c, ST_SESSIONS, CC_NV_Read);
	wr_be32(&c.w, index);
	wr_be32(&c.w, index);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, len);
	wr_be16(&c.w, 0);
	if ((rc = tcmd_run(&c, NULL, &r)) != VT_OK)
		return rc;
	p = rd_blob16(&r, 1024, &n);
	assert_int_equal(n, len);
	memcpy(out, p, n);
	return VT_OK;
}

static int
define_index(uint32_t index, uint16_t len)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_NV_DefineSpace);
	wr_be32(&c.w, RH_OWNER);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 0);
	wr_be16(&c.w, 14);
	wr_be32(&c.w, index);
	wr_be16(&c.w, ALG_SHA256);
	wr_be32(&c.w, 0x00020002); /* OWNERREAD OWNERWRITE */
	wr_be16(&c.w, 0);
	wr_be16(&c.w, len);
	return tcmd_run(&c, NULL, &r);
}

static void
the_aks_certificate_can_be_replaced(void **state)
{
	uint8_t fresh[700], got[1024];
	struct wblob b = { fresh, sizeof(fresh) };
	struct prov_fail f;
	struct prov_keys k;

	(void)state;
	make(TPM_VER_20, 0, &k);
	write_certs(3);
	start();
	memset(fresh, 0x77, sizeof(fresh));
	(void)eng_changed();
	assert_int_equal(prov20_cert(WCERT_AK, &b, &f), VT_OK);
	assert_true(eng_changed());
	assert_int_equal(read_index(0x01c101d0, 700, got), VT_OK);
	assert_memory_equal(got, fresh, sizeof(fresh));
	assert_int_equal(read_index(0x01c10002, 700, got), VT_OK);
	assert_memory_equal(got, fresh, sizeof(fresh));
	assert_int_equal(read_index(0x01c10fff, 1, got), VT_E_TPM);
	/* A second time there is nothing to do. */
	(void)eng_changed();
	assert_int_equal(prov20_cert(WCERT_AK, &b, &f), VT_OK);
	assert_false(eng_changed());
	/* A longer one than one NV command carries. */
	/* An EK's likewise, and no other. */
	assert_int_equal(prov20_cert(WCERT_EK_RSA, &b, &f), VT_OK);
	assert_int_equal(read_index(0x01c00002, 700, got), VT_OK);
	assert_memory_equal(got, fresh, sizeof(fresh));
	assert_int_equal(read_index(0x01c0000a, 700, got), VT_OK);
	assert_memory_equal(got, der[1], 700);
	b.p = der[0];
	b.len = 1500;
	assert_int_equal(prov20_cert(WCERT_AK, &b, &f), VT_OK);
	assert_int_equal(read_index(0x01c101d0, 1024, got), VT_OK);
	assert_memory_equal(got, der[0], 1024);
	assert_int_equal(prov20_cert(WCERT_AK, &b, &f), VT_OK);
}

/* A certificate as long as its header says, of bytes v. */
static void
fake_der(uint8_t *p, size_t len, uint8_t v)
{
	memset(p, v, len);
	p[0] = 0x30;
	p[1] = 0x82;
	be16_put(p + 2, (uint16_t)(len - 4));
}

/* Its own key's index has the certificate alone; the issuing key's is where the
 * TCG has chains, the AK's apart, as it may be another. */
static void
the_issuing_keys_certificate_is_in_nv(void **state)
{
	uint8_t chain[1200], got[1024];
	struct wblob b = { chain, 1100 };
	struct prov_fail f;
	struct prov_keys k;

	(void)state;
	make(TPM_VER_20, 0, &k);
	issuer_len = 600;
	write_certs(3);
	issuer_len = 0;
	start();
	assert_int_equal(read_index(0x01c00100, 600, got), VT_OK);
	assert_memory_equal(got, issuer, 600);
	assert_int_equal(read_index(0x01c00101, 1, got), VT_E_TPM);
	fake_der(chain, 700, 0x31);
	fake_der(chain + 700, 400, 0x32);
	assert_int_equal(prov20_cert(WCERT_AK, &b, &f), VT_OK);
	assert_int_equal(read_index(0x01c101d0, 700, got), VT_OK);
	assert_memory_equal(got, chain, 700);
	assert_int_equal(read_index(0x01c101d0, 701, got), VT_E_TPM);
	assert_int_equal(read_index(0x01c00101, 400, got), VT_OK);
	assert_memory_equal(got, chain + 700, 400);
	assert_int_equal(read_index(0x01c00100, 600, got), VT_OK);
	assert_memory_equal(got, issuer, 600);
	(void)eng_changed();
	assert_int_equal(prov20_cert(WCERT_AK, &b, &f), VT_OK);
	assert_false(eng_changed());
	/* Another host's CA. */
	fake_der(chain, 700, 0x33);
	fake_der(chain + 700, 400, 0x34);
	assert_int_equal(prov20_cert(WCERT_EK_ECC, &b, &f), VT_OK);
	assert_int_equal(read_index(0x01c0000a, 700, got), VT_OK);
	assert_memory_equal(got, chain, 700);
	assert_int_equal(read_index(0x01c00100, 400, got), VT_OK);
	assert_memory_equal(got, chain + 700, 400);
}

static void
what_cannot_be_replaced_stays(void **state)
{
	uint8_t got[1024];
	struct wblob b = { der[0], 2000 };
	struct prov_fail f;
	struct prov_keys k;
	uint32_t i;
	struct tcmd c;
	struct rd r;

	(void)state;
	make(TPM_VER_20, 0, &k);
	write_certs(3);
	start();
	for (i = 0; i < 400 && define_index(0x01500000 + i, 1024) == VT_OK; i++)
		;
	assert_in_range(i, 1, 399); /* the guest has filled it up */
	assert_int_equal(prov20_cert(WCERT_AK, &b, &f), VT_E_TPM);
	assert_int_equal(read_index(0x01c101d0, 1024, got), VT_OK);
	assert_memory_equal(got, der[2], 1024);
	/* Firmware has taken the platform hierarchy. */
	make(TPM_VER_20, 0, &k);
	write_certs(3);
	start();
	tcmd_begin(&c, ST_SESSIONS, 0x129); /* HierarchyChangeAuth */
	wr_be32(&c.w, RH_PLATFORM);
	tcmd_auth_empty(&c);
	wr_blob16(&c.w, "secret", 6);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	assert_int_equal(prov20_cert(WCERT_AK, &b, &f), VT_E_TPM);
	assert_int_equal(read_index(0x01c101d0, 1024, got), VT_OK);
	assert_memory_equal(got, der[2], 1024);
}

/* --- TPM 1.2 ----------------------------------------------------------------
 */

static uint32_t
permanent_flags12(uint8_t *ret_disable, uint8_t *ret_deactivated)
{
	struct tcmd c;
	struct rd r;
	uint32_t n;

	tcmd_begin(&c, TAG_RQU, 0x65);
	wr_be32(&c.w, 4); /* TPM_CAP_FLAG */
	wr_be32(&c.w, 4);
	wr_be32(&c.w, 0x108); /* PERMANENT */
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	n = rd_be32(&r);
	assert_int_equal(rd_be16(&r), 0x1f);
	*ret_disable = rd_u8(&r);
	(void)rd_u8(&r); /* ownership */
	*ret_deactivated = rd_u8(&r);
	return n;
}

static void
tpm12_has_an_ek_and_is_enabled(void **state)
{
	uint8_t disable = 9, deactivated = 9;
	struct prov_keys k;
	struct prov_fail f;
	struct tcmd c;
	struct rd r;

	(void)state;
	assert_int_equal(prov_make(TPM_VER_12, BANK_SHA256, WSRK_NONE, &k, &f),
	    VT_E_UNSUPPORTED);
	make(TPM_VER_12, 0, &k);
	assert_int_equal(k.ek_rsa_len, 256);
	assert_int_equal(k.ak_len, 0);
	write_certs(1);
	start();
	assert_true(permanent_flags12(&disable, &deactivated) > 3);
	assert_int_equal(disable, 0);
	assert_int_equal(deactivated, 0);
	/* the certificate's index: 7 bytes of header and the DER */
	tcmd_begin(&c, TAG_RQU, 0x65);
	wr_be32(&c.w, 0x11); /* TPM_CAP_NV_INDEX */
	wr_be32(&c.w, 4);
	wr_be32(&c.w, 0x1000f000);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_OK);
	assert_true(r.left > 4 + 4);
	assert_int_equal(be32_get(r.p + r.left - 4), 2048 + 7);
	/* NV is locked now: nothing can be defined there without its owner */
	tcmd_begin(&c, TAG_RQU, ORD_NV_WriteValue);
	wr_be32(&c.w, 0x1000f000);
	wr_be32(&c.w, 0);
	wr_be32(&c.w, 1);
	wr_u8(&c.w, 0);
	assert_int_equal(tcmd_run(&c, NULL, &r), VT_E_TPM);
}

int
main(void)
{
#define T(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		T(banks_are_what_was_asked_for),
		T(keys_follow_their_templates),
		T(ek_can_be_made_again_from_its_template),
		T(certificates_are_locked_for_ever),
		T(state_is_clean_for_the_first_guest),
		T(the_aks_certificate_can_be_replaced),
		T(the_issuing_keys_certificate_is_in_nv),
		T(what_cannot_be_replaced_stays),
		T(tpm12_has_an_ek_and_is_enabled),
	};

	if (eng_init(open("/dev/null", O_WRONLY)) != VT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
