/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/host/host_approvals.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

static int
file_path(char out[PATH_MAX], const char *state, uint64_t sequence)
{
	int n = snprintf(out, PATH_MAX,
	    "%s/" APPROVALS_FOLDER "/%010" PRIu64 APPROVALS_SUFFIX, state,
	    sequence);

	return n > 0 && n < PATH_MAX ? VT_OK : VT_E_RANGE;
}

int
approvals_check(const uint8_t *raw, size_t len,
    const uint8_t key[APPROVAL_KEY_LEN], const uint8_t name[APPROVAL_NAME_LEN],
    struct approval *ret, char *text, size_t cap)
{
	struct approval a;
	int rc;

	if ((rc = approval_get(raw, len, &a)) != VT_OK) {
		(void)snprintf(
		    text, cap, "this is not an approval: %s", vt_strerror(rc));
		return rc;
	}
	if (approval_verify(&a, key) != VT_OK) {
		(void)snprintf(text, cap,
		    "approval '%s' was not signed by this host's approval key",
		    a.label);
		return VT_E_AUTH;
	}
	if ((rc = approval_check(&a, text, cap)) != VT_OK)
		return rc;
	if (a.group != 0) {
		(void)snprintf(text, cap,
		    "approval '%s' is for group %u, not for the host", a.label,
		    (unsigned)a.group);
		return VT_E_POLICY;
	}
	if (!mem_equal(a.epoch_name, name, sizeof(a.epoch_name))) {
		(void)snprintf(text, cap,
		    "approval '%s' is for another TPM (its epoch counter is "
		    "another one)",
		    a.label);
		return VT_E_POLICY;
	}
	*ret = a;
	return VT_OK;
}

/* In order; without room the lowest is dropped. */
static void
insert(struct approvals *ap, const struct approval *a, const uint8_t *raw,
    size_t len)
{
	struct approvals_one *o;
	uint32_t i;

	if (ap->n == HW_APPROVALS_MAX) {
		if (a->sequence < ap->one[0].a.sequence)
			return;
		memmove(&ap->one[0], &ap->one[1],
		    (HW_APPROVALS_MAX - 1) * sizeof(ap->one[0]));
		ap->n--;
	}
	for (i = ap->n; i > 0 && ap->one[i - 1].a.sequence > a->sequence; i--)
		ap->one[i] = ap->one[i - 1];
	o = &ap->one[i];
	o->a = *a;
	memcpy(o->raw, raw, len);
	o->len = (uint32_t)len;
	ap->n++;
}

static bool
has_suffix(const char *name)
{
	size_t n = strlen(name), m = strlen(APPROVALS_SUFFIX);

	return n > m && name[0] != '.' &&
	       strcmp(name + n - m, APPROVALS_SUFFIX) == 0;
}

static int
read_one(const char *path, const uint8_t key[APPROVAL_KEY_LEN],
    const uint8_t name[APPROVAL_NAME_LEN], struct approvals *ap)
{
	struct approval a;
	uint8_t *raw = NULL;
	char text[256];
	size_t len;
	int rc;

	if ((rc = read_file(path, APPROVAL_MAX_LEN, &raw, &len)) == VT_E_NOMEM)
		return rc;
	if (rc == VT_OK)
		rc = approvals_check(
		    raw, len, key, name, &a, text, sizeof(text));
	if (rc == VT_OK)
		insert(ap, &a, raw, len);
	else
		ap->others++;
	free(raw);
	return VT_OK;
}

int
approvals_read(const char *state, const uint8_t key[APPROVAL_KEY_LEN],
    const uint8_t name[APPROVAL_NAME_LEN], struct approvals *ret)
{
	char path[PATH_MAX];
	struct dirent *de;
	int n, rc = VT_OK;
	DIR *d;

	memset(ret, 0, sizeof(*ret));
	n = snprintf(path, sizeof(path), "%s/" APPROVALS_FOLDER, state);
	if (n < 0 || (size_t)n >= sizeof(path))
		return VT_E_RANGE;
	if ((d = opendir(path)) == NULL)
		return errno == ENOENT ? VT_OK : VT_E_SYS;
	while (rc == VT_OK && (de = readdir(d)) != NULL) {
		if (!has_suffix(de->d_name))
			continue;
		n = snprintf(path, sizeof(path), "%s/" APPROVALS_FOLDER "/%s",
		    state, de->d_name);
		if (n > 0 && (size_t)n < sizeof(path))
			rc = read_one(path, key, name, ret);
	}
	(void)closedir(d);
	return rc;
}

int
approvals_write(
    const char *state, uint64_t sequence, const uint8_t *raw, size_t len)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/" APPROVALS_FOLDER, state);

	if (n < 0 || (size_t)n >= sizeof(path))
		return VT_E_RANGE;
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return VT_E_SYS;
	if (file_path(path, state, sequence) != VT_OK)
		return VT_E_RANGE;
	return write_file_atomic(path, raw, len, 0600);
}

void
approvals_remove(const char *state, uint64_t sequence)
{
	char path[PATH_MAX];

	if (file_path(path, state, sequence) == VT_OK)
		(void)unlink(path);
}

void
approvals_list(
    const struct approvals *ap, uint32_t *n, struct wblob ret[HW_APPROVALS_MAX])
{
	uint32_t i;

	for (i = 0; i < ap->n; i++) {
		ret[i].p = ap->one[i].raw;
		ret[i].len = ap->one[i].len;
	}
	*n = ap->n;
}
