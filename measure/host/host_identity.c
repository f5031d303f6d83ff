/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_identity.c - identity and record of a host as JSON.
 */
#include "measure/host/host_identity.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/util.h"
#include "measure/cert/x509_cert.h"
#include "measure/tpm/quote.h"
#include "measure/tpm/tpm_public.h"

#define HOST_IDENTITY_VERSION 1

static const char *const formats[] = {
	[HOST_IDENTITY_IDENTITY] = "vtpm-host-identity",
	[HOST_IDENTITY_RECORD] = "vtpm-host",
};

static const struct {
	const char *key;
	size_t max;
} parts[HI_NPARTS] = {
	[HI_EK_PUBLIC] = { "ek_public", TPM_PUB_MAX + 2 },
	[HI_EK_CERT] = { "ek_certificate", X509_CERT_MAX },
	[HI_AK_PUBLIC] = { "ak_public", TPM_PUB_MAX + 2 },
	[HI_CA_PUBLIC] = { "ca_public", TPM_PUB_MAX + 2 },
	[HI_CA_CERT] = { "ca_certificate", X509_CERT_MAX },
	[HI_CA_ATTEST] = { "ca_attest", QUOTE_ATTEST_MAX },
	[HI_CA_SIG] = { "ca_signature", QUOTE_SIG_MAX },
};

int
host_identity_new(struct host_identity **ret)
{
	struct host_identity *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return VT_E_NOMEM;
	*ret = h;
	return VT_OK;
}

void
host_identity_free(struct host_identity *h)
{
	size_t i;

	if (h == NULL)
		return;
	for (i = 0; i < HI_NPARTS; i++)
		free(h->part[i].p);
	for (i = 0; i < HOST_IDENTITY_CHAIN_MAX; i++)
		free(h->chain[i].p);
	free(h);
}

static int
blob_set(struct host_identity_blob *b, const void *p, size_t len, size_t max)
{
	uint8_t *copy;

	if (len == 0 || len > max)
		return VT_E_RANGE;
	if ((copy = malloc(len)) == NULL)
		return VT_E_NOMEM;
	memcpy(copy, p, len);
	free(b->p);
	b->p = copy;
	b->len = len;
	return VT_OK;
}

int
host_identity_set(struct host_identity *h, enum host_identity_part part,
    const void *p, size_t len)
{
	if (part >= HI_NPARTS)
		return VT_E_RANGE;
	return blob_set(&h->part[part], p, len, parts[part].max);
}

int
host_identity_add_chain(struct host_identity *h, const void *p, size_t len)
{
	int rc;

	if (h->nchain == HOST_IDENTITY_CHAIN_MAX)
		return VT_E_RANGE;
	rc = blob_set(&h->chain[h->nchain], p, len, X509_CERT_MAX);
	if (rc == VT_OK)
		h->nchain++;
	return rc;
}

/* --- reading ---------------------------------------------------------------
 */

static int
bad(char err[HOST_IDENTITY_ERR_MAX], int rc, const char *key, const char *what)
{
	(void)snprintf(
	    err, HOST_IDENTITY_ERR_MAX, "host: %.40s: %s", key, what);
	return rc;
}

static int
parse_blob(struct host_identity_blob *b, const char *key, size_t max,
    const json_t *val, char err[HOST_IDENTITY_ERR_MAX])
{
	size_t len;
	int rc;

	if (!json_is_string(val))
		return bad(err, VT_E_FORMAT, key, "not text");
	len = json_string_length(val);
	if (len > (max + 2) / 3 * 4)
		return bad(err, VT_E_RANGE, key, "too long");
	rc = b64_get(json_string_value(val), len, &b->p, &b->len);
	if (rc == VT_E_FORMAT)
		return bad(err, rc, key, "not base64");
	if (rc == VT_OK && b->len > max)
		return bad(err, VT_E_RANGE, key, "too long");
	return rc;
}

static int
parse_chain(
    struct host_identity *h, json_t *val, char err[HOST_IDENTITY_ERR_MAX])
{
	size_t i, n = json_array_size(val);
	int rc;

	if (!json_is_array(val) || n > HOST_IDENTITY_CHAIN_MAX)
		return bad(err, VT_E_FORMAT, "chain",
		    "not a list of at most "
		    "8 certificates");
	for (i = 0; i < n; i++) {
		rc = parse_blob(&h->chain[i], "chain", X509_CERT_MAX,
		    json_array_get(val, i), err);
		if (rc != VT_OK)
			return rc;
		h->nchain = (uint32_t)i + 1;
	}
	return VT_OK;
}

static int
parse_text(
    struct host_identity *h, const json_t *val, char err[HOST_IDENTITY_ERR_MAX])
{
	const char *text = json_string_value(val);

	if (text == NULL || strlen(text) != json_string_length(val) ||
	    strlen(text) > HOST_IDENTITY_NAME_MAX)
		return bad(
		    err, VT_E_FORMAT, "host", "not text of at most 63 bytes");
	(void)snprintf(h->host, sizeof(h->host), "%s", text);
	return VT_OK;
}

