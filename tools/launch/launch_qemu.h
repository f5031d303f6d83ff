/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch_qemu.h - read a QEMU command line: which files does it load before
 * the guest runs, and what is the machine's configuration?
 *
 * Layer:  tools; pure, no I/O.
 * Spec:   QEMU 7.2 invocation (qemu-options.hx); qemu_opts.h.
 * Trust:  the operator's.  An allow-list: options that are unknown here, or
 *         that could load something that is not measured, are refused, and so
 *         are keys that occur twice, of which QEMU takes the last.  A site's
 *         list (lq_site) adds to it.
 */
#ifndef TOOLS_LAUNCH_LAUNCH_QEMU_H
#define TOOLS_LAUNCH_LAUNCH_QEMU_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/log/launch_record.h"

#define LQ_FILES_MAX 32
#define LQ_ROMS_MAX 16
#define LQ_TEXT_MAX 768
#define LQ_SITE_FILE "/etc/vtpm/launch-qemu.allow"

enum lq_class {
	LQ_MEASURED, /* names files, which are measured and handed over */
	LQ_RECORDED, /* in the record's configuration as it is */
	LQ_PASSED,   /* neither: does not change what runs */
	LQ_REFUSED
};

/* One file that QEMU reads.  The argument that names it is
 * argv[arg] = before + PATH + after, or JSON. */
struct lq_file {
	uint8_t role;  /* enum launch_role */
	bool writable; /* the guest changes it: recorded, passed as it is */
	bool search;   /* QEMU looks for the name in its folders, too */
	int arg;
	size_t at, len; /* of the path in argv[arg], escapes included */
	json_t *json;   /* or the object with it, borrowed from the plan */
	const char *key;
	char path[4096]; /* without escapes */
};

/* A file that QEMU loads by itself, by a name in its folders. */
struct lq_rom {
	const char *name;
	const char *driver; /* of the PCI device whose ROM it is, or NULL */
};

struct lq_plan {
	enum launch_mode mode;
	const char *append; /* kernel command line, borrowed, or NULL */
	const char *guest;  /* of -name; borrowed, may have ",..." */
	char machine[64];   /* its type; "" is QEMU's default */
	char *config;       /* what is recorded, a line an option; owned */
	unsigned int nfiles;
	struct lq_file files[LQ_FILES_MAX];
	const char *bios; /* the default firmware's name, or NULL */
	unsigned int nroms;
	struct lq_rom roms[LQ_ROMS_MAX];
	int argc;
	json_t **json; /* of each argument that is JSON; owned */
};

/*
 * argv[0] is QEMU itself.  site: the text of a site's list, or NULL.  text
 * (LQ_TEXT_MAX bytes) says what is refused.  lq_done() in any case.
 * VT_E_UNSUPPORTED: would load what cannot be measured; VT_E_EXISTS: a
 * vTPM or the same option is there already; VT_E_FORMAT, VT_E_RANGE,
 * VT_E_NOMEM.
 */
int lq_parse(int argc, char *const *argv, const char *site, struct lq_plan *ret,
    char *text) VT_CHECK;
void lq_done(struct lq_plan *p);
/* argv[f->arg] with another path; heap, NULL without memory. */
char *lq_replace(const char *arg, const struct lq_file *f, const char *path);
/* A path as part of an option's value: "," becomes ",,".  VT_E_RANGE. */
int lq_escape(const char *in, char *out, size_t cap) VT_CHECK;

/* Option i of the table: its name, and why it has its class ("": it is as the
 * class says).  NULL: there is none. */
const char *lq_option(size_t i, enum lq_class *ret_class, const char **ret_why);
const char *lq_class_name(enum lq_class c);

#endif
