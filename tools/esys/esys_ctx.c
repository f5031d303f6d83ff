/* SPDX-License-Identifier: BSD-3-Clause */
/* esys_ctx.c - TPM commands of the tools, through tpm2-tss. */
#include "tools/esys/esys_ctx.h"

#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

#define NV_CHUNK 512 /* every TPM takes as much in one TPM2_NV_Read */

/* Flags in a format-one response code (Part 2, 6.6.2). */
#define RC_FMT1 0x080u
#define RC_FMT1_MASK 0x0bfu

#define RSP_TAG_12 0x00c4u /* TPM 1.2, Part 2, 6: TPM_TAG_RSP_COMMAND */

uint32_t
esys_base_rc(uint32_t rc)
{
	if ((rc & RC_FMT1) != 0)
		return rc & RC_FMT1_MASK;
	return rc;
}

int
esys_rc(struct esys *e, TSS2_RC rc)
{
	if (rc == TSS2_RC_SUCCESS)
		return VT_OK;
	e->rc = rc;
	return VT_E_TPM;
}

const char *
esys_why(struct esys *e)
{
	const char *hint = "";

	if (e->rc == 0)
		return e->err[0] != '\0' ? e->err : "no reason is known";
	switch (esys_base_rc(e->rc)) {
	case TPM2_RC_INITIALIZE:
		hint = " (the TPM was not started: TPM2_Startup is the "
		       "firmware's to send)";
		break;
	case TPM2_RC_LOCKOUT:
		hint = " (too many wrong authorisations: wait, or reset the "
		       "lockout)";
		break;
	case TPM2_RC_NV_UNAVAILABLE:
		hint = " (its storage is away or full: see the host's log)";
		break;
	case TPM2_RC_OBJECT_MEMORY:
	case TPM2_RC_SESSION_MEMORY:
		hint = " (its slots are full: flush what other programs left, "
		       "or use /dev/tpmrm0)";
		break;
	default:
		break;
	}
	(void)snprintf(e->err, sizeof(e->err), "TPM code 0x%x, %s%s", e->rc,
	    Tss2_RC_Decode(e->rc), hint);
	return e->err;
}

static int
open_one(struct esys *e, const char *conf)
{
	TSS2_ABI_VERSION abi = TSS2_ABI_VERSION_CURRENT;
	TSS2_RC rc;

	(void)snprintf(e->conf, sizeof(e->conf), "%s", conf);
	if ((rc = Tss2_TctiLdr_Initialize(conf, &e->tcti)) != 0 ||
	    (rc = Esys_Initialize(&e->ctx, e->tcti, &abi)) != 0) {
		Tss2_TctiLdr_Finalize(&e->tcti);
		e->tcti = NULL;
		e->rc = rc;
		return VT_E_NOTFOUND;
	}
	e->rc = 0;
	return VT_OK;
}

/* A TPM 1.2 answers every command with its own tag. */
static bool
is_tpm12(struct esys *e)
{
	/* TPM2_GetCapability, one TPM property: the family */
	static const uint8_t cmd[] = { 0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01,
		0x7a, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 0, 1 };
	uint8_t rsp[4096];
	size_t len = sizeof(rsp);

	return esys_raw(e, cmd, sizeof(cmd), rsp, &len) == VT_OK && len >= 2 &&
	       be16_get(rsp) == RSP_TAG_12;
}

static int
open_any(struct esys *e, const char *conf)
{
	memset(e, 0, sizeof(*e));
	/* The loader would report every module that is missing; the caller
	 * reports once which TPM could not be reached. */
	(void)setenv("TSS2_LOG", "all+NONE", 0);
	if (conf != NULL) {
		if (open_one(e, conf) == VT_OK)
			return VT_OK;
		(void)snprintf(e->err, sizeof(e->err),
		    "no TPM over '%.80s': %.60s", conf, Tss2_RC_Decode(e->rc));
	} else {
		if (open_one(e, "device:/dev/tpmrm0") == VT_OK ||
		    open_one(e, "device:/dev/tpm0") == VT_OK)
			return VT_OK;
		(void)snprintf(e->err, sizeof(e->err),
		    "neither /dev/tpmrm0 nor /dev/tpm0 can be opened: is "
		    "there a TPM, and may you use it?");
	}
	e->rc = 0;
	return VT_E_NOTFOUND;
}

