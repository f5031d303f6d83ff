/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * words.h - the command lines of swtpm's programs: long options by a table,
 * and options whose argument is a list, "type=unixio,path=P".
 *
 * Layer:  tools.  Reads argv, logs.
 * Bytes:  a list's values cannot contain a comma, as with swtpm.
 */
#ifndef TOOLS_SWTPM_WORDS_H
#define TOOLS_SWTPM_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define WORDS_MAX 64       /* rows of a table */
#define LIST_TEXT_MAX 4096 /* bytes of a list */
#define LIST_ITEMS_MAX 12

/* One option; a table ends with name NULL. */
struct word {
	const char *name;
	char letter; /* 0: none */
	bool arg;
	const char **text; /* takes the argument, borrowed from argv */
	bool *flag;        /* is set */
	const char *idle;  /* why the option has no effect here */
};

/* All of argv behind argv[0]; argv becomes the operands, *argc of them.  Bit n
 * of *ret_given: row n was given.  VT_E_FORMAT after a message. */
int words_parse(const struct word *table, int *argc, char **argv,
    uint64_t *ret_given) VT_CHECK;
/* Log each option that was given and has no effect. */
void words_report(const struct word *table, uint64_t given);

/* "key=value,key=value,word" */
struct list {
	char buf[LIST_TEXT_MAX];
	struct {
		const char *key, *value; /* value NULL: a word alone */
	} items[LIST_ITEMS_MAX];
	size_t n;
};

/* VT_E_RANGE: too long, or too many items; VT_E_FORMAT: an empty key, or one
 * twice. */
int list_parse(struct list *ret, const char *text) VT_CHECK;
/* NULL: not there; "": there, without a value. */
const char *list_get(const struct list *l, const char *key);
/* The first key that is not in the words of known ("type path"), or NULL. */
const char *list_unknown(const struct list *l, const char *known);
/* *ret stays without the key.  VT_E_FORMAT: not a number of that base, or over
 * max. */
int list_number(const struct list *l, const char *key, int base, uint32_t max,
    long *ret) VT_CHECK;

#endif
