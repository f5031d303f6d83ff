/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/options.h"
#include "base/util.h"
#include "base/version.h"

struct dst {
	bool all;
	const char *out;
	uint32_t pool;
	uint64_t from;
	struct opt_bytes nonce;
	unsigned int levels;
};

static int
set_level(void *dst, const struct opt *o, const char *arg)
{
	struct dst *d = dst;

	if (strcmp(o->name, "level") != 0 || strcmp(arg, "none") == 0)
		return VT_E_FORMAT;
	d->levels++;
	return VT_OK;
}

static const struct opt rows[] = {
	{ OPT_FLAG("all", 'a', struct dst, all, "take all of them") },
	{ OPT_TEXT("out", 'o', "FILE", struct dst, out,
	    "write to FILE; the help of this option is long enough to need a "
	    "second line") },
	{ OPT_U32("pool", "N", struct dst, pool, 1, 64, "made in advance") },
	{ OPT_U64("from", "N", struct dst, from, 0, UINT64_MAX, "first") },
	{ OPT_HEX("nonce", "HEX", struct dst, nonce, 2, 4, "the nonce"),
	    .needed = true },
	{ OPT_CALL("level", "NAME", set_level, "a level", "one more level") },
	OPT_END,
};

static const struct opt_command command = {
	.name = "prog sub",
	.about = "Do something.\n",
	.operands = "NAME...",
	.nmin = 1,
	.nmax = 2,
	.opts = rows,
	.more = "Example:\n  prog sub --nonce 0102 x\n",
};

static char said[8192];

static const struct opt_command program;
static unsigned int ran; /* operands of the command, and 100 a pool */

/* With stdout or stderr (fd) captured in said: parse, or without c dispatch. */
static int
captured(
    int fd, const struct opt_command *c, struct dst *d, int *argc, char ***argv)
{
	int saved = dup(fd), rc;
	FILE *f = tmpfile();
	ssize_t n;

	assert_non_null(f);
	(void)fflush(NULL);
	assert_int_equal(dup2(fileno(f), fd), fd);
	rc = c != NULL ? opt_parse(c, argc, argv, d)
		       : opt_dispatch(&program, &ran, *argc, *argv);
	(void)fflush(NULL);
	assert_int_equal(dup2(saved, fd), fd);
	(void)close(saved);
	n = pread(fileno(f), said, sizeof(said) - 1, 0);
	assert_true(n >= 0);
	said[n] = '\0';
	(void)fclose(f);
	return rc;
}

