/* SPDX-License-Identifier: BSD-3-Clause */
/* boot_input.c - tell logs, predictions, evidence and policies apart. */
#include "tools/measure/boot_input.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "measure/evidence/bundle.h"
#include "measure/log/cel.h"
#include "tools/common/file.h"

enum kind { K_LOG, K_EVIDENCE, K_POLICY };

/* By the member "format"; what has none is a log. */
static enum kind
kind_of(const uint8_t *buf, size_t len)
{
	enum kind kind = K_LOG;
	const char *format;
	json_t *root;

	if (!cel_is_json(buf, len))
		return K_LOG;
	root = json_loadb((const char *)buf, len, 0, NULL);
	format = json_string_value(json_object_get(root, "format"));
	if (format != NULL && strncmp(format, "vtpm-policy ", 12) == 0)
		kind = K_POLICY;
	else if (format != NULL && strcmp(format, BUNDLE_FORMAT) == 0)
		kind = K_EVIDENCE;
	json_decref(root);
	return kind;
}

/* The guest's log in evidence takes the place of the evidence. */
static int
log_of_evidence(const char *path, uint8_t **buf, size_t *len)
{
	char err[BUNDLE_ERR_MAX];
	struct bundle_blob *log;
	struct bundle *ev;
	int rc;

	if ((rc = bundle_parse(*buf, *len, &ev, err)) != VT_OK) {
		log_err("%s: %s", path, err);
		return rc;
	}
	log = &ev->part[BUNDLE_LOG];
	if (log->p == NULL) {
		log_err("%s: this evidence has no event log", path);
		rc = VT_E_NOTFOUND;
	} else {
		free(*buf);
		*buf = log->p;
		*len = log->len;
		log->p = NULL;
	}
	bundle_free(ev);
	return rc;
}

static int
read_any(const char *path, uint8_t **buf, size_t *len, enum kind *kind)
{
	int rc = tool_read(path, REPLAY_MAX_LOG, buf, len);

	if (rc != VT_OK)
		return rc;
	*kind = kind_of(*buf, *len);
	return *kind == K_EVIDENCE ? log_of_evidence(path, buf, len) : VT_OK;
}

int
boot_input_read(const char *path, struct boot_input *ret)
{
	char why[POLICY_ERR_MAX + REPLAY_ERR_MAX];
	uint8_t *buf = NULL;
	enum kind kind;
	size_t len = 0;
	int rc;

	rc = read_any(path, &buf, &len, &kind);
	if (rc == VT_OK) {
		if (kind == K_POLICY)
			rc = policy_parse(buf, len, &ret->policy, why);
		else
			rc = replay_make(buf, len, &ret->boot, why);
		if (rc != VT_OK)
			log_err("%s: %s", path, why);
	}
	free(buf);
	return rc;
}

void
boot_input_done(struct boot_input *in)
{
	replay_free(in->boot);
	policy_free(in->policy);
}

int
boot_input_log(const char *path, uint8_t **ret, size_t *ret_len)
{
	uint8_t *buf = NULL;
	enum kind kind;
	size_t len = 0;
	int rc = read_any(path, &buf, &len, &kind);

	if (rc == VT_OK && kind != K_POLICY && !cel_is_json(buf, len)) {
		*ret = buf;
		*ret_len = len;
		return VT_OK;
	}
	if (rc == VT_OK) {
		log_err("%s: neither a TCG log nor evidence with one", path);
		rc = VT_E_FORMAT;
	}
	free(buf);
	return rc;
}
