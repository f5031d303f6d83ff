/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_eventlog.c - any bytes as an event log: no crash, the cursor makes
 * progress, an error stays, and a merged trail gives what replay gives. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/log/eventlog.h"
#include "measure/log/trail.h"
#include "measure/log/trail_describe.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "tests/unit/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
walk(const uint8_t *data, size_t len, struct el_log *log)
{
	struct el_event ev;
	size_t n = 0;
	int rc;

	while ((rc = el_next(log, &ev)) == 1) {
		if ((ev.pcr > EL_PCR_LAST && el_extends(&ev)) ||
		    ev.ndigests == 0 || ev.ndigests > EL_MAX_BANKS ||
		    ev.data < data || ev.datalen > len ||
		    ev.data > data + len - ev.datalen)
			abort(); /* promise of eventlog.h broken */
		if (++n > len)
			abort(); /* no progress */
	}
	if (rc < 0 && el_next(log, &ev) != rc)
		abort(); /* an error must stay */
}

/* Words for every event; the trail's values are those of the replay. */
static void
trail(const uint8_t *data, size_t len)
{
	static const uint16_t alg = ALG_SHA256;
	struct trail_in in = { .alg = alg };
	uint8_t val[DIGEST_MAX];
	struct pcr_set set;
	char trail_err[TRAIL_ERR_MAX];
	struct trail *t;
	char words[64];
	uint32_t i;
	bool replays;

	if (pcr_set_init(&set, &alg, 1) != VT_OK)
		abort();
	replays = el_replay(&set, data, len) == VT_OK;
	in.logs[1].p = data;
	in.logs[1].len = len;
	if (trail_make(&in, &t, trail_err) != VT_OK)
		return;
	for (i = 0; i < t->n; i++) {
		trail_describe(t, &t->ev[i], words, sizeof(words));
		if (strlen(words) >= sizeof(words) || words[0] == '\0')
			abort();
	}
	for (i = 0; i < PCR_COUNT && replays; i++)
		if (i < 17 && (!trail_value(t, i, val) ||
				  memcmp(val, pcr_get(&set, alg, i), 32) != 0))
			abort();
	trail_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct el_log *log = NULL;

	if (el_open(data, len, &log) != VT_OK) {
		if (log != NULL)
			abort(); /* ret is set on success only */
		return 0;
	}
	walk(data, len, log);
	el_close(log);
	trail(data, len);
	return 0;
}
