/* SPDX-License-Identifier: BSD-3-Clause */
/* test_hwtpm_msg.c - messages to hwtpm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vtpm_manager/proto/hwtpm_msg.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7 };

static struct wblob
blob(size_t len)
{
	struct wblob b = { bytes, (uint32_t)len };

	return b;
}

static bool
blob_is(const struct wblob *b, size_t len)
{
	return b->len == len &&
	       (len == 0 ? b->p == NULL : memcmp(b->p, bytes, len) == 0);
}

/* --- one of each message ---------------------------------------------------
 */

static void
put_init(struct wr *w)
{
	struct hw_init m = { .root = ROOT_HARD, .host = "node-7" };

	hw_init_put(w, &m);
}

static int
get_init(const uint8_t *p, size_t len)
{
	struct hw_init m;
	int rc = hw_init_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.root, ROOT_HARD);
		assert_string_equal(m.host, "node-7");
	}
	return rc;
}

static void
put_inited(struct wr *w)
{
	struct hw_inited m = { .host_blob = blob(7), .ca_cert = blob(2) };

	memset(m.master, 0x5a, sizeof(m.master));
	hw_inited_put(w, &m);
}

static int
get_inited(const uint8_t *p, size_t len)
{
	struct hw_inited m;
	int rc = hw_inited_get(p, len, &m);

	if (rc == VT_OK) {
		assert_true(blob_is(&m.host_blob, 7));
		assert_true(blob_is(&m.ca_cert, 2));
		assert_int_equal(m.master[0], 0x5a);
		assert_int_equal(m.master[31], 0x5a);
	}
	return rc;
}

static void
put_load(struct wr *w)
{
	struct hw_load m = { .root = ROOT_SOFT,
		.host_blob = blob(5),
		.n = 2,
		.approvals = { blob(3), blob(4) } };

	hw_load_put(w, &m);
}

static int
get_load(const uint8_t *p, size_t len)
{
	struct hw_load m;
	int rc = hw_load_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.root, ROOT_SOFT);
		assert_true(blob_is(&m.host_blob, 5));
		assert_int_equal(m.n, 2);
		assert_true(blob_is(&m.approvals[0], 3));
		assert_true(blob_is(&m.approvals[1], 4));
	}
	return rc;
}

static void
put_loaded(struct wr *w)
{
	struct hw_loaded m = { .ca_cert = blob(6) };

	memset(m.master, 0xa5, sizeof(m.master));
	hw_loaded_put(w, &m);
}

static int
get_loaded(const uint8_t *p, size_t len)
{
	struct hw_loaded m;
	int rc = hw_loaded_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.master[31], 0xa5);
		assert_true(blob_is(&m.ca_cert, 6));
	}
	return rc;
}

static void
put_certs(struct wr *w)
{
	struct hw_certs m = { .name = "guest",
		.group = 0x80000001u,
		.generation = UINT64_C(0x1122334455667788),
		.tpm_version = TPM_VER_20,
		.ak_seconds = 3600,
		.n = 2 };

	memset(m.uuid, 0x11, sizeof(m.uuid));
	m.keys[0].which = WCERT_EK_RSA;
	m.keys[0].pub = blob(3);
	m.keys[1].which = WCERT_AK;
	m.keys[1].pub = blob(0);
	hw_certs_put(w, &m);
}

static int
get_certs(const uint8_t *p, size_t len)
{
	struct hw_certs m;
	int rc = hw_certs_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.uuid[15], 0x11);
		assert_string_equal(m.name, "guest");
		assert_true(m.group == 0x80000001u);
		assert_true(m.generation == UINT64_C(0x1122334455667788));
		assert_int_equal(m.ak_seconds, 3600);
		assert_int_equal(m.n, 2);
		assert_int_equal(m.keys[1].which, WCERT_AK);
		assert_true(blob_is(&m.keys[0].pub, 3));
		assert_true(blob_is(&m.keys[1].pub, 0));
	}
	return rc;
}

static void
put_certed(struct wr *w)
{
	struct hw_certed m = { .n = 3, .certs = { blob(1), blob(7), blob(2) } };

	hw_certed_put(w, &m);
}

static int
get_certed(const uint8_t *p, size_t len)
{
	struct hw_certed m;
	int rc = hw_certed_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.n, 3);
		assert_true(blob_is(&m.certs[1], 7));
		assert_true(blob_is(&m.certs[2], 2));
	}
	return rc;
}

static void
put_status(struct wr *w)
{
	struct hw_status m = { .root = ROOT_SOFT,
		.up = 1,
		.manufacturer = "IFX SLB 9672",
		.firmware = "15.22.16832.0",
		.tcti = "device:/dev/tpmrm0",
		.commands = 1,
		.retries = UINT64_MAX,
		.failures = 3 };

	hw_status_put(w, &m);
}

