/* SPDX-License-Identifier: BSD-3-Clause */
/* input.c - evidence, host records, host states and roots, from files. */
#include "tools/verify/input.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tools/common/file.h"

#define ROOTS_MAX (1024u * 1024)

int
input_evidence(const char *path, struct bundle **ret)
{
	char err[BUNDLE_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, BUNDLE_MAX_LEN, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = bundle_parse(buf, len, ret, err)) != VT_OK)
		log_err("%s: %s", path, err);
	free(buf);
	return rc;
}

int
input_host_identity(
    const char *path, enum host_identity_kind kind, struct host_identity **ret)
{
	char err[HOST_IDENTITY_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, HOST_IDENTITY_MAX_LEN, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = host_identity_parse(buf, len, kind, ret, err)) != VT_OK)
		log_err("%s: %s", path, err);
	free(buf);
	return rc;
}

static int
read_states(const char *path, struct host_states **ret)
{
	char err[HOST_STATE_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, HOST_STATE_MAX_LEN, &buf, &len)) != VT_OK)
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

	if ((rc = tool_read(path, ROOTS_MAX, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = host_roots_add(r, buf, len)) != VT_OK)
		log_err("%s: not only CA certificates, in PEM or DER", path);
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
		log_err("%s: the folder has no files", path);
		rc = VT_E_NOTFOUND;
	}
	return rc;
}

int
input_roots(const char *path, struct host_roots **ret)
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

int
input_host(struct input_host *h, const char *record, const char *states,
    const char *roots)
{
	int rc;

	if ((rc = input_host_identity(record, HOST_IDENTITY_RECORD, &h->id)) !=
		VT_OK ||
	    (roots != NULL && (rc = input_roots(roots, &h->roots)) != VT_OK) ||
	    (states != NULL && (rc = read_states(states, &h->states)) != VT_OK))
		return rc;
	return deep_host_new(h->id, h->roots, h->states, 0, &h->deep);
}

void
input_host_done(struct input_host *h)
{
	deep_host_free(h->deep);
	free(h->states);
	host_roots_free(h->roots);
	host_identity_free(h->id);
}
