/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - reads a command line by its table, and prints the table. */
#include "base/options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/version.h"

#define WIDTH 79
#define LEFT_MAX 28   /* a longer option stands on a line of its own */
#define LONG_BASE 256 /* getopt's value of row i is LONG_BASE + i */

enum { V_HELP = LONG_BASE + OPT_MAX, V_VERSION };

static bool
is_program(const struct opt_command *c)
{
	return strchr(c->name, ' ') == NULL;
}

static unsigned int
rows(const struct opt_command *c)
{
	unsigned int n = 0;

	while (c->opts != NULL && c->opts[n].name != NULL)
		n++;
	return n;
}

int
opt_bad(const struct opt_command *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(
	    stderr, "%s: %s; see %s --help\n", c->name, text, c->name);
	return OPT_BAD;
}

/* --- help ----------------------------------------------------------------- */

/* Words of text up to its end or a newline, from column *col on; a further
 * line starts at indent.  What is behind the newline. */
static const char *
wrap(const char *text, size_t indent, size_t *col)
{
	bool first = true;
	size_t n;

	for (;;) {
		text += strspn(text, " ");
		n = strcspn(text, " \n");
		if (n == 0)
			break;
		if (!first && *col + 1 + n > WIDTH) {
			(void)printf("\n%*s", (int)indent, "");
			*col = indent;
		} else if (!first) {
			(void)putchar(' ');
			(*col)++;
		}
		(void)fwrite(text, 1, n, stdout);
		*col += n;
		text += n;
		first = false;
	}
	return *text == '\n' ? text + 1 : text;
}

static void
paragraphs(const char *text)
{
	size_t col, n;

	while (*text != '\0') {
		if (*text == ' ') {
			n = strcspn(text, "\n");
			(void)printf("%.*s\n", (int)n, text);
			text += n + (text[n] == '\n');
			continue;
		}
		col = 0;
		text = wrap(text, 0, &col);
		(void)putchar('\n');
	}
}

/* One unbreakable word of the synopsis. */
static void
synopsis_word(const char *word, size_t indent, size_t *col)
{
	size_t n = strlen(word);

	if (*col + 1 + n > WIDTH) {
		(void)printf("\n%*s", (int)indent, "");
		*col = indent;
	} else {
		(void)putchar(' ');
		(*col)++;
	}
	(void)printf("%s", word);
	*col += n;
}

static void
synopsis(const struct opt_command *c)
{
	static const char usage[] = "usage: ";
	size_t indent = sizeof(usage) + strlen(c->name), col = indent - 1;
	const char *line = c->usage, *lead = usage;
	const struct opt *o;
	char word[80];

	if (line != NULL) {
		for (; *line != '\0'; lead = "       ") {
			(void)printf("%s%s ", lead, c->name);
			col = indent;
			line = wrap(line, indent, &col);
			(void)putchar('\n');
		}
		return;
	}
	(void)printf("%s%s", usage, c->name);
	for (o = c->opts; o != NULL && o->name != NULL; o++) {
		(void)snprintf(word, sizeof(word), "%s%s%s%s%s%s",
		    o->needed ? "" : "[", o->letter != 0 ? "-" : "--",
		    o->letter != 0 ? (char[]){ o->letter, '\0' } : o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "",
		    o->needed ? "" : "]");
		synopsis_word(word, indent, &col);
	}
	if (c->operands != NULL)
		synopsis_word(c->operands, indent, &col);
	(void)putchar('\n');
}

