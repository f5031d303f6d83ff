/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_messages.c - every message between our processes, by its table: the
 * bytes are those of tests/vectors/messages and of doc/FORMATS.md.
 *
 * --tables prints the table of doc/FORMATS.md (make formats), --vectors the
 * samples' encodings, for the line of a new message in VECTORS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/messages.h"
#include "tests/unit/message_samples.h"
#include "tests/unit/vector.h"

#define VECTORS "tests/vectors/messages"
#define FORMATS "doc/FORMATS.md"
#define BEGIN "<!-- messages: begin -->\n"
#define END "<!-- messages: end -->\n"
#define OUT_MAX 2048

static const struct {
	const struct msg_table *t;
	const void *sample;
} all[] = {
#define ROW(name) { &name##_msg, &name##_sample },
	MESSAGES(ROW)
#undef ROW
};

/* --- the table of doc/FORMATS.md ------------------------------------------ */

static void print_fields(FILE *out, const struct msg_field *f);

static void
print_bounds(FILE *out, const struct msg_field *f)
{
	if (f->lo == 0)
		(void)fprintf(out, " ≤ %llu", (unsigned long long)f->hi);
	else if (f->lo == f->hi)
		(void)fprintf(out, " = %llu", (unsigned long long)f->hi);
	else
		(void)fprintf(out, " %llu..%llu", (unsigned long long)f->lo,
		    (unsigned long long)f->hi);
}

static void
print_field(FILE *out, const struct msg_field *f)
{
	static const char *const what[MSG_NKINDS] = { [MSG_RC] = "rc",
		[MSG_BYTES] = "bytes",
		[MSG_TEXT] = "text",
		[MSG_BLOB] = "blob",
		[MSG_OPTION] = "blob",
		[MSG_ARRAY] = "list",
		[MSG_TAIL] = "u8",
		[MSG_REST] = "rest" };

	if (f->kind == MSG_UINT)
		(void)fprintf(out, f->size > 1 ? "be%u" : "u%u", f->size * 8);
	else
		(void)fprintf(out, "%s", what[f->kind]);
	if (f->name[0] != '\0')
		(void)fprintf(out, " `%s`", f->name);
	if (f->kind == MSG_BYTES)
		(void)fprintf(out, "[%u]", f->size);
	else if (f->kind == MSG_TEXT)
		(void)fprintf(out, " ≤ %u", f->size - 1);
	else if (f->kind != MSG_RC && f->kind != MSG_REST &&
		 f->hi != UINT64_MAX)
		print_bounds(out, f);
	if (f->kind == MSG_OPTION)
		(void)fprintf(out, " or empty");
	if (f->kind == MSG_TAIL)
		(void)fprintf(out, ", or nothing: %u", f->other);
	if (f->kind == MSG_ARRAY) {
		(void)fprintf(out, " of (");
		print_fields(out, f->each);
		(void)fprintf(out, ")");
	}
}

static void
print_fields(FILE *out, const struct msg_field *f)
{
	const struct msg_field *first = f;

	for (; f->kind != MSG_END; f++) {
		(void)fprintf(out, "%s", f == first ? "" : ", ");
		print_field(out, f);
	}
}

static void
print_tables(FILE *out)
{
	size_t i;

	(void)fprintf(out, "| message | fields |\n|---|---|\n");
	for (i = 0; i < VT_NELEM(all); i++) {
		(void)fprintf(out, "| `%s` | ", all[i].t->name);
		print_fields(out, all[i].t->fields);
		(void)fprintf(out, " |\n");
	}
}

/* --- tests ---------------------------------------------------------------- */

/* Decode an exact copy and encode the result into w.  What cannot be decoded
 * leaves its output alone. */
static int
again(const struct msg_table *t, const uint8_t *p, size_t len, struct wr *w)
{
	uint8_t *copy = exact_copy(p, len), *m = malloc(t->size);
	size_t i;
	int rc;

	assert_non_null(m);
	memset(m, 0xa5, t->size);
	rc = msg_decode(t, copy, len, m);
	if (rc == VT_OK)
		msg_write(w, t->fields, m);
	for (i = 0; rc != VT_OK && i < t->size; i++)
		assert_int_equal(m[i], 0xa5);
	free(m);
	free(copy);
	return rc;
}

