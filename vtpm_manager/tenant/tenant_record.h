/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant_record.h - tenants as the store has them: bytes of a record and of
 * the index.
 *
 * Layer:  vtpm_manager/tenant; no I/O, no logging.
 * Bytes:  doc/FORMATS.md, "Store".
 */
#ifndef VTPM_MANAGER_TENANT_TENANT_RECORD_H
#define VTPM_MANAGER_TENANT_TENANT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "measure/host/tenant_config.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

#define TENANTS_MAX (HW_GROUPS_MAX - 1) /* beside group 0 */
#define TENANT_REC_MAX 16384            /* bytes of one record */

struct tenant_quota { /* 0: no limit */
	uint32_t vtpms;
	uint64_t bytes; /* of sealed permanent state, all vTPMs together */
	uint32_t hw_ms; /* per minute of the host's TPM */
};

struct tenant_rec {
	uint32_t number;
	char name[NAME_MAX_LEN + 1];
	uint8_t key[APPROVAL_KEY_LEN]; /* zeros: none (group 0) */
	struct tenant_quota quota;
	uint64_t created_ms;
	uint8_t config[TENANT_CONFIG_MAX]; /* as signed */
	uint16_t config_len;               /* 0: none yet */
	uint8_t ak[HW_AK_MAX_LEN];         /* wrapped by the host's TPM */
	uint8_t ak_pub[PUB_MAX_LEN];
	uint16_t ak_len, ak_pub_len;
};

/* Numbers in use, ascending, and the next free one. */
struct tenant_index {
	uint32_t next, n;
	uint32_t numbers[TENANTS_MAX];
};

void tenant_rec_put(struct wr *w, const struct tenant_rec *r);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int tenant_rec_get(
    const uint8_t *data, size_t len, struct tenant_rec *ret) VT_CHECK;
void tenant_index_put(struct wr *w, const struct tenant_index *x);
int tenant_index_get(
    const uint8_t *data, size_t len, struct tenant_index *ret) VT_CHECK;

#endif
