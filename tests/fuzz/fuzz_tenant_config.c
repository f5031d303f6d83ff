/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_tenant_config.c - any bytes as a group's configuration or a host quote:
 * no crash; what parses may be signed, and is written again as it was. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/host/tenant_config.h"
#include "vtpm_manager/tenant/tenant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
config(const uint8_t *data, size_t len)
{
	uint8_t out[TENANT_CONFIG_MAX];
	struct tenant_config c;
	char text[128];
	struct wr w;

	if (tenant_config_get(data, len, &c) != VT_OK)
		return;
	if (tenant_config_check(&c, text, sizeof(text)) != VT_OK ||
	    c.npolicies > TENANT_POLICIES_MAX || c.nadmins > TENANT_ADMINS_MAX)
		abort();
	wr_init(&w, out, sizeof(out));
	tenant_config_put(&w, &c);
	if (wr_err(&w) != VT_OK || w.len != len || memcmp(out, data, len) != 0)
		abort();
	(void)tenant_config_admin(&c, 0, "root");
	(void)tenant_config_policy(&c, "none");
}

static void
quote(const uint8_t *data, size_t len)
{
	uint8_t out[TENANT_QUOTE_MAX];
	struct tenant_quote q;
	struct wr w;

	if (tenant_quote_get(data, len, &q) != VT_OK)
		return;
	wr_init(&w, out, sizeof(out));
	tenant_quote_put(&w, &q);
	if (wr_err(&w) != VT_OK || w.len != len || memcmp(out, data, len) != 0)
		abort();
}

/* What the store keeps. */
static void
kept(const uint8_t *data, size_t len)
{
	static uint8_t out[TENANT_REC_MAX];
	struct tenant_index x;
	struct tenant_rec r;
	struct wr w;

	wr_init(&w, out, sizeof(out));
	if (tenant_rec_get(data, len, &r) == VT_OK)
		tenant_rec_put(&w, &r);
	else if (tenant_index_get(data, len, &x) == VT_OK)
		tenant_index_put(&w, &x);
	else
		return;
	if (wr_err(&w) != VT_OK || w.len != len || memcmp(out, data, len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	config(data, len);
	quote(data, len);
	kept(data, len);
	return 0;
}
