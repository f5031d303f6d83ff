/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * audit_chain.h - the hash chain over the audit log's records.
 *
 * Layer:  vtpm_manager; no I/O, no logging.
 * Bytes:  hash = SHA-256(0x02 | "vTPM audit" | hash before[32] | be64 seq |
 *         be64 wall_ms | who | action | object | result | detail), texts as
 *         be16 length + bytes.  Before the first record: 32 zero bytes.
 * Ends:   the store keeps both ends under its root's HMAC, so neither the
 *         newest nor the oldest records can go unnoticed.
 */
#ifndef VTPM_MANAGER_STORE_AUDIT_CHAIN_H
#define VTPM_MANAGER_STORE_AUDIT_CHAIN_H

#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "vtpm_manager/store/store.h"

struct audit_chain {
	uint64_t cut;             /* last record given up; 0: none */
	uint8_t base[SHA256_LEN]; /* its hash */
	uint64_t seq;             /* newest record; == cut: there is none */
	uint8_t head[SHA256_LEN]; /* its hash */
};

/* Fill rec from untrusted texts; seq and hash follow c, and c moves on.
 * VT_E_CRYPTO: c and *ret are unchanged. */
int audit_chain_append(struct audit_chain *c, uint64_t wall, const char *who,
    const char *action, const char *object, const char *result,
    const char *detail, struct audit_rec *ret) VT_CHECK;

/* Is rec the record that follows at?  at moves on to it (seq and head).
 * VT_E_CORRUPT: text (TEXT_MAX_LEN + 1 bytes) says why. */
int audit_chain_follow(
    struct audit_chain *at, const struct audit_rec *rec, char *text) VT_CHECK;
/* After the last record: does it end where c ends?  VT_E_CORRUPT. */
int audit_chain_ends(const struct audit_chain *at, const struct audit_chain *c,
    char *text) VT_CHECK;

#endif
