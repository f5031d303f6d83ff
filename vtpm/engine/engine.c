/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine.c - libtpms: the one file that calls it.
 */
#include "vtpm/engine/engine.h"

#include <libtpms/tpm_error.h>
#include <libtpms/tpm_library.h>
#include <libtpms/tpm_nvfilename.h>
#include <libtpms/tpm_tis.h>

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/proto/worker_msg.h"

_Static_assert(ENG_STATE_MAX + 4 * PUB_MAX_LEN + 128 <= STATE_MAX_LEN,
    "a state and its keys fit one sealed blob");

struct blob {
	uint8_t *p; /* heap, NULL: there is none */
	size_t len;
};

static struct {
	bool powered;
	bool may_manufacture; /* law 2: only inside eng_manufacture() */
	bool changed;
	bool orderly;    /* nothing changed it since TPM2_Shutdown */
	uint8_t version; /* TPM_VER_* */
	uint8_t locality;
	struct blob permanent, volatile_, savestate;
	uint8_t permanent_hash[SHA256_LEN];
	unsigned char *resp; /* libtpms allocates and keeps it */
	uint32_t resp_cap;
} eng;

static void
blob_done(struct blob *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->len);
	free(b->p);
	b->p = NULL;
	b->len = 0;
}

static int
blob_set(struct blob *b, const uint8_t *p, size_t len)
{
	uint8_t *copy;

	if (len == 0) {
		blob_done(b);
		return VT_OK;
	}
	if ((copy = malloc(len)) == NULL)
		return VT_E_NOMEM;
	memcpy(copy, p, len);
	blob_done(b);
	b->p = copy;
	b->len = len;
	return VT_OK;
}

static struct blob *
blob_by_name(const char *name)
{
	if (strcmp(name, TPM_PERMANENT_ALL_NAME) == 0)
		return &eng.permanent;
	if (strcmp(name, TPM_VOLATILESTATE_NAME) == 0)
		return &eng.volatile_;
	if (strcmp(name, TPM_SAVESTATE_NAME) == 0)
		return &eng.savestate;
	return NULL;
}

/* --- what libtpms calls ----------------------------------------------------
 */

static TPM_RESULT
cb_init(void)
{
	return TPM_SUCCESS;
}

/*
 * TPM_RETRY means "there is none".  For the permanent state that makes
 * libtpms manufacture a TPM, so it is an error at any other time.
 */
static TPM_RESULT
cb_load(
    unsigned char **data, uint32_t *length, uint32_t number, const char *name)
{
	struct blob *b = blob_by_name(name);

	(void)number;
	*data = NULL;
	*length = 0;
	if (b == NULL)
		return TPM_FAIL;
	if (b->p == NULL) {
		if (b == &eng.permanent && !eng.may_manufacture)
			return TPM_FAIL;
		return TPM_RETRY;
	}
	/* libtpms frees it by free(3).  Not TPM_Malloc(): it refuses more than
	 * 128 KiB, and a guest's permanent state grows past that. */
	if ((*data = malloc(b->len)) == NULL)
		return TPM_SIZE;
	memcpy(*data, b->p, b->len);
	*length = (uint32_t)b->len;
	return TPM_SUCCESS;
}

/* libtpms stores at every power on and more often; only a change counts. */
static TPM_RESULT
store_permanent(const unsigned char *data, uint32_t length)
{
	uint8_t hash[SHA256_LEN];

	if (digest_buf(ALG_SHA256, data, length, hash) != VT_OK)
		return TPM_FAIL;
	if (eng.permanent.p != NULL &&
	    memcmp(hash, eng.permanent_hash, sizeof(hash)) == 0)
		return TPM_SUCCESS;
	if (blob_set(&eng.permanent, data, length) != VT_OK)
		return TPM_SIZE;
	memcpy(eng.permanent_hash, hash, sizeof(hash));
	eng.changed = true;
	eng.orderly = false;
	return TPM_SUCCESS;
}

