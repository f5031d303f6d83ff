/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lies.c - a worker that was taken over: in its deep quotes it says that it is
 * not capped and, if VTPM_LIE is a digest in hex, that it was launched so.
 * Linked with --wrap=wk_send into the attack suite's hostile zygote alone.
 */
#include <stdlib.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/evidence/deep_leaf.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/worker/worker_report.h"

void __real_wk_send(
    struct worker *w, uint16_t type, uint32_t id, const struct wr *p);
void __wrap_wk_send(
    struct worker *w, uint16_t type, uint32_t id, const struct wr *p);

static void
lie(struct wdeep *d)
{
	const char *hex = getenv("VTPM_LIE");
	size_t n = 0;

	d->flags &= ~(uint32_t)DEEP_F_CAPPED;
	if (hex != NULL &&
	    hex_decode(hex, d->launch, sizeof(d->launch), &n) == VT_OK)
		d->flags |= DEEP_F_LAUNCHED;
}

void
__wrap_wk_send(struct worker *w, uint16_t type, uint32_t id, const struct wr *p)
{
	uint8_t buf[512];
	struct wdeep d;
	struct wr own;

	if (type != W_DEEP || msg_get(wdeep, p->buf, p->len, &d) != VT_OK) {
		__real_wk_send(w, type, id, p);
		return;
	}
	lie(&d);
	wr_init(&own, buf, sizeof(buf));
	msg_put(&own, wdeep, &d);
	__real_wk_send(w, type, id, &own);
}
