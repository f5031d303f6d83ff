/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_answer.h - answers to a guest, held back until they may be given.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_ANSWER_H
#define VTPM_WORKER_WORKER_ANSWER_H

#include <stddef.h>
#include <stdint.h>

struct slot;
struct worker;

/* Answers the command in hand once state version need is durable. */
void wk_answer(struct slot *s, const uint8_t *resp, size_t len, uint64_t need);
/* The same with an error that says nothing of the state: at once. */
void wk_answer_error(struct slot *s, uint32_t rc20, uint32_t rc12);
/* Gives every answer whose version is durable by now. */
void wk_answer_release(struct worker *w);
/* The TPM must not run again: it is off, every command fails, and what is
 * held back is answered by an error. */
void wk_break(struct worker *w);

#endif