int
esys_open(struct esys *e, const char *conf)
{
	int rc = open_any(e, conf);

	if (rc != VT_OK || !is_tpm12(e))
		return rc;
	e->rc = 0;
	(void)snprintf(e->err, sizeof(e->err),
	    "the TPM at '%.80s' is a TPM 1.2; a TPM 2.0 is needed", e->conf);
	return VT_E_UNSUPPORTED;
}

void
esys_close(struct esys *e)
{
	if (e->ctx != NULL)
		Esys_Finalize(&e->ctx);
	if (e->tcti != NULL)
		Tss2_TctiLdr_Finalize(&e->tcti);
	e->ctx = NULL;
	e->tcti = NULL;
}

int
esys_persistent(struct esys *e, uint32_t handle, ESYS_TR *ret)
{
	TSS2_RC rc = Esys_TR_FromTPMPublic(
	    e->ctx, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ret);

	if (esys_base_rc(rc) == TPM2_RC_HANDLE) {
		e->rc = rc;
		return VT_E_NOTFOUND;
	}
	return esys_rc(e, rc);
}

static int
copy_name(const TPM2B_NAME *name, struct tpm_name *ret)
{
	if (ret == NULL)
		return VT_OK;
	if (name->size > sizeof(ret->b))
		return VT_E_RANGE;
	ret->len = name->size;
	memcpy(ret->b, name->name, name->size);
	return VT_OK;
}

int
esys_public(struct esys *e, ESYS_TR object, uint8_t *buf, size_t cap,
    size_t *ret_len, struct tpm_name *ret_name, struct tpm_name *ret_qn)
{
	TPM2B_NAME *name = NULL, *qn = NULL;
	TPM2B_PUBLIC *pub = NULL;
	size_t off = 0;
	int rc;

	if ((rc = esys_rc(
		 e, Esys_ReadPublic(e->ctx, object, ESYS_TR_NONE, ESYS_TR_NONE,
			ESYS_TR_NONE, &pub, &name, &qn))) != VT_OK)
		return rc;
	rc = esys_rc(e, Tss2_MU_TPM2B_PUBLIC_Marshal(pub, buf, cap, &off));
	if (rc == VT_OK)
		rc = copy_name(name, ret_name);
	if (rc == VT_OK)
		rc = copy_name(qn, ret_qn);
	if (rc == VT_OK)
		*ret_len = off;
	Esys_Free(pub);
	Esys_Free(name);
	Esys_Free(qn);
	return rc;
}

int
esys_marshal_sig(struct esys *e, const TPMT_SIGNATURE *sig, uint8_t *buf,
    size_t cap, size_t *ret_len)
{
	size_t off = 0;
	int rc;

	rc = esys_rc(e, Tss2_MU_TPMT_SIGNATURE_Marshal(sig, buf, cap, &off));
	if (rc == VT_OK)
		*ret_len = off;
	return rc;
}

/* --- NV ---------------------------------------------------------------------
 */

static int
nv_size(struct esys *e, ESYS_TR nv, size_t *ret, bool *ret_owner)
{
	TPM2B_NV_PUBLIC *pub = NULL;
	uint32_t attrs;
	int rc;

	if ((rc = esys_rc(e, Esys_NV_ReadPublic(e->ctx, nv, ESYS_TR_NONE,
				 ESYS_TR_NONE, ESYS_TR_NONE, &pub, NULL))) !=
	    VT_OK)
		return rc;
	attrs = pub->nvPublic.attributes;
	*ret = pub->nvPublic.dataSize;
	Esys_Free(pub);
	if ((attrs & TPMA_NV_WRITTEN) == 0)
		return VT_E_NOTFOUND;
	*ret_owner = (attrs & TPMA_NV_AUTHREAD) == 0;
	return VT_OK;
}

