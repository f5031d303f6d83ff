/* SPDX-License-Identifier: BSD-3-Clause */
/* systemd_json.c - reads and writes systemd's tpm2-pcr-signature.json. */
#include "tools/seal/systemd_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_hex.h"
#include "base/util.h"
#include "measure/tpm/pcr_selection.h"
#include "tools/common/json.h"

static int
get_pcrs(const json_t *list, uint32_t *ret)
{
	uint32_t mask = 0;
	json_int_t pcr;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return VT_E_FORMAT;
	for (i = 0; i < json_array_size(list); i++) {
		if (!json_is_integer(json_array_get(list, i)))
			return VT_E_FORMAT;
		pcr = json_integer_value(json_array_get(list, i));
		if (pcr < 0 || pcr >= PCR_COUNT || (mask >> pcr & 1) != 0)
			return VT_E_RANGE;
		mask |= 1u << pcr;
	}
	*ret = mask;
	return VT_OK;
}

static int
get_one(const json_t *o, uint16_t alg, struct sd_sig *ret)
{
	uint8_t *sig = NULL;
	size_t n = 0;
	int rc;

	memset(ret, 0, sizeof(*ret));
	ret->alg = alg;
	if ((rc = get_pcrs(json_object_get(o, "pcrs"), &ret->mask)) != VT_OK ||
	    (rc = json_hex_get(o, "pkfp", ret->print, SHA256_LEN)) != VT_OK ||
	    (rc = json_hex_get(o, "pol", ret->pol, SHA256_LEN)) != VT_OK ||
	    (rc = tool_json_get_b64(o, "sig", &sig, &n)) != VT_OK)
		return rc;
	if (n == 0 || n > sizeof(ret->sig))
		rc = VT_E_RANGE;
	else
		memcpy(ret->sig, sig, n);
	ret->sig_len = n;
	free(sig);
	return rc;
}

static int
get_bank(const char *name, const json_t *list, struct sd_sigs *s, char *err)
{
	uint16_t alg = digest_alg(name);
	size_t i;
	int rc;

	if (alg == 0 || !json_is_array(list)) {
		(void)snprintf(err, SD_ERR_MAX,
		    "\"%.32s\" is no list of a "
		    "known bank",
		    name);
		text_clean(err);
		return alg == 0 ? VT_E_UNSUPPORTED : VT_E_FORMAT;
	}
	if (json_array_size(list) > SD_MAX - s->n) {
		(void)snprintf(
		    err, SD_ERR_MAX, "more than %d signatures", SD_MAX);
		return VT_E_RANGE;
	}
	for (i = 0; i < json_array_size(list); i++) {
		rc = get_one(json_array_get(list, i), alg, &s->list[s->n]);
		if (rc != VT_OK) {
			(void)snprintf(err, SD_ERR_MAX,
			    "signature %zu of bank %s lacks pcrs, pkfp, pol "
			    "or sig, or has a wrong one",
			    i + 1, name);
			return rc;
		}
		s->n++;
	}
	return VT_OK;
}

static int
get_all(json_t *root, struct sd_sigs *s, char *err)
{
	const char *name;
	json_t *list;
	int rc;

	if (!json_is_object(root)) {
		(void)snprintf(err, SD_ERR_MAX, "not a JSON object");
		return VT_E_FORMAT;
	}
	json_object_foreach(root, name, list)
	{
		if ((rc = get_bank(name, list, s, err)) != VT_OK)
			return rc;
	}
	return VT_OK;
}

int
sd_sigs_get(
    const uint8_t *buf, size_t len, struct sd_sigs *ret, char err[SD_ERR_MAX])
{
	struct sd_sigs s = { 0 };
	json_error_t je;
	json_t *root;
	int rc = VT_E_NOMEM;

	err[0] = '\0';
	root = json_loadb((const char *)buf, len, JSON_REJECT_DUPLICATES, &je);
	if (root == NULL) {
		text_clean(je.text);
		(void)snprintf(err, SD_ERR_MAX, "not JSON: %.*s", 150, je.text);
		return VT_E_FORMAT;
	}
	if ((s.list = calloc(SD_MAX, sizeof(*s.list))) != NULL)
		rc = get_all(root, &s, err);
	json_decref(root);
	if (rc != VT_OK)
		sd_sigs_free(&s);
	else
		*ret = s;
	return rc;
}

void
sd_sigs_free(struct sd_sigs *s)
{
	free(s->list);
	memset(s, 0, sizeof(*s));
}

static bool
same_place(const struct sd_sig *a, const struct sd_sig *b)
{
	return a->alg == b->alg && a->mask == b->mask &&
	       memcmp(a->print, b->print, sizeof(a->print)) == 0;
}

int
sd_sigs_add(struct sd_sigs *s, const struct sd_sig *one, uint32_t keep)
{
	uint32_t mine = 1;
	size_t i;

	if (s->list == NULL &&
	    (s->list = calloc(SD_MAX, sizeof(*s->list))) == NULL)
		return VT_E_NOMEM;
	for (i = s->n; i-- > 0;) { /* the newest is the last */
		if (!same_place(&s->list[i], one))
			continue;
		if (memcmp(s->list[i].pol, one->pol, sizeof(one->pol)) != 0 &&
		    (keep == 0 || mine < keep)) {
			mine++;
			continue;
		}
		s->n--;
		memmove(&s->list[i], &s->list[i + 1],
		    (s->n - i) * sizeof(*s->list));
	}
	if (s->n == SD_MAX)
		return VT_E_RANGE;
	s->list[s->n++] = *one;
	return VT_OK;
}

static json_t *
put_one(const struct sd_sig *one)
{
	json_t *pcrs = json_array();
	uint32_t i;

	for (i = 0; i < PCR_COUNT; i++)
		if ((one->mask >> i & 1) != 0)
			(void)json_array_append_new(pcrs, json_integer(i));
	return json_pack("{s:o, s:o, s:o, s:o}", "pcrs", pcrs, "pkfp",
	    json_hex(one->print, sizeof(one->print)), "pol",
	    json_hex(one->pol, sizeof(one->pol)), "sig",
	    tool_json_b64(one->sig, one->sig_len));
}

json_t *
sd_sigs_json(const struct sd_sigs *s)
{
	json_t *root = json_object(), *list;
	const char *bank;
	size_t i;

	for (i = 0; i < s->n; i++) {
		bank = digest_name(s->list[i].alg);
		list = json_object_get(root, bank);
		if (list == NULL) {
			list = json_array();
			if (json_object_set_new(root, bank, list) != 0)
				goto fail;
		}
		if (json_array_append_new(list, put_one(&s->list[i])) != 0)
			goto fail;
	}
	return root;
fail:
	json_decref(root);
	return NULL;
}
