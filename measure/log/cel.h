/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cel.h - an event log as CEL-JSON: parsed, entry by entry.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.  JSON by
 *         jansson.
 * Spec:   TCG Canonical Event Log Format 1.0, sec. 5.3 (JSON), as a list or
 *         as a JSON text sequence (RFC 7464, which systemd writes).
 * Trust:  a log is hostile input; only its replay against a signed quote
 *         gives it meaning.  The digests say nothing of the content.
 */
#ifndef MEASURE_LOG_CEL_H
#define MEASURE_LOG_CEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/pcr.h"

#define CEL_MAX_LOG (16u * 1024 * 1024) /* bytes */
#define CEL_MAX_EVENTS 65536
#define CEL_MAX_BANKS 8
#define CEL_MAX_WORDS 256 /* bytes of a description */
#define CEL_ERR_MAX 160

struct cel_event {
	bool nv;      /* of an NV index, and of no PCR */
	uint32_t pcr; /* 0..23 */
	uint32_t ndigests;
	struct tpm_digest digests[CEL_MAX_BANKS]; /* each algorithm once */
	char words[CEL_MAX_WORDS]; /* content_type and what it says, ASCII */
};

struct cel_log {
	uint32_t n;
	struct cel_event *ev;
};

/* Is it JSON: does it begin with '[', '{' or a record separator? */
bool cel_is_json(const uint8_t *buf, size_t len);
/*
 * Parse all of it.  *ret is owned by the caller, who frees it with cel_free().
 * VT_E_RANGE, VT_E_FORMAT, VT_E_NOMEM; err then says where and what.
 */
int cel_parse(const uint8_t *buf, size_t len, struct cel_log **ret,
    char err[CEL_ERR_MAX]) VT_CHECK;
void cel_free(struct cel_log *log); /* NULL is a no-op */

#endif