/* line: words with single spaces between them. */
static int
parse_line(const struct opt_command *c, int fd, const char *line, struct dst *d,
    int *argc, char ***argv)
{
	static char text[256], *words[32];
	char *save, *w;

	(void)snprintf(text, sizeof(text), "%s", line);
	*argc = 0;
	for (w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		words[(*argc)++] = w;
	words[*argc] = NULL;
	*argv = words;
	memset(d, 0, sizeof(*d));
	return captured(fd, c, d, argc, argv);
}

static void
options_and_operands_may_be_mixed(void **state)
{
	struct dst d;
	char **argv;
	int argc;

	(void)state;
	assert_int_equal(parse_line(&command, 2,
			     "sub a --pool=64 -a --nonce 01fF b --from "
			     "18446744073709551615 -ofile --level x --lev y",
			     &d, &argc, &argv),
	    OPT_GO);
	assert_int_equal(argc, 2);
	assert_string_equal(argv[0], "a");
	assert_string_equal(argv[1], "b");
	assert_true(d.all);
	assert_string_equal(d.out, "file");
	assert_int_equal(d.pool, 64);
	assert_true(d.from == UINT64_MAX);
	assert_int_equal(d.nonce.len, 2);
	assert_int_equal(d.nonce.b[1], 0xff);
	assert_int_equal(d.levels, 2);
	assert_string_equal(said, "");
	/* and again: no state is left from the last time */
	assert_int_equal(
	    parse_line(&command, 2, "sub --nonce 0102 -- -a", &d, &argc, &argv),
	    OPT_GO);
	assert_int_equal(argc, 1);
	assert_string_equal(argv[0], "-a");
	assert_false(d.all);
}

static int
run_sub(void *ctx, void *args, int argc, char **argv)
{
	const struct dst *d = args;

	assert_ptr_equal(ctx, &ran);
	assert_null(argv[argc]);
	ran = (unsigned int)argc + 100 * d->pool;
	return 7;
}

static const struct opt_command sub_command = { .name = "prog sub",
	.about = "Do the sub.\nMore of it.\n",
	.operands = "[NAME]",
	.nmax = 1,
	.opts = (const struct opt[]){ { OPT_U32("pool", "N", struct dst, pool,
					  0, 9, "how many") },
	    OPT_END },
	.size = sizeof(struct dst),
	.defaults = &(const struct dst){ .pool = 3 },
	.run = run_sub };
static const struct opt_command *const two_commands[] = { &command,
	&sub_command, NULL };
static const struct opt_command program = { .name = "prog",
	.about = "Does much.\n",
	.opts = (const struct opt[]){ { OPT_FLAG("all", 'a', struct dst, all,
					  "all of them") },
	    OPT_END },
	.commands = two_commands + 1 };

static void
first_operand_ends_the_options_of_a_program(void **state)
{
	struct dst d;
	char **argv;
	int argc;

	(void)state;
	assert_int_equal(
	    parse_line(&program, 2, "prog sub --all", &d, &argc, &argv),
	    OPT_GO);
	assert_int_equal(argc, 2);
	assert_string_equal(argv[1], "--all");
	assert_false(d.all);
}

static int
dispatch_line(int fd, const char *line)
{
	static char text[128], *words[8];
	char *save, *w, **argv = words;
	int n = 0;

	(void)snprintf(text, sizeof(text), "%s", line);
	for (w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	words[n] = NULL;
	ran = 0;
	return captured(fd, NULL, NULL, &n, &argv);
}

static void
a_command_is_run_with_its_defaults_and_operands(void **state)
{
	(void)state;
	assert_int_equal(dispatch_line(2, "sub"), 7);
	assert_int_equal(ran, 300);
	assert_int_equal(dispatch_line(2, "sub x --pool 5"), 7);
	assert_int_equal(ran, 501);
	assert_int_equal(dispatch_line(2, "sub x y"), OPT_BAD);
	assert_int_equal(ran, 0);
	assert_int_equal(dispatch_line(2, ""), OPT_BAD);
	assert_string_equal(said, "prog: COMMAND is missing; see prog "
				  "--help\n");
	assert_int_equal(dispatch_line(2, "frob"), OPT_BAD);
	assert_string_equal(
	    said, "prog: there is no command frob; see prog --help\n");
	assert_int_equal(dispatch_line(1, "help"), OPT_SHOWN);
	assert_non_null(strstr(said, "\nCommands:\n  sub  Do the sub.\n\n"));
	assert_int_equal(dispatch_line(1, "help sub"), OPT_SHOWN);
	assert_non_null(strstr(said, "usage: prog sub [--pool N] [NAME]\n"));
	assert_int_equal(dispatch_line(2, "help frob"), OPT_BAD);
}

static void
another_command_line_stands_behind_two_dashes(void **state)
{
	static const struct opt_command c = { .name = "prog",
		.about = "",
		.operands = "[NAME]",
		.nmax = 1,
		.behind = "OTHER...",
		.opts = rows };
	struct dst d;
	char **argv;
	int argc;

	(void)state;
	assert_int_equal(
	    parse_line(&c, 2, "prog x --nonce 0102 -- other --pool 1 -- -a", &d,
		&argc, &argv),
	    OPT_GO);
	assert_int_equal(argc, 1);
	assert_string_equal(argv[0], "x");
	assert_string_equal(argv[1], "--");
	assert_string_equal(argv[2], "other");
	assert_string_equal(argv[3], "--pool");
	assert_int_equal(d.pool, 0);
	assert_int_equal(
	    parse_line(&c, 2, "prog x --nonce 0102 --", &d, &argc, &argv),
	    OPT_BAD);
	assert_int_equal(
	    parse_line(&c, 2, "prog x --nonce 0102", &d, &argc, &argv),
	    OPT_BAD);
	assert_string_equal(
	    said, "prog: OTHER... belongs behind --; see prog --help\n");
}

static void
mistake_is_named_with_the_way_to_help(void **state)
{
	/* clang-format off */
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "sub x",			"--nonce HEX is missing" },
		{ "sub --nonce 0102",		"NAME... is missing" },
		{ "sub --nonce 0102 x y z",
		    "'z' is one argument too many" },
		{ "sub --nonce 0102 x --frob",	"unknown option --frob, did you mean --from?" },
		{ "sub --nonce 0102 x --frob=1", "unknown option --frob, did you mean --from?" },
		{ "sub --nonce 0102 x --zzzzz", "unknown option --zzzzz" },
		{ "sub --nonce 0102 x -f",	"unknown option -f" },
		{ "sub --all x -af",		"unknown option -f" },
		{ "sub --all=1 x",		"--all takes no argument" },
		{ "sub x --pool",		"--pool needs an argument" },
		{ "sub x -o",			"--out needs an argument" },
		{ "sub --pool 65",
		    "--pool: '65' is not a number from 1 to 64" },
		{ "sub --pool 0",
		    "--pool: '0' is not a number from 1 to 64" },
		{ "sub --pool 1x",
		    "--pool: '1x' is not a number from 1 to 64" },
		{ "sub --from -1",		"--from: '-1' is not a number" },
		{ "sub --from 18446744073709551616",
		    "--from: '18446744073709551616' is not a number" },
		{ "sub --nonce 01",
		    "--nonce: '01' is not 2 to 4 bytes in hex" },
		{ "sub --nonce 0102030405",
		    "--nonce: '0102030405' is not 2 to 4 bytes in hex" },
		{ "sub --nonce 010",
		    "--nonce: '010' is not 2 to 4 bytes in hex" },
		{ "sub --level none",
		    "--level: 'none' is not a level" },
	};
	/* clang-format on */
	char want[256];
	struct dst d;
	char **argv;
	size_t i;
	int argc;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		(void)snprintf(want, sizeof(want),
		    "prog sub: %s; see prog sub --help\n", cases[i].want);
		assert_int_equal(
		    parse_line(&command, 2, cases[i].line, &d, &argc, &argv),
		    OPT_BAD);
		assert_string_equal(said, want);
	}
}

