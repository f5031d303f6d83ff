/* SPDX-License-Identifier: BSD-3-Clause */
/* log_file.c - an event log of any form, from a file. */
#include "tools/common/log_file.h"

#include <stdlib.h>

#include "base/log.h"
#include "tools/common/file.h"

int
tool_read_log(const char *path, struct replay **ret)
{
	char err[REPLAY_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, REPLAY_MAX_LOG, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = replay_make(buf, len, ret, err)) != VT_OK)
		log_err("%s: %s", path, err);
	free(buf);
	return rc;
}
