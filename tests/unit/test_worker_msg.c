/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between manager, zygote and worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vtpm/proto/worker_msg.h"
#include "vtpm/state/seal.h"

#define OUT_MAX 8192

static const uint8_t bytes[1024] = { 1, 2, 3, 4, 5, 6, 7 };

static struct wblob
blob(uint32_t len)
{
	struct wblob b = { bytes, len };

	return b;
}

/* For every struct: encode a full one, decode, encode again. */
#define CODEC(name)                                                \
	static int name##_again(                                   \
	    const uint8_t *p, size_t n, uint8_t *out, size_t *ret) \
	{                                                          \
		struct name m;                                     \
		struct wr w;                                       \
		int rc = name##_get(p, n, &m);                     \
                                                                   \
		if (rc != VT_OK)                                   \
			return rc;                                 \
		wr_init(&w, out, OUT_MAX);                         \
		name##_put(&w, &m);                                \
		*ret = w.len;                                      \
		return wr_err(&w);                                 \
	}                                                          \
	static void name##_make(struct wr *w)

CODEC(zspawn)
{
	struct zspawn m = { .uid = 5, .gid = UINT32_MAX, .log_level = 7 };

	memcpy(m.uuid, bytes, UUID_LEN);
	zspawn_put(w, &m);
}
CODEC(zspawned)
{
	struct zspawned m = { .pid = 77, .text = "why" };

	zspawned_put(w, &m);
}
CODEC(zexited)
{
	struct zexited m = { 77, 9 };

	zexited_put(w, &m);
}
CODEC(wprovision)
{
	struct wprovision m = { TPM_VER_20, BANK_SHA256 | BANK_SHA384 };

	wprovision_put(w, &m);
}
CODEC(wprovisioned)
{
	struct wprovisioned m = { .rc = VT_E_TPM, .text = "because" };

	m.ek_rsa = blob(316);
	m.ek_ecc = blob(124);
	wprovisioned_put(w, &m);
}
CODEC(wcerts)
{
	struct wcerts m = { .name = "guest", .group = 9, .generation = 1 };

	m.n = 2;
	m.certs[0].which = WCERT_EK_RSA;
	m.certs[0].der = blob(700);
	m.certs[1].which = WCERT_AK;
	m.certs[1].der = blob(1);
	wcerts_put(w, &m);
}
CODEC(wload)
{
	struct wload m = { .name = "guest",
		.tpm_version = TPM_VER_12,
		.flags = WLOAD_CRASHED,
		.generation = 3,
		.version = UINT64_MAX };

	m.permanent = blob(500);
	m.launch = blob(20);
	wload_put(w, &m);
}
CODEC(wopen)
{
	struct wopen m = { CHAN_SWTPM, 0x1f };

	wopen_put(w, &m);
}
CODEC(wkeep)
{
	struct wkeep m = { CHAN_LOCAL, 1 };

	wkeep_put(w, &m);
}
CODEC(wlaunch)
{
	struct wlaunch m = { .mode = LAUNCH_DIRECT };

	m.record = blob(100);
	m.log = blob(200);
	wlaunch_put(w, &m);
}
CODEC(wquery)
{
	struct wquery m = { WQ_PCRS };

	wquery_put(w, &m);
}
CODEC(wanswer)
{
	struct wanswer m = { .rc = VT_OK };

	m.data = blob(300);
	wanswer_put(w, &m);
}
CODEC(wstored)
{
	struct wstored m = { VT_E_SPACE, 8, 2 };

	wstored_put(w, &m);
}
CODEC(wmanager)
{
	struct wmanager m = { 1, 1, 1, "build 7" };

	wmanager_put(w, &m);
}
CODEC(wdone)
{
	struct wdone m = { VT_E_AUTH, "no" };

	wdone_put(w, &m);
}
CODEC(whello)
{
	struct whello m = { .pid = 4, .flags = WH_LOADED, .version = 6 };

	whello_put(w, &m);
}
CODEC(wstore)
{
	struct wstore m = { .kind = SEAL_PERMANENT, .flags = WS_FIRST };

	m.generation = 1;
	m.version = 2;
	m.blob = blob(600);
	wstore_put(w, &m);
}
CODEC(wevent)
{
	struct wevent m = { WE_CAPPED, "text" };

	wevent_put(w, &m);
}
CODEC(wdeep)
{
	struct wdeep m = { .ticket = 7, .flags = 5, .nonce = blob(64) };

	memset(m.quote, 1, sizeof(m.quote));
	memset(m.channel_key, 2, sizeof(m.channel_key));
	memset(m.launch, 3, sizeof(m.launch));
	memset(m.journal, 4, sizeof(m.journal));
	wdeep_put(w, &m);
}
CODEC(wdeeped)
{
	struct wdeeped m = { 7, VT_E_BUSY, "text", blob(900) };

	wdeeped_put(w, &m);
}

