/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_json_cut.c - any bytes in: what jansson makes of the whole file is what
 * is made of the file with its long texts cut out, but for texts that no JSON
 * may have, which their user refuses.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "measure/evidence/json_cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Put back what was cut out. */
static json_t *
mend(const struct json_cut *j, json_t *v)
{
	json_t *to = NULL, *item;
	const char *key, *p;
	char *name;
	size_t i, n;

	if (json_is_object(v)) {
		to = json_object();
		json_object_foreach(v, key, item)
		{
			json_t *k = json_string(key);

			if (!json_cut_text(j, k, &p, &n) ||
			    (name = strndup(p, n)) == NULL)
				abort();
			(void)json_object_set_new(to, name, mend(j, item));
			free(name);
			json_decref(k);
		}
		return to;
	}
	if (json_is_array(v)) {
		to = json_array();
		json_array_foreach(v, i, item)(void)
		    json_array_append_new(to, mend(j, item));
		return to;
	}
	if (json_cut_text(j, v, &p, &n))
		return json_stringn(p, n);
	return json_deep_copy(v);
}

static bool
all_plain(const struct json_cut *j)
{
	uint32_t i;
	size_t n;
	uint8_t *raw;

	for (i = 0; i < j->n; i++) {
		if (b64_get(j->text[i].p, j->text[i].len, &raw, &n) != VT_OK)
			return false;
		free(raw);
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *whole, *again;
	json_error_t je;
	struct json_cut j;
	int rc;

	whole =
	    json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, &je);
	rc = json_cut_load((const char *)data, len, &j, &je);
	if (whole != NULL && rc != VT_OK)
		abort();
	if (whole == NULL && rc == VT_OK && (j.n == 0 || all_plain(&j)))
		/* Two long keys that start the same are distinguished. */
		if (j.n < 2)
			abort();
	if (whole != NULL) {
		again = mend(&j, j.root);
		if (!json_equal(whole, again))
			abort();
		json_decref(again);
	}
	if (rc == VT_OK)
		json_cut_done(&j);
	json_decref(whole);
	return 0;
}
