/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base64.h - base64, canonical encoding only.
 *
 * Layer:  measure.
 * Spec:   RFC 4648, 4, with padding.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* *ret: heap, free().  VT_E_FORMAT (also empty), VT_E_NOMEM. */
int b64_get(
    const char *text, size_t len, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* Heap, free(); NULL: no memory. */
char *b64_make(const uint8_t *p, size_t len);

#endif