static int
nv_read_all(struct esys *e, ESYS_TR nv, ESYS_TR auth, uint8_t *buf, size_t len)
{
	TPM2B_MAX_NV_BUFFER *part = NULL;
	size_t off = 0, n;
	int rc;

	while (off < len) {
		n = len - off < NV_CHUNK ? len - off : NV_CHUNK;
		if ((rc = esys_rc(
			 e, Esys_NV_Read(e->ctx, auth, nv, ESYS_TR_PASSWORD,
				ESYS_TR_NONE, ESYS_TR_NONE, (uint16_t)n,
				(uint16_t)off, &part))) != VT_OK)
			return rc;
		if (part->size == 0 || part->size > n) {
			Esys_Free(part);
			return VT_E_PROTO;
		}
		memcpy(buf + off, part->buffer, part->size);
		off += part->size;
		Esys_Free(part);
		part = NULL;
	}
	return VT_OK;
}

int
esys_nv_read(
    struct esys *e, uint32_t index, size_t max, uint8_t **ret, size_t *ret_len)
{
	bool owner = false;
	uint8_t *buf = NULL;
	size_t len = 0;
	ESYS_TR nv;
	int rc;

	if ((rc = esys_persistent(e, index, &nv)) != VT_OK)
		return rc;
	if ((rc = nv_size(e, nv, &len, &owner)) != VT_OK)
		goto out;
	rc = VT_E_RANGE;
	if (len == 0 || len > max)
		goto out;
	rc = VT_E_NOMEM;
	if ((buf = malloc(len)) == NULL)
		goto out;
	rc = nv_read_all(e, nv, owner ? ESYS_TR_RH_OWNER : nv, buf, len);
	if (rc == VT_OK) {
		*ret = buf;
		*ret_len = len;
		buf = NULL;
	}
out:
	free(buf);
	(void)Esys_TR_Close(e->ctx, &nv);
	return rc;
}

/* --- PCRs --------------------------------------------------------------------
 */

void
esys_sel(const struct pcr_sel *sel, TPML_PCR_SELECTION *ret)
{
	uint32_t b, i;

	memset(ret, 0, sizeof(*ret));
	ret->count = sel->n;
	for (b = 0; b < sel->n; b++) {
		ret->pcrSelections[b].hash = sel->banks[b].alg;
		ret->pcrSelections[b].sizeofSelect = PCR_COUNT / 8;
		for (i = 0; i < PCR_COUNT / 8; i++)
			ret->pcrSelections[b].pcrSelect[i] =
			    (uint8_t)(sel->banks[b].mask >> (8 * i));
	}
}

/* The TPM returns no value for these. */
static int
pcr_missing(struct esys *e, const struct pcr_sel *todo)
{
	char text[256];

	pcr_sel_format(todo, text, sizeof(text));
	e->rc = 0;
	(void)snprintf(e->err, sizeof(e->err),
	    "the TPM has no PCRs %.120s; is the bank active?", text);
	return VT_E_NOTFOUND;
}

static bool
sel_done(const struct pcr_sel *todo)
{
	uint32_t b;

	for (b = 0; b < todo->n; b++)
		if (todo->banks[b].mask != 0)
			return false;
	return true;
}

/* Take one answer's digests, in the order of its selection. */
static int
pcr_take(struct pcr_sel *todo, const TPML_PCR_SELECTION *got,
    const TPML_DIGEST *vals, struct pcr_set *ret)
{
	uint32_t b, g, i, n = 0;
	const TPMS_PCR_SELECTION *s;
	int rc;

	for (g = 0; g < got->count; g++) {
		s = &got->pcrSelections[g];
		for (b = 0; b < todo->n; b++)
			if (todo->banks[b].alg == s->hash)
				break;
		if (b == todo->n)
			return VT_E_PROTO;
		for (i = 0; i < 8u * s->sizeofSelect; i++) {
			if ((s->pcrSelect[i / 8] >> (i % 8) & 1) == 0)
				continue;
			if (n == vals->count ||
			    vals->digests[n].size != digest_len(s->hash))
				return VT_E_PROTO;
			if ((rc = pcr_put(ret, s->hash, i,
				 vals->digests[n++].buffer)) != VT_OK)
				return rc;
			todo->banks[b].mask &= ~(1u << i);
		}
	}
	return n > 0 ? VT_OK : VT_E_NOTFOUND;
}

