/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qemu_parse.h - what the readers of QEMU's options share: the plan that they
 * fill, files found, words of refusal.
 *
 * Layer:  tools; pure, no I/O.
 */
#ifndef TOOLS_LAUNCH_QEMU_PARSE_H
#define TOOLS_LAUNCH_QEMU_PARSE_H

#include "base/check_on.h"
#include "tools/launch/launch_qemu.h"

struct lq_ctx;

struct lq_option {
	const char *name;
	int value; /* enum lq_value */
	enum lq_class cls;
	int (*handle)(struct lq_ctx *c, int arg);
	const char *implied; /* key of a first part without one */
	const char *why;     /* of a refusal; a remark otherwise */
};

/* KEYS: no key may be there twice; JSON: the same, or a JSON object. */
enum lq_value { LQ_NONE, LQ_VALUE, LQ_KEYS, LQ_JSON };

struct lq_ctx {
	struct lq_plan *p;
	int argc;
	char *const *argv;
	const char *site;
	char *text;
	const struct lq_option **opts; /* of each argument that is a value */
	bool bios, flash0, firmware;   /* firmware: of the operator's */
	bool nodefaults, net, display; /* for devices that QEMU adds */
	bool card;                     /* the machine's card is asked for */
	const char *vga;               /* borrowed, or NULL */
	unsigned int next_unit;        /* of flash */
	char pflash[2][128];           /* nodes of -machine pflashN= */
	json_t *machine;               /* keys so far */
};

#define LQ_SAY(c, ...) ((void)snprintf((c)->text, LQ_TEXT_MAX, __VA_ARGS__))

/* Does the site's list have this line? */
bool lq_site_has(const struct lq_ctx *c, const char *kind, const char *name);
/* Refused, with what to do instead.  VT_E_UNSUPPORTED. */
int lq_refuse(struct lq_ctx *c, int arg, const char *why) VT_CHECK;
/* Is the key there?  What decides over a refusal asks this. */
bool lq_has(const struct lq_ctx *c, int arg, const char *key);
/* A value of argv[arg], JSON or keys; false: it is not there, or no text, or
 * longer than cap. */
bool lq_get(
    const struct lq_ctx *c, int arg, const char *key, char *out, size_t cap);
/* The file that this key of argv[arg] names; whole argument: NULL. */
int lq_add_file(
    struct lq_ctx *c, uint8_t role, int arg, const char *key) VT_CHECK;

/* The key of a first part of argv[arg] that has none, or NULL. */
const char *lq_implied(const struct lq_ctx *c, int arg);

#endif
