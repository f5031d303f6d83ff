/* SPDX-License-Identifier: BSD-3-Clause */
/* list.c - vtpmctl list: the vTPMs, one a line, as wide as the terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/util.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define NAME_MIN 8
#define WIDTH_LONG 130 /* a terminal that has room for UUIDs */
/* STATE, TPM, GROUP, CREATED and the blanks between; a UUID and its blank */
#define OTHERS (1 + 12 + 1 + 4 + 1 + 10 + 1 + 16)
#define UUID_WIDTH (UUID_STRLEN + 1)

struct args {
	const char *state, *group, *sort;
	bool reverse, all_columns;
};

/* What a person reads: a worker that no guest uses is idle. */
static const char *
state_of(const json_t *o)
{
	const char *s = vctl_text(o, "state");

	return strcmp(s, "running") == 0 && !vctl_is(o, "in_use") ? "idle" : s;
}

/* The group's name, or its number. */
static const char *
group_of(const json_t *o, char out[16])
{
	if (json_object_get(o, "group_name") != NULL)
		return vctl_text(o, "group_name");
	(void)snprintf(out, 16, "%llu", vctl_num(o, "group"));
	return out;
}

static bool
is_wanted(const struct args *a, const json_t *o)
{
	char number[16];

	if (a->state != NULL && strcmp(a->state, state_of(o)) != 0 &&
	    strcmp(a->state, vctl_text(o, "state")) != 0)
		return false;
	(void)snprintf(number, sizeof(number), "%llu", vctl_num(o, "group"));
	return a->group == NULL || strcmp(a->group, number) == 0 ||
	       strcmp(a->group, vctl_text(o, "group_name")) == 0;
}

/* --- order --- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(vctl_text(*(json_t *const *)a, "name"),
	    vctl_text(*(json_t *const *)b, "name"));
}

static int
by_state(const void *a, const void *b)
{
	int d = strcmp(
	    state_of(*(json_t *const *)a), state_of(*(json_t *const *)b));

	return d != 0 ? d : by_name(a, b);
}

static int
by_number(const void *a, const void *b, const char *key)
{
	unsigned long long x = vctl_num(*(json_t *const *)a, key);
	unsigned long long y = vctl_num(*(json_t *const *)b, key);

	return x != y ? (x < y ? -1 : 1) : by_name(a, b);
}

static int
by_group(const void *a, const void *b)
{
	return by_number(a, b, "group");
}

static int
by_created(const void *a, const void *b)
{
	return by_number(a, b, "created_ms");
}

static const struct {
	const char *key;
	int (*compare)(const void *a, const void *b);
} orders[] = { { "name", by_name }, { "state", by_state },
	{ "group", by_group }, { "created", by_created } };

/* VT_NELEM(orders): there is no such order. */
static size_t
order_of(const char *key)
{
	size_t i;

	for (i = 0; i < VT_NELEM(orders); i++)
		if (strcmp(orders[i].key, key) == 0)
			break;
	return i;
}

/* The wanted ones of all, in order; NULL: out of memory. */
static json_t *
pick(const struct args *a, json_t *all, size_t order)
{
	size_t n = 0, i;
	json_t **v = calloc(json_array_size(all) + 1, sizeof(*v)), *o;
	json_t *list = json_array();

	if (v == NULL || list == NULL) {
		free(v);
		json_decref(list);
		return NULL;
	}
	json_array_foreach(all, i, o) if (is_wanted(a, o)) v[n++] = o;
	qsort(v, n, sizeof(*v), orders[order].compare);
	for (i = 0; i < n; i++)
		(void)json_array_append(list, v[a->reverse ? n - 1 - i : i]);
	free(v);
	return list;
}

/* --- the table --- */

static void
print_why(const json_t *o, size_t width)
{
	const char *p = vctl_text(o, "why");
	size_t n;

	while (*p != '\0') {
		n = strlen(p);
		if (n > width - 2)
			for (n = width - 2; n > 0 && p[n] != ' '; n--)
				;
		if (n == 0) /* one long word */
			n = strcspn(p, " ");
		(void)printf("  %.*s\n", (int)n, p);
		p += n + strspn(p + n, " ");
	}
}

static void
print_one(const json_t *o, size_t name_width, bool uuid, size_t width)
{
	char when[32], group[16], name[128], number[16];

	text_fit(name,
	    name_width + 1 < sizeof(name) ? name_width + 1 : sizeof(name),
	    vctl_text(o, "name"));
	text_fit(group, 11, group_of(o, number));
	(void)printf("%-*s %-12s %-4s %-10s ", (int)name_width, name,
	    state_of(o), vctl_text(o, "tpm"), group);
	if (uuid)
		(void)printf("%-36s ", vctl_text(o, "uuid"));
	(void)printf("%.16s\n", vctl_time(vctl_num(o, "created_ms"), when));
	if (json_object_get(o, "why") != NULL)
		print_why(o, width);
}

static size_t
longest_name(const json_t *list)
{
	size_t i, n, most = NAME_MIN;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		n = strlen(vctl_text(o, "name"));
		most = n > most ? n : most;
	}
	return most;
}

static void
print_table(const struct args *a, const json_t *list)
{
	size_t width = vctl_width(), name = longest_name(list), room;
	bool uuid = a->all_columns || width >= WIDTH_LONG;
	json_t *o;
	size_t i;

	room = OTHERS + (uuid ? UUID_WIDTH : 0);
	if (!a->all_columns && name + room > width)
		name = width > room + NAME_MIN ? width - room : NAME_MIN;
	(void)printf("%-*s %-12s %-4s %-10s ", (int)name, "NAME", "STATE",
	    "TPM", "GROUP");
	if (uuid)
		(void)printf("%-36s ", "UUID");
	(void)printf("%s\n", "CREATED");
	json_array_foreach(list, i, o) print_one(o, name, uuid, width);
}

static int
list(void *ctx, void *args, int argc, char **argv)
{
	struct args *a = args;
	struct vctl *v = ctx;
	size_t order = order_of(a->sort);
	json_t *all, *wanted;

	(void)argc;
	(void)argv;
	if (order == VT_NELEM(orders))
		return opt_bad(&vctl_list,
		    "--sort: '%s' is not one of name, state, group, created",
		    a->sort);
	if ((all = vctl_json(v, "List", NULL)) == NULL)
		return EXIT_REFUSED;
	wanted = pick(a, all, order);
	json_decref(all);
	if (wanted == NULL)
		return vctl_fail("out of memory");
	if (v->json)
		return vctl_print_json(wanted);
	print_table(a, wanted);
	json_decref(wanted);
	return EXIT_OK;
}

static const struct opt opts[] = {
	{ OPT_TEXT("state", 0, "STATE", struct args, state,
	    "only those in this state, as running, idle, stopped, failed, "
	    "tampered") },
	{ OPT_TEXT("group", 0, "GROUP", struct args, group,
	    "only those of this group, by name or number") },
	{ OPT_TEXT("sort", 0, "KEY", struct args, sort,
	    "order by name (default), state, group or created") },
	{ OPT_FLAG("reverse", 'r', struct args, reverse, "the other order") },
	{ OPT_FLAG("long", 'l', struct args, all_columns,
	    "whole names and UUIDs, however wide the terminal is") },
	OPT_END,
};

static const struct args defaults = { .sort = "name" };

const struct opt_command vctl_list = {
	.name = "vtpmctl list",
	.about = "List vTPMs, as wide as the terminal.\n"
		 "A running vTPM that no guest is attached to is idle. A name "
		 "that does not fit ends with \"...\".\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &defaults,
	.run = list,
};