CODEC(wakcert)
{
	struct wakcert m = { blob(700), WCERT_AK };

	wakcert_put(w, &m);
}

#define ROW(name)                                \
	{                                        \
#name, name##_make, name##_again \
	}
static const struct {
	const char *name;
	void (*make)(struct wr *w);
	int (*again)(const uint8_t *p, size_t n, uint8_t *out, size_t *ret);
} all[] = { ROW(zspawn), ROW(zspawned), ROW(zexited), ROW(wprovision),
	ROW(wprovisioned), ROW(wcerts), ROW(wload), ROW(wopen), ROW(wkeep),
	ROW(wlaunch), ROW(wquery), ROW(wanswer), ROW(wstored), ROW(wmanager),
	ROW(wdone), ROW(whello), ROW(wstore), ROW(wevent), ROW(wdeep),
	ROW(wdeeped), ROW(wakcert) };

/* On an exact heap copy, so that ASan sees one byte too many. */
static int
decode(size_t i, const uint8_t *p, size_t n, uint8_t *out, size_t *ret)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	int rc;

	assert_non_null(copy);
	if (n > 0)
		memcpy(copy, p, n);
	rc = all[i].again(copy, n, out, ret);
	free(copy);
	return rc;
}

static void
every_message_survives_the_wire(void **state)
{
	static uint8_t a[OUT_MAX], b[OUT_MAX];
	struct wr w;
	size_t i, n;

	(void)state;
	for (i = 0; i < VT_NELEM(all); i++) {
		print_message("  %s\n", all[i].name);
		wr_init(&w, a, sizeof(a));
		all[i].make(&w);
		assert_int_equal(wr_err(&w), VT_OK);
		assert_int_equal(decode(i, a, w.len, b, &n), VT_OK);
		assert_int_equal(n, w.len);
		assert_memory_equal(a, b, n);
	}
}

static void
every_prefix_and_every_tail_is_refused(void **state)
{
	static uint8_t a[OUT_MAX], b[OUT_MAX];
	struct wr w;
	size_t i, k, n;
	int rc;

	(void)state;
	for (i = 0; i < VT_NELEM(all); i++) {
		wr_init(&w, a, sizeof(a));
		all[i].make(&w);
		for (k = 0; k < w.len; k++) {
			rc = decode(i, a, k, b, &n);
			if (rc != VT_E_TRUNC)
				fail_msg("%s[%zu]: %d", all[i].name, k, rc);
		}
		a[w.len] = 0;
		assert_int_equal(decode(i, a, w.len + 1, b, &n), VT_E_FORMAT);
	}
}

