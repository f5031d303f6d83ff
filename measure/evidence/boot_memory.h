/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * boot_memory.h - boots that one policy accepted, by digest of everything that
 * the decision depended on.
 *
 * Layer:  measure; no I/O, no logging.
 * A verifier judges the same guest many times.  Journal, logs, launch record
 * and PCRs do not change between two boots, and neither does what the policy
 * says about them.  Nonce, quote and deep quote are new each time: they, and
 * that the quote covers exactly these PCRs and parts, are never taken from
 * here.
 * Key:    SHA-256 of the parts' SHA-256, the PCRs' values, and uuid and group
 *         that the certificates name.  Only evidence that was accepted is
 *         kept.
 * Limits: bytes, the user's; BOOT_MEMORY_N boots.
 */
#ifndef MEASURE_EVIDENCE_BOOT_MEMORY_H
#define MEASURE_EVIDENCE_BOOT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/appraise/policy.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/report.h"

#define BOOT_MEMORY_N 65536

struct boot_memory; /* opaque */

/* policy: borrowed, and not changed, for as long as *ret lives.  max_bytes:
 * some 20 kB a boot.  *ret: boot_memory_free().  VT_E_NOMEM. */
int boot_memory_new(const struct policy *policy, size_t max_bytes,
    struct boot_memory **ret) VT_CHECK;
void boot_memory_free(struct boot_memory *c); /* NULL is a no-op */

const struct policy *boot_memory_policy(const struct boot_memory *c);
size_t boot_memory_count(const struct boot_memory *c);
size_t boot_memory_bytes(const struct boot_memory *c);
/* How often a boot was found. */
uint64_t boot_memory_hits(const struct boot_memory *c);

/* --- for verify_boot.c -------------------------------------------------- */

struct boot_memory_lines { /* of a report's checks: from <= i < to */
	uint32_t from, to;
};
struct boot_memory_boot {
	struct boot_memory_lines replays, boot;
	bool restored; /* by the replays */
};

int boot_memory_key(const struct bundle *ev, const struct bundle_digests *dig,
    const struct report *rep, uint8_t key[SHA256_LEN]) VT_CHECK;
/* Select the current boot; false: not known. */
bool boot_memory_find(struct boot_memory *c, const uint8_t key[SHA256_LEN]);
/* Its lines and flags; its lines and appraisal. */
void boot_memory_say_replays(const struct boot_memory *c, struct report *rep);
void boot_memory_say_boot(const struct boot_memory *c, struct report *rep);
/* Keep what rep, which is complete, says of this boot, if all of rep is
 * good. */
void boot_memory_keep(struct boot_memory *c, const uint8_t key[SHA256_LEN],
    const struct report *rep, const struct boot_memory_boot *b);

#endif
