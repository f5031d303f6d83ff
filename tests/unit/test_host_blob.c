/* SPDX-License-Identifier: BSD-3-Clause */
/* test_host_blob.c - the host's keys as the store keeps them, all versions. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vtpm_manager/proto/host_blob.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

static const uint8_t bytes[80] = { 1, 2, 3, 4, 5, 6, 7 };

static struct wblob
blob(size_t len)
{
	struct wblob b = { bytes, (uint32_t)len };

	return b;
}

static bool
blob_is(const struct wblob *b, size_t len)
{
	return b->len == len && memcmp(b->p, bytes, len) == 0;
}

static struct hwblob
a_hwblob(int version)
{
	struct hwblob b = { .root = ROOT_SOFT,
		.srk_name = blob(7),
		.master_pub = blob(1),
		.master_priv = blob(2),
		.ca_pub = blob(3),
		.ca_priv = blob(4),
		.ca_cert = blob(5) };

	if (version >= 2) {
		b.ek = HWEK_RSA;
		b.ak_pub = blob(1);
		b.ak_priv = blob(2);
		b.ca_attest = blob(3);
		b.ca_sig = blob(4);
		b.mac = blob(HWBLOB_MAC_LEN);
	}
	if (version >= 3) {
		b.policy = HWPOL_APPROVED;
		b.approval_key = blob(65);
		b.nv[0].index = 0x01812345;
		b.nv[1].index = 0x01954321;
		b.nv[0].name = blob(HWBLOB_NV_NAME_LEN);
		b.nv[1].name = blob(HWBLOB_NV_NAME_LEN);
	}
	return b;
}

static size_t
put(int version, uint8_t *buf, size_t cap)
{
	struct hwblob b = a_hwblob(version);
	struct wr w;

	wr_init(&w, buf, cap);
	hwblob_put(&w, &b);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

/* From an exact heap copy: one byte too many is seen. */
static int
get(const uint8_t *p, size_t len, struct hwblob *ret, uint8_t **copy)
{
	*copy = malloc(len > 0 ? len : 1);
	assert_non_null(*copy);
	if (len > 0)
		memcpy(*copy, p, len);
	return hwblob_get(*copy, len, ret);
}

static int
try(const uint8_t *p, size_t len)
{
	struct hwblob b;
	uint8_t *copy;
	int rc = get(p, len, &b, &copy);

	free(copy);
	return rc;
}

static void
every_version_is_got_as_it_was_put(void **state)
{
	uint8_t buf[1024], *copy;
	struct hwblob b;
	size_t len;
	int v;

	(void)state;
	for (v = 1; v <= HWBLOB_VERSION; v++) {
		len = put(v, buf, sizeof(buf));
		assert_int_equal(buf[5], v);
		assert_int_equal(get(buf, len, &b, &copy), VT_OK);
		assert_int_equal(b.root, ROOT_SOFT);
		assert_true(blob_is(&b.srk_name, 7));
		assert_true(blob_is(&b.master_priv, 2));
		assert_true(blob_is(&b.ca_cert, 5));
		assert_int_equal(b.ek, v >= 2 ? HWEK_RSA : HWEK_NONE);
		assert_int_equal(b.ca_sig.len, v >= 2 ? 4 : 0);
		assert_int_equal(
		    b.policy, v >= 3 ? HWPOL_APPROVED : HWPOL_NONE);
		assert_int_equal(b.approval_key.len, v >= 3 ? 65 : 0);
		assert_int_equal(b.nv[1].index, v >= 3 ? 0x01954321 : 0);
		assert_int_equal(
		    b.nv[1].name.len, v >= 3 ? HWBLOB_NV_NAME_LEN : 0);
		free(copy);
	}
}

