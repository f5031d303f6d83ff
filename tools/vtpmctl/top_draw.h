/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * top_draw.h - one table of `vtpmctl top`.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_TOP_DRAW_H
#define TOOLS_VTPMCTL_TOP_DRAW_H

#include <stdio.h>

#include "tools/vtpmctl/top_rows.h"

struct top_view {
	const struct top_row *rows;
	size_t n;
	const struct top_host *host;
	bool tpm_up;         /* the host's TPM */
	uint64_t time_ms;    /* since 1970 */
	size_t width, lines; /* at most so many columns and lines */
	const char *eol;     /* ends each line */
};

void top_draw(FILE *f, const struct top_view *v);

#endif