/* An AK's is as it was before there were others, and in no second way. */
static void
only_an_eks_certificate_names_its_kind(void **state)
{
	struct wakcert m = { blob(700), WCERT_AK }, got;
	static uint8_t buf[OUT_MAX];
	struct wr w;
	uint8_t which;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	wakcert_put(&w, &m);
	assert_int_equal(w.len, 704);
	assert_int_equal(wakcert_get(buf, 704, &got), VT_OK);
	assert_int_equal(got.which, WCERT_AK);
	for (which = 0; which < 8; which++) {
		buf[704] = which;
		if (which != WCERT_EK_RSA && which != WCERT_EK_ECC) {
			assert_int_equal(
			    wakcert_get(buf, 705, &got), VT_E_FORMAT);
			continue;
		}
		assert_int_equal(wakcert_get(buf, 705, &got), VT_OK);
		assert_int_equal(got.which, which);
		wr_init(&w, buf, sizeof(buf));
		wakcert_put(&w, &got);
		assert_int_equal(w.len, 705);
		assert_int_equal(wakcert_get(buf, 706, &got), VT_E_FORMAT);
	}
}

static void
values_over_their_limit_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*name;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "zspawn",	24, 8,		VT_E_RANGE },	/* log level */
		{ "wprovision",	0, 0,		VT_E_RANGE },
		{ "wprovision",	0, 3,		VT_E_RANGE },
		{ "wprovision",	1, 0x10,	VT_E_RANGE },
		{ "wcerts",	70, 5,		VT_E_RANGE },	/* n */
		{ "wcerts",	71, 4,		VT_E_RANGE },	/* which */
		{ "wcerts",	72, 1,		VT_E_RANGE },	/* 16 MiB */
		{ "wload",	23, 3,		VT_E_RANGE },	/* version */
		{ "wload",	24, 4,		VT_E_RANGE },	/* flags */
		{ "wload",	18, 0,		VT_E_FORMAT },	/* NUL */
		{ "wload",	16, 1,		VT_E_RANGE },	/* name 261 */
		{ "wopen",	0, 0,		VT_E_RANGE },
		{ "wopen",	0, 4,		VT_E_RANGE },
		{ "wopen",	1, 0x20,	VT_E_RANGE },
		{ "wlaunch",	0, 3,		VT_E_RANGE },
		{ "wmanager",	0, 2,		VT_E_RANGE },
		{ "wmanager",	2, 2,		VT_E_RANGE },
		{ "wstore",	0, 5,		VT_E_RANGE },
		{ "wstore",	1, 4,		VT_E_RANGE },
		{ "wevent",	0, 0,		VT_E_RANGE },
		{ "wevent",	0, 99,		VT_E_RANGE },
		{ "wdeep",	143, 65,	VT_E_RANGE },	/* nonce */
		{ "wakcert",	1, 1,		VT_E_RANGE },	/* 64 KiB */
		{ "wdeeped",	8, 0,		VT_E_RANGE },	/* rc > 0 */
		{ "wdeeped",	18, 1,		VT_E_RANGE },	/* 16 MiB */
	};
	/* clang-format on */
	static uint8_t a[OUT_MAX], b[OUT_MAX];
	struct wr w;
	size_t c, i, n;

	(void)state;
	for (c = 0; c < VT_NELEM(cases); c++) {
		for (i = 0; strcmp(all[i].name, cases[c].name) != 0; i++)
			;
		wr_init(&w, a, sizeof(a));
		all[i].make(&w);
		assert_true(cases[c].off < w.len);
		a[cases[c].off] = cases[c].val;
		print_message("  %s[%zu]\n", cases[c].name, cases[c].off);
		assert_int_equal(decode(i, a, w.len, b, &n), cases[c].want);
	}
}

static void
failed_decode_leaves_its_output_alone(void **state)
{
	struct wload m, before;
	uint8_t one = 0;

	(void)state;
	memset(&m, 0x77, sizeof(m));
	before = m;
	assert_int_equal(wload_get(&one, 1, &m), VT_E_TRUNC);
	assert_memory_equal(&m, &before, sizeof(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_survives_the_wire),
		cmocka_unit_test(every_prefix_and_every_tail_is_refused),
		cmocka_unit_test(only_an_eks_certificate_names_its_kind),
		cmocka_unit_test(values_over_their_limit_are_refused),
		cmocka_unit_test(failed_decode_leaves_its_output_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
