/* SPDX-License-Identifier: BSD-3-Clause */
/* input.c - evidence, host records, host states and roots, from files. */
#include "tools/verify/input.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "measure/host/host_state.h"
#include "tools/common/file.h"

#define ROOTS_MAX (1024u * 1024)

struct roots { /* where certificates go: one of the two */
	struct host_roots *own;
	struct vtpm_verifier *v;
};

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

int
input_set(struct vtpm_verifier *v, const char *path, size_t max,
    int (*setter)(struct vtpm_verifier *, const void *, size_t))
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, max, &buf, &len)) != VT_OK)
		return rc;
	if (setter(v, buf, len) != 0) {
		log_err("%s: %s", path, vtpm_verifier_error(v));
		rc = VT_E_FORMAT;
	}
	free(buf);
	return rc;
}

static int
add_file(const struct roots *r, const char *path)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if (r->v != NULL)
		return input_set(
		    r->v, path, ROOTS_MAX, vtpm_verifier_add_roots);
	if ((rc = tool_read(path, ROOTS_MAX, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = host_roots_add(r->own, buf, len)) != VT_OK)
		log_err("%s: not only CA certificates, in PEM or DER", path);
	free(buf);
	return rc;
}

static int
add_folder(const struct roots *r, const char *path)
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

static int
add_roots(const struct roots *r, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1) {
		log_err("cannot read %s: %s", path, vt_strerror(VT_E_SYS));
		return VT_E_SYS;
	}
	return S_ISDIR(st.st_mode) ? add_folder(r, path) : add_file(r, path);
}

int
input_roots(const char *path, struct host_roots **ret)
{
	struct roots r = { 0 };
	int rc;

	if ((rc = host_roots_new(&r.own)) != VT_OK)
		return rc;
	if ((rc = add_roots(&r, path)) != VT_OK) {
		host_roots_free(r.own);
		return rc;
	}
	*ret = r.own;
	return VT_OK;
}

int
input_host(struct vtpm_verifier *v, const char *record, const char *states,
    const char *roots)
{
	const struct roots r = { .v = v };
	int rc;

	rc =
	    input_set(v, record, HOST_IDENTITY_MAX_LEN, vtpm_verifier_set_host);
	if (rc == VT_OK && roots != NULL)
		rc = add_roots(&r, roots);
	if (rc == VT_OK && states != NULL)
		rc = input_set(v, states, HOST_STATE_MAX_LEN,
		    vtpm_verifier_set_host_states);
	return rc;
}
