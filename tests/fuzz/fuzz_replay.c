/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_replay.c - any bytes as an event log of any form: no crash, errors have
 * words, and every event has digests and a description. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/log/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char err[REPLAY_ERR_MAX] = "", *text;
	struct replay *r = NULL;
	uint32_t i;

	if (replay_make(data, len, &r, err) != VT_OK) {
		if (r != NULL || err[0] == '\0')
			abort(); /* promise of replay.h broken */
		return 0;
	}
	for (i = 0; i < r->n; i++)
		if (r->ev[i].pcr >= PCR_COUNT || r->ev[i].words == NULL ||
		    r->ev[i].pos == 0)
			abort();
	if ((text = replay_json(r)) == NULL)
		abort(); /* words must be fit for JSON */
	free(text);
	replay_free(r);
	return 0;
}
