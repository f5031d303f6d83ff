/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * provision_keys20.c - EK, SRK and AK of a TPM 2.0: made, and made again after
 * the guest removed them.
 */
#include "vtpm/provision/provision_keys20.h"

#include <stdbool.h>
#include <string.h>

#include "base/crypto.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/provision/provision_step.h"
#include "vtpm/provision/embed/ak_ecc_hex.h"
#include "vtpm/provision/embed/ek_ecc_hex.h"
#include "vtpm/provision/embed/ek_rsa_hex.h"
#include "vtpm/provision/embed/srk_ecc_hex.h"
#include "vtpm/provision/embed/srk_rsa_hex.h"

#define H_SRK 0x81000001u
#define H_AK 0x81000003u
#define H_EK_RSA 0x81010001u
#define H_EK_ECC 0x81010002u

#define SE_POLICY 1

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

/* Makes the key persistent; the transient copy is flushed, whatever comes. */
static int
persist(uint32_t handle, uint32_t where, struct prov_fail *f)
{
	struct tcmd c;
	struct rd r;
	int rc, gone;

	tcmd_begin(&c, ST_SESSIONS, CC_EvictControl);
	wr_be32(&c.w, RH_OWNER);
	wr_be32(&c.w, handle);
	tcmd_auth_empty(&c);
	wr_be32(&c.w, where);
	rc = prov_run(&c, "make a key persistent", f, NULL, &r);
	gone = flush(handle, rc == VT_OK ? f : &(struct prov_fail){ 0 });
	return rc != VT_OK ? rc : gone;
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

/* Create under the EK. */
static int
create_ak(
    uint32_t parent, uint32_t session, struct prov_keys *k, struct prov_fail *f)
{
	const uint8_t *priv, *pub;
	size_t npriv, npub;
	struct wr w, v;
	struct tcmd c;
	struct rd r;
	int rc;

	if ((rc = policy_secret(session, f)) != VT_OK)
		return rc;
	tcmd_begin(&c, ST_SESSIONS, CC_Create);
	wr_be32(&c.w, parent);
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
	wr_init(&w, k->ak_private, sizeof(k->ak_private));
	wr_blob16(&w, priv, npriv);
	wr_init(&v, k->ak, sizeof(k->ak));
	wr_blob16(&v, pub, npub);
	k->ak_private_len = (uint16_t)w.len;
	k->ak_len = (uint16_t)v.len;
	return wr_err(&w) != VT_OK ? wr_err(&w) : wr_err(&v);
}

static int
load_ak(uint32_t parent, uint32_t session, const struct prov_keys *k,
    struct prov_fail *f, uint32_t *ret)
{
	struct tcmd c;
	struct rd r;
	int rc;

	if ((rc = policy_secret(session, f)) != VT_OK)
		return rc;
	tcmd_begin(&c, ST_SESSIONS, CC_Load);
	wr_be32(&c.w, parent);
	tcmd_auth_policy(&c, session);
	wr_bytes(&c.w, k->ak_private, k->ak_private_len);
	wr_bytes(&c.w, k->ak, k->ak_len);
	return prov_run(&c, "load the AK", f, ret, &r);
}

static int
make_ak(struct prov_keys *k, struct prov_fail *f)
{
	uint32_t session = 0, h = 0;
	int rc;

	if ((rc = start_policy(&session, f)) != VT_OK ||
	    (rc = create_ak(H_EK_ECC, session, k, f)) != VT_OK ||
	    (rc = load_ak(H_EK_ECC, session, k, f, &h)) != VT_OK ||
	    (rc = flush(session, f)) != VT_OK)
		return rc;
	return persist(h, H_AK, f);
}

static int
make_srk(uint8_t srk, struct prov_fail *f)
{
	if (srk == WSRK_NONE)
		return VT_OK;
	return make_primary(RH_OWNER,
	    srk == WSRK_RSA ? srk_rsa_hex : srk_ecc_hex,
	    srk == WSRK_RSA ? srk_rsa_hex_len : srk_ecc_hex_len, H_SRK,
	    "create the SRK", f);
}

int
prov20_keys(uint8_t srk, struct prov_keys *k, struct prov_fail *f)
{
	int rc;

	if ((rc = make_primary(RH_ENDORSEMENT, ek_rsa_hex, ek_rsa_hex_len,
		 H_EK_RSA, "create the RSA EK", f)) != VT_OK ||
	    (rc = make_primary(RH_ENDORSEMENT, ek_ecc_hex, ek_ecc_hex_len,
		 H_EK_ECC, "create the ECC EK", f)) != VT_OK ||
	    (rc = make_srk(srk, f)) != VT_OK || (rc = make_ak(k, f)) != VT_OK)
		return rc;
	rc = read_public(H_EK_RSA, k->ek_rsa, &k->ek_rsa_len, f);
	if (rc == VT_OK)
		rc = read_public(H_EK_ECC, k->ek_ecc, &k->ek_ecc_len, f);
	return rc;
}

/* --- keys that the guest removed --------------------------------------------
 */

enum place { HAS_IT, EMPTY, HAS_ANOTHER };

static enum place
look(uint32_t handle, const uint8_t *pub, size_t len)
{
	struct prov_fail f = { "", 0 };
	uint8_t got[PUB_MAX_LEN];
	uint16_t n = 0;

	if (read_public(handle, got, &n, &f) != VT_OK)
		return EMPTY;
	return n == len && memcmp(got, pub, n) == 0 ? HAS_IT : HAS_ANOTHER;
}

/* The EK again: the same one, as long as the TPM has its seed. */
static int
derive_ek(const uint8_t *tmpl, size_t len, const uint8_t *pub, size_t publen,
    struct prov_fail *f, uint32_t *ret)
{
	uint8_t got[PUB_MAX_LEN];
	uint16_t n = 0;
	int rc;

	rc = create_primary(RH_ENDORSEMENT, tmpl, len, "derive the EK", f, ret);
	if (rc != VT_OK)
		return rc;
	if ((rc = read_public(*ret, got, &n, f)) == VT_OK &&
	    (n != publen || memcmp(got, pub, n) != 0)) {
		f->step = "derive the EK: the guest changed the endorsement "
			  "seed (TPM2_ChangeEPS), and its identity is lost";
		f->tpm_rc = 0;
		rc = VT_E_AUTH;
	}
	if (rc != VT_OK)
		(void)!flush(*ret, &(struct prov_fail){ 0 });
	return rc;
}

static int
put_back_ek(uint32_t where, const uint8_t *tmpl, size_t len, const uint8_t *pub,
    size_t publen, struct prov_fail *f)
{
	uint32_t h = 0;
	int rc = derive_ek(tmpl, len, pub, publen, f, &h);

	return rc == VT_OK ? persist(h, where, f) : rc;
}

/* A session of its own: one whose command failed has half a policy. */
static int
get_ak(uint32_t parent, bool make, struct prov_keys *k, struct prov_fail *f,
    uint32_t *ret)
{
	uint32_t session = 0;
	int rc;

	if ((rc = start_policy(&session, f)) != VT_OK)
		return rc;
	if (make)
		rc = create_ak(parent, session, k, f);
	if (rc == VT_OK)
		rc = load_ak(parent, session, k, f, ret);
	(void)!flush(session, &(struct prov_fail){ 0 });
	return rc;
}

/*
 * The same AK after TPM2_EvictControl.  TPM2_Clear changes what protects the
 * EK's children: none that was made before loads again, so a new one is made.
 * The parent is derived: the guest may have another key at the EK's place.
 */
static int
put_back_ak(struct prov_keys *k, struct prov_fail *f, bool *ret_new)
{
	bool known = k->ak_private_len > 0;
	uint32_t parent = 0, h = 0;
	struct prov_keys new = *k;
	int rc;

	rc = derive_ek(
	    ek_ecc_hex, ek_ecc_hex_len, k->ek_ecc, k->ek_ecc_len, f, &parent);
	if (rc != VT_OK)
		return rc;
	if (known)
		rc = get_ak(parent, false, &new, f, &h);
	*ret_new = !known || (rc == VT_E_TPM && f->tpm_rc == RC_INTEGRITY);
	if (*ret_new)
		rc = get_ak(parent, true, &new, f, &h);
	(void)!flush(parent, &(struct prov_fail){ 0 });
	if (rc == VT_OK && (rc = persist(h, H_AK, f)) == VT_OK)
		*k = new;
	return rc;
}

static int
repair_ak(
    struct prov_keys *k, enum place ak, unsigned int *made, struct prov_fail *f)
{
	bool new = false;
	int rc;

	if (ak == HAS_IT)
		return VT_OK;
	if (ak == HAS_ANOTHER) {
		f->step = "put the AK back: the guest has another key at "
			  "0x81000003";
		f->tpm_rc = 0;
		return VT_E_EXISTS;
	}
	if ((rc = put_back_ak(k, f, &new)) == VT_OK)
		*made |= new ? PROV_NEW_AK : PROV_AK;
	return rc;
}

int
prov20_repair(uint8_t srk, struct prov_keys *k, unsigned int *ret_made,
    struct prov_fail *f)
{
	enum place ak = look(H_AK, k->ak, k->ak_len);
	enum place rsa = look(H_EK_RSA, k->ek_rsa, k->ek_rsa_len);
	enum place ecc = look(H_EK_ECC, k->ek_ecc, k->ek_ecc_len);
	/* TPM2_Clear removes them all. */
	bool cleared = ak == EMPTY && rsa == EMPTY && ecc == EMPTY &&
		       look(H_SRK, NULL, 0) == EMPTY;
	int rc;

	*ret_made = 0;
	rc = repair_ak(k, ak, ret_made, f);
	if (rc == VT_OK && ecc == EMPTY &&
	    (rc = put_back_ek(H_EK_ECC, ek_ecc_hex, ek_ecc_hex_len, k->ek_ecc,
		 k->ek_ecc_len, f)) == VT_OK)
		*ret_made |= PROV_EK_ECC;
	if (rc == VT_OK && rsa == EMPTY &&
	    (rc = put_back_ek(H_EK_RSA, ek_rsa_hex, ek_rsa_hex_len, k->ek_rsa,
		 k->ek_rsa_len, f)) == VT_OK)
		*ret_made |= PROV_EK_RSA;
	if (rc == VT_OK && cleared && srk != WSRK_NONE &&
	    (rc = make_srk(srk, f)) == VT_OK)
		*ret_made |= PROV_SRK;
	return rc;
}
