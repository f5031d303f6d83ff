/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_tpm20.c - banks, keys and certificates of a TPM 2.0.
 */
#include "vtpm/provision/provision_tpm20.h"

#include <string.h>

#include "base/crypto.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/provision/provision_step.h"
#include "vtpm/provision/embed/ak_ecc_hex.h"
#include "vtpm/provision/embed/ek_ecc_hex.h"
#include "vtpm/provision/embed/ek_rsa_hex.h"
#include "vtpm/provision/embed/srk_ecc_hex.h"

#define H_SRK 0x81000001u
#define H_AK 0x81000003u
#define H_EK_RSA 0x81010001u
#define H_EK_ECC 0x81010002u

#define NV_EK_RSA 0x01c00002u
#define NV_EK_ECC 0x01c0000au
#define NV_EK_ECC_TEMPLATE 0x01c0000cu
#define NV_AK_AZURE 0x01c101d0u /* where Azure's clients look */
#define NV_AK_GCE 0x01c10002u   /* where Google's clients look */
#define NV_TRY 0x01c10fffu      /* tried, to see whether there is room */

/* TPMA_NV: PLATFORMCREATE NO_DA AUTHREAD OWNERREAD PPREAD WRITEDEFINE
 * PPWRITE (Part 2, 13.4). */
#define NV_ATTRS 0x42072001u
#define NV_CHUNK 1024 /* MAX_NV_BUFFER_SIZE of libtpms */

#define SE_POLICY 1

/* --- banks -----------------------------------------------------------------
 */

int
prov20_banks(uint8_t banks, struct prov_fail *f)
{
	static const struct {
		uint8_t bit;
		uint16_t alg;
	} all[] = {
		{ BANK_SHA1, ALG_SHA1 },
		{ BANK_SHA256, ALG_SHA256 },
		{ BANK_SHA384, ALG_SHA384 },
		{ BANK_SHA512, ALG_SHA512 },
	};
	struct tcmd c;
	struct rd r;
	size_t i;
	int rc;

	if (banks == 0)
		banks = BANK_SHA256;
	tcmd_begin(&c, ST_SESSIONS, CC_PCR_Allocate);
	wr_be32(&c.w, RH_PLATFORM);
	tcmd_auth_empty(&c);
	wr_be32(&c.w, VT_NELEM(all));
	for (i = 0; i < VT_NELEM(all); i++) {
		uint8_t sel = (banks & all[i].bit) != 0 ? 0xff : 0;

		wr_be16(&c.w, all[i].alg);
		wr_u8(&c.w, 3);
		wr_u8(&c.w, sel);
		wr_u8(&c.w, sel);
		wr_u8(&c.w, sel);
	}
	if ((rc = prov_run(&c, "set the PCR banks", f, NULL, &r)) != VT_OK)
		return rc;
	return rd_u8(&r) == 1 ? VT_OK : VT_E_TPM;
}

/* --- dictionary attack -------------------------------------------------------
 */

/*
 * libtpms manufactures a TPM that 3 wrong authorizations lock out.  Guests'
 * software expects what Windows sets up, and what TPMs for PCs come with: 32
 * of them, and one is forgiven after 10 minutes.  A search still gets 144
 * tries a day.  A wrong lockoutAuth is forgiven after 1,000 s, as before.
 */
#define DA_TRIES 32
#define DA_RECOVERY_S 600
#define DA_LOCKOUT_RECOVERY_S 1000

int
prov20_lockout(struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_DictionaryAttackParameters);
	wr_be32(&c.w, RH_LOCKOUT);
	tcmd_auth_empty(&c);
	wr_be32(&c.w, DA_TRIES);
	wr_be32(&c.w, DA_RECOVERY_S);
	wr_be32(&c.w, DA_LOCKOUT_RECOVERY_S);
	return prov_run(
	    &c, "set the limits of dictionary attack protection", f, NULL, &r);
}

/* --- keys ------------------------------------------------------------------
 */

static int
create_primary(uint32_t hierarchy, const uint8_t *tmpl, size_t len,
    const char *step, struct prov_fail *f, uint32_t *ret_handle)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_CreatePrimary);
	wr_be32(&c.w, hierarchy);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 4); /* inSensitive: no auth, no data */
	wr_be32(&c.w, 0);
	wr_blob16(&c.w, tmpl, len);
	wr_be16(&c.w, 0); /* outsideInfo */
	wr_be32(&c.w, 0); /* creationPCR */
	return prov_run(&c, step, f, ret_handle, &r);
}

