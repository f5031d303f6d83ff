/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gpt.h - a disk's GUID partition table: its partitions, and what firmware
 * measures of it into PCR 5.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.
 * Spec:   UEFI 2.10, sec. 5.3; TCG PC Client Platform Firmware Profile 1.05,
 *         UEFI_GPT_DATA.
 * Bytes:  little-endian; blocks of 512 bytes.
 * Trust:  a disk of a guest; every field is checked.
 */
#ifndef MEASURE_PREDICT_GPT_H
#define MEASURE_PREDICT_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/predict/prediction.h"

#define GPT_MAX_ENTRIES 128
#define GPT_BLOCK 512
/* The first bytes of a disk that hold the table as tools make it. */
#define GPT_HEAD (34 * GPT_BLOCK)

struct gpt_partition {
	uint32_t number; /* 1: first */
	bool esp;        /* an EFI system partition */
	uint64_t first;  /* byte */
	uint64_t len;    /* bytes */
};

struct gpt {
	const uint8_t *header;  /* borrowed, 92 bytes */
	const uint8_t *entries; /* borrowed */
	uint32_t nentries, entry_size;
	uint32_t n;
	struct gpt_partition parts[GPT_MAX_ENTRIES];
};

/* head: a disk's first len bytes, borrowed by ret.  VT_E_NOTFOUND: no GPT;
 * VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE. */
int gpt_open(const uint8_t *head, size_t len, struct gpt *ret) VT_CHECK;
/* Both checksums are right.  Firmware replaces a table of which one is wrong
 * by the copy at the disk's end. */
bool gpt_is_sound(const struct gpt *gpt);
/* Add the event of PCR 5. */
void gpt_measure(struct prediction *p, const struct gpt *gpt);

#endif
