/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host.c - host record, manufacturers' roots and host states from
 * files.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tools/verify/cmd.h"

#define ROOTS_MAX (1024u * 1024)

int
verify_read_hostid(
    const char *path, enum host_identity_kind kind, struct host_identity **ret)
{
	char err[HOST_IDENTITY_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = verify_read(path, HOST_IDENTITY_MAX_LEN, &buf, &len)) !=
	    VT_OK)
		return rc;
	if ((rc = host_identity_parse(buf, len, kind, ret, err)) != VT_OK)
		log_err("%s: %s", path, err);
	free(buf);
	return rc;
}

int
verify_read_states(const char *path, struct host_states **ret)
{
	char err[HOST_STATE_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = verify_read(path, HOST_STATE_MAX_LEN, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = host_states_parse(buf, len, ret, err)) != VT_OK)
		log_err("%s: %s", path, err);
	free(buf);
	return rc;
}

static int
add_file(struct host_roots *r, const char *path)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = verify_read(path, ROOTS_MAX, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = host_roots_add(r, buf, len)) != VT_OK)
		log_err(
		    "%s: holds something that is not a CA certificate", path);
	free(buf);
	return rc;
}

static int
add_folder(struct host_roots *r, const char *path)
{
	DIR *d = opendir(path);
	char file[4096];
	struct dirent *e;
	int n = 0, rc = VT_OK;

	if (d == NULL) {
		log_err("cannot read %s: %s", path, vt_strerror(VT_E_SYS));
		return VT_E_SYS;
	}
	while (rc == VT_OK && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		rc = add_file(r, file);
		n++;
	}
	(void)closedir(d);
	if (rc == VT_OK && n == 0) {
		log_err("%s: there is no certificate in it", path);
		rc = VT_E_NOTFOUND;
	}
	return rc;
}

int
verify_read_roots(const char *path, struct host_roots **ret)
{
	struct host_roots *r = NULL;
	struct stat st;
	int rc;

	if (stat(path, &st) == -1) {
		log_err("cannot read %s: %s", path, vt_strerror(VT_E_SYS));
		return VT_E_SYS;
	}
	if ((rc = host_roots_new(&r)) != VT_OK)
		return rc;
	rc = S_ISDIR(st.st_mode) ? add_folder(r, path) : add_file(r, path);
	if (rc != VT_OK) {
		host_roots_free(r);
		return rc;
	}
	*ret = r;
	return VT_OK;
}
