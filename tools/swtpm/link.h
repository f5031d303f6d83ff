/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link.h - the record that a state folder of swtpm has instead of a state:
 * which vTPM is meant, and of which manager.
 *
 * Layer:  tools.
 * Bytes:  text, doc/FORMATS.md; in a folder the file vtpm.link, in a file or a
 *         block device its first RECORD_MAX bytes, filled with zeros.
 * Trust:  whoever can write there chooses the vTPM: so its owner must be the
 *         vTPM's owner (mgr.h).
 */
#ifndef TOOLS_SWTPM_LINK_H
#define TOOLS_SWTPM_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/util.h"

#define RECORD_MAX 512
#define LINK_FILE "vtpm.link"

struct link_rec {
	char uuid[UUID_STRLEN + 1];
	bool private; /* of a manager whose state is in the same folder */
	bool created; /* its manager has said so */
};

/* The record in len bytes.  VT_E_NOTFOUND: all zeros, or none; VT_E_FORMAT. */
int link_parse(const uint8_t *buf, size_t len, struct link_rec *ret) VT_CHECK;
/* out: RECORD_MAX bytes. */
void link_format(const struct link_rec *r, uint8_t out[static RECORD_MAX]);

/* Where a TPM's state is, locked against others while it is open. */
struct place {
	int fd;      /* of the record; -1 */
	char *dir;   /* heap; NULL: a file or a device */
	uid_t owner; /* of the record */
	bool fresh;  /* there is no record yet */
	struct link_rec rec;
};

/*
 * A folder; with a prefix "dir://", or "file://" for a file or a block device.
 * make: make the record's file if there is none.
 * VT_E_*, each after a message: VT_E_NOTFOUND: no such place; VT_E_BUSY:
 * another process uses it; VT_E_UNSUPPORTED: it has the state of another
 * program.
 */
int place_open(const char *where, bool make, struct place *ret) VT_CHECK;
/* Write p->rec, and sync. */
int place_save(struct place *p) VT_CHECK;
void place_close(struct place *p);

#endif
