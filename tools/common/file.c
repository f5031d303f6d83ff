/* SPDX-License-Identifier: BSD-3-Clause */
/* file.c - read and write the files that a command line names. */
#include "tools/common/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

int
tool_read(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	int rc = read_file(path, max, ret, ret_len);

	if (rc == VT_E_RANGE)
		log_err("%s is longer than the %zu bytes that such a file may "
			"have",
		    path, max);
	else if (rc != VT_OK)
		log_err("cannot read %s: %s", path, vt_strerror(rc));
	return rc;
}

int
tool_write(const char *path, const void *buf, size_t len, unsigned int mode)
{
	int rc;

	if (path == NULL || strcmp(path, "-") == 0) {
		rc = write_all(STDOUT_FILENO, buf, len);
		path = "standard output";
	} else
		rc = write_file_atomic(path, buf, len, mode);
	if (rc != VT_OK)
		log_err("cannot write %s: %s", path, vt_strerror(rc));
	return rc;
}

int
tool_write_line(const char *path, const char *text, unsigned int mode)
{
	size_t len = strlen(text);
	char *line = malloc(len + 2);
	int rc;

	if (line == NULL) {
		log_err("out of memory");
		return VT_E_NOMEM;
	}
	memcpy(line, text, len);
	line[len] = '\n';
	rc = tool_write(path, line, len + 1, mode);
	free(line);
	return rc;
}