static TPM_RESULT
cb_store(const unsigned char *data, uint32_t length, uint32_t number,
    const char *name)
{
	const struct blob *b = blob_by_name(name);
	int rc;

	(void)number;
	/* What could not be sealed is not taken: the command fails. */
	if (b == NULL || length == 0 || length > ENG_STATE_MAX)
		return TPM_FAIL;
	if (b == &eng.permanent)
		return store_permanent(data, length);
	if (b == &eng.volatile_)
		rc = blob_set(&eng.volatile_, data, length);
	else
		rc = blob_set(&eng.savestate, data, length);
	return rc == VT_OK ? TPM_SUCCESS : TPM_SIZE;
}

static TPM_RESULT
cb_delete(uint32_t number, const char *name, TPM_BOOL must_exist)
{
	struct blob *b = blob_by_name(name);

	(void)number;
	if (b == NULL || b == &eng.permanent)
		return TPM_FAIL;
	if (must_exist && b->p == NULL)
		return TPM_FAIL;
	blob_done(b);
	return TPM_SUCCESS;
}

static TPM_RESULT
cb_locality(TPM_MODIFIER_INDICATOR *ret, uint32_t number)
{
	(void)number;
	*ret = eng.locality;
	return TPM_SUCCESS;
}

static TPM_RESULT
cb_presence(TPM_BOOL *ret, uint32_t number)
{
	(void)number;
	*ret = FALSE;
	return TPM_SUCCESS;
}

/* --- state and power -------------------------------------------------------
 */

int
eng_init(int log_fd)
{
	struct libtpms_callbacks cbs = {
		.sizeOfStruct = sizeof(cbs),
		.tpm_nvram_init = cb_init,
		.tpm_nvram_loaddata = cb_load,
		.tpm_nvram_storedata = cb_store,
		.tpm_nvram_deletename = cb_delete,
		.tpm_io_init = cb_init,
		.tpm_io_getlocality = cb_locality,
		.tpm_io_getphysicalpresence = cb_presence,
	};

	if (log_fd != -1)
		TPMLIB_SetDebugFD(log_fd);
	return TPMLIB_RegisterCallbacks(&cbs) == TPM_SUCCESS ? VT_OK : VT_E_TPM;
}

static int
choose(uint8_t tpm_version)
{
	TPMLIB_TPMVersion v = TPMLIB_TPM_VERSION_2;

	if (eng.powered)
		return VT_E_STATE;
	if (tpm_version == TPM_VER_12)
		v = TPMLIB_TPM_VERSION_1_2;
	else if (tpm_version != TPM_VER_20)
		return VT_E_UNSUPPORTED;
	if (TPMLIB_ChooseTPMVersion(v) != TPM_SUCCESS)
		return VT_E_UNSUPPORTED;
	eng.version = tpm_version;
	return VT_OK;
}

void
eng_forget(void)
{
	eng_power_off();
	blob_done(&eng.permanent);
	blob_done(&eng.volatile_);
	blob_done(&eng.savestate);
	eng.changed = eng.orderly = false;
}

int
eng_manufacture(uint8_t tpm_version)
{
	TPM_RESULT res;
	int rc;

	eng_forget();
	if ((rc = choose(tpm_version)) != VT_OK)
		return rc;
	eng.may_manufacture = true;
	res = TPMLIB_MainInit();
	eng.may_manufacture = false;
	if (res != TPM_SUCCESS || eng.permanent.p == NULL) {
		TPMLIB_Terminate();
		eng_forget();
		return VT_E_TPM;
	}
	eng.powered = true;
	return VT_OK;
}

int
eng_set_permanent(uint8_t tpm_version, const uint8_t *p, size_t len)
{
	int rc;

	if (len == 0)
		return VT_E_FORMAT;
	if ((rc = choose(tpm_version)) != VT_OK)
		return rc;
	if ((rc = blob_set(&eng.permanent, p, len)) != VT_OK)
		return rc;
	blob_done(&eng.volatile_);
	blob_done(&eng.savestate);
	eng.changed = eng.orderly = false;
	return digest_buf(ALG_SHA256, p, len, eng.permanent_hash);
}

int
eng_set_volatile(const uint8_t *p, size_t len)
{
	return blob_set(&eng.volatile_, p, len);
}

int
eng_set_savestate(const uint8_t *p, size_t len)
{
	return blob_set(&eng.savestate, p, len);
}