static int
flush(uint32_t handle, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_FlushContext);
	wr_be32(&c.w, handle);
	return prov_run(&c, "flush", f, NULL, &r);
}

/* Makes the key persistent and flushes the transient copy. */
static int
persist(uint32_t handle, uint32_t where, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;
	int rc;

	tcmd_begin(&c, ST_SESSIONS, CC_EvictControl);
	wr_be32(&c.w, RH_OWNER);
	wr_be32(&c.w, handle);
	tcmd_auth_empty(&c);
	wr_be32(&c.w, where);
	if ((rc = prov_run(&c, "make a key persistent", f, NULL, &r)) != VT_OK)
		return rc;
	return flush(handle, f);
}

/* The TPM2B_PUBLIC of a loaded key, size field included. */
static int
read_public(uint32_t handle, uint8_t out[PUB_MAX_LEN], uint16_t *ret_len,
    struct prov_fail *f)
{
	const uint8_t *p;
	struct tcmd c;
	struct rd r;
	size_t len;
	int rc;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_ReadPublic);
	wr_be32(&c.w, handle);
	if ((rc = prov_run(&c, "read a public area", f, NULL, &r)) != VT_OK)
		return rc;
	p = rd_blob16(&r, PUB_MAX_LEN - 2, &len);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	be16_put(out, (uint16_t)len);
	memcpy(out + 2, p, len);
	*ret_len = (uint16_t)(len + 2);
	return VT_OK;
}

static int
make_primary(uint32_t hierarchy, const uint8_t *tmpl, size_t len,
    uint32_t where, const char *step, struct prov_fail *f)
{
	uint32_t h = 0;
	int rc;

	rc = create_primary(hierarchy, tmpl, len, step, f, &h);
	return rc == VT_OK ? persist(h, where, f) : rc;
}

static int
start_policy(uint32_t *ret, struct prov_fail *f)
{
	static const uint8_t nonce[16];
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_StartAuthSession);
	wr_be32(&c.w, RH_NULL); /* not salted: there is no bus to listen on */
	wr_be32(&c.w, RH_NULL);
	wr_blob16(&c.w, nonce, sizeof(nonce));
	wr_be16(&c.w, 0);
	wr_u8(&c.w, SE_POLICY);
	wr_be16(&c.w, 0x0010); /* symmetric: TPM_ALG_NULL */
	wr_be16(&c.w, ALG_SHA256);
	return prov_run(&c, "start a policy session", f, ret, &r);
}

/* Satisfies the EK's policy; due before each use of the EK. */
static int
policy_secret(uint32_t session, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_PolicySecret);
	wr_be32(&c.w, RH_ENDORSEMENT);
	wr_be32(&c.w, session);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 0); /* nonceTPM */
	wr_be16(&c.w, 0); /* cpHashA */
	wr_be16(&c.w, 0); /* policyRef */
	wr_be32(&c.w, 0); /* expiration */
	return prov_run(&c, "satisfy the EK's policy", f, NULL, &r);
}

/* Create under the EK; the two TPM2Bs are copied, sizes included. */
static int
create_ak(uint32_t session, uint8_t *out, size_t cap, size_t *ret_len,
    struct prov_fail *f)
{
	const uint8_t *priv, *pub;
	size_t npriv, npub;
	struct tcmd c;
	struct wr w;
	struct rd r;
	int rc;

	if ((rc = policy_secret(session, f)) != VT_OK)
		return rc;
	tcmd_begin(&c, ST_SESSIONS, CC_Create);
	wr_be32(&c.w, H_EK_ECC);
	tcmd_auth_policy(&c, session);
	wr_be16(&c.w, 4);
	wr_be32(&c.w, 0);
	wr_blob16(&c.w, ak_ecc_hex, ak_ecc_hex_len);
	wr_be16(&c.w, 0);
	wr_be32(&c.w, 0);
	if ((rc = prov_run(&c, "create the AK", f, NULL, &r)) != VT_OK)
		return rc;
	priv = rd_blob16(&r, PUB_MAX_LEN, &npriv);
	pub = rd_blob16(&r, PUB_MAX_LEN, &npub);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	wr_init(&w, out, cap);
	wr_blob16(&w, priv, npriv);
	wr_blob16(&w, pub, npub);
	*ret_len = w.len;
	return wr_err(&w);
}

