/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io.c - the files of vtpm-verify, with words when they fail.
 */
#include "tools/verify/cmd.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

int
verify_read(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	int rc = read_file(path, max, ret, ret_len);

	if (rc != VT_OK)
		log_err("cannot read %s: %s", path, vt_strerror(rc));
	return rc;
}

int
verify_read_evidence(const char *path, struct bundle **ret)
{
	char err[BUNDLE_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = verify_read(path, BUNDLE_MAX_LEN, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = bundle_parse(buf, len, ret, err)) != VT_OK)
		log_err("%s: %s", path, err);
	free(buf);
	return rc;
}

int
verify_write(const char *path, const char *text)
{
	size_t len = strlen(text);
	char *line;
	int rc;

	if ((line = malloc(len + 2)) == NULL)
		return VT_E_NOMEM;
	memcpy(line, text, len);
	line[len] = '\n';
	if (path == NULL || strcmp(path, "-") == 0)
		rc = write_all(STDOUT_FILENO, line, len + 1);
	else
		rc = write_file_atomic(path, line, len + 1, 0644);
	free(line);
	if (rc != VT_OK)
		log_err("cannot write %s: %s", path != NULL ? path : "output",
		    vt_strerror(rc));
	return rc;
}
