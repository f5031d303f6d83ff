/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anchor_fsm.h - the store's root and a counter of the physical TPM, which only
 * grows, are bound together, so that an older store is detected.
 *
 * Layer:  vtpm_manager; no I/O, no logging.  anchor.c has the
 *         effects.
 *
 * The rule.  A is the number in a root record, C the counter.  Every root is
 * written with A = C or A = C + 1, never more; the counter is raised from C
 * to C + 1 only while the newest durable root has A = C + 1.  A start
 * therefore finds, after a crash at any point, A = C or A = C + 1, and accepts
 * both; a store from before the last raise has A < C.
 *
 * What is safe.  Something that was put into the store is safe from being
 * rolled back once every root without it has A < C.  If its own root is the
 * first with its A, that is so as soon as C = A.  If an earlier root with
 * the same A may exist anywhere (one that was written and never raised to,
 * one whose write failed half way, one that was written while the counter
 * was being raised), it takes one step more.  anchor_committed() says which
 * value of the counter makes it safe.
 *
 * A start cannot know what an earlier run wrote without acknowledging it: a
 * copy of the disk may hold roots with A = C + 1.  So the manager assumes that
 * there are some, and raises the counter past them (two steps) at once.
 */
#ifndef VTPM_MANAGER_COMMIT_ANCHOR_FSM_H
#define VTPM_MANAGER_COMMIT_ANCHOR_FSM_H

#include <stdbool.h>
#include <stdint.h>

enum anchor_policy {
	ANCHOR_OFF,      /* neither raised nor read */
	ANCHOR_INTERVAL, /* an acknowledged change is safe a little later */
	ANCHOR_STRICT,   /* nothing is acknowledged before it is safe */
};

/* What a start finds. */
enum anchor_verdict {
	AV_SAME,    /* A = C */
	AV_AHEAD,   /* A = C + 1: the crash was before the raise */
	AV_NEW,     /* A = 0: never anchored; accepted once */
	AV_BEHIND,  /* A < C: an older store was put back */
	AV_FOREIGN, /* A > C + 1: not the counter of this store */
};
enum anchor_verdict anchor_judge(uint64_t root, uint64_t counter);

/* The next step of a raise. */
enum anchor_act {
	AA_NONE,   /* the counter is where it should be */
	AA_COMMIT, /* write a root, with anchor_next() */
	AA_RAISE,  /* count up, from a->counter */
};

struct anchor {
	enum anchor_policy policy;
	uint64_t counter; /* the TPM's last answer */
	uint64_t written; /* A of the newest durable root */
	uint64_t top;     /* the highest A that any root may have */
	uint64_t need;    /* counter at which all that is durable is safe */
	uint64_t want;    /* raise until the counter is this */
};

/* root: of the store as it was found, whatever the verdict.  Wants to get
 * past what an earlier run may have left. */
void anchor_start(struct anchor *a, enum anchor_policy policy, uint64_t root,
    uint64_t counter);
/* The number for a root that is written now. */
uint64_t anchor_next(const struct anchor *a);
/* A root with this number is durable.  Returns the counter's value at which
 * all that is in it is safe. */
uint64_t anchor_committed(struct anchor *a, uint64_t written);
/* It may or may not have reached the disk. */
void anchor_failed(struct anchor *a, uint64_t written);
/* AA_RAISE has succeeded. */
void anchor_raised(struct anchor *a);
/* All that is durable by now is to become safe, or if it is, what comes with
 * the next root. */
void anchor_wish(struct anchor *a);
enum anchor_act anchor_step(const struct anchor *a);

#endif