/* One pass over all of sel.  VT_E_AGAIN: something was extended meanwhile. */
static int
pcr_pass(struct esys *e, const struct pcr_sel *sel, struct pcr_set *ret,
    uint32_t *ret_counter)
{
	struct pcr_sel todo = *sel;
	TPML_PCR_SELECTION in, *out = NULL;
	TPML_DIGEST *vals = NULL;
	uint32_t counter = 0;
	bool first = true;
	int rc;

	while (!sel_done(&todo)) {
		esys_sel(&todo, &in);
		if ((rc = esys_rc(e, Esys_PCR_Read(e->ctx, ESYS_TR_NONE,
					 ESYS_TR_NONE, ESYS_TR_NONE, &in,
					 &counter, &out, &vals))) != VT_OK)
			return rc;
		rc = pcr_take(&todo, out, vals, ret);
		Esys_Free(out);
		Esys_Free(vals);
		out = NULL;
		vals = NULL;
		if (rc == VT_E_NOTFOUND)
			return pcr_missing(e, &todo);
		if (rc != VT_OK)
			return rc;
		if (!first && counter != *ret_counter)
			return VT_E_AGAIN;
		*ret_counter = counter;
		first = false;
	}
	return VT_OK;
}

static bool
is_active(const TPML_PCR_SELECTION *sel, uint16_t alg)
{
	const TPMS_PCR_SELECTION *b;
	UINT32 i;

	for (i = 0; i < sel->count; i++) {
		b = &sel->pcrSelections[i];
		if (b->hash == alg && b->sizeofSelect >= 1 &&
		    b->pcrSelect[0] != 0)
			return true;
	}
	return false;
}

int
esys_active_bank(struct esys *e, uint16_t *ret_alg)
{
	static const uint16_t algs[] = { ALG_SHA256, ALG_SHA384, ALG_SHA512 };
	TPMS_CAPABILITY_DATA *cap = NULL;
	TPMI_YES_NO more;
	int rc = VT_E_NOTFOUND;
	size_t i;

	e->rc = Esys_GetCapability(e->ctx, ESYS_TR_NONE, ESYS_TR_NONE,
	    ESYS_TR_NONE, TPM2_CAP_PCRS, 0, 1, &more, &cap);
	if (e->rc != TSS2_RC_SUCCESS)
		return VT_E_TPM;
	for (i = 0; i < VT_NELEM(algs) && rc != VT_OK; i++)
		if (is_active(&cap->data.assignedPCR, algs[i])) {
			*ret_alg = algs[i];
			rc = VT_OK;
		}
	Esys_Free(cap);
	return rc;
}

int
esys_pcr_read(struct esys *e, const struct pcr_sel *sel, struct pcr_set *ret,
    uint32_t *ret_counter)
{
	uint16_t algs[PCR_MAX_BANKS] = { 0 };
	int rc = VT_E_AGAIN, i;
	uint32_t b;

	for (b = 0; b < sel->n && b < PCR_MAX_BANKS; b++)
		algs[b] = sel->banks[b].alg;
	for (i = 0; i < ESYS_TRIES && rc == VT_E_AGAIN; i++) {
		if ((rc = pcr_set_init(ret, algs, b)) == VT_OK)
			rc = pcr_pass(e, sel, ret, ret_counter);
	}
	return rc;
}

int
esys_raw(struct esys *e, const uint8_t *cmd, size_t len, uint8_t *rsp,
    size_t *rsp_len)
{
	int rc;

	if ((rc = esys_rc(e, Tss2_Tcti_Transmit(e->tcti, len, cmd))) != VT_OK)
		return rc;
	return esys_rc(e,
	    Tss2_Tcti_Receive(e->tcti, rsp_len, rsp, TSS2_TCTI_TIMEOUT_BLOCK));
}