static size_t
encode_sample(size_t i, uint8_t out[OUT_MAX])
{
	struct wr w;

	wr_init(&w, out, OUT_MAX);
	msg_write(&w, all[i].t->fields, all[i].sample);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

static void
print_vectors(void)
{
	char hex[2 * OUT_MAX + 1];
	uint8_t buf[OUT_MAX];
	size_t i;

	for (i = 0; i < VT_NELEM(all); i++) {
		hex_encode(buf, encode_sample(i, buf), hex);
		printf("%s %s\n", all[i].t->name, hex);
	}
}

static void
every_message_has_its_recorded_bytes(void **state)
{
	uint8_t want[OUT_MAX], got[OUT_MAX], back[OUT_MAX];
	char name[64], hex[2 * OUT_MAX];
	FILE *f = fopen(VECTORS, "r");
	size_t i, len;
	struct wr w;

	(void)state;
	assert_non_null(f);
	for (i = 0; i < VT_NELEM(all); i++) {
		assert_int_equal(fscanf(f, "%63s %4095s", name, hex), 2);
		print_message("  %s\n", name);
		assert_string_equal(name, all[i].t->name);
		assert_int_equal(
		    hex_decode(hex, want, sizeof(want), &len), VT_OK);
		assert_int_equal(encode_sample(i, got), len);
		assert_memory_equal(got, want, len);
		wr_init(&w, back, sizeof(back));
		assert_int_equal(again(all[i].t, want, len, &w), VT_OK);
		assert_int_equal(wr_err(&w), VT_OK);
		assert_int_equal(w.len, len);
		assert_memory_equal(back, want, len);
	}
	assert_int_equal(fscanf(f, "%63s", name), EOF);
	(void)fclose(f);
}

/* A message whose last field may be absent has prefixes that are messages. */
static bool
may_be_shorter(const struct msg_table *t)
{
	const struct msg_field *f = t->fields;

	while (f[1].kind != MSG_END)
		f++;
	return f->kind == MSG_TAIL || f->kind == MSG_REST;
}

static void
every_prefix_and_every_tail_is_refused(void **state)
{
	uint8_t buf[OUT_MAX];
	size_t i, n, len;

	(void)state;
	for (i = 0; i < VT_NELEM(all); i++) {
		if (may_be_shorter(all[i].t))
			continue;
		len = encode_sample(i, buf);
		for (n = 0; n < len; n++)
			assert_int_equal(
			    again(all[i].t, buf, n, NULL), VT_E_TRUNC);
		buf[len] = 0;
		assert_int_equal(
		    again(all[i].t, buf, len + 1, NULL), VT_E_FORMAT);
	}
}

/* clang-format off */
static const struct {
	const char	*name;
	size_t		 off;
	uint8_t		 val;
	int		 want;
} out_of_bounds[] = {
	{ "zspawn",	 24, 8,		VT_E_RANGE },	/* log level */
	{ "zspawn",	 25, 2,		VT_E_RANGE },	/* flags */
	{ "wprovision",	 0, 0,		VT_E_RANGE },
	{ "wprovision",	 0, 3,		VT_E_RANGE },
	{ "wprovision",	 1, 0x10,	VT_E_RANGE },
	{ "wprovision",	 2, 3,		VT_E_RANGE },
	{ "wcerts",	 70, 5,		VT_E_RANGE },	/* count */
	{ "wcerts",	 71, 4,		VT_E_RANGE },	/* which */
	{ "wcerts",	 72, 1,		VT_E_RANGE },	/* 16 MiB */
	{ "wload",	 23, 3,		VT_E_RANGE },	/* version */
	{ "wload",	 24, 4,		VT_E_RANGE },	/* flags */
	{ "wload",	 18, 0,		VT_E_FORMAT },	/* NUL */
	{ "wload",	 16, 1,		VT_E_RANGE },	/* name 261 */
	{ "wload",	 17, 64,	VT_E_RANGE },	/* name 64 */
	{ "wopen",	 0, 0,		VT_E_RANGE },
	{ "wopen",	 0, 4,		VT_E_RANGE },
	{ "wopen",	 1, 0x20,	VT_E_RANGE },
	{ "wkeep",	 0, 0,		VT_E_RANGE },
	{ "wxen",	 0, 2,		VT_E_RANGE },
	{ "wxen",	 1, 0x20,	VT_E_RANGE },
	{ "wxen",	 14, 2,		VT_E_RANGE },
	{ "xb_opened",	 0, 0,		VT_E_RANGE },	/* rc > 0 */
	{ "wlaunch",	 0, 3,		VT_E_RANGE },
	{ "wmanager",	 0, 2,		VT_E_RANGE },
	{ "wmanager",	 2, 2,		VT_E_RANGE },
	{ "wstore",	 0, 5,		VT_E_RANGE },
	{ "wstore",	 1, 4,		VT_E_RANGE },
	{ "wevent",	 0, 0,		VT_E_RANGE },
	{ "wevent",	 0, 99,		VT_E_RANGE },
	{ "wdeep",	 143, 65,	VT_E_RANGE },	/* nonce */
	{ "wdeeped",	 8, 0,		VT_E_RANGE },	/* rc > 0 */
	{ "wdeeped",	 18, 1,		VT_E_RANGE },	/* 16 MiB */
	{ "wakcert",	 1, 1,		VT_E_RANGE },	/* 64 KiB */
	{ "hw_init",	 0, 0,		VT_E_RANGE },	/* root */
	{ "hw_init",	 0, 3,		VT_E_RANGE },
	{ "hw_init",	 4, 0,		VT_E_FORMAT },	/* NUL */
	{ "hw_init",	 1, 1,		VT_E_RANGE },	/* host */
	{ "hw_init",	 12, 64,	VT_E_RANGE },	/* key */
	{ "hw_init",	 81, 31,	VT_E_RANGE },	/* master */
	{ "hw_inited",	 1, 1,		VT_E_RANGE },	/* blob */
	{ "hw_load",	 0, 9,		VT_E_RANGE },	/* root */
	{ "hw_load",	 13, 13,	VT_E_RANGE },	/* count */
	{ "hw_certs",	 35, 0,		VT_E_RANGE },	/* version */
	{ "hw_certs",	 35, 3,		VT_E_RANGE },
	{ "hw_certs",	 43, 0,		VT_E_RANGE },	/* count */
	{ "hw_certs",	 43, 5,		VT_E_RANGE },
	{ "hw_certs",	 44, 0,		VT_E_RANGE },	/* which */
	{ "hw_certs",	 44, 4,		VT_E_RANGE },
	{ "hw_certs",	 46, 1,		VT_E_RANGE },	/* 64 KiB */
	{ "hw_certed",	 3, 0,		VT_E_RANGE },	/* count */
	{ "hw_certed",	 3, 5,		VT_E_RANGE },
	{ "hw_status",	 0, 3,		VT_E_RANGE },	/* root */
	{ "hw_status",	 1, 2,		VT_E_RANGE },	/* up */
	{ "hw_counter",	 0, 3,		VT_E_RANGE },	/* which */
	{ "hw_counter",	 1, 2,		VT_E_RANGE },
	{ "hw_quote",	 12, 1,		VT_E_RANGE },	/* PCR 24 */
	{ "hw_quote",	 15, 0,		VT_E_RANGE },	/* no PCR */
	{ "hw_quota",	 2, 2,		VT_E_RANGE },	/* count */
	{ "hw_quota",	 17, 1,		VT_E_RANGE },	/* ms */
	{ "hw_usage",	 2, 2,		VT_E_RANGE },	/* count */
	{ "hw_approvals", 3, 13,	VT_E_RANGE },	/* count */
	{ "hw_bind",	 3, 64,		VT_E_RANGE },	/* key */
	{ "hw_answer",	 0, 0,		VT_E_RANGE },	/* rc > 0 */
};
/* clang-format on */

static void
a_value_outside_its_bounds_is_refused(void **state)
{
	uint8_t buf[OUT_MAX];
	size_t c, i, len;

	(void)state;
	for (c = 0; c < VT_NELEM(out_of_bounds); c++) {
		for (i = 0; strcmp(all[i].t->name, out_of_bounds[c].name) != 0;
		     i++)
			assert_true(i < VT_NELEM(all));
		print_message(
		    "  %s[%zu]\n", out_of_bounds[c].name, out_of_bounds[c].off);
		len = encode_sample(i, buf);
		assert_true(out_of_bounds[c].off < len);
		buf[out_of_bounds[c].off] = out_of_bounds[c].val;
		assert_int_equal(
		    again(all[i].t, buf, len, NULL), out_of_bounds[c].want);
	}
}

/* An AK's certificate has one encoding, without its kind. */
static void
only_an_eks_certificate_names_its_kind(void **state)
{
	struct wakcert m = { SAMPLE_BLOB(9), WCERT_AK }, got;
	uint8_t buf[OUT_MAX];
	struct wr w;
	uint8_t which;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wakcert, &m);
	assert_int_equal(w.len, 13);
	assert_int_equal(msg_get(wakcert, buf, 13, &got), VT_OK);
	assert_int_equal(got.which, WCERT_AK);
	for (which = 0; which < 8; which++) {
		buf[13] = which;
		if (which != WCERT_EK_RSA && which != WCERT_EK_ECC) {
			assert_int_equal(
			    msg_get(wakcert, buf, 14, &got), VT_E_FORMAT);
			continue;
		}
		assert_int_equal(msg_get(wakcert, buf, 14, &got), VT_OK);
		assert_int_equal(got.which, which);
		assert_int_equal(msg_get(wakcert, buf, 15, &got), VT_E_FORMAT);
	}
	buf[3] = 0; /* no certificate */
	assert_int_equal(msg_get(wakcert, buf, 4, &got), VT_E_RANGE);
}