static int
left_side(const struct opt *o, char *out, size_t cap)
{
	char letter[5] = "    ";

	if (o->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	return snprintf(out, cap, "  %s--%s%s%s", letter, o->name,
	    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
}

static void
print_row(const char *left, size_t at, const char *text)
{
	size_t n = strlen(left), col = at;

	(void)printf("%s", left);
	if (n + 2 > at) {
		(void)putchar('\n');
		n = 0;
	}
	(void)printf("%*s", (int)(at - n), "");
	(void)wrap(text, at, &col);
	(void)putchar('\n');
}

static const struct opt help_row = {
	.name = "help", .letter = 'h', .help = "show this help"
};
static const struct opt version_row = { .name = "version",
	.help = "show the version" };

void
opt_help(const struct opt_command *c)
{
	const struct opt *all[OPT_MAX + 2];
	size_t n = 0, i, width = 0, len;
	char left[80];

	for (i = 0; i < rows(c); i++)
		all[n++] = &c->opts[i];
	all[n++] = &help_row;
	if (is_program(c))
		all[n++] = &version_row;
	for (i = 0; i < n; i++) {
		len = (size_t)left_side(all[i], left, sizeof(left));
		if (len > width && len <= LEFT_MAX)
			width = len;
	}
	synopsis(c);
	(void)putchar('\n');
	paragraphs(c->about);
	(void)putchar('\n');
	for (i = 0; i < n; i++) {
		(void)left_side(all[i], left, sizeof(left));
		print_row(left, width + 2, all[i]->help);
	}
	if (c->more == NULL)
		return;
	(void)putchar('\n');
	paragraphs(c->more);
}

void
opt_list(const char *name, const char *text)
{
	char left[80];

	(void)snprintf(left, sizeof(left), "  %s", name);
	print_row(left, 16, text);
}

/* --- parser --------------------------------------------------------------- */

static void
getopt_tables(const struct opt_command *c, char *letters, struct option *longs)
{
	unsigned int i, n = rows(c);

	*letters++ = c->in_order ? '+' : ':';
	if (c->in_order)
		*letters++ = ':';
	*letters++ = 'h';
	for (i = 0; i < n; i++) {
		longs[i].name = c->opts[i].name;
		longs[i].has_arg =
		    c->opts[i].arg != NULL ? required_argument : no_argument;
		longs[i].val = LONG_BASE + (int)i;
		if (c->opts[i].letter == 0)
			continue;
		*letters++ = c->opts[i].letter;
		if (c->opts[i].arg != NULL)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[n++] = (struct option){ "help", no_argument, NULL, V_HELP };
	if (is_program(c))
		longs[n] =
		    (struct option){ "version", no_argument, NULL, V_VERSION };
}

/* The row of getopt's value, or NULL. */
static const struct opt *
row_of(const struct opt_command *c, int val)
{
	unsigned int i, n = rows(c);

	if (val >= LONG_BASE)
		return val < LONG_BASE + (int)n ? &c->opts[val - LONG_BASE]
						: NULL;
	for (i = 0; i < n; i++)
		if (val != 0 && c->opts[i].letter == val)
			return &c->opts[i];
	return NULL;
}

static int
not_wanted(const struct opt_command *c, const struct opt *o, const char *arg)
{
	char want[80];

	if (o->kind == OPT_K_HEX && o->min == o->max)
		(void)snprintf(
		    want, sizeof(want), "%" PRIu64 " bytes in hex", o->min);
	else if (o->kind == OPT_K_HEX)
		(void)snprintf(want, sizeof(want),
		    "%" PRIu64 " to %" PRIu64 " bytes in hex", o->min, o->max);
	else if (o->max == UINT64_MAX || o->max == INT64_MAX)
		(void)snprintf(want, sizeof(want), "a number%s",
		    o->min > 0 ? " above 0" : "");
	else
		(void)snprintf(want, sizeof(want),
		    "a number from %" PRIu64 " to %" PRIu64, o->min, o->max);
	return opt_bad(c, "--%s: '%s' is not %s", o->name,
	    arg != NULL ? arg : "", o->want != NULL ? o->want : want);
}

static int
take_number(const struct opt *o, void *to, const char *arg)
{
	uint64_t v;

	if (dec_u64(arg, &v) != VT_OK || v < o->min || v > o->max)
		return VT_E_RANGE;
	if (o->kind == OPT_K_U32)
		*(uint32_t *)to = (uint32_t)v;
	else
		*(uint64_t *)to = v;
	return VT_OK;
}

static int
take_hex(const struct opt *o, struct opt_bytes *to, const char *arg)
{
	size_t len = 0;
	int rc = hex_decode(arg, to->b, (size_t)o->max, &len);

	if (rc == VT_OK && len < o->min)
		rc = VT_E_RANGE;
	to->len = rc == VT_OK ? len : 0;
	return rc;
}

static int
take(const struct opt *o, void *dst, const char *arg)
{
	void *to = (char *)dst + o->at;

	switch (o->kind) {
	case OPT_K_FLAG:
		*(bool *)to = true;
		return VT_OK;
	case OPT_K_TEXT:
		*(const char **)to = arg;
		return VT_OK;
	case OPT_K_U32:
	case OPT_K_U64:
		return take_number(o, to, arg);
	case OPT_K_HEX:
		return take_hex(o, to, arg);
	case OPT_K_CALL:
	default:
		return o->call(dst, o, arg);
	}
}

static int
bad_option(const struct opt_command *c, const struct opt *o, const char *word)
{
	if (o != NULL)
		return opt_bad(c, "--%s takes no argument", o->name);
	if (strncmp(word, "--", 2) == 0)
		return opt_bad(
		    c, "unknown option %.*s", (int)strcspn(word, "="), word);
	return opt_bad(c, "unknown option -%c", optopt);
}

static int
check_rest(
    const struct opt_command *c, uint32_t seen, unsigned int n, char **operands)
{
	unsigned int i;

	for (i = 0; i < rows(c); i++)
		if (c->opts[i].needed && (seen >> i & 1) == 0)
			return opt_bad(c, "--%s %s is missing", c->opts[i].name,
			    c->opts[i].arg);
	if (n < c->nmin)
		return opt_bad(c, "%s is missing", c->operands);
	if (n > c->nmax)
		return opt_bad(
		    c, "'%s' is one argument too many", operands[c->nmax]);
	return OPT_GO;
}

int
opt_parse(const struct opt_command *c, int *argc, char ***argv, void *dst)
{
	struct option longs[OPT_MAX + 3] = { { 0 } };
	char letters[2 * OPT_MAX + 4];
	const struct opt *o;
	uint32_t seen = 0;
	int v;

	getopt_tables(c, letters, longs);
	opterr = 0;
	optind = 0; /* GNU: from the start */
	while ((v = getopt_long(*argc, *argv, letters, longs, NULL)) != -1) {
		if (v == 'h' || v == V_HELP) {
			opt_help(c);
			return OPT_SHOWN;
		}
		if (v == V_VERSION) {
			(void)printf("%s %s\n", c->name, VT_VERSION);
			return OPT_SHOWN;
		}
		o = row_of(c, v == '?' || v == ':' ? optopt : v);
		if (v == ':' && o != NULL)
			return opt_bad(c, "--%s needs an argument", o->name);
		if (v == '?' || o == NULL)
			return bad_option(c, o, (*argv)[optind - 1]);
		seen |= 1u << (o - c->opts);
		if (take(o, dst, optarg) != VT_OK)
			return not_wanted(c, o, optarg);
	}
	*argc -= optind;
	*argv += optind;
	return check_rest(c, seen, (unsigned int)*argc, *argv);
}