static int
make_ak(struct prov_fail *f)
{
	uint8_t blobs[2 * PUB_MAX_LEN];
	uint32_t session = 0, h = 0;
	struct tcmd c;
	struct rd r;
	size_t len;
	int rc;

	if ((rc = start_policy(&session, f)) != VT_OK ||
	    (rc = create_ak(session, blobs, sizeof(blobs), &len, f)) != VT_OK ||
	    (rc = policy_secret(session, f)) != VT_OK)
		return rc;
	tcmd_begin(&c, ST_SESSIONS, CC_Load);
	wr_be32(&c.w, H_EK_ECC);
	tcmd_auth_policy(&c, session);
	wr_bytes(&c.w, blobs, len);
	if ((rc = prov_run(&c, "load the AK", f, &h, &r)) != VT_OK ||
	    (rc = flush(session, f)) != VT_OK)
		return rc;
	return persist(h, H_AK, f);
}

int
prov20_keys(struct prov_keys *k, struct prov_fail *f)
{
	int rc;

	if ((rc = make_primary(RH_ENDORSEMENT, ek_rsa_hex, ek_rsa_hex_len,
		 H_EK_RSA, "create the RSA EK", f)) != VT_OK ||
	    (rc = make_primary(RH_ENDORSEMENT, ek_ecc_hex, ek_ecc_hex_len,
		 H_EK_ECC, "create the ECC EK", f)) != VT_OK ||
	    (rc = make_primary(RH_OWNER, srk_ecc_hex, srk_ecc_hex_len, H_SRK,
		 "create the SRK", f)) != VT_OK ||
	    (rc = make_ak(f)) != VT_OK)
		return rc;
	if ((rc = read_public(H_EK_RSA, k->ek_rsa, &k->ek_rsa_len, f)) !=
		VT_OK ||
	    (rc = read_public(H_EK_ECC, k->ek_ecc, &k->ek_ecc_len, f)) != VT_OK)
		return rc;
	return read_public(H_AK, k->ak, &k->ak_len, f);
}

/* --- certificates ----------------------------------------------------------
 */

static int
nv_define(uint32_t index, size_t len, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_NV_DefineSpace);
	wr_be32(&c.w, RH_PLATFORM);
	tcmd_auth_empty(&c);
	wr_be16(&c.w, 0);  /* auth */
	wr_be16(&c.w, 14); /* TPMS_NV_PUBLIC */
	wr_be32(&c.w, index);
	wr_be16(&c.w, ALG_SHA256);
	wr_be32(&c.w, NV_ATTRS);
	wr_be16(&c.w, 0); /* authPolicy */
	wr_be16(&c.w, (uint16_t)len);
	return prov_run(&c, "define an NV index", f, NULL, &r);
}

static int
nv_write(uint32_t index, const uint8_t *p, size_t len, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;
	size_t off, n;
	int rc;

	for (off = 0; off < len; off += n) {
		n = len - off < NV_CHUNK ? len - off : NV_CHUNK;
		tcmd_begin(&c, ST_SESSIONS, CC_NV_Write);
		wr_be32(&c.w, RH_PLATFORM);
		wr_be32(&c.w, index);
		tcmd_auth_empty(&c);
		wr_blob16(&c.w, p + off, n);
		wr_be16(&c.w, (uint16_t)off);
		rc = prov_run(&c, "write an NV index", f, NULL, &r);
		if (rc != VT_OK)
			return rc;
	}
	return VT_OK;
}

static int
nv_put(uint32_t index, const uint8_t *p, size_t len, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;
	int rc;

	if (len == 0 || len > CERT_MAX_LEN)
		return VT_E_RANGE;
	if ((rc = nv_define(index, len, f)) != VT_OK ||
	    (rc = nv_write(index, p, len, f)) != VT_OK)
		return rc;
	tcmd_begin(&c, ST_SESSIONS, CC_NV_WriteLock);
	wr_be32(&c.w, RH_PLATFORM);
	wr_be32(&c.w, index);
	tcmd_auth_empty(&c);
	return prov_run(&c, "lock an NV index", f, NULL, &r);
}

