/* SPDX-License-Identifier: BSD-3-Clause */
/* fail.c - failures of vtpmctl: words, exit codes, JSON. */
#include "tools/vtpmctl/fail.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "vtpm_manager/control/bus_iface.h"

#define FORMAT_VERSION 1 /* of the errors as JSON */

/* clang-format off */
static const char *const names[VCTL_NEXITS] = {
	[EXIT_OK] = "ok",
	[EXIT_REFUSED] = "failed",
	[EXIT_USAGE] = "usage",
	[EXIT_NOT_FOUND] = "not-found",
	[EXIT_EXISTS] = "exists",
	[EXIT_BUSY] = "busy",
	[EXIT_DENIED] = "denied",
	[EXIT_AWAY] = "manager-away",
	[EXIT_STORAGE] = "storage",
	[EXIT_TPM] = "tpm",
};

static const struct {
	const char *name;
	int code;
} bus_errors[] = {
	{ BUS_ERROR "NotFound",	EXIT_NOT_FOUND },
	{ BUS_ERROR "Exists",	EXIT_EXISTS },
	{ BUS_ERROR "Busy",	EXIT_BUSY },
	{ BUS_ERROR "State",	EXIT_BUSY },
	{ BUS_ERROR "Denied",	EXIT_DENIED },
	{ BUS_ERROR "Policy",	EXIT_DENIED },
	{ BUS_ERROR "Invalid",	EXIT_USAGE },
	{ BUS_ERROR "NoSpace",	EXIT_STORAGE },
	{ BUS_ERROR "Tampered",	EXIT_STORAGE },
	{ BUS_ERROR "Storage",	EXIT_STORAGE },
	{ BUS_ERROR "NotReady",	EXIT_AWAY },
	{ BUS_ERROR "Tpm",	EXIT_TPM },
	{ BUS_ERROR "Unsupported", EXIT_REFUSED },
	{ BUS_ERROR "Failed",	EXIT_REFUSED },
};
/* clang-format on */

static struct {
	int first;    /* code of the first failure; EXIT_OK: none had one */
	int now;      /* code of the message that is being logged */
	json_t *list; /* --json: what was collected */
} fails;

const char *
vctl_exit_name(int code)
{
	return code >= 0 && code < VCTL_NEXITS ? names[code] : "failed";
}

int
vctl_exit_of(const char *bus_error)
{
	size_t i;

	for (i = 0; bus_error != NULL && i < VT_NELEM(bus_errors); i++)
		if (strcmp(bus_errors[i].name, bus_error) == 0)
			return bus_errors[i].code;
	return EXIT_REFUSED;
}

int
vctl_fail_as(int code, const char *fmt, ...)
{
	char text[1024];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	errno = saved; /* for %m */
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (fails.first == EXIT_OK)
		fails.first = code;
	fails.now = code;
	log_err("%s", text);
	fails.now = EXIT_OK;
	return code;
}

void
vctl_answered(void)
{
	fails.first = EXIT_OK;
}

/* What is not UTF-8 is cleaned: each error is there. */
static void
collect(const char *text)
{
	json_t *message = json_string(text);
	char copy[1024];

	if (message == NULL) {
		(void)snprintf(copy, sizeof(copy), "%s", text);
		text_clean(copy);
		message = json_string(copy);
	}
	(void)json_array_append_new(fails.list,
	    json_pack("{s:i,s:o}", "exit", fails.now, "message", message));
}

void
vctl_collect_errors(void)
{
	if (fails.list == NULL && (fails.list = json_array()) != NULL)
		log_set_sink(collect);
}

/* A message that came without a code (a wrong option, a library's) has that of
 * the program. */
static void
print_collected(int rc)
{
	json_t *one, *all;
	size_t i;
	int code;

	json_array_foreach(fails.list, i, one)
	{
		code = (int)json_integer_value(json_object_get(one, "exit"));
		if (code == EXIT_OK)
			code = rc;
		(void)json_object_set_new(one, "exit", json_integer(code));
		(void)json_object_set_new(
		    one, "code", json_string(vctl_exit_name(code)));
	}
	all = json_pack(
	    "{s:i,s:O}", "version", FORMAT_VERSION, "errors", fails.list);
	if (all != NULL)
		(void)json_dumpf(all, stderr, JSON_COMPACT);
	(void)fputc('\n', stderr);
	json_decref(all);
}

int
vctl_end(int rc)
{
	if (rc == EXIT_REFUSED && fails.first != EXIT_OK)
		rc = fails.first;
	log_set_sink(NULL);
	if (fails.list != NULL && json_array_size(fails.list) > 0)
		print_collected(rc);
	json_decref(fails.list);
	fails.list = NULL;
	return rc;
}