/* A key that may be missing may also be null, which is the same. */
static bool
may_miss(enum host_identity_kind kind, const char *key)
{
	if (kind == HOST_IDENTITY_RECORD)
		return strcmp(key, "chain") == 0 ||
		       strcmp(key, "enrolled") == 0;
	return strcmp(key, parts[HI_EK_CERT].key) == 0;
}

static int
parse_key(struct host_identity *h, enum host_identity_kind kind,
    const char *key, json_t *val, char err[HOST_IDENTITY_ERR_MAX])
{
	int i;

	if (strcmp(key, "format") == 0 || strcmp(key, "version") == 0)
		return VT_OK; /* seen before */
	if (strcmp(key, "host") == 0)
		return parse_text(h, val, err);
	if (json_is_null(val) && may_miss(kind, key))
		return VT_OK;
	if (kind == HOST_IDENTITY_RECORD && strcmp(key, "chain") == 0)
		return parse_chain(h, val, err);
	if (kind == HOST_IDENTITY_RECORD && strcmp(key, "enrolled") == 0) {
		if (!json_is_integer(val) || json_integer_value(val) < 0)
			return bad(err, VT_E_FORMAT, key, "not a time");
		h->enrolled_s = (uint64_t)json_integer_value(val);
		return VT_OK;
	}
	for (i = 0; i < HI_NPARTS; i++) {
		if (strcmp(key, parts[i].key) != 0)
			continue;
		return parse_blob(
		    &h->part[i], parts[i].key, parts[i].max, val, err);
	}
	return bad(err, VT_E_FORMAT, key, "unknown key");
}

static int
parse_root(struct host_identity *h, enum host_identity_kind kind, json_t *root,
    char err[HOST_IDENTITY_ERR_MAX])
{
	const json_t *f = json_object_get(root, "format");
	const json_t *v = json_object_get(root, "version");
	const char *key;
	json_t *val;
	int rc, i;

	if (!json_is_string(f) ||
	    strcmp(json_string_value(f), formats[kind]) != 0)
		return bad(err, VT_E_FORMAT, "format",
		    kind == HOST_IDENTITY_RECORD
			? "this is not a vtpm-host file"
			: "this is not a vtpm-host-identity file");
	if (!json_is_integer(v) ||
	    json_integer_value(v) != HOST_IDENTITY_VERSION)
		return bad(err, VT_E_UNSUPPORTED, "version",
		    "only version 1 is known here");
	json_object_foreach(root, key, val)
	{
		if ((rc = parse_key(h, kind, key, val, err)) != VT_OK)
			return rc;
	}
	if (json_object_get(root, "host") == NULL)
		return bad(err, VT_E_FORMAT, "host", "missing");
	for (i = 0; i < HI_NPARTS; i++)
		if (h->part[i].p == NULL &&
		    (i != HI_EK_CERT || kind == HOST_IDENTITY_RECORD))
			return bad(err, VT_E_FORMAT, parts[i].key, "missing");
	return VT_OK;
}

int
host_identity_parse(const void *json, size_t len, enum host_identity_kind kind,
    struct host_identity **ret, char err[HOST_IDENTITY_ERR_MAX])
{
	struct host_identity *h = NULL;
	json_error_t je;
	json_t *root;
	int rc;

	if (len > HOST_IDENTITY_MAX_LEN)
		return bad(err, VT_E_RANGE, "file", "too long");
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
	if (root == NULL) {
		(void)snprintf(err, HOST_IDENTITY_ERR_MAX,
		    "host: not JSON: %.80s in line %d", je.text, je.line);
		return VT_E_FORMAT;
	}
	if ((rc = host_identity_new(&h)) == VT_OK)
		rc = parse_root(h, kind, root, err);
	json_decref(root);
	if (rc == VT_E_NOMEM)
		(void)bad(err, rc, "file", "out of memory");
	if (rc != VT_OK) {
		host_identity_free(h);
		return rc;
	}
	*ret = h;
	return VT_OK;
}

/* --- writing ---------------------------------------------------------------
 */

static json_t *
json_blob(const struct host_identity_blob *b)
{
	char *text = b64_make(b->p, b->len);
	json_t *val = text != NULL ? json_string(text) : NULL;

	free(text);
	return val;
}

int
host_identity_format(
    const struct host_identity *h, enum host_identity_kind kind, char **ret)
{
	json_t *root = json_object(), *chain;
	char *text;
	uint32_t i;
	int e = 0;

	e |= json_object_set_new(root, "format", json_string(formats[kind]));
	e |= json_object_set_new(
	    root, "version", json_integer(HOST_IDENTITY_VERSION));
	e |= json_object_set_new(root, "host", json_string(h->host));
	for (i = 0; i < HI_NPARTS; i++)
		if (h->part[i].p != NULL)
			e |= json_object_set_new(
			    root, parts[i].key, json_blob(&h->part[i]));
	if (kind == HOST_IDENTITY_RECORD) {
		chain = json_array();
		for (i = 0; i < h->nchain; i++)
			e |= json_array_append_new(
			    chain, json_blob(&h->chain[i]));
		e |= json_object_set_new(root, "chain", chain);
		e |= json_object_set_new(
		    root, "enrolled", json_integer((json_int_t)h->enrolled_s));
	}
	text = e == 0 ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	if (text == NULL)
		return VT_E_NOMEM;
	*ret = text;
	return VT_OK;
}