static void
help_shows_every_row_within_80_columns(void **state)
{
	static const char want[] =
	    "usage: prog sub [-a] [-o FILE] [--pool N] [--from N] --nonce HEX "
	    "[--level NAME]\n"
	    "                NAME...\n"
	    "\n"
	    "Do something.\n"
	    "\n"
	    "Options:\n"
	    "  -a, --all         take all of them\n"
	    "  -o, --out FILE    write to FILE; the help of this option is "
	    "long "
	    "enough to\n"
	    "                    need a second line\n"
	    "      --pool N      made in advance\n"
	    "      --from N      first\n"
	    "      --nonce HEX   the nonce\n"
	    "      --level NAME  one more level\n"
	    "  -h, --help        show this help\n"
	    "\n"
	    "Example:\n"
	    "  prog sub --nonce 0102 x\n";
	struct dst d;
	char **argv;
	int argc;

	(void)state;
	assert_int_equal(
	    parse_line(&command, 1, "sub --help", &d, &argc, &argv), OPT_SHOWN);
	assert_string_equal(said, want);
	assert_int_equal(
	    parse_line(&command, 1, "sub -h", &d, &argc, &argv), OPT_SHOWN);
}

static void
forms_of_use_replace_the_synopsis(void **state)
{
	static const struct opt_command c = { .name = "prog",
		.about = "Do it.\n",
		.usage = "--one FILE [--three A --four]\n--two" };
	struct dst d;
	char **argv;
	int argc;

	(void)state;
	assert_int_equal(
	    parse_line(&c, 1, "prog -h", &d, &argc, &argv), OPT_SHOWN);
	assert_string_equal(said,
	    "usage: prog --one FILE [--three A --four]\n       prog "
	    "--two\n\nDo it.\n\nOptions:\n"
	    "  -h, --help     show this help\n      --version  show the "
	    "version\n");
}

static void
programs_have_a_version_and_commands_none(void **state)
{
	static const struct opt_command c = { .name = "prog", .about = "" };
	struct dst d;
	char **argv;
	int argc;

	(void)state;
	assert_int_equal(
	    parse_line(&c, 1, "prog --version", &d, &argc, &argv), OPT_SHOWN);
	assert_string_equal(said, "prog " VT_VERSION "\n");
	assert_int_equal(
	    parse_line(&command, 2, "sub --version", &d, &argc, &argv),
	    OPT_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_may_be_mixed),
		cmocka_unit_test(first_operand_ends_the_options_of_a_program),
		cmocka_unit_test(
		    a_command_is_run_with_its_defaults_and_operands),
		cmocka_unit_test(another_command_line_stands_behind_two_dashes),
		cmocka_unit_test(mistake_is_named_with_the_way_to_help),
		cmocka_unit_test(help_shows_every_row_within_80_columns),
		cmocka_unit_test(forms_of_use_replace_the_synopsis),
		cmocka_unit_test(programs_have_a_version_and_commands_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
