/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal_codec.h - the extend journal as bytes.
 *
 * Layer:  measure; no I/O, no logging.
 * Bytes:  big-endian, see journal_codec.c and doc/FORMATS.md; magic "VTJL".
 */
#ifndef MEASURE_LOG_JOURNAL_CODEC_H
#define MEASURE_LOG_JOURNAL_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "measure/log/journal.h"

/* Append the whole journal to w, at most JOURNAL_MAX_LEN bytes. */
void journal_encode(const struct journal *j, struct wr *w);
/* A journal that goes on where the encoded one stopped.  *ret is owned by
 * the caller.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED,
 * VT_E_NOMEM. */
int journal_decode(
    const uint8_t *buf, size_t len, struct journal **ret) VT_CHECK;

#endif