static int
get_status(const uint8_t *p, size_t len)
{
	struct hw_status m;
	int rc = hw_status_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.up, 1);
		assert_string_equal(m.tcti, "device:/dev/tpmrm0");
		assert_true(m.retries == UINT64_MAX);
		assert_int_equal(m.failures, 3);
	}
	return rc;
}

static const uint8_t long_bytes[80] = { 1, 2, 3, 4, 5, 6, 7 };

static struct wblob
long_blob(size_t len)
{
	struct wblob b = { long_bytes, (uint32_t)len };

	return b;
}

static void
put_pcrs(struct wr *w)
{
	struct hw_pcrs m = { .pcrs = blob(7), .epoch = 9 };

	hw_pcrs_put(w, &m);
}

static int
get_pcrs(const uint8_t *p, size_t len)
{
	struct hw_pcrs m;
	int rc = hw_pcrs_get(p, len, &m);

	if (rc == VT_OK) {
		assert_true(blob_is(&m.pcrs, 7));
		assert_int_equal(m.epoch, 9);
	}
	return rc;
}

static void
put_counter(struct wr *w)
{
	struct hw_counter m = { HWC_ANCHOR, 1, 77 };

	hw_counter_put(w, &m);
}

static int
get_counter(const uint8_t *p, size_t len)
{
	struct hw_counter m;
	int rc = hw_counter_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.which, HWC_ANCHOR);
		assert_int_equal(m.increment, 1);
		assert_int_equal(m.expect, 77);
	}
	return rc;
}

static void
put_identity(struct wr *w)
{
	struct hw_identity m = { blob(1), blob(0), blob(2), blob(3), blob(4),
		blob(5), blob(6) };

	hw_identity_put(w, &m);
}

static int
get_identity(const uint8_t *p, size_t len)
{
	struct hw_identity m;
	int rc = hw_identity_get(p, len, &m);

	if (rc == VT_OK) {
		assert_true(blob_is(&m.ek_pub, 1));
		assert_true(blob_is(&m.ek_cert, 0));
		assert_true(blob_is(&m.ak_pub, 2));
		assert_true(blob_is(&m.ca_pub, 3));
		assert_true(blob_is(&m.ca_cert, 4));
		assert_true(blob_is(&m.ca_attest, 5));
		assert_true(blob_is(&m.ca_sig, 6));
	}
	return rc;
}

static void
put_activate(struct wr *w)
{
	struct hw_activate m = { blob(6), blob(7) };

	hw_activate_put(w, &m);
}

static int
get_activate(const uint8_t *p, size_t len)
{
	struct hw_activate m;
	int rc = hw_activate_get(p, len, &m);

	if (rc == VT_OK) {
		assert_true(blob_is(&m.credential, 6));
		assert_true(blob_is(&m.secret, 7));
	}
	return rc;
}

static void
put_ak(struct wr *w)
{
	struct hw_ak m = { 5 };

	hw_ak_put(w, &m);
}

static int
get_ak(const uint8_t *p, size_t len)
{
	struct hw_ak m;
	int rc = hw_ak_get(p, len, &m);

	if (rc == VT_OK)
		assert_int_equal(m.group, 5);
	return rc;
}

static void
put_aked(struct wr *w)
{
	struct hw_aked m = { blob(3), blob(4), blob(5) };

	hw_aked_put(w, &m);
}

static int
get_aked(const uint8_t *p, size_t len)
{
	struct hw_aked m;
	int rc = hw_aked_get(p, len, &m);

	if (rc == VT_OK) {
		assert_true(blob_is(&m.ak, 3));
		assert_true(blob_is(&m.ak_pub, 4));
		assert_true(blob_is(&m.ak_cert, 5));
	}
	return rc;
}

static void
put_quote(struct wr *w)
{
	struct hw_quote m = { 4, blob(2), 0x000b, 0xff, { 1, 2 } };

	hw_quote_put(w, &m);
}

static int
get_quote(const uint8_t *p, size_t len)
{
	struct hw_quote m;
	int rc = hw_quote_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.group, 4);
		assert_true(blob_is(&m.ak, 2));
		assert_int_equal(m.bank, 0x000b);
		assert_int_equal(m.pcrs, 0xff);
		assert_int_equal(m.extra[1], 2);
	}
	return rc;
}

static void
put_quoted(struct wr *w)
{
	struct hw_quoted m = { blob(1), blob(2), blob(3), 200000 };

	hw_quoted_put(w, &m);
}

static int
get_quoted(const uint8_t *p, size_t len)
{
	struct hw_quoted m;
	int rc = hw_quoted_get(p, len, &m);

	if (rc == VT_OK) {
		assert_true(blob_is(&m.attest, 1));
		assert_true(blob_is(&m.signature, 2));
		assert_true(blob_is(&m.ak_cert, 3));
		assert_int_equal(m.us, 200000);
	}
	return rc;
}

