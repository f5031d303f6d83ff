/* SPDX-License-Identifier: BSD-3-Clause */
/* settings.c - which manager the programs by swtpm's names ask. */
#include "tools/swtpm/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

#define SETTINGS_FILE "/etc/vtpm/swtpm.conf"
#define SETTINGS_MAX 16384

static int
set_text(char *to, size_t cap, const char *v)
{
	size_t len = strlen(v);

	if (len == 0 || len >= cap)
		return VT_E_RANGE;
	memcpy(to, v, len + 1);
	return VT_OK;
}

static int
set_manager(struct settings *s, const char *v)
{
	static const char *const names[] = { [BY_WHAT_IS_THERE] = "auto",
		[BY_HOST] = "host",
		[BY_ITSELF] = "private" };
	size_t i;

	for (i = 0; i < VT_NELEM(names); i++)
		if (strcmp(v, names[i]) == 0) {
			s->manager = (enum which_manager)i;
			return VT_OK;
		}
	return VT_E_FORMAT;
}

static int
set(struct settings *s, const char *key, const char *v)
{
	if (strcmp(key, "run") == 0)
		return set_text(s->run, sizeof(s->run), v);
	if (strcmp(key, "group") == 0)
		return set_text(s->group, sizeof(s->group), v);
	if (strcmp(key, "manager") == 0)
		return set_manager(s, v);
	return VT_E_NOTFOUND;
}

static char *
trim(char *text)
{
	size_t n;

	text += strspn(text, " \t\r");
	for (n = strlen(text); n > 0 && strchr(" \t\r", text[n - 1]); n--)
		;
	text[n] = '\0';
	return text;
}

/* "key = value", "# comment", or nothing. */
static int
take_line(struct settings *s, char *line)
{
	char *key, *value;

	if ((value = strchr(line, '#')) != NULL)
		*value = '\0';
	key = trim(line);
	if (key[0] == '\0')
		return VT_OK;
	if ((value = strchr(key, '=')) == NULL)
		return VT_E_FORMAT;
	*value++ = '\0';
	return set(s, trim(key), trim(value));
}

static int
read_lines(struct settings *s, const char *path, char *text)
{
	unsigned int number = 0;
	char *line, *next;

	for (line = text; line != NULL; line = next) {
		number++;
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if (take_line(s, line) == VT_OK)
			continue;
		log_err("%s:%u: no setting of vtpm-swtpm(8), or no value for "
			"it",
		    path, number);
		return VT_E_FORMAT;
	}
	return VT_OK;
}

static int
from_environment(struct settings *s)
{
	static const char *const names[][2] = { { "VTPM_RUN", "run" },
		{ "VTPM_SWTPM", "manager" }, { "VTPM_GROUP", "group" } };
	const char *v;
	size_t i;

	for (i = 0; i < VT_NELEM(names); i++) {
		v = getenv(names[i][0]);
		if (v == NULL || v[0] == '\0' ||
		    set(s, names[i][1], v) == VT_OK)
			continue;
		log_err("%s: '%.64s' is no value for it; see vtpm-swtpm(8)",
		    names[i][0], v);
		return VT_E_FORMAT;
	}
	return VT_OK;
}

int
settings_read(struct settings *ret)
{
	const char *path = getenv("VTPM_SWTPM_CONF");
	struct settings s = { .run = "/run/vtpm" };
	uint8_t *text = NULL;
	size_t len;
	int rc;

	if (path == NULL)
		path = SETTINGS_FILE;
	rc = read_file(path, SETTINGS_MAX, &text, &len);
	if (rc == VT_OK)
		rc = read_lines(&s, path, (char *)text);
	else if (rc == VT_E_SYS && errno == ENOENT)
		rc = VT_OK;
	else
		log_err("%s: %s", path, vt_strerror(rc));
	free(text);
	if (rc == VT_OK)
		rc = from_environment(&s);
	if (rc == VT_OK)
		*ret = s;
	return rc;
}
