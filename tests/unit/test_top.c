/* SPDX-License-Identifier: BSD-3-Clause */
/* test_top.c - rates, order and tables of vtpmctl top. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "tools/vtpmctl/top_draw.h"
#include "tools/vtpmctl/top_rows.h"

/* Two seconds apart: a works, b was replaced by another worker, c is new, d has
 * none. */
static const char before_text[] =
    "{\"time_us\":1000000,\"guests\":["
    "{\"name\":\"a\",\"uuid\":\"1\",\"worker\":{\"pid\":1,\"cpu_ms\":100},"
    "\"counted\":{\"commands\":10,\"stores\":1}},"
    "{\"name\":\"b\",\"uuid\":\"2\",\"worker\":{\"pid\":2,\"cpu_ms\":900},"
    "\"counted\":{\"commands\":90,\"stores\":9}}]}";
static const char now_text[] =
    "{\"time_us\":3000000,\"guests\":["
    "{\"name\":\"a\",\"uuid\":\"1\",\"up\":true,\"in_use\":true,"
    "\"worker\":{\"pid\":1,\"cpu_ms\":300,\"resident_bytes\":4096},"
    "\"counted\":{\"commands\":30,\"stores\":4,\"quiet_ms\":7}},"
    "{\"name\":\"b\",\"uuid\":\"2\",\"up\":true,"
    "\"worker\":{\"pid\":3,\"cpu_ms\":50,\"resident_bytes\":8192},"
    "\"counted\":{\"commands\":99,\"stores\":10,\"quiet_ms\":8}},"
    "{\"name\":\"c\",\"uuid\":\"3\",\"worker\":{\"pid\":4,\"cpu_ms\":9,"
    "\"resident_bytes\":100}},"
    "{\"name\":\"d\",\"uuid\":\"4\",\"state\":\"failed\"}]}";

static struct top_sample
sample(const char *stats, const char *status)
{
	struct top_sample s = { json_loads(stats, 0, NULL),
		json_loads(status, 0, NULL) };

	assert_non_null(s.stats);
	assert_non_null(s.status);
	return s;
}

/* The names in this order. */
static void
ordered(const char *order, bool reverse, const char *want)
{
	struct top_sample a = sample(before_text, "{}");
	struct top_sample b = sample(now_text, "{}");
	char got[8] = "";
	struct top_row *rows;
	struct top_host h;
	enum top_order o;
	size_t n, i;

	assert_true(top_order_of(order, &o));
	assert_int_equal(top_rows(&a, &b, o, reverse, &rows, &n, &h), VT_OK);
	assert_int_equal(n, 4);
	for (i = 0; i < n; i++)
		got[i] = json_string_value(
		    json_object_get(rows[i].guest, "name"))[0];
	assert_string_equal(got, want);
	free(rows);
	top_sample_done(&a);
	top_sample_done(&b);
}

static void
each_order_is_the_one_it_says(void **state)
{
	enum top_order o;

	(void)state;
	ordered("commands", false, "abcd");
	ordered("stores", false, "abcd");
	ordered("memory", false, "bacd");
	ordered("cpu", false, "abcd");
	ordered("name", false, "abcd");
	ordered("name", true, "dcba");
	ordered("memory", true, "dcab");
	assert_false(top_order_of("size", &o));
}