static void
put_quota(struct wr *w)
{
	struct hw_quota m = { .n = 2, .groups = { { 0, 0 }, { 9, 60000 } } };

	hw_quota_put(w, &m);
}

static int
get_quota(const uint8_t *p, size_t len)
{
	struct hw_quota m;
	int rc = hw_quota_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.n, 2);
		assert_int_equal(m.groups[1].group, 9);
		assert_int_equal(m.groups[1].ms, 60000);
	}
	return rc;
}

static void
put_usage(struct wr *w)
{
	struct hw_usage m = { .n = 1, .groups = { { 9, 5, 1, 2, 3, 4, 6 } } };

	hw_usage_put(w, &m);
}

static int
get_usage(const uint8_t *p, size_t len)
{
	struct hw_usage m;
	int rc = hw_usage_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.n, 1);
		assert_int_equal(m.groups[0].group, 9);
		assert_int_equal(m.groups[0].limit_ms, 5);
		assert_int_equal(m.groups[0].requests, 1);
		assert_int_equal(m.groups[0].us, 2);
		assert_int_equal(m.groups[0].wait_us, 3);
		assert_int_equal(m.groups[0].delayed, 4);
		assert_int_equal(m.groups[0].refused, 6);
	}
	return rc;
}

static void
put_approvals(struct wr *w)
{
	struct hw_approvals m = { .n = 2, .approvals = { blob(1), blob(6) } };

	hw_approvals_put(w, &m);
}

static int
get_approvals(const uint8_t *p, size_t len)
{
	struct hw_approvals m;
	int rc = hw_approvals_get(p, len, &m);

	if (rc == VT_OK) {
		assert_int_equal(m.n, 2);
		assert_true(blob_is(&m.approvals[0], 1));
		assert_true(blob_is(&m.approvals[1], 6));
	}
	return rc;
}

static void
put_bind(struct wr *w)
{
	struct hw_bind m = { long_blob(65) };

	hw_bind_put(w, &m);
}

static int
get_bind(const uint8_t *p, size_t len)
{
	struct hw_bind m;
	int rc = hw_bind_get(p, len, &m);

	if (rc == VT_OK)
		assert_int_equal(m.approval_key.len, 65);
	return rc;
}

static const struct {
	const char *what;
	void (*put)(struct wr *w);
	int (*get)(const uint8_t *p, size_t len);
} kinds[] = {
	{ "hw_init", put_init, get_init },
	{ "hw_inited", put_inited, get_inited },
	{ "hw_load", put_load, get_load },
	{ "hw_loaded", put_loaded, get_loaded },
	{ "hw_certs", put_certs, get_certs },
	{ "hw_certed", put_certed, get_certed },
	{ "hw_status", put_status, get_status },
	{ "hw_pcrs", put_pcrs, get_pcrs },
	{ "hw_counter", put_counter, get_counter },
	{ "hw_identity", put_identity, get_identity },
	{ "hw_activate", put_activate, get_activate },
	{ "hw_ak", put_ak, get_ak },
	{ "hw_aked", put_aked, get_aked },
	{ "hw_quote", put_quote, get_quote },
	{ "hw_quoted", put_quoted, get_quoted },
	{ "hw_quota", put_quota, get_quota },
	{ "hw_usage", put_usage, get_usage },
	{ "hw_approvals", put_approvals, get_approvals },
	{ "hw_bind", put_bind, get_bind },
};

static int
get_copy(size_t kind, const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int rc;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, p, len);
	rc = kinds[kind].get(copy, len);
	free(copy);
	return rc;
}

static void
what_is_put_is_what_is_got(void **state)
{
	uint8_t buf[1024];
	struct wr w;
	size_t k;

	(void)state;
	for (k = 0; k < VT_NELEM(kinds); k++) {
		print_message("  %s\n", kinds[k].what);
		wr_init(&w, buf, sizeof(buf));
		kinds[k].put(&w);
		assert_int_equal(wr_err(&w), VT_OK);
		assert_int_equal(get_copy(k, buf, w.len), VT_OK);
	}
}

static void
every_proper_prefix_is_truncated(void **state)
{
	uint8_t buf[1024];
	struct wr w;
	size_t k, n;

	(void)state;
	for (k = 0; k < VT_NELEM(kinds); k++) {
		wr_init(&w, buf, sizeof(buf));
		kinds[k].put(&w);
		for (n = 0; n < w.len; n++)
			assert_int_equal(get_copy(k, buf, n), VT_E_TRUNC);
	}
}

