/* SPDX-License-Identifier: BSD-3-Clause */
/* test_metrics.c - the manager's numbers as text for Prometheus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/histogram.h"
#include "base/util.h"
#include "vtpm_manager/control/metrics.h"

/* The text for a status in JSON; the caller's. */
static char *
text_of(const char *json)
{
	json_t *status = json_loads(json, 0, NULL);
	char *text;
	size_t len;

	assert_non_null(status);
	assert_int_equal(metrics_text(status, &text, &len), VT_OK);
	assert_int_equal(strlen(text), len);
	json_decref(status);
	return text;
}

static void
has(const char *json, const char *lines)
{
	char *text = text_of(json);

	if (strstr(text, lines) == NULL)
		fail_msg("no \"%s\" in:\n%s", lines, text);
	free(text);
}

static void
lacks(const char *json, const char *words)
{
	char *text = text_of(json);

	assert_null(strstr(text, words));
	free(text);
}

static void
numbers_are_exact(void **state)
{
	/* clang-format off */
	static const struct {
		const char *json, *line;
	} cases[] = {
		{ "{\"ready\":true}", "\nvtpm_ready 1\n" },
		{ "{\"ready\":false}", "\nvtpm_ready 0\n" },
		{ "{\"started_ms\":1700000000007}",
		  "\nvtpm_start_time_seconds 1700000000.007\n" },
		{ "{\"space\":{\"free_bytes\":9007199254740993}}",
		  "\nvtpm_store_free_bytes 9007199254740993\n" },
		{ "{\"hwtpm\":{\"requests\":[{\"kind\":\"quote\",\"us\":1000001}]}}",
		  "\nvtpm_host_tpm_request_seconds_total{kind=\"quote\"} "
		  "1.000001\n" },
		{ "{\"groups\":[{\"name\":\"red\",\"hw\":{\"ms\":50}}]}",
		  "\nvtpm_host_tpm_group_seconds_total{group=\"red\"} 0.050\n" },
		{ "{\"version\":\"1\",\"root\":\"software\"}",
		  "\nvtpm_build_info{version=\"1\",root=\"software\"} 1\n" },
		{ "{\"vtpms\":{\"known\":9,\"running\":7,\"tampered\":1}}",
		  "\nvtpm_vtpms_active{state=\"running\"} 7\n"
		  "# HELP" },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++)
		has(cases[i].json, cases[i].line);
}

static void
what_is_no_number_has_no_line(void **state)
{
	static const char *const json[] = { "{}", "{\"counters\":{}}",
		"{\"counters\":{\"calls\":-1}}",
		"{\"counters\":{\"calls\":null}}",
		"{\"counters\":{\"calls\":\"5\"}}", "{\"counters\":5}",
		"{\"counters\":{\"calls\":1.5}}" };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(json); i++)
		lacks(json[i], "\nvtpm_control_requests_total ");
}

static void
names_are_escaped(void **state)
{
	(void)state;
	has("{\"guests\":[{\"name\":\"a\\\"b\\\\c\\nd\",\"uuid\":\"u\","
	    "\"up\":true}]}",
	    "\nvtpm_guest_up{guest=\"a\\\"b\\\\c\\nd\",uuid=\"u\"} 1\n");
	has("{\"guests\":[{\"name\":\"\\u00e4}\",\"uuid\":\"u\",\"up\":true}]}",
	    "\nvtpm_guest_up{guest=\"\xc3\xa4}\",uuid=\"u\"} 1\n");
}

static void
guests_of_one_metric_stand_together(void **state)
{
	(void)state;
	has("{\"guests\":[{\"name\":\"a\",\"uuid\":\"1\",\"up\":true,"
	    "\"in_use\":true},{\"name\":\"b\",\"uuid\":\"2\",\"up\":false,"
	    "\"in_use\":false}]}",
	    "\nvtpm_guest_up{guest=\"a\",uuid=\"1\"} 1\n"
	    "vtpm_guest_up{guest=\"b\",uuid=\"2\"} 0\n# HELP");
}

static void
buckets_are_cumulative(void **state)
{
	(void)state;
	has("{\"counters\":{\"commit_time\":{\"bounds_us\":[50,2500,1000000],"
	    "\"counts\":[1,2,0,4],\"sum_us\":5000007}}}",
	    "_seconds histogram\n"
	    "vtpm_store_commit_duration_seconds_bucket{le=\"0.00005\"} 1\n"
	    "vtpm_store_commit_duration_seconds_bucket{le=\"0.0025\"} 3\n"
	    "vtpm_store_commit_duration_seconds_bucket{le=\"1.0\"} 3\n"
	    "vtpm_store_commit_duration_seconds_bucket{le=\"+Inf\"} 7\n"
	    "vtpm_store_commit_duration_seconds_sum 5.000007\n"
	    "vtpm_store_commit_duration_seconds_count 7\n");
}

/* Prometheus' conventions for names. */
static void
each_metric_is_described_once_and_well_named(void **state)
{
	char *text = text_of("{}"), *line, *save, *seen[256];
	char name[128], type[16];
	size_t n = 0, i;

	(void)state;
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		assert_int_equal(
		    sscanf(line, "# HELP vtpm_%127[a-z_]", name), 1);
		assert_int_equal(line[strlen(line) - 1], '.');
		line = strtok_r(NULL, "\n", &save);
		assert_non_null(line);
		assert_int_equal(
		    sscanf(line, "# TYPE vtpm_%127[a-z_] %15s", name, type), 2);
		for (i = 0; i < n; i++)
			assert_string_not_equal(seen[i], name);
		assert_true(n < VT_NELEM(seen));
		assert_non_null(seen[n++] = strdup(name));
		assert_int_equal(strcmp(type, "counter") == 0,
		    strlen(name) > 6 &&
			strcmp(name + strlen(name) - 6, "_total") == 0);
	}
	assert_true(n > 40);
	while (n > 0)
		free(seen[--n]);
	free(text);
}

static void
a_bound_is_within_its_bucket(void **state)
{
	struct histogram h = { { 0 }, 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < HIST_BOUNDS; i++) {
		assert_true(i == 0 || hist_bound_us[i] > hist_bound_us[i - 1]);
		hist_add(&h, hist_bound_us[i]);
		assert_int_equal(h.n[i], i == 0 ? 1 : 2);
		hist_add(&h, hist_bound_us[i] + 1);
		assert_int_equal(h.n[i + 1], 1);
	}
	hist_add(&h, 0);
	assert_int_equal(h.n[0], 2);
	hist_add(&h, UINT64_C(1) << 40);
	assert_int_equal(h.n[HIST_BOUNDS], 2);
	assert_int_equal(hist_count(&h), 2 * HIST_BOUNDS + 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(what_is_no_number_has_no_line),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(guests_of_one_metric_stand_together),
		cmocka_unit_test(buckets_are_cumulative),
		cmocka_unit_test(each_metric_is_described_once_and_well_named),
		cmocka_unit_test(a_bound_is_within_its_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