static void
rates_are_of_one_worker_and_its_time(void **state)
{
	struct top_sample a = sample(before_text,
	    "{\"counters\":{\"commits\":5,\"commit_time\":{\"sum_us\":1000}},"
	    "\"groups\":[{\"hw\":{\"ms\":100}},{\"hw\":{\"ms\":10}}]}");
	struct top_sample b = sample(now_text,
	    "{\"counters\":{\"commits\":9,\"commit_time\":{\"sum_us\":9000}},"
	    "\"groups\":[{\"hw\":{\"ms\":600}},{\"hw\":{\"ms\":10}}]}");
	struct top_row *r;
	struct top_host h;
	size_t n;

	(void)state;
	assert_int_equal(top_rows(&a, &b, TOP_NAME, false, &r, &n, &h), VT_OK);
	assert_true(r[0].commands == 10 && r[0].stores == 1.5);
	assert_true(r[0].cpu == 10); /* 200 ms of 2 s */
	assert_int_equal(r[0].resident_bytes, 4096);
	assert_int_equal(r[0].quiet_ms, 7);
	assert_true(r[1].counted && r[1].commands == 0 && r[1].cpu == 0);
	assert_true(!r[2].counted && r[2].cpu == 0);
	assert_true(!r[3].counted && r[3].resident_bytes == 0);
	assert_true(h.commands == 10 && h.stores == 1.5);
	assert_true(h.commits == 2 && h.commit_ms == 2);
	assert_true(h.tpm == 25); /* 500 ms of 2 s */
	assert_int_equal(h.active, 4);
	assert_int_equal(h.running, 2);
	assert_int_equal(h.in_use, 1);
	free(r);
	/* No time passed, or no manager's answer. */
	assert_int_equal(
	    top_rows(&b, &b, TOP_NAME, false, &r, &n, &h), VT_E_FORMAT);
	top_sample_done(&a);
	a = sample("{\"time_us\":0}", "{}");
	assert_int_equal(
	    top_rows(&b, &a, TOP_NAME, false, &r, &n, &h), VT_E_FORMAT);
	top_sample_done(&a);
	top_sample_done(&b);
}

#define MANY 300

/* 300 guests; names that would steer a terminal, or are longer than it. */
static struct top_sample
many(void)
{
	static const char *const names[] = { "web-1", "\033[2J\033]0;x\007",
		"\xc2\x9b"
		"31mred",
		"tab\tand\nline\r",
		"a-name-that-is-as-long-as-a-name-may-be-and-fits-no-terminal"
		"-oh" };
	struct top_sample s = sample("{\"time_us\":9000000}", "{}");
	json_t *list = json_array();
	char uuid[16];
	size_t i;

	for (i = 0; i < MANY; i++) {
		(void)snprintf(uuid, sizeof(uuid), "%zu", i);
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s,s:s,s:s,s:b,s:{s:i,s:I,s:I},"
			      "s:{s:I,s:I,s:I}}",
			"name", names[i % VT_NELEM(names)], "uuid", uuid,
			"state", "re\033connecting", "channel", "swtpm", "up",
			1, "worker", "pid", 7, "cpu_ms", (json_int_t)100000000,
			"resident_bytes", (json_int_t)1 << 40, "counted",
			"commands", (json_int_t)1 << 40, "stores",
			(json_int_t)1 << 40, "quiet_ms",
			(json_int_t)86400000 * 999));
	}
	(void)json_object_set_new(s.stats, "guests", list);
	return s;
}

/* The table of many guests; how many lines it has. */
static size_t
check_table(size_t width, size_t lines)
{
	struct top_sample a = sample("{\"time_us\":1,\"guests\":[]}", "{}");
	struct top_sample b = many();
	struct top_host h;
	struct top_row *rows;
	size_t n, len = 0, got = 0, i;
	char *text = NULL, *start;
	FILE *f;

	assert_int_equal(
	    top_rows(&a, &b, TOP_NAME, false, &rows, &n, &h), VT_OK);
	assert_non_null(f = open_memstream(&text, &len));
	top_draw(f, &(struct top_view){ .rows = rows,
			.n = n,
			.host = &h,
			.width = width,
			.lines = lines,
			.eol = "\n" });
	assert_int_equal(fclose(f), 0);
	for (start = text, i = 0; i < len; i++) {
		if (text[i] != '\n') {
			assert_in_range((unsigned char)text[i], ' ', '~');
			continue;
		}
		assert_true((size_t)(text + i - start) <= width);
		start = text + i + 1;
		got++;
	}
	free(text);
	free(rows);
	top_sample_done(&a);
	top_sample_done(&b);
	return got;
}

static void
a_table_fits_and_steers_no_terminal(void **state)
{
	static const size_t widths[] = { 40, 66, 80, 132, 1000 };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(widths); i++)
		assert_int_equal(check_table(widths[i], SIZE_MAX), MANY + 4);
	/* The last line of a terminal stays free: a newline there scrolls. */
	assert_int_equal(check_table(80, 24), 23);
	assert_int_equal(check_table(80, 304), 303);
	assert_int_equal(check_table(80, 305), MANY + 4);
	assert_true(check_table(80, 1) <= 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_order_is_the_one_it_says),
		cmocka_unit_test(rates_are_of_one_worker_and_its_time),
		cmocka_unit_test(a_table_fits_and_steers_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
