/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_messages.c - any bytes as any message, or as the stored host keys: what
 * is accepted encodes to the same bytes, its prefixes are refused, and what is
 * refused leaves the output alone.  The first byte chooses: 0 the host keys,
 * N the Nth message of tests/messages.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/messages.h"
#include "vtpm_manager/proto/host_blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct msg_table *const all[] = {
#define ROW(name) &name##_msg,
	MESSAGES(ROW)
#undef ROW
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
untouched(const uint8_t *m, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		must(m[i] == 0xa5);
}

static void
same(struct wr *w, const uint8_t *data, size_t len)
{
	must(wr_err(w) == VT_OK && w->len == len);
	must(len == 0 || memcmp(w->buf, data, len) == 0);
	wr_free(w);
}

static void
try_host_blob(const uint8_t *data, size_t len)
{
	struct hwblob b;
	struct wr w;

	memset(&b, 0xa5, sizeof(b));
	if (hwblob_get(data, len, &b) != VT_OK) {
		untouched((const uint8_t *)&b, sizeof(b));
		return;
	}
	wr_grow(&w, MSG_MAX_LEN);
	hwblob_put(&w, &b);
	same(&w, data, len);
}

static bool
may_be_shorter(const struct msg_table *t)
{
	const struct msg_field *f = t->fields;

	while (f[1].kind != MSG_END)
		f++;
	return f->kind == MSG_TAIL || f->kind == MSG_REST;
}

static void
try_message(const struct msg_table *t, const uint8_t *data, size_t len)
{
	uint8_t *m = malloc(t->size);
	struct wr w;
	size_t n;

	must(m != NULL);
	memset(m, 0xa5, t->size);
	if (msg_decode(t, data, len, m) != VT_OK)
		untouched(m, t->size);
	else {
		wr_grow(&w, W_MSG_MAX);
		msg_write(&w, t->fields, m);
		same(&w, data, len);
		memset(m, 0xa5, t->size);
		for (n = may_be_shorter(t) ? len : 0; n < len; n++)
			must(msg_decode(t, data, n, m) != VT_OK);
		untouched(m, t->size);
	}
	free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t which;

	if (len == 0)
		return 0;
	which = data[0] % (VT_NELEM(all) + 1);
	if (which == 0)
		try_host_blob(data + 1, len - 1);
	else
		try_message(all[which - 1], data + 1, len - 1);
	return 0;
}
