/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_policy.c - any bytes as a policy: no crash, an error is said in
 * words, and no policy whatever accepts a boot that measured nothing. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/appraise/appraise.h"
#include "measure/appraise/appraise_report.h"
#include "measure/appraise/policy.h"
#include "measure/tpm/pcr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t algs[] = { ALG_SHA1, ALG_SHA256, ALG_SHA384,
		ALG_SHA512 };
	char err[POLICY_ERR_MAX];
	struct policy *p = NULL;
	struct ap_report *r;
	struct pcr_set set;
	struct ap_in in = { .pcrs = &set };
	char *json;

	if (policy_parse(data, len, &p, err) != VT_OK) {
		if (p != NULL || err[0] == '\0')
			abort();
		return 0;
	}
	if (pcr_set_init(&set, algs, 4) != VT_OK)
		abort();
	pcr_set_reset(&set, 0);
	in.policy = p;
	if (appraise(&in, &r) != VT_OK)
		abort();
	if (r->verdict != AP_REFUSED || r->n == 0)
		abort();
	if ((json = ap_report_json(r)) == NULL)
		abort();
	free(json);
	ap_report_free(r);
	policy_free(p);
	return 0;
}
