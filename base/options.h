/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.h - one table per command: the parser reads it, --help prints it.
 *
 * Layer:  base.  Reads argv, prints to stdout and stderr.
 * Forms:  as getopt_long(3): --name ARG, --name=ARG, any unambiguous prefix of
 *         a long name, -o ARG, options and operands mixed, "--" ends options.
 * Every command has -h and --help; a command whose name is one word is a
 * program and has --version, too.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define OPT_MAX 24       /* rows of a table */
#define OPT_BYTES_MAX 66 /* of an option in hex: a TPM Name, or a nonce */

/* What opt_parse() returns; all but OPT_GO are exit codes. */
enum { OPT_GO = -1, OPT_SHOWN = 0, OPT_BAD = 2 };

enum opt_kind {
	OPT_K_FLAG,
	OPT_K_TEXT,
	OPT_K_U32,
	OPT_K_U64,
	OPT_K_HEX,
	OPT_K_CALL
};

/* An option's argument in hex, decoded; len 0: not given. */
struct opt_bytes {
	uint8_t b[OPT_BYTES_MAX];
	size_t len;
};

struct opt {
	const char *name; /* of the long form, without dashes; NULL: the end */
	char letter;      /* of the short form; 0: none */
	const char
	    *arg; /* the argument's name in the help; NULL: no argument */
	const char *help; /* one sentence; --help wraps it */
	enum opt_kind kind;
	bool needed; /* the command fails without it */
	size_t at;   /* offset of the destination in the caller's struct */
	uint64_t min, max; /* a number's range; bytes of OPT_K_HEX */
	/* OPT_K_CALL: takes arg (NULL for a flag), borrowed from argv. VT_OK,
	 * or an error that is reported as "'arg' is not WANT". */
	int (*call)(void *dst, const struct opt *o, const char *arg);
	const char *want;
};

/* Rows.  s is the type of the caller's struct, m its member. */
#define OPT_AT(s, m, type) \
	(offsetof(s, m) + 0 * sizeof((type *)0 == &((s *)0)->m))
#define OPT_FLAG(n, c, s, m, h)                                      \
	.name = (n), .letter = (c), .help = (h), .kind = OPT_K_FLAG, \
	.at = OPT_AT(s, m, bool)
/* const char *m: borrowed from argv. */
#define OPT_TEXT(n, c, a, s, m, h)                           \
	.name = (n), .letter = (c), .arg = (a), .help = (h), \
	.kind = OPT_K_TEXT, .at = OPT_AT(s, m, const char *)
#define OPT_U32(n, a, s, m, lo, hi, h)                           \
	.name = (n), .arg = (a), .help = (h), .kind = OPT_K_U32, \
	.at = OPT_AT(s, m, uint32_t), .min = (lo), .max = (hi)
#define OPT_U64(n, a, s, m, lo, hi, h)                           \
	.name = (n), .arg = (a), .help = (h), .kind = OPT_K_U64, \
	.at = OPT_AT(s, m, uint64_t), .min = (lo), .max = (hi)
#define OPT_HEX(n, a, s, m, lo, hi, h)                           \
	.name = (n), .arg = (a), .help = (h), .kind = OPT_K_HEX, \
	.at = OPT_AT(s, m, struct opt_bytes), .min = (lo), .max = (hi)
#define OPT_CALL(n, a, f, w, h)                                                \
	.name = (n), .arg = (a), .help = (h), .kind = OPT_K_CALL, .call = (f), \
	.want = (w)
#define OPT_END              \
	{                    \
		.name = NULL \
	}

#define OPT_ANY UINT_MAX

/* A program, a command of it, or a command of a command. */
struct opt_command {
	const char *name; /* "vtpmctl create" */
	/* What it does: paragraphs that end with newlines; a list of commands
	 * shows the first.  A line that starts with a space is printed as it
	 * is, others are wrapped. */
	const char *about;
	/* How it is used, one form a line, each without the name.  NULL: the
	 * options of the table, then the operands. */
	const char *usage;
	const char *operands;    /* "NAME"; NULL: none */
	unsigned int nmin, nmax; /* how many operands */
	/* Another command line, behind a "--" that is needed; NULL: none. */
	const char *behind;
	const struct opt *opts; /* ends with OPT_END; NULL: none */
	/* Behind the options: examples, files, exit codes; as about. */
	const char *more;

	/* Commands of it, a list that ends with NULL; options stand before
	 * the command's name.  NULL: none. */
	const struct opt_command *const *commands;
	/* What the options are read into: size bytes that start as *defaults
	 * (NULL: zeros), and go to run().  argv: the operands. */
	size_t size;
	const void *defaults;
	int (*run)(void *ctx, void *args, int argc, char **argv);
};

/*
 * Read argv (argv[0] is skipped) into dst, which holds the defaults.
 *
 * OPT_GO: *argc and *argv are the operands, as many as the command allows;
 * with c->behind, (*argv)[*argc] is the "--" and the other command line is
 * behind it.  OPT_SHOWN: help or version was printed.  OPT_BAD: a message was.
 */
int opt_parse(
    const struct opt_command *c, int *argc, char ***argv, void *dst) VT_CHECK;
/* Parse, then c->run(), or the command of c that the first operand names.
 * Returns an exit code. */
int opt_run(const struct opt_command *c, void *ctx, int argc, char **argv);
/* Run the command of c that argv[0] names; "help NAME" shows its help. */
int opt_dispatch(const struct opt_command *c, void *ctx, int argc, char **argv);

/* "vtpmctl create: what is wrong; see vtpmctl create --help"; OPT_BAD. */
int opt_bad(const struct opt_command *c, const char *fmt, ...) VT_PRINTF(2, 3);

#endif
