/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_common.h - what the commands of vtpm-seal share: their options, files,
 * and the TPM, each failure said in words.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_SEAL_CMD_COMMON_H
#define TOOLS_SEAL_CMD_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/options.h"
#include "tools/esys/esys_ctx.h"
#include "tools/seal/approvals.h"
#include "tools/seal/seal_blob.h"
#include "tools/seal/seal_epoch.h"
#include "tools/seal/seal_key.h"
#include "tools/seal/seal_tpm.h"

#define DEFAULT_PCRS "sha256:0,2,4,7,8,9"
#define WHY_MAX 1024

/* Exit codes; OPT_BAD is 2, too. */
enum { SX_DONE = 0, SX_REFUSED = 1, SX_FAILED = 2 };
int seal_exit(int rc);

/* Members that options of several commands fill. */
struct sel_arg {
	bool given;
	struct pcr_sel sel; /* n is 0 if the list was empty */
};

#define OPT_TCTI(s)                                                  \
	{                                                            \
		OPT_TEXT("tcti", 0, "CONF", s, tcti,                 \
		    "the TPM, as tpm2-tss names it (default "        \
		    "device:/dev/tpmrm0, or else device:/dev/tpm0)") \
	}
#define OPT_OWNER(s)                                                 \
	{                                                            \
		OPT_TEXT("owner-auth", 0, "FILE", s, owner_auth,     \
		    "file with the password of the TPM's owner, if " \
		    "there is one")                                  \
	}

/* struct sel_arg m. */
#define OPT_SELECT(n, s, m, h)                                    \
	{                                                         \
		OPT_CALL(n, "LIST", seal_set_sel,                 \
		    "a PCR selection, as sha256:0,2,4,7,8,9", h), \
		    .at = OPT_AT(s, m, struct sel_arg)            \
	}
/* uint32_t index; 0: not given. */
#define OPT_EPOCH_INDEX(s, h)                                        \
	{                                                            \
		OPT_CALL("epoch-index", "INDEX", seal_set_index,     \
		    "an NV index from 0x01800000 to 0x01bfffff", h), \
		    .at = OPT_AT(s, index, uint32_t)                 \
	}
int seal_set_sel(void *dst, const struct opt *o, const char *arg) VT_CHECK;
int seal_set_index(void *dst, const struct opt *o, const char *arg) VT_CHECK;

/* A file, or with NULL or "-" standard input. */
int seal_read_in(
    const char *path, size_t max, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* A password: the file without the newline at its end.  VT_E_FORMAT: empty. */
int seal_read_pass(const char *path, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* A PEM key, public or private. */
int seal_read_key(const char *path, struct seal_key *ret) VT_CHECK;

/* owner_auth: a file, or NULL.  esys_close() is due in any case. */
int seal_open_tpm(
    struct esys *e, const char *tcti, const char *owner_auth) VT_CHECK;
/* want: the Name that it must have, len 0: any. */
int seal_find_srk(struct esys *e, const struct tpm_name *want, uint32_t handle,
    bool may_make, struct seal_srk *srk) VT_CHECK;
int seal_read_pcrs(
    struct esys *e, const struct pcr_sel *sel, struct pcr_set *ret) VT_CHECK;
/* The same, without the banks and PCRs that this TPM does not have. */
int seal_read_known_pcrs(
    struct esys *e, const struct pcr_sel *sel, struct pcr_set *ret) VT_CHECK;
/* Says what is wrong with the counter, whichever call gave rc. */
void seal_say_epoch(struct esys *e, uint32_t index, int rc);

/* A file of approvals.  may_miss: a missing file is an empty one. */
int seal_read_approvals(
    const char *path, bool may_miss, struct approvals *ret) VT_CHECK;
/*
 * A blob, or a file of approvals with a blob in it, as a LUKS token is; then
 * ret_appr is filled, too (else it is zeroed).  *buf: heap, what b borrows
 * from; free() and approvals_free() are due after VT_OK.
 */
int seal_read_blob(const char *path, uint8_t **buf, struct seal_blob *b,
    struct approvals *ret_appr) VT_CHECK;

#endif
