/* SPDX-License-Identifier: BSD-3-Clause */
/* words.c - the command lines of swtpm's programs. */
#include "tools/swtpm/words.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define LONG_BASE 256

static void
getopt_tables(const struct word *table, char *letters, struct option *longs)
{
	size_t i;

	for (i = 0; i < WORDS_MAX && table[i].name != NULL; i++) {
		longs[i].name = table[i].name;
		longs[i].has_arg =
		    table[i].arg ? required_argument : no_argument;
		longs[i].val = LONG_BASE + (int)i;
		if (table[i].letter == 0)
			continue;
		*letters++ = table[i].letter;
		if (table[i].arg)
			*letters++ = ':';
	}
	*letters = '\0';
}

static const struct word *
row_of(const struct word *table, int c)
{
	if (c >= LONG_BASE)
		return &table[c - LONG_BASE];
	for (; table->name != NULL; table++)
		if (c != 0 && table->letter == c)
			return table;
	return NULL;
}

static void
take(const struct word *w, const char *arg)
{
	if (w->text != NULL)
		*w->text = arg;
	if (w->flag != NULL)
		*w->flag = true;
}

int
words_parse(
    const struct word *table, int *argc, char **argv, uint64_t *ret_given)
{
	struct option longs[WORDS_MAX + 1] = { 0 };
	char letters[2 * WORDS_MAX + 1];
	const struct word *w;
	uint64_t given = 0;
	int c, i;

	getopt_tables(table, letters, longs);
	optind = 1; /* and getopt_long() says itself what is wrong */
	while ((c = getopt_long(*argc, argv, letters, longs, NULL)) != -1) {
		if (c == '?' || (w = row_of(table, c)) == NULL)
			return VT_E_FORMAT;
		take(w, optarg);
		given |= UINT64_C(1) << (w - table);
	}
	for (i = 0; optind + i < *argc; i++)
		argv[i] = argv[optind + i];
	*argc -= optind;
	*ret_given = given;
	return VT_OK;
}

void
words_report(const struct word *table, uint64_t given)
{
	size_t i;

	for (i = 0; table[i].name != NULL; i++)
		if ((given >> i & 1) != 0 && table[i].idle != NULL)
			log_info("--%s: %s", table[i].name, table[i].idle);
}

static int
add(struct list *l, char *item)
{
	char *value = strchr(item, '=');

	if (value != NULL)
		*value++ = '\0';
	if (item[0] == '\0' || list_get(l, item) != NULL)
		return VT_E_FORMAT;
	if (l->n == LIST_ITEMS_MAX)
		return VT_E_RANGE;
	l->items[l->n].key = item;
	l->items[l->n++].value = value;
	return VT_OK;
}

int
list_parse(struct list *ret, const char *text)
{
	size_t len = strlen(text);
	char *at, *next;
	int rc = VT_OK;

	ret->n = 0;
	if (len >= sizeof(ret->buf))
		return VT_E_RANGE;
	memcpy(ret->buf, text, len + 1);
	for (at = ret->buf; at != NULL && rc == VT_OK; at = next) {
		if ((next = strchr(at, ',')) != NULL)
			*next++ = '\0';
		rc = add(ret, at);
	}
	return rc;
}

const char *
list_get(const struct list *l, const char *key)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->items[i].key, key) == 0)
			return l->items[i].value != NULL ? l->items[i].value
							 : "";
	return NULL;
}

static bool
is_among(const char *words, const char *key)
{
	size_t n, len = strlen(key);

	for (; *words != '\0'; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		if (n == len && strncmp(words, key, n) == 0)
			return true;
	}
	return false;
}

const char *
list_unknown(const struct list *l, const char *known)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (!is_among(known, l->items[i].key))
			return l->items[i].key;
	return NULL;
}

int
list_number(
    const struct list *l, const char *key, int base, uint32_t max, long *ret)
{
	const char *text = list_get(l, key);
	char *end;
	long v;

	if (text == NULL)
		return VT_OK;
	if (text[0] < '0' || text[0] > '9')
		return VT_E_FORMAT;
	errno = 0;
	v = strtol(text, &end, base);
	if (*end != '\0' || errno != 0 || v < 0 || (uint64_t)v > max)
		return VT_E_FORMAT;
	*ret = v;
	return VT_OK;
}
