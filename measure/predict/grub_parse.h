/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_parse.h - a GRUB script as a tree: words, commands, blocks.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Spec:   GRUB 2.06 manual, "Writing full configuration files directly"; what
 *         the manual leaves open is as grub-script-check and real boots show.
 * Trust:  the operator's file; bounds are kept all the same.
 * Limits: GS_MAX_*.
 */
#ifndef MEASURE_PREDICT_GRUB_PARSE_H
#define MEASURE_PREDICT_GRUB_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define GS_MAX_SCRIPT (1024 * 1024) /* bytes */
#define GS_MAX_DEPTH 64             /* nested if, loop and block */
#define GS_ERR_MAX 160

enum gs_part_kind {
	GS_TEXT,   /* unquoted; a backslash still quotes what follows */
	GS_STRING, /* quoted: as it is */
	GS_VAR,    /* variable, its value is split at blanks */
	GS_DQVAR,  /* variable in double quotes: not split */
	GS_BLOCK,  /* { ... }: text between the braces */
};

struct gs_part {
	enum gs_part_kind kind;
	char *text; /* owned */
	struct gs_part *next;
};

struct gs_word {
	struct gs_part *parts;
	struct gs_word *next;
};

enum gs_kind { GS_COMMAND, GS_IF, GS_FOR, GS_WHILE, GS_UNTIL, GS_FUNCTION };

struct gs_cmd {
	enum gs_kind kind;
	unsigned int line;     /* 1: first */
	char *name;            /* of a function, or a for's variable */
	struct gs_word *words; /* of a command, or a for's list */
	struct gs_cmd *cond;   /* of if, while, until */
	struct gs_cmd *body;
	struct gs_cmd *other; /* else */
	struct gs_cmd *next;
};

/*
 * Parse text[len], of which no byte is NUL.  config: as GRUB reads a file of
 * its own: carriage returns and lines whose first character is # are dropped.
 * *ret is owned by the caller, gs_free() frees it; NULL for an empty script.
 * VT_E_FORMAT (err names the line and the cause), VT_E_RANGE, VT_E_NOMEM.
 */
int gs_parse(const char *text, size_t len, bool config, struct gs_cmd **ret,
    char err[GS_ERR_MAX]) VT_CHECK;
void gs_free(struct gs_cmd *cmd); /* the list; NULL is a no-op */

#endif
