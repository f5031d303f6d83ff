/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_hex.h - bytes as a JSON string, and back.
 *
 * Layer:  base; needs jansson.
 */
#ifndef BASE_JSON_HEX_H
#define BASE_JSON_HEX_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A string of 2 * len hexadecimal digits, the caller's; NULL: out of memory. */
json_t *json_hex(const uint8_t *p, size_t len);
/* A member of o that is a string of exactly len bytes in hex.  VT_E_FORMAT;
 * out may be changed then. */
int json_hex_get(
    const json_t *o, const char *key, uint8_t *out, size_t len) VT_CHECK;

#endif
