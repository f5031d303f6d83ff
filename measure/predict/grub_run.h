/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_run.h - what GRUB 2.06 or 2.12 measures while it runs its configuration:
 * commands and command lines in PCR 8, files in PCR 9.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.  No I/O of its
 *         own: files come through struct grub_host.
 * Spec:   GRUB's tpm module: digests are over the string without its
 *         prefix and without a NUL.
 * Rule:   at what cannot be known ahead (a person at the menu, a command that
 *         is not followed here) the run ends, and what it would still extend is
 *         unknown: PCRs 8 and 9, and those of what GRUB then starts.
 */
#ifndef MEASURE_PREDICT_GRUB_RUN_H
#define MEASURE_PREDICT_GRUB_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/predict/grub_core.h"
#include "measure/predict/grub_env.h"
#include "measure/predict/grub_parse.h"
#include "measure/predict/grub_words.h"
#include "measure/predict/prediction.h"

#define GR_MAX_COMMANDS 3000          /* events of a log are bounded, too */
#define GR_MAX_STEPS 100000           /* commands, conditions, loops */
#define GR_MAX_TEXT (4 * 1024 * 1024) /* bytes of all scripts */
#define GR_MAX_READ (4ull * 1024 * 1024 * 1024) /* bytes of all files */
#define GR_MAX_DEPTH 32 /* files and functions in one another */
#define GR_DEV_MAX 64
#define GR_NAME_MAX 1024
#define GR_NOT_FOUND 15 /* GRUB_ERR_FILE_NOT_FOUND */

enum grub_found { GF_NONE, GF_FILE, GF_FOLDER, GF_UNKNOWN };

/* The disks as GRUB sees them; dev is a name such as "hd0,gpt1".  What is not
 * known to be there or absent is GF_UNKNOWN, and neither VT_OK nor
 * VT_E_NOTFOUND. */
struct grub_host {
	void *ctx;
	enum grub_found (*kind)(void *ctx, const char *dev, const char *path);
	/* The whole file, heap. */
	int (*read)(void *ctx, const char *dev, const char *path, uint8_t **ret,
	    size_t *ret_len);
	/* by: "fs-uuid", "label" or "file"; VT_E_NOTFOUND; VT_E_STATE: more
	 * than one, or perhaps. */
	int (*find)(void *ctx, const char *by, const char *value,
	    char ret_dev[GR_DEV_MAX]);
	/* Is the module part of GRUB's image?  NULL: nobody knows. */
	bool (*builtin)(void *ctx, const char *module);
};

struct grub_options {
	const char *entry;  /* of the menu, by title, id or number; or NULL */
	bool fixed_grubenv; /* grubenv will be what it is now */
	const char *until;  /* stop before the command that begins so; NULL */
};

/* What GRUB was when its configuration begins: "hd0", "/EFI/BOOT". */
struct grub_start {
	const char *boot;   /* where its image came from: $root */
	const char *dev;    /* where its prefix is */
	const char *prefix; /* a path on dev */
	const char *config; /* built in, config_len bytes; NULL: none */
	size_t config_len;
	enum grub_release release;
	/* "(hd0)/EFI/BOOT", where its image came from, of a GRUB that looks
	 * for grub.cfg there first; NULL: it does not. */
	const char *fw_path;
};

/* A kernel that will be started by its EFI stub; all heap. */
struct grub_kernel {
	char *name;
	uint8_t *image; /* len bytes; NULL: none is */
	size_t len;
	char *line;
	uint8_t *initrd; /* initrd_len bytes; NULL: none */
	size_t initrd_len;
};

struct grub_function;
struct grub_menu;

/* The run of a configuration; for the commands. */
struct grub_run {
	struct prediction *p;
	const struct grub_host *host;
	struct grub_options opts;
	enum grub_release release;
	bool probes; /* it opens grub.cfg once before it reads it */
	struct grub_kernel kernel;
	struct grub_env *env;
	struct grub_scope *scope;
	struct grub_function *functions;
	struct grub_menu *menu; /* where menuentry adds to */
	struct script *scripts; /* kept: functions are parts of them */
	int result;             /* $? */
	bool unsure;            /* it hangs on the machine or on a person */
	unsigned int commands, steps, depth, loops, breaks;
	uint64_t text, read; /* bytes */
	bool continues, returns;
	bool rescue; /* its built-in configuration: commands are not measured */
	bool loaded; /* boot would start something */
	bool booted; /* it was started */
	bool over;   /* nothing more is run */
};

/*
 * Run $prefix/grub.cfg as GRUB's normal mode does, menu included, up to the
 * start of what it loads, and add its events.  *ret_booted: something is
 * started.  VT_E_NOMEM; what cannot be predicted is in p.
 */
int grub_predict(struct prediction *p, const struct grub_host *host,
    const struct grub_start *start, const struct grub_options *opts,
    bool *ret_booted) VT_CHECK;

/* --- for the commands and the menu -----------------------------------------
 */

/* The end: what runs from here on is unknown because of this. */
void gr_stop(struct grub_run *g, const char *fmt, ...) VT_PRINTF(2, 3);
/* Run a script; config: it is a file.  what names it in messages. */
void gr_script(struct grub_run *g, const char *text, size_t len, bool config,
    const char *what);
/* Extend PCR 8 by text behind prefix ("grub_cmd: "). */
void gr_measure(struct grub_run *g, const char *prefix, const char *text);
/* Split "(dev)/path" or "/path"; false: neither, or too long. */
bool gr_path(const struct grub_run *g, const char *name, char dev[GR_DEV_MAX],
    char path[GR_NAME_MAX]);
/* Never GF_UNKNOWN: the run ends instead. */
enum grub_found gr_kind(struct grub_run *g, const char *name);
/* Open a file: it is measured, as name, into PCR 9.  *ret is heap; ret may be
 * NULL.  VT_E_NOTFOUND; at any other error the run ends. */
int gr_file(struct grub_run *g, const char *name, uint8_t **ret,
    size_t *ret_len) VT_CHECK;
/* Read a configuration in the present context; false: there is none. */
bool gr_config(struct grub_run *g, const char *name);
void gr_set(struct grub_run *g, const char *name, const char *value);

#endif
