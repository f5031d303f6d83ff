/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pe.h - EFI images: what firmware measures of one, and its sections.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Spec:   Microsoft PE and COFF; Windows Authenticode Portable Executable
 *         Signature Format, "Calculating the PE Image Hash".
 * Bytes:  little-endian.
 * Trust:  a file of a disk image; every offset is checked.
 * Limits: PE_MAX_SECTIONS.
 */
#ifndef MEASURE_PREDICT_PE_H
#define MEASURE_PREDICT_PE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/pcr.h"

#define PE_MAX_SECTIONS 96

struct pe_section {
	char name[9];     /* NUL-terminated */
	uint32_t vsize;   /* bytes in memory */
	uint32_t rawsize; /* bytes in the file, all of them inside it */
	uint32_t raw;     /* offset in the file */
};

struct pe {
	const uint8_t *buf; /* borrowed */
	size_t len;
	size_t checksum; /* offset of the checksum field */
	size_t certdir;  /* offset of the certificate table's entry, 0: none */
	size_t headers;  /* bytes of all headers */
	uint32_t certs;  /* bytes of the certificate table */
	uint32_t nsections;
	struct pe_section sections[PE_MAX_SECTIONS];
};

/* ret borrows buf.  VT_E_TRUNC, VT_E_FORMAT (no PE image), VT_E_RANGE. */
int pe_open(const uint8_t *buf, size_t len, struct pe *ret) VT_CHECK;
/* NULL: no such section.  The first one of that name. */
const struct pe_section *pe_find(const struct pe *pe, const char *name);
/* The digest by which firmware measures and verifies the image.
 * VT_E_UNSUPPORTED, VT_E_CRYPTO. */
int pe_authenticode(
    const struct pe *pe, uint16_t alg, struct tpm_digest *ret) VT_CHECK;

#endif
