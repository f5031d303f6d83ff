/* SPDX-License-Identifier: BSD-3-Clause */
/* anchor_fsm.c - numbers of roots and the counter: the rules. */
#include "vtpm_manager/commit/anchor_fsm.h"

#include <assert.h>

enum anchor_verdict
anchor_judge(uint64_t root, uint64_t counter)
{
	if (root == 0)
		return AV_NEW;
	if (root == counter)
		return AV_SAME;
	if (root < counter)
		return AV_BEHIND;
	return root - counter == 1 ? AV_AHEAD : AV_FOREIGN;
}

void
anchor_start(struct anchor *a, enum anchor_policy policy, uint64_t root,
    uint64_t counter)
{
	a->policy = policy;
	a->counter = counter;
	a->written = root;
	a->top = root > counter + 1 ? root : counter + 1;
	a->need = a->top + 1;
	a->want = policy == ANCHOR_OFF ? 0 : a->need;
}

uint64_t
anchor_next(const struct anchor *a)
{
	if (a->policy == ANCHOR_OFF)
		return a->written;
	if (a->policy == ANCHOR_STRICT || anchor_step(a) == AA_COMMIT)
		return a->counter + 1;
	/* After a start with a store that an operator accepted: the lowest
	 * number that the next start accepts. */
	if (a->written != a->counter && a->written != a->counter + 1)
		return a->counter;
	return a->written;
}

uint64_t
anchor_committed(struct anchor *a, uint64_t written)
{
	a->written = written;
	if (written > a->top) { /* the first with this number */
		a->top = written;
		a->need = written;
	} else {
		a->need = a->top + 1;
	}
	if (a->policy == ANCHOR_STRICT)
		a->want = a->need;
	return a->need;
}

void
anchor_failed(struct anchor *a, uint64_t written)
{
	if (written > a->top)
		a->top = written;
}

void
anchor_raised(struct anchor *a)
{
	assert(a->written == a->counter + 1);
	a->counter++;
}

void
anchor_wish(struct anchor *a)
{
	if (a->policy != ANCHOR_OFF)
		a->want = a->need > a->counter ? a->need : a->counter + 1;
}

enum anchor_act
anchor_step(const struct anchor *a)
{
	if (a->counter >= a->want)
		return AA_NONE;
	return a->written == a->counter + 1 ? AA_RAISE : AA_COMMIT;
}
