/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - JSON files of the command line tools, and values in them. */
#include "tools/common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/util.h"
#include "tools/common/file.h"

json_t *
tool_json_load(const char *path, size_t max, const char *format)
{
	const char *f = NULL;
	uint8_t *buf = NULL;
	int version = 0;
	size_t len = 0;
	json_error_t je;
	json_t *o;

	if (tool_read(path, max, &buf, &len) != VT_OK)
		return NULL;
	o = json_loadb((char *)buf, len, JSON_REJECT_DUPLICATES, &je);
	free(buf);
	if (o == NULL) {
		log_err("%s: not JSON: %s", path, je.text);
		return NULL;
	}
	if (json_unpack(o, "{s:s, s:i}", "format", &f, "version", &version) !=
		0 ||
	    strcmp(f, format) != 0 || version != 1) {
		log_err("%s: not a %s file of version 1", path, format);
		json_decref(o);
		return NULL;
	}
	return o;
}

int
tool_json_save(const char *path, json_t *o, unsigned int mode)
{
	char *text = o != NULL ? json_dumps(o, JSON_INDENT(1)) : NULL;
	int rc;

	json_decref(o);
	if (text == NULL) {
		log_err("out of memory");
		return VT_E_NOMEM;
	}
	rc = tool_write_line(path, text, mode);
	free(text);
	return rc;
}

json_t *
tool_json_b64(const uint8_t *p, size_t len)
{
	char *text = b64_make(p, len);
	json_t *j = text != NULL ? json_string(text) : NULL;

	free(text);
	return j;
}

int
tool_json_get_b64(
    const json_t *o, const char *key, uint8_t **ret, size_t *ret_len)
{
	const json_t *val = json_object_get(o, key);

	if (!json_is_string(val))
		return VT_E_FORMAT;
	return b64_get(
	    json_string_value(val), json_string_length(val), ret, ret_len);
}

bool
tool_json_get_pcr(const json_t *bank, uint16_t alg, uint32_t pcr,
    uint8_t ret[static DIGEST_MAX])
{
	const char *hex;
	char key[12];
	size_t n = 0;

	(void)snprintf(key, sizeof(key), "%u", pcr);
	hex = json_string_value(json_object_get(bank, key));
	return hex != NULL && hex_decode(hex, ret, DIGEST_MAX, &n) == VT_OK &&
	       n == digest_len(alg);
}

json_t *
tool_json_error(void)
{
	char words[512], *p;

	(void)snprintf(words, sizeof(words), "%s", log_last_error());
	for (p = words; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?'; /* a file's name may be anything */
	return json_string(words);
}

int
tool_json_print_error(const char *format)
{
	return tool_json_save(NULL,
	    json_pack(
		"{s:s, s:o}", "format", format, "error", tool_json_error()),
	    0);
}
