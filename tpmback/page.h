/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page.h - the shared page between tpmfront and tpmback, ABI v2.
 *
 * Layer:  tpmback.
 * Spec:   Xen public/io/tpmif.h (its comment says that data starts at 16;
 *         every implementation uses 8 + 4 * nr_extra_pages, and so do we).
 * Bytes:  header little-endian (guest native on x86), payload as TPM.
 * Trust:  the other side may change any byte at any time: the header is
 *         read once, the payload copied out once, and never looked at again.
 */
#ifndef TPMBACK_PAGE_H
#define TPMBACK_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define TPMIF_PAGE_SIZE 4096
#define TPMIF_MAX_CMD (TPMIF_PAGE_SIZE - 8) /* 4088, no extra pages */

enum tpmif_state {
	TPMIF_IDLE = 0,
	TPMIF_SUBMIT = 1, /* by the front half */
	TPMIF_FINISH = 2, /* by the back half */
	TPMIF_CANCEL = 3, /* by the front half */
};

struct tpmif_page {
	uint32_t length; /* bytes of request or response */
	uint8_t state;   /* enum tpmif_state */
	uint8_t locality;
	uint8_t pad;
	uint8_t nr_extra_pages; /* unused by all implementations: must be 0 */
	uint8_t data[TPMIF_MAX_CMD];
};
_Static_assert(offsetof(struct tpmif_page, state) == 4, "tpmif ABI");
_Static_assert(offsetof(struct tpmif_page, locality) == 5, "tpmif ABI");
_Static_assert(offsetof(struct tpmif_page, nr_extra_pages) == 7, "tpmif ABI");
_Static_assert(offsetof(struct tpmif_page, data) == 8, "tpmif ABI");
_Static_assert(sizeof(struct tpmif_page) == TPMIF_PAGE_SIZE, "tpmif ABI");

/* The header is read and written as one word, so that it is never torn. */
union tpmif_view {
	struct tpmif_page page;
	uint64_t header; /* the first 8 bytes */
};
_Static_assert(sizeof(union tpmif_view) == TPMIF_PAGE_SIZE, "tpmif ABI");

#endif
