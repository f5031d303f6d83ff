/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_tpm12.c - EK and certificate of a TPM 1.2.
 */
#include "vtpm/provision/provision_tpm12.h"

#include <string.h>

#include "base/util.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/provision/provision_step.h"

#define EK_BYTES 256

/* TPM_PHYSICAL_PRESENCE (TPM Main Part 2, 4.9). */
#define PP_CMD_ENABLE 0x0020u
#define PP_PRESENT 0x0008u

#define NV_EK_CERT 0x1000f000u /* D bit and TPM_NV_INDEX_EKCert */
#define NV_LOCK 0xffffffffu
/* TPM_NV_PER_: OWNERREAD PPREAD WRITEDEFINE PPWRITE (Part 2, 19.2). */
#define NV_PERMISSION 0x00032001u

/* TCG_PCCLIENT_STORED_CERT and _FULL_CERT (PC Client Implementation 1.2). */
#define TAG_STORED_CERT 0x1001u
#define TAG_FULL_CERT 0x1002u
#define CERT_HDR_LEN 7

static int
physical_presence(uint16_t what, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, TAG_RQU, ORD_PhysicalPresence);
	wr_be16(&c.w, what);
	return prov_run(&c, "claim physical presence", f, NULL, &r);
}

int
prov12_enable(struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;
	int rc;

	if ((rc = physical_presence(PP_CMD_ENABLE, f)) != VT_OK ||
	    (rc = physical_presence(PP_PRESENT, f)) != VT_OK)
		return rc;
	tcmd_begin(&c, TAG_RQU, ORD_PhysicalEnable);
	if ((rc = prov_run(&c, "enable", f, NULL, &r)) != VT_OK)
		return rc;
	tcmd_begin(&c, TAG_RQU, ORD_PhysicalSetDeactivated);
	wr_u8(&c.w, 0);
	return prov_run(&c, "activate", f, NULL, &r);
}

int
prov12_keys(struct prov_keys *k, struct prov_fail *f)
{
	uint8_t nonce[20];
	struct tcmd c;
	struct rd r;
	size_t len;
	const uint8_t *p;
	int rc;

	if ((rc = random_bytes(nonce, sizeof(nonce))) != VT_OK)
		return rc;
	tcmd_begin(&c, TAG_RQU, ORD_CreateEndorsementKeyPair);
	wr_bytes(&c.w, nonce, sizeof(nonce));
	wr_be32(&c.w, 1);  /* TPM_ALG_RSA */
	wr_be16(&c.w, 3);  /* TPM_ES_RSAESOAEP_SHA1_MGF1 */
	wr_be16(&c.w, 1);  /* TPM_SS_NONE */
	wr_be32(&c.w, 12); /* TPM_RSA_KEY_PARMS */
	wr_be32(&c.w, EK_BYTES * 8);
	wr_be32(&c.w, 2);
	wr_be32(&c.w, 0);
	if ((rc = prov_run(&c, "create the EK", f, NULL, &r)) != VT_OK)
		return rc;
	(void)rd_be32(&r); /* TPM_PUBKEY: algorithm, schemes, parameters */
	(void)rd_be16(&r);
	(void)rd_be16(&r);
	(void)rd_blob32(&r, 64, &len);
	p = rd_blob32(&r, sizeof(k->ek_rsa), &len);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	memcpy(k->ek_rsa, p, len);
	k->ek_rsa_len = (uint16_t)len;
	return VT_OK;
}

static void
put_pcr_info(struct wr *w)
{
	static const uint8_t zero[20];

	wr_be16(w, 3); /* TPM_PCR_SELECTION: none */
	wr_bytes(w, zero, 3);
	wr_u8(w, 0x1f); /* any locality */
	wr_bytes(w, zero, sizeof(zero));
}

static int
nv_define(
    uint32_t index, uint32_t permission, uint32_t len, struct prov_fail *f)
{
	static const uint8_t zero[20];
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, TAG_RQU, ORD_NV_DefineSpace);
	wr_be16(&c.w, 0x0018); /* TPM_TAG_NV_DATA_PUBLIC */
	wr_be32(&c.w, index);
	put_pcr_info(&c.w);    /* read */
	put_pcr_info(&c.w);    /* write */
	wr_be16(&c.w, 0x0017); /* TPM_TAG_NV_ATTRIBUTES */
	wr_be32(&c.w, permission);
	wr_u8(&c.w, 0);
	wr_u8(&c.w, 0);
	wr_u8(&c.w, 0);
	wr_be32(&c.w, len);
	wr_bytes(&c.w, zero, sizeof(zero)); /* encAuth */
	return prov_run(&c, "define an NV index", f, NULL, &r);
}

static int
nv_write(uint32_t index, const uint8_t *p, size_t len, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, TAG_RQU, ORD_NV_WriteValue);
	wr_be32(&c.w, index);
	wr_be32(&c.w, 0);
	wr_blob32(&c.w, p, len);
	return prov_run(&c, "write an NV index", f, NULL, &r);
}

static int
put_cert(const struct wblob *der, struct prov_fail *f)
{
	uint8_t buf[CERT_HDR_LEN + CERT_MAX_LEN];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_be16(&w, TAG_STORED_CERT);
	wr_u8(&w, 0); /* a full certificate */
	wr_be16(&w, (uint16_t)(der->len + 2));
	wr_be16(&w, TAG_FULL_CERT);
	wr_bytes(&w, der->p, der->len);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	rc = nv_define(NV_EK_CERT, NV_PERMISSION, (uint32_t)w.len, f);
	if (rc != VT_OK || (rc = nv_write(NV_EK_CERT, buf, w.len, f)) != VT_OK)
		return rc;
	return nv_write(NV_EK_CERT, NULL, 0, f); /* lock it for good */
}

/* Before NV is locked no authorization is checked; afterwards all of it is. */
int
prov12_certs(const struct wcerts *m, struct prov_fail *f)
{
	uint32_t i;
	int rc;

	if ((rc = physical_presence(PP_PRESENT, f)) != VT_OK)
		return rc;
	for (i = 0; i < m->n; i++) {
		if (m->certs[i].which != WCERT_EK_RSA)
			return VT_E_RANGE;
		if ((rc = put_cert(&m->certs[i].der, f)) != VT_OK)
			return rc;
	}
	return nv_define(NV_LOCK, 0, 0, f);
}
