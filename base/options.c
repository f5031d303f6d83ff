/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - reads a command line by its table, and prints the table. */
#include "base/options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/near.h"
#include "base/util.h"
#include "base/version.h"

#define WIDTH 79
#define LEFT_MAX 28   /* a longer option has a separate line */
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
	char text[512], line[640];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text); /* it quotes the command line */
	(void)snprintf(line, sizeof(line), "%s: %s; see %s --help", c->name,
	    text, c->name);
	if (!log_sink(line))
		(void)fprintf(stderr, "%s\n", line);
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

/* n bytes that stay on one line. */
static void
synopsis_word(const char *word, size_t n, size_t indent, size_t *col)
{
	if (*col + 1 + n > WIDTH) {
		(void)printf("\n%*s", (int)indent, "");
		*col = indent;
	} else {
		(void)putchar(' ');
		(*col)++;
	}
	(void)fwrite(word, 1, n, stdout);
	*col += n;
}

/* One form of use; what stands in brackets stays together.  What is behind
 * its newline. */
static const char *
synopsis_line(const char *line, size_t indent, size_t *col)
{
	size_t n, depth;

	while (*line != '\0' && *line != '\n') {
		for (n = 0, depth = 0; line[n] != '\0' && line[n] != '\n' &&
				       (line[n] != ' ' || depth > 0);
		     n++) {
			depth += line[n] == '[';
			depth -= line[n] == ']';
		}
		synopsis_word(line, n, indent, col);
		line += n + strspn(line + n, " ");
	}
	return *line == '\n' ? line + 1 : line;
}

static void
synopsis_of_table(const struct opt_command *c, size_t indent, size_t *col)
{
	const struct opt *o;
	char word[80];
	int n;

	for (o = c->opts; o != NULL && o->name != NULL; o++) {
		n = snprintf(word, sizeof(word), "%s%s%s%s%s%s",
		    o->needed ? "" : "[", o->letter != 0 ? "-" : "--",
		    o->letter != 0 ? (char[]){ o->letter, '\0' } : o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "",
		    o->needed ? "" : "]");
		synopsis_word(word, (size_t)n, indent, col);
	}
	if (c->commands != NULL)
		(void)synopsis_line("COMMAND [ARGS]", indent, col);
	if (c->operands != NULL)
		(void)synopsis_line(c->operands, indent, col);
	if (c->behind != NULL) {
		(void)synopsis_line("--", indent, col);
		(void)synopsis_line(c->behind, indent, col);
	}
}

static void
synopsis(const struct opt_command *c)
{
	static const char usage[] = "usage: ";
	size_t indent = sizeof(usage) + strlen(c->name), col = indent - 1;
	const char *line = c->usage, *lead = usage;

	if (line == NULL) {
		(void)printf("%s%s", usage, c->name);
		synopsis_of_table(c, indent, &col);
		(void)putchar('\n');
		return;
	}
	for (; *line != '\0'; lead = "       ") {
		(void)printf("%s%s", lead, c->name);
		col = indent - 1;
		line = synopsis_line(line, indent, &col);
		(void)putchar('\n');
	}
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

/* The last word of its name. */
static const char *
own_name(const struct opt_command *c)
{
	const char *space = strrchr(c->name, ' ');

	return space != NULL ? space + 1 : c->name;
}

static void
list_commands(const struct opt_command *const *list)
{
	size_t i, width = 0;
	char left[80];

	for (i = 0; list[i] != NULL; i++)
		if (strlen(own_name(list[i])) > width)
			width = strlen(own_name(list[i]));
	(void)printf("Commands:\n");
	for (i = 0; list[i] != NULL; i++) {
		(void)snprintf(left, sizeof(left), "  %s", own_name(list[i]));
		print_row(left, width + 4, list[i]->about);
	}
	(void)putchar('\n');
}

static void
help(const struct opt_command *c)
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
	if (c->commands != NULL)
		list_commands(c->commands);
	(void)printf("Options:\n");
	for (i = 0; i < n; i++) {
		(void)left_side(all[i], left, sizeof(left));
		print_row(left, width + 2, all[i]->help);
	}
	if (c->more == NULL)
		return;
	(void)putchar('\n');
	paragraphs(c->more);
}

/* --- parser --------------------------------------------------------------- */