static int
put_cert(uint8_t which, const struct wblob *der, struct prov_fail *f)
{
	int rc;

	switch (which) {
	case WCERT_EK_RSA:
		return nv_put(NV_EK_RSA, der->p, der->len, f);
	case WCERT_EK_ECC:
		return nv_put(NV_EK_ECC, der->p, der->len, f);
	case WCERT_AK:
		rc = nv_put(NV_AK_AZURE, der->p, der->len, f);
		if (rc != VT_OK)
			return rc;
		return nv_put(NV_AK_GCE, der->p, der->len, f);
	default:
		return VT_E_RANGE;
	}
}

int
prov20_certs(const struct wcerts *m, struct prov_fail *f)
{
	uint32_t i;
	int rc;

	rc = nv_put(NV_EK_ECC_TEMPLATE, ek_ecc_hex, ek_ecc_hex_len, f);
	for (i = 0; rc == VT_OK && i < m->n; i++)
		rc = put_cert(m->certs[i].which, &m->certs[i].der, f);
	return rc;
}

/* --- replacing a certificate
 * ---------------------------------------------------
 */

/* 1: index holds these bytes; 0: others; VT_E_TPM: it is not there. */
static int
nv_is(uint32_t index, const uint8_t *p, size_t len, struct prov_fail *f)
{
	const uint8_t *got;
	struct tcmd c;
	struct rd r, pub;
	size_t off, n, m;
	int rc;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_NV_ReadPublic);
	wr_be32(&c.w, index);
	if ((rc = prov_run(&c, "read the public area of an NV index", f, NULL,
		 &r)) != VT_OK)
		return rc;
	got = rd_blob16(&r, PUB_MAX_LEN, &n);
	rd_init(&pub, got, n);
	(void)rd_span(&pub, 10); /* index, nameAlg, attributes */
	(void)rd_blob16(&pub, 64, &m);
	if (rd_be16(&pub) != len || rd_err(&pub) != VT_OK)
		return 0;
	for (off = 0; off < len; off += n) {
		n = len - off < NV_CHUNK ? len - off : NV_CHUNK;
		tcmd_begin(&c, ST_SESSIONS, CC_NV_Read);
		wr_be32(&c.w, index); /* by its own, empty password */
		wr_be32(&c.w, index);
		tcmd_auth_empty(&c);
		wr_be16(&c.w, (uint16_t)n);
		wr_be16(&c.w, (uint16_t)off);
		rc = prov_run(&c, "read an NV index", f, NULL, &r);
		if (rc != VT_OK)
			return rc;
		got = rd_blob16(&r, NV_CHUNK, &m);
		if (rd_err(&r) != VT_OK || m != n ||
		    memcmp(got, p + off, n) != 0)
			return 0;
	}
	return 1;
}

static int
nv_undefine(uint32_t index, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_SESSIONS, CC_NV_UndefineSpace);
	wr_be32(&c.w, RH_PLATFORM);
	wr_be32(&c.w, index);
	tcmd_auth_empty(&c);
	return prov_run(&c, "remove an NV index", f, NULL, &r);
}

/* Makes sure that there is room before it removes the old one. */
static int
nv_replace(uint32_t index, const struct wblob *der, struct prov_fail *f)
{
	int rc;

	if ((rc = nv_define(NV_TRY, der->len, f)) != VT_OK ||
	    (rc = nv_undefine(NV_TRY, f)) != VT_OK ||
	    (rc = nv_undefine(index, f)) != VT_OK)
		return rc;
	return nv_put(index, der->p, der->len, f);
}

int
prov20_cert(uint8_t which, const struct wblob *der, struct prov_fail *f)
{
	static const struct {
		uint8_t which;
		uint32_t index;
	} where[] = {
		{ WCERT_EK_RSA, NV_EK_RSA },
		{ WCERT_EK_ECC, NV_EK_ECC },
		{ WCERT_AK, NV_AK_AZURE },
		{ WCERT_AK, NV_AK_GCE },
	};
	uint32_t at;
	size_t i;
	int rc;

	for (i = 0; i < VT_NELEM(where); i++) {
		at = where[i].index;
		if (where[i].which != which ||
		    (rc = nv_is(at, der->p, der->len, f)) == 1)
			continue;
		if (rc != 0 || (rc = nv_replace(at, der, f)) != VT_OK)
			return rc;
	}
	return VT_OK;
}