static void
bytes_left_over_are_an_error(void **state)
{
	uint8_t buf[1024];
	struct wr w;
	size_t k;

	(void)state;
	for (k = 0; k < VT_NELEM(kinds); k++) {
		wr_init(&w, buf, sizeof(buf));
		kinds[k].put(&w);
		wr_u8(&w, 0);
		assert_int_equal(get_copy(k, buf, w.len), VT_E_FORMAT);
	}
}

static void
a_bad_field_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		size_t		 kind, off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "init: no root",		0, 0,	0,	VT_E_RANGE },
		{ "init: unknown root",		0, 0,	3,	VT_E_RANGE },
		{ "init: NUL in the host",	0, 4,	0,	VT_E_FORMAT },
		{ "init: host too long",	0, 1,	1,	VT_E_RANGE },
		{ "inited: blob too long",	1, 1,	1,	VT_E_RANGE },
		{ "load: unknown root",		2, 0,	9,	VT_E_RANGE },
		{ "certs: version",		4, 35,	0,	VT_E_RANGE },
		{ "certs: version",		4, 35,	3,	VT_E_RANGE },
		{ "certs: no key",		4, 43,	0,	VT_E_RANGE },
		{ "certs: too many keys",	4, 43,	5,	VT_E_RANGE },
		{ "certs: which",		4, 44,	0,	VT_E_RANGE },
		{ "certs: which",		4, 44,	4,	VT_E_RANGE },
		{ "certs: key too long",	4, 46,	1,	VT_E_RANGE },
		{ "certed: none",		5, 3,	0,	VT_E_RANGE },
		{ "certed: too many",		5, 3,	5,	VT_E_RANGE },
		{ "status: root",		6, 0,	3,	VT_E_RANGE },
		{ "status: up",			6, 1,	2,	VT_E_RANGE },
		{ "counter: which",		8, 0,	3,	VT_E_RANGE },
		{ "counter: increment",		8, 1,	2,	VT_E_RANGE },
		{ "load: too many approvals",	2, 13,	13,	VT_E_RANGE },
		{ "quota: too many",		15, 2,	2,	VT_E_RANGE },
		{ "quota: more than all",	15, 17,	1,	VT_E_RANGE },
		{ "usage: too many",		16, 2,	2,	VT_E_RANGE },
		{ "approvals: too many",	17, 3,	13,	VT_E_RANGE },
		{ "bind: key of another length", 18, 3, 64,	VT_E_RANGE },
	};
	/* clang-format on */
	uint8_t buf[1024];
	struct wr w;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].what);
		wr_init(&w, buf, sizeof(buf));
		kinds[cases[i].kind].put(&w);
		assert_true(cases[i].off < w.len);
		buf[cases[i].off] = cases[i].val;
		assert_int_equal(
		    get_copy(cases[i].kind, buf, w.len), cases[i].want);
	}
}

static void
an_answer_carries_its_body_to_the_end(void **state)
{
	struct hw_answer in = { .rc = VT_E_TPM,
		.text = "why",
		.body = bytes,
		.body_len = sizeof(bytes) };
	struct hw_answer out;
	uint8_t buf[64];
	struct wr w;
	size_t n;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	hw_answer_put(&w, &in);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(hw_answer_get(buf, w.len, &out), VT_OK);
	assert_int_equal(out.rc, VT_E_TPM);
	assert_string_equal(out.text, "why");
	assert_int_equal(out.body_len, sizeof(bytes));
	assert_memory_equal(out.body, bytes, sizeof(bytes));
	/* A body may be cut, what is before it may not. */
	for (n = 0; n < 4 + 2 + 3; n++)
		assert_int_equal(hw_answer_get(buf, n, &out), VT_E_TRUNC);
	assert_int_equal(hw_answer_get(buf, n, &out), VT_OK);
	assert_int_equal(out.body_len, 0);
	assert_null(out.body);
	/* A positive code is no code of ours. */
	buf[0] = 0;
	assert_int_equal(hw_answer_get(buf, w.len, &out), VT_E_RANGE);
}

static void
too_many_keys_are_not_written(void **state)
{
	struct hw_certs m = { .n = HW_CERTS_MAX + 1,
		.tpm_version = TPM_VER_20 };
	struct hw_certed d = { .n = HW_CERTS_MAX + 1 };
	uint8_t buf[256];
	struct wr w;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	hw_certs_put(&w, &m);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
	wr_init(&w, buf, sizeof(buf));
	hw_certed_put(&w, &d);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_what_is_got),
		cmocka_unit_test(every_proper_prefix_is_truncated),
		cmocka_unit_test(bytes_left_over_are_an_error),
		cmocka_unit_test(a_bad_field_is_refused),
		cmocka_unit_test(an_answer_carries_its_body_to_the_end),
		cmocka_unit_test(too_many_keys_are_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
