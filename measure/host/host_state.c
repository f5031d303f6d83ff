/* SPDX-License-Identifier: BSD-3-Clause */
/* host_state.c - the list of host states as JSON. */
#include "measure/host/host_state.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/check_on.h"
#include "base/util.h"

#define FORMAT "vtpm-host-states"
#define VERSION 1

static int VT_PRINTF(3, 4)
    bad(char err[HOST_STATE_ERR_MAX], int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, HOST_STATE_ERR_MAX, fmt, ap);
	va_end(ap);
	return rc;
}

/* --- reading ---------------------------------------------------------------
 */

static int
get_pcrs(struct approval *a, const char *bank, json_t *obj)
{
	uint16_t alg = digest_alg(bank);
	const char *key;
	json_t *item;
	int rc;

	if (alg == 0 || (rc = pcr_set_init(&a->pcrs, &alg, 1)) != VT_OK)
		return VT_E_FORMAT;
	json_object_foreach(obj, key, item)
	{
		uint8_t val[DIGEST_MAX];
		unsigned long pcr = strtoul(key, NULL, 10);
		char again[24];
		size_t n = 0;

		(void)snprintf(again, sizeof(again), "%lu", pcr);
		if (strcmp(again, key) != 0 || pcr >= PCR_COUNT ||
		    !json_is_string(item) ||
		    hex_decode(json_string_value(item), val, sizeof(val), &n) !=
			VT_OK ||
		    n != digest_len(alg) ||
		    pcr_put(&a->pcrs, alg, (uint32_t)pcr, val) != VT_OK)
			return VT_E_FORMAT;
	}
	return VT_OK;
}

static int
get_plain(struct host_state *s, json_t *obj)
{
	const char *label = "", *bank = NULL;
	json_t *pcrs = NULL;

	if (json_unpack_ex(obj, NULL, JSON_STRICT, "{s?s, s:s, s:o}", "label",
		&label, "bank", &bank, "pcrs", &pcrs) != 0 ||
	    !json_is_object(pcrs) || strlen(label) > APPROVAL_LABEL_MAX)
		return VT_E_FORMAT;
	(void)snprintf(s->a.label, sizeof(s->a.label), "%s", label);
	return get_pcrs(&s->a, bank, pcrs);
}

static int
get_approval(struct host_state *s, const json_t *val)
{
	uint8_t *raw = NULL;
	size_t len = 0;
	int rc;

	if (!json_is_string(val) ||
	    json_string_length(val) > (APPROVAL_MAX_LEN + 2) / 3 * 4)
		return VT_E_FORMAT;
	if ((rc = b64_get(json_string_value(val), json_string_length(val), &raw,
		 &len)) != VT_OK)
		return rc;
	rc = approval_get(raw, len, &s->a);
	s->signed_ = rc == VT_OK;
	free(raw);
	return rc;
}

static int
get_state(struct host_states *st, json_t *obj, char err[HOST_STATE_ERR_MAX])
{
	struct host_state *s = &st->state[st->n];
	unsigned int no = st->n + 1;
	json_t *ap = json_object_get(obj, "approval");
	char text[160];
	int rc;

	if (ap != NULL && json_object_size(obj) == 1)
		rc = get_approval(s, ap);
	else
		rc = get_plain(s, obj);
	if (rc != VT_OK)
		return bad(
		    err, rc, "host states: state %u is not well-formed", no);
	if (approval_check(&s->a, text, sizeof(text)) != VT_OK)
		return bad(
		    err, VT_E_POLICY, "host states: state %u: %s", no, text);
	if (s->signed_ && !st->have_key)
		return bad(err, VT_E_FORMAT,
		    "host states: state %u is an approval, and there is no "
		    "approval_key to verify it by",
		    no);
	if (s->signed_ && approval_verify(&s->a, st->key) != VT_OK)
		return bad(err, VT_E_AUTH,
		    "host states: state %u (%s) was not signed by the "
		    "approval key",
		    no, s->a.label);
	s->dead = s->signed_ && s->a.epoch < st->epoch &&
		  check_on("host-approval-epoch");
	st->n++;
	return VT_OK;
}

static int
get_key(struct host_states *st, const json_t *val)
{
	uint8_t *raw = NULL;
	size_t len = 0;
	int rc;

	if (val == NULL)
		return VT_OK;
	if (!json_is_string(val))
		return VT_E_FORMAT;
	if ((rc = b64_get(json_string_value(val), json_string_length(val), &raw,
		 &len)) != VT_OK)
		return rc;
	if (len == APPROVAL_KEY_LEN) {
		memcpy(st->key, raw, len);
		st->have_key = true;
	} else {
		rc = VT_E_FORMAT;
	}
	free(raw);
	return rc;
}

