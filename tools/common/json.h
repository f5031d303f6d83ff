/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.h - JSON in the command line tools: their files, values of it.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_COMMON_JSON_H
#define TOOLS_COMMON_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/tpm/pcr.h"

/* A file of at most max bytes with this "format" and version 1, no member
 * twice; NULL after a message.  The caller owns it. */
json_t *tool_json_load(const char *path, size_t max, const char *format);
/* As tool_write(), with a newline at the end of standard output; takes over
 * o, which may be NULL after json_pack(). */
int tool_json_save(const char *path, json_t *o, unsigned int mode) VT_CHECK;

/* New strings; NULL without memory. */
json_t *tool_json_error(void); /* the last logged error, printable ASCII */
/* The same on standard output, in an object of this "format". */
int tool_json_print_error(const char *format) VT_CHECK;
json_t *tool_json_b64(const uint8_t *p, size_t len);
/* Base64 of a member; *ret is heap.  VT_E_FORMAT, VT_E_NOMEM. */
int tool_json_get_b64(
    const json_t *o, const char *key, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* The value of a PCR in an object from number to hex; false: it has none that
 * fits alg. */
bool tool_json_get_pcr(const json_t *bank, uint16_t alg, uint32_t pcr,
    uint8_t ret[static DIGEST_MAX]);

#endif
