/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_folder.h - the state folder: its lock, its epoch and its reserve.
 *
 * Layer:  vtpm_manager.
 * Files:  lock     held with flock(2); the holder's pid as text
 *         epoch    decimal; how often the store was opened.  The database
 *                  has the same number, which reveals a missing database and
 *                  an older one restored alone.
 *         reserve  reserve_mb of allocated, unused space
 */
#ifndef VTPM_MANAGER_STORE_STORE_FOLDER_H
#define VTPM_MANAGER_STORE_STORE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct store_folder; /* opaque */

struct store_space {
	bool ok;           /* there is room for new guests */
	bool reserve_used; /* running guests have the reserve */
	bool low;          /* and nearly used it up: begin no more writes;
			    * after an I/O error: not known, so false */
	uint64_t free_bytes;
};

/* Create the folder if needed (0700) and lock it.  VT_E_BUSY; VT_E_DENIED:
 * other users can write there; VT_E_SYS.  text (TEXT_MAX_LEN + 1 bytes) says
 * why. */
int store_folder_open(const char *dir, unsigned int reserve_mb,
    struct store_folder **ret, char *text) VT_CHECK;
void store_folder_close(struct store_folder *d); /* NULL is a no-op */
/* After an I/O error: let go of the folder and its lock, so that its file
 * system can be repaired and mounted again. */
void store_folder_leave(struct store_folder *d);
/* Take it again by its path.  No file is made: what is mounted there may be
 * missing.  The file log_name, if there is one, is written anew with what it
 * holds, so that what is read from it is on the disk.  VT_E_SYS, VT_E_BUSY,
 * VT_E_DENIED as above. */
int store_folder_again(
    struct store_folder *d, const char *log_name, char *text) VT_CHECK;

/* 0: the folder never held a store.  VT_E_CORRUPT: no valid number. */
int store_folder_epoch(const struct store_folder *d, uint64_t *ret) VT_CHECK;
int store_folder_set_epoch(
    const struct store_folder *d, uint64_t epoch) VT_CHECK;

/* Make the reserve if the disk has room for it twice, so that it does not come
 * and go.  Returns whether it exists. */
bool store_folder_reserve(struct store_folder *d);
/* Free the reserve for running guests.  False: it was free already. */
bool store_folder_give(struct store_folder *d);
uint64_t store_folder_reserve_len(const struct store_folder *d); /* bytes */
void store_folder_space(struct store_folder *d, struct store_space *ret);

#endif
