/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_launch_record.c - any bytes as a launch record: no crash; what decodes
 * encodes to the same bytes, and its log replays to launch_pcr17(). */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/log/launch_record.h"
#include "tests/unit/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t alg = ALG_SHA256;
	struct launch_record *rec = NULL;
	uint8_t want[DIGEST_MAX], *log;
	struct pcr_set set;
	size_t loglen;
	struct wr w;

	if (launch_decode(data, len, &rec) != VT_OK) {
		if (rec != NULL)
			abort();
		return 0;
	}
	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(rec, &w);
	if (wr_err(&w) != VT_OK || w.len != len ||
	    memcmp(w.buf, data, len) != 0)
		abort();
	wr_free(&w);
	launch_free(rec);
	if (launch_make_log(data, len, &alg, 1, &log, &loglen) != VT_OK)
		return 0;
	if (pcr_set_init(&set, &alg, 1) != VT_OK ||
	    el_replay(&set, log, loglen) != VT_OK ||
	    launch_pcr17(alg, data, len, want) != VT_OK ||
	    memcmp(want, pcr_get(&set, alg, 17), 32) != 0)
		abort();
	free(log);
	return 0;
}
