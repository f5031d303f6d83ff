/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * utf8.h - text as our formats have it: UTF-8 without NUL.
 *
 * Layer:  base; pure.
 * Spec:   RFC 3629.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it UTF-8, with no NUL, overlong form, surrogate or value above
 * U+10FFFF?  No byte at all is text, too. */
bool utf8_is_text(const uint8_t *p, size_t len);
/* How many bytes of s fit into max without cutting a character. */
size_t utf8_cut(const char *s, size_t max);

#endif