int
eng_power_on(void)
{
	TPM_RESULT res;

	if (eng.powered || eng.permanent.p == NULL)
		return VT_E_STATE;
	res = TPMLIB_MainInit();
	blob_done(&eng.volatile_); /* a state is resumed once */
	if (res != TPM_SUCCESS) {
		TPMLIB_Terminate();
		return VT_E_TPM;
	}
	eng.powered = true;
	return VT_OK;
}

void
eng_power_off(void)
{
	if (!eng.powered)
		return;
	TPMLIB_Terminate();
	eng.powered = false;
}

bool
eng_is_tpm2(void)
{
	return eng.version == TPM_VER_20;
}

/* --- commands --------------------------------------------------------------
 */

static bool
was_shutdown(const uint8_t *cmd, size_t len)
{
	return eng_is_tpm2() && len >= 10 && be32_get(cmd + 6) == CC_Shutdown &&
	       be32_get(eng.resp + 6) == 0;
}

int
eng_process(uint8_t locality, const uint8_t *cmd, size_t len,
    const uint8_t **ret_resp, size_t *ret_len)
{
	uint32_t n = 0;

	if (!eng.powered)
		return VT_E_STATE;
	eng.locality = locality;
	/* libtpms takes a pointer to non-const but does not write to it. */
	if (TPMLIB_Process(&eng.resp, &n, &eng.resp_cap,
		(unsigned char *)(uintptr_t)cmd, (uint32_t)len) != TPM_SUCCESS)
		return VT_E_TPM;
	if (n < 10 || n > ENG_BUF_MAX)
		return VT_E_TPM;
	if (was_shutdown(cmd, len))
		eng.orderly = true;
	*ret_resp = eng.resp;
	*ret_len = n;
	return VT_OK;
}

void
eng_cancel(void)
{
	(void)TPMLIB_CancelCommand();
}

bool
eng_changed(void)
{
	bool c = eng.changed;

	eng.changed = false;
	return c;
}

bool
eng_is_orderly(void)
{
	return eng.orderly;
}

const uint8_t *
eng_permanent(size_t *ret_len)
{
	*ret_len = eng.permanent.len;
	return eng.permanent.p;
}

const uint8_t *
eng_savestate(size_t *ret_len)
{
	*ret_len = eng.savestate.len;
	return eng.savestate.p;
}

int
eng_get_volatile(uint8_t **ret, size_t *ret_len)
{
	unsigned char *p = NULL;
	uint32_t len = 0;

	if (!eng.powered)
		return VT_E_STATE;
	if (TPMLIB_GetState(TPMLIB_STATE_VOLATILE, &p, &len) != TPM_SUCCESS ||
	    p == NULL)
		return VT_E_TPM;
	*ret = p;
	*ret_len = len;
	return VT_OK;
}

uint32_t
eng_hash_start(void)
{
	return eng.powered ? TPM_IO_Hash_Start() : TPM_FAIL;
}

uint32_t
eng_hash_data(const uint8_t *p, size_t len)
{
	if (!eng.powered || len > UINT32_MAX)
		return TPM_FAIL;
	return TPM_IO_Hash_Data(p, (uint32_t)len);
}

uint32_t
eng_hash_end(void)
{
	return eng.powered ? TPM_IO_Hash_End() : TPM_FAIL;
}

uint32_t
eng_get_established(bool *ret)
{
	TPM_BOOL b = FALSE;
	uint32_t res;

	if (!eng.powered)
		return TPM_FAIL;
	if ((res = TPM_IO_TpmEstablished_Get(&b)) == TPM_SUCCESS)
		*ret = b != FALSE;
	return res;
}

uint32_t
eng_reset_established(uint8_t locality)
{
	if (!eng.powered)
		return TPM_FAIL;
	eng.locality = locality;
	return TPM_IO_TpmEstablished_Reset();
}

uint32_t
eng_buffer_size(uint32_t want, uint32_t *ret_min, uint32_t *ret_max)
{
	return TPMLIB_SetBufferSize(want, ret_min, ret_max);
}

char *
eng_info(unsigned int flags)
{
	return TPMLIB_GetInfo((enum TPMLIB_InfoFlags)flags);
}
