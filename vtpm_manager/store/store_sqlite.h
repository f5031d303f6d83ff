/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_sqlite.h - the store's database backend: SQLite in WAL mode.
 *
 * Layer:  vtpm_manager/store; only store_sqlite.c knows SQLite.
 */
#ifndef VTPM_MANAGER_STORE_STORE_SQLITE_H
#define VTPM_MANAGER_STORE_STORE_SQLITE_H

#include "vtpm_manager/store/store_ops.h"

extern const struct store_ops store_sqlite;

#endif
