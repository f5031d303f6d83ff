/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_stats.h - what a worker counts of its guest's commands.
 *
 * Layer:  vtpm/worker.
 */
#ifndef VTPM_WORKER_WORKER_STATS_H
#define VTPM_WORKER_WORKER_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/rdwr.h"
#include "vtpm/proto/worker_msg.h"

struct slot;
struct tpm_cmd;
struct worker;

struct wk_counters {
	uint64_t commands, stores, held_commands, refused;
	uint64_t attaches_refused;
	uint64_t auth_failures, lockouts; /* responses that say so */
	uint64_t last_us; /* the last command; first the worker's start */
	struct histogram times[WCLASSES]; /* from a command to its answer */
};

/* A command came. */
void wk_count_command(struct slot *s);
/* It is taken apart; one that came while the power was off stays in no class.
 */
void wk_count_class(struct slot *s, const struct tpm_cmd *cmd);
/* Its answer goes out. */
void wk_count_answer(struct slot *s, const uint8_t *resp, size_t len);
/* Answer WQ_STATS: no command is run, nothing changes. */
void wk_stats_put(const struct worker *w, struct wr *p);

#endif