static void
an_answer_carries_its_body_to_the_end(void **state)
{
	struct hw_answer out;
	uint8_t buf[OUT_MAX];
	struct wr w;
	size_t n;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_answer, &hw_answer_sample);
	assert_int_equal(msg_get(hw_answer, buf, w.len, &out), VT_OK);
	assert_int_equal(out.body_len, 7);
	assert_memory_equal(out.body, sample_bytes, 7);
	/* A body may be cut, what is before it may not. */
	for (n = 0; n < 4 + 2 + 3; n++)
		assert_int_equal(
		    again(&hw_answer_msg, buf, n, NULL), VT_E_TRUNC);
	assert_int_equal(msg_get(hw_answer, buf, n, &out), VT_OK);
	assert_int_equal(out.body_len, 0);
	assert_null(out.body);
}

static void
a_list_longer_than_its_array_is_not_written(void **state)
{
	struct wcerts a = { .n = VT_NELEM(a.certs) + 1 };
	struct hw_certed b = { .n = HW_CERTS_MAX + 1 };
	uint8_t buf[OUT_MAX];
	struct wr w;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wcerts, &a);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, hw_certed, &b);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
}

/* What a struct held before does not show in what is decoded into it. */
static void
what_is_absent_becomes_zero(void **state)
{
	struct wprovisioned m;
	uint8_t buf[4 + 2 + 4 + 4 + 4] = { 0 };

	(void)state;
	memset(&m, 0xa5, sizeof(m));
	assert_int_equal(msg_get(wprovisioned, buf, sizeof(buf), &m), VT_OK);
	assert_string_equal(m.text, "");
	assert_null(m.ek_rsa.p);
	assert_int_equal(m.ek_rsa.len, 0);
}

