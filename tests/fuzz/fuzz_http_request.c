/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_http_request.c - any bytes in: no crash, and a verdict stays when more
 * bytes follow, however they are cut.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "vtpm_manager/control/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum http_verdict v, before = HTTP_MORE;
	size_t n, step = len > 512 ? len / 64 : 1;

	for (n = 0; n <= len; n = n < len && len - n < step ? len : n + step) {
		v = http_judge((const char *)data, n, "/metrics");
		if (before != HTTP_MORE && v != before)
			abort(); /* a verdict was taken back */
		if (v == HTTP_MORE && n >= HTTP_REQUEST_MAX)
			abort(); /* it would be read for ever */
		if (http_reason(v)[0] == '\0')
			abort();
		before = v;
	}
	return 0;
}
