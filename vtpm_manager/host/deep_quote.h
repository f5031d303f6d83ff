/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deep_quote.h - deep quotes: guests' quotes that wait are put under one quote
 *of the host's TPM.
 *
 * Layer:  vtpm_manager.
 * Spec:   measure/evidence/deep_leaf.h; DESIGN of the batch: while the host's
 *TPM makes one quote the next batch gathers, so a slow TPM serves any number of
 *guests, and the first one that asks waits for nobody. Trust:  a worker says
 *what its guest quoted, and may be in its guest's hands; who that guest is
 *comes from the registry. Order:  one batch of each group at a time is with the
 *host's TPM, whose queue is fair by group; first come, first served inside a
 *group. Limits, each told in words when it is met: DEEP_QUOTE_EACH	that
 *wait, of one vTPM DEEP_QUOTE_BURST	asked at once by one vTPM, then
 *DEEP_QUOTE_RATE a second DEEP_QUOTE_ALL	that wait, of all deep_batch_max
 *under one quote of the host's TPM (configuration) deep_wait_ms	until
 *somebody who waits is told that it is over
 */
#ifndef VTPM_MANAGER_HOST_DEEP_QUOTE_H
#define VTPM_MANAGER_HOST_DEEP_QUOTE_H

#include "measure/evidence/deep_leaf.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/core/context.h"

#define DEEP_QUOTE_EACH 8
#define DEEP_QUOTE_BURST 200
#define DEEP_QUOTE_RATE 200
#define DEEP_QUOTE_ALL 65536

struct deep_quote_counters {
	uint64_t asked, answered, failed; /* guests' quotes */
	uint64_t host_quotes, batch_max, us_last;
	uint64_t waiting; /* now */
};

/* How the host vouches for the guests of one group. */
struct deep_quote_group {
	struct wblob ak;      /* of struct hw_aked; len 0: the host's own AK */
	struct wblob ak_cert; /* DER; len 0: HW_QUOTE gives it */
	uint16_t bank;        /* TPM_ALG_ID */
	uint32_t pcrs;        /* bit n: the host's PCR n */
	uint64_t sequence;    /* of the group's configuration */
};

int deep_quote_new(struct mgr *m) VT_CHECK;
void deep_quote_free(struct mgr *m);
/* A worker asks; it is answered by wlink_deeped(), now or later. */
void deep_quote_ask(struct ginst *g, const struct wdeep *d);
/* g is about to be freed: nobody waits for it any more. */
void deep_quote_forget(struct ginst *g);
void deep_quote_counters(const struct mgr *m, struct deep_quote_counters *ret);

/* deep_quote_leaf.c */
/* calloc(3), apart: gcc's analyser loses sight of lists whose end is kept, and
 * takes what is put there for lost. */
void *deep_quote_alloc(size_t n, size_t size);
/* Blobs in *ret are borrowed until the loop's next turn.  On failure text
 * (TEXT_MAX_LEN + 1 bytes) says what to do. */
int deep_quote_group(struct mgr *m, uint32_t group,
    struct deep_quote_group *ret, char *text) VT_CHECK;
/* What the host says of this guest now, its keys' Names apart. */
void deep_quote_leaf(
    const struct ginst *g, const struct wdeep *d, struct deep_leaf *ret);

#endif
