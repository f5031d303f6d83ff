/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_lex.h - the tokens of a GRUB script.
 *
 * Layer:  measure; may include base only.
 * GRUB's scanner takes the longest match: a # starts a comment only where no
 * word that begins with it is longer.
 */
#ifndef MEASURE_PREDICT_GRUB_LEX_H
#define MEASURE_PREDICT_GRUB_LEX_H

#include <stddef.h>

#include "base/err.h"

enum gs_token {
	GT_END,
	GT_NEWLINE,
	GT_SEMI,
	GT_OPEN,  /* { */
	GT_CLOSE, /* } */
	GT_WORD,
	GT_BAD, /* what no rule of the language allows */
};

struct gs_lexer {
	const char *text, *end; /* borrowed */
	const char *at;         /* behind the token */
	unsigned int line;      /* of the token */
	unsigned int lines;     /* newlines so far */
	enum gs_token token;
	const char *word; /* GT_WORD: its source, borrowed from text */
	size_t len;
};

void gs_lex_init(struct gs_lexer *lx, const char *text, size_t len);
/* Step to the next token. */
void gs_lex_next(struct gs_lexer *lx);
/* Bytes of the variable's name behind a $ at p, 0: none; *ret_skip: bytes to
 * step over, braces included; *ret_name: where the name starts. */
size_t gs_lex_variable(
    const char *p, const char *end, const char **ret_name, size_t *ret_skip);

#endif