static void
every_proper_prefix_is_truncated(void **state)
{
	uint8_t buf[1024];
	size_t len, n;
	int v;

	(void)state;
	for (v = 1; v <= HWBLOB_VERSION; v++) {
		len = put(v, buf, sizeof(buf));
		for (n = 0; n < len; n++)
			assert_int_equal(try(buf, n), VT_E_TRUNC);
		buf[len] = 0;
		assert_int_equal(try(buf, len + 1), VT_E_FORMAT);
	}
}

static void
a_bad_field_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		int		 version;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "magic",		1, 0,	'v',	VT_E_FORMAT },
		{ "version 0",		1, 5,	0,	VT_E_UNSUPPORTED },
		{ "version 4",		1, 5,	4,	VT_E_UNSUPPORTED },
		{ "length",		1, 8,	1,	VT_E_TRUNC },
		{ "root",		1, 10,	0,	VT_E_RANGE },
		{ "policy",		1, 11,	1,	VT_E_UNSUPPORTED },
		{ "Name too long",	1, 13,	67,	VT_E_RANGE },
		{ "2: policy",		2, 11,	1,	VT_E_UNSUPPORTED },
		{ "3: policy",		3, 11,	2,	VT_E_UNSUPPORTED },
		{ "3: key, no policy",	3, 11,	0,	VT_E_FORMAT },
	};
	/* clang-format on */
	uint8_t buf[1024];
	size_t i, len;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		len = put(cases[i].version, buf, sizeof(buf));
		buf[cases[i].off] = cases[i].val;
		assert_int_equal(try(buf, len), cases[i].want);
	}
}

static void
an_empty_part_is_refused(void **state)
{
	struct hwblob full = a_hwblob(3);
	struct wblob *const parts[] = { &full.srk_name, &full.master_pub,
		&full.master_priv, &full.ca_pub, &full.ca_priv, &full.ca_cert,
		&full.ak_pub, &full.ak_priv, &full.ca_attest, &full.ca_sig,
		&full.approval_key, &full.nv[1].name, &full.mac };
	uint8_t buf[1024];
	struct wr w;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(parts); i++) {
		uint32_t len = parts[i]->len;

		parts[i]->len = 0;
		wr_init(&w, buf, sizeof(buf));
		hwblob_put(&w, &full);
		assert_int_equal(try(buf, w.len), VT_E_FORMAT);
		parts[i]->len = len;
	}
}

/* Without a policy there are counters all the same. */
static void
counters_need_no_policy(void **state)
{
	struct hwblob b = a_hwblob(3);
	uint8_t buf[1024];
	struct wr w;

	(void)state;
	b.policy = HWPOL_NONE;
	b.approval_key.len = 0;
	wr_init(&w, buf, sizeof(buf));
	hwblob_put(&w, &b);
	assert_int_equal(try(buf, w.len), VT_OK);
}

static void
the_mac_is_over_every_byte(void **state)
{
	uint8_t buf[1024], master[32] = { 7 }, was[32], now[32];
	size_t len = put(3, buf, sizeof(buf)), i;

	(void)state;
	assert_int_equal(hwblob_mac(master, buf, len, was), VT_OK);
	for (i = 0; i < len - HWBLOB_MAC_LEN - 2; i++) {
		buf[i] ^= 1;
		assert_int_equal(hwblob_mac(master, buf, len, now), VT_OK);
		assert_memory_not_equal(was, now, sizeof(was));
		buf[i] ^= 1;
	}
	master[31] = 1;
	assert_int_equal(hwblob_mac(master, buf, len, now), VT_OK);
	assert_memory_not_equal(was, now, sizeof(was));
	assert_int_equal(hwblob_mac(master, buf, 33, now), VT_E_TRUNC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_is_got_as_it_was_put),
		cmocka_unit_test(every_proper_prefix_is_truncated),
		cmocka_unit_test(a_bad_field_is_refused),
		cmocka_unit_test(an_empty_part_is_refused),
		cmocka_unit_test(counters_need_no_policy),
		cmocka_unit_test(the_mac_is_over_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
