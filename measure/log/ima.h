/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ima.h - read-only cursor over a measurement list of Linux's IMA, ascii or
 * binary.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Spec:   Linux, Documentation/security/IMA-templates.rst, and
 *         security/integrity/ima/ima_fs.c: templates ima, ima-ng, ima-sig.
 * Bytes:  binary: the kernel's own order, little-endian here.
 * Trust:  a list is hostile input; only its replay against a signed quote
 *         gives it meaning.
 */
#ifndef MEASURE_LOG_IMA_H
#define MEASURE_LOG_IMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"

#define IMA_MAX_LOG (64u * 1024 * 1024) /* bytes of a whole list */
#define IMA_MAX_DATA 8192               /* bytes of one entry's data */
#define IMA_MAX_FILE 4096               /* bytes of a file's name */

struct ima_event {
	uint32_t pcr;
	uint8_t sha1[SHA1_LEN]; /* what the list says of the SHA-1 bank */
	bool violation; /* all zero: the PCRs are extended with all FF */
	char name[16];  /* of the template */
	/* What the other banks' digests are over. */
	uint8_t data[IMA_MAX_DATA];
	size_t len;
	bool fits; /* sha1 is the SHA-1 of data, or it is a violation */
	char alg[16];
	char digest[2 * DIGEST_MAX + 1]; /* of the file, in hex */
	char file[IMA_MAX_FILE + 1];
	size_t sig_len; /* bytes of its signature; 0: none */
};

struct ima_log { /* opaque but for ima_open() */
	struct rd r;
	bool ascii;
};

/* Is it a list of IMA, by its first entry? */
bool ima_is_list(const uint8_t *buf, size_t len);
/* buf is borrowed and must outlive the cursor.  VT_E_TRUNC (empty),
 * VT_E_FORMAT, VT_E_RANGE. */
int ima_open(const uint8_t *buf, size_t len, struct ima_log *ret) VT_CHECK;
/* 1 with *ev filled, 0 at the end, or VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE,
 * VT_E_UNSUPPORTED (another template), VT_E_CRYPTO; on an error *ev is
 * undefined, and every later call fails the same way. */
int ima_next(struct ima_log *log, struct ima_event *ev) VT_CHECK;

/* What the entry extends a bank with: SHA-1 as the list has it, others H(data)
 * as kernels from 5.8 on do.  VT_E_UNSUPPORTED, VT_E_CRYPTO. */
int ima_digest(
    const struct ima_event *ev, uint16_t alg, uint8_t out[DIGEST_MAX]) VT_CHECK;

#endif
