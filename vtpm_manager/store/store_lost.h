/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_lost.h - a store after an I/O error.
 *
 * Layer:  vtpm_manager/store.
 * An I/O error says nothing about what the disk holds, so nothing is believed
 * corrupt after one.  The store is lost: it lets go of its folder, lists its
 * guests from memory, and every other call is VT_E_SYS, until
 * store_look_again().
 */
#ifndef VTPM_MANAGER_STORE_STORE_LOST_H
#define VTPM_MANAGER_STORE_STORE_LOST_H

#include <stdbool.h>

struct store;

bool store_lost(const struct store *st);
/* cb(arg) whenever the store gets lost, in the middle of the call that failed:
 * it may ask store_why(), and calls nothing that reads or writes. */
void store_on_lost(struct store *st, void (*cb)(void *arg), void *arg);

/* --- for the store's own files ------------------------------------------ */

/* An I/O error, as store_why() says.  It may be lost already. */
void store_lose(struct store *st);
/* Close folder and database; nothing is written. */
void store_let_go(struct store *st);

#endif
