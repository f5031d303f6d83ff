/* SPDX-License-Identifier: BSD-3-Clause */
/* tap.c - notes which requests pass by, and never holds them up. */
#include "tools/swtpm/tap.h"

#include <string.h>

/* Bytes of the body in hand; true if that was its end. */
static bool
eat_body(struct tap *t, const uint8_t **p, size_t *len)
{
	size_t n = t->skip < *len ? (size_t)t->skip : *len;

	t->skip -= n;
	*p += n;
	*len -= n;
	return t->skip == 0;
}

/* Behind a whole request: what of this segment is its padding, as
 * swtpm_conn_drop_req() has it. */
static void
begin_next(struct tap *t, const uint8_t **p, size_t *len)
{
	t->have = 0;
	t->pad = swtpm_req_pad(t->op);
	if (*len == 0)
		return;
	if (t->pad == 0) {
		if (!swtpm_looks_like_req(*p, *len))
			*len = 0;
	} else if (*len <= t->pad) {
		t->pad -= (unsigned int)*len;
		*len = 0;
	}
}

/* The head in hand: true if it is whole. */
static bool
head_is_whole(struct tap *t, size_t *len)
{
	uint64_t size = 0;
	size_t n = swtpm_skip_pad(t->head, t->have, t->pad);
	int rc;

	if (n > 0) {
		t->have -= n;
		memmove(t->head, t->head + n, t->have);
		t->pad = 0;
	}
	rc = swtpm_req_size(t->head, t->have, &size);
	if (rc == VT_E_UNSUPPORTED) { /* the worker drops what it has */
		t->have = 0;
		*len = 0;
	}
	if (rc != VT_OK)
		return false;
	t->op = be32_get(t->head);
	t->skip = size - t->have;
	return true;
}

uint32_t
tap_feed(struct tap *t, const uint8_t *p, size_t len)
{
	uint32_t seen = 0;

	while (len > 0) {
		if (t->skip == 0) {
			t->head[t->have++] = *p++;
			len--;
			if (!head_is_whole(t, &len))
				continue;
		}
		if (t->skip > 0 && !eat_body(t, &p, &len))
			break;
		seen |= UINT32_C(1) << t->op;
		begin_next(t, &p, &len);
	}
	return seen;
}
