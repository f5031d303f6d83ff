/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * audit_chain.h - the hash chain over the audit log's records.
 *
 * Layer:  vtpm_manager; no I/O, no logging.
 * Bytes:  hash = SHA-256(0x02 | "vTPM audit" | hash before[32] | be64 seq |
 *         be64 wall_ms | who | action | object | result | detail), texts as
 *         be16 length + bytes.  Before the first record: 32 zero bytes.
 * Ends:   the store's root has both ends under its HMAC, which reveals missing
 *         records at either end.
 */
#ifndef VTPM_MANAGER_STORE_AUDIT_CHAIN_H
#define VTPM_MANAGER_STORE_AUDIT_CHAIN_H

#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "vtpm/proto/worker_msg.h"

struct audit_rec {
	uint64_t seq, wall_ms;
	char who[64];    /* "uid 0 (admin)" or "manager" */
	char action[32]; /* create, start, power-cycle, ... */
	char object[NAME_MAX_LEN + 1];
	char result[16]; /* ok, refused, failed */
	char detail[TEXT_MAX_LEN + 1];
	uint8_t hash[32]; /* H(previous hash || fields) */
};

struct audit_chain {
	uint64_t cut;             /* last record dropped; 0: none */
	uint8_t base[SHA256_LEN]; /* its hash */
	uint64_t seq;             /* newest record; == cut: none */
	uint8_t head[SHA256_LEN]; /* its hash */
};

/* Make the next record of chain c from untrusted texts, and advance c.
 * VT_E_CRYPTO: c and *ret are unchanged. */
int audit_chain_append(struct audit_chain *c, uint64_t wall, const char *who,
    const char *action, const char *object, const char *result,
    const char *detail, struct audit_rec *ret) VT_CHECK;

/* Verify that rec follows at, and advance at (seq and head) to it.
 * VT_E_CORRUPT: text (TEXT_MAX_LEN + 1 bytes) says why. */
int audit_chain_follow(
    struct audit_chain *at, const struct audit_rec *rec, char *text) VT_CHECK;
/* After the last record: verify that it ends where c ends.  VT_E_CORRUPT. */
int audit_chain_ends(const struct audit_chain *at, const struct audit_chain *c,
    char *text) VT_CHECK;

#endif
