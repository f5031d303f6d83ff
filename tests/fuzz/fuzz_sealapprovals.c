/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_sealapprovals.c - any bytes in: approvals or systemd's signatures that
 * parse are written so that they parse again to the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/seal/approvals.h"
#include "tools/seal/systemd_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
ours(const uint8_t *data, size_t len)
{
	char err[AP_ERR_MAX], *text;
	uint8_t one[SHA256_LEN], two[SHA256_LEN];
	struct approvals a, b;
	json_t *o;
	size_t i;

	if (approvals_get(data, len, &a, err) != VT_OK)
		return;
	if ((o = approvals_json(&a)) == NULL)
		abort();
	text = json_dumps(o, 0);
	if (text == NULL ||
	    approvals_get((uint8_t *)text, strlen(text), &b, err) != VT_OK ||
	    b.n != a.n)
		abort();
	for (i = 0; i < a.n; i++)
		if (approved_policy(&a.list[i], one) != VT_OK ||
		    approved_policy(&b.list[i], two) != VT_OK ||
		    memcmp(one, two, sizeof(one)) != 0 ||
		    a.list[i].sig_len != b.list[i].sig_len)
			abort();
	free(text);
	json_decref(o);
	approvals_free(&a);
	approvals_free(&b);
}

static void
theirs(const uint8_t *data, size_t len)
{
	char err[SD_ERR_MAX], *text;
	struct sd_sigs a, b;
	json_t *o;

	if (sd_sigs_get(data, len, &a, err) != VT_OK)
		return;
	if ((o = sd_sigs_json(&a)) == NULL)
		abort();
	text = json_dumps(o, 0);
	if (text == NULL ||
	    sd_sigs_get((uint8_t *)text, strlen(text), &b, err) != VT_OK ||
	    b.n != a.n)
		abort();
	free(text);
	json_decref(o);
	sd_sigs_free(&a);
	sd_sigs_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	ours(data, len);
	theirs(data, len);
	return 0;
}
