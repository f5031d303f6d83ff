/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd_common.c - files and the TPM of vtpm-seal's commands. */
#include "tools/seal/cmd_common.h"

#include <openssl/crypto.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/common/file.h"

#define PASS_MAX 1024

int
seal_exit(int rc)
{
	if (rc == VT_OK)
		return SX_DONE;
	return rc == VT_E_POLICY || rc == VT_E_AUTH ? SX_REFUSED : SX_FAILED;
}

int
seal_set_sel(void *dst, const struct opt *o, const char *arg)
{
	struct sel_arg *ret = (void *)((char *)dst + o->at);

	ret->given = true;
	if (arg[0] == '\0' || arg[strlen(arg) - 1] == ':') {
		ret->sel.n = 0; /* refused later, with a reason */
		return VT_OK;
	}
	return pcr_sel_parse(arg, &ret->sel);
}

int
seal_set_index(void *dst, const struct opt *o, const char *arg)
{
	uint32_t *ret = (void *)((char *)dst + o->at);
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(arg, &end, 0);
	if (!isdigit((unsigned char)arg[0]) || *end != '\0' || errno != 0)
		return VT_E_FORMAT;
	if (v < SEAL_EPOCH_FIRST || v > SEAL_EPOCH_LAST)
		return VT_E_RANGE;
	*ret = (uint32_t)v;
	return VT_OK;
}

/* --- files ------------------------------------------------------------------
 */

int
seal_read_in(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	int rc;

	if (path != NULL && strcmp(path, "-") != 0)
		return tool_read(path, max, ret, ret_len);
	rc = read_fd(STDIN_FILENO, max, ret, ret_len);
	if (rc != VT_OK)
		log_err("cannot read standard input: %s", vt_strerror(rc));
	return rc;
}

int
seal_read_pass(const char *path, uint8_t **ret, size_t *ret_len)
{
	uint8_t *p = NULL;
	size_t n = 0;
	int rc;

	if ((rc = seal_read_in(path, PASS_MAX, &p, &n)) != VT_OK)
		return rc;
	if (n > 0 && p[n - 1] == '\n')
		n--;
	if (n == 0) {
		log_err("%s: the passphrase is empty", path);
		free(p);
		return VT_E_FORMAT;
	}
	*ret = p;
	*ret_len = n;
	return VT_OK;
}

int
seal_read_key(const char *path, struct seal_key *ret)
{
	uint8_t *p = NULL;
	size_t n = 0;
	int rc;

	if ((rc = tool_read(path, SEAL_PEM_MAX, &p, &n)) != VT_OK)
		return rc;
	rc = seal_key_read(p, n, ret);
	mem_wipe_free(p, n);
	if (rc == VT_E_UNSUPPORTED)
		log_err("%s: not a key that a TPM verifies: RSA of 2048 to "
			"4096 bits, or ECC on P-256 or P-384",
		    path);
	else if (rc != VT_OK)
		log_err("%s: not a key in PEM", path);
	return rc;
}

int
seal_read_approvals(const char *path, bool may_miss, struct approvals *ret)
{
	char err[AP_ERR_MAX];
	uint8_t *p = NULL;
	size_t n = 0;
	int rc;

	if (may_miss && access(path, F_OK) != 0 && errno == ENOENT) {
		if ((rc = approvals_new(ret)) != VT_OK)
			log_err("%s", vt_strerror(rc));
		return rc;
	}
	if ((rc = tool_read(path, AP_FILE_MAX, &p, &n)) != VT_OK)
		return rc;
	if ((rc = approvals_get(p, n, ret, err)) != VT_OK)
		log_err("%s: %s", path, err[0] != '\0' ? err : vt_strerror(rc));
	free(p);
	return rc;
}

/* The blob in a file of approvals. */
static int
from_token(uint8_t **buf, size_t *len, struct approvals *ret)
{
	struct approvals a;
	char err[AP_ERR_MAX];
	uint8_t *blob = NULL;
	size_t n = 0;
	int rc;

	if ((rc = approvals_get(*buf, *len, &a, err)) != VT_OK) {
		log_err("not a sealed blob, nor approvals with one: %s",
		    err[0] != '\0' ? err : vt_strerror(rc));
		return rc;
	}
	if ((rc = approvals_blob(&a, &blob, &n)) != VT_OK) {
		log_err("these approvals have no sealed blob beside them");
		approvals_free(&a);
		return rc;
	}
	free(*buf);
	*buf = blob;
	*len = n;
	*ret = a;
	return VT_OK;
}

int
seal_read_blob(const char *path, uint8_t **buf, struct seal_blob *b,
    struct approvals *ret_appr)
{
	struct approvals a = { 0 };
	size_t len = 0;
	int rc;

	if ((rc = seal_read_in(path, SB_FILE_MAX, buf, &len)) != VT_OK)
		return rc;
	rc = len > 0 && (*buf)[0] == '{' ? from_token(buf, &len, &a) : VT_OK;
	if (rc == VT_OK && (rc = seal_blob_get(*buf, len, b)) != VT_OK)
		log_err("not a sealed blob, or damaged: %s", vt_strerror(rc));
	if (rc != VT_OK) {
		approvals_free(&a);
		free(*buf);
		*buf = NULL;
		return rc;
	}
	*ret_appr = a;
	return VT_OK;
}

