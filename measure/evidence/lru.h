/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lru.h - a bounded memory of earlier results, by SHA-256 of everything that
 * they depend on.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  two inputs have one key only if SHA-256 is broken; the whole key is
 *         compared.  Inputs made to fill it evict the entries of
 *         others, which costs time and changes no outcome.
 * Limits: entries and bytes, both the user's; what was used longest ago goes
 *         first.
 */
#ifndef MEASURE_EVIDENCE_LRU_H
#define MEASURE_EVIDENCE_LRU_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"

struct lru; /* opaque */

/* max_n: 1 to 2^20 entries; drop frees a value.  VT_E_RANGE, VT_E_NOMEM. */
int lru_new(size_t max_n, size_t max_bytes, void (*drop)(void *val),
    struct lru **ret) VT_CHECK;
void lru_free(struct lru *l); /* NULL is a no-op */

/* The value under key, borrowed until the next lru_put(), or NULL. */
void *lru_find(struct lru *l, const uint8_t key[SHA256_LEN]);
/*
 * Keep val, which has so many bytes, in place of what was under key, and put
 * out what is too much then.  val is given, on success only.  VT_E_RANGE:
 * bytes are over the limit by themselves; VT_E_NOMEM.
 */
int lru_put(struct lru *l, const uint8_t key[SHA256_LEN], void *val,
    size_t bytes) VT_CHECK;

size_t lru_count(const struct lru *l);
size_t lru_bytes(const struct lru *l); /* values and what we keep with them */

#endif
