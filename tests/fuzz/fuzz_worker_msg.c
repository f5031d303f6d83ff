/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_worker_msg.c - any bytes as any message: what is accepted is encoded to
 * the very same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/proto/worker_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CODEC(name)                                                       \
	static int name##_try(const uint8_t *p, size_t len, struct wr *w) \
	{                                                                 \
		struct name m;                                            \
		int rc = name##_get(p, len, &m);                          \
                                                                          \
		if (rc == VT_OK)                                          \
			name##_put(w, &m);                                \
		return rc;                                                \
	}
CODEC(zspawn)
CODEC(zspawned)
CODEC(zexited)
CODEC(wprovision)
CODEC(wprovisioned)
CODEC(wcerts)
CODEC(wload)
CODEC(wopen)
CODEC(wkeep)
CODEC(wlaunch)
CODEC(wquery)
CODEC(wanswer)
CODEC(wstored)
CODEC(wmanager)
CODEC(wdone)
CODEC(whello)
CODEC(wstore)
CODEC(wevent)
CODEC(wdeep)
CODEC(wdeeped)
CODEC(wakcert)

static int (*const all[])(const uint8_t *, size_t, struct wr *) = { zspawn_try,
	zspawned_try, zexited_try, wprovision_try, wprovisioned_try, wcerts_try,
	wload_try, wopen_try, wkeep_try, wlaunch_try, wquery_try, wanswer_try,
	wstored_try, wmanager_try, wdone_try, whello_try, wstore_try,
	wevent_try, wdeep_try, wdeeped_try, wakcert_try };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wr w;

	if (len < 1)
		return 0;
	wr_grow(&w, W_MSG_MAX);
	if (all[data[0] % VT_NELEM(all)](data + 1, len - 1, &w) == VT_OK)
		if (wr_err(&w) != VT_OK || w.len != len - 1 ||
		    memcmp(w.buf, data + 1, w.len) != 0)
			abort();
	wr_free(&w);
	return 0;
}
