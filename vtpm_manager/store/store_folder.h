/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_folder.h - the folder that a store lives in: its lock, its epoch, and
 * the space kept in reserve.
 *
 * Layer:  vtpm_manager.
 * Files:  lock     held with flock(2); the holder's pid as text
 *         epoch    decimal; how often the store was opened.  The database
 *                  has the same number, so a database that is gone, or an
 *                  older one put back alone, is seen.
 *         reserve  reserve_mb of allocated, unused space
 */
#ifndef VTPM_MANAGER_STORE_STORE_FOLDER_H
#define VTPM_MANAGER_STORE_STORE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct store_folder; /* opaque */

/* Make the folder if need be (0700) and lock it.  VT_E_BUSY, VT_E_DENIED
 * (others may write there), VT_E_SYS; text (TEXT_MAX_LEN + 1 bytes) says. */
int store_folder_open(const char *dir, unsigned int reserve_mb,
    struct store_folder **ret, char *text) VT_CHECK;
void store_folder_close(struct store_folder *d); /* NULL is a no-op */

/* 0: the folder never held a store.  VT_E_CORRUPT: not a number. */
int store_folder_epoch(const struct store_folder *d, uint64_t *ret) VT_CHECK;
int store_folder_set_epoch(
    const struct store_folder *d, uint64_t epoch) VT_CHECK;

/* Have the reserve, if there is room for it twice (so that it does not come
 * and go).  Says whether it is there. */
bool store_folder_reserve(struct store_folder *d);
/* Give it to whom needs it now.  False: it was given before. */
bool store_folder_give(struct store_folder *d);
uint64_t store_folder_free(const struct store_folder *d); /* bytes */
uint64_t store_folder_reserve_len(const struct store_folder *d);

#endif
