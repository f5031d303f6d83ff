/* SPDX-License-Identifier: BSD-3-Clause */
/* test_http_request.c - requests for the metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vtpm_manager/control/http_request.h"

#define PATH "/metrics"

/* What curl 7.88 and Prometheus 2.42 send. */
static const char curl[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n"
			   "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
static const char prometheus[] =
    "GET /metrics HTTP/1.1\r\nHost: localhost:9187\r\n"
    "User-Agent: Prometheus/2.42.0+ds\r\n"
    "Accept: application/openmetrics-text;version=1.0.0,"
    "application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"
    "Accept-Encoding: gzip\r\n"
    "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n";

/* In an exact heap copy, so that ASan sees one byte too many. */
static enum http_verdict
judge(const char *buf, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum http_verdict v;

	assert_non_null(copy);
	memcpy(copy, buf, len);
	v = http_judge(copy, len, PATH);
	free(copy);
	return v;
}

static void
requests_are_judged(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		enum http_verdict want;
	} cases[] = {
		{ curl, HTTP_OK },
		{ prometheus, HTTP_OK },
		{ "GET /metrics HTTP/1.0\n\n", HTTP_OK },
		{ "GET /metrics?a=b HTTP/1.1\r\nHost:\r\n\r\n", HTTP_OK },
		{ "GET /metrics HTTP/1.1\r\n\r\nbody", HTTP_OK },
		{ "GET / HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND },
		{ "GET /metricss HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND },
		{ "GET /metric HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND },
		{ "GET //metrics HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND },
		{ "POST /metrics HTTP/1.1\r\n\r\n", HTTP_NOT_ALLOWED },
		{ "HEAD /metrics HTTP/1.1\r\n\r\n", HTTP_NOT_ALLOWED },
		{ "get /metrics HTTP/1.1\r\n\r\n", HTTP_NOT_ALLOWED },
		{ "GET /metrics\r\n\r\n", HTTP_BAD },
		{ "GET /metrics HTTP/2.0\r\n\r\n", HTTP_BAD },
		{ "GET /metrics HTTP/1.10\r\n\r\n", HTTP_BAD },
		{ "GET /metrics HTTP/1.\r\n\r\n", HTTP_BAD },
		{ "GET  /metrics HTTP/1.1\r\n\r\n", HTTP_BAD },
		{ "GET /metrics  HTTP/1.1\r\n\r\n", HTTP_BAD },
		{ "GET /met\x80rics HTTP/1.1\r\n\r\n", HTTP_BAD },
		{ "GET /met\trics HTTP/1.1\r\n\r\n", HTTP_BAD },
		{ " GET /metrics HTTP/1.1\r\n\r\n", HTTP_BAD },
		{ "\r\nGET /metrics HTTP/1.1\r\n\r\n", HTTP_BAD },
		{ "GET /metrics HTTP/1.1\r\nno field\r\n\r\n", HTTP_BAD },
		{ "GET /metrics HTTP/1.1\r\n: x\r\n\r\n", HTTP_BAD },
		{ "GET /metrics HTTP/1.1\r\n folded: x\r\n\r\n", HTTP_BAD },
		{ "GET /metrics HTTP/1.1\r\na:b\x01\r\n\r\n", HTTP_BAD },
		{ "GET /metrics HTTP/1.1\r\na:b\rc\r\n\r\n", HTTP_BAD },
		{ "\r\n", HTTP_BAD },
		{ "", HTTP_MORE },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		print_message("  %s\n", cases[i].text);
		assert_int_equal(
		    judge(cases[i].text, strlen(cases[i].text)), cases[i].want);
	}
	assert_int_equal(
	    judge("GET /metrics HTTP/1.1\r\na:\0\r\n\r\n", 29), HTTP_BAD);
}

static void
every_proper_prefix_wants_more(void **state)
{
	static const char *const good[] = { curl, prometheus };
	size_t i, len;

	(void)state;
	for (i = 0; i < VT_NELEM(good); i++)
		for (len = 0; len < strlen(good[i]); len++)
			assert_int_equal(judge(good[i], len), HTTP_MORE);
}

static void
an_endless_request_is_too_large(void **state)
{
	static char big[HTTP_REQUEST_MAX + 100];
	size_t n = strlen(curl) - 2;

	(void)state;
	memcpy(big, curl, n);
	memset(big + n, 'x', sizeof(big) - n);
	assert_int_equal(judge(big, HTTP_REQUEST_MAX - 1), HTTP_MORE);
	assert_int_equal(judge(big, HTTP_REQUEST_MAX), HTTP_TOO_LARGE);
	assert_int_equal(judge(big, sizeof(big)), HTTP_TOO_LARGE);
	/* An end behind the limit comes too late. */
	memcpy(big + sizeof(big) - 4, "\r\n\r\n", 4);
	assert_int_equal(judge(big, sizeof(big)), HTTP_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_judged),
		cmocka_unit_test(every_proper_prefix_wants_more),
		cmocka_unit_test(an_endless_request_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
