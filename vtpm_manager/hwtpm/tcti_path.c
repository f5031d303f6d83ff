/* SPDX-License-Identifier: BSD-3-Clause */
/* tcti_path.c - the file behind a TCTI's configuration. */
#include "vtpm_manager/hwtpm/tcti_path.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define DEFAULT_DEVICE "/dev/tpm0" /* the module's own default */

const char *
tcti_device(const char *conf)
{
	static const char name[] = "device";
	const char *p = conf + sizeof(name) - 1;

	if (strncmp(conf, name, sizeof(name) - 1) != 0)
		return NULL;
	return p[0] == ':' && p[1] != '\0' ? p + 1 : DEFAULT_DEVICE;
}

void
tcti_path(const char *conf, char *out, size_t cap)
{
	static const char *const keys[] = { "local=", "path=" };
	const char *p = tcti_device(conf);
	size_t i;

	for (i = 0; p == NULL && i < VT_NELEM(keys); i++)
		if ((p = strstr(conf, keys[i])) != NULL)
			p += strlen(keys[i]);
	if (p == NULL)
		p = "";
	(void)snprintf(out, cap, "%.*s", (int)strcspn(p, ","), p);
}
