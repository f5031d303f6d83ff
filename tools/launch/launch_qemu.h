/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch_qemu.h - read a QEMU command line: which files does it load before
 * the guest runs, and what is the machine's configuration?
 *
 * Layer:  tools; pure, no I/O.
 * Spec:   QEMU 7.2 invocation (qemu-options.hx); "," in a value is ",,".
 * Trust:  the operator's.  An allow-list: options that are unknown here, or
 *         that could load something that is not measured, are refused, and so
 *         are keys that occur twice, of which QEMU takes the last.
 */
#ifndef TOOLS_LAUNCH_LAUNCH_QEMU_H
#define TOOLS_LAUNCH_LAUNCH_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/log/launch_record.h"

#define LQ_FILES_MAX 32
#define LQ_TEXT_MAX 512

/* One file that QEMU reads.  The argument that names it is
 * argv[arg] = before + PATH + after. */
struct lq_file {
	uint8_t role;  /* enum launch_role */
	bool writable; /* the guest changes it: recorded, passed as it is */
	int arg;
	size_t at, len;  /* of the path in argv[arg], escapes included */
	char path[4096]; /* without escapes */
};

struct lq_plan {
	enum launch_mode mode;
	const char *append; /* kernel command line, borrowed, or NULL */
	const char *guest;  /* of -name; borrowed, may have ",..." */
	char machine[256], cpu[256], memory[128], smp[128];
	unsigned int nfiles;
	struct lq_file files[LQ_FILES_MAX];
};

/*
 * argv[0] is QEMU itself.  text (LQ_TEXT_MAX bytes) says what is refused.
 * VT_E_UNSUPPORTED: would load what cannot be measured; VT_E_EXISTS: a
 * vTPM or the same option is there already; VT_E_FORMAT, VT_E_RANGE.
 */
int lq_parse(
    int argc, char *const *argv, struct lq_plan *ret, char *text) VT_CHECK;
/* The machine's configuration in one line, the same for the same machine;
 * VT_E_RANGE. */
int lq_config_text(const struct lq_plan *p, char *out, size_t cap) VT_CHECK;
/* argv[f->arg] with another path; heap, NULL without memory. */
char *lq_replace(const char *arg, const struct lq_file *f, const char *path);
/* A path as part of an option's value: "," becomes ",,".  VT_E_RANGE. */
int lq_escape(const char *in, char *out, size_t cap) VT_CHECK;

#endif
