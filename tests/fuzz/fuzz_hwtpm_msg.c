/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_hwtpm_msg.c - any bytes as a message of hwtpm_msg.h, as the stored host
 * keys or as the public area of a vTPM's key: no crash; what is accepted is
 * written again as the same bytes; what is refused leaves the result alone.
 * The first byte chooses the decoder.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/hwtpm/ca_key.h"
#include "vtpm_manager/proto/host_blob.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MAX_OUT (1024 * 1024)

static void
same(struct wr *w, const uint8_t *data, size_t len)
{
	if (wr_err(w) != VT_OK || w->len != len ||
	    (len > 0 && memcmp(w->buf, data, len) != 0))
		abort();
}

static void
untouched(const void *p, size_t len)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < len; i++)
		if (b[i] != 0xa5)
			abort();
}

#define TRY(name)                                             \
	static void try_##name(const uint8_t *data, size_t n) \
	{                                                     \
		struct name m;                                \
		struct wr w;                                  \
                                                              \
		memset(&m, 0xa5, sizeof(m));                  \
		if (name##_get(data, n, &m) != VT_OK) {       \
			untouched(&m, sizeof(m));             \
			return;                               \
		}                                             \
		wr_grow(&w, MAX_OUT);                         \
		name##_put(&w, &m);                           \
		same(&w, data, n);                            \
		wr_free(&w);                                  \
	}

TRY(hw_init)
TRY(hw_inited)
TRY(hw_load)
TRY(hw_loaded)
TRY(hw_certs)
TRY(hw_certed)
TRY(hw_status)
TRY(hw_answer)
TRY(hw_pcrs)
TRY(hw_counter)
TRY(hw_bind)
TRY(hw_bound)
TRY(hw_identity)
TRY(hw_activate)
TRY(hw_ak)
TRY(hw_aked)
TRY(hw_quote)
TRY(hw_quoted)
TRY(hw_quota)
TRY(hw_usage)
TRY(hwblob)
TRY(hw_approvals)

static void
try_key(const uint8_t *data, size_t n)
{
	static const enum ca_key_use uses[] = { CA_KEY_EK_RSA, CA_KEY_EK_ECC,
		CA_KEY_AK, CA_KEY_CA };
	struct ca_key k;
	size_t i;

	for (i = 0; i < VT_NELEM(uses); i++) {
		memset(&k, 0xa5, sizeof(k));
		if (ca_key_get(data, n, uses[i], &k) != VT_OK)
			untouched(&k, sizeof(k));
		else if (k.len == 0 || k.len > sizeof(k.bits))
			abort();
	}
	memset(&k, 0xa5, sizeof(k));
	if (ca_key_get_12(data, n, &k) != VT_OK)
		untouched(&k, sizeof(k));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const tries[])(const uint8_t *, size_t) = { try_hw_init,
		try_hw_inited, try_hw_load, try_hw_loaded, try_hw_certs,
		try_hw_certed, try_hw_status, try_hw_answer, try_hwblob,
		try_key, try_hw_pcrs, try_hw_counter, try_hw_bind, try_hw_bound,
		try_hw_identity, try_hw_activate, try_hw_ak, try_hw_aked,
		try_hw_quote, try_hw_quoted, try_hw_quota, try_hw_usage,
		try_hw_approvals };

	if (len > 0)
		tries[data[0] % VT_NELEM(tries)](data + 1, len - 1);
	return 0;
}
