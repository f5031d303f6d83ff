/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_recover.h - refuse a store that is not the newest, and let an operator
 * accept it, or a single guest's old record.
 *
 * Layer:  vtpm_manager/store.  Only after store_unlock().
 */
#ifndef VTPM_MANAGER_STORE_STORE_RECOVER_H
#define VTPM_MANAGER_STORE_STORE_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"

struct guest;
struct store;

/* This is not the newest store, for the reason in why.  From now on it is
 * read-only: every guest is marked with why and every change is VT_E_CORRUPT.
 * Nothing is written. */
void store_freeze(struct store *st, const char *why);
bool store_frozen(const struct store *st);
/*
 * Accept a frozen store as it is.  Every guest that was marked only by
 * store_freeze() is stopped, loses its volatile state and its launch record,
 * gets GUEST_F_RECOVERED and a generation that no guest ever had, provided
 * that no generation grew by more than `lost` steps that this store has not
 * seen.  Durable with store_commit(); if that fails, freeze it again.
 */
int store_recover_all(
    struct store *st, uint64_t lost, uint32_t *ret_n) VT_CHECK;
/*
 * Accept one guest whose record does not match the tree, while record and
 * blobs match each other.  fits: does the sealed state belong to this record?
 * What no sealed state confirms (the group, ...) is taken from the record.
 * VT_E_STATE: the guest is not marked; VT_E_NOTFOUND; VT_E_CORRUPT: record and
 * blobs do not match either, or the guest was destroyed.
 */
int store_recover_one(struct store *st, const uint8_t uuid[UUID_LEN],
    bool (*fits)(
	const struct guest *in, const uint8_t *state, size_t len)) VT_CHECK;

#endif
