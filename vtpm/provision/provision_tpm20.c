/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_tpm20.c - banks, limits and certificates of a TPM 2.0.
 */
#include "vtpm/provision/provision_tpm20.h"

#include <stdbool.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/provision/provision_step.h"
#include "vtpm/provision/embed/ek_ecc_hex.h"

#define NV_EK_RSA 0x01c00002u
#define NV_EK_ECC 0x01c0000au
#define NV_EK_ECC_TEMPLATE 0x01c0000cu
#define NV_AK_AZURE 0x01c101d0u /* where Azure's clients look */
#define NV_AK_GCE 0x01c10002u   /* where Google's clients look */
/* TCG EK Credential Profile 2.5, 2.2.1.5: certificates that lead from the EK's
 * to its root, one index after another. */
#define NV_CHAIN_EK 0x01c00100u
#define NV_CHAIN_AK 0x01c00101u /* where the AK's is by another key */
#define NV_TRY 0x01c10fffu      /* tried, to see whether there is room */

/* TPMA_NV: PLATFORMCREATE NO_DA AUTHREAD OWNERREAD PPREAD WRITEDEFINE
 * PPWRITE (Part 2, 13.4). */
#define NV_ATTRS 0x42072001u
#define NV_CHUNK 1024 /* MAX_NV_BUFFER_SIZE of libtpms */

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
	if (rc == VT_OK && m->issuer.len > 0)
		rc = nv_put(NV_CHAIN_EK, m->issuer.p, m->issuer.len, f);
	return rc;
}

/* --- replacing a certificate
 * ---------------------------------------------------
 */

/* 1: index holds these bytes; 0: others; VT_E_NOTFOUND: it is not there. */
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
		return rc == VT_E_TPM ? VT_E_NOTFOUND : rc;
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

/* These bytes in this index, whatever was there. */
static int
nv_set(uint32_t index, const struct wblob *der, struct prov_fail *f)
{
	int rc = nv_is(index, der->p, der->len, f);

	if (rc == VT_E_NOTFOUND) /* its key was made anew */
		return nv_put(index, der->p, der->len, f);
	if (rc == 0)
		return nv_replace(index, der, f);
	return rc == 1 ? VT_OK : rc;
}

int
prov20_cert(uint8_t which, const struct wblob *chain, struct prov_fail *f)
{
	static const struct {
		uint8_t which;
		bool issuer;
		uint32_t index;
	} where[] = {
		{ WCERT_EK_RSA, false, NV_EK_RSA },
		{ WCERT_EK_RSA, true, NV_CHAIN_EK },
		{ WCERT_EK_ECC, false, NV_EK_ECC },
		{ WCERT_EK_ECC, true, NV_CHAIN_EK },
		/* First what may need new room: without it nothing changes. */
		{ WCERT_AK, true, NV_CHAIN_AK },
		{ WCERT_AK, false, NV_AK_AZURE },
		{ WCERT_AK, false, NV_AK_GCE },
	};
	uint32_t first = (uint32_t)der_len(chain->p, chain->len);
	const struct wblob part[2] = { { chain->p, first },
		{ chain->p + first, chain->len - first } };
	size_t i;
	int rc;

	for (i = 0; i < VT_NELEM(where); i++) {
		const struct wblob *p = &part[where[i].issuer ? 1 : 0];

		if (where[i].which != which || p->len == 0)
			continue;
		if ((rc = nv_set(where[i].index, p, f)) != VT_OK)
			return rc;
	}
	return VT_OK;
}

int
prov20_drop_ak_cert(struct prov_fail *f)
{
	int rc = nv_undefine(NV_AK_AZURE, f), rc2 = nv_undefine(NV_AK_GCE, f);

	return rc != VT_OK ? rc : rc2;
}
