/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_hex.h - bytes as a JSON string.
 *
 * Layer:  base; needs jansson.
 */
#ifndef BASE_JSON_HEX_H
#define BASE_JSON_HEX_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* A string of 2 * len hexadecimal digits, the caller's; NULL: out of memory. */
json_t *json_hex(const uint8_t *p, size_t len);

#endif
