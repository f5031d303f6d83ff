/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bcache.h - boots that one policy accepted before, by digest of all that
 * went into that.
 *
 * Layer:  measure; no I/O, no logging.
 * For a verifier that sees a guest again and again: journal, logs, launch
 * record and PCRs are the same between two boots, and so is what the policy
 * says of them.  Fresh each time are nonce, quote and deep quote; those, and
 * that the quote covers these very PCRs and parts, are never taken from here.
 * Key:    SHA-256 of the parts' SHA-256, the PCRs' values, and uuid and group
 *         that the certificates name.  Kept is what was good in all of it and
 *         nothing else.
 * Limits: bytes, the user's; BCACHE_N boots.
 */
#ifndef MEASURE_BCACHE_H
#define MEASURE_BCACHE_H

#include "measure/evidence_priv.h"

#define BCACHE_N 65536

struct bcache; /* opaque */

/* policy: borrowed, and not changed, for as long as *ret lives.  max_bytes:
 * some 20 kB a boot.  *ret: bcache_free().  VT_E_NOMEM. */
int bcache_new(const struct policy *policy, size_t max_bytes,
    struct bcache **ret) VT_CHECK;
void bcache_free(struct bcache *c); /* NULL is a no-op */

const struct policy *bcache_policy(const struct bcache *c);
size_t bcache_count(const struct bcache *c);
size_t bcache_bytes(const struct bcache *c);
/* How often a boot was found. */
uint64_t bcache_hits(const struct bcache *c);

/* --- for evidence_boot.c -------------------------------------------------- */

struct bcache_lines { /* of a report's checks: from <= i < to */
	uint32_t from, to;
};
struct bcache_boot {
	struct bcache_lines replays, boot;
	bool restored; /* the replays say so */
};

int bcache_key(const struct evidence *ev, const struct ev_digests *dig,
    const struct ev_report *rep, uint8_t key[SHA256_LEN]) VT_CHECK;
/* The boot that is meant from now on; false: not known. */
bool bcache_find(struct bcache *c, const uint8_t key[SHA256_LEN]);
/* Its lines and flags; its lines and appraisal. */
void bcache_say_replays(const struct bcache *c, struct ev_report *rep);
void bcache_say_boot(const struct bcache *c, struct ev_report *rep);
/* Keep what rep, which is complete, says of this boot, if all of rep is
 * good. */
void bcache_keep(struct bcache *c, const uint8_t key[SHA256_LEN],
    const struct ev_report *rep, const struct bcache_boot *b);

#endif
