/* SPDX-License-Identifier: BSD-3-Clause */
/* print.c - JSON answers, whole or member by member. */
#include "tools/vtpmctl/print.h"

#include <sys/ioctl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

#define WIDTH_MIN 40
#define WIDTH_MAX 1000

int
vctl_print_json(json_t *j)
{
	int rc = EXIT_OK;

	if (j == NULL)
		return vctl_fail("out of memory");
	if (json_dumpf(j, stdout, JSON_INDENT(2)) == -1)
		rc = vctl_fail("cannot write to standard output: %m");
	(void)putchar('\n');
	json_decref(j);
	return rc;
}

const char *
vctl_word(json_t *text)
{
	const char *s = json_string_value(text);
	char *copy;

	if (s == NULL)
		return "-";
	if (text_is_clean(s) || (copy = strdup(s)) == NULL)
		return s;
	text_clean(copy);
	(void)json_string_set(text, copy);
	free(copy);
	return json_string_value(text);
}

const char *
vctl_text(const json_t *o, const char *key)
{
	return vctl_word(json_object_get(o, key));
}

unsigned long long
vctl_num(const json_t *o, const char *key)
{
	return (unsigned long long)json_integer_value(json_object_get(o, key));
}

bool
vctl_is(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

size_t
vctl_width(void)
{
	const char *env = getenv("COLUMNS");
	struct winsize ws;
	uint32_t n;

	if (env != NULL && dec_u32(env, &n) == VT_OK && n >= WIDTH_MIN &&
	    n <= WIDTH_MAX)
		return n;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 &&
	    ws.ws_col >= WIDTH_MIN)
		return ws.ws_col;
	return WIDTH_MAX;
}

const char *
vctl_time(uint64_t ms, char out[32])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(out, 32, "-");
	return out;
}
