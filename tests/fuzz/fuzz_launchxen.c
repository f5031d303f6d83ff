/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_launchxen.c - any words of xl: what is accepted has a kernel or is
 * HVM, names only whole paths, has a configuration text, and is itself. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/launch/launch_xen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *paths[LX_FILES_MAX];
	char text[LX_TEXT_MAX], lines[LX_FILES_MAX * (LX_PATH_MAX + 64)];
	static struct lx_plan p;
	char *config = NULL;
	unsigned int i;

	if (lx_parse((const char *)data, len, &p, text) != VT_OK) {
		lx_done(&p);
		return 0;
	}
	if (strcmp(p.type, "hvm") != 0 && lx_find(&p, "kernel") == NULL)
		abort();
	for (i = 0; i < p.nfiles; i++) {
		if (p.files[i].path[0] != '/')
			abort();
		paths[i] = p.files[i].path;
	}
	if (lx_config_text(&p, &config) == VT_OK)
		free(config);
	if (lx_same(&p, paths, (const char *)data, len, text) != VT_OK)
		abort();
	if (lx_overrides(&p, paths, lines, sizeof(lines)) != VT_OK)
		abort();
	lx_done(&p);
	return 0;
}
