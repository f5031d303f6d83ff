/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_journal.c - any bytes as a journal: no crash; what decodes encodes
 * to the same bytes, can be replayed, added to, and stays bounded. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/trail.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The trail accounts for every PCR that is not chained. */
static void
compare(const struct journal *j, const struct pcr_set *set)
{
	struct trail_in in = { .journal = j };
	uint8_t val[DIGEST_MAX];
	char trail_err[TRAIL_ERR_MAX];
	struct trail *t;
	uint32_t n;

	in.alg = set->banks[0].alg;
	if (trail_make(&in, &t, trail_err) != VT_OK)
		return;
	for (n = 0; n < PCR_COUNT; n++)
		if (trail_value(t, n, val) &&
		    memcmp(val, set->banks[0].val[n], set->banks[0].len) != 0)
			abort();
	trail_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32 };
	struct journal *j = NULL;
	struct pcr_set set;
	struct wr w;
	int rc;

	if (journal_decode(data, len, &j) != VT_OK) {
		if (j != NULL)
			abort();
		return 0;
	}
	wr_grow(&w, JOURNAL_MAX_LEN);
	journal_encode(j, &w);
	if (wr_err(&w) != VT_OK || w.len != len ||
	    memcmp(w.buf, data, len) != 0)
		abort();
	wr_free(&w);
	if (journal_replay(j, &set) == VT_OK)
		compare(j, &set);
	rc = journal_add_extend(j, JR_EXTEND, 0, 3, &d, 1);
	if (rc == VT_OK && (journal_power_cycle(j) != VT_OK ||
			       journal_add_startup(j, 0, true) != VT_OK ||
			       journal_count(j) > 64))
		abort(); /* a power cycle forgets */
	journal_free(j);
	return 0;
}