static int
get_root(struct host_states *st, json_t *root, char err[HOST_STATE_ERR_MAX])
{
	json_t *key = NULL, *epoch = NULL, *states = NULL;
	const char *format = "";
	int version = 0, rc;
	size_t i;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:i, s?o, s?o, s:o}",
		"format", &format, "version", &version, "approval_key", &key,
		"epoch", &epoch, "states", &states) != 0 ||
	    strcmp(format, FORMAT) != 0)
		return bad(err, VT_E_FORMAT,
		    "host states: this is not a vtpm-host-states file, or it "
		    "has unknown keys");
	if (version != VERSION)
		return bad(err, VT_E_UNSUPPORTED,
		    "host states: only version 1 is known here");
	if (get_key(st, key) != VT_OK)
		return bad(err, VT_E_FORMAT,
		    "host states: approval_key is not a point of P-256");
	if (epoch != NULL &&
	    (!json_is_integer(epoch) || json_integer_value(epoch) < 0))
		return bad(err, VT_E_FORMAT, "host states: epoch is no number");
	st->epoch = epoch != NULL ? (uint64_t)json_integer_value(epoch) : 0;
	if (!json_is_array(states) || json_array_size(states) == 0 ||
	    json_array_size(states) > HOST_STATE_MAX)
		return bad(err, VT_E_FORMAT,
		    "host states: states is not a list of 1 to 64");
	for (i = 0; i < json_array_size(states); i++) {
		rc = get_state(st, json_array_get(states, i), err);
		if (rc != VT_OK)
			return rc;
	}
	return VT_OK;
}

int
host_states_parse(const void *json, size_t len, struct host_states **ret,
    char err[HOST_STATE_ERR_MAX])
{
	struct host_states *st;
	json_error_t je;
	json_t *root;
	int rc;

	if (len > HOST_STATE_MAX_LEN)
		return bad(err, VT_E_RANGE, "host states: too long");
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
	if (root == NULL)
		return bad(err, VT_E_FORMAT,
		    "host states: not JSON: %.80s in line %d", je.text,
		    je.line);
	if ((st = calloc(1, sizeof(*st))) == NULL)
		rc = bad(err, VT_E_NOMEM, "host states: out of memory");
	else
		rc = get_root(st, root, err);
	json_decref(root);
	if (rc != VT_OK) {
		free(st);
		return rc;
	}
	*ret = st;
	return VT_OK;
}

/* --- writing ---------------------------------------------------------------
 */

static json_t *
json_base64(const uint8_t *p, size_t len)
{
	char *text = b64_make(p, len);
	json_t *val = text != NULL ? json_string(text) : NULL;

	free(text);
	return val;
}

static json_t *
json_approval(const struct approval *a)
{
	uint8_t buf[APPROVAL_MAX_LEN];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	approval_put(&w, a);
	if (wr_err(&w) != VT_OK)
		return NULL;
	return json_pack("{s:o}", "approval", json_base64(buf, w.len));
}

static json_t *
json_plain(const struct approval *a)
{
	const struct pcr_bank *b = &a->pcrs.banks[0];
	char key[8], hex[2 * DIGEST_MAX + 1];
	json_t *pcrs = json_object();
	uint32_t i;

	for (i = 0; pcrs != NULL && i < PCR_COUNT; i++) {
		if ((b->valid >> i & 1) == 0)
			continue;
		(void)snprintf(key, sizeof(key), "%u", (unsigned)i);
		hex_encode(b->val[i], b->len, hex);
		if (json_object_set_new(pcrs, key, json_string(hex)) != 0) {
			json_decref(pcrs);
			return NULL;
		}
	}
	return json_pack("{s:s, s:s, s:o}", "label", a->label, "bank",
	    digest_name(b->alg), "pcrs", pcrs);
}

int
host_states_format(const struct host_states *st, char **ret)
{
	json_t *root = json_object(), *list = json_array();
	char *text;
	uint32_t i;
	int e = 0;

	e |= json_object_set_new(root, "format", json_string(FORMAT));
	e |= json_object_set_new(root, "version", json_integer(VERSION));
	if (st->have_key)
		e |= json_object_set_new(root, "approval_key",
		    json_base64(st->key, sizeof(st->key)));
	e |= json_object_set_new(
	    root, "epoch", json_integer((json_int_t)st->epoch));
	for (i = 0; i < st->n; i++)
		e |= json_array_append_new(
		    list, st->state[i].signed_ ? json_approval(&st->state[i].a)
					       : json_plain(&st->state[i].a));
	e |= json_object_set_new(root, "states", list);
	text = e == 0 ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	if (text == NULL)
		return VT_E_NOMEM;
	*ret = text;
	return VT_OK;
}