/* --- the TPM ----------------------------------------------------------------
 */

static int
set_owner(struct esys *e, const char *path)
{
	TPM2B_AUTH auth = { .size = 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	int rc;

	if ((rc = seal_read_pass(path, &p, &n)) != VT_OK)
		return rc;
	rc = VT_E_RANGE;
	if (n > sizeof(auth.buffer)) {
		log_err("%s: longer than a TPM's password", path);
	} else {
		auth.size = (UINT16)n;
		memcpy(auth.buffer, p, n);
		rc = esys_rc(
		    e, Esys_TR_SetAuth(e->ctx, ESYS_TR_RH_OWNER, &auth));
	}
	OPENSSL_cleanse(&auth, sizeof(auth));
	mem_wipe_free(p, n);
	return rc;
}

int
seal_open_tpm(struct esys *e, const char *tcti, const char *owner_auth)
{
	int rc = esys_open(e, tcti);

	if (rc != VT_OK)
		log_err("%s", esys_why(e));
	else if (owner_auth != NULL)
		rc = set_owner(e, owner_auth);
	return rc;
}

int
seal_find_srk(struct esys *e, const struct tpm_name *want, uint32_t handle,
    bool may_make, struct seal_srk *srk)
{
	int rc = seal_srk_find(e, handle, may_make, srk);

	if (rc == VT_E_POLICY)
		log_err("the key at 0x%08x is not a storage key", handle);
	else if (rc == VT_E_NOTFOUND)
		log_err("the storage key at 0x%08x that this was sealed under "
			"is gone: this is another TPM, or it was cleared",
		    handle);
	else if (rc == VT_E_PROTO)
		log_err("the TPM's storage key does not match its Name: the "
			"path to the TPM is tampered with");
	else if (rc != VT_OK)
		log_err("no storage key: %s", esys_why(e));
	if (rc != VT_OK)
		return rc;
	if (want->len != 0 && !tpm_name_equal(want, &srk->name)) {
		log_err("refused: this TPM's storage key is another one than "
			"expected: this is another TPM, or it was cleared");
		seal_srk_done(e, srk);
		return VT_E_POLICY;
	}
	return VT_OK;
}

int
seal_read_pcrs(struct esys *e, const struct pcr_sel *sel, struct pcr_set *ret)
{
	uint32_t counter;
	int rc = esys_pcr_read(e, sel, ret, &counter);

	if (rc != VT_OK)
		log_err("cannot read the PCRs: %s",
		    rc == VT_E_AGAIN ? "they keep changing" : esys_why(e));
	return rc;
}

/* One bank; one that this TPM does not have is left out. */
static int
read_bank(struct esys *e, uint16_t alg, uint32_t mask, struct pcr_set *all)
{
	struct pcr_sel sel = { .n = 1, .banks[0] = { alg, mask } };
	struct pcr_set one;
	uint32_t counter, i;
	int rc;

	rc = esys_pcr_read(e, &sel, &one, &counter);
	if (rc == VT_E_NOTFOUND)
		return VT_OK;
	if (rc != VT_OK) {
		log_err("cannot read the PCRs: %s",
		    rc == VT_E_AGAIN ? "they keep changing" : esys_why(e));
		return rc;
	}
	for (i = 0; i < PCR_COUNT && rc == VT_OK; i++)
		if ((mask >> i & 1) != 0)
			rc = pcr_put(all, alg, i, pcr_get(&one, alg, i));
	return rc;
}

int
seal_read_known_pcrs(
    struct esys *e, const struct pcr_sel *sel, struct pcr_set *ret)
{
	uint16_t algs[PCR_MAX_BANKS];
	struct pcr_set all;
	uint32_t k;
	int rc;

	for (k = 0; k < sel->n; k++)
		algs[k] = sel->banks[k].alg;
	memset(&all, 0, sizeof(all));
	if (sel->n > 0 && (rc = pcr_set_init(&all, algs, sel->n)) != VT_OK)
		return rc;
	for (k = 0, rc = VT_OK; k < sel->n && rc == VT_OK; k++)
		rc = read_bank(e, algs[k], sel->banks[k].mask, &all);
	if (rc == VT_OK)
		*ret = all;
	return rc;
}

void
seal_say_epoch(struct esys *e, uint32_t index, int rc)
{
	if (rc == VT_E_NOTFOUND)
		log_err("the epoch counter 0x%08x is gone: the TPM's owner "
			"removed it, or this is another TPM; no approval "
			"opens the secret any more. Open it by its recovery "
			"branch, make the counter anew with vtpm-seal revoke, "
			"and approve for the new epoch",
		    index);
	else if (rc == VT_E_POLICY)
		log_err("refused: NV index 0x%08x is not an epoch counter: "
			"somebody put another index in its place",
		    index);
	else if (rc != VT_OK)
		log_err("the epoch counter 0x%08x: %s", index,
		    rc == VT_E_TPM ? esys_why(e) : vt_strerror(rc));
}
