/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_config.c - compare two configurations, lines of "member=value".
 * Both texts are known by their digests; only printable ASCII is repeated.
 */
#include "measure/appraise/appraise_config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 3
#define VALUE_MAX 60

/* The line of text whose member is that of line; NULL: none. */
static const char *
find_member(const char *text, const char *line, size_t member)
{
	const char *p = text;

	while (*p != '\0') {
		if (strncmp(p, line, member) == 0 && p[member] == '=')
			return p;
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return NULL;
}

static size_t
line_len(const char *p)
{
	return strcspn(p, "\n");
}

struct out {
	char *p;
	size_t n, cap;
	unsigned int shown, more;
};

static void
put(struct out *o, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len && o->n + 1 < o->cap; i++)
		o->p[o->n++] = s[i] >= ' ' && s[i] <= '~' ? s[i] : '?';
	o->p[o->n] = '\0';
}

static void
put_value(struct out *o, const char *line, size_t member)
{
	size_t len;

	if (line == NULL) {
		put(o, "nothing", 7);
		return;
	}
	len = line_len(line);
	len = len > member + 1 ? len - member - 1 : 0;
	put(o, line + member + 1, len > VALUE_MAX ? VALUE_MAX : len);
	if (len > VALUE_MAX)
		put(o, "...", 3);
}

static void
differ(struct out *o, const char *line, size_t member, const char *now,
    const char *want)
{
	if (o->shown == SHOWN_MAX) {
		o->more++;
		return;
	}
	if (o->shown++ > 0)
		put(o, "; ", 2);
	put(o, line, member > VALUE_MAX ? VALUE_MAX : member);
	put(o, " is ", 4);
	put_value(o, now, member);
	put(o, ", not ", 6);
	put_value(o, want, member);
}

/* Lines of a; those without a partner in b, or with another value.  With
 * missing_only those that b has are not compared again. */
static void
walk(struct out *o, const char *a, const char *b, bool a_is_now,
    bool missing_only)
{
	const char *p = a, *q;
	size_t len, member;

	for (; *p != '\0'; p += len, p += *p == '\n') {
		len = line_len(p);
		member = strcspn(p, "=\n");
		if (member == len)
			continue;
		q = find_member(b, p, member);
		if (q != NULL && (missing_only || (line_len(q) == len &&
						      memcmp(p, q, len) == 0)))
			continue;
		differ(o, p, member, a_is_now ? p : q, a_is_now ? q : p);
	}
}

/* By the first member that differs: of QEMU's command line, of xl's JSON. */
const char *
ap_config_cause(const char *words)
{
	static const struct {
		const char *member, *cause;
	} causes[] = {
		{ "m is", "a machine with other memory" },
		{ "memory", "a machine with other memory" },
		{ "mem", "a machine with other memory" },
		{ "smp", "a machine with other processors" },
		{ "vcpus", "a machine with other processors" },
		{ "cpu", "a machine with another kind of processor" },
		{ "device", "a machine with other devices" },
		{ "disk", "a machine with other disks" },
		{ "drive", "a machine with other disks" },
		{ "netdev", "a machine with other network cards" },
		{ "M is", "a machine of another type" },
		{ "machine", "a machine of another type" },
	};
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strncmp(
			words, causes[i].member, strlen(causes[i].member)) == 0)
			return causes[i].cause;
	return "another machine";
}

void
ap_config_words(const char *now, const char *want, char *out, size_t cap)
{
	struct out o = { out, 0, cap, 0, 0 };
	char more[32];

	out[0] = '\0';
	walk(&o, now, want, true, false);
	walk(&o, want, now, false, true);
	if (o.more > 0) {
		(void)snprintf(more, sizeof(more), "; and %u more", o.more);
		put(&o, more, strlen(more));
	}
}