static void
every_declared_message_is_listed(void **state)
{
	static const char *const headers[] = { "vtpm/proto/worker_msg.h",
		"vtpm_manager/proto/hwtpm_msg.h",
		"vtpm_manager/proto/xenback_msg.h" };
	static const char decl[] = "\nextern const struct msg_table ";
	size_t i, n = 0;
	struct bytes b;
	const char *p;

	(void)state;
	for (i = 0; i < VT_NELEM(headers); i++) {
		assert_int_equal(
		    read_file(headers[i], 1 << 20, &b.p, &b.len), VT_OK);
		p = (const char *)b.p;
		for (; (p = strstr(p, decl)) != NULL; p++)
			n++;
		free(b.p);
	}
	assert_int_equal(n, VT_NELEM(all));
}

static void
formats_shows_every_field(void **state)
{
	char *begin, *end, *want = NULL;
	struct bytes formats;
	size_t len;
	FILE *out = open_memstream(&want, &len);

	(void)state;
	assert_non_null(out);
	print_tables(out);
	(void)fclose(out);
	assert_int_equal(
	    read_file(FORMATS, 1 << 20, &formats.p, &formats.len), VT_OK);
	begin = strstr((char *)formats.p, BEGIN);
	end = strstr((char *)formats.p, END);
	assert_true(begin != NULL && end != NULL);
	*end = '\0';
	if (strcmp(begin + strlen(BEGIN), want) != 0)
		fail_msg("%s is not up to date: make formats", FORMATS);
	free(want);
	free(formats.p);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_has_its_recorded_bytes),
		cmocka_unit_test(every_prefix_and_every_tail_is_refused),
		cmocka_unit_test(a_value_outside_its_bounds_is_refused),
		cmocka_unit_test(only_an_eks_certificate_names_its_kind),
		cmocka_unit_test(an_answer_carries_its_body_to_the_end),
		cmocka_unit_test(a_list_longer_than_its_array_is_not_written),
		cmocka_unit_test(what_is_absent_becomes_zero),
		cmocka_unit_test(every_declared_message_is_listed),
		cmocka_unit_test(formats_shows_every_field),
	};

	if (argc > 1 && strcmp(argv[1], "--tables") == 0) {
		print_tables(stdout);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--vectors") == 0) {
		print_vectors();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