static void
getopt_tables(const struct opt_command *c, char *letters, struct option *longs)
{
	unsigned int i, n = rows(c);

	*letters++ = c->commands != NULL ? '+' : ':';
	if (c->commands != NULL)
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
unknown_option(const struct opt_command *c, const char *word)
{
	int n = (int)strcspn(word, "=");
	struct near close;
	char name[80];
	unsigned int i;

	(void)snprintf(name, sizeof(name), "%.*s", n, word);
	near_start(&close, name);
	for (i = 0; i < rows(c); i++)
		near_try(&close, c->opts[i].name);
	near_try(&close, help_row.name);
	if (close.best == NULL)
		return opt_bad(c, "unknown option --%s", name);
	return opt_bad(
	    c, "unknown option --%s, did you mean --%s?", name, close.best);
}

static int
bad_option(const struct opt_command *c, const struct opt *o, const char *word)
{
	if (o != NULL)
		return opt_bad(c, "--%s takes no argument", o->name);
	if (strncmp(word, "--", 2) == 0)
		return unknown_option(c, word + 2);
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
	if (n > c->nmax && (c->commands == NULL || c->run != NULL))
		return opt_bad(
		    c, "'%s' is one argument too many", operands[c->nmax]);
	return OPT_GO;
}

/* Where "--" stands, or argc. */
static int
split_at(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

int
opt_parse(const struct opt_command *c, int *argc, char ***argv, void *dst)
{
	struct option longs[OPT_MAX + 3] = { { 0 } };
	char letters[2 * OPT_MAX + 4];
	int v, n = *argc;
	const struct opt *o;
	uint32_t seen = 0;

	if (c->behind != NULL)
		n = split_at(*argc, *argv);
	getopt_tables(c, letters, longs);
	opterr = 0;
	optind = 0; /* GNU: from the start */
	while ((v = getopt_long(n, *argv, letters, longs, NULL)) != -1) {
		if (v == 'h' || v == V_HELP) {
			help(c);
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
	if (c->behind != NULL && (n == *argc || n + 1 == *argc))
		return opt_bad(c, "%s belongs behind --", c->behind);
	*argc = n - optind;
	*argv += optind;
	return check_rest(c, seen, (unsigned int)*argc, *argv);
}

/* --- commands ------------------------------------------------------------- */

int
opt_run(const struct opt_command *c, void *ctx, int argc, char **argv)
{
	void *args = calloc(1, c->size + 1);
	int rc;

	if (args == NULL)
		return opt_bad(c, "out of memory");
	if (c->defaults != NULL)
		memcpy(args, c->defaults, c->size);
	rc = opt_parse(c, &argc, &argv, args);
	if (rc == OPT_GO)
		rc = c->run != NULL ? c->run(ctx, args, argc, argv)
				    : opt_dispatch(c, ctx, argc, argv);
	free(args);
	return rc;
}

static const struct opt_command *
find(const struct opt_command *c, const char *name)
{
	size_t i;

	for (i = 0; c->commands[i] != NULL; i++)
		if (strcmp(own_name(c->commands[i]), name) == 0)
			return c->commands[i];
	return NULL;
}

static int
unknown_command(const struct opt_command *c, const char *name)
{
	struct near close;
	size_t i;

	near_start(&close, name);
	for (i = 0; c->commands[i] != NULL; i++)
		near_try(&close, own_name(c->commands[i]));
	if (close.best == NULL)
		return opt_bad(c, "there is no command %s", name);
	return opt_bad(
	    c, "there is no command %s, did you mean %s?", name, close.best);
}

int
opt_dispatch(const struct opt_command *c, void *ctx, int argc, char **argv)
{
	const struct opt_command *sub = NULL;
	bool wants_help = argc > 0 && strcmp(argv[0], "help") == 0;

	if (argc < 1)
		return opt_bad(c, "COMMAND is missing");
	if (!wants_help && (sub = find(c, argv[0])) != NULL)
		return opt_run(sub, ctx, argc, argv);
	for (sub = c; wants_help && argc > 1; argc--, argv++)
		if (sub->commands == NULL || (sub = find(sub, argv[1])) == NULL)
			return unknown_command(
			    sub != NULL && sub->commands != NULL ? sub : c,
			    argv[1]);
	if (!wants_help)
		return unknown_command(c, argv[0]);
	help(sub);
	return OPT_SHOWN;
}
