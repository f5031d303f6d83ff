/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layout.h - what versions of clang-format lay out differently, in the way
 * that this tree has it (version 14).  Nothing includes it: lint.sh asks
 * clang-format whether it agrees, before it asks about the rest.
 */
#ifndef TESTS_LINT_LAYOUT_H
#define TESTS_LINT_LAYOUT_H

#define LAYOUT_ROW           \
	{                    \
		.name = NULL \
	}

static inline char *
layout_last(char *text, const char *blanks)
{
	char *word, *last = NULL, *save = NULL;

	for (word = strtok_r(text, blanks, &save); word != NULL;
	     word = strtok_r(NULL, blanks, &save))
		last = word;
	return last;
}

#endif
