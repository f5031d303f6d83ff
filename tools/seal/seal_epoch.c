/* SPDX-License-Identifier: BSD-3-Clause */
/* seal_epoch.c - the epoch counter of approvals, an NV counter. */
#include "tools/seal/seal_epoch.h"

#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "tools/seal/seal_policy.h"

#define NONE ESYS_TR_NONE
#define COUNTER_LEN 8

/* It is what policies name: VT_E_POLICY if it is another kind of index. */
static int
check_name(struct esys *e, ESYS_TR nv, uint32_t index)
{
	TPM2B_NV_PUBLIC *pub = NULL;
	TPM2B_NAME *name = NULL;
	struct tpm_name want;
	int rc;

	if ((rc = seal_epoch_name(index, &want)) != VT_OK)
		return rc;
	rc = esys_rc(
	    e, Esys_NV_ReadPublic(e->ctx, nv, NONE, NONE, NONE, &pub, &name));
	if (rc != VT_OK)
		return rc;
	if (name->size != want.len || memcmp(name->name, want.b, want.len) != 0)
		rc = VT_E_POLICY;
	Esys_Free(pub);
	Esys_Free(name);
	return rc;
}

int
seal_epoch_read(struct esys *e, uint32_t index, uint64_t *ret)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	ESYS_TR nv;
	int rc;

	if ((rc = esys_persistent(e, index, &nv)) != VT_OK)
		return rc;
	rc = check_name(e, nv, index);
	(void)Esys_TR_Close(e->ctx, &nv);
	if (rc != VT_OK)
		return rc;
	if ((rc = esys_nv_read(e, index, COUNTER_LEN, &buf, &len)) != VT_OK)
		return rc;
	rc = len == COUNTER_LEN ? VT_OK : VT_E_PROTO;
	if (rc == VT_OK)
		*ret = be64_get(buf);
	free(buf);
	return rc;
}

static int
increment(struct esys *e, ESYS_TR nv)
{
	return esys_rc(e, Esys_NV_Increment(e->ctx, ESYS_TR_RH_OWNER, nv,
			      ESYS_TR_PASSWORD, NONE, NONE));
}

int
seal_epoch_make(struct esys *e, uint32_t index, uint64_t *ret)
{
	TPM2B_NV_PUBLIC pub = { .size = 0 };
	TPM2B_AUTH none = { .size = 0 };
	ESYS_TR nv = NONE;
	int rc;

	pub.nvPublic.nvIndex = index;
	pub.nvPublic.nameAlg = TPM2_ALG_SHA256;
	pub.nvPublic.attributes = SEAL_EPOCH_ATTRS & ~TPMA_NV_WRITTEN;
	pub.nvPublic.dataSize = COUNTER_LEN;
	rc = esys_rc(e, Esys_NV_DefineSpace(e->ctx, ESYS_TR_RH_OWNER,
			    ESYS_TR_PASSWORD, NONE, NONE, &none, &pub, &nv));
	if (rc != VT_OK)
		return rc;
	rc = increment(e, nv);
	(void)Esys_TR_Close(e->ctx, &nv);
	return rc == VT_OK ? seal_epoch_read(e, index, ret) : rc;
}

int
seal_epoch_raise(struct esys *e, uint32_t index, uint64_t *ret)
{
	ESYS_TR nv;
	int rc;

	if ((rc = esys_persistent(e, index, &nv)) != VT_OK)
		return rc;
	if ((rc = check_name(e, nv, index)) == VT_OK)
		rc = increment(e, nv);
	(void)Esys_TR_Close(e->ctx, &nv);
	return rc == VT_OK ? seal_epoch_read(e, index, ret) : rc;
}
